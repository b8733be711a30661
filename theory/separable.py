"""A closed form in the sizes M_1, ..., M_n of a schedule, taken apart into sums and products of terms of one size each.

Such a form is what can be optimised for certain: if the gain of one more point falls with every point, in each term,
no schedule beats one in which no point gains more elsewhere.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from attrs import frozen
from sympy import Add, Dummy, Expr, Mul, Poly, Product, S, Sum, expand_log, fraction, log

from theory.enclosing import enclosure, sign
from theory.errors import NotClosed
from theory.quantities import Quantity
from theory.regimes import LISTED
from theory.signs import sign_on_domain
from theory.symbols import M, n

FIT = Dummy("k", integer=True, positive=True)
"""The number of a fit, in a term."""
PRECISIONS = (128, 512, 2048)
"""Bits at which two gains are told apart, in turn."""
BITS = 128
"""Bits at which a sign is looked for over a range."""
RANGES = 1000
"""Ranges that are tried in showing a sign."""


@frozen(eq=False)
class Term:
    """sum_k term(k, M_k), or the product, over the fits from ``first`` to ``last``, which is to be made greatest.

    Args:
        kind: how terms come together.
        term: one of them, in the number of its fit and M, its size.
        aim: -1 where the least sum or product is asked for.
        first: the first fit.
        last: the last fit.
    """

    kind: Literal["sum", "product"]
    term: Expr
    aim: int
    first: int
    last: int

    @cached_property
    def worth(self) -> Expr:
        """What each fit adds to a sum that is to be greatest: the term, or its logarithm, up to a factor > 0."""
        inside = self.term if self.kind == "sum" else expand_log(log(self.term), force=True)
        _, depending = inside.as_independent(M, as_Add=True)
        factor, rest = depending.as_independent(M, as_Add=False)
        return self.aim * depending if not factor.is_positive else self.aim * rest

    @cached_property
    def _exact(self) -> bool:
        """Whether the term is a fraction at every fit and size."""
        return bool(self.term.is_rational_function(M) and self.term.subs({FIT: 3, M: 5}).is_Rational)

    @cached_property
    def _fractions(self) -> dict[int, tuple[Poly, Poly]]:
        """Numerator and denominator of the term at each fit, as polynomials in the size."""
        fits = range(self.first, self.last + 1)
        pairs = {k: fraction(self.term.subs(FIT, k).together()) for k in fits}
        return {k: (Poly(above, M), Poly(below, M)) for k, (above, below) in pairs.items()}

    def value(self, fit: int, size: int) -> Expr:
        """Return the term at a fit's size: exact where it is a fraction, else to 128 bits."""
        if self._exact:
            above, below = self._fractions[fit]
            return above(size) / below(size)
        found = enclosure(self.term, {FIT: S(fit), M: S(size)}, PRECISIONS[0])
        return S.NaN if found is None else found.value

    def exists(self, fit: int, size: int) -> bool:
        """Return whether the term is finite, and positive in a product."""
        if not self.first <= fit <= self.last:
            return True
        value = self.value(fit, size)
        return bool(value.is_finite and (self.kind == "sum" or value > 0))

    def gain(self, fit: int, size: int, more: int = 1) -> Expr:
        """Return what ``more`` points add to a fit of this size: a difference, or in a product a ratio."""
        if not self.first <= fit <= self.last:
            return S.Zero if self.kind == "sum" else S.One
        before, after = self.value(fit, size), self.value(fit, size + more)
        if self.kind == "sum":
            return self.aim * (after - before)
        return after / before if self.aim > 0 else before / after

    def helps(self, fit: int, size: int) -> bool:
        """Return whether one more point does no harm."""
        return bool(self.gain(fit, size) >= (0 if self.kind == "sum" else 1))

    def compare(self, one: tuple[int, int], two: tuple[int, int]) -> int | None:
        """Return the sign of the gain of a point at one (fit, size), less that at another; None where undecided."""
        if self._exact:
            difference = self.gain(*one) - self.gain(*two)
            return bool(difference > 0) - bool(difference < 0) if difference.is_Rational else None
        if one[1] == two[1] and not self.term.has(FIT):
            return 0
        values = dict(zip((_A, _B), map(S, (one[1], two[1])), strict=True))
        difference = self._gain_in(one[0], _A) - self._gain_in(two[0], _B)
        return next((found for bits in PRECISIONS if (found := sign(difference, values, bits)) is not None), None)

    def _gain_in(self, fit: int, size: Expr) -> Expr:
        worth = self.worth.subs(FIT, fit)
        return worth.subs(M, size + 1) - worth.subs(M, size)

    def rises(self, least: int, largest: int) -> bool:
        """Return whether every point is shown to gain, at sizes from ``least`` to ``largest``."""
        return self._sign(self.worth.diff(M), least, largest) == 1

    def lower_below(self, least: int) -> bool:
        """Return whether sizes below ``least``, where they exist, have terms of no more worth, such as a factor 0."""
        below = [self.value(self.first, size) for size in range(1, least)]
        worst = [self.aim * (value - self.value(self.first, least)) for value in below if value.is_finite]
        return all(bool(difference <= 0) for difference in worst)

    def diminishes(self, least: int, largest: int) -> bool:
        """Return whether each point is shown to gain less than the one before it."""
        return self._sign(self.worth.diff(M, 2), least, largest) == -1

    def _sign(self, slope: Expr, least: int, largest: int) -> int | None:
        """Return the sign of a function of the size over a range: on its whole domain by algebra, else by intervals."""
        slope = slope.factor() if slope.is_rational_function(M) else slope
        _, reduced = slope.as_independent(M, as_Add=False)
        outer = slope / reduced
        fits = range(self.first, self.last + 1) if outer.has(FIT) or reduced.has(FIT) else (self.first,)
        signs = {self._sign_at(slope.subs(FIT, k), least, largest) for k in fits}
        return signs.pop() if len(signs) == 1 else None

    @staticmethod
    def _sign_at(slope: Expr, least: int, largest: int) -> int | None:
        shown = sign_on_domain(slope.subs(M, M + least - 2)) if least > 2 else sign_on_domain(slope)
        if shown is not None and least >= 2:
            return shown
        return _over(slope, S(least), S(largest))


