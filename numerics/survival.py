"""The verdict on a survival curve: the share of chains not yet absorbed, at all generations at once.

A chain that is absorbed stays so: with N chains the counts at generations m < n covary as N S(n) (1 - S(m)), a Brownian
bridge seen at the points S(n). Bonferroni's band forgets that and is too wide; here every generation is judged by the
exact binomial tails, and the one threshold for all of them by the bridge.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr
from attrs import field, frozen
from scipy.special import bdtr, bdtrc, ndtr, ndtri

Verdict = Literal["agree", "disagree", "underpowered"]

ROUNDING = 1e-9
"""Error granted to floating point."""
NORMAL = 10
"""Chains expected on either side at a generation from which power is claimed."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)
FAR = 40.0
"""Standard deviations beyond which a normal tail is nothing."""


@frozen
class Survival:
    """A predicted survival curve, P(more than one type is left).

    Args:
        name: what is predicted, in words.
        values: the prediction at generations 0, 1, ...
    """

    name: str
    values: Sequence[float] | np.ndarray = field(repr=False)


@frozen
class SurvivalAgreement:
    """The verdict on a survival curve, and everything it rests on.

    Arrays run over all generations; ``alive`` is the number of chains not yet absorbed.
    """

    name: str
    theory: np.ndarray = field(repr=False)
    alive: np.ndarray = field(repr=False)
    chains: int
    level: float
    power: float
    asked: float

    @property
    def simulation(self) -> np.ndarray:
        """Share of the chains not yet absorbed."""
        return self.alive / self.chains

    @property
    def error(self) -> np.ndarray:
        """Standard error of that share, sqrt(S (1 - S)/N)."""
        return np.sqrt(self.theory * (1 - self.theory) / self.chains)

    @property
    def threshold(self) -> float:
        """Critical |z| of all generations together."""
        return critical(self.theory, self.level)

    @property
    def z(self) -> np.ndarray:
        """The normal deviate whose tail is that of the binomial law, P(X >= alive) above and P(X <= alive) below."""
        N, S = self.chains, self.theory
        above = np.maximum(-ndtri(bdtrc(self.alive - 1, N, S)), 0.0)
        below = np.minimum(ndtri(bdtr(self.alive, N, S)), 0.0)
        apart = self.alive - N * S
        return np.where(np.abs(apart) <= ROUNDING * N, 0.0, np.where(apart > 0, above, below))

    @property
    def smallest(self) -> np.ndarray:
        """Smallest relative error of P(T > n) at each generation that would have been caught with the stated power."""
        return self._caught() / np.maximum(self.theory, np.finfo(float).tiny)

    @property
    def shift(self) -> float:
        """Smallest shift of the curve, in generations, that would have been caught with the stated power."""
        slope = np.abs(np.gradient(self.theory)) if len(self.theory) > 1 else np.zeros(1)
        return float((self._caught() / np.maximum(slope, np.finfo(float).tiny)).min())

    @property
    def verdict(self) -> Verdict:
        """Disagree beyond the threshold; underpowered if no generation could show the relative error asked for."""
        if np.any(np.abs(self.z) > self.threshold):
            return "disagree"
        return "agree" if self.smallest.min() <= self.asked else "underpowered"

    def _caught(self) -> np.ndarray:
        """Return d with P(rejected) = power where S is claimed to be S + d or S - d, whichever is harder to see.

        d = c sd(S +- d) + 1/N + z sd(S), with the quantile c of the skew law of the claim, by Cornish and Fisher, and
        the normal quantile z of the power; the fixed point is reached by iteration.
        """
        N, S, c = self.chains, self.theory, self.threshold
        caught = np.zeros((2, len(S)))
        for _ in range(50):
            claim = np.clip(S + [[1], [-1]] * caught, 1 / N, 1 - 1 / N)
            spread = np.sqrt(claim * (1 - claim) / N)
            skew = np.abs(1 - 2 * claim) / (N * spread)
            caught = (c + skew * (c**2 - 1) / 6) * spread + 1 / N + ndtri(self.power) * self.error
        rare = N * np.minimum(S, 1 - S) < NORMAL
        return np.where(rare, np.inf, caught.max(axis=0))

    def __str__(self) -> str:
        """Return the verdict in one sentence."""
        worst = int(np.argmax(np.abs(self.z)))
        return (
            f"{self.name}: {self.verdict}. Farthest at generation {worst}: theory {self.theory[worst]:.6g}, "
            f"simulation {self.simulation[worst]:.6g} +- {self.error[worst]:.2g} "
            f"({self.z[worst]:+.1f} s.e., threshold {self.threshold:.2f}). "
            f"Smallest relative error it would have seen {self.smallest.min():.2g}, smallest shift {self.shift:.2g} "
            f"generations, family-wise level {self.level:g}, power {self.power:g}."
        )


