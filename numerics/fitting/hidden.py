"""A hidden chi-square number of a run, the squares of the real points it keeps, as a place on the unit interval.

NUTS moves on the logit x of a point u of the unit cube, whose prior is uniform. A chi-square variable S of nu degrees
that the curve bounds, because what is kept cannot be more than what is seen, is

    log S = z - log(1 + exp(z)/bound),   z = log nu - 1/nu + s x,   s = (1/6 + (3/pi^2) (2/nu + 4/nu^2))^(1/2),

with the weight p(S) dS/du. The weight makes the prior of S exact whatever z is; this one has nearly the centre of the
law, its long lower tail where nu is small, and the bound at infinity, so that nothing has an edge.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

LEAST = 1e-6
"""Degrees below which S is nothing beside any other part."""


def chi_square_at(u: Any, degrees: Any, bound: Any) -> tuple[Array, Array]:
    """Return S at the place u, and the logarithm of its weight p(S) dS/du.

    Args:
        u: in (0, 1).
        degrees: nu >= 0.
        bound: what S stays below, positive or infinite.

    >>> S, weight = chi_square_at(jnp.linspace(0.00005, 0.99995, 10000), 7.0, jnp.inf)
    >>> [round(float(x), 2) for x in (jnp.exp(weight).mean(), (S * jnp.exp(weight)).mean())]
    [1.0, 7.0]
    """
    df = jnp.maximum(degrees, LEAST)
    scale = jnp.sqrt(1 / 6 + 3 / jnp.pi**2 * (2 / df + 4 / df**2))
    z = jnp.log(df) - 1 / df + scale * (jnp.log(u) - jnp.log1p(-u))
    over = z - jnp.log(bound)
    log_S = z - jax.nn.softplus(over)
    density = df / 2 * (log_S - jnp.log(2.0)) - jnp.exp(log_S) / 2 - lax.lgamma(df / 2)
    return jnp.exp(log_S), density + jax.nn.log_sigmoid(-over) + jnp.log(scale) - jnp.log(u) - jnp.log1p(-u)
