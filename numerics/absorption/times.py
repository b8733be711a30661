"""Moments of the time that the chain of ancestors takes, by one triangular solve, with a proved bound.

Let A start at k balls and f(1) = 0. With c_k = 1 - G_kk and J_km = G_km/c_k the law of the first other state,
t_k = E sum_n f(A_n) solves t_k = f_k/c_k + sum_(m<k) J_km t_m, and s_k = E sum_n n f(A_n) the same with t - f for f.
Since the J_km sum to 1, t_k = r + f_k/c_k + sum J_km (t_m - r) for every number r: with r near the t_m the errors of J
only meet small differences. What is left over in a row is a residual rho_k, and since J >= 0, |t - exact| is at most
the solution of e_k = |rho_k| + sum J_km e_m, which is solved alongside.
"""

import numpy as np
from attrs import field, frozen

from numerics.absorption.occupancy import LOST, Block, Occupancy, U

SAFE = 1.01
"""Covers that the bounds are themselves computed with rounding, and solved with J off by its relative error."""


@frozen
class Unknown:
    """One solution at 0..M, where the chain may come, with the bound on its error."""

    value: np.ndarray = field(repr=False)
    error: np.ndarray = field(repr=False)

    @classmethod
    def empty(cls, samples: int) -> "Unknown":
        """Return 0 everywhere, as it is at k = 1."""
        return cls(np.zeros(samples + 1), np.zeros(samples + 1))


@frozen
class Jumps:
    """The law of the first other state from rows k0 + 1..k1: from states up to k0, and within the rows themselves."""

    block: Block
    outer: np.ndarray
    """Not yet divided by ``sums``."""
    inner: np.ndarray
    sums: np.ndarray
    slack: np.ndarray
    """Bound on the relative error of every entry, after rounding, products and sums."""
    cut: np.ndarray
    """Bound on the probability that is missing."""

    @classmethod
    def of(cls, block: Block, exits: np.ndarray) -> "Jumps":
        """Return the rows with their diagonals set to 0, over their sums; the block is overwritten."""
        k = np.arange(block.k0 + 1, block.k1 + 1)
        within = k <= block.high
        block.rows[np.flatnonzero(within), k[within] - block.low] = 0
        sums = block.rows.sum(axis=1)
        split = min(block.k0, block.high) - block.low + 1
        rest = block.rows[:, split:]
        inner = np.zeros((len(k), len(k)))
        inner[:, : rest.shape[1]] = rest / sums[:, None]
        slack = (4 * k + 2 * block.rows.shape[1] + 3 * len(k) + 8) * U
        return cls(block, block.rows[:, :split], inner, sums, slack, 2 * LOST / exits[k])

    @property
    def span(self) -> slice:
        """The states up to k0 in the window."""
        return slice(self.block.low, self.block.low + self.outer.shape[1])

    def solve(self, right: np.ndarray, doubt: np.ndarray, x: Unknown) -> None:
        """Put x_k = right_k + sum J_km x_m into rows k0 + 1..k1, ``doubt`` bounding the error of ``right``."""
        block, known = self.block, x.value[self.span]
        reference = known[-1] if block.k0 <= block.high else known[len(known) // 2]
        near, rows = known - reference, slice(block.k0 + 1, block.k1 + 1)
        shift, spread, inherited = (
            self.outer @ np.stack([near, np.abs(near), x.error[self.span]], axis=1)
        ).T / self.sums
        y = self._inverse(right + shift)
        size = spread + self.inner @ np.abs(y) + np.abs(y) + right
        x.value[rows] = reference + y
        residual = doubt + self.slack * size + (U + self.cut) * x.value[rows]
        x.error[rows] = SAFE * self._inverse(residual + inherited)

    def _inverse(self, right: np.ndarray) -> np.ndarray:
        if len(right) == 1 or not self.inner.any():
            return right
        from scipy.linalg import solve_triangular  # takes as long to import as a run does, and few need it

        return solve_triangular(np.eye(len(right)) - self.inner, right, lower=True, unit_diagonal=True)


def time_moments(chain: Occupancy, f: np.ndarray, doubt: float, orders: int = 2) -> list[Unknown]:
    """Return t, and s for ``orders`` = 2, at the states that A visits from M.

    ``f`` holds f(0..M) >= 0, not decreasing from f(1) = 0 on, each to a relative error ``doubt``.
    """
    c, found = chain.exits, [Unknown.empty(chain.samples) for _ in range(orders)]
    for _, block in chain.blocks(chain.visited):
        jumps, k = Jumps.of(block, c), np.arange(block.k0 + 1, block.k1 + 1)
        unsure, gain, error = (5 * k + 4) * U, f[k], doubt * f[k]
        for unknown in found:
            right = gain / c[k]
            jumps.solve(right, error / c[k] + unsure * right, unknown)
            # s solves the same with t - f for f.
            gain = np.maximum(unknown.value[k] - f[k], 0)
            error = unknown.error[k] + doubt * f[k] + U * unknown.value[k]
    return found
