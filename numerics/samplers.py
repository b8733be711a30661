"""Draws from the laws of innovations, one function for each, as pure functions of a key.

A chain's numbers depend on (seed, chain, generation, slot) and on nothing else, so that results are the same for any
chunk size, any order and any device count. Keys are threefry's: a counter-based cipher with no shared state.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from theory.innovations import ChiSquare, Law, Multinomial, Normal
from theory.laws.dirichlet import Dirichlet
from theory.laws.maximum import Maximum
from theory.laws.natural_sum import POINT, NaturalSum
from theory.samples import TiltedSquares

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


def poisson(key: Array, rate: Any) -> Array:
    """Return x ~ Poisson(rate), rate >= 0, a float; below a rate of 10 by inversion, above by rejection.

    JAX's own sampler computes in 32 bits, where the logarithm of a probability is lost from rates of 10^5 on.
    """
    rate = jnp.asarray(rate, dtype=float)
    small = ~(rate >= 10)
    few = _inverted_poisson(slot_key(key, 0), jnp.where(small, rate, 0.0))
    return jnp.where(small, few, _rejected_poisson(slot_key(key, 1), jnp.where(small, 10.0, rate)))


def _inverted_poisson(key: Array, rate: Array) -> Array:
    """Return the least k with P(x <= k) > u."""
    u = uniform(key)

    def passed(state: tuple[Array, Array, Array]) -> Array:
        _, mass, below = state
        return (u >= below + mass) & (mass > 0)

    def onward(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        k, mass, below = state
        return k + 1, mass * rate / (k + 1), below + mass

    return lax.while_loop(passed, onward, (jnp.asarray(0.0), jnp.exp(-rate), jnp.asarray(0.0)))[0]


def _rejected_poisson(key: Array, rate: Array) -> Array:
    """Return x ~ Poisson(rate), rate >= 10, by transformed rejection.

    W. Hoermann, The transformed rejection method for generating Poisson random variables, Insurance Math. Econom. 12
    (1993) 39-45, algorithm PTRS.
    """
    b = 0.931 + 2.53 * jnp.sqrt(rate)
    a = -0.059 + 0.02483 * b
    scale, certain = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)

    def tried(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        trial, _, _ = state
        u, v = uniform(slot_key(key, trial), (2,))
        u, v = u - 0.5, 1 - v
        edge = 0.5 - jnp.abs(u)
        k = jnp.floor((2 * a / edge + b) * u + rate + 0.43)
        log_mass = k * jnp.log(rate) - rate - lax.lgamma(k + 1)
        under = jnp.log(v * scale / (a / edge**2 + b)) <= log_mass
        outside = (k < 0) | ((edge < 0.013) & (v > edge))
        return trial + 1, k, ((edge >= 0.07) & (v <= certain)) | (~outside & under)

    start = jnp.asarray(0), rate, jnp.asarray(False)
    return lax.while_loop(lambda state: ~state[2], tried, start)[1]


def negative_binomial(key: Array, shape: Any, mean: Any) -> Array:
    """Return x ~ Poisson(mean/shape Gamma(shape)), the negative binomial law of that shape and mean."""
    squares = chi_square(slot_key(key, 0), 2 * jnp.asarray(shape, dtype=float))
    return poisson(slot_key(key, 1), mean / shape * squares / 2)


def hyperbolic_secant(key: Array, mean: Any) -> Array:
    """Return x of density cos(t) exp(t x)/(2 cosh(pi x/2)), tan(t) = mean, by rejection.

    cos(t) exp(t x - pi |x|/2) lies above it, two exponentials back to back, and is hit in more than 3 of 4 trials.
    """
    rate = jnp.arctan2(1.0, mean), jnp.arctan2(1.0, -jnp.asarray(mean))  # pi/2 - t to the right, pi/2 + t to the left

    def tried(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        trial, _, _ = state
        side, u, v = uniform(slot_key(key, trial), (3,))
        away = -jnp.log1p(-u)
        x = jnp.where(side * jnp.pi < rate[1], away / rate[0], -away / rate[1])
        return trial + 1, x, v * (1 + jnp.exp(-jnp.pi * jnp.abs(x))) <= 1

    start = jnp.asarray(0), jnp.asarray(0.0), jnp.asarray(False)
    return lax.while_loop(lambda state: ~state[2], tried, start)[1]


def tilted_squares(key: Array, variance: Any, df: Any, rate: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return (eps, y), eps = sqrt(variance) z and y = exp(rate (chi + z^2)) with chi ~ chi-square(df)."""
    z, chi = normal(slot_key(key, 0), shape), chi_square(slot_key(key, 1), df, shape)
    return jnp.sqrt(variance) * z, jnp.exp(rate * (chi + z**2))


