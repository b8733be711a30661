"""Bounds of a closed form at numbers and over ranges of one symbol, by interval arithmetic.

A closed form such as ((M - 1)/M)^n is put into balls as it stands, so that neither a large n nor a large M makes large
fractions, and so that one evaluation speaks for all values between two.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import add, mul
from typing import Any

from attrs import frozen
from sympy import Add, Expr, Mul, Pow, S, exp, gamma, log, loggamma, pi, polygamma, sin

from theory.balls import Balls, Enclosure, balls

Range = tuple[Expr, Expr]


class _Unbounded(ArithmeticError):
    """The arithmetic gives no bounds: a function outside its domain, or one that has no enclosure here."""


def enclosure(expr: Expr, values: Mapping[Expr, Expr | Range], bits: int = 64) -> Enclosure | None:
    """Return bounds of an expression with exact values, or ranges (lower, upper), put in for its symbols.

    None where the arithmetic gives none: a division by what may be 0, a logarithm or Gamma function of what may not be
    positive, or a function without an enclosure.

    >>> from sympy import Rational
    >>> from theory.symbols import M, n
    >>> S(9) / 10 in enclosure(((M - 1) / M) ** n, {M: S(100), n: S(10)})
    False
    >>> S(1) / 3 in enclosure(1 / M, {M: (S(2), S(4))})
    True
    """
    with balls(bits) as arithmetic:
        ball = _evaluated(expr, values, arithmetic)
        return None if ball is None else arithmetic.bounds(ball)


def sign(expr: Expr, values: Mapping[Expr, Expr | Range], bits: int = 64) -> int | None:
    """Return 1 or -1 where an expression has that sign for certain, at the values and all over the ranges, else None.

    >>> from theory.symbols import M
    >>> sign(M - 3, {M: (S(4), S(9))}), sign(M - 3, {M: (S(2), S(9))})
    (1, None)
    """
    with balls(bits) as arithmetic:
        ball = _evaluated(expr, values, arithmetic)
        return None if ball is None else 1 if ball > 0 else -1 if ball < 0 else None


def _evaluated(expr: Expr, values: Mapping[Expr, Expr | Range], arithmetic: Balls) -> Any:
    try:
        ball = _Evaluation(arithmetic, values).of(expr)
    except ArithmeticError:  # a division by an interval that holds 0 raises in one of the two arithmetics
        return None
    return ball if arithmetic.finite(ball) else None


@frozen
class _Evaluation:
    arithmetic: Balls
    values: Mapping[Expr, Expr | Range]

    def of(self, expr: Expr) -> Any:
        """Return the ball of an expression."""
        if expr in self.values:
            return self._given(self.values[expr])
        if expr.is_Rational or expr in (S.Pi, S.Exp1, S.EulerGamma):
            return self.arithmetic.number(expr)
        if isinstance(expr, Pow):
            return self._power(*expr.args)
        if expr.func not in _RULES:
            raise _Unbounded(str(expr))
        return _RULES[expr.func](self, *expr.args)

    def _given(self, value: Expr | Range) -> Any:
        if isinstance(value, tuple):
            return self.arithmetic.interval(*value)
        return self.arithmetic.number(value)

    def positive(self, expr: Expr) -> Any:
        """Return the ball of an expression that is positive for certain."""
        ball = self.of(expr)
        if not ball > 0:
            raise _Unbounded(str(expr))
        return ball

    def _power(self, base: Expr, exponent: Expr) -> Any:
        points = {s: value for s, value in self.values.items() if isinstance(value, Expr)}
        power = exponent.xreplace(points)
        if power.is_Integer:
            return self.of(base) ** int(power)
        return self.arithmetic.exp(self.of(exponent) * self.arithmetic.log(self.positive(base)))


def _psi(evaluation: _Evaluation, order: Expr, argument: Expr) -> Any:
    return evaluation.arithmetic.polygamma(int(order), evaluation.positive(argument))


def _sine(evaluation: _Evaluation, argument: Expr) -> Any:
    """Return sin(pi x) = pi/(Gamma(x) Gamma(1 - x)), for 0 < x < 1."""
    x = argument / pi
    return evaluation.of(pi / (gamma(x, evaluate=False) * gamma(1 - x, evaluate=False)))


_RULES: dict[Any, Callable[..., Any]] = {
    Add: lambda e, *terms: reduce(add, map(e.of, terms)),
    Mul: lambda e, *factors: reduce(mul, map(e.of, factors)),
    exp: lambda e, x: e.arithmetic.exp(e.of(x)),
    log: lambda e, x: e.arithmetic.log(e.positive(x)),
    gamma: lambda e, x: e.arithmetic.exp(e.arithmetic.real_lgamma(e.positive(x))),
    loggamma: lambda e, x: e.arithmetic.real_lgamma(e.positive(x)),
    polygamma: _psi,
    sin: _sine,
}
