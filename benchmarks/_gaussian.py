"""The Gaussian loop, each generation replacing the last: the engine, and four programs that others would write.

All advance many chains by 100 generations from N(0, 1) with maximum likelihood, and record the mean and the mean square
over chains of mu, V and log V at every generation. What is compared is log V at the last one.
"""

from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _race import Case, Program
from jax import Array, lax

from numerics import simulate
from numerics.samplers.cipher import cipher
from theory import Gaussian, Loop

GENERATIONS = 100
LANES = 2**16
"""Chains that NumPy and JAX advance together: few enough for the cache, many enough for the interpreter."""
NUMBERS = {"f32": (np.float32, np.float32), "mixed": (np.float32, np.float64), "f64": (np.float64, np.float64)}
"""Precision -> type of the innovations and of the state."""
KNOWN = "precision" in signature(simulate).parameters
Run = Callable[[int, int], np.ndarray]


def engine(M: int, precision: str) -> Program:
    """The library: means and standard errors of mu, V and log V at every generation."""
    loop, more = Loop(Gaussian(), samples=M), {"precision": precision} if KNOWN else {}

    def simulated(seed: int, chains: int, paths: bool = False) -> Any:
        start = {"mu": 0, "V": 1}
        return simulate(loop, start, generations=GENERATIONS, chains=chains, seed=seed, paths=paths, **more)

    def run(seed: int, chains: int) -> None:
        simulated(seed, chains).load()

    def sample() -> np.ndarray:
        return simulated(2**40, 2**14, paths=True)["log_V"].values[:, -1]

    return Program("engine", run, GENERATIONS, 2**14, sample=sample)


