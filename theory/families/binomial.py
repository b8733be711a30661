"""The binomial family with a known number of trials: V(m) = m - m^2/N, with m = N p."""

from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen
from sympy import Expr, S, Symbol

from theory import symbols
from theory.exact import exact, share
from theory.families.base import Batch, Parameters
from theory.families.natural import NaturalFamily
from theory.innovations import Law
from theory.laws.dirichlet import Dirichlet


def _trials(value: object) -> Expr:
    trials = exact(value, "trials")
    if trials.is_number and not (trials.is_Integer and trials >= 1):
        raise ValueError(f"Binomial(trials={trials}): a point counts a whole number of trials. Give trials >= 1.")
    return trials


@frozen
class Binomial(NaturalFamily):
    """Successes in ``trials`` = N trials of chance ``p``, with source p0; one trial is the Bernoulli family.

    >>> Binomial(3).variance_function
    -3*p**2 + 3*p
    """

    p: ClassVar[Symbol] = symbols.q
    parameter = p

    trials: Expr = field(default=symbols.N, converter=_trials)
    p0: Expr = field(default=symbols.q0, converter=share("p0", "Binomial(p0={}): a probability lies between 0 and 1."))

    @property
    def unit(self) -> Expr:
        """N."""
        return self.trials

    def variance(self, mean: Expr) -> Expr:
        """Return m - m^2/N."""
        return mean - mean**2 / self.trials

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return p' ~ Beta(x + 1/2, m N - x + 1/2), the posterior of the Jeffreys prior."""
        del state
        draw = Symbol("p_draw", positive=True)
        return {self.p: draw}, (Dirichlet((draw,), (batch.statistics[0] + S.Half,), batch.size * self.trials + 1),)
