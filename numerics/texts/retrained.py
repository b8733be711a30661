"""A real text, retrained: n-gram models refitted on their own texts, as long as the text itself or of any length.

`simulate` runs the same loop in hundreds of chains; this runs a few on texts of a hundred thousand tokens, and asks of
them what is asked of language models: perplexity, coverage, and which n-grams of the source are left.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr
from attrs import frozen
from numpy.random import Generator, SeedSequence, default_rng

from theory.families import NGram
from theory.loop import Loop
from theory.regimes import Replace
from theory.sampling import Faithful

LONGEST = 2**62
"""Largest number that an n-gram may be written as."""
CLASSES = (0, 2, 4, 8, 16, 64, 256, 1024)
"""Lower ends of the classes of contexts, by the number of times that a context is expected in M tokens."""


def retrained(
    loop: Loop,
    *,
    generations: int,
    runs: int,
    seed: int = 0,
    smoothing: float = 0.01,
    classes: Sequence[float] = CLASSES,
) -> xr.Dataset:
    """Return independent runs of an n-gram loop on a text, with dimensions (run, generation); generation 0 is the text.

    Variables, by run and generation: ``vocabulary``, ``contexts``, ``ngrams`` and ``entropy`` as `NGram` says;
    ``coverage``, the share of the source's steps (context to successor) that the model gives a positive probability;
    ``covered``, the perplexity exp(-mean log P(successor | context)) of those steps alone; ``perplexity``, that of all
    steps under (1 - smoothing) P + smoothing/K, K the source's vocabulary, and 1/K in a context without successor.
    By class of contexts, too: ``left``, the share of the source's n-grams that are in the text of the generation, and
    ``alive``, the share of its contexts. A class holds the contexts expected from ``class`` times on in M tokens.

    Args:
        loop: an `NGram` with a text, in the replace regime, faithfully sampled, with a number for M.
        generations: number of refits, >= 1.
        runs: number of independent runs, >= 1; the numbers of run r depend on (seed, r) alone.
        seed: whole number >= 0.
        smoothing: share of the uniform law in ``perplexity``, in (0, 1).
        classes: rising lower ends of the classes, from 0 on.

    Raises:
        ValueError: another loop, or an argument out of range.

    >>> loop = Loop(NGram(1, text="the cat sat on the mat"), samples=22)
    >>> run = retrained(loop, generations=3, runs=2)
    >>> dict(run.sizes)["generation"], float(run.ngrams[0, 0]), float(run.coverage[0, 0].round(9))
    (4, 15.0, 1.0)
    """
    if generations < 1 or runs < 1:
        raise ValueError(f"generations = {generations}, runs = {runs}. Give whole numbers >= 1.")
    source = Source.of(loop, smoothing, classes)
    family, samples = source.family, int(loop.samples)
    histories = [
        [source.seen(text) for text in _texts(family, samples, generations, default_rng(key))]
        for key in SeedSequence(seed).spawn(runs)
    ]
    columns = {name: np.array([[here[name] for here in one] for one in histories]) for name in histories[0][0]}
    dims = {name: ("run", "generation", "class")[: values.ndim] for name, values in columns.items()}
    run = xr.Dataset({name: (dims[name], values) for name, values in columns.items()})
    return run.assign_coords(
        {"run": np.arange(runs), "generation": np.arange(generations + 1), "class": source.classes}
    )


def _family(loop: Loop) -> NGram:
    """Return the family of a loop that retrains a text, or refuse the loop."""
    family = loop.law
    if not isinstance(family, NGram) or family.text is None:
        raise ValueError(f"{loop} retrains no text. Give Loop(NGram(order, text=...), samples=...).")
    if not isinstance(loop.regime, Replace) or not isinstance(loop.sampling, Faithful) or not loop.samples.is_Integer:
        raise ValueError(f"{loop} is not the plain loop. Give Replace, Faithful and a number of samples.")
    if loop.samples <= family.order:
        raise ValueError(f"samples = {loop.samples} hold no context of {family.order} and its successor. Give more.")
    if len(family.letters) ** (family.order + 1) >= LONGEST:
        raise ValueError(f"{len(family.letters)} tokens have too many contexts. Give a lower order.")
    return family


def _texts(family: NGram, samples: int, generations: int, rng: Generator) -> Iterator[np.ndarray]:
    """Yield the source's text, and the text of every generation."""
    text = np.array(family.codes)
    yield text
    for _ in range(generations):
        text = written(text, samples, family.order, family.ring, rng)
        yield text


def written(text: np.ndarray, samples: int, order: int, ring: bool, rng: Generator) -> np.ndarray:
    """Return a text of ``samples`` tokens by the model of a text: a walk over its places, begun at a random one.

    >>> written(np.array([0, 1, 0, 1]), 5, 1, False, default_rng(0)).sum() in (2, 3)
    True
    """
    size, numbers = len(text), contexts(text, order, ring, int(text.max()) + 1)
    usable = numbers if ring else numbers[:-1]
    by_context = np.argsort(usable, kind="stable")
    ordered = usable[by_context]
    left = np.searchsorted(ordered, numbers, side="left")
    found = (np.searchsorted(ordered, numbers, side="right") - left).tolist()
    after, first = ((by_context + 1) % size).tolist(), left.tolist()
    place = int(rng.integers(size))
    places = [place]
    for u in rng.random(samples - 1).tolist():
        known = found[place]
        place = after[first[place] + int(u * known)] if known else int(u * size)
        places.append(place)
    return text[places]


