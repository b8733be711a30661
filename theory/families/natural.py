"""Natural exponential families with quadratic variance, V(m) = v0 + v1 m + v2 m^2, through their variance function.

Fitting by maximum likelihood is matching the mean: the sum of the points is all that a fit reads, and its moments
follow from V (`theory.laws.natural_sum`). A family of this kind is its parameter and its V.
"""

from abc import abstractmethod
from collections.abc import Iterable

from attrs import frozen
from sympy import Expr, S, Symbol

from theory.estimators import Estimator
from theory.families.base import Batch, Parameters
from theory.families.one_parameter import Additive
from theory.laws.natural_sum import POINT, NaturalSum
from theory.points import NaturalPoints, Points


@frozen
class NaturalFamily(Additive):
    """A family with density proportional to exp(theta x), fitted through its mean m = unit * parameter."""

    @abstractmethod
    def variance(self, mean: Expr) -> Expr:
        """Return V(mean), the variance of a point."""

    @property
    def unit(self) -> Expr:
        """The mean of a point when the parameter is 1."""
        return S.One

    @property
    def variance_function(self) -> Expr:
        """V at the model: the variance of one of its points, an observable."""
        return self.variance(self.unit * self.parameter).expand()

    def point(self) -> tuple[Expr, Expr]:
        """Return (m, V(m)) at the model's mean m."""
        return self.unit * self.parameter, self.variance_function

    def centred(self) -> tuple[Expr, Points]:
        """Return the mean of a source point, and its moments about that by the rule of `NaturalSum`."""
        mean, point = self.unit * self.initial, Symbol("x", **self._sign)
        law = NaturalSum(point, S.One, mean, self.variance(POINT), type(self).__name__)
        return mean, NaturalPoints(law, mean)

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the sum of the points."""
        total, mean = Symbol(f"x_{label}", **self._sign), self.unit * law[self.parameter]
        return Batch(size, (total,), (NaturalSum(total, size, mean, self.variance(POINT), type(self).__name__),))

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return parameter = x/(m unit), the sample mean in units of the parameter: maximum likelihood, unbiased."""
        del estimator, state
        return {self.parameter: batch.statistics[0] / (batch.size * self.unit)}

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return the sum x = m unit parameter."""
        del estimator
        return Batch(size, (size * self.unit * law[self.parameter],))

    def assumptions(self) -> tuple[str, ...]:
        """Return what the sum's law needs."""
        return (f"the source is in the {type(self).__name__} family", "points of a generation are independent")
