"""Fits of a vocabulary from fewer than 256 tokens, with chains on the lanes and eight bits a number.

The state is F_s = x_0 + .. + x_s, the tokens up to slot s. M uniform whole numbers t_j below M are M tokens, each of
the slot whose tokens are numbered so, and the next state is a count, F'_s = #{j: t_j < F_s}: nothing is looked up and
nothing is scattered, and 64 lanes are compared at once.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from numerics.samplers import inversion
from numerics.samplers.cipher import Key, cipher, slot_key

MOST = 255
"""Tokens are counted in 8 bits."""
NONE = np.uint8(255)
"""A number that is below none of the sums."""


def redrawn(key: Key, samples: int, sums: Array) -> Array:
    """Return F' from F, shape (slots, chains), under the key of the chains."""
    return _up_to(_wholes(key, samples), sums)


def drawn(key: Key, samples: int, source: Any, types: int) -> tuple[Array, Array]:
    """Return the types of the slots, shape (slots, 1 or chains), and F after M tokens of a source.

    Up to M types have a slot each. More are sorted; a slot that repeats a type has no token but in the last of them.

    Args:
        key: of the chains.
        samples: M.
        source: `numerics.samplers.inversion.table` of its weights.
        types: how many there are.
    """
    tokens = inversion.drawn(lax.optimization_barrier(_uniforms(key, samples)), source)
    if types <= samples:
        slots = jnp.arange(types, dtype=jnp.int32)[:, None]
        edges = jnp.broadcast_to(jnp.arange(1, types + 1, dtype=jnp.uint8)[:, None], (types, tokens.shape[1]))
        return slots, _up_to([tokens.astype(jnp.uint8)], edges)
    ordered = _sorted(tokens)
    ends = jnp.append(ordered[1:] != ordered[:-1], jnp.ones_like(ordered[:1], bool), axis=0)
    sums = jnp.where(ends, jnp.arange(1, samples + 1, dtype=jnp.uint8)[:, None], 0)
    return ordered, _running_most(sums)


def counts(sums: Array) -> Array:
    """Return x_s = F_s - F_(s-1), of shape (slots up to a power of 2, chains)."""
    room = 1 << max(len(sums) - 1, 0).bit_length()
    # Written in place: values side by side are a choice for each of them, one by one.
    differences = jnp.zeros((room, sums.shape[1]), jnp.uint8).at[0].set(sums[0])
    return differences.at[1 : len(sums)].set(sums[1:] - sums[:-1])


def _up_to(tokens: Sequence[Array] | Array, sums: Array) -> Array:
    """Return how many tokens are below each sum, of several arrays, row after row."""

    def more(row: Array, found: Array) -> Array:
        for each in tokens:
            found = found + (each[row] < sums).astype(jnp.uint8)
        return found

    return lax.fori_loop(0, tokens[0].shape[0], more, jnp.zeros_like(sums))


def digits(samples: int) -> int:
    """Return how many numbers below M one word of 64 bits is cut into: together they are below 2^28."""
    return 4 if samples**4 <= 2**28 else 3


def _wholes(key: Key, samples: int) -> Array:
    """Return M numbers uniform on 0..M - 1, of shape (numbers of a word, rows, chains).

    Those of one word w are the leading digits of w/2^64 in base M, off by 2^-36 together at most.
    """
    each = digits(samples)
    rows, factor, half = -(-samples // each), jnp.uint64(samples), jnp.uint64(2**32 - 1)
    upper, lower = (x.astype(jnp.uint64) for x in _words(key, rows))
    packed = jnp.zeros(upper.shape, jnp.uint32)
    for at in range(each):
        lower = lower * factor
        upper = upper * factor + (lower >> jnp.uint64(32))
        packed = packed | ((upper >> jnp.uint64(32)).astype(jnp.uint32) << np.uint32(8 * at))
        upper, lower = upper & half, lower & half
    asked = np.arange(rows) * each + np.arange(each)[:, None] < samples

    # Unpacked by a loop, which is given what is packed: of several arrays each would draw all words for itself.
    def whole(this: tuple[Array, Array]) -> Array:
        return jnp.where(this[1][:, None], (packed >> this[0]).astype(jnp.uint8), NONE)

    return lax.map(whole, (jnp.arange(each, dtype=jnp.uint32) * np.uint32(8), jnp.asarray(asked)))


def _uniforms(key: Key, samples: int) -> Array:
    """Return u uniform on the multiples of 2^-53 in [0, 1), shape (samples, chains)."""
    upper, lower = _words(key, samples)
    return ((upper >> np.uint32(5)).astype(float) * 2.0**26 + (lower >> np.uint32(6)).astype(float)) * 2.0**-53


def _words(key: Key, rows: int) -> tuple[Array, Array]:
    # Behind a barrier: the keys of the slots would be enciphered again for every chain.
    slots = lax.optimization_barrier(slot_key(key, lax.iota(jnp.uint32, rows)[:, None]))
    return cipher((slots.key0, slots.key1), key.chain, key.generation)


def _running_most(values: Array) -> Array:
    """Return the greatest value up to each along the first axis, values >= 0; `lax.cummax` is slow along it."""
    step = 1
    while step < len(values):
        before = jnp.pad(values[:-step], ((step, 0), (0, 0)))
        values, step = lax.optimization_barrier(jnp.maximum(values, before)), 2 * step
    return values


def _sorted(values: Array) -> Array:
    """Return values in order along the first axis: a network, whose every step is the same for all chains.

    K. E. Batcher, Sorting networks and their applications, AFIPS Spring Joint Comput. Conf. 32 (1968) 307-314.
    """
    room = 1 << max(len(values) - 1, 0).bit_length()
    most = np.iinfo(np.int32).max
    ordered = jnp.pad(values, ((0, room - len(values)), (0, 0)), constant_values=most)
    for run in range(1, room.bit_length()):
        for step in reversed(range(run)):
            ordered = _exchanged(ordered, 2**run, 2**step)
    return ordered[: len(values)]


def _exchanged(values: Array, run: int, step: int) -> Array:
    """Return values with those that are a step apart put in order, upward and downward by turns of a run."""
    pairs = values.reshape(-1, 2, step, values.shape[1])
    low, high = jnp.minimum(pairs[:, 0], pairs[:, 1]), jnp.maximum(pairs[:, 0], pairs[:, 1])
    upward = (np.arange(len(pairs)) * 2 * step // run % 2 == 0)[:, None, None]
    both = jnp.where(upward, low, high), jnp.where(upward, high, low)
    return lax.optimization_barrier(jnp.stack(both, axis=1).reshape(values.shape))
