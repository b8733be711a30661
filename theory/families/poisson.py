"""The Poisson family: V(m) = m. Once all points of a generation are 0, so is the rate, for ever."""

from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen
from sympy import Expr, Symbol

from theory import symbols
from theory.families.base import Batch, Parameters
from theory.families.natural import NaturalFamily
from theory.families.one_parameter import positive
from theory.innovations import ChiSquare, Law


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

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return rate' = chi/(2m), chi ~ chi-square(2 sum x + 1), the posterior of the prior 1/sqrt(rate)."""
        del state
        chi = Symbol("chi_draw", positive=True)
        return {self.rate: chi / (2 * batch.size)}, (ChiSquare(chi, 2 * batch.statistics[0] + 1),)
