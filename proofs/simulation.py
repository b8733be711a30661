"""`collapse simulate`: a loop and its run from a TOML file, in the words of `collapse derive`, and its last generation.

family = "gaussian"             # axes as in `collapse derive`; those left out as there
estimator = "mle"
samples = 100                   # needed, as are generations and chains
generations = 50
chains = 100_000
seed = 0
paths = false                   # streamed means and standard errors in place of every chain
start = {mu = 0, V = 1}         # values of the source's symbols
observe = {square = "mu**2"}    # name = expression
devices = "all"                 # how many share the chains
sweep = {M = [10, 100]}         # values of the loop's symbols, here of samples = "M"
"""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from attrs import NOTHING, Factory, fields, frozen

from numerics.compiled import keep_compiled
from numerics.devices import Number
from numerics.processes import Group, join
from numerics.runs import save
from numerics.simulate import simulate
from numerics.sweeps import cell, sweep
from proofs.job import ClusterJob
from proofs.spec import loop_from, observable_from
from proofs.stopping import terminable
from theory import Loop

SHOWN = 8
"""Entries of a variable that are printed."""
FILE = "run.nc"
"""The finished run, beside its chunks."""


@frozen
class Simulation:
    """What a TOML file says: the axes of a loop as text, and the arguments of `simulate`."""

    samples: str | int
    generations: int
    chains: int
    family: str = "gaussian"
    estimator: str | int | float = "mle"
    regime: str = "replace"
    sampling: str = "faithful"
    seed: int = 0
    paths: bool = True
    start: Mapping[str, Any] = Factory(dict)
    observe: Mapping[str, str] = Factory(dict)
    method: str = "auto"
    device: str = "auto"
    devices: Any = 1
    chunk: int | None = None

    @property
    def loop(self) -> Loop:
        """The loop that the axes declare."""
        axes = ("family", "estimator", "regime", "sampling", "samples")
        return loop_from(**{axis: str(getattr(self, axis)) for axis in axes})

    sweep: Mapping[str, Sequence[Any]] = Factory(dict)

    def run(self, out: Path | None, resume: bool, progress: bool = True, processes: Number = 1) -> xr.Dataset:
        """Return the run, or the sweep, kept in a folder where one is named."""
        loop = self.loop
        swept = partial(sweep, loop, self.sweep) if self.sweep else partial(simulate, loop)
        return swept(
            self.start,
            generations=self.generations,
            chains=self.chains,
            seed=self.seed,
            paths=self.paths,
            observe={name: observable_from(text, loop, f"observe.{name}") for name, text in self.observe.items()},
            method=self.method,
            chunk=self.chunk,
            device=self.device,
            devices=self.devices,
            processes=processes,
            progress=progress,
            out=out,
            resume=resume,
        )


def answer(spec: Path, out: Path | None, *, resume: bool, as_json: bool, job: ClusterJob | None = None) -> str:
    """Run what the file says, kept in a folder where one is named, and return the last generation as text or JSON.

    Of the processes of a job, the first alone has something to say.

    Raises:
        ValueError: a file that cannot be read or says what does not exist, or a folder that cannot be used.
        KeyboardInterrupt: Ctrl-C, or SIGTERM; the message says where the run can be gone on with.
    """
    asked = read(spec)
    with suppress(ValueError):  # where nothing can be kept, programs are compiled again
        keep_compiled()
    group = _joined(job or ClusterJob())
    try:
        with terminable(), _all_to_standard_error(group):
            run = asked.run(out, resume, processes=group.size)
            saved = None if out is None or group.rank else save(run, out / FILE)
    except KeyboardInterrupt as stop:
        raise type(stop)(*([] if out is None else [f"{out} keeps what is done. Go on with --resume."])) from None
    except ValueError as error:
        raise ValueError(f"{spec}: {str(error).removeprefix('--')}") from error
    if group.rank:
        return ""
    return json.dumps(_plain(run, saved)) if as_json else "\n".join(_lines(run, saved))


def _joined(job: ClusterJob) -> Group:
    """Return the processes that run together: this one, or those of the job that it is asked to join."""
    if job.processes is None:
        return Group()
    return join(job.coordinator, None if job.processes == "all" else job.processes, job.process)


