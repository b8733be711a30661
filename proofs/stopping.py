"""A request to stop, SIGTERM, as an exception: what is under way is left as by Ctrl-C, and the exit code says which.

A scheduler sends SIGTERM before it kills; without a handler Python would end in silence.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

CODES = {"interrupted": 130, "terminated": 143}
"""Exit codes of the shell for a process that SIGINT or SIGTERM ended."""


class Terminated(KeyboardInterrupt):
    """The process was asked to end."""


@contextmanager
def terminable() -> Iterator[None]:
    """Raise Terminated where SIGTERM arrives; only the main thread can be asked to."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def how(stop: KeyboardInterrupt) -> str:
    """Return the word for what ended a run.

    >>> how(Terminated()), CODES[how(KeyboardInterrupt())]
    ('terminated', 130)
    """
    return "terminated" if isinstance(stop, Terminated) else "interrupted"


def leave(code: int) -> NoReturn:
    """End this process; one of a job whose run did not end well waits for none of the others, who may be gone."""
    jax = sys.modules.get("jax")
    if code and jax is not None and jax.distributed.is_initialized():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise Terminated
