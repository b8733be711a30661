"""A run as a labelled dataset: every chain's variables filled in chunk by chunk, or summaries merged in their order."""

import os
from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr

from numerics.engine import Stretch
from numerics.planning import Plan
from numerics.summaries.base import GENERATION
from numerics.summaries.streams import Streamed
from numerics.variables import variables


def collected(plan: Plan, run: Iterator[Stretch], chains: int) -> xr.Dataset:
    """Return what a plan asks for of a run: its chains, its summaries with their ``count``, or both."""
    arrays, streamed = _Chains(plan, chains), Streamed(plan.streams)
    for first, count, recorded in run:
        arrays.fill(first, count, recorded)
        streamed.add(count, recorded)
    columns = arrays.columns() | streamed.columns({name: _dims(plan, name) for name in plan.sizes})
    data = _dataset(columns)
    return data.assign(count=streamed.count) if plan.streams else data


class _Chains:
    """The paths of all chains, where they are asked for."""

    def __init__(self, plan: Plan, chains: int) -> None:
        if plan.paths:
            _require_memory(8 * chains * plan.numbers)
        self.plan, self.chains = plan, chains
        self.names = list(plan.sizes) if plan.paths else []
        self.arrays: dict[str, np.ndarray] = {}

    def fill(self, first: int, count: int, recorded: Mapping[str, np.ndarray]) -> None:
        for name in self.names:
            values = recorded[name]
            if name not in self.arrays:
                self.arrays[name] = np.empty((self.chains, *values.shape[1:]))
            self.arrays[name][first : first + count] = np.asarray(values)[:count]

    def columns(self) -> dict[str, xr.DataArray]:
        return {name: xr.DataArray(self.arrays[name], dims=("chain", *_dims(self.plan, name))) for name in self.names}


def _dims(plan: Plan, name: str) -> tuple[str, ...]:
    """Return the dimensions of a variable beside chain: generation, then those of a parameter."""
    return GENERATION, *variables(plan.loop.family).dims.get(name, ())


def _dataset(columns: Mapping[str, xr.DataArray]) -> xr.Dataset:
    """Return columns as a dataset whose coordinates count from 0, but those that have values."""
    run = xr.Dataset(dict(columns))
    return run.assign_coords({dim: np.arange(size) for dim, size in run.sizes.items() if dim not in run.coords})


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
