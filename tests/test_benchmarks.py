"""The benchmark that needs a GPU runs here for a moment on the CPU, so that it is ready when there is one."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from attrs import evolve

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def device() -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    try:
        import device  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(FOLDER))
    return device


def test_the_peers_of_the_device_advance_the_loops_they_say(device):
    """Assert that every peer, on NumPy's arrays, has the mean of its loop, within 6 errors: 1e-8 false alarms."""
    numpy = device.like_numpy("NumPy", np, lambda: None)
    for work in device._works():
        device.require_right(numpy, work, 512, 5)


def test_a_peer_of_another_loop_is_refused(device):
    """Assert that a peer is refused whose variance is divided by M - 1 where the loop divides by M."""
    numpy = device.like_numpy("NumPy", np, lambda: None)
    other = evolve(numpy, gamma=lambda shapes: numpy.gamma(shapes) * np.float32(100 / 99))
    with pytest.raises(ValueError, match="is expected"):
        device.require_right(other, next(device._works()), 50_000, 100)


def test_the_engine_and_both_ends_are_timed(device):
    """Assert that refits, random words and copies have rates: the script's own small size."""
    work = next(device._works())
    assert device.engine_rate(work, 256, 2, "cpu") > 0
    assert device.generator_rate(256, 2) > 0
    assert device.copy_rate(2**16) > 0
