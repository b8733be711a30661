"""A slow, obvious simulator in NumPy: it keeps every data point and knows estimators and regimes by their words.

An oracle must not share what it judges: nothing here reads the step, the parts or the multipliers of the
theory, so a mistake in them shows as a disagreement.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from attrs import frozen
from numpy import ndarray
from numpy.random import Generator

from numerics.reference_scalars import WORDS
from theory.estimators import MLE, Scaled, Unbiased
from theory.families import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Gaussian,
    LinearRegression,
    MultivariateGaussian,
)
from theory.loop import Loop
from theory.regimes import Accumulate, Mixed, Replace
from theory.sampling import Faithful, Tempered

Model = dict[str, ndarray]
"""Parameters by name; the first axis is the chain."""


@frozen
class _Family:
    """A family in words.

    Args:
        source: (loop, start) -> parameters of the source, without the chain axis.
        draw: (model, m, temperature, rng) -> points, shape (chains, m, ...).
        fit: (loop, points) -> model.
    """

    source: Callable[[Loop, Mapping[str, Any]], Model]
    draw: Callable[[Model, int, float, Generator], ndarray]
    fit: Callable[[Loop, ndarray], Model]


def reference(
    loop: Loop, start: Mapping[str, Any] | None, generations: int, chains: int, rng: Generator
) -> dict[str, ndarray]:
    """Return every parameter by name, shape (chain, generation, ...); generation 0 is the source.

    Args:
        loop: a loop with numbers for all its symbols but those of the source.
        start: "mu" and "V", or the one parameter by its name, where the source is left in symbols.
        generations: number of refits.
        chains: number of independent runs.
        rng: the source of randomness.

    >>> from theory import Gaussian
    >>> runs = reference(Loop(Gaussian(0, 1), samples=9), None, 2, 5, np.random.default_rng(0))
    >>> runs["V"].shape
    (5, 3)
    """
    family = _FAMILIES[type(loop.family)]
    source = family.source(loop, start or {})
    models = [{name: np.broadcast_to(value, (chains, *np.shape(value))) for name, value in source.items()}]
    seen: list[ndarray] = []
    for _ in range(generations):
        first = len(models) == 1
        seen.append(_points(loop, models[0], models[-1], first, rng))
        data = np.concatenate(seen, axis=1) if isinstance(loop.regime, Accumulate) else seen[-1]
        models.append(family.fit(loop, data))
    return {name: np.stack([model[name] for model in models], axis=1) for name in models[-1]}


def _points(loop: Loop, source: Model, last: Model, first: bool, rng: Generator) -> ndarray:
    """Return the points of one generation: synthetic ones, and before them the real ones of a mixture."""
    samples = int(loop.samples)
    if isinstance(loop.regime, Replace | Accumulate):
        return _synthetic(loop, source, last, first, samples, rng)
    if isinstance(loop.regime, Mixed):
        real = round(float(loop.regime.alpha) * samples)
        fresh = _true(loop, source, real, 1.0, rng)
        return np.concatenate([fresh, _synthetic(loop, source, last, first, samples - real, rng)], axis=1)
    raise ValueError(f"{loop.regime} is not known here. Choose Replace, Accumulate or Mixed.")


def _synthetic(loop: Loop, source: Model, last: Model, first: bool, size: int, rng: Generator) -> ndarray:
    """Return points of the last model, distorted; before the first fit the last model is the true source."""
    temperature = _temperature(loop)
    if first:
        return _true(loop, source, size, temperature, rng)
    return _FAMILIES[type(loop.family)].draw(last, size, temperature, rng)


def _temperature(loop: Loop) -> float:
    if isinstance(loop.sampling, Faithful):
        return 1.0
    if isinstance(loop.sampling, Tempered):
        return float(loop.sampling.tau)
    raise ValueError(f"{loop.sampling} is not known here. Choose Faithful or Tempered.")


def _true(loop: Loop, source: Model, size: int, temperature: float, rng: Generator) -> ndarray:
    """Return points of the true source, which need not lie in the family."""
    if not isinstance(loop.source, MultivariateGaussian):
        return _FAMILIES[type(loop.family)].draw(source, size, temperature, rng)
    mean, covariance = np.array(loop.source.mean, dtype=float), np.array(loop.source.covariance, dtype=float)
    return rng.multivariate_normal(mean, temperature * covariance, (len(source["mu"]), size))


def _variance(loop: Loop, points: ndarray) -> ndarray:
    """Return the variance over axis 1, by the estimator's name."""
    if isinstance(loop.estimator, MLE):
        return np.var(points, axis=1, ddof=0)
    if isinstance(loop.estimator, Unbiased):
        return np.var(points, axis=1, ddof=1)
    if isinstance(loop.estimator, Scaled):
        return float(loop.estimator.c) * np.var(points, axis=1, ddof=1)
    raise ValueError(f"{loop.estimator} is not known here. Choose MLE, Unbiased or Scaled.")


