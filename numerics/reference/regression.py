"""Linear regression in words, for the reference simulator: least squares by pseudo-inverse, descent step by step."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from numerics.reference.scalars import Model
from theory.families import FixedDesignRegression
from theory.filters import Ridge
from theory.loop import Loop


def source(loop: Loop, start: Mapping[str, Any]) -> Model:
    """Return the true weights, all their length in the first unless they are given; the noise is never fitted."""
    family: Any = loop.law
    if isinstance(family, FixedDesignRegression):
        given = np.array([float(x) for x in family.source().values()])
        return {"weights": given, "noise": np.array(float(family.noise))}
    weights = np.zeros(int(family.dimension))
    weights[0] = start.get("w", family.w0)
    return {"weights": weights, "noise": np.array(float(family.noise))}


def draw(model: Model, size: int, temperature: float, rng: Generator) -> ndarray:
    """Return rows (x, y): a new design and its responses."""
    weights, noise = model["weights"], temperature * model["noise"][:, None]
    design = rng.normal(size=(len(weights), size, weights.shape[1]))
    responses = np.einsum("cmd,cd->cm", design, weights) + np.sqrt(noise) * rng.normal(size=(len(weights), size))
    return np.concatenate([design, responses[:, :, None]], axis=2)


def fit(loop: Loop, points: ndarray) -> Model:
    """Return the least squares weights, of smallest norm where there are many."""
    weights = np.einsum("cdm,cm->cd", np.linalg.pinv(points[:, :, :-1]), points[:, :, -1])
    return _model(loop, weights)


def redesigned(points: ndarray, model: Model, design: ndarray) -> ndarray:
    """Return the rows with another design, the noise of their responses kept."""
    noise = points[:, :, -1] - np.einsum("cmd,cd->cm", points[:, :, :-1], model["weights"])
    rows = np.broadcast_to(design[:, : points.shape[1]], (len(points), points.shape[1], design.shape[2]))
    return np.concatenate([rows, (np.einsum("cmd,cd->cm", rows, model["weights"]) + noise)[:, :, None]], axis=2)


def given(family: FixedDesignRegression, size: int) -> ndarray:
    """Return one design X of ``size`` rows with X'X = size diag(eigenvalues).

    >>> x = given(FixedDesignRegression([2, 1]), 5)
    >>> np.round(x.T @ x, 9).tolist()
    [[10.0, 0.0], [0.0, 5.0]]
    """
    spread = np.array([float(x) for x in family.eigenvalues])
    basis = np.linalg.qr(np.cos(np.outer(np.arange(size), 1 + np.arange(len(spread)))))[0]
    return basis * np.sqrt(size * spread) + 0.0


def scaled(sets: Sequence[tuple[ndarray, float]]) -> ndarray:
    """Return the rows of weighted sets, each multiplied by the root of its share of the weight."""
    return np.concatenate([np.sqrt(weight / points.shape[1]) * points for points, weight in sets], axis=1)


def filtered(loop: Loop, estimator: Any, points: ndarray, last: Model) -> Model:
    """Return the ridge fit, or the weights after steps of gradient descent from 0 or from the last model."""
    x, y = points[:, :, :-1], points[:, :, -1]
    gram, cross = np.einsum("cmi,cmj->cij", x, x), np.einsum("cmi,cm->ci", x, y)
    if isinstance(estimator, Ridge):
        penalty = float(estimator.lam) * np.eye(x.shape[2])
        return _model(loop, np.linalg.solve(gram + penalty, cross[:, :, None])[:, :, 0])
    weights = last["weights"] if estimator.warm else np.zeros(cross.shape)
    for _ in range(int(estimator.steps)):
        weights = weights + float(estimator.rate) * (cross - np.einsum("cij,cj->ci", gram, weights))
    return _model(loop, weights)


def _model(loop: Loop, weights: ndarray) -> Model:
    family: Any = loop.law
    return {"weights": weights, "noise": np.full(len(weights), float(family.noise))}
