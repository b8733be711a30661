"""Every regime, sampling and estimator on the data path, against the NumPy reference and against theory.

One table of loops, in which every value of every axis occurs; what is asserted is asserted of all of them. Two samples
of chains are compared by the means of each parameter, of its square, and of log V, by two-sample z; one false-alarm
level covers the fixed number of comparisons of this file, and each mean must be able to show a stated error.
"""

from zlib import crc32

import numpy as np
import pytest
from attrs import evolve
from scipy.stats import norm
from sympy import Rational

from numerics import agree, distortions, drawing, engine, simulate
from numerics.points import Data
from numerics.reference import reference
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Binomial,
    Categorical,
    Damped,
    DiagonalGaussian,
    Exponential,
    Floor,
    Gamma,
    Gaussian,
    GradientDescent,
    GradientSteps,
    HyperbolicSecant,
    LinearRegression,
    Loop,
    Mixed,
    MultivariateGaussian,
    NegativeBinomial,
    Pareto,
    Poisson,
    PosteriorDraw,
    PosteriorPredictive,
    Replace,
    Ridge,
    Schedule,
    Shrinkage,
    Subsample,
    Tempered,
    TopK,
    TopP,
    Truncated,
    Unbiased,
    UnbiasedFor,
    Uniform,
    VarianceFactor,
    Weighted,
    expect,
    n,
)

CHAINS = 8_000
GENERATIONS = (1, 3)
FALSE_ALARM = 1e-6
"""Chance that any comparison of this file fails although all programs are right."""
COMPARISONS = 500
"""At least the number of comparisons."""
CRITICAL = norm.isf(FALSE_ALARM / 2 / COMPARISONS)
POWER = 0.9
VISIBLE = 0.1
"""The relative error of a mean that every comparison of means must be able to see with that power."""

HALF, THIRD, FOURTH = (Rational(1, k) for k in (2, 3, 4))
NORMAL, PLANE = Gaussian(1, 2), MultivariateGaussian([1, 2], [[1, HALF], [HALF, 2]])
TYPES = Categorical([Rational(2, 5), Rational(7, 20), FOURTH])
KEPT, TOSSED = Mixed(FOURTH, fresh=False), Mixed(FOURTH, count="bernoulli")
ROWS = LinearRegression(2, HALF, 1)


def loop(family, estimator=None, regime=None, sampling=None, **more):
    axes = {"estimator": estimator, "regime": regime, "sampling": sampling}
    return Loop(family, samples=12, **{name: axis for name, axis in axes.items() if axis is not None}, **more)


LOOPS = {
    "shrunken, kept": loop(NORMAL, Shrinkage(FOURTH, Damped(THIRD, Unbiased())), KEPT, VarianceFactor(HALF)),
    "predicted, tossed": loop(NORMAL, PosteriorPredictive(), TOSSED, Tempered(Rational(3, 2))),
    "truncated, subsampled": loop(NORMAL, None, Subsample(), Truncated(1)),
    "stepped on log V, weighted": loop(NORMAL, GradientSteps(2, FOURTH, on="log V"), Weighted(THIRD, FOURTH)),
    "floored, scheduled": loop(NORMAL, Floor(HALF, UnbiasedFor(0)), Schedule((12, 8, 16))),
    "weighted within": loop(NORMAL, Unbiased(), Weighted(THIRD, FOURTH, between=False), VarianceFactor(HALF)),
    "drawn, correlated": loop(DiagonalGaussian(), PosteriorDraw(), Accumulate(), Tempered(HALF), source=PLANE),
    "stepped matrix, weighted": loop(PLANE, Floor(HALF, GradientSteps(2, HALF)), Weighted(THIRD), VarianceFactor(HALF)),
    "drawn matrix, kept": loop(PLANE, Damped(HALF, PosteriorDraw()), KEPT),
    "drawn chance, tossed": loop(Bernoulli(Rational(3, 10)), PosteriorDraw(), TOSSED, Tempered(2)),
    "nucleus of a pool": loop(TYPES, None, Accumulate(), TopP(Rational(4, 5))),
    "two types, weighted": loop(TYPES, Shrinkage(FOURTH), Weighted(THIRD), TopK(2)),
    "predicted types, subsampled": loop(TYPES, PosteriorPredictive(), Subsample()),
    "drawn rate, subsampled": loop(Poisson(2), PosteriorDraw(), Subsample()),
    "damped waits, kept": loop(Gamma(2, 2), Damped(HALF), KEPT, Tempered(Rational(3, 2))),
    "drawn waits, scheduled": loop(Exponential(2), PosteriorDraw(), Schedule(4 + 4 * n)),
    "drawn maximum, weighted": loop(Uniform(2), Damped(HALF), Weighted(THIRD)),
    "shrunken tail, weighted": loop(Pareto(3), Shrinkage(FOURTH), Weighted(THIRD)),
    "drawn trials, tossed": loop(Binomial(3, THIRD), PosteriorDraw(), TOSSED),
    "drawn failures, kept": loop(NegativeBinomial(2, 2), Damped(HALF, PosteriorDraw()), KEPT),
    "stepped secant": loop(HyperbolicSecant(2, 1), GradientSteps(2, HALF), Subsample()),
    "ridge, kept rows": loop(ROWS, Ridge(2), KEPT, Tempered(2)),
    "descent, one design": loop(evolve(ROWS, design="same"), GradientDescent(3, Rational(1, 50), warm=True), Accumulate()),
    "damped, weighted rows": loop(ROWS, Damped(HALF), Weighted(THIRD)),
}


def seed_of(loop):
    return crc32(str(loop).encode())


def simulated(loop, **options):
    """Return the parameters of simulated chains by name."""
    run = simulate(loop, generations=3, chains=CHAINS, seed=seed_of(loop), method="data", **options)
    return {name: values.to_numpy() for name, values in run.items()}


def referred(loop):
    runs = reference(loop, None, 3, CHAINS, np.random.default_rng(seed_of(loop)))
    if "weights" in runs:
        return {"w": runs["weights"][..., 0], "squares": (runs["weights"] ** 2).sum(axis=-1)}
    return runs


def assert_same(one, two):
    """Raise AssertionError if two samples of chains differ or could not have shown an error; return how many were
    compared.
    """
    compared = 0
    for name in set(one) & set(two):
        transforms = [np.asarray, np.square] + [np.log] * (name == "V")
        for k in GENERATIONS:
            for transform in transforms:
                x, y = (transform(values[name][:, k]).reshape(CHAINS, -1) for values in (one, two))
                error = np.maximum(np.sqrt((x.var(axis=0) + y.var(axis=0)) / CHAINS), 1e-12)
                z = (x.mean(axis=0) - y.mean(axis=0)) / error
                assert np.all(abs(z) < CRITICAL), f"{transform.__name__} {name} at generation {k}: z = {z}"
                smallest = (CRITICAL + norm.ppf(POWER)) * error / abs(y.mean(axis=0)).max()
                assert transform is not np.asarray or np.all(smallest < VISIBLE), f"{name}: {smallest} is not seen"
                compared += len(z)
    return compared


@pytest.mark.parametrize("name", LOOPS)
def test_data_path_has_the_moments_of_the_reference(name):
    """Assert that means, squares and log V are those of the simulator that keeps every point."""
    assert 4 <= assert_same(simulated(LOOPS[name]), referred(LOOPS[name])) * len(LOOPS) <= COMPARISONS * 4
