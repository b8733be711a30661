"""Interval arithmetic: numbers that carry a proved bound on their error.

python-flint is used when it is installed and mpmath's intervals otherwise; both enclose, the first some twenty times
faster. This is the one place that knows which of the two is at work.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from importlib import import_module
from importlib.util import find_spec
from operator import add, mul
from typing import Any

import mpmath
from attrs import frozen
from mpmath import iv
from mpmath.libmp import to_rational
from sympy import Add, Expr, Float, Integer, Mul, Pow, Rational, S, exp, gamma, log, loggamma, polygamma

flint: Any = import_module("flint") if find_spec("flint") else None


@frozen
class Enclosure:
    """A real number known to lie between two exact fractions, ``lower`` and ``upper``.

    >>> print(Enclosure(Rational(333, 1000), Rational(334, 1000)))
    0.33350 +- 5.0e-4
    """

    lower: Expr
    upper: Expr

    @property
    def value(self) -> Expr:
        """The midpoint, exactly."""
        return (self.lower + self.upper) / 2

    @property
    def radius(self) -> Expr:
        """Half the width: how far the true number is from ``value`` at most."""
        return (self.upper - self.lower) / 2

    def __contains__(self, number: Any) -> bool:
        """Return whether the number lies between the two bounds, both included."""
        return bool(self.lower <= number <= self.upper)

    def __float__(self) -> float:
        """Return the midpoint to double precision."""
        return float(self.value)

    def __str__(self) -> str:
        """Return the midpoint to the digits that the radius leaves meaningful, and the radius rounded up."""
        value, digits, exponent = self._decimal()
        return f"{value} +- {digits // 10}.{digits % 10}e{exponent}" if digits else value

    def _repr_latex_(self) -> str:
        value, digits, exponent = self._decimal()
        mantissa, _, power = value.partition("e")
        shown = mantissa + (rf" \cdot 10^{{{int(power)}}}" if power else "")
        bound = rf" \pm {digits // 10}.{digits % 10} \cdot 10^{{{exponent}}}" if digits else ""
        return f"${shown}{bound}$"

    def _decimal(self) -> tuple[str, int, int]:
        """Return the midpoint in digits, and (d, e) with error <= d/10 * 10^e, d of two digits, rounding included."""
        if self.radius == 0:
            return str(self.value), 0, 0
        exponent = _magnitude(self.radius)
        size = _magnitude(self.value) if self.value else exponent
        shown = Float(self.value, max(size - exponent + 2, 1))
        error = self.radius + abs(self.value - Rational(str(shown)))
        exponent = _magnitude(error)
        digits = -((-error * S(10) ** (1 - exponent)) // 1)
        return (str(shown), int(digits), exponent) if digits < 100 else (str(shown), 10, exponent + 1)


def _magnitude(x: Expr) -> int:
    """Return the whole e with 10^e <= |x| < 10^(e + 1)."""
    guess = int(mpmath.floor(mpmath.log10(mpmath.mpf(abs(x.p)) / x.q)))
    return next(e for e in (guess + 1, guess, guess - 1) if S(10) ** e <= abs(x))


class Balls(ABC):
    """Arithmetic with enclosures at one working precision; sums, products and quotients are Python operators."""

    @abstractmethod
    def fraction(self, value: Expr) -> Any:
        """Return a real ball about a Rational."""

    @abstractmethod
    def interval(self, lower: Expr, upper: Expr) -> Any:
        """Return a real ball that holds all numbers between two Rationals."""

    @abstractmethod
    def finite(self, x: Any) -> bool:
        """Return whether a real ball has finite bounds."""

    @abstractmethod
    def constant(self, name: str) -> Any:
        """Return a ball about pi, e or euler."""

    @abstractmethod
    def point(self, re: Any, im: Any) -> Any:
        """Return the complex ball re + i im."""

    @abstractmethod
    def real(self, z: Any) -> Any:
        """Return the real part of a complex ball."""

    @abstractmethod
    def exp(self, z: Any) -> Any:
        """Return e^z, real or complex."""

    @abstractmethod
    def log(self, x: Any) -> Any:
        """Return log x of a positive real ball."""

    @abstractmethod
    def lgamma(self, z: Any) -> Any:
        """Return log Gamma(z) of a complex ball with Re z > 0, on the branch that is real for real z."""

    @abstractmethod
    def polygamma(self, order: int, x: Any) -> Any:
        """Return psi_order(x) of a positive real ball."""

    @abstractmethod
    def bounds(self, x: Any) -> Enclosure:
        """Return the exact bounds of a real ball."""

    def number(self, expr: Expr) -> Any:
        """Return a real ball about a SymPy number made of rationals, pi, powers, exp, log and Gamma functions.

        Raises:
            ValueError: another function in the expression.
        """
        if expr.is_Rational:
            return self.fraction(expr)
        if expr in _CONSTANTS:
            return self.constant(_CONSTANTS[expr])
        if expr.func is polygamma and expr.args[0].is_Integer:
            return self.polygamma(int(expr.args[0]), self.number(expr.args[1]))
        if expr.func not in _RULES:
            raise ValueError(f"{expr} has no enclosure here. Give a number made of fractions, exp, log and Gamma.")
        return _RULES[expr.func](self, *(self.number(arg) for arg in expr.args))

    def real_lgamma(self, x: Any) -> Any:
        """Return log Gamma(x) of a positive real ball."""
        return self.real(self.lgamma(self.point(x, 0)))


_CONSTANTS: dict[Expr, str] = {S.Pi: "pi", S.Exp1: "e", S.EulerGamma: "euler"}
_RULES: dict[Any, Callable[..., Any]] = {
    Add: lambda _, *terms: reduce(add, terms),
    Mul: lambda _, *factors: reduce(mul, factors),
    Pow: lambda balls, base, exponent: balls.exp(exponent * balls.log(base)),
    exp: lambda balls, x: balls.exp(x),
    log: lambda balls, x: balls.log(x),
    gamma: lambda balls, x: balls.exp(balls.real_lgamma(x)),
    loggamma: lambda balls, x: balls.real_lgamma(x),
}


@frozen
class FlintBalls(Balls):
    """The arithmetic of python-flint, at its current precision."""

    def fraction(self, value: Expr) -> Any:
        """Return p/q rounded outwards."""
        return flint.arb(flint.fmpq(int(value.p), int(value.q)))

    def interval(self, lower: Expr, upper: Expr) -> Any:
        """Return the union of the two ends."""
        return self.fraction(lower).union(self.fraction(upper))

    def finite(self, x: Any) -> bool:
        """Return whether middle and radius are finite."""
        return bool(x.is_finite())

    def constant(self, name: str) -> Any:
        """Return the constant."""
        return {"pi": flint.arb.pi, "e": flint.arb.const_e, "euler": flint.arb.const_euler}[name]()

    def point(self, re: Any, im: Any) -> Any:
        """Return acb(re, im)."""
        return flint.acb(re, im)

    def real(self, z: Any) -> Any:
        """Return z.real."""
        return z.real

    def exp(self, z: Any) -> Any:
        """Return z.exp()."""
        return z.exp()

    def log(self, x: Any) -> Any:
        """Return x.log()."""
        return x.log()

    def lgamma(self, z: Any) -> Any:
        """Return z.lgamma()."""
        return z.lgamma()

    def polygamma(self, order: int, x: Any) -> Any:
        """Return psi_order(x)."""
        return flint.acb(x).polygamma(order).real

    def bounds(self, x: Any) -> Enclosure:
        """Return the two dyadic fractions."""
        (middle, radius) = (_dyadic(*part.man_exp()) for part in (x.mid(), x.rad()))
        return Enclosure(middle - radius, middle + radius)


@frozen
class MpmathBalls(Balls):
    """The interval arithmetic of mpmath, at its current precision."""

    def fraction(self, value: Expr) -> Any:
        """Return p/q rounded outwards."""
        return iv.mpf(int(value.p)) / int(value.q)

    def interval(self, lower: Expr, upper: Expr) -> Any:
        """Return the interval from the one's lower to the other's upper end."""
        return iv.mpf([self.fraction(lower).a, self.fraction(upper).b])

    def finite(self, x: Any) -> bool:
        """Return whether both ends are."""
        return all(mpmath.isfinite(mpmath.mp.make_mpf(end)) for end in x._mpi_)

    def constant(self, name: str) -> Any:
        """Return the constant."""
        return +getattr(iv, name)

    def point(self, re: Any, im: Any) -> Any:
        """Return mpc(re, im)."""
        return iv.mpc(re, im)

    def real(self, z: Any) -> Any:
        """Return z.real."""
        return z.real

    def exp(self, z: Any) -> Any:
        """Return iv.exp(z)."""
        return iv.exp(z)

    def log(self, x: Any) -> Any:
        """Return iv.log(x)."""
        return iv.log(x)

    def lgamma(self, z: Any) -> Any:
        """Return iv.loggamma(z), which takes a real interval only as such."""
        return iv.loggamma(z) if z.imag != 0 else self.point(iv.loggamma(z.real), 0)

    def polygamma(self, order: int, x: Any) -> Any:
        """Return psi_order at both ends, on which it is monotone, computed to more digits and rounded outwards."""
        with mpmath.workprec(iv.prec + 30):
            ends = [mpmath.psi(order, mpmath.mp.make_mpf(end)) for end in x._mpi_]
            slack = mpmath.ldexp(1 + max(map(abs, ends)), -iv.prec - 10)
            return iv.mpf([min(ends) - slack, max(ends) + slack])

    def bounds(self, x: Any) -> Enclosure:
        """Return the two dyadic fractions."""
        return Enclosure(*(Rational(*map(int, to_rational(end))) for end in x._mpi_))


def _dyadic(mantissa: Any, exponent: Any) -> Expr:
    return Integer(int(mantissa)) * S(2) ** int(exponent)


@contextmanager
def balls(bits: int) -> Iterator[Balls]:
    """Give interval arithmetic at a working precision of ``bits``, for the length of a with statement.

    >>> with balls(64) as arithmetic:
    ...     print(arithmetic.bounds(arithmetic.number(gamma(Rational(1, 2)) ** 2)).lower < S.Pi)
    True
    """
    if flint is not None:
        with flint.ctx.workprec(bits):
            yield FlintBalls()
    else:
        with mpmath_precision(bits):
            yield MpmathBalls()


@contextmanager
def mpmath_precision(bits: int) -> Iterator[None]:
    """Set the precision of mpmath's intervals for the length of a with statement."""
    before, iv.prec = iv.prec, bits
    try:
        yield
    finally:
        iv.prec = before