_A, _B = Dummy("a", integer=True, positive=True), Dummy("b", integer=True, positive=True)


def _over(slope: Expr, low: Expr, high: Expr) -> int | None:
    """Return the sign that an expression has all over a range, by halving; None where it is not shown."""
    ranges, found, steep = [(low, high)], set(), slope.diff(M)
    for _ in range(RANGES):
        if not ranges:
            return found.pop() if len(found) == 1 else None
        one, two = ranges.pop()
        if (here := _constant(slope, steep, one, two)) is not None:
            found.add(here)
        else:
            ranges += [(one, (one + two) / 2), ((one + two) / 2, two)]
    return None


def _constant(slope: Expr, steep: Expr, low: Expr, high: Expr) -> int | None:
    """Return the sign over a short range: f(x) lies within h |f'| of f in the middle, h half the width."""
    if low == high:
        return sign(slope, {M: low})
    if (found := sign(slope, {M: (low, high)})) is not None:
        return found
    middle, rate = enclosure(slope, {M: (low + high) / 2}, BITS), enclosure(steep, {M: (low, high)}, BITS)
    if middle is None or rate is None:
        return None
    reach = max(abs(rate.lower), abs(rate.upper)) * (high - low) / 2
    return 1 if middle.lower > reach else -1 if middle.upper < -reach else None


def terms(asked: Quantity, horizon: int, sense: int) -> list[Term]:
    """Return the parts of a quantity of a loop with the schedule M_1, M_2, ..., each to be made greatest.

    Args:
        asked: the quantity, of a loop whose regime is a schedule of symbols.
        horizon: the generation.
        sense: 1 where the quantity is to be greatest, -1 where it is to be least.

    Raises:
        NotClosed: the closed form is not made of sums and products of terms that read one size each.

    >>> from theory import Gaussian, Loop, Schedule
    >>> from theory.quantities import quantity
    >>> [one.term for one in terms(quantity(Loop(Gaussian(), regime=Schedule(LISTED)), Gaussian.V), 3, 1)]
    [(M - 1)/M]
    """
    closed = asked.closed(n).subs(n, horizon)
    added: dict[tuple[int, int], list[Expr]] = {}
    multiplied: list[Term] = []
    for weight, whole in _pieces(closed):
        if isinstance(whole, Sum):
            span, term = _read(whole, asked)
            added.setdefault(span, []).append(weight * term)
        elif isinstance(whole, Product):
            span, term = _read(whole, asked)
            multiplied.append(Term("product", term, sense * _side(weight, asked), *span))
        elif weight.has(LISTED) or whole.has(LISTED):
            raise _entangled(asked)
    found = [Term("sum", Add(*together), sense, *span) for span, together in added.items()] + multiplied
    if not found:
        raise ValueError(f"{asked.name} does not depend on the sizes. Ask for another quantity.")
    return found


def _pieces(closed: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Yield (weight, sum or product or 1) for the parts of a closed form."""
    for part in Add.make_args(closed.expand(deep=False, power_base=False, power_exp=False, log=False)):
        wholes = [factor for factor in Mul.make_args(part) if isinstance(factor, Sum | Product)]
        whole = wholes[0] if len(wholes) == 1 else S.One
        yield part / whole, whole


def _read(whole: Sum | Product, asked: Quantity) -> tuple[tuple[int, int], Expr]:
    """Return the fits that a sum or product runs over, and its term."""
    ((k, first, last),) = whole.limits
    term = whole.function.subs(LISTED[k], M).subs(k, FIT)
    if term.has(LISTED, Sum, Product) or not (first.is_Integer and last.is_Integer):
        raise _entangled(asked)
    return (int(first), int(last)), term


def _side(weight: Expr, asked: Quantity) -> int:
    if weight.has(LISTED):
        raise _entangled(asked)
    if weight.is_positive or weight.is_negative:
        return 1 if weight.is_positive else -1
    raise ValueError(f"{asked.name} has a part with the weight {weight}, of unknown sign. Put numbers in for symbols.")


def _entangled(asked: Quantity) -> NotClosed:
    return NotClosed(
        f"{asked.name} is no sum or product of terms that read one size each. "
        "Ask for a mean, a variance or a distance whose closed form is, such as V, log(V), mu**2 or w2."
    )


def least_size(parts: list[Term], horizon: int) -> int:
    """Return the least size at which every term of every fit is finite, and positive in a product."""
    ends = (1, horizon)
    return next((m for m in range(1, 65) if all(t.exists(k, m) for t in parts for k in ends)), 65)
