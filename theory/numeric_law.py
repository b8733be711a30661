"""A law in numbers: distribution function, density and quantiles of a product of gamma variables, each enclosed.

`theory.law` says which product it is; here it is asked at numbers, and every answer carries its proved error.
"""

import math
from collections import Counter
from functools import cached_property
from typing import Any

import mpmath
from attrs import frozen
from mpmath import mpf
from mpmath.libmp import to_rational
from sympy import Expr, Rational, S

from theory.balls import Enclosure
from theory.exact import exact
from theory.inversion import LogPoint, Shapes, cumulant, log_density, smaller_tail


@frozen(eq=False)
class NumericLaw:
    """The law of V_n where everything is a number: every answer is an `Enclosure`, proved by interval arithmetic.

    ``digits`` asks for that many digits of the smaller tail or of the density; what was reached stands in the answer.
    The standard deviation sigma_n goes through V_n: P(sigma_n > a) = sf(a^2).
    """

    law: Any
    """The `theory.law.FittedLaw` with its numbers."""

    def _repr_latex_(self) -> str:
        low, middle, high = (self.quantile(Rational(k, 20)) for k in (1, 10, 19))
        return rf"$V_n:\quad \text{{5 \%: }} {low},\quad \text{{median: }} {middle},\quad \text{{95 \%: }} {high}$"

    @cached_property
    def _parts(self) -> Shapes:
        counts: Counter[Expr] = Counter()
        for one, many in self.law.factors.items():
            counts[one.shape] += many
        return tuple(counts.items())

    def _point(self, at: Expr) -> LogPoint:
        """Return log(x/(V0 prod scale_k)), in which the product of Gamma_k is asked."""
        scales = tuple((-many, one.scale) for one, many in self.law.factors.items())
        return LogPoint(((1, at), (-1, self.law.walk.start), *scales))

    def cdf(self, at: Any, digits: int = 15) -> Enclosure:
        """Return P(V_n <= x)."""
        above = self.sf(at, digits)
        return Enclosure(1 - above.upper, 1 - above.lower)

    def sf(self, at: Any, digits: int = 15) -> Enclosure:
        """Return P(V_n > x)."""
        value = _number(at, "x")
        if not value.is_positive:
            return Enclosure(S.One, S.One)
        side, tail = smaller_tail(self._parts, self._point(value), _bits(digits))
        return tail if side > 0 else Enclosure(1 - tail.upper, 1 - tail.lower)

    def pdf(self, at: Any, digits: int = 15) -> Enclosure:
        """Return the density of V_n at a rational x > 0."""
        value = _number(at, "x")
        if not (value.is_Rational and value > 0):
            raise ValueError(f"x = {at}: the density is asked at a positive fraction. Give one, Rational(1, 10) say.")
        density = log_density(self._parts, self._point(value), _bits(digits))
        return Enclosure(density.lower / value, density.upper / value)

    def median(self, digits: int = 15) -> Enclosure:
        """Return the x that V_n exceeds with probability 1/2."""
        return self.quantile(Rational(1, 2), digits)

    def quantile(self, p: Any, digits: int = 15) -> Enclosure:
        """Return the x with P(V_n <= x) = p, between two points where the enclosed distribution function lies on either
        side of p.

        Raises:
            ValueError: p not strictly between 0 and 1.
        """
        chance = _number(p, "p")
        if not (chance.is_Rational and 0 < chance < 1):
            raise ValueError(f"p = {p}: a quantile belongs to a fraction between 0 and 1. Give 0 < p < 1.")
        with mpmath.workprec(_bits(digits) + 60):
            middle = self._near_quantile(chance, digits)
        margin = Rational(1, 10**digits)
        while margin < 1:
            lower, upper = middle * (1 - margin), middle * (1 + margin)
            if self.cdf(lower, digits + 3).upper <= chance <= self.cdf(upper, digits + 3).lower:
                return Enclosure(lower, upper)
            margin *= 8
        raise ArithmeticError(f"the quantile at p = {p} is not enclosed with {digits} digits. Ask for more digits.")

    def _near_quantile(self, p: Expr, digits: int) -> Expr:
        """Return a fraction near the quantile, by Newton's method on the log of a tail, which is concave.

        It starts at the mean of log V_n and at most doubles the distance from there, since the upper tail falls as
        exp(-V).
        """
        mean = cumulant(self._parts, 1, mpf(0)) - self._point(S.One).near()
        spread = mpmath.sqrt(cumulant(self._parts, 2, mpf(0)))
        upwards = 1 if self.cdf(_fraction(mean)).value < p else -1
        goal = mpmath.log(_mpf(1 - p if upwards > 0 else p))
        y, step = mean, mpmath.inf
        while abs(step) > mpf(10) ** -6:
            step = self._newton(y, upwards, goal, 8)
            y += mpmath.sign(step) * min(abs(step), max(spread, abs(y - mean)))
        step = mpmath.inf
        while abs(step) > mpf(10) ** (-digits // 2 - 2):
            step = self._newton(y, upwards, goal, digits + 3)
            y += step
        return _fraction(y)

    def _newton(self, y: Any, upwards: int, goal: Any, digits: int) -> Any:
        """Return the step from y = log x to where the tail's logarithm would be ``goal`` along its tangent."""
        here = self._point(_fraction(y))
        side, tail = smaller_tail(self._parts, here, _bits(digits))
        mass = _mpf(tail.value if side == upwards else 1 - tail.value)
        return upwards * (mpmath.log(mass) - goal) * mass / _mpf(log_density(self._parts, here, _bits(digits)).value)


def _fraction(y: Any) -> Expr:
    """Return e^y as a fraction."""
    return Rational(*map(int, to_rational(mpmath.exp(y)._mpf_)))


def _mpf(value: Expr) -> Any:
    return mpf(int(value.p)) / int(value.q)


def _number(value: Any, name: str) -> Expr:
    number = exact(value, name)
    if not number.is_number:
        raise ValueError(f"{name} = {value} is no number. Put one in, or read the symbolic pdf and cdf of law(loop).")
    return number


def _bits(digits: int) -> int:
    if not (isinstance(digits, int) and digits >= 1):
        raise ValueError(f"digits = {digits} is no number of digits. Give a whole number >= 1.")
    return math.ceil(digits * math.log2(10)) + 10
