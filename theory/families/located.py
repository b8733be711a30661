"""`LocationScale`: laws of one shape, moved and stretched, that are fitted as well as drawn from.

A fit that moves and stretches with its points makes of m of them (c + w u, w g), (u, g) the fit to m points of the law
with centre 0 and width 1, whatever the model was: a walk of the centre and a product of widths.
"""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from sympy import Expr, Symbol

from theory.errors import NotClosed
from theory.estimators import MLE, Estimator
from theory.families.base import Batch, Derivable, Parameters
from theory.innovations import Law
from theory.points import Points
from theory.sampling import Sampling, Tempered


class LocationScale(Derivable):
    """The density f((x - centre)/width)/width of a symmetric f, with both fitted by maximum likelihood."""

    centre: ClassVar[Symbol] = Symbol("centre", real=True)
    width: ClassVar[Symbol] = Symbol("width", positive=True)

    @abstractmethod
    def initial(self) -> tuple[Expr, Expr]:
        """Return centre and width of the source."""

    @abstractmethod
    def standard(self, size: Expr, label: str) -> tuple[Expr, Expr, tuple[Law, ...]]:
        """Return centre and width fitted to ``size`` points of the law with centre 0 and width 1, and their laws."""

    @abstractmethod
    def unit(self) -> Points:
        """Return a point of the law with centre 0 and width 1."""

    @abstractmethod
    def distance(self, metric: str) -> Expr:
        """Return a metric of `theory.risk` between the source and a model as an observable, or refuse."""

    def source(self) -> Parameters:
        """Return {centre: .., width: ..} of the source."""
        return dict(zip((self.centre, self.width), self.initial(), strict=True))

    def check(self, loop: Any) -> None:
        """Refuse whatever is no plain fit: a step or a shrunken fit would need more than the law of the fit."""
        if loop.estimator != MLE():
            raise NotClosed(
                f"estimator: {loop.estimator} of a {self.title} law is not derived. Ask for MLE(), or simulate(loop)."
            )

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the fit to points of a law, (c + w u, w g)."""
        u, g, laws = self.standard(size, label)
        return Batch(size, (law[self.centre] + law[self.width] * u, law[self.width] * g), laws)

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return centre and width."""
        del estimator, state
        return dict(zip((self.centre, self.width), batch.statistics, strict=True))

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Refuse: the fit to two samples together does not follow from the fits to each."""
        del one, two
        raise self._refusal("regime", "moments of a fit to points of two laws")

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Refuse: a fit does not tell the points behind it."""
        del law, size, estimator
        raise self._refusal("regime", "moments of a fit to a pool of points")

    def weighted(self, fits: Any, weights: Any, *, between: bool) -> Parameters:
        """Refuse: the weighted fit does not follow from the fits to the parts."""
        del fits, weights, between
        raise self._refusal("regime", "weighted fit from the fits to its parts")

    def tempered(self, width: Expr, tau: Expr) -> Expr:
        """Return the width of the density to the power 1/tau, where that is of the same shape."""
        del width, tau
        raise self._refusal("sampling", "tempered law of the same shape")

    def distorted(self, law: Parameters, sampling: Sampling) -> Parameters:
        """Return the tempered law."""
        if not isinstance(sampling, Tempered):
            return Derivable.distorted(self, law, sampling)
        return {**law, self.width: self.tempered(law[self.width], sampling.tau)}

    def point(self) -> tuple[Expr, Expr]:
        """Return (centre, width^2 v), v the variance at width 1."""
        return self.centre, self.width**2 * self.unit().moment(2)

    def assumptions(self) -> tuple[str, ...]:
        """Return what the law of a fit needs."""
        return (f"the source is of the {self.title} family", "points of a generation are independent")
