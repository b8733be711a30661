"""Triangular roots of covariance matrices, with the scales of their columns in logarithms.

Sigma = U diag(exp 2s) U' with U lower triangular and ones on its diagonal. A refit multiplies the root by a random
triangle from the right: U settles while the scales s, of which log det Sigma = 2 sum s is the sum, walk on for ever. So
nothing underflows when the variances leave the floating-point numbers, each direction at a rate of its own.

Triangles are kept as blocks (top, 0; side, low), which is what a product of two of them needs. Many chains run side
by side: on the last axis while the dimension is small, so that all work is elementwise; on the first one beyond, where
products of matrices are worth a call.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from attrs import frozen
from jax import Array, lax

from numerics.cipher import Key
from numerics.samplers import binomial, log_chi_square, normals, slot_key

SMALL = 16
"""Up to this dimension chains lie on the last axis."""

T = TypeVar("T")


class Blocks(NamedTuple):
    """A lower triangle (top, 0; side, low), or the lower half of a symmetric matrix, of one matrix for each chain."""

    top: Array
    side: Array
    low: Array


class Root(NamedTuple):
    """U and s: a covariance U diag(exp 2s) U'."""

    unit: Blocks
    logs: Array


class Lower(NamedTuple):
    """A lower triangle as its entries below the diagonal, zero elsewhere, and the logarithms of the diagonal."""

    below: Blocks
    logs: Array


def held(made: Callable[[], T], when: Any) -> T:
    """Return made(), computed once: a compiler for processors would compute it again wherever it is read.

    Args:
        made: what is computed.
        when: a condition that holds, and that the compiler cannot see to hold.
    """

    def by_condition() -> T:
        return lax.cond(when, made, lambda: jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(made)))

    return lax.platform_dependent(cpu=by_condition, default=made)


