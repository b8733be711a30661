"""Regimes: which data each fit sees, as a list of parts.

A regime is data. Fit k reads the parts in turn; theory pools their sufficient statistics, simulation concatenates their
points, and neither holds a weight that the other could get wrong in the same way.
"""

from abc import ABC, abstractmethod
from typing import Literal

from attrs import field, frozen
from sympy import Expr

from theory.exact import exact


@frozen
class Part:
    """``size`` points: fresh ones from the source ("real") or from the last model ("model"), or the pool of all
    before ("past").
    """

    origin: Literal["real", "model", "past"]
    size: Expr


class Regime(ABC):
    """Which data the k-th fit sees (k = 1 is the first; its "model" is the source)."""

    @abstractmethod
    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return the parts that fit k reads when each generation draws ``samples`` points."""


@frozen
class Replace(Regime):
    """Each fit sees only the samples of the model before it."""

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return M points of the last model."""
        del k
        return (Part("model", samples),)


@frozen
class Accumulate(Regime):
    """Fit k sees all k*M points drawn so far, M of them from model k - 1."""

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return the pool of (k - 1)M points and M of the last model."""
        return (Part("past", (k - 1) * samples), Part("model", samples))


def _share(value: object) -> Expr:
    alpha = exact(value, "alpha")
    if alpha.is_number and not 0 <= alpha <= 1:
        raise ValueError(f"Mixed(alpha={alpha}): a real share lies between 0 and 1. Give 0 <= alpha <= 1.")
    return alpha


@frozen
class Mixed(Regime):
    """Each fit sees exactly alpha*M fresh real points and (1 - alpha)*M of the last model (fixed count)."""

    alpha: Expr = field(converter=_share)

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return alpha*M real points and (1 - alpha)M of the last model."""
        del k
        return (Part("real", self.alpha * samples), Part("model", (1 - self.alpha) * samples))
