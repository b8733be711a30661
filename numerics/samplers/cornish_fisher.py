"""Counts from one normal variable: the quantile of a lattice law by its first eight cumulants.

For the natural families of quadratic variance on the whole numbers (binomial, Poisson, negative binomial) all cumulants
follow from the variance s and its derivative d in the mean: k_3 = s d, k_4 = s (3 d^2 - 1)/2, ... A count is the
rounded value of a smooth variable whose cumulants are these less Sheppard's corrections, k_j - B_j/j, and that variable
is Cornish and Fisher's polynomial in a normal one:

    x = mean + z/r + d P_1 + r z P_2 + r^2 d P_3 + r^3 z P_4 + r^4 d P_5 + r^5 z P_6,    r = (s - 1/12)^(-1/2),

with polynomials P_j in z^2 and d^2.

E. A. Cornish, R. A. Fisher, The percentile points of distributions having known cumulants, Technometrics 2 (1960)
209-225; G. W. Hill, A. W. Davis, Generalized asymptotic expansions of Cornish-Fisher type, Ann. Math. Statist. 39
(1968) 1264-1273.
"""

from typing import Any

import numpy as np
from scipy.special import ndtr

TERMS: tuple[tuple[tuple[float, ...], ...], ...] = (
    ((-1 / 6,), (1 / 6,)),
    ((1 / 16, -7 / 144), (-1 / 48, 1 / 144)),
    ((-1 / 45, 1 / 405), (7 / 720, -7 / 6480), (1 / 240, -1 / 2160)),
    (
        (47 / 7680, 419 / 34560, -433 / 622080),
        (1 / 2880, -1 / 270, 1 / 2430),
        (-13 / 23040, -1 / 1280, 1 / 69120),
    ),
    (
        (1 / 315, -1 / 420, 23 / 102060),
        (-887 / 80640, -277 / 120960, -923 / 6531840),
        (131 / 241920, 61 / 72576, -1 / 26880),
        (5 / 12096, 13 / 90720, 1 / 544320),
    ),
    (
        (-11413 / 7741440, -3113 / 116121600, 1198831 / 1045094400, 289717 / 9405849600),
        (35069 / 23224320, 284149 / 38707200, 555011 / 1045094400, 289517 / 9405849600),
        (71 / 4644864, -61003 / 116121600, -58913 / 348364800, -1451 / 3135283200),
        (-97 / 2580480, -2507 / 12902400, -997 / 38707200, -139 / 348364800),
    ),
)
"""Coefficients of P_1..P_6, by powers of z^2, of each by powers of d^2."""
EDGE = 9.0
"""Beyond so many standard deviations a normal variable has 2e-19, which total variations leave out."""


def shift(z: Any, spread: Any, slope: Any) -> Any:
    """Return x - mean, to be rounded to a count, in the precision of its arguments.

    Args:
        z: a normal variable.
        spread: sqrt(s - 1/12), where s is `wide` enough.
        slope: d = ds/dmean: 1 - 2 p for Binomial(n, p), 1 for Poisson, 1 + 2 mean/size for a negative binomial.
    """
    y, e, r = z * z, slope * slope, 1 / spread
    first, second, third, fourth, fifth, sixth = (_powers([_powers(row, e) for row in term], y) for term in TERMS)
    square = r * r
    odd = second + square * (fourth + square * sixth)
    even = first + square * (third + square * fifth)
    return z * (spread + r * odd) + slope * even


def wide(variance: Any, slope: Any) -> Any:
    """Return whether the rounded `shift` is within 2e-7 of the law in total variation: s >= 14 (1 + d^2).

    `total_variation` gives the distance for any law; on that line it is largest.
    """
    return variance >= 14 * (1 + slope * slope)


def total_variation(mean: float, variance: float, slope: float, counts: np.ndarray, masses: np.ndarray) -> float:
    """Return the distance between the law of the rounded quantile and a law, by the edges of every cell.

    Args:
        mean: of the law.
        variance: of the law.
        slope: derivative of the variance in the mean.
        counts: neighbouring whole numbers that hold all of the law but what may be left out.
        masses: their probabilities.

    >>> from scipy.stats import poisson
    >>> total_variation(28, 28, 1, np.arange(99), poisson.pmf(np.arange(99), 28)) < 2e-7
    True
    """
    edges = ndtr(_edges(counts - 0.5 - mean, (variance - 1 / 12) ** 0.5, slope))
    return float(np.abs(np.diff(np.append(edges, 1.0)) - masses).sum() / 2)


def _edges(shifts: np.ndarray, spread: float, slope: float) -> np.ndarray:
    """Return the z at which the quantile passes each shift, by bisection."""
    low, high = np.full(shifts.shape, -EDGE), np.full(shifts.shape, EDGE)
    for _ in range(60):
        middle = (low + high) / 2
        under = shift(middle, spread, slope) < shifts
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return high


def _powers(coefficients: Any, x: Any) -> Any:
    """Return c_0 + c_1 x + c_2 x^2 + .."""
    total = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total
