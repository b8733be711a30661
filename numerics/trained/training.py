"""Training: so many steps of Adam on batches of the rows, as one compiled loop."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from attrs import field, frozen
from jax import Array, lax

from numerics.kits.descent import adam, at_rest
from numerics.kits.points import Data
from numerics.samplers.cipher import Key
from numerics.trained.drawing import SINGLE, place, places
from numerics.trained.learner import Params

BATCH, NOISE = 0, 1
"""Slots of a step: which rows it reads, and what else its loss draws."""


def _positive(_: Any, attribute: Any, value: Any) -> None:
    if not value > 0:
        raise ValueError(f"{attribute.name} = {value!r} trains nothing. Give {attribute.name} > 0.")


@frozen
class Training:
    """Adam on batches.

    Args:
        steps: number of steps of every fit.
        rate: step size at the start; it falls to 0 along a half cosine, so that the noise of batches dies out.
        batch: rows of a batch, drawn with replacement.
    """

    steps: int = field(default=400, validator=_positive)
    rate: float = field(default=0.01, validator=_positive)
    batch: int = field(default=64, validator=_positive)

    def run(self, key: Key, loss: Callable[[Key, Params, Array], Array], data: Data, start: Params) -> Params:
        """Return where the steps end that descend loss(key, parameters, rows)."""

        def step(k: Array, state: Any) -> Any:
            here = place(key, k)
            chosen = places(place(here, BATCH), self.batch, data.size)
            gradient = jax.grad(loss, argnums=1)(place(here, NOISE), state[0], data.points[chosen])
            rate = self.rate * (1 + jnp.cos(jnp.pi * k / self.steps)) / 2
            return adam(k, rate.astype(SINGLE), state, gradient)

        return lax.fori_loop(0, self.steps, step, at_rest(start))[0]
