"""The verdict: it alarms at its stated rate, sees what it says it sees, and refuses what it cannot judge."""

from functools import cache

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom
from sympy import Rational, S, log

from numerics import Curve, agree, simulate
from theory import (
    MLE,
    V0,
    Accumulate,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    M,
    Mixed,
    Replace,
    Unbiased,
    expect,
    mu0,
    n,
)

V, SPREAD = Gaussian.V, (Gaussian.mu - mu0) ** 2
FAILURE = 1e-6
"""Probability with which each statistical test here fails although all is well."""
LOOPS = [
    Loop(Gaussian(), estimator=estimator, regime=regime, samples=20)
    for estimator in (MLE(), Unbiased())
    for regime in (Replace(), Accumulate(), Mixed(Rational(1, 5)))
]


@cache
def run_of(loop: Loop, chains: int = 40_000, generations: int = 6) -> xr.Dataset:
    return simulate(loop, {"mu": 1.5, "V": 2.5}, generations=generations, chains=chains, seed=1)


@pytest.mark.parametrize("loop", LOOPS, ids=str)
@pytest.mark.parametrize("observable", [V, SPREAD, V**2, Gaussian.mu * V], ids=str)
def test_theory_and_simulation_agree_in_every_regime(loop, observable):
    """Assert that derived moments agree with simulation, and that the run could have shown an error of a tenth."""
    verdict = agree(expect(loop, observable), run_of(loop), level=FAILURE)
    assert verdict.verdict == "agree", str(verdict)
    assert verdict.smallest.min() < 0.1


def test_log_variance_agrees_under_replace():
    """Assert that E log V agrees, its error taken relative to the change since generation 0."""
    verdict = agree(expect(LOOPS[0], log(V)), run_of(LOOPS[0]), level=FAILURE)
    assert verdict.verdict == "agree", str(verdict)
    assert np.allclose(verdict.scale, np.abs(verdict.theory - np.log(2.5)))


def test_discrete_loops_agree():
    """Assert that moments of Bernoulli and categorical refits agree, sums over types included."""
    coin = Loop(Bernoulli(Rational(1, 3)), samples=12)
    words = Loop(Categorical([Rational(1, 2), Rational(1, 3), Rational(1, 6)]), samples=12)
    one = simulate(coin, generations=5, chains=30_000)
    two = simulate(words, generations=5, chains=30_000, observe={"collision": Categorical.collision})
    assert agree(expect(coin, Bernoulli.p**3), one, level=FAILURE).verdict == "agree"
    assert agree(expect(words, Categorical.collision), two, level=FAILURE).verdict == "agree"
    assert agree(expect(words, Categorical.p[0] * Categorical.p[2]), two, level=FAILURE).verdict == "agree"


