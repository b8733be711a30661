"""The density of a positive combination of independent chi-squares, exact far into both tails.

    x = sum_j lambda_j chi2_(nu_j),    K(z) = log E exp(z x) = -1/2 sum_j nu_j log(1 - 2 lambda_j z),
    f(x) = (1/(2 pi i)) integral of exp(K(z) - z x) dz.

The contour leaves the saddle point s, K'(s) = x, along the parabola that follows the steepest descent to second order
and opens to the right, round the branch points 1/(2 lambda_j): the integrand falls like a Gaussian and the trapezoidal
rule converges geometrically. With the ten nodes used the error of log f is below 4e-6 for two degrees of freedom in
all, 4e-7 for five and 1e-9 for forty, whatever x is.

Source: the saddle point is that of Daniels (Ann. Math. Statist. 25, 1954, 631-650); nothing of his expansion is used.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

NODES = 0.75 * np.arange(10)
"""Places on the parabola, in standard deviations of the tilted law."""
NOTHING = 1e-9
"""Degrees of freedom below which a part is left out."""
ROUNDS = 12
"""Steps of Newton's method, which converges from one side and doubles its digits."""


def log_density(x: Any, scales: Any, degrees: Any) -> Array:
    """Return log f(x) for arrays x, shape (...), scales >= 0 and degrees >= 0, shape (..., J); -inf for x <= 0.

    >>> round(float(log_density(jnp.asarray(2.0), jnp.asarray([1.0]), jnp.asarray([4.0]))), 6)  # 1/(2 e)
    -1.693147
    """
    inside = x > 0
    x = jnp.where(inside, x, 1.0)
    if scales.shape[-1] == 1:
        value = _log_gamma_density(x, scales[..., 0], degrees[..., 0])
    else:
        value = _inverted(x, jnp.where(degrees > NOTHING, scales, 0.0), degrees)
    return jnp.where(inside, value, -jnp.inf)


def _log_gamma_density(x: Array, scale: Array, df: Array) -> Array:
    half = df / 2
    return (half - 1) * jnp.log(x) - x / (2 * scale) - lax.lgamma(half) - half * jnp.log(2 * scale)


def _inverted(x: Array, scales: Array, degrees: Array) -> Array:
    # The integral does not depend on the contour, so neither do its derivatives: the contour is held constant.
    s, spread, bend = _saddle(*lax.stop_gradient((x, scales, degrees)))
    t = jnp.asarray(NODES)
    z = s[..., None] + 1j * t / spread[..., None] + bend[..., None] * t**2
    slope = 1 / spread[..., None] - 2j * bend[..., None] * t
    top = _exponent(s[..., None] + 0j, x, scales, degrees)
    heights = (jnp.exp(_exponent(z, x, scales, degrees) - top) * slope).real
    total = heights[..., 0] / 2 + heights[..., 1:].sum(-1)
    return top[..., 0].real + jnp.log(NODES[1] / jnp.pi * total)


def _exponent(z: Array, x: Array, scales: Array, degrees: Array) -> Array:
    """Return K(z) - z x for z of shape (..., nodes)."""
    logs = jnp.log(1 - 2 * z[..., None] * scales[..., None, :])
    return -(degrees[..., None, :] * logs).sum(-1) / 2 - z * x[..., None]


def _saddle(x: Array, scales: Array, degrees: Array) -> tuple[Array, Array, Array]:
    """Return s with K'(s) = x, sqrt(K''(s)) and K'''(s)/(6 K''(s)^2).

    In w = 1 - 2 lambda_max s > 0 the function 1/K' is concave and grows, so that Newton's method comes from the left.
    """
    top = scales.max(-1)
    ratio = scales / top[..., None]
    target = x / top

    def closer(_: int, w: Array) -> Array:
        below = 1 - ratio * (1 - w[..., None])
        value, slope = ((degrees * (ratio / below) ** k).sum(-1) for k in (1, 2))
        return w + (1 / target - 1 / value) * value**2 / slope

    w = lax.fori_loop(0, ROUNDS, closer, jnp.where(ratio == 1, degrees, 0.0).sum(-1) / target)
    below = 1 - ratio * (1 - w[..., None])
    second, third = ((size * degrees * (scales / below) ** k).sum(-1) for k, size in ((2, 2.0), (3, 8.0)))
    return (1 - w) / (2 * top), jnp.sqrt(second), third / (6 * second**2)
