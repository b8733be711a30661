"""Both paths of the simulator against the NumPy reference and against each other; errors planted in them must show.

Two samples of chains are compared by the means of x, x^2, products, and log V at several generations, by two-sample z
at one Bonferroni level for the whole table. One fixed seed, no second try.
"""

from itertools import combinations

import numpy as np
import pytest
from attrs import evolve, frozen
from scipy.stats import norm
from sympy import Expr, Integer, Rational

from numerics import chains as chains_module
from numerics import engine
from numerics.kits import choice as kits
from numerics.kits import distortions
from numerics.paths import refits
from numerics.reference.simulator import reference
from numerics.simulate import simulate
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Faithful,
    Gaussian,
    Loop,
    Mixed,
    Moran,
    MultivariateGaussian,
    Replace,
    Scaled,
    Tempered,
    Unbiased,
)
from theory.estimators import Estimator
from theory.regimes import Part, Regime

SEED = 20_240_731
CHAINS = 40_000
GENERATIONS = (1, 2, 4)
FALSE_ALARM = 1e-6
"""Chance that any comparison of the table fails although all programs are right."""
COMPARISONS = 4_000
"""At least the number of comparisons in the table."""
CRITICAL = norm.isf(FALSE_ALARM / 2 / COMPARISONS)
POWER = 0.9
VISIBLE = 0.05
"""The relative error of E V, and of E p, that every comparison must be able to see with that power."""

REGIMES = [Replace(), Accumulate(), Mixed(Rational(1, 4))]
ESTIMATORS = [MLE(), Unbiased(), Scaled(Rational(9, 10))]
SAMPLINGS = [Faithful(), Tempered(Rational(3, 2))]
GAUSSIAN = {"mu": 1.0, "V": 4.0}
CORRELATED = MultivariateGaussian([0, 1], [[1, 1], [1, 4]])
SAMPLES = 16

GAUSSIANS = [
    Loop(Gaussian(), estimator=estimator, regime=regime, sampling=sampling, samples=SAMPLES)
    for regime in REGIMES
    for estimator in ESTIMATORS
    for sampling in SAMPLINGS
]
FREQUENCIES = [
    Loop(family, regime=regime, sampling=sampling, samples=SAMPLES)
    for family in (Bernoulli(Rational(3, 10)), Categorical([Rational(2, 5), Rational(7, 20), Rational(1, 4)]))
    for regime in REGIMES
    for sampling in SAMPLINGS
]
DIAGONALS = [
    Loop(DiagonalGaussian(), regime=regime, estimator=estimator, source=CORRELATED, samples=SAMPLES)
    for regime, estimator in zip(REGIMES, ESTIMATORS, strict=True)
]
DIAGONALS += [
    evolve(DIAGONALS[0], sampling=Tempered(2)),
    evolve(DIAGONALS[0], family=DiagonalGaussian([0, 1], [1, 4]), source=None),
]


@frozen
class Comparison:
    """Two means, what they are of, and the standard error of their difference."""

    name: str
    one: float
    two: float
    error: float

    @property
    def z(self):
        return (self.one - self.two) / self.error

    @property
    def smallest(self):
        """Smallest relative difference that is seen with the stated power."""
        return (CRITICAL + norm.ppf(POWER)) * self.error / abs(self.two)


def features(parameters, generation):
    """Return name -> values, one for each chain: every parameter, log V, and all products of two."""
    columns = {}
    for name, values in parameters.items():
        for k, column in enumerate(values[:, generation].reshape(len(values), -1).T):
            columns[f"{name}{k}"] = column
    products = {f"{a}*{b}": columns[a] * columns[b] for a, b in combinations(columns, 2)}
    squares = {f"{a}^2": column**2 for a, column in columns.items()}
    logs = {f"log {a}": np.log(column) for a, column in columns.items() if a.startswith("V")}
    return columns | squares | logs | products


def comparisons(one, two):
    """Return all comparisons of two samples of chains."""
    found = []
    for generation in GENERATIONS:
        left, right = features(one, generation), features(two, generation)
        for name in left:
            x, y = left[name], right[name]
            error = np.sqrt(x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y))
            found.append(Comparison(f"E {name} at generation {generation}", x.mean(), y.mean(), error))
    return found


