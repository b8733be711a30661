"""Is the drift between two generations more than honest refits explain? The null is the loop itself.

The earlier sample is what the next model was fitted to. Under the null ``refits`` fits lie between the two samples, the
first to the earlier sample, each other one to ``samples`` points of the model before, and the later sample is drawn
from the last model: nothing is unknown, and every p-value is uniform.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.special import xlogy
from scipy.stats import norm
from sympy import S

from numerics.fitting.chance import DRAWS, Test, Tests, together, upper
from numerics.fitting.gamma_products import LogProduct
from numerics.fitting.one_step import variance_laws
from numerics.samplers import chain_key, chi_square, slot_key, uniform
from numerics.samplers.cipher import Key, halves
from theory import symbols
from theory.errors import NotClosed
from theory.estimators import Unbiased
from theory.families import Categorical, Gaussian
from theory.loop import Loop
from theory.regimes import Replace
from theory.sampling import Faithful

POWER = 0.9
"""Power at which the smallest visible change is stated."""
PATHS = 20_000
"""Draws of the variances between, over which the normal law of a mean is averaged."""


def refit_test(before: Any, after: Any, loop: Loop, *, refits: int = 1, level: float = 0.01, seed: int = 0) -> Tests:
    """Return whether ``after`` is farther from ``before`` than honest refits explain.

    Args:
        before: the sample that the first of the refits was fitted to: points for a Gaussian loop, shape (m,), or counts
            by type for a categorical one, shape (types,).
        after: a sample of the model after the refits, of the same kind and of any size.
        loop: a Gaussian loop that replaces its data, or a faithful categorical one; M is that of ``before`` if open.
        refits: fits between the two, >= 1.
        level: family-wise probability of a false alarm.
        seed: of the draws from the null.

    Raises:
        ValueError: samples or refits out of range.
        NotClosed: another loop.

    >>> refit_test([1, 2, 3, 4, 5, 6], [3, 3.2, 3.4, 3.6, 3.8], Loop(Gaussian())).more
    True
    """
    if refits < 1:
        raise ValueError(f"refits = {refits}: at least one fit lies between two generations. Give a number >= 1.")
    if not isinstance(loop.regime, Replace):
        raise NotClosed(f"regime: the null of {loop.regime} needs more than two generations. Ask for Replace().")
    if type(loop.family) is Gaussian:
        tests = _gaussian(_points(before, "before"), _points(after, "after"), loop, refits, level, seed)
    elif isinstance(loop.family, Categorical) and isinstance(loop.sampling, Faithful):
        tests = _categorical(*counted(before, after), loop, refits, seed)
    else:
        raise NotClosed(
            f"family: {loop.family} has no test against its own refits. Ask for a Gaussian or a categorical."
        )
    return together(tests, refits, level)


def _points(values: Any, name: str) -> np.ndarray:
    x = np.asarray(values, dtype=float).ravel()
    if len(x) < 3 or not np.isfinite(x).all() or np.ptp(x) == 0:
        raise ValueError(f"{name} holds {len(x)} points that show no variance. Give at least 3 finite, different ones.")
    return x


def counted(before: Any, after: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return two checked tables of counts."""
    tables = []
    for name, counts in (("before", before), ("after", after)):
        table = np.asarray(counts)
        if table.ndim != 1 or (table < 0).any() or (table != np.round(table)).any() or table.sum() < 1:
            raise ValueError(f"{name} is no table of counts. Give one whole number >= 0 for each type.")
        tables.append(table.astype(int))
    if len(tables[0]) != len(tables[1]):
        raise ValueError(
            f"before has {len(tables[0])} types and after {len(tables[1])}. Give both over the same types."
        )
    return tables[0], tables[1]


def _gaussian(before: np.ndarray, after: np.ndarray, loop: Loop, refits: int, level: float, seed: int) -> list[Test]:
    known = float(loop.estimator.multiplier(S(len(before)))) * before.var(ddof=1)
    between = [_factor(loop, S(len(before)))] * (refits - 1)
    exact = Loop(Gaussian(), estimator=Unbiased(), sampling=loop.sampling)
    scales, degrees = zip(*between, _factor(exact, S(len(after))), strict=True)
    law = LogProduct(scales, degrees)
    drift = float(np.log(after.var(ddof=1) / known))
    below = law.cdf(drift)
    # Power against a variance that is smaller by a factor, which shifts the logarithm.
    smallest = -np.expm1(law.quantile(level / 4) - law.quantile(POWER))
    expected = known * np.exp(law.quantile(0.5))
    variance = Test("variance", after.var(ddof=1), expected, 2 * min(below, 1 - below), smallest)
    return [variance, _mean_shift(before, after, known, between, scales[-1] * degrees[-1], seed)]


