"""A loop from words: the command line's options to the one `Loop` that they declare.

An axis is written as in Python, ``damped(1/2)`` or ``Mixed(1/10, fresh=False)``, in any case of letters. It is read
from the syntax tree, and only the library's own names are called.
"""

import ast
from collections.abc import Mapping
from typing import Any

from attrs import NOTHING, fields, has
from sympy import Expr, IndexedBase, SympifyError, sympify
from sympy.core.symbol import Symbol

import theory
from theory import Loop, Scaled, symbols
from theory.estimators import Estimator
from theory.families import Family
from theory.regimes import Regime
from theory.sampling import Sampling

AXES: Mapping[str, type] = {"family": Family, "estimator": Estimator, "regime": Regime, "sampling": Sampling}
SYMBOLS: Mapping[str, Expr] = {name: value for name, value in vars(symbols).items() if isinstance(value, Expr)}


def kinds(axis: str) -> dict[str, type]:
    """Return the library's values of an axis, by name in lower case.

    >>> sorted(kinds("regime"))[:3]
    ['accumulate', 'mixed', 'moran']
    """
    public = (value for value in vars(theory).values() if isinstance(value, type))
    return {kind.__name__.lower(): kind for kind in public if issubclass(kind, AXES[axis]) and has(kind)}


def loop_from(*, family: str, estimator: str, regime: str, sampling: str, samples: str) -> Loop:
    """Return the loop that the options declare.

    Raises:
        ValueError: a name that is not known, or a value out of range.

    >>> loop_from(family="gaussian", estimator="mle", regime="mixed(1/10)", sampling="faithful", samples="100").regime
    Mixed(alpha=1/10)
    """
    return Loop(
        axis_from("family", family),
        estimator=_estimator(estimator),
        regime=axis_from("regime", regime),
        sampling=axis_from("sampling", sampling),
        samples=number("samples", samples),
    )


def _estimator(text: str) -> Estimator:
    """Return an estimator by name, or the multiple of the unbiased variance that a number says."""
    name = text.partition("(")[0].strip().lower()
    if name in kinds("estimator") or not text.strip("-")[:1].isdigit():
        return axis_from("estimator", text)
    return Scaled(number("estimator", text))


def axis_from(axis: str, text: str) -> Any:
    """Return one axis of a loop from text; arguments left out that a symbol of the library is named for are that
    symbol.

    >>> axis_from("sampling", "tempered"), axis_from("estimator", "Shrinkage(w=1/3, of=unbiased)")
    (Tempered(tau=tau), Shrinkage(w=1/3, of=Unbiased()))
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"--{axis} {text!r} cannot be read. Write it as in Python, such as mixed(1/10).") from error
    return _axis(axis, text, node)


def _axis(axis: str, text: str, node: ast.expr) -> Any:
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    known = kinds(axis)
    name = call.func.id.lower() if isinstance(call.func, ast.Name) else ""
    if name not in known:
        raise ValueError(f"--{axis} {text!r} is not known. Choose one of {', '.join(sorted(known))}.")
    given = [_value(axis, text, argument) for argument in call.args]
    named = {word.arg or "": _value(axis, text, word.value) for word in call.keywords}
    taken = [f.alias for f in fields(known[name])][: len(given)]
    for f in fields(known[name]):
        if f.default is NOTHING and f.alias not in (*taken, *named) and f.name in SYMBOLS:
            named[f.alias] = SYMBOLS[f.name]
    try:
        return known[name](*given, **named)
    except TypeError as error:
        asked = ", ".join(f.alias for f in fields(known[name]) if f.init)
        raise ValueError(f"--{axis} {text!r} has the wrong arguments. {known[name].__name__} takes {asked}.") from error


def _value(axis: str, text: str, node: ast.expr) -> Any:
    """Return an argument: a word or truth value as it is, a list, an estimator by name, else an exact expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bool):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(axis, text, entry) for entry in node.elts]
    name = node.func if isinstance(node, ast.Call) else node
    if isinstance(name, ast.Name) and name.id not in SYMBOLS and name.id.lower() in kinds("estimator"):
        return _axis("estimator", text, node)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    return number(axis, ast.unparse(node))


def number(option: str, text: str) -> Expr:
    """Return an exact number, fraction or symbol of the library from text; a decimal is read exactly, 0.1 as 1/10."""
    return _read(option, text, SYMBOLS)


def observable_from(text: str, loop: Loop, option: str = "of") -> Expr:
    """Return an observable of the loop's family from text: in parameters, such as mu or p[0], in what the family
    names, such as vocabulary, and in its source's symbols.
    """
    named = {name: value for kind in type(loop.family).__mro__ for name, value in vars(kind).items() if name[0] != "_"}
    names: dict[str, Any] = {name: value for name, value in named.items() if isinstance(value, Expr | IndexedBase)}
    names |= {str(symbol): symbol for symbol in loop.law.source()}
    return _read(option, text, names | {s.name: s for s in loop.free_symbols if s.name not in names})


def bound_from(option: str, text: str, loop: Loop) -> Expr:
    """Return a bound on a quantity from text, in the loop's symbols."""
    return _read(option.replace("_", "-"), text, {s.name: s for s in loop.free_symbols})


def _read(option: str, text: str, names: Mapping[str, Any]) -> Expr:
    try:
        expr = sympify(text, locals=dict(names), rational=True)
    except (SympifyError, TypeError, SyntaxError) as error:
        raise ValueError(
            f"--{option} {text!r} is no expression. Write it as in Python, for instance 1/10 or mu**2."
        ) from error
    held = {s.name for value in names.values() for s in value.free_symbols}
    unknown = {s.name for s in getattr(expr, "free_symbols", ()) if isinstance(s, Symbol)} - {*names, *held}
    if not isinstance(expr, Expr) or unknown:
        known = ", ".join(sorted(names))
        raise ValueError(
            f"--{option} {text!r} names {', '.join(sorted(unknown)) or 'no value'}, which is not known. Use {known}."
        )
    return expr
