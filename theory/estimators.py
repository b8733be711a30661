"""Estimators: which multiple of the unbiased sample variance a fit reports.

An estimator is data, the multiplier c(m) at sample size m: V_hat = c(m) * SS/(m - 1), with SS the sum of squares about
the sample mean. Families without a free variance know only the maximum likelihood fit, which for them is unbiased too.
"""

from abc import ABC, abstractmethod

from attrs import field, frozen
from sympy import Expr, S

from theory.exact import exact


class Estimator(ABC):
    """How a sample becomes fitted parameters."""

    @abstractmethod
    def multiplier(self, size: Expr) -> Expr:
        """Return c(size), the factor on the unbiased (ddof = 1) sample variance."""


@frozen
class MLE(Estimator):
    """Maximum likelihood: c(m) = (m - 1)/m, i.e. ddof = 0.

    >>> from theory.symbols import M
    >>> MLE().multiplier(M)
    (M - 1)/M
    """

    def multiplier(self, size: Expr) -> Expr:
        """Return (size - 1)/size."""
        return (size - 1) / size


@frozen
class Unbiased(Estimator):
    """Unbiased variance: c = 1, i.e. ddof = 1."""

    def multiplier(self, size: Expr) -> Expr:
        """Return 1."""
        del size
        return S.One


def _positive(value: object) -> Expr:
    c = exact(value, "c")
    if c.is_positive is False:
        raise ValueError(f"Scaled(c={c}) would fit a variance that is not positive. Give c > 0; c = 1 is unbiased.")
    return c


@frozen
class Scaled(Estimator):
    """V_hat = c * SS/(m - 1) for a constant c > 0, a number or a symbol.

    >>> Scaled(2).multiplier(None)
    2
    """

    c: Expr = field(converter=_positive)

    def multiplier(self, size: Expr) -> Expr:
        """Return c."""
        del size
        return self.c
