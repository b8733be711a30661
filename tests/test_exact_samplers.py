"""What exact samplers are made of, against mpmath at the accuracy that is stated, and their laws against SciPy.

Seeds come from the operating system; each law is tried once, and one that is off by little must be rejected.
"""

from functools import cache
from secrets import randbelow

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import stats

from numerics import simulate
from numerics.planning import choose
from numerics.samplers import binomial, chain_key, elementary, slot_key
from numerics.samplers.cipher import SEEDS, nonzero, words
from numerics.samplers.exact_normal import DISTANCE, REACH, exact_normals, fine_deviates
from numerics.samplers.log_gamma import log_gamma
from numerics.samplers.log_poisson import log_poisson, rest
from numerics.samplers.normal import exactly, normals
from numerics.samplers.poisson import poisson
from theory import Bernoulli, Categorical, Gaussian, Loop

FAILURE_RATE = 1e-6
"""Chance that any test of this file fails although all samplers are right."""
TESTS = 20
"""At least the number of tests that share it."""
DRAWS = 200_000
SEED = randbelow(SEEDS)
LEVEL = FAILURE_RATE / TESTS


@cache
def compiled(sampler, given):
    """Return the function (chains, numbers) -> draws, one for each chain."""

    def every(chains, *values):
        return jax.vmap(lambda chain: sampler(chain_key(SEED, chain), *values))(chains)

    del given
    return jax.jit(every)


def drawn(sampler, *values):
    """Return draws of sampler(key, *values), one for each chain."""
    with jax.enable_x64(True):
        draws = compiled(sampler, len(values))(jnp.arange(DRAWS), *map(jnp.asarray, values))
        return jax.tree.map(np.asarray, draws)


# Functions ------------------------------------------------------------------------------------------------------------


def test_logarithm_near_one():
    """Assert q(x) = (log(1 + x) - x)/x^2 within 2^-49 of itself, by mpmath, in every part of its range."""
    x = np.concatenate([np.linspace(-0.999, 0.999, 201), [1e-300, -1e-17, 1e-9, 7.0, 1e6, -1 + 2.0**-53]])
    with jax.enable_x64(True), mpmath.workdps(700):
        found = np.asarray(elementary.log_rest(jnp.asarray(x)))
        for value, at in zip(found, map(mpmath.mpf, x.tolist()), strict=True):
            wanted = (mpmath.log1p(at) - at) / at**2 if at else mpmath.mpf(-1) / 2
            assert abs(mpmath.mpf(float(value)) / wanted - 1) < 2.0**-49


def test_rest_of_a_factorial():
    """Assert log k! less Stirling's formula within 1.5e-16, by mpmath."""
    k = np.concatenate([np.arange(40.0), 10.0 ** np.arange(2, 16)])
    with jax.enable_x64(True):
        rests = np.asarray(rest(jnp.asarray(k)))
    with mpmath.workdps(60):
        for at, part in zip(map(mpmath.mpf, k.tolist()), rests, strict=True):
            formula = mpmath.log(2 * mpmath.pi) / 2 + (at + 0.5) * mpmath.log(at + 1) - at - 1
            assert abs(mpmath.mpf(float(part)) - (mpmath.loggamma(at + 1) - formula)) < 1.5e-16


@pytest.mark.parametrize("mean", [10.0, 28.5, 1e4, 1e9, 1e15])
def test_log_of_a_poisson_probability(mean):
    """Assert log P(k) within 2^-49 of itself or of 1, by mpmath, however large the mean."""
    away = np.array([-9.0, -3, -0.5, 0, 0.5, 3, 9, 40])
    k = np.unique(np.maximum(np.floor(mean + np.sqrt(mean) * away), 0))
    with jax.enable_x64(True):
        found = np.asarray(log_poisson(jnp.asarray(k), jnp.asarray(mean)))
    with mpmath.workdps(60):
        for value, at in zip(found, map(mpmath.mpf, k.tolist()), strict=True):
            wanted = at * mpmath.log(mean) - mpmath.mpf(mean) - mpmath.loggamma(at + 1)
            assert abs(mpmath.mpf(float(value)) - wanted) < 2.0**-49 * max(1, abs(wanted))


# Normal variables -----------------------------------------------------------------------------------------------------


def test_deviates_are_those_of_their_words():
    """Assert sqrt(-2 log u) (cos, sin) of the angle to 2^-50 by mpmath, u = (w + 1/2)/2^64 and 64 bits of angle."""
    with jax.enable_x64(True):
        radius, angle = (words(slot_key(chain_key(SEED, 0), slot), 50) for slot in range(2))
        z, w = (np.asarray(x) for x in fine_deviates(radius, angle))
    for at in range(50):
        (upper, lower), (first, second) = ((int(half[at]) for half in one) for one in (radius, angle))
        u = mpmath.mpf(2 * ((upper << 32) + lower) + 1) / 2**65
        f = ((first << 1) % 2**32 + 2**31) % 2**32 - 2**31
        turn = mpmath.mpf(f * 2**31 + second) / 2**63 + (first >> 31)
        size = mpmath.sqrt(-2 * mpmath.log(u))
        assert abs(float(z[at]) - size * mpmath.cospi(turn)) < 2.0**-50 * max(1, size)
        assert abs(float(w[at]) - size * mpmath.sinpi(turn)) < 2.0**-50 * max(1, size)


