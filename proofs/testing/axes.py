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
    Damped,
    DiagonalGaussian,
    Faithful,
    Floor,
    Gaussian,
    GradientSteps,
    MinMSE,
    MinP,
    Mixed,
    Moran,
    MultivariateGaussian,
    Normal,
    PosteriorDraw,
    PosteriorPredictive,
    Recursion,
    Replace,
    Scaled,
    Schedule,
    Shrinkage,
    Subsample,
    Tempered,
    TopK,
    TopP,
    Truncated,
    Unbiased,
    UnbiasedFor,
    VarianceFactor,
    Weighted,
    symbols,
)
from theory.families import (
    Binomial,
    Exponential,
    FixedDesignRegression,
    Gamma,
    HyperbolicSecant,
    LinearRegression,
    NegativeBinomial,
    Pareto,
    Poisson,
    Uniform,
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


def _positive_symbol(name: str) -> Symbol:
    return Symbol(name, positive=True)


def _weights(name: str) -> st.SearchStrategy[Any]:
    """A number in [0, 1], or the symbol."""
    symbol = symbols.alpha if name == "alpha" else _positive_symbol(name)
    return _number(symbol, upto=1) | st.just(Integer(0))


def _covariance(rho: Rational, first: Rational, second: Rational) -> ImmutableMatrix:
    """The covariance with standard deviations ``first`` and ``second`` and correlation ``rho``."""
    cross = rho * first * second
    return ImmutableMatrix([[first**2, cross], [cross, second**2]])


def _autoregression(a: Any) -> Recursion:
    """x' = a x + e, e ~ N(0, 1), from 0."""
    start: Any = {_x: 0}
    update: Any = {_x: a * _x + _e}
    return Recursion(start, update, Normal(_e, 1))


_x, _e, _a = Symbol("x", real=True), Symbol("e", real=True), Symbol("a", real=True)
_exact_fits = st.sampled_from([MLE(), Unbiased()])
_coordinates = st.sampled_from(["V", "log V"])
_inner_shares = st.sampled_from([Rational(1, 2), symbols.alpha, Rational(1, 3), Rational(2, 3)])
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
    Poisson: st.builds(Poisson, _number(symbols.rate0)),
    Exponential: st.builds(Exponential, _number(symbols.mean0)),
    Gamma: st.builds(Gamma, _number(symbols.r), _number(symbols.mean0)),
    NegativeBinomial: st.builds(NegativeBinomial, _number(symbols.r), _number(symbols.count_mean0)),
    HyperbolicSecant: st.builds(HyperbolicSecant, _number(symbols.r), _number(symbols.real_mean0)),
    Binomial: st.builds(Binomial, _number(symbols.N), _number(symbols.q0, upto=1)),
    Uniform: st.builds(Uniform, _number(symbols.theta0)),
    Pareto: st.builds(Pareto, _number(symbols.tail0)),
    LinearRegression: st.builds(LinearRegression, _number(symbols.d), _number(symbols.noise), _number(symbols.w0)),
    FixedDesignRegression: st.builds(FixedDesignRegression, st.tuples(_positive, _positive), _number(symbols.noise)),
    Recursion: st.builds(_autoregression, _number(_a)),
}
"""Families, each with its source."""

SOURCES: Table = {DiagonalGaussian: _pairs}
"""Sources outside a family, for the families that know their projection."""

ESTIMATORS: Table = {
    MLE: st.just(MLE()),
    Unbiased: st.just(Unbiased()),
    MinMSE: st.just(MinMSE()),
    UnbiasedFor: st.builds(UnbiasedFor, st.sampled_from([Integer(-1), Rational(1, 2), Integer(0), Integer(2)])),
    Scaled: st.builds(Scaled, _number(symbols.c)),
    Shrinkage: st.builds(Shrinkage, _weights("w"), _exact_fits),
    Damped: st.builds(Damped, _weights("k"), _exact_fits),
    Floor: st.builds(Floor, _number(_positive_symbol("eta")), _exact_fits),
    GradientSteps: st.builds(GradientSteps, st.integers(1, 2), _number(_positive_symbol("eta")), _coordinates),
    PosteriorDraw: st.just(PosteriorDraw()),
    PosteriorPredictive: st.just(PosteriorPredictive()),
}
"""Estimators."""

REGIMES: Table = {
    Replace: st.just(Replace()),
    Accumulate: st.just(Accumulate()),
    Subsample: st.just(Subsample()),
    Mixed: st.builds(Mixed, _weights("alpha"))
    | st.builds(Mixed, _weights("alpha"), fresh=st.just(False))
    | st.builds(Mixed, _weights("alpha"), count=st.just("bernoulli")),
    Moran: st.builds(Moran, _weights("real")),
    Weighted: st.builds(Weighted, _weights("w"), _inner_shares, between=st.booleans()),
    Schedule: st.builds(Schedule, st.sampled_from([symbols.M * symbols.n, symbols.n + 1])),
}
"""Regimes."""

SAMPLINGS: Table = {
    Faithful: st.just(Faithful()),
    Tempered: st.builds(Tempered, _number(symbols.tau)),
    VarianceFactor: st.builds(VarianceFactor, _number(_positive_symbol("lam"))),
    Truncated: st.builds(Truncated, _number(_positive_symbol("h"))),
    TopP: st.builds(TopP, _weights("p_kept").filter(lambda share: share != 0)),
    TopK: st.builds(TopK, st.integers(1, 3)),
    MinP: st.builds(MinP, _weights("p_least")),
}
"""Samplings."""

SAMPLES = st.sampled_from([symbols.M, *SIZES, oo])
"""Sizes of a generation."""
