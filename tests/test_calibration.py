"""Simulation-based calibration of what is inferred from a curve, and what it sees."""

from secrets import randbelow

import pytest
from attrs import evolve

from numerics.fitting.calibration import calibrate
from theory import Accumulate, Gaussian, Loop, Replace, Scaled, c, symbols

FAILURE_RATE = 1e-6
"""Chance that any test of this file fails although the likelihood is right."""
SHARES = 8
"""Two regimes of two symbols, each with ranks and coverage."""


@pytest.mark.parametrize(
    ("regime", "curves", "generations", "more"), [(Replace(), 96, 40, 1), (Accumulate(), 80, 20, 2)]
)
def test_ranks_are_uniform_and_a_wrong_degree_is_seen(regime, curves, generations, more):
    """Assert that 90 % intervals hold 90 %, that ranks are uniform, and that one degree more than M - 1 is found out, or
    two where fewer refits are seen: they are a standard deviation of M or more.
    """
    loop, few = Loop(Gaussian(), estimator=Scaled(c), regime=regime), {"M": (3.0, 8.0)}
    options = {"curves": curves, "generations": generations, "priors": few, "warmup": 100, "seed": randbelow(2**62)}
    right = calibrate(loop, **options)
    assert min(right.p_values.values()) > FAILURE_RATE / SHARES
    assert min(p for _, p in right.coverage.values()) > FAILURE_RATE / SHARES
    wrong = calibrate(loop, truth=evolve(loop, samples=symbols.M + more), **options)
    assert min(wrong.p_values.values()) < FAILURE_RATE / SHARES
    assert not wrong.holds
