"""Triangular roots of covariance matrices, with the scales of their columns in logarithms.

Sigma = U diag(exp 2s) U' with U lower triangular and ones on its diagonal. A refit multiplies the root by a random
triangle from the right: U settles while the scales s, of which log det Sigma = 2 sum s is the sum, walk on for ever. So
nothing underflows when the variances leave the floating-point numbers, each direction at a rate of its own.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from attrs import frozen
from jax import Array, lax

from numerics.paths.spaces import Blocks, Space, held
from numerics.samplers import binomial, elementary, log_chi_square, slot_key
from numerics.samplers.cipher import Key
from numerics.samplers.normal import normals_at
from numerics.samplers.quantiles import log_ratio


class Root(NamedTuple):
    """U and s: a covariance U diag(exp 2s) U'."""

    unit: Blocks
    logs: Array


class Lower(NamedTuple):
    """A lower triangle as its entries below the diagonal, zero elsewhere, and the logarithms of the diagonal."""

    below: Blocks
    logs: Array


@frozen
class Roots(Space):
    """Arithmetic of roots, and random triangles."""

    # Roots -----------------------------------------------------------------------------------------------------------

    def root(self, triangle: Array) -> Root:
        """Return the root of L L', L a triangle that is the same for all chains, of positive diagonal."""
        diagonal = jnp.diagonal(triangle)
        unit = self.constant(triangle / diagonal)
        return Root(self.blocks(unit), self.constant(elementary.log(diagonal)))

    def scaled(self, root: Root, weight: Any) -> Root:
        """Return the root of weight * covariance."""
        return Root(root.unit, root.logs + self.spread(elementary.log(jnp.asarray(weight, float)) / 2))

    def enlarged(self, lower: Lower, weight: Any) -> Lower:
        """Return a triangle times sqrt(weight)."""
        weight = jnp.asarray(weight, lower.logs.dtype)
        return Lower(self.weighted(jnp.sqrt(weight), lower.below), lower.logs + self.spread(elementary.log(weight) / 2))

    def times(self, root: Root, z: Array) -> Array:
        """Return the root times a vector, U diag(exp s) z."""
        top, low = map(self.rows, self.cut(elementary.exp(root.logs) * z))
        unit = root.unit
        parts = self.product(unit.top, top), self.product(unit.low, low, self.product(unit.side, top))
        return self.joined(*(part[..., 0] if self.chains_first else part[:, 0] for part in parts))

    def triangle(self, root: Root) -> Blocks:
        """Return U diag(exp s)."""
        (top, low), unit = map(self.columns, self.cut(elementary.exp(root.logs))), root.unit
        return Blocks(unit.top * top, unit.side * top, unit.low * low)

    def entries(self, lower: Lower) -> Blocks:
        """Return all entries of a triangle."""
        diagonal, below, eye = elementary.exp(lower.logs), lower.below, self.identity(lower.logs.dtype)
        top, low = map(self.columns, self.cut(diagonal))
        return Blocks(below.top + eye.top * top, below.side, below.low + eye.low * low)

    def standing(self, lower: Lower) -> Root:
        """Return a triangle as a root."""
        inverse = jnp.where(lower.logs > -jnp.inf, elementary.exp(-lower.logs), 0.0)
        (top, low), below = map(self.columns, self.cut(inverse)), lower.below
        eye = self.identity(inverse.dtype)
        return Root(Blocks(below.top * top + eye.top, below.side * top, below.low * low + eye.low), lower.logs)

    def grown(self, root: Root, lower: Lower) -> Root:
        """Return the root times a triangle.

        s_j' = s_j + log a_jj, and U' = U (1 + R) with R_ij = a_ij exp(s_i - s_j') below the diagonal.
        """
        logs = root.logs + lower.logs
        ratios = held(lambda: self._ratios(root.logs, logs, lower.below), self.when)
        return Root(self.multiplied(root.unit, ratios, root.unit), logs)

    def _ratios(self, before: Array, after: Array, below: Blocks) -> Blocks:
        """Return a_ij exp(s_i - s_j') below the diagonal, 0 in columns that are 0."""
        (t0, l0), (t1, l1) = self.cut(before), self.cut(after)

        def ratio(entries: Array, rows: Array, columns: Array, where: Any) -> Array:
            there, gap = self.columns(columns) > -jnp.inf, self.rows(rows) - self.columns(columns)
            return jnp.where(there & where, entries * elementary.exp(gap.astype(entries.dtype)), 0).astype(gap.dtype)

        h, low = len(below.top[0]) if self.chains_first else len(below.top), self.dimension - self.half
        return Blocks(
            ratio(below.top, t0, t1, self.below(h)),
            ratio(below.side, l0, t1, True),
            ratio(below.low, l0, l1, self.below(low)),
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
        return Lower(self.blocks(left), elementary.log(pivots) / 2)

    # Draws -----------------------------------------------------------------------------------------------------------

    def deviates(self, key: Key) -> Array:
        """Return z ~ N(0, 1), one for each dimension."""
        pairs, low = held(lambda: self._pairs(key, (self.half,)), self.when), self.dimension - self.half
        return self.joined(pairs.real, pairs.imag[:, :low] if self.chains_first else pairs.imag[:low])

    def bartlett(self, key: Key, df: Any, backwards: bool = False, table: Any = None) -> Lower:
        """Return A with A A' ~ Wishart(df, 1), df = 0, 1, 2, ...; or, backwards, A with A'A ~ Wishart(df, 1).

        a_ij ~ N(0, 1) below the diagonal, a_jj^2 ~ chi-square(df - j), and from column df on all is 0; backwards row
        and column d - 1 - j take the place of j. A table from `wisharts` says the quantiles of the diagonal; without
        one it is drawn by rejection.

        M. S. Bartlett, On the theory of statistical regression, Proc. R. Soc. Edinburgh 53 (1933) 260-283.
        """
        steps = np.arange(self.dimension)[:: -1 if backwards else 1]
        free = jnp.maximum(jnp.asarray(df)[..., None] - steps, 0)
        logs = held(lambda: self._log_diagonal(slot_key(key, 0), free, table), self.when)
        pairs = held(lambda: self._pairs(slot_key(key, 1), (self.half, self.half)), self.when)
        h, low = self.half, self.dimension - self.half
        (alive, alive_low) = map(self.columns, self.cut(logs > -jnp.inf))
        real, imag = pairs.real, pairs.imag
        across = real[:, :low, :low] if self.chains_first else real[:low, :low]
        side = imag[:, :low] if self.chains_first else imag[:low]
        below = Blocks(
            jnp.where(self.below(h) & alive, real, 0),
            jnp.where(alive, side, 0),
            jnp.where(self.below(low) & alive_low, self.transposed(across), 0),
        )
        return Lower(below, logs)

    def _log_diagonal(self, key: Key, free: Array, table: Any) -> Array:
        """Return log a_jj, -inf where no degrees are left."""
        if table is not None:
            columns, logs = self.constant(free), self.constant(elementary.log(jnp.maximum(free, 1).astype(float)))
            rows = jnp.moveaxis(self.constant(table), 1, 0) if self.chains_first else self.constant(table)
            logs = log_ratio(self.deviates(key), rows) + logs.astype(self.innovations)
            return jnp.where(columns > 0, logs / 2, -jnp.inf).astype(logs.dtype)
        if free.ndim == 1:
            drawn = self.chainwise(lambda at: log_chi_square(at, free, free.shape), key)
        else:
            drawn = self.chainwise(lambda at, df: log_chi_square(at, df, df.shape), key, free)
        return (drawn / 2).astype(self.innovations)

    def _pairs(self, key: Key, shape: tuple[int, ...]) -> Array:
        """Return pairs of normals as complex numbers, `normals` of every chain, made where chains are to lie."""
        slots = slot_key(key, self.constant(np.arange(np.prod(shape), dtype=np.uint32).reshape(shape)))
        if self.chains_first:
            slots = slots._replace(chain=key.chain.reshape(-1, *(1,) * len(shape)))
        return lax.complex(*normals_at(slots, self.innovations))

    def counts(self, key: Key, trials: Any, chance: Any) -> Array:
        """Return x ~ Binomial(trials, chance) of every chain."""
        return jax.vmap(lambda chain: binomial(key._replace(chain=chain), trials, chance))(key.chain)
