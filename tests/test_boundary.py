"""Plans at the boundary: just inside holds and just outside fails by simulation, and a wrong plan is seen."""

from typing import Any

import numpy as np
import pytest
from attrs import evolve
from scipy.special import ndtri
from sympy import Rational, Symbol, oo

from numerics import at_boundary
from numerics.boundary import trial
from theory import (
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    M,
    Mixed,
    Schedule,
    Tempered,
    Unbiased,
    Weighted,
    alpha,
    expect,
    least_budget,
    n,
    plan,
    symbols,
    tau,
)
from theory.crossing import Crossing

V, mu, w = Gaussian.V, Gaussian.mu, symbols.w
UNIT, HALF = Gaussian(0, 1), Rational(1, 2)
m = Symbol("m", integer=True, positive=True)
LEVEL, POWER = 1e-5, 0.9999
"""A right plan is refused with probability 1e-5 a case at most, and not told with 1e-4 a value."""
FAIR: Any = {"level": LEVEL, "power": POWER}
UNBIASED = {"estimator": Unbiased(), "samples": 10}

PLANS = {
    "samples": lambda: plan(Loop(UNIT), V, M, at_least=Rational(1, 2), n=5),
    "real share": lambda: plan(Loop(UNIT, regime=Mixed(alpha), **UNBIASED), mu**2, alpha, at_most=Rational(1, 5), n=4),
    "weight": lambda: plan(
        Loop(UNIT, regime=Weighted(w, Rational(1, 2)), **UNBIASED), mu**2, w, at_most=Rational(3, 20), n=4
    ),
    "temperature": lambda: plan(Loop(UNIT, sampling=Tempered(tau), samples=9), "drift", tau, exactly=0),
    "schedule": lambda: plan(Loop(UNIT, regime=Schedule(m * n)), V, m, at_least=Rational(1, 2), n=4),
    "budget": lambda: least_budget(Loop(UNIT), V, at_least=Rational(1, 2), n=3),
    "vocabulary": lambda: plan(Loop(Categorical([Rational(1, 3)] * 3)), "support", M, at_least=2, n=3),
    "survival": lambda: plan(Loop(Categorical(["1/2", "1/3", "1/6"])), "survival", M, at_least=HALF, n=4),
    "survival of two": lambda: plan(Loop(Bernoulli(Rational(1, 3))), "survival", M, at_least=HALF, n=24),
}


@pytest.fixture(scope="module")
def samples():
    return PLANS["samples"]()


@pytest.mark.parametrize("case", PLANS)
def test_just_inside_holds_and_just_outside_fails(case):
    """Assert that both neighbours are told from the bound, each on its side."""
    found = at_boundary(PLANS[case](), **FAIR)
    assert found.verdict == "agree", str(found)
    told = [one for one in (*found.neighbours, *found.nearest) if one.chains]
    assert {one.claimed for one in told} == {False, True}
    assert all(one.right for one in told)
    assert found.smallest <= (0 if found.asked is None else found.asked)


def wrong(found, **changes):
    """Return a plan with something else claimed at its boundary."""
    judge = evolve(found.search.judge, **{key: changes[key] for key in ("bound", "horizon") if key in changes})
    search = evolve(found.search, judge=judge)
    return evolve(found, search=search, crossing=changes.get("crossing", found.crossing))


def planted(found):
    """Return wrong plans by what is wrong with them."""
    shift = found.crossing.fails - 1, found.crossing.holds - 1
    aim = Rational(51, 100)
    one_percent = plan(Loop(UNIT), V, M, at_least=aim * Rational(101, 100), n=5)
    return {
        "one sample too few": wrong(found, crossing=Crossing(*shift)),
        "one sample too many": wrong(found, crossing=Crossing(found.crossing.holds, found.crossing.holds + 1)),
        "one generation too few": wrong(found, horizon=found.horizon + 1),
        "a bound off by one percent": wrong(one_percent, bound=aim),
    }


@pytest.mark.parametrize(
    "error", ["one sample too few", "one sample too many", "one generation too few", "a bound off by one percent"]
)
def test_a_wrong_plan_is_seen(samples, error):
    """Assert that a plan that is wrong by the least there is disagrees with simulation."""
    found = at_boundary(planted(samples)[error], chains=10**7, **FAIR)
    assert found.verdict == "disagree", str(found)


