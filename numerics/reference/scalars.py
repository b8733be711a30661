"""The families of one parameter in words, for the reference simulator: draws of NumPy, fits of the textbook.

A model holds its known constants beside its parameter. Nothing here reads how the other paths draw or fit.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from theory.families import (
    Binomial,
    Exponential,
    Gamma,
    HyperbolicSecant,
    NegativeBinomial,
    Pareto,
    Poisson,
    Uniform,
)
from theory.loop import Loop

Model = dict[str, ndarray]
Draw = Callable[[Model, int, float, Generator], ndarray]
Words = tuple[Callable[[Loop, Mapping[str, Any]], Model], Draw, Callable[[Loop, ndarray], Model]]
"""(loop, start) -> source; (model, points, temperature, rng) -> points; (loop, points) -> model."""


def _source(name: str, *constants: str) -> Any:
    def source(loop: Loop, start: Mapping[str, Any]) -> Model:
        value = start.get(name, getattr(loop.law, f"{name}0"))
        return {name: np.array(float(value))} | {c: np.array(float(getattr(loop.law, c))) for c in constants}

    return source


def _fit(name: str, fitted: Callable[[ndarray, Any], ndarray], *constants: str) -> Any:
    def fit(loop: Loop, points: ndarray) -> Model:
        known = {c: np.full(len(points), float(getattr(loop.family, c))) for c in constants}
        return {name: fitted(points, known)} | known

    return fit


def _mean(points: ndarray, known: Any) -> ndarray:
    del known
    return points.mean(axis=1)


def _cold(draw: Callable[[Model, tuple[int, int], Generator], ndarray]) -> Draw:
    """Return the draws of a family that is only known without a temperature."""

    def drawn(model: Model, size: int, temperature: float, rng: Generator) -> ndarray:
        if temperature != 1:
            raise ValueError(f"temperature {temperature:g} is not known here for this family. Choose Faithful.")
        columns = {name: values[:, None] for name, values in model.items()}
        return draw(columns, (len(next(iter(model.values()))), size), rng)

    return drawn


def _negative_binomial(model: Model, shape: tuple[int, int], rng: Generator) -> ndarray:
    successes, mean = model["shape"], model["mean"]
    return rng.negative_binomial(successes, successes / (successes + mean), shape).astype(float)


def _hyperbolic_secant(model: Model, shape: tuple[int, int], rng: Generator) -> ndarray:
    """Return sums of log(b/(1 - b))/pi with b ~ Beta(1/2 + t/pi, 1/2 - t/pi), tan t the mean of one of them.

    The odds of b are a ratio of gamma variables; b itself may be rounded to 1.
    """
    terms = int(model["shape"].flat[0])
    turn = (np.arctan(model["mean"] / terms) / np.pi)[:, :, None]
    one, two = (rng.gamma(0.5 + side * turn, size=(*shape, terms)) for side in (1, -1))
    return (np.log(one) - np.log(two)).sum(axis=2) / np.pi


def _exponential(model: Model, size: int, temperature: float, rng: Generator) -> ndarray:
    return rng.exponential(temperature * model["mean"][:, None], (len(model["mean"]), size))


def _gamma(model: Model, size: int, temperature: float, rng: Generator) -> ndarray:
    """Return points of density x^(k - 1) exp(-x/s) to the power 1/temperature: powers of x and scale both change."""
    k, scale = model["shape"], model["mean"] / model["shape"]
    power = (k - 1) / temperature + 1
    return rng.gamma(power[:, None], temperature * scale[:, None], (len(k), size))


def _uniform(model: Model, size: int, temperature: float, rng: Generator) -> ndarray:
    del temperature
    return rng.uniform(0, model["theta"][:, None], (len(model["theta"]), size))


WORDS: Mapping[type, Words] = {
    Poisson: (
        _source("rate"),
        _cold(lambda model, shape, rng: rng.poisson(model["rate"], shape).astype(float)),
        _fit("rate", _mean),
    ),
    Binomial: (
        _source("p", "trials"),
        _cold(lambda model, shape, rng: rng.binomial(model["trials"].astype(int), model["p"], shape).astype(float)),
        _fit("p", lambda points, known: points.mean(axis=1) / known["trials"], "trials"),
    ),
    NegativeBinomial: (_source("mean", "shape"), _cold(_negative_binomial), _fit("mean", _mean, "shape")),
    HyperbolicSecant: (_source("mean", "shape"), _cold(_hyperbolic_secant), _fit("mean", _mean, "shape")),
    Exponential: (_source("mean"), _exponential, _fit("mean", _mean)),
    Gamma: (_source("mean", "shape"), _gamma, _fit("mean", _mean, "shape")),
    Uniform: (_source("theta"), _uniform, _fit("theta", lambda points, _: points.max(axis=1))),
    Pareto: (
        _source("alpha", "least"),
        _cold(lambda model, shape, rng: model["least"] * (1 + rng.pareto(model["alpha"], shape))),
        _fit("alpha", lambda points, known: 1 / np.log(points / known["least"][:, None]).mean(axis=1), "least"),
    ),
}


# Procedures ----------------------------------------------------------------------------------------------------------


def posterior(loop: Loop, points: ndarray, rng: Generator) -> Model:
    """Return a draw from the posterior of the Jeffreys prior, in the form of a textbook."""
    family: Any = loop.family
    if type(family) not in _POSTERIORS:
        raise ValueError(f"the posterior of {type(family).__name__} is not known here. Choose an exact fit.")
    known = {name: float(value) for name, value in family.constants().items()}
    drawn = _POSTERIORS[type(family)](points, points.shape[1], known, rng)
    return {str(family.parameter): drawn} | {name: np.full(len(points), value) for name, value in known.items()}


def weighted(loop: Loop, fits: Sequence[Model], weights: Sequence[float]) -> Model:
    """Return the weighted fit: means of means, of 1/alpha for a Pareto law; the largest point of a uniform one."""
    name = str(getattr(loop.family, "parameter", ""))
    values = np.stack([fit[name] for fit in fits])
    shares = np.array(weights)[:, None]
    if isinstance(loop.family, Uniform):
        fitted = np.where(shares > 0, values, 0).max(axis=0)
    else:
        fitted = 1 / (shares / values).sum(axis=0) if isinstance(loop.family, Pareto) else (shares * values).sum(axis=0)
    return {**fits[0], name: fitted}


def _binomial_posterior(points: ndarray, m: int, known: Any, rng: Generator) -> ndarray:
    ones = points.sum(axis=1)
    return rng.beta(ones + 0.5, m * known["trials"] - ones + 0.5)


def _negative_binomial_posterior(points: ndarray, m: int, known: Any, rng: Generator) -> ndarray:
    q = rng.beta(m * known["shape"], points.sum(axis=1) + 0.5)
    return known["shape"] * (1 - q) / q


def _gamma_posterior(points: ndarray, m: int, known: Any, rng: Generator) -> ndarray:
    r = known.get("shape", 1.0)
    return r * points.sum(axis=1) / rng.gamma(m * r, size=len(points))


_POSTERIORS: Mapping[type, Callable[[ndarray, int, Any, Generator], ndarray]] = {
    Poisson: lambda points, m, _, rng: rng.gamma(points.sum(axis=1) + 0.5) / m,
    Binomial: _binomial_posterior,
    NegativeBinomial: _negative_binomial_posterior,
    Exponential: _gamma_posterior,
    Gamma: _gamma_posterior,
    Uniform: lambda points, m, _, rng: points.max(axis=1) / rng.beta(m, 1, len(points)),
    Pareto: lambda points, m, known, rng: rng.gamma(m, size=len(points)) / np.log(points / known["least"]).sum(axis=1),
}
