"""Progress of a long run on standard error: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Iterable, Iterator

from tqdm import tqdm

from numerics.engine import Stretch

SECONDS = 30.0
"""Time between two lines of a log."""


def shown(run: Iterable[Stretch], total: int, said: str, done: int = 0) -> Iterator[Stretch]:
    """Yield the stretches of a run of ``total`` chains, of which ``done`` were there before, and show how far it is."""
    return (_bar if sys.stderr.isatty() else _log)(run, total, said, done)


def _bar(run: Iterable[Stretch], total: int, said: str, done: int) -> Iterator[Stretch]:
    with tqdm(total=total, initial=done, unit="chain", unit_scale=True, desc=said, file=sys.stderr) as bar:
        for stretch in run:
            yield stretch
            bar.update(stretch[1])


def _log(run: Iterable[Stretch], total: int, said: str, done: int) -> Iterator[Stretch]:
    begun = last = time.monotonic()
    before = done
    for stretch in run:
        yield stretch
        done, now = done + stretch[1], time.monotonic()
        if done == total or now - last >= SECONDS:
            _say(f"{said}: {done:,} of {total:,} chains", done - before, total - done, now - begun)
            last = now


def _say(how_far: str, ran: int, left: int, seconds: float) -> None:
    rate = ran / max(seconds, 1e-9)
    remaining = f", {left / rate:,.0f} s left" if left else ""
    print(f"{how_far} in {seconds:.1f} s, {rate:,.0f} chains/s{remaining}", file=sys.stderr, flush=True)
