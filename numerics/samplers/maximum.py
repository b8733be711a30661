"""The largest of several uniform points, by inversion."""

from typing import Any

from jax import Array

from numerics.samplers import elementary
from numerics.samplers.cipher import Key
from numerics.samplers.uniform import uniform


def log_maximum(key: Key, size: Any) -> Array:
    """Return log x for x ~ Beta(size, 1), the largest of that many uniform points: log(u)/size.

    1 - u is exact, u being a multiple of 2^-53.
    """
    return elementary.log(1 - uniform(key)) / size
