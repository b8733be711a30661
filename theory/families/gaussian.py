"""The Gaussian family N(mu, V), with mean and variance both fitted.

By Cochran's theorem a sample of m points has mean mu + eps, eps ~ N(0, V/m), and sum of squares V * chi2_(m-1) about
it, independent of each other: everything below follows from these two.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from attrs import field, frozen
from sympy import Expr, Symbol

from theory import symbols
from theory.estimators import Estimator
from theory.exact import exact
from theory.families.base import Batch, Derivable, Parameters
from theory.innovations import ChiSquare, Normal
from theory.sampling import Sampling, Tempered


def _variance(value: object) -> Expr:
    V0 = exact(value, "V0")
    if V0.is_positive is False:
        raise ValueError(f"Gaussian(V0={V0}): a variance is positive. Give V0 > 0.")
    return V0


@frozen
class Gaussian(Derivable):
    """N(mu, V) with source N(mu0, V0).

    Args:
        mu0: mean of the source.
        V0: variance of the source, > 0.

    >>> Gaussian(mu0=0, V0=1).source()
    {mu: 0, V: 1}
    """

    mu: ClassVar[Symbol] = symbols.mu
    V: ClassVar[Symbol] = symbols.V
    has_variance = True

    mu0: Expr = field(default=symbols.mu0, converter=lambda value: exact(value, "mu0"))
    V0: Expr = field(default=symbols.V0, converter=_variance)

    def source(self) -> Parameters:
        """Return {mu: mu0, V: V0}."""
        return {self.mu: self.mu0, self.V: self.V0}

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return (mean, sum of squares) = (mu + eps, V chi), eps ~ N(0, V/m), chi ~ chi-square(m - 1)."""
        eps, chi = Symbol(f"eps_{label}", real=True), Symbol(f"chi_{label}", positive=True)
        laws = (Normal(eps, law[self.V] / size), ChiSquare(chi, size - 1))
        return Batch(size, (law[self.mu] + eps, law[self.V] * chi), laws)

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the pooled mean and SS = SS_1 + SS_2 + m_1 m_2/(m_1 + m_2) (xbar_1 - xbar_2)^2."""
        size = one.size + two.size
        (mean1, squares1), (mean2, squares2) = one.statistics, two.statistics
        mean = (one.size * mean1 + two.size * mean2) / size
        between = one.size * two.size / size * (mean1 - mean2) ** 2
        return Batch(size, (mean, squares1 + squares2 + between), one.laws + two.laws)

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return mu = xbar and V = c(m) SS/(m - 1)."""
        del state
        mean, squares = batch.statistics
        return {self.mu: mean, self.V: estimator.multiplier(batch.size) * squares / (batch.size - 1)}

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return xbar = mu and SS = (m - 1) V/c(m)."""
        squares = (size - 1) * law[self.V] / estimator.multiplier(size)
        return Batch(size, (law[self.mu], squares))

    def distorted(self, law: Parameters, sampling: Sampling) -> Parameters:
        """Return N(mu, tau V) for tempered sampling: f^(1/tau) of a Gaussian is one with tau times the variance."""
        if isinstance(sampling, Tempered):
            return {self.mu: law[self.mu], self.V: sampling.tau * law[self.V]}
        return Derivable.distorted(self, law, sampling)

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put into mu0 and V0."""
        return type(self)(self.mu0.subs(values), self.V0.subs(values))

    def assumptions(self) -> tuple[str, ...]:
        """Return what Cochran's theorem needs."""
        return ("the source is Gaussian", "points of a generation are independent", "at least two points are fitted")
