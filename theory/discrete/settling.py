"""Limits of moments that settle like 1/n: x_n = A_n x_(n-1) with A_n = I + A_2/n^2 + ... + A_d/n^d, enclosed.

The product of all later matrices is expanded in 1/n and the rest is summed, so that a few dozen steps give the limit to
as many digits as are wanted, with a proved radius.
"""

from collections.abc import Sequence
from math import comb
from typing import Any

from attrs import frozen
from sympy import Expr, Integer, Rational, S

from theory.balls import Enclosure
from theory.discrete.solving import Fractions

Row = list[list[Any]]
"""For every entry of the last vector, the coefficients of 1, 1/n, 1/n^2, ... that it is weighed with."""


@frozen(eq=False)
class Settling:
    """x_n = A_n x_(n-1) for vectors in [0, 1]; ``rows`` are those of A_n, as polynomials in 1/n with A_n -> I."""

    rows: Sequence[Row]

    def after(self, x: list[Any], first: int, last: int) -> list[Any]:
        """Return x_last from x_first."""
        length = max(len(weights) for row in self.rows for weights in row)
        for n in range(first + 1, last + 1):
            powers = [Fractions().number(Rational(1, n**s)) for s in range(length)]
            x = [sum((_dot(w, powers) * y for w, y in zip(row, x, strict=True)), 0 * x[0]) for row in self.rows]
        return x

    def limit(self, entry: int, x: list[Any], first: int, radius: Expr) -> Enclosure:
        """Return one entry of the limit of x_n, to within a radius, from x at generation ``first``."""
        n, order = first, 4
        while True:
            x, n, order = self.after(x, n, n + 10), n + 10, order + 2
            weights, rest = self._product(entry, n, order)
            middle, slack = (S(Fractions().answer(value)) for value in (_dot(weights, x), rest))
            if slack <= radius:
                return Enclosure(middle - slack, middle + slack)

    def _product(self, entry: int, n: int, order: int) -> tuple[list[Any], Any]:
        """Return row ``entry`` of T(n) = sum_(i <= r) C_i/n^i, near the product of all later A_j, and its error.

        C_0 = I, and the others make F(u) = (1 - u)^r (T(j) A_j - T(j - 1)), u = 1/j, begin with u^(r+2). As entries
        of x lie in [0, 1], the error is at most sum_(j > n) sum |F(1/j)|/(1 - 1/j)^r, and sum_(j > n) j^-(r+2) is at
        most n^-(r+1)/(r+1).
        """
        number, size = Fractions().number, range(len(self.rows))
        later = [[_times(w, _binomial(order)) for w in row] for row in self.rows]
        rows: list[list[Any]] = [[number(Integer(j == entry)) for j in size]]
        for s in range(2, order + 2):
            rows.append([x / (s - 1) for x in self._residual(rows, later, s, order)])
        degree = 2 * order + max(len(w) for row in self.rows for w in row)
        rest = number(S.Zero)
        for s in range(order + 2, degree + 1):
            size_of = sum((abs(x) for x in self._residual(rows, later, s, order)), number(S.Zero))
            rest = rest + size_of * number(Rational(1, (n + 1) ** (s - order - 2)))
        rest = rest * number(Rational((n + 1) ** order, n**order * n ** (order + 1) * (order + 1)))
        powers = [number(Rational(1, n**i)) for i in range(order + 1)]
        return [_dot([row[j] for row in rows], powers) for j in size], rest

    def _residual(self, rows: list[list[Any]], later: Sequence[Row], s: int, order: int) -> list[Any]:
        """Return the coefficient of u^s in F, of the rows of C_i that are known."""
        found, size = [], range(len(self.rows))
        for j in size:
            total = Fractions().number(S.Zero)
            for i, row in enumerate(rows):
                total = total + sum((row[k] * _at(later[k][j], s - i) for k in size), 0 * total)
                total = total - row[j] * _at(_binomial(order - i), s - i)
            found.append(total)
        return found


def _binomial(power: int) -> list[int]:
    """Return the coefficients of (1 - u)^power."""
    return [(-1) ** k * comb(power, k) for k in range(power + 1)]


def _times(one: list[Any], two: Sequence[Any]) -> list[Any]:
    found = [one[0] * 0] * (len(one) + len(two) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(two):
            found[i + j] = found[i + j] + a * b
    return found


def _at(coefficients: Sequence[Any], power: int) -> Any:
    return coefficients[power] if 0 <= power < len(coefficients) else 0


def _dot(one: Sequence[Any], two: Sequence[Any]) -> Any:
    return sum((a * b for a, b in zip(one, two, strict=False)), 0 * two[0])
