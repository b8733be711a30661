"""Schedules of a given total: the best of them against all of them, and what is proved against what is not."""

from itertools import product as combinations
from math import prod

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, S, digamma, log, sqrt

from theory import (
    V0,
    Accumulate,
    Bernoulli,
    Gaussian,
    Loop,
    M,
    NotClosed,
    Schedule,
    Shrinkage,
    Tempered,
    Unbiased,
    best_schedule,
    least_budget,
    plan,
    tau,
    variance,
)
from theory.quantities import quantity
from theory.separable import FIT, Term

V, mu = Gaussian.V, Gaussian.mu
UNIT = Gaussian(0, 1)
COLD = Loop(UNIT, estimator=Unbiased(), sampling=Tempered(Rational(1, 3)))
ASKED = {
    "variance": (Loop(UNIT), V, "greatest"),
    "log variance": (Loop(UNIT), log(V), "greatest"),
    "mean": (COLD, mu**2, "least"),
    "w2": (Loop(UNIT, estimator=Unbiased()), "w2", "least"),
    "spread": (Loop(Bernoulli(Rational(1, 3))), lambda loop: variance(loop, Bernoulli.p), "least"),
}


def value(loop, of, sizes):
    """Return the quantity under a schedule, from the recurrence of the loop with that list."""
    return quantity(evolve(loop, regime=Schedule(sizes)), of).value(S(len(sizes)))


@pytest.mark.parametrize("case", ASKED)
def test_no_schedule_of_the_same_total_is_better(case):
    """Assert that of all schedules of 13 points over 3 fits none beats the answer, and that this is proved."""
    loop, of, want = ASKED[case]
    found = best_schedule(loop, of, 13, n=3, want=want)
    assert sum(found.sizes) == 13
    assert found.proved
    side = 1 if want == "greatest" else -1
    others = [sizes for sizes in combinations(range(2, 10), repeat=3) if sum(sizes) == 13]
    assert all(side * (found.value - value(loop, of, sizes)).evalf(30) >= -(S(10) ** -25) for sizes in others)


@given(st.integers(2, 40), st.integers(1, 12))
@settings(max_examples=20)
def test_alike_fits_get_alike_sizes(each, fits):
    """Assert that sizes differ by at most one where every fit counts the same, and E V = V0 prod(1 - 1/M_k)."""
    total = each * fits + fits // 2
    found = best_schedule(Loop(Gaussian()), V, total, n=fits)
    assert max(found.sizes) - min(found.sizes) <= 1
    assert (found.value - V0 * prod(1 - Rational(1, size) for size in found.sizes)).expand() == 0
    assert found.proved


@pytest.mark.parametrize("total", [400, 10_000])
def test_sizes_follow_the_root_of_the_weights(total):
    """Assert M_k ~ tau^(k/2) for E mu_n^2 = V0 sum_k tau^k/M_k, each within one point of B w_k/sum_j w_j."""
    found = best_schedule(COLD, mu**2, total, n=4, want="least")
    weights = [sqrt(Rational(1, 3)) ** k for k in range(1, 5)]
    shares = [total * weight / sum(weights) for weight in weights]
    assert all(abs(float(size - share)) < 1 for size, share in zip(found.sizes, shares, strict=True))
    assert found.proved


