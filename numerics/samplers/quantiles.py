"""log(chi/df) of a chi-square variable as a polynomial of one normal variable: no rejection, no branch, no waste.

With Phi the normal and F the chi-square distribution function, chi = F^-1(Phi(w)) is chi-square for w ~ N(0, 1), and
log(chi/df) is a smooth function of w, the smoother the larger df. The polynomial interpolates at Chebyshev's nodes on
all of |w| <= REACH; its coefficients are numbers of a run, so another df is not compiled again.
"""

from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.polynomial import chebyshev as cheb
from scipy import special

from numerics.samplers import elementary
from numerics.samplers.normal import REACH

DEGREES = {"f32": (8, 16, 24, 32, 48), "f64": (24, 64)}
"""Degrees that are compiled, by format; the least that is good enough is taken. In float64 that is 24 from df = 8,
so that all such sizes share a program; where speed is asked for in float32, fewer terms do."""
POWERS = 24
"""Up to this degree the polynomial is one in powers of w, beyond in Chebyshev's, where powers would cancel."""
WANTED = {"f32": 6e-8, "f64": 1e-10}
"""Relative error of a quantile that a polynomial is to stay below, by format."""
NODES = 128
GRID = 2.0**-44
"""Coefficients are multiples of this, so that the last bits of a library's quantiles are not seen."""


def log_quantile(df: Any, w: Any) -> np.ndarray:
    """Return log(F^-1(Phi(w))/df), by the nearer tail."""
    a, w = np.broadcast_arrays(np.asarray(df, float) / 2, np.asarray(w, float))
    left = special.gammaincinv(a, special.ndtr(np.minimum(w, 0.0)))
    right = special.gammainccinv(a, special.ndtr(-np.maximum(w, 0.0)))
    return np.log(np.where(w < 0, left, right) / a)


@lru_cache(maxsize=4096)
def series(df: float, precision: str) -> tuple[float, ...]:
    """Return the Chebyshev coefficients of log(chi/df) in w/REACH, of the least degree of `DEGREES` that is
    good enough, and else of the largest; without degrees of freedom chi is 0.
    """
    degrees = DEGREES[precision]
    if not df > 0:
        return (-np.inf, *(0.0,) * degrees[0])
    nodes = cheb.chebpts1(NODES)
    values = log_quantile(df, REACH * nodes)
    whole = 2 / NODES * cheb.chebvander(nodes, NODES - 1).T @ values
    whole[0] /= 2
    degree = next((d for d in degrees if np.abs(whole[d + 1 :]).sum() <= WANTED[precision]), degrees[-1])
    return tuple(np.round(whole[: degree + 1] / GRID) * GRID)


def coefficients(df: Any, precision: str) -> np.ndarray:
    """Return the coefficients for df, shape (degree + 1,), or for a list of them, shape (length, degree + 1).

    Rows of a list are filled with zeros, which change no bit: a row is the same whatever the others are.
    """
    if np.ndim(df):
        rows = [series(float(one), precision) for one in df]
        table = np.zeros((len(rows), max(POWERS + 2, *map(len, rows))))
        for row, values in zip(table, rows, strict=True):
            row[: len(values)] = values
        return table
    row = np.array(series(float(df), precision))
    if len(row) > POWERS + 1 or not np.isfinite(row[0]):
        return row
    powers = cheb.cheb2poly(row)
    return np.pad(powers, (0, len(row) - len(powers))) / REACH ** np.arange(len(row))


def log_ratio(w: Array, row: Array) -> Array:
    """Return log(chi/df) at w, by a row of `coefficients`."""
    if len(row) <= POWERS + 1:
        return elementary.polynomial(row, w)
    return elementary.chebyshev(row, w * jnp.asarray(1 / REACH, w.dtype))


def evaluated(w: Any, row: np.ndarray) -> np.ndarray:
    """Return log(chi/df) at w in float64 on the host."""
    return np.polynomial.polynomial.polyval(w, row) if len(row) <= POWERS + 1 else cheb.chebval(w / REACH, row)


def relative_error(df: float, precision: str, points: int = 20_001) -> float:
    """Return the largest relative error of a quantile over |w| <= REACH, on a grid, rounding apart."""
    w = np.linspace(-REACH, REACH, points)
    return float(np.abs(np.expm1(evaluated(w, coefficients(df, precision)) - log_quantile(df, w))).max())


def total_variation(df: float, precision: str, points: int = 20_001) -> float:
    """Return the total variation distance between the law that is drawn and chi-square(df), for w ~ N(0, 1).

    A quantile q(w) moved by a small d(w) moves mass phi(w) d(w)/q'(w) past it, so that to first order the distance is
    1/2 integral |(phi d/q')'| dw, half the variation of phi d/q'; beyond REACH all mass is counted.
    """
    w = np.linspace(-REACH, REACH, points)
    quantile = log_quantile(df, w)
    moved = (evaluated(w, coefficients(df, precision)) - quantile) / np.gradient(quantile, w)
    moved *= np.exp(-(w**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.abs(np.diff(moved)).sum() / 2 + 2 * special.ndtr(-REACH))
