"""Gamma variables through their logarithms, by rejection from normal ones: exact, and finite however small they are."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.cipher import Key, Words, nonzero, slot_key, slots, word
from numerics.samplers.exact_normal import fine_deviates
from numerics.samplers.lanes import elementwise, first_taken


def log_gamma(key: Key, a: Any, shape: tuple[int, ...] = ()) -> Array:
    """Return log x for x ~ Gamma(a) of the given shape, a > 0.

    With d = a - 1/3, z ~ N(0, 1) and r = z/(3 sqrt(d)), x = d (1 + r)^3 is taken for a uniform u where

        log u < z^2/2 + d (1 - (1 + r)^3 + 3 log(1 + r)) = z^2/3 (q(r) + 1/2 - r/3),   q(r) = (log(1 + r) - r)/r^2,

    a form that does not cancel however large d is; below a = 1, log x = log x' + log(u)/a of x' ~ Gamma(a + 1).

    G. Marsaglia, W. W. Tsang, A simple method for generating gamma variables, ACM Trans. Math. Software 26 (2000)
    363-372.
    """
    a = jnp.broadcast_to(jnp.asarray(a, dtype=float), shape)
    return _log_gamma(tuple(slots(key, shape)), a)


@elementwise
def _log_gamma(place: tuple[Array, ...], a: Array) -> Array:
    key, small = Key(*place), a < 1
    d = jnp.where(small, a + 1, a) - 1 / 3
    log1p = _log_of_root(slot_key(key, 0), 1 / (3 * jnp.sqrt(d)))
    lift = elementary.log_of_normal(nonzero(word(slot_key(key, 1)), a.dtype)) / jnp.where(small, a, 1)
    return elementary.log(d) + 3 * log1p + jnp.where(small, lift, 0)


def _log_of_root(key: Key, spread: Array) -> Array:
    """Return log(1 + r) of the first r = spread z that is taken."""

    def tried(words: Sequence[Words]) -> tuple[Array, Array]:
        radius, angle, level = words
        z = fine_deviates(radius, angle, spread.dtype)[0]
        r = jnp.where(z * spread > -1, z * spread, 0)
        q, log_u = elementary.log_rest(r), elementary.log_of_normal(nonzero(level, spread.dtype))
        return r + r * r * q, (z * spread > -1) & (log_u < z * z * (q + 0.5 - r / 3) / 3)

    return first_taken(tried, 3, key, spread, jnp.isnan(spread))
