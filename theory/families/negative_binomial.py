"""The negative binomial family with a known shape: V(m) = m + m^2/r, a Poisson law with a gamma rate."""

from typing import ClassVar

from attrs import field, frozen
from sympy import Expr, Symbol

from theory import symbols
from theory.families.natural import NaturalFamily
from theory.families.one_parameter import positive


@frozen
class NegativeBinomial(NaturalFamily):
    """Counts of mean ``mean`` and shape r, P(x = k) = binomial(k + r - 1, k) (r/(r + mean))^r (mean/(r + mean))^k.

    Args:
        shape: r > 0; 1 is the geometric family.
        mean0: mean of the source, >= 0.

    >>> NegativeBinomial(2).variance_function
    mean**2/2 + mean
    """

    mean: ClassVar[Symbol] = symbols.count_mean
    parameter = mean

    shape: Expr = field(default=symbols.r, converter=positive("NegativeBinomial", "shape"))
    mean0: Expr = field(default=symbols.count_mean0, converter=positive("NegativeBinomial", "mean0", ">= 0"))

    def variance(self, mean: Expr) -> Expr:
        """Return m + m^2/r."""
        return mean + mean**2 / self.shape
