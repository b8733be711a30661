"""Laws on a line as functions: density, distribution function and moments of sources that are not fitted."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from attrs import frozen
from scipy.special import logsumexp, ndtr, xlogy

from theory.errors import NotClosed
from theory.families import Exponential, Gamma, Gaussian, Laplace, StudentT, Uniform, UniformOn
from theory.families.base import Family
from theory.families.mixture import Mixture


@frozen
class Line:
    """A law on a line, by its density, its distribution function and two moments.

    Args:
        log_density: x -> log f(x).
        cdf: x -> F(x).
        ends: the interval outside which its mass is below 1e-15.
        mean: of a point.
        variance: of a point.
        parts: (weight, mean, sd) of the normal laws that it is a mixture of; empty where it is none.
    """

    log_density: Callable[[Any], Any]
    cdf: Callable[[Any], Any]
    ends: tuple[float, float]
    mean: float
    variance: float
    parts: tuple[tuple[float, float, float], ...] = ()

    def integral(self, value: Callable[[float], float]) -> float:
        """Return the integral of a function over the interval."""
        from scipy.integrate import quad

        cuts = sorted({m for _, m, _ in self.parts} | {self.mean})
        return quad(value, *self.ends, points=cuts, limit=500, epsabs=1e-13, epsrel=1e-12)[0]

    @property
    def entropy(self) -> float:
        """-E log f."""
        return -self.integral(lambda x: float(xlogy(np.exp(self.log_density(x)), np.exp(self.log_density(x)))))


def line(source: Family) -> Line:
    """Return a source on a line, or refuse one whose density is not known here.

    >>> from theory import Laplace
    >>> round(line(Laplace(0, 1)).entropy, 6)
    1.693147
    """
    if isinstance(source, Mixture) and source.dimension == 1:
        return _mixture_line(source)
    if isinstance(source, Gaussian):
        return _normal_line(((1.0, float(source.mu0), float(source.V0) ** 0.5),))
    if type(source) not in _LAWS:
        raise NotClosed(
            f"source: the density of a {type(source).__name__} law is not known here. "
            "Ask for log_variance or entropy, which need none."
        )
    from scipy import stats

    law = _LAWS[type(source)](stats, source)
    ends = float(law.ppf(1e-15)), float(law.isf(1e-15))
    return Line(law.logpdf, law.cdf, ends, float(law.mean()), float(law.var()))


_LAWS: Mapping[type, Callable[[Any, Any], Any]] = {
    Laplace: lambda stats, law: stats.laplace(float(law.location), float(law.scale)),
    StudentT: lambda stats, law: stats.t(float(law.df), float(law.location), float(law.scale)),
    UniformOn: lambda stats, law: stats.uniform(float(law.lower), float(law.upper - law.lower)),
    Uniform: lambda stats, law: stats.uniform(0, float(law.theta0)),
    Exponential: lambda stats, law: stats.expon(scale=float(law.mean0)),
    Gamma: lambda stats, law: stats.gamma(float(law.r), scale=float(law.mean0 / law.r)),
}


def log_normal(x: Any, mean: Any, sd: Any) -> Any:
    """Return the log density of N(mean, sd^2)."""
    return -(((x - mean) / sd) ** 2) / 2 - np.log(sd) - np.log(2 * np.pi) / 2


def _mixture_line(source: Mixture) -> Line:
    weights, means, matrices = source.weights or (), source.centres(), source.covariances()
    rows = zip(weights, means, matrices, strict=True)
    return _normal_line(tuple((float(w), float(m), float(C[0, 0]) ** 0.5) for w, (m,), C in rows))


def _normal_line(parts: tuple[tuple[float, float, float], ...]) -> Line:
    w, m, s = (np.array(column) for column in zip(*parts, strict=True))
    mean = float(w @ m)

    def log_density(x: Any) -> Any:
        return logsumexp(np.log(w) + log_normal(np.asarray(x)[..., None], m, s), axis=-1)

    def cdf(x: Any) -> Any:
        return ndtr((np.asarray(x)[..., None] - m) / s) @ w

    ends = float((m - 9 * s).min()), float((m + 9 * s).max())
    return Line(log_density, cdf, ends, mean, float(w @ (s**2 + (m - mean) ** 2)), parts)
