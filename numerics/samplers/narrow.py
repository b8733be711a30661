"""What the inversion of a narrow law starts from, in 64 bits: log(1 - p) and exp.

They are written out as arithmetic that compiles into the loop that draws; `log1p` of the library is ten times slower.
"""

from math import factorial, log

import jax.numpy as jnp
from jax import Array, lax


def log_of_rest(chance: Array) -> Array:
    """Return log(1 - p) = -2 artanh(p/(2 - p)) for p <= 1/2, within 2e-14 of itself."""
    t = chance / (2 - chance)
    total = jnp.full_like(t, 1 / 25)
    for k in range(23, 0, -2):
        total = total * (t * t) + 1 / k
    return -2 * t * total


def exp_below_zero(x: Array) -> Array:
    """Return exp x for -700 < x <= 0, as 2^k exp(r) with |r| <= log(2)/2, within 2e-14 of itself."""
    power = jnp.round(x * (1 / log(2)))
    rest = x - power * log(2)
    total = jnp.full_like(x, 1 / factorial(11))
    for k in range(10, -1, -1):
        total = total * rest + 1 / factorial(k)
    return total * lax.bitcast_convert_type((power.astype(jnp.int64) + 1023) << 52, jnp.float64)
