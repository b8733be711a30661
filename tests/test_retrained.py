"""Retrained texts, simulated, against a reference that keeps dictionaries of lists and against the exact chain.

Levels are those of single tests, 1e-4 unless said, each with one fixed seed that was never searched for.
"""

from collections import Counter, defaultdict
from functools import cache
from math import exp, log

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from sympy import Rational

from numerics.texts.data import prose
from numerics.texts.ngrams import Texts
from numerics.texts.retrained import Source, contexts, retrained, written
from numerics.texts.starving import growth, predicted
from theory import Accumulate, Categorical, Gaussian, Loop, NGram, absorption

LEVEL = 1e-4
ROWS = [[Rational(1, 2), Rational(1, 3), Rational(1, 6)], [0, Rational(1, 4), Rational(3, 4)], [1, 0, 0]]


def steps(text, order, ring):
    """The (context, successor) of a text one by one, contexts whole."""
    size = len(text)
    places = range(size) if ring else range(order - 1, size - 1)
    return [(tuple(text[(p - j) % size] for j in reversed(range(order))), text[(p + 1) % size]) for p in places]


def chi_square(*samples):
    """The p-value of the hypothesis that counts come from one law, cells of few expected counts put together."""
    table = np.array(samples, dtype=float)
    rare = table.sum(0) * table.sum(1).min() / table.sum() < 5
    table = np.column_stack([table[:, ~rare], table[:, rare].sum(1)]) if rare.any() else table
    table = table[:, table.sum(0) > 0]
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    return chi2.sf(((table - expected) ** 2 / expected).sum(), (len(table) - 1) * (table.shape[1] - 1))


# The known lengths of cycles ------------------------------------------------------------------------------------------

PUBLISHED = {1: 111, 2: 106, 3: 63, 4: 20}
"""Lengths of the cycles that absorbed 300 bigram models over 4 letters, refitted on paths of 20 tokens."""


def lengths_by_matrices(runs, rng):
    """The same by matrices of counts: a letter without successor, and the first one, are drawn by letter frequency.

    Sources are drawn uniformly among all transition matrices.
    """
    P = rng.dirichlet(np.ones(4), size=(runs, 4))
    frequency = np.linalg.matrix_power(P, 64)[:, 0]
    found, every = np.zeros(runs, int), np.arange(runs)
    active = every
    while len(active):
        text = np.empty((len(active), 20), int)
        law = frequency
        for t in range(20):
            draw = (rng.random((len(active), 1)) * law.sum(1, keepdims=True) > law.cumsum(1)).sum(1)
            text[:, t] = np.minimum(draw, 3)
            law = P[np.arange(len(active)), text[:, t]]
        N = np.zeros((len(active), 4, 4))
        for t in range(19):
            N[np.arange(len(active)), text[:, t], text[:, t + 1]] += 1
        frequency = np.stack([(text == letter).mean(1) for letter in range(4)], axis=1)
        total = N.sum(2, keepdims=True)
        P = np.where(total > 0, N / np.maximum(total, 1), frequency[:, None])
        # Two powers of a 0-1 matrix of one successor each: what is still reached after many steps is the cycle.
        sure = ((N > 0).sum(2) <= 1).all(1) & (N.sum(2) > 0)[np.arange(len(active)), text[:, -1]]
        onward = (N > 0)[sure].argmax(2)
        letter = text[sure, 0]
        for _ in range(12):
            letter = onward[np.arange(len(onward)), letter]
        length, at = np.ones(len(onward), int), onward[np.arange(len(onward)), letter]
        while (moved := at != letter).any():
            length += moved
            at = np.where(moved, onward[np.arange(len(onward)), at], at)
        found[active[sure]] = length
        active, P, frequency = active[~sure], P[~sure], frequency[~sure]
    return np.bincount(found, minlength=5)[1:]


def lengths_by_places(runs, rng, ring=False):
    """The same by the walks of `written`, until the text repeats a cycle."""
    found = Counter()
    for _ in range(runs):
        P = rng.dirichlet(np.ones(4), size=4)
        text = [rng.choice(4, p=np.linalg.matrix_power(P, 64)[0])]
        for u in rng.random(19):
            text.append(min(int((u > P[text[-1]].cumsum()).sum()), 3))
        text = np.array(text)
        while len(set(text)) < len(pairs := set(steps(text.tolist(), 1, ring))) or len({c for c, _ in pairs}) < len(
            set(text)
        ):
            text = written(text, 20, 1, ring, rng)
        onward = {c[0]: y for c, y in pairs}
        letters = [text[-1]]
        while onward[letters[-1]] not in letters:
            letters.append(onward[letters[-1]])
        found[len(letters) - letters.index(onward[letters[-1]])] += 1
    return np.array([found[length] for length in (1, 2, 3, 4)])


@cache
def oracle():
    """20,000 runs of the matrices."""
    return lengths_by_matrices(20_000, np.random.default_rng(0))


def test_published_cycle_lengths_are_those_of_restarting_texts():
    """Assert at level 1e-3 that the published 300 runs have the reference's law."""
    assert chi_square(list(PUBLISHED.values()), oracle()) > 1e-3


