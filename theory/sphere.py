"""Vectors of uniformly random direction, through the lengths of their parts in two complementary subspaces."""

from collections.abc import Sequence

from attrs import frozen
from sympy import Expr, S, Symbol, rf

from theory.errors import NotClosed
from theory.innovations import Law


@frozen
class Parts(Law):
    """(x, y): lengths, each with a random sign, of the parts in R^p and R^q of a vector of uniformly random direction.

    With x^2 + y^2 = square, x^2/square ~ Beta(p/2, q/2):
    E[x^(2i) y^(2j)] = square^(i+j) (p/2)_i (q/2)_j/((p + q)/2)_(i+j) in rising factorials; odd moments are 0.

    Args:
        symbols: x and y.
        dimensions: p and q, >= 0; the vector of R^0 is 0.
        square: squared length of the vector, which may hold state symbols and the symbols of laws before.
    """

    symbols: tuple[Symbol, Symbol]
    dimensions: tuple[Expr, Expr]
    square: Expr = S.One

    def means(self) -> tuple[Expr, ...]:
        """Return 0 for both."""
        return S.Zero, S.Zero

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return the mixed moment of whole orders."""
        if any(logs) or not all(k.is_Integer and k >= 0 for k in powers):
            raise NotClosed(
                f"a power or logarithm of {self.symbols[0]} that is not whole does not close. Ask for whole powers."
            )
        if any(k % 2 for k in powers):
            return S.Zero
        (p, q), (i, j) = self.dimensions, (int(k) // 2 for k in powers)
        if p + q == 0:
            return S(int(i + j == 0))
        return self.square ** (i + j) * rf(p / 2, i) * rf(q / 2, j) / rf((p + q) / 2, i + j)
