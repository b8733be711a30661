"""The exponential family of waiting times: V(m) = m^2, the gamma family of shape 1."""

from attrs import field, frozen
from sympy import Expr, S

from theory import symbols
from theory.families.gamma import GammaFamily
from theory.families.one_parameter import positive


@frozen
class Exponential(GammaFamily):
    """Density exp(-x/mean)/mean on x > 0, with source mean0; at temperature tau it is the same with tau * mean.

    >>> Exponential().variance_function
    mean**2
    """

    mean0: Expr = field(default=symbols.mean0, converter=positive("Exponential", "mean0"))

    @property
    def r(self) -> Expr:
        """1."""
        return S.One