@contextmanager
def _all_to_standard_error(group: Group) -> Iterator[None]:
    """Keep standard output to the answer: where processes meet, libraries write there that they have."""
    if group.size == 1:
        yield
        return
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def read(path: Path) -> Simulation:
    """Return what a TOML file says.

    Raises:
        ValueError: no such file, no TOML, a word that is not known or missing, or a value of another kind.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{str(path)!r} cannot be read as TOML ({reason}). Give a spec file.") from error
    known = {field.name: field for field in fields(Simulation)}
    for word, value in said.items():
        if word not in known:
            raise ValueError(f"{path}: {word!r} is not known. {_meant(word, tuple(known))}")
        if not _fits(value, known[word].type):
            raise ValueError(f"{path}: {word} = {value!r} is of the wrong kind. Give {_kind(known[word].type)}.")
    if missing := [name for name, field in known.items() if field.default is NOTHING and name not in said]:
        raise ValueError(f"{path}: {missing[0]} is missing. Add {missing[0]} = 100, or another number.")
    return Simulation(**said)


def _meant(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, 1)
    return f"Did you mean {close[0]}?" if close else f"Choose from {', '.join(known)}."


def _fits(value: Any, kind: Any) -> bool:
    """Return whether a value of a TOML file is of a field's kind; true and false are no numbers."""
    if kind in _TABLES:
        return isinstance(value, dict) and all(isinstance(x, _ENTRIES.get(kind, object)) for x in value.values())
    return kind is Any or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool)))


_TEXTS, _LISTS = Mapping[str, str], Mapping[str, Sequence[Any]]
_TABLES = {
    Mapping[str, Any]: "a table, such as {mu = 0, V = 1}",
    _TEXTS: 'a table of texts, such as {x = "mu**2"}',
    _LISTS: 'a table of lists, such as {M = [10, 100], alpha = ["1/10"]}',
}
_ENTRIES = {_TEXTS: str, _LISTS: list}
_KINDS = {bool: "true or false", int: "a whole number", str: "a text in quotes"}


def _kind(kind: Any) -> str:
    return _TABLES.get(kind) or _KINDS.get(kind) or "a number or a text in quotes"


def _last(run: xr.Dataset) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield every variable with its mean over the chains at the last generation, and the standard error of that."""
    last = run.isel(generation=-1)
    if "chain" not in run.dims:
        for name in (str(name).removesuffix("_mean") for name in run.data_vars if str(name).endswith("_mean")):
            yield name, last[f"{name}_mean"].to_numpy(), last[f"{name}_sem"].to_numpy()
        return
    chains = run.sizes["chain"]
    for name in run.data_vars:
        values = last[name].to_numpy()
        spread = values.std(0, ddof=1) if chains > 1 else np.full(values.shape[1:], np.nan)
        yield str(name), values.mean(0), spread / np.sqrt(chains)


def _lines(run: xr.Dataset, saved: Path | None) -> Iterator[str]:
    for values, one in _runs(run):
        yield from [", ".join(f"{name} = {value}" for name, value in values.items())] if values else []
        yield from _last_lines(one)
    if saved is not None:
        yield f"run: {saved}; chunks and manifest: {saved.parent}"


def _runs(run: xr.Dataset) -> Iterator[tuple[dict[str, Any], xr.Dataset]]:
    """Yield the cells of a sweep with their values, or the one run there is."""
    swept = {name: run[name].to_numpy().tolist() for name in json.loads(run.attrs.get("sweep", "{}"))}
    for values in product(*swept.values()):
        here = dict(zip(swept, values, strict=True))
        yield here, cell(run, **here) if here else run


def _last_lines(run: xr.Dataset) -> Iterator[str]:
    generation, chains = _counts(run)
    yield f"generation {generation}, mean over {chains:,} chains +- standard error"
    for name, means, errors in _last(run):
        for at in list(np.ndindex(means.shape))[:SHOWN]:
            entry = name + (f"[{', '.join(map(str, at))}]" if at else "")
            yield f"{entry} = {means[at]:.6g} +- {errors[at]:.2g}"
        if means.size > SHOWN:
            yield f"{name}: {means.size - SHOWN:,} more entries"


def _plain(run: xr.Dataset, saved: Path | None) -> dict[str, Any]:
    files = {} if saved is None else {"run": str(saved), "folder": str(saved.parent)}
    if "sweep" in run.attrs:
        return {"cells": [{"at": values, **_last_plain(one)} for values, one in _runs(run)], **files}
    return _last_plain(run) | files


def _last_plain(run: xr.Dataset) -> dict[str, Any]:
    generation, chains = _counts(run)
    last = {name: {"mean": _listed(means), "standard_error": _listed(errors)} for name, means, errors in _last(run)}
    return {"generation": generation, "chains": chains, "variables": last}


def _counts(run: xr.Dataset) -> tuple[int, int]:
    return int(run["generation"][-1]), run.sizes["chain"] if "chain" in run.dims else int(run["count"])


def _listed(values: np.ndarray) -> Any:
    """Return an array as nested lists, with null for what is no number: JSON has no word for it."""
    whole = np.array(values, dtype=object)
    whole[~np.isfinite(values)] = None
    return whole.tolist()
