"""Normal variables by Box and Muller: both words of the cipher, one as a radius, one as an angle."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from numerics.cipher import Key, words


def normal(key: Key, shape: tuple[int, ...] = ()) -> Array:
    """Return z ~ N(0, 1) of the given shape."""
    return normals(key, shape)[0]


def normals(key: Key, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
    """Return two independent z ~ N(0, 1) of the given shape, sqrt(-2 log u) (cos 2 pi v, sin 2 pi v).

    G. E. P. Box, M. E. Muller, A note on the generation of random normal deviates, Ann. Math. Statist. 29 (1958)
    610-611.
    """
    upper, lower = (word.astype(float) * 2.0**-32 + 2.0**-33 for word in words(key, shape))
    radius, angle = jnp.sqrt(-2 * jnp.log(upper)), 2 * np.pi * lower
    return radius * jnp.cos(angle), radius * jnp.sin(angle)
