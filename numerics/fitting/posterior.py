"""Draws from a posterior by NUTS, and the marginal likelihood by importance sampling with its standard error.

Both live on the logit of the unit cube of `unknowns`, where nothing has an edge.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from attrs import frozen
from jax import Array
from numpyro.infer.hmc import hmc

from numerics.samplers import chi_square, normal, slot_key, uniform
from numerics.samplers.cipher import Key, jax_key

LogDensity = Callable[[Array, Any], Array]
"""(u, data) -> log p(data | u), u a point of the unit cube."""

TAILS = 5.0
"""Degrees of freedom of Student's law, from which the marginal likelihood is sampled: its tails are heavy."""
POINTS = 2048
"""Draws from it, and points of the prior among which chains start."""
WARM = 4.0
"""The start is drawn by the likelihood to the power 1/WARM: near the posterior, and more spread out than it."""


@frozen
class Effort:
    """How long NUTS runs: chains side by side, steps to adapt, and draws kept of every chain."""

    chains: int = 4
    warmup: int = 300
    draws: int = 500


def sampler(log_likelihood: LogDensity, effort: Effort) -> Callable[[Key, Array, Any], dict[str, Array]]:
    """Return one chain of NumPyro's NUTS as a function (key, start, data) -> draws u, shape (draws, size), and
    divergences.

    The model is u ~ Uniform(0, 1)^size, data ~ exp(log_likelihood(u, data)); the start is logit(u). The function can be
    mapped and compiled.
    """
    # Compiled as a part of its own, it is traced once instead of at every place where NUTS calls it.
    target = jax.jit(log_target(log_likelihood))
    start, move = hmc(potential_fn_gen=lambda data: lambda x: -target(x, data), algo="NUTS")

    def chain(key: Key, x: Array, data: Any) -> dict[str, Array]:
        state = start(x, num_warmup=effort.warmup, dense_mass=True, model_args=(data,), rng_key=jax_key(key))

        def onward(state: Any, _: None) -> tuple[Any, tuple[Array, Array]]:
            state = move(state, (data,))
            return state, (state.z, state.diverging)

        _, (x, diverging) = jax.lax.scan(onward, state, None, length=effort.warmup + effort.draws)
        return {"u": jax.nn.sigmoid(x[effort.warmup :]), "diverging": diverging[effort.warmup :].sum()}

    return chain


def log_target(log_likelihood: LogDensity) -> LogDensity:
    """Return the log posterior density of x = logit(u), up to a constant; -inf where the data are impossible."""

    def target(x: Array, data: Any) -> Array:
        value = log_likelihood(jax.nn.sigmoid(x), data)
        value = jnp.where(jnp.isnan(value), -jnp.inf, value)
        return value + (jax.nn.log_sigmoid(x) + jax.nn.log_sigmoid(-x)).sum(-1)

    return target


def prior_points(key: Key, size: int) -> Array:
    """Return logit(u) of points of the prior, shape (POINTS, size)."""
    u = uniform(key, (POINTS, size)) * 0.98 + 0.01
    return jnp.log(u) - jnp.log1p(-u)


def starts(key: Key, points: Array, values: Array, chains: int) -> Array:
    """Return starts among points of the prior, drawn by their posterior density to the power 1/WARM."""
    gumbel = -jnp.log(-jnp.log(uniform(key, (chains, len(points))) * (1 - 1e-12) + 1e-13))
    return points[jnp.argmax(jnp.where(jnp.isfinite(values), values, -jnp.inf) / WARM + gumbel, axis=1)]


@frozen
class Evidence:
    """log of the marginal likelihood, the mean of the likelihood over the prior, with its standard error.

    ``effective`` is how many of the draws count, (sum w)^2/sum w^2; below a tenth of them the error is not to be
    trusted. -inf where no draw of the prior makes the curve possible.
    """

    log: float
    error: float
    effective: float


IMPOSSIBLE = Evidence(-np.inf, 0.0, 0.0)


def student(key: Key, centre: np.ndarray, root: np.ndarray) -> tuple[Array, Array]:
    """Return draws of Student's law about ``centre`` with scale matrix root root', (POINTS, size), and their log
    densities.
    """
    stretch = jnp.sqrt(chi_square(slot_key(key, 1), TAILS, (POINTS, 1)) / TAILS)
    z = normal(slot_key(key, 0), (POINTS, len(centre))) / stretch
    log_density = _log_student((z**2).sum(-1), len(centre)) - jnp.log(jnp.diag(root)).sum()
    return jnp.asarray(centre) + z @ root.T, log_density


def _log_student(square: Array, size: int) -> Array:
    shape = (TAILS + size) / 2
    constant = jax.lax.lgamma(shape) - jax.lax.lgamma(TAILS / 2) - size / 2 * jnp.log(TAILS * jnp.pi)
    return constant - shape * jnp.log1p(square / TAILS)


def evidence(log_weights: np.ndarray) -> Evidence:
    """Return the marginal likelihood from log importance weights."""
    top = log_weights.max()
    if not np.isfinite(top):
        return IMPOSSIBLE
    w = np.exp(log_weights - top)
    error = w.std() / w.mean() / np.sqrt(len(w))
    return Evidence(float(top + np.log(w.mean())), float(error), float(w.sum() ** 2 / (w**2).sum()))


def proposal(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean, and a root of the covariance, of posterior draws u of shape (draws, size) on the logit scale."""
    x = np.log(u) - np.log1p(-u)
    covariance = np.atleast_2d(np.cov(x.T)) + 1e-10 * np.eye(x.shape[1])
    return x.mean(0), np.linalg.cholesky(covariance)


def rhat(by_chain: np.ndarray) -> float:
    """Return the largest split R-hat, of draws of shape (chains, draws, size); 1 where the chains have mixed.

    Source: A. Gelman et al., Bayesian Data Analysis, 3rd ed., section 11.4.
    """
    halves = np.concatenate(np.array_split(by_chain, 2, axis=1)[:2], axis=0)
    within = halves.var(axis=1, ddof=1).mean(0)
    between = halves.mean(axis=1).var(axis=0, ddof=1)
    return float(np.sqrt(1 + np.max(between / np.maximum(within, np.finfo(float).tiny))))
