"""Draws from the laws of innovations, one function for each, as pure functions of a key.

A chain's numbers depend on (seed, chain, generation, slot) and on nothing else, so that results are the same for any
chunk size, any order and any device count. Keys are threefry's: a counter-based cipher with no shared state.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from theory.innovations import ChiSquare, Law, Multinomial, Normal

SEEDS = 2**63
"""Seeds are whole numbers below this."""
CHAINS = 2**32
"""Chains are counted in 32 bits."""


def chain_key(seed: int, chain: Any) -> Array:
    """Return the key of one chain, fold_in(key(seed), chain)."""
    return jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), chain)


def generation_key(key: Array, generation: Any) -> Array:
    """Return the key of one generation of a chain."""
    return jax.random.fold_in(key, generation)


def slot_key(key: Array, slot: Any) -> Array:
    """Return the key of one innovation of one generation."""
    return jax.random.fold_in(key, slot)


def normal(key: Array, shape: tuple[int, ...] = ()) -> Array:
    """Return z ~ N(0, 1) of the given shape."""
    return jax.random.normal(key, shape, dtype=float)


def uniform(key: Array, shape: tuple[int, ...] = ()) -> Array:
    """Return u ~ Uniform[0, 1) of the given shape."""
    return jax.random.uniform(key, shape, dtype=float)


def log_chi_square(key: Array, df: Any, shape: tuple[int, ...] = ()) -> Array:
    """Return log x for x ~ chi-square(df) = 2 Gamma(df/2), finite however small x is; -inf for df = 0."""
    half = jnp.broadcast_to(jnp.asarray(df, dtype=float) / 2, shape)
    drawn = jax.random.loggamma(key, jnp.where(half > 0, half, 1.0), shape, dtype=float)
    return jnp.where(half > 0, jnp.log(2.0) + drawn, -jnp.inf)


def chi_square(key: Array, df: Any, shape: tuple[int, ...] = ()) -> Array:
    """Return x ~ chi-square(df), df >= 0; x = 0 for df = 0, the sum of squares of one point about itself."""
    return jnp.exp(log_chi_square(key, df, shape))


def binomial(key: Array, trials: Any, chance: Any) -> Array:
    """Return x ~ Binomial(trials, chance), a float; a chance beyond [0, 1] by rounding is moved back."""
    return jax.random.binomial(key, jnp.asarray(trials, dtype=float), jnp.clip(chance, 0.0, 1.0), dtype=float)


def multinomial(key: Array, trials: Any, chances: Any) -> Array:
    """Return the counts of the named types, x ~ Multinomial(trials; chances, the rest).

    Args:
        key: the slot's key.
        trials: number of trials.
        chances: shape (types,), each >= 0, their sum at most 1; what is missing to 1 falls to types not named.

    One type after the other: x_i | x_1..x_(i-1) ~ Binomial(m - x_1 - .. - x_(i-1), p_i/(1 - p_1 - .. - p_(i-1))).
    """

    def draw_type(before: tuple[Array, Array], this: tuple[Array, Array]) -> tuple[tuple[Array, Array], Array]:
        (left, rest), (chance, slot) = before, this
        # Chances that add up to 1 leave p_K, up to rounding, for the last type, which takes what is left.
        share = jnp.where(chance < rest * (1 - 1e-12), chance / rest, 1.0)
        count = binomial(slot_key(key, slot), left, share)
        return (left - count, rest - chance), count

    start = jnp.asarray(trials, dtype=float), jnp.asarray(1.0)
    return lax.scan(draw_type, start, (chances, jnp.arange(len(chances))))[1]


def parameters(law: Law) -> tuple[Any, ...]:
    """Return the expressions that a draw from the law needs."""
    if isinstance(law, Normal):
        return ()
    if isinstance(law, ChiSquare):
        return (law.df,)
    if isinstance(law, Multinomial):
        return (law.trials, *law.probabilities)
    raise ValueError(f"{type(law).__name__} has no sampler. Ask simulate(loop, method='data') instead.")


def draw(law: Law, key: Array, values: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Array, ...]:
    """Return one draw of each of the law's symbols, given its `parameters`; a Normal is drawn standardised.

    ``shape`` is that of one symbol's draw: () or the number of independent coordinates.
    """
    if isinstance(law, Normal):
        return (normal(key, shape),)
    if isinstance(law, ChiSquare):
        (df,) = values
        return (chi_square(key, df, shape),)
    trials, *chances = values
    return tuple(multinomial(key, trials, jnp.stack(chances)))
