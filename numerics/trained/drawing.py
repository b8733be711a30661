"""Random arrays of a learner, and its affine layers; draws are written to memory where they are made.

Compilers put a draw into every loop that reads it, cipher and all: a training step that reads its noise in ten places
would compile it ten times. Behind a barrier it is compiled once.
"""

import math
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from numerics.samplers import normal, slot_key, uniform
from numerics.samplers.cipher import Key

SINGLE: Any = jnp.float32
"""The format in which models are trained."""


def place(key: Key, slot: Any) -> Key:
    """Return the key of a slot."""
    return Key(*lax.optimization_barrier(tuple(slot_key(key, slot))))


def deviates(key: Key, shape: tuple[int, ...]) -> Array:
    """Return z ~ N(0, 1) in single precision."""
    return lax.optimization_barrier(normal(key, (math.prod(shape),), SINGLE)).reshape(shape)


def chances(key: Key, shape: tuple[int, ...]) -> Array:
    """Return u ~ Uniform[0, 1)."""
    return lax.optimization_barrier(uniform(key, (math.prod(shape),))).reshape(shape)


def places(key: Key, count: int, size: Any) -> Array:
    """Return whole numbers uniform on 0..size - 1, for sizes below 2^31."""
    return jnp.floor(chances(key, (count,)) * size).astype(jnp.int32)


def layers(key: Key, shapes: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """Return affine layers by name, of (inputs, outputs): weights ~ N(0, 1/inputs), all of one draw, and no offset."""
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    weights = jnp.split(deviates(key, (int(ends[-1]),)), ends[:-1])
    return {
        name: {"w": w.reshape(shape) / shape[0] ** 0.5, "b": jnp.zeros(shape[1], SINGLE)}
        for (name, shape), w in zip(shapes.items(), weights, strict=True)
    }


def affine(layer: Mapping[str, Array], rows: Array) -> Array:
    """Return rows W + b."""
    return rows @ layer["w"] + layer["b"]
