"""The coefficient field QQ(symbols), where equality is decided by normal form."""

from functools import cached_property
from typing import Any

from attrs import frozen
from sympy import QQ, Expr, Symbol

Element = Any
"""An element of the field."""


class MissingGenerator(Exception):
    """The field lacks symbols that a moment brought in; the derivation starts again with them."""

    def __init__(self, found: set[Symbol]) -> None:
        """Keep the symbols."""
        super().__init__(found)
        self.found = found


@frozen(eq=False)
class Field:
    """Rational functions over QQ in the given symbols (named constants included).

    >>> from theory.symbols import M
    >>> field = Field((M,))
    >>> field(1 - 1 / M) == field((M - 1) / M)
    True
    """

    generators: tuple[Symbol, ...]

    @cached_property
    def domain(self) -> Any:
        """The SymPy domain."""
        return QQ.frac_field(*self.generators) if self.generators else QQ

    def require(self, symbols: set[Symbol]) -> None:
        """Raise `MissingGenerator` for symbols that are not in the field."""
        if missing := symbols - set(self.generators):
            raise MissingGenerator(missing)

    def __call__(self, expr: Expr) -> Element:
        """Return ``expr`` as an element."""
        self.require(expr.free_symbols)
        return self.domain.from_sympy(expr)

    def expr(self, element: Element) -> Expr:
        """Return the element as an expression."""
        return self.domain.to_sympy(element)
