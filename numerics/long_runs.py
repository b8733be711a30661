"""Long runs: a folder that keeps the chunks of a run as they are done, so that another process can go on with it.

    manifest.json       what the numbers depend on: loop, arguments, device, versions, chains in a file
    SHA256SUMS          what each file must hash to, as sha256sum -c reads it
    chunk-000000.npz    what was recorded of the first chains, and so on

The numbers of a chain depend on its index alone, so the files that are there and those that are still computed make
the same run, bit for bit, wherever it was cut.
"""

import hashlib
import io
import json
import logging
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from numerics.engine import Stretch
from numerics.planning import RECORD_BYTES, Plan
from numerics.whole import alone, append, explained, replacing

MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
FILES = 256
"""Files of a run whose chunks are small: forcing a file to the disk takes as long as many chains."""

log = logging.getLogger(__name__)

Run = Callable[[Collection[int]], Iterator[Stretch]]
"""The first chains of the stretches to leave out -> the other stretches, in order."""


@frozen
class Layout:
    """How chains lie in files.

    Args:
        chains: how many there are.
        chunk: how many advance together.
        span: how many share a file, a whole number of chunks.
    """

    chains: int
    chunk: int
    span: int

    @property
    def files(self) -> range:
        """The numbers of the files."""
        return range(math.ceil(self.chains / self.span))

    def chunks(self, file: int) -> range:
        """Return the first chains of the chunks of a file."""
        return range(file * self.span, min((file + 1) * self.span, self.chains), self.chunk)


def layout(plan: Plan, chains: int, chunk: int, asked: bool) -> Layout:
    """Return a file for each chunk whose size was asked for, else so few that writing them costs little.

    What a file holds stays within the memory of one chunk's record.
    """
    fitting = RECORD_BYTES // plan.bytes(chunk)
    together = 1 if asked else max(1, min(fitting, math.ceil(chains / chunk / FILES)))
    return Layout(chains, chunk, chunk * together)


def identity(attributes: Mapping[str, str], given: Mapping[str, Any], parts: Layout) -> dict[str, Any]:
    """Return what the numbers of a run depend on, as plain JSON, from its attributes and the arrays it is given."""
    made = json.loads(attributes["provenance"])
    arguments = {name: value for name, value in made["arguments"].items() if name not in ("method", "device")}
    ran = {name: made[name] for name in ("method", "device", "dtype")}
    versions = {f"version of {name}": value for name, value in made["versions"].items()}
    observe = {"observe": json.loads(attributes["observe"])}
    rest = {"sha256 of the source": _digest(given), "chunk": parts.span}
    return {"loop": made["loop"], **arguments, **observe, **ran, **versions, **rest}


@contextmanager
def keeping(
    out: str | PathLike[str] | None, resume: bool, parts: Layout, run: Callable[[], dict[str, Any]]
) -> Iterator[Callable[[Run], Iterator[Stretch]]]:
    """Give the function from a run to its stretches: read from the folder or else computed and kept there.

    Args:
        out: the folder; None keeps nothing.
        resume: whether a run that is there is gone on with.
        parts: which chains lie in which file.
        run: returns what the numbers depend on.

    Raises:
        ValueError: a folder that has another writer, another run, or a run that is not to be resumed, or that cannot
            be written to.
    """
    if out is None:
        if resume:
            raise ValueError("resume = True needs the folder of a run. Name it with out=.")
        yield lambda run: run(())
        return
    folder = Path(out)
    with alone(folder):
        _agree(folder, json.loads(json.dumps(run())), resume)
        yield Kept(folder, parts).stretches


