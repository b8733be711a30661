"""A law of which only a few moments are known: enough for what stays linear in them, and no more.

Where an innovation's whole law depends on more of the past than the model keeps, its first moments may still not. What
needs a moment that is not listed is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen
from sympy import Expr, Mul, Pow, S, Symbol

from theory.errors import NotClosed
from theory.exact import exact
from theory.innovations import Law

Powers = tuple[int, ...]


def _together(value: Symbol | Iterable[Symbol]) -> tuple[Symbol, ...]:
    return (value,) if isinstance(value, Symbol) else tuple(value)


def _listed(moments: Mapping[Any, object] | Iterable[tuple[Any, object]]) -> tuple[tuple[Powers, Expr], ...]:
    """Return moments by the powers of all symbols, in an order of their own so that equal laws are equal."""
    given = dict(moments)
    listed = {(k,) if isinstance(k, int) else tuple(k): exact(value, f"moment {k}") for k, value in given.items()}
    return tuple(sorted(listed.items(), key=lambda pair: pair[0]))


@frozen
class Known(Law):
    """E[prod_i x_i^k_i | model] = moments[k_1, k_2, ...] for the listed powers; all others are unknown.

    Args:
        symbols: the random numbers, one symbol or several that may depend on each other.
        moments: the powers, a whole number for a single symbol and a tuple for several, to the moment, an exact
            expression that may hold state symbols and the symbols of laws listed before.
        positive: the quantity that must be positive for the moments to exist, None where they always do.

    Raises:
        ValueError: powers that do not fit the symbols, or a moment that is no exact expression.

    >>> x, V = Symbol("x"), Symbol("V")
    >>> Known(x, {1: 0, 2: V}).moment((S(2),), (0,))
    V
    """

    symbols: tuple[Symbol, ...] = field(converter=_together)
    moments: tuple[tuple[Powers, Expr], ...] = field(converter=_listed)
    positive: Expr | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse powers of the wrong length."""
        for powers, _ in self.moments:
            if len(powers) != len(self.symbols) or not all(isinstance(k, int) and k >= 0 for k in powers):
                raise ValueError(
                    f"Known: the powers {powers} do not fit {', '.join(map(str, self.symbols))}. "
                    "Give one whole number >= 0 for each symbol."
                )

    def means(self) -> tuple[Expr, ...]:
        """Return E[x_i | model], or raise `NotClosed` where it is not listed."""
        size = len(self.symbols)
        units = (tuple(S(int(i == j)) for j in range(size)) for i in range(size))
        return tuple(self.moment(powers, (0,) * size) for powers in units)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return a listed moment."""
        if not any(powers) and not any(logs):
            return S.One
        known: dict[Any, Expr] = dict(self.moments)
        if any(logs) or tuple(powers) not in known:
            asked = Mul(*map(Pow, self.symbols, powers)) if not any(logs) else "a logarithm"
            listed = ", ".join(str(Mul(*map(Pow, self.symbols, map(S, k)))) for k in known)
            raise NotClosed(
                f"of {', '.join(map(str, self.symbols))} only E of {listed} is known, not of {asked}. "
                "Ask for lower powers, or simulate(loop)."
            )
        return known[tuple(powers)]

    def exists(self, powers: Sequence[Expr]) -> Expr | None:
        """Return the quantity that must be positive."""
        return self.positive if any(powers) else None
