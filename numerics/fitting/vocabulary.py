"""The law of a vocabulary's curve: how many types are left, by generation, of many tokens and rare types.

A type of frequency p is missing at generation n with probability exp(-M p c_n), its tokens being independent
branching processes with Poisson offspring, fed by a share alpha of real tokens (see `numerics.texts.retention`):

    c_n = alpha (u_1 + .. + u_(n-1)) + u_n,   u_1 = 1,   u_(k+1) = 1 - exp(-(1 - alpha) u_k),

and one that is missing at m is still so, or again, at n > m with probability exp(-M p d_(n-m)), d_l = alpha (u_1 + .. +
u_l). Types are independent in this limit, so that the numbers left have

    E K_n = sum_i 1 - P_i(n),   Cov(K_m, K_n) = sum_i P_i(m) (P_i(n | missing at m) - P_i(n)),   m <= n,

and, being sums over many types, a joint law that is taken as normal. A fit counts exactly M tokens, alpha M of them
real: the chain is the branching process given all its totals. Given a total, a normal law loses

    Cov(K_m, e_g) Cov(K_n, e_g)/Var(e_g),   Cov(K_n, e_g) = u_j f_g(u_j) sum_i M p_i P_i(n),   j = n - g + 1,

for the innovation e_g of each total, with f_1 = 1 and f_g(u_j) = alpha + (1 - alpha) (1 - u_(j+1)) f_(g-1)(u_(j+1)),
where alpha is the share of the real tokens and the rest that of the model's. What the limit neglects in the mean at n
is bounded in `numerics.absorption.branching_limit`.

Where one set of alpha M real tokens is kept, a type is missing if it is not in the set and the others have died out,
and is then missing for ever: c_n = alpha + (1 - alpha) u_n and d_l = 0. The totals are that of the set, with the
covariance alpha sum_i M p_i P_i(n) and the variance alpha M, and those of the other tokens, with f_g(u_j) = (1 - alpha)
(1 - u_(j+1)) f_(g-1)(u_(j+1)) and their share 1 - alpha for all g.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.stats import multivariate_normal
from sympy import Expr, S

from numerics.lifting import number
from theory.errors import NotClosed
from theory.estimators import MLE
from theory.loop import Loop
from theory.regimes import Mixed, Replace
from theory.sampling import Faithful

CLASSES = 80
"""Types of nearly the same frequency are counted together, in at most this many classes."""
ROUNDING = 1 / 12
"""Variance of what is lost in rounding to whole numbers."""

Source = tuple[float, ...] | int
"""Frequencies of the source's types, or the number of types under Zipf's law."""
Law = Callable[[Mapping[str, Any], Array], Array]


def vocabulary_law(loop: Loop, source: Source) -> Law:
    """Return the function (values of M, alpha, beta; curves) -> log p(curves), of shape (runs, generations) from 0 on.

    Args:
        loop: a categorical loop.
        source: the types' frequencies, or how many types Zipf's law p_i ~ i^-beta has, beta unknown.
    """

    def law(values: Mapping[str, Any], curves: Array) -> Array:
        mean, covariance = curve_moments(loop, source, values, curves.shape[1] - 1)
        return jax.vmap(lambda run: _log_normal(run[1:], mean, covariance))(curves).sum()

    return law


def real_share(loop: Loop) -> Expr:
    """Return the share of real tokens in every fit.

    Raises:
        NotClosed: a loop whose vocabulary has no known law.
    """
    regime = loop.regime
    known = isinstance(regime, Replace) or (isinstance(regime, Mixed) and regime.count == "fixed")
    if not known or loop.estimator != MLE() or loop.sampling != Faithful() or loop.source is not None:
        raise NotClosed(
            f"regime: the vocabulary of {loop!r} has no known law. Ask for replace, or for mixed with fresh or kept "
            "tokens, of a loop that is fitted by maximum likelihood and sampled faithfully."
        )
    return regime.alpha if isinstance(regime, Mixed) else S.Zero


def curve_moments(loop: Loop, source: Source, values: Mapping[str, Any], generations: int) -> tuple[Array, Array]:
    """Return mean and covariance of the numbers of types left at generations 1..n, at values of M, alpha, beta."""
    p, repeats = classes(source) if isinstance(source, tuple) else zipf(source, values["beta"])
    samples, alpha = number(loop.samples, values), number(real_share(loop), values)
    kept = isinstance(loop.regime, Mixed) and not loop.regime.fresh
    return moments(samples * p, repeats, alpha, generations, kept=kept)


def moments(copies: Array, repeats: Any, alpha: Any, generations: int, *, kept: bool = False) -> tuple[Array, Array]:
    """Return mean and covariance of the numbers of types left at generations 1..n.

    Args:
        copies: M p for every class of types.
        repeats: how many types are in each.
        alpha: real share, in [0, 1].
        generations: n >= 1.
        kept: whether one set of real tokens is kept for all fits.
    """
    u, c, d = exponents(alpha, generations, kept=kept)
    rows = np.arange(generations)
    weighted = repeats[:, None] * jnp.exp(-copies[:, None] * c)
    missing = weighted / repeats[:, None]
    still = weighted.T @ jnp.exp(-copies[:, None] * d)
    upper = jnp.triu(still[rows[:, None], abs(rows - rows[:, None])])
    free = upper + jnp.triu(upper, 1).T - weighted.T @ missing
    held = (copies @ weighted) * (_held_beside if kept else _held)(u, alpha, generations)
    return jnp.asarray(repeats).sum() - weighted.sum(0), free - jnp.einsum("sgm,sgn->mn", held, held) / (
        repeats @ copies
    )


def exponents(alpha: Any, generations: int, *, kept: bool = False) -> tuple[Array, Array, Array]:
    """Return u_1..u_n, c_1..c_n and d_0..d_(n-1)."""

    def onward(u: Array, _: None) -> tuple[Array, Array]:
        return -jnp.expm1(-(1 - alpha) * u), u

    _, u = jax.lax.scan(onward, jnp.asarray(1.0), None, length=generations)
    if kept:
        return u, alpha + (1 - alpha) * u, jnp.zeros(generations)
    sums = alpha * jnp.concatenate([jnp.zeros(1), jnp.cumsum(u)[:-1]])
    return u, sums + u, sums


def _held(u: Array, alpha: Any, generations: int) -> Array:
    """Return u_j f_g(u_j), split by the two totals that a fit holds, per root of their share, shape (2, g, n)."""
    slope, rows = jnp.ones(generations), []
    for g in range(generations):
        if g:
            slope = (1 - u[1 : len(slope)]) * slope[1:]
            rows.append((jnp.sqrt(alpha) * u[: len(slope)], jnp.sqrt(1 - alpha) * u[: len(slope)] * slope))
            slope = alpha + (1 - alpha) * slope
        else:
            rows.append((jnp.zeros(generations), u))
    return jnp.stack(
        [jnp.stack([jnp.pad(part, (generations - len(part), 0)) for part in both]) for both in rows], axis=1
    )


def _held_beside(u: Array, alpha: Any, generations: int) -> Array:
    """Return the same of the total of a set that is kept, and of those beside it, shape (1, 1 + g, n)."""
    slope, rows = jnp.ones(generations), [jnp.sqrt(alpha) * jnp.ones(generations)]
    for g in range(generations):
        slope = (1 - alpha) * (1 - u[1 : len(slope)]) * slope[1:] if g else slope
        rows.append(jnp.pad(jnp.sqrt(1 - alpha) * u[: len(slope)] * slope, (g, 0)))
    return jnp.stack(rows)[None]


def _log_normal(run: Array, mean: Array, covariance: Array) -> Array:
    """Return the normal log density of a run; generations behind its end are left out of the law."""
    seen = jnp.isfinite(run)
    both = seen[:, None] & seen[None, :]
    kept = jnp.where(both, covariance, 0.0) + jnp.diag(jnp.where(seen, ROUNDING, 1.0))
    value: Any = multivariate_normal.logpdf(jnp.where(seen, run, 0.0), jnp.where(seen, mean, 0.0), kept)
    return value + (~seen).sum() * jnp.log(2 * jnp.pi) / 2


@cache
def classes(source: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies, and how many types have each; types of nearly the same frequency are put together.

    >>> classes((0.5, 0.25, 0.25))[1].tolist()
    [2.0, 1.0]
    """
    p = np.asarray(source, dtype=float) / np.sum(source)
    distinct, repeats = np.unique(p, return_counts=True)
    return _binned(np.log(distinct), distinct, repeats.astype(float))


def zipf(types: int, beta: Any) -> tuple[Array, np.ndarray]:
    """Return the same for p_i proportional to i^-beta, i = 1..types."""
    ranks = np.arange(1.0, types + 1)
    places, repeats = _binned(np.log(ranks), ranks, np.ones(types))
    p: Any = jnp.asarray(places) ** -beta
    return jnp.asarray(p / (repeats * p).sum()), repeats


def _binned(logs: np.ndarray, values: np.ndarray, repeats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean value of each bin of equal width in the logarithm, and how many are in it."""
    if len(values) <= CLASSES:
        return values, repeats
    _, place = np.unique(np.floor((logs - logs.min()) / np.ptp(logs) * CLASSES), return_inverse=True)
    counted = np.bincount(place, repeats)
    return np.bincount(place, repeats * values) / counted, counted
