"""A mixture of two normal laws fitted by expectation maximisation, each generation replacing the last: four programs.

M points a generation, `STEPS` rounds from the last model in every fit, variances kept above 10^-6 as by scikit-learn.
Recorded are mean and variance of a point as means over chains; the variance at the last generation is compared.
"""

from functools import partial
from typing import Any

import numpy as np
from _race import Case, Program

import theory
from numerics import simulate
from theory import Loop

GENERATIONS, M, STEPS, FLOOR = 5, 300, 20, 1e-6
WEIGHTS, MEANS, VARIANCES = (0.5, 0.5), (-2.0, 2.0), (1.0, 1.0)
KNOWN = hasattr(theory, "Mixture") and hasattr(theory, "EM")


def engine(precision: str) -> Program:
    """The library: means and standard errors at every generation."""
    family = theory.Mixture(2, weights=["1/2", "1/2"], means=[-2, 2], variances=[1, 1])
    loop = Loop(family, estimator=theory.EM(STEPS, tolerance=0), samples=M)

    def simulated(seed: int, chains: int, paths: bool = False) -> Any:
        return simulate(
            loop, generations=GENERATIONS, chains=chains, seed=seed, paths=paths, precision=precision
        ).load()

    def run(seed: int, chains: int) -> None:
        simulated(seed, chains)

    return Program("engine", run, GENERATIONS, 256, sample=lambda: simulated(2**40, 1024, True)["V"].values[:, -1])


def spread(w: np.ndarray, m: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Variance of a point, components along the first axis."""
    return (w * (v + m**2)).sum(0) - (w * m).sum(0) ** 2


def fitted(x: np.ndarray, w: np.ndarray, m: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """EM over points x (..., M) from w, m, v (2, ..., 1), as it is written in NumPy."""
    for _ in range(STEPS):
        chance = w / np.sqrt(v) * np.exp(-((x - m) ** 2) / (2 * v))
        chance /= chance.sum(axis=0)
        total = chance.sum(axis=-1, keepdims=True)
        w, m = total / x.shape[-1], (chance * x).sum(axis=-1, keepdims=True) / total
        v = (chance * (x - m) ** 2).sum(axis=-1, keepdims=True) / total + FLOOR
    return w, m, v


def numpy_loop(name: str, batch: int) -> Program:
    """One chain after the other, or many at once."""

    def run(seed: int, chains: int) -> np.ndarray:
        rng, last = np.random.default_rng(seed), []
        for _ in range(chains // batch):
            w, m, v = (np.tile(np.reshape(x, (2, 1, 1)), (1, batch, 1)) for x in (WEIGHTS, MEANS, VARIANCES))
            for _ in range(GENERATIONS):
                second = rng.random((batch, M)) >= w[0]
                x = np.where(second, m[1], m[0]) + np.sqrt(np.where(second, v[1], v[0])) * rng.normal(size=(batch, M))
                w, m, v = fitted(x, w, m, v)
                V = spread(w, m, v)
                _ = (w * m).sum(0).mean(), V.mean()
            last.append(V[:, 0])
        return np.concatenate(last)

    return Program(name, run, GENERATIONS, batch * max(1, 64 // batch))


def programs(precision: str) -> list[Program]:
    """The engine and its peers."""
    found = [engine(precision), numpy_loop("loop", 1), numpy_loop("numpy", 32)]
    try:
        from _climbs import mixtures
    except ImportError:
        return found
    start = np.array([WEIGHTS, MEANS, VARIANCES])
    twin = Program("numba", lambda seed, n: mixtures(seed, n, start, M, GENERATIONS, STEPS, FLOOR), GENERATIONS, 256)
    return [*found, twin]


WORDS = f"mixture of two, EM of {STEPS} rounds, M = {M}"
AIMS = {"loop": 60, "numba": 3}
LOOP = (
    "The written loop works on vectors of 300 points, by loops of NumPy's own: it is 11 times as slow as Numba by "
    "hand, where the two aims suppose 20."
)
ROUNDS = (
    "Three quarters of the time are the rounds, 2.8 ns for a point where single precision takes 1.2, with half as many "
    "numbers in a register; the rest is all that is not a round, as the points that are drawn."
)
WHY = {"f32": LOOP, "f64": f"{LOOP} {ROUNDS}"}
CASES = {
    f"mixture {precision}": Case(f"{WORDS}, {precision}", partial(programs, precision), AIMS, WHY[precision])
    for precision in ("f32", "f64")
    if KNOWN
}
