"""Which words of a text are gone after n generations of retraining on M tokens, and how much real text keeps them.

Without real text the answer is that of the neutral chain, with its proved error. With a share alpha of real tokens in
every generation a word of frequency p is missing from generation n with probability at most exp(-M p c_n), whatever M:

    c_n = alpha (u_1 + ... + u_(n-1)) + u_n,   u_1 = 1, u_(k+1) = 1 - exp(-(1 - alpha) u_k).

Proof: X_n ~ Binomial(M, q) with q = alpha p + (1 - alpha) X_(n-1)/M given the generation before, so that
E exp(-s X_n) <= E exp(-M q u), u = 1 - exp(-s), which is exp(-alpha M p u) E exp(-(1 - alpha) u X_(n-1)): the same with
(1 - alpha) u for s. It starts from s = oo, and at the first fit q = p. A fixed number of real tokens gives the product
of two such factors and the same bound. It is sharp for M p^2 << 1, where counts are Poisson: its error is shown beside.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from math import expm1, inf

import numpy as np
from attrs import field, frozen

from numerics.absorption.bounded import Bounded
from numerics.absorption.large_chain import LargeChain
from numerics.texts.lexicon import Lexicon

COPIES = (0.0, 0.25, 1.0, 4.0, 16.0, 64.0, 256.0, inf)
"""Edges of the classes of words, in expected copies M p per generation."""

TERMS = 100_000
"""How many terms of c_n are added: what is left is below one part in 10^4 where alpha > 10^-4."""


def exponent(generation: float, alpha: float) -> float:
    """Return c_n, for n >= 1 or infinite: alpha u_1 + .. + alpha u_(n-1) + u_n, or its first ``TERMS`` terms.

    Every term is positive, so that fewer of them bound the loss from above all the same.

    >>> exponent(1, 0.5), exponent(inf, 1.0)
    (1.0, 1.0)
    """
    total, u, k = 0.0, 1.0, 1
    while k < min(generation, TERMS) and u > 1e-17 * total:
        total, u, k = total + alpha * u, -expm1(-(1 - alpha) * u), k + 1
    return total + (u if k == generation else 0.0)


@frozen(eq=False)
class Class:
    """Words with between ``low`` and ``high`` expected copies per generation, with P(lost) at each generation."""

    low: float
    high: float
    words: tuple[str, ...] = field(repr=False)
    lost: np.ndarray

    @property
    def title(self) -> str:
        """The class in words.

        >>> Class(0.0, 0.25, (), np.zeros(1)).title, Class(256.0, inf, (), np.zeros(1)).title
        ('under 1/4', '256 and more')
        """
        low, high = (f"1/{round(1 / x)}" if 0 < x < 1 else f"{x:g}" for x in (self.low, self.high))
        if self.low == 0:
            return f"under {high}"
        return f"{low} and more" if self.high == inf else f"{low} to {high}"


@frozen(eq=False)
class Retention:
    """What a lexicon keeps under retraining on ``samples`` = M of its own tokens per generation.

    Args:
        lexicon: the words of the source.
        samples: M, 1 to 2,000,000.
        generations: the generations n >= 1 that are looked at.
    """

    lexicon: Lexicon
    samples: int
    generations: tuple[int, ...]

    @cached_property
    def chain(self) -> LargeChain:
        """The neutral chain of the words."""
        return LargeChain(self.samples, self.lexicon.frequencies)

    @cached_property
    def support(self) -> Bounded:
        """E[number of word types left] at each generation, shape (generations,)."""
        return self.chain.support(self.generations)

    @cached_property
    def classes(self) -> tuple[Class, ...]:
        """The words by how many copies of them a generation expects, the rarest first."""
        return tuple(self._classes(self.samples * self.lexicon.frequencies, self.lost[:, self._place]))

    def _classes(self, copies: np.ndarray, lost: np.ndarray) -> Iterator[Class]:
        for low, high in pairwise(COPIES):
            inside = np.flatnonzero((copies >= low) & (copies < high))
            if len(inside):
                words = tuple(self.lexicon.words[k] for k in inside)
                yield Class(low, high, words, lost[:, inside].mean(axis=1))

    def gone(self, generation: int) -> tuple[str, ...]:
        """Return the words that are more likely lost than not at a generation, the most frequent first."""
        lost = self.chain.lost(frequency=self.distinct, n=generation).value[self._place]
        return tuple(word for word, chance in zip(self.lexicon.words, lost, strict=True) if chance > 0.5)

    def kept(self, alpha: float, generation: float = inf) -> float:
        """Return a lower bound on E[word types present] with a real share ``alpha``: sum_i 1 - exp(-M p_i c_n)."""
        p, _, counts = self._distinct
        return float(counts @ -np.expm1(-self.samples * p * exponent(generation, alpha)))

    def share(self, keep: float, generation: float = inf) -> float:
        """Return the least real share alpha that is proved to keep ``keep`` of the word types at a generation, or for
        ever.

        Raises:
            ValueError: more than M tokens of real text alone would show.
        """
        if reason := self.why_no_share(keep, generation):
            raise ValueError(reason)
        return self._bisected(keep * len(self.lexicon.words), generation)

    def why_no_share(self, keep: float, generation: float = inf) -> str | None:
        """Return why no real share is proved to keep ``keep`` of the word types, None where one is.

        Raises:
            ValueError: ``keep`` is no share.
        """
        if not 0 < keep <= 1:
            raise ValueError(f"keep = {keep} is no share of the words. Give 0 < keep <= 1.")
        most, types = self.kept(1.0, generation), len(self.lexicon.words)
        wanted = keep * types
        if most >= wanted:
            return None
        return (
            f"{self.samples} tokens of real text alone show {most:.0f} of {types} words, fewer than {wanted:.0f}. "
            f"Keep at most {most / types:.3f}, or take more samples."
        )

    def _bisected(self, wanted: float, generation: float) -> float:
        low, high = 0.0, 1.0
        if self.kept(low, generation) >= wanted:
            return low
        while high - low > 1e-9 * high:
            middle = (low + high) / 2
            low, high = (low, middle) if self.kept(middle, generation) >= wanted else (middle, high)
        return high

    @property
    def distinct(self) -> np.ndarray:
        """The frequencies that words have, each once, the least first."""
        return self._distinct[0]

    @cached_property
    def lost(self) -> np.ndarray:
        """P(a word is gone) at each generation, for each of the `distinct` frequencies."""
        return self.chain.lost(frequency=self.distinct, n=self.generations).value

    @property
    def _place(self) -> np.ndarray:
        """Where the frequency of each word stands among the distinct ones."""
        return self._distinct[1]

    @cached_property
    def _distinct(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return np.unique(self.lexicon.frequencies, return_inverse=True, return_counts=True)


def retention(lexicon: Lexicon, samples: int | None = None, generations: Sequence[int] = (1, 10, 100)) -> Retention:
    """Return what a lexicon keeps; M is the number of its tokens where ``samples`` is left out.

    Raises:
        ValueError: frequencies without a number of tokens, or a generation below 1.
    """
    if samples is None and lexicon.tokens is None:
        raise ValueError(f"{lexicon.name} counts no tokens. Say how many a generation has: samples=.")
    if not generations or min(generations) < 1:
        raise ValueError(f"generations = {list(generations)}: words are lost from the first fit on. Give numbers >= 1.")
    return Retention(lexicon, int(lexicon.tokens or 0) if samples is None else samples, tuple(sorted(set(generations))))
