"""Estimators: how a sample becomes fitted parameters, and which learning procedure stands between.

The plain ones divide the sum of squares about the sample mean, V_hat = SS/d(m), which is c(m) = (m - 1)/d(m) times the
unbiased sample variance. What a procedure does with such a fit is said in `procedures`.
"""

from abc import ABC, abstractmethod
from typing import Any

from attrs import field, frozen
from sympy import Expr, S, Symbol, exp

from theory.constants import unfold
from theory.exact import exact
from theory.innovations import ChiSquare, Law

Fit = tuple[Any, tuple[Law, ...]]
"""Fitted parameters by state symbol, and the laws of the innovations in them."""


class Estimator(ABC):
    """How a sample becomes fitted parameters."""

    keeps_statistics = True
    """Whether the sample's statistics can be read back from the fit, so that a pool needs no memory of its own."""

    @property
    def needs_variance(self) -> bool:
        """Whether it has a meaning only where a variance is fitted."""
        return False

    def suits(self, family: Any) -> bool:
        """Return whether it has a meaning for the family's fit."""
        return family.has_variance or not self.needs_variance

    def misfit(self, family: Any) -> str:
        """Return why it does not suit a family."""
        return f"{self} changes a variance, and {type(family).__name__} fits none"

    @abstractmethod
    def divisor(self, size: Expr) -> Expr:
        """Return d(size), what the sum of squares is divided by."""

    def multiplier(self, size: Expr) -> Expr:
        """Return c(size) = (size - 1)/d(size), the factor on the unbiased (ddof = 1) sample variance."""
        return (size - 1) / self.divisor(size)

    def exists(self, size: Expr) -> Expr | None:
        """Return the quantity that must be positive for c(size) to exist, None where it always does."""
        del size
        return None

    def fit(self, family: Any, batch: Any, last: Any, state: Any) -> Fit:
        """Return the fit of a batch; ``last`` is the model before, for procedures that start from it."""
        del last
        return family.fit(batch, self, state), batch.laws

    def population(self) -> "Estimator":
        """Return the estimator that this one is for infinitely many points."""
        return self

    def exact(self) -> "Estimator":
        """Return the estimator with its approximation error off: maximum likelihood or unbiased as it is."""
        return self


@frozen
class MLE(Estimator):
    """Maximum likelihood: c(m) = (m - 1)/m, i.e. ddof = 0.

    >>> from theory.symbols import M
    >>> MLE().multiplier(M)
    (M - 1)/M
    """

    def divisor(self, size: Expr) -> Expr:
        """Return size."""
        return size


@frozen
class Unbiased(Estimator):
    """Unbiased variance: c = 1, i.e. ddof = 1."""

    def divisor(self, size: Expr) -> Expr:
        """Return size - 1."""
        return size - 1


class Rescaled(Estimator):
    """Another multiple of the unbiased variance, chosen for an aim of its own."""

    @property
    def needs_variance(self) -> bool:
        """Whether it has a meaning only where a variance is fitted: always."""
        return True

    def exact(self) -> Estimator:
        """Return the unbiased variance."""
        return Unbiased()


@frozen
class MinMSE(Rescaled):
    """Least mean squared error of V among all multiples: c(m) = (m - 1)/(m + 1).

    >>> from theory.symbols import M
    >>> MinMSE().multiplier(M)
    (M - 1)/(M + 1)
    """

    def divisor(self, size: Expr) -> Expr:
        """Return size + 1."""
        return size + 1


def _power(value: object) -> Expr:
    return exact(value, "power")


@frozen
class UnbiasedFor(Rescaled):
    """E V_hat^k = V^k: c(m) = nu/E[chi^k]^(1/k) with chi ~ chi-square(nu), nu = m - 1; k = 0 is unbiased for log V.

    Args:
        power: k, any exact real number with m - 1 + 2k > 0: 1/2 is unbiased for sigma, 0 for log V, -1 for 1/V.

    >>> from theory.symbols import M
    >>> UnbiasedFor(-1).multiplier(M)
    (M - 1)/(M - 3)
    """

    power: Expr = field(converter=_power)

    def divisor(self, size: Expr) -> Expr:
        """Return E[chi^k]^(1/k), or exp(E log chi) for k = 0; 0 where chi^k has no mean."""
        squares, k = ChiSquare(Symbol("chi", positive=True), size - 1), self.power
        if size.is_number and size - 1 + 2 * min(k, S.Zero) <= 0:
            return S.Zero
        if k == 0:
            return exp(unfold(squares.moment((S.Zero,), (1,))))
        return squares.moment((k,), (0,)) ** (1 / k)

    def population(self) -> Estimator:
        """Return the unbiased variance, which c tends to."""
        return Unbiased()

    def exists(self, size: Expr) -> Expr | None:
        """Return size - 1 + 2k, positive exactly when E[chi^k] is finite."""
        return size - 1 + 2 * self.power if self.power.is_negative else None


def _positive(value: object) -> Expr:
    c = exact(value, "c")
    if c.is_positive is False:
        raise ValueError(f"Scaled(c={c}) would fit a variance that is not positive. Give c > 0; c = 1 is unbiased.")
    return c


@frozen
class Scaled(Rescaled):
    """V_hat = c * SS/(m - 1) for a constant c > 0, a number or a symbol.

    >>> Scaled(2).multiplier(None)
    2
    """

    c: Expr = field(converter=_positive)

    def divisor(self, size: Expr) -> Expr:
        """Return (size - 1)/c."""
        return (size - 1) / self.c

    def multiplier(self, size: Expr) -> Expr:
        """Return c."""
        del size
        return self.c
