"""Finite samples: every regime and every family, the rates at which the error vanishes, and its off position."""

from sympy import Rational, Symbol, log, oo

from proofs.cases.case import NAMES, Case
from theory import (
    Accumulate,
    Bernoulli,
    Binomial,
    Categorical,
    DiagonalGaussian,
    Exponential,
    Gamma,
    Gaussian,
    HyperbolicSecant,
    LinearRegression,
    Loop,
    Mixed,
    Moran,
    MultivariateGaussian,
    NegativeBinomial,
    Pareto,
    Poisson,
    Schedule,
    Subsample,
    Unbiased,
    Uniform,
    Weighted,
    alpha,
)

UNIT = {"mu0": 0, "V0": 1, "M": 20}
w = Symbol("w", positive=True)
QUARTER, THIRD = Rational(1, 4), Rational(1, 3)
LAW = [Rational(k, 10) for k in (4, 3, 2, 1)]
PLANE = MultivariateGaussian([0, 0], [[1, Rational(3, 5)], [Rational(3, 5), 1]])


def _gaussian(title, of, **axes):
    at = UNIT | axes.pop("at", {})
    return Case(title, "statistical", lambda: Loop(Gaussian(), **axes), of, at)


def _regimes():
    V, square = Gaussian.V, Gaussian.mu**2
    yield _gaussian("replace", V)
    yield _gaussian("replace: log variance", log(V), at={"M": 10})
    yield _gaussian("replace, unbiased: variance of the mean", square, estimator=Unbiased())
    yield _gaussian("replace: W2", "w2")
    yield _gaussian("replace: KL(source || model)", "kl_source_model", at={"M": 40})
    yield _gaussian("replace: KL(model || source)", "kl_model_source")
    yield _gaussian("accumulate", V, regime=Accumulate())
    yield _gaussian("accumulate and subsample", V, regime=Subsample())
    yield _gaussian("mixed with fresh real data", V, regime=Mixed(alpha), at={"alpha": QUARTER})
    yield _gaussian("mixed with the same real data", V, regime=Mixed(alpha, fresh=False), at={"alpha": QUARTER})
    yield _gaussian("mixed by coin flips", V, regime=Mixed(alpha, count="bernoulli"), at={"alpha": QUARTER})
    yield _gaussian("weighted likelihood", V, regime=Weighted(w), at={"w": QUARTER})
    yield _gaussian("schedule 10, 20, 40", V, regime=Schedule([10, 20, 40]))


def _off():
    for title, regime in (("replace", None), ("accumulate", Accumulate()), ("mixed", Mixed(alpha))):
        axes = {} if regime is None else {"regime": regime}
        yield _gaussian(f"off (M = oo), {title}", Gaussian.V, samples=oo, at={"alpha": QUARTER}, **axes)


def _families():
    m, shape = NegativeBinomial.mean, {"r": 3}
    error = LinearRegression.squares - 2 * LinearRegression.w + 1
    numbers = {"M": 20, "d": 3, "noise": 1}
    rows = [
        (MultivariateGaussian([0, 0], PLANE.covariance), "kl_model_source", {}),
        (DiagonalGaussian([0, 0], [1, 2]), "kl_model_source", {}),
        (Bernoulli(), Bernoulli.p * (1 - Bernoulli.p), {"p0": THIRD}),
        (Binomial(4), Binomial.p * (1 - Binomial.p), {"p0": THIRD}),
        (Poisson(), Poisson.rate**2, {"rate0": 2}),
        (Exponential(), Exponential.mean**2, {"mean0": 2}),
        (Exponential(), log(Exponential.mean), {"mean0": 1, "M": 2}),
        (Gamma(), Gamma.mean**2, {"mean0": 2, **shape}),
        (NegativeBinomial(), m**2, {"mean0": 2, **shape}),
        (HyperbolicSecant(), HyperbolicSecant.mean**2, {"mean0": 1, "r": 2, "M": 10}),
        (Uniform(), Uniform.theta, {"theta0": 1}),
        (Pareto(), Pareto.alpha, {"alpha0": 3}),
        (LinearRegression(w0=1), error, numbers),
    ]
    for family, of, at in rows:
        what = NAMES.get(of, of) if isinstance(of, str) else str(of)
        yield Case(f"{type(family).__name__}: {what}", "statistical", lambda f=family: Loop(f), of, {"M": 20} | at)
    here = Loop(Categorical(LAW), samples=8)
    yield Case("Categorical: collision", "statistical", lambda: here, Categorical.collision)
    for metric in ("kl_model_source", "entropy", "support"):
        yield Case(f"Categorical: {NAMES.get(metric, metric)}", "statistical", lambda: here, metric)
    yield from _pooled()


def _pooled():
    """Yield families other than the Gaussian in regimes that keep data."""
    quarter = Mixed(QUARTER)
    for title, regime in (("accumulated", Accumulate()), ("mixed", quarter), ("by single tokens", Moran(QUARTER))):
        loop = Loop(Categorical(LAW), samples=8, regime=regime)
        yield Case(f"Categorical, {title}: support", "statistical", lambda loop=loop: loop, "support")
    off = Loop(Categorical(LAW), samples=oo)
    yield Case("off (M = oo), Categorical: entropy", "statistical", lambda: off, "entropy")
    spread, square = Bernoulli.p * (1 - Bernoulli.p), (Exponential.mean - 1) ** 2
    pooled = Loop(Bernoulli(THIRD), samples=8, regime=Accumulate())
    yield Case("Bernoulli, accumulated", "statistical", lambda: pooled, spread)
    halved = Loop(Poisson(2), samples=8, regime=Subsample())
    yield Case("Poisson, accumulated and subsampled", "statistical", lambda: halved, (Poisson.rate - 2) ** 2)
    anchored = Loop(Exponential(1), samples=20, regime=quarter)
    yield Case("Exponential, mixed", "statistical", lambda: anchored, square)


def cases() -> list[Case]:
    """Return the rows."""
    return [*_regimes(), *_off(), *_families()]
