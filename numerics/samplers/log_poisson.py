"""The logarithm of a Poisson probability, and in it that of a factorial, for samplers that compare with it.

log P(k) is a sum of small terms, not a difference of large ones: Stirling's formula about k + 1 and its deviation from
the mean m, of which nothing cancels. With t = (k + 1)/m - 1 and q(t) = (log(1 + t) - t)/t^2

    log(m^k exp(-m)/k!) = -m t^2 (1 + (1 + t) q(t)) + log(1 + t)/2 - log(2 pi m)/2 - rest(k),
    rest(k) = log k! - log(2 pi)/2 - (k + 1/2) log(k + 1) + k + 1.

C. Loader, Fast and accurate computation of binomial probabilities (2000), has the deviation.
"""

from math import pi

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary

RESTS = (
    *(0.08106146679532726, 0.041340695955409294, 0.02767792568499834, 0.020790672103765093),
    *(0.01664469118982119, 0.013876128823070748, 0.011896709945891770, 0.010411265261972096),
)
"""rest(k) for k = 0..7."""
SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
"""rest(k) in 1/(k + 1), odd powers alone: from k = 8 within 1.5e-16, the first term that is left out."""


def log_poisson(k: Array, mean: Array) -> Array:
    """Return log(m^k exp(-m)/k!) for m >= 10 and 0 <= k < 14 m, within 2^-49 of itself or of 1, whichever is more."""
    t = (k + 1 - mean) / mean
    q = elementary.log_rest(t)
    deviation = mean * t * t * (1 + (1 + t) * q)
    return (t + t * t * q - elementary.log_of_normal(2 * pi * mean)) / 2 - deviation - rest(k)


def rest(k: Array) -> Array:
    """Return log k! less Stirling's formula about k + 1, k >= 0, within 1.5e-16."""
    inverse = 1 / (k + 1)
    found = inverse * elementary.polynomial(SERIES, inverse * inverse)
    for at, value in enumerate(RESTS):
        found = jnp.where(k == at, jnp.asarray(value, found.dtype), found)
    return found