def _normal_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    if isinstance(loop.law, DiagonalGaussian):
        return {"mu": np.array(loop.law.mean, dtype=float), "V": np.array(loop.law.variances, dtype=float)}
    family: Any = loop.law
    mu, V = start.get("mu", family.mu0), start.get("V", family.V0)
    return {"mu": np.array(float(mu)), "V": np.array(float(V))}


def _normal_draw(model: Model, size: int, temperature: float, rng: Generator) -> ndarray:
    mu, V = model["mu"][:, None], temperature * model["V"][:, None]
    return rng.normal(mu, np.sqrt(V), (len(mu), size, *mu.shape[2:]))


def _normal_fit(loop: Loop, points: ndarray) -> Model:
    return {"mu": np.mean(points, axis=1), "V": _variance(loop, points)}


def _joint_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    del start
    law: Any = loop.law
    return {"mu": np.array(law.mean, dtype=float), "Sigma": np.array(law.covariance, dtype=float)}


def _joint_draw(model: Model, size: int, temperature: float, rng: Generator) -> ndarray:
    pairs = zip(model["mu"], temperature * model["Sigma"], strict=True)
    return np.stack([rng.multivariate_normal(mu, Sigma, size) for mu, Sigma in pairs])


def _joint_fit(loop: Loop, points: ndarray) -> Model:
    scale = float(loop.estimator.c) if isinstance(loop.estimator, Scaled) else 1.0
    covariances = [scale * np.cov(rows.T, bias=isinstance(loop.estimator, MLE)) for rows in points]
    return {"mu": np.mean(points, axis=1), "Sigma": np.stack(covariances)}


def _bernoulli_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    family: Any = loop.law
    return {"p": np.array(float(start.get("p", family.p0)))}


def _bernoulli_draw(model: Model, size: int, temperature: float, rng: Generator) -> ndarray:
    both = _tempered(np.stack([1 - model["p"], model["p"]], axis=1), temperature)
    return (rng.random((len(both), size)) < both[:, 1:]).astype(float)


def _categorical_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    family: Any = loop.law
    return {"p": np.array(start["p"] if family.probabilities is None else family.probabilities, dtype=float)}


def _categorical_draw(model: Model, size: int, temperature: float, rng: Generator) -> ndarray:
    """Return points as indicator vectors, a 1 at the type drawn."""
    chances = _tempered(model["p"], temperature)
    below = np.cumsum(chances, axis=1)[:, None, :-1]
    types = (rng.random((len(chances), size, 1)) >= below).sum(axis=2)
    return np.eye(chances.shape[1])[types]


def _tempered(chances: ndarray, temperature: float) -> ndarray:
    powers = chances ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def _frequencies(loop: Loop, points: ndarray) -> Model:
    del loop
    return {"p": np.mean(points, axis=1)}


def _regression_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    """Return the true weights, all their length in the first; the noise is known and never fitted."""
    family: Any = loop.law
    weights = np.zeros(int(family.dimension))
    weights[0] = start.get("w", family.w0)
    return {"weights": weights, "noise": np.array(float(family.noise))}


def _regression_draw(model: Model, size: int, temperature: float, rng: Generator) -> ndarray:
    """Return rows (x, y): a new design and its responses."""
    weights, noise = model["weights"], temperature * model["noise"][:, None]
    design = rng.normal(size=(len(weights), size, weights.shape[1]))
    responses = np.einsum("cmd,cd->cm", design, weights) + np.sqrt(noise) * rng.normal(size=(len(weights), size))
    return np.concatenate([design, responses[:, :, None]], axis=2)


def _regression_fit(loop: Loop, points: ndarray) -> Model:
    """Return the least squares weights, of smallest norm where there are many."""
    family: Any = loop.law
    if family.design != "fresh":
        raise ValueError(f"design = {family.design!r} is not known here. Choose 'fresh'.")
    weights = np.einsum("cdm,cm->cd", np.linalg.pinv(points[:, :, :-1]), points[:, :, -1])
    return {"weights": weights, "noise": np.full(len(weights), float(family.noise))}


_FAMILIES: Mapping[type, _Family] = {
    Gaussian: _Family(_normal_source, _normal_draw, _normal_fit),
    DiagonalGaussian: _Family(_normal_source, _normal_draw, _normal_fit),
    MultivariateGaussian: _Family(_joint_source, _joint_draw, _joint_fit),
    LinearRegression: _Family(_regression_source, _regression_draw, _regression_fit),
    Bernoulli: _Family(_bernoulli_source, _bernoulli_draw, _frequencies),
    Categorical: _Family(_categorical_source, _categorical_draw, _frequencies),
    **{family: _Family(*words) for family, words in WORDS.items()},
}
