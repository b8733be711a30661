"""The coefficient field QQ(symbols), where equality is decided by normal form."""

from functools import cached_property
from typing import Any

from attrs import frozen
from sympy import QQ, Dummy, Expr, Indexed

Element = Any
"""An element of the field."""


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

    def require(self, symbols: set[Expr]) -> None:
        """Raise `MissingGenerator` for symbols that are not in the field."""
        if missing := symbols - set(self.generators):
            raise MissingGenerator(missing)

    def __call__(self, expr: Expr) -> Element:
        """Return ``expr`` as an element."""
        self.require(letters(expr))
        return self.domain.from_sympy(expr)

    def expr(self, element: Element) -> Expr:
        """Return the element as an expression."""
        return self.domain.to_sympy(element)
