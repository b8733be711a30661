"""Entropy and mutual information from counts, with the bias of finite samples removed, in nats.

The plug-in entropy of M tokens is too small by about (K - 1)/(2M), so that a model fitted to its own samples seems to
lose entropy even where nothing is lost; what one honest refit takes away on average is `refitted_entropy`, exactly.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from attrs import frozen
from scipy.special import digamma, xlogy
from scipy.stats import binom


@frozen
class Estimate:
    """A value and its standard error."""

    value: float
    error: float

    def __str__(self) -> str:
        """Return both.

        >>> print(Estimate(1.5, 0.25))
        1.5 +- 0.25
        """
        return f"{self.value:.6g} +- {self.error:.2g}"


def _plugin(n: np.ndarray) -> float:
    p = n / n.sum()
    return float(-xlogy(p, p).sum())


def _miller_madow(n: np.ndarray) -> float:
    """H + (types seen - 1)/(2M): G. A. Miller, Note on the bias of information estimates (1955)."""
    return _plugin(n) + (np.count_nonzero(n) - 1) / (2 * n.sum())


def _jackknife(n: np.ndarray) -> float:
    """M H - (M - 1) mean of H with one token left out; tokens of one type are left out alike."""
    M, held = n.sum(), n[n > 0]
    # Leaving a token of count k out changes one term of log M - sum n log n/M and the total.
    terms = xlogy(held, held)
    left_out = np.log(M - 1) - (terms.sum() - terms + xlogy(held - 1, held - 1)) / (M - 1)
    return float(M * _plugin(n) - (M - 1) * (held * left_out).sum() / M)


def _grassberger(n: np.ndarray) -> float:
    """log M - sum n G(n)/M, G(n) = psi(n) + (-1)^n (psi((n + 1)/2) - psi(n/2))/2: arXiv:physics/0307138 (2003)."""
    M, held = n.sum(), n[n > 0]
    sign = np.where(held % 2 == 0, 1.0, -1.0)
    G = digamma(held) + sign * (digamma((held + 1) / 2) - digamma(held / 2)) / 2
    return float(np.log(M) - (held * G).sum() / M)


METHODS: Mapping[str, Callable[[np.ndarray], float]] = {
    "plugin": _plugin,
    "miller-madow": _miller_madow,
    "jackknife": _jackknife,
    "grassberger": _grassberger,
}


def entropy(counts: Any, method: str = "miller-madow") -> Estimate:
    """Return H = -sum p log p of the law behind counts.

    Args:
        counts: tokens of each type, >= 2 in all.
        method: "miller-madow", "jackknife", "grassberger", or "plugin" with its bias.

    >>> print(entropy([50, 50], "plugin"))
    0.693147 +- 0
    """
    n = _checked(counts, method).ravel()
    p = n / n.sum()
    surprise = -np.log(np.where(p > 0, p, 1.0))
    spread = max(float((p * surprise**2).sum() - (p * surprise).sum() ** 2), 0.0)
    return Estimate(METHODS[method](n), float(np.sqrt(spread / n.sum())) if spread > 1e-15 else 0.0)


def mutual_information(table: Any, method: str = "miller-madow") -> Estimate:
    """Return I = H(rows) + H(columns) - H(both) of a table of joint counts, shape (rows, columns).

    Its plug-in is too large, by about (cells - rows - columns + 1)/(2M).

    >>> round(mutual_information([[20, 20], [20, 20]], "plugin").value, 9)
    0.0
    """
    n = _checked(table, method)
    if n.ndim != 2:
        raise ValueError(f"a table of joint counts has 2 axes, not {n.ndim}. Give counts by row and column.")
    rows, columns = n.sum(1), n.sum(0)
    value = METHODS[method](rows) + METHODS[method](columns) - METHODS[method](n.ravel())
    p = n / n.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        density = np.where(n > 0, np.log(p / np.outer(rows, columns) * n.sum() ** 2), 0.0)
    spread = max(float((p * density**2).sum() - (p * density).sum() ** 2), 0.0)
    return Estimate(float(value), float(np.sqrt(spread / n.sum())) if spread > 1e-15 else 0.0)


def refitted_entropy(p: Any, samples: int) -> float:
    """Return the mean entropy of a law that is refitted to M of its own tokens: E H = -sum_i E[x_i log x_i], exactly.

    Each M x_i ~ Binomial(M, p_i).

    >>> round(refitted_entropy([0.5, 0.5], 2), 6)  # half the time one type is left
    0.346574
    """
    law = np.asarray(p, dtype=float)
    law = np.unique(law / law.sum(), return_counts=True)
    x = np.arange(samples + 1) / samples
    return float(
        -sum(
            many * (binom.pmf(np.arange(samples + 1), samples, one) @ xlogy(x, x))
            for one, many in zip(*law, strict=True)
        )
    )


def _checked(counts: Any, method: str) -> np.ndarray:
    if method not in METHODS:
        raise ValueError(f"method = {method!r} is not known. Choose one of {', '.join(METHODS)}.")
    n = np.asarray(counts, dtype=float)
    if n.size == 0 or (n < 0).any() or (n != np.round(n)).any() or n.sum() < 2:
        raise ValueError("these are no counts of two tokens or more. Give one whole number >= 0 for each type.")
    return n
