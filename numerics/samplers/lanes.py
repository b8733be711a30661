"""Functions of one chain that advance all chains of a `vmap` in one call, and loops that all of them go through.

A draw that may take a slow way asks whether any chain needs it. Under `vmap` a condition of one chain becomes a choice
among results that are all computed; here the function sees every chain and its condition is one number.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.custom_batching import custom_vmap

from numerics.samplers.cipher import Key, Words, slot_key, word


def together(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of one chain that ``function`` is of many, whose arrays have one more axis, the last.

    It is that of the chains; what is the same for all of them has it with length 1.
    """

    @custom_vmap
    def single(*arguments: Any) -> Any:
        out = function(*jax.tree.map(lambda x: jnp.asarray(x)[..., None], arguments))
        return jax.tree.map(lambda x: x[..., 0], out)

    @single.def_vmap
    def _many(size: int, batched: Any, *arguments: Any) -> tuple[Any, Any]:
        placed = jax.tree.map(_lanes_last, arguments, tuple(batched))
        out = function(*placed)
        wide = jax.tree.map(lambda x: jnp.broadcast_to(x, (*x.shape[:-1], size)), out)
        return jax.tree.map(lambda x: jnp.moveaxis(x, -1, 0), wide), jax.tree.map(lambda _: True, out)

    return single


def elementwise(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return a function of arrays, entry by entry, that sees the chains of every `vmap` as more axes, the last ones.

    What is the same for all of them has these axes with length 1, so that a slot of all costs one cipher.
    """

    @custom_vmap
    def single(*arguments: Any) -> Any:
        return function(*arguments)

    @single.def_vmap
    def _many(size: int, batched: Any, *arguments: Any) -> tuple[Any, Any]:
        out = single(*jax.tree.map(_lanes_last, arguments, tuple(batched)))
        return jnp.moveaxis(jnp.broadcast_to(out, (*out.shape[:-1], size)), -1, 0), True

    return single


def first_taken(
    tried: Callable[[Sequence[Words]], tuple[Array, Array]], count: int, key: Key, start: Array, skip: Any
) -> Array:
    """Return the first value that is taken, entry by entry; every trial has words of its own.

    Args:
        tried: words of a trial -> values, all finite, and which of them are taken.
        count: how many words a trial needs.
        key: whose slots the words are.
        start: the value of what is skipped.
        skip: which entries are not wanted.
    """
    shape = jnp.broadcast_shapes(*(jnp.shape(x) for x in (*key, start)))

    def onward(state: tuple[Array, Array]) -> tuple[Array, Array]:
        trial, found = state
        value, taken = tried([word(slot_key(key, trial * np.uint32(count) + np.uint32(at))) for at in range(count)])
        return trial + 1, jnp.where((found == jnp.inf) & taken, value, found)

    # What is not found yet is inf: of two arrays, values and which are found, each would be drawn for by itself.
    begin = jnp.asarray(0, jnp.uint32), jnp.broadcast_to(jnp.where(skip, start, jnp.inf), shape)
    found = lax.while_loop(lambda state: (state[1] == jnp.inf).any(), onward, begin)[1]
    return jnp.where(skip, start, found)


def least_passed(u: Array, none: Array, onward: Callable[[Array, Array], Array]) -> Array:
    """Return the least count k with P(0) + .. + P(k) > u, entry by entry.

    Args:
        u: uniform.
        none: P(0).
        onward: (k, P(k)) -> P(k + 1), a sequence that ends in zeros.
    """
    shape = jnp.broadcast_shapes(u.shape, none.shape)

    def passed(state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        k, left, mass, count = state
        left = left - mass
        return k + 1, left, onward(k, mass), count + (left >= 0)

    begin = (
        jnp.asarray(0, u.dtype),
        jnp.broadcast_to(u, shape),
        jnp.broadcast_to(none, shape),
        jnp.zeros(shape, u.dtype),
    )
    return lax.while_loop(lambda state: ((state[1] >= 0) & (state[2] > 0)).any(), passed, begin)[3]


def _lanes_last(x: Any, batched: bool) -> Any:
    return jnp.moveaxis(x, 0, -1) if batched else jnp.asarray(x)[..., None]
