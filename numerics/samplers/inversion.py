"""Types drawn by the running sums of their weights: u times the sum of all is searched among them.

A guide says, for every cell of u, which types it can be, so that few steps of a search are left; it is made once.
H.-C. Chen, Y. Asau, On generating random variates from an empirical distribution, AIIE Trans. 6 (1974) 163-166.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

CELLS = 4
"""Cells of u for one type, rounded up to a power of 2."""


def table(weights: Any) -> dict[str, Any]:
    """Return what `drawn` reads: running sums, the first type of every cell, and how many steps a search takes."""
    sums = np.cumsum(np.asarray(weights, float))
    cells = 1 << (CELLS * len(sums) - 1).bit_length()
    last = np.searchsorted(sums, sums[-1])  # u times the sum may round up to the sum, which the last type passes
    guide = np.minimum(np.searchsorted(sums, np.arange(cells + 1) / cells * sums[-1], side="right"), last)
    steps = int(np.diff(guide).max()).bit_length()
    return {"sums": sums, "guide": guide.astype(np.int32), "steps": np.int32(steps)}


def drawn(u: Array, read: Any) -> Array:
    """Return the types at which the running sum of weights passes u times their sum, u in [0, 1), int32.

    >>> drawn(jnp.array([0.0, 0.2, 0.9]), table([1, 3])).tolist()
    [0, 0, 1]
    """
    sums, guide = jnp.asarray(read["sums"]), jnp.asarray(read["guide"])
    # What rounds up to the sum of all is moved below it, which the last type passes.
    passed = jnp.minimum(u * sums[-1], lax.nextafter(sums[-1], jnp.zeros_like(sums[-1])))

    # One end alone is carried: two that are made of one look-up would each look it up.
    def halved(step: Array, low: Array) -> Array:
        half = jnp.int32(1) << (read["steps"] - 1 - step)
        asked = jnp.minimum(low + half - 1, len(sums) - 1)
        return jnp.where(sums.at[asked].get(mode="promise_in_bounds") <= passed, low + half, low)

    cell = (u * (len(guide) - 1)).astype(jnp.int32)
    return lax.fori_loop(0, read["steps"], halved, guide.at[cell].get(mode="promise_in_bounds"))
