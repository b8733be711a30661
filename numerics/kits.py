"""What the data path knows of each family: how points are drawn, from source and fit, and fitted."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from attrs import frozen
from jax import Array

from numerics import scalars, texts
from numerics.chains import Given
from numerics.points import Data
from numerics.samplers import normal, uniform
from theory.families import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Gaussian,
    MultivariateGaussian,
    NGram,
    OneParameter,
)
from theory.loop import Loop

Model = Mapping[str, Any]
"""What a chain knows of its last fit, by name."""


@frozen
class Kit:
    """How a family is drawn and fitted; tau is the temperature, 1 for faithful sampling.

    Args:
        alike: whether model 0 is drawn as fitted models are.
        source: given -> model 0.
        real: (key, size, given, tau) -> points of the true source, shape (size, ...).
        draw: (key, size, model, tau) -> points of a fitted model.
        fit: (data, multiplier of the unbiased variance) -> model.
        view: model -> recorded variables.
    """

    alike: bool
    source: Callable[[Given], Model]
    real: Callable[[Array, int, Given, Any], Array]
    draw: Callable[[Array, int, Model, Any], Array]
    fit: Callable[[Data, Any], Model]
    view: Callable[[Model], dict[str, Array]]


def kit(loop: Loop, shape: tuple[int, ...]) -> Kit:
    """Return the kit of the loop's family; ``shape`` is that of a parameter, (), (d,) or (K,)."""
    if isinstance(loop.family, Categorical):
        return _categorical(shape[0])
    if isinstance(loop.family, NGram):
        return Kit(False, *texts.Texts(loop.family.order, loop.family.ring).functions())
    if isinstance(loop.family, DiagonalGaussian) and loop.source is not None:
        return _CORRELATED
    return _scalar(loop.family) if isinstance(loop.family, OneParameter) else _KITS[type(loop.family)]


def _normal_source(given: Given) -> Model:
    return {"mu": given["mu0"], "V": given["V0"]}


def _normal_draw(key: Array, size: int, model: Model, tau: Any) -> Array:
    """Return x = mu + sqrt(tau V) z, coordinate by coordinate."""
    return model["mu"] + jnp.sqrt(tau * model["V"]) * normal(key, (size, *jnp.shape(model["mu"])))


def _normal_real(key: Array, size: int, given: Given, tau: Any) -> Array:
    return _normal_draw(key, size, _normal_source(given), tau)


def _normal_fit(data: Data, multiplier: Any) -> Model:
    """Return mu = sum x/m and V = c sum (x - mu)^2/(m - 1)."""
    mu = data.mean()
    return {"mu": mu, "V": multiplier * data.total(lambda x: (x - mu) ** 2) / (data.size - 1)}


def _normal_view(model: Model) -> dict[str, Array]:
    return {"mu": model["mu"], "V": model["V"], "log_V": jnp.log(model["V"])}


def _joint_real(key: Array, size: int, given: Given, tau: Any) -> Array:
    """Return x = mu0 + sqrt(tau) L z with L L' the source's covariance."""
    d = jnp.shape(given["mu0"])[-1]
    return given["mu0"] + jnp.sqrt(tau) * _rows_times(normal(key, (size, d)), given["root0"])


def _joint_source(given: Given) -> Model:
    return {"mu": given["mu0"], "Sigma": given["Sigma0"]}


def _joint_draw(key: Array, size: int, model: Model, tau: Any) -> Array:
    """Return x = mu + sqrt(tau) Q sqrt(lambda) z with Q lambda Q' the covariance, singular or not."""
    values, vectors = jnp.linalg.eigh(model["Sigma"])
    root = vectors * jnp.sqrt(jnp.maximum(tau * values, 0.0))
    return model["mu"] + _rows_times(normal(key, (size, len(values))), root)


def _rows_times(z: Array, root: Array) -> Array:
    """Return L z for every row z, column after column: the order of a product would change with the chunk."""
    return sum((z[:, j, None] * root[:, j] for j in range(len(root))), jnp.zeros(()))


