"""Triangles and symmetric matrices of many chains side by side, and products of them.

Chains lie on the last axis while the dimension is small, so that all work is elementwise; on the first one beyond,
where products of matrices are worth a call. Triangles are kept as blocks (top, 0; side, low), which is what a product
of two of them needs.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from attrs import frozen
from jax import Array, lax

from numerics.samplers.cipher import Key

SMALL = 16
"""Up to this dimension chains lie on the last axis."""

T = TypeVar("T")


class Blocks(NamedTuple):
    """A lower triangle (top, 0; side, low), or the lower half of a symmetric matrix, of one matrix for each chain."""

    top: Array
    side: Array
    low: Array


def held(made: Callable[[], T], when: Any) -> T:
    """Return made(), computed once: a compiler for processors would compute it again wherever it is read.

    Args:
        made: what is computed.
        when: a condition that holds, and that the compiler cannot see to hold.
    """

    def by_condition() -> T:
        return lax.cond(when, made, lambda: jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(made)))

    return lax.platform_dependent(cpu=by_condition, default=made)


def added(products: Sequence[Array]) -> Array:
    """Return the sum of products, the first of them rounded before another is added; zeros become positive.

    A compiler makes x y + u v of one product and a fused sum, and versions of it differ in which of the two it takes.
    """
    first, *others = products
    return sum(others, jnp.where(first == 0, 0, first))


@frozen
class Space:
    """Arithmetic of matrices in d dimensions, for several chains at once.

    Args:
        dimension: d.
        when: a condition that holds, of which the compiler cannot know.
        innovations: the type of random numbers.
    """

    dimension: int
    when: Any = True
    innovations: Any = float

    # Layout ----------------------------------------------------------------------------------------------------------

    @property
    def chains_first(self) -> bool:
        """Whether chains lie on the first axis."""
        return self.dimension > SMALL

    @property
    def half(self) -> int:
        """The size of the top block."""
        return (self.dimension + 1) // 2

    def rows(self, vector: Array) -> Array:
        """Return a vector as a column, to be broadcast along rows."""
        return vector[:, :, None] if self.chains_first else vector[:, None]

    def columns(self, vector: Array) -> Array:
        """Return a vector as a row."""
        return vector[:, None] if self.chains_first else vector[None]

    def cut(self, vector: Array) -> tuple[Array, Array]:
        """Return the top and the low part of a vector."""
        h = self.half
        return (vector[:, :h], vector[:, h:]) if self.chains_first else (vector[:h], vector[h:])

    def joined(self, top: Array, low: Array) -> Array:
        """Return the vector of two parts."""
        return jnp.concatenate([top, low], axis=int(self.chains_first))

    def spread(self, weight: Any) -> Any:
        """Return a number, of each chain or of all, to be broadcast against vectors."""
        return weight[:, None] if self.chains_first and jnp.ndim(weight) else weight

    def leading(self, array: Array) -> Array:
        """Return an array with its chains on the first axis."""
        return array if self.chains_first else jnp.moveaxis(array, -1, 0)

    def chainwise(self, made: Callable[..., Array], key: Key, *given: Array) -> Array:
        """Return made(key, ...) of every chain; whatever else is given has chains on its first axis."""
        of_chain = Key(key0=None, key1=None, chain=0, generation=None)
        axes = (of_chain, *(0 for _ in given))
        return jax.vmap(made, in_axes=axes, out_axes=0 if self.chains_first else -1)(key, *given)

    def constant(self, array: Any) -> Array:
        """Return what is the same for all chains, with an axis for them."""
        return jnp.asarray(array)[None] if self.chains_first else jnp.asarray(array)[..., None]

    # Products --------------------------------------------------------------------------------------------------------

    def product(self, a: Array, b: Array, onto: Any = None) -> Array:
        """Return a b, or onto + a b; where chains lie on the last axis term after term, in an order that no compiler
        changes.
        """
        if self.chains_first:
            full = jnp.matmul(a, b, precision=lax.Precision.HIGHEST)
            return full if onto is None else onto + full
        terms = [a[:, k, None] * b[k][None] for k in range(a.shape[1])]
        if onto is None:
            return added(terms) if terms else jnp.zeros((a.shape[0], b.shape[1], 1), b.dtype)
        return sum(terms, onto)

    def transposed(self, a: Array) -> Array:
        """Return a'."""
        return jnp.swapaxes(a, 1, 2) if self.chains_first else jnp.swapaxes(a, 0, 1)

    def multiplied(self, a: Blocks, b: Blocks, onto: Blocks | None = None) -> Blocks:
        """Return the product of two triangles, or the sum of a third one and of it."""
        top, side, low = onto or (None, None, None)
        side = self.product(a.low, b.side, self.product(a.side, b.top, side))
        return Blocks(self.product(a.top, b.top, top), side, self.product(a.low, b.low, low))

    def gram(self, a: Blocks) -> Blocks:
        """Return A A' of a triangle."""
        top, side, low = map(self.transposed, a)
        below = self.product(a.low, low, self.product(a.side, side))
        return Blocks(self.product(a.top, top), self.product(a.side, top), below)

    def squares(self, a: Blocks) -> Array:
        """Return the sum of the squares of all entries of a triangle, by chain."""
        if self.chains_first:
            return reduce(jnp.add, [(block * block).sum((1, 2)) for block in a])
        return added([row * row for block in a for row in block.reshape(-1, block.shape[-1])])

    def square(self, vector: Array) -> Blocks:
        """Return v v'."""
        top, low = self.cut(vector)
        return Blocks(
            self.rows(top) * self.columns(top), self.rows(low) * self.columns(top), self.rows(low) * self.columns(low)
        )

    def identity(self, dtype: Any) -> Blocks:
        """Return the identity, for all chains."""
        return self.blocks(self.constant(np.eye(self.dimension, dtype=dtype)))

    def weighted(self, weight: Any, blocks: Blocks) -> Blocks:
        """Return a number, of each chain or of all, times a matrix."""
        weight = weight[:, None, None] if self.chains_first and jnp.ndim(weight) else weight
        return Blocks(*(weight * block for block in blocks))

    def full(self, lower: Blocks, upper: Array) -> Array:
        """Return the matrix of a lower half and its upper right block."""
        row, column = (1, 2) if self.chains_first else (0, 1)
        halves = jnp.concatenate([lower.top, upper], column), jnp.concatenate([lower.side, lower.low], column)
        return jnp.concatenate(halves, row)

    def symmetric(self, lower: Blocks) -> Array:
        """Return the symmetric matrix of a lower half."""
        return self.full(lower, self.transposed(lower.side))

    def _triangle(self, lower: Blocks) -> Array:
        return self.full(lower, jnp.zeros_like(self.transposed(lower.side)))

    def blocks(self, matrix: Array) -> Blocks:
        """Return the lower half of a matrix."""
        h = self.half
        a = matrix if self.chains_first else jnp.moveaxis(matrix, -1, 0)
        cut = Blocks(a[:, :h, :h], a[:, h:, :h], a[:, h:, h:])
        return cut if self.chains_first else Blocks(*(jnp.moveaxis(block, 0, -1) for block in cut))

    def below(self, size: int) -> Array:
        """Return which entries lie below the diagonal."""
        return self.constant(np.tri(size, k=-1, dtype=bool))
