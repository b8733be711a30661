"""Files that are whole or absent, and folders with one writer: what a process that may die at any moment leaves behind.

A file is written under another name, forced to the disk and then renamed, so that no reader and no later run ever sees
half of it. A folder is locked by the kernel, which frees the lock when its process ends, however it ends.
"""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

LOCK = "lock"
"""The file of a folder that its writer holds, with the number of the process; it stays when the writer is gone."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; what is there at the end is forced to the disk and renamed to the path.

    Raises:
        ValueError: the file cannot be written, as on a full disk or in a folder that is read-only; none is left.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with explained(path):
            yield temporary
            _to_disk(temporary)
            os.replace(temporary, path)
            _to_disk(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


def append(path: Path, line: str) -> None:
    """Add a line to a file and force it to the disk.

    Raises:
        ValueError: the file cannot be written.
    """
    with explained(path), path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def alone(folder: Path) -> Iterator[TextIO]:
    """Make a folder where there is none, and hold it as its one writer; what dead writers began is swept away.

    It gives the lock, which `shared` opens to writers beside this one.

    Raises:
        ValueError: another process holds it, it cannot be written to, or the system has no locks.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+", encoding="utf-8")
    with file:
        with explained(folder):
            _lock(file, folder)
            file.truncate(0)
            file.write(f"process {os.getpid()} on {platform.node()}")
            file.flush()
            _sweep(folder)
        yield file


def shared(lock: TextIO, folder: Path) -> str:
    """Let writers in that hold the folder `beside` this one, keep out all that would be alone, and return who this is.

    Raises:
        ValueError: another process has taken the folder, or the system has no locks.
    """
    with explained(folder):
        _lock(lock, folder, alone=False)
        lock.seek(0)
        return lock.read()


@contextmanager
def beside(folder: Path, holder: str) -> Iterator[None]:
    """Hold a folder beside its first writer, who has opened it.

    Raises:
        ValueError: this process sees another folder of that name, or the first writer has gone.
    """
    path = folder / LOCK
    with explained(folder):
        here = path.read_text(encoding="utf-8") if path.is_file() else ""
    if here != holder:
        raise ValueError(f"{str(folder)!r} is not the folder that {holder} sees. Name one that all processes share.")
    with path.open("r", encoding="utf-8") as file:
        with explained(folder):
            _lock(file, folder, alone=False)
        yield


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system says of a path that cannot be written into one sentence, a ValueError."""
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"{str(path)!r} cannot be written ({error.strerror or error}). Make room, or name another folder."
        ) from error


def _to_disk(path: Path) -> None:
    """Force a file's content, or a folder's names, to the disk: a rename must not get there before what it names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(file: TextIO, folder: Path, alone: bool = True) -> None:
    try:
        import fcntl
    except ImportError as error:
        raise ValueError("this system has no POSIX locks, which keep a second writer out. Name no folder.") from error
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        writer = file.read().strip() or "another process"
        raise ValueError(f"{writer} is writing to {str(folder)!r}. Wait for it, or name another folder.") from error


def _sweep(folder: Path) -> None:
    """Remove what writers that are gone had begun to write."""
    for temporary in folder.glob(".*.tmp"):
        temporary.unlink()
