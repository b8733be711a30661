"""The law of a product of independent scaled chi-squares: what several honest refits do to a variance.

log x = sum_j log(lambda_j chi2_(nu_j)) has the characteristic function prod_j (2 lambda_j)^(it) Gamma(nu_j/2 + it)
/Gamma(nu_j/2), inverted by Gil-Pelaez: F(y) = 1/2 - (1/pi) integral over t > 0 of Im(exp(-i t y) phi(t))/t.
"""

from functools import cache

import numpy as np
from attrs import frozen
from scipy.optimize import brentq
from scipy.special import digamma, loggamma, polygamma
from scipy.stats import chi2

REACH = 40.0
"""Standard deviations that a period of the midpoint rule covers; its error is the mass beyond half of it."""
NODES = 400


@frozen
class LogProduct:
    """The law of y = sum_j log(scales[j] chi2(degrees[j])).

    >>> law = LogProduct((0.5,), (2.0,))
    >>> round(law.cdf(0.0), 6)  # 1 - 1/e
    0.632121
    """

    scales: tuple[float, ...]
    degrees: tuple[float, ...]

    @property
    def mean(self) -> float:
        """E y."""
        half = np.asarray(self.degrees) / 2
        return float(np.sum(np.log(2 * np.asarray(self.scales)) + digamma(half)))

    @property
    def spread(self) -> float:
        """The standard deviation of y."""
        return float(np.sqrt(np.sum(polygamma(1, np.asarray(self.degrees) / 2))))

    def cdf(self, y: float) -> float:
        """P(log x <= y)."""
        if len(self.degrees) == 1:
            return float(chi2.cdf(np.exp(y) / self.scales[0], self.degrees[0]))
        z = (y - self.mean) / self.spread
        if abs(z) > REACH / 4:
            return float(z > 0)
        t = (np.arange(NODES) + 0.5) * 2 * np.pi / REACH
        half = np.asarray(self.degrees)[:, None] / 2
        log_phi = np.sum(
            loggamma(half + 1j * t / self.spread) - loggamma(half) - 1j * t / self.spread * digamma(half), 0
        )
        heights = np.imag(np.exp(log_phi - 1j * t * z)) / t
        return float(np.clip(0.5 - 2 / REACH * heights.sum(), 0.0, 1.0))

    def quantile(self, probability: float) -> float:
        """Return y with P(log x <= y) = probability."""
        return _quantile(self, probability)


@cache
def _quantile(law: LogProduct, probability: float) -> float:
    low, high = law.mean - 9 * law.spread, law.mean + 9 * law.spread
    return float(brentq(lambda y: law.cdf(y) - probability, low, high, xtol=1e-10))