def _factor(loop: Loop, size: Any) -> tuple[float, float]:
    """Return (lambda, nu) of the factor lambda chi2_nu that one refit, or one sample, puts on the variance."""
    samples = loop.samples if loop.samples.is_Integer else size
    law = variance_laws(loop.substitute({symbols.M: samples}))[1]
    (scale,), (degrees,) = law.scales, law.degrees
    return float(scale.subs(symbols.V, 1)), float(degrees)


def _mean_shift(
    before: np.ndarray, after: np.ndarray, known: float, between: list[tuple[float, float]], tau: float, seed: int
) -> Test:
    """Return the test of the mean: normal given the variances between, and averaged over them.

    With one refit there are none, and the law is normal.
    """
    shift = float(after.mean() - before.mean())
    variances = known * tau * _paths(tuple(between), seed)
    sizes = np.array([len(before)] * len(between) + [len(after)])
    spread = np.sqrt((variances / sizes).sum(1))
    p = float(np.mean(2 * norm.sf(abs(shift) / spread)))
    return Test("mean", float(after.mean()), float(before.mean()), p)


@cache
def _paths(between: tuple[tuple[float, float], ...], seed: int) -> np.ndarray:
    """Return the factors of the variances before each draw of points, shape (paths, draws)."""
    if not between:
        return np.ones((1, 1))
    with jax.enable_x64(True):
        key = chain_key(seed, 0)
        columns = [
            np.asarray(scale * chi_square(slot_key(key, k), degrees, (PATHS,)))
            for k, (scale, degrees) in enumerate(between)
        ]
    return np.cumprod(np.column_stack([np.ones(PATHS), *columns]), axis=1)


def _categorical(before: np.ndarray, after: np.ndarray, loop: Loop, refits: int, seed: int) -> list[Test]:
    null, u = resampled(before, int(after.sum()), loop, refits, seed)
    p = before / before.sum()
    named = {"likelihood ratio": lambda n: _ratio(n, p), "entropy": lambda n: -_entropies(n), "types": _lost}
    tests = []
    for k, (name, statistic) in enumerate(named.items()):
        values, here = statistic(null), float(statistic(after[None])[0])
        sign = 1 if name == "likelihood ratio" else -1
        tests.append(Test(name, sign * here, sign * float(np.median(values)), upper(here, values, u[k])))
    return tests


def _ratio(counts: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return 2 sum n_i log(n_i/(m p_i)), infinite where a type comes back from nothing."""
    expected = counts.sum(1, keepdims=True) * p
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(counts > 0, counts * np.log(counts / expected), 0.0)
    return 2 * terms.sum(1)


def _entropies(counts: np.ndarray) -> np.ndarray:
    """Return Miller and Madow's estimate for every row."""
    M = counts.sum(1)
    return np.log(M) - xlogy(counts, counts).sum(1) / M + ((counts > 0).sum(1) - 1) / (2 * M)


def _lost(counts: np.ndarray) -> np.ndarray:
    return -(counts > 0).sum(1).astype(float)


def resampled(before: np.ndarray, size: int, loop: Loop, refits: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return counts of ``size`` tokens after the refits, shape (DRAWS, types), and uniform numbers to break ties."""
    M = int(loop.samples) if loop.samples.is_Integer else int(before.sum())
    with jax.enable_x64(True):
        counts = _count_chains((*[M] * (refits - 1), size))(halves(seed), jnp.asarray(before / before.sum()))
        return np.asarray(counts), np.asarray(uniform(chain_key(seed, DRAWS), (64,)))


@cache
def _count_chains(sizes: tuple[int, ...]) -> Callable[..., Array]:
    """Return the compiled function (seed, p) -> counts after as many fits as there are sizes, shape (DRAWS, types)."""

    def chain(seed: Any, index: Array, p: Array) -> Array:
        for k, tokens in enumerate(sizes):
            p = _multinomial(slot_key(chain_key(seed, index), k), p, tokens) / tokens
        return jnp.round(p * sizes[-1])

    return jax.jit(lambda seed, p: jax.lax.map(lambda k: chain(seed, k, p), jnp.arange(DRAWS), batch_size=64))


def _multinomial(key: Key, p: Array, tokens: int) -> Array:
    """Return counts of tokens that are drawn one by one: the cost is that of the tokens, however many types."""
    edges = jnp.cumsum(p)
    places = jnp.searchsorted(edges, uniform(key, (tokens,)) * edges[-1], side="right")
    return jnp.zeros_like(p).at[places].add(1.0)
