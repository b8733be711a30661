"""Every regime, sampling and estimator on the data path, against the NumPy reference and against theory.

One table of loops, in which every value of every axis occurs; what is asserted is asserted of all of them. Two samples
of chains are compared by the means of each parameter, of its square, and of log V, by two-sample z; one false-alarm
level covers the fixed number of comparisons of this file, and each mean must be able to show a stated error.
"""

from functools import cache
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from attrs import evolve
from scipy import stats
from scipy.stats import norm
from sympy import Rational

from numerics import agree, engine, simulate
from numerics.kits import choice as kits
from numerics.kits import drawing
from numerics.kits.distortions import Distortion, weights
from numerics.reference.simulator import reference
from numerics.samplers.cipher import chain_key
from theory import (
    Accumulate,
    Bernoulli,
    Binomial,
    Categorical,
    Damped,
    DiagonalGaussian,
    Exponential,
    Floor,
    Gaussian,
    GradientDescent,
    GradientSteps,
    HyperbolicSecant,
    LinearRegression,
    Loop,
    MinP,
    Mixed,
    MultivariateGaussian,
    NegativeBinomial,
    NotClosed,
    Pareto,
    Poisson,
    PosteriorDraw,
    PosteriorPredictive,
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
ONE_DESIGN = evolve(ROWS, design="same")


def loop(family, estimator=None, regime=None, sampling=None, **more):
    axes = {"estimator": estimator, "regime": regime, "sampling": sampling}
    return Loop(family, samples=12, **{name: axis for name, axis in axes.items() if axis is not None}, **more)


LOOPS = {
    "shrunken, kept": loop(NORMAL, Shrinkage(FOURTH, Damped(THIRD, Unbiased())), KEPT, VarianceFactor(HALF)),
    "predicted, tossed": loop(NORMAL, PosteriorPredictive(), TOSSED, Tempered(HALF)),
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
    "drawn waits, scheduled": loop(Exponential(2), PosteriorDraw(), Schedule(8 + 8 * n)),
    "damped waits, kept": loop(Exponential(2), Damped(HALF), KEPT, Tempered(Rational(3, 2))),
    "damped maximum, weighted": loop(Uniform(2), Damped(HALF), Weighted(THIRD)),
    "shrunken tail, weighted": loop(Pareto(3), Shrinkage(FOURTH), Weighted(THIRD)),
    "ridge, kept rows": loop(ROWS, Ridge(2), KEPT, Tempered(2)),
    "descent, one design": loop(ONE_DESIGN, GradientDescent(3, Rational(1, 50), warm=True), Accumulate()),
    "damped, weighted rows": loop(ROWS, Damped(HALF), Weighted(THIRD)),
}


def seed_of(loop):
    return crc32(str(loop).encode())


@cache
def run_of(loop):
    return simulate(loop, generations=3, chains=CHAINS, seed=seed_of(loop), method="data")


def simulated(loop):
    """Return the parameters of simulated chains by name."""
    return {name: values.to_numpy() for name, values in run_of(loop).items()}


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
        for transform in [np.asarray, np.square] + [np.log] * (name == "V"):
            for k in GENERATIONS:
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
    assert 4 <= assert_same(simulated(LOOPS[name]), referred(LOOPS[name])) <= COMPARISONS // len(LOOPS)


OBSERVABLES = {
    Gaussian: [Gaussian.V, Gaussian.mu**2],
    DiagonalGaussian: [DiagonalGaussian.V[1]],
    MultivariateGaussian: [MultivariateGaussian.Sigma[0, 1]],
    Bernoulli: [Bernoulli.p],
    Categorical: [Categorical.p[0] ** 2],
    Exponential: [Exponential.mean**2],
    Uniform: [Uniform.theta],
    Pareto: [Pareto.alpha],
    LinearRegression: [LinearRegression.squares],
}


def predictions():
    """Yield (name, prediction) for what derives."""
    for name, declared in LOOPS.items():
        for of in OBSERVABLES[type(declared.family)]:
            try:
                yield name, expect(declared, of)
            except NotClosed:
                continue


def test_data_path_has_the_means_of_theory():
    """Assert that what derives has the means of the run, and that a good part of the table derives."""
    found = list(predictions())
    for name, prediction in found:
        verdict = agree(prediction, run_of(LOOPS[name]), level=1e-8, smallest=0.25)
        assert verdict.verdict == "agree", (name, str(verdict))
    assert len({name for name, _ in found}) >= 7


CHUNKED = dict.fromkeys(("floored, scheduled", "nucleus of a pool", "ridge, kept rows"), 2)
# How many generations follow changes the compiled loop, of one round or with room for a pool, and with it last bits.
CHUNKED |= dict.fromkeys(("truncated, subsampled", "stepped matrix, weighted", "predicted, tossed"), 3)


@pytest.mark.parametrize("name", CHUNKED)
def test_same_bits_for_any_chunk(name):
    """Assert that neither what runs beside a chain nor what follows changes it, wherever its points come from."""
    generations, seed = CHUNKED[name], seed_of(LOOPS[name])
    few = simulate(LOOPS[name], generations=generations, chains=300, seed=seed, method="data", chunk=1)
    assert run_of(LOOPS[name]).isel(chain=slice(300), generation=slice(generations + 1)).equals(few)


# Planted errors ------------------------------------------------------------------------------------------------------


def test_a_kept_set_drawn_anew_is_seen():
    """Assert that fresh real points in place of a kept set disagree with the reference."""
    kept = loop(NORMAL, None, Mixed(HALF, fresh=False))
    with pytest.raises(AssertionError, match="z ="):
        assert_same(simulated(evolve(kept, regime=Mixed(HALF))), referred(kept))


def test_a_share_off_by_one_point_is_seen():
    """Assert that points real with probability 1/4 + 1/12 disagree with those of 1/4."""
    tossed = loop(NORMAL, None, TOSSED, Truncated(1))
    assert_same(simulated(tossed), referred(tossed))
    with pytest.raises(AssertionError, match="z ="):
        assert_same(simulated(evolve(tossed, regime=Mixed(THIRD, count="bernoulli"))), referred(tossed))


@pytest.fixture
def planted(monkeypatch):
    """A monkeypatch under which every program is built anew, and forgotten afterwards."""
    for cached in (engine.compiled, run_of):
        cached.cache_clear()
    yield monkeypatch
    for cached in (engine.compiled, run_of):
        cached.cache_clear()


def test_a_subsample_with_replacement_is_seen(planted):
    """Assert that points drawn from the pool with replacement disagree with the reference."""

    def repeated(key, data, room):
        return data.points[(drawing.uniform(key, (room,)) * data.size).astype(int)]

    planted.setattr(drawing, "_subset", repeated)
    name = "truncated, subsampled"
    with pytest.raises(AssertionError, match="z ="):
        assert_same(simulated(LOOPS[name]), referred(LOOPS[name]))


# One draw ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "fitted", "law"),
    [
        (Binomial(3), 0.25, stats.beta(12 * 0.75 + 0.5, 12 * 2.25 + 0.5)),
        (NegativeBinomial(2), 1.5, stats.betaprime(18.5, 24, scale=2)),
    ],
    ids=["Binomial", "NegativeBinomial"],
)
def test_posteriors_have_their_law(family, fitted, law):
    """Assert that draws after 12 points follow SciPy's law, and that the law of a fit off by a tenth is rejected."""
    name = str(family.parameter)
    posterior = kits.kit(Loop(family, samples=12), ()).posterior
    assert posterior is not None
    with jax.enable_x64(True):
        keys, shares = jax.vmap(lambda c: chain_key(0, c))(jnp.arange(20_000)), jnp.tile(jnp.array([1.0, 1.1]), 10_000)
        drawn = jax.jit(jax.vmap(lambda key, share: posterior(key, {name: share * fitted}, 12.0)[name]))
        x, off = np.asarray(drawn(keys, shares)).reshape(-1, 2).T
    assert stats.kstest(x, law.cdf).pvalue > FALSE_ALARM / COMPARISONS
    assert stats.kstest(off, law.cdf).pvalue < FALSE_ALARM / COMPARISONS


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        (Distortion(TopK, 2.0), [1, 1, 0, 0]),
        (Distortion(TopP, 0.5), [1, 1, 0, 0]),
        (Distortion(TopP, 0.4), [1, 0, 0, 0]),
        (Distortion(TopP, 1.0), [1, 1, 1, 1]),
        (Distortion(MinP, 0.5), [1, 1, 1, 1]),
        (Distortion(MinP, 0.6), [1, 0, 0, 0]),
    ],
    ids=str,
)
def test_which_types_are_kept(how, kept):
    """Assert which of the probabilities 0.4, 0.2, 0.2, 0.2 are drawn from: of equal ones those named first."""
    with jax.enable_x64(True):
        chances = jnp.array([0.4, 0.2, 0.2, 0.2])
        np.testing.assert_array_equal(weights(chances, how), chances * jnp.array(kept))


