"""The laws of innovations, each with its sampler: what a draw needs, and the draw."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.binomial import binomial
from numerics.samplers.chi_square import chi_square
from numerics.samplers.cipher import Key
from numerics.samplers.dirichlet import dirichlet
from numerics.samplers.maximum import log_maximum
from numerics.samplers.multinomial import multinomial
from numerics.samplers.negative_binomial import negative_binomial
from numerics.samplers.normal import normal
from numerics.samplers.parts import parts
from numerics.samplers.poisson import poisson
from numerics.samplers.tilted_squares import tilted_squares
from theory.innovations import ChiSquare, Law, Multinomial, Normal
from theory.laws.dirichlet import Dirichlet
from theory.laws.maximum import Maximum
from theory.laws.natural_sum import POINT, NaturalSum
from theory.samples import TiltedSquares
from theory.sphere import Parts


def has_sampler(law: Law) -> bool:
    """Return whether `draw` knows the law."""
    if isinstance(law, NaturalSum):
        return law.family in _SUMS
    return isinstance(law, Normal | ChiSquare | Multinomial | Dirichlet | Maximum | TiltedSquares | Parts)


def parameters(law: Law) -> tuple[Any, ...]:
    """Return the expressions that a draw from the law needs."""
    if not has_sampler(law):
        name = f"{type(law).__name__} of {law.family} points" if isinstance(law, NaturalSum) else type(law).__name__
        raise ValueError(f"{name} has no sampler. Ask simulate(loop, method='data') instead.")
    if isinstance(law, ChiSquare):
        return (law.df,)
    if isinstance(law, Parts):
        return (*law.dimensions, law.square)
    if isinstance(law, Multinomial):
        return (law.trials, *law.probabilities)
    if isinstance(law, Dirichlet):
        return (law.total, *law.weights)
    if isinstance(law, Maximum):
        return (law.size,)
    if isinstance(law, TiltedSquares):
        return (law.variance, law.df, law.rate)
    return (law.size, law.mean, law.variance.coeff(POINT, 2)) if isinstance(law, NaturalSum) else ()


def draw(law: Law, key: Key, values: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Array, ...]:
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
    if isinstance(law, Parts):
        return parts(key, *values, shape=shape)
    if isinstance(law, Maximum):
        return (elementary.exp(log_maximum(key, *values)),)
    if isinstance(law, NaturalSum):
        return (_SUMS[law.family](key, *values),)
    total, *rest = values
    if isinstance(law, Dirichlet):
        return tuple(dirichlet(key, jnp.stack(rest), total))
    return tuple(multinomial(key, total, jnp.stack(rest)))


def _poisson_sum(key: Key, size: Any, mean: Any, v2: Any) -> Array:
    del v2
    return poisson(key, size * mean)


def _binomial_sum(key: Key, size: Any, mean: Any, v2: Any) -> Array:
    """Return the successes in size * N trials of chance mean/N, v2 = -1/N."""
    return binomial(key, jnp.round(-size / v2), -mean * v2)


def _negative_binomial_sum(key: Key, size: Any, mean: Any, v2: Any) -> Array:
    """Return the sum, of shape size * r and mean size * mean, v2 = 1/r."""
    return negative_binomial(key, size / v2, size * mean)


_SUMS = {"Poisson": _poisson_sum, "Binomial": _binomial_sum, "NegativeBinomial": _negative_binomial_sum}
"""Family -> (key, number of points, their mean, coefficient v2 of the variance function) -> their sum."""