def assert_same(one, two):
    """Raise AssertionError, naming the worst, if two samples of chains differ; return what was compared."""
    found = comparisons(one, two)
    worst = max(found, key=lambda c: abs(c.z))
    assert abs(worst.z) < CRITICAL, f"{worst.name} differ: {worst.one} and {worst.two}, z = {worst.z:.1f}"
    return found


def assert_power(found):
    """Raise AssertionError if a comparison of a mean of V or p could not have seen an error of a few per cent."""
    means = [c for c in found if c.name.split()[1] in ("V0", "V1", "p0", "p1", "p2")]
    assert means
    worst = max(means, key=lambda c: c.smallest)
    assert worst.smallest < VISIBLE, f"{worst.name}: only errors above {worst.smallest:.3f} would be seen"


def start_of(loop):
    return GAUSSIAN if isinstance(loop.family, Gaussian) else None


def simulated(loop, method, seed=SEED):
    """Return the parameters of simulated chains by name."""
    run = simulate(loop, start_of(loop), generations=max(GENERATIONS), chains=CHAINS, seed=seed, method=method)
    return {name: run[name].to_numpy() for name in ("mu", "V", "p") if name in run}


def referred(loop):
    return reference(loop, start_of(loop), max(GENERATIONS), CHAINS, np.random.default_rng(SEED))


def methods_of(loop):
    """Return the paths that run the loop: counts of tempered types, and correlated sources, need the data."""
    correlated = loop.source is not None
    distorted = isinstance(loop.family, Bernoulli | Categorical) and isinstance(loop.sampling, Tempered)
    return ["data"] if correlated or distorted else ["statistic", "data"]


# Loops of one family and regime share their compiled programs, so they are one test.
TABLE = {
    f"{type(loop.family).__name__}-{type(loop.regime).__name__}": [
        other
        for other in GAUSSIANS + FREQUENCIES + DIAGONALS
        if (type(other.family), other.regime) == (type(loop.family), loop.regime)
    ]
    for loop in GAUSSIANS + FREQUENCIES + DIAGONALS
}


@pytest.mark.parametrize("loops", TABLE.values(), ids=TABLE)
def test_paths_agree_with_the_reference(loops):
    """Assert that both paths and the reference have the same moments, and that a few per cent would show."""
    counted = 0
    for loop in loops:
        samples = [referred(loop)]
        samples += [simulated(loop, method, SEED + k) for k, method in enumerate(methods_of(loop))]
        for one, two in combinations(samples, 2):
            found = assert_same(one, two)
            assert_power(found)
            counted += len(found)
    assert counted * len(TABLE) <= COMPARISONS


def test_full_covariance_agrees_with_the_reference():
    """Assert that the data path of the full Gaussian family has the reference's moments of mean and covariance."""
    loop = Loop(CORRELATED, estimator=Unbiased(), regime=Mixed(Rational(1, 4)), sampling=Tempered(2), samples=8)
    run = simulate(loop, generations=4, chains=CHAINS, seed=SEED)
    slow = reference(loop, None, 4, 2_000, np.random.default_rng(SEED))
    assert_same({name: run[name].to_numpy() for name in ("mu", "Sigma")}, slow)


@pytest.fixture
def planted(monkeypatch):
    """A monkeypatch under which every program is built anew, and forgotten afterwards."""
    engine.compiled.cache_clear()
    yield monkeypatch
    engine.compiled.cache_clear()


@frozen
class Slip(Estimator):
    """Divides by m - 1 where maximum likelihood divides by m."""

    def divisor(self, size: Expr) -> Expr:
        return size - 1


@frozen
class Heavy(Regime):
    """Weighs the past as if there were one more generation of it: new data have weight 1/(n + 1) instead of 1/n."""

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        return (Part("past", k * samples), Part("model", samples))


REPLACE = Loop(Gaussian(), samples=SAMPLES)
ACCUMULATE = evolve(REPLACE, regime=Accumulate())
BOTH = pytest.mark.parametrize("method", ["statistic", "data"])


