"""The coefficient field QQ(symbols), where equality is decided by normal form.

Elements come from python-flint where it is installed and from SymPy otherwise; nothing else knows which.
"""

from collections.abc import Collection, Sequence
from functools import cached_property

from attrs import field, frozen
from sympy import Dummy, Expr, Indexed, Integer, Mul, S
from sympy.core.mul import _keep_coeff

from theory.arithmetic import Arithmetic, Element, Factored, SymPyArithmetic, Terms, polynomial_expr
from theory.constants import depends
from theory.errors import NoClosedForm
from theory.fraction import AVAILABLE, FlintArithmetic


class MissingGenerator(Exception):
    """The field lacks symbols that a moment brought in; the derivation starts again with them."""

    def __init__(self, found: set[Expr]) -> None:
        """Keep the symbols."""
        super().__init__(found)
        self.found = found


def letters(expr: Expr) -> set[Expr]:
    """Return the free symbols of an expression and its indexed entries, each entry one letter: M[n] is no n.

    >>> from sympy import IndexedBase
    >>> from theory.symbols import n
    >>> letters(IndexedBase("M")[n] + 1)
    {M[n]}
    """
    entries = expr.atoms(Indexed)
    if not entries:
        return expr.free_symbols
    # Each entry by a letter of its own, since a number in its place might make a factor 0.
    names = {entry: Dummy() for entry in entries}
    return entries | (expr.xreplace(names).free_symbols - set(names.values()))


@frozen(eq=False)
class Field:
    """Rational functions over QQ in the given symbols (named constants included).

    >>> from theory.symbols import M
    >>> field = Field((M,))
    >>> field(1 - 1 / M) == field((M - 1) / M)
    True
    """

    generators: tuple[Expr, ...]
    _known: dict[Terms, Expr] = field(factory=dict, init=False)
    _factored: dict[Element, Factored] = field(factory=dict, init=False)

    @cached_property
    def _arithmetic(self) -> Arithmetic:
        return (FlintArithmetic if AVAILABLE and self.generators else SymPyArithmetic)(self.generators)

    @cached_property
    def _symbols(self) -> frozenset[Expr]:
        return frozenset(self.generators)

    @cached_property
    def zero(self) -> Element:
        """The number 0."""
        return self._arithmetic.zero

    @cached_property
    def one(self) -> Element:
        """The number 1."""
        return self._arithmetic.one

    def require(self, symbols: set[Expr]) -> None:
        """Raise `MissingGenerator` for symbols that are not in the field."""
        if missing := symbols - self._symbols:
            raise MissingGenerator(missing)

    def __call__(self, expr: Expr) -> Element:
        """Return ``expr`` as an element."""
        self.require(letters(expr))
        return self._arithmetic.read(expr)

    def holds(self, expr: Expr) -> bool:
        """Return whether all letters of an expression are in the field."""
        return letters(expr) <= self._symbols

    def extended(self, more: set[Expr]) -> "Field":
        """Return the field with more letters, itself where it has them."""
        return self if more <= self._symbols else Field(tuple(sorted({*self.generators, *more}, key=str)))

    def lifted(self, element: Element, smaller: "Field") -> Element:
        """Return an element of a smaller field as one of this."""
        return element if smaller is self else self(smaller.expr(element))

    def expr(self, element: Element) -> Expr:
        """Return the element as an expression, numerator and denominator expanded."""
        return self._arithmetic.expr(element)

    def factored(self, element: Element) -> Factored:
        """Return the element in irreducible factors, the short ones first."""
        if element not in self._factored:
            whole = self._arithmetic.factored(element)
            factors = dict(sorted(whole.factors.items(), key=lambda item: (len(item[0]), item[0])))
            self._factored[element] = Factored(whole.content, factors)
        return self._factored[element]

    def integer(self, element: Element) -> int | None:
        """Return the whole number that an element is, None where it is none."""
        whole = self.factored(element)
        return int(whole.content) if not whole.factors and whole.content.is_Integer else None

    def factors(self, element: Element) -> Expr:
        """Return the element as an expression, factored.

        >>> from theory.symbols import M
        >>> field = Field((M,))
        >>> field.factors(field(M - 1 / M))
        (M - 1)*(M + 1)/M
        """
        return self.product(self.factored(element))

    def product(self, factored: Factored, *more: Expr) -> Expr:
        """Return a product of factors, and of more, as an expression that stays factored."""
        return _keep_coeff(factored.content, Mul(*(self.factor(f) ** e for f, e in factored.factors.items()), *more))

    def factor(self, terms: Terms) -> Expr:
        """Return a polynomial as an expression."""
        if terms not in self._known:
            self._known[terms] = polynomial_expr(terms, self.generators)
        return self._known[terms]

    def polynomial(self, terms: Terms) -> Element:
        """Return a polynomial in the generators as an element."""
        return self._arithmetic.polynomial(terms)

    def collected(self, element: Element, apart: Collection[Expr]) -> dict[Expr, Element]:
        """Return {x: w} with element = sum x w, x products of the letters ``apart`` and w free of them where the
        denominator is.
        """
        places = [k for k, x in enumerate(self.generators) if x in apart]
        terms, over = self._arithmetic.fraction(element)
        if any(powers[k] for f, e in self.factored(over).factors.items() for powers, _ in f for k in places):
            return {S.One: element}
        groups: dict[Expr, list[tuple[tuple[int, ...], int]]] = {}
        for powers, weight in terms:
            moment = Mul(*(self.generators[k] ** powers[k] for k in places))
            inner = tuple(0 if k in places else e for k, e in enumerate(powers))
            groups.setdefault(moment, []).append((inner, weight))
        return {moment: self.polynomial(tuple(group)) * over for moment, group in groups.items()}

    def shifted(self, element: Element, x: Expr, step: int) -> Element:
        """Return the element at x + step."""
        return self._substituted(element, x, step, relative=True)

    def before(self, element: Element, x: Expr) -> Element:
        """Return the element at x - 1, or raise `NoClosedForm` where it names an entry of a sequence there."""
        if self.names(x) and self.varies(element, x):
            raise NoClosedForm("the sizes of two fits, left symbolic, meet in one moment. Ask .at(n=...) for values.")
        return self.shifted(element, x, -1)

    def names(self, x: Expr) -> bool:
        """Return whether another generator depends on x, such as the entry M[x] of a sequence, or a constant of it."""
        return any(g != x and depends(g, x) for g in self.generators)

    def varies(self, element: Element, x: Expr) -> bool:
        """Return whether the element depends on x, by itself or through an entry."""
        return any(depends(self.factor(f), x) for f in self.factored(element).factors)

    def at(self, element: Element, x: Expr, value: int) -> Element:
        """Return the element at x = value, or raise ZeroDivisionError."""
        return self._substituted(element, x, value, relative=False)

    def _substituted(self, element: Element, x: Expr, value: int, *, relative: bool) -> Element:
        if x not in self._symbols:
            return element
        image = self(x + value) if relative else self(Integer(value))
        return self._arithmetic.substituted(element, self.generators.index(x), image)

    def split(self, polynomial: Sequence[Element]) -> list[tuple[list[Element], int]]:
        """Return the monic irreducible factors of sum_k polynomial[k] x^k, each with its multiplicity."""
        return self._arithmetic.split(polynomial)
