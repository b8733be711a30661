"""Normal variables by Box and Muller: both words of the cipher, one as a radius, one as an angle.

The radius is one of 2^32 and the angle one of 2^32, so that no z is beyond `REACH`, and

    |P(z <= x) - Phi(x)| <= 2^-32 for every x:

given the angle, P(radius <= r) is off by half a step of u, 2^-33, at most, and given the radius so is the share of
angles.
"""

from math import log, sqrt
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.cipher import Key, jax_key, words

REACH = sqrt(66 * log(2))
"""No |z| is larger: the radius of the smallest u, 2^-33."""
DISTANCE = 2.0**-32
"""Bound on the Kolmogorov distance to N(0, 1), rounding apart."""


def normal(key: Key, shape: tuple[int, ...] = (), dtype: Any = float) -> Array:
    """Return z ~ N(0, 1) of the given shape."""
    return normals(key, shape, dtype)[0]


def normals(key: Key, shape: tuple[int, ...] = (), dtype: Any = float) -> tuple[Array, Array]:
    """Return two independent z ~ N(0, 1) of the given shape, sqrt(-2 log u) (cos 2 pi v, sin 2 pi v).

    G. E. P. Box, M. E. Muller, A note on the generation of random normal deviates, Ann. Math. Statist. 29 (1958)
    610-611.
    """
    return deviates(*words(key, shape), dtype)


def deviates(upper: Array, lower: Array, dtype: Any = float) -> tuple[Array, Array]:
    """Return two independent z ~ N(0, 1) made of words: a radius of the upper, an angle of the lower."""
    u = upper.astype(dtype)
    u = u * jnp.asarray(2.0**-32, u.dtype) + jnp.asarray(2.0**-33, u.dtype)
    return elementary.circle(lower, jnp.sqrt(-2 * elementary.log_of_normal(u)))


def exact_normal(key: Key, shape: tuple[int, ...] = (), dtype: Any = float) -> Array:
    """Return z ~ N(0, 1) by the inverse of its distribution function, as `jax.random` draws it."""
    return jax.random.normal(jax_key(key), shape, dtype)
