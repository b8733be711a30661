"""Progress of a long run on standard error: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Iterable, Iterator

from tqdm import tqdm

from numerics.engine import Stretch

SECONDS = 30.0
"""Time between two lines of a log."""


def shown(run: Iterable[Stretch], total: int, said: str) -> Iterator[Stretch]:
    """Yield the stretches of a run of ``total`` chains, and show how far it is."""
    return (_bar if sys.stderr.isatty() else _log)(run, total, said)


def _bar(run: Iterable[Stretch], total: int, said: str) -> Iterator[Stretch]:
    with tqdm(total=total, unit="chain", unit_scale=True, desc=said, file=sys.stderr) as bar:
        for stretch in run:
            yield stretch
            bar.update(stretch[1])


def _log(run: Iterable[Stretch], total: int, said: str) -> Iterator[Stretch]:
    begun = last = time.monotonic()
    for first, count, recorded in run:
        yield first, count, recorded
        done, now = first + count, time.monotonic()
        if done == total or now - last >= SECONDS:
            print(f"{said}: {done:,} of {total:,} chains in {now - begun:.1f} s", file=sys.stderr, flush=True)
            last = now
