"""Normal variables in single precision from the two words of a cipher, by Box and Muller's map.

Logarithm and sine are polynomials written out here: they compile into the loop that draws, and their last bits do not
change with the compiler's library.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

LOG = (0.333333286, -0.250002965, 0.200014686, -0.166422476, 0.142021738, -0.12972239, 0.127123077, -0.0810155833)
"""(log(1 + f) - f + f^2/2)/f^3 by powers of f for 1 + f in [sqrt(1/2), sqrt(2)]: log(1 + f) within 8.4e-9."""
SINE = (3.14159265, -5.16771276, 2.55016332, -0.599252198, 0.0820504017, -0.00702838628)
"""sin(pi a)/a by powers of a^2 for |a| <= 1/2, within 5.4e-11."""
ROOT_HALF = np.int32(0x3F3504F3)
"""sqrt(1/2) as the bits of a single-precision number."""


def single_normal(upper: Array, lower: Array) -> Array:
    """Return z = sqrt(-2 log u) cos(2 pi v), u = (upper + 1/2)/2^32 and v = lower/2^32, in single precision.

    G. E. P. Box, M. E. Muller, A note on the generation of random normal deviates, Ann. Math. Statist. 29 (1958)
    610-611. |z| <= 6.66; beyond it the normal law has 2.8e-11.
    """
    u = (upper.astype(jnp.float32) + np.float32(0.5)) * np.float32(2.0**-32)
    away = np.float32(0.5) - jnp.abs(lower.astype(jnp.int32).astype(jnp.float32) * np.float32(2.0**-31))
    return jnp.sqrt(np.float32(-2) * _log(u)) * (away * _powers(SINE, away * away))


def _log(x: Array) -> Array:
    """Return log x for x > 0, as k log 2 + log(1 + f) with 1 + f in [sqrt(1/2), sqrt(2))."""
    bits = lax.bitcast_convert_type(x, jnp.int32)
    power = (bits - ROOT_HALF) >> np.int32(23)
    f = lax.bitcast_convert_type(bits - (power << np.int32(23)), jnp.float32) - np.float32(1)
    near = f + f * f * (np.float32(-0.5) + f * _powers(LOG, f))
    return power.astype(jnp.float32) * np.float32(np.log(2)) + near


def _powers(coefficients: tuple[float, ...], x: Array) -> Array:
    """Return c_0 + c_1 x + c_2 x^2 + .."""
    total = jnp.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + np.float32(coefficient)
    return total
