"""The deterministic limit of losses, the diffusion, and published bounds, against the chain itself."""

from functools import cache
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from numerics import BranchingLimit, LargeChain
from numerics.absorption.branching_limit import branching_loss, diffusion_time, exponent

EVEN = np.array([0.5, 0.5])
FREQUENCIES = np.concatenate([np.geomspace(1e-7, 0.5, 60), [0.9, 1.0]])
GENERATIONS = (1, 2, 3, 10, 30, 100, 1000)


@cache
def chain(samples):
    """A chain of a size, its laws made once."""
    return LargeChain(samples, EVEN)


@pytest.mark.parametrize("samples", [1, 2, 10, 100, 1000, 10_000])
def test_losses_lie_within_the_bound_of_their_limit(samples):
    """Assert exp(-M p g_n) - bound <= P(lost) <= exp(-M p g_n) for frequencies from 10^-7 to 1, n from 1 to 1,000."""
    limit = BranchingLimit(samples, EVEN)
    for n in GENERATIONS:
        near, true = limit.lost(FREQUENCIES, n), chain(samples).lost(frequency=FREQUENCIES, n=n)
        assert np.all(true.lower <= near.value + 1e-15)
        assert np.all(near.lower <= true.upper)
        assert np.all(near.error <= min(0.55 * n / samples, 1.0) + 1e-12)


def test_limit_is_no_tautology():
    """Assert that g_(n-1) or g_(n+1) for g_n, and a bound ten times smaller, break the bound at M = 10^4."""
    limit, true = BranchingLimit(10_000, EVEN), chain(10_000).lost(frequency=FREQUENCIES, n=10)
    early, near, late = (limit.lost(FREQUENCIES, n) for n in (9, 10, 11))
    assert not np.all(true.lower <= early.value)
    assert not np.all(late.lower <= true.upper)
    assert not np.all(near.value - near.error / 10 <= true.upper)


@pytest.mark.parametrize("samples", [50, 2000])
def test_support_and_missing_mass_lie_within_the_bound(samples):
    """Assert the sums over a Zipf vocabulary, the support from below and the missing mass from above."""
    zipf = 1 / np.arange(1, 2001.0)
    zipf /= zipf.sum()
    full, limit = LargeChain(samples, zipf), BranchingLimit(samples, zipf)
    for n in (1, 5, 40):
        near, true = limit.support(n), full.support(n)
        assert near.value - 1e-9 <= true.upper
        assert true.lower <= near.upper
        near, true = limit.missing_mass(n), full.missing_mass(n)
        assert true.lower <= near.value + 1e-12
        assert near.lower <= true.upper


def test_internet_scale_is_answered():
    """Assert 10^13 tokens of 20,000 types after 100 generations: six digits of the support, with proof."""
    zipf = np.arange(1, 20_001.0) ** -3
    support = BranchingLimit(10**13, zipf / zipf.sum()).support(100)
    assert support.relative < 1e-6
    assert 1 < support.value <= 20_000


def test_exponent_falls_like_two_over_n():
    """Assert 1 <= n g_n <= 2, growing, and the recurrence g_(n+1) = 1 - exp(-g_n)."""
    g = [exponent(n).g for n in range(1, 200)]
    assert all(1 <= n * x <= 2 for n, x in enumerate(g, start=1))
    assert np.all(np.diff(np.arange(1, 200) * g) > 0)
    assert g[6] == pytest.approx(1 - exp(-g[5]), rel=1e-14)
    assert exponent(5).squares == pytest.approx(sum(x * x for x in g[:5]))
    assert exponent(5).waiting == pytest.approx(sum((5 - j) * x * x for j, x in enumerate(g[:5], start=1)))
    with pytest.raises(ValueError, match="first fit"):
        exponent(0)


