"""Every sampler against its law in SciPy, at one stated failure rate, with a floor under the power.

Seeds come from the operating system and are not chosen; each law is tried once. A draw from a law that is off by a
twentieth of a standard deviation, or by 8 % in scale, must be rejected by the same test, or the test says nothing.
"""

from functools import cache, partial
from secrets import randbelow

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from attrs import frozen
from scipy import stats
from sympy import Integer, Symbol

from numerics import samplers
from theory.innovations import ChiSquare, Law, Multinomial, Normal

FAILURE_RATE = 1e-6
"""Chance that any test of this file fails although all samplers are right."""
TESTS = 40
"""At least the number of tests that share it."""
DRAWS = 100_000
SEED = randbelow(samplers.SEEDS)


@cache
def compiled(sampler, parameters):
    """Return the function (chains, parameters) -> draws, one for each chain."""
    keyed = jax.vmap(sampler, (0, *(None,) * parameters))
    return jax.jit(lambda chains, *values: keyed(jax.vmap(partial(samplers.chain_key, SEED))(chains), *values))


def drawn(sampler, *values, draws=DRAWS):
    """Return draws of sampler(key, values), with a key for every chain."""
    with jax.enable_x64(True):
        return np.asarray(compiled(sampler, len(values))(jnp.arange(draws), *map(jnp.asarray, values)))


def rejected(p_value):
    return p_value < FAILURE_RATE / TESTS


def binned(values, law):
    """Return the p-value of Pearson's test with at most 60 bins of about equal mass."""
    support = np.arange(law.ppf(1e-12), law.isf(1e-12) + 1)
    edges, total = [], 0.0
    for x, mass in zip(support, law.pmf(support) * DRAWS, strict=True):
        total += mass
        if total >= DRAWS / 60:
            edges.append(x)
            total = 0.0
    cumulative = np.concatenate([[0.0], law.cdf(edges[:-1]), [1.0]])
    counts = np.bincount(np.searchsorted(edges[:-1], values), minlength=len(edges))
    return stats.chisquare(counts, np.diff(cumulative) * DRAWS).pvalue


def test_normal():
    """Assert that normal draws follow N(0, 1), and that N(0.05, 1) would be rejected."""
    z = drawn(samplers.normal)
    assert not rejected(stats.kstest(z, stats.norm.cdf).pvalue), SEED
    assert rejected(stats.kstest(z + 0.05, stats.norm.cdf).pvalue)


@pytest.mark.parametrize("df", [1, 2, 3, 9, 99, 9_999])
def test_chi_square(df):
    """Assert that draws follow chi-square(df), and that a law off by 8 % or 0.05 standard deviations is rejected."""
    x = drawn(samplers.chi_square, float(df))
    law = stats.chi2(df)
    off = x * max(0.08, 0.05 * np.sqrt(2 / df)) + x
    assert not rejected(stats.kstest(x, law.cdf).pvalue), SEED
    assert rejected(stats.kstest(off, law.cdf).pvalue)


def test_log_chi_square_has_no_floor():
    """Assert that log x of chi-square(0.01) stays finite where x itself is 0 in floating point."""
    x = drawn(samplers.log_chi_square, 0.01)
    assert np.isfinite(x).all()
    assert x.min() < np.log(np.finfo(float).tiny)
    expected = np.log(2) + float(jax.scipy.special.digamma(0.005))
    assert abs(x.mean() - expected) < stats.norm.isf(FAILURE_RATE / TESTS / 2) * x.std() / DRAWS**0.5


def test_chi_square_of_one_point_is_zero():
    """Assert that df = 0, the sum of squares of a single point, gives 0."""
    with jax.enable_x64(True):
        key = samplers.chain_key(SEED, 0)
        assert float(samplers.chi_square(key, 0.0)) == 0.0


BINOMIALS = [(10, 0.3), (100, 0.02), (100, 0.95), (1_000, 0.5), (10_000, 0.003), (1_000_000, 0.37)]


@pytest.mark.parametrize(("trials", "chance"), BINOMIALS)
def test_binomial(trials, chance):
    """Assert that draws follow Binomial(m, p), and that a mean off by 0.05 standard deviations is rejected."""
    law = stats.binom(trials, chance)
    shifted = chance + 0.05 * law.std() / trials
    assert not rejected(binned(drawn(samplers.binomial, trials, chance), law)), SEED
    assert rejected(binned(drawn(samplers.binomial, trials, shifted), law))


