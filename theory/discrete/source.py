"""What the chains of counts read in a loop: the probabilities of its source, one for each type.

Sums of powers of probabilities are formed in ZZ, or in ZZ[symbols] where they are symbolic, over one denominator:
numbers and symbols take the same way.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property, reduce
from itertools import accumulate, repeat
from math import lcm
from operator import add, mul
from typing import Any

from attrs import frozen
from sympy import QQ, ZZ, Expr
from sympy.polys.rings import PolyRing

from theory.discrete.shown import listed
from theory.families.bernoulli import Bernoulli
from theory.field import letters
from theory.loop import Loop


def probabilities(loop: Loop) -> tuple[Expr, ...]:
    """Return the source's probabilities; of a Bernoulli loop (p0, 1 - p0), so that type 0 is the success.

    Raises:
        ValueError: a categorical source without probabilities.
    """
    if isinstance(loop.law, Bernoulli):
        return loop.law.p0, 1 - loop.law.p0
    return tuple(loop.law.source().values())


def require_numbers(loop: Loop) -> None:
    """Raise ValueError where M or a probability of the loop is no rational number."""
    if loop.free_symbols or not loop.samples.is_Integer:
        left = ", ".join(sorted(map(str, loop.free_symbols))) or f"samples = {loop.samples}"
        raise ValueError(f"absorption needs numbers, and the loop leaves {left}. Put them in with loop.at(...).")
    if not all(p.is_Rational for p in probabilities(loop)):
        raise ValueError(f"absorption needs rational probabilities, not {probabilities(loop)}. Give Rational(a, b).")


@frozen
class Source:
    """The types of a source, each of probability x/q with x in ZZ[symbols] and one whole q for all."""

    probabilities: tuple[Expr, ...]

    @property
    def over(self) -> Any:
        """The common denominator q."""
        return self._read[1]

    @cached_property
    def numerators(self) -> tuple[Any, ...]:
        """q times each probability."""
        return self._read[0]

    @cached_property
    def groups(self) -> dict[Any, int]:
        """Each numerator but 0, with the number of types that share it; a symbolic probability is taken to be > 0."""
        return {x: times for x, times in Counter(self.numerators).items() if x}

    @cached_property
    def types(self) -> int:
        """The number of types whose probability is not 0."""
        return sum(self.groups.values())

    @cached_property
    def symbols(self) -> tuple[Expr, ...]:
        """What the probabilities leave symbolic."""
        return tuple(sorted({x for p in self.probabilities if not p.is_Rational for x in letters(p)}, key=str))

    @cached_property
    def ring(self) -> PolyRing | None:
        """QQ[symbols], or None where there are no symbols."""
        return PolyRing(self.symbols, QQ) if self.symbols else None

    @cached_property
    def _read(self) -> tuple[tuple[Any, ...], Any]:
        if self.ring is None:
            if not all(p.is_Rational for p in self.probabilities):
                raise ValueError(f"absorption needs rational probabilities, not {self}. Give Rational(a, b).")
            q = lcm(*(int(p.q) for p in self.probabilities))
            return tuple(ZZ(int(p.p) * (q // int(p.q))) for p in self.probabilities), ZZ(q)
        if not all(p.is_polynomial(*self.symbols) for p in self.probabilities):
            raise ValueError(
                f"absorption needs probabilities polynomial in their symbols, not {self}. Use loop.at(...)."
            )
        polynomials = [self.ring.from_expr(p) for p in self.probabilities]
        q = lcm(*(int(w.denominator) for x in polynomials for w in x.values()))
        return tuple((x * q).set_ring(self.ring.clone(domain=ZZ)) for x in polynomials), ZZ(q)

    def powers(self, x: Any, top: int) -> list[Any]:
        """Return q^top (x/q)^a for a = 0..top."""
        scales = list(accumulate(repeat(self.over, top), mul, initial=ZZ(1)))
        rises = accumulate(repeat(x, top), mul, initial=x**0)
        return list(map(mul, rises, reversed(scales)))

    def total(self, values: Callable[[Any], Sequence[Any]]) -> list[Any]:
        """Return the sum over all types of a list that depends on a type's numerator."""
        lists = ([times * v for v in values(x)] for x, times in self.groups.items())
        return reduce(lambda one, other: list(map(add, one, other)), lists)

    def expr(self, numerator: Any, denominator: Any) -> Expr:
        """Return an element of ZZ or ZZ[symbols] over a whole number, as an expression."""
        if self.ring is None or isinstance(numerator, int | type(ZZ(0))):
            return QQ.to_sympy(QQ(numerator, denominator))
        terms = ((powers, QQ(weight, denominator)) for powers, weight in numerator.terms())
        return self.ring.from_terms(list(terms)).as_expr()

    def __str__(self) -> str:
        """Return the probabilities as a list, a long one by its beginning."""
        return f"[{listed(map(str, self.probabilities))}]"
