"""The largest of several uniform points, by inversion."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers.cipher import Key
from numerics.samplers.uniform import uniform


def log_maximum(key: Key, size: Any) -> Array:
    """Return log x for x ~ Beta(size, 1), the largest of that many uniform points: log(u)/size."""
    return jnp.log1p(-uniform(key)) / size
