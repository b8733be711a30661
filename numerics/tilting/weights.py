"""Means of numbers that are known by their logarithms: their scale, and sums about the mean in units of it.

The numbers of one generation may all lie beyond floating point; what is kept of them is divided by their largest.
"""

import numpy as np
from attrs import frozen


@frozen
class Weighed:
    """What is known of N numbers y by generation: y = exp(scale) r, the mean of r, and sums of (r - mean)^2 and ^3."""

    count: int
    scale: np.ndarray
    mean: np.ndarray
    squares: np.ndarray
    cubes: np.ndarray

    def with_more(self, other: "Weighed") -> "Weighed":
        """Return both together."""
        scale = np.maximum(self.scale, other.scale)
        (N, x, x2, x3), (m, y, y2, y3) = self._in(scale), other._in(scale)
        total, gap = N + m, y - x
        squares = x2 + y2 + gap**2 * (N * m / total)
        cubes = x3 + y3 + gap**3 * (N * m * (N - m) / total**2) + 3 * gap * (N * y2 - m * x2) / total
        return Weighed(total, scale, x + gap * (m / total), squares, cubes)

    @property
    def log_mean(self) -> np.ndarray:
        """The logarithm of the mean of y."""
        with np.errstate(divide="ignore"):
            return self.scale + np.log(self.mean)

    @property
    def error(self) -> np.ndarray:
        """The standard error of the mean of y, relative to it."""
        if self.count < 2:
            return np.full(self.mean.shape, np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.sqrt(self.squares / (self.count - 1) / self.count) / self.mean

    @property
    def effective(self) -> np.ndarray:
        """The effective sample size (sum y)^2/sum y^2: as many equal numbers would have told as much."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.count / (1 + self.squares / self.count / self.mean**2)

    @property
    def third(self) -> np.ndarray:
        """The third central moment of r, and with it `variance`, its second."""
        return self.cubes / self.count

    @property
    def variance(self) -> np.ndarray:
        """The second central moment of r."""
        return self.squares / self.count

    def _in(self, scale: np.ndarray) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        # A generation at which all numbers are 0 has no scale.
        factor = np.exp(np.subtract(self.scale, scale, out=np.zeros_like(scale), where=np.isfinite(self.scale)))
        return self.count, factor * self.mean, factor**2 * self.squares, factor**3 * self.cubes


def weighed(logs: np.ndarray) -> Weighed:
    """Return what is known of numbers given their logarithms, shape (numbers, generations).

    >>> float(weighed(np.array([[-1000.0], [-1000.0]])).log_mean[0])
    -1000.0
    """
    scale = logs.max(axis=0)
    r = np.exp(logs - np.where(np.isfinite(scale), scale, 0.0))
    mean = r.mean(axis=0)
    apart = r - mean
    return Weighed(len(logs), scale, mean, (apart**2).sum(axis=0), (apart**3).sum(axis=0))
