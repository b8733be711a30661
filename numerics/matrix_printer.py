"""Traces, determinants and entries of matrix expressions as JAX functions, for the printer of `printer`.

Products are added up term after term: the order of one call for all chains would change with their number.
"""

import operator
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import jax.numpy as jnp
import sympy as sp

Scope = Mapping[Any, Any]
Node = Callable[[Scope], Any]


class MatrixNodes:
    """The part of a printer that knows matrices: a matrix is an array whose last two axes are its rows and columns."""

    _bound: list[Any]
    _arguments: set[Any]

    @abstractmethod
    def node(self, expr: Any) -> Node:
        """Return the closure of an expression."""

    @abstractmethod
    def emptyPrinter(self, expr: Any) -> Node:
        """Refuse what no method knows."""

    def _print_Trace(self, expr: Any) -> Node:
        inner = self._matrix(expr.arg)
        return self._number(lambda a: reduce(operator.add, (a[..., i, i] for i in range(a.shape[-1]))), inner)

    def _print_Determinant(self, expr: Any) -> Node:
        return self._number(jnp.linalg.det, self._matrix(expr.arg))

    def _print_MatrixElement(self, expr: Any) -> Node:
        matrix, *place = expr.args
        if not all(index.is_Integer for index in place):
            raise ValueError(f"{expr} has an index that is no number. Give one.")

        def entry(a: Any) -> Any:
            for index, length in zip(place, a.shape[-2:], strict=True):
                if not 0 <= index < length:
                    raise ValueError(f"{expr} does not exist: the axis has length {length}. Count from 0.")
            return a[..., int(place[0]), int(place[1])]

        return self._number(entry, self._matrix(matrix))

    def _number(self, of: Callable[[Any], Any], inner: Node) -> Node:
        depth = len(self._bound)

        def number(scope: Scope) -> Any:
            value = of(inner(scope))
            return value.reshape(value.shape + (1,) * depth)

        return number

    def _matrix(self, expr: Any) -> Node:
        """Return the closure of a matrix expression."""
        if isinstance(expr, sp.MatrixSymbol) and expr in self._arguments:
            column = expr.shape[1] == 1
            return lambda scope: scope[expr][..., None] if column else scope[expr]
        known = [name for kind, name in _MATRICES.items() if isinstance(expr, kind)]
        return getattr(self, known[0])(expr) if known else self.emptyPrinter(expr)

    def _written(self, expr: Any) -> Node:
        rows = [[self.node(expr[i, j]) for j in range(expr.cols)] for i in range(expr.rows)]
        return lambda scope: jnp.stack(
            [jnp.stack([jnp.asarray(entry(scope), dtype=float) for entry in row], axis=-1) for row in rows], axis=-2
        )

    def _added(self, expr: Any) -> Node:
        return self._folded(operator.add, [self._matrix(term) for term in expr.args])

    def _product(self, expr: Any) -> Node:
        number, factors = expr.as_coeff_matrices()
        scale, product = self.node(number), self._folded(_times, [self._matrix(factor) for factor in factors])
        return lambda scope: jnp.asarray(scale(scope), dtype=float)[..., None, None] * product(scope)

    def _power(self, expr: Any) -> Node:
        base, power = expr.args
        if not power.is_Integer or power == 0:
            return self.emptyPrinter(expr)
        inner = self._matrix(base) if power > 0 else self._matrix(sp.Inverse(base))
        return self._folded(_times, [inner] * abs(int(power)))

    def _inverse(self, expr: Any) -> Node:
        inner = self._matrix(expr.arg)
        return lambda scope: jnp.linalg.inv(inner(scope))

    def _transpose(self, expr: Any) -> Node:
        inner = self._matrix(expr.arg)
        return lambda scope: jnp.swapaxes(inner(scope), -1, -2)

    def _folded(self, step: Callable[[Any, Any], Any], nodes: Sequence[Node]) -> Node:
        return lambda scope: reduce(step, (node(scope) for node in nodes))


def _times(a: Any, b: Any) -> Any:
    return reduce(operator.add, (a[..., :, k, None] * b[..., None, k, :] for k in range(a.shape[-1])))


_MATRICES: Mapping[Any, str] = {
    sp.MatrixBase: "_written",
    sp.MatAdd: "_added",
    sp.MatMul: "_product",
    sp.Inverse: "_inverse",
    sp.MatPow: "_power",
    sp.Transpose: "_transpose",
}
