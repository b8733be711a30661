"""Chains counted: how many are above a level, how many have ever been, and in which bins they lie.

Counts are whole numbers, so they are exact, and the same in any order.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import xarray as xr
from attrs import field, frozen
from jax import Array
from scipy.special import betaincinv

from numerics.summaries.base import GENERATION, Summary, totalled

CONFIDENCE = 0.95
"""Probability with which an interval covers, each generation and level for itself."""


def _levels(value: Any) -> tuple[float, ...]:
    """Return one number or several as a tuple."""
    several = value if isinstance(value, Iterable) else (value,)
    return tuple(float(one) for one in several)


@frozen
class Share(Summary):
    """Share of the chains whose value is above a level, or below: survival, by generation.

    For x and ``above``: ``x_above`` = k/N with k of the N chains above the level, its standard error ``x_above_sem``
    = sqrt(k/N (1 - k/N)/N), and the exact binomial interval of C. Clopper and E. Pearson, Biometrika 26 (1934) 404,
    from ``x_above_low`` to ``x_above_high``, which covers P(x > level) with 95 % at least, each for itself.

    Args:
        above: level, or levels; strictly above counts.
        below: level, or levels, in place of ``above``.

    >>> str(Share(above=1)), str(Share(below=[0.001, 0.1]))
    ('share(above=1.0)', 'share(below=[0.001, 0.1])')
    """

    above: tuple[float, ...] = field(default=(), converter=_levels, kw_only=True)
    below: tuple[float, ...] = field(default=(), converter=_levels, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse both sides, neither, and what is no number."""
        if bool(self.above) == bool(self.below) or np.isnan(self.levels).any():
            given = f"above = {list(self.above)}, below = {list(self.below)}"
            raise ValueError(f"{given} are no levels on one side. Give one of them, such as above=0.001.")

    @property
    def side(self) -> Literal["above", "below"]:
        """The side that counts."""
        return "above" if self.above else "below"

    @property
    def label(self) -> str:
        """The columns' name."""
        return self.side

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels."""
        return self.above or self.below

    def reduced(self, values: Any, counted: Array) -> tuple[Array, ...]:
        """Return how many lanes are beyond each level."""
        return (jnp.stack([self._beyond(values, level, counted) for level in self.levels], axis=-1)[None],)

    def _beyond(self, values: Array, level: float, counted: Array) -> Array:
        here = counted.reshape(-1, *(1,) * (values.ndim - 1))
        beyond = values > level if self.above else values < level
        return (beyond & here).sum(0, dtype=jnp.int32)

    def merged(self, before: Any, blocks: tuple[np.ndarray, ...], count: int) -> tuple[int, np.ndarray]:
        """Return the number of chains so far, and how many are beyond."""
        chains, beyond = before or (0, 0)
        return chains + count, beyond + totalled(blocks[0])

    def columns(self, name: str, dims: tuple[str, ...], state: Any) -> Mapping[str, xr.DataArray]:
        """Return the share, its standard error and its interval."""
        return self._shares(f"{name}_{self.label}", dims, *state)

    def _shares(self, name: str, dims: tuple[str, ...], N: int, k: np.ndarray) -> dict[str, xr.DataArray]:
        level = f"{name}_level"
        low, high = interval(k, N)
        said = {"says": f"share of chains strictly {self.side} the level, with an exact {CONFIDENCE:.0%} interval"}
        values = {"": k / N, "_sem": np.sqrt(k / N * (1 - k / N) / N), "_low": low, "_high": high}
        coords = {level: list(self.levels)}
        return {name + end: xr.DataArray(x, coords, (*dims, level), attrs=said) for end, x in values.items()}

    def numbers(self, lanes: int) -> int:
        """Return one count for each level."""
        del lanes
        return len(self.levels)

    def __str__(self) -> str:
        """Return it as it is written in a spec."""
        several = list(self.levels)
        return f"{type(self).__name__.lower()}({self.side}={several if len(several) > 1 else several[0]})"


@frozen
class Passage(Share):
    """First passage: T is the first generation at which a chain's value is above a level, or below.

    For x and ``below``: ``x_first_below`` = share of chains with T <= n, with standard error and interval as of
    `Share`, and the mean of T as far as it is seen up to generation n, ``x_first_below_time`` = E min(T, n)
    = sum_(k<n) P(T > k), with its standard error ``x_first_below_time_sem`` from E min(T, n)^2
    = sum_(k<n) (2k + 1) P(T > k).

    >>> str(Passage(below=0.01))
    'passage(below=0.01)'
    """

    @property
    def running(self) -> Literal["min", "max"]:
        """What a chain has reached so far."""
        return "max" if self.above else "min"

    @property
    def label(self) -> str:
        """The columns' name."""
        return f"first_{self.side}"

    def columns(self, name: str, dims: tuple[str, ...], state: Any) -> Mapping[str, xr.DataArray]:
        """Return the law of T up to each generation, and its mean."""
        named = f"{name}_{self.label}"
        columns = self._shares(named, dims, *state)
        generation, later = dims.index(GENERATION), 1 - columns[named]
        survival = np.moveaxis(later.to_numpy(), generation, -1)[..., :-1]
        k = np.arange(survival.shape[-1])
        first, second = (_from_0(np.cumsum(w * survival, -1)) for w in (1.0, 2.0 * k + 1))
        sem = np.sqrt(np.maximum(second - first**2, 0) / state[0])
        times = {"_time": first, "_time_sem": sem}
        return columns | {named + end: later.copy(data=np.moveaxis(x, -1, generation)) for end, x in times.items()}


