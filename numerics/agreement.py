"""`agree`: the one verdict on theory against simulation.

A prediction is held against a run twice. *Trajectory*: the mean over chains at every generation against the predicted
curve, with the standard error from the theory's own second moment where it has one, because in a collapsing loop the
sample's lies. *One step*: residuals f(model k) - E[f(model k) | model k-1], pooled over chains and generations, which
keep full power at every depth. One family-wise level covers both; a verdict of agreement needs power, and says the
smallest error that it would have seen.
"""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import xarray as xr
from attrs import field, frozen
from scipy.special import ndtri
from sympy import Expr, log

from numerics.observe import check_loop, evaluate, exact_start, start_values, unrecorded
from numerics.survival import Survival, SurvivalAgreement, Verdict, judged
from numerics.tilting.estimate import Tilted
from theory import Expectation, NotClosed, expect
from theory.symbols import n

SKEW = 0.05
"""Largest skewness of a mean over chains at which its normal approximation is used; beyond it a plain mean is blind."""
ROUNDING = 1e-9
"""Relative error granted to floating point, the only error of a loop without randomness."""


@frozen
class Curve:
    """A predicted mean of one recorded variable of a run, by generation.

    Args:
        name: what is predicted, in words.
        variable: the variable of the run.
        values: the prediction at generations 0, 1, ...
    """

    name: str
    variable: str
    values: Sequence[float] | np.ndarray = field(repr=False)


@frozen
class Pooled:
    """One-step residuals pooled over chains and generations: relative error of the one-step mean, with its standard
    error.
    """

    effect: float
    error: float

    @property
    def z(self) -> float:
        """The standardised effect."""
        return self.effect / self.error


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
        run: from `simulate`, with paths; or from `tilted`, whose logarithms are held against those of an expectation.
        claim: a formula in n and the source's symbols to be judged in place of the derived expectation.
        level: family-wise false-alarm probability of this verdict.
        power: probability with which the smallest error is to be caught.
        smallest: the relative error that the run must be able to see; otherwise the verdict is "underpowered".

    Raises:
        ValueError: the run is of another loop, lacks the variable, or holds NaN.
    """
    if isinstance(prediction, Survival) and not isinstance(run, Tilted):
        return judged(prediction, run, level, power, smallest)
    compared = _compared(prediction, run, claim)
    kept = np.flatnonzero(np.isfinite(compared.sem))
    # Where no mean can be trusted the last is kept, with its infinite error: it shows nothing, and the verdict says so.
    kept = kept[kept > 0] if (kept > 0).any() else np.array([len(compared.sem) - 1])
    theory, origin = compared.curve[kept], compared.curve[0]
    scale = np.maximum(np.abs(theory - origin if compared.of_change else theory), np.finfo(float).tiny)
    scale = np.ones_like(theory) if compared.of_logarithm else scale
    error = np.maximum(compared.sem[kept], ROUNDING * np.maximum(np.abs(theory), scale))
    return Agreement(
        compared.name, kept, theory, compared.mean[kept], error, scale, compared.step, level, power, smallest
    )


@frozen
class _Compared:
    """Predicted and simulated means by generation; a standard error of infinity marks a mean that cannot be trusted."""

    name: str
    curve: np.ndarray
    mean: np.ndarray
    sem: np.ndarray
    step: Pooled | None = None
    of_change: bool = False
    of_logarithm: bool = False


def _compared(prediction: Any, run: xr.Dataset | Tilted, claim: Expr | None) -> _Compared:
    if isinstance(run, Tilted):
        if not isinstance(prediction, Expectation):
            raise ValueError(f"{prediction} is no expectation, which a tilted run is of. Give expect(loop, of).")
        return _of_tilted(prediction, run, claim)
    return _of_curve(prediction, run) if isinstance(prediction, Curve) else _of_expectation(prediction, run, claim)


def _of_tilted(prediction: Expectation, run: Tilted, claim: Expr | None) -> _Compared:
    """Return the logarithms of both means: the error of one is the relative error of the mean."""
    if (prediction.loop, prediction.observable) != (run.loop, run.observable):
        raise ValueError(
            f"the prediction is E[{prediction.observable}] of {prediction.loop}, the run was tilted towards "
            f"{run.observable} of {run.loop}. Derive and sample the same."
        )
    start = exact_start(run.loop, run.start)
    here = expect(run.loop.substitute(start), run.observable.subs(start))
    exact = here.values(run.generations) if claim is None else _by_generation(claim, start, run.generations)
    name = f"log E[{run.observable}]" + ("" if claim is None else f" = log({claim})")
    sums = run.weighed
    sem = _trusted(sums.variance, sums.third, run.chains) / sums.mean
    return _Compared(name, _floats([log(value) for value in exact]), run.log_mean, sem, of_logarithm=True)


def _of_curve(curve: Curve, run: xr.Dataset) -> _Compared:
    if curve.variable not in run:
        raise ValueError(
            f"the run has no variable {curve.variable!r}. It has {', '.join(map(str, run.data_vars))}; use observe=."
        )
    samples = _finite(run[curve.variable].to_numpy(), curve.name)
    values = np.asarray(curve.values, dtype=float)
    if values.shape != samples.shape[1:]:
        raise ValueError(
            f"{curve.name}: {len(values)} predicted generations for a run of {samples.shape[1]}. Give 0..n."
        )
    sem = sample_sem(samples)
    # Chains that all happen to be alike, in a loop that is random elsewhere, show no error and have one.
    apart = sem > 0 if (sem > 0).any() else np.ones_like(sem, dtype=bool)
    return _Compared(curve.name, values, samples.mean(axis=0), np.where(apart, sem, np.inf))


def _of_expectation(prediction: Expectation, run: xr.Dataset, claim: Expr | None) -> _Compared:
    check_loop(prediction.loop, run)
    start = start_values(prediction.loop, run)
    loop, observable = prediction.loop.substitute(start), prediction.observable.subs(start)
    here = expect(loop, observable)
    generations = run.sizes["generation"] - 1
    samples = _finite(evaluate(observable, run), f"E[{prediction.observable}]")
    exact = here.values(generations)
    curve = _floats(exact) if claim is None else _claimed(claim, start, generations)
    name = f"E[{prediction.observable}]" if claim is None else f"E[{prediction.observable}] = {claim}"
    step = _pooled(here, run, samples)
    return _Compared(name, curve, samples.mean(axis=0), _sem(here, exact, samples), step, observable.has(log))


def _claimed(claim: Expr, start: dict, generations: int) -> np.ndarray:
    return _floats(_by_generation(claim, start, generations))


def _by_generation(claim: Expr, start: dict, generations: int) -> list[Expr]:
    formula = claim.subs(start)
    if left := formula.free_symbols - {n}:
        raise ValueError(
            f"the claim {claim} leaves {', '.join(map(str, left))} without a value. Use n and the loop's symbols."
        )
    return [formula.subs(n, k) for k in range(generations + 1)]


def _sem(here: Expectation, first: Sequence[Expr], samples: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean by generation, from the theory's moments where they close, else from the
    sample.
    """
    try:
        second, cube = (expect(here.loop, here.observable**k).values(len(first) - 1) for k in (2, 3))
    except NotClosed:
        return sample_sem(samples)
    variance = _floats([b - a**2 for a, b in zip(first, second, strict=True)])
    third = _floats([c - 3 * a * b + 2 * a**3 for a, b, c in zip(first, second, cube, strict=True)])
    return _trusted(variance, third, len(samples))


