"""What tilted chains say of E h(model n): its logarithm with a standard error, and how much of the chains tells it."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import field, frozen
from sympy import Expr

from numerics.tilting.weights import Weighed
from theory.loop import Loop


@frozen
class Tilted:
    """Estimates of log E h(model n) by generation, from chains that were drawn under a tilt and weighted back.

    Each weighted observable y = h(model n) dP/dQ has the mean E h(model n), whatever the tilt. Arrays run over
    generations 0, 1, ...; ``error`` is the relative standard error of the mean of y, which is the standard error of its
    logarithm; ``effective`` is (sum y)^2/sum y^2, at most the number of chains.

    Args:
        loop: the loop that was run.
        observable: h.
        start: the values of the source's symbols.
        seed: where the random numbers came from.
        weighed: sums of y.
        exponents: by how much each innovation is tilted at fits 1, 2, ..: a of x^a, or the shift of a normal deviate.
    """

    loop: Loop
    observable: Expr
    start: Mapping[str, Any]
    seed: int
    weighed: Weighed = field(repr=False)
    exponents: Mapping[str, np.ndarray] = field(repr=False)

    @property
    def log_mean(self) -> np.ndarray:
        """Estimates of log E h(model n)."""
        return self.weighed.log_mean

    @property
    def error(self) -> np.ndarray:
        """Standard errors of these."""
        return self.weighed.error

    @property
    def effective(self) -> np.ndarray:
        """Effective sample sizes."""
        return self.weighed.effective

    @property
    def chains(self) -> int:
        """The number of chains."""
        return self.weighed.count

    @property
    def generations(self) -> int:
        """The number of fits."""
        return len(self.log_mean) - 1

    def __str__(self) -> str:
        """Return what the last generation says."""
        given = f" from {json.dumps({name: str(value) for name, value in self.start.items()})}" if self.start else ""
        return (
            f"log E[{self.observable}] = {self.log_mean[-1]:.10g} +- {self.error[-1]:.2g} at generation "
            f"{self.generations}{given}: {self.chains} chains, worth {self.effective[-1]:.6g}."
        )
