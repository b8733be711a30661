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


@frozen
class Sums:
    """Number of values, their means, and the sums of products of their deviations, elementwise."""

    count: int
    means: tuple[Any, ...]
    products: Any

    def merged(self, other: "Sums") -> "Sums":
        """Return both together: SP = SP_1 + SP_2 + n_1 n_2/(n_1 + n_2) (x_2 - x_1)(y_2 - y_1), x and y the means."""
        count = self.count + other.count
        steps = [new - old for old, new in zip(self.means, other.means, strict=True)]
        products = self.products + other.products + steps[0] * steps[-1] * (self.count * other.count / count)
        means = (old + step * (other.count / count) for old, step in zip(self.means, steps, strict=True))
        return Sums(count, tuple(means), products)


class _Summed(Summary):
    """Sums over blocks, the same for one variable and for a pair."""

    def reduced(self, values: Any, counted: Array) -> tuple[Array, ...]:
        """Return the means of every block, and the sum of products."""
        several = values if isinstance(values, tuple) else (values,)
        held = counted.reshape(-1, BLOCK, *(1,) * (several[0].ndim - 1))
        blocks = [jnp.where(held, x.reshape(-1, BLOCK, *x.shape[1:]), 0) for x in several]
        share = _rounded(1 / jnp.maximum(held.sum(1), 1))
        means = [_rounded(_total(x) * share) for x in blocks]
        apart = [jnp.where(held, x - mean[:, None], 0) for x, mean in zip(blocks, means, strict=True)]
        return *means, _total(_rounded(apart[0] * apart[-1]))

    def merged(self, before: Sums | None, blocks: tuple[np.ndarray, ...], count: int) -> Sums:
        """Return the sums of all blocks in their order, in float64."""
        *means, products = (np.asarray(part, dtype=np.float64) for part in blocks)
        for at, first in enumerate(range(0, count, BLOCK)):
            block = Sums(min(BLOCK, count - first), tuple(mean[at] for mean in means), products[at])
            before = block if before is None else before.merged(block)
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
        N = state.count
        sem = np.sqrt(state.products / (N - 1) / N) if N > 1 else state.means[0] * np.nan
        return {f"{name}_mean": xr.DataArray(state.means[0], dims=dims), f"{name}_sem": xr.DataArray(sem, dims=dims)}

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
        value = state.products / (state.count - 1) if state.count > 1 else state.products * np.nan
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


def _total(values: Array) -> Array:
    """Return the sum over axis 1, a power of 2 long, by halves: an order that no compiler changes with the chunk."""
    while values.shape[1] > 1:
        half = values.shape[1] // 2
        values = values[:, :half] + values[:, half:]
    return values[:, 0]


def _rounded(values: Array) -> Array:
    """Return numbers that are rounded as they are: fused with what follows, a product may be added unrounded."""
    return jax.lax.optimization_barrier(values)
