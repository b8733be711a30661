"""What a verdict compares: predicted and simulated means by generation, each with the standard error of the second.

The error comes from the theory's own moments where they close. A mean that is too skewed to be read by a normal law has
an infinite one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from attrs import field, frozen
from sympy import Expr, log

from numerics.observe import check_loop, evaluate, exact_start, start_values, streamed, unrecorded
from numerics.tilting.estimate import Tilted
from theory import Expectation, NotClosed, expect
from theory.symbols import n

SKEW = 0.05
"""Largest skewness of a mean over chains at which its normal approximation is used; beyond it a plain mean is blind."""


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
class Compared:
    """Predicted and simulated means by generation; a standard error of infinity marks a mean that cannot be trusted."""

    name: str
    curve: np.ndarray
    mean: np.ndarray
    sem: np.ndarray
    step: Pooled | None = None
    of_change: bool = False
    of_logarithm: bool = False


def compared(prediction: Any, run: xr.Dataset | Tilted, claim: Expr | None) -> Compared:
    """Return what a prediction says and what a run shows."""
    if isinstance(run, Tilted):
        if not isinstance(prediction, Expectation):
            raise ValueError(f"{prediction} is no expectation, which a tilted run is of. Give expect(loop, of).")
        return _of_tilted(prediction, run, claim)
    return _of_curve(prediction, run) if isinstance(prediction, Curve) else _of_expectation(prediction, run, claim)


def _of_tilted(prediction: Expectation, run: Tilted, claim: Expr | None) -> Compared:
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
    return Compared(name, _floats([log(value) for value in exact]), run.log_mean, sem, of_logarithm=True)


def _of_curve(curve: Curve, run: xr.Dataset) -> Compared:
    if "chain" not in run.dims:
        raise ValueError(
            f"the run kept no chains, and nobody says how skewed the mean of {curve.variable} is. "
            "Simulate with paths=True."
        )
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
    return Compared(curve.name, values, samples.mean(axis=0), np.where(apart, sem, np.inf))


def _of_expectation(prediction: Expectation, run: xr.Dataset, claim: Expr | None) -> Compared:
    check_loop(prediction.loop, run)
    start = start_values(prediction.loop, run)
    loop, observable = prediction.loop.substitute(start), prediction.observable.subs(start)
    here = expect(loop, observable)
    generations = run.sizes["generation"] - 1
    name = f"E[{prediction.observable}]" if claim is None else f"E[{prediction.observable}] = {claim}"
    exact = here.values(generations)
    curve = _floats(exact) if claim is None else _claimed(claim, start, generations)
    if "chain" not in run.dims:
        mean = run[f"{streamed(prediction.observable, run, start)}_mean"].to_numpy()
        return Compared(name, curve, mean, _streamed_sem(here, exact, int(run["count"])), None, observable.has(log))
    samples = _finite(evaluate(observable, run), f"E[{prediction.observable}]")
    step = _pooled(here, run, samples)
    return Compared(name, curve, samples.mean(axis=0), _sem(here, exact, samples), step, observable.has(log))


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
        return _trusted(*_moments(here, first), len(samples))
    except NotClosed:
        return sample_sem(samples)


def _streamed_sem(here: Expectation, first: Sequence[Expr], chains: int) -> np.ndarray:
    """Return the same for a run that kept no chains, whose skewness theory alone can tell."""
    try:
        return _trusted(*_moments(here, first), chains)
    except NotClosed as refusal:
        raise ValueError(
            f"the run kept no chains, and theory does not say how skewed the mean of {here.observable} is. "
            "Simulate with paths=True."
        ) from refusal


def _moments(here: Expectation, first: Sequence[Expr]) -> tuple[np.ndarray, np.ndarray]:
    """Return variance and third central moment of the observable by generation, by theory."""
    second, cube = (expect(here.loop, here.observable**k).values(len(first) - 1) for k in (2, 3))
    variance = [b - a**2 for a, b in zip(first, second, strict=True)]
    third = [c - 3 * a * b + 2 * a**3 for a, b, c in zip(first, second, cube, strict=True)]
    return _floats(variance), _floats(third)


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
