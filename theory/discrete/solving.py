"""Times and chances of finite chains, in fractions where chances are rational and in intervals where they are not.

Intervals are added, multiplied and divided, never subtracted, so that they lose nothing by cancellation.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from attrs import frozen
from sympy import Expr, Integer, Rational
from sympy.polys.domains import QQ
from sympy.polys.matrices import DomainMatrix

from theory.balls import Balls, Enclosure, flint

Row = Mapping[int, Any]
"""Chances to move, by the number of the state; those left out are 0."""
Columns = list[list[Any]]
"""For every state, one number for each question."""


class Numbers(ABC):
    """The numbers that chances are made of."""

    @abstractmethod
    def number(self, value: Expr) -> Any:
        """Return a SymPy number as one of these."""

    @abstractmethod
    def answer(self, value: Any) -> Expr | Enclosure:
        """Return one of these as an answer."""

    @abstractmethod
    def gathered(self, rows: Sequence[Row], exits: Sequence[Any], gains: Columns) -> Columns:
        """Return t with t = Q t + gains; Q is the ``rows``, and ``exits`` are the chances to leave all states."""


@frozen
class Fractions(Numbers):
    """Rational numbers, python-flint's where it is installed."""

    def number(self, value: Expr) -> Any:
        """Return p/q."""
        kind: Any = Fraction if flint is None else flint.fmpq
        return kind(int(value.p), int(value.q))

    def answer(self, value: Any) -> Expr | Enclosure:
        """Return p/q."""
        top, bottom = (value.numerator, value.denominator) if flint is None else (value.p, value.q)
        return Rational(int(top), int(bottom))

    def gathered(self, rows: Sequence[Row], exits: Sequence[Any], gains: Columns) -> Columns:
        """Return the solution of (I - Q) t = gains, by the matrices of python-flint or SymPy."""
        del exits
        size = range(len(rows))
        system = [[self.number(Integer(i == j)) - rows[i].get(j, 0) for j in size] for i in size]
        if not rows:
            return []
        return _dense(system, gains) if flint is None else flint.fmpq_mat(system).solve(flint.fmpq_mat(gains)).tolist()


def _dense(system: Columns, gains: Columns) -> Columns:
    left, right = (
        DomainMatrix([[QQ(x.numerator, x.denominator) for x in row] for row in rows], (len(rows), len(rows[0])), QQ)
        for rows in (system, gains)
    )
    return [[Fraction(int(x.numerator), int(x.denominator)) for x in row] for row in left.lu_solve(right).to_list()]


@frozen
class Intervals(Numbers):
    """Intervals that hold the number, at the working precision."""

    balls: Balls

    def number(self, value: Expr) -> Any:
        """Return an interval about the number."""
        return self.balls.number(value)

    def answer(self, value: Any) -> Expr | Enclosure:
        """Return the bounds."""
        return self.balls.bounds(value)

    def gathered(self, rows: Sequence[Row], exits: Sequence[Any], gains: Columns) -> Columns:
        """Return the solution by sums of terms >= 0 alone."""
        return without_subtraction(rows, exits, gains)


def without_subtraction(rows: Sequence[Row], exits: Sequence[Any], gains: Columns) -> Columns:
    """Return t = Q t + gains for a chain that leaves its states for certain.

    State by state, from the last, is taken out and its paths are given to the states before it; the chance to leave
    it, 1 - Q_kk, is summed from the moves to other states.

    Source: W. K. Grassmann, M. I. Taksar, D. P. Heyman, Regenerative analysis and steady state distributions (1985).

    >>> half = Fraction(1, 2)
    >>> without_subtraction([{0: half}], [half], [[Fraction(1)]])
    [[Fraction(2, 1)]]
    """
    moves, leaving, totals = [dict(row) for row in rows], list(exits), [list(row) for row in gains]
    for k in reversed(range(len(moves))):
        onward = {j: chance for j, chance in moves[k].items() if j < k}
        left = sum(onward.values(), leaving[k])
        moves[k] = {j: chance / left for j, chance in onward.items()}
        leaving[k], totals[k] = leaving[k] / left, [gain / left for gain in totals[k]]
        for i in range(k):
            if k in moves[i]:
                share = moves[i].pop(k)
                for j, chance in moves[k].items():
                    moves[i][j] = moves[i].get(j, 0) + share * chance
                leaving[i] = leaving[i] + share * leaving[k]
                totals[i] = _plus(totals[i], share, totals[k])
    for k, row in enumerate(moves):
        for j, chance in row.items():
            totals[k] = _plus(totals[k], chance, totals[j])
    return totals


def _plus(row: list[Any], factor: Any, other: list[Any]) -> list[Any]:
    return [a + factor * b for a, b in zip(row, other, strict=True)]
