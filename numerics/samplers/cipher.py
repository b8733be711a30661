"""All randomness: words of threefry as a function of (seed, chain, generation, slot), and of nothing else.

A `Key` is a place, not a state: whoever holds it reads the same words, in any order, in chunks of any size, on
any number of devices. A slot changes the key of the cipher, chain and generation are what is enciphered:

    words(seed, slots.., chain, generation) = threefry_key(chain, generation),  key = (seed's halves), and for a slot
    key' = threefry_key(slot, 2^32 - 1),

so that a slot costs one cipher for all chains together. The words are elementwise arithmetic, which compiles into the
loop that uses them; those of `jax.random` compile as a loop of their own, and half of them are thrown away.
"""

from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

SEEDS = 2**63
"""Seeds are whole numbers below this."""
CHAINS = 2**32
"""Chains are counted in 32 bits."""
GENERATIONS = 2**32 - 2
"""The last generation: the number after it marks the derivation of slots."""
SLOT = np.uint32(2**32 - 1)
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


Words = tuple[Array, Array]
"""Words of 64 bits, as upper and lower halves."""


class Key(NamedTuple):
    """Where words are read, all of them uint32: a key of the cipher, and what is enciphered under it."""

    key0: Any
    key1: Any
    chain: Any
    generation: Any


def chain_key(seed: Any, chain: Any) -> Key:
    """Return the key of one chain, whose generation is 0; the seed is a whole number or its two `halves`."""
    upper, lower = halves(seed) if isinstance(seed, int | np.integer) else seed
    return Key(upper, lower, _whole(chain), np.uint32(0))


def halves(seed: int | np.integer[Any]) -> np.ndarray:
    """Return the upper and the lower 32 bits of a seed, 0 <= seed < 2^63."""
    return np.array([int(seed) >> 32, int(seed) & 0xFFFFFFFF], np.uint32)


def generation_key(key: Key, generation: Any) -> Key:
    """Return the key of one generation of a chain, 0 to `GENERATIONS`."""
    return key._replace(generation=_whole(generation))


def slot_key(key: Key, slot: Any) -> Key:
    """Return the key of one innovation of one generation; slots of slots are all different."""
    key0, key1 = cipher((key.key0, key.key1), _whole(slot), SLOT)
    return key._replace(key0=key0, key1=key1)


def _whole(value: Any) -> Array:
    return jnp.asarray(value).astype(jnp.uint32)


def cipher(key: tuple[Any, Any], first: Any, second: Any) -> tuple[Array, Array]:
    """Return threefry2x32-20 of the counter (first, second) under the key, all of them uint32.

    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, Parallel random numbers: as easy as 1, 2, 3, SC11 (2011).
    """
    key = _whole(key[0]), _whole(key[1])
    keys = (*key, key[0] ^ key[1] ^ np.uint32(PARITY))
    a, b = _whole(first) + keys[0], _whole(second) + keys[1]
    for block in range(5):
        for distance in ROTATIONS[block % 2]:
            a = a + b
            b = ((b << np.uint32(distance)) | (b >> np.uint32(32 - distance))) ^ a
        a, b = a + keys[(block + 1) % 3], b + (keys[(block + 2) % 3] + np.uint32(block + 1))
    return a, b


def word(key: Key) -> Words:
    """Return the word of 64 bits at a key, of each key of an array of them, as upper and lower halves."""
    return cipher((key.key0, key.key1), key.chain, key.generation)


def slots(key: Key, shape: tuple[int, ...]) -> Key:
    """Return the keys of as many slots, the key itself for the shape ()."""
    return slot_key(key, lax.iota(jnp.uint32, prod(shape)).reshape(shape)) if shape else key


def words(key: Key, shape: int | tuple[int, ...] = (), row: Any = None) -> Words:
    """Return words of 64 bits as upper and lower halves.

    Args:
        key: where they are read.
        shape: () reads the one word there, a number or a shape as many others, a slot for each.
        row: another row gives others; None is a row too.
    """
    shape = (shape,) if isinstance(shape, int) else shape
    upper, lower = word(slots(key if row is None else slot_key(key, row), shape))
    return jnp.broadcast_to(upper, shape), jnp.broadcast_to(lower, shape)


def jax_key(key: Key) -> Array:
    """Return the word of a key as a key of `jax.random`, for fits that ask for such keys."""
    return jax.random.wrap_key_data(jnp.stack(words(key)), impl="threefry2x32")


def below(key: Key, count: int, bound: int) -> Array:
    """Return whole numbers uniform on 0..bound - 1, int32: floor(word bound/2^64), so off by bound/2^64 at most.

    >>> below(chain_key(0, 0), 1000, 3).tolist().count(2) > 200
    True
    """
    with jax.enable_x64(True):
        upper, lower = words(key, count)
        factor = jnp.uint64(bound)
        carried = lower.astype(jnp.uint64) * factor >> jnp.uint64(32)
        return (upper.astype(jnp.uint64) * factor + carried >> jnp.uint64(32)).astype(jnp.int32)


def uniforms(key: Key, shape: int | tuple[int, ...] = (), row: Any = None) -> Array:
    """Return u uniform on the multiples of 2^-53 in [0, 1)."""
    return fraction(words(key, shape, row))


def fraction(words: Words) -> Array:
    """Return u uniform on the multiples of 2^-53 in [0, 1), made of words."""
    upper, lower = words
    return ((upper >> np.uint32(5)).astype(float) * 2.0**26 + (lower >> np.uint32(6)).astype(float)) * 2.0**-53


def nonzero(words: Words, dtype: Any = float) -> Array:
    """Return u = (w + 1/2)/2^64 of words w, rounded to the type: uniform on (0, 1], and fine near 0."""
    upper, lower = (half.astype(dtype) for half in words)
    scale, half = jnp.asarray(2.0**-32, upper.dtype), jnp.asarray(2.0**-65, upper.dtype)
    return upper * scale + (lower * (scale * scale) + half)
