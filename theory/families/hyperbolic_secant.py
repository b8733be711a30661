"""The generalised hyperbolic secant family with a known shape: V(m) = r + m^2/r, Morris's sixth."""

from typing import ClassVar

from attrs import field, frozen
from sympy import Expr, Symbol

from theory import symbols
from theory.exact import finite
from theory.families.natural import NaturalFamily
from theory.families.one_parameter import positive


@frozen
class HyperbolicSecant(NaturalFamily):
    """The law of mean ``mean`` and shape r; for r = 1 its density is cos(t) exp(t x)/(2 cosh(pi x/2)), tan(t) = mean.

    With shape r it is the law of a sum of r points of shape 1 and mean ``mean``/r.

    Args:
        shape: r > 0.
        mean0: mean of the source, any real number.

    >>> HyperbolicSecant(1).variance_function
    mean**2 + 1
    """

    mean: ClassVar[Symbol] = symbols.real_mean
    parameter = mean

    shape: Expr = field(default=symbols.r, converter=positive("HyperbolicSecant", "shape"))
    mean0: Expr = field(default=symbols.real_mean0, converter=lambda value: finite(value, "mean0"))

    def variance(self, mean: Expr) -> Expr:
        """Return r + m^2/r."""
        return self.shape + mean**2 / self.shape
