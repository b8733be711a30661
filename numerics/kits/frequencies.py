"""What the data path knows of points that are one of several types, fitted by their frequencies."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.chains import Given
from numerics.kits.distortions import Distortion, weights
from numerics.kits.kit import Kit, Model
from numerics.kits.points import Data
from numerics.samplers import log_chi_square, uniform
from numerics.samplers.cipher import Key
from numerics.samplers.dirichlet import shares
from theory.sampling import Faithful


def tokens(types: int) -> Kit:
    """Return the kit for K types whose fits keep their tokens, since a draw from one is one of them at random."""

    def counts(model: Model) -> Array:
        return counted(Data(model["tokens"], model["size"]), types)

    def real(key: Key, size: int, given: Given, how: Distortion) -> Array:
        return inverse(uniform(key, (size,)), weights(given["p0"], how))

    def draw(key: Key, size: int, model: Model, how: Distortion) -> Array:
        u = uniform(key, (size,))
        if how.kind is not Faithful:
            return inverse(u, weights(counts(model) / model["size"], how))
        return model["tokens"][jnp.floor(u * model["size"]).astype(jnp.int32)]

    def view(model: Model) -> dict[str, Array]:
        return {"p": model["p"] if "p" in model else counts(model) / model["size"]}

    def fit(data: Data, divisor: Any, last: Model) -> Model:
        del divisor, last
        return {"tokens": data.points, "size": data.size}

    return Kit(False, _source, real, draw, fit, view)


def types(types: int) -> Kit:
    """Return the kit for K types whose models are probabilities, whatever they were made from."""

    def real(key: Key, size: int, given: Given, how: Distortion) -> Array:
        return inverse(uniform(key, (size,)), weights(given["p0"], how))

    def draw(key: Key, size: int, model: Model, how: Distortion) -> Array:
        return inverse(uniform(key, (size,)), weights(_predicted(model, model["p"], types), how))

    def fit(data: Data, divisor: Any, last: Model) -> Model:
        del divisor, last
        return {"p": counted(data, types) / data.size}

    def posterior(key: Key, fitted: Model, size: Any) -> Model:
        return {"p": proportions(key, size * fitted["p"])}

    return Kit(True, _source, real, draw, fit, lambda model: {"p": model["p"]}, posterior=posterior)


def proportions(key: Key, counts: Array) -> Array:
    """Return a draw from the posterior of the Jeffreys prior, Dirichlet(counts + 1/2)."""
    return shares(log_chi_square(key, 2 * counts + 1, counts.shape))


def _source(given: Given) -> Model:
    return {"p": given["p0"]}


def _predicted(model: Model, chances: Any, types: int) -> Any:
    """Return (m p + 1/2)/(m + K/2) where the posterior predictive law is drawn from, else p."""
    if "behind" not in model:
        return chances
    return (model["behind"] * chances + 0.5) / (model["behind"] + types / 2)


def counted(data: Data, types: int) -> Array:
    """Return how many points are of each type."""
    keep = jnp.arange(len(data.points)) < data.size
    return jnp.zeros(types, jnp.int32).at[data.points].add(keep.astype(jnp.int32))


def inverse(u: Array, weights: Array) -> Array:
    """Return the types at which the running sum of weights passes u times their sum, u in [0, 1)."""
    sums = jnp.cumsum(weights)
    passed = jnp.searchsorted(sums, u * sums[-1], side="right").astype(jnp.int32)
    # u times the sum may round up to the sum itself.
    return jnp.minimum(passed, len(weights) - 1)


def _successes(key: Key, size: int, model: Model, how: Distortion) -> Array:
    """Return x = 1 with the distorted probability of success, the type named first, else 0."""
    p = _predicted(model, model["p"], 2)
    one, zero = weights(jnp.stack([p, 1 - p]), how)
    return (uniform(key, (size,)) * (one + zero) < one).astype(float)


def _success_posterior(key: Key, fitted: Model, size: Any) -> Model:
    p = fitted["p"]
    return {"p": proportions(key, size * jnp.stack([p, 1 - p]))[0]}


BERNOULLI = Kit(
    True,
    _source,
    lambda key, size, given, how: _successes(key, size, _source(given), how),
    _successes,
    lambda data, *_: {"p": data.mean()},
    lambda model: {"p": model["p"]},
    posterior=_success_posterior,
)
