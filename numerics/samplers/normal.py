"""Normal variables by Box and Muller: both words of the cipher, one as a radius, one as an angle.

The radius is one of 2^32 and the angle one of 2^32, so that no z is beyond `REACH`, and

    |P(z <= x) - Phi(x)| <= 2^-32 for every x:

given the angle, P(radius <= r) is off by half a step of u, 2^-33, at most, and given the radius so is the share of
angles. Inside `exactly` they are those of `exact_normal`, which take twice as many words.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import log, sqrt
from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.cipher import Key, slot_key, word, words
from numerics.samplers.exact_normal import exact_normals, fine_deviates

REACH = sqrt(66 * log(2))
"""No |z| is larger: the radius of the smallest u, 2^-33."""
DISTANCE = 2.0**-32
"""Bound on the Kolmogorov distance to N(0, 1), rounding apart."""
_FINE = ContextVar("fine", default=False)


@contextmanager
def exactly(fine: bool = True) -> Iterator[None]:
    """Trace programs in which normal variables have 64 bits of radius and of angle."""
    before = _FINE.set(fine)
    try:
        yield
    finally:
        _FINE.reset(before)


def normal(key: Key, shape: tuple[int, ...] = (), dtype: Any = float) -> Array:
    """Return z ~ N(0, 1) of the given shape."""
    return normals(key, shape, dtype)[0]


def normals(key: Key, shape: tuple[int, ...] = (), dtype: Any = float) -> tuple[Array, Array]:
    """Return two independent z ~ N(0, 1) of the given shape, sqrt(-2 log u) (cos 2 pi v, sin 2 pi v).

    G. E. P. Box, M. E. Muller, A note on the generation of random normal deviates, Ann. Math. Statist. 29 (1958)
    610-611.
    """
    return exact_normals(key, shape, dtype) if _FINE.get() else deviates(*words(key, shape), dtype)


def normals_at(key: Key, dtype: Any = float) -> tuple[Array, Array]:
    """Return two independent z ~ N(0, 1) at every key of an array of them."""
    if _FINE.get():
        return fine_deviates(word(slot_key(key, 0)), word(slot_key(key, 1)), dtype)
    return deviates(*word(key), dtype)


def deviates(upper: Array, lower: Array, dtype: Any = float) -> tuple[Array, Array]:
    """Return two independent z ~ N(0, 1) made of words: a radius of the upper, an angle of the lower."""
    u = upper.astype(dtype)
    u = u * jnp.asarray(2.0**-32, u.dtype) + jnp.asarray(2.0**-33, u.dtype)
    return elementary.circle(lower, jnp.sqrt(-2 * elementary.log_of_normal(u)))
