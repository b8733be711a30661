"""Formats and approximate samplers: polynomials against mpmath, laws against SciPy, deep runs against the same words.

The recursion from the same random words, in float64 with SciPy's quantiles, is the reference for every format.
"""

from functools import cache
from secrets import randbelow

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import special, stats

from numerics import simulate
from numerics.paths.refits import NORMALS
from numerics.samplers import elementary, normals
from numerics.samplers.cipher import SEEDS, chain_key, slot_key, words
from numerics.samplers.normal import DISTANCE, REACH
from numerics.samplers.quantiles import WANTED, coefficients, log_quantile, log_ratio, relative_error, total_variation
from theory import Accumulate, Gaussian, Loop, Poisson, Schedule

FAILURE_RATE = 1e-6
"""Chance that any test of this file fails although all samplers are right."""
TESTS = 20
DRAWS = 200_000
SEED = randbelow(SEEDS)
CHAINS, DEPTH = 16, 1_000
START = {"mu": 0, "V": 1}
ERRORS = {"f64": 5e-9, "mixed": 3e-5, "f32": 2e-3}
"""Bound on the error of log V, and on that of mu relative to its spread, after 1,000 fits of 10 points."""


def rejected(p_value):
    return p_value < FAILURE_RATE / TESTS


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elementary_functions(dtype):
    """Assert that exp, log and the circle are off by 4 units in the last place at most, by mpmath."""
    unit, x = float(np.finfo(dtype).eps), np.linspace(-60, 60, 101).astype(dtype)
    word = np.linspace(0, 2**32 - 1, 101).astype(np.uint32)
    with jax.enable_x64(dtype == np.float64):
        exp, log = np.asarray(elementary.exp(jnp.asarray(x))), np.asarray(elementary.log(jnp.exp(jnp.asarray(x / 2))))
        powers = np.asarray(jnp.exp(jnp.asarray(x / 2)))
        circle = np.stack(elementary.circle(jnp.asarray(word), jnp.ones(101, dtype)))
    for value, at in zip(exp, x, strict=True):
        assert abs(mpmath.mpf(float(value)) / mpmath.exp(float(at)) - 1) < 4 * unit
    for value, at in zip(log, powers, strict=True):
        assert abs(mpmath.mpf(float(value)) - mpmath.log(float(at))) < 4 * unit * max(1, abs(float(value)))
    for cos, sin, w in zip(*circle, word, strict=True):
        turn = mpmath.mpf(((int(w) << 1) % 2**32 + 2**31) % 2**32 - 2**31) / 2**32 + (int(w) >> 31)
        assert abs(float(cos) - mpmath.cospi(turn)) < 4 * unit
        assert abs(float(sin) - mpmath.sinpi(turn)) < 4 * unit


def test_elementary_functions_at_their_ends():
    """Assert exp and log of 0, infinities, NaN, and beyond the range of the format."""
    with jax.enable_x64(True):
        x = jnp.array([-np.inf, -800.0, 800.0, np.inf, np.nan, 0.0])
        np.testing.assert_array_equal(elementary.exp(x), [0, 0, np.inf, np.inf, np.nan, 1])
        y = jnp.array([0.0, np.inf, -1.0, np.nan, 1.0])
        np.testing.assert_array_equal(elementary.log(y), [-np.inf, np.inf, np.nan, np.nan, 0])


@pytest.mark.parametrize("precision", ["f32", "f64"])
@pytest.mark.parametrize("df", [2, 3, 9, 99, 9_999])
def test_quantiles_have_the_error_that_is_wanted(df, precision):
    """Assert the bounds on quantiles and on the total variation, which computes them from SciPy's quantiles."""
    assert relative_error(df, precision, 2_001) <= 2 * WANTED[precision]
    assert total_variation(df, precision, 2_001) <= 4 * WANTED[precision]


