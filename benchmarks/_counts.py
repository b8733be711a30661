"""The categorical loop, each generation replacing the last: the engine, and what others would write.

Ten generations from Zipf's law. Recorded at every one are the number of types that are left and sum_i p_i^2, as means
over chains; the latter at the last generation is what is compared.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _gaussian import generator
from _race import Case, Program
from jax import Array, lax

from numerics import simulate
from theory import Categorical, Loop

GENERATIONS = 10
OBSERVED = {"vocabulary": Categorical.vocabulary, "collision": Categorical.collision}
Recorded = tuple[Any, Any]


def zipf(types: int) -> np.ndarray:
    """P(type k), proportional to 1/(k + 1)."""
    weights = 1 / np.arange(1, types + 1)
    return weights / weights.sum()


def engine(types: int, M: int) -> Program:
    """The library: means and standard errors at every generation."""
    loop, start = Loop(Categorical(), samples=M), {"p": zipf(types)}

    def simulated(seed: int, chains: int, paths: bool = False) -> Any:
        run = {"generations": GENERATIONS, "chains": chains, "seed": seed}
        return simulate(loop, start, **run, paths=paths, observe=OBSERVED).load()

    few = 256 if types * M > 10**9 else 4096

    def sample() -> np.ndarray:
        return simulated(2**40, few, paths=True)["collision"].values[:, -1]

    def run(seed: int, chains: int) -> None:
        simulated(seed, chains)

    return Program("engine", run, GENERATIONS, few, sample=sample)


def _recorded(counts: np.ndarray, M: int) -> Recorded:
    """Types left and sum of squares of the frequencies, along the last axis."""
    shares = counts / M
    return (counts > 0).sum(-1), (shares * shares).sum(-1)


def written_loop(types: int, M: int) -> Program:
    """`p = rng.multinomial(M, p) / M` over all types, one chain after the other."""

    def run(seed: int, chains: int) -> np.ndarray:
        rng, last = np.random.default_rng(seed), []
        for _ in range(chains):
            p, history = zipf(types), []
            for _ in range(GENERATIONS):
                counts = rng.multinomial(M, p)
                p = counts / M
                history.append(((counts > 0).sum(), (p**2).sum()))
            last.append(history[-1][1])
        return np.array(last)

    return Program("loop", run, GENERATIONS, 64 if types > 10**4 else 1024)


def numpy_binomial(M: int) -> Program:
    """Two types: `Generator.binomial` over all chains at once."""

    def run(seed: int, chains: int) -> np.ndarray:
        rng, p = np.random.Generator(np.random.SFC64(seed)), np.full(chains, zipf(2)[0])
        for _ in range(GENERATIONS):
            p = rng.binomial(M, p) / M
            collision = 1 - 2 * p * (1 - p)
            _ = (1.0 + ((p > 0) & (p < 1))).mean(), collision.mean()
        return collision

    return Program("numpy", run, GENERATIONS, 2**14, most=2**18)


def numpy_multinomial(types: int, M: int) -> Program:
    """`Generator.multinomial` over all chains at once, of the types that any chain has left."""
    batch = max(1, 2**17 // types)

    def run(seed: int, chains: int) -> np.ndarray:
        rng, last = np.random.Generator(np.random.SFC64(seed)), []
        for _ in range(chains // batch):
            p = np.broadcast_to(zipf(types), (batch, types))
            for _ in range(GENERATIONS):
                counts = rng.multinomial(M, p)
                counts = counts[:, counts.any(axis=0)]
                p = counts / M
                left, collision = _recorded(counts, M)
                _ = left.mean(), collision.mean()
            last.append(collision)
        return np.concatenate(last)

    return Program("numpy", run, GENERATIONS, batch)


def numpy_tokens(types: int, M: int) -> Program:
    """The M tokens themselves: x' = x[floor(u M)], many chains at once; types are numbered anew after the first fit."""
    batch, room = max(1, 2**17 // M), min(types, M)
    rows = np.arange(batch)[:, None]

    def numbered(x: np.ndarray) -> np.ndarray:
        """0, 1, .. for the types that each chain has."""
        order = np.argsort(x, axis=1)
        ranks = np.cumsum(np.diff(np.take_along_axis(x, order, 1), axis=1, prepend=-1) > 0, axis=1) - 1
        found = np.empty_like(ranks)
        np.put_along_axis(found, order, ranks, 1)
        return found

    def run(seed: int, chains: int) -> np.ndarray:
        rng, ends, last = np.random.Generator(np.random.SFC64(seed)), np.cumsum(zipf(types)), []
        for _ in range(chains // batch):
            x = np.minimum(np.searchsorted(ends, rng.random((batch, M))), types - 1)
            x = x if types <= M else numbered(x)
            for k in range(GENERATIONS):
                x = np.take(x, rng.integers(0, M, (batch, M), np.int32) + M * rows) if k else x
                counts = np.bincount((x + room * rows).ravel(), minlength=batch * room).reshape(batch, room)
                left, collision = _recorded(counts, M)
                _ = left.mean(), collision.mean()
            last.append(collision)
        return np.concatenate(last)

    return Program("numpy", run, GENERATIONS, batch)


def jax_binomial(M: int) -> Program:
    """Two types: `jax.random.binomial` in a scan."""
    lanes = 2**12

    def refit(p: Array, key: Array) -> tuple[Array, Recorded]:
        p = jax.random.binomial(key, float(M), p, p.shape) / M
        return p, ((1.0 + ((p > 0) & (p < 1))).mean(), (1 - 2 * p * (1 - p)).mean())

    @jax.jit
    def chunk(key: Array) -> Any:
        return lax.scan(refit, jnp.full(lanes, zipf(2)[0]), jax.random.split(key, GENERATIONS))

    def run(seed: int, chains: int) -> np.ndarray:
        keys = jax.random.split(jax.random.key(seed), chains // lanes)
        p = np.concatenate([np.asarray(chunk(key)[0], float) for key in keys])
        return 1 - 2 * p * (1 - p)

    return Program("jax", run, GENERATIONS, lanes)


def numba_twin(types: int, M: int) -> Iterator[Program]:
    """Numba, token by token or type by type, whichever is faster; nothing where Numba is not installed."""
    try:
        from _twins import categorical, walker
    except ImportError:
        return
    law = zipf(types)
    alias = walker(law)
    chains = 16 if types * M > 10**8 else 1024
    yield Program("numba", lambda seed, size: categorical(seed, size, law, alias, M, GENERATIONS), GENERATIONS, chains)


def programs(types: int, M: int) -> list[Program]:
    """The engine and its peers."""
    if types == 2:
        others = [numpy_binomial(M), jax_binomial(M)]
    else:
        others = [numpy_tokens(types, M) if types >= M else numpy_multinomial(types, M)]
    limit = [generator("f32", GENERATIONS)] if types == 2 else []
    return [engine(types, M), written_loop(types, M), *others, *numba_twin(types, M), *limit]


TWO = {"numpy": 8, "jax": 15, "limit": 0.4}
AIMS = {
    (2, 100): TWO,
    (2, 10_000): TWO,
    (2, 1_000_000): TWO,
    (100, 100): {"numpy": 9},
    (100, 10_000): {"numpy": 6},
    (100, 1_000_000): {"numpy": 6},
    (50_000, 100): {"loop": 1000},
    (50_000, 10_000): {"numba": 1.1},
    (50_000, 1_000_000): {"numba": 1},
}


RECORDED = (
    "Half of the time of one more generation are the means and mean squares that are recorded of it, a quarter the "
    "words; and what a run begins with is shared by no more than ten generations."
)
WHY = {
    **dict.fromkeys([(2, 100), (2, 10_000), (2, 1_000_000)], RECORDED),
    (100, 100): (
        "Half of the time goes to redrawing the tokens: every one of 100 is compared with the running sums of all 100 "
        "types, 64 comparisons at once, most of them of types that are lost; a tenth of the generations, the first, "
        "takes a quarter of the time."
    ),
    (100, 10_000): (
        "Where some of the chains side by side have few tokens of a type, all of them wait for a sum of 72 "
        "probabilities in 64 bits, 17 of the 23 nanoseconds of a count; M = 1,000,000 is free of it."
    ),
    (50_000, 10_000): (
        "A quarter of the time is the first fit, drawn in the order of its types; of a later one two fifths are words "
        "of 64 bits, one for each token, and a third is the count of them, added up one by one. Numba's tokens have 32 "
        "bits each, of a stream."
    ),
}


def _case(types: int, M: int) -> Case:
    return Case(f"{types:,} types, M = {M:,}", lambda: programs(types, M), AIMS[types, M], WHY.get((types, M), ""))


CASES = {f"counts-{types}-{M}": _case(types, M) for types, M in AIMS}
