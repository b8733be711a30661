"""How chains lie in parts: chunks that advance together, and files that hold a few chunks each.

A part of a run is what is written, sent and read as one: the arrays that were recorded of its chains or their blocks.
"""

import io
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import IO, Any

import numpy as np
from attrs import frozen

from numerics.engine import Stretch
from numerics.planning import RECORD_BYTES, Plan

FILES = 256
"""Files of a run whose chunks are small: forcing a file to the disk takes as long as many chains."""

Run = Callable[[Collection[int], Collection[int]], Iterator[Stretch]]
"""The first chains of the stretches that are there, and of those run elsewhere -> the other stretches, in order."""


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

    def firsts(self, files: Collection[int]) -> set[int]:
        """Return the first chains of the chunks of some files."""
        return {first for file in files for first in self.chunks(file)}

    def bound(self, file: int, computed: Iterator[Stretch]) -> dict[str, np.ndarray]:
        """Return what was recorded of the chains of a file, whose stretches come next."""
        parts = [self._cut(part) for part in islice(computed, len(self.chunks(file)))]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def stretch(self, file: int, recorded: Mapping[str, np.ndarray]) -> Stretch:
        """Return a file's stretch from its arrays, those of one name tied together again."""
        tied: dict[str, list[np.ndarray]] = {}
        for key, part in recorded.items():
            tied.setdefault(key.rpartition(".")[0], []).append(part)
        first = file * self.span
        count = min(self.span, self.chains - first)
        return first, count, {name: tuple(part) if len(part) > 1 else part[0] for name, part in tied.items()}

    def _cut(self, stretch: Stretch) -> dict[str, np.ndarray]:
        """Return what was recorded of the chains that count, in rows for each chain or each block of chains."""
        _, count, recorded = stretch
        parts = {name: values if isinstance(values, tuple) else (values,) for name, values in recorded.items()}
        named = {f"{name}.{at}": np.asarray(part) for name, tied in parts.items() for at, part in enumerate(tied)}
        return {name: part[: math.ceil(count * len(part) / self.chunk)] for name, part in named.items()}


def layout(plan: Plan, chains: int, chunk: int, asked: bool) -> Layout:
    """Return a file for each chunk whose size was asked for, else so few that writing them costs little.

    What a file holds stays within the memory of one chunk's record.
    """
    fitting = RECORD_BYTES // plan.bytes(chunk)
    together = 1 if asked else max(1, min(fitting, math.ceil(chains / chunk / FILES)))
    return Layout(chains, chunk, chunk * together)


def packed(arrays: Mapping[str, Any]) -> bytes:
    """Return arrays as the bytes of an .npz file."""
    stream = io.BytesIO()
    np.savez(stream, **dict(arrays))
    return stream.getvalue()


def unpacked(file: IO[bytes]) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file."""
    with np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)
