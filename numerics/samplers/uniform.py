"""Uniform numbers: one word each, 53 bits of it."""

from jax import Array

from numerics.samplers.cipher import Key, uniforms


def uniform(key: Key, shape: tuple[int, ...] = ()) -> Array:
    """Return u ~ Uniform[0, 1) of the given shape, whole multiples of 2^-53."""
    return uniforms(key, shape)
