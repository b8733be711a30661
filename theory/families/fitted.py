"""`Fitted`: families that can be fitted and sampled, and whose refits have no parameters with moments of their own.

They can be simulated like any other; a derivation refuses them by name, unless it finds other moments that close, as
`theory.families.smoothed` does. What they are fitted to first is any law of
points of their dimension, so their source is an axis of the loop: Loop(KernelDensity(), source=Gaussian(0, 1)).
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from attrs import frozen
from sympy import Expr, Symbol

from theory import symbols
from theory.axes import substituted
from theory.errors import NotClosed
from theory.families.base import Family, Parameters


@frozen
class Fitted(Family):
    """A family that has only a fit and a sampler. Recorded of a model are its mean `mu` and its variance `V`."""

    mu: ClassVar[Any] = symbols.mu
    V: ClassVar[Any] = symbols.V

    @property
    def dimension(self) -> int:
        """The number of coordinates of a point."""
        return 1

    @property
    def stands_alone(self) -> bool:
        """Whether the family says its own source, so that the loop need not name one."""
        return False

    def source(self) -> Parameters:
        """Return no parameters: the source is a law of its own."""
        return {}

    @property
    def free_symbols(self) -> set[Symbol]:
        """No symbols: what is fitted is numbers."""
        return set()

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put in."""
        return substituted(self, values)

    def project(self, source: Family) -> Family:
        """Return the family: it is fitted to whatever is drawn, and what it comes to is left to a simulation.

        Raises:
            ValueError: a source of another dimension.
        """
        if (d := _dimension(source)) != self.dimension:
            raise ValueError(
                f"source: {type(source).__name__} points have {d} coordinates, and {type(self).__name__} fits "
                f"{self.dimension}. Give both the same dimension."
            )
        return self

    def divergence(self, source: Family) -> Expr:
        """Refuse: the nearest law in such a family has no formula."""
        raise NotClosed(
            f"family: how far a {type(self).__name__} is from a {type(source).__name__} source has no closed form. "
            "Ask simulate(loop)."
        )


def _dimension(source: Family) -> Any:
    mean = getattr(source, "mean", None)
    return getattr(source, "dimension", len(mean) if isinstance(mean, tuple) else 1)
