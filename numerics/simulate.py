"""`simulate`: a loop as labelled Monte Carlo paths, or as their streamed summaries."""

import os
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

import jax
import numpy as np
import xarray as xr

from numerics.devices import Number
from numerics.engine import Moments, Stretch, merged, stretches
from numerics.long_runs import keeping
from numerics.planning import Plan
from numerics.processes import group
from numerics.progress import shown
from numerics.request import Request
from numerics.sources import Start
from numerics.variables import variables
from theory.loop import Loop


def simulate(
    loop: Loop,
    start: Start | None = None,
    *,
    generations: int,
    chains: int,
    seed: int = 0,
    paths: bool = True,
    observe: Mapping[str, Any] | None = None,
    method: str = "auto",
    chunk: int | None = None,
    device: str = "auto",
    devices: Number = 1,
    processes: Number = 1,
    progress: bool = False,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> xr.Dataset:
    """Return independent runs of the loop, with dimensions (chain, generation); generation 0 is the source.

    Args:
        loop: a loop with numbers for all its symbols but those of the source.
        start: values for the source's symbols, by name, floats allowed: {"mu": 0, "V": 1} or {"mu0": 0, "V0": 1}.
        generations: number of refits, >= 1.
        chains: number of independent runs, 1 to 2^32.
        seed: 0 <= seed < 2^63; the numbers of chain c depend on (seed, c) alone, whatever else is asked.
        paths: whether every chain is returned; False streams, in bounded memory, and returns for each variable x the
            mean over chains ``x_mean`` and its standard error ``x_sem`` by generation, and their ``count``.
        observe: name -> SymPy expression in the parameters of the family and of its source, recorded with them.
        method: "statistic" draws sufficient statistics, "data" draws the points and refits them, "tokens" and "types"
            draw the counts of a categorical loop token by token or type by type; all are exact where they run, and
            "auto" takes the cheapest.
        chunk: chains that advance together, rounded up to a multiple of 256; it changes no number.
        device: "auto", "cpu", "gpu" or "tpu".
        devices: how many devices of that kind share the chains, or "all"; it changes no number.
        processes: 1, or "all" for those that `join` has joined: each calls this alike, runs a share of the chains, and
            returns the whole; it changes no number.
        progress: whether to show progress, and the device, on standard error.
        out: folder that keeps the run, a file for every chunk as it is done; it has one writer at a time, which may be
            all processes together.
        resume: whether to go on with the run in ``out``: only what is missing there is computed, and the result has the
            same bits as without an interruption.

    Raises:
        ValueError: a symbol without a value, an argument out of range, a device that is missing, a folder that holds
            another run or cannot be written to.

    >>> from theory import Gaussian, Loop
    >>> run = simulate(Loop(Gaussian()).at(M=100), start={"mu": 0, "V": 1}, generations=3, chains=5)
    >>> dict(run.sizes), list(run.data_vars)
    ({'chain': 5, 'generation': 4}, ['mu', 'V', 'log_V'])
    """
    asked = Request(loop, start, generations, chains, seed, paths, observe, method, chunk, device, devices)
    members = group(processes)
    begun = partial(_begun, asked, progress and members.rank == 0)
    run = keeping(out, resume, asked.parts, asked.identity, members)
    with run as kept, jax.enable_x64(True), jax.default_device(asked.chosen[0]):
        data = _paths(asked.plan, kept(begun), chains) if paths else _summaries(asked.plan, kept(begun))
    return data.assign_attrs(asked.attributes)


def _begun(asked: Request, progress: bool, there: Collection[int], elsewhere: Collection[int]) -> Iterator[Stretch]:
    """Return the stretches that begin neither in what is there nor elsewhere, with progress where it is asked for."""
    parts = asked.parts
    run = stretches(asked.plan, asked.given, asked.seed, parts.chains, parts.chunk, {*there, *elsewhere}, asked.chosen)
    done, others = (sum(min(parts.chunk, parts.chains - first) for first in firsts) for firsts in (there, elsewhere))
    return shown(run, parts.chains - others, asked.attributes["device"], done) if progress else run


def _paths(plan: Plan, run: Iterator[Stretch], chains: int) -> xr.Dataset:
    """Return every chain's variables, filled in stretch by stretch."""
    _require_memory(8 * chains * plan.numbers)
    arrays: dict[str, np.ndarray] = {}
    for first, count, recorded in run:
        for name, values in recorded.items():
            if name not in arrays:
                arrays[name] = np.empty((chains, *values.shape[1:]))
            arrays[name][first : first + count] = np.asarray(values)[:count]
    return _dataset({name: (_dims(plan, name, "chain", "generation"), arrays[name]) for name in _recorded(plan)})


def _summaries(plan: Plan, run: Iterator[Stretch]) -> xr.Dataset:
    """Return mean and standard error of every variable by generation, and the number of chains."""
    moments: dict[str, Moments] = {}
    for _, count, recorded in run:
        for name, blocks in recorded.items():
            moments[name] = merged(moments.get(name), blocks, count)
    columns = {}
    for name in _recorded(plan):
        dims = _dims(plan, name, "generation")
        columns[f"{name}_mean"] = dims, moments[name].mean
        columns[f"{name}_sem"] = dims, moments[name].standard_error()
    (count,) = {m.count for m in moments.values()}
    return _dataset(columns).assign(count=count)


def _recorded(plan: Plan) -> list[str]:
    return [*plan.names, *(name for name, _ in plan.observe)]


def _dims(plan: Plan, name: str, *outer: str) -> tuple[str, ...]:
    """Return the dimensions of a variable: the outer ones, then those of a parameter."""
    return (*outer, *variables(plan.loop.family).dims.get(name, ()))


def _dataset(columns: Mapping[str, tuple[tuple[str, ...], np.ndarray]]) -> xr.Dataset:
    """Return columns, name -> (dimensions, values), as a dataset whose coordinates count from 0."""
    run = xr.Dataset(columns)
    return run.assign_coords({dim: np.arange(size) for dim, size in run.sizes.items()})


def _require_memory(size: int) -> None:
    """Refuse paths that do not fit into the machine's memory, before anything is run."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not every system says
        return
    if size > memory:
        raise ValueError(
            f"the paths take {size / 1e9:.0f} GB, and this machine has {memory / 1e9:.0f} GB. "
            "Ask for paths=False, or for fewer chains or generations."
        )