def test_cycle_lengths_are_the_reference_s():
    """Assert at level 1e-4 that 800 runs of the walks have its law too, and that those of a ring do not."""
    assert chi_square(lengths_by_places(800, np.random.default_rng(1)), oracle()) > LEVEL
    assert chi_square(lengths_by_places(100, np.random.default_rng(2), ring=True), oracle()) < LEVEL


# Texts and what is asked of them --------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    st.text("abcd", min_size=5, max_size=30),
    st.text("abcd", min_size=5, max_size=30),
    st.integers(1, 3),
    st.sampled_from(["restart", "ring"]),
)
def test_what_is_recorded_is_what_dictionaries_count(first, second, order, end):
    """Assert every recorded number, of a text about another, against counting by hand."""
    second = "".join(letter for letter in second if letter in first) + first[:4]
    loop = Loop(NGram(order, text=first, end=end), samples=9)
    source = Source.of(loop, smoothing=0.25, classes=(0, 2, 4))
    letters = source.family.letters
    seen = source.seen(np.array([letters.index(letter) for letter in second]))
    was, now = (steps(text, order, end == "ring") for text in (first, second))
    old, new, of_old, of_new = Counter(was), Counter(now), Counter(c for c, _ in was), Counter(c for c, _ in now)
    assert seen["vocabulary"] == len(set(second))
    assert seen["contexts"] == len(of_new)
    assert seen["ngrams"] == len(new)
    assert np.isclose(seen["entropy"], -sum(log(new[s] / of_new[s[0]]) for s in now) / len(now))
    known = [step for step in was if step in new]
    assert np.isclose(seen["coverage"], len(known) / len(was))
    if known:
        assert np.isclose(seen["covered"], exp(-sum(log(new[s] / of_new[s[0]]) for s in known) / len(known)))
    K = len(letters)
    chances = [0.75 * new[s] / of_new[s[0]] + 0.25 / K if s[0] in of_new else 1 / K for s in was]
    assert np.isclose(seen["perplexity"], exp(-sum(map(log, chances)) / len(was)))
    by_class = defaultdict(list)
    for step in old:
        by_class[sum(9 * of_old[step[0]] / len(was) >= edge for edge in (2, 4))].append(step)
    for at in range(3):
        kept = [step in new for step in by_class[at]]
        assert np.isclose(seen["left"][at], np.mean(kept) if kept else np.nan, equal_nan=True)
        alive = [c in of_new for c in {c for c, _ in by_class[at]}]
        assert np.isclose(seen["alive"][at], np.mean(alive) if alive else np.nan, equal_nan=True)


@pytest.mark.parametrize("end", ["restart", "ring"])
@pytest.mark.parametrize("order", [1, 2])
def test_texts_are_written_by_the_law_of_the_model(order, end):
    """Assert that 4,000 texts have the law of a walk from place to place, worked out for every text."""
    text, ring = np.array([0, 1, 0, 2, 1]), end == "ring"
    law: dict[tuple[int, ...], float] = defaultdict(float)
    places = {((p,), p): 1 / 5 for p in range(5)}
    keys = [tuple(text[q % 5] if ring or q >= 0 else -1 for q in range(p - order + 1, p + 1)) for p in range(5)]
    for _ in range(3):
        longer: dict[tuple[tuple[int, ...], int], float] = defaultdict(float)
        for (path, place), weight in places.items():
            after = [(p + 1) % 5 for p in range(5 if ring else 4) if keys[p] == keys[place]] or list(range(5))
            for p in after:
                longer[(*path, p), p] += weight / len(after)
        places = longer
    for (path, _), weight in places.items():
        law[tuple(text[list(path)].tolist())] += weight
    rng = np.random.default_rng(0)
    drawn = Counter(tuple(written(text, 4, order, ring, rng).tolist()) for _ in range(4_000))
    assert set(drawn) <= set(law)
    expected = np.array([4_000 * law[t] for t in law])
    statistic = sum((drawn[t] - e) ** 2 / e for t, e in zip(law, expected, strict=True))
    assert chi2.sf(statistic, len(law) - 1) > LEVEL


def test_contexts_are_numbered_alike_in_both():
    """Assert that two places share a context in the one if they do in the other, marks before a text included."""
    text = np.array([0, 1, 1, 0, 1, 0, 1, 1])
    for order in (1, 2, 3):
        for ring in (False, True):
            one = contexts(text, order, ring, 2)
            two = np.asarray(Texts(order, ring)._contexts(jnp.asarray(text), jnp.asarray(len(text))))
            assert ((one[:, None] == one) == (two[:, None] == two)).all()


def test_runs_are_their_own():
    """Assert that a run's numbers depend on the seed and its number alone."""
    loop = Loop(NGram(1, text="abracadabra"), samples=11)
    three, two = (retrained(loop, generations=3, runs=runs, seed=5) for runs in (3, 2))
    assert three.isel(run=slice(2)).equals(two)
    assert not three.equals(retrained(loop, generations=3, runs=3, seed=6))


