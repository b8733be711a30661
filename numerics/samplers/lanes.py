"""Functions of one chain that advance all chains of a `vmap` in one call.

A draw that may take a slow way asks whether any chain needs it. Under `vmap` a condition of one chain becomes a choice
among results that are all computed; here the function sees every chain and its condition is one number.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap


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


def _lanes_last(x: Any, batched: bool) -> Any:
    return jnp.moveaxis(x, 0, -1) if batched else jnp.asarray(x)[..., None]
