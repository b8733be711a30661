"""The values that one symbol of a loop may take: a grid where numbers of points depend on it, an interval otherwise."""

from collections.abc import Iterator
from itertools import count
from math import gcd, lcm

from attrs import frozen
from sympy import Expr, Rational, S, Symbol, ceiling, floor, oo

from theory.exact import exact
from theory.loop import Loop
from theory.stationary import is_share

REACH = Rational(2) ** 20
"""A positive number is looked for between 1/REACH and REACH."""
PARTS = 16
"""Parts into which a bounded range is cut for a first look."""


@frozen
class Admissible:
    """Values from ``low`` to ``high``: multiples of ``step``, or all of them where it is 0."""

    low: Expr
    high: Expr
    step: Expr

    def look(self) -> Iterator[Expr]:
        """Yield values from the least to the largest, for a first look; without end where there is no largest."""
        if self.high == oo:
            yield from (self.low * 2**k for k in count())
        elif self.step:
            points = range(PARTS + 1)
            span = (self.high - self.low) / self.step
            yield from sorted({self.low + self.step * floor(span * k / PARTS) for k in points})
        elif self.low > 0 and self.high / self.low > PARTS:
            yield from self._geometric()
        else:
            yield from (self.low + (self.high - self.low) * k / PARTS for k in range(PARTS + 1))

    def _geometric(self) -> Iterator[Expr]:
        value = self.low
        while value < self.high:
            yield value
            value *= 2
        yield self.high

    def between(self, one: Expr, two: Expr, within: Expr) -> Expr | None:
        """Return a value about halfway between two, None where they are neighbours, or ``within`` of each other."""
        low, high = min(one, two), max(one, two)
        if not self.step:
            return (low + high) / 2 if high - low > within else None
        middle = low + self.step * floor((high - low) / self.step / 2)
        return middle if low < middle else None


def admissible(loop: Loop, symbol: Symbol, between: tuple[object, object] | None) -> Admissible:
    """Return the values of a symbol for which the loop's numbers of points are whole, within its range.

    Raises:
        ValueError: a symbol without a range of its own, and none given.

    >>> from theory import Gaussian, M, Mixed, alpha
    >>> admissible(Loop(Gaussian(), regime=Mixed(alpha), samples=20), alpha, None)
    Admissible(low=0, high=1, step=1/20)
    >>> admissible(Loop(Gaussian(), regime=Mixed(Rational(3, 10))), M, (1, oo))
    Admissible(low=10, high=oo, step=10)
    """
    step = _step(loop, symbol)
    low, high = _range(loop, symbol) if between is None else (exact(end, "between") for end in between)
    if not (low.is_number and high.is_number and low < high and low.is_finite):
        raise ValueError(f"between = {low}, {high} is no range of {symbol}. Give two numbers, the smaller one first.")
    if high == oo and not step:
        raise ValueError(f"between = {low}, oo: {symbol} takes all values there. Give two finite numbers.")
    if not step:
        return Admissible(low, high, step)
    least = max(ceiling(low / step) * step, step if low > 0 else S.Zero)
    return Admissible(least, high if high == oo else floor(high / step) * step, step)


def _range(loop: Loop, symbol: Symbol) -> tuple[Expr, Expr]:
    if symbol.is_integer:
        return S.One, oo
    if is_share(loop, symbol):
        return S.Zero, S.One
    if symbol.is_positive:
        return 1 / REACH, REACH
    raise ValueError(f"{symbol} has no range of its own. Give one with between=(low, high).")


def _step(loop: Loop, symbol: Symbol) -> Expr:
    """Return the spacing at which all numbers of points are whole, 0 where any value will do."""
    step = S.One if symbol.is_integer else S.Zero
    if loop.samples.is_infinite:
        return step
    for k in (S(1), S(2)):
        for part in loop.regime.parts(loop.samples, k):
            slope = part.size.diff(symbol)
            if slope.is_Rational and slope != 0:
                step = _common(step, abs(1 / slope))
    return step


def _common(one: Expr, two: Expr) -> Expr:
    """Return the least common multiple of two fractions; 0 stands for no grid."""
    if not one:
        return two
    return Rational(lcm(int(one.p), int(two.p)), gcd(int(one.q), int(two.q)))
