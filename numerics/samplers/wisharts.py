"""Tables for random triangles: the chi-square quantiles of their diagonals as polynomials, a column for each row."""

from typing import Any

import numpy as np
from numpy.polynomial import chebyshev as cheb

from numerics.samplers.normal import REACH
from numerics.samplers.quantiles import POWERS, series


def degrees(df: Any, dimension: int, backwards: bool) -> Any:
    """Return df - j for row j, 0 where there is none; backwards for row d - 1 - j."""
    steps = np.arange(dimension)[:: -1 if backwards else 1]
    return np.maximum(np.asarray(df)[..., None] - steps, 0)


def table(df: Any, dimension: int, backwards: bool, precision: str) -> np.ndarray:
    """Return the coefficients of log(chi/df) of every row, shape (degree + 1, d), or of a list (length, degree + 1, d).

    In powers where all degrees are low and in Chebyshev's polynomials otherwise, as `quantiles.log_ratio` reads them.
    """
    free = degrees(df, dimension, backwards)
    rows = {one: series(one, precision) if one > 0 else (0.0,) for one in {float(x) for x in free.ravel()}}
    longest = max(map(len, rows.values()))
    low = free.ndim == 1 and longest <= POWERS + 1
    width = longest if low else max(POWERS + 2, longest)
    columns = np.zeros((*free.shape, width))
    for place in np.ndindex(free.shape):
        row = np.pad(rows[float(free[place])], (0, width - len(rows[float(free[place])])))
        columns[place] = _powers(row) if low else row
    return np.moveaxis(columns, -1, -2)


def _powers(row: np.ndarray) -> np.ndarray:
    powers = cheb.cheb2poly(row)
    return np.pad(powers, (0, len(row) - len(powers))) / REACH ** np.arange(len(row))
