"""What the reference simulator knows of each family in words: how points are drawn and how they are fitted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy import ndarray
from numpy.random import Generator
from scipy.special import digamma, gammaln, ndtr, ndtri

from numerics.reference import sources
from theory.estimators import MLE, MinMSE, Scaled, Unbiased, UnbiasedFor
from theory.families import Bernoulli, Categorical, DiagonalGaussian, Fitted, Gaussian, MultivariateGaussian
from theory.loop import Loop
from theory.sampling import Faithful, MinP, Tempered, TopK, TopP, Truncated, VarianceFactor

Model = dict[str, ndarray]
"""Parameters by name; the first axis is the chain."""


def unknown(*_: Any) -> Any:
    """Refuse a procedure that the family does not have here."""
    raise ValueError("the procedure is not known here for this family. Choose an exact fit.")


@frozen
class Words:
    """A family in words.

    Args:
        source: (loop, start) -> parameters of the source, without the chain axis.
        draw: (model, m, sampling, behind, rng) -> points, shape (chains, m, ...); sampling None is faithful, and
            ``behind`` the number of points fitted where the posterior predictive law is drawn from.
        fit: (estimator, points) -> model, for exact fits.
        target: (points, model) -> where a gradient step from the model points.
        posterior: (points, rng) -> a draw from the Jeffreys posterior.
        weighted: (fits of the sets, weights, between) -> model.
        raised: (name, value, eta) -> the value, eta added to a variance.
    """

    source: Callable[[Loop, Mapping[str, Any]], Model]
    draw: Callable[[Model, int, Any, int | None, Generator], ndarray]
    fit: Callable[[Any, ndarray], Model]
    target: Callable[[ndarray, Model], Model] = unknown
    posterior: Callable[[ndarray, Generator], Model] = unknown
    weighted: Callable[[Sequence[Model], Sequence[float], bool], Model] = unknown
    raised: Callable[[str, ndarray, float], ndarray] = unknown


def true_points(loop: Loop, words: Words, source: Model, size: int, sampling: Any, rng: Generator) -> ndarray:
    """Return points of the true source, which need not lie in the family, distorted unless sampling is None."""
    own = loop.source or loop.family
    if (sources.known(own) and type(own) is not Gaussian) or isinstance(loop.family, Fitted):
        if not isinstance(sampling, Faithful | None):
            raise ValueError(f"{sampling} of {own} is not known here. Choose Faithful.")
        return sources.drawn(own, (len(next(iter(source.values()))), size), rng)
    if not isinstance(loop.source, MultivariateGaussian):
        return words.draw(source, size, sampling, None, rng)
    mean, covariance = np.array(loop.source.mean, dtype=float), np.array(loop.source.covariance, dtype=float)
    return rng.multivariate_normal(mean, _factor(sampling) * covariance, (len(source["mu"]), size))


def _factor(sampling: Any) -> float:
    """Return what multiplies a Gaussian's variance."""
    if sampling is None or isinstance(sampling, Faithful):
        return 1.0
    if isinstance(sampling, Tempered):
        return float(sampling.tau)
    if isinstance(sampling, VarianceFactor):
        return float(sampling.lam)
    raise ValueError(f"{sampling} is not known here. Choose Faithful, Tempered or VarianceFactor.")


# Gaussians -----------------------------------------------------------------------------------------------------------


def _multiple(estimator: Any, size: int) -> tuple[float, int]:
    """Return (factor, ddof) of the variance, by the estimator's name."""
    nu = size - 1
    if isinstance(estimator, MLE):
        return 1.0, 0
    if isinstance(estimator, Unbiased):
        return 1.0, 1
    if isinstance(estimator, Scaled):
        return float(estimator.c), 1
    if isinstance(estimator, MinMSE):
        return nu / (size + 1), 1
    if isinstance(estimator, UnbiasedFor):
        k = float(estimator.power)
        log_mean = digamma(nu / 2) if k == 0 else (gammaln(nu / 2 + k) - gammaln(nu / 2)) / k
        return nu / 2 * np.exp(-log_mean), 1
    raise ValueError(f"{estimator} is not known here. Choose MLE, Unbiased, MinMSE, UnbiasedFor or Scaled.")


def _normal_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    if isinstance(loop.law, DiagonalGaussian):
        return {"mu": np.array(loop.law.mean, dtype=float), "V": np.array(loop.law.variances, dtype=float)}
    family: Any = loop.law
    mu, V = start.get("mu", family.mu0), start.get("V", family.V0)
    return {"mu": np.array(float(mu)), "V": np.array(float(V))}


