"""The deterministic limit A_n ~ M g_n, at any M, with a proved bound on what it neglects.

g_1 = 1, g_(n+1) = 1 - exp(-g_n): a type of frequency p is lost by generation n with probability about exp(-M p g_n), as
if its M p tokens were independent critical branching processes with Poisson(1) offspring.

The bound. Let X_k be the type's count at fit k, X_0 = M p, and h(s) = 1 - exp(-s), so that g_(j+1) = h(g_j). Then

    E[exp(-g_j X_k) | X_(k-1)] = (1 - y/M)^M,  y = g_(j+1) X_(k-1) <= M,  and P(X_n = 0 | X_(n-1)) with y = X_(n-1),

while (1 - y/M)^M lies between exp(-y) (1 - y^2/M) and exp(-y): (1 - z) exp(z) >= 1 - z^2, then Bernoulli's inequality.
From generation n back to 0 the differences add up:

    0 <= exp(-M p g_n) - P(lost by n) <= (1/M) sum_(j=1..n) E[y_j^2 exp(-y_j)],  y_j = g_j X_(n-j),

and each mean is at most (a) 4/e^2, the maximum of y^2 exp(-y); (b) 16/e^2 E exp(-y_j/2) <= 16/e^2 exp(-M p g_n/2),
since the iterates of h are concave with h(0) = 0; (c) g_j^2 E X_(n-j)^2 <= g_j^2 ((M p)^2 + (n - j) M p).
"""

from functools import cache
from math import e, exp, expm1
from typing import Any

import numpy as np
from attrs import field, frozen

from numerics.absorption.bounded import Bounded
from numerics.absorption.many_types import Curve, Types
from numerics.absorption.occupancy import U


@frozen
class Exponent:
    """g_n, to a relative error 2 n U (h never enlarges one), with sum_(j<=n) g_j^2 and sum_(j<=n) (n - j) g_j^2."""

    n: int
    g: float
    squares: float
    waiting: float


@cache
def exponent(n: int) -> Exponent:
    """Return g_n for n >= 1, step by step; n g_n grows from 1 to 2.

    >>> exponent(1).g, round(exponent(2).g, 4), round(1000 * exponent(1000).g, 2)
    (1.0, 0.6321, 1.99)
    """
    if n < 1:
        raise ValueError(f"n = {n}: types can be lost from the first fit on. Give a whole number >= 1.")
    g, squares, waiting = 1.0, 1.0, 0.0
    for _ in range(n - 1):
        g, waiting = -expm1(-g), waiting + squares
        squares += g * g
    return Exponent(n, g, squares, waiting)


@frozen(eq=False)
class BranchingLimit:
    """Losses among M = ``samples`` tokens per generation in the limit A_n ~ M g_n; each ``error`` is the proved bound.

    Args:
        samples: M >= 1, as large as one likes.
        frequencies: a law, as fractions or as an array of floats, which is divided by its sum.

    >>> limit = BranchingLimit(10**13, np.full(10**6, 1e-6))
    >>> lost = limit.lost(1e-12, 100)
    >>> print(f"{lost.value:.6f} +- {lost.error:.0e}")
    0.822... +- ...
    """

    samples: int
    frequencies: Any = field(repr=False)

    def lost(self, frequency: Any, n: int) -> Bounded:
        """P(a type of this frequency is lost by generation n >= 1) ~ exp(-M p g_n), from above."""
        p = np.asarray(frequency, dtype=float)
        return Bounded(*self._lost(np.atleast_1d(p), exponent(n)))[... if p.ndim else 0]

    def support(self, n: int) -> Bounded:
        """E[number of types left at generation n >= 1] ~ sum_i (1 - exp(-M p_i g_n)), from below."""
        at = exponent(n)

        def present(part: Types) -> Curve:
            expected = self.samples * part.p * at.g
            return -np.expm1(-expected), self._neglected(part.p, at) + self._rounding(expected, n)

        return Bounded(*self.types.summed(present, lambda part: part.counts))

    def missing_mass(self, n: int) -> Bounded:
        """E[source probability of the types lost by generation n >= 1] ~ sum_i p_i exp(-M p_i g_n), from above."""
        at = exponent(n)
        return Bounded(*self.types.summed(lambda part: self._lost(part.p, at), lambda part: part.counts * part.p))

    @property
    def types(self) -> Types:
        """The distinct frequencies."""
        return Types.law(self.frequencies)

    def _lost(self, p: np.ndarray, at: Exponent) -> Curve:
        expected = self.samples * p * at.g
        value = np.exp(-expected)
        # Nothing is lost with a negative probability.
        return value, np.minimum(self._neglected(p, at), value) + self._rounding(expected, at.n)

    def _neglected(self, p: np.ndarray, at: Exponent) -> np.ndarray:
        """Return the least of (a), (b) and (c), summed over j and divided by M."""
        count = self.samples * p
        rare = count * count * at.squares + count * at.waiting
        usual = at.n * np.minimum(4 / e**2, 16 / e**2 * np.exp(-count * at.g / 2))
        return 1.001 * np.minimum(usual, rare) / self.samples

    def _rounding(self, expected: np.ndarray, n: int) -> np.ndarray:
        """Return a bound on the rounding of exp(-x) and 1 - exp(-x), x known to a relative error (2 n + 8) U."""
        return (2 * n + 16) * U * np.minimum(expected, 1.0) + 2 * U * np.exp(-expected)


# Approximations next to the answers that they approximate


def diffusion_time(chain: Any) -> Bounded:
    """E T ~ -2 M sum_i (1 - p_i) log(1 - p_i), of the diffusion (Kimura and Ohta, Genetics 61, 763-771 (1969)).

    ``error`` is how far off it is for this chain: its distance from ``chain.expected_time()`` and that one's bound.

    >>> from numerics.absorption.large_chain import LargeChain
    >>> print(diffusion_time(LargeChain(10, np.array([0.5, 0.5]))))
    13.86... +- 1.3e+00
    """
    q = chain.types.q[chain.types.q > 0]
    counts = chain.types.counts[chain.types.q > 0]
    terms = -q * np.where(q > 0.5, np.log1p(-chain.types.p[chain.types.q > 0]), np.log(q))
    return beside(2 * chain.samples * float(terms @ counts), chain.expected_time())


def branching_loss(chain: Any, frequency: float, n: int) -> Bounded:
    """P(lost by n) ~ exp(-M p g_n), with its distance from ``chain.lost(frequency=p, n=n)`` and that one's bound."""
    return beside(exp(-chain.samples * frequency * exponent(n).g), chain.lost(frequency=frequency, n=n))


def beside(approximation: float, answer: Bounded) -> Bounded:
    """Return the approximation with its actual error, as far as the answer is known."""
    return Bounded(approximation, abs(approximation - answer.value) + answer.error)
