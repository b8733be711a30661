"""Quantiles of any number of chains: counts in bins of equal relative width, read off the bits of the numbers.

The bins of all chains are a coarsening of the bins of any part of them, and depend on the least and the greatest value
alone. So sketches are merged without loss, in any order, to the same whole numbers; and as the bins are cut at bits,
no logarithm is rounded differently elsewhere.

Let a value have magnitude m, 2^e <= m < 2^(e+1), and let 2^E be the like of the greatest magnitude. Each e is an
*octave*, cut into r equal cells. Magnitudes below 2^(E-63), or 2^(E-31) where values of both signs occur, share one
*small* bin around 0. Values of one sign, none of them small, do not fill 64 octaves: there the cells are as
fine as 64 r bins allow, which for values close together is far finer than 1/r.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cached_property
from math import ceil, log2
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from attrs import field, frozen
from jax import Array
from scipy.special import bdtr, bdtrik

from numerics.summaries.base import Summary, totalled
from numerics.summaries.counts import CONFIDENCE
from numerics.summaries.moments import ends

MANTISSA = 52
"""Bits of a float64 after its exponent."""
OCTAVES = 64
"""Octaves that are told apart; half of them on either side of 0 where both occur."""
NORMAL = 1 << MANTISSA
"""Bits of the least normal float64; below it a number counts as 0, as some processors take it."""


ROWS = 64
"""Generations whose counts are moved to other bins at a time."""


def _several(value: Any) -> tuple[float, ...]:
    return tuple(float(one) for one in (value if isinstance(value, Iterable) else (value,)))


@frozen
class Quantiles(Summary):
    """Quantiles over chains by generation, each with a proved bound on its error.

    ``x_quantile`` is the least x with at least the share q of the chains at or below it, up to ``x_quantile_error``:
    the value lies in its bin by linear interpolation of ranks, and the bound is the distance to the farther end of
    the bin. The bound is at most ``error`` times the value, for values that are not smaller than 2^-63 of the
    greatest magnitude (2^-31 of it where both signs occur), and mostly far less. ``x_quantile_low`` to
    ``x_quantile_high`` covers the quantile of the *law* with 95 % at least, each for itself, whatever the law: its
    ends are order statistics (H. David and H. Nagaraja, *Order Statistics*, 2003, sec. 7.1), pushed out by their bins.

    Args:
        levels: numbers in [0, 1]; 0 and 1 are the least and the greatest value, exactly.
        error: the relative error that is promised, 1e-5 to 0.1; a generation takes 256 to 512 bytes over it.

    >>> str(Quantiles([0.05, 0.5, 0.95]))
    'quantiles([0.05, 0.5, 0.95])'
    """

    levels: tuple[float, ...] = field(default=(0.05, 0.25, 0.5, 0.75, 0.95), converter=_several)
    error: float = 0.02

    def __attrs_post_init__(self) -> None:
        """Refuse levels that are no probabilities, twice the same, or an error out of range."""
        if not self.levels or not all(0 <= q <= 1 for q in self.levels) or len({*self.levels}) < len(self.levels):
            raise ValueError(f"levels = {list(self.levels)} are no shares, each once. Give numbers in [0, 1].")
        if not 1e-5 <= self.error <= 0.1:
            raise ValueError(f"error = {self.error} is out of range. Give 1e-5 <= error <= 0.1.")

    @property
    def label(self) -> str:
        """The columns' name."""
        return "quantile"

    @property
    def coordinate(self) -> tuple[str, tuple[float, ...]]:
        """The levels, the same for all variables."""
        return "quantile", self.levels

    @property
    def bins(self) -> int:
        """How many bins there are, beside the small one."""
        return OCTAVES * 2 ** ceil(log2(1 / self.error))

    def reduced(self, values: Any, counted: Array) -> tuple[Array, ...]:
        """Return the parts of a `Sketch` of all lanes."""
        lanes = values.reshape(len(counted), -1)
        parts = jax.vmap(lambda x: _reduced(x, counted, self.bins), in_axes=1)(lanes)
        return tuple(part.reshape(1, *values.shape[1:], *part.shape[1:]) for part in parts)

    def merged(self, before: Any, blocks: tuple[np.ndarray, ...], count: int) -> "Sketch":
        """Return the sketch of all chains so far."""
        del count
        for parts in zip(*map(np.asarray, blocks), strict=True):
            row = Sketch(*parts)
            before = row if before is None else before.merged(row)
        return before

    def columns(self, name: str, dims: tuple[str, ...], state: "Sketch") -> Mapping[str, xr.DataArray]:
        """Return the quantiles, the bounds on their errors, and their intervals."""
        axes, coords = (*dims, "quantile"), {"quantile": list(self.levels)}
        values = np.stack([state.quantile(q) for q in self.levels], axis=-1)
        columns = zip(("", "_error", "_low", "_high"), values, strict=True)
        return {f"{name}_{self.label}{end}": xr.DataArray(x, coords, axes, attrs=_SAID[end]) for end, x in columns}

    def numbers(self, lanes: int) -> int:
        """Return what the counts take."""
        del lanes
        return self.bins // 2 + 6

    def __str__(self) -> str:
        """Return it as it is written in a spec."""
        error = "" if self.error == 0.02 else f", error={self.error}"
        return f"quantiles({list(self.levels)}{error})"


