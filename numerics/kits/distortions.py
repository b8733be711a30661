"""What a distorted sampling does to the draws of a family, and which families know it.

The one number of a distortion is an argument of the compiled program, so that a sweep over it compiles once.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from attrs import fields, frozen
from jax import Array
from jax.scipy.special import ndtr, ndtri

from numerics import scalars
from numerics.samplers import normal, uniform
from numerics.samplers.cipher import Key
from theory.families import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Fitted,
    Gaussian,
    LocationScale,
    MultivariateGaussian,
    OneParameter,
    ProductCategorical,
    StudentT,
)
from theory.loop import Loop
from theory.sampling import Faithful, MinP, Sampling, Tempered, TopK, TopP, Truncated, VarianceFactor


@frozen
class Distortion:
    """A way of sampling, by its class, with its number: a temperature, a factor, a cut, a mass or a count."""

    kind: type
    value: Any = 1.0


FAITHFUL = Distortion(Faithful)


def distortion(sampling: Sampling, given: Mapping[str, Any]) -> Distortion:
    """Return the distortion of a loop's sampling, its number looked up where it is a symbol."""
    numbers = [getattr(sampling, f.name) for f in fields(type(sampling))]
    if not numbers:
        return FAITHFUL
    (number,) = numbers
    return Distortion(type(sampling), given[str(number)] if number.free_symbols else float(number))


_FACTORS: tuple[type, ...] = (Faithful, Tempered, VarianceFactor)
_TYPES: tuple[type, ...] = (Faithful, Tempered, TopP, TopK, MinP)
_KNOWN: Mapping[type, tuple[type, ...]] = {
    Gaussian: (*_FACTORS, Truncated),
    DiagonalGaussian: (*_FACTORS, Truncated),
    MultivariateGaussian: _FACTORS,
    Bernoulli: _TYPES,
    Categorical: _TYPES,
    ProductCategorical: _TYPES,
}


def why_not(loop: Loop) -> str | None:
    """Return why the points of the loop cannot be drawn, None where they can."""
    sampling, family = loop.sampling, loop.family
    if isinstance(family, OneParameter):
        return scalars.why_not(family, sampling)
    if isinstance(family, LocationScale):
        return _not_located(family, sampling)
    if isinstance(family, Fitted) and not isinstance(sampling, Faithful):
        return f"sampling: {sampling} of a {type(family).__name__} law has no sampler"
    if not isinstance(sampling, _KNOWN.get(type(family), _FACTORS)):
        return f"sampling: {sampling} is no distortion of a {type(family).__name__} law"
    if isinstance(sampling, Truncated) and loop.source is not None and not isinstance(loop.source, type(family)):
        return f"sampling: {sampling} of a correlated source has no one standard deviation to cut at"
    return None


def _not_located(family: LocationScale, sampling: Sampling) -> str | None:
    """Return why points of a distorted law of another shape cannot be drawn."""
    known = Faithful if isinstance(family, StudentT) else Faithful | Tempered
    return None if isinstance(sampling, known) else f"sampling: {sampling} of a {family.title} law has no sampler"


def temperature(how: Distortion) -> Any:
    """Return tau, 1 where sampling is faithful."""
    return how.value if how.kind is Tempered else 1.0


def factor(how: Distortion) -> Any:
    """Return what the variance of a Gaussian is multiplied by: tau or lam, else 1."""
    return how.value if how.kind in (Tempered, VarianceFactor) else 1.0


def deviates(key: Key, shape: tuple[int, ...], how: Distortion) -> Array:
    """Return what the standard deviation of a Gaussian is multiplied by: z ~ N(0, 1), or z given |z| <= h."""
    if how.kind is not Truncated:
        return normal(key, shape)
    below = ndtr(-jnp.asarray(how.value, dtype=float))
    return ndtri(below + (1 - 2 * below) * uniform(key, shape))


def weights(chances: Array, how: Distortion) -> Array:
    """Return weights in proportion to which types are drawn, from probabilities along the one axis.

    Of equally probable types those named first are kept.
    """
    if how.kind is Faithful:
        return chances
    if how.kind is Tempered:
        return chances ** (1 / how.value)
    return jnp.where(_KEPT[how.kind](chances, how.value), chances, 0.0)


def _ranked(chances: Array) -> tuple[Array, Array]:
    """Return the rank of every type, 0 for the most probable, and how much those before it hold together."""
    order = jnp.argsort(-chances, stable=True)
    sorted_ = chances[order]
    ranks = jnp.argsort(order)
    return ranks, (jnp.cumsum(sorted_) - sorted_)[ranks]


def _most_probable(chances: Array, count: Any) -> Array:
    return _ranked(chances)[0] < count


def _nucleus(chances: Array, mass: Any) -> Array:
    """Return which types are needed to hold the mass: those before which less is held, up to rounding."""
    return _ranked(chances)[1] < mass - 1e-12


def _near_the_most_probable(chances: Array, share: Any) -> Array:
    """Return which types reach the share of the largest probability, up to rounding."""
    return chances >= share * jnp.max(chances) - 1e-12


_KEPT: Mapping[type, Callable[[Array, Any], Array]] = {
    TopK: _most_probable,
    TopP: _nucleus,
    MinP: _near_the_most_probable,
}