def written_loop(M: int) -> Program:
    """The loop as people write it: draw M points, fit mean and standard deviation, draw again."""

    def run(seed: int, chains: int) -> np.ndarray:
        rng, history = np.random.default_rng(seed), []
        mu, sigma = np.zeros(chains), np.ones(chains)
        for _ in range(GENERATIONS):
            x = rng.normal(mu, sigma, (M, chains))
            mu, sigma = x.mean(axis=0), x.std(axis=0)
            V = sigma**2
            history.append([(x.mean(), (x**2).mean()) for x in (mu, V, np.log(V))])
        return 2 * np.log(sigma)

    return Program("loop", run, GENERATIONS, max(16, 2**16 // M), most=max(64, 2**20 // M))


def numpy_statistics(M: int, precision: str) -> Program:
    """NumPy with the same trick, its fastest generator, in place: mu += sqrt(V/M) z, V *= chi-square(M - 1)/M."""
    drawn, kept = NUMBERS[precision]

    def advance(rng: np.random.Generator, mu: np.ndarray, V: np.ndarray, z: np.ndarray) -> tuple[Any, ...]:
        rng.standard_normal(out=z, dtype=drawn)
        mu += np.sqrt(V * kept(1 / M)) * z
        rng.standard_gamma((M - 1) / 2, out=z, dtype=drawn)
        z *= drawn(2 / M)
        V *= z
        log_V = np.log(V, out=z if drawn is kept else None)
        return mu.mean(), mu @ mu, V.mean(), V @ V, log_V.mean(), log_V @ log_V

    def run(seed: int, chains: int) -> np.ndarray:
        rng, z, last = np.random.Generator(np.random.SFC64(seed)), np.empty(LANES, drawn), []
        for _ in range(chains // LANES):
            mu, V = np.zeros(LANES, kept), np.ones(LANES, kept)
            _ = [advance(rng, mu, V, z) for _ in range(GENERATIONS)]
            last.append(np.log(V))
        return np.concatenate(last)

    return Program("numpy", run, GENERATIONS, LANES)


def jax_random(M: int, precision: str) -> Program:
    """`jax.random.normal` and `jax.random.gamma` in a scan."""
    drawn, kept = NUMBERS[precision]

    def refit(state: tuple[Array, Array], key: Array) -> tuple[tuple[Array, Array], Any]:
        mu, V = state
        first, second = jax.random.split(key)
        mu = mu + jnp.sqrt(V / M) * jax.random.normal(first, mu.shape, drawn)
        V = V * jax.random.gamma(second, drawn((M - 1) / 2), mu.shape, drawn) * kept(2 / M)
        return (mu, V), [(x.mean(), (x**2).mean()) for x in (mu, V, jnp.log(V))]

    @jax.jit
    def chunk(key: Array) -> Any:
        start = jnp.zeros(LANES // 4, kept), jnp.ones(LANES // 4, kept)
        (_, V), history = lax.scan(refit, start, jax.random.split(key, GENERATIONS))
        return jnp.log(V), history

    def run(seed: int, chains: int) -> np.ndarray:
        with jax.enable_x64(kept is np.float64):
            keys = jax.random.split(jax.random.key(seed), 4 * chains // LANES)
            return np.concatenate([np.asarray(chunk(key)[0]) for key in keys])

    return Program("jax", run, GENERATIONS, LANES // 4)


def generator(precision: str, generations: int = GENERATIONS) -> Program:
    """The cipher alone: the words of every chain and generation, one call of it (two for 64 bits), and their parity."""
    calls = 1 if NUMBERS[precision][0] is np.float32 else 2

    def words(key: Array, chains: Array) -> Array:
        def step(parity: Array, k: Array) -> tuple[Array, None]:
            for slot in range(calls):
                upper, lower = cipher((key, key + np.uint32(slot)), chains, k)
                parity = parity ^ upper ^ lower
            return parity, None

        return lax.scan(step, jnp.zeros_like(chains), jnp.arange(1, generations + 1, dtype=np.uint32))[0]

    wide = {"xla_cpu_prefer_vector_width": "512"} if jax.default_backend() == "cpu" else None
    compiled = jax.jit(words, compiler_options=wide)

    def run(seed: int, chains: int) -> None:
        lanes = min(2**14, chains)
        parts = [np.arange(first, first + lanes, dtype=np.uint32) for first in range(0, chains, lanes)]
        jax.block_until_ready([compiled(np.uint32(seed), part) for part in parts])

    return Program("limit", run, generations, 2**18)


def numba_statistics(M: int) -> Iterator[Program]:
    """Numba with the same trick, vectorised by hand; nothing where Numba is not installed."""
    try:
        from _lanes import advanced
    except ImportError:
        return
    yield Program("numba", lambda seed, chains: np.log(advanced(seed, chains, M, GENERATIONS)), GENERATIONS, 2**14)


def programs(M: int, precision: str) -> list[Program]:
    """The engine, its peers, and the generator."""
    others = [written_loop(M), numpy_statistics(M, precision), jax_random(M, precision)]
    numba = [*numba_statistics(M)] if precision == "f32" else []
    return [engine(M, precision), *others, *numba, generator(precision)]


AIMS = {
    (10, "f32"): {"loop": 50, "numpy": 8, "numba": 2.5, "limit": 0.6},
    (100, "f32"): {"loop": 500, "numpy": 8, "numba": 2.5, "limit": 0.6},
    (10_000, "f32"): {"loop": 50_000, "numpy": 8, "numba": 2.5, "limit": 0.6},
    (100, "mixed"): {"loop": 400, "numpy": 6},
    (100, "f64"): {"loop": 150, "numpy": 2},
}


PARTS = (
    "With parts left out in turn, two normal variables take a fifth of the time, the chi-square and the state another, "
    "and the six sums that are recorded a third: at the aim nothing but the normals would fit beside the words."
)
STREAM = (
    "Numba's words are a stream, xoshiro128+, which takes fewer operations than the cipher whose words belong to a "
    "place, (seed, chain, generation), and so do not depend on chunks, devices or interruptions."
)
WIDE = (
    "Numbers of 32 bits are written to memory before the state of 64 bits reads them; in one loop with it only half as "
    "many would be drawn at a time."
)
WHY = {"f32": f"{STREAM} {PARTS}", "mixed": WIDE, "f64": ""}


def _case(M: int, precision: str) -> Case:
    name = f"Gaussian, M = {M:,}, {precision}"
    return Case(name, lambda: programs(M, precision), AIMS[M, precision], WHY[precision])


CASES = {f"gaussian-{M}-{p}": _case(M, p) for M, p in AIMS if KNOWN or p == "f64"}
