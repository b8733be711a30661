"""The Poisson family: V(m) = m. Once all points of a generation are 0, so is the rate, for ever."""

from typing import ClassVar

from attrs import field, frozen
from sympy import Expr, Symbol

from theory import symbols
from theory.families.natural import NaturalFamily
from theory.families.one_parameter import positive


@frozen
class Poisson(NaturalFamily):
    """Counts of mean ``rate``, P(x = k) = rate^k exp(-rate)/k!, with source rate0.

    >>> Poisson().variance_function
    rate
    """

    rate: ClassVar[Symbol] = symbols.rate
    parameter = rate

    rate0: Expr = field(default=symbols.rate0, converter=positive("Poisson", "rate0", ">= 0"))

    def variance(self, mean: Expr) -> Expr:
        """Return m."""
        return mean
