"""Sums of floats: mean with its standard error, covariance of two variables; and the least and the greatest value."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from attrs import frozen
from jax import Array

from numerics.summaries.base import BLOCK, Summary

SLICES = 16
"""Parts of a block that are added in one pass over its values."""


@frozen
class Sums:
    """Sums of N values less a reference, and of products of these differences, elementwise: S_x, S_y and P.

    The reference is the mean of the first block, near enough to all means that nothing cancels.
    """

    count: int
    references: tuple[Any, ...]
    sums: tuple[Any, ...]
    product: Any

    def means(self) -> list[Any]:
        """Return reference + S/N of each variable."""
        return [r + s / self.count for r, s in zip(self.references, self.sums, strict=True)]

    def products(self) -> Any:
        """Return the sum of products of deviations from the means, P - S_x S_y/N."""
        return self.product - self.sums[0] * self.sums[-1] / self.count


class _Summed(Summary):
    """Sums over blocks, the same for one variable and for a pair."""

    def reduced(self, values: Any, counted: Array) -> tuple[Array, ...]:
        """Return for every block the first value of each variable, the sums of differences from it, and of products.

        Lanes that do not count repeat the first one of their block, and add nothing.
        """
        del counted
        rows = [x.reshape(BLOCK, -1, *x.shape[1:]) for x in (values if isinstance(values, tuple) else (values,))]
        step, nothing = BLOCK // SLICES, jax.lax.optimization_barrier(jnp.int32(0))
        apart = [[x[at : at + step] - x[:1] for x in rows] for at in range(0, BLOCK, step)]
        products = [_rounded(d[0] * d[-1], nothing) for d in apart]
        if len(rows) == 1:
            # One array of complex numbers is written in one pass over the values, two arrays in two.
            both = _total([jax.lax.complex(d[0], product) for d, product in zip(apart, products, strict=True)])
            return rows[0][0], both
        sums = [_total([d[j] for d in apart]) for j in range(2)]
        return *(x[0] for x in rows), *sums, _total(products)

    def merged(self, before: Sums | None, blocks: tuple[np.ndarray, ...], count: int) -> Sums:
        """Return the sums of all blocks in their order, in float64."""
        if len(blocks) == 2:
            blocks = blocks[0], np.real(blocks[1]), np.imag(blocks[1])
        *parts, product = (np.asarray(part, dtype=np.float64) for part in blocks)
        firsts, sums = parts[: len(parts) // 2], parts[len(parts) // 2 :]
        sizes = np.minimum(BLOCK, count - np.arange(0, count, BLOCK))
        if sizes.size:
            before = _with(before, sizes, [x[: sizes.size] for x in firsts], [x[: sizes.size] for x in sums], product)
        if before is None:
            raise ValueError("no chain was run. Give chains >= 1.")
        return before

    def numbers(self, lanes: int) -> int:
        """Return two or three numbers for a block."""
        return 3 * max(1, lanes // BLOCK)


@frozen
class Moments(_Summed):
    """Mean over chains and its standard error, ``x_mean`` and ``x_sem``: sqrt(SS/(N - 1)/N), SS the sum of squared
    deviations.

    The standard error is the sample's; in a collapsing loop that of V itself lies, as its mean lives in rare chains.
    """

    @property
    def label(self) -> str:
        """The columns' name."""
        return "mean"

    def columns(self, name: str, dims: tuple[str, ...], state: Sums) -> Mapping[str, xr.DataArray]:
        """Return mean and standard error, NaN for that of a single chain."""
        N, (mean,) = state.count, state.means()
        sem = np.sqrt(np.maximum(state.products(), 0.0) / (N - 1) / N) if N > 1 else mean * np.nan
        return {f"{name}_mean": xr.DataArray(mean, dims=dims), f"{name}_sem": xr.DataArray(sem, dims=dims)}

    def __str__(self) -> str:
        """Return it as it is written in a spec."""
        return "moments"


