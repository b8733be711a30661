"""`sweep`: the same loop with other numbers, cell by cell of a grid, by one compiled program.

Numbers of a loop are given to the program when it runs, so that cells that differ in numbers alone share it. Where
points are drawn, numbers of them share a program that have the same room, eight for each doubling of M; tokens that are
copied one by one have a program for every M. Every cell has the seed that is asked for: the same chains with the same
random numbers, and so differences between cells are far less noisy than each of them, and any cell is, bit for bit, the
run of its own loop.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from sympy import Rational, Symbol, sympify

from numerics.simulate import simulate
from numerics.sources import Start
from theory.loop import Loop

Grid = Mapping[str | Symbol, Iterable[Any]]
"""Symbol, or its name -> the values it takes."""


def sweep(loop: Loop, over: Grid, start: Start | None = None, **asked: Any) -> xr.Dataset:
    """Return runs of the loop at every combination of values, with a labelled dimension for each swept number.

    Args:
        loop: a loop with symbols for what is swept, such as ``Loop(Gaussian(), regime=Mixed(alpha))``.
        over: symbol or name -> values: numbers of the loop, exact as in ``loop.at``, fractions also as "1/10"; or those
            of its source, floats allowed, whose dimension is named as there: mu0, V0.
        start: values for the source's other symbols, as in `simulate`.
        asked: the arguments of `simulate`; ``out`` holds a folder for each combination.

    Raises:
        ValueError: no values, a value that is no number, a name that is no symbol, or what `simulate` refuses.

    `cell` returns the run of one combination, which `agree` takes.

    >>> from theory import Gaussian, Loop
    >>> loop, source = Loop(Gaussian()), {"mu": 0, "V": 1}
    >>> run = sweep(loop, {"M": [10, 100]}, source, generations=3, chains=5)
    >>> dict(run.sizes), run["M"].values.tolist()
    ({'M': 2, 'chain': 5, 'generation': 4}, [10, 100])
    >>> cell(run, M=10).identical(simulate(loop.at(M=10), source, generations=3, chains=5))
    True
    """
    grid = {str(name): _numbers(str(name), values) for name, values in over.items()}
    combinations = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    out = asked.pop("out", None)
    cells = [simulate(*_placed(loop, here, start), **asked, out=out and _folder(out, here)) for here in combinations]
    named = {_dimension(name, loop): values for name, values in grid.items()}
    described = json.dumps({name: [str(value) for value in values] for name, values in named.items()})
    attributes = {"loop": str(loop), "sweep": described, "cells": json.dumps([run.attrs for run in cells])}
    return _stacked(named, iter(cells)).assign_attrs(attributes)


def cell(run: xr.Dataset, **values: Any) -> xr.Dataset:
    """Return the run of one combination out of a sweep, as `simulate` returns it.

    Args:
        run: what `sweep` returned.
        values: one for each swept number, by the name of its dimension.

    Raises:
        ValueError: a run that is no sweep, a name that was not swept, or a value that was not run.
    """
    if "sweep" not in run.attrs:
        raise ValueError("the run is no sweep. Give what sweep() returned.")
    grid = {name: _labels([sympify(v) for v in values]) for name, values in json.loads(run.attrs["sweep"]).items()}
    if strange := sorted({*values} ^ {*grid}):
        raise ValueError(f"cell: {', '.join(strange)} is swept or given, not both. Give {', '.join(grid)}.")
    at = {name: _found(name, labels, values[name]) for name, labels in grid.items()}
    place = np.ravel_multi_index(tuple(at.values()), tuple(map(len, grid.values())))
    chosen = run.isel(at).drop_vars(list(grid))
    chosen.attrs = json.loads(run.attrs["cells"])[place]
    return chosen


def _numbers(name: str, values: Iterable[Any]) -> Sequence[Any]:
    """Return the values of a symbol, fractions read from text."""
    if isinstance(values, str) or not isinstance(values, Iterable) or not (listed := list(values)):
        raise ValueError(f"sweep: {name} = {values!r} is no list of values. Give one, such as [10, 100].")
    numbers = [_number(name, value) for value in listed]
    if len({*map(sympify, numbers)}) < len(numbers):
        raise ValueError(f"sweep: {name} = {listed!r} names a value twice. Give each once.")
    return numbers


def _number(name: str, value: Any) -> Any:
    try:
        number = Rational(value) if isinstance(value, str) else sympify(value)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"sweep: {name} = {value!r} is no number. Give numbers, or fractions as '1/10'.") from error
    if not number.is_number or not number.is_finite:
        raise ValueError(f"sweep: {name} = {value!r} is no number. Give numbers, or fractions as '1/10'.")
    return number if isinstance(value, str) else value


def _placed(loop: Loop, values: Mapping[str, Any], start: Start | None) -> tuple[Loop, dict[str, Any]]:
    """Return the loop with the values of its own symbols, and the start with those of its source."""
    own = {x.name for x in loop.free_symbols - (loop.source or loop.family).free_symbols}
    of_loop = {name: value for name, value in values.items() if name in own}
    of_source = {name: _plain(value) for name, value in values.items() if name not in own}
    return loop.at(**of_loop), dict(start or {}) | of_source


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Rational) else value


def _folder(out: str | PathLike[str], values: Mapping[str, Any]) -> Path:
    """Return the folder of one combination, such as out/M=10,tau=1:2."""
    return Path(out) / ",".join(f"{name}={value}".replace("/", ":") for name, value in values.items())


def _dimension(name: str, loop: Loop) -> str:
    """Return the name of a dimension: a source's value is not called like what is recorded of the models."""
    return f"{name}0" if f"{name}0" in {x.name for x in loop.free_symbols} else name


def _stacked(grid: Mapping[str, Sequence[Any]], cells: Iterator[xr.Dataset]) -> xr.Dataset:
    """Return the runs, in the order of the grid, as one dataset."""
    if not grid:
        return next(cells)
    (name, values), *inner = grid.items()
    parts = [_stacked(dict(inner), cells) for _ in values]
    how: Any = {"data_vars": "all", "coords": "different", "compat": "equals", "join": "exact"}
    along = xr.DataArray(_labels(values), dims=name, name=name)
    return xr.concat(parts, along, combine_attrs="drop", **how)


def _labels(values: Sequence[Any]) -> np.ndarray:
    """Return values as the labels of a dimension, whole numbers where all are."""
    numbers = [sympify(value) for value in values]
    return np.array([int(x) for x in numbers] if all(x.is_Integer for x in numbers) else [float(x) for x in numbers])


def _found(name: str, labels: np.ndarray, value: Any) -> int:
    places = np.flatnonzero(labels == float(_number(name, value)))
    if not len(places):
        raise ValueError(f"cell: {name} = {value} was not run. Give one of {', '.join(map(str, labels))}.")
    return int(places[0])
