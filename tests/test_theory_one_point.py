"""One point per generation: where a fitted variance is 0, or no variance at all."""

import numpy as np
import pytest
from sympy import S, log, sqrt

from numerics import agree, simulate
from theory import (
    MLE,
    Accumulate,
    Damped,
    Floor,
    Gaussian,
    Loop,
    MinMSE,
    Mixed,
    NotClosed,
    PosteriorDraw,
    Scaled,
    Subsample,
    Unbiased,
    UnbiasedFor,
    drift,
    expect,
    law,
    stationary,
)

mu, V = Gaussian.mu, Gaussian.V
OBSERVABLES = (V, V**2, mu, mu**2, mu**4, V * mu**2)


def one(**axes):
    """A loop that fits one point per generation, N(2, 3) its source."""
    return Loop(Gaussian(2, 3), samples=1, **axes)


@pytest.mark.parametrize("estimator", [MLE(), MinMSE()], ids=repr)
@pytest.mark.parametrize("of", OBSERVABLES, ids=str)
def test_the_symbolic_answer_holds_at_one_point(estimator, of):
    """Assert that the closed form in M, at M = 1, is what the loop of one point gives."""
    symbolic = expect(Loop(Gaussian(2, 3), estimator=estimator), of)
    assert [symbolic.at(M=1, n=k) for k in range(4)] == [expect(one(estimator=estimator), of).at(n=k) for k in range(4)]


@pytest.mark.parametrize("regime", [None, Accumulate(), Subsample(), Mixed(S(1) / 3, count="bernoulli")], ids=repr)
def test_one_point_freezes_the_loop(regime):
    """Assert V_n = 0 from the first fit on, with the mean at one draw of the source for ever."""
    loop = one() if regime is None else one(regime=regime)
    for k in (1, 2, 5):
        assert expect(loop, V).at(n=k) == 0
        assert expect(loop, mu**2).at(n=k) == 2**2 + 3


def test_what_keeps_or_adds_variance_goes_on():
    """Assert V_n = (1 - k)^n V0 for damped steps and the floor itself for a floor, whose fits add 0."""
    assert expect(one(estimator=Damped(S(1) / 3)), V).at(n=4) == 3 * (S(2) / 3) ** 4
    assert expect(one(estimator=Floor(5)), V).at(n=4) == 5


def test_limits_at_one_point():
    """Assert E V -> 0 and E mu^2 -> mu0^2 + V0."""
    assert stationary(one(), V).expression == 0
    assert stationary(one(), mu**2).expression == 7


@pytest.mark.parametrize("estimator", [Unbiased(), Scaled(2), UnbiasedFor(0), UnbiasedFor(S(1) / 2), PosteriorDraw()])
def test_what_divides_by_0_is_refused(estimator):
    """Assert that estimators without a value on one point are refused when the loop is declared."""
    with pytest.raises(ValueError, match="of 1 points by 0, which is no variance"):
        one(estimator=estimator)


@pytest.mark.parametrize("of", [log(V), 1 / V, 1 / sqrt(V)], ids=str)
def test_what_is_infinite_at_0_is_refused(of):
    """Assert that logarithms and negative powers of a variance of 0 are refused."""
    with pytest.raises(NotClosed):
        expect(one(), of)


@pytest.mark.parametrize("question", [drift, law])
def test_no_walk_starts_from_one_point(question):
    """Assert that log V is no random walk where it is -oo."""
    with pytest.raises(NotClosed, match="chi-square factor"):
        question(one())


@pytest.mark.parametrize("method", ["statistic", "data"])
def test_simulation_of_one_point(method):
    """Assert that both paths give V = 0 exactly and means of the source's law."""
    run = simulate(one(), generations=3, chains=20_000, seed=0, method=method)
    assert np.all(run["V"].sel(generation=slice(1, None)) == 0)
    assert agree(expect(one(), mu**2), run).verdict == "agree"