_SAID = {
    "": {"says": "least x with at least this share of the chains at or below it, up to the stated error"},
    "_error": {"says": "proved bound on |x_quantile - quantile of these chains|"},
    "_low": {"says": f"lower end of an interval that covers the law's quantile with {CONFIDENCE:.0%} at least"},
    "_high": {"says": f"upper end of an interval that covers the law's quantile with {CONFIDENCE:.0%} at least"},
}


class Window(NamedTuple):
    """Which bin a number lies in: its sign times its cell, less base. Its cell is (bits >> cut) - shift, or 0 for bits
    below least.
    """

    cut: Any
    shift: Any
    least: Any
    base: Any


def window(low: Any, high: Any, bins: int, xp: Any = np) -> Window:
    """Return the bins of values whose least and greatest are given."""
    inner, outer = xp.sort(xp.stack([_bits(low, xp), _bits(high, xp)]), axis=0)
    both = (low < 0) & (high > 0)
    octaves = xp.where(both, OCTAVES // 2, OCTAVES)
    least = ((outer >> MANTISSA) - octaves + 1) << MANTISSA
    capped = both | (inner < least)
    cuts = xp.arange(MANTISSA, dtype=np.int64)
    wide = (outer[..., None] >> cuts) - (inner[..., None] >> cuts) >= bins
    coarsest = MANTISSA - (bins // OCTAVES).bit_length() + 1
    cut = xp.where(capped, coarsest, wide.sum(-1, dtype=np.int64))
    shift = xp.where(capped, (least >> cut) - 1, 0)
    edge = bins // OCTAVES * octaves
    base = xp.where(capped, xp.where(low < 0, -edge, 0), xp.where(low < 0, -(outer >> cut), inner >> cut))
    return Window(cut, shift, xp.where(capped, least, 0), base)


def _place(bits: Any, negative: Any, of: Window, xp: Any) -> Any:
    cell = xp.where(bits < of.least, 0, (bits >> of.cut) - of.shift)
    return xp.where(negative, -cell, cell) - of.base


def _bits(x: Any, xp: Any) -> Any:
    """Return the bits of |x| as a whole number: they rise with it."""
    wide = abs(x).astype(np.float64)
    return wide.view(np.int64) if xp is np else jax.lax.bitcast_convert_type(wide, jnp.int64)


def _number(bits: np.ndarray) -> np.ndarray:
    return np.asarray(bits, dtype=np.int64).view(np.float64)


def _reduced(x: Array, counted: Array, bins: int) -> tuple[Array, ...]:
    """Return the counts, the ends, and how many are -inf, inf and no number."""
    x = jnp.where(_bits(x, jnp) < NORMAL, 0, x)
    finite = jnp.isfinite(x) & counted
    low, high = ends(x, finite)
    some = low <= high
    of = window(jnp.where(some, low, 0), jnp.where(some, high, 0), bins, jnp)
    place = jnp.where(finite, _place(_bits(x, jnp), x < 0, of, jnp), bins + 1).astype(jnp.int32)
    counts = jnp.zeros(bins + 1, jnp.int32).at[place].add(1, mode="drop")
    odd = [(found & counted).sum(dtype=jnp.int32) for found in (x == -jnp.inf, x == jnp.inf, jnp.isnan(x))]
    return counts, jnp.stack([low, high]).astype(jnp.float64), jnp.stack(odd)


@frozen(eq=False)
class Sketch:
    """Counts in the bins of `window`, shape (..., bins + 1); least and greatest, shape (..., 2), inf and -inf of none;
    and how many are -inf, inf and no number, shape (..., 3).
    """

    counts: np.ndarray
    ends: np.ndarray
    odd: np.ndarray

    @cached_property
    def window(self) -> Window:
        """The bins."""
        return window(*self.bounds, self.counts.shape[-1] - 1)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest of the finite values, 0 where there are none."""
        low, high = self.ends[..., 0], self.ends[..., 1]
        return np.where(low <= high, low, 0.0), np.where(low <= high, high, 0.0)

    def merged(self, other: "Sketch") -> "Sketch":
        """Return the sketch of both together."""
        low = np.minimum(self.ends[..., 0], other.ends[..., 0])
        bounds = np.stack([low, np.maximum(self.ends[..., 1], other.ends[..., 1])], axis=-1)
        both = Sketch(np.zeros(self.counts.shape, np.int64), bounds, totalled(np.stack([self.odd, other.odd])))
        of = both.window
        for part in (self, other):
            part._pour(both.counts, of)
        return both

    def _pour(self, into: np.ndarray, of: Window) -> None:
        """Add the counts to those of wider bins, some rows at a time: what they take meanwhile stays small."""
        flat, sums = (counts.reshape(-1, counts.shape[-1]) for counts in (self.counts, into))
        moved = np.any([mine != theirs for mine, theirs in zip(self.window, of, strict=True)], axis=0).reshape(-1)
        for first in range(0, len(flat), ROWS):
            part = np.arange(first, min(first + ROWS, len(flat)))
            sums[part[~moved[part]]] += flat[part[~moved[part]]]
            self._move(flat, sums, part[moved[part]], of)

    def _move(self, flat: np.ndarray, sums: np.ndarray, rows: np.ndarray, of: Window) -> None:
        """Add some rows of counts to sums whose bins are others."""
        inner, at = np.nonzero(flat[rows])
        row, bins = rows[inner], flat.shape[1]
        lower, _ = self._bits_of(row, at)
        negative = at + _row(self.window.base, row) < 0
        place = _place(lower, negative, Window(*(_row(x, row) for x in of)), np)
        found = np.bincount(inner * bins + place, flat[row, at], minlength=len(rows) * bins)
        sums[rows] += found.astype(np.int64).reshape(-1, bins)

    def _bits_of(self, row: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and the greatest bits of a magnitude in a bin."""
        cut, shift, least, base = (_row(x, row) for x in self.window)
        cell = np.abs(at + base)
        small = (cell == 0) & (least > 0)
        lower = np.where(small, 0, (cell + shift) << cut)
        return lower, np.where(small, least, lower + (np.int64(1) << cut) - 1)

    def quantile(self, q: float) -> np.ndarray:
        """Return the quantile, the bound on its error, and the ends of its interval, shape (4, ...)."""
        N = int(self.counts[(0,) * (self.counts.ndim - 1)].sum() + self.odd[(0,) * (self.odd.ndim - 1)].sum())
        rank = min(max(ceil(Fraction(repr(q)) * N), 1), N)
        tail = (1 - CONFIDENCE) / 2
        first, last = _at_most(tail, N, q), N + 1 - _at_most(tail, N, 1 - q)
        value, lower, upper = self.ranked(rank)
        low = self.ranked(first)[1] if first >= 1 else np.where(np.isnan(value), np.nan, -np.inf)
        high = self.ranked(last)[2] if last <= N else np.where(np.isnan(value), np.nan, np.inf)
        with np.errstate(invalid="ignore"):
            error = np.where(np.isinf(value), 0.0, np.maximum(value - lower, upper - value))
        return np.stack([value, error, low, high])

    def ranked(self, rank: int) -> np.ndarray:
        """Return the value of a rank, 1 the least, and the ends of the bin it lies in, shape (3, ...)."""
        flat = self.counts.reshape(-1, self.counts.shape[-1])
        sums, row = self.odd[..., 0].reshape(-1, 1) + np.cumsum(flat, axis=1), np.arange(len(flat))
        at = np.minimum((sums < rank).sum(1), flat.shape[1] - 1)
        lower, upper = self._edges(row, at)
        held = np.maximum(flat[row, at], 1)
        inside = np.clip((rank - (sums[row, at] - held) - 0.5) / held, 0, 1)
        found = np.stack([np.clip(lower + inside * (upper - lower), lower, upper), lower, upper])
        return self._beside(found, rank, sums[:, -1]).reshape(3, *self.counts.shape[:-1])

    def _edges(self, row: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of bins, no farther out than the least and the greatest value."""
        near, far = map(_number, self._bits_of(row, at))
        side = at + _row(self.window.base, row)
        small = (side == 0) & (_row(self.window.least, row) > 0)
        lower = np.where((side < 0) | small, -far, near)
        upper = np.where(side < 0, -near, far)
        low, high = (_row(end, row) for end in self.bounds)
        return np.clip(lower, low, high), np.clip(upper, low, high)

    def _beside(self, found: np.ndarray, rank: int, finite: np.ndarray) -> np.ndarray:
        """Return what was found, with the least and the greatest value exact, and what is beyond all numbers."""
        under, none = self.odd[..., 0].reshape(-1), self.odd[..., 2].reshape(-1)
        low, high = (end.reshape(-1) for end in self.bounds)
        found = np.where(rank == under + 1, low, np.where(rank == finite, high, found))
        found = np.where(rank <= under, -np.inf, np.where(rank > finite, np.inf, found))
        return np.where(none > 0, np.nan, found)


def _at_most(tail: float, N: int, q: float) -> int:
    """Return the greatest k with P(X < k) <= tail, X binomial with N tries of chance q."""
    if q in (0, 1):
        return N * int(q)
    k = ceil(bdtrik(tail, N, q))
    return k - 1 if bdtr(max(k - 1, 0), N, q) >= tail and k > 0 else k


def _row(values: Any, row: np.ndarray) -> np.ndarray:
    return np.asarray(values).reshape(-1)[row]