@pytest.mark.parametrize("case", ["variance", "mean"])
@pytest.mark.parametrize("percent", [40, 70])
def test_no_smaller_budget_meets_the_bound(case, percent):
    """Assert that no schedule with one point less meets the bound, of all there are."""
    loop, of, want = ASKED[case]
    aim = Rational(percent, 100) if want == "greatest" else Rational(8, percent)
    found = least_budget(loop, of, n=3, **{"at_least" if want == "greatest" else "at_most": aim})
    side = 1 if want == "greatest" else -1
    assert side * (value(loop, of, found.sizes) - aim) >= 0
    less = found.value - 1
    assert found.proved
    sizes = [(a, b, less - a - b) for a in range(2, less) for b in range(2, less - a - 1)]
    assert sizes
    assert all(side * (value(loop, of, each) - aim) < 0 for each in sizes[:: max(1, len(sizes) // 40)])
    assert found.short is not None
    assert side * (found.short.value - aim) < 0


def test_a_budget_is_never_above_that_of_equal_sizes():
    """Assert sum_k M_k <= n M, M the least equal size, and that M - 1 for every fit would be too few."""
    for aim in (Rational(9, 10), Rational(1, 2)):
        equal = plan(Loop(UNIT), V, M, at_least=aim, n=10).value
        found = least_budget(Loop(UNIT), V, at_least=aim, n=10)
        assert 10 * (equal - 1) < found.value <= 10 * equal


def test_logarithms_are_compared_without_fractions():
    """Assert the least budget for E log V = sum_k psi((M_k - 1)/2) - log(M_k/2) against that sum."""
    found = least_budget(Loop(UNIT), log(V), at_least=-1, n=5)

    def total(sizes):
        return sum((digamma(S(m - 1) / 2) - log(S(m) / 2)).evalf(30) for m in sizes)

    assert found.proved
    assert found.short is not None
    assert total(found.sizes) >= -1 > total(found.short.sizes)


def test_a_worse_schedule_is_not_settled():
    """Assert that a schedule with one point in the wrong fit is seen."""
    found = best_schedule(COLD, mu**2, 40, n=3, want="least")
    a, b, c = found.sizes
    for worse in ((a - 1, b + 1, c), (a + 1, b, c - 1), (c, b, a)):
        assert not evolve(found, sizes=worse).settled
        assert not evolve(found, sizes=worse).proved


def test_rising_gains_prove_nothing():
    """Assert that a term whose gains rise, or turn, is not shown to have diminishing ones."""
    for term in (M**2, 1 / M, (M - 20) ** 3, 1 - Rational(1, 2) ** FIT / (M + 1) + M**3 / 10**3):
        assert not Term("sum", term, 1, 1, 3).diminishes(2, 100)
    assert Term("sum", (M - 20) ** 3, 1, 1, 3).diminishes(2, 19)
    assert not Term("sum", (M - 20) ** 3, 1, 1, 3).diminishes(2, 21)
    assert Term("sum", -1 / M, 1, 1, 3).diminishes(2, 10**9)


def test_it_prints():
    """Assert that text counts repetitions and says what is proved, and LaTeX shows the sizes."""
    found = best_schedule(Loop(UNIT), V, 30, n=4)
    assert "2 x 8, 2 x 7" in str(found)
    assert "proved" in str(found)
    assert r"2 \times 8" in found._repr_latex_()
    least = least_budget(Loop(UNIT), V, at_least=S.Half, n=4)
    assert "25 points" in str(least)
    assert "at best misses" in str(least)


REFUSED = {
    "a small budget": (lambda: best_schedule(Loop(UNIT), V, 5, n=4), ValueError, "need 2 points each"),
    "the wrong way": (lambda: best_schedule(Loop(UNIT), V, 50, n=4, want="least"), ValueError, "more points do not"),
    "a pool": (lambda: best_schedule(Loop(UNIT, regime=Accumulate()), V, 50, n=4), ValueError, "no schedule"),
    "entangled": (lambda: best_schedule(COLD, "kl_source_model", 50, n=4), NotClosed, "read one size each"),
    "shrunken": (lambda: best_schedule(Loop(UNIT, estimator=Shrinkage(tau)), V, 50, n=4), NotClosed, "one size each"),
    "no bound": (lambda: least_budget(Loop(UNIT), V, n=4), ValueError, "needs one bound"),
    "out of reach": (lambda: least_budget(Loop(UNIT), V, at_least=2, n=4), ValueError, "no budget up to"),
}


@pytest.mark.parametrize(("asked", "kind", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals(asked, kind, said):
    """Assert that a question without an answer is refused in a sentence."""
    with pytest.raises(kind, match=said):
        asked()