@frozen
class Space:
    """Arithmetic of the roots of d dimensions, for several chains at once.

    Args:
        dimension: d.
        when: a condition that holds, of which the compiler cannot know.
    """

    dimension: int
    when: Any = True

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

    def product(self, a: Array, b: Array) -> Array:
        """Return a b; where chains lie on the last axis term after term, in an order that no compiler changes."""
        if self.chains_first:
            return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)
        terms = [a[:, k, None] * b[k][None] for k in range(a.shape[1])]
        return sum(terms[1:], terms[0]) if terms else jnp.zeros((a.shape[0], b.shape[1], 1), b.dtype)

    def transposed(self, a: Array) -> Array:
        """Return a'."""
        return jnp.swapaxes(a, 1, 2) if self.chains_first else jnp.swapaxes(a, 0, 1)

    def times(self, root: Root, z: Array) -> Array:
        """Return the root times a vector, U diag(exp s) z."""
        top, low = map(self.rows, self.cut(jnp.exp(root.logs) * z))
        unit = root.unit
        parts = self.product(unit.top, top), self.product(unit.side, top) + self.product(unit.low, low)
        return self.joined(*(part[..., 0] if self.chains_first else part[:, 0] for part in parts))

    def multiplied(self, a: Blocks, b: Blocks) -> Blocks:
        """Return the product of two triangles."""
        side = self.product(a.side, b.top) + self.product(a.low, b.side)
        return Blocks(self.product(a.top, b.top), side, self.product(a.low, b.low))

    def gram(self, a: Blocks) -> Blocks:
        """Return A A' of a triangle."""
        top, side, low = map(self.transposed, a)
        return Blocks(
            self.product(a.top, top), self.product(a.side, top), self.product(a.side, side) + self.product(a.low, low)
        )

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

    def _below(self, size: int) -> Array:
        """Return which entries lie below the diagonal."""
        return self.constant(np.tri(size, k=-1, dtype=bool))

    # Roots -----------------------------------------------------------------------------------------------------------

    def root(self, triangle: Array) -> Root:
        """Return the root of L L', L a triangle that is the same for all chains, of positive diagonal."""
        diagonal = jnp.diagonal(triangle)
        unit = self.constant(triangle / diagonal)
        return Root(self.blocks(unit), self.constant(jnp.log(diagonal)))

    def scaled(self, root: Root, weight: Any) -> Root:
        """Return the root of weight * covariance."""
        return Root(root.unit, root.logs + self.spread(jnp.log(weight) / 2))

    def enlarged(self, lower: Lower, weight: Any) -> Lower:
        """Return a triangle times sqrt(weight)."""
        below = self.weighted(jnp.sqrt(weight), lower.below)
        return Lower(below, lower.logs + self.spread(jnp.log(weight) / 2))

    def triangle(self, root: Root) -> Blocks:
        """Return U diag(exp s)."""
        (top, low), unit = map(self.columns, self.cut(jnp.exp(root.logs))), root.unit
        return Blocks(unit.top * top, unit.side * top, unit.low * low)

    def entries(self, lower: Lower) -> Blocks:
        """Return all entries of a triangle."""
        diagonal, below, eye = jnp.exp(lower.logs), lower.below, self.identity(lower.logs.dtype)
        top, low = map(self.columns, self.cut(diagonal))
        return Blocks(below.top + eye.top * top, below.side, below.low + eye.low * low)

    def standing(self, lower: Lower) -> Root:
        """Return a triangle as a root."""
        inverse = jnp.where(lower.logs > -jnp.inf, jnp.exp(-lower.logs), 0.0)
        (top, low), below = map(self.columns, self.cut(inverse)), lower.below
        eye = self.identity(inverse.dtype)
        return Root(Blocks(below.top * top + eye.top, below.side * top, below.low * low + eye.low), lower.logs)

    def grown(self, root: Root, lower: Lower) -> Root:
        """Return the root times a triangle.

        s_j' = s_j + log a_jj, and U' = U (1 + R) with R_ij = a_ij exp(s_i - s_j') below the diagonal.
        """
        logs = root.logs + lower.logs
        ratios = held(lambda: self._ratios(root.logs, logs, lower.below), self.when)
        return Root(Blocks(*map(jnp.add, root.unit, self.multiplied(root.unit, ratios))), logs)

    def _ratios(self, before: Array, after: Array, below: Blocks) -> Blocks:
        """Return a_ij exp(s_i - s_j') below the diagonal, 0 in columns that are 0."""
        (t0, l0), (t1, l1) = self.cut(before), self.cut(after)

        def ratio(entries: Array, rows: Array, columns: Array, where: Any) -> Array:
            there = self.columns(columns) > -jnp.inf
            return jnp.where(there & where, entries * jnp.exp(self.rows(rows) - self.columns(columns)), 0.0)

        h, low = len(below.top[0]) if self.chains_first else len(below.top), self.dimension - self.half
        return Blocks(
            ratio(below.top, t0, t1, self._below(h)),
            ratio(below.side, l0, t1, True),
            ratio(below.low, l0, l1, self._below(low)),
        )

    def shrunk(self, root: Root, lower: Lower) -> Root:
        """Return the root times the inverse of a triangle of positive diagonal.

        s_j' = s_j - log a_jj, and U' G = U with G_ij = a_ij exp(s_i' - s_j) below a diagonal of ones: solved column by
        column from the last.
        """
        logs = root.logs - lower.logs
        G = self._triangle(self._ratios(logs, root.logs, lower.below))
        U = self._triangle(root.unit)
        axis = 2 if self.chains_first else 1

        def solved(step: Any, X: Array) -> Array:
            i = self.dimension - 1 - step
            return X - lax.dynamic_slice_in_dim(X, i, 1, axis) * lax.dynamic_slice_in_dim(G, i, 1, axis - 1)

        return Root(self.blocks(lax.fori_loop(0, self.dimension, solved, U)), logs)

    def factored(self, lower: Blocks) -> Lower:
        """Return Cholesky's triangle of a positive matrix that may be singular: pivots that are rounding are 0."""
        matrix = self.symmetric(lower)
        row, column = (1, 2) if self.chains_first else (0, 1)
        index = self.constant(np.arange(self.dimension))
        diagonal = jnp.sum(jnp.where(self.rows(index) == self.columns(index), matrix, 0.0), axis=row)
        least = 8 * self.dimension * jnp.finfo(matrix.dtype).eps * diagonal

        def eliminated(j: Any, so_far: tuple[Array, Array]) -> tuple[Array, Array]:
            left, pivots = so_far
            at = jnp.squeeze(lax.dynamic_slice_in_dim(left, j, 1, column), column)
            pivot = lax.dynamic_slice_in_dim(at, j, 1, row)
            real = pivot > lax.dynamic_slice_in_dim(least, j, 1, row)
            below = jnp.where((index > j) & real, at, 0.0) * lax.rsqrt(jnp.where(real, pivot, 1.0))
            taken = left - self.rows(below) * self.columns(below)
            taken = jnp.where(self.columns(index) == j, self.rows(below), taken)
            return taken, lax.dynamic_update_slice_in_dim(pivots, jnp.where(real, pivot, 0.0), j, row)

        left, pivots = lax.fori_loop(0, self.dimension, eliminated, (matrix, jnp.zeros_like(diagonal)))
        left = jnp.where(self.rows(index) > self.columns(index), left, 0.0)
        return Lower(self.blocks(left), jnp.log(pivots) / 2)

    # Draws -----------------------------------------------------------------------------------------------------------

    def deviates(self, key: Key) -> Array:
        """Return z ~ N(0, 1), one for each dimension."""
        pairs = held(lambda: self.chainwise(lambda at: lax.complex(*normals(at, (self.half,))), key), self.when)
        imag, low = pairs.imag, self.dimension - self.half
        return self.joined(pairs.real, imag[:, :low] if self.chains_first else imag[:low])

    def bartlett(self, key: Key, df: Any, backwards: bool = False) -> Lower:
        """Return A with A A' ~ Wishart(df, 1), df = 0, 1, 2, ...; or, backwards, A with A'A ~ Wishart(df, 1).

        a_ij ~ N(0, 1) below the diagonal, a_jj^2 ~ chi-square(df - j), and from column df on all is 0; backwards row
        and column d - 1 - j take the place of j.

        M. S. Bartlett, On the theory of statistical regression, Proc. R. Soc. Edinburgh 53 (1933) 260-283.
        """
        steps = np.arange(self.dimension)[:: -1 if backwards else 1]
        free = jnp.maximum(jnp.asarray(df)[..., None] - steps, 0)
        logs = held(lambda: self._log_chi_squares(slot_key(key, 0), free) / 2, self.when)
        pairs = held(lambda: self._pairs(slot_key(key, 1)), self.when)
        h, low = self.half, self.dimension - self.half
        (alive, alive_low) = map(self.columns, self.cut(logs > -jnp.inf))
        real, imag = pairs.real, pairs.imag
        across = real[:, :low, :low] if self.chains_first else real[:low, :low]
        side = imag[:, :low] if self.chains_first else imag[:low]
        below = Blocks(
            jnp.where(self._below(h) & alive, real, 0.0),
            jnp.where(alive, side, 0.0),
            jnp.where(self._below(low) & alive_low, self.transposed(across), 0.0),
        )
        return Lower(below, logs)

    def counts(self, key: Key, trials: Any, chance: Any) -> Array:
        """Return x ~ Binomial(trials, chance) of every chain."""
        return jax.vmap(lambda chain: binomial(key._replace(chain=chain), trials, chance))(key.chain)

    def _pairs(self, key: Key) -> Array:
        """Return pairs of normals, as complex numbers: below the diagonal, beside it, and above it for the low block."""
        return self.chainwise(lambda at: lax.complex(*normals(at, (self.half, self.half))), key)

    def _log_chi_squares(self, key: Key, free: Array) -> Array:
        if free.ndim == 1:
            return self.chainwise(lambda at: log_chi_square(at, free, free.shape), key)
        return self.chainwise(lambda at, df: log_chi_square(at, df, df.shape), key, free)
