"""Theory, and the simulator, against the reference that keeps every data point, over all values of every axis.

Each value of an axis meets values of the others that are drawn from a generator seeded by its place; what derives is
compared, what is refused is not. One false-alarm level covers the fixed number of comparisons of this file, every seed
comes from the case, nothing is tried twice, and each comparison must have been able to see a stated error.
"""

from random import Random
from zlib import crc32

import numpy as np
import pytest
from attrs import evolve
from scipy.stats import norm
from sympy import IndexedBase, Rational, lambdify, log, sqrt

from numerics.reference.simulator import reference
from numerics.simulate import simulate
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    Damped,
    DiagonalGaussian,
    Faithful,
    Floor,
    Gaussian,
    GradientSteps,
    Loop,
    MinMSE,
    Mixed,
    NotClosed,
    PosteriorDraw,
    PosteriorPredictive,
    Replace,
    Scaled,
    Schedule,
    Shrinkage,
    Subsample,
    Tempered,
    TopK,
    TopP,
    Truncated,
    Unbiased,
    UnbiasedFor,
    VarianceFactor,
    Weighted,
    expect,
    n,
)

CHAINS = 20_000
GENERATIONS = (1, 2, 4)
FALSE_ALARM = 1e-6
"""Chance that any comparison of this file fails although everything is right."""
COMPARISONS = 1_200
"""At least the number of comparisons in this file."""
CRITICAL = norm.isf(FALSE_ALARM / 2 / COMPARISONS)
POWER = 0.9
VISIBLE = 0.2
"""The relative error (absolute for a logarithm) that every comparison must be able to see with that power."""

HALF, THIRD, FOURTH = (Rational(1, k) for k in (2, 3, 4))
mu, V, p, q = Gaussian.mu, Gaussian.V, Categorical.p, Bernoulli.p
ESTIMATORS = [MLE(), Unbiased(), MinMSE(), Scaled(Rational(9, 10)), *map(UnbiasedFor, (-1, 0, HALF))]
ESTIMATORS += [Shrinkage(FOURTH), Damped(THIRD, of=Unbiased()), Floor(HALF), GradientSteps(2, HALF)]
ESTIMATORS += [GradientSteps(1, FOURTH, on="log V"), PosteriorDraw(), PosteriorPredictive()]
REGIMES = [Replace(), Accumulate(), Subsample(), Mixed(FOURTH), Mixed(FOURTH, fresh=False)]
REGIMES += [Mixed(FOURTH, count="bernoulli"), Weighted(THIRD), Weighted(THIRD, FOURTH, between=False)]
REGIMES += [Schedule((16, 12, 20, 8)), Schedule(8 * n)]
SAMPLINGS = [Faithful(), Tempered(Rational(3, 2)), VarianceFactor(HALF), Truncated(1), TopP(HALF), TopK(2)]
FAMILIES = {
    Gaussian(1, 2): [V, mu**2, sqrt(V), log(V), 1 / V],
    DiagonalGaussian([1, 2], [1, 4]): [DiagonalGaussian.V[1] + DiagonalGaussian.mu[0] ** 2],
    Bernoulli(Rational(3, 10)): [q**2, q**3],
    Categorical([Rational(2, 5), Rational(7, 20), FOURTH]): [p[0] * p[1], p[2] ** 2],
}


def described(family, **axes):
    """The loop, or None where there is none."""
    try:
        return Loop(family, samples=16, **axes)
    except ValueError:
        return None


def cases():
    """Loops for every value of every axis and every family, with values of the other axes from a seeded generator."""
    rng, found = Random(0), []
    tables = {"estimator": ESTIMATORS, "regime": REGIMES, "sampling": SAMPLINGS + [Faithful()] * 6}
    for axis, values in tables.items():
        for value in values:
            for family in (*FAMILIES, Gaussian(1, 2)):
                axes = {name: rng.choice(table) for name, table in tables.items()} | {axis: value}
                found.append(described(family, **axes))
    return [loop for loop in found if loop is not None]


def derived(loop):
    """Yield (observable, E at generations 0, 1, ...) for the observables that derive."""
    for of in FAMILIES[loop.family]:
        try:
            yield of, [float(value) for value in expect(loop, of).values(max(GENERATIONS))]
        except NotClosed:
            continue


def seed_of(loop):
    return crc32(str(loop).encode())


def evaluated(of, runs):
    """The observable in every chain and generation."""
    names = {"mu": runs.get("mu"), "V": runs.get("V"), "p": runs.get("p")}
    bases = sorted(of.atoms(IndexedBase) or of.free_symbols, key=str)
    return lambdify(bases, of)(*(_columns(names[str(base)], base) for base in bases))


def _columns(values, base):
    return np.moveaxis(values, -1, 0) if isinstance(base, IndexedBase) else values


def assert_alike(one, two, error, what, of):
    """Assert equality up to the error at the stated level, and power."""
    error = max(error, 1e-12)
    assert abs(one - two) < CRITICAL * error, f"{what}: {one} and {two}, z = {(one - two) / error:.1f}"
    scale = 1 if of.has(log) else abs(two)
    assert (CRITICAL + norm.ppf(POWER)) * error < VISIBLE * scale, f"{what}: errors below {error / scale} are not seen"