def test_binomial_ends():
    """Assert that p = 0, p = 1, no trials, and a p beyond 1 by rounding give the sure result."""
    trials, chances = jnp.array([7, 7, 0, 7]), jnp.array([0, 1, 0.4, 1 + 1e-15])
    with jax.enable_x64(True):
        counts = jax.vmap(samplers.binomial, (None, 0, 0))(samplers.chain_key(SEED, 0), trials, chances)
    assert counts.tolist() == [0, 7, 0, 7]


@pytest.mark.parametrize("chances", [[0.2, 0.5], [0.0, 1 / 3, 1 / 3, 1 / 3, 0.0]])
def test_multinomial(chances):
    """Assert that counts of 4 trials follow the multinomial law, and that moving 0.02 of the mass is rejected."""
    full = np.array([*chances, 1 - sum(chances)])
    full[full < 1e-12] = 0
    outcomes = [x for x in np.ndindex(*(5,) * len(full)) if sum(x) == 4 and not np.any(np.array(x)[full == 0])]
    expected = stats.multinomial(4, full).pmf(np.array(outcomes)) * DRAWS

    def p_value(given):
        counts = drawn(samplers.multinomial, 4.0, given).astype(int)
        seen = np.column_stack([counts, 4 - counts.sum(1)])
        assert seen.min() == 0
        assert not seen[:, full == 0].any()
        codes = seen @ 5 ** np.arange(len(full))
        numbers = [np.sum(codes == np.array(x) @ 5 ** np.arange(len(full))) for x in outcomes]
        return stats.chisquare(numbers, expected).pvalue

    moved = np.array(chances)
    moved[1:3] += [0.02, -0.02] if len(chances) > 2 else 0.02
    assert not rejected(p_value(chances)), SEED
    assert rejected(p_value(moved))


def test_multinomial_of_all_types_adds_up():
    """Assert that counts of all types sum to the trials exactly, although probabilities sum to 1 up to rounding."""
    chances = np.random.default_rng(SEED).dirichlet(np.full(12, 0.3))
    counts = drawn(samplers.multinomial, 50.0, chances, draws=5_000)
    assert (counts.sum(1) == 50).all()


def test_keys_are_all_different():
    """Assert that seed, chain, generation and slot each change the key."""

    def key(seed, chain, generation, slot):
        here = samplers.generation_key(samplers.chain_key(seed, chain), generation)
        return jnp.stack([jnp.asarray(part) for part in samplers.slot_key(here, slot)])

    grid = np.stack(np.meshgrid(*[np.arange(6)] * 4), -1).reshape(-1, 4)
    with jax.enable_x64(True):
        keys = np.asarray(jax.vmap(lambda seed, *place: key((0, seed), *place))(*grid.T))
        far = np.asarray([key(0, 2**32 - 1, 1, 0), key(2**63 - 1, 0, 1, 0), key(2**32, 0, 1, 0)])
    assert len(np.unique(np.concatenate([keys, far]), axis=0)) == len(grid) + len(far)


def test_slots_and_generations_are_uncorrelated():
    """Assert that draws of neighbouring slots, generations and chains are uncorrelated."""
    with jax.enable_x64(True):
        key = samplers.chain_key(SEED, 0)
        z = jax.vmap(
            lambda g: jax.vmap(lambda s: samplers.normal(samplers.slot_key(samplers.generation_key(key, g), s)))(
                jnp.arange(2)
            )
        )(jnp.arange(DRAWS))
    one, two = np.asarray(z).T
    bound = stats.norm.isf(FAILURE_RATE / TESTS / 2) / DRAWS**0.5
    for a, b in [(one, two), (one[1:], one[:-1]), (one[1:], two[:-1])]:
        assert abs(np.mean(a * b)) < bound, SEED


LAWS = [
    (Normal(Symbol("eps"), Integer(2)), 0),
    (ChiSquare(Symbol("chi"), Integer(3)), 1),
    (Multinomial((Symbol("x0"), Symbol("x1")), Integer(5), (Integer(0), Integer(1))), 3),
]


@pytest.mark.parametrize(("law", "needs"), LAWS, ids=lambda value: type(value).__name__)
def test_every_law_of_theory_can_be_drawn(law, needs):
    """Assert that a draw gives one number for each symbol of the law."""
    values = tuple(jnp.asarray(float(v)) for v in samplers.parameters(law))
    assert len(values) == needs
    assert len(samplers.draw(law, samplers.chain_key(0, 0), values, ())) == len(law.symbols)


def test_strange_law_is_refused():
    """Assert that a law without a sampler is named."""

    @frozen
    class Cauchy(Law):
        symbols = (Symbol("x"),)

        def moment(self, powers, logs):
            raise NotImplementedError

        def means(self):
            raise NotImplementedError

    with pytest.raises(ValueError, match="Cauchy has no sampler"):
        samplers.parameters(Cauchy())
