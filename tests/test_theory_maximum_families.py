"""Families fitted by a maximum or a tail: Uniform(0, theta) and Pareto, their laws against NumPyro's, refusals.

The maximum never grows, the tail index does on average: the two ways in which a support can shrink.
"""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpyro import distributions as dist
from scipy.integrate import simpson
from sympy import Add, Rational, S, Symbol, digamma, expand_log, gamma, log, oo, product, symbols

from theory import (
    MLE,
    Accumulate,
    Damped,
    Exponential,
    GradientSteps,
    Loop,
    M,
    Mixed,
    NotClosed,
    Pareto,
    PosteriorDraw,
    Schedule,
    Shrinkage,
    Tempered,
    Uniform,
    Weighted,
    alpha,
    expect,
    n,
    tau,
)
from theory.families.base import Batch
from theory.laws.maximum import Maximum
from theory.symbols import mean, mean0, tail0, theta0

theta, tail = Uniform.theta, Pareto.alpha
approx = pytest.approx


@pytest.fixture(autouse=True)
def double_precision():
    """NumPyro's numbers in 64 bits."""
    with jax.enable_x64(True):
        yield


# The law of a maximum -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 5])
@pytest.mark.parametrize("power", [0, 1, Rational(-1, 2), Rational(5, 3)])
@pytest.mark.parametrize("order", [0, 1, 3])
def test_maximum_has_the_moments_of_a_beta_law(size, power, order):
    """Assert E[x^a (log x)^b] against quadrature with NumPyro's Beta(m, 1) density, x = exp(-t)."""
    law, other = Maximum(Symbol("x"), S(size)), dist.Beta(size, 1)
    t = np.linspace(0, 100, 100_001)
    density = np.exp(-t + np.asarray(other.log_prob(np.exp(-t))))
    whole = simpson(np.exp(-t * float(power)) * (-t) ** order * density, x=t)
    assert float(law.moment((S(power),), (order,))) == approx(whole, rel=1e-7)


def test_maximum_says_when_a_moment_is_infinite():
    """Assert that 1/theta has a mean for M > 1 alone, as a condition and as a refusal."""
    assert expect(Loop(Uniform()), 1 / theta).conditions == (M - 1 > 0,)
    with pytest.raises(NotClosed, match="infinite"):
        expect(Loop(Uniform(), samples=1), 1 / theta)


# Uniform(0, theta) ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("power", [1, 2, Rational(1, 2), -1, Rational(-2, 3)])
def test_uniform_end_point_shrinks_by_one_factor(power):
    """Assert E theta_n^k = theta_0^k (M/(M + k))^n for every real k > -M."""
    value = expect(Loop(Uniform()), theta**power).expression
    assert (value / (theta0**power * (M / (M + power)) ** n)).simplify() == 1


def test_uniform_logarithm_drifts_by_one_over_m():
    """Assert E log theta_n = log theta_0 - n/M and Var log theta_n = n/M^2, the derivatives of the power at 0."""
    first = expect(Loop(Uniform()), log(theta)).expression
    second = expect(Loop(Uniform()), log(theta) ** 2).expression
    assert (first - log(theta0) + n / M).expand() == 0
    assert (second - first**2 - n / M**2).expand() == 0


def test_accumulated_maximum_never_moves_again():
    """Assert that model n is model 1 for ever under accumulation, since new points lie below the largest so far."""
    for observable in (theta, theta**2, log(theta)):
        pooled = expect(Loop(Uniform(), regime=Accumulate()), observable)
        once = expect(Loop(Uniform()), observable).at(n=1)
        assert [(value - once).expand().cancel() for value in pooled.values(3)[1:]] == [0, 0, 0]


def test_growing_generations_keep_a_uniform_law():
    """Assert E theta_n = theta_0 prod M k^2/(M k^2 + 1), which stays above 0, for M k^2 points in fit k."""
    value = expect(Loop(Uniform(), regime=Schedule(M * n**2)), theta).values(3)[-1]
    assert (value / theta0 - product(M * n**2 / (M * n**2 + 1), (n, 1, 3))).together().cancel() == 0


def test_uniform_law_has_no_temperature():
    """Assert that a constant density stays the same at any temperature."""
    assert expect(Loop(Uniform(), sampling=Tempered(tau)), theta).next() == expect(Loop(Uniform()), theta).next()


def test_uniform_shrinkage_has_its_fixed_point():
    """Assert that theta' = w theta_0 + (1 - w) theta b settles at theta_0 w (M + 1)/(w M + 1)."""
    w = Rational(1, 3)
    limit = expect(Loop(Uniform(), estimator=Shrinkage(w)), theta).limit()
    assert (limit - theta0 * w * (M + 1) / (w * M + 1)).together().cancel() == 0


def test_uniform_posterior_draws_do_not_drift():
    """Assert E log theta_n = log theta_0 for draws theta' = max/b of the posterior under the prior 1/theta."""
    assert expect(Loop(Uniform(), estimator=PosteriorDraw()), log(theta)).expression == log(theta0)


def test_uniform_fit_maximises_the_likelihood():
    """Assert that theta^-m on theta >= max has its maximum at the fit, and that pooling is the larger maximum."""
    family, points = Uniform(), (Rational(1, 3), Rational(7, 8), Rational(1, 2))
    fitted = family.fit(Batch(S(3), (max(points),)), MLE(), ())[theta]
    others = [Rational(k, 16) for k in range(14, 32)]

    def likelihood(end):
        return end**-3 if end >= max(points) else 0

    assert max(others, key=likelihood) == fitted
    b = Symbol("b", positive=True)
    drawn, past = Batch(M, (theta * b,), (Maximum(b, M),)), Batch(M, (theta,))
    for pooled in (family.pool(drawn, past), family.pool(past, drawn)):
        assert (pooled.size, pooled.statistics) == (2 * M, (theta,))


