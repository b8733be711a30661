"""How far two laws of one shape lie apart, by their centres and widths: Laplace, Student and uniform laws."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.special import gammaln

from theory.families import Laplace, LocationScale, StudentT, UniformOn

Law = tuple[Any, Any]
"""Centre and width, numbers or arrays."""
NODES = 256
"""Nodes of the Gauss-Legendre rule for Student's law."""


def divergence(family: LocationScale) -> Callable[[Law, Law], np.ndarray]:
    """Return (p, q) -> KL(p || q) of two laws of the family's shape, in nats.

    >>> float(divergence(UniformOn())((0.0, 1.0), (0.0, 2.0)).round(4))
    0.6931
    """
    return _DIVERGENCES[type(family)](family)


def _laplace(p: Law, q: Law) -> np.ndarray:
    """Return log(b2/b1) - 1 + (d + b1 exp(-d/b1))/b2 for centres d apart."""
    (c1, b1), (c2, b2) = p, q
    d = np.abs(c1 - c2)
    with np.errstate(divide="ignore"):
        return np.log(b2 / b1) - 1 + (d + b1 * np.exp(-d / b1)) / b2


def _uniform(p: Law, q: Law) -> np.ndarray:
    """Return log(w2/w1) where the first interval lies in the second, else oo."""
    (c1, w1), (c2, w2) = p, q
    inside = (c2 - w2 / 2 <= c1 - w1 / 2) & (c1 + w1 / 2 <= c2 + w2 / 2)
    return np.where(inside, np.log(w2 / w1), np.inf)


def _student(df: float) -> Callable[[Law, Law], np.ndarray]:
    """Return KL by a rule in t with x = c + w sqrt(df) tan t, whose density is proportional to cos(t)^(df - 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    t = np.pi / 2 * nodes
    log_mass = gammaln((df + 1) / 2) - gammaln(df / 2) - np.log(np.pi) / 2
    chances = np.pi / 2 * weights * np.exp(log_mass + (df - 1) * np.log(np.cos(t)))

    def between(p: Law, q: Law) -> np.ndarray:
        (c1, w1), (c2, w2) = ((np.asarray(c)[..., None], np.asarray(w)[..., None]) for c, w in (p, q))
        z = (c1 - c2 + w1 * np.sqrt(df) * np.tan(t)) / w2
        logs = np.log(w2 / w1) + (df + 1) / 2 * (np.log1p(z**2 / df) + 2 * np.log(np.cos(t)))
        return logs @ chances

    return between


_DIVERGENCES: Mapping[type, Callable[[Any], Callable[[Law, Law], np.ndarray]]] = {
    Laplace: lambda _: _laplace,
    UniformOn: lambda _: _uniform,
    StudentT: lambda family: _student(float(family.df)),
}
