"""Binomial counts, by inversion and by rejection: exact."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.cipher import Key, Words, fraction, slot_key, word
from numerics.samplers.lanes import elementwise, first_taken, least_passed
from numerics.samplers.log_poisson import log_poisson

SMALL = 10.0
"""Below this mean a count is found by adding up its probabilities, above it by rejection."""


def binomial(key: Key, trials: Any, chance: Any) -> Array:
    """Return x ~ Binomial(trials, chance), a float; a chance beyond [0, 1] by rounding is moved back.

    The rarer outcome is counted: by inversion where fewer than 10 of them are expected, else by transformed rejection.

    Args:
        key: of one count, or of an array of them.
        trials: whole numbers.
        chance: of each trial.
    """
    trials, chance = jnp.broadcast_arrays(jnp.asarray(trials, float), jnp.asarray(chance, float))
    return _binomial(tuple(key), trials, jnp.clip(chance, 0.0, 1.0))


@elementwise
def _binomial(place: tuple[Array, ...], trials: Array, chance: Array) -> Array:
    key, flipped = Key(*place), chance > 0.5
    rare = jnp.where(flipped, 1 - chance, chance)
    small = ~(trials * rare >= SMALL)
    few = _inverted(slot_key(key, 0), jnp.where(small, trials, 0.0), jnp.where(small, rare, 0.0))
    many = _rejected(slot_key(key, 1), jnp.where(small, 4 * SMALL, trials), jnp.where(small, 0.5, rare), small)
    count = jnp.where(small, few, many)
    return jnp.where(flipped, trials - count, count)


def _inverted(key: Key, trials: Array, chance: Array) -> Array:
    """Return the least k with P(x <= k) > u, from P(k + 1) = P(k) ((n + 1)/(k + 1) - 1) p/(1 - p)."""
    odds = chance / (1 - chance)
    none = elementary.exp(trials * (chance * chance * elementary.log_rest(-chance) - chance))
    count = least_passed(fraction(word(key)), none, lambda k, mass: mass * ((trials - k) * odds / (k + 1)))
    return jnp.minimum(count, trials)


def _rejected(key: Key, trials: Array, chance: Array, skip: Array) -> Array:
    """Return x for n p >= 10, by transformed rejection; what is skipped is returned at once.

    Binomial(n, p) is the law of a Poisson(n p) variable given its sum with one of mean n (1 - p), which is n.

    W. Hoermann, The generation of binomial random variates, J. Stat. Comput. Simul. 46 (1993) 101-110, algorithm BTRS.
    """
    mean, other = trials * chance, trials * (1 - chance)
    spread = jnp.sqrt(mean * (1 - chance))
    b = 1.15 + 2.53 * spread
    a, certain, scale = -0.0873 + 0.0248 * b + 0.01 * chance, 0.92 - 4.2 / b, (2.83 + 5.1 / b) * spread
    mode = jnp.floor((trials + 1) * chance)

    def log_mass(k: Array) -> Array:
        return log_poisson(k, mean) + log_poisson(trials - k, other)

    peak = log_mass(mode)

    def tried(words: Sequence[Words]) -> tuple[Array, Array]:
        u, v = map(fraction, words)
        u, v = u - 0.5, 1 - v
        edge = 0.5 - jnp.abs(u)
        k = jnp.floor((2 * a / edge + b) * u + mean + 0.5)
        inside = (k >= 0) & (k <= trials)
        k = jnp.where(inside, k, mode)
        under = elementary.log(v * scale / (a / (edge * edge) + b)) <= log_mass(k) - peak
        return k, inside & (((edge >= 0.07) & (v <= certain)) | under)

    return first_taken(tried, 2, key, mode, skip)
