"""The processes that share a run, on one machine or on many: JAX finds them, and they tell each other what they have.

Every process runs chunks of its own on its own devices. Nothing is added up between processes: what was recorded is
handed round as it is, and so every process returns the same dataset, with the bits of a single one.
"""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from attrs import frozen
from jax.experimental.multihost_utils import process_allgather

from numerics.engine import Stretch
from numerics.running.devices import Number
from numerics.running.parts import Layout, Run, packed, unpacked


@frozen
class Group:
    """The processes of a run.

    Args:
        rank: the number of this process, from 0.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    def gathered(self, mine: bytes) -> list[bytes]:
        """Return what every process gives, in their order; all wait for one another.

        Raises:
            ValueError: a process is lost.
        """
        if self.size == 1:
            return [mine]
        lengths = _gathered(np.array([len(mine)], dtype=np.uint32)).ravel()
        room = np.zeros(2 ** int(lengths.max()).bit_length(), dtype=np.uint8)
        room[: len(mine)] = np.frombuffer(mine, dtype=np.uint8)
        return [row[:length].tobytes() for row, length in zip(_gathered(room), lengths, strict=True)]

    def agreed(self, action: Callable[[], None]) -> None:
        """Run an action in every process, and go on once all have.

        Raises:
            ValueError: the first that any of them raises, in all.
        """
        self._said(_tried(action))

    def led(self, action: Callable[[], str]) -> str:
        """Return what an action returns that the first process alone runs.

        Raises:
            ValueError: the one that it raises, in all.
        """
        return self._said(_tried(action) if self.rank == 0 else {})[0]

    def sharing(self, layout: Layout, identity: Callable[[], dict[str, Any]]) -> Callable[[Run], Iterator[Stretch]]:
        """Return the function from a run to its stretches, of which every process computes a share.

        Args:
            layout: which chains lie in which file, where they would be kept.
            identity: returns what the numbers depend on, which must be the same in all processes.

        Raises:
            ValueError: the processes were asked for different runs, or one is lost.
        """
        if self.size == 1:
            return lambda run: run((), ())
        self._same(identity())
        return lambda run: self._rounds(layout, run)

    def _rounds(self, layout: Layout, run: Run) -> Iterator[Stretch]:
        """Yield the run file by file: in every round each process computes one and hands it to all."""
        mine = layout.files[self.rank :: self.size]
        computed = run((), layout.firsts({*layout.files} - {*mine}))
        for begun in layout.files[:: self.size]:
            file = begun + self.rank
            data = packed(layout.bound(file, computed)) if file in layout.files else b""
            for at, other in enumerate(self.gathered(data)):
                if other:
                    yield layout.stretch(begun + at, unpacked(io.BytesIO(other)))
        yield from computed  # nothing is left, but who watches it learns that it has ended

    def _same(self, asked: dict[str, Any]) -> None:
        runs = [json.loads(other) for other in self.gathered(json.dumps(asked).encode())]
        for rank, other in enumerate(runs):
            for name in asked:
                if other.get(name) != runs[0].get(name):
                    raise ValueError(
                        f"process {rank} was asked for a run with {name} = {other.get(name)!r:.60}, and process 0 for "
                        f"{runs[0].get(name)!r:.60}. Call simulate alike in every process."
                    )

    def _said(self, outcome: dict[str, str]) -> list[str]:
        """Return what the actions of all processes returned, or raise what one of them raised."""
        said = [json.loads(other) for other in self.gathered(json.dumps(outcome).encode())]
        for other in said:
            if "error" in other:
                raise ValueError(other["error"])
        return [other.get("value", "") for other in said]


def group(processes: Number = 1) -> Group:
    """Return the processes that share a run.

    Args:
        processes: 1 for this one alone; "all" for those that `join` has joined, or their number.

    Raises:
        ValueError: another number of processes than there are.

    >>> group("all")
    Group(rank=0, size=1)
    """
    if processes != 1 and processes not in ("all", jax.process_count()):
        raise ValueError(
            f"processes = {processes!r}, and this one is {'alone' if jax.process_count() == 1 else 'one'} of "
            f"{jax.process_count()}. Call join() first in every process, or ask for processes='all'."
        )
    return Group() if processes == 1 else Group(jax.process_index(), jax.process_count())


def join(coordinator: str | None = None, processes: int | None = None, process: int | None = None) -> Group:
    """Join the processes of a job, before anything is computed, and return them.

    Slurm, Open MPI, Kubernetes and TPU pods say who is there by themselves; elsewhere the arguments do.

    Args:
        coordinator: address and port of the first process, such as "10.0.0.1:9911".
        processes: how many there are.
        process: the number of this one, from 0.

    Raises:
        ValueError: nothing says which processes there are, or they do not find one another.
    """
    if not jax.distributed.is_initialized():
        try:
            jax.distributed.initialize(coordinator, processes, process)
        except (ValueError, TypeError, RuntimeError) as error:
            raise ValueError(
                f"no other processes were found ({' '.join(str(error).split())}). Start them by Slurm, MPI, Kubernetes "
                "or on a TPU pod, or give coordinator, processes and process."
            ) from error
    return group("all")


def _tried(action: Callable[[], str | None]) -> dict[str, str]:
    try:
        return {"value": action() or ""}
    except ValueError as error:
        return {"error": str(error)}


def _gathered(array: np.ndarray) -> np.ndarray:
    """Return an array of the same shape from every process, with a leading axis."""
    try:
        return np.asarray(process_allgather(array)).reshape(-1, *array.shape)
    except (ValueError, jax.errors.JaxRuntimeError) as error:
        raise ValueError(
            f"a process is lost ({str(error).splitlines()[0]:.80}). What is in the folder is kept: go on with "
            f"resume, with any number of processes."
        ) from error