def _normal_draw(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
    mu, V = model["mu"][:, None], model["V"][:, None]
    return mu + np.sqrt(V) * _deviates(sampling, behind, (len(mu), size, *mu.shape[2:]), rng)


def _deviates(sampling: Any, behind: int | None, shape: tuple[int, ...], rng: Generator) -> ndarray:
    """Return what is multiplied by the fitted standard deviation."""
    if behind is not None:
        return _predictive(sampling, behind, shape, rng)
    if not isinstance(sampling, Truncated):
        return np.sqrt(_factor(sampling)) * rng.standard_normal(shape)
    below = ndtr(-float(sampling.h))
    return ndtri(below + (1 - 2 * below) * rng.random(shape))


def _predictive(sampling: Any, m: int, shape: tuple[int, ...], rng: Generator) -> ndarray:
    """Return sqrt(1 + 1/m) t with t of Student's law with m - 1 degrees; tempered, its density to the power 1/tau."""
    if isinstance(sampling, Tempered):
        # (1 + t^2/(m - 1))^(-m/(2 tau)) is Student's with m/tau - 1 degrees, of another width.
        df = m / float(sampling.tau) - 1
        return np.sqrt((1 + 1 / m) * (m - 1) / df) * rng.standard_t(df, shape)
    return np.sqrt(_factor(sampling) * (1 + 1 / m)) * rng.standard_t(m - 1, shape)


def _normal_fit(estimator: Any, points: ndarray) -> Model:
    factor, ddof = _multiple(estimator, points.shape[1])
    return {"mu": np.mean(points, axis=1), "V": factor * np.var(points, axis=1, ddof=ddof)}


def _normal_target(points: ndarray, model: Model) -> Model:
    return {"mu": np.mean(points, axis=1), "V": np.mean((points - model["mu"][:, None]) ** 2, axis=1)}


def _normal_posterior(points: ndarray, rng: Generator) -> Model:
    m, mean = points.shape[1], np.mean(points, axis=1)
    V = m * np.var(points, axis=1) / rng.chisquare(m - 1, mean.shape)
    return {"mu": rng.normal(mean, np.sqrt(V / m)), "V": V}


def _normal_weighted(fits: Sequence[Model], weights: Sequence[float], between: bool) -> Model:
    mean = sum((w * fit["mu"] for w, fit in zip(weights, fits, strict=True)), np.zeros(()))
    spreads = [fit["V"] + (fit["mu"] - mean) ** 2 * between for fit in fits]
    return {"mu": mean, "V": sum((w * spread for w, spread in zip(weights, spreads, strict=True)), np.zeros(()))}


def _normal_raised(name: str, value: ndarray, eta: float) -> ndarray:
    return value + eta if name == "V" else value


def _joint_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    del start
    law: Any = loop.law
    return {"mu": np.array(law.mean, dtype=float), "Sigma": np.array(law.covariance, dtype=float)}


def _joint_draw(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
    if behind is not None:
        unknown()
    values, vectors = np.linalg.eigh(_factor(sampling) * model["Sigma"])
    scales = np.sqrt(np.maximum(values, 0))
    z = rng.standard_normal((len(values), size, values.shape[1]))
    return model["mu"][:, None] + np.einsum("cij,cj,cmj->cmi", vectors, scales, z)


def _joint_fit(estimator: Any, points: ndarray) -> Model:
    factor, ddof = _multiple(estimator, points.shape[1])
    mean = np.mean(points, axis=1)
    away = points - mean[:, None]
    squares = np.einsum("cmi,cmj->cij", away, away)
    return {"mu": mean, "Sigma": factor * squares / (points.shape[1] - ddof)}


def _joint_target(points: ndarray, model: Model) -> Model:
    away = points - model["mu"][:, None]
    return {"mu": np.mean(points, axis=1), "Sigma": np.einsum("cmi,cmj->cij", away, away) / points.shape[1]}


def _joint_posterior(points: ndarray, rng: Generator) -> Model:
    """Return Sigma from the inverse Wishart law of m - 1 degrees and the squares, mean from N(xbar, Sigma/m)."""
    (chains, m, d), mean = points.shape, np.mean(points, axis=1)
    squares = (m - 1) * _joint_fit(Unbiased(), points)["Sigma"]
    rows = rng.multivariate_normal(np.zeros(d), np.eye(d), (chains, m - 1))
    precision = np.einsum("cmi,cmj->cij", *[np.einsum("cmi,cji->cmj", rows, _roots(np.linalg.inv(squares)))] * 2)
    Sigma = np.linalg.inv(precision)
    return {"mu": mean + np.einsum("cij,cj->ci", _roots(Sigma / m), rng.normal(size=mean.shape)), "Sigma": Sigma}


def _roots(matrices: ndarray) -> ndarray:
    return np.linalg.cholesky(matrices)


def _joint_weighted(fits: Sequence[Model], weights: Sequence[float], between: bool) -> Model:
    mean = sum((w * fit["mu"] for w, fit in zip(weights, fits, strict=True)), np.zeros(()))
    away = [fit["mu"] - mean for fit in fits]
    spreads = [fit["Sigma"] + between * u[:, :, None] * u[:, None] for fit, u in zip(fits, away, strict=True)]
    return {"mu": mean, "Sigma": sum((w * x for w, x in zip(weights, spreads, strict=True)), np.zeros(()))}


def _joint_raised(name: str, value: ndarray, eta: float) -> ndarray:
    return value + eta * np.eye(value.shape[-1]) if name == "Sigma" else value


# Frequencies ---------------------------------------------------------------------------------------------------------


def _bernoulli_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    family: Any = loop.law
    return {"p": np.array(float(start.get("p", family.p0)))}


def _bernoulli_draw(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
    both = _distorted(np.stack([model["p"], 1 - model["p"]], axis=1), sampling, behind)
    return (rng.random((len(both), size)) < both[:, :1]).astype(float)


def _categorical_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    family: Any = loop.law
    return {"p": np.array(start["p"] if family.probabilities is None else family.probabilities, dtype=float)}


def _categorical_draw(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
    """Return points as indicator vectors, a 1 at the type drawn."""
    chances = _distorted(model["p"], sampling, behind)
    below = np.cumsum(chances, axis=1)[:, None, :-1]
    types = (rng.random((len(chances), size, 1)) >= below).sum(axis=2)
    return np.eye(chances.shape[1])[types]


def _distorted(chances: ndarray, sampling: Any, behind: int | None) -> ndarray:
    """Return the probabilities that are drawn from; of equals the first counts as the more probable.

    Success is the first of two types. The posterior predictive law is the mean of the Jeffreys posterior.
    """
    if behind is not None:
        chances = (chances * behind + 0.5) / (behind + chances.shape[1] / 2)
    if sampling is None or isinstance(sampling, Faithful):
        return chances
    if isinstance(sampling, Tempered):
        weights = chances ** (1 / float(sampling.tau))
    elif isinstance(sampling, MinP):
        # Frequencies are rounded, and one at the threshold is kept.
        least = float(sampling.p) * chances.max(axis=1, keepdims=True) - 1e-12
        weights = np.where(chances >= least, chances, 0.0)
    elif isinstance(sampling, TopK | TopP):
        order = np.argsort(-chances, axis=1, kind="stable")
        ranked = np.take_along_axis(chances, order, axis=1)
        if isinstance(sampling, TopK):
            keep = np.broadcast_to(np.arange(chances.shape[1]) < int(sampling.k), ranked.shape)
        else:
            # A type is needed while those before it hold less than the mass; sums of frequencies are rounded.
            keep = np.cumsum(ranked, axis=1) - ranked < float(sampling.p) - 1e-12
        weights = np.where(np.take_along_axis(keep, np.argsort(order, axis=1), axis=1), chances, 0.0)
    else:
        raise ValueError(f"{sampling} is not known here. Choose Faithful, Tempered, TopP, TopK or MinP.")
    return weights / weights.sum(axis=1, keepdims=True)


def _frequencies(estimator: Any, points: ndarray) -> Model:
    if not isinstance(estimator, MLE | Unbiased):
        raise ValueError(f"{estimator} is not known here. Choose MLE or Unbiased.")
    return {"p": np.mean(points, axis=1)}


def _frequency_target(points: ndarray, model: Model) -> Model:
    del model
    return {"p": np.mean(points, axis=1)}


def _bernoulli_posterior(points: ndarray, rng: Generator) -> Model:
    ones = points.sum(axis=1)
    return {"p": rng.beta(ones + 0.5, points.shape[1] - ones + 0.5)}


def _categorical_posterior(points: ndarray, rng: Generator) -> Model:
    weights = rng.standard_gamma(points.sum(axis=1) + 0.5)
    return {"p": weights / weights.sum(axis=1, keepdims=True)}


def _frequency_weighted(fits: Sequence[Model], weights: Sequence[float], between: bool) -> Model:
    del between
    return {"p": sum((w * fit["p"] for w, fit in zip(weights, fits, strict=True)), np.zeros(()))}


_NORMAL = Words(
    _normal_source, _normal_draw, _normal_fit, _normal_target, _normal_posterior, _normal_weighted, _normal_raised
)
FAMILIES: Mapping[type, Words] = {
    Gaussian: _NORMAL,
    DiagonalGaussian: _NORMAL,
    MultivariateGaussian: Words(
        _joint_source, _joint_draw, _joint_fit, _joint_target, _joint_posterior, _joint_weighted, _joint_raised
    ),
    Bernoulli: Words(
        _bernoulli_source, _bernoulli_draw, _frequencies, _frequency_target, _bernoulli_posterior, _frequency_weighted
    ),
    Categorical: Words(
        _categorical_source,
        _categorical_draw,
        _frequencies,
        _frequency_target,
        _categorical_posterior,
        _frequency_weighted,
    ),
}
