"""Within-run against ensemble variance: both given, both right, neither taken for the other."""

import pytest
from sympy import Rational, digamma, expand, log, oo

from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    Exponential,
    Gaussian,
    Loop,
    M,
    Mixed,
    NegativeBinomial,
    NotClosed,
    Poisson,
    Scaled,
    Unbiased,
    alpha,
    c,
    covariance,
    expect,
    n,
    spread,
    variance,
)
from theory.geometric import by_base
from theory.symbols import V0, q0

HALF = Rational(1, 2)
mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p
KNOWN = {
    "unbiased, G8 and G11": (Unbiased(), V0, V0 * n / M, V0 * (1 + n / M)),
    "MLE, G9 and G12": (MLE(), V0 * (1 - 1 / M) ** n, V0 * (1 - (1 - 1 / M) ** n), V0),
    "any multiplier, G10": (
        Scaled(c),
        V0 * c**n,
        V0 / M * (1 - c**n) / (1 - c),
        V0 * c**n + V0 / M * (1 - c**n) / (1 - c),
    ),
}


def same(one, two):
    """Whether two closed forms in n agree base by base."""
    return by_base(one - two) == {}


@pytest.mark.parametrize("name", KNOWN)
def test_both_variances_are_the_known_formulas(name):
    """Assert E V_n, Var mu_n and Var X_n for the three conventions of the literature."""
    estimator, *formulas = KNOWN[name]
    ledger = spread(Loop(Gaussian(), estimator=estimator))
    for part, formula in zip((ledger.within, ledger.between, ledger.ensemble), formulas, strict=True):
        assert same(part.expression, formula)


def test_the_two_are_not_taken_for_each_other():
    """Assert that the ensemble variance stays V0 under maximum likelihood while the within-run one goes to 0."""
    ledger = spread(Loop(Gaussian()))
    assert (ledger.within.limit(), ledger.ensemble.limit()) == (0, V0)
    assert not same(ledger.within.expression, ledger.ensemble.expression)


@pytest.mark.parametrize("regime", [Accumulate(), Mixed(alpha), Mixed(alpha, count="bernoulli")])
@pytest.mark.parametrize(("family", "total"), [(Gaussian(), V0), (Bernoulli(), q0 * (1 - q0))])
def test_maximum_likelihood_keeps_the_total(regime, family, total):
    """Assert E V_n + Var mu_n = V0, and E p(1 - p) + Var p = p0(1 - p0), in every regime of faithful fits."""
    assert same(spread(Loop(family, regime=regime)).ensemble.expression, total)


@pytest.mark.parametrize(("family", "curvature"), [(Poisson(), 0), (Exponential(), 1), (NegativeBinomial(2), HALF)])
def test_total_follows_the_variance_function(family, curvature):
    """Assert E V(m_n) = V0 (1 + v2/M)^n, F1, and Var m_n = V0 ((1 + v2/M)^n - 1)/v2, F2, for V = v0 + v1 m + v2 m^2."""
    ledger = spread(Loop(family))
    source = family.variance_function.subs(family.parameter, family.source()[family.parameter])
    growth = (1 + curvature / M) ** n
    assert same(ledger.within.expression, source * growth)
    assert same(ledger.between.expression, source * (growth - 1) / curvature if curvature else source * n / M)


def test_values_are_the_closed_forms():
    """Assert that running the recurrences gives the closed forms, generation by generation."""
    ledger = spread(Loop(Gaussian(), estimator=Scaled(c)))
    for k, row in enumerate(ledger.values(3)):
        parts = (ledger.within, ledger.between, ledger.ensemble)
        assert all((part.expression.subs(n, k) - value).cancel() == 0 for part, value in zip(parts, row, strict=True))
    assert ledger.at(n=1, M=4, c=Rational(3, 4), V0=1) == (Rational(3, 4), Rational(1, 4), 1)


def test_half_lives_of_mean_and_typical_run():
    """Assert log 2/(-log c) for the mean and log 2/|E log g| for a typical run; the mean of an unbiased fit never
    halves.
    """
    drift = digamma((M - 1) / 2) - log((M - 1) / 2)
    likelihood = spread(Loop(Gaussian())).half_lives
    gap = log(2) / likelihood["mean"] + log((M - 1) / M)
    assert by_base(gap) == {}
    assert by_base(log(2) / likelihood["typical"] + drift + log((M - 1) / M)) == {}
    unbiased = spread(Loop(Gaussian(), estimator=Unbiased())).half_lives
    assert unbiased["mean"] == oo
    assert by_base(log(2) / unbiased["typical"] + drift) == {}
    assert set(spread(Loop(Bernoulli())).half_lives) == {"mean"}


def test_typical_run_is_below_the_mean():
    """Assert exp E log V_n < E V_n at M = 10 and n = 5."""
    ledger = spread(Loop(Gaussian(0, 1), samples=10))
    assert ledger.typical.subs(n, 5) < ledger.within.expression.subs(n, 5)


def test_family_without_one_variance_is_refused():
    """Assert that a categorical law, whose points are no numbers, is refused by name."""
    with pytest.raises(NotClosed, match="Categorical"):
        spread(Loop(Categorical([1])))


def test_both_are_always_printed():
    """Assert that text and LaTeX name within, between and ensemble, and that the words say which is which."""
    ledger = spread(Loop(Gaussian()))
    for written in (str(ledger), ledger._repr_latex_()):
        assert all(word in written for word in ("within", "between", "ensemble", "half-life"))
    assert "one run" in str(ledger)


@pytest.mark.parametrize("estimator", [Unbiased(), MLE()])
def test_variance_and_covariance_are_bilinear(estimator):
    """Assert Var(a + b) = Var a + Var b + 2 Cov(a, b), and Var(2 a + 3) = 4 Var a."""
    loop = Loop(Gaussian(), estimator=estimator)
    joint = variance(loop, mu + V).expression
    parts = variance(loop, mu).expression + variance(loop, V).expression + 2 * covariance(loop, mu, V).expression
    assert same(joint, parts)
    assert same(variance(loop, 2 * V + 3).expression, 4 * variance(loop, V).expression)
    assert same(covariance(loop, V, V).expression, variance(loop, V).expression)


def test_variance_starts_at_zero_and_carries_its_parts():
    """Assert Var V = 0 at generation 0, its value at n = 1, and conditions and certificates of both parts."""
    answer = variance(Loop(Gaussian()), 1 / V)
    assert answer.values(0) == [0]
    assert expand(variance(Loop(Gaussian()), V).at(n=1, M=3, V0=1) - Rational(4, 9)) == 0
    assert len(answer.certificate) == 2
    assert set(expect(Loop(Gaussian()), 1 / V).conditions) <= set(answer.conditions)
