"""The families of one parameter, each described once for every part of the simulator.

A description says how points are drawn and fitted, and what the parameter may be. Variables, sources, statistics and
data are read off it by the modules that care for them; sums of points are drawn in `samplers`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from attrs import evolve, fields, frozen
from jax import Array
from sympy import Expr, Symbol

from numerics.kits.points import Data
from numerics.samplers import (
    binomial,
    elementary,
    hyperbolic_secant,
    log_chi_square,
    negative_binomial,
    poisson,
    slot_key,
    uniform,
)
from numerics.samplers.cipher import Key
from theory import symbols
from theory.families import (
    Binomial,
    Exponential,
    Gamma,
    HyperbolicSecant,
    LinearRegression,
    NegativeBinomial,
    NGram,
    OneParameter,
    Pareto,
    Poisson,
    Recursion,
    Uniform,
)
from theory.sampling import Faithful, Sampling, Tempered

Constants = tuple[float, ...]
"""The known constants of a family, in the order of its fields."""


@frozen
class Scalar:
    """A family of one parameter.

    Args:
        point: (key, parameter, constants) -> one point.
        fit: (data, constants) -> parameter.
        allowed: the parameter's values, in words.
        inside: whether a value is one of them.
        tempered: (parameter, constants, tau) -> the same of the law f^(1/tau); None where that is not in the family.
        refusal: constants -> why points cannot be drawn, None where they can.
    """

    point: Callable[[Key, Any, Constants], Array]
    fit: Callable[[Data, Constants], Array]
    allowed: str
    inside: Callable[[float], bool]
    tempered: Callable[[Any, Constants, Any], tuple[Any, Constants]] | None = None
    refusal: Callable[[Constants], str | None] = lambda _: None


def constants(family: OneParameter) -> Constants:
    """Return the known constants as floats."""
    return tuple(float(value) for name, value in family.constants().items())


def named(family: OneParameter) -> str:
    """Return the parameter's name."""
    return str(family.parameter)


def log_letter(parameter: Expr) -> Symbol:
    """Return the logarithm of a positive parameter as a letter of its own: it underflows long after its argument."""
    return Symbol(f"log_{parameter}", real=True)


def points(family: OneParameter, key: Key, size: int, value: Any, tau: Any) -> Array:
    """Return ``size`` independent points at a parameter's value and a temperature, 1 for faithful sampling."""
    scalar, known = SCALARS[type(family)], constants(family)
    if scalar.tempered is not None:
        value, known = scalar.tempered(value, known, tau)
    return jax.vmap(lambda slot: scalar.point(slot_key(key, slot), value, known))(jnp.arange(size))


def why_not(family: OneParameter, sampling: Sampling) -> str | None:
    """Return why points cannot be drawn, None where they can."""
    scalar = SCALARS[type(family)]
    known = Faithful if scalar.tempered is None else Faithful | Tempered
    if not isinstance(sampling, known):
        return f"sampling: {sampling} of a {type(family).__name__} law has no sampler"
    return scalar.refusal(constants(family))


def view(family: OneParameter, model: Mapping[str, Any]) -> dict[str, Array]:
    """Return the recorded variables: the parameter, and its logarithm where it is positive."""
    value = model[named(family)]
    if not family.parameter.is_positive:
        return {named(family): value}
    return {named(family): value, str(log_letter(family.parameter)): elementary.log(jnp.asarray(value, float))}


def bare(family: Any) -> Any:
    """Return a family with its source left in symbols and its constants kept; a regression also without its noise."""
    if isinstance(family, Recursion):
        return family
    if isinstance(family, NGram):
        return evolve(family, transitions=None, text=None)
    if isinstance(family, LinearRegression):
        return evolve(family, w0=symbols.w0, noise=symbols.noise)
    if not isinstance(family, OneParameter):
        return type(family)()
    return evolve(family, **{f"{family.parameter}0": symbol_of_source(family)})


def symbol_of_source(family: OneParameter) -> Symbol:
    """Return the symbol of the parameter's source value, the default of its field."""
    return next(f.default for f in fields(type(family)) if f.name == f"{family.parameter}0")


def _gamma_point(key: Key, mean: Any, shape: Any) -> Array:
    return mean / (2 * shape) * elementary.exp(log_chi_square(key, 2 * shape))


def _secant_point(key: Key, mean: Any, shape: float) -> Array:
    """Return the sum of r = shape points of shape 1 and mean mean/r."""
    terms = jax.vmap(lambda slot: hyperbolic_secant(slot_key(key, slot), mean / shape))(jnp.arange(round(shape)))
    return jnp.sum(terms)


def _whole_shape(known: Constants) -> str | None:
    (shape,) = known
    return None if shape == round(shape) else f"a hyperbolic secant law of shape {shape:g}, not whole, has no sampler"


def _positive(value: float) -> bool:
    return value > 0


def _mean(data: Data, known: Constants) -> Array:
    del known
    return data.mean()


SCALARS: Mapping[type, Scalar] = {
    Poisson: Scalar(lambda key, rate, _: poisson(key, rate), _mean, ">= 0", lambda value: value >= 0),
    Binomial: Scalar(
        lambda key, p, known: binomial(key, known[0], p),
        lambda data, known: data.mean() / known[0],
        "in [0, 1]",
        lambda value: 0 <= value <= 1,
    ),
    NegativeBinomial: Scalar(
        lambda key, mean, known: negative_binomial(key, known[0], mean), _mean, ">= 0", lambda value: value >= 0
    ),
    Exponential: Scalar(
        lambda key, mean, _: -mean * elementary.log(1 - uniform(key)),
        _mean,
        "> 0",
        _positive,
        lambda mean, known, tau: (tau * mean, known),
    ),
    Gamma: Scalar(
        lambda key, mean, known: _gamma_point(key, mean, known[0]),
        _mean,
        "> 0",
        _positive,
        lambda mean, known, tau: (mean * (tau + known[0] - 1) / known[0], (1 + (known[0] - 1) / tau,)),
    ),
    HyperbolicSecant: Scalar(
        lambda key, mean, known: _secant_point(key, mean, known[0]),
        _mean,
        "finite",
        lambda value: bool(np.isfinite(value)),
        refusal=_whole_shape,
    ),
    Uniform: Scalar(
        lambda key, theta, _: theta * (1 - uniform(key)),
        lambda data, _: data.largest(),
        "> 0",
        _positive,
        lambda theta, known, _: (theta, known),
    ),
    Pareto: Scalar(
        lambda key, tail, known: known[0] * jnp.exp(-jnp.log1p(-uniform(key)) / tail),
        lambda data, known: data.size / data.total(lambda x: jnp.log(x / known[0])),
        "> 0",
        _positive,
    ),
}
