"""Where float64 ends: the loop written in NumPy has variances that are exactly 0, and the engine's log V goes on.

At M = 10 the fit by maximum likelihood loses a third of its variances near generation 400 and nearly all by 1,000; the
unbiased one loses about a third by 1,000 where the points of a chain lie in rows, a fifth where they lie in columns.
Seeds come from the operating system; shares are judged by Clopper and Pearson's interval at `LEVEL`.
"""

from secrets import randbelow

import numpy as np
import pytest
from scipy.stats import binom
from sympy import log

from numerics import Curve, agree, simulate
from numerics.figures.exact_zeros import Written, draw, written
from numerics.samplers.cipher import SEEDS
from theory import Gaussian, Loop, expect

M, DEPTH, CHAINS = 10, 1_000, 500
LEVEL = 1e-6
"""Chance that one comparison of this file fails although everything is right."""
LOOP = Loop(Gaussian(0, 1), samples=M)


@pytest.fixture(scope="module")
def run():
    """Return chains of the engine."""
    return simulate(LOOP, generations=DEPTH, chains=CHAINS, seed=randbelow(SEEDS))


@pytest.fixture(scope="module")
def exact():
    """Return E log V_n as a curve."""
    values = expect(LOOP, log(Gaussian.V)).values(DEPTH)
    return Curve("E log V", "log_V", [float(value) for value in values])


@pytest.fixture(scope="module")
def loops():
    """Return the written loops, by maximum likelihood first."""
    ways = [(ddof, rows) for ddof in (0, 1) for rows in (False, True)]
    return [written(randbelow(SEEDS), M, DEPTH, CHAINS, ddof=ddof, rows=rows) for ddof, rows in ways]


def test_the_engine_agrees_at_every_depth(run, exact):
    """Assert agreement on E log V up to generation 1,000, within 2 % of its change, every log V being a number."""
    verdict = agree(exact, run, level=LEVEL, smallest=0.05)
    assert verdict.verdict == "agree", verdict
    assert verdict.generations[-1] == DEPTH
    assert np.isfinite(run["log_V"]).all()


def test_the_written_loop_has_zeros(loops):
    """Assert that nearly all variances of maximum likelihood are exactly 0 by n = 1,000, and none while V is large."""
    for loop in loops[:2]:
        low, _ = loop.interval(LEVEL)
        assert low[-1] > 0.8
        # log V is -22 +- 5 at n = 100, and the spacing of the floats about mu squared about exp(-73).
        assert not loop.zeros[:100].any()
        assert 350 < loop.first(1 / 3) < 500


def test_the_unbiased_written_loop_loses_up_to_a_third(loops):
    """Assert that a third is within the interval for points in rows at n = 1,000, and a fifth for columns."""
    for loop, share in zip(loops[2:], (1 / 5, 1 / 3), strict=True):
        low, high = loop.interval(LEVEL)
        assert 0 < low[-1] < share < high[-1] < 1 / 2


def test_what_the_written_loop_has_left_is_rounding(loops, run):
    """Assert that the variances left stay at the spacing of floats, and that they disagree with the engine."""
    stuck = loops[0].median
    floor = 2 * np.log(np.finfo(float).eps)
    assert np.nanmin(stuck) > floor - 15
    curve = Curve("written", "log_V", [0.0, *np.nan_to_num(stuck, nan=floor)])
    assert agree(curve, run, level=LEVEL).verdict == "disagree"


def test_shares_and_their_intervals():
    """Assert the interval of no zeros, of all and of half, by its definition: binomial tails at the shared level."""
    loop = Written("any", np.array([0, 5, 10]), np.zeros(3), 10)
    low, high = loop.interval(0.06)
    assert low[0] == 0
    assert high[2] == 1
    np.testing.assert_allclose(binom.sf([4, 9], 10, low[1:]), 0.01)
    np.testing.assert_allclose(binom.cdf([0, 5], 10, high[:2]), 0.01)
    assert loop.first(0.5) == 2
    assert loop.first(1.1) is None


def test_the_figure_shows_both(run, exact, loops):
    """Assert two panels: theory, engine and the written loop; and every written loop with its name."""
    figure = draw(agree(exact, run, level=LEVEL), loops, M, CHAINS)
    left, right = figure.axes
    assert len(left.get_lines()) >= 2
    shown = right.get_legend_handles_labels()[1]
    assert shown == [loop.name for loop in loops]
