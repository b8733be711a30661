"""Laplace, Student and uniform laws in words: how each is drawn and how it is fitted by maximum likelihood."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from numerics.reference.families import Model, Words
from theory.families import Laplace, StudentT, UniformOn
from theory.loop import Loop
from theory.sampling import Faithful, Tempered

ROUNDS = 300
"""Steps of EM for Student's law."""


def words(loop: Loop) -> Words:
    """Return what is known of a law with centre and width."""
    family: Any = loop.family

    def draw(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
        shape = len(model["centre"]), size
        if behind is not None:
            raise ValueError(f"a predictive law of {family} is not known here. Choose MLE.")
        width = model["width"] * _widened(family, sampling)
        return model["centre"][:, None] + width[:, None] * _UNIT[type(family)](family, shape, rng)

    return Words(_source, draw, lambda _, points: _named(*_FITTED[type(family)](family, points)))


def _source(loop: Loop, start: Mapping[str, Any]) -> Model:
    del start
    law: Any = loop.source or loop.family
    if not isinstance(law, UniformOn):
        return _named(np.array(float(law.location)), np.array(float(law.scale)))
    centre, width = (law.lower + law.upper) / 2, law.upper - law.lower
    return _named(np.array(float(centre)), np.array(float(width)))


def _named(centre: ndarray, width: ndarray) -> Model:
    return {"centre": centre, "width": width}


def _widened(family: Any, sampling: Any) -> float:
    if sampling is None or isinstance(sampling, Faithful):
        return 1.0
    if isinstance(sampling, Tempered) and not isinstance(family, StudentT):
        return float(sampling.tau) if isinstance(family, Laplace) else 1.0
    raise ValueError(f"{sampling} of {family} is not known here. Choose Faithful.")


def _median(family: Any, points: ndarray) -> tuple[ndarray, ndarray]:
    del family
    middle = np.median(points, axis=1)
    return middle, np.abs(points - middle[:, None]).mean(axis=1)


def _ends(family: Any, points: ndarray) -> tuple[ndarray, ndarray]:
    del family
    low, high = points.min(axis=1), points.max(axis=1)
    return (low + high) / 2, high - low


def _student(family: Any, points: ndarray) -> tuple[ndarray, ndarray]:
    """Return the fit by EM: the points as normal ones of variances width^2/w, w the weights that they seem to have."""
    df = float(family.df)
    centre, width = points.mean(axis=1), points.std(axis=1)
    for _ in range(ROUNDS):
        w = (df + 1) / (df + ((points - centre[:, None]) / width[:, None]) ** 2)
        centre = (w * points).sum(axis=1) / w.sum(axis=1)
        width = np.sqrt((w * (points - centre[:, None]) ** 2).mean(axis=1))
    return centre, width


_UNIT: Mapping[type, Callable[[Any, tuple[int, int], Generator], ndarray]] = {
    Laplace: lambda _, shape, rng: rng.laplace(size=shape),
    StudentT: lambda law, shape, rng: rng.standard_t(float(law.df), shape),
    UniformOn: lambda _, shape, rng: rng.random(shape) - 0.5,
}
_FITTED: Mapping[type, Callable[[Any, ndarray], tuple[ndarray, ndarray]]] = {
    Laplace: _median,
    StudentT: _student,
    UniformOn: _ends,
}
