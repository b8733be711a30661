"""Parts of a vector of uniformly random direction, from chi-square variables: exact."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.chi_square import log_chi_square
from numerics.samplers.cipher import Key, slot_key
from numerics.samplers.uniform import uniform


def parts(key: Key, p: Any, q: Any, square: Any, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
    """Return (x, y), lengths with random signs: x^2 + y^2 = square and x^2/square ~ Beta(p/2, q/2), p, q >= 0.

    Degrees below 0 are none; a square below 0 by rounding is 0.
    """
    one, two = (log_chi_square(slot_key(key, slot), jnp.maximum(df, 0), shape) for slot, df in enumerate((p, q)))
    share = jnp.where(one > -jnp.inf, 1 / (1 + elementary.exp(two - one)), 0.0)
    length = jnp.sqrt(jnp.maximum(square, 0.0))
    signs = (jnp.where(uniform(slot_key(key, 2 + side), shape) < 0.5, -1.0, 1.0) for side in range(2))
    sides = length * jnp.sqrt(share), length * jnp.sqrt(jnp.where(two > -jnp.inf, 1 - share, 0.0))
    x, y = (sign * side for sign, side in zip(signs, sides, strict=True))
    return x, y


def sides(one: Array, two: Array, square: Any) -> tuple[Array, Array]:
    """Return the same from roots of chi-square variables of p and q degrees, each with a random sign; of none 0."""
    total = one * one + two * two
    length = jnp.sqrt(jnp.maximum(square, 0.0) / jnp.where(total > 0, total, 1)).astype(total.dtype)
    return length * one, length * two