def test_reach_and_steps_of_normal_variables():
    """Assert the largest |z|, that the law beyond it is less than the bound, and the steps that this is made of."""
    zero, last = jnp.uint32(0), jnp.uint32(2**32 - 1)
    with jax.enable_x64(True):
        end = fine_deviates((zero, zero), (zero, zero))[0]
        steps = [nonzero((jnp.uint32(upper), last)) for upper in (2**31, 2**32 - 1)]
        before = [nonzero((jnp.uint32(upper), last - 2**11)) for upper in (2**31, 2**32 - 1)]
    assert abs(float(end) - REACH) < 1e-14
    assert 2 * stats.norm.sf(REACH) < DISTANCE
    assert all(float(after - one) == 2.0**-53 for after, one in zip(steps, before, strict=True))
    assert DISTANCE > 2.0**-54 + 2.0**-65 + 2 * 2.0**-56


def test_exact_normals():
    """Assert that both follow N(0, 1) independently, and that a law off by 0.05 or 3 % is rejected."""
    z, w = drawn(exact_normals)
    for x in (z, w, (z + w) / np.sqrt(2)):
        assert stats.kstest(x, stats.norm.cdf).pvalue >= LEVEL, SEED
        assert stats.kstest(x + 0.05, stats.norm.cdf).pvalue < LEVEL
        assert stats.kstest(1.03 * x, stats.norm.cdf).pvalue < LEVEL
    angle = np.arctan2(w, z)
    assert stats.kstest(angle, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue >= LEVEL, SEED


# Rejection ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("a", [0.05, 0.5, 1.0, 4.5, 60.0, 1e8])
def test_log_gamma(a):
    """Assert that draws follow the logarithm of Gamma(a), and that one off by 0.05 standard deviations is rejected."""
    logs = drawn(log_gamma, a)
    assert stats.kstest(np.exp(logs), stats.gamma(a).cdf).pvalue >= LEVEL, SEED
    off = 0.05 * logs.std()
    assert stats.kstest(np.exp(logs + off), stats.gamma(a).cdf).pvalue < LEVEL


def test_arrays_are_slots():
    """Assert that entry j of an array is the draw of slot j, whatever stands beside it, for arrays within arrays."""
    key, a = chain_key(SEED, 3), np.array([[0.3, 1.0, 50.0], [2.0, 0.3, 7.0]])
    with jax.enable_x64(True):
        many = jax.jit(lambda a: log_gamma(key, a, a.shape))(a)
        single = jax.jit(lambda j, a: log_gamma(slot_key(key, j), a))
        nested = jax.jit(jax.vmap(jax.vmap(lambda j, a: log_gamma(slot_key(key, j), a))))(np.arange(6).reshape(2, 3), a)
        alone = [float(single(j, a.reshape(-1)[j])) for j in range(6)]
    assert many.reshape(-1).tolist() == alone == nested.reshape(-1).tolist()


@pytest.mark.parametrize("sampler", [poisson, lambda key, rate: binomial(key, 1e7, rate / 1e7)])
def test_counts_for_any_neighbours(sampler):
    """Assert that a chain's count is the same beside chains that need the other way, of Poisson and binomial laws."""
    rates = np.array([9.0, 300.0, 0.1, 1e6])
    with jax.enable_x64(True):
        one = jax.jit(lambda chain, rate: sampler(chain_key(SEED, chain), rate))
        beside = jax.jit(jax.vmap(lambda chain, rate: sampler(chain_key(SEED, chain), rate)))(np.arange(4), rates)
        alone = [float(one(chain, rate)) for chain, rate in enumerate(rates)]
    assert beside.tolist() == alone


def test_exact_runs_are_the_same_for_any_chunk():
    """Assert that chunks change no bit of a run whose laws are drawn by rejection."""
    how = {"generations": 4, "chains": 300, "seed": SEED, "exact": True}
    one, two = (simulate(Loop(Gaussian(0, 1), samples=10), chunk=chunk, **how) for chunk in (512, 256))
    assert one.equals(two)


def test_exact_runs_take_no_approximation():
    """Assert that a method of approximate counts is refused, and that "auto" takes none."""
    two = Loop(Bernoulli("1/3"), samples=50)
    assert choose(two, "auto", ())[0] == "pair"
    assert choose(two, "auto", (), exact=True)[0] == "statistic"
    assert choose(Loop(Categorical(), samples=10**6), "auto", (100,), exact=True)[0] == "types-exact"
    with pytest.raises(ValueError, match="not exactly"):
        choose(two, "pair", (), exact=True)


def test_points_of_an_exact_run_are_finer():
    """Assert that normal points, and those of any kit, have 64 bits of radius and of angle where that is asked."""
    key = chain_key(SEED, 0)
    with jax.enable_x64(True):
        with exactly():
            fine = normals(key, (5,))
        assert [x.tolist() for x in fine] == [x.tolist() for x in exact_normals(key, (5,))]
        assert normals(key, (5,))[0].tolist() != fine[0].tolist()
