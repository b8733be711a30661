"""`simulate` of n-gram loops against the exact chain, and against the few long runs of `retrained`."""

import numpy as np
import pytest
from scipy.stats import norm
from sympy import Rational

from numerics import Curve, agree, simulate
from numerics.texts.retrained import retrained
from theory import Accumulate, Loop, NGram, Tempered, absorption

LEVEL = 1e-4
ROWS = [[Rational(1, 2), Rational(1, 3), Rational(1, 6)], [0, Rational(1, 4), Rational(3, 4)], [1, 0, 0]]
WORD = "abcabacbbcaabcacbabcab"
TEXT = Loop(NGram(2, text=WORD), samples=5)
GENERATIONS = 4


def of_transitions(order, end):
    """A loop of three letters whose next depends on the last, or on the sum of the last two."""
    rows = ROWS if order == 1 else [ROWS[(a + b) % 3] for a in range(3) for b in range(3)]
    return Loop(NGram(order, rows, end=end), samples=5)


LOOPS = {"transitions": of_transitions(1, "restart"), "ring": of_transitions(2, "ring"), "text": TEXT}


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS.keys())
def test_simulate_agrees_with_the_exact_chain(loop):
    """Assert vocabulary, contexts, n-grams and survival by generation, and that the numbers of another loop are not."""
    run = simulate(loop, generations=GENERATIONS, chains=20_000, chunk=256)
    run = run.assign(alive=(run.cycle == 0).astype(float))
    exact = absorption(loop)
    answers = {"vocabulary": exact.support, "contexts": exact.contexts, "ngrams": exact.ngrams, "alive": exact.survival}
    for name, answer in answers.items():
        verdict = agree(Curve(name, name, [answer(n) for n in range(GENERATIONS + 1)]), run, smallest=0.05)
        assert verdict.verdict == "agree", str(verdict)
    more = absorption(Loop(loop.family, samples=loop.samples + 1))
    slipped = agree(Curve("M + 1", "ngrams", [more.ngrams(n) for n in range(GENERATIONS + 1)]), run)
    assert slipped.verdict == "disagree"


def test_both_simulations_agree():
    """Assert that the few long runs and the many chains have the same means, at level 1e-4 over all comparisons."""
    many = simulate(TEXT, generations=GENERATIONS, chains=5_000, chunk=256)
    few = retrained(TEXT, generations=GENERATIONS, runs=1_500)
    names = ("vocabulary", "contexts", "ngrams", "entropy")
    for name in names:
        assert np.allclose(many[name][:, 0], few[name][0, 0])
        one, two = many[name].to_numpy()[:, 1:], few[name].to_numpy()[:, 1:]
        error = np.sqrt(one.var(0, ddof=1) / len(one) + two.var(0, ddof=1) / len(two))
        limit = norm.isf(LEVEL / 2 / GENERATIONS / len(names))
        assert np.all(np.abs(one.mean(0) - two.mean(0)) < limit * error), name


def test_numbers_do_not_depend_on_the_company():
    """Assert that chains keep their numbers among others, and that generation 0 is the text."""
    one, two = (simulate(TEXT, generations=GENERATIONS, chains=chains, chunk=256) for chains in (600, 20))
    assert one.isel(chain=slice(20)).equals(two)
    start = one.isel(generation=0)
    assert (start.vocabulary == 3).all()
    assert (start.ngrams == len({WORD[at : at + 3] for at in range(20)})).all()
    assert (start.cycle == 0).all()


def test_a_pool_of_texts_is_read_as_one():
    """Assert that accumulated texts lose nothing: tokens and n-grams of a chain never fall after the first fit."""
    loop = Loop(TEXT.family, samples=5, regime=Accumulate())
    run = simulate(loop, generations=3, chains=256)
    for name in ("vocabulary", "contexts", "ngrams"):
        assert (run[name].diff("generation")[:, 1:] >= 0).all()
    assert run.cycle.max() <= 3 * 5 - 2


def test_what_writes_no_texts_is_refused():
    """Assert that distortions, short texts and missing sources are refused by name."""
    with pytest.raises(ValueError, match="writes no texts"):
        simulate(Loop(NGram(1, ROWS), samples=5, sampling=Tempered(2)), generations=1, chains=1)
    with pytest.raises(ValueError, match="hold no context"):
        simulate(Loop(NGram(2, text="abab"), samples=2), generations=1, chains=1)
    with pytest.raises(ValueError, match="has no texts"):
        simulate(Loop(NGram(1), samples=5), generations=1, chains=1)
    with pytest.raises(ValueError, match="too many contexts"):
        simulate(Loop(NGram(9, text=range(200)), samples=10), generations=1, chains=1)
