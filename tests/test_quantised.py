"""Parameters kept on a grid: the law of one fit, what is lost for good, and what is paid once."""

from secrets import randbelow

import numpy as np
import pytest
from scipy.stats import chi2, chisquare, norm
from sympy import oo

from numerics import simulate
from theory import Bernoulli, Gaussian, Loop, NotClosed, Quantised, Unbiased, expect
from theory.step import step

FAILURE_RATE = 1e-6
"""Chance that a test of this file fails although the code is right."""
M, GRID, CHAINS = 9, 0.25, 40_000
LOOP = Loop(Gaussian(0, 1), estimator=Quantised("1/4"), samples=M)


@pytest.fixture(scope="module", params=["statistic", "data"])
def run(request):
    """Two refits on each path."""
    return simulate(LOOP, generations=2, chains=CHAINS, seed=randbelow(2**62), method=request.param)


def rounded(values, cdf, low):
    """Return the p-value that values/GRID are the nearest whole numbers of the law of a cdf, from ``low`` on."""
    cells = np.rint(values / GRID).astype(int)
    numbers = np.arange(low, low + 40)
    edges = np.concatenate([[-np.inf], (numbers[1:] - 0.5) * GRID, [np.inf]])
    expected = CHAINS * np.diff(cdf(edges))
    enough = expected > 20
    seen = np.array([(cells == k).sum() for k in numbers])
    table = [np.append(x[enough], x[~enough].sum()) for x in (seen, expected)]
    return chisquare(*table).pvalue


def test_the_first_fit_is_the_rounded_law(run):
    """Assert that V_1 and mu_1 are a chi-square and a normal number, each to the nearest multiple of the step."""
    V, mu = run.V[:, 1].to_numpy(), run.mu[:, 1].to_numpy()
    assert np.allclose(V / GRID, np.rint(V / GRID))
    assert rounded(V, lambda x: chi2.cdf(M * x, M - 1), 0) > FAILURE_RATE / 2
    assert rounded(mu, lambda x: norm.cdf(x * M**0.5), -20) > FAILURE_RATE / 2
    # half a step off is seen: the comparison could have failed
    assert rounded(V, lambda x: chi2.cdf(M * (x + GRID / 2), M - 1), 0) < FAILURE_RATE


def test_a_variance_that_is_rounded_away_stays_away(run):
    """Assert that V = 0 keeps V and mu where they are."""
    gone = run.isel(chain=np.flatnonzero(run.V[:, 1] == 0))
    # Some hundred chains are expected, and half of them are enough: fewer come once in 10^6 runs.
    assert gone.sizes["chain"] > CHAINS * chi2.cdf(M * GRID / 2, M - 1) / 2
    assert (gone.V[:, 2] == 0).all()
    assert np.array_equal(gone.mu[:, 1], gone.mu[:, 2])


def test_rounding_twice_is_rounding_once():
    """Assert that with infinitely many points the second fit changes nothing, and that a fit of a fit is one."""
    once = step(Loop(Gaussian(), estimator=Quantised("1/4"), samples=oo), Gaussian(), Gaussian().state(None)).update
    for x, value in once.items():
        for start in ("1/3", "7/8", 2):
            first = value.subs(x, start)
            assert value.subs(x, first) == first


def test_what_does_not_close_is_said():
    """Assert the refusals: no polynomial, no family of numbers, no grid."""
    with pytest.raises(NotClosed, match="no polynomial"):
        expect(LOOP, Gaussian.V)
    with pytest.raises(ValueError, match=r"rounds a mean and a variance, .* Use MLE\(\)"):
        Loop(Bernoulli("1/4"), estimator=Quantised("1/4", Unbiased()))
    with pytest.raises(ValueError, match="Give step > 0"):
        Quantised(0)