def compared(loop):
    """Compare theory with the reference; return the number of comparisons."""
    found = list(derived(loop))
    if not found:
        return 0
    runs = reference(loop, None, max(GENERATIONS), CHAINS, np.random.default_rng(seed_of(loop)))
    for of, values in found:
        paths = evaluated(of, runs)
        for k in GENERATIONS:
            x = paths[:, k]
            assert_alike(x.mean(), values[k], x.std() / CHAINS**0.5, f"{loop}, E {of} at generation {k}", of)
    return len(found) * len(GENERATIONS)


def test_theory_agrees_with_the_reference():
    """Assert that what derives has the reference's means, and that most values of the axes derive somewhere."""
    counts = [compared(loop) for loop in cases()]
    assert 200 < sum(counts) <= COMPARISONS - 300
    assert sum(map(bool, counts)) > 40


def test_a_planted_slip_is_seen():
    """Assert that another divisor, a kept set drawn afresh, or a plug-in law for a predictive one would be seen."""
    kept = Loop(Gaussian(1, 2), regime=Mixed(FOURTH, fresh=False), samples=16)
    slips = [(kept, evolve(kept, regime=Mixed(FOURTH))), (kept, evolve(kept, estimator=Unbiased()))]
    predictive = evolve(kept, estimator=PosteriorPredictive(), regime=Replace())
    slips += [(predictive, evolve(predictive, estimator=Unbiased()))]
    for right, wrong in slips:
        runs = reference(right, None, 4, CHAINS, np.random.default_rng(seed_of(right)))
        x, claimed = runs["V"][:, 4], float(expect(wrong, V).values(4)[4])
        with pytest.raises(AssertionError, match="z ="):
            assert_alike(x.mean(), claimed, x.std() / CHAINS**0.5, "planted", V)


# The simulator -------------------------------------------------------------------------------------------------------

NORMAL, TYPES = Gaussian(1, 2), Categorical([Rational(2, 5), Rational(7, 20), FOURTH])
SIMULATED = [
    Loop(NORMAL, estimator=Damped(THIRD, of=Unbiased()), regime=Accumulate(), sampling=Tempered(2), samples=16),
    Loop(NORMAL, estimator=PosteriorDraw(), regime=Mixed(FOURTH, fresh=False), samples=16),
    Loop(NORMAL, estimator=GradientSteps(1, FOURTH, on="log V"), sampling=Tempered(2), samples=16),
    Loop(NORMAL, estimator=MinMSE(), regime=Weighted(THIRD, between=False), sampling=VarianceFactor(HALF), samples=16),
    Loop(NORMAL, estimator=GradientSteps(2, HALF), regime=Schedule((16, 12, 20, 8)), samples=16),
    Loop(NORMAL, estimator=Shrinkage(FOURTH, of=UnbiasedFor(HALF)), regime=Schedule(8 * n), samples=16),
    Loop(DiagonalGaussian([1, 2], [1, 4]), estimator=Floor(HALF), regime=Accumulate(), samples=16),
    Loop(Bernoulli(THIRD), estimator=Damped(THIRD), regime=Mixed(FOURTH, count="bernoulli"), samples=16),
    Loop(TYPES, estimator=Shrinkage(FOURTH), regime=Mixed(FOURTH, fresh=False), samples=16),
]


@pytest.mark.parametrize("loop", SIMULATED, ids=str)
def test_simulation_agrees_with_the_reference(loop):
    """Assert that the simulated parameters, their squares and log V have the reference's means."""
    run = simulate(loop, generations=4, chains=CHAINS, seed=seed_of(loop))
    slow = reference(loop, None, 4, CHAINS, np.random.default_rng(seed_of(loop)))
    for name, values in slow.items():
        for transform in (np.asarray, np.square, np.log) if name == "V" else (np.asarray, np.square):
            for k in GENERATIONS:
                one, two = (transform(x[:, k]).reshape(CHAINS, -1) for x in (run[name].to_numpy(), values))
                error = np.sqrt((one.var(axis=0) + two.var(axis=0)) / CHAINS)
                assert np.all(abs(one.mean(axis=0) - two.mean(axis=0)) < CRITICAL * error), (name, transform, k)


UNKNOWN = {True: ("VarianceFactor", "Truncated"), False: ("TopP", "TopK")}
"""Distortions that types, and Gaussians, do not know."""


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)
def test_what_is_not_simulated_is_refused_by_name(family):
    """Assert that a sampling that is no distortion of the family is refused by its name, with what to do."""
    for value in SAMPLINGS:
        loop = described(family, sampling=value)
        name = type(value).__name__
        if loop is not None and name in UNKNOWN[type(family) in (Bernoulli, Categorical)]:
            with pytest.raises(ValueError, match=rf"{name}.*\. (Change|Ask|Choose)"):
                simulate(loop, generations=1, chains=1)