@pytest.mark.parametrize("df", [1, 9, 99])
def test_quantiles_of_scipy_are_those_of_mpmath(df):
    """Assert P(chi <= quantile) = Phi(w), from the nearer tail, by mpmath."""
    with mpmath.workdps(30):
        for w in (-6.0, -1.5, 0.5, 6.0):
            half = mpmath.mpf(df) / 2 * mpmath.exp(float(log_quantile(df, w)))
            ends = (0, half) if w < 0 else (half, mpmath.inf)
            tail = mpmath.gammainc(mpmath.mpf(df) / 2, *ends, regularized=True)
            assert abs(tail / mpmath.ncdf(-abs(w)) - 1) < 1e-11


def test_a_row_is_the_same_whatever_stands_beside_it():
    """Assert that a size's coefficients in a list have the same bits for any other sizes in it."""
    with jax.enable_x64(True):
        w = jnp.linspace(-REACH, REACH, 50)
        alone = log_ratio(w, jnp.asarray(coefficients([9.0, 99.0], "f64")[0]))
        beside = log_ratio(w, jnp.asarray(coefficients([9.0, 1.0], "f64")[0]))
    assert (alone == beside).all()


@cache
def drawn(dtype):
    """Return two normal variables of every chain."""
    chains = np.arange(DRAWS, dtype=np.uint32)
    with jax.enable_x64(True):
        both = jax.jit(jax.vmap(lambda chain: normals(chain_key(SEED, chain), (), dtype)))(chains)
        return [np.asarray(z) for z in both]


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_both_normals_of_a_word(dtype):
    """Assert that both follow N(0, 1) independently, and that a law off by 0.05 or 3 % is rejected."""
    z, w = drawn(dtype)
    for x in (z, w, (z + w) / np.sqrt(2)):
        assert np.abs(x).max() < REACH * np.sqrt(2)
        assert not rejected(stats.kstest(x, stats.norm.cdf).pvalue), SEED
        assert rejected(stats.kstest(x + 0.05, stats.norm.cdf).pvalue)
        assert rejected(stats.kstest(1.03 * x, stats.norm.cdf).pvalue)
    angle = np.arctan2(w.astype(float), z)
    assert not rejected(stats.kstest(angle, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue), SEED
    assert 2 * stats.norm.sf(REACH) < DISTANCE


@pytest.mark.parametrize("df", [1, 3, 9, 99])
@pytest.mark.parametrize("precision", ["f32", "f64"])
def test_chi_square_by_its_polynomial(df, precision):
    """Assert that draws follow chi-square(df), and that half a degree more is rejected."""
    w = drawn(jnp.float32 if precision == "f32" else jnp.float64)[1]
    with jax.enable_x64(True):
        chi = df * np.exp(np.asarray(log_ratio(jnp.asarray(w), jnp.asarray(coefficients(df, precision)))).astype(float))
    assert not rejected(stats.kstest(chi, stats.chi2(df).cdf).pvalue), SEED
    assert rejected(stats.kstest(chi, stats.chi2(df + 0.5).cdf).pvalue)


@cache
def reference(M):
    """Return mu and log V after every fit, shape (fits + 1, chains), from the words of the same places."""
    chains = np.arange(CHAINS, dtype=np.uint32)
    key = chain_key(5, 0)._replace(chain=chains[None], generation=np.arange(1, DEPTH + 1, dtype=np.uint32)[:, None])
    upper, lower = (np.asarray(word) for word in words_at(slot_key(key, NORMALS)))
    radius = np.sqrt(-2 * np.log((upper + 0.5) * 2.0**-32))
    turn = (lower << np.uint32(1)).view(np.int32) * 2.0**-32 + (lower >> np.uint32(31))
    z, w = radius * np.cos(np.pi * turn), radius * np.sin(np.pi * turn)
    log_V = np.concatenate([np.zeros((1, CHAINS)), np.cumsum(log_quantile(M - 1, w) + np.log((M - 1) / M), axis=0)])
    steps = np.exp(log_V[:-1] / 2) * z / np.sqrt(M)
    return np.concatenate([np.zeros((1, CHAINS)), np.cumsum(steps, axis=0)]), log_V


def words_at(key):
    """Return the word of every place of a key that holds arrays."""
    return jax.vmap(jax.vmap(lambda c, g: words(key._replace(chain=c, generation=g))))(
        np.broadcast_to(key.chain, (DEPTH, CHAINS)), np.broadcast_to(key.generation, (DEPTH, CHAINS))
    )


@pytest.mark.parametrize("precision", ERRORS)
def test_deep_runs_are_those_of_the_same_words(precision):
    """Assert the error of every format after 1,000 fits of 10 points, where V is about exp(-220)."""
    run = simulate(Loop(Gaussian(), samples=10), START, generations=DEPTH, chains=CHAINS, seed=5, precision=precision)
    mu, log_V = reference(10)
    assert np.abs(run.log_V.to_numpy().T - log_V).max() < ERRORS[precision]
    assert np.abs(run.mu.to_numpy().T - mu).max() / mu[-1].std() < ERRORS[precision]


def test_another_size_is_seen():
    """Assert that the reference of 11 points is far from a run of 10."""
    run = simulate(Loop(Gaussian(), samples=10), START, generations=DEPTH, chains=CHAINS, seed=5)
    assert np.abs(run.log_V.to_numpy().T - reference(11)[1]).max() > 1


@pytest.mark.parametrize("regime", [Accumulate(), Schedule((12, 30, 12))], ids=str)
def test_exact_samplers_have_the_same_law(regime):
    """Assert that log V of fit 3 has one law by default and by rejection, and that 0.1 standard deviations show."""
    loop = Loop(Gaussian(), samples=12, regime=regime)
    runs = [simulate(loop, START, generations=3, chains=20_000, seed=SEED, exact=exact) for exact in (False, True)]
    one, other = (run.log_V.to_numpy()[:, 3] for run in runs)
    assert not rejected(stats.ks_2samp(one, other).pvalue), SEED
    assert rejected(stats.ks_2samp(one + 0.1 * one.std(), other).pvalue)


def test_what_is_not_drawn_in_single_precision_is_refused():
    """Assert that a precision that does not exist, and one that a loop does not know, have their sentence."""
    with pytest.raises(ValueError, match="precision = 'half' is no precision"):
        simulate(Loop(Gaussian(), samples=9), START, generations=1, chains=1, precision="half")
    with pytest.raises(ValueError, match="precision = 'f32' is not known here: the law NaturalSum"):
        simulate(Loop(Poisson(2), samples=9), generations=1, chains=1, precision="f32")
    with pytest.raises(ValueError, match="method 'data' counts and fits in float64"):
        simulate(Loop(Gaussian(), samples=9), START, generations=1, chains=1, precision="f32", method="data")


@pytest.mark.parametrize("precision", ["mixed", "f32"])
def test_same_bits_for_any_chunk(precision):
    """Assert that neither chunks nor the number of chains change a chain or a summary in any format."""
    loop = Loop(Gaussian(), samples=10)
    options = {"start": START, "generations": 3, "seed": 3, "precision": precision}
    whole = simulate(loop, chains=700, chunk=700, **options)
    assert whole.equals(simulate(loop, chains=700, chunk=1, **options))
    assert whole.isel(chain=slice(10)).equals(simulate(loop, chains=10, **options))
    summary = simulate(loop, chains=700, chunk=700, paths=False, **options)
    assert summary.equals(simulate(loop, chains=700, chunk=1, paths=False, **options))
    np.testing.assert_allclose(summary.log_V_mean, whole.log_V.mean("chain"), rtol=1e-5, atol=1e-6)


def test_reach():
    """Assert that the largest radius is that of u = 2^-33, and what lies beyond it."""
    assert np.isclose(REACH, np.sqrt(-2 * np.log(2.0**-33)))
    assert special.ndtr(-REACH) < 1e-11