def test_approximations_show_their_error():
    """Assert that the diffusion is one to three generations long at p = 1/2, and that errors say how far it is off."""
    for samples in (10, 50, 200, 1000):
        near, true = diffusion_time(chain(samples)), chain(samples).expected_time()
        assert near.value == pytest.approx(2 * samples * np.log(2))
        assert 1 < near.value - true.value < 3
        assert near.error == pytest.approx(near.value - true.value)
    three = LargeChain(100, np.array([0.5, 0.3, 0.2]))
    assert diffusion_time(three).value == pytest.approx(-200 * sum((1 - p) * np.log(1 - p) for p in (0.5, 0.3, 0.2)))
    loss, true = branching_loss(chain(100), 0.01, 20), chain(100).lost(frequency=0.01, n=20)
    assert true.value in loss
    assert 0 < loss.error < 0.05


# Published bounds at random points

points = {
    "samples": st.sampled_from([2, 3, 4, 5, 8, 13, 21, 34, 60, 100, 200, 1000]),
    "p": st.floats(1e-6, 1 - 1e-6),
    "n": st.integers(1, 500),
}
ROUNDING = 1e-12


@settings(max_examples=1000)
@given(**points)
def test_presence_lies_between_the_published_bounds(samples, p, n):
    """Assert Suresh et al., Theorem 1: 1 - exp(-M p g) <= P(present at n) <= 1 - (1 - 3 M p^2 - 3 n p)_+ exp(-M p g).

    With their own g_n, which also lies in [1/n, 2/n], sharper than the published [1/n, 3/n].
    """
    lost = chain(samples).lost(frequency=p, n=n)
    left = exp(-samples * p * exponent(n).g)
    assert lost.lower <= left * (1 + ROUNDING)
    assert max(0.0, 1 - 3 * samples * p**2 - 3 * n * p) * left <= lost.upper + ROUNDING
    assert lost.lower <= exp(-samples * p / n) * (1 + ROUNDING)


@settings(max_examples=1000)
@given(**points)
def test_survival_of_two_types_lies_between_the_published_bounds(samples, p, n):
    """Assert Seddik et al.: 4 p q (1 - 1/M)^n <= P(T > n) <= 2 M p q (1 - 1/M)^n; also with M/(1 - 1/M) for 2 M."""
    law = chain(samples).ancestry.law(n)
    p_a, q_a = p ** (law.states - 1.0), (1 - p) ** (law.states - 1.0)
    survival = float(law.weights @ (p * (1 - p_a) + (1 - p) * (1 - q_a)))
    slack = (law.slack + law.missing + 1e-9) * survival + 1e-16
    decay, pq = (1 - 1 / samples) ** n, p * (1 - p)
    assert 4 * pq * decay <= survival + slack
    assert survival - slack <= samples * pq * decay / (1 - 1 / samples)
    assert survival - slack <= 2 * samples * pq * decay


def test_published_bounds_are_attained_or_loose():
    """Assert that both bounds are equalities at M = 2, and the constants of P(T > n) ~ C p q (1 - 1/M)^n elsewhere."""
    for n in (1, 5, 20):
        assert chain(2).survival(n).value == pytest.approx(0.5**n, rel=1e-13)
    for samples, constant in ((5, 4.93), (10, 5.34), (50, 5.80), (200, 5.94)):
        n = 20 * samples
        found = chain(samples).survival(n).value / (1 - 1 / samples) ** n * 4
        assert found == pytest.approx(constant, abs=0.005)
        assert found == pytest.approx(1 / lasting_diversity(samples), rel=1e-10)


def lasting_diversity(samples):
    """E x(1 - x) under the quasi-stationary law of the two-type chain, by iterating its matrix."""
    counts = np.arange(1, samples)
    matrix = np.array([binom.pmf(counts, samples, k / samples) for k in counts])
    law = np.full(samples - 1, 1 / (samples - 1))
    for _ in range(30 * samples):
        law = law @ matrix
        law /= law.sum()
    return law @ (counts / samples * (1 - counts / samples))


def test_presence_is_bounded_within_a_factor_of_two():
    """Assert what the catalogue says: for rare tokens 1 - exp(-M p/n) is half of what is left, in the long run."""
    left = 1 - chain(1000).lost(frequency=1e-5, n=100).value
    assert left / (1 - exp(-1000 * 1e-5 / 100)) == pytest.approx(2, rel=0.1)
