"""Long runs: a folder that keeps the chunks of a run as they are done, so that another process can go on with it.

    manifest.json       what the numbers depend on: loop, arguments, device, versions, chains in a file
    SHA256SUMS          what each file must hash to, as sha256sum -c reads it
    SHA256SUMS.1        what the files of another process of the same run must hash to, until that run ends
    chunk-000000.npz    what was recorded of the first chains, and so on

The numbers of a chain depend on its index alone, so the files that are there and those that are still computed make
the same run, bit for bit, wherever it was cut and whoever goes on with it, one process or several that share the files.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from numerics.engine import Stretch
from numerics.running.parts import Layout, Run, packed, unpacked
from numerics.running.processes import Group
from numerics.running.whole import alone, append, beside, explained, replacing, shared

MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
SECONDS = 60.0
"""How long a file of another process may take to be seen: some shared folders remember what was not there."""

log = logging.getLogger(__name__)

Kept = Callable[[Run], Iterator[Stretch]]
"""A run -> its stretches, read or else computed and kept."""


def identity(attributes: Mapping[str, str], given: Mapping[str, Any], parts: Layout) -> dict[str, Any]:
    """Return what the numbers of a run depend on, as plain JSON, from its attributes and the arrays it is given."""
    made = json.loads(attributes["provenance"])
    arguments = {name: value for name, value in made["arguments"].items() if name not in ("method", "device")}
    ran = {name: made[name] for name in ("method", "device", "dtype")}
    versions = {f"version of {name}": value for name, value in made["versions"].items()}
    observe = {"observe": json.loads(attributes["observe"])}
    rest = {"sha256 of the source": _digest(given), "chunk": parts.span}
    return json.loads(json.dumps({"loop": made["loop"], **arguments, **observe, **ran, **versions, **rest}))


@contextmanager
def keeping(
    out: str | PathLike[str] | None, resume: bool, parts: Layout, run: Callable[[], dict[str, Any]], group: Group
) -> Iterator[Kept]:
    """Give the function from a run to its stretches: read from the folder or else computed and kept there.

    Args:
        out: the folder; None keeps nothing.
        resume: whether a run that is there is gone on with.
        parts: which chains lie in which file.
        run: returns what the numbers depend on.
        group: the processes that share the run; all of them see the folder.

    Raises:
        ValueError: a folder that has another writer, another run, or a run that is not to be resumed, or that cannot
            be written to; in a group it is raised in every process.
    """
    if out is None:
        if resume:
            raise ValueError("resume = True needs the folder of a run. Name it with out=.")
        yield group.sharing(parts, run)
        return
    folder = Path(out)
    with ExitStack() as held:
        if group.size == 1:
            held.enter_context(alone(folder))
            _agree(folder, run(), resume)
            yield Folder(folder, parts).stretches
        else:
            group.agreed(lambda: _join(held, folder, run(), resume, group))
            yield SharedFolder(folder, parts, group).stretches


def _join(held: ExitStack, folder: Path, run: Mapping[str, Any], resume: bool, group: Group) -> None:
    """Hold the folder together: the first process alone until it has made it ready, and then the others beside it."""

    def ready() -> str:
        lock = held.enter_context(alone(folder))
        _agree(folder, run, resume)
        return shared(lock, folder)

    holder = group.led(ready)
    if group.rank:
        held.enter_context(beside(folder, holder))
        _same(folder, run)


@frozen
class Folder:
    """The files of a run in a folder that this process alone writes to."""

    folder: Path
    layout: Layout

    def stretches(self, run: Run) -> Iterator[Stretch]:
        """Yield the run file by file: those that are whole are read, the others computed and written."""
        there = whole(self.folder, self.layout)
        computed = run(self.layout.firsts(there), ())
        for file in self.layout.files:
            yield read(self.folder, self.layout, file) if file in there else self._keep(file, computed)
        yield from computed  # nothing is left, but who watches it learns that it has ended

    def _keep(self, file: int, computed: Iterator[Stretch]) -> Stretch:
        recorded = self.layout.bound(file, computed)
        keep(self.folder, file, recorded, SUMS)
        return self.layout.stretch(file, recorded)


@frozen
class SharedFolder:
    """The files of a run in a folder that the processes of a group write to, each file by one of them."""

    folder: Path
    layout: Layout
    group: Group

    def stretches(self, run: Run) -> Iterator[Stretch]:
        """Compute and write a share of the files that are missing, and yield all once every process is done."""
        there = set(json.loads(self.group.led(lambda: json.dumps(sorted(whole(self.folder, self.layout))))))
        missing = [file for file in self.layout.files if file not in there]
        mine = missing[self.group.rank :: self.group.size]
        self.group.agreed(lambda: self._keep(mine, run(self.layout.firsts(there), self._others(missing, mine))))
        self.group.led(self._sum_up)
        for file in self.layout.files:
            yield read(self.folder, self.layout, file)

    def _others(self, missing: list[int], mine: list[int]) -> set[int]:
        return self.layout.firsts({*missing} - {*mine})

    def _keep(self, files: list[int], computed: Iterator[Stretch]) -> None:
        sums = f"{SUMS}.{self.group.rank}" if self.group.rank else SUMS
        for file in files:
            keep(self.folder, file, self.layout.bound(file, computed), sums)
        for _ in computed:  # nothing is left, but who watches it learns that it has ended
            pass

    def _sum_up(self) -> str:
        _write_sums(self.folder, _sums(self.folder))
        return ""


def keep(folder: Path, file: int, recorded: Mapping[str, np.ndarray], sums: str) -> None:
    """Write a file, whole, after its hash is on the disk."""
    data, path = packed(recorded), _path(folder, file)
    append(folder / sums, _line(hashlib.sha256(data).hexdigest(), path.name))
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def read(folder: Path, layout: Layout, file: int) -> Stretch:
    """Return the stretch of a file; one that another process has written may take a while to be seen."""
    end = time.monotonic() + SECONDS
    while not _path(folder, file).is_file() and time.monotonic() < end:
        time.sleep(0.1)
    with explained(folder), _path(folder, file).open("rb") as stream:
        return layout.stretch(file, unpacked(stream))


def whole(folder: Path, layout: Layout) -> set[int]:
    """Return the files that are what was written; the others are named, and all other hashes forgotten."""
    sums = _sums(folder)
    there = [file for file in layout.files if _path(folder, file).is_file()]
    kept = {file for file in there if _hash(_path(folder, file)) == sums.get(_path(folder, file).name)}
    for file in sorted({*there} - kept):
        log.warning("%s is not what was written; its chains are run again.", _path(folder, file))
    _write_sums(folder, {name: sums[name] for name in (_path(folder, file).name for file in sorted(kept))})
    return kept


def _path(folder: Path, file: int) -> Path:
    return folder / f"chunk-{file:06d}.npz"


def _agree(folder: Path, run: Mapping[str, Any], resume: bool) -> None:
    """Write the manifest of a new run, or check that the run that is there is the one asked for."""
    manifest = folder / MANIFEST
    if not manifest.exists():
        _write_sums(folder, {})
        _write(manifest, json.dumps(run, indent=1) + "\n")
        return
    if not resume:
        raise ValueError(f"{str(folder)!r} holds a run already. Go on with it by resume, or name another folder.")
    _same(folder, run)


def _same(folder: Path, run: Mapping[str, Any]) -> None:
    """Check that the run in a folder is the one asked for."""
    kept = _manifest(folder / MANIFEST)
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


def _sums(folder: Path) -> dict[str, str]:
    """Return name -> hash of the lines that are complete: a process may have died in the middle of one."""
    with explained(folder):
        texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob(f"{SUMS}*"))]
    lines = [line.partition("  ") for text in texts for line in text.split("\n")[:-1]]
    return {name: digest for digest, _, name in lines}


def _write_sums(folder: Path, sums: Mapping[str, str]) -> None:
    """Write all hashes into one file, and only then remove those of other processes."""
    _write(folder / SUMS, "".join(_line(sums[name], name) + "\n" for name in sorted(sums)))
    with explained(folder):
        for path in folder.glob(f"{SUMS}.*"):
            path.unlink()


def _line(digest: str, name: str) -> str:
    return f"{digest}  {name}"


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(arrays: Mapping[str, Any]) -> str:
    return hashlib.sha256(packed({name: np.asarray(arrays[name]) for name in sorted(arrays)})).hexdigest()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