def log_maximum(key: Array, size: Any) -> Array:
    """Return log x for x ~ Beta(size, 1), the largest of that many uniform points: log(u)/size."""
    return jnp.log1p(-uniform(key)) / size


def _poisson_sum(key: Array, size: Any, mean: Any, v2: Any) -> Array:
    del v2
    return poisson(key, size * mean)


def _binomial_sum(key: Array, size: Any, mean: Any, v2: Any) -> Array:
    """Return the successes in size * N trials of chance mean/N, v2 = -1/N."""
    return binomial(key, jnp.round(-size / v2), -mean * v2)


def _negative_binomial_sum(key: Array, size: Any, mean: Any, v2: Any) -> Array:
    """Return the sum, of shape size * r and mean size * mean, v2 = 1/r."""
    return negative_binomial(key, size / v2, size * mean)


_SUMS = {"Poisson": _poisson_sum, "Binomial": _binomial_sum, "NegativeBinomial": _negative_binomial_sum}
"""Family -> (key, number of points, their mean, coefficient v2 of the variance function) -> their sum."""


def dirichlet(key: Array, weights: Any, total: Any) -> Array:
    """Return the named entries of x ~ Dirichlet(weights, total - their sum): gamma variables over their sum."""
    rest = jnp.maximum(total - jnp.sum(weights), 0.0)
    logs = log_chi_square(key, 2 * jnp.append(weights, rest), (len(weights) + 1,))
    return jax.nn.softmax(logs)[:-1]


def has_sampler(law: Law) -> bool:
    """Return whether `draw` knows the law."""
    if isinstance(law, NaturalSum):
        return law.family in _SUMS
    return isinstance(law, Normal | ChiSquare | Multinomial | Dirichlet | Maximum | TiltedSquares)


def parameters(law: Law) -> tuple[Any, ...]:
    """Return the expressions that a draw from the law needs."""
    if not has_sampler(law):
        name = f"{type(law).__name__} of {law.family} points" if isinstance(law, NaturalSum) else type(law).__name__
        raise ValueError(f"{name} has no sampler. Ask simulate(loop, method='data') instead.")
    if isinstance(law, ChiSquare):
        return (law.df,)
    if isinstance(law, Multinomial):
        return (law.trials, *law.probabilities)
    if isinstance(law, Dirichlet):
        return (law.total, *law.weights)
    if isinstance(law, Maximum):
        return (law.size,)
    if isinstance(law, TiltedSquares):
        return (law.variance, law.df, law.rate)
    return (law.size, law.mean, law.variance.coeff(POINT, 2)) if isinstance(law, NaturalSum) else ()


def draw(law: Law, key: Array, values: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Array, ...]:
    """Return one draw of each of the law's symbols, given its `parameters`; a Normal is drawn standardised.

    ``shape`` is that of one symbol's draw: () or the number of independent coordinates.
    """
    if isinstance(law, Normal):
        return (normal(key, shape),)
    if isinstance(law, ChiSquare):
        (df,) = values
        return (chi_square(key, df, shape),)
    if isinstance(law, TiltedSquares):
        variance, df, rate = values
        return tilted_squares(key, variance, df, rate, shape)
    if isinstance(law, Maximum):
        return (jnp.exp(log_maximum(key, *values)),)
    if isinstance(law, NaturalSum):
        return (_SUMS[law.family](key, *values),)
    total, *rest = values
    if isinstance(law, Dirichlet):
        return tuple(dirichlet(key, jnp.stack(rest), total))
    return tuple(multinomial(key, total, jnp.stack(rest)))
