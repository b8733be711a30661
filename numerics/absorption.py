"""Large categorical loops in floating point, with a stated error: the chain of ancestors for any vocabulary.

A_1 = M, and A_(n+1) is the number of occupied bins when A_n balls fall into M bins; a type of frequency p is lost by
generation n with probability E (1 - p)^A_n. Every term of every sum is positive, so nothing cancels and relative errors
only add up.
"""

from collections.abc import Iterable

import numpy as np
from attrs import field, frozen

from theory.families.categorical import Categorical
from theory.loop import Loop
from theory.regimes import Replace
from theory.sampling import Faithful


@frozen
class Ancestors:
    """The laws of A_1, ..., A_n for M samples: ``laws[k - 1, a]`` = P(A_k = a), a = 0..M.

    ``bound`` is a bound on the relative error of every entry and of every sum of positive terms formed from them.
    """

    samples: int
    laws: np.ndarray = field(repr=False)

    @property
    def bound(self) -> float:
        """4 M u per generation, u = 2^-53: each row takes at most M steps of three roundings, each push one sum of M
        terms.
        """
        return 4 * (self.samples + 1) * len(self.laws) * 2.0**-53

    def lost(self, frequency: float | Iterable[float]) -> np.ndarray:
        """Return P(a type of this frequency is lost), shape (generation 0..n, *frequency); generation 0 loses none.

        >>> float(ancestors(2, 3).lost(0.5)[1])
        0.25
        """
        stay = 1 - np.asarray(frequency, dtype=float)
        powers = stay ** np.arange(self.samples + 1)[(...,) + (None,) * stay.ndim]
        lost = np.tensordot(self.laws, powers, axes=1)
        return np.concatenate([(stay == 1)[None].astype(float), lost])

    def support(self, frequencies: Iterable[float]) -> np.ndarray:
        """Return E[number of types left] at generations 0..n, for a vocabulary of the given frequencies."""
        distinct, counts = np.unique(np.asarray(frequencies, dtype=float), return_counts=True)
        return ((1 - self.lost(distinct)) * counts).sum(axis=1)


def ancestors(samples: int, generations: int) -> Ancestors:
    """Return the laws of A_1 .. A_generations for M = ``samples``, in O(M^2) memory.

    Raises:
        ValueError: M or the number of generations is not positive.
    """
    if samples < 1 or generations < 1:
        raise ValueError(
            f"samples = {samples}, generations = {generations}: both count from 1. Give positive whole numbers."
        )
    matrix = _occupancy(samples)
    laws = np.zeros((generations, samples + 1))
    laws[0, samples] = 1.0
    for k in range(1, generations):
        laws[k] = laws[k - 1] @ matrix
    return Ancestors(samples, laws)


def of_loop(loop: Loop, generations: int) -> Ancestors:
    """Return the ancestors of a categorical, faithful replace loop with a number for M."""
    if (
        not isinstance(loop.family, Categorical)
        or not isinstance(loop.regime, Replace)
        or not isinstance(loop.sampling, Faithful)
    ):
        raise ValueError(f"{loop} is not a neutral categorical loop. Give Categorical with Replace and Faithful.")
    return ancestors(int(loop.samples), generations)


def _occupancy(M: int) -> np.ndarray:
    """Return the matrix P(m occupied bins | k balls), k, m = 0..M, one ball at a time."""
    bins = np.arange(M + 1)
    row = (bins == 0).astype(float)
    rows = [row]
    for _ in range(M):
        row = row * (bins / M)
        row[1:] += rows[-1][:-1] * ((M - bins[:-1]) / M)
        rows.append(row)
    return np.array(rows)
