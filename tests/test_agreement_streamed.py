"""The verdict on a run that kept no chains: the same means and errors, the same alarm, and what it cannot judge."""

from secrets import randbelow

import numpy as np
import pytest
from sympy import log

from numerics import Curve, agree, simulate
from theory import V0, Gaussian, Loop, StudentT, expect, mu0

SPREAD = (Gaussian.mu - mu0) ** 2
LOOP = Loop(Gaussian(), samples=20)
ASKED = {"observe": {"spread": SPREAD}, "generations": 6, "chains": 40_000}
FAILURE = 1e-6
"""Probability with which each statistical test here fails although all is well."""


@pytest.fixture(scope="module")
def runs():
    """The same chains, kept and streamed."""
    start, seed = {"mu": 1.5, "V": 2.5}, randbelow(2**62)
    return [simulate(LOOP, start, seed=seed, paths=paths, **ASKED) for paths in (True, False)]


@pytest.mark.parametrize("observable", [Gaussian.V, log(Gaussian.V), SPREAD], ids=str)
def test_a_streamed_run_is_judged_by_the_means_of_its_chains(runs, observable):
    """Assert means and errors of the run with chains, agreement with power, and that no step is looked at."""
    kept, streamed = (agree(expect(LOOP, observable), run, level=FAILURE) for run in runs)
    assert np.array_equal(kept.generations, streamed.generations)
    assert np.allclose(kept.simulation, streamed.simulation, rtol=1e-12)
    assert np.array_equal(kept.error, streamed.error)
    assert streamed.step is None
    assert streamed.verdict == "agree", str(streamed)
    assert streamed.smallest.min() < 0.1


def test_a_wrong_formula_is_rejected(runs):
    """Assert that no collapse at all is seen not to be."""
    assert agree(expect(LOOP, Gaussian.V), runs[1], claim=V0, level=FAILURE).verdict == "disagree"


def test_what_cannot_be_judged_is_refused(runs):
    """Assert a sentence on what was not streamed, on a curve of numbers, and on a skewness unknown to theory."""
    with pytest.raises(ValueError, match=r"streamed no mean of V\*\*2. It has mu, V, log_V, spread; .* paths=True"):
        agree(expect(LOOP, Gaussian.V**2), runs[1])
    with pytest.raises(ValueError, match=r"kept no chains, .* Simulate with paths=True"):
        agree(Curve("the variance", "V", np.ones(7)), runs[1])
    heavy = Loop(Gaussian(), source=StudentT(5), samples=20)
    with pytest.raises(ValueError, match=r"how skewed the mean of V is. Simulate with paths=True"):
        agree(expect(heavy, Gaussian.V), simulate(heavy, generations=2, chains=300, paths=False))
