"""The Pareto family with a known least value, its tail index fitted by maximum likelihood.

log(x/x_m) is exponential of mean 1/alpha, so m points have sum of logarithms chi-square(2m)/(2 alpha).
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from attrs import field, frozen
from sympy import Add, Expr, S, Symbol

from theory import symbols
from theory.errors import NotClosed
from theory.estimators import Estimator
from theory.families.base import Batch, Parameters
from theory.families.one_parameter import Additive, positive
from theory.innovations import ChiSquare, Law


@frozen
class Pareto(Additive):
    """P(x > t) = (least/t)^alpha for t >= least, with source alpha0.

    Under accumulation and mixing 1/alpha derives and alpha itself does not: it is one over a sum.

    Args:
        alpha0: tail index of the source, > 0.
        least: the known least value x_m > 0; no fit depends on it.

    >>> Pareto().source()
    {alpha: alpha0}
    """

    alpha: ClassVar[Symbol] = symbols.tail
    parameter = alpha

    alpha0: Expr = field(default=symbols.tail0, converter=positive("Pareto", "alpha0"))
    least: Expr = field(default=S.One, converter=positive("Pareto", "least"))

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the sum of log(x/x_m), chi/(2 alpha) with chi ~ chi-square(2m)."""
        chi = Symbol(f"chi_{label}", positive=True)
        return Batch(size, (chi / (2 * law[self.alpha]),), (ChiSquare(chi, 2 * size),))

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return alpha = m/sum log(x/x_m)."""
        del estimator, state
        return {self.alpha: batch.size / batch.statistics[0]}

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return the sum of logarithms, m/alpha."""
        del estimator
        return Batch(size, (size / law[self.alpha],))

    def weighted(self, fits: Sequence[Parameters], weights: Sequence[Expr], *, between: bool) -> Parameters:
        """Return alpha = 1/sum w_i/alpha_i: the weighted likelihood averages the logarithms."""
        del between
        return {self.alpha: 1 / Add(*(w / fit[self.alpha] for w, fit in zip(weights, fits, strict=True)))}

    def target(self, batch: Batch, model: Parameters, state: Sequence[Expr]) -> Parameters:
        """Refuse: a gradient step on alpha may leave the positive numbers."""
        del batch, model, state
        raise NotClosed(
            "estimator: a gradient step on a tail index may leave the positive numbers, and is then no law. "
            "Ask for Damped(k)."
        )

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return alpha' = chi/(2 sum log(x/x_m)), chi ~ chi-square(2m), the posterior of the prior 1/alpha."""
        del state
        chi = Symbol("chi_draw", positive=True)
        return {self.alpha: chi / (2 * batch.statistics[0])}, (ChiSquare(chi, 2 * batch.size),)

    def assumptions(self) -> tuple[str, ...]:
        """Return what the sum's law needs."""
        return ("the source is a Pareto law of the same least value", "points of a generation are independent")
