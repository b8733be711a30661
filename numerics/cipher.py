"""Random words by the thousand: threefry as elementwise arithmetic, which compiles into the loop that uses it.

`jax.random` throws half of the cipher's words away and compiles its rounds as a loop of their own; where a draw needs
many words that costs more than all the rest. The words here are those of the same cipher under the same keys.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
LOW = 0xFFFFFFFF
"""The lower 32 of 64 bits."""


def cipher(key: tuple[Array, Array], first: Array, second: Array) -> tuple[Array, Array]:
    """Return threefry2x32-20 of the counter (first, second) under the key, all of them uint32.

    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, Parallel random numbers: as easy as 1, 2, 3, SC11 (2011).
    """
    keys = (*key, key[0] ^ key[1] ^ np.uint32(PARITY))
    a, b = first + keys[0], second + keys[1]
    for block in range(5):
        for distance in ROTATIONS[block % 2]:
            a = a + b
            b = ((b << np.uint32(distance)) | (b >> np.uint32(32 - distance))) ^ a
        a, b = a + keys[(block + 1) % 3], b + keys[(block + 2) % 3] + np.uint32(block + 1)
    return a, b


def words(key: Array, count: int, row: Any = 0) -> tuple[Array, Array]:
    """Return ``count`` words of 64 bits as upper and lower halves; another row gives others."""
    key0, key1 = jax.random.key_data(key)
    column = lax.iota(jnp.uint32, count)
    return cipher((key0, key1), column, jnp.broadcast_to(jnp.asarray(row).astype(jnp.uint32), column.shape))


def below(key: Array, count: int, bound: int) -> Array:
    """Return whole numbers uniform on 0..bound - 1, int32: floor(word bound/2^64), so off by bound/2^64 at most.

    >>> below(jax.random.key(0, impl="threefry2x32"), 1000, 3).tolist().count(2) > 200
    True
    """
    with jax.enable_x64(True):
        upper, lower = words(key, count)
        factor = jnp.uint64(bound)
        carried = lower.astype(jnp.uint64) * factor >> jnp.uint64(32)
        return (upper.astype(jnp.uint64) * factor + carried >> jnp.uint64(32)).astype(jnp.int32)


def uniforms(key: Array, count: int, row: Any = 0) -> Array:
    """Return u uniform on the multiples of 2^-53 in [0, 1)."""
    upper, lower = words(key, count, row)
    return ((upper >> np.uint32(5)).astype(float) * 2.0**26 + (lower >> np.uint32(6)).astype(float)) * 2.0**-53
