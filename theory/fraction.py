"""Rational functions held as two python-flint polynomials in lowest terms, which is where a derivation's time goes.

python-flint may be absent: then `AVAILABLE` is false and `theory.field` uses SymPy's own fractions.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from attrs import frozen
from sympy import ZZ, Add, Expr, Integer, Mul, Pow, Rational, S, ring
from sympy.polys.polyerrors import CoercionFailed

from theory.arithmetic import Arithmetic, Element, Factored, Terms, polynomial_expr

AVAILABLE = find_spec("flint") is not None
"""Whether python-flint is installed."""
flint: Any = import_module("flint") if AVAILABLE else None


class Fraction:
    """top/bottom with no common factor, the leading coefficient of the bottom positive; equal means identical."""

    __slots__ = ("bottom", "top")

    def __init__(self, top: Any, bottom: Any) -> None:
        """Take a numerator and a denominator that are in lowest terms already."""
        self.top, self.bottom = top, bottom

    def _read(self, other: Any) -> "Fraction":
        return other if isinstance(other, Fraction) else Fraction(_same(self.top, int(other)), _same(self.top, 1))

    def __add__(self, other: Any) -> "Fraction":
        other = self._read(other)
        common = self.bottom.gcd(other.bottom)
        if common.is_one():
            return Fraction(self.top * other.bottom + other.top * self.bottom, self.bottom * other.bottom)
        left, right = self.bottom / common, other.bottom / common
        top = self.top * right + other.top * left
        # Henrici: whatever still cancels divides the common part of the denominators.
        rest = top.gcd(common)
        return Fraction(top / rest, left * (other.bottom / rest)) if top else Fraction(top, _same(top, 1))

    def __mul__(self, other: Any) -> "Fraction":
        other = self._read(other)
        if self.bottom.is_one() and other.bottom.is_one():
            return Fraction(self.top * other.top, self.bottom)
        one, two = self.top.gcd(other.bottom), other.top.gcd(self.bottom)
        return Fraction((self.top / one) * (other.top / two), (self.bottom / two) * (other.bottom / one))

    def __neg__(self) -> "Fraction":
        return Fraction(-self.top, self.bottom)

    def __sub__(self, other: Any) -> "Fraction":
        return self + -self._read(other)

    def __rsub__(self, other: Any) -> "Fraction":
        return self._read(other) - self

    __radd__, __rmul__ = __add__, __mul__

    def _inverse(self) -> "Fraction":
        if not self.top:
            raise ZeroDivisionError("0 has no inverse")
        sign = 1 if self.top.leading_coefficient() > 0 else -1
        return Fraction(self.bottom * sign, self.top * sign)

    def __truediv__(self, other: Any) -> "Fraction":
        return self * self._read(other)._inverse()

    def __rtruediv__(self, other: Any) -> "Fraction":
        return self._read(other) / self

    def __pow__(self, exponent: int) -> "Fraction":
        base = self if exponent >= 0 else self._inverse()
        return Fraction(base.top ** abs(exponent), base.bottom ** abs(exponent))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fraction | int):
            return NotImplemented
        other = self._read(other)
        return self.top == other.top and self.bottom == other.bottom

    def __bool__(self) -> bool:
        return bool(self.top)

    def __hash__(self) -> int:
        # Polynomials of python-flint have no hash of their own.
        return hash((str(self.top), str(self.bottom)))

    def __repr__(self) -> str:
        return f"({self.top})/({self.bottom})"


def _same(like: Any, value: int) -> Any:
    return like.context().constant(value)


@frozen(eq=False, slots=False)
class FlintArithmetic(Arithmetic):
    """Elements are `Fraction`s."""

    generators: tuple[Expr, ...]

    @cached_property
    def _ring(self) -> Any:
        return flint.fmpz_mpoly_ctx.get([f"x{k}" for k in range(len(self.generators))], "lex")

    @cached_property
    def _letters(self) -> dict[Expr, Element]:
        return {x: self._whole(gen) for x, gen in zip(self.generators, self._ring.gens(), strict=True)}

    def _whole(self, polynomial: Any) -> Element:
        return Fraction(polynomial, self._ring.constant(1))

    @cached_property
    def zero(self) -> Element:
        """The number 0."""
        return self._whole(self._ring.constant(0))

    @cached_property
    def one(self) -> Element:
        """The number 1."""
        return self._whole(self._ring.constant(1))

    def read(self, expr: Expr) -> Element:
        """Return the expression as an element, arithmetic done as it is written."""
        if expr in self._letters:
            return self._letters[expr]
        if isinstance(expr, Rational):
            return Fraction(self._ring.constant(int(expr.p)), self._ring.constant(int(expr.q)))
        if isinstance(expr, Add):
            return sum(map(self.read, expr.args), self.zero)
        if isinstance(expr, Mul):
            product = self.one
            for arg in expr.args:
                product *= self.read(arg)
            return product
        if isinstance(expr, Pow) and isinstance(expr.exp, Integer):
            return self.read(expr.base) ** int(expr.exp)
        raise CoercionFailed(f"{expr} is no rational function of {self.generators}")

    def expr(self, element: Element) -> Expr:
        """Return the element as an expression."""
        above, below = (polynomial_expr(_terms(part), self.generators) for part in (element.top, element.bottom))
        return above / below

    def factored(self, element: Element) -> Factored:
        """Return the factors of numerator and denominator."""
        if not element:
            return Factored(S.Zero, {})
        above, below = element.top.factor(), element.bottom.factor()
        content, factors = Rational(int(above[0]), int(below[0])), {}
        for sign, found in ((1, above[1]), (-1, below[1])):
            for factor, power in found:
                if factor.leading_coefficient() < 0:
                    content, factor = content * S.NegativeOne**power, -factor
                factors[_terms(factor)] = sign * int(power)
        return Factored(content, factors)

    def polynomial(self, terms: Terms) -> Element:
        """Return the terms as an element."""
        return self._whole(self._ring.from_dict(dict(terms)))

    def fraction(self, element: Element) -> tuple[Terms, Element]:
        """Return numerator and denominator as they are held."""
        return _terms(element.top), Fraction(self._ring.constant(1), element.bottom)

    def substituted(self, element: Element, place: int, value: Element) -> Element:
        """Return the element with numerator and denominator composed."""
        images = [*self._ring.gens()]
        images[place] = value.top
        return self._whole(element.top.compose(*images)) / self._whole(element.bottom.compose(*images))

    def split(self, polynomial: Sequence[Element]) -> list[tuple[list[Element], int]]:
        """Return the factors, found over the integers with x as one more generator."""
        size = len(self.generators)
        wide = flint.fmpz_mpoly_ctx.get([*(f"x{k}" for k in range(size)), "x"], "lex")
        bottom = self._ring.constant(1)
        for w in polynomial:
            bottom *= w.bottom / bottom.gcd(w.bottom)
        terms = {
            (*powers, k): weight
            for k, w in enumerate(polynomial)
            for powers, weight in (w.top * (bottom / w.bottom)).to_dict().items()
        }
        found = _factors(wide, terms)
        return [(self._monic(factor), int(power)) for factor, power in found if any(e[-1] for e in factor.monoms())]

    def _monic(self, factor: Any) -> list[Element]:
        """Return a polynomial in the last generator by its coefficients, divided by the leading one."""
        rows: dict[int, dict[Any, Any]] = {}
        for powers, weight in factor.terms():
            rows.setdefault(int(powers[-1]), {})[powers[:-1]] = weight
        whole = [self._whole(self._ring.from_dict(rows.get(k, {}))) for k in range(max(rows) + 1)]
        return [w / whole[-1] for w in whole]


def _factors(ring_of: Any, terms: Mapping[tuple[int, ...], Any]) -> list[tuple[Any, int]]:
    """Return the irreducible factors with their powers."""
    try:
        return ring_of.from_dict(terms).factor()[1]
    except OverflowError:  # python-flint sorts factors by their coefficients as machine words, and so loses long ones
        over = ring(ring_of.names(), ZZ)[0]
        found = over.from_dict({powers: ZZ(int(weight)) for powers, weight in terms.items()}).factor_list()[1]
        return [(ring_of.from_dict({m: int(c) for m, c in f.to_dict().items()}), power) for f, power in found]


def _terms(polynomial: Any) -> Terms:
    return tuple((tuple(map(int, powers)), int(weight)) for powers, weight in polynomial.terms())
