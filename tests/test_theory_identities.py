"""Identities between loops, over every axis: what must hold whatever the formulas are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, expand_log

from theory import (
    MLE,
    V0,
    Accumulate,
    Bernoulli,
    Damped,
    Faithful,
    Gaussian,
    GradientSteps,
    Loop,
    M,
    MinMSE,
    Mixed,
    Poisson,
    PosteriorDraw,
    PosteriorPredictive,
    Replace,
    Schedule,
    Shrinkage,
    Subsample,
    Tempered,
    Truncated,
    Unbiased,
    UnbiasedFor,
    VarianceFactor,
    Weighted,
    alpha,
    drift,
    expect,
    mu0,
    n,
)

mu, V = Gaussian.mu, Gaussian.V
HALF, QUARTER = Rational(1, 2), Rational(1, 4)
ESTIMATORS = [
    MLE(),
    Unbiased(),
    MinMSE(),
    UnbiasedFor(2),
    Shrinkage(QUARTER),
    Damped(HALF, Unbiased()),
    GradientSteps(2, HALF),
    PosteriorDraw(),
    PosteriorPredictive(),
]
REGIMES = [
    Replace(),
    Accumulate(),
    Subsample(),
    Mixed(QUARTER),
    Mixed(QUARTER, fresh=False),
    Mixed(QUARTER, count="bernoulli"),
    Weighted(HALF, QUARTER),
    Schedule([12, 8, 16, 20]),
]
SAMPLINGS = [Faithful(), Tempered(Rational(3, 2)), VarianceFactor(HALF), Truncated(2)]


@st.composite
def axes(draw):
    """Axes of a Gaussian loop of 8 points; the predictive law is drawn from faithfully."""
    estimator = draw(st.sampled_from(ESTIMATORS))
    predictive = isinstance(estimator, PosteriorPredictive)
    sampling = draw(st.sampled_from(SAMPLINGS[:1] if predictive else SAMPLINGS))
    regimes = [r for r in REGIMES if estimator.keeps_statistics or not isinstance(r, Weighted)]
    regime = draw(st.sampled_from([Replace()] if predictive else regimes))
    return {"estimator": estimator, "regime": regime, "sampling": sampling, "samples": 8}


@settings(max_examples=40)
@given(axes(), st.integers(-3, 3), st.integers(1, 3))
def test_loops_know_no_unit_and_no_origin(where, shift, scale):
    """Assert E V and E (mu - mu0)^2 in units of the source's variance, whatever its mean and scale."""
    standard, moved = Loop(Gaussian(0, 1), **where), Loop(Gaussian(shift, scale**2), **where)
    for of, there in ((V, V), (mu**2, (mu - shift) ** 2), (mu * V, (mu - shift) * V)):
        degree = 3 if of == mu * V else 2
        try:
            wanted = expect(standard, of).values(3)
        except ValueError:
            continue
        found = expect(moved, there).values(3)
        assert all((y - scale**degree * x).simplify() == 0 for x, y in zip(wanted, found, strict=True))


MARTINGALES = [
    Replace(),
    Accumulate(),
    Subsample(),
    Mixed(alpha),
    Mixed(alpha, fresh=False),
    Mixed(alpha, count="bernoulli"),
    Schedule(M * n**2),
    Weighted(alpha, alpha),
]


@pytest.mark.parametrize("regime", MARTINGALES, ids=str)
def test_maximum_likelihood_keeps_the_second_moment(regime):
    """Assert E V_n + Var mu_n = V0 for every generation, in symbols."""
    total = expect(Loop(Gaussian(), regime=regime), V + mu**2).expression
    assert (total - mu0**2 - V0).together().cancel() == 0


@pytest.mark.parametrize("of", [V, mu**2], ids=str)
def test_growing_samples_replaced_are_samples_accumulated(of):
    """Assert that M k^2 points under replace leave what M points a generation leave when all are kept, by maximum
    likelihood.
    """
    grown = expect(Loop(Gaussian(), regime=Schedule(M * n**2)), of).expression
    pooled = expect(Loop(Gaussian(), regime=Accumulate()), of).expression
    assert (grown - pooled).together().cancel() == 0


FAMILIES = [
    (Gaussian(), [V, mu**2]),
    (Bernoulli(), [Bernoulli.p**2, Bernoulli.p**3]),
    (Poisson(), [Poisson.rate**2, Poisson.rate**3]),
]
KINDS = [{}, {"fresh": False}, {"count": "bernoulli"}]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(("family", "observables"), FAMILIES, ids=["gaussian", "bernoulli", "poisson"])
def test_no_real_data_is_replace_and_real_data_alone_the_fresh_fit(family, observables, kind):
    """Assert that alpha = 0 is replace, and alpha = 1 the first fit for ever, in values and in distribution of degree
    3.
    """
    for of in observables:
        replaced = expect(Loop(family, samples=6), of).values(3)
        none = expect(Loop(family, regime=Mixed(0, **kind), samples=6), of).values(3)
        whole = expect(Loop(family, regime=Mixed(1, **kind), samples=6), of).values(3)
        assert [(x - y).expand() for x, y in zip(none, replaced, strict=True)] == [0] * 4
        assert [(x - replaced[1]).expand() for x in whole[1:]] == [0] * 3


@given(st.fractions(-2, 3, max_denominator=4), st.integers(8, 40))
def test_drift_turns_where_kappa_does(power, samples):
    """Assert that the estimator unbiased for V^k has kappa = k, and drifts against its sign."""
    found = drift(Loop(Gaussian(), estimator=UnbiasedFor(Rational(power)), samples=samples))
    rate = expand_log(found.rate, force=True).evalf(30)
    assert found.verdict == ("collapse" if power > 0 else "explosion" if power < 0 else "driftless")
    assert abs(rate) < Rational(1, 10**20) if power == 0 else rate * Rational(power) < 0
