"""Categorical loops at any number of types: the same law by every way, the same bits for any chunk, sums from slots."""

from itertools import product
from secrets import randbelow

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import binom, chi2, norm
from scipy.stats import multinomial as multinomial_law
from sympy import Piecewise, Sum, log, sign

from numerics import planning, simulate
from numerics.paths import counts_path
from numerics.paths.slots import WHOLE, Slots, dense, reader
from numerics.printer import to_jax
from numerics.samplers import SEEDS, many_tokens
from numerics.samplers.binomials import binomials
from numerics.samplers.cipher import below, chain_key, uniforms, words
from theory import Categorical, Loop, Mixed, Tempered
from theory.symbols import K, i, p, p0

FAILURE = 1e-6
"""Probability with which each statistical test here fails although all is well."""
KEY = chain_key(7, 0)
SEED = randbelow(SEEDS)
ENTROPY = Sum(Piecewise((-p[i] * log(p[i]), p[i] > 0), (0, True)), WHOLE)
WATCHED = {"vocabulary": Categorical.vocabulary, "collision": Categorical.collision, "absorbed": Categorical.absorbed}


def zipf(types: int) -> np.ndarray:
    weights = 1 / np.arange(1, types + 1)
    return weights / weights.sum()


def rejected(seen: np.ndarray, chances: np.ndarray) -> bool:
    """Return whether Pearson's statistic of counts by cell is beyond its quantile, rare cells put together."""
    total, order = seen.sum(), np.argsort(chances)
    pooled = np.cumsum(chances[order]) * total < 20
    cells = np.where(pooled, 0, np.arange(len(order)) + 1 - pooled.sum())
    wanted, got = (np.bincount(cells, x[order]) for x in (chances * total, seen))
    wanted, got = wanted[wanted > 0], got[wanted > 0]
    return bool(((got - wanted) ** 2 / wanted).sum() > chi2.isf(FAILURE, len(wanted) - 1))


@pytest.mark.parametrize("bound", [1, 3, 2**31 - 1])
def test_whole_numbers_are_the_word_times_the_bound(bound):
    """Assert floor(word bound/2^64), in whole numbers."""
    with jax.enable_x64(True):
        upper, lower = (np.asarray(half).tolist() for half in words(KEY, 50))
        wanted = [(a * 2**32 + b) * bound >> 64 for a, b in zip(upper, lower, strict=True)]
        assert below(KEY, 50, bound).tolist() == wanted
        u = np.asarray(uniforms(KEY, 50))
        assert (u * 2**53 == [(a >> 5 << 26) + (b >> 6) for a, b in zip(upper, lower, strict=True)]).all()


@pytest.mark.parametrize(
    ("trials", "chance"), [(1, 0.3), (30, 0.02), (12, 0.97), (40, 0.5), (10_000, 0.004), (60, 0.8)]
)
def test_binomials_have_their_law(trials, chance):
    """Assert by Pearson's test that counts are binomial, on both sides of the means where the method changes."""
    draws = 100_000
    with jax.enable_x64(True):
        seen = np.asarray(jax.jit(binomials)(KEY, np.full(draws, float(trials)), np.full(draws, chance)))
    assert not rejected(
        np.bincount(seen.astype(int), minlength=trials + 1), binom.pmf(range(trials + 1), trials, chance)
    )


def test_binomials_without_chance_are_certain():
    """Assert that chances 0 and 1 and no trials leave nothing to chance."""
    trials, chances = np.array([50.0, 50.0, 0.0, 1e6]), np.array([0.0, 1.0, 0.4, 1.0])
    with jax.enable_x64(True):
        assert jax.jit(binomials)(KEY, trials, chances).tolist() == [0, 50, 0, 1e6]


