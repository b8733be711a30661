"""Families too narrow for their source, and those that are only fitted, in words: how each is drawn and how fitted.

Restricted covariances are found here as a textbook finds them by another road than the library's: principal components
by the singular values of the points, a graph by proportional fitting of its edges.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from numerics.reference import located, sources
from numerics.reference.families import FAMILIES, Model, Words
from theory.families import (
    Categorical,
    GraphicalGaussian,
    HistogramDensity,
    IsotropicGaussian,
    KernelDensity,
    LocationScale,
    LowRankGaussian,
    MultivariateGaussian,
    ProductCategorical,
)
from theory.loop import Loop
from theory.sampling import Faithful

ROUNDS = 20
"""Rounds of proportional fitting; on a tree of edges a few are exact."""


def words(loop: Loop, rng: Generator) -> Words | None:
    """Return what is known of the loop's family, None where it is none of these; ``rng`` places random bins."""
    family: Any = loop.family
    if isinstance(family, IsotropicGaussian | LowRankGaussian | GraphicalGaussian):
        return _restricted(family)
    if isinstance(family, ProductCategorical):
        return _columns(family)
    if isinstance(family, KernelDensity):
        return Words(_density_source, _kernel_draw, lambda _, points: _kernel_fit(family, points))
    if isinstance(family, LocationScale):
        return located.words(loop)
    if isinstance(family, HistogramDensity):
        return Words(_density_source, _bin_draw, lambda _, points: _bin_fit(family, points, rng))
    return None


# Gaussians of a restricted covariance --------------------------------------------------------------------------------


def _restricted(family: Any) -> Words:
    whole = FAMILIES[MultivariateGaussian]

    def fit(estimator: Any, points: ndarray) -> Model:
        model = whole.fit(estimator, points)
        return {"mu": model["mu"], "Sigma": _form(family, model["Sigma"])}

    return Words(whole.source, whole.draw, fit)


def _form(family: Any, S: ndarray) -> ndarray:
    """Return the covariances of the restricted form that are nearest to S, shape (chains, d, d)."""
    d = S.shape[-1]
    if isinstance(family, IsotropicGaussian):
        return np.einsum("cii->c", S)[:, None, None] / d * np.eye(d)
    if isinstance(family, LowRankGaussian):
        vectors, values, _ = np.linalg.svd(S)
        noise = values[:, family.rank :].mean(axis=1)[:, None]
        kept, over = vectors[:, :, : family.rank], values[:, : family.rank] - noise
        return noise[:, :, None] * np.eye(d) + np.einsum("cik,ck,cjk->cij", kept, over, kept)
    return _graph(family.edges, S)


def _graph(edges: Any, S: ndarray) -> ndarray:
    """Return the covariances that have the blocks of S on the edges and inverses that are 0 off them, by turns."""
    precision = np.eye(S.shape[-1]) / np.einsum("cii->ci", S)[:, None]
    for _ in range(ROUNDS if edges else 0):
        for edge in edges:
            block = np.ix_(range(len(S)), edge, edge)
            precision[block] += np.linalg.inv(S[block]) - np.linalg.inv(np.linalg.inv(precision)[block])
    return np.linalg.inv(precision)


# Columns of types ----------------------------------------------------------------------------------------------------


def _columns(family: ProductCategorical) -> Words:
    """Return the words of a product of marginals: a model is its joint law, points are indicators of joint types."""
    types = FAMILIES[Categorical]

    def source(loop: Loop, start: Mapping[str, Any]) -> Model:
        del start
        joint: Any = loop.source or loop.family
        chances = joint.joint() if joint is loop.family else joint.probabilities
        return {"p": np.array(chances, dtype=float)}

    def fit(estimator: Any, points: ndarray) -> Model:
        table = types.fit(estimator, points)["p"].reshape(-1, *family.levels)
        axes = range(1, table.ndim)
        margins = [table.sum(axis=tuple(a for a in axes if a != b), keepdims=True) for b in axes]
        return {"p": np.prod(np.broadcast_arrays(*margins), axis=0).reshape(len(table), -1)}

    return Words(source, types.draw, fit)


# Densities that are only fitted --------------------------------------------------------------------------------------


def _density_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    del start
    mean, variance = sources.moments(loop.source)
    return {"mu": np.array(mean), "V": np.array(variance)}


def _picked(points: ndarray, size: int, rng: Generator) -> ndarray:
    return np.take_along_axis(points, rng.integers(points.shape[1], size=(len(points), size)), axis=1)


def _kernel_fit(family: Any, points: ndarray) -> Model:
    m = points.shape[1]
    if family.rule is None:
        h = np.full(len(points), float(family.bandwidth))
    else:
        h = float(family.multiple) * points.std(axis=1, ddof=1) * (float(family.rule) * m) ** -0.2
    return {"mu": points.mean(axis=1), "V": points.var(axis=1) + h**2, "points": points, "h": h}


def _kernel_draw(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
    _only_faithful(sampling, behind)
    centres = _picked(model["points"], size, rng)
    return rng.normal(centres, model["h"][:, None])


def _bin_fit(family: Any, points: ndarray, rng: Generator) -> Model:
    """Return the lower edge of every point's bin, and mean and variance of a point spread over a bin."""
    w = float(family.width)
    origin = w * rng.random((len(points), 1)) if family.bins == "random" else np.zeros((len(points), 1))
    edges = origin + w * np.floor((points - origin) / w)
    return {"mu": edges.mean(axis=1) + w / 2, "V": edges.var(axis=1) + w**2 / 12, "edges": edges, "w": np.array(w)}


def _bin_draw(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
    _only_faithful(sampling, behind)
    edges = _picked(model["edges"], size, rng)
    return edges + float(model["w"]) * rng.random(edges.shape)


def _only_faithful(sampling: Any, behind: int | None) -> None:
    if behind is not None or not isinstance(sampling, Faithful | None):
        raise ValueError(f"{sampling} of a density is not known here. Choose Faithful.")