WRONG = {
    "one generation too many": V0 * ((M - 1) / M) ** (n + 1),
    "one generation too few": V0 * ((M - 1) / M) ** (n - 1),
    "another estimator's factor": V0 * ((M - 1) / (M + 1)) ** n,
    "right at generations 0 and 1": V0 * (((M - 1) / M) ** n + n * (n - 1) / M**2),
    "two per cent": V0 * ((M - 1) / M) ** n * Rational(102, 100),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_formula_is_rejected(wrong):
    """Assert that a wrong closed form disagrees with the simulation of the loop that it claims to describe."""
    loop = LOOPS[0]
    right = V0 * ((M - 1) / M) ** n
    assert agree(expect(loop, V), run_of(loop), claim=right.subs(M, 20), level=FAILURE).verdict == "agree"
    assert agree(expect(loop, V), run_of(loop), claim=wrong.subs(M, 20), level=FAILURE).verdict == "disagree"


def test_a_wrong_one_step_law_is_seen_at_every_depth():
    """Assert that residuals reject another estimator's runs even where the means of the trajectories are blind."""
    unbiased, ml = LOOPS[3], LOOPS[0]
    deep = run_of(ml, 2_000, 120)
    disguised = deep.assign_attrs(loop=str(unbiased)).isel(generation=slice(60, None))
    truth = agree(expect(ml, V), deep, level=FAILURE)
    assert truth.verdict == "agree"
    assert truth.generations.max() < 100
    assert truth.smallest_step < 1 / 20
    late = disguised.assign_coords(generation=np.arange(disguised.sizes["generation"]))
    verdict = agree(expect(unbiased, V), late, level=FAILURE)
    assert verdict.step is not None
    assert abs(verdict.step.z) > 20
    assert verdict.step.effect == pytest.approx(-1 / 20, rel=0.1)


def test_the_false_alarm_rate_is_the_stated_one():
    """Assert that true predictions are rejected no more often than the level, over 200 disjoint groups of chains."""
    loop, level, groups = LOOPS[0], 0.2, 200
    run = run_of(loop, 500 * groups)
    prediction = expect(loop, V)
    alarms = sum(_group(prediction, run, k, level).verdict == "disagree" for k in range(groups))
    assert alarms <= binom.isf(FAILURE, groups, level)


def test_the_power_is_the_stated_one():
    """Assert that an error of the smallest size that a run is said to see is seen nine times in ten."""
    loop, groups = LOOPS[0], 100
    run, prediction = run_of(loop, 400 * groups), expect(loop, V)
    one = _group(prediction, run, 0, 0.01, groups)
    factor = 1 + Rational(float(one.smallest[0]))
    claim = factor * V0 * Rational(19, 20) ** n
    caught = sum(_group(prediction, run, k, 0.01, groups, claim).verdict == "disagree" for k in range(groups))
    assert caught >= binom.ppf(FAILURE, groups, 0.9)


def _group(prediction, run, k, level, groups=200, claim=None):
    size = run.sizes["chain"] // groups
    part = run.isel(chain=slice(k * size, (k + 1) * size))
    return agree(prediction, part, claim=claim, level=level, smallest=10)


def test_too_few_chains_are_no_agreement():
    """Assert that a run without the power asked for, or without any readable mean, is called underpowered."""
    small = run_of(LOOPS[0], 1_000)
    assert agree(expect(LOOPS[0], V), small, smallest=0.001).verdict == "underpowered"
    blind = agree(expect(LOOPS[0], V**2), small.isel(chain=slice(0, 10)))
    assert blind.verdict == "underpowered"
    assert blind.smallest.min() == np.inf


def test_without_randomness_rounding_is_all_that_is_granted():
    """Assert that the population limit is compared to nine digits, and a part in a million is rejected."""
    loop = Loop(Gaussian(), samples=S.Infinity)
    run = run_of(loop, 2)
    assert agree(expect(loop, V), run).verdict == "agree"
    assert agree(expect(loop, V), run, claim=V0 * (1 + Rational(1, 10**6))).verdict == "disagree"


def test_a_curve_of_numbers_is_compared_with_a_variable():
    """Assert that a predicted curve is accepted when right and rejected when two per cent off."""
    run = run_of(LOOPS[0])
    right = [2.5 * 0.95**k for k in range(7)]
    assert agree(Curve("variance", "V", right), run, level=FAILURE).verdict == "agree"
    assert agree(Curve("variance", "V", [1.02 * v for v in right]), run, level=FAILURE).verdict == "disagree"


def test_what_cannot_be_judged_is_refused():
    """Assert that another loop's run, a missing variable, a wrong length, NaN and free symbols are each refused."""
    run = run_of(LOOPS[0])
    with pytest.raises(ValueError, match="same loop"):
        agree(expect(LOOPS[1], V), run)
    with pytest.raises(ValueError, match="observe="):
        agree(Curve("vocabulary", "vocabulary", [1.0] * 7), run)
    with pytest.raises(ValueError, match=r"0\.\.n"):
        agree(Curve("variance", "V", [1.0] * 3), run)
    with pytest.raises(ValueError, match="not a number in chain 0, generation 0"):
        agree(expect(LOOPS[0], V), run.assign(V=run["V"] * np.nan))
    with pytest.raises(ValueError, match="leaves M without a value"):
        agree(expect(LOOPS[0], V), run, claim=V0 * ((M - 1) / M) ** n)
