"""Binomial counts by the thousand, exact, and a multinomial as a row of them.

All of an array is drawn in lockstep, every trial from its own word, so that the numbers do not depend on what is drawn
beside them.
"""

from math import lgamma, log, pi
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from numerics.samplers import slot_key
from numerics.samplers.cipher import Key, uniforms

SMALL = 10.0
"""Below this mean a count is found by adding up its probabilities, above it by rejection."""
TAILS = tuple(lgamma(k + 1) - (k + 0.5) * log(k + 1) + k + 1 - log(2 * pi) / 2 for k in range(10))
"""log k! - log(sqrt(2 pi) (k + 1)^(k + 1/2) exp(-k - 1)) for k = 0..9."""


def binomials(key: Key, trials: Array, chances: Array) -> Array:
    """Return x ~ Binomial(trials, chances) elementwise, floats of shape (count,).

    The rarer outcome is counted: by inversion where fewer than 10 of them are expected, else by transformed rejection.
    """
    flipped = chances > 0.5
    rare = jnp.clip(jnp.where(flipped, 1 - chances, chances), 0.0, 0.5)
    small = ~(trials * rare >= SMALL)
    few = _inverted(slot_key(key, 0), jnp.where(small, trials, 0.0), rare)
    many = _rejected(slot_key(key, 1), jnp.where(small, 4 * SMALL, trials), jnp.where(small, 0.5, rare), small)
    count = jnp.where(small, few, many)
    return jnp.where(flipped, trials - count, count)


def _inverted(key: Key, trials: Array, chance: Array) -> Array:
    """Return the least k with P(x <= k) > u, from P(x = k + 1) = P(x = k) (n - k)/(k + 1) odds."""
    u, odds = uniforms(key, len(trials)), chance / (1 - chance)

    def passed(state: tuple[Array, Array, Array]) -> Array:
        k, mass, below = state
        return (u >= below + mass) & (k < trials)

    def onward(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        k, mass, below = state
        on = passed(state)
        after = mass * (trials - k) / (k + 1) * odds, below + mass
        return k + on, jnp.where(on, after[0], mass), jnp.where(on, after[1], below)

    start = jnp.zeros_like(u), jnp.exp(trials * jnp.log1p(-chance)), jnp.zeros_like(u)
    return lax.while_loop(lambda state: passed(state).any(), onward, start)[0]


def _rejected(key: Key, trials: Array, chance: Array, skip: Array) -> Array:
    """Return x for n p >= 10, by transformed rejection; what is skipped is returned at once.

    W. Hoermann, The generation of binomial random variates, J. Stat. Comput. Simul. 46 (1993) 101-110, algorithm BTRS.
    """
    spread = jnp.sqrt(trials * chance * (1 - chance))
    b = 1.15 + 2.53 * spread
    a, centre = -0.0873 + 0.0248 * b + 0.01 * chance, trials * chance + 0.5
    certain, scale = 0.92 - 4.2 / b, (2.83 + 5.1 / b) * spread
    mode, log_odds = jnp.floor((trials + 1) * chance), jnp.log(chance / (1 - chance))
    peak = _log_factorial(mode) + _log_factorial(trials - mode)

    def onward(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        trial, x, done = state
        both = uniforms(key, 2 * len(trials), trial)
        u, v = both[: len(trials)] - 0.5, 1 - both[len(trials) :]
        edge = 0.5 - jnp.abs(u)
        k = jnp.floor((2 * a / edge + b) * u + centre)
        inside = (k >= 0) & (k <= trials)
        k = jnp.where(inside, k, mode)
        ratio = peak - _log_factorial(k) - _log_factorial(trials - k) + (k - mode) * log_odds
        under = jnp.log(v * scale / (a / edge**2 + b)) <= ratio
        taken = inside & (((edge >= 0.07) & (v <= certain)) | under)
        return trial + 1, jnp.where(done, x, k), done | taken

    start = jnp.asarray(0, jnp.uint32), mode, skip
    return lax.while_loop(lambda state: ~state[2].all(), onward, start)[1]


def _log_factorial(k: Array) -> Array:
    """Return log k! - log sqrt(2 pi), k >= 0, by Stirling's series about k + 1, its error below 1e-15 from k = 10."""
    inverse = 1 / (k + 1)
    square = inverse**2
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))))
    tail = jnp.where(k < len(TAILS), jnp.asarray(TAILS)[jnp.minimum(k, len(TAILS) - 1).astype(jnp.int32)], series)
    return (k + 0.5) * jnp.log(k + 1) - (k + 1) + tail


def multinomial(key: Key, trials: Any, weights: Array) -> Array:
    """Return x ~ Multinomial(trials; weights/sum), type after type.

    x_i | x_1..x_(i-1) ~ Binomial(m - x_1 - .. - x_(i-1), w_i/(w_i + .. + w_K)): the last type takes what is left.
    """

    def draw_type(left: Array, this: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        weight, rest, index = this
        # 0/0 where no type of positive weight is left, and then no trial is either.
        chance = jnp.where(rest > 0, weight / rest, 0.0)
        count = binomials(slot_key(key, index), left, chance[None])
        return left - count, count[0]

    rests = lax.cumsum(weights, reverse=True)
    start = jnp.broadcast_to(jnp.asarray(trials, float), (1,))
    return lax.scan(draw_type, start, (weights, rests, jnp.arange(len(weights))))[1]
