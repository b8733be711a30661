"""What each axis of a loop can be: one table an axis, one line a value.

A new family, estimator, regime or sampling is one more line here, and every strategy draws it. The simplest value
stands first, which is where Hypothesis shrinks to. Nothing says which values go together: `Loop` accepts or refuses.
"""

from collections.abc import Mapping
from typing import Any

from sympy import ImmutableMatrix, Integer, Rational, Symbol, oo

from proofs.testing.rationals import SIZES, laws, within
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Faithful,
    Gaussian,
    Mixed,
    MultivariateGaussian,
    Replace,
    Scaled,
    Tempered,
    Unbiased,
    symbols,
)

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as missing:
    if missing.name != "hypothesis":
        raise
    raise ModuleNotFoundError(
        "proofs.testing draws its cases with Hypothesis, which is not installed. "
        "Install it with: pip install 'collapse-theory[test]'.",
        name="hypothesis",
    ) from None

Table = Mapping[type, st.SearchStrategy[Any]]
"""For each value's class, the strategy that draws its instances."""


def _number(symbol: Symbol, upto: Any = oo) -> st.SearchStrategy[Any]:
    """The symbol itself, or an exact number that its assumptions allow."""
    return st.sampled_from([symbol, *(x for x in within(symbol) if x <= upto)])


def _covariance(rho: Rational, first: Rational, second: Rational) -> ImmutableMatrix:
    """The covariance with standard deviations ``first`` and ``second`` and correlation ``rho``."""
    cross = rho * first * second
    return ImmutableMatrix([[first**2, cross], [cross, second**2]])


_means = st.sampled_from(within(symbols.mu0))
_positive = st.sampled_from(within(symbols.V0))
_laws = st.sampled_from([law for types in (2, 3) for law in laws(types)])
_correlations = st.sampled_from([Rational(0), Rational(1, 2), Rational(-1, 3)])
_pairs = st.builds(
    MultivariateGaussian, st.tuples(_means, _means), st.builds(_covariance, _correlations, _positive, _positive)
)

FAMILIES: Table = {
    Gaussian: st.builds(Gaussian, _number(symbols.mu0), _number(symbols.V0)),
    Bernoulli: st.builds(Bernoulli, _number(symbols.q0, upto=1)),
    Categorical: st.builds(Categorical, st.none() | _laws),
    DiagonalGaussian: st.builds(DiagonalGaussian, st.tuples(_means, _means), st.tuples(_positive, _positive)),
    MultivariateGaussian: _pairs,
}
"""Families, each with its source."""

SOURCES: Table = {DiagonalGaussian: _pairs}
"""Sources outside a family, for the families that know their projection."""

ESTIMATORS: Table = {
    MLE: st.just(MLE()),
    Unbiased: st.just(Unbiased()),
    Scaled: st.builds(Scaled, _number(symbols.c)),
}
"""Estimators."""

REGIMES: Table = {
    Replace: st.just(Replace()),
    Accumulate: st.just(Accumulate()),
    Mixed: st.builds(Mixed, _number(symbols.alpha, upto=1) | st.just(Integer(0))),
}
"""Regimes."""

SAMPLINGS: Table = {
    Faithful: st.just(Faithful()),
    Tempered: st.builds(Tempered, _number(symbols.tau)),
}
"""Samplings."""

SAMPLES = st.sampled_from([symbols.M, *SIZES, oo])
"""Sizes of a generation."""
