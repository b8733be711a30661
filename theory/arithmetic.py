"""What a field of rational functions must be able to do, and the version that needs SymPy alone.

Elements add, multiply, divide and compare by themselves; an `Arithmetic` makes them, takes them apart into factors and
factors polynomials over them. `theory.fraction` does the same with python-flint, many times faster.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from attrs import frozen
from sympy import QQ, Add, Expr, Integer, Mul, Poly, Rational, S, Symbol
from sympy.core.add import _addsort
from sympy.core.mul import _mulsort

Element = Any
"""An element of the field."""
Terms = tuple[tuple[tuple[int, ...], int], ...]
"""A polynomial: (exponents of the generators, coefficient) of every term, highest first."""


@frozen
class Factored:
    """content * prod factor^power over irreducible primitive factors with positive leading coefficients."""

    content: Rational
    factors: dict[Terms, int]


class Arithmetic(ABC):
    """Rational functions over QQ in ``generators``."""

    generators: tuple[Expr, ...]
    zero: Element
    one: Element

    @abstractmethod
    def read(self, expr: Expr) -> Element:
        """Return a rational expression in the generators as an element."""

    @abstractmethod
    def expr(self, element: Element) -> Expr:
        """Return the element as numerator/denominator, both expanded."""

    @abstractmethod
    def factored(self, element: Element) -> Factored:
        """Return the element in irreducible factors."""

    @abstractmethod
    def polynomial(self, terms: Terms) -> Element:
        """Return a polynomial in the generators as an element."""

    @abstractmethod
    def fraction(self, element: Element) -> tuple[Terms, Element]:
        """Return the numerator, and one over the denominator."""

    @abstractmethod
    def substituted(self, element: Element, place: int, value: Element) -> Element:
        """Return the element with a polynomial put in for one generator; raises ZeroDivisionError at a pole."""

    @abstractmethod
    def split(self, polynomial: Sequence[Element]) -> list[tuple[list[Element], int]]:
        """Return the monic irreducible factors of sum_k polynomial[k] x^k, each with its multiplicity."""


@frozen(eq=False, slots=False)
class SymPyArithmetic(Arithmetic):
    """Elements of SymPy's ``QQ.frac_field``, or of ``QQ`` where there is no generator."""

    generators: tuple[Expr, ...]

    @cached_property
    def domain(self) -> Any:
        """The SymPy domain."""
        return QQ.frac_field(*self.generators) if self.generators else QQ

    @property
    def zero(self) -> Element:
        """The number 0."""
        return self.domain.zero

    @property
    def one(self) -> Element:
        """The number 1."""
        return self.domain.one

    def read(self, expr: Expr) -> Element:
        """Return the expression as an element."""
        return self.domain.from_sympy(expr)

    def expr(self, element: Element) -> Expr:
        """Return the element as an expression."""
        return self.domain.to_sympy(element)

    def factored(self, element: Element) -> Factored:
        """Return the factors of numerator and denominator."""
        if not self.generators:
            return Factored(QQ.to_sympy(element), {})
        content, factors = S.One, {}
        for part, sign in ((element.numer, 1), (element.denom, -1)):
            scale, found = part.factor_list()
            content *= QQ.to_sympy(scale) ** sign
            for factor, power in found:
                # Over QQ factors come primitive, their signs are not promised.
                content *= S(-1 if factor.LC < 0 else 1) ** power
                factor = -factor if factor.LC < 0 else factor
                factors[_terms(factor)] = sign * power
        return Factored(content, factors)

    def polynomial(self, terms: Terms) -> Element:
        """Return the terms as an element."""
        return self.domain.field.new(self.domain.field.ring.from_dict({powers: QQ(w) for powers, w in terms}))

    def fraction(self, element: Element) -> tuple[Terms, Element]:
        """Return numerator and denominator as they are held."""
        if not self.generators:
            return (((), 1),), element
        content, top = element.numer.primitive()
        return _terms(top), self.domain.field.new(self.domain.field.ring(content), element.denom)

    def substituted(self, element: Element, place: int, value: Element) -> Element:
        """Return the element with numerator and denominator composed."""
        x = self.domain.field.ring.gens[place]
        above, below = (part.compose(x, value.numer) for part in (element.numer, element.denom))
        return self.domain.field.new(above, below)

    def split(self, polynomial: Sequence[Element]) -> list[tuple[list[Element], int]]:
        """Return the factors by SymPy's factorisation over the domain."""
        x = Symbol("x")
        whole = Poly.from_list([self.expr(w) for w in reversed(polynomial)], x, domain=self.domain)
        found = []
        for factor, multiplicity in whole.factor_list()[1]:
            lead, *rest = (self.domain.convert(w) for w in factor.rep.to_list())
            found.append(([*(w / lead for w in reversed(rest)), self.one], multiplicity))
        return found


def polynomial_expr(terms: Terms, generators: Sequence[Expr]) -> Expr:
    """Return sum of weight * prod generators^powers; as SymPy would, but told that there is nothing to gather."""
    parts = [_monomial(powers, weight, generators) for powers, weight in terms if any(powers)]
    _addsort(parts)
    constant = [Integer(weight) for powers, weight in terms if not any(powers)]
    return Add._from_args(constant + parts)


def _monomial(powers: tuple[int, ...], weight: int, generators: Sequence[Expr]) -> Expr:
    factors = [x**e for x, e in zip(generators, powers, strict=True) if e]
    _mulsort(factors)
    return Mul._from_args(factors if weight == 1 else [Integer(weight), *factors])


def _terms(polynomial: Any) -> Terms:
    return tuple((powers, int(weight)) for powers, weight in polynomial.terms())
