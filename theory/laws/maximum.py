"""The largest of m uniform points, what a fit by the maximum reads of a sample."""

from collections.abc import Sequence
from math import factorial

from attrs import frozen
from sympy import Expr, Symbol

from theory.innovations import Law


@frozen
class Maximum(Law):
    """x ~ Beta(m, 1), the largest of ``size`` = m points uniform on (0, 1).

    E[x^a (log x)^b] = (-1)^b b! m/(m + a)^(b + 1), for a > -m: the b-th derivative of m/(m + a).

    >>> from theory.symbols import M
    >>> Maximum(Symbol("x"), M).moment((Symbol("a"),), (1,))
    -M/(M + a)**2
    """

    symbol: Symbol
    size: Expr

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The one symbol drawn."""
        return (self.symbol,)

    def means(self) -> tuple[Expr, ...]:
        """Return m/(m + 1)."""
        return (self.size / (self.size + 1),)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return E[x^a (log x)^b] for any real a and whole b >= 0."""
        (a,), (b,) = powers, logs
        return (-1) ** b * factorial(b) * self.size / (self.size + a) ** (b + 1)

    def exists(self, powers: Sequence[Expr]) -> Expr | None:
        """Return m + a, positive exactly when E[x^a] is finite."""
        (a,) = powers
        return None if a.is_nonnegative else self.size + a
