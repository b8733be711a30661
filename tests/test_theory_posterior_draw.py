"""Refits that draw from the posterior of counts, against integrals of the Beta density over every sample."""

from functools import cache

import pytest
from sympy import Poly, Rational, S, Symbol, binomial, cos, factor, integrate, pi, rf, sin
from sympy.abc import x

from numerics import agree, simulate
from proofs.kernel import Accepted, check
from theory import (
    Bernoulli,
    Binomial,
    Categorical,
    Loop,
    Mixed,
    NotClosed,
    PosteriorDraw,
    PosteriorPredictive,
    alpha,
    expect,
    stationary,
)
from theory.symbols import K

p = Bernoulli.p
DRAW, PREDICTIVE = PosteriorDraw(), PosteriorPredictive()
T = Symbol("t", real=True)
THIRD = Rational(1, 3)


@cache
def beta_moment(a, b, k):
    """E u^k for u ~ Beta(a, b), from the density u^(a - 1) (1 - u)^(b - 1) with u = sin(t)^2."""
    mass, mean = (integrate(sin(T) ** (2 * (a + j) - 1) * cos(T) ** (2 * b - 1), (T, 0, pi / 2)) for j in (0, k))
    return mean / mass


def after(start, samples, k):
    """E p_1^k by the sum over samples of their chance times the moment of the posterior."""
    return sum(
        binomial(samples, y)
        * start**y
        * (1 - start) ** (samples - y)
        * beta_moment(y + S.Half, samples - y + S.Half, k)
        for y in range(samples + 1)
    )


@pytest.mark.parametrize("samples", [1, 2, 3])
@pytest.mark.parametrize("power", [1, 2, 3])
def test_two_draws_are_the_integrals(samples, power):
    """Assert E p_2^k: the moments of the second draw are a polynomial in the first."""
    found = expect(Loop(Bernoulli(THIRD), samples=samples, estimator=DRAW), p**power)
    polynomial = Poly(S(after(x, samples, power)).expand(), x)
    twice = sum(c * after(THIRD, samples, m) for (m,), c in polynomial.terms())
    assert [found.at(n=k) for k in (0, 1, 2)] == [THIRD**power, polynomial.eval(THIRD), twice]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_prior_is_stationary(order):
    """Assert that model n tends to the prior Beta(1/2, 1/2), or Dirichlet, in every moment and whatever M."""
    prior = rf(S.Half, order) / rf(1, order)
    assert factor(stationary(Loop(Bernoulli(), estimator=DRAW), p**order).expression - prior) == 0
    assert factor(stationary(Loop(Binomial(), estimator=DRAW), Binomial.p**order).expression - prior) == 0
    share = rf(S.Half, order) / rf(K / 2, order)
    found = stationary(Loop(Categorical(), estimator=DRAW), Categorical.p[0] ** order).expression
    assert factor((found - share).rewrite("gamma").gammasimp()) == 0


def test_types_may_be_merged():
    """Assert that the chance of a type among two is that of the Bernoulli loop, draw or predictive."""
    for estimator in (DRAW, PREDICTIVE):
        two = expect(Loop(Categorical([THIRD, 1 - THIRD]), estimator=estimator), Categorical.p[0] ** 2)
        one = expect(Loop(Bernoulli(THIRD), estimator=estimator), p**2)
        assert [two.at(n=k, M=4) for k in range(4)] == [one.at(n=k, M=4) for k in range(4)]


def test_the_predictive_law_is_drawn_from_the_second_fit_on():
    """Assert E p_1 = p_0, and that E p_2 - 1/2 is M/(M + 1) of E p_1 - 1/2."""
    found = expect(Loop(Bernoulli(), estimator=PREDICTIVE), p)
    first, second = (found.at(n=k, M=7, p0=THIRD) for k in (1, 2))
    assert first == THIRD
    assert second - S.Half == Rational(7, 8) * (first - S.Half)


@pytest.mark.parametrize("regime", [None, Mixed(alpha, count="bernoulli")], ids=repr)
def test_certificates_are_accepted(regime):
    """Assert that the kernel accepts the recurrence of the second moment."""
    loop = Loop(Bernoulli(), estimator=DRAW) if regime is None else Loop(Bernoulli(), estimator=DRAW, regime=regime)
    assert all(isinstance(check(one.data), Accepted) for one in expect(loop, p**2).certificate)


def test_what_is_no_polynomial_is_refused():
    """Assert that 1/p has no moment here and that the sentence says so."""
    with pytest.raises(NotClosed, match="polynomial"):
        expect(Loop(Bernoulli(), estimator=DRAW), 1 / p)


@pytest.mark.parametrize("estimator", [DRAW, PREDICTIVE], ids=repr)
def test_simulation_agrees(estimator):
    """Assert the verdict for the second moment, and that the same run rejects the one of maximum likelihood."""
    loop = Loop(Bernoulli(THIRD), samples=10, estimator=estimator)
    run = simulate(loop, generations=6, chains=30_000, seed=0)
    assert agree(expect(loop, p**2), run).verdict == "agree"
    assert abs(float(run["p"].sel(generation=6).mean()) - 1 / 3) > 0.01


def test_simulated_dirichlet_agrees():
    """Assert the verdict for one type of three."""
    loop = Loop(Categorical([Rational(1, 2), THIRD, Rational(1, 6)]), samples=10, estimator=DRAW)
    run = simulate(loop, generations=6, chains=30_000, seed=0)
    assert agree(expect(loop, Categorical.p[2] ** 2), run).verdict == "agree"
