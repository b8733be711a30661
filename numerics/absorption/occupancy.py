"""How many of M bins k balls occupy, G_km = P(m bins | k balls), row after row, for M up to a million.

Rows follow from one another, M G_(k+1)m = m G_km + (M - m + 1) G_k(m-1), a sum of two positive terms, so that nothing
cancels. The count is a sum of independent indicators (Vatutin and Mikhailov, Theory Probab. Appl. 27, 734-743 (1982)),
hence Bernstein's bound holds with its own variance, and a row is kept in a window of O(sqrt M) bins.
"""

from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from math import ceil, floor, log, log1p, log2
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from attrs import frozen

LEAP = 50_000
"""From this M on, rows that nobody reads are leapt over by a compiled loop, three times faster than NumPy's."""
U = 2.0**-53
"""Unit roundoff: fl(a op b) = (a op b)(1 + d), |d| <= U."""
LOST = 2.0**-70
"""Bound on the probability that the count leaves its window at any of the rows 1..M."""


@frozen
class Block:
    """Rows k0 + 1..k1 in the window low..high, each times a factor of its own: ``rows[j]`` is row k0 + 1 + j.

    An entry's relative error, one factor per row aside, is at most 2 k U: two roundings a row, the coefficients exact.
    """

    k0: int
    k1: int
    low: int
    rows: np.ndarray

    @property
    def high(self) -> int:
        """The last bin of the window."""
        return self.low + self.rows.shape[1] - 1