def _joint_fit(data: Data, multiplier: Any) -> Model:
    """Return mu = sum x/m and Sigma = c sum (x - mu)(x - mu)'/(m - 1)."""
    mu = data.mean()
    return {"mu": mu, "Sigma": multiplier * data.total(lambda x: jnp.outer(x - mu, x - mu)) / (data.size - 1)}


def _bernoulli_draw(key: Array, size: int, model: Model, tau: Any) -> Array:
    """Return x = 1 with probability p^(1/tau)/(p^(1/tau) + (1 - p)^(1/tau)), else 0."""
    one, zero = model["p"] ** (1 / tau), (1 - model["p"]) ** (1 / tau)
    return (uniform(key, (size,)) * (one + zero) < one).astype(float)


def _scalar(family: OneParameter) -> Kit:
    """Return the kit of a family of one parameter."""
    name, known = scalars.named(family), scalars.constants(family)

    def draw(key: Array, size: int, model: Model, tau: Any) -> Array:
        return scalars.points(family, key, size, model[name], tau)

    def real(key: Array, size: int, given: Given, tau: Any) -> Array:
        return scalars.points(family, key, size, given[f"{name}0"], tau)

    def fit(data: Data, multiplier: Any) -> Model:
        del multiplier
        return {name: scalars.SCALARS[type(family)].fit(data, known)}

    return Kit(
        True, lambda given: {name: given[f"{name}0"]}, real, draw, fit, lambda model: scalars.view(family, model)
    )


def _categorical(types: int) -> Kit:
    """Return the kit for K types; a fit keeps its tokens, since a draw from it is one of them at random."""

    def counts(model: Model) -> Array:
        tokens = model["tokens"]
        keep = jnp.arange(len(tokens)) < model["size"]
        return jnp.zeros(types, jnp.int32).at[tokens].add(keep.astype(jnp.int32))

    def real(key: Array, size: int, given: Given, tau: Any) -> Array:
        return _inverse(uniform(key, (size,)), given["p0"] if _faithful(tau) else given["p0"] ** (1 / tau))

    def draw(key: Array, size: int, model: Model, tau: Any) -> Array:
        u = uniform(key, (size,))
        if not _faithful(tau):
            return _inverse(u, counts(model) ** (1 / tau))
        return model["tokens"][jnp.floor(u * model["size"]).astype(jnp.int32)]

    def view(model: Model) -> dict[str, Array]:
        return {"p": model["p"] if "p" in model else counts(model) / model["size"]}

    def fit(data: Data, multiplier: Any) -> Model:
        del multiplier
        return {"tokens": data.points, "size": data.size}

    return Kit(False, lambda given: {"p": given["p0"]}, real, draw, fit, view)


def _faithful(tau: Any) -> bool:
    """Return whether a temperature is the number 1; one that is given at run time counts as another."""
    return isinstance(tau, float) and tau == 1


def _inverse(u: Array, weights: Array) -> Array:
    """Return the types at which the running sum of weights passes u times their sum, u in [0, 1)."""
    sums = jnp.cumsum(weights)
    passed = jnp.searchsorted(sums, u * sums[-1], side="right").astype(jnp.int32)
    # u times the sum may round up to the sum itself.
    return jnp.minimum(passed, len(weights) - 1)


_NORMAL = Kit(True, _normal_source, _normal_real, _normal_draw, _normal_fit, _normal_view)
_CORRELATED = Kit(False, _normal_source, _joint_real, _normal_draw, _normal_fit, _normal_view)
_KITS: Mapping[type, Kit] = {
    Gaussian: _NORMAL,
    DiagonalGaussian: _NORMAL,
    MultivariateGaussian: Kit(True, _joint_source, _joint_real, _joint_draw, _joint_fit, dict),
    Bernoulli: Kit(
        True,
        lambda given: {"p": given["p0"]},
        lambda key, size, given, tau: _bernoulli_draw(key, size, {"p": given["p0"]}, tau),
        _bernoulli_draw,
        lambda data, _: {"p": data.mean()},
        dict,
    ),
}