def sample_sem(samples: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean over the first axis, infinite where it cannot be read by a normal law."""
    if len(samples) < 2:
        return np.full(samples.shape[1], np.inf)
    deviations = samples - samples.mean(axis=0)
    return _trusted(samples.var(axis=0, ddof=1), (deviations**3).mean(axis=0), len(samples))


def _trusted(variance: np.ndarray, third: np.ndarray, chains: int) -> np.ndarray:
    """Return sqrt(variance/chains), infinite where the mean is still too skewed to be read by a normal law."""
    blind = np.abs(third) > SKEW * np.sqrt(chains) * np.maximum(variance, 0) ** 1.5
    return np.where(blind & (variance > 0), np.inf, np.sqrt(np.maximum(variance, 0) / chains))


def _pooled(here: Expectation, run: xr.Dataset, samples: np.ndarray) -> Pooled | None:
    """Return the weighted estimate of a common relative error of the one-step mean, from residuals divided by their
    conditional sd.
    """
    mean = here.next()
    if unrecorded(mean, run):  # a loop that remembers more than its models: the trajectory alone decides
        return None
    before = {"chain": slice(None), "generation": slice(here.start, -1)}
    predicted = evaluate(mean, run.isel(before), fits=True)
    residuals = samples[:, here.start + 1 :] - predicted
    spread = _spread(here, mean, run.isel(before), residuals)
    if spread is None or not np.all(spread > 0):
        return None
    reference = predicted - samples[:, here.start : -1] if here.observable.has(log) else predicted
    signal = reference / spread
    information = float(np.sum(signal**2))
    return Pooled(float(np.sum(signal * residuals / spread)) / information, information**-0.5) if information else None


def _spread(here: Expectation, mean: Expr, before: xr.Dataset, residuals: np.ndarray) -> np.ndarray | None:
    """Return the conditional standard deviation of the observable, by theory where it closes, else by generation from
    the sample; None where theory asks for what was not recorded.
    """
    try:
        variance = (expect(here.loop, here.observable**2).next() - mean**2).expand()
    except NotClosed:
        return np.broadcast_to(residuals.std(axis=0), residuals.shape)
    if unrecorded(variance, before):  # it changes with the model, by more of it than was kept
        return None
    return np.sqrt(np.maximum(evaluate(variance, before, fits=True), 0))


def _floats(values: Sequence[Expr]) -> np.ndarray:
    return np.array([float(value) for value in values])


def _finite(samples: np.ndarray, name: str) -> np.ndarray:
    if not np.all(np.isfinite(samples)):
        bad = np.argwhere(~np.isfinite(samples))[0]
        raise ValueError(
            f"{name} is not a number in chain {bad[0]}, generation {bad[1]}: the simulation broke. Report the seed."
        )
    return samples