def judged(prediction: Survival, run: xr.Dataset, level: float, power: float, smallest: float) -> SurvivalAgreement:
    """Return the verdict on a survival curve.

    Raises:
        ValueError: the run does not say which chains are absorbed, or has other generations.
    """
    alive, chains = survivors(run)
    theory = np.asarray(prediction.values, dtype=float)
    if theory.shape != alive.shape:
        raise ValueError(
            f"{prediction.name}: {len(theory)} predicted generations for a run of {len(alive)}. Give 0..n."
        )
    if not np.all((theory >= -ROUNDING) & (theory <= 1 + ROUNDING)):
        raise ValueError(f"{prediction.name}: {theory} holds what is no probability. Give numbers in [0, 1].")
    return SurvivalAgreement(prediction.name, np.clip(theory, 0.0, 1.0), alive, chains, level, power, smallest)


def survivors(run: xr.Dataset) -> tuple[np.ndarray, int]:
    """Return how many chains have more than one type left, by generation, and the number of chains.

    Read from ``absorbed`` or its mean over chains, from ``vocabulary``, or from the probabilities.

    Raises:
        ValueError: none of them is recorded, or one is not a number.
    """
    if "absorbed_mean" in run:
        chains = int(run["count"])
        return np.rint(chains * (1 - run["absorbed_mean"].to_numpy())), chains
    alive = _alive(run).to_numpy()
    return alive.sum(axis=0), len(alive)


def _alive(run: xr.Dataset) -> xr.DataArray:
    name = next((name for name in ("absorbed", "vocabulary", "p") if name in run), None)
    if name is None:
        have = ", ".join(map(str, run.data_vars))
        raise ValueError(f"the run has {have}, and not absorption. Use observe={{'absorbed': Categorical.absorbed}}.")
    values = run[name]
    if not np.isfinite(values).all():
        raise ValueError(f"{name} is not a number in some chain: the simulation broke. Report the seed.")
    if name == "absorbed":
        return 1 - values
    if name == "vocabulary":
        return (values > 1).astype(float)
    several = (values > 0).sum("type") > 1 if "type" in values.dims else (values > 0) & (values < 1)
    return several.astype(float)


def critical(survival: np.ndarray, level: float) -> float:
    """Return c with P(max_n |B(S(n))|/sqrt(S(n) (1 - S(n))) > c) <= level, B a Brownian bridge; near level if small.

    The bound is that of D. Hunter, J. Appl. Probab. 13 (1976) 597-603, on the union of events in a row,
    P(any) <= P(first) + sum_n P(n + 1, not n), which is sharp for rare crossings of a Markov chain, as this is.

    >>> round(critical(np.array([1.0, 0.5]), 0.05), 3), round(critical(np.linspace(0.99, 0.01, 99), 0.05), 2)
    (1.96, 3.2)
    """
    inside = np.unique(survival[(survival > 0) & (survival < 1)])
    if not len(inside):
        return float(-ndtri(level / 2))
    odds = inside / (1 - inside)
    correlations = np.sqrt(odds[:-1] / odds[1:])
    least, most = -ndtri(level / 2), -ndtri(level / 2 / len(inside))
    if most - least < ROUNDING:
        return float(most)
    from scipy.optimize import brentq  # takes as long to import as a run does, and few need it

    return float(brentq(lambda c: _crossing(c, correlations) - level, least, most * (1 + ROUNDING)))


def _crossing(c: float, correlations: np.ndarray) -> float:
    """Return P(|X_1| > c) + sum_n P(|X_(n+1)| > c, |X_n| <= c) for neighbours of the given correlations.

    The integral over X_n = c - r y, r^2 = 1 - rho^2, of phi(X_n) P(rho X_n + r Z > c): its weight lies at small y.
    """
    spread = np.sqrt((1 - correlations) * (1 + correlations))[:, None]
    half = np.minimum(2 * c / spread, FAR) / 2
    y = half * (1 + NODES)
    beyond = ndtr(-(c * (1 - correlations[:, None]) / spread + correlations[:, None] * y))
    entering = (_density(c - spread * y) * beyond * WEIGHTS * half * spread).sum(axis=1)
    return float(2 * ndtr(-c) + 2 * entering.sum())


def _density(x: np.ndarray) -> np.ndarray:
    """Return phi(x)."""
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
