"""Histograms: a law that is flat in every bin, refitted to draws from itself.

Bins that stay where they are cost once: the refit of a histogram on the same bins is the same law, but for sampling.
Bins that are placed anew each time cost every time, since the law is smeared over a bin again.
"""

from typing import ClassVar, Literal

from attrs import field, frozen
from sympy import Expr, Symbol

from theory.exact import exact
from theory.families.fitted import Fitted


def _width(value: object) -> Expr:
    w = exact(value, "width")
    if w.is_positive is False:
        raise ValueError(f"HistogramDensity(width={w}): a bin has a width. Give width > 0.")
    return w


@frozen
class HistogramDensity(Fitted):
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
