"""Natural exponential families: one theorem for all from the variance function.

The formulas for E V_n and Var m_n hold for every V(m) = v0 + v1 m + v2 m^2 (Morris, Ann. Statist. 10, 1982), in or out
of the library.
"""

from typing import ClassVar

import pytest
import sympy as sp
from attrs import field, frozen
from sympy import (
    Expr,
    Rational,
    S,
    Symbol,
    oo,
    product,
    sinh,
    sqrt,
    symbols,
)

from proofs.testing.equality import vanishes
from theory import (
    Accumulate,
    Binomial,
    Exponential,
    Gamma,
    HyperbolicSecant,
    Loop,
    M,
    Mixed,
    NegativeBinomial,
    Poisson,
    Schedule,
    alpha,
    expect,
    n,
)
from theory.families.natural import NaturalFamily
from theory.symbols import V0, N, mu, mu0, r, rate0


@frozen
class KnownVariance(NaturalFamily):
    """A family that the library lacks: N(mu, V0) with V0 known, V(m) = V0."""

    parameter: ClassVar[Symbol] = mu
    mu0: Expr = field(default=mu0)

    def variance(self, mean: Expr) -> Expr:
        """V0."""
        del mean
        return V0


# family, v2 in units of its parameter
FAMILIES = {
    "Poisson": (Poisson(), S.Zero),
    "Binomial": (Binomial(), -1 / N),
    "NegativeBinomial": (NegativeBinomial(), 1 / r),
    "Gamma": (Gamma(), 1 / r),
    "Exponential": (Exponential(), S.One),
    "HyperbolicSecant": (HyperbolicSecant(), 1 / r),
    "KnownVariance": (KnownVariance(), S.Zero),
}

ALL = pytest.mark.parametrize(("family", "v2"), FAMILIES.values(), ids=FAMILIES)


def squared_error(family):
    """(m - m0)^2, m the mean of a point."""
    return family.unit**2 * (family.parameter - family.initial) ** 2


def source_variance(family):
    return family.variance(family.unit * family.initial)


# The theorem ----------------------------------------------------------------------------------------------------------


@ALL
def test_variance_function_decays_by_one_factor(family, v2):
    """Assert E V_n = V_0 (1 + v2/M)^n under replacement: collapse where v2 < 0, growth where v2 > 0."""
    derived = expect(Loop(family), family.variance_function).expression
    assert vanishes((derived - source_variance(family) * (1 + v2 / M) ** n).subs(n, 3))
    rows = expect(Loop(family), family.variance_function).next()
    assert vanishes(rows - family.variance_function * (1 + v2 / M))


@ALL
def test_mean_is_a_martingale_with_the_variance_of_the_theorem(family, v2):
    """Assert E m_n = m_0 and Var m_n = V_0 ((1 + v2/M)^n - 1)/v2, n V_0/M for v2 = 0."""
    assert expect(Loop(family), family.parameter).expression == family.initial
    spread = expect(Loop(family), squared_error(family)).expression
    formula = n / M if v2 == 0 else ((1 + v2 / M) ** n - 1) / v2
    assert all(vanishes((spread - source_variance(family) * formula).subs(n, k)) for k in (0, 1, 4))


@ALL
def test_accumulation_has_the_product_of_the_theorem(family, v2):
    """Assert E V_n = V_0 prod_k (1 + v2/(M k^2)) under accumulation, and the same under replacement with M k^2."""
    formula = source_variance(family) * product(1 + v2 / (M * n**2), (n, 1, 3))
    for regime in (Accumulate(), Schedule(M * n**2)):
        here = expect(Loop(family, regime=regime), family.variance_function)
        assert vanishes(here.values(3)[-1] - formula)


@ALL
def test_accumulation_keeps_a_sine_or_hyperbolic_sine(family, v2):
    """Assert lim E V_n = V_0 sinh(x)/x, x = pi sqrt(v2/M), under accumulation; for v2 < 0 that is a sine."""
    limit = expect(Loop(family, regime=Accumulate()), family.variance_function).limit()
    x = sp.pi * sqrt(abs(v2) / M)
    factor = S.One if v2 == 0 else (sinh(x) if v2.is_positive else sp.sin(x)) / x
    point = {M: 3, N: 2, r: Rational(5, 2), family.initial: Rational(1, 3)}
    assert abs((limit / source_variance(family) / factor).subs(point).evalf(30) - 1) < 1e-25


@ALL
@pytest.mark.parametrize(("share", "samples"), [(Rational(1, 2), 8), (Rational(1, 4), 12), (S.One, 5)])
def test_fresh_data_keep_a_stationary_variance(family, v2, share, samples):
    """Assert lim Var m_n = V_0/(M a (2 - a) - (1 - a) v2) with a fixed share a of fresh real points."""
    values = {r: Rational(5, 2), N: 3}
    here = family.substitute(values)
    limit = expect(Loop(here, regime=Mixed(share), samples=samples), squared_error(here)).limit()
    formula = source_variance(here) / (samples * share * (2 - share) - (1 - share) * S(v2).subs(values))
    assert vanishes(limit - formula)


def test_stationary_variance_holds_for_every_share_where_none_can_diverge():
    """Assert the same with a symbolic share for v2 <= 0, where any fresh share is enough."""
    for family, v2 in (FAMILIES["Poisson"], FAMILIES["Binomial"]):
        limit = expect(Loop(family, regime=Mixed(alpha)), squared_error(family)).limit()
        assert vanishes(limit - source_variance(family) / (M * alpha * (2 - alpha) - (1 - alpha) * v2))


def test_random_share_adds_the_variance_of_its_size():
    """Assert lim Var = rate0/(M a (2 - a) + a^2 - a) for Poisson points that are real each with probability a.

    The sum of M points with j ~ Binomial(M, a) real ones has variance M (a rate0 + (1 - a) rate + a (1 - a) d^2), d the
    difference of the rates.
    """
    limit = expect(Loop(Poisson(), regime=Mixed(alpha, count="bernoulli")), (Poisson.rate - rate0) ** 2).limit()
    assert vanishes(limit - rate0 / (M * alpha * (2 - alpha) - alpha * (1 - alpha)))


@ALL
def test_population_limit_stands_still(family, v2):
    """Assert that with samples = oo no moment moves."""
    del v2
    assert expect(Loop(family, samples=oo), family.parameter**3).expression == family.initial**3


# The laws from outside ------------------------------------------------------------------------------------------------


x, y = symbols("x1:4", positive=True), Symbol("y", positive=True)
