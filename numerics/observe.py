"""Observables of a recorded run: SymPy expressions in the state, evaluated on the run's arrays.

One place knows how a run names things: which variable holds which symbol, at which values the run started, of which
loop it is.
"""

import json
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import xarray as xr
from sympy import Determinant, Expr, Indexed, IndexedBase, MatrixSymbol, Rational, Symbol, exp, log, sympify

from numerics.printer import to_jax
from numerics.running.provenance import arguments_of
from numerics.scalars import log_letter
from numerics.variables import LOG_DET, in_matrices
from theory import symbols
from theory.families import MultivariateGaussian
from theory.loop import Loop

_MATRICES = (
    MultivariateGaussian.mu,
    MultivariateGaussian.Sigma,
    MultivariateGaussian.mu0,
    MultivariateGaussian.Sigma0,
)


def evaluate(observable: Expr, run: xr.Dataset, fits: bool = False) -> np.ndarray:
    """Return the observable on every chain and generation, shape (chain, generation).

    Args:
        observable: an expression in the loop's parameters, in recorded expressions, and in n, the generation.
        run: a run with paths.
        fits: read n as the number of the fit that follows, generation + 1.

    Raises:
        ValueError: the observable needs something that was not recorded.
    """
    named = _in_recorded(observable, run)
    given = {symbol: _array(symbol, run, fits) for symbol in _needed(named)}
    with jax.enable_x64(True):
        values = np.asarray(to_jax(named, list(given))(*given.values()))
    return np.broadcast_to(values, (run.sizes["chain"], run.sizes["generation"]))


def unrecorded(expr: Expr, run: xr.Dataset) -> list[Symbol | IndexedBase]:
    """Return the letters of an expression that the run did not record, such as the statistics of a pool."""
    letters = _needed(_in_recorded(expr, run))
    return [letter for letter in letters if letter != symbols.n and str(letter) not in run]


def streamed(observable: Expr, run: xr.Dataset, start: Mapping[Symbol, Expr]) -> str:
    """Return the name under which a run without paths streamed the mean of an observable.

    Args:
        observable: an expression in the loop's parameters.
        run: a run without paths.
        start: the values of the source's symbols, which the observable and what was observed may name or hold.

    Raises:
        ValueError: it streamed none.
    """
    named = _in_recorded(observable.subs(start), run, start)
    if not (isinstance(named, Symbol) and _has(run, named)):
        have = ", ".join(str(name).removesuffix("_mean") for name in run.data_vars if str(name).endswith("_mean"))
        raise ValueError(
            f"the run streamed no mean of {observable}. It has {have}; ask simulate to observe= it, or for paths=True."
        )
    return named.name


def _has(run: xr.Dataset, letter: Any) -> bool:
    """Return whether a run recorded a letter, its chains or their mean."""
    return str(letter) in run or f"{letter}_mean" in run


def _needed(expr: Expr) -> list[Symbol | IndexedBase]:
    """Return the symbols and indexed bases of an expression, bound indices and the number of types left out."""
    bases = {x.base for x in expr.atoms(Indexed)}
    labels = {base.label for base in bases} | {symbols.K}
    bases |= expr.atoms(MatrixSymbol)
    return sorted(bases | {s for s in expr.free_symbols if isinstance(s, Symbol) and s not in labels}, key=str)


def _array(symbol: Symbol | IndexedBase, run: xr.Dataset, fits: bool) -> np.ndarray:
    if symbol == symbols.n:
        return run["generation"].to_numpy() + float(fits)
    if str(symbol) not in run:
        have = ", ".join(map(str, run.data_vars))
        raise ValueError(f"the run did not record {symbol}. It has {have}; ask simulate to observe= it.")
    return run[str(symbol)].to_numpy()


def _in_recorded(observable: Expr, run: xr.Dataset, start: Mapping[Symbol, Expr] | None = None) -> Expr:
    """Return an observable in what the run recorded: logarithms by their own variables, and whatever was observed."""
    matrices = {x.name: x for x in _MATRICES if _has(run, LOG_DET)}
    expr = in_matrices(observable, matrices.values())
    named: dict[Expr, Expr] = {log(x): log_letter(x) for x in expr.free_symbols if _has(run, log_letter(x))}
    labels = {x.base.label for x in expr.atoms(Indexed)}
    letters = {*expr.free_symbols, *(start or {})} - labels
    own = {x.name: x for x in letters if isinstance(x, Symbol)}
    scope = {"p": symbols.p, "i": symbols.i, "K": symbols.K} | own
    for name, text in json.loads(run.attrs["observe"]).items():
        # A sum runs over the entries of an indexed base, which a column has not.
        seen = sympify(text, locals=scope if "Sum(" in text else scope | matrices)
        named[in_matrices(seen.subs(start or {}), matrices.values())] = Symbol(name)
    if matrices:
        named[Determinant(MultivariateGaussian.Sigma)] = exp(LOG_DET)
    return expr.xreplace(named)


def check_loop(loop: Loop, run: xr.Dataset) -> None:
    """Raise ValueError unless the run is one of this loop."""
    if run.attrs.get("loop") != str(loop):
        raise ValueError(
            f"the prediction is about {loop}, the run about {run.attrs.get('loop')}. "
            "Derive and simulate the same loop, numbers put in."
        )


def start_values(loop: Loop, run: xr.Dataset) -> dict[Symbol, Expr]:
    """Return the source's symbols with the exact values from which the run started."""
    return exact_start(loop, arguments_of(run.attrs["provenance"])["start"])


def exact_start(loop: Loop, start: Mapping[str, Any]) -> dict[Symbol, Expr]:
    """Return the source's symbols with the exact values that a start gives them, by their name or the parameter's."""
    source = {value: symbol for symbol, value in loop.law.source().items() if isinstance(value, Symbol)}
    given = {value: start.get(str(symbol), start.get(str(value))) for value, symbol in source.items()}
    return {value: Rational(number) for value, number in given.items() if number is not None}
