"""Bands that hold a whole curve, and the generation at which one crosses a tolerance."""

import numpy as np
from attrs import field, frozen


@frozen(eq=False)
class Band:
    """Holds whole curves, all generations at once, with probability ``level``; medians are by generation."""

    generations: np.ndarray = field(repr=False)
    low: np.ndarray = field(repr=False)
    median: np.ndarray = field(repr=False)
    high: np.ndarray = field(repr=False)
    level: float


def band(paths: np.ndarray, first: int, level: float) -> Band:
    """Return the narrowest band of equal tails whose share of whole paths, shape (paths, generations), is ``level``.

    A path's depth is the smallest rank, from either side, that it has at any generation.
    """
    ranks = paths.argsort(0).argsort(0)
    depths = np.minimum(ranks, len(paths) - 1 - ranks).min(1)
    out = int(np.quantile(depths, 1 - level, method="lower"))
    ordered = np.sort(paths, axis=0)
    generations = first + np.arange(paths.shape[1])
    return Band(generations, ordered[out], np.median(paths, axis=0), ordered[len(paths) - 1 - out], level)


@frozen(eq=False)
class Crossing:
    """When a curve first passes ``tolerance`` times its start: a posterior distribution over generations.

    Args:
        generations: one for every draw; inf where it is not passed within the generations looked at.
        tolerance: the ratio.
        seen: the last generation that was observed.
        last: the last generation that was looked at.
        level: probability of the interval.
    """

    generations: np.ndarray = field(repr=False)
    tolerance: float
    seen: int
    last: int
    level: float

    @property
    def never(self) -> float:
        """The probability that it is not passed up to generation ``last``."""
        return float(np.isinf(self.generations).mean())

    @property
    def median(self) -> float:
        """The generation by which it is passed with probability 1/2; inf where that is beyond ``last``."""
        return float(np.quantile(self.generations, 0.5, method="higher"))

    @property
    def interval(self) -> tuple[float, float]:
        """The generations between which it is passed with probability ``level``."""
        tail = (1 - self.level) / 2
        low, high = np.quantile(self.generations, [tail, 1 - tail], method="higher")
        return float(low), float(high)

    def by(self, generation: int) -> float:
        """Return the probability that it is passed by a generation."""
        return float((self.generations <= generation).mean())

    def __str__(self) -> str:
        """Return the forecast in one sentence."""
        bound = f"{'below' if self.tolerance < 1 else 'above'} {self.tolerance:g} of its start"
        if self.generations.max() <= self.seen:
            return f"{bound}: passed at generation {self.median:.0f}, as observed"
        names = [f"{x:.0f}" if np.isfinite(x) else f"beyond {self.last}" for x in (self.median, *self.interval)]
        return (
            f"{bound}: generation {names[0]} [{names[1]}, {names[2]}], not by {self.last} with probability "
            f"{self.never:.2g}"
        )


def crossing(ratios: np.ndarray, first: int, known: int, tolerance: float, level: float) -> Crossing:
    """Return the first passage of paths of ratios, shape (paths, generations), of which ``known`` were observed."""
    past = ratios < tolerance if tolerance < 1 else ratios > tolerance
    when = np.where(past.any(1), first + past.argmax(1), np.inf)
    return Crossing(when, tolerance, first + known - 1, first + ratios.shape[1] - 1, level)


def check_tolerance(tolerance: float) -> None:
    """Refuse what bounds no ratio."""
    if not 0 < tolerance < np.inf or tolerance == 1:
        raise ValueError(f"tolerance = {tolerance} is no bound on a ratio to the start. Give a number such as 0.1.")
