"""How far models lie from the source, in numbers: one value for every model of a run, whatever family it is of.

Theory takes expectations of the same metrics where they close (`theory.risk`); here they are evaluated on simulated
models, so that a loop without closed moments can be measured too.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import entr, logsumexp, ndtri, rel_entr, roots_hermitenorm

from numerics.kits.lines import Line, line, log_normal
from numerics.kits.moved import divergence
from theory.cells import SPREADS
from theory.errors import NotClosed
from theory.families import LocationScale, MultivariateGaussian, NGram, Smoothed
from theory.families.base import Family
from theory.loop import Loop

METRICS = (
    "kl_source_model",
    "kl_model_source",
    "w2",
    "nll",
    "entropy",
    "log_variance",
    *SPREADS,
    "support",
)
NODES = 128
"""Nodes of a Gauss-Hermite rule."""


def measured(loop: Loop, metric: str, run: xr.Dataset) -> np.ndarray:
    """Return the metric of every recorded model, shape (chain, generation).

    Args:
        loop: the loop of the run, numbers in all its symbols.
        metric: one of `theory.risk`; "log_variance", log V or log det Sigma; or "support", the number of types left.
        run: a run with paths; generation 0, the source, is measured as its projection into the family.

    Raises:
        ValueError: a metric that is not known.
        NotClosed: one that the family does not have.
    """
    if metric not in METRICS:
        raise ValueError(f"metric = {metric!r} is not known. Choose one of {', '.join(METRICS)}.")
    source = loop.source or loop.family
    if "p" in run and "type" in run.sizes:
        return _of(_types(run["p"].to_numpy(), _chances(source)), loop, metric)
    if isinstance(loop.family, LocationScale):
        return _of(_moved(run, source), loop, metric)
    if isinstance(loop.family, NGram):
        return _of(_texts(run), loop, metric)
    if isinstance(loop.family, Smoothed):
        return _of(_spreads(run, source), loop, metric)
    if "m" in run:
        return _of({**_mixtures(run, line(source)), **_spreads(run, source)}, loop, metric)
    return _of(_normals(run, source), loop, metric)


Measures = Mapping[str, Callable[[], np.ndarray]]
"""Metric -> its values."""


def _of(measures: Measures, loop: Loop, metric: str) -> np.ndarray:
    if metric not in measures:
        family = type(loop.family).__name__
        raise NotClosed(f"metric: {metric} is not measured on {family} models. Ask {', '.join(measures)}.")
    return measures[metric]()


def _spreads(run: xr.Dataset, source: Family) -> Measures:
    """Return the variances of models on a line, known by mean and variance."""
    V = run["V"].to_numpy()
    return {
        "log_variance": lambda: run["log_V"].to_numpy() if "log_V" in run else np.log(V),
        "variance": lambda: V,
        "ensemble_variance": lambda: V + (run["mu"].to_numpy() - float(source.centred()[0])) ** 2,
    }


def _texts(run: xr.Dataset) -> Measures:
    """Return the metrics of n-gram models that counts tell; a divergence is infinite once an n-gram is lost."""
    return {"entropy": lambda: run["entropy"].to_numpy(), "support": lambda: run["vocabulary"].to_numpy()}


# Normal models -------------------------------------------------------------------------------------------------------


def _normals(run: xr.Dataset, source: Family) -> Measures:
    """Return the metrics of models N(mu, Sigma)."""
    mean, covariance = _moments(run)
    d = mean.shape[-1]
    logs = np.linalg.slogdet(covariance)[1] if "Sigma" in run else run["log_V"].to_numpy().reshape(mean.shape).sum(-1)
    within: dict[str, Callable[[], np.ndarray]] = {
        "entropy": lambda: (d * np.log(2 * np.pi * np.e) + logs) / 2,
        "log_variance": lambda: logs,
    }
    if "coordinate" not in run["mu"].dims:
        within |= _spreads(run, source)
    if source.normal:
        return {**within, **_between_normals(mean, covariance, logs, *_normal_numbers(source))}
    return {**within, **_from_outside(mean[..., 0], covariance[..., 0, 0], line(source))}


def _moments(run: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return means, shape (chain, generation, d), and covariances."""
    mean = run["mu"].to_numpy()
    if "Sigma" in run:
        return mean, run["Sigma"].to_numpy()
    if "coordinate" not in run["mu"].dims:
        return mean[..., None], run["V"].to_numpy()[..., None, None]
    return mean, run["V"].to_numpy()[..., None] * np.eye(mean.shape[-1])