@pytest.mark.parametrize("method", counts_path.WAYS)
def test_two_fits_have_the_law_of_the_chain(method):
    """Assert by Pearson's test that the frequencies of fit 2 has the law of two multinomial draws, by enumeration."""
    source, M, chains = np.array([0.6, 0.4] if method == "pair" else [0.5, 0.3, 0.2]), 4, 60_000
    states = [x for x in product(range(M + 1), repeat=len(source)) if sum(x) == M]
    law = np.array([multinomial_law.pmf(x, M, source) for x in states])
    onward = np.array([[multinomial_law.pmf(y, M, np.array(x) / M) for y in states] for x in states])
    run = simulate(Loop(Categorical(), samples=M), {"p": source}, generations=2, chains=chains, method=method)
    counts = np.rint(run.p.to_numpy()[:, 2] * M).astype(int)
    seen = np.array([(counts == x).all(axis=1).sum() for x in states])
    assert seen.sum() == chains
    assert not rejected(seen, law @ onward)
    assert rejected(seen, law)


def test_many_tokens_have_their_law():
    """Assert that thousands of tokens, drawn in the order of their types, have the source's law, and those copied from
    them the variances that a multinomial draw of the last counts x has: sum (x' - x)^2/x is one less than the types.
    """
    types, M, chains = 5_000, many_tokens.LEAST + 3, 200
    asked = {"generations": 2, "chains": chains, "seed": SEED, "method": "tokens"}
    counts = simulate(Loop(Categorical(), samples=M), {"p": zipf(types)}, **asked).p.to_numpy() * M
    x, after = np.rint(counts[:, 1]), np.rint(counts[:, 2])
    assert (x.sum(axis=1) == M).all()
    assert (after.sum(axis=1) == M).all()
    rooms = np.minimum(40 * np.cumsum(zipf(types)), 39).astype(int)
    seen, chances = x.sum(axis=0), zipf(types)
    assert not rejected(seen, chances), SEED
    assert not rejected(*(np.bincount(rooms, each) for each in (seen, chances))), SEED
    assert rejected(seen, chances**1.02 / (chances**1.02).sum())
    there = x > 0
    moved = np.where(there, (after - x) ** 2 / np.maximum(x, 1), 0).sum(axis=1) - there.sum(axis=1) + 1
    assert abs(moved.mean()) < norm.isf(FAILURE / 2) * moved.std() / chains**0.5, SEED
    assert (after[~there] == 0).all()


@pytest.mark.parametrize(("method", "samples"), [("tokens", 12), ("types", 90)])
def test_same_bits_for_any_chunk(method, samples):
    """Assert that chunk size and number of chains change no chain, for fewer and for more tokens than types."""
    loop, start = Loop(Categorical(), samples=samples), {"p": zipf(40)}
    run = simulate(loop, start, generations=3, chains=500, chunk=500, method=method, observe=WATCHED)
    assert run.equals(simulate(loop, start, generations=3, chains=500, chunk=1, method=method, observe=WATCHED))
    few = simulate(loop, start, generations=3, chains=5, method=method, observe=WATCHED)
    assert run.isel(chain=slice(5)).equals(few)
    assert (run.vocabulary == (run.p > 0).sum("type")).all()
    np.testing.assert_allclose(run.collision, (run.p**2).sum("type"), rtol=1e-13)
    assert (run.absorbed == (run.vocabulary == 1)).all()
    assert np.allclose(run.p.sum("type"), 1)


def test_same_bits_for_any_group(monkeypatch):
    """Assert that how many chains advance together changes no chain, and that groups not asked for are not run."""
    loop, start = Loop(Categorical(), samples=12), {"p": zipf(40)}
    whole = simulate(loop, start, generations=3, chains=40, observe=WATCHED)
    monkeypatch.setattr(planning, "lanes", lambda *_: 16)
    assert whole.equals(simulate(loop, start, generations=3, chains=40, observe=WATCHED))


def test_the_way_is_chosen_by_types_and_tokens():
    """Assert that few tokens are copied, many of few types split, the reason says so, and a method overrides."""

    def ran(types: int, samples: int, **options: str) -> tuple[str, str]:
        loop = Loop(Categorical(), samples=samples)
        return planning.choose(loop, options.get("method", "auto"), (types,))

    assert ran(50_000, 100)[0] == ran(100, 100)[0] == "tokens"
    assert ran(2, 50)[0] == ran(2, 10**6)[0] == "pair"
    assert ran(100, 10**6)[0] == "types"
    assert "100 tokens of 50000 types" in ran(50_000, 100)[1]
    assert ran(100, 10**6, method="tokens") == ("tokens", "asked for")


