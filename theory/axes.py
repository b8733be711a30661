"""The axes of a loop as data: the symbols in an axis, and the axis with values put in."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve, fields, has
from sympy import Expr, IndexedBase

from theory.field import letters


def free_symbols(axis: Any) -> set[Any]:
    """Return the symbols of every expression in an axis, and of the axes inside it; an entry M[n] counts as none.

    >>> from theory import MLE, Shrinkage
    >>> from theory.symbols import alpha
    >>> free_symbols(Shrinkage(alpha, MLE()))
    {alpha}
    """
    if isinstance(axis, Expr):
        return {s for s in letters(axis) if s.is_Symbol}
    if isinstance(axis, tuple):
        return set().union(*map(free_symbols, axis))
    if has(type(axis)):
        return set().union(*(free_symbols(getattr(axis, f.name)) for f in fields(type(axis))))
    return set()


def substituted(axis: Any, values: Mapping[Any, Expr]) -> Any:
    """Return an axis with values put in for symbols."""
    if isinstance(axis, Expr) and not isinstance(axis, IndexedBase):
        return axis.subs(values)
    if isinstance(axis, tuple):
        return tuple(substituted(value, values) for value in axis)
    if has(type(axis)):
        given = {f.name: substituted(getattr(axis, f.name), values) for f in fields(type(axis)) if f.init}
        return evolve(axis, **given)
    return axis


def shown(axis: Any) -> str:
    """Return an axis as it is written: its class, with the fields that differ from their defaults."""
    given = []
    for f in fields(type(axis)):
        value = getattr(axis, f.name)
        if f.init and value != f.default:
            given.append(f"{f.name}={value!r}")
    return f"{type(axis).__name__}({', '.join(given)})"
