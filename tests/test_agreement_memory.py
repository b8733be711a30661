"""Loops that remember more than their last model: agreement rests on the trajectory, which a run records."""

import pytest
from sympy import Rational

from numerics import agree, simulate
from theory import MLE, Accumulate, Damped, Gaussian, Loop, Mixed, Unbiased, expect

LOOPS = {
    "kept real set": Loop(Gaussian(0, 1), regime=Mixed(Rational(1, 4), fresh=False), samples=8),
    "pool of a damped fit": Loop(Gaussian(0, 1), estimator=Damped(Rational(1, 2)), regime=Accumulate(), samples=8),
}


@pytest.mark.parametrize("name", LOOPS)
def test_remembering_loop_agrees_with_its_expectations(name):
    """Assert agreement of E V and E mu^2 at the stated level, and the rejection of another estimator's prediction."""
    loop = LOOPS[name]
    run = simulate(loop, generations=6, chains=20_000)
    for of in (Gaussian.V, Gaussian.mu**2):
        verdict = agree(expect(loop, of), run)
        assert (verdict.verdict, verdict.step) == ("agree", None)
    inner = Unbiased() if loop.estimator == MLE() else Damped(Rational(1, 2), Unbiased())
    other = Loop(Gaussian(0, 1), estimator=inner, regime=loop.regime, samples=8)
    assert agree(expect(other, Gaussian.V), run.assign_attrs(loop=str(other))).verdict == "disagree"
