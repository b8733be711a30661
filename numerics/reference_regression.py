"""Linear regression in words, for the reference simulator: a new design each time, least squares by pseudo-inverse."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from numerics.reference_scalars import Model
from theory.loop import Loop


def source(loop: Loop, start: Mapping[str, Any]) -> Model:
    """Return the true weights, all their length in the first; the noise is known and never fitted."""
    family: Any = loop.law
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
    family: Any = loop.law
    if family.design != "fresh":
        raise ValueError(f"design = {family.design!r} is not known here. Choose 'fresh'.")
    weights = np.einsum("cdm,cm->cd", np.linalg.pinv(points[:, :, :-1]), points[:, :, -1])
    return {"weights": weights, "noise": np.full(len(weights), float(family.noise))}