def _between_normals(
    mean: np.ndarray, covariance: np.ndarray, logs: np.ndarray, mean0: np.ndarray, covariance0: np.ndarray
) -> Measures:
    """Return KL both ways, W_2^2 and the negative log likelihood between N(mu, Sigma) and N(mu0, Sigma0)."""
    d, shift = mean.shape[-1], mean - mean0
    logs0 = np.linalg.slogdet(covariance0)[1]

    def forward() -> np.ndarray:
        inverse = np.linalg.inv(covariance)
        square = np.einsum("...i,...ij,...j", shift, inverse, shift)
        return (np.einsum("...ij,ji", inverse, covariance0) + square - d + logs - logs0) / 2

    def backward() -> np.ndarray:
        inverse = np.linalg.inv(covariance0)
        square = np.einsum("...i,ij,...j", shift, inverse, shift)
        return (np.einsum("ij,...ji", inverse, covariance) + square - d + logs0 - logs) / 2

    def wasserstein() -> np.ndarray:
        root = _root(covariance0)
        values = np.linalg.eigvalsh(root @ covariance @ root)
        trace = np.trace(covariance, axis1=-2, axis2=-1) + np.trace(covariance0)
        return (shift**2).sum(-1) + trace - 2 * np.sqrt(np.maximum(values, 0)).sum(-1)

    entropy = (d * np.log(2 * np.pi * np.e) + logs0) / 2
    return {
        "kl_source_model": forward,
        "kl_model_source": backward,
        "w2": wasserstein,
        "nll": lambda: forward() + entropy,
    }


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _normal_numbers(source: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(source, MultivariateGaussian):
        return np.array(source.mean, dtype=float), np.array(source.covariance, dtype=float)
    values = source.source()
    floats = [float(x) for x in values.values()]
    half = len(floats) // 2
    return np.array(floats[:half]), np.diag(floats[half:])


# Sources on a line that are not normal -------------------------------------------------------------------------------


def _from_outside(mu: np.ndarray, V: np.ndarray, source: Line) -> Measures:
    """Return the metrics of N(mu, V) against another law of mean m and variance v.

    NLL = (log(2 pi V) + (v + (mu - m)^2)/V)/2, KL(source || model) = NLL - h(source),
    W_2^2 = (mu - m)^2 + V + v - 2 sqrt(V) I with I = int phi(Phi^-1(F(x))) dx, the covariance of equal quantiles, and
    KL(model || source) by a Gauss-Hermite rule.
    """
    away = (mu - source.mean) ** 2

    def likelihood() -> np.ndarray:
        return (np.log(2 * np.pi * V) + (source.variance + away) / V) / 2

    def backward() -> np.ndarray:
        z, weights = _rule()
        logs = source.log_density(mu[..., None] + np.sqrt(V)[..., None] * z)
        return -np.log(2 * np.pi * np.e * V) / 2 - logs @ weights

    def wasserstein() -> np.ndarray:
        tied = source.integral(lambda x: np.exp(log_normal(ndtri(source.cdf(x)), 0.0, 1.0)))
        return away + V + source.variance - 2 * np.sqrt(V) * tied

    return {
        "nll": likelihood,
        "kl_source_model": lambda: likelihood() - source.entropy,
        "w2": wasserstein,
        "kl_model_source": backward,
    }


def _rule() -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of a mean over a standard normal law."""
    z, weights = roots_hermitenorm(NODES)
    return z, weights / weights.sum()


# Mixtures of normal laws ---------------------------------------------------------------------------------------------


def _mixtures(run: xr.Dataset, source: Line) -> Measures:
    """Return the metrics of mixtures on a line against a source that is one, by Gauss-Hermite rules in every part."""
    models = tuple(run[name].to_numpy() for name in ("w", "m", "v"))
    z, weights = _rule()

    def mean_over(law: Any, value: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the mean of a function over a mixture: of its normal parts, one after the other."""
        w, m, s = law
        parts = (w[..., j] * (value(m[..., j, None] + s[..., j, None] * z) @ weights) for j in range(w.shape[-1]))
        return sum(parts, np.zeros(()))

    def log_model(x: np.ndarray) -> np.ndarray:
        w, m, v = (a[..., None, :] for a in models)
        with np.errstate(divide="ignore"):  # a component that was lost weighs 0
            return logsumexp(np.log(w) + log_normal(x[..., None], m, np.sqrt(v)), axis=-1)

    own = models[0], models[1], np.sqrt(models[2])
    real = tuple(np.array(column) for column in zip(*source.parts, strict=True))

    def likelihood() -> np.ndarray:
        return -mean_over(real, lambda x: log_model(np.broadcast_to(x, (*models[0].shape[:-1], len(z)))))

    return {
        "nll": likelihood,
        "kl_source_model": lambda: likelihood() - source.entropy,
        "kl_model_source": lambda: mean_over(own, lambda x: log_model(x) - source.log_density(x)),
        "entropy": lambda: -mean_over(own, log_model),
    }


# Laws of one shape ---------------------------------------------------------------------------------------------------


def _moved(run: xr.Dataset, source: Any) -> Measures:
    """Return the metrics of laws of the source's shape, by centre and width."""
    centre0, width0 = (float(x) for x in source.initial())
    model = centre, width = run["centre"].to_numpy(), run["width"].to_numpy()
    apart, entropy = divergence(source), float(source.differential_entropy())
    spread = float(source.unit().moment(2))
    return {
        "kl_source_model": lambda: apart((centre0, width0), model),
        "kl_model_source": lambda: apart(model, (centre0, width0)),
        "w2": lambda: (centre - centre0) ** 2 + spread * (width - width0) ** 2,
        "nll": lambda: entropy + apart((centre0, width0), model),
        "entropy": lambda: entropy + np.log(width / width0),
        "log_variance": lambda: np.log(spread) + 2 * run["log_width"].to_numpy(),
        "variance": lambda: spread * width**2,
        "ensemble_variance": lambda: spread * width**2 + (centre - centre0) ** 2,
    }


# Frequencies ---------------------------------------------------------------------------------------------------------


def _types(p: np.ndarray, p0: np.ndarray) -> Measures:
    """Return KL both ways, negative log likelihood, entropy and support of frequencies; infinite where a type is
    lost.
    """

    def forward() -> np.ndarray:
        return rel_entr(p0, p).sum(-1)

    return {
        "kl_source_model": forward,
        "kl_model_source": lambda: rel_entr(p, p0).sum(-1),
        "nll": lambda: forward() + entr(p0).sum(),
        "entropy": lambda: entr(p).sum(-1),
        "support": lambda: (p > 0).sum(-1).astype(float),
    }


def _chances(source: Any) -> np.ndarray:
    return np.array([float(x) for x in source.probabilities])