def test_survival_takes_the_chains_of_its_power():
    """Assert N = ((z_level + z_power)/(S - bound))^2 S (1 - S) chains at each neighbour, the spread of one chain being
    read from a few, and that a plan with one sample too few or too many is refused.
    """
    right = PLANS["survival of two"]()
    found = at_boundary(right, **FAIR)
    z = -ndtri(LEVEL / 8) + ndtri(POWER)
    for one in found.neighbours:
        spread = one.theory * (1 - one.theory)
        # Hoeffding: the share of the few is farther from S than this with probability 1e-7.
        away = np.sqrt(np.log(2 / 1e-7) / (2 * trial.PILOT))
        off = (abs(1 - 2 * one.theory) * away + away**2) / spread
        assert one.needed == pytest.approx(z**2 * spread / (one.theory - 0.5) ** 2, rel=off)
        assert one.chains == np.ceil(one.needed)
    for shift in (-1, 1):
        moved = wrong(right, crossing=Crossing(right.crossing.fails + shift, right.crossing.holds + shift))
        assert at_boundary(moved, chains=10**7, **FAIR).verdict == "disagree"


def test_what_cannot_be_told_is_not_passed():
    """Assert that without chains enough the verdict is underpowered, with how many it would take, and that values
    further away are told in its place.
    """
    close = plan(Loop(UNIT), V, M, at_least=Rational(9, 10), n=5)
    found = at_boundary(close, chains=200_000, **FAIR)
    assert found.verdict == "underpowered"
    assert all((one.chains, one.verdict, one.right) == (0, "cannot tell", None) for one in found.neighbours)
    assert [(near.claimed, near.right) for near in found.nearest] == [(False, True), (True, True)]
    assert 0 < found.smallest < 0.2
    # N = ((z_level + z_power) sd/distance)^2, with Var V_n = (1 - 1/M^2)^n - (1 - 1/M)^(2 n)
    for weak in found.neighbours:
        size = int(weak.at)
        spread = (1 - 1 / size**2) ** 5 - (1 - 1 / size) ** 10
        z = -ndtri(LEVEL / 8) + ndtri(POWER)
        assert np.isclose(weak.needed, z**2 * spread / (weak.theory - 0.9) ** 2)
        assert f"{weak.needed:.2g} chains would be needed" in str(found)


def test_a_value_that_is_the_bound_is_never_told():
    """Assert that the bound itself, met exactly, would take infinitely many chains."""
    exact = plan(Loop(UNIT), V, M, at_least=Rational(3, 4) ** 5, n=5)
    found = at_boundary(exact, **FAIR)
    assert exact.value == 4
    assert np.isinf(found.neighbours[1].needed)
    assert found.verdict == "underpowered"
    assert "infinitely many" in str(found)


def random_share(share, bound):
    """The plan of the least M under a random number of real points, in the long run."""
    loop = Loop(UNIT, estimator=Unbiased(), regime=Mixed(share, count="bernoulli"))
    return loop, plan(loop, mu**2, M, at_most=bound, n=oo)


def test_a_limit_is_planned_whose_eigenvalues_are_no_fractions():
    """Assert that the neighbours lie on their sides of the bound after 200 fits, and that all values of M are settled,
    those below 90/19 at which the limit is infinite included.
    """
    loop, found = random_share(Rational(1, 10), Rational(1, 10))
    fails, holds = (expect(loop.at(M=at), mu**2).values(200)[-1] for at in found.bracket)
    assert holds <= Rational(1, 10) < fails
    assert [expect(loop.at(M=at), mu**2).limit() == oo for at in (2, 3, 4, 5, 6)] == [True, True, True, False, False]
    assert found.proved


def test_no_more_points_are_drawn_than_are_stated(samples, monkeypatch):
    """Assert no run and no verdict where every point would have to be drawn, and that a loop of statistics is run."""
    _, found = random_share(HALF, Rational(1, 20))
    monkeypatch.setattr(trial, "POINTS", 2**20)
    tried = at_boundary(found, **FAIR)
    assert tried.verdict == "underpowered"
    assert all(one.chains == 0 < one.needed for one in tried.neighbours)
    assert not tried.nearest
    assert at_boundary(samples, **FAIR).verdict == "agree"


def test_refusals(samples):
    """Assert that a plan in symbols and arguments out of range are refused."""
    with pytest.raises(ValueError, match="is no number"):
        at_boundary(plan(Loop(UNIT), V, M, at_least=Rational(1, 2)))
    with pytest.raises(ValueError, match="level = 2"):
        at_boundary(samples, level=2)
