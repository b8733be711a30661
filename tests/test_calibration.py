"""Simulation-based calibration of what is inferred from a curve, and what it sees."""

from secrets import randbelow

import pytest
from attrs import evolve

from numerics.fitting.calibration import calibrate
from theory import Accumulate, Gaussian, Loop, Mixed, Replace, Scaled, Unbiased, alpha, c, symbols

FAILURE_RATE = 1e-6
"""Chance that any test of this file fails although the likelihood is right."""
SHARES = 12
"""Three regimes of two symbols, each with ranks and coverage."""


CASES = {
    "replace": (Replace(), (3.0, 8.0), symbols.M + 1, {"curves": 96, "generations": 40}),
    "accumulate": (Accumulate(), (3.0, 30.0), 2 * symbols.M, {"curves": 80, "generations": 20}),
}
"""Regime, range of M, the samples of a wrong truth, and sizes. Of accumulated curves each refit tells little of M, and
one degree more would be half a standard deviation; twice as many make ranks whose chi-square is 6 of its own beyond.
"""


@pytest.mark.parametrize("case", CASES)
def test_ranks_are_uniform_and_a_wrong_degree_is_seen(case):
    """Assert that 90 % intervals hold 90 %, that ranks are uniform, and that a wrong degree of the chi-squares is found
    out: M, or 2 M - 1 where half as many refits are seen, for M - 1.
    """
    regime, range_of_M, samples, sizes = CASES[case]
    loop = Loop(Gaussian(), estimator=Scaled(c), regime=regime)
    options = {"priors": {"M": range_of_M}, "warmup": 100, "seed": randbelow(2**62), **sizes}
    right = calibrate(loop, **options)
    assert min(right.p_values.values()) > FAILURE_RATE / SHARES
    assert min(p for _, p in right.coverage.values()) > FAILURE_RATE / SHARES
    wrong = calibrate(loop, truth=evolve(loop, samples=samples), **options)
    assert min(wrong.p_values.values()) < FAILURE_RATE / SHARES
    assert not wrong.holds


def test_a_kept_set_taken_for_fresh_points_is_seen():
    """Assert that ranks and coverage are right where a set of real points is kept, its squares being hidden, and that a
    likelihood without them, that of fresh points, is found out: its intervals of M hold 90 % as about 25 %.
    """
    fresh, kept = (Loop(Gaussian(), estimator=Unbiased(), regime=Mixed(alpha, fresh=f)) for f in (True, False))
    options = {"priors": {"M": (10.0, 40.0), "alpha": (0.5, 0.9)}, "warmup": 60, "curves": 40, "generations": 40}
    right = calibrate(kept, seed=randbelow(2**62), **options)
    assert min(right.p_values.values()) > FAILURE_RATE / SHARES
    assert min(p for _, p in right.coverage.values()) > FAILURE_RATE / SHARES
    wrong = calibrate(fresh, truth=kept, seed=randbelow(2**62), **options)
    assert min(wrong.p_values.values()) < FAILURE_RATE / SHARES
    assert not wrong.holds