@BOTH
def test_wrong_divisor_is_caught(method):
    """Assert that a simulator dividing by n - 1 for n disagrees with the reference."""
    with pytest.raises(AssertionError, match=r"V.* differ"):
        assert_same(simulated(evolve(REPLACE, estimator=Slip()), method), referred(REPLACE))


@BOTH
def test_variance_for_standard_deviation_is_caught(planted, method):
    """Assert that a law given V where sqrt(V) belongs disagrees with the reference."""

    def draw(key, size, model, how):
        return model["mu"] + distortions.factor(how) * model["V"] * kits.normal(key, (size,))

    kit = kits._KITS[Gaussian]
    planted.setattr(refits, "sqrt", lambda variance: variance)
    planted.setitem(kits._KITS, Gaussian, evolve(kit, draw=draw))
    with pytest.raises(AssertionError, match="differ"):
        assert_same(simulated(REPLACE, method), referred(REPLACE))


@BOTH
def test_reused_key_is_caught(planted, method):
    """Assert that one key for all generations disagrees with the reference."""
    planted.setattr(chains_module, "generation_key", lambda key, _: key)
    with pytest.raises(AssertionError, match="differ"):
        assert_same(simulated(REPLACE, method), referred(REPLACE))


def test_wrong_weight_of_the_past_is_caught():
    """Assert that the weight 1/(n + 1) for 1/n in accumulation disagrees with the reference, or is refused."""
    with pytest.raises(AssertionError, match="differ"):
        assert_same(simulated(evolve(ACCUMULATE, regime=Heavy()), "statistic"), referred(ACCUMULATE))
    with pytest.raises(ValueError, match="not all of them"):
        simulated(evolve(ACCUMULATE, regime=Heavy()), "data")


def test_reference_knows_only_words():
    """Assert that the reference refuses a regime and an estimator that it has no words for."""
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="Choose Replace"):
        reference(evolve(REPLACE, regime=Heavy()), GAUSSIAN, 1, 2, rng)
    with pytest.raises(ValueError, match="Choose MLE"):
        reference(evolve(REPLACE, estimator=Slip()), GAUSSIAN, 1, 2, rng)


def test_reference_has_the_first_moments_of_theory():
    """Assert that E V_1 = c V0 for every estimator: (M-1)/M, 1 and the factor given."""
    for loop, factor in zip(GAUSSIANS[:6:2], (1 - 1 / SAMPLES, 1.0, 0.9), strict=True):
        V = referred(loop)["V"][:, 1]
        assert abs(V.mean() - 4 * factor) < CRITICAL * V.std() / CHAINS**0.5
    assert Integer(SAMPLES) == REPLACE.samples


def test_reference_replaces_one_token_at_a_time():
    """Assert E p(1-p) of a pool in which every token gives way to a draw from it: p0 (1-p0) (1-1/M) (1-2/M^2)^(n-1).

    A copy of itself changes nothing, and two tokens that differ meet with the chance 2 p (1-p); the real share u pulls
    the mean towards p0 by u/M.
    """
    pool = Loop(Bernoulli(Rational(3, 10)), samples=SAMPLES, regime=Moran())
    run = reference(pool, None, 4, CHAINS, np.random.default_rng(SEED))["p"]
    spread = run[:, 4] * (1 - run[:, 4])
    expected = 0.21 * (1 - 1 / SAMPLES) * (1 - 2 / SAMPLES**2) ** 3
    assert abs(spread.mean() - expected) < CRITICAL * spread.std() / CHAINS**0.5
    assert set(np.unique(np.round(np.abs(np.diff(run[:, 1:], axis=1)) * SAMPLES, 9))) == {0.0, 1.0}
    drawn = reference(evolve(pool, regime=Moran(1)), None, 2, CHAINS, np.random.default_rng(SEED))["p"]
    assert abs(drawn[:, 2].mean() - 0.3) < CRITICAL * drawn[:, 2].std() / CHAINS**0.5
    assert abs(np.var(drawn[:, 2]) - 0.21 / SAMPLES) < CRITICAL * 0.21 / SAMPLES * (2 / CHAINS) ** 0.5
