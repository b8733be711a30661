"""Normal points with a covariance, drawn and fitted on the data path: the full family and those restricted in form."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.chains import Given
from numerics.kits.distortions import Distortion, factor
from numerics.kits.kit import Model
from numerics.kits.points import Data
from numerics.samplers import normal
from numerics.samplers.cipher import Key


def real(key: Key, size: int, given: Given, how: Distortion) -> Array:
    """Return x = mu0 + sqrt(tau) L z with L L' the source's covariance."""
    d = jnp.shape(given["mu0"])[-1]
    return given["mu0"] + jnp.sqrt(factor(how)) * rows_times(normal(key, (size, d)), given["root0"])


def source(given: Given) -> Model:
    """Return model 0."""
    return {"mu": given["mu0"], "Sigma": given["Sigma0"]}


def draw(key: Key, size: int, model: Model, how: Distortion) -> Array:
    """Return x = mu + sqrt(tau) Q sqrt(lambda) z with Q lambda Q' the covariance, singular or not."""
    values, vectors = jnp.linalg.eigh(model["Sigma"])
    root = vectors * jnp.sqrt(jnp.maximum(factor(how) * values, 0.0))
    return model["mu"] + rows_times(normal(key, (size, len(values))), root)


def rows_times(z: Array, root: Array) -> Array:
    """Return L z for every row z, column after column: the order of a product would change with the chunk."""
    return sum((z[:, j, None] * root[:, j] for j in range(len(root))), jnp.zeros(()))


def fit(data: Data, divisor: Any, last: Model) -> Model:
    """Return mu = sum x/m and Sigma = sum (x - mu)(x - mu)'/d(m)."""
    del last
    mu = data.mean()
    return {"mu": mu, "Sigma": data.total(lambda x: jnp.outer(x - mu, x - mu)) / divisor}


def view(model: Model) -> dict[str, Array]:
    """Return mean, covariance and its log determinant."""
    return {"mu": model["mu"], "Sigma": model["Sigma"], "log_det": jnp.linalg.slogdet(model["Sigma"])[1]}
