"""Points of sources that no fitted model draws, by NumPy's own laws: the first fit of a family too narrow sees them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from theory.families import Empirical, Gaussian, Laplace, Mixture, StudentT, UniformOn
from theory.families.base import Family

Shape = tuple[int, int]
"""Chains and points of each."""


def drawn(source: Family, shape: Shape, rng: Generator) -> ndarray:
    """Return points of a source, shape (chains, points).

    >>> drawn(UniformOn(0, 1), (3, 5), np.random.default_rng(0)).shape
    (3, 5)
    """
    if type(source) not in _DRAWN:
        raise ValueError(f"the points of {source} are not drawn here. Choose {', '.join(k.__name__ for k in _DRAWN)}.")
    return _DRAWN[type(source)](source, shape, rng)


def known(source: Any) -> bool:
    """Return whether the points of a source are drawn here.

    >>> known(Laplace()), known(None)
    (True, False)
    """
    return type(source) in _DRAWN


def moments(source: Any) -> tuple[float, float]:
    """Return mean and variance of a point.

    >>> moments(Mixture(2, weights=["1/2", "1/2"], means=[-1, 1], variances=[1, 1]))
    (0.0, 2.0)
    """
    if isinstance(source, Mixture):
        w, m, v = _columns(source)
        mean = float(w @ m)
        return mean, float(w @ (v + (m - mean) ** 2))
    if isinstance(source, Empirical):
        values = _listed(source)
        return float(values.mean()), float(values.var())
    return _MOMENTS[type(source)](source)


def _columns(source: Any) -> tuple[ndarray, ndarray, ndarray]:
    """Return weights, means and variances of the parts of a mixture on a line."""
    columns = (source.weights, source.means, source.variances)
    return tuple(np.array([float(x) for x in column]) for column in columns)  # type: ignore[return-value]


def _mixed(source: Any, shape: Shape, rng: Generator) -> ndarray:
    w, m, v = _columns(source)
    part = rng.choice(len(w), shape, p=w / w.sum())
    return rng.normal(m[part], np.sqrt(v)[part])


def _listed(source: Any) -> ndarray:
    return np.array([float(x) for x in source.values])


_DRAWN: Mapping[type, Callable[[Any, Shape, Generator], ndarray]] = {
    Gaussian: lambda law, shape, rng: rng.normal(float(law.mu0), float(law.V0) ** 0.5, shape),
    Laplace: lambda law, shape, rng: rng.laplace(float(law.location), float(law.scale), shape),
    StudentT: lambda law, shape, rng: float(law.location) + float(law.scale) * rng.standard_t(float(law.df), shape),
    UniformOn: lambda law, shape, rng: rng.uniform(float(law.lower), float(law.upper), shape),
    Empirical: lambda law, shape, rng: rng.choice(_listed(law), shape),
    Mixture: _mixed,
}
_MOMENTS: Mapping[type, Callable[[Any], tuple[float, float]]] = {
    Gaussian: lambda law: (float(law.mu0), float(law.V0)),
    Laplace: lambda law: (float(law.location), 2 * float(law.scale) ** 2),
    StudentT: lambda law: (float(law.location), float(law.scale) ** 2 * float(law.df) / (float(law.df) - 2)),
    UniformOn: lambda law: (float(law.lower + law.upper) / 2, float(law.upper - law.lower) ** 2 / 12),
}