@frozen
class Covariance(_Summed):
    """Covariance over chains of x and another variable, ``x_cov_y``: sum (x - mean x)(y - mean y)/(N - 1).

    Args:
        of: the name of the other variable; both are scalars, or of the same shape.
    """

    of: str

    @property
    def label(self) -> str:
        """The column's name."""
        return f"cov_{self.of}"

    @property
    def other(self) -> str:
        """The other variable."""
        return self.of

    def columns(self, name: str, dims: tuple[str, ...], state: Sums) -> Mapping[str, xr.DataArray]:
        """Return the covariance, NaN for a single chain."""
        value = state.products() / (state.count - 1) if state.count > 1 else state.products() * np.nan
        return {f"{name}_{self.label}": xr.DataArray(value, dims=dims)}

    def __str__(self) -> str:
        """Return it as it is written in a spec."""
        return f"covariance({self.of})"


@frozen
class Extremes(Summary):
    """The least and the greatest value over chains, ``x_min`` and ``x_max``."""

    @property
    def label(self) -> str:
        """The columns' name."""
        return "extremes"

    def reduced(self, values: Any, counted: Array) -> tuple[Array, ...]:
        """Return both ends of all lanes."""
        return tuple(end[None] for end in ends(values, counted))

    def merged(self, before: Any, blocks: tuple[np.ndarray, ...], count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return both ends of all chains so far."""
        del count
        least, greatest = np.asarray(blocks[0]).min(0), np.asarray(blocks[1]).max(0)
        return (least, greatest) if before is None else (np.minimum(before[0], least), np.maximum(before[1], greatest))

    def columns(self, name: str, dims: tuple[str, ...], state: Any) -> Mapping[str, xr.DataArray]:
        """Return both ends."""
        return {f"{name}_{end}": xr.DataArray(x, dims=dims) for end, x in zip(("min", "max"), state, strict=True)}

    def numbers(self, lanes: int) -> int:
        """Return one number for each end."""
        del lanes
        return 2

    def __str__(self) -> str:
        """Return it as it is written in a spec."""
        return "extremes"


def ends(values: Array, counted: Array) -> tuple[Array, Array]:
    """Return the least and the greatest of the values that count, over the first axis; inf and -inf of none."""
    here = counted.reshape(-1, *(1,) * (values.ndim - 1))
    return jnp.where(here, values, jnp.inf).min(0), jnp.where(here, values, -jnp.inf).max(0)


def _with(before: Sums | None, sizes: Any, firsts: list[Any], sums: list[Any], product: Any) -> Sums:
    """Return the sums with those of more blocks, of differences from their first values, moved to the reference."""
    # Where the first value is infinite so is the mean, and the differences say nothing.
    sums = [np.where(np.isinf(x), 0.0, s) for x, s in zip(firsts, sums, strict=True)]
    if before is None:
        means = [x[0] + s[0] / sizes[0] for x, s in zip(firsts, sums, strict=True)]
        references = tuple(np.where(np.isfinite(mean), mean, 0.0) for mean in means)
        before = Sums(0, references, tuple(0.0 * r for r in references), 0.0 * product[0])
    each = sizes.reshape(-1, *(1,) * (product.ndim - 1))
    steps = [x - r for x, r in zip(firsts, before.references, strict=True)]
    moved = product[: len(sizes)] + steps[0] * sums[-1] + steps[-1] * (sums[0] + each * steps[0])
    total = tuple(_after(t, s + each * step) for t, s, step in zip(before.sums, sums, steps, strict=True))
    return Sums(before.count + int(sizes.sum()), before.references, total, _after(before.product, moved))


def _after(before: Any, rows: Any) -> Any:
    """Return the sum of a row and those that follow it, one after the other."""
    return np.add.accumulate(np.concatenate([np.asarray(before)[None], rows]), axis=0)[-1]


def _total(parts: list[Array]) -> Array:
    """Return the sum over a block's lanes, axis 0 of its parts, by halves: an order that no compiler changes."""
    while len(parts) > 1:
        half = len(parts) // 2
        parts = [one + other for one, other in zip(parts[:half], parts[half:], strict=True)]
    values = jax.lax.optimization_barrier(parts[0])
    while len(values) > 1:
        half = len(values) // 2
        values = values[:half] + values[half:]
    return values[0]


def _rounded(values: Array, nothing: Array) -> Array:
    """Return products that are rounded as they are: fused with what follows, one may be added unrounded.

    A compiler does not know that nothing is changed.
    """
    bits = jnp.dtype(f"int{8 * values.dtype.itemsize}")
    same = jax.lax.bitcast_convert_type(values, bits) ^ nothing.astype(bits)
    return jax.lax.bitcast_convert_type(same, values.dtype)