def contexts(text: np.ndarray, order: int, ring: bool, letters: int) -> np.ndarray:
    """Return the context of every place as a number; those cut short by the beginning of the text are below 0.

    >>> contexts(np.array([0, 1, 1]), 2, False, 2), contexts(np.array([0, 1, 1]), 2, True, 2)
    (array([-1,  1,  3]), array([2, 1, 3]))
    """
    numbers = np.zeros(len(text), dtype=np.int64)
    for back in reversed(range(order)):
        numbers = numbers * letters + np.roll(text, back)
    if not ring:
        numbers[: order - 1] = -1 - np.arange(min(order - 1, len(text)))
    return numbers


@frozen(eq=False)
class Source:
    """The source's n-grams, and what is asked of every text about them.

    ``pairs`` are the distinct n-grams as rising numbers, ``counts`` how often each occurs in the source, ``totals`` how
    often its context does, ``expected`` how often that is to be expected in M tokens.
    """

    family: NGram
    smoothing: float
    classes: np.ndarray
    pairs: np.ndarray
    counts: np.ndarray
    totals: np.ndarray
    expected: np.ndarray

    @classmethod
    def of(cls, loop: Loop, smoothing: float = 0.01, classes: Sequence[float] = CLASSES) -> "Source":
        """Return the source of a loop that retrains a text.

        Raises:
            ValueError: another loop, or an argument out of range.
        """
        family, ends = _family(loop), np.asarray(classes, dtype=float)
        if not 0 < smoothing < 1:
            raise ValueError(f"smoothing = {smoothing} is no share of the uniform law. Give 0 < smoothing < 1.")
        if ends.ndim != 1 or not len(ends) or ends[0] != 0 or np.any(np.diff(ends) <= 0):
            raise ValueError(f"classes = {classes} are no rising lower ends. Give 0 first, then larger numbers.")
        pairs, counts = _counted(np.array(family.codes), family)
        totals = _totals(pairs // len(family.letters), counts)
        return cls(family, smoothing, ends, pairs, counts, totals, int(loop.samples) * totals / counts.sum())

    @property
    def kind(self) -> np.ndarray:
        """The class of the context of every n-gram."""
        return np.searchsorted(self.classes, self.expected, side="right") - 1

    def seen(self, text: np.ndarray) -> dict[str, Any]:
        """Return everything that is recorded of a text."""
        letters, weights = len(self.family.letters), self.counts / self.counts.sum()
        pairs, counts = _counted(text, self.family)
        totals = _totals(pairs // letters, counts)
        chance = _looked_up(pairs, counts / totals, self.pairs)
        in_context = _looked_up(pairs // letters, np.ones(len(pairs)), self.pairs // letters)
        smoothed = np.where(in_context > 0, (1 - self.smoothing) * chance + self.smoothing / letters, 1 / letters)
        covered = weights * (chance > 0)
        log_chance = np.log(np.where(chance > 0, chance, 1.0))
        return {
            "vocabulary": len(np.unique(text)),
            "contexts": len(np.unique(pairs // letters)),
            "ngrams": len(pairs),
            "entropy": float(-(counts * np.log(counts / totals)).sum() / counts.sum()),
            "coverage": float(covered.sum()),
            "covered": float(np.exp(-(weights * log_chance).sum() / covered.sum())) if covered.any() else np.nan,
            "perplexity": float(np.exp(-(weights * np.log(smoothed)).sum())),
            "left": self.share(chance > 0, np.ones(len(self.pairs))),
            # Every context counts once, whatever the number of its successors.
            "alive": self.share(in_context > 0, 1 / _totals(self.pairs // letters, np.ones(len(self.pairs)))),
        }

    def share(self, kept: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the weighted share that is kept, by class, NaN for an empty one."""
        size = len(self.classes)
        total = np.bincount(self.kind, weights, size)
        return np.bincount(self.kind, weights * kept, size) / np.where(total > 0, total, np.nan)


def _counted(text: np.ndarray, family: NGram) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct n-grams, contexts whole, as rising numbers, and how often each occurs."""
    letters, order = len(family.letters), family.order
    before = contexts(text, order, family.ring, letters)
    after = np.roll(text, -1)
    whole = slice(None) if family.ring else slice(order - 1, -1)
    return np.unique(before[whole] * letters + after[whole], return_counts=True)


def _totals(groups: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return for every entry the sum of the counts of its group; groups are sorted."""
    _, at = np.unique(groups, return_inverse=True)
    return np.bincount(at, counts)[at]


def _looked_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the value of each wanted key among sorted ones, 0 where it is not among them."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0.0)
