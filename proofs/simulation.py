"""`collapse simulate`: a loop and its run from a TOML file, in the words of `collapse derive`, and its last generation.

family = "gaussian"             # axes as in `collapse derive`; those left out as there
estimator = "mle"
samples = 100                   # needed, as are generations and chains
generations = 50
chains = 100_000
seed = 0
paths = false                   # streamed means and standard errors in place of every chain; "auto": both if they fit
start = {mu = 0, V = 1}         # values of the source's symbols
observe = {square = "mu**2"}    # name = expression
summaries = {V = ["quantiles([0.05, 0.5, 0.95])", "share(below=0.001)"]}    # what else is streamed of a variable
devices = "all"                 # how many share the chains
sweep = {M = [10, 100]}         # values of the loop's symbols, here of samples = "M"
"""

import json
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr
from attrs import NOTHING, Factory, evolve, fields, frozen

from numerics.running.devices import Number
from numerics.running.processes import Group, join
from numerics.running.runs import save
from numerics.simulate import simulate
from numerics.sweeps import sweep
from proofs.job import ClusterJob
from proofs.last import lines, plain
from proofs.spec import loop_from, observable_from
from proofs.stopping import terminable
from theory import Loop

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
    paths: bool | str = True
    start: Mapping[str, Any] = Factory(dict)
    observe: Mapping[str, str] = Factory(dict)
    summaries: Mapping[str, str | list[str]] = Factory(dict)
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
            summaries=self.summaries,
            method=self.method,
            chunk=self.chunk,
            device=self.device,
            devices=self.devices,
            processes=processes,
            progress=progress,
            out=out,
            resume=resume,
        )


def answer(
    spec: Path,
    out: Path | None,
    *,
    summary: tuple[str, ...] = (),
    resume: bool,
    as_json: bool,
    job: ClusterJob | None = None,
) -> str:
    """Run what the file says, kept in a folder where one is named, and return the last generation as text or JSON.

    Of the processes of a job, the first alone has something to say.

    Args:
        spec: the file.
        out: the folder, None for none.
        summary: more of what is streamed, each "NAME=SUMMARY".
        resume: whether a run in the folder is gone on with.
        as_json: whether the answer is JSON.
        job: the job that this process joins.

    Raises:
        ValueError: a file that cannot be read or says what does not exist, or a folder that cannot be used.
        KeyboardInterrupt: Ctrl-C, or SIGTERM; the message says where the run can be gone on with.
    """
    asked = also(read(spec), summary)
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
    return json.dumps(plain(run, saved)) if as_json else "\n".join(lines(run, saved))


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


def also(asked: Simulation, summary: tuple[str, ...]) -> Simulation:
    """Return what is asked with more summaries, each "NAME=SUMMARY".

    Raises:
        ValueError: one without a name.
    """
    summaries = {name: [text] if isinstance(text, str) else [*text] for name, text in asked.summaries.items()}
    for text in summary:
        name, equals, what = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ValueError(f"--summary {text!r} names no variable. Write it such as 'V=quantiles([0.1, 0.9])'.")
        summaries.setdefault(name.strip(), []).append(what)
    return evolve(asked, summaries=summaries) if summary else asked


def _meant(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, 1)
    return f"Did you mean {close[0]}?" if close else f"Choose from {', '.join(known)}."


def _fits(value: Any, kind: Any) -> bool:
    """Return whether a value of a TOML file is of a field's kind; true and false are no numbers."""
    if kind in _TABLES:
        return isinstance(value, dict) and all(map(_TABLES[kind][0], value.values()))
    return kind is Any or (isinstance(value, kind) and (kind in (bool, _MAYBE) or not isinstance(value, bool)))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, list) and all(map(_is_text, value)))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


_MAYBE = bool | str
_TABLES: dict[Any, tuple[Callable[[Any], bool], str]] = {
    Mapping[str, Any]: (lambda _: True, "a table, such as {mu = 0, V = 1}"),
    Mapping[str, str]: (_is_text, 'a table of texts, such as {x = "mu**2"}'),
    Mapping[str, str | list[str]]: (_is_texts, 'a table of texts or lists of them, such as {V = "extremes"}'),
    Mapping[str, Sequence[Any]]: (_is_list, 'a table of lists, such as {M = [10, 100], alpha = ["1/10"]}'),
}
_KINDS = {_MAYBE: 'true, false or "auto"', int: "a whole number", str: "a text in quotes"}


def _kind(kind: Any) -> str:
    return _TABLES[kind][1] if kind in _TABLES else _KINDS.get(kind, "a number or a text in quotes")
