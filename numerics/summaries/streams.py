"""Summaries of named variables: how they are asked for, reduced generation by generation, and put in a dataset."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from attrs import frozen
from jax import Array

from numerics.chains import Values, Watch, in_order
from numerics.summaries.base import BLOCK, Summary
from numerics.summaries.moments import Moments
from numerics.summaries.text import read

Asked = Summary | str
"""A summary, or its text as in a spec file: "quantiles([0.1, 0.5])"."""
LIMIT = 2**28
"""Bytes that the sums of one chunk may take."""


@frozen
class Stream:
    """A summary of one variable."""

    name: str
    summary: Summary

    @property
    def key(self) -> str:
        """The name of what is reduced, which no variable has."""
        return f"{self.name}|{self.summary.label}"


def streams(
    asked: Mapping[str, Asked | Iterable[Asked]] | None, names: Collection[str], everywhere: bool
) -> tuple[Stream, ...]:
    """Return the streams of a run: what is asked, after the moments of all variables if these are wanted.

    Raises:
        ValueError: a name that is not recorded, a summary that does not exist, or two that give one column twice.
    """
    found = [Stream(name, Moments()) for name in names] if everywhere else []
    for name, several in (asked or {}).items():
        for summary in _several(several):
            for wanted in (name, summary.other or name):
                if wanted not in names:
                    raise ValueError(f"summaries name {wanted!r}, which is not recorded. Choose from {_listed(names)}.")
            found.append(Stream(name, summary))
    found = list(dict.fromkeys(found))
    _check(found)
    return tuple(found)


def spelled(asked: Mapping[str, Asked | Iterable[Asked]] | None) -> dict[str, list[str]]:
    """Return what is asked as text that can be asked again."""
    return {name: [str(one) for one in _several(each)] for name, each in (asked or {}).items()}


def watch(wanted: Collection[Stream], paths: bool) -> Watch:
    """Return the watch that keeps what each stream makes of a generation, and the values too where paths are kept."""
    running, block = [stream for stream in wanted if stream.summary.running], BLOCK if wanted else 1

    def begin(values: Values) -> dict[str, Array]:
        return {stream.key: values[stream.name] for stream in running}

    def keep(memory: dict[str, Array], values: Values, counted: Array) -> tuple[dict[str, Array], dict[str, Any]]:
        for stream in running:
            extreme = jnp.minimum if stream.summary.running == "min" else jnp.maximum
            memory = {**memory, stream.key: extreme(memory[stream.key], values[stream.name])}
        kept = {stream.key: _each(stream, memory, values, counted) for stream in wanted}
        every = {name: in_order(x, block) for name, x in values.items()} if paths else {}
        return memory, every | kept

    return Watch(begin, keep, block)


def _each(stream: Stream, memory: Mapping[str, Array], values: Values, counted: Array) -> tuple[Array, ...]:
    own = memory.get(stream.key, values[stream.name])
    other = stream.summary.other
    return stream.summary.reduced(own if other is None else (own, values[other]), counted)


class Streamed:
    """The summaries so far."""

    def __init__(self, wanted: Iterable[Stream]) -> None:
        self.wanted = tuple(wanted)
        self.states: dict[str, Any] = {}
        self.count = 0

    def add(self, count: int, recorded: Mapping[str, Any]) -> None:
        """Take in the next ``count`` chains, of which this was recorded."""
        self.count += count
        for stream in self.wanted:
            blocks = recorded[stream.key]
            tied = tuple(np.asarray(part) for part in (blocks if isinstance(blocks, tuple) else (blocks,)))
            self.states[stream.key] = stream.summary.merged(self.states.get(stream.key), tied, count)

    def columns(self, dims: Mapping[str, tuple[str, ...]]) -> dict[str, xr.DataArray]:
        """Return all columns, given the dimensions of each variable."""
        columns: dict[str, xr.DataArray] = {}
        for stream in self.wanted:
            columns |= stream.summary.columns(stream.name, dims[stream.name], self.states[stream.key])
        return columns


def _check(found: Iterable[Stream]) -> None:
    keys: set[str] = set()
    coordinates: dict[str, tuple[float, ...]] = {}
    for stream in found:
        if stream.key in keys:
            raise ValueError(
                f"summaries ask for {stream.name}_{stream.summary.label} twice. Ask for it once, with all levels."
            )
        keys.add(stream.key)
        name, values = stream.summary.coordinate or (stream.key, ())
        if coordinates.setdefault(name, values) != values:
            raise ValueError(
                f"summaries ask for {name} = {list(coordinates[name])} and {list(values)}. Give all variables the same."
            )


def _several(asked: Asked | Iterable[Asked]) -> list[Summary]:
    each = (asked,) if isinstance(asked, Summary | str) else asked
    return [read(one) if isinstance(one, str) else one for one in each]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