# Pareto ---------------------------------------------------------------------------------------------------------------


def test_pareto_tails_thin_on_average():
    """Assert E alpha_n = alpha_0 (M/(M - 1))^n for M > 1, and E log alpha_n = log alpha_0 + n (log M - psi(M))."""
    value = expect(Loop(Pareto()), tail)
    assert (value.expression / (tail0 * (M / (M - 1)) ** n)).simplify() == 1
    assert value.conditions == (2 * M - 2 > 0,)
    logarithm = expect(Loop(Pareto()), log(tail)).expression
    assert (expand_log(logarithm) - log(tail0) - n * (log(M) - digamma(M))).expand() == 0


@pytest.mark.parametrize("power", [Rational(1, 2), -1, -2, 2])
def test_pareto_powers_close(power):
    """Assert E alpha'^k = (M alpha)^k Gamma(M - k)/Gamma(M), k < M."""
    step = expect(Loop(Pareto(), samples=7), tail**power).next()
    assert (step / tail**power - 7**power * gamma(7 - power) / gamma(S(7))).simplify() == 0


@pytest.mark.parametrize("regime", [Accumulate(), Mixed(alpha), Mixed(alpha, count="bernoulli"), Weighted(alpha)])
def test_inverse_tail_index_is_an_exponential_mean(regime):
    """Assert that 1/alpha has the moments of an exponential mean in every regime, log(x/x_m) being exponential."""
    here = expect(Loop(Pareto(), regime=regime), tail**-2).values(3)
    there = expect(Loop(Exponential(), regime=regime), mean**2).values(3)
    assert all((a.subs(tail0, 1 / mean0) - b).together().cancel() == 0 for a, b in zip(here, there, strict=True))


def test_pareto_posterior_draws_do_not_drift():
    """Assert E log alpha_n = log alpha_0 for draws from the posterior under the prior 1/alpha."""
    assert expect(Loop(Pareto(), estimator=PosteriorDraw()), log(tail)).expression == log(tail0)


def test_pareto_fit_zeroes_the_score():
    """Assert that alpha = m/sum log(x/x_m) is the root of the score of three points, and a neighbour is not."""
    points = symbols("x1:4", positive=True)
    least = Symbol("x_m", positive=True)
    likelihood = Add(*(log(tail) + tail * log(least) - (tail + 1) * log(point) for point in points))
    fitted = Pareto().fit(Batch(S(3), (sum(log(point) - log(least) for point in points),)), MLE(), ())[tail]
    score = likelihood.diff(tail)
    assert score.subs(tail, fitted).expand().cancel() == 0
    assert score.subs(tail, fitted / 2).expand().cancel() != 0


@settings(max_examples=10)
@given(st.fractions(Rational(5, 2), 9, max_denominator=10), st.fractions(Rational(1, 4), 4, max_denominator=10))
def test_pareto_logarithms_are_exponential(index, least):
    """Assert that NumPyro's Pareto law has P(log(x/x_m) > t) = exp(-alpha t)."""
    law = dist.Pareto(float(least), float(index))
    for t in (0.0, 0.3, 2.0):
        assert 1 - float(law.cdf(float(least) * np.exp(t))) == approx(np.exp(-float(index) * t), abs=1e-12)


def test_uniform_points_are_a_multiple_of_the_standard_ones():
    """Assert that NumPyro's Uniform(0, theta) has the cdf x/theta whose m-th power is the maximum's."""
    law = dist.Uniform(0.0, 2.5)
    assert all(float(law.cdf(2.5 * u)) == approx(u) for u in (0.0, 0.2, 0.9))


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loop", "observable", "axis"),
    [
        (Loop(Uniform(), regime=Mixed(alpha)), theta, "regime"),
        (Loop(Uniform(), regime=Mixed(alpha, fresh=False)), theta, "regime"),
        (Loop(Uniform(), regime=Weighted(alpha)), theta, "regime"),
        (Loop(Uniform(), regime=Accumulate(), estimator=Damped(Rational(1, 2))), theta, "regime"),
        (Loop(Uniform(), estimator=GradientSteps(1, tau)), theta, "estimator"),
        (Loop(Pareto(), estimator=GradientSteps(1, tau)), tail, "estimator"),
        (Loop(Pareto(), regime=Accumulate()), tail, "sum of 2 terms"),
        (Loop(Pareto(), regime=Accumulate()), log(tail), "sum of 2 terms"),
        (Loop(Pareto(), sampling=Tempered(2)), tail, "sampling"),
    ],
    ids=str,
)
def test_what_does_not_close_is_refused_by_its_axis(loop, observable, axis):
    """Assert that each refusal names what does not close."""
    with pytest.raises(NotClosed, match=axis):
        expect(loop, observable)


@pytest.mark.parametrize("make", [lambda: Uniform(0), lambda: Pareto(-1), lambda: Pareto(2, 0), lambda: Uniform(oo)])
def test_what_is_no_law_is_refused(make):
    """Assert that parameters out of range raise ValueError."""
    with pytest.raises(ValueError, match="Give"):
        make()


def test_pareto_index_is_not_the_real_share():
    """Assert that the two symbols named alpha are different, so that a mixed Pareto loop can hold both."""
    assert tail != alpha
    assert str(tail) == str(alpha)
    assert expect(Loop(Pareto(), regime=Mixed(alpha)), 1 / tail).expression == 1 / tail0
