"""Simulation-based calibration of what is inferred from a curve, and what it sees."""

from secrets import randbelow

from numerics.fitting.calibration import calibrate
from theory import Gaussian, Loop, Scaled, c, symbols

FAILURE_RATE = 1e-6
"""Chance that the test fails although the likelihood is right."""
SHARES = 4
"""Two symbols, each with ranks and coverage."""


def test_ranks_are_uniform_and_a_wrong_degree_is_seen():
    """Assert that 90 % intervals hold 90 %, that ranks are uniform, and that df = M for M - 1 is found out."""
    loop, few = Loop(Gaussian(), estimator=Scaled(c)), {"M": (3.0, 8.0)}
    options = {"curves": 96, "generations": 40, "priors": few, "warmup": 100, "seed": randbelow(2**62)}
    right = calibrate(loop, **options)
    assert min(right.p_values.values()) > FAILURE_RATE / SHARES
    assert min(p for _, p in right.coverage.values()) > FAILURE_RATE / SHARES
    wrong = calibrate(loop, truth=Loop(Gaussian(), estimator=Scaled(c), samples=symbols.M + 1), **options)
    assert min(wrong.p_values.values()) < FAILURE_RATE / SHARES
    assert not wrong.holds
