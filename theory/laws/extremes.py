"""Smallest point and range of m uniform points, what a fit by both extremes reads of a sample."""

from collections.abc import Sequence
from math import factorial, prod

from attrs import frozen
from sympy import Add, Expr, Rational, Symbol

from theory.errors import NotClosed
from theory.innovations import Law


@frozen
class Extremes(Law):
    """(x, r), x the smallest and x + r the largest of ``size`` = m points uniform on (0, 1).

    x, r and what is left are Dirichlet with the weights 1, m - 1 and 1, so that for whole a and any p > 1 - m
    E[x^a r^p] = a! m (m - 1)/prod_(i = -1..a) (m + i + p); logarithms of r by differentiating in p.

    >>> from theory.symbols import M
    >>> Extremes((Symbol("x"), Symbol("r")), M).moment((Rational(0), Rational(1)), (0, 0)).factor()
    (M - 1)/(M + 1)
    """

    symbols: tuple[Symbol, Symbol]
    size: Expr

    def means(self) -> tuple[Expr, ...]:
        """Return (1/(m + 1), (m - 1)/(m + 1))."""
        return 1 / (self.size + 1), (self.size - 1) / (self.size + 1)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return E[x^a r^p (log r)^j] for whole a and j and any real p."""
        (a, p), (none, j) = powers, logs
        if none or not (a.is_Integer and a >= 0):
            raise NotClosed(
                f"a fractional power or logarithm of the smallest point, {self.symbols[0]}, is asked for. "
                "Ask for whole powers of the centre."
            )
        places, scale = range(-1, int(a) + 1), factorial(int(a)) * self.size * (self.size - 1)
        if not j:
            return scale / prod(self.size + i + p for i in places)
        # Partial fractions: prod 1/(y + i) = sum_i c_i/(y + i) with c_i = prod_(k != i) 1/(k - i).
        shares = {i: Rational(1, prod(k - i for k in places if k != i)) for i in places}
        return scale * (-1) ** j * factorial(j) * Add(*(c / (self.size + i + p) ** (j + 1) for i, c in shares.items()))

    def exists(self, powers: Sequence[Expr]) -> Expr | None:
        """Return m - 1 + p, positive exactly when E[r^p] is finite."""
        return None if powers[1].is_nonnegative else self.size - 1 + powers[1]
