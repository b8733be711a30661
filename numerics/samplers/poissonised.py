"""Counts of very many types redrawn all at once: Poisson counts, and what they fall short of M token by token.

Counts y_i ~ Poisson(r x_i), independent, are multinomial given their sum Y, whatever r; M - Y more tokens of the same
frequencies make x' ~ Multinomial(M; x/M). With r = 1 - 2/sqrt(M) the sum exceeds M in 2 draws of 100, and these are
drawn again, which the law of the rest given Y allows. Rows of Poisson(r i), i = 0..64, depend on M alone.

L. Devroye, Non-Uniform Random Variate Generation (1986), chapter XI.1.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from numerics.samplers import alias
from numerics.samplers.cipher import Key, cipher, slot_key
from numerics.samplers.cipher import words as words_of
from numerics.samplers.near_poisson import near_poisson, rounded

LISTED = 64
"""Up to this count there is a row."""
PIECE = 128
"""Types whose running sum is taken at once."""


def part(samples: int) -> float:
    """Return r."""
    return max(0.0, 1 - 2 / samples**0.5)


def rows(samples: int) -> np.ndarray:
    """Return the rows of i = 0..64, flat."""
    return np.concatenate([alias.row(alias.poisson_masses(part(samples) * i)) for i in range(LISTED + 1)])


def redrawn(key: Key, given: Any, counts: Array, block: int) -> Array:
    """Return one chain's x' ~ Multinomial(M; x/M), int32, from counts x that add up to M.

    Args:
        key: where the words are read.
        given: "samples", M; "part", r; "rows".
        counts: x, shape (types,).
        block: how many tokens are drawn at once of those that the Poisson counts fall short of M.
    """

    def draw(words: tuple[Array, Array]) -> Array:
        rate = jnp.maximum(counts, LISTED) * given["part"]
        few = alias.picked(jnp.asarray(given["rows"]), jnp.minimum(counts, LISTED), words[0])
        return jnp.where(counts <= LISTED, few, rounded(words, rate))

    return _filled(slot_key(key, 1), given["samples"], counts, _short(key, given["samples"], draw, len(counts)), block)


def drawn(key: Key, given: Any, weights: Array, block: int) -> Array:
    """Return the same for x' ~ Multinomial(M; weights/sum)."""
    rates = weights * (given["samples"] * given["part"] / weights.sum())
    short = _short(key, given["samples"], lambda words: near_poisson(words, rates), len(weights))
    return _filled(slot_key(key, 1), given["samples"], weights, short, block)


def stream(key: Key, count: int, row: Any) -> tuple[Array, Array]:
    """Return many words of one place, those of a cipher whose key is the place's word: one cipher each."""
    column = lax.iota(jnp.uint32, count)
    return cipher(words_of(key), column, jnp.broadcast_to(jnp.asarray(row).astype(jnp.uint32), column.shape))


def _short(key: Key, samples: Any, draw: Any, types: int) -> Array:
    """Return the first draw whose sum is at most M."""

    def again(state: tuple[Array, Array]) -> tuple[Array, Array]:
        return state[0] + 1, draw(stream(key, types, state[0]))

    def exceeds(state: tuple[Array, Array]) -> Array:
        # Nothing is drawn before the loop: a sum beside a draw would be compiled into it, and slowly.
        return (state[0] == 0) | (state[1].sum(dtype=jnp.int32) > samples)

    return lax.while_loop(exceeds, again, (jnp.asarray(0), jnp.zeros(types, jnp.int32)))[1]


def _filled(key: Key, samples: Any, weights: Array, counts: Array, block: int) -> Array:
    """Return the counts with as many more tokens of these weights as there are missing, a block at a time."""
    inside, before = running(weights)

    def more(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        trial, missing, full = state
        upper, lower = stream(key, block, trial)
        u = (upper.astype(float) + (lower.astype(float) + 0.5) * 2.0**-32) * 2.0**-32
        asked = jnp.arange(block) < missing
        kinds = found(inside, before, u * before[-1])
        return trial + 1, missing - block, full.at[kinds].add(asked.astype(jnp.int32), mode="drop")

    missing = samples - counts.sum(dtype=jnp.int32)
    return lax.while_loop(lambda state: state[1] > 0, more, (jnp.asarray(0), missing, counts))[2]


def running(weights: Array) -> tuple[Array, Array]:
    """Return running sums down the columns of a table that is filled row by row, and what lies before each column."""
    columns = -(-len(weights) // PIECE)
    inside = jnp.pad(weights, (0, PIECE * columns - len(weights))).reshape(PIECE, columns)
    step = 1
    while step < PIECE:
        inside = inside.at[step:].add(inside[:-step])
        step *= 2
    return inside, jnp.append(jnp.zeros(1, inside.dtype), jnp.cumsum(inside[-1]))


def found(inside: Array, before: Array, passed: Array) -> Array:
    """Return the types at which the running sums pass numbers below the sum of all."""
    columns = inside.shape[1]
    column = jnp.minimum(jnp.searchsorted(before, passed, side="right") - 1, columns - 1).astype(jnp.int32)
    rest, row = passed - before[column], jnp.zeros(passed.shape, jnp.int32)
    for step in (64, 32, 16, 8, 4, 2, 1):
        row = jnp.where(inside.at[row + step - 1, column].get(mode="promise_in_bounds") <= rest, row + step, row)
    return jnp.minimum(row, PIECE - 1) * columns + column