@frozen
class Kept:
    """The files of a run in a folder that this process alone writes to."""

    folder: Path
    layout: Layout

    def stretches(self, run: Run) -> Iterator[Stretch]:
        """Yield the run file by file: those that are whole are read, the others computed and written."""
        whole = self._whole()
        computed = run({first for file in whole for first in self.layout.chunks(file)})
        for file in self.layout.files:
            yield self._read(file) if file in whole else self._keep(file, computed)
        yield from computed  # nothing is left, but who watches it learns that it has ended

    def _keep(self, file: int, computed: Iterator[Stretch]) -> Stretch:
        """Return a file's stretch after its hash is on the disk, and then the file, whole."""
        parts = [self._cut(part) for part in islice(computed, len(self.layout.chunks(file)))]
        recorded = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        data = _npz(recorded)
        append(self.folder / SUMS, _line(hashlib.sha256(data).hexdigest(), self._path(file)))
        with replacing(self._path(file)) as temporary:
            temporary.write_bytes(data)
        return self._stretch(file, recorded)

    def _cut(self, stretch: Stretch) -> dict[str, np.ndarray]:
        """Return what was recorded of the chains that count, in rows for each chain or each block of chains."""
        _, count, recorded = stretch
        parts = {name: values if isinstance(values, tuple) else (values,) for name, values in recorded.items()}
        named = {f"{name}.{at}": np.asarray(part) for name, tied in parts.items() for at, part in enumerate(tied)}
        return {name: part[: math.ceil(count * len(part) / self.layout.chunk)] for name, part in named.items()}

    def _read(self, file: int) -> Stretch:
        with np.load(self._path(file), allow_pickle=False) as arrays:
            return self._stretch(file, dict(arrays))

    def _stretch(self, file: int, recorded: Mapping[str, np.ndarray]) -> Stretch:
        """Return the stretch of named parts, those of one name tied together again."""
        tied: dict[str, list[np.ndarray]] = {}
        for key, part in recorded.items():
            tied.setdefault(key.rpartition(".")[0], []).append(part)
        first = file * self.layout.span
        count = min(self.layout.span, self.layout.chains - first)
        return first, count, {name: tuple(part) if len(part) > 1 else part[0] for name, part in tied.items()}

    def _whole(self) -> set[int]:
        """Return the files that are what was written; the others are named, and all other hashes forgotten."""
        sums = _sums(self.folder / SUMS)
        there = [file for file in self.layout.files if self._path(file).is_file()]
        whole = {file for file in there if _hash(self._path(file)) == sums.get(self._path(file).name)}
        for file in sorted({*there} - whole):
            log.warning("%s is not what was written; its chains are run again.", self._path(file))
        lines = [_line(sums[self._path(file).name], self._path(file)) for file in sorted(whole)]
        _write(self.folder / SUMS, "".join(line + "\n" for line in lines))
        return whole

    def _path(self, file: int) -> Path:
        return self.folder / f"chunk-{file:06d}.npz"


def _agree(folder: Path, run: Mapping[str, Any], resume: bool) -> None:
    """Write the manifest of a new run, or check that the run that is there is the one asked for."""
    manifest = folder / MANIFEST
    if not manifest.exists():
        _write(folder / SUMS, "")
        _write(manifest, json.dumps(run, indent=1) + "\n")
        return
    if not resume:
        raise ValueError(f"{str(folder)!r} holds a run already. Go on with it by resume, or name another folder.")
    kept = _manifest(manifest)
    for name in {**run, **kept}:
        if kept.get(name) != run.get(name):
            there, here = _short(kept.get(name)), _short(run.get(name))
            raise ValueError(
                f"{str(folder)!r} holds a run with {name} = {there}, and this one has {name} = {here}. "
                "Ask for the run that is there, or name another folder."
            )


def _manifest(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{str(path)!r} is no manifest of a run ({error}). Name another folder.") from error
    return kept if isinstance(kept, dict) else {}


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _sums(path: Path) -> dict[str, str]:
    """Return name -> hash of the lines that are complete: a process may have died in the middle of one."""
    with explained(path):
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _line(digest: str, path: Path) -> str:
    return f"{digest}  {path.name}"


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(arrays: Mapping[str, Any]) -> str:
    return hashlib.sha256(_npz({name: np.asarray(arrays[name]) for name in sorted(arrays)})).hexdigest()


def _npz(arrays: Mapping[str, Any]) -> bytes:
    """Return arrays as the bytes of an .npz file."""
    stream = io.BytesIO()
    np.savez(stream, **dict(arrays))
    return stream.getvalue()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