@pytest.mark.parametrize(
    ("loop", "reason"),
    [
        (Loop(Categorical(), samples=9, regime=Mixed("1/3")), "reads more than counts"),
        (Loop(Categorical(), samples=9, sampling=Tempered(2)), "other frequencies"),
        (Loop(Categorical(), samples=2**31), "32 bits"),
    ],
)
def test_other_loops_are_refused(loop, reason):
    """Assert that what the counts of the last model do not settle is refused by name, and runs by another method."""
    with pytest.raises(ValueError, match=reason):
        simulate(loop, {"p": zipf(40)}, generations=2, chains=2, method="tokens")


@pytest.mark.parametrize(
    "expr",
    [
        Categorical.vocabulary,
        Categorical.collision**2 + K,
        Categorical.absorbed,
        ENTROPY,
        p[3] + 2 * p[4] * p0[3],
        Sum((p[i] - p0[i]) ** 2 / p0[i], WHOLE),
        Sum(i * p[i], WHOLE) - Sum(i * p0[i], WHOLE),
        Sum(Piecewise((1 - sign(p[i]), p0[i] < 0.02), (0, True)), WHOLE),
        Sum(p[i + 1] * p[i], (i, 0, K - 2)),
        Sum(p[i], (i, 0, 4)),
    ],
    ids=str,
)
def test_slots_read_what_all_frequencies_say(expr):
    """Assert that an observable of the types left is that of the whole vocabulary, lost types included."""
    types = 30
    with jax.enable_x64(True):
        slots = Slots(jnp.array([3, 17, 0, types, types]), jnp.array([0.25, 0.5, 0.25, 0.0, 0.0]))
        source = zipf(types)
        wanted = to_jax(expr, (p, p0))(np.asarray(dense(slots, types)), source)
        for here in (slots, slots._replace(used=jnp.int32(3))):
            np.testing.assert_allclose(reader(expr, types)(here, {"p0": source}), wanted, rtol=1e-13, atol=1e-15)


def test_a_sum_that_lost_types_make_meaningless_says_so():
    """Assert that an entropy without a value at 0 is as undefined from slots as from all frequencies."""
    bare = Sum(-p[i] * log(p[i]), WHOLE)
    with jax.enable_x64(True):
        slots = Slots(jnp.array([3, 1]), jnp.array([0.25, 0.75]))
        assert np.isnan(reader(bare, 4)(slots, {"p0": zipf(4)}))


def test_fifty_thousand_types_are_followed_by_name():
    """Assert that a large vocabulary is not recorded, its observables are, and the first fit has its expected size."""
    types, M, chains = 50_000, 100, 200
    run = simulate(Loop(Categorical(), samples=M), {"p": zipf(types)}, generations=3, chains=chains, observe=WATCHED)
    assert list(run) == list(WATCHED)
    assert (run.vocabulary.isel(generation=0) == types).all()
    first = run.vocabulary.isel(generation=1).to_numpy()
    assert abs(first.mean() - (1 - (1 - zipf(types)) ** M).sum()) < 5 * first.std() / chains**0.5
    assert (np.diff(run.vocabulary.to_numpy(), axis=1) <= 0).all()


def test_one_token_is_absorbed_at_once():
    """Assert that a single token per generation leaves one type for ever, the source's with its probability."""
    run = simulate(Loop(Categorical(), samples=1), {"p": zipf(40)}, generations=3, chains=30_000, observe=WATCHED)
    assert (run.absorbed.isel(generation=slice(1, None)) == 1).all()
    last = run.p.isel(generation=3).to_numpy()
    assert (last == run.p.isel(generation=1).to_numpy()).all()
    assert not rejected(last.sum(axis=0), zipf(40))
