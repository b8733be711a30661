"""Whether a quantity of a loop meets a bound at a value of one symbol, or all over a range of it.

A sign is decided by interval arithmetic on the closed form, or by the exact value where there is none or where that
leaves it open. Evaluated over ranges the same arithmetic shows that there is no crossing.
"""

from collections import defaultdict
from functools import cached_property
from typing import Any, Literal

from attrs import evolve, field, frozen
from sympy import Expr, Mul, Rational, S, Symbol, gamma, oo, polygamma

from theory import symbols
from theory.admissible import Admissible
from theory.balls import Enclosure
from theory.enclosing import enclosure, sign
from theory.errors import NoClosedForm, NotClosed
from theory.quantities import Quantity, positive
from theory.regimes import LISTED, Schedule
from theory.separable import least_size, terms
from theory.signs import sign_on_domain
from theory.steps import jumps
from theory.symbols import n

Relation = Literal[">=", "<=", "="]
PRECISIONS = (64, 256, 1024, 4096)
"""Working precisions, in bits, at which a sign is tried in turn."""
BUDGET = 3000
"""Ranges that are tried in showing that a side has no other crossing."""
LARGE = 10**4
"""Value of the symbol beyond which Gamma functions are enclosed as they stand, not written out."""
SHORT = 10**12
"""Largest numerator and denominator that are written out."""
TINY = Rational(1, 10**20)
"""Relative error that is not worth telling."""
FEW = 40
"""Values of which each is judged on its own where there is no closed form."""
FAR = 2**40
"""Whole numbers up to which a closed form is followed."""


@frozen
class Point:
    """A value of the symbol with that of the quantity, exact or enclosed, and whether it meets the bound."""

    at: Expr
    value: Expr | Enclosure
    holds: bool

    @property
    def digits(self) -> str:
        """The quantity in digits, with its error where it is not exact and short."""
        value = self.value
        if isinstance(value, Enclosure):
            return str(value) if value.radius > TINY * abs(value.value) else f"{value.value.evalf(15)}..."
        return str(value) if value.is_infinite or max(abs(value.p), value.q) < SHORT else f"{value.evalf(15)}..."


