"""Rational functions as polynomials: whatever is divided by, f, has its inverse 1/f as a variable of its own.

So a quotient is a product, and nothing is cancelled. A function is 0 if it is once it was multiplied by the divisors
until none of their inverses is left: where no divisor is 0, that changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import reduce
from math import lcm
from operator import or_
from typing import Any

from proofs.kernel.verdict import Rejected

Polynomial = dict[int, Any]  # integers or fractions by monomials, no zeros
# The exponents are the digits of a monomial, so a product is a sum: in base 10, 3 x^2 y - 1 would be {12: 3, 0: -1}.
BITS, PLACES = 16, 1024
DIGIT = 2**BITS - 1
HALVES = sum(2 ** (BITS * k - 1) for k in range(1, PLACES))  # digits below the half carry nothing when two are added
LARGEST = 250_000  # pairs of terms in a product


def constant(value: Fraction | int) -> Polynomial:
    """The polynomial that is `value` everywhere."""
    return {0: value} if value else {}


def plus(p: Polynomial, q: Polynomial, sign: int = 1) -> Polynomial:
    """p + q, or p - q."""
    total = p.copy()
    for m, c in q.items():
        if here := total.get(m, 0) + sign * c:
            total[m] = here
        else:
            del total[m]
    return total


def times(p: Polynomial, q: Polynomial) -> Polynomial:
    """p q, unless it is so large that a checker which anyone may run would seem to hang."""
    if len(p) * len(q) > LARGEST:
        raise Rejected("size of the certificate", "a product of polynomials has too many terms")
    if len(p) == 1 or len(q) == 1:  # nothing to gather
        total = {a + b: c * d for a, c in p.items() for b, d in q.items()}
    else:
        total: Polynomial = {}
        for a, c in p.items():
            for b, d in q.items():
                total[a + b] = total.get(a + b, 0) + c * d
        total = {m: c for m, c in total.items() if c}
    if reduce(or_, total, 0) & HALVES:
        raise Rejected("size of the certificate", "an exponent is too high")
    return total


def power(p: Polynomial, k: int) -> Polynomial:
    """p^k for k >= 0."""
    even = power(times(p, p), k // 2) if k > 1 else constant(1)
    return times(even, p) if k % 2 else even


def split(p: Polynomial, mask: int) -> dict[int, Polynomial]:
    """{m: q} with p = sum m q, where m has the digits of the mask and q the others."""
    parts: dict[int, Polynomial] = {}
    for m, c in p.items():
        parts.setdefault(here := m & mask, {})[m - here] = c
    return parts


class Ring:
    """The variables so far: names, and inverses of divisors, each younger than all that its divisor holds."""

    def __init__(self) -> None:
        self._places: dict[Any, int] = {}
        self.divisors: dict[int, Polynomial] = {}  # f by 1/f
        self._inner = 0  # the digits of all that is or has an inverse

    def variable(self, name: Any) -> int:
        """The variable of a name, or that of the inverse of the polynomial with a set of terms."""
        if len(self._places) == PLACES:
            raise Rejected("size of the certificate", "it has too many variables")
        return self._places.setdefault(name, 1 << BITS * len(self._places))

    def names(self, monomials: Iterable[int]) -> list[Any]:
        """What variables a polynomial's monomials hold."""
        used = reduce(or_, monomials, 0)
        return [name for name, x in self._places.items() if DIGIT * x & used]

    def inverse(self, f: Polynomial) -> Polynomial:
        """1/f for any f but 0."""
        if f.keys() <= {0}:
            return {0: 1 / Fraction(f.get(0, 0))}
        x = self.variable(frozenset(f.items()))
        if x not in self.divisors:
            self.divisors[x], self._inner = f, self._inner | DIGIT * sum([x, *map(self.variable, self.names(f))])
        return {x: 1}

    def cleared(self, p: Polynomial) -> Polynomial:
        """A multiple of p, by a number and powers of the divisors, without an inverse; the youngest goes first."""
        scale = lcm(*(c.denominator for c in p.values()))
        p = {m: c.numerator * (scale // c.denominator) for m, c in p.items()}
        for x, f in reversed(self.divisors.items()):
            if DIGIT * x & reduce(or_, p, 0):
                parts = split(p, DIGIT * x)
                p = reduce(plus, (times(part, power(f, (max(parts) - m) // x)) for m, part in parts.items()))
        return p

    def is_zero(self, p: Polynomial) -> bool:
        """Whether p is the function 0: what stands at each product of the variables that no divisor holds is."""
        return not any(map(self.cleared, split(p, ~self._inner).values()))

    def put(self, values: Mapping[str, Polynomial]) -> Callable[[Polynomial], Polynomial]:
        """What turns some variables, and the divisors that hold them, into other functions, all at once."""
        images = {0: constant(1)} | {self.variable(name): value for name, value in values.items()}
        moved = DIGIT * sum(images)
        for x, f in self.divisors.items():
            moved |= DIGIT * x * any(m & moved for m in f)

        def image(m: int) -> Polynomial:
            if m not in images:
                x = 1 << (m.bit_length() - 1) // BITS * BITS  # the youngest variable of m
                images[m] = times(image(m - x), image(x)) if m != x else self.inverse(at(self.divisors[x]))
            return images[m]

        def at(p: Polynomial) -> Polynomial:
            return reduce(plus, (times(part, image(m)) for m, part in split(p, moved).items()), {})

        return at
