"""The last generation of a run, as lines and as plain JSON: means over chains, and what else was streamed."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from numerics.sweeps import cell

SHOWN = 8
"""Entries of a variable that are printed."""


def lines(run: xr.Dataset, saved: Path | None) -> Iterator[str]:
    """Yield the last generation line by line, cell after cell of a sweep, and where the run is kept."""
    for values, one in _cells(run):
        yield from [", ".join(f"{name} = {value}" for name, value in values.items())] if values else []
        yield from _lines(one)
    if saved is not None:
        yield f"run: {saved}; chunks and manifest: {saved.parent}"


def plain(run: xr.Dataset, saved: Path | None) -> dict[str, Any]:
    """Return the last generation as what JSON can hold, a list of cells for a sweep."""
    files = {} if saved is None else {"run": str(saved), "folder": str(saved.parent)}
    if "sweep" in run.attrs:
        return {"cells": [{"at": values, **_plain(one)} for values, one in _cells(run)], **files}
    return _plain(run) | files


def _cells(run: xr.Dataset) -> Iterator[tuple[dict[str, Any], xr.Dataset]]:
    """Yield the cells of a sweep with their values, or the one run there is."""
    swept = {name: run[name].to_numpy().tolist() for name in json.loads(run.attrs.get("sweep", "{}"))}
    for values in product(*swept.values()):
        here = dict(zip(swept, values, strict=True))
        yield here, cell(run, **here) if here else run


def _lines(run: xr.Dataset) -> Iterator[str]:
    generation, chains = _counts(run)
    yield f"generation {generation}, mean over {chains:,} chains +- standard error"
    for name, means, errors in _means(run):
        said = [f"{_entry(name, at)} = {means[at]:.6g} +- {errors[at]:.2g}" for at in np.ndindex(means.shape)]
        yield from _first(name, said)
    for name, beside in _columns(run).items():
        yield from _first(name, list(_streamed(run, name, beside)))


def _plain(run: xr.Dataset) -> dict[str, Any]:
    generation, chains = _counts(run)
    last = {name: {"mean": _listed(means), "standard_error": _listed(errors)} for name, means, errors in _means(run)}
    names = [name for stem, beside in _columns(run).items() for name in (stem, *beside)]
    streamed = {name: _listed(_now(run, name)) for name in names}
    levels = {str(dim): _listed(run[dim].to_numpy()) for name in names for dim in _inner(run, name)}
    summaries = {"summaries": streamed, "levels": levels} if names else {}
    return {"generation": generation, "chains": chains, "variables": last, **summaries}


def _means(run: xr.Dataset) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield every variable with its mean over the chains at the last generation, and the standard error of that."""
    whole = [str(name) for name in run.data_vars if "chain" in run[name].dims]
    for name in (str(name).removesuffix("_mean") for name in run.data_vars if str(name).endswith("_mean")):
        yield name, _now(run, f"{name}_mean"), _now(run, f"{name}_sem")
    for name in (name for name in whole if f"{name}_mean" not in run):
        values, chains = _now(run, name), run.sizes["chain"]
        spread = values.std(0, ddof=1) if chains > 1 else np.full(values.shape[1:], np.nan)
        yield name, values.mean(0), spread / np.sqrt(chains)


def _columns(run: xr.Dataset) -> dict[str, list[str]]:
    """Return the columns that were streamed beside means, each with those that say how sure it is."""
    means = {str(name).removesuffix("_mean") for name in run.data_vars if str(name).endswith("_mean")}
    taken = {f"{name}_{end}" for name in means for end in ("mean", "sem")}
    names = [str(name) for name in run.data_vars if {"chain", "generation"} & {*run[name].dims} == {"generation"}]
    names = [name for name in names if name not in taken]
    stems = [name for name in names if not any(name.startswith(f"{stem}_") for stem in names)]
    return {stem: [name for name in names if name.startswith(f"{stem}_")] for stem in stems}


def _streamed(run: xr.Dataset, name: str, beside: list[str]) -> Iterator[str]:
    """Yield each entry of a column with what stands beside it."""
    values, dims = _now(run, name), _inner(run, name)
    for at in np.ndindex(values.shape):
        labels = [f"{run[dim].to_numpy()[k]:g}" for dim, k in zip(dims, at, strict=True)]
        rest = [f"{other.removeprefix(name + '_')} {_now(run, other)[at]:.6g}" for other in beside]
        yield f"{_entry(name, labels)} = {values[at]:.6g}" + (f" ({', '.join(rest)})" if rest else "")


def _first(name: str, said: list[str]) -> Iterator[str]:
    yield from said[:SHOWN]
    if len(said) > SHOWN:
        yield f"{name}: {len(said) - SHOWN:,} more entries"


def _entry(name: str, at: Any) -> str:
    return name + (f"[{', '.join(map(str, at))}]" if len(at) else "")


def _now(run: xr.Dataset, name: str) -> np.ndarray:
    return run[name].isel(generation=-1).to_numpy()


def _inner(run: xr.Dataset, name: str) -> tuple[Any, ...]:
    return tuple(dim for dim in run[name].dims if dim != "generation")


def _counts(run: xr.Dataset) -> tuple[int, int]:
    return int(run["generation"][-1]), run.sizes["chain"] if "chain" in run.dims else int(run["count"])


def _listed(values: np.ndarray) -> Any:
    """Return an array as nested lists, with null for what is no number: JSON has no word for it."""
    whole = np.array(values, dtype=object)
    whole[~np.isfinite(values)] = None
    return whole.tolist()