@frozen(eq=False)
class Judge:
    """The question whether a quantity meets a bound at a value of the symbol: the sign of their difference."""

    quantity: Quantity
    symbol: Symbol
    horizon: Expr
    relation: Relation
    bound: Expr
    signs: dict[Expr, int] = field(factory=dict, init=False)

    @cached_property
    def difference(self) -> Expr | None:
        """The closed form less the bound, None where there is no closed form."""
        try:
            return self.quantity.closed(self.horizon) - self.bound
        except (NoClosedForm, NotClosed):
            return None

    @cached_property
    def _needed(self) -> list[tuple[Expr, bool]]:
        return positive(self.quantity.conditions(self.horizon))

    def _values(self, at: Any) -> dict[Expr, Any]:
        return {self.symbol: at} if self.horizon == oo else {self.symbol: at, n: self.horizon}

    def holds(self, at: Expr) -> bool:
        """Return whether the bound is met at a value."""
        return self._meets(self.sign(at))

    def _meets(self, found: int) -> bool:
        return found <= 0 if self.relation == "<=" else found >= 0

    def sign(self, at: Expr) -> int:
        """Return the sign of quantity - bound at a value, exactly."""
        if at not in self.signs:
            quick = self._enclosed(at)
            self.signs[at] = self._exact(at) if quick is None else quick
        return self.signs[at]

    def _enclosed(self, at: Expr) -> int | None:
        self.quantity.loop.substitute({self.symbol: at})  # a value that makes no loop is refused here
        if self.difference is None or not self._exists(at):
            return None
        tried = (sign(self.difference, self._values(at), bits) for bits in PRECISIONS[:2])
        return next((found for found in tried if found is not None), None)

    def _exists(self, at: Any) -> bool:
        signs = ((sign(c, self._values(at)), strict) for c, strict in self._needed)
        return all(found == 1 or (found == -1 and not strict) for found, strict in signs)

    def _exact(self, at: Expr) -> int:
        difference = self._value(at) - self.bound
        if difference.is_infinite or difference.is_Rational:
            return 1 if difference > 0 else -1 if difference < 0 else 0
        _enclosed(difference, {})  # what has no enclosure is refused by name
        for bits in PRECISIONS:
            if (found := sign(difference, {}, bits)) is not None:
                return found
        if difference.equals(0):
            return 0
        raise NoClosedForm(
            f"{self.quantity.name} at {self.symbol} = {at} cannot be told from {self.bound}. Ask for another bound."
        )

    def _value(self, at: Expr) -> Expr:
        return self.quantity.put({self.symbol: at}).value(self.horizon)

    def point(self, at: Expr) -> Point:
        """Return the value there: from the recurrence or the chain, or where that is long from the closed form."""
        if self.difference is not None and at > LARGE and self.difference.has(gamma, polygamma):
            return Point(at, self.rough(at), self.holds(at))
        value = self._value(at)
        if value.is_Rational or value.is_infinite:
            return Point(at, value, self.holds(at))
        return Point(at, _enclosed(value, {}), self.holds(at))

    def finite(self, at: Expr) -> bool:
        """Return whether the quantity is finite at a value."""
        return (self.difference is not None and self._exists(at)) or bool(self._value(at).is_finite)

    def rough(self, at: Expr) -> Enclosure:
        """Return bounds of the value, from the closed form where there is one."""
        if self.difference is None or not self._exists(at):
            return _enclosed(self._value(at), {})
        return _enclosed(self.difference + self.bound, self._values(at))

    def settled(self, low: Expr, high: Expr, holds: bool, grid: Admissible) -> bool:
        """Return whether the bound is shown to be met (or to fail) at every value from ``low`` to ``high``.

        A range is settled where the difference has one sign all over it, or where the quantity is monotone on it and
        its two ends agree; other ranges are halved. A value that cannot be told shows nothing.
        """
        try:
            return self._settled(low, high, holds, grid)
        except NoClosedForm:
            return False

    def _settled(self, low: Expr, high: Expr, holds: bool, grid: Admissible) -> bool:
        if high != oo and self._ordered:
            return self.holds(low) == self.holds(high) == holds
        if self.difference is None and (not grid.step or high - low > FEW * grid.step):
            return False
        if high == oo:
            return self.course is not None and self.holds(low) == holds and self._exists_from(low)
        ranges, left = [(low, high)], BUDGET
        while ranges and left:
            left -= 1
            one, two = ranges.pop()
            if (found := self._over(self.difference, one, two)) is not None:
                agree = self._meets(found) == holds
            elif self._monotone(one, two):
                agree = self.holds(one) == self.holds(two) == holds
            elif (middle := grid.between(one, two, S.Zero)) is not None:
                agree = True
                ranges += [(one, middle), (middle, two)]
            else:
                agree = self.holds(one) == self.holds(two) == holds
            if not agree:
                return False
        return not ranges

    def _over(self, closed: Expr | None, low: Expr, high: Expr) -> int | None:
        if closed is None or not self._exists((low, high)):
            return None
        return sign(closed, self._values((low, high)))

    def _monotone(self, low: Expr, high: Expr) -> bool:
        if self.course is not None and low >= 2 and self._exists((low, high)):
            return True
        return self._over(self._slope, low, high) is not None

    @cached_property
    def course(self) -> int | None:
        """The sign of the slope in M for all M >= 2 and n, where it is known; None for other symbols."""
        if self.symbol != symbols.M or self._slope is None:
            return None
        return _sign_of_factors(self._slope)

    @cached_property
    def _ordered(self) -> bool:
        """Whether larger values of the symbol are shown to make no size smaller, and larger sizes to meet the bound
        if smaller ones do.
        """
        loop = self.quantity.loop
        if jumps(loop.regime, self.symbol, self.horizon, S.One, S.One) is None:
            return False
        listed = evolve(self.quantity, loop=evolve(loop, regime=Schedule(LISTED)))
        try:
            parts = terms(listed, int(self.horizon), -1 if self.relation == "<=" else 1)
        except (NotClosed, NoClosedForm):
            return False
        least = least_size(parts, int(self.horizon))
        return all(part.rises(least, FAR) and part.lower_below(least) for part in parts)

    def _exists_from(self, low: Expr) -> bool:
        """Return whether the conditions hold for every M from ``low`` on."""
        shifted = ((c.subs(symbols.M, symbols.M + low - 2), strict) for c, strict in self._needed)
        signs = ((sign_on_domain(c), strict) for c, strict in shifted)
        return low >= 2 and all(found == 1 or (found == -1 and not strict) for found, strict in signs)

    @cached_property
    def _slope(self) -> Expr | None:
        """The derivative of the closed form in the symbol, its factors taken apart so that little cancels."""
        return None if self.difference is None else self.difference.diff(self.symbol).factor()


def _enclosed(value: Expr, values: dict[Expr, Any]) -> Enclosure:
    found = enclosure(value, values, PRECISIONS[1])
    if found is None:
        raise NoClosedForm(f"{value} has no enclosure here. Ask for a quantity made of fractions, exp, log and Gamma.")
    return found


def _sign_of_factors(product: Expr) -> int | None:
    """Return the sign of a product on the domain of its symbols, factors with one symbolic power taken together."""
    total, bases = 1, defaultdict(lambda: 1)
    for base, power in (factor.as_base_exp() for factor in Mul.make_args(product)):
        if not (found := sign_on_domain(base)):
            return None
        if power.is_Integer:
            total *= found ** int(power % 2)
        else:
            bases[max(power, -power, key=str)] *= found
    return total if all(found == 1 for found in bases.values()) else None