REFUSED = {
    "sampling: TopK": loop(NORMAL, sampling=TopK(2)),
    "sampling: Truncated": loop(TYPES, sampling=Truncated(1)),
    "sampling: VarianceFactor": loop(Exponential(2), sampling=VarianceFactor(2)),
    "sampling: Tempered": loop(Poisson(2), sampling=Tempered(2)),
    "correlated source": loop(DiagonalGaussian(), sampling=Truncated(1), source=PLANE),
    "no one standard deviation": loop(NORMAL, PosteriorPredictive(), sampling=Truncated(1)),
    "more points than its temperature": loop(NORMAL, PosteriorPredictive(), sampling=Tempered(12)),
    "estimator: .* logarithm of a variance": loop(PLANE, GradientSteps(1, HALF, on="log V")),
    "estimator: .* steps on a variance": loop(Poisson(2), GradientSteps(1, HALF, on="log V")),
    "estimator: PosteriorDraw.* worth": loop(NORMAL, PosteriorDraw(), Weighted(HALF)),
    "estimator: Ridge.* worth": loop(ROWS, Ridge(1), Weighted(HALF)),
    "estimator: .* follows a likelihood": loop(NORMAL, GradientSteps(1, HALF), Weighted(HALF, between=False)),
    "estimator: a Poisson law has no posterior predictive": loop(Poisson(2), PosteriorPredictive()),
    "estimator: .* no derivative": loop(Uniform(2), GradientSteps(1, HALF)),
    "estimator: the HyperbolicSecant family has no a posterior": loop(HyperbolicSecant(2, 1), PosteriorDraw()),
    "samples: Unbiased.* in 1 points": loop(NORMAL, Unbiased(), Weighted(HALF, Rational(1, 12))),
    "samples: 2 points have no posterior": evolve(loop(PLANE, PosteriorDraw()), samples=2),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_is_not_drawn_is_refused_by_axis(sentence):
    """Assert that a loop without a meaning on the data path is refused by one sentence that names the axis."""
    with pytest.raises(ValueError, match=sentence):
        simulate(REFUSED[sentence], generations=1, chains=1, method="data")
