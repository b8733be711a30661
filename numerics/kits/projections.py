"""What the data path knows of restricted families: joint points, a sample's moments, and their restricted form."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from numerics.chains import Given
from numerics.kits import joint
from numerics.kits.distortions import Distortion, weights
from numerics.kits.frequencies import counted, inverse
from numerics.kits.kit import Kit, Model
from numerics.kits.points import Data
from numerics.samplers import slot_key, uniform
from numerics.samplers.cipher import Key
from theory.families import GraphicalGaussian, IsotropicGaussian, LowRankGaussian, ProductCategorical
from theory.families.projected import ProjectedGaussian


def gaussian(family: ProjectedGaussian, dimension: int) -> Kit:
    """Return the kit of a Gaussian family with a restricted covariance."""
    restricted = _restricted(family, dimension)

    def fit(data: Data, divisor: Any, last: Model) -> Model:
        whole = joint.fit(data, divisor, last)
        return {**whole, "Sigma": restricted(whole["Sigma"])}

    return Kit(False, joint.source, joint.real, joint.draw, fit, joint.view)


def _restricted(family: ProjectedGaussian, dimension: int) -> Callable[[Array], Array]:
    """Return S -> S*, as the family's own `restricted` in floating point."""
    if isinstance(family, IsotropicGaussian):
        return lambda S: jnp.trace(S) / dimension * jnp.eye(dimension)
    if isinstance(family, LowRankGaussian):
        return lambda S: _low_rank(S, family.rank)
    if isinstance(family, GraphicalGaussian):
        return lambda S: _graphical(S, family.pieces(dimension))
    raise ValueError(f"{type(family).__name__} cannot be simulated yet. Choose another restricted family.")


def _low_rank(covariance: Array, rank: int) -> Array:
    values, columns = jnp.linalg.eigh(covariance)
    rest = len(values) - rank
    kept = jnp.where(jnp.arange(len(values)) < rest, values[:rest].mean(), values)
    return sum((kept[k] * jnp.outer(columns[:, k], columns[:, k]) for k in range(len(values))), jnp.zeros(()))


def _graphical(covariance: Array, pieces: Sequence[tuple[int, list[int]]]) -> Array:
    concentration = jnp.zeros_like(covariance)
    for sign, members in pieces:
        block = np.ix_(members, members)
        concentration = concentration.at[block].add(sign * jnp.linalg.inv(covariance[block]))
    return jnp.linalg.inv(concentration)


def columns(family: ProductCategorical) -> Kit:
    """Return the kit of a product of marginals; points are places, one type for every column."""
    levels = family.levels

    def source(given: Given) -> Model:
        """Return the marginals of the joint law."""
        return {"p": tuple(_marginal(given["p0"].reshape(levels), a) for a in range(len(levels)))}

    def real(key: Key, size: int, given: Given, how: Distortion) -> Array:
        types = inverse(uniform(key, (size,)), weights(given["p0"], how))
        return jnp.stack(jnp.unravel_index(types, levels), axis=1)

    def draw(key: Key, size: int, model: Model, how: Distortion) -> Array:
        drawn = (inverse(uniform(slot_key(key, a), (size,)), weights(p, how)) for a, p in enumerate(model["p"]))
        return jnp.stack(tuple(drawn), axis=1)

    def fit(data: Data, divisor: Any, last: Model) -> Model:
        del divisor, last
        counts = (counted(Data(data.points[:, a], data.size), k) for a, k in enumerate(levels))
        return {"p": tuple(count / data.size for count in counts)}

    def view(model: Model) -> dict[str, Array]:
        joint = jnp.ones(())
        for p in model["p"]:
            joint = (joint[..., None] * p).reshape(-1)
        return {"p": joint}

    return Kit(False, source, real, draw, fit, view)


def _marginal(joint: Array, column: int) -> Array:
    return joint.sum(axis=tuple(k for k in range(joint.ndim) if k != column))
