"""Many types at once: means of x^A and 1 - x^A over a law of A, x = 1 - p, without cancellation, with a proved bound.

Equal frequencies are counted once. A polynomial in x with positive coefficients is cut into pieces of ``PIECE`` terms,
all of them one matrix product, and put together by Horner's rule.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from math import fsum
from typing import Any

import numpy as np
from attrs import field, frozen

from numerics.absorption.ancestry import Ancestors
from numerics.absorption.occupancy import U

PIECE = 32
"""Terms of a polynomial to a piece."""
CHUNK = 2**14
"""Types that are worked on together."""
SUMMED = 1024
"""Numbers to a partial sum."""
Curve = tuple[np.ndarray, np.ndarray]
"""Values and bounds on their errors."""


@frozen(eq=False)
class Types:
    """Distinct frequencies ``p`` in [0, 1] with ``q`` = 1 - p, both to a relative error U, and how many share each."""

    p: np.ndarray = field(repr=False)
    q: np.ndarray = field(repr=False)
    counts: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, frequencies: Iterable[Any]) -> "Types":
        """Return types of given frequencies in [0, 1]: fractions, or an array of floats, which are taken as exact."""
        if isinstance(frequencies, np.ndarray):
            p, counts = np.unique(frequencies.astype(float), return_counts=True)
            return cls(p, 1 - p, counts)
        found = Counter(map(Fraction, frequencies))
        exact = sorted(found)
        pairs = np.array([(float(one), float(1 - one)) for one in exact]).reshape(-1, 2)
        return cls(pairs[:, 0], pairs[:, 1], np.array([found[one] for one in exact]))

    @classmethod
    def one_by_one(cls, p: np.ndarray, q: np.ndarray) -> "Types":
        """Return types in the order given, equal ones too."""
        return cls(p, q, np.ones(len(p)))

    @classmethod
    def law(cls, frequencies: Iterable[Any]) -> "Types":
        """Return the types of a law; floats are divided by their sum, which rounding may have left a little off 1.

        Raises:
            ValueError: a negative frequency, or a sum that is not 1.
        """
        types = cls.of(frequencies)
        total = fsum(types.p * types.counts)
        if not abs(total - 1) < 1e-6:
            raise ValueError(f"the frequencies sum to {total}, not 1. Divide each by their sum.")
        if not isinstance(frequencies, np.ndarray):
            return types
        rest = fsum((types.p * types.counts)[types.p <= 0.5])
        q = np.where(types.p > 0.5, rest / total, 1 - types.p / total)
        return cls(types.p / total, q, types.counts)

    def __attrs_post_init__(self) -> None:
        if len(self.p) and not (self.p.min() >= 0 and self.p.max() <= 1):
            raise ValueError(f"frequencies from {self.p.min()} to {self.p.max()} are no law. Give numbers in [0, 1].")

    def __len__(self) -> int:
        """Return the number of distinct frequencies."""
        return len(self.p)

    def chunks(self) -> Iterable["Types"]:
        """Yield the types, CHUNK at a time."""
        for start in range(0, len(self), CHUNK):
            part = slice(start, start + CHUNK)
            yield Types(self.p[part], self.q[part], self.counts[part])

    @cached_property
    def logs(self) -> np.ndarray:
        """log(1 - p), from the smaller of p and q; as good as -infinity at p = 1."""
        q = np.maximum(self.q, 1e-300)
        return np.where(self.p < 0.5, np.log1p(-np.minimum(self.p, 0.5)), np.log(q))

    @cached_property
    def _powers(self) -> np.ndarray:
        return np.exp(np.arange(PIECE)[:, None] * self.logs)

    def polynomial(self, weights: np.ndarray) -> np.ndarray:
        """Return sum_j weights_j x^j for every type, which comes last; j is the last axis of the weights."""
        length = weights.shape[-1]
        pieces = -(-length // PIECE)
        padded = np.zeros((*weights.shape[:-1], pieces * PIECE))
        padded[..., :length] = weights
        inner = padded.reshape(*weights.shape[:-1], pieces, PIECE) @ self._powers
        step, total = np.exp(PIECE * self.logs), inner[..., -1, :]
        for piece in range(pieces - 2, -1, -1):
            total = total * step + inner[..., piece, :]
        return total

    def lost(self, law: Ancestors) -> Curve:
        """Return E x^A = P(a type of this frequency is lost)."""
        value = np.exp(law.low * self.logs) * self.polynomial(law.weights)
        return value, value * (law.slack + self._rounding(law)) + law.missing

    def present(self, law: Ancestors) -> Curve:
        """Return E(1 - x^A) = 1 - x^low + p x^low sum_j P(A > low + j) x^j; what is missing counts at most k p."""
        value = -np.expm1(law.low * self.logs) * law.weights.sum(axis=-1)[..., None]
        tails = np.cumsum(law.weights[..., :0:-1], axis=-1)[..., ::-1]
        if tails.shape[-1]:
            value = value + self.p * np.exp(law.low * self.logs) * self.polynomial(tails)
        return value, value * (law.slack + self._rounding(law)) + law.missing * self.p

    def _rounding(self, law: Ancestors) -> np.ndarray:
        """Relative error of products and sums of positive terms, and of powers, a |log x| of them to the exponent."""
        return (4 * law.weights.shape[-1] + 60 - 6 * law.high * self.logs) * U

    def summed(self, of: Callable[["Types"], Curve], weights: Callable[["Types"], np.ndarray]) -> Curve:
        """Return the weighted sum over types of what ``of`` says about CHUNK of them at a time, all terms positive."""
        value, error = np.zeros(()), np.zeros(())
        for part in self.chunks():
            each = weights(part)
            value, error = (x + added(y * each) for x, y in zip((value, error), of(part), strict=True))
        return value, 1.01 * error + (len(self) / SUMMED + SUMMED + 4) * U * value

    def unlike(self, most: int) -> tuple[np.ndarray, float]:
        """Return f(a) = 1 - sum_i p_i^a = P(a tokens are not all of one type), a = 0..most, and its relative error.

        A type above 1/2 enters as p (1 - p^(a-1)), so that nothing cancels; past 64 tokens the others do not count.
        """
        a, small = np.arange(most + 1, dtype=float), self.p <= 0.5
        alike = self._alike(small, most)
        if small.all():
            f = 1 - alike
        else:
            (p,), (q,) = self.p[~small], self.q[~small]
            f = -p * np.expm1((a - 1) * np.log1p(-q)) + (q - alike)
        f[:2] = 0.0
        share = np.divide(alike, f, out=np.zeros_like(f), where=f > 0)
        return f, float(((4 * a + min(len(self), SUMMED + len(self) / SUMMED)) * share).max() + 16) * U

    def _alike(self, among: np.ndarray, most: int) -> np.ndarray:
        found, p, counts = np.zeros(most + 1), self.p[among], self.counts[among]
        power = counts * p
        for a in range(2, min(most, 64) + 1):
            power = power * p
            found[a] = added(power)
        return found


def added(values: np.ndarray) -> np.ndarray:
    """Return the sum of n positive numbers, the last axis, to a relative error of (SUMMED + n/SUMMED) U and of n U."""
    whole = values.shape[-1] // SUMMED * SUMMED
    pieces = values[..., :whole].reshape(*values.shape[:-1], -1, SUMMED).sum(axis=-1)
    return pieces.sum(axis=-1) + values[..., whole:].sum(axis=-1)
