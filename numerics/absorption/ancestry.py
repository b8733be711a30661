"""The laws of A_1 = M, A_2, ..., how many ancestors the tokens of fit n have, for any n, each with a proved bound.

The law of A_n lies about 2M/n. It is pushed forward row by row while it is wide; once it lies below ``SMALL`` the
matrix of correctly rounded entries is raised to powers; and past M more generations the right eigenvectors give it.
Every product and sum is of positive terms but for the last, whose subtractions are counted.

What is cut off, probability rho_k at state k, is held against P(A_n >= 2): k tokens differ at some later generation
only if token 1 differs from one of the other k - 1, so every function of interest, f(A) = P(A tokens are not all of one
type), keeps E_k f <= (k - 1) E_2 f, while a law with P(A >= 2) = s keeps E f >= s E_2 f.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from attrs import field, frozen

from numerics.absorption.occupancy import LOST, Block, Occupancy, U

SMALL = 64
"""Below this number of ancestors the law is carried as a short vector."""
CUT = 2.0**-80
"""Each generation may lose this share, weighted by the state, of P(A_n >= 2)."""
STRIDE = 1024
"""Generations to a batch, in the short phase."""
KEPT = 2**22
"""Entries of the rows that are kept between generations."""


@frozen
class Ancestors:
    """The law of A_n: ``weights[a - low]`` = P(A_n = a, on paths that were kept), or several laws as rows.

    Each is known to a relative error ``slack``; ``missing`` bounds the sum of k P(A_n = k) over the paths that were cut
    off, relative to P(A_n >= 2).
    """

    low: int
    weights: np.ndarray = field(repr=False)
    slack: float = 0.0
    missing: float = 0.0

    @property
    def high(self) -> int:
        """The largest number of ancestors that is kept."""
        return self.low + self.weights.shape[-1] - 1

    @property
    def states(self) -> np.ndarray:
        """The numbers of ancestors that are kept."""
        return np.arange(self.low, self.high + 1)

    def trimmed(self) -> "Ancestors":
        """Return the law without the ends that CUT allows to drop."""
        burden = self.weights * self.states
        allowed = CUT / 2 * self.weights[self.states >= 2].sum()
        first = int(np.searchsorted(np.cumsum(burden), allowed))
        last = len(burden) - int(np.searchsorted(np.cumsum(burden[::-1]), allowed))
        first, last = min(first, last - 1), max(last, 1)
        return Ancestors(self.low + first, self.weights[first:last], self.slack, self.missing + CUT)


@frozen
class Ancestry:
    """All laws of A_n, n = 1, 2, ..., for M = ``chain.samples``."""

    chain: Occupancy

    def law(self, n: int) -> Ancestors:
        """Return the law of A_n, n >= 1; its ``slack`` stops growing some M generations on.

        Raises:
            ValueError: n < 1.
        """
        if n < 1:
            raise ValueError(f"n = {n}: ancestors are counted from the first fit on. Give a whole number >= 1.")
        if n <= len(self._wide):
            return self._wide[n - 1]
        if n <= self._far:
            return self._powered(n - len(self._wide))
        return self._spectral(n - self._far)

    def laws(self, generations: int) -> Iterator[tuple[int, Ancestors]]:
        """Yield (n, laws of A_n, A_(n + 1), ... as rows) from n = 1 until all ``generations`` are there."""
        for n, law in enumerate(self._wide[:generations], start=1):
            yield n, Ancestors(law.low, law.weights[None], law.slack, law.missing)
        n, law = len(self._wide), self._wide[-1]
        while n < generations:
            steps = min(STRIDE, generations - n)
            batch = self._batch(law, steps)
            slack = law.slack + steps * self._growth(law.high)
            yield n + 1, Ancestors(1, batch[1:], slack, law.missing)
            n, law = n + steps, Ancestors(1, batch[-1], slack, law.missing).trimmed()

    def _batch(self, law: Ancestors, steps: int) -> np.ndarray:
        """Return the laws after 0, 1, ..., steps generations, doubling their number with each product."""
        power = self._short(law.high)
        found = np.concatenate([np.zeros(law.low - 1), law.weights])[None]
        while len(found) <= steps:
            found = np.concatenate([found, found @ power])
            power = power @ power
        return found[: steps + 1]

    @staticmethod
    def _growth(high: int) -> float:
        """Relative error that one generation of the short phase adds: one rounding an entry, one sum."""
        return (high + 4) * U

    # Wide laws, row by row

    @cached_property
    def _wide(self) -> list[Ancestors]:
        """The laws until they lie below SMALL."""
        found = [Ancestors(self.chain.samples, np.ones(1))]
        while found[-1].high > SMALL:
            found.append(self._push(found[-1]))
        return found

    def _push(self, law: Ancestors) -> Ancestors:
        first, last = self.chain.holder(law.low), self.chain.holder(law.high)
        windows = [self.chain.window(j) for j in range(first, last + 1)]
        low, high = min(start for start, _ in windows), max(end for _, end in windows)
        after = np.zeros(high - low + 1)
        if law.low == 1:
            after[1 - low] = law.weights[0]
        for j in range(first, last + 1):
            block = self._rows(j)
            start, end = max(block.k0 + 1, law.low), min(block.k1, law.high)
            weights = law.weights[start - law.low : end - law.low + 1]
            rows = block.rows[start - block.k0 - 1 : end - block.k0]
            after[block.low - low : block.high - low + 1] += weights @ rows
        top = law.high
        slack = law.slack + (4 * top + 2 * len(after) + len(law.weights) + 8) * U
        return Ancestors(low, after, slack, law.missing + 2 * LOST * top * top / self.chain.samples).trimmed()

    def _rows(self, j: int) -> Block:
        """Return block j, each row divided by its sum, from the few that are kept."""
        if j not in self._kept:
            block = self.chain.block(j)
            block.rows[:] /= block.rows.sum(axis=1)[:, None]
            self._kept[j] = block
            while len(self._kept) > 1 and sum(one.rows.size for one in self._kept.values()) > KEPT:
                self._kept.pop(next(iter(self._kept)))
        return self._kept[j]

    @cached_property
    def _kept(self) -> dict[int, Block]:
        return {}

    # Short laws, by powers

    def _short(self, high: int) -> np.ndarray:
        return self._matrix[:high, :high]

    @cached_property
    def _matrix(self) -> np.ndarray:
        """G_km for k, m = 1..SMALL, each rounded once: integers w_(k+1)m = m w_km + (M - m + 1) w_k(m-1) over M^k."""
        M, size = self.chain.samples, min(SMALL, self.chain.samples)
        found, row = np.zeros((size, size)), [0, M] + [0] * (size - 1)
        for k in range(1, size + 1):
            found[k - 1] = [w / M**k for w in row[1:]]
            row = [0] + [m * row[m] + (M - m + 1) * row[m - 1] for m in range(1, size + 1)]
        return found

    def _powered(self, steps: int) -> Ancestors:
        law, growth = self._wide[-1], self._growth(self._wide[-1].high)
        weights, power = np.concatenate([np.zeros(law.low - 1), law.weights]), self._short(law.high)
        for bit in reversed(f"{steps:b}"):
            if bit == "1":
                weights = weights @ power
            power = power @ power
        return Ancestors(1, weights, law.slack + steps * growth, law.missing).trimmed()

    # Far laws, by right eigenvectors

    @cached_property
    def _far(self) -> int:
        return len(self._wide) + self.chain.samples

    @cached_property
    def _departure(self) -> Ancestors:
        return self._powered(self._far - len(self._wide))

    @cached_property
    def _eigenvectors(self) -> np.ndarray:
        """V with G V = V diag(lambda), V_kk = 1: V_kj = sum_(j<=m<k) G_km V_mj/(lambda_j - lambda_k), nothing negative.

        lambda_j - lambda_k = c_k - c_j, c_k = 1 - G_kk, has the relative error 5 k U (c_k + c_j)/(c_k - c_j) < 5 k^2 U.
        """
        size = self._departure.high
        G, c = self._short(size), self.chain.exits[1:]
        V = np.eye(size)
        for k in range(1, size):
            V[k, :k] = G[k, :k] @ V[:k, :k] / (c[k] - c[:k])
        return V

    def _spectral(self, steps: int) -> Ancestors:
        """Return the law from E V_j(A_(n+r)) = lambda_j^r E V_j(A_n), from the largest state down to 2.

        ``slack`` is three times the sum of (a - 1) |error of P(A = a)| over P(A >= 2), and P(A >= 2) <= P(A = 1) by
        then: enough for means of f, of x^A and of 1 - x^A.
        """
        law, V, c = self._departure, self._eigenvectors, self.chain.exits[1:]
        size = law.high
        doubt = law.slack + (6 * size**3 + size) * U
        start = np.concatenate([np.zeros(law.low - 1), law.weights]) @ V
        now, error = np.zeros(size), np.zeros(size)
        for a in range(size - 1, 0, -1):
            grown = start[a] * np.exp(steps * np.log1p(-c[a]))
            rest = now[a + 1 :] @ V[a + 1 :, a]
            now[a] = max(grown - rest, 0.0)
            exponent = (6 * a + 12) * U * steps * c[a]
            error[a] = doubt * (grown + rest) + exponent * grown + error[a + 1 :] @ V[a + 1 :, a]
        rest, wrong = now[1:].sum(), error[1:] @ np.arange(1, size)
        now[0] = 1 - rest
        return Ancestors(1, now, float(3.03 * wrong / rest) + 4 * U if rest else 4 * U, law.missing)
