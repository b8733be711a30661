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

LogDensity = Callable[[Array, Any], Array]
"""(u, data) -> log p(data | u), u a point of the unit cube."""

TAILS = 5.0
"""Degrees of freedom of Student's law from which the marginal likelihood is sampled: heavier tails than a posterior's."""
WEIGHED = 4096
"""Draws from it."""
STARTS = 512
"""Points of the prior among which a chain's start is drawn."""
WARM = 4.0
"""The start is drawn by the likelihood to the power 1/WARM: near the posterior, and more spread out than it."""


@frozen
class Effort:
    """How long NUTS runs: chains side by side, steps to adapt, and draws kept of every chain."""

    chains: int = 4
    warmup: int = 500
    draws: int = 500


def sampler(log_likelihood: LogDensity, size: int, effort: Effort) -> Callable[[Array, Any], dict[str, Array]]:
    """Return one chain of NumPyro's NUTS as a function (key, data) -> draws u, shape (draws, size), and divergences.

    The model is u ~ Uniform(0, 1)^size, data ~ exp(log_likelihood(u, data)). The function can be mapped and compiled.
    """

    def potential(data: Any) -> Callable[[Array], Array]:
        return lambda x: -_log_target(log_likelihood, x, data)

    start, move = hmc(potential_fn_gen=potential, algo="NUTS")

    def chain(key: Array, data: Any) -> dict[str, Array]:
        x = _start(log_likelihood, slot_key(key, 0), size, data)
        state = start(
            x,
            num_warmup=effort.warmup,
            dense_mass=True,
            target_accept_prob=0.9,
            model_args=(data,),
            rng_key=_numpyro_key(slot_key(key, 1)),
        )
        state, _ = jax.lax.scan(lambda s, _: (move(s, (data,)), None), state, None, length=effort.warmup)
        _, (x, diverging) = jax.lax.scan(lambda s, _: _kept(move(s, (data,))), state, None, length=effort.draws)
        return {"u": jax.nn.sigmoid(x), "diverging": diverging.sum()}

    return chain


def _kept(state: Any) -> tuple[Any, tuple[Array, Array]]:
    return state, (state.z, state.diverging)


def _log_target(log_likelihood: LogDensity, x: Array, data: Any) -> Array:
    """Return the log posterior density of x = logit(u), up to a constant."""
    value = log_likelihood(jax.nn.sigmoid(x), data)
    value = jnp.where(jnp.isnan(value), -jnp.inf, value)
    return value + (jax.nn.log_sigmoid(x) + jax.nn.log_sigmoid(-x)).sum(-1)


def _start(log_likelihood: LogDensity, key: Array, size: int, data: Any) -> Array:
    """Return logit(u) of one of the prior's points, drawn by its likelihood."""
    u = uniform(slot_key(key, 0), (STARTS, size)) * 0.98 + 0.01
    values = jax.lax.map(lambda one: log_likelihood(one, data), u, batch_size=64)
    values = jnp.where(jnp.isfinite(values), values, -jnp.inf)
    gumbel = -jnp.log(-jnp.log(uniform(slot_key(key, 1), (STARTS,)) * (1 - 1e-12) + 1e-13))
    chosen = u[jnp.argmax(values / WARM + gumbel)]
    return jnp.log(chosen) - jnp.log1p(-chosen)


def _numpyro_key(key: Array) -> Array:
    """Return a key in NumPyro's form: it draws its own numbers."""
    words = uniform(key, (2,)) * 2.0**32
    return jax.random.wrap_key_data(words.astype(jnp.uint32), impl="threefry2x32")


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


def weights(log_likelihood: LogDensity) -> Callable[..., Array]:
    """Return the function (key, centre, root, data) -> log of p(data | u) p(u)/q(u) at draws of q.

    q is Student's law about ``centre`` with scale matrix root root', on the logit scale.
    """

    def weigh(key: Array, centre: Array, root: Array, data: Any) -> Array:
        size = len(centre)
        stretch = jnp.sqrt(chi_square(slot_key(key, 1), TAILS, (WEIGHED, 1)) / TAILS)
        z = normal(slot_key(key, 0), (WEIGHED, size)) / stretch
        log_q = _log_student((z**2).sum(-1), size) - jnp.log(jnp.diag(root)).sum()
        x = centre + z @ root.T
        return jax.lax.map(lambda one: _log_target(log_likelihood, one, data), x, batch_size=256) - log_q

    return weigh


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
