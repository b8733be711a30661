"""`agree`: the one verdict on theory against simulation.

A prediction is held against a run twice. *Trajectory*: the mean over chains at every generation against the predicted
curve, with the standard error from the theory's own second moment where it has one, because in a collapsing loop the
sample's lies. *One step*: residuals f(model k) - E[f(model k) | model k-1], pooled over chains and generations, which
keep full power at every depth. One family-wise level covers both; a verdict of agreement needs power, and says the
smallest error that it would have seen.
"""

from typing import overload

import numpy as np
import xarray as xr
from attrs import field, frozen
from scipy.special import ndtri
from sympy import Expr

from numerics.compared import Curve as Curve
from numerics.compared import Pooled, compared
from numerics.survival import Survival, SurvivalAgreement, Verdict, judged
from numerics.tilting.estimate import Tilted
from theory import Expectation

ROUNDING = 1e-9
"""Relative error granted to floating point, the only error of a loop without randomness."""


@frozen
class Agreement:
    """The verdict, and everything it rests on.

    Arrays run over ``generations``, those at which the mean of finitely many chains can be trusted. ``error`` is the
    standard error of the mean, ``scale`` what errors are relative to: the prediction, or for logarithms its change
    since generation 0.
    """

    name: str
    generations: np.ndarray = field(repr=False)
    theory: np.ndarray = field(repr=False)
    simulation: np.ndarray = field(repr=False)
    error: np.ndarray = field(repr=False)
    scale: np.ndarray = field(repr=False)
    step: Pooled | None
    level: float
    power: float
    asked: float

    @property
    def thresholds(self) -> tuple[float, float]:
        """Critical |z| of the trajectory (Bonferroni over its generations) and of the pooled residuals."""
        share = self.level / (1 if self.step is None else 2)
        return float(-ndtri(share / 2 / len(self.generations))), float(-ndtri(share / 2))

    @property
    def z(self) -> np.ndarray:
        """Standardised difference at each generation."""
        return (self.simulation - self.theory) / self.error

    @property
    def smallest(self) -> np.ndarray:
        """Smallest relative error at each generation that this run would have caught with the stated power."""
        return (self.thresholds[0] + ndtri(self.power)) * self.error / self.scale

    @property
    def smallest_step(self) -> float:
        """Smallest relative error of the one-step mean that would have been caught; infinite without residuals."""
        return float("inf") if self.step is None else float((self.thresholds[1] + ndtri(self.power)) * self.step.error)

    @property
    def verdict(self) -> Verdict:
        """Disagree if a comparison exceeds its threshold; underpowered if no generation could show the error asked
        for.
        """
        trajectory, step = self.thresholds
        if np.any(np.abs(self.z) > trajectory) or (self.step is not None and abs(self.step.z) > step):
            return "disagree"
        return "agree" if self.smallest.min() <= self.asked else "underpowered"

    def __str__(self) -> str:
        """Return the verdict in one sentence."""
        worst = int(np.argmax(np.abs(self.z)))
        step = "" if self.step is None else f" One-step error {self.step.effect:+.2g} +- {self.step.error:.2g}."
        return (
            f"{self.name}: {self.verdict}. Farthest at generation {self.generations[worst]}: "
            f"theory {self.theory[worst]:.6g}, simulation {self.simulation[worst]:.6g} +- {self.error[worst]:.2g} "
            f"({self.z[worst]:+.1f} s.e.).{step} "
            f"Smallest relative error it would have seen {self.smallest.min():.2g}, "
            f"family-wise level {self.level:g}, power {self.power:g}."
        )


@overload
def agree(
    prediction: Expectation | Curve,
    run: xr.Dataset,
    *,
    claim: Expr | None = None,
    level: float = 1e-4,
    power: float = 0.9,
    smallest: float = 0.1,
) -> Agreement: ...


@overload
def agree(
    prediction: Expectation,
    run: Tilted,
    *,
    claim: Expr | None = None,
    level: float = 1e-4,
    power: float = 0.9,
    smallest: float = 0.1,
) -> Agreement: ...


@overload
def agree(
    prediction: Survival, run: xr.Dataset, *, level: float = 1e-4, power: float = 0.9, smallest: float = 0.1
) -> SurvivalAgreement: ...


def agree(
    prediction: Expectation | Curve | Survival,
    run: xr.Dataset | Tilted,
    *,
    claim: Expr | None = None,
    level: float = 1e-4,
    power: float = 0.9,
    smallest: float = 0.1,
) -> Agreement | SurvivalAgreement:
    """Compare a prediction with a run of the same loop.

    Args:
        prediction: from `expect`, a `Curve` of numbers for a recorded variable, or a `Survival` curve.
        run: from `simulate`; or from `tilted`, whose logarithms are held against those of an expectation. Of a run
            without paths the trajectory alone is judged, of an expectation whose observable was streamed and whose
            second and third moments close.
        claim: a formula in n and the source's symbols to be judged in place of the derived expectation.
        level: family-wise false-alarm probability of this verdict.
        power: probability with which the smallest error is to be caught.
        smallest: the relative error that the run must be able to see; otherwise the verdict is "underpowered".

    Raises:
        ValueError: the run is of another loop, lacks the variable, or holds NaN.
    """
    if isinstance(prediction, Survival) and not isinstance(run, Tilted):
        return judged(prediction, run, level, power, smallest)
    means = compared(prediction, run, claim)
    kept = np.flatnonzero(np.isfinite(means.sem))
    # Where no mean can be trusted the last is kept, with its infinite error: it shows nothing, and the verdict says so.
    kept = kept[kept > 0] if (kept > 0).any() else np.array([len(means.sem) - 1])
    theory, origin = means.curve[kept], means.curve[0]
    scale = np.maximum(np.abs(theory - origin if means.of_change else theory), np.finfo(float).tiny)
    scale = np.ones_like(theory) if means.of_logarithm else scale
    error = np.maximum(means.sem[kept], ROUNDING * np.maximum(np.abs(theory), scale))
    return Agreement(means.name, kept, theory, means.mean[kept], error, scale, means.step, level, power, smallest)