@pytest.mark.parametrize(
    ("loop", "asked", "problem"),
    [
        (Loop(Gaussian(), samples=9), {}, "retrains no text"),
        (Loop(NGram(1, ROWS), samples=9), {}, "retrains no text"),
        (Loop(NGram(1, text="abab"), samples=9, regime=Accumulate()), {}, "not the plain loop"),
        (Loop(NGram(1, text="abab")), {}, "not the plain loop"),
        (Loop(NGram(2, text="abab"), samples=2), {}, "hold no context"),
        (Loop(NGram(9, text=range(200)), samples=10), {}, "too many contexts"),
        (Loop(NGram(1, text="abab"), samples=9), {"runs": 0}, "runs = 0"),
        (Loop(NGram(1, text="abab"), samples=9), {"smoothing": 1}, "smoothing = 1"),
        (Loop(NGram(1, text="abab"), samples=9), {"classes": (1, 2)}, "0 first"),
    ],
)
def test_what_retrains_no_text_is_refused(loop, asked, problem):
    """Assert that a wrong loop or argument is refused by a sentence that names it."""
    with pytest.raises(ValueError, match=problem):
        retrained(loop, **({"generations": 1, "runs": 1} | asked))


# What is predicted for contexts that do not starve --------------------------------------------------------------------


def test_independent_contexts_are_neutral_chains_of_their_own():
    """Assert that the prediction is the exact chain of every context, on the tokens it is expected to see."""
    loop, n = Loop(NGram(1, text="aababcabcaab", end="ring"), samples=23), 3
    by_context = defaultdict(Counter)
    for (context,), after in steps("aababcabcaab", 1, ring=True):
        by_context[context][after] += 1
    kept = Rational(0)
    for row in by_context.values():
        total = sum(row.values())
        law = [Rational(count, total) for count in row.values()]
        kept += absorption(Loop(Categorical(law), samples=round(23 * total / 12))).support(n)
    assert np.isclose(float(predicted(loop, n).independent_ngrams[n]), float(kept))


def test_growth_is_the_limit_of_ancestors():
    """Assert that E (1 - p)^A_n of M tokens tends to exp(-M p g_n): the error is 1/M at most."""
    for samples in (20, 100):
        exact = absorption(Loop(Categorical([Rational(3, samples), 1 - Rational(3, samples)]), samples=samples))
        lost = [float(exact.lost(0, n)) for n in range(5)]
        assert np.abs(np.exp(-3 * growth(4)) - lost).max() < 1 / samples


WELL_FED, STARVED = (4, 600), (30, 60)
"""Letters and tokens: 150 tokens for a context and two."""


@cache
def compared(letters, samples):
    """Distinct bigrams simulated, with their standard error, and predicted for independent contexts and free bigrams.

    The source holds every bigram but one exactly once, so that each context is expected M/K times.
    """
    text = [x for a in range(letters) for x in (a, *(y for b in range(a + 1, letters) for y in (a, b)))]
    assert len(set(steps(text, 1, ring=False))) == len(text) - 1 == letters**2 - 1
    loop = Loop(NGram(1, text=text), samples=samples)
    run, theory = retrained(loop, generations=10, runs=100, classes=(0,)), predicted(loop, 10)
    kept = run.left.sum("class").to_numpy()[:, 10] * (letters**2 - 1)
    return kept.mean(), kept.std(ddof=1) / 10, float(theory.independent_ngrams[10]), float(theory.free_ngrams[10])


def test_well_fed_contexts_are_independent():
    """Assert that contexts of 150 tokens keep what independent ones would, within 2 percent and 4 standard errors."""
    kept, error, independent, _ = compared(*WELL_FED)
    assert error < 0.02 * independent
    assert abs(kept - independent) < 0.02 * independent + 4 * error


def test_starving_contexts_are_not():
    """Assert that of contexts of two tokens not half of what independent ones would keep is left, as contexts die.

    Free n-grams, which die out with their contexts and not otherwise, are right within a fifth and 4 standard errors.
    """
    kept, error, independent, free = compared(*STARVED)
    assert kept + 4 * error < independent / 2
    assert abs(kept - free) < free / 5 + 4 * error


def test_prose_starves():
    """Assert that in two generations of prose contexts expected once die as 1 - 1/e says, and frequent ones do not."""
    words = prose().words()[:8_000]
    loop = Loop(NGram(1, text=words), samples=len(words))
    run, theory = retrained(loop, generations=2, runs=4), predicted(loop, 2)
    kept, alive = run.left.mean("run"), run.alive.mean("run")
    assert (theory.independent[:, 0] == 1).all()
    assert abs(kept[1, 0] - theory.free[1, 0]) < 0.05
    assert abs(kept[1, 0] - (1 - exp(-1))) < 0.05
    assert (alive.sel({"class": slice(64, 1000)}) == 1).all()
    assert np.abs(kept - theory.independent).sel({"class": slice(64, 1000)}).max() < 0.03
    assert (np.diff(run.coverage.mean("run")) < 0).all()
    assert (np.diff(run.perplexity.mean("run")) > 0).all()
