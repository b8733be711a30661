"""Numbers of a loop as run-time arguments, so that one compiled program serves a whole sweep of them."""

from typing import Any

from attrs import evolve, fields, has
from sympy import Expr, Symbol

from theory.estimators import Scaled
from theory.loop import Loop
from theory.procedures import Procedure
from theory.sampling import Faithful, Tempered
from theory.symbols import M, n

TAU, C = Symbol("sampling_tau", positive=True), Symbol("estimator_c", positive=True)


def lifted(loop: Loop, axes: tuple[str, ...]) -> tuple[Loop, dict[str, float]]:
    """Return the loop with symbols for the numbers of some axes, and the numbers by the symbols' names.

    Args:
        loop: a loop with numbers.
        axes: some of "samples", "estimator", "regime", "sampling".

    0 and 1 stay, since a part of no points, or a temperature of 1, changes what is run.

    >>> from theory import Gaussian, Loop, Tempered
    >>> lifted(Loop(Gaussian(), sampling=Tempered(2), samples=9), ("samples", "sampling"))[1]
    {'M': 9.0, 'sampling_tau': 2.0}
    """
    values: dict[str, float] = {}
    if "samples" in axes and loop.samples.is_Integer:
        values[M.name], loop = float(loop.samples), evolve(loop, samples=M)
    for axis in ("estimator", "regime", "sampling"):
        if axis in axes and has(type(getattr(loop, axis))):
            loop = evolve(loop, **{axis: _lifted(getattr(loop, axis), axis, values)})
    return loop, values


def generalised(loop: Loop) -> tuple[Loop, dict[str, float]]:
    """Return the loop with a variance's constant multiplier and its temperature in symbols, and their values.

    Faithful sampling is temperature 1, and an estimator that does not look at the sample size a scale, so loops that
    differ in these alone share a program.

    >>> from theory import Gaussian, Loop, Unbiased
    >>> generalised(Loop(Gaussian(), estimator=Unbiased()))[1]
    {'sampling_tau': 1.0, 'estimator_c': 1.0}
    """
    values: dict[str, float] = {}
    if loop.family.has_variance and isinstance(loop.sampling, Faithful):
        values[TAU.name], loop = 1.0, evolve(loop, sampling=Tempered(TAU))
    if not loop.family.has_variance or isinstance(loop.estimator, Procedure):
        return loop, values
    multiplier = loop.estimator.multiplier(M)
    if multiplier.is_number:
        values[C.name], loop = float(multiplier), evolve(loop, estimator=Scaled(C))
    return loop, values


def letters(loop: Loop) -> tuple[Symbol, ...]:
    """Return the symbols of the axes, those that `lifted` made, in a fixed order; n, the number of a fit, is none."""
    found = set(loop.samples.free_symbols)
    for axis in (loop.estimator, loop.regime, loop.sampling):
        for value in (getattr(axis, f.name) for f in (fields(type(axis)) if has(type(axis)) else ())):
            found |= value.free_symbols if isinstance(value, Expr) else set()
    return tuple(sorted(found - {n}, key=str))


def _lifted(value: Any, axis: str, values: dict[str, float]) -> Any:
    changes = {}
    for f in fields(type(value)):
        number = getattr(value, f.name)
        if isinstance(number, Expr) and number.is_positive and number != 1 and not number.free_symbols:
            symbol = Symbol(f"{axis}_{f.name}", positive=True)
            changes[f.name], values[symbol.name] = symbol, float(number)
    return evolve(value, **changes)


def number(value: Expr, given: Any) -> Any:
    """Return a number of an axis as it runs: looked up where `lifted` made it a symbol."""
    return given[str(value)] if value.free_symbols else float(value)
