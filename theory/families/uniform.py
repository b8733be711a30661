"""The uniform family on (0, theta), fitted by its maximum."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from attrs import field, frozen
from sympy import Expr, Symbol, log

from theory import symbols
from theory.errors import NotClosed
from theory.estimators import Estimator
from theory.families.base import Batch, Derivable, Parameters
from theory.families.one_parameter import OneParameter, positive
from theory.innovations import Law
from theory.laws.maximum import Maximum
from theory.points import IntervalPoints, Points
from theory.sampling import Sampling, Tempered


@frozen
class Uniform(OneParameter):
    """Density 1/theta on (0, theta), with source theta0; maximum likelihood fits the largest point.

    >>> Uniform().source()
    {theta: theta0}
    """

    theta: ClassVar[Symbol] = symbols.theta
    parameter = theta

    theta0: Expr = field(default=symbols.theta0, converter=positive("Uniform", "theta0"))

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the largest point, theta b with b ~ Beta(m, 1)."""
        top = Symbol(f"b_{label}", positive=True)
        return Batch(size, (law[self.theta] * top,), (Maximum(top, size),))

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the larger of two maxima, where it is known which that is: b theta never exceeds theta."""
        for larger, smaller in ((one, two), (two, one)):
            ratio = smaller.statistics[0] / larger.statistics[0]
            if ratio == 1 or any(ratio == law.symbol for law in smaller.laws if isinstance(law, Maximum)):
                return Batch(one.size + two.size, larger.statistics, larger.laws)
        raise NotClosed(
            f"regime: the larger of {one.statistics[0]} and {two.statistics[0]} has moments that need ever higher "
            "powers of theta. Ask simulate(loop), or the replace or accumulate regime."
        )

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return theta = the largest point."""
        del estimator, state
        return {self.theta: batch.statistics[0]}

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return the largest point, theta."""
        del estimator
        return Batch(size, (law[self.theta],))

    def distorted(self, law: Parameters, sampling: Sampling) -> Parameters:
        """Return the law itself at any temperature: a constant density stays one."""
        return law if isinstance(sampling, Tempered) else Derivable.distorted(self, law, sampling)

    def weighted(self, fits: Sequence[Parameters], weights: Sequence[Expr], *, between: bool) -> Parameters:
        """Refuse: no weight above 0 changes which point is the largest."""
        del fits, weights, between
        raise NotClosed(
            "regime: the largest point is fitted whatever its weight, so weights say nothing here. "
            "Ask for the replace or the accumulate regime."
        )

    def target(self, batch: Batch, model: Parameters, state: Sequence[Expr]) -> Parameters:
        """Refuse: the likelihood has no derivative at its maximum."""
        del batch, model, state
        raise NotClosed(
            "estimator: the likelihood of a uniform law has no derivative at its maximum, so a gradient step leads "
            "nowhere. Ask for Damped(k)."
        )

    def centred(self) -> tuple[Expr, Points]:
        """Return theta0/2, and the uniform law about it."""
        return self.initial / 2, IntervalPoints(self.initial / 2)

    def differential_entropy(self) -> Expr:
        """Return log theta0."""
        return log(self.initial)

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return theta' = max/b, b ~ Beta(m, 1), the posterior of the prior 1/theta."""
        del state
        top = Symbol("b_draw", positive=True)
        return {self.theta: batch.statistics[0] / top}, (Maximum(top, batch.size),)

    def assumptions(self) -> tuple[str, ...]:
        """Return what the maximum's law needs."""
        return ("the source is uniform on (0, theta0)", "points of a generation are independent")
