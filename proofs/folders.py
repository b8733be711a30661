"""Folders that a command is told to write to, looked at before anything is computed for them."""

from pathlib import Path
from tempfile import TemporaryFile


def writable(folder: Path) -> Path:
    """Return the folder, or raise ValueError where it could not be made or written to; nothing is made yet."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    try:
        with TemporaryFile(dir=there):
            return folder
    except OSError as error:
        raise ValueError(
            f"the folder {folder} cannot be written to ({error.strerror}). Give another with --out."
        ) from error
