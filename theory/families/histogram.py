"""Histograms: a law that is flat in every bin, refitted to draws from itself.

Bins that stay where they are cost once: the refit of a histogram on the same bins is the same law, but for sampling.
Bins that are placed anew each time cost every time, since the law is smeared over a bin again.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

from attrs import field, frozen
from sympy import Expr, Max, Min, Rational, S, Symbol, ceiling, floor

from theory.errors import NotClosed
from theory.exact import exact
from theory.families.base import Family
from theory.families.outside import Empirical, UniformOn
from theory.families.smoothed import Moments, Smoothed, convolved, deconvolved
from theory.innovations import Law
from theory.points import IntervalPoints, ListedPoints, Points


def _width(value: object) -> Expr:
    w = exact(value, "width")
    if w.is_positive is False:
        raise ValueError(f"HistogramDensity(width={w}): a bin has a width. Give width > 0.")
    return w


@frozen
class HistogramDensity(Smoothed):
    """f(x) = N(bin of x)/(m w): m points counted in bins [a + k w, a + (k + 1) w), k any whole number.

    Args:
        width: w > 0.
        bins: "fixed", a = 0 in every fit; or "random", a uniform on [0, w) and drawn for every fit.

    Recorded by a simulation: `mu` and `V` of the density, V that of the bins' middles plus w^2/12, and `occupied`, how
    many bins hold a point, 0 for the source.

    >>> HistogramDensity(1, bins="random")
    HistogramDensity(width=1, bins='random')
    """

    occupied: ClassVar[Symbol] = Symbol("occupied", nonnegative=True)

    width: Expr = field(converter=_width)
    bins: Literal["fixed", "random"] = "fixed"

    def __attrs_post_init__(self) -> None:
        """Refuse a way to place bins that is none."""
        if self.bins not in ("fixed", "random"):
            raise ValueError(f"HistogramDensity: bins = {self.bins!r} is no way to place bins. Choose fixed or random.")

    def kept(self, source: Family) -> Points:
        """Return the middle of a real point's bin where bins stay, the point itself where they are placed anew."""
        return _middles(source, self.width) if self.bins == "fixed" else super().kept(source)

    def kept_of_model(self, moments: Moments) -> Moments:
        """Return the moments of the middle of a bin that stays: a point in it lies anywhere."""
        return deconvolved(moments, self._flat) if self.bins == "fixed" else moments

    def smeared(self, means: Moments, size: Expr) -> Moments:
        """Return the moments of a point anywhere in its bin; over all places of the bin, its middle lies anywhere
        about the point that was counted.
        """
        del size
        middles = means if self.bins == "fixed" else convolved(means, self._flat)
        return convolved(middles, self._flat)

    def scattered(self, moments: Moments) -> tuple[Moments, tuple[Law, ...]]:
        """Return the moments, which the place of the bins moves about their mean where it is random."""
        if self.bins == "fixed":
            return moments, ()
        placed = tuple(Symbol(f"q{j}", real=True) for j in range(1, len(moments) + 1))
        return placed, (Placed(placed, moments),)

    def kept_by(self, moments: Moments, size: Expr) -> Moments:
        """Return the means over the bins' middles, where bins stay."""
        return self.kept_of_model(moments) if self.bins == "fixed" else super().kept_by(moments, size)

    @property
    def _flat(self) -> Points:
        return IntervalPoints(self.width / 2)


@frozen
class Placed(Law):
    """Moments of a model on bins placed at random, given the sample: their means over the place of the bins.

    Two points' bins are placed together, and what that ties them by is periodic in their distance and no polynomial, so
    only means are known.
    """

    vanishes: ClassVar[bool] = False

    symbols: tuple[Symbol, ...]
    values: Moments

    def means(self) -> tuple[Expr, ...]:
        """Return the means."""
        return self.values

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return the mean of one moment."""
        if any(logs) or sum(powers) != 1:
            raise NotClosed(
                "family: bins placed at random tie two points by their distance in widths, so products of moments do "
                "not close. Ask for V + (mu - m)**2, m the mean of the source, which is the variance over runs, or "
                "simulate(loop)."
            )
        return self.values[tuple(powers).index(S.One)]


def _middles(source: Family, width: Expr) -> Points:
    """Return the law of the middle of a real point's bin, about the mean of the source."""
    mean = source.centred()[0]
    if isinstance(source, Empirical):
        places = [_middle(x, width) for x in source.values]
        return ListedPoints(tuple(places), (Rational(1, len(places)),) * len(places), mean)
    if isinstance(source, UniformOn):
        bins = range(int(floor(source.lower / width)), int(ceiling(source.upper / width)))
        cut = [(Max(k * width, source.lower), Min((k + 1) * width, source.upper)) for k in bins]
        length = source.upper - source.lower
        places = tuple(_middle(low, width) for low, _ in cut)
        return ListedPoints(places, tuple((high - low) / length for low, high in cut), mean)
    raise NotClosed(
        f"source: the bins of {source} are infinitely many, and their middles have no moments in closed form. "
        "Give an Empirical or a UniformOn source, or ask simulate(loop)."
    )


def _middle(x: Expr, width: Expr) -> Expr:
    return (floor(x / width) + S.Half) * width
