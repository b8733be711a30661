"""SymPy expressions as JAX functions; no other module turns the one into the other.

A printer builds a closure for every node, so that what has no counterpart fails when the function is built,
by name, and never inside a compiled simulation.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import jax.numpy as jnp
import jax.scipy.special as jss
import numpy as np
import sympy as sp
from sympy.printing.printer import Printer

from numerics.matrix_printer import MatrixNodes
from theory.constants import unfold
from theory.symbols import K

Scope = Mapping[Any, Any]
"""Value of each argument, and the integers that each bound index runs over."""
Node = Callable[[Scope], Any]


def to_jax(
    expr: Any, arguments: Sequence[Any], functions: Mapping[Any, Callable[..., Any]] | None = None
) -> Callable[..., Any]:
    """Return the function arguments -> expr on JAX arrays (a tuple of arrays for a sequence of expressions).

    Args:
        expr: a SymPy expression, or a sequence of them. `p[3]` reads `p[..., 3]`, and `Sum(f(p[i]), (i, a, b))` adds
            over the last axis of p; K stands for the length of that axis.
        arguments: symbols or entries such as p[3], each an array of any shape, indexed bases, each an array with
            one more axis for every index, and matrix symbols, with two. The shapes without those axes broadcast to that
            of every result.
        functions: SymPy functions for which others than those of JAX are called.

    Raises:
        ValueError: when the function is built, for a symbol that is no argument and for a SymPy function that
            has no counterpart in JAX; when it is called, for an index beyond the end of its array.

    >>> from theory.symbols import V, p, i
    >>> float(to_jax(sp.log(V) + 1, [V])(1.0))
    1.0
    >>> float(to_jax(sp.Sum(p[i] ** 2, (i, 0, K - 1)), [p])(np.array([0.25, 0.75])))
    0.625
    """
    several = isinstance(expr, Sequence)
    exprs = [unfold(sp.sympify(e)) for e in (expr if several else [expr])]
    ranks = _ranks(exprs, arguments)
    printer = _JaxPrinter(arguments, {**_FUNCTIONS, **(functions or {})})
    nodes = [printer.node(e) for e in exprs]

    def function(*values: Any) -> Any:
        arrays = [jnp.asarray(value, dtype=float) for value in values]
        batch = jnp.broadcast_shapes(*(a.shape[: a.ndim - ranks[x]] for x, a in zip(arguments, arrays, strict=True)))
        scope = dict(zip(arguments, arrays, strict=True))
        results = tuple(jnp.broadcast_to(jnp.asarray(node(scope), dtype=float), batch) for node in nodes)
        return results if several else results[0]

    return function


def _ranks(exprs: Sequence[Any], arguments: Sequence[Any]) -> dict[Any, int]:
    """Return how many indices each argument has: 0 for a symbol, 1 for a base unless it is used with more."""
    ranks = {x: int(isinstance(x, sp.IndexedBase)) for x in arguments}
    ranks |= {x: 1 if x.shape[1] == 1 else 2 for x in arguments if isinstance(x, sp.MatrixSymbol)}
    for entry in set().union(*(e.atoms(sp.Indexed) for e in exprs)):
        ranks[entry.base] = entry.rank
    return ranks


def _polygamma(order: int, x: Any) -> Any:
    return jss.digamma(x) if order == 0 else jss.polygamma(order, x)


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    sp.Abs: jnp.abs,
    sp.acos: jnp.arccos,
    sp.asin: jnp.arcsin,
    sp.atan: jnp.arctan,
    sp.ceiling: jnp.ceil,
    sp.cos: jnp.cos,
    sp.cosh: jnp.cosh,
    sp.erf: jss.erf,
    sp.erfc: jss.erfc,
    sp.erfinv: jss.erfinv,
    sp.exp: jnp.exp,
    sp.factorial: lambda x: jss.gamma(x + 1),
    sp.floor: jnp.floor,
    sp.gamma: jss.gamma,
    sp.harmonic: lambda x: jss.digamma(x + 1) + float(sp.EulerGamma),
    sp.log: jnp.log,
    sp.loggamma: jss.gammaln,
    sp.lowergamma: lambda a, x: jss.gammainc(a, x) * jss.gamma(a),
    sp.sign: jnp.sign,
    sp.sin: jnp.sin,
    sp.sinh: jnp.sinh,
    sp.tan: jnp.tan,
    sp.tanh: jnp.tanh,
    sp.uppergamma: lambda a, x: jss.gammaincc(a, x) * jss.gamma(a),
    sp.zeta: lambda s, a=1.0: jss.zeta(s, a),
}
_RELATIONS = {sp.Eq: "==", sp.Ne: "!=", sp.Lt: "<", sp.Le: "<=", sp.Gt: ">", sp.Ge: ">="}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class _JaxPrinter(MatrixNodes, Printer):
    """Prints nodes as closures Scope -> array; inside d sums a leaf has d trailing axes, outermost first."""

    def __init__(self, arguments: Sequence[Any], functions: Mapping[Any, Callable[..., Any]]) -> None:
        super().__init__()
        self._functions = functions
        self._arguments = set(arguments)
        self._bound: list[Any] = []

    def node(self, expr: Any) -> Node:
        """Return the closure of an expression; what holds no symbol is evaluated now, by mpmath."""
        if isinstance(expr, sp.Expr) and not expr.free_symbols:
            return _constant(_number(expr))
        return self._print(expr)

    def emptyPrinter(self, expr: Any) -> Node:
        """Refuse what no method below knows."""
        raise ValueError(
            f"{type(expr).__name__} has no counterpart in JAX, so {expr} cannot be simulated. "
            "Write it in elementary functions, gamma, polygamma, zeta or erf."
        )

    def _fold(self, step: Callable[[Any, Any], Any], arguments: Sequence[Any]) -> Node:
        nodes = [self.node(argument) for argument in arguments]
        return lambda scope: reduce(step, (node(scope) for node in nodes))

    def _print_Add(self, expr: Any) -> Node:
        return self._fold(operator.add, expr.args)

    def _print_Mul(self, expr: Any) -> Node:
        return self._fold(operator.mul, expr.args)

    def _print_Max(self, expr: Any) -> Node:
        return self._fold(jnp.maximum, expr.args)

    def _print_Min(self, expr: Any) -> Node:
        return self._fold(jnp.minimum, expr.args)

    def _print_And(self, expr: Any) -> Node:
        return self._fold(jnp.logical_and, expr.args)

    def _print_Or(self, expr: Any) -> Node:
        return self._fold(jnp.logical_or, expr.args)

    def _print_Not(self, expr: Any) -> Node:
        inner = self.node(expr.args[0])
        return lambda scope: jnp.logical_not(inner(scope))

    def _print_BooleanAtom(self, expr: Any) -> Node:
        return _constant(bool(expr))

    def _print_Relational(self, expr: Any) -> Node:
        return self._fold(_COMPARE[_RELATIONS[expr.func]], expr.args)

    def _print_Pow(self, expr: Any) -> Node:
        base, power = self.node(expr.base), expr.exp
        if power.is_Integer:
            return lambda scope: base(scope) ** int(power)
        if (2 * power).is_Integer:
            return lambda scope: jnp.sqrt(base(scope)) ** int(2 * power)
        exponent = self.node(power)
        return lambda scope: jnp.power(base(scope), exponent(scope))

    def _print_Function(self, expr: Any) -> Node:
        if expr.func not in self._functions:
            return self.emptyPrinter(expr)
        function, nodes = self._functions[expr.func], [self.node(argument) for argument in expr.args]
        return lambda scope: function(*(node(scope) for node in nodes))

    def _print_polygamma(self, expr: Any) -> Node:
        order, x = expr.args
        if not order.is_Integer:
            raise ValueError(f"{expr} has the order {order}, and JAX needs a whole number. Put in a number.")
        inner = self.node(x)
        return lambda scope: _polygamma(int(order), inner(scope))

    def _print_Piecewise(self, expr: Any) -> Node:
        pieces = [(self.node(value), self.node(condition)) for value, condition in expr.args]

        def choose(scope: Scope) -> Any:
            otherwise = jnp.nan
            for value, condition in reversed(pieces):
                otherwise = jnp.where(condition(scope), value(scope), otherwise)
            return otherwise

        return choose

    def _print_Symbol(self, x: Any) -> Node:
        depth = len(self._bound)
        if x in self._bound:
            place = self._bound.index(x)
            return lambda scope: _at(jnp.asarray(scope[x], dtype=float), place, depth)
        if x in self._arguments:
            return lambda scope: scope[x].reshape(scope[x].shape + (1,) * depth)
        if x == K:
            return _types
        raise ValueError(
            f"the symbol {x} has no value. Its places are: {', '.join(sorted(map(str, self._arguments)))}."
        )

    def _print_Indexed(self, expr: Any) -> Node:
        base, indices = expr.base, expr.indices
        if expr in self._arguments or base not in self._arguments:
            return self._print_Symbol(expr)
        if all(index.is_Integer for index in indices):
            return self._entry(base, tuple(map(int, indices)))
        free = indices[0].free_symbols
        if len(indices) > 1 or len(free) != 1 or not free <= set(self._bound):
            raise ValueError(f"{expr} has an index that no sum runs over. Give a number, or sum over it.")
        return self._range(base, indices[0], self._bound.index(*free))

    def _entry(self, base: Any, indices: tuple[int, ...]) -> Node:
        depth = len(self._bound)

        def entry(scope: Scope) -> Any:
            array = scope[base]
            for index, length in zip(indices, array.shape[array.ndim - len(indices) :], strict=True):
                _check(base, index, length)
            entry = array[(..., *indices)]
            return entry.reshape(entry.shape + (1,) * depth)

        return entry

    def _range(self, base: Any, index: Any, place: int) -> Node:
        bound, depth = self._bound[place], len(self._bound)
        shift = index - bound
        if not shift.is_Integer:
            raise ValueError(f"{base}[{index}] is no shift of {bound}. Write {base}[{bound}] or {base}[{bound} + 1].")

        def entries(scope: Scope) -> Any:
            array, where = scope[base], scope[bound] + int(shift)
            if len(where):
                _check(base, int(where[0]), array.shape[-1])
                _check(base, int(where[-1]), array.shape[-1])
            whole = len(where) == array.shape[-1]
            return _at(array if whole else array[..., int(where[0]) : int(where[-1]) + 1], place, depth)

        return entries

    def _print_Sum(self, expr: Any) -> Node:
        return self._sum(expr.function, expr.limits)

    def _sum(self, term: Any, limits: Sequence[Any]) -> Node:
        *inner, (index, low, high) = limits
        if not (low.is_Integer and high.free_symbols <= {K}):
            raise ValueError(
                f"the sum over {index} runs from {low} to {high}. Give whole numbers, or K - 1 for all types."
            )
        self._bound.append(index)
        body = self._sum(term, inner) if inner else self.node(term)
        self._bound.pop()

        def total(scope: Scope) -> Any:
            top = int(high.xreplace({K: sp.Integer(_types(scope))})) if high.has(K) else int(high)
            where = np.arange(int(low), top + 1)
            values = jnp.asarray(body({**scope, index: where}))
            return jnp.broadcast_to(values, (*values.shape[:-1], len(where))).sum(-1)

        return total


def _constant(value: Any) -> Node:
    def constant(scope: Scope) -> Any:
        del scope
        return value

    return constant


def _number(expr: Any) -> float:
    try:
        return float(expr)
    except TypeError as error:
        raise ValueError(f"{expr} is no real number. Put in values for which it is one.") from error


def _types(scope: Scope) -> int:
    """Return K, the length of the last axis of the first array that has types."""
    for x, value in scope.items():
        if isinstance(x, sp.IndexedBase):
            return value.shape[-1]
    raise ValueError("K is the number of types, and no argument has types. Put in a number for K.")


def _check(base: Any, index: int, length: int) -> None:
    if not 0 <= index < length:
        raise ValueError(f"{base}[{index}] does not exist: the axis has length {length}. Count from 0.")


def _at(array: Any, place: int, depth: int) -> Any:
    """Return an array whose last axis is axis ``place`` among ``depth`` trailing ones."""
    *batch, length = array.shape
    return array.reshape((*batch, *(1,) * place, length, *(1,) * (depth - 1 - place)))
