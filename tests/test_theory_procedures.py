"""Estimators and learning procedures: what they reduce to, and what they keep."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, S, Symbol, digamma, exp, gamma, log, oo, sqrt

from theory import (
    MLE,
    V0,
    Accumulate,
    Damped,
    Faithful,
    Floor,
    Gaussian,
    GradientSteps,
    Loop,
    M,
    MinMSE,
    Mixed,
    PosteriorDraw,
    PosteriorPredictive,
    Scaled,
    Shrinkage,
    Unbiased,
    UnbiasedFor,
    VarianceFactor,
    alpha,
    expect,
    n,
)

mu, V = Gaussian.mu, Gaussian.V
w, k, eta = (Symbol(name, positive=True) for name in ("w", "k", "eta"))
nu = M - 1
OBSERVED = (V, mu**2, V**2, mu**2 * V, mu**4)


def closed(estimator, of, **axes):
    return expect(Loop(Gaussian(0), estimator=estimator, **axes), of).expression


def zero(expr):
    return expr.together().cancel() == 0 or expr.simplify() == 0


REDUCTIONS = {
    "no shrinkage": (Shrinkage(0, Unbiased()), Unbiased()),
    "whole step": (Damped(1), MLE()),
    "no floor": (Floor(0), MLE()),
    "min-MSE as a multiple": (MinMSE(), Scaled((M - 1) / (M + 1))),
    "unbiased for V": (UnbiasedFor(1), Unbiased()),
    "unbiased for 1/V": (UnbiasedFor(-1), Scaled((M - 1) / (M - 3))),
    "unbiased for V^2": (UnbiasedFor(2), Scaled(sqrt((M - 1) / (M + 1)))),
    "two whole gradient steps": (GradientSteps(2, 1), MLE()),
    "damping in damping": (Damped(k, Damped(w)), Damped(k * w)),
}


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("of", OBSERVED[:4], ids=str)
def test_special_cases_meet(name, of):
    """Assert that a procedure at its trivial value is the fit inside."""
    one, other = REDUCTIONS[name]
    assert zero(closed(one, of) - closed(other, of))


@settings(max_examples=20)
@given(st.fractions(-2, 4, max_denominator=4), st.integers(6, 12))
def test_unbiased_for_a_power_keeps_its_mean(power, samples):
    """Assert E V^k = V0^k for every generation, E log V = log V0 for k = 0, at numbers M."""
    power = Rational(power)
    loop = Loop(Gaussian(0), estimator=UnbiasedFor(power), samples=samples)
    kept = log(V) if power == 0 else V**power
    assert zero(expect(loop, kept).expression - kept.subs(V, V0))


@pytest.mark.parametrize("power", [S.Half, S(1), S(3) / 2, S(2), S(-1), S(-1) / 2, S(0)], ids=str)
def test_unbiased_for_a_power_keeps_its_mean_for_every_size(power):
    """Assert the same with M left a symbol: roots and Gamma ratios cancel exactly."""
    kept = log(V) if power == 0 else V**power
    assert closed(UnbiasedFor(power), kept) == kept.subs(V, V0)


def test_min_mse_keeps_no_root_of_zero():
    """Assert that E V^2 and E V share one base under min-MSE, where the general formula for E mu^4 is 0/0."""
    assert closed(MinMSE(), V**2) == V0**2 * ((M - 1) / (M + 1)) ** n
    special = closed(Scaled(Symbol("c", positive=True)), mu**4).subs(Symbol("c", positive=True), (M - 1) / (M + 1))
    assert special.subs({M: 5, n: 3}) is S.NaN
    assert expect(Loop(Gaussian(0, 1), estimator=MinMSE(), samples=5), mu**4).values(3)[3] == closed(
        MinMSE(), mu**4
    ).subs({M: 5, n: 3, V0: 1})


DRIFTLESS = {
    "step on log V": (GradientSteps(1, eta, "log V"), 2 * eta**2 / M),
    "posterior draw": (PosteriorDraw(), None),
    "unbiased for log V": (UnbiasedFor(0), None),
}


@pytest.mark.parametrize("name", DRIFTLESS)
def test_parametrisation_decides_collapse(name):
    """Assert that log V does not drift while E V grows: the procedure is unbiased for log V."""
    estimator, spread = DRIFTLESS[name]
    assert closed(estimator, log(V)) == log(V0)
    loop = Loop(Gaussian(0, 1), estimator=estimator)
    if spread is not None:
        assert zero(expect(loop, log(V) ** 2).expression - n * spread)
        loop = loop.at(eta=1)
    grown = expect(loop.at(M=9), V).values(2)
    assert 1 < grown[1].evalf() < grown[2].evalf()


PUBLISHED = {
    "step on log V": (GradientSteps(1, eta, "log V"), V, (exp(-eta) * (1 - 2 * eta / M) ** (-M / 2)) ** n),
    "posterior draw": (PosteriorDraw(), V, (nu / (nu - 2)) ** n),
    "floor": (Floor(eta), V, M * eta + (1 - 1 / M) ** n * (1 - M * eta)),
    "damped": (Damped(k, Unbiased()), mu**2, n * k**2 / M),
    "sigma": (UnbiasedFor(S.Half), V, (nu / 2 * gamma(nu / 2) ** 2 / gamma(M / 2) ** 2) ** n),
    "log": (UnbiasedFor(0), V, exp(n * (log(nu / 2) - digamma(nu / 2)))),
    "predictive": (PosteriorPredictive(), V, (nu * (M + 1) / (M * (M - 3))) ** (n - 1)),
    "temperature in disguise": (Unbiased(), V, Symbol("lam", positive=True) ** n),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_closed_forms(name):
    """Assert the mean of V or mu^2 of each procedure at random whole M and n, to 40 digits or exactly."""
    estimator, of, formula = PUBLISHED[name]
    sampling = VarianceFactor(Symbol("lam", positive=True)) if "disguise" in name else Faithful()
    found = expect(Loop(Gaussian(0, 1), estimator=estimator, sampling=sampling), of).expression
    free = sorted((found - formula).free_symbols - {M, n}, key=str)
    for size, generation in ((5, 1), (7, 2), (12, 5)):
        point = {M: size, n: generation} | {s: Rational(1, 3 + j) for j, s in enumerate(free)}
        assert abs((found - formula).subs(point).evalf(60)) < Rational(1, 10**40)


@pytest.mark.parametrize("regime", [Accumulate(), Mixed(alpha)], ids=str)
def test_procedures_run_in_every_regime(regime):
    """Assert that pools remember what a damped fit forgets: k = 1 gives back the plain loop's values."""
    loop = Loop(Gaussian(0, 1), estimator=Damped(k), regime=regime)
    numbers = {"M": 4, "alpha": Rational(1, 2)} if isinstance(regime, Mixed) else {"M": 4}
    plain = expect(Loop(Gaussian(0, 1), regime=regime), mu**2).at(**numbers).values(3)
    assert expect(loop, mu**2).at(k=1, **numbers).values(3) == plain


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: Shrinkage(2),
        lambda: Damped(-1),
        lambda: Floor(-1),
        lambda: GradientSteps(0, 1),
        lambda: GradientSteps(1, 0),
        lambda: GradientSteps(1, 1, on="sigma"),
        lambda: Loop(Gaussian(), estimator=UnbiasedFor(-1), samples=3),
        lambda: UnbiasedFor(0.5),
    ],
)
def test_wrong_numbers_are_refused(attempt):
    """Assert one sentence on what is wrong and one on what to give."""
    with pytest.raises(ValueError, match=r"\. (Give|Choose|Take|Write)"):
        attempt()


def test_population_limit_leaves_the_procedure_alone():
    """Assert that with samples = oo only the procedure's own effect is left."""
    loop = Loop(Gaussian(0, 1), estimator=Floor(eta), samples=oo)
    assert zero(expect(loop, V).expression - (1 + n * eta))
    assert expect(Loop(Gaussian(0, 1), estimator=Shrinkage(w), samples=oo), V).expression == 1
