"""Fits from few tokens, count by count: what the engine draws is what its words say, in whole numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from numerics import simulate
from numerics.samplers import few_tokens, inversion
from numerics.samplers.cipher import chain_key, cipher, slot_key
from theory import Categorical, Gaussian, Loop, MultivariateGaussian

CHAINS = 5
KEY = chain_key(3, jnp.arange(CHAINS, dtype=jnp.uint32))
OBSERVED = {"collision": Categorical.collision}


def words(rows: int) -> list[list[int]]:
    """Return words of 64 bits as whole numbers, row by row."""
    key = slot_key(KEY, np.arange(rows, dtype=np.uint32)[:, None])
    upper, lower = cipher((key.key0, key.key1), KEY.chain, KEY.generation)
    return [[int(a) << 32 | int(b) for a, b in zip(*pair, strict=True)] for pair in zip(upper, lower, strict=True)]


def tokens(M: int) -> np.ndarray:
    """Return the leading digits of the words in base M, shape (M, chains), in whole numbers."""
    each = few_tokens.digits(M)
    rows = [[[word * M ** (at + 1) >> 64 for word in row] for row in words(-(-M // each))] for at in range(each)]
    return (np.array(rows, object) % M).swapaxes(0, 1).reshape(-1, CHAINS)[:M].astype(int)


@pytest.mark.parametrize("M", [1, 128, 129])
def test_a_fit_counts_the_digits_of_its_words(M):
    """Assert F'_s = #{j: t_j < F_s} with t the digits of words in base M."""
    sums = np.sort(np.random.default_rng().integers(0, M + 1, (7, CHAINS)), axis=0)
    sums[-1] = M
    with jax.enable_x64(True):
        found = jax.jit(few_tokens.redrawn, static_argnums=1)(KEY, M, jnp.asarray(sums, jnp.uint8))
    assert (found == (tokens(M)[:, None] < sums).sum(axis=0)).all()


@pytest.mark.parametrize(("types", "M"), [(8, 8), (9, 8), (100, 5)])
def test_a_first_fit_counts_types_of_the_source(types, M):
    """Assert that the types of the slots have the counts of tokens that NumPy finds from the same words."""
    weights = 1 / np.arange(1, types + 1)
    with jax.enable_x64(True):
        source = inversion.table(weights)
        slots, sums = jax.jit(few_tokens.drawn, static_argnums=(1, 3))(KEY, M, source, types)
        counts = np.asarray(few_tokens.counts(sums))[: len(slots)]
    u = np.array([[(word >> 11) / 2**53 for word in row] for row in shifted(M)])
    kinds = np.searchsorted(np.cumsum(weights), u * weights.cumsum()[-1], side="right")
    for chain in range(CHAINS):
        mine = np.bincount(np.broadcast_to(slots, counts.shape)[:, chain], counts[:, chain], types)
        assert (mine == np.bincount(kinds[:, chain], minlength=types)).all()


def shifted(rows: int) -> list[list[int]]:
    """Return the words whose upper 53 bits are those of the uniform numbers: 27 of the upper half, 26 of the lower."""
    return [[(word >> 37 << 26 | (word & 0xFFFFFFFF) >> 6) << 11 for word in row] for row in words(rows)]


@pytest.mark.parametrize("weights", [[2.0], [0.0, 1.0, 0.0, 3.0, 0.0], 0.5 ** np.arange(200), np.ones(1000)])
def test_a_guided_search_finds_what_a_search_finds(weights):
    """Assert the least type whose running sum is above u times the sum, at edges and in between; never one of weight
    0, nor beyond the last.
    """
    sums = np.cumsum(weights)
    inner = np.concatenate([sums[:-1] / sums[-1], np.nextafter(sums[:-1] / sums[-1], 0), np.linspace(0, 0.999, 500)])
    u = np.append(inner[inner < 1], [0.0, 1 - 2.0**-53])
    with jax.enable_x64(True):
        found = np.asarray(inversion.drawn(jnp.asarray(u), inversion.table(weights)))
    wanted = np.minimum(np.searchsorted(sums, u * sums[-1], side="right"), np.searchsorted(sums, sums[-1]))
    assert (found == wanted).all()
    assert (np.asarray(weights)[found] > 0).all()


def test_streamed_beside_observables_are_numbers_alone():
    """Assert that vectors and matrices are streamed beside observables only if a summary names them or none are."""
    run = {"generations": 1, "chains": 2, "paths": False}
    loop, start = Loop(Categorical(), samples=9), {"p": [0.5, 0.3, 0.2]}
    assert "p_mean" in simulate(loop, start, **run)
    observed = simulate(loop, start, **run, observe=OBSERVED)
    assert "p_mean" not in observed
    assert "collision_mean" in observed
    named = simulate(loop, start, **run, observe=OBSERVED, summaries={"p": "extremes"})
    assert {"p_mean", "p_max"} <= {*named}
    assert "p" in simulate(loop, start, generations=1, chains=2, observe=OBSERVED)
    scalars = simulate(Loop(Gaussian(), samples=9), {"mu": 0, "V": 1}, **run, observe={"m4": Gaussian.V**2})
    assert "V_mean" in scalars
    loop, observed = (
        Loop(MultivariateGaussian([0, 0], [[1, 0], [0, 1]]), samples=9),
        {"top": MultivariateGaussian.Sigma[0, 0]},
    )
    matrices = simulate(loop, **run, observe=observed)
    assert {"top_mean", "log_det_mean"} <= {*matrices}
    assert "Sigma_mean" not in matrices