@frozen
class Occupancy:
    """The rows of G for M = ``samples``, cut into blocks that can be made again from their first rows."""

    samples: int

    @property
    def size(self) -> int:
        """Rows to a block: small against the width of a window."""
        return 64 if self.samples < LEAP else 256

    @cached_property
    def edges(self) -> list[int]:
        """The blocks are (edges[j], edges[j + 1]]: single rows up to 16, then a quarter of k, at most ``size``."""
        found = [1]
        while found[-1] < self.samples:
            k = found[-1]
            found.append(min(self.samples, k + (1 if k < 16 else min(self.size, k // 4))))
        return found

    @cached_property
    def exits(self) -> np.ndarray:
        """1 - G_kk for k = 0..M, by 1 - G_(k+1)(k+1) = 1 - G_kk + G_kk k/M; relative error at most 5 k U."""
        M = self.samples
        k = np.arange(min(M, 100 + ceil(40 * M**0.5)), dtype=float)  # beyond them G_kk < exp(-k(k - 1)/2M) < 1e-340
        diagonal = np.cumprod(np.concatenate([[1.0], (M - k[:-1]) / M]))
        found = np.concatenate([[0.0], np.cumsum(diagonal * (k / M))])
        return np.pad(found, (0, M + 1 - len(found)), constant_values=1.0)

    def window(self, j: int) -> tuple[int, int]:
        """Return the first and last bin of block j: mean +- reach of each of its rows, which lie within."""
        return self._windows[j]

    @cached_property
    def _windows(self) -> list[tuple[int, int]]:
        return [self._window(*ends) for ends in pairwise(self.edges)]

    def _window(self, first: int, last: int) -> tuple[int, int]:
        """Return mean -+ reach, the mean M(1 - q), q = (1 - 1/M)^k, the reach by Bernstein, 2 exp(-L) = LOST/M.

        The reach x solves x^2 = 2 L (s^2 + x/3); s^2 = M q (1 - r/q) - M^2 q^2 (1 - r/q^2), r = (1 - 2/M)^k, is
        enlarged a little.
        """
        M = self.samples
        if M <= 2:
            return 1, M
        k = np.arange(first, last + 1, dtype=float)
        q = np.exp(k * log1p(-1 / M))
        moved, tied = -np.expm1(k * log1p(-1 / (M - 1))), -np.expm1(k * log1p(-1 / (M - 1) ** 2))
        variance = max(0.0, 1.001 * (M * q * moved - (M * q) ** 2 * tied).max()) + 0.01
        L = log(2 * M / LOST)
        reach = L / 3 + (L * L / 9 + 2 * L * variance) ** 0.5 + 1
        return max(1, floor(M * (1 - q[0]) - reach)), min(last, ceil(M * (1 - q[-1]) + reach))

    def block(self, j: int) -> Block:
        """Return block j, made from its first row."""
        return self._climb(j, self._first(j))

    def blocks(self, wanted: np.ndarray) -> Iterator[tuple[int, Block]]:
        """Yield the wanted blocks in ascending order, to be overwritten; ``wanted[j]`` says whether block j is one."""
        low, row = 1, np.ones(1)
        for j in range(len(self.edges) - 1):
            row, low = self._placed(low, row, j), self.window(j)[0]
            if wanted[j]:
                self._starts[j] = row
                block = self._climb(j, row)
                row = block.rows[-1].copy()
                yield j, block
            else:
                row = self._leap(j, row) if self.samples >= LEAP else self._climb(j, row).rows[-1]

    @cached_property
    def _starts(self) -> dict[int, np.ndarray]:
        return {}

    def _first(self, j: int) -> np.ndarray:
        if j not in self._starts:
            for _ in self.blocks(self.visited):
                pass
        return self._starts[j]

    @cached_property
    def visited(self) -> np.ndarray:
        """Which blocks hold a row that the chain reaches from M without leaving a window."""
        wanted = np.zeros(len(self.edges) - 1, dtype=bool)
        low = high = self.samples
        while high > 1:
            first, last = self.holder(low), self.holder(high)
            wanted[first : last + 1] = True
            windows = [self.window(j) for j in range(first, last + 1)]
            down, up = min(low for low, _ in windows), max(high for _, high in windows)
            if up >= low:
                wanted[:first] = True
                break
            low, high = down, up
        return wanted

    def holder(self, k: int) -> int:
        """Return the number of the block that holds row k, 0 for k = 1."""
        return max(0, bisect_left(self.edges, k) - 1)

    def _placed(self, low: int, row: np.ndarray, j: int) -> np.ndarray:
        """Return the row moved to the window of block j, times a power of two that makes its sum about 1."""
        start, end = self.window(j)
        moved = np.zeros(end - start + 1)
        kept = row[max(0, start - low) :][: len(moved)]
        moved[max(0, low - start) :][: len(kept)] = kept
        return np.ldexp(moved, -int(np.frexp(moved.sum())[1]))

    def _coefficients(self, j: int) -> tuple[np.ndarray, np.ndarray]:
        """Return m s and (M - m + 1) s, exactly, s the power of two next to 1/M."""
        low, high = self.window(j)
        m, s = np.arange(low, high + 1, dtype=float), 2.0 ** -round(log2(self.samples))
        return m * s, (self.samples - m[1:] + 1) * s

    def _climb(self, j: int, row: np.ndarray) -> Block:
        stay, rise = self._coefficients(j)
        k0, k1 = self.edges[j], self.edges[j + 1]
        rows, risen = np.empty((k1 - k0 + 1, len(row))), np.empty(len(row) - 1)
        rows[0] = row
        for before, after in pairwise(rows):
            np.multiply(before, stay, after)
            np.multiply(before[:-1], rise, risen)
            inner = after[1:]
            np.add(inner, risen, inner)
        return Block(k0, k1, self.window(j)[0], rows[1:])

    def _leap(self, j: int, row: np.ndarray) -> np.ndarray:
        """Return the last row of block j by a compiled loop, at a width of which few are compiled."""
        stay, rise = self._coefficients(j)
        length, steps = len(row), self.edges[j + 1] - self.edges[j]
        width = ceil(256 * 2 ** (ceil(4 * max(log2(length / 256), 0)) / 4))
        padded = [np.pad(x, (width - len(x), 0)) for x in (row, stay, rise)]
        with jax.enable_x64(True):
            return np.asarray(_leaper(*padded, steps))[width - length :]


@jax.jit
def _leaper(row: Any, stay: Any, rise: Any, steps: Any) -> Any:
    """Return the row after some steps."""

    def step(now: Any) -> Any:
        return now * stay + jnp.concatenate([jnp.zeros(1), now[:-1]]) * rise

    # Two rows to a pass save a fifth of the time.
    row = jax.lax.fori_loop(0, steps // 2, lambda _, now: step(step(now)), row)
    return jax.lax.cond(steps % 2 == 1, step, lambda now: now, row)
