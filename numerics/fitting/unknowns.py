"""What is not known of a loop: its free symbols, each with a stated prior, on the unit cube.

Every symbol is the quantile of its prior at a number u in (0, 1), so that the prior is the uniform law on the cube, and
the marginal likelihood of a curve is the mean of its likelihood over that cube.
"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from attrs import frozen

from numerics.lifting import letters
from theory.loop import Loop

Range = tuple[float, float]

PRIORS: Mapping[str, tuple[Range, bool]] = {
    "M": ((2.0, 1e6), True),
    "alpha": ((0.0, 1.0), False),
    "w": ((0.0, 1.0), False),
    "c": ((0.5, 2.0), True),
    "tau": ((0.5, 2.0), True),
    "beta": ((0.5, 2.5), False),
}
"""Symbol -> range, and whether the prior is uniform in the logarithm."""
MEANING: Mapping[str, str] = {
    "M": "samples per generation",
    "alpha": "real share",
    "w": "weight of the real points",
    "c": "factor on the variance in each fit",
    "tau": "temperature",
    "beta": "Zipf exponent of the source",
}


@frozen
class Unknown:
    """One symbol and its prior: uniform on (low, high), or log-uniform."""

    name: str
    low: float
    high: float
    log: bool

    def at(self, u: Any, least: Any, most: Any) -> Any:
        """Return the quantile at u, within bounds that other numbers may narrow."""
        low, high = jnp.maximum(self.low, least), jnp.minimum(self.high, most)
        return low * (high / low) ** u if self.log else low + (high - low) * u

    def __str__(self) -> str:
        """Return the prior in words.

        >>> print(Unknown("M", 2.0, 1e6, True))
        M log-uniform on 2..1e+06
        """
        return f"{self.name} {'log-uniform' if self.log else 'uniform'} on {self.low:g}..{self.high:g}"


@frozen
class Unknowns:
    """The free symbols of a loop, M first, and the numbers that are known."""

    each: tuple[Unknown, ...]
    samples: float | None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the symbols."""
        return tuple(unknown.name for unknown in self.each)

    def values(self, u: Any) -> dict[str, Any]:
        """Return the symbols' values at a point (..., symbols) of the cube.

        A real share alpha leaves at least one point of either origin: it lies between 1/M and 1 - 1/M.
        """
        found: dict[str, Any] = {}
        for k, unknown in enumerate(self.each):
            samples = found.get("M", self.samples)
            edge = 1 / samples if unknown.name == "alpha" and samples is not None else 0.0
            most = 1 - edge if unknown.name == "alpha" else np.inf
            found[unknown.name] = unknown.at(u[..., k], edge, most)
        return found


def unknowns(loop: Loop, priors: Mapping[str, Range] | None = None, more: tuple[str, ...] = ()) -> Unknowns:
    """Return the unknowns of a loop: the symbols of its axes; numbers in it are known.

    Args:
        loop: a loop; its source is that of the curve.
        priors: ranges (low, high) in place of the stated ones, by name.
        more: names of unknowns that are no symbols of the loop.

    Raises:
        ValueError: a symbol without a prior, a range that is none, or nothing to infer.
    """
    free = {str(symbol): symbol for symbol in letters(loop)}
    names = sorted({*free, *more}, key=lambda name: (name != "M", name))
    given = dict(priors or {})
    for name, (low, high) in given.items():
        positive = PRIORS.get(name, ((), False))[1]
        if name not in PRIORS or not (np.isfinite([low, high]).all() and low < high) or (positive and low <= 0):
            raise ValueError(f"the prior {name} = {low}..{high} is none. Give 0 < low < high for {', '.join(PRIORS)}.")
    if not names:
        raise ValueError("the loop has no symbol left, and nothing can be inferred. Leave M, alpha, c or tau open.")
    each = [_unknown(name, given) for name in names]
    samples = float(loop.samples) if loop.samples.is_Integer else None
    return Unknowns(tuple(each), samples)


def _unknown(name: str, given: Mapping[str, Range]) -> Unknown:
    if name not in PRIORS:
        raise ValueError(f"the symbol {name} has no prior. Put in a number; {', '.join(PRIORS)} can be inferred.")
    (low, high), log = PRIORS[name]
    return Unknown(name, *given.get(name, (low, high)), log)
