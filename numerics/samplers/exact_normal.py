"""Normal variables by Box and Muller from four words of the cipher, 64 bits of radius and 64 of angle.

A float64 rounds both to 53 significant bits or more, so that no z is beyond `REACH`, where N(0, 1) has 2.3e-21, and

    |P(z <= x) - Phi(x)| <= 2^-53 for every x:

given the angle, P(radius <= r) is off by half a step of u, at most 2^-54 + 2^-65, and given the radius each end of an
arc is off by half a step of the angle, 2^-56 of a turn.
"""

from math import log, sqrt
from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.cipher import Key, Words, nonzero, slot_key, words

REACH = sqrt(130 * log(2))
"""No |z| is larger: the radius of the smallest u, 2^-65."""
DISTANCE = 2.0**-53
"""Bound on the Kolmogorov distance to N(0, 1) in float64, rounding of the functions apart."""


def exact_normal(key: Key, shape: tuple[int, ...] = (), dtype: Any = float) -> Array:
    """Return z ~ N(0, 1) of the given shape."""
    return exact_normals(key, shape, dtype)[0]


def exact_normals(key: Key, shape: tuple[int, ...] = (), dtype: Any = float) -> tuple[Array, Array]:
    """Return two independent z ~ N(0, 1) of the given shape, sqrt(-2 log u) (cos 2 pi v, sin 2 pi v)."""
    return fine_deviates(words(slot_key(key, 0), shape), words(slot_key(key, 1), shape), dtype)


def fine_deviates(radius: Words, angle: Words, dtype: Any = float) -> tuple[Array, Array]:
    """Return two independent z ~ N(0, 1) made of the words of a radius and of an angle.

    >>> fine = fine_deviates((jnp.uint32(0), jnp.uint32(0)), (jnp.uint32(2**31), jnp.uint32(0)))
    >>> bool(abs(fine[0] + REACH) < 1e-5)
    True
    """
    u = nonzero(radius, dtype)
    return elementary.circle(angle[0], jnp.sqrt(-2 * elementary.log_of_normal(u)), angle[1])
