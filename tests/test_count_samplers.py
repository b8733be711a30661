"""Counts without rejection: the laws that their samplers draw, found cell by cell and not by drawing; their chains."""

from functools import partial, reduce
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import binom, chi2, nbinom, poisson
from sympy import Integer, Poly, Rational, bernoulli, diff, expand, nsimplify, symbols

from numerics import simulate
from numerics.samplers import alias, near_binomial, near_poisson, poissonised, resampling, tails
from numerics.samplers.cipher import chain_key
from numerics.samplers.cornish_fisher import TERMS, total_variation, wide
from theory import Bernoulli, Categorical, Loop

FAILURE = 1e-6
"""Probability with which each statistical test here fails although all is well."""
BOUND = 2e-7
"""Distance in total variation within which a draw is promised to be."""


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).sum() / 2)


def halves(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two words of 32 bits whose upper 27 and 26 bits are those of a word of 53."""
    low = words & np.uint64(2**26 - 1)
    return (words >> np.uint64(26) << np.uint64(5)).astype(np.uint32), (low << np.uint64(6)).astype(np.uint32)


def passes(draw, counts: np.ndarray, bits: int) -> np.ndarray:
    """Return, for a draw that grows with its word, the least word that gives at least each count, by bisection."""
    low, high = np.zeros(counts.shape, np.uint64), np.full(counts.shape, 2**bits, np.uint64)
    for _ in range(bits):
        middle = low + (high - low) // np.uint64(2)
        reached = np.asarray(draw(middle)) >= counts
        low, high = np.where(reached, low, middle + np.uint64(1)), np.where(reached, middle, high)
    return low


# Rows ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [1, 2, 7, 100, 131, 10_000, 2**31 - 1])
def test_rows_are_binomial(samples):
    """Assert that every row of N draws Binomial(N, i/N) to 1e-7, exactly computed, and no row of another i."""
    table = resampling.rows(samples).reshape(-1, alias.COLUMNS)
    listed = range(min(resampling.LISTED, samples // 2) + 1)
    for i in listed:
        law = alias.law(table[i])
        assert law.sum() == 1
        assert distance(law, _cells(samples, i / samples)) < BOUND / 2
        assert i == listed[-1] or distance(law, _cells(samples, (i + 1) / samples)) > 1e-3


def _cells(trials: int, chance: float) -> np.ndarray:
    k = np.arange(alias.COLUMNS)
    return np.append(binom.pmf(k[:-1], trials, chance), binom.sf(k[-2], trials, chance))


def test_a_word_picks_as_the_row_says():
    """Assert that the words of a row give its law: below each threshold the column, from there on its alias."""
    packed = alias.row(alias.poisson_masses(20.5))
    column = np.arange(alias.COLUMNS, dtype=np.uint32)
    thresholds = packed >> alias.BITS
    draw = partial(alias.picked, jnp.asarray(packed), jnp.int32(0))
    own = np.asarray(draw(jnp.asarray((np.maximum(thresholds, 1) - 1 << alias.BITS) + column)))
    other = np.asarray(draw(jnp.asarray((thresholds << alias.BITS) + column)))
    assert (own[thresholds > 0] == column[thresholds > 0]).all()
    assert (other == packed % alias.COLUMNS).all()
    assert distance(alias.law(packed), poisson.pmf(column, 20.5)) < BOUND / 2


# Quantiles -----------------------------------------------------------------------------------------------------------


def edge(chance: float) -> int:
    """Return the least number of trials for which a binomial law is wide."""
    slope = 1 - 2 * chance
    return next(n for n in range(20, 10**5) if wide(n * chance * (1 - chance), slope))


@pytest.mark.parametrize("chance", [0.001, 0.02, 0.1, 0.2, 0.3, 0.4, 0.5])
def test_quantiles_of_binomials(chance):
    """Assert that the rounded quantile has the law to 2e-7 where it is first used, and not where the law is narrow."""
    trials = edge(chance)
    assert _from_quantile(trials, chance) < BOUND
    assert _from_quantile(4 * trials, chance) < BOUND / 10
    assert _from_quantile(trials // 4, chance) > BOUND


def _from_quantile(trials: int, chance: float) -> float:
    k, mean = np.arange(trials + 1), trials * chance
    return total_variation(mean, mean * (1 - chance), 1 - 2 * chance, k, binom.pmf(k, trials, chance))


@pytest.mark.parametrize("slope", [1.0, 1.1, 2.0, 5.0])
def test_quantiles_of_poisson_and_negative_binomial(slope):
    """Assert the same for slopes of 1 and beyond: V = m and V = m + m^2/r with V' = 1 + 2 m/r."""
    variance = 14 * (1 + slope**2)
    mean = 2 * variance / (1 + slope)
    k = np.arange(int(mean + 20 * variance**0.5))
    size = np.inf if slope == 1 else 2 * mean / (slope - 1)
    masses = poisson.pmf(k, mean) if slope == 1 else nbinom.pmf(k, size, size / (size + mean))
    assert total_variation(mean, variance, slope, k, masses) < BOUND
    assert total_variation(mean, variance, slope + 0.1, k, masses) > BOUND


def test_terms_follow_from_the_cumulants():
    """Assert the polynomials P_1..P_4, by Lagrange's inversion of the Edgeworth series of the smoothed law."""
    order, (z, d, r, t) = 4, symbols("z d r t")
    per_variance = {2: Integer(1)}
    for j in range(2, order + 2):
        one = per_variance[j]
        per_variance[j + 1] = expand(d * one + diff(one, d) * (d**2 - 1) / 2)
    variance = 1 / r**2 + Rational(1, 12)
    cumulants = {
        j: expand((variance * g - (bernoulli(j) / j if j % 2 == 0 else 0)) * r**j) for j, g in per_variance.items()
    }
    exponent = sum(cumulants[j] * t**j / factorial(j) for j in range(3, order + 3))
    powers = [Integer(1)]
    for m in range(1, order + 1):
        powers.append(_cut(powers[-1] * exponent / m, r, order))
    hermite = [Integer(1), z]
    for m in range(1, 3 * order + 1):
        hermite.append(expand(z * hermite[m] - m * hermite[m - 1]))
    edgeworth = Poly(sum(powers[1:]), t)
    ahead = _cut(sum(c * hermite[m - 1] for (m,), c in edgeworth.terms()), r, order)
    quantile, power = Integer(0), Integer(1)
    for m in range(1, order + 1):
        power = _cut(power * ahead, r, order)
        quantile += reduce(lambda q, i: expand(diff(q, z) - i * z * q), range(m - 1, 0, -1), power) / factorial(m)
    for j in range(1, order + 1):
        rows = [sum(nsimplify(c, rational=True) * d ** (2 * b) for b, c in enumerate(row)) for row in TERMS[j - 1]]
        term = sum(row * z ** (2 * a) for a, row in enumerate(rows)) * (d if j % 2 else z)
        wanted = Poly(expand(quantile).coeff(r, j), z, d)
        assert all(abs(float(c)) < 1e-14 for c in (Poly(term, z, d) - wanted).coeffs())


def _cut(expr, r, order: int):
    return sum(c * r**m for (m,), c in Poly(expand(expr), r).terms() if m <= order)


# What the compiled arithmetic draws ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("trials", "chance"), [(1, 0.4), (40, 0.5), (60, 0.3), (29, 0.02), (10**6, 2.5e-5)])
def test_added_up_counts_have_their_law(trials, chance):
    """Assert that, word by word, the sums of probabilities give the binomial law to 1e-10."""
    k = np.arange(1, min(trials, near_binomial.STEPS) + 1)
    with jax.enable_x64(True):
        draw = jax.jit(
            lambda up, low: near_binomial.added_up((up, low), jnp.float64(trials), jnp.full(up.shape, chance))
        )
        below = passes(lambda words: draw(*halves(words)), k, 53) / 2.0**53
    assert distance(np.append(np.diff(np.append(0, below)), 1 - below[-1]), _short(trials, chance, len(k))) < 1e-10


@pytest.mark.parametrize("rate", [0.0, 0.7, 27.5])
def test_added_up_poisson_counts_have_their_law(rate):
    """Assert the same of Poisson counts."""
    k = np.arange(1, near_poisson.STEPS + 1)
    with jax.enable_x64(True):
        draw = jax.jit(lambda up, low: near_poisson.added_up((up, low), jnp.full(up.shape, rate)))
        below = passes(lambda words: draw(*halves(words)), k, 53) / 2.0**53
    law = np.append(np.diff(np.append(0, below)), 1 - below[-1])
    assert distance(law, np.append(poisson.pmf(k - 1, rate), poisson.sf(k[-1] - 1, rate))) < 1e-10


def test_rows_of_poisson_counts():
    """Assert that row i draws Poisson(r i) to 1e-7, and that the running sums find the types."""
    samples, k = 10_000, np.arange(alias.COLUMNS)
    for i, packed in enumerate(poissonised.rows(samples).reshape(-1, alias.COLUMNS)):
        assert distance(alias.law(packed), poisson.pmf(k, poissonised.part(samples) * i)) < BOUND / 2
    weights = jnp.asarray([3, 0, 2, 1] * 70)
    inside, before = poissonised.running(weights)
    kinds = poissonised.found(inside, before, jnp.arange(weights.sum()))
    assert (np.bincount(np.asarray(kinds), minlength=len(weights)) == np.asarray(weights)).all()


def _short(trials: int, chance: float, last: int) -> np.ndarray:
    return np.append(binom.pmf(np.arange(last), trials, chance), binom.sf(last - 1, trials, chance))


@pytest.mark.parametrize(("count", "samples"), [(65, 10_000), (2_500, 5_000)])
def test_rounded_counts_have_their_law(count, samples):
    """Assert what single precision leaves of the law, 2e-7 + 2.5e-8 standard deviations, cell by cell.

    Given the angle a count is monotone in the first word, and over angles the law is integrated by Gauss's rule, its
    nodes crowded where the cosine vanishes.
    """
    spread = (count * (1 - count / samples)) ** 0.5
    counts = np.arange(int(count - 7 * spread), int(count + 7 * spread) + 1)
    nodes, weights = np.polynomial.legendre.leggauss(64)
    from_zero = ((nodes + 1) / 2) ** 3
    quarter = (1 - from_zero) / 4
    angles = np.rint(np.concatenate([quarter, 0.5 - quarter]) * 2**32).astype(np.uint32)[:, None]
    rising = np.arange(128)[:, None] < 64
    edges = np.where(rising, counts, 1 - counts)
    with jax.enable_x64(True):
        draw = jax.jit(lambda up, low: resampling.rounded((up, low), jnp.int32(count), jnp.int32(samples)))
        sign = np.where(rising, 1, -1)
        least = passes(lambda words: sign * np.asarray(draw((2**32 - 1 - words).astype(np.uint32), angles)), edges, 32)
    above = np.where(rising, 2.0**32 - least, least) / 2.0**32
    law = -np.diff(np.tile(weights * 3 * ((nodes + 1) / 2) ** 2 / 4, 2) @ above)
    allowed = BOUND + 2.5e-8 * spread
    assert distance(law, binom.pmf(counts[:-1], samples, count / samples)) < allowed
    assert distance(law, binom.pmf(counts[:-1], samples, (count + 0.001) / samples)) > 2 * allowed


# Chains --------------------------------------------------------------------------------------------------------------


def rejected(seen: np.ndarray, chances: np.ndarray) -> bool:
    """Return whether Pearson's statistic is beyond its quantile, cells put together until 30 are expected in each."""
    cells = np.minimum(np.cumsum(chances) * seen.sum() // 30, chances.sum() * seen.sum() // 30 - 1).astype(int)
    wanted, got = (np.bincount(cells, x) for x in (chances * seen.sum(), seen))
    wanted, got = wanted[wanted > 0], got[wanted > 0]
    return bool(((got - wanted) ** 2 / wanted).sum() > chi2.isf(FAILURE, len(wanted) - 1))


@pytest.mark.parametrize("family", ["categorical", "bernoulli"])
def test_two_types_have_the_law_of_the_chain(family):
    """Assert by Pearson's test the law of fit 6 of 200 tokens, rows and quantiles in turn, against matrix powers.

    That of fit 7 is rejected.
    """
    M, chains, share = 200, 100_000, 0.35
    k = np.arange(M + 1)
    onward = binom.pmf(k, M, k[:, None] / M)
    law = binom.pmf(k, M, share) @ np.linalg.matrix_power(onward, 5)
    two = Loop(Categorical(), samples=M), {"p": [share, 1 - share]}
    loop, start = two if family == "categorical" else (Loop(Bernoulli(), samples=M), {"p": share})
    run = simulate(loop, start, generations=6, chains=chains, method="pair")
    last = run.p.isel(generation=6).to_numpy().reshape(chains, -1)[:, 0]
    seen = np.bincount(np.rint(last * M).astype(int), minlength=M + 1)
    assert not rejected(seen, law)
    assert rejected(seen, law @ onward)


@pytest.mark.parametrize("method", ["types", "poisson"])
def test_many_types_have_the_law_of_the_chain(method):
    """Assert by Pearson's test that types, wide and narrow, have the laws of two binomial draws, one after the other.

    Each type alone is such a chain; a chance 2 % larger is rejected for the widest.
    """
    p, M, chains = np.array([0.6, 0.36, 0.04]), 400, 100_000
    run = simulate(Loop(Categorical(), samples=M), {"p": p}, generations=2, chains=chains, method=method)
    counts = np.rint(run.p.to_numpy() * M).astype(int)[:, 1:]
    k = np.arange(M + 1)
    onward = binom.pmf(k, M, k[:, None] / M)
    assert (counts.sum(axis=-1) == M).all()
    for j in range(3):
        seen = [np.bincount(counts[:, n, j], minlength=M + 1) for n in (0, 1)]
        assert not rejected(seen[0], binom.pmf(k, M, p[j]))
        assert not rejected(seen[1], binom.pmf(k, M, p[j]) @ onward)
    assert rejected(np.bincount(counts[:, 1, 0], minlength=M + 1), binom.pmf(k, M, p[0] * 1.02) @ onward)


@pytest.mark.parametrize(
    ("method", "start", "samples"),
    [("pair", [0.2, 0.8], 500), ("types", [0.5, 0.3, 0.2], 300), ("poisson", [0.5, 0.3, 0.2], 300)],
)
def test_same_bits_for_any_chunk(method, start, samples):
    """Assert that a chain's counts do not depend on which ways of drawing its neighbours need."""
    loop = Loop(Categorical(), samples=samples)
    run = simulate(loop, {"p": start}, generations=40, chains=1_000, chunk=1_024, method=method)
    assert run.equals(simulate(loop, {"p": start}, generations=40, chains=1_000, chunk=256, method=method))
    assert np.allclose(run.p.sum("type"), 1)


def test_one_key_gives_one_count():
    """Assert that chances 0 and 1 leave nothing to chance, and that an array of counts for one key is refused."""
    with jax.enable_x64(True):
        trials = np.array([0, 7, 2**31 - 1, 7])
        draw = jax.jit(jax.vmap(lambda n, chance: near_binomial.near_binomial(chain_key(3, 5), n, chance)))
        assert draw(trials, np.array([0.3, 0, 0, 1.0])).tolist() == [0, 0, 0, 7]
        with pytest.raises(ValueError, match="slot of its own"):
            near_binomial.near_binomial(chain_key(3, 5), trials, 0.5)


def test_tails_are_counts():
    """Assert that the counts of tails are those that they were made of, and 0 up to a power of 2, for every chain."""
    counts = jnp.asarray([3, 0, 5, 1, 2])
    assert tails.counts(tails.tails(counts)).tolist() == [*counts.tolist(), 0, 0, 0]
    both = jnp.stack([counts, 2 * counts], axis=1)
    assert (both == tails.counts(tails.tails(both))[:5]).all()
