"""Spectral filters: least squares weights shrunken direction by direction, by ridge or by stopping gradient descent.

Along an eigendirection of X'X with eigenvalue S the fit is a(S) times the least squares weight, or a step of that share
towards it from the last model.
"""

from abc import abstractmethod
from typing import Any

from attrs import field, frozen
from sympy import Expr

from theory.constants import Constant
from theory.estimators import MLE, Estimator
from theory.exact import counted, exact


class SpectralFilter(Estimator):
    """An estimator of regression weights on a given design."""

    keeps_statistics = False
    warm: bool = False
    """Whether the fit starts from the last model instead of 0."""

    @abstractmethod
    def share(self, eigenvalue: Expr) -> Expr:
        """Return a(S), the share of the least squares weight that is reached."""

    def divisor(self, size: Expr) -> Expr:
        """Refuse: a filter fits no variance."""
        del size
        raise ValueError(f"{self} fits the weights of a regression, no variance. Use MLE().")

    def fit(self, family: Any, batch: Any, last: Any, state: Any) -> Any:
        """Return the filtered weights with the laws of the batch."""
        del last
        self.require_design(family)
        return family.fit(batch, self, state), batch.laws

    def exact(self) -> Estimator:
        """Return least squares."""
        return MLE()

    def require_design(self, family: Any) -> None:
        """Raise ValueError for a family that has no design whose directions could be filtered."""
        if not getattr(family, "has_design", False):
            raise ValueError(
                f"{self} fits the weights of a regression, and {type(family).__name__} has none. Use MLE()."
            )


def _penalty(value: object) -> Expr:
    lam = exact(value, "lam")
    if lam.is_negative:
        raise ValueError(f"Ridge(lam={lam}): a penalty is not negative. Give lam >= 0; 0 is least squares.")
    return lam


@frozen
class Ridge(SpectralFilter):
    """argmin |y - X w|^2 + lam |w|^2: a(S) = S/(S + lam).

    Args:
        lam: penalty, >= 0.

    >>> from sympy import Symbol
    >>> Ridge(2).share(Symbol("S"))
    S/(S + 2)
    """

    lam: Expr = field(converter=_penalty)

    def share(self, eigenvalue: Expr) -> Expr:
        """Return S/(S + lam)."""
        return eigenvalue / (eigenvalue + self.lam)


def _rate(value: object) -> Expr:
    rate = exact(value, "rate")
    if rate.is_positive is False:
        raise ValueError(f"GradientDescent(rate={rate}): a step size is positive. Give rate > 0.")
    return rate


@frozen
class GradientDescent(SpectralFilter):
    """Steps w <- w + rate X'(y - X w): a(S) = 1 - (1 - rate S)^steps.

    Args:
        steps: number of steps, >= 1.
        rate: step size, > 0; descent converges for rate < 2/S.
        warm: whether the steps start from the last model's weights, not from 0.

    >>> from sympy import Symbol
    >>> GradientDescent(1, 2).share(Symbol("S"))
    2*S
    """

    steps: Expr = field(converter=counted("steps", "GradientDescent(steps={}): steps are counted."))
    rate: Expr = field(converter=_rate)
    warm: bool = field(default=False, kw_only=True)

    def share(self, eigenvalue: Expr) -> Expr:
        """Return 1 - (1 - rate S)^steps."""
        left = (1 - self.rate * eigenvalue) ** self.steps
        return 1 - (left if self.steps.is_Integer else Constant(left))
