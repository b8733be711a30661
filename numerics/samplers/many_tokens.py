"""Tokens by the thousand: the sorted draw of a source, and the parents of the tokens that follow, chain by chain.

The order statistics of M uniform numbers are running sums of M + 1 exponential variables, divided by the sum of all; so
tokens are drawn in the order of their types, and these are numbered as they come: nothing is sorted.

L. Devroye, Non-Uniform Random Variate Generation (1986), chapter V.3.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from numerics.samplers import elementary, inversion
from numerics.samplers.cipher import Key
from numerics.samplers.poissonised import stream

LEAST = 2_048
"""Beyond so many tokens a chain fills the lanes by itself."""
COLUMNS = 128
"""Numbers side by side, of which running sums are taken at once: a column goes on where the one before ends."""
FULL = 1_024
"""Slots come in multiples of so many, which are read together."""


def drawn(key: Key, samples: int, source: Any, types: int) -> tuple[Array, Array, Array]:
    """Return the types of M slots or some more, the slots of M tokens of a source, and how many slots are in use.

    A slot that is not in use has the type ``types``, which does not exist.

    Args:
        key: of one chain.
        samples: M.
        source: `numerics.samplers.inversion.table` of its weights.
        types: how many there are.
    """
    kinds = inversion.drawn(ordered(key, samples), source)
    before = jnp.append(kinds[:1, :1] - 1, kinds[-1:, :-1], axis=1)
    new = kinds != jnp.append(before, kinds[:-1], axis=0)
    place = _in_line(_running(new.astype(jnp.int32)), samples) - 1
    named = (
        jnp.full(-(-samples // FULL) * FULL, types, jnp.int32)
        .at[place]
        .set(_in_line(kinds, samples), mode="promise_in_bounds")
    )
    return named, place, place[-1] + 1


def ordered(key: Key, samples: int) -> Array:
    """Return M uniform numbers in [0, 1) in their order, down column after column, filled up with 1."""
    rows = samples // COLUMNS + 1
    upper, lower = (x.reshape(rows, COLUMNS) for x in stream(key, rows * COLUMNS, 0))
    u = (upper.astype(float) + (lower.astype(float) + 0.5) * 2.0**-32) * 2.0**-32
    place = lax.iota(jnp.int32, rows)[:, None] + rows * lax.iota(jnp.int32, COLUMNS)
    sums = _running(jnp.where(place <= samples, -elementary.log_of_normal(u), 0.0))
    return jnp.minimum(sums * (1 / sums[-1, -1]), 1 - 2.0**-53)


def parents(key: Key, samples: int) -> Array:
    """Return M whole numbers uniform on 0..M - 1, int32: floor(word M/2^64), so off by M/2^64 at most."""
    upper, lower = (x.astype(jnp.uint64) for x in stream(key, samples, 0))
    factor = jnp.uint64(samples)
    return (upper * factor + (lower * factor >> jnp.uint64(32)) >> jnp.uint64(32)).astype(jnp.int32)


def _running(values: Array) -> Array:
    """Return the sum of all values up to each, down column after column."""

    def onward(total: Array, row: Array) -> tuple[Array, Array]:
        return total + row, total + row

    columns, inside = lax.scan(onward, jnp.zeros_like(values[0]), values)
    return inside + (_along(columns) - columns)


def _along(values: Array) -> Array:
    """Return running sums of a vector, in an order that no compiler changes."""
    step = 1
    while step < len(values):
        values, step = values.at[step:].add(values[:-step]), 2 * step
    return values


def _in_line(values: Array, samples: int) -> Array:
    """Return the first values of the columns, one after the other."""
    return values.T.reshape(-1)[:samples]