@frozen
class Histogram(Summary):
    """Number of chains in each bin, ``x_histogram``, at all generations in the same bins.

    Bin i holds e_i <= x < e_(i+1), the last one its upper edge too; what lies below and beyond is counted in
    ``x_under`` and ``x_over``. Without known edges ask for many `Quantiles`, which find their own.

    Args:
        edges: numbers that rise.
        bins: number of equal bins between two edges.

    >>> Histogram([0, 1], bins=4).edges
    (0.0, 0.25, 0.5, 0.75, 1.0)
    """

    edges: tuple[float, ...] = field(converter=_levels)
    bins: int | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse edges that do not rise; put equal bins between two."""
        if self.bins is not None and len(self.edges) == 2 and self.bins > 0:
            object.__setattr__(self, "edges", _even(*self.edges, self.bins))
            object.__setattr__(self, "bins", None)
        elif self.bins is not None and self.bins != len(self.edges) - 1:
            raise ValueError(f"bins = {self.bins} are not between {len(self.edges)} edges. Give two edges, bins >= 1.")
        if len(self.edges) < 2 or not np.all(np.diff(self.edges) > 0) or not np.isfinite(self.edges).all():
            raise ValueError(f"edges = {list(self.edges)} do not rise. Give two numbers at least, each above the last.")

    @property
    def label(self) -> str:
        """The columns' name."""
        return "histogram"

    def reduced(self, values: Any, counted: Array) -> tuple[Array, ...]:
        """Return how many lanes are below all bins, in each, and beyond."""
        edges = jnp.asarray(self.edges, dtype=jnp.float64)
        lane = values.reshape(len(counted), -1).astype(jnp.float64)
        place = jnp.searchsorted(edges, lane, side="right").astype(jnp.int32)
        place = jnp.where(lane == edges[-1], len(self.edges) - 1, place)
        place = jnp.where(jnp.isnan(lane) | ~counted[:, None], len(self.edges) + 1, place)
        counts = jnp.zeros((lane.shape[1], len(self.edges) + 1), jnp.int32)
        counts = counts.at[jnp.arange(lane.shape[1]), place].add(1, mode="drop")
        return (counts.reshape(1, *values.shape[1:], -1),)

    def merged(self, before: Any, blocks: tuple[np.ndarray, ...], count: int) -> np.ndarray:
        """Return the counts so far."""
        del count
        return totalled(blocks[0]) + (0 if before is None else before)

    def columns(self, name: str, dims: tuple[str, ...], state: np.ndarray) -> Mapping[str, xr.DataArray]:
        """Return the counts, with the middle of each bin as its coordinate."""
        low, high = (np.asarray(side) for side in (self.edges[:-1], self.edges[1:]))
        coords = {f"{name}_bin": (low + high) / 2}
        said = {"says": "number of chains with lower edge <= x < upper edge, the last bin closed", "edges": self.edges}
        inner = xr.DataArray(state[..., 1:-1], coords, (*dims, f"{name}_bin"), attrs=said)
        outer = {"under": state[..., 0], "over": state[..., -1]}
        return {f"{name}_{self.label}": inner} | {
            f"{name}_{end}": xr.DataArray(x, dims=dims) for end, x in outer.items()
        }

    def numbers(self, lanes: int) -> int:
        """Return one count for each bin."""
        del lanes
        return len(self.edges) + 1

    def __str__(self) -> str:
        """Return it as it is written in a spec."""
        return f"histogram({list(self.edges)})"


def interval(k: np.ndarray, N: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the exact binomial interval of a share k/N.

    >>> [round(float(end), 4) for end in interval(np.array(0), 100)]
    [0.0, 0.0362]
    """
    tail = (1 - CONFIDENCE) / 2
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), N - k + 1, tail), 0.0)
    return low, np.where(k < N, 1 - betaincinv(np.maximum(N - k, 1), k + 1, tail), 1.0)


def _even(low: float, high: float, bins: int) -> tuple[float, ...]:
    step = (Fraction(high) - Fraction(low)) / bins
    return tuple(float(Fraction(low) + step * k) for k in range(bins + 1))


def _from_0(sums: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((*sums.shape[:-1], 1)), sums], axis=-1)
