"""Subsampled pools: what is read off the pool leaves the recurrence, and one product is left for every family."""

from fractions import Fraction
from itertools import combinations, product

import pytest
from sympy import Rational, Symbol, pi

from proofs.kernel import check
from theory import V0, Bernoulli, Categorical, Gaussian, Loop, M, NoClosedForm, Subsample, Unbiased, expect, n

mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p
GAUSSIAN, COIN = Loop(Gaussian(), regime=Subsample()), Loop(Bernoulli(), regime=Subsample())


@pytest.mark.parametrize("loop", [GAUSSIAN, COIN], ids=["gaussian", "coin"])
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("samples", [2, 3, 7])
def test_closed_form_equals_the_recurrence(loop, power, samples):
    """Assert the closed form against the recurrence run in exact rationals."""
    of = loop.family.scales[0] ** (power - 1) * mu ** (2 - 2 * (power - 1)) if loop is GAUSSIAN else p**power
    source = {"mu0": 0, "V0": 1} if loop is GAUSSIAN else {"p0": Rational(1, 3)}
    answer = expect(loop.at(**source), of)
    values = answer.at(M=samples).values(5)
    for k in range(1, 6):
        assert abs((answer.expression.subs({M: samples, n: k}) - values[k]).evalf(50)) < Rational(1, 10**40)


def every_history(samples, generations, chance):
    """E p^2 by following every draw and every subset."""
    totals = {0: chance**2}

    def follow(pool, weight, here, depth):
        for batch in product((0, 1), repeat=samples):
            ones = sum(batch)
            likely = weight * here**ones * (1 - here) ** (samples - ones)
            grown = pool + batch
            subsets = list(combinations(range(len(grown)), samples)) if likely else []
            for subset in subsets:
                fitted = Fraction(sum(grown[i] for i in subset), samples)
                totals[depth] = totals.get(depth, 0) + likely / len(subsets) * fitted**2
                if depth < generations:
                    follow(grown, likely / len(subsets), fitted, depth + 1)

    follow((), Fraction(1), chance, 1)
    return [totals[k] for k in range(generations + 1)]


def test_coin_agrees_with_every_history():
    """Assert E p^2 for M = 2 against all draws and all subsets of two generations."""
    values = expect(COIN.at(p0=Rational(1, 3), M=2), p**2).values(2)
    assert [Fraction(int(v.p), int(v.q)) for v in values] == every_history(2, 2, Fraction(1, 3))


def test_every_family_shrinks_by_one_product():
    """Assert E V_n/V0 = E p_n (1 - p_n)/(p0 (1 - p0)) = (1 - E collision_n)/(1 - collision_0)."""
    p0 = Symbol("p0", nonnegative=True)
    gaussian = expect(GAUSSIAN, V).expression / V0
    coin = expect(COIN, p * (1 - p)).expression / (p0 * (1 - p0))
    half = Loop(Categorical([Rational(1, 2)] * 2), regime=Subsample())
    types = 2 * (1 - expect(half, Categorical.collision).expression)
    for size, generation in ((3, 2), (5, 4), (10, 7)):
        point = {M: size, n: generation, p0: Rational(1, 5)}
        first, *others = (one.subs(point).evalf(40) for one in (gaussian, coin, types))
        assert all(abs(first - other) < Rational(1, 10**35) for other in others)


def test_variance_and_drift_of_the_mean_add_up():
    """Assert E V_n + Var mu_n = V0 for every generation."""
    total = expect(GAUSSIAN, V + mu**2).expression
    assert (total - Symbol("mu0", real=True) ** 2 - V0).expand() == 0


@pytest.mark.parametrize("generation", [1, 2, 5])
def test_leading_error_is_a_sum(generation):
    """Assert M Var mu_n/V0 -> 2 - 1/n + sum_(j<n) (2 - 1/j)/(j + 1)^2 as M grows."""
    known = 2 - Rational(1, generation) + sum((2 - Rational(1, j)) / (j + 1) ** 2 for j in range(1, generation))
    gaps = [abs(size * expect(GAUSSIAN, mu**2).at(mu0=0, V0=1, M=size, n=generation) - known) for size in (100, 1000)]
    assert gaps[0] < Rational(1, 10)
    assert gaps[1] * 9 <= gaps[0]


def test_variance_that_is_left_in_the_end():
    """Assert the limit in n: M Var mu -> pi^2/2 - 2 up to terms of order 1/M."""
    limit = expect(Loop(Gaussian(0, 1), regime=Subsample()), mu**2).limit()
    gaps = [abs(size * limit.subs(M, size).evalf(30) - (pi**2 / 2 - 2)) for size in (100, 1000)]
    assert gaps[0] < Rational(1, 10)
    assert gaps[1] * 8 <= gaps[0]


@pytest.mark.parametrize("of", [V, mu**2, V + mu**2], ids=str)
def test_certificates_are_accepted(of):
    """Assert that the kernel accepts the induction from the whole recurrence, readouts included."""
    assert all(check(c.data).rule == "induction_eq" for c in expect(GAUSSIAN, of).certificate)


def test_what_stays_coupled_is_refused_by_name():
    """Assert that the unbiased variance, whose pool is no martingale, has values and no formula."""
    answer = expect(Loop(Gaussian(0, 1), regime=Subsample(), estimator=Unbiased(), samples=3), V)
    with pytest.raises(NoClosedForm, match="coupled"):
        _ = answer.expression
    assert answer.values(1) == [1, 1]
