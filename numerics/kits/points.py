"""The points that a fit reads, in an array with room for more."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from attrs import frozen
from jax import Array, lax


@frozen
class Data:
    """The first ``size`` rows of ``points``; the size may change from fit to fit, the rows do not."""

    points: Array
    size: Array

    def total(self, of: Callable[[Array], Array]) -> Array:
        """Return the sum of of(x) over the points, row after row: an order that no compiler changes with the chunk."""
        nothing = jnp.zeros(jax.eval_shape(of, self.points[0]).shape)
        return lax.fori_loop(0, jnp.asarray(self.size, int), lambda k, so_far: so_far + of(self.points[k]), nothing)

    def mean(self) -> Array:
        """Return sum x/m."""
        return self.total(lambda x: x) / self.size

    def followed_by(self, other: "Data") -> "Data":
        """Return the points of both, those of the other after those of this one that are there."""
        room = jnp.concatenate([self.points, jnp.zeros_like(other.points)])
        points = lax.dynamic_update_slice_in_dim(room, other.points, self.size.astype(int), 0)
        return Data(points, self.size + other.size)

    def largest(self) -> Array:
        """Return the largest point, found row after row: a maximum over a mask can take minutes to compile."""
        least = jnp.full_like(self.points[0], -jnp.inf)
        return lax.fori_loop(0, jnp.asarray(self.size, int), lambda k, top: jnp.maximum(top, self.points[k]), least)
