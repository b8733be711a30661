"""Programs that do the same work, by turns on one core: how many times as long each takes as the first.

A unit of work is a refit: one chain advanced by one generation. The programs of a case run one after the other in every
round, in one process pinned to one core, and the ratio to the first program is taken round by round, in processor time:
what else the machine does then falls on all of them alike. Before a time counts, what a program computes is compared
with what the first one does: the last generation's values are two samples of one law, or the program is refused.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import process_time

import numpy as np
from attrs import frozen
from scipy.stats import ks_2samp

ROUNDS, LEAST = 5, 1.0
LEVEL = 1e-6
"""How seldom a right program is refused."""


@frozen
class Program:
    """A program that runs many chains.

    Args:
        name: its column in the table; the first of a case is the engine.
        run: (seed, chains) -> a value of every chain at the last generation; None where `sample` gives them, or where
            there is nothing to compare.
        generations: how many every chain runs.
        chains: how many chains to begin with, doubled until a run takes long enough to be timed.
        most: how many chains at most.
        sample: the values that are compared, of chains that are not timed.
    """

    name: str
    run: Callable[[int, int], np.ndarray | None]
    generations: int
    chains: int
    most: int = 2**26
    sample: Callable[[], np.ndarray] | None = None


@frozen
class Case:
    """A line of the table.

    Args:
        words: what is run.
        programs: () -> the programs, the engine first.
        aims: program -> how many times its speed the engine is to reach; "limit" -> which share of it.
        why: what to say where an aim is missed.
    """

    words: str
    programs: Callable[[], Sequence[Program]]
    aims: Mapping[str, float]
    why: str = ""


def pinned() -> None:
    """Stay on one core, where the system can be told so."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def raced(programs: Sequence[Program], rounds: int = ROUNDS, least: float = LEAST) -> dict[str, dict[str, float]]:
    """Return refits per second of every program, and how many times the first's time it takes, median over rounds.

    Raises:
        ValueError: a program whose values follow another law than the first's.
    """
    sizes = [_size(program, least) for program in programs]
    times: list[list[float]] = [[] for _ in programs]
    values: list[list[np.ndarray]] = [[] for _ in programs]
    for seed in range(1, rounds + 1):
        for k, (program, size) in enumerate(zip(programs, sizes, strict=True)):
            spent, found = _timed(program, seed, size)
            times[k].append(spent / size / program.generations)
            values[k] += [] if found is None else [found]
    reference, *others = [_sampled(*pair) for pair in zip(programs, values, strict=True)]
    for program, sample in zip(programs[1:], others, strict=True):
        if len(sample):
            _require_same_law(program.name, sample, reference)
    return {
        program.name: {"rate": 1 / median(column), "ratio": median(np.divide(column, times[0]))}
        for program, column in zip(programs, times, strict=True)
    }


def _size(program: Program, least: float) -> int:
    """Return how many chains take long enough; what the first call compiles is compiled here."""
    size = program.chains
    while True:
        program.run(0, size)
        spent, _ = _timed(program, 0, size)
        if spent >= least or size >= program.most:
            return size
        size = min(program.most, size * 2 ** int(np.clip(np.ceil(np.log2(least / max(spent, 1e-3))), 1, 6)))


def _timed(program: Program, seed: int, size: int) -> tuple[float, np.ndarray | None]:
    start = process_time()
    found = program.run(seed, size)
    return process_time() - start, found


def _sampled(program: Program, values: Sequence[np.ndarray]) -> np.ndarray:
    return program.sample() if program.sample else np.concatenate([[], *values])


def _require_same_law(name: str, sample: np.ndarray, reference: np.ndarray) -> None:
    """Refuse values that are not finite, or that a Kolmogorov-Smirnov test tells from the reference."""
    # Rounded: equal values of a count, computed in two ways, are to be equal.
    sample, reference = (values[: 2**20].round(6) for values in (sample, reference))
    if not np.isfinite(sample).all():
        raise ValueError(f"{name}: {np.mean(~np.isfinite(sample)):.1%} of the values are not finite")
    if (found := ks_2samp(sample, reference, method="asymp")).pvalue < LEVEL:
        raise ValueError(f"{name}: another law than the engine's, distance {found.statistic:.3f}, p {found.pvalue:.0e}")
