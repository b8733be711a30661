"""The multivariate Gaussian and the least squares loop: the engine, and what others would write.

Twenty generations of M points from N(0, I), each replacing the last, with maximum likelihood. Every program records
means of the first coordinate, of the trace and of log det at every generation; log det at the last one is compared.
Least squares in three dimensions records w and |w|^2, the latter is compared.

With T the triangle of Bartlett, T_jj^2 ~ chi-square(M - 1 - j), the scatter of M points is L T T'L', Sigma = L L'. The
least squares error is noise^(1/2) z/(chi-square(M - d + 1))^(1/2), z ~ N(0, I).
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from _gaussian import NUMBERS
from _race import Case, Program
from sympy import Trace

from numerics import simulate
from theory import LinearRegression, Loop, MultivariateGaussian

GENERATIONS, M, ROWS, WEIGHTS = 20, 100, 300, 3
OBSERVED = {"first": MultivariateGaussian.mu[0], "trace": Trace(MultivariateGaussian.Sigma)}
SMALL = 8
"""Up to this dimension NumPy multiplies entry by entry, each an array of many chains."""


def engine(d: int, precision: str) -> Program:
    """The library: means and standard errors at every generation."""
    loop = Loop(MultivariateGaussian([0] * d, np.eye(d, dtype=int).tolist()), samples=M)
    how = {"generations": GENERATIONS, "observe": OBSERVED, "precision": precision}

    def simulated(seed: int, chains: int, paths: bool = False) -> Any:
        return simulate(loop, chains=chains, seed=seed, paths=paths, **how).load()

    def sample() -> np.ndarray:
        return simulated(2**40, 2**14 // d, paths=True)["log_det"].values[:, -1]

    def run(seed: int, chains: int) -> None:
        simulated(seed, chains)

    return Program("engine", run, GENERATIONS, 2**14 // d, sample=sample)


def written_loop(d: int) -> Program:
    """Draw M points, fit mean and covariance, draw again."""

    def run(seed: int, chains: int) -> np.ndarray:
        rng, last = np.random.default_rng(seed), []
        for _ in range(chains):
            mu, Sigma, history = np.zeros(d), np.eye(d), []
            for _ in range(GENERATIONS):
                x = rng.multivariate_normal(mu, Sigma, size=M)
                mu, Sigma = x.mean(axis=0), np.cov(x, rowvar=False, bias=True)
                history.append((np.trace(Sigma), np.linalg.slogdet(Sigma)[1]))
            last.append(history[-1][1])
        return np.array(last)

    return Program("loop", run, GENERATIONS, 16)


def numpy_batched(d: int) -> Program:
    """The same points, many chains at once."""
    batch = max(4, 2**12 // d)

    def run(seed: int, chains: int) -> np.ndarray:
        rng, last = np.random.Generator(np.random.SFC64(seed)), []
        for _ in range(chains // batch):
            mu, Sigma = np.zeros((batch, d)), np.broadcast_to(np.eye(d), (batch, d, d))
            for _ in range(GENERATIONS):
                x = rng.standard_normal((batch, M, d)) @ np.linalg.cholesky(Sigma).transpose(0, 2, 1)
                means = x.mean(axis=1)
                Sigma = x.transpose(0, 2, 1) @ x / M - means[:, :, None] * means[:, None, :]
                mu = mu + means
                log_det = np.linalg.slogdet(Sigma)[1]
                _ = mu.mean(), np.trace(Sigma, axis1=1, axis2=2).mean(), log_det.mean()
            last.append(log_det)
        return np.concatenate(last)

    return Program("batched", run, GENERATIONS, batch)


def chi(rng: np.random.Generator, df: Any, shape: tuple[int, ...], kind: Any) -> np.ndarray:
    """Roots of chi-square variables."""
    return np.sqrt(2 * rng.standard_gamma(df / 2, shape, kind))


def numpy_triangles(d: int, precision: str) -> Program:
    """Bartlett's triangles, entry by entry or as matrices, whichever is faster."""
    batch, kind = max(16, 2**14 // d), NUMBERS[precision][0]
    degrees, scale = M - 1 - np.arange(d), kind(1 / np.sqrt(M))

    def by_entry(rng: np.random.Generator, mu: Any, L: Any) -> tuple[Any, Any, Any]:
        """L[i][j], i >= j, are arrays of all chains."""
        for i in range(d):
            z = rng.standard_normal((i + 1, batch), kind) * scale
            mu = [m + L[k][i] * z[i] if k >= i else m for k, m in enumerate(mu)]
        T = [[*rng.standard_normal((i, batch), kind), chi(rng, degrees[i], (batch,), kind)] for i in range(d)]
        L = [[scale * sum(L[i][k] * T[k][j] for k in range(j, i + 1)) for j in range(i + 1)] for i in range(d)]
        trace = sum((entry * entry).mean() for row in L for entry in row)
        return mu, L, (trace, 2 * np.log(np.prod([L[i][i] for i in range(d)], axis=0)))

    def by_matrix(rng: np.random.Generator, mu: Any, L: Any) -> tuple[Any, Any, Any]:
        mu = mu + (L @ rng.standard_normal((batch, d, 1), kind))[..., 0] * scale
        T = np.tril(rng.standard_normal((batch, d, d), kind), -1)
        T[:, range(d), range(d)] = chi(rng, degrees, (batch, d), kind)
        L = L @ T * scale
        log_det = 2 * np.log(np.diagonal(L, axis1=1, axis2=2)).sum(axis=1)
        return mu, L, (np.vdot(L, L) / batch, log_det)

    def start() -> tuple[Any, Any]:
        if d > SMALL:
            return np.zeros((batch, d), kind), np.broadcast_to(np.eye(d, dtype=kind), (batch, d, d))
        return [np.zeros(batch, kind)] * d, [[np.full(batch, kind(i == j)) for j in range(i + 1)] for i in range(d)]

    def run(seed: int, chains: int) -> np.ndarray:
        rng, last = np.random.Generator(np.random.SFC64(seed)), []
        advance = by_entry if d <= SMALL else by_matrix
        for _ in range(chains // batch):
            mu, L = start()
            for _ in range(GENERATIONS):
                mu, L, (trace, log_det) = advance(rng, mu, L)
                _ = np.mean(mu), trace, log_det.mean()
            last.append(log_det)
        return np.concatenate(last)

    return Program("numpy", run, GENERATIONS, batch)


def numba_triangles(d: int) -> Iterator[Program]:
    """Bartlett's triangles in Numba; nothing where it is not installed."""
    try:
        from _triangles import wishart
    except ImportError:
        return
    yield Program("numba", lambda seed, chains: wishart(seed, chains, d, M, GENERATIONS), GENERATIONS, 2**12 // d)


def least_squares(precision: str) -> list[Program]:
    """The engine and its peers in three dimensions, noise 1, true weights of length 1."""
    loop = Loop(LinearRegression(dimension=WEIGHTS, noise=1), samples=ROWS)
    how = {"generations": GENERATIONS, "precision": precision}

    def simulated(seed: int, chains: int, paths: bool = False) -> Any:
        return simulate(loop, {"w0": 1}, chains=chains, seed=seed, paths=paths, **how).load()

    def engine_run(seed: int, chains: int) -> None:
        simulated(seed, chains)

    def engine_sample() -> np.ndarray:
        return simulated(2**40, 2**12, paths=True)["squares"].values[:, -1]

    def written(seed: int, chains: int) -> np.ndarray:
        rng, last = np.random.default_rng(seed), []
        for _ in range(chains):
            w, history = np.eye(WEIGHTS)[0], []
            for _ in range(GENERATIONS):
                X = rng.normal(size=(ROWS, WEIGHTS))
                y = X @ w + rng.normal(size=ROWS)
                w = np.linalg.lstsq(X, y)[0]
                history.append((w[0], w @ w))
            last.append(w @ w)
        return np.array(last)

    batch, kind = 2**14, NUMBERS[precision][0]

    def same_trick(seed: int, chains: int) -> np.ndarray:
        rng, last = np.random.Generator(np.random.SFC64(seed)), []
        for _ in range(chains // batch):
            w = np.broadcast_to(np.eye(WEIGHTS, dtype=kind)[0][:, None], (WEIGHTS, batch))
            for _ in range(GENERATIONS):
                scale = 1 / chi(rng, ROWS - WEIGHTS + 1, (batch,), kind)
                w = w + rng.standard_normal((WEIGHTS, batch), kind) * scale
                squares = (w * w).sum(axis=0)
                _ = w[0].mean(), squares.mean()
            last.append(squares)
        return np.concatenate(last)

    found = [
        Program("engine", engine_run, GENERATIONS, 2**12, sample=engine_sample),
        Program("loop", written, GENERATIONS, 64),
        Program("numpy", same_trick, GENERATIONS, batch),
    ]
    if precision != "f32":
        return found
    try:
        from _triangles import student
    except ImportError:
        return found
    twin = Program("numba", lambda seed, n: student(seed, n, WEIGHTS, ROWS, GENERATIONS), GENERATIONS, 2**12)
    return [*found, twin]


def programs(d: int, precision: str) -> list[Program]:
    """The engine and its peers in d dimensions; of NumPy's two ways the faster is the same trick's."""
    others = [written_loop(d), numpy_batched(d), numpy_triangles(d, precision)]
    return [engine(d, precision), *others, *(numba_triangles(d) if precision == "f32" else [])]


AIMS = {2: {"loop": 1000, "numba": 5}, 8: {"loop": 200, "numba": 1}, 64: {"loop": 25, "numba": 1}}


def _cases(precision: str) -> dict[str, Case]:
    """Cases of one precision; Numba's peers compute in float32."""
    words = f"least squares, d = {WEIGHTS}, M = {ROWS}, {precision}"
    found = {
        f"matrix-regression-{precision}": Case(words, partial(least_squares, precision), {"loop": 800, "numba": 1})
    }
    for d, aims in AIMS.items():
        words = f"multivariate Gaussian, d = {d}, M = {M}, {precision}"
        found[f"matrix-{d}-{precision}"] = Case(words, partial(programs, d, precision), aims)
    return found


CASES = {**_cases("f32"), **_cases("f64")}
