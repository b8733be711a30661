"""The data path where it alone can run: correlated sources, many types, tempered counts, singular covariances."""

import numpy as np
import pytest
from attrs import evolve
from scipy.stats import norm
from sympy import Rational

from numerics.simulate import simulate
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Gaussian,
    Loop,
    Mixed,
    MultivariateGaussian,
    Replace,
    Tempered,
    Unbiased,
)

CRITICAL = norm.isf(1e-7)
"""One-sided z of a false alarm of 1e-7 in each comparison of this file."""
ZIPF = 1 / np.arange(1, 201) ** 1.3
ZIPF /= ZIPF.sum()
OBSERVED = {"collision": Categorical.collision, "vocabulary": Categorical.vocabulary}
UNIT = {"mu": 0, "V": 1}


def within(values, wanted):
    """Whether a mean over chains (axis 0) is what is wanted, up to its standard error."""
    values = np.asarray(values)
    error = values.std(0, ddof=1) / len(values) ** 0.5
    return np.all(abs(values.mean(0) - wanted) <= CRITICAL * error + 1e-12)


def test_correlated_source_is_seen_in_the_first_fit_and_then_lost():
    """Assert corr(V_1[0], V_1[1]) = rho^2 after one fit, and that later steps of the means are uncorrelated."""
    source = MultivariateGaussian([0, 0], [[1, Rational(4, 5)], [Rational(4, 5), 1]])
    loop = Loop(DiagonalGaussian(), source=source, samples=20, estimator=Unbiased())
    run = simulate(loop, generations=3, chains=20_000)
    assert run.attrs["method"] == "data"
    assert "correlated source" in run.attrs["reason"]
    V, mu = run.V.to_numpy() - 1, run.mu.to_numpy()
    assert within(V[:, 1, 0] * V[:, 1, 1], 0.64 * 2 / 19)
    assert within(mu[:, 1, 0] * mu[:, 1, 1], 0.8 / 20)
    steps = np.diff(mu, axis=1)
    assert within(steps[:, 1:, 0] * steps[:, 1:, 1], 0)


@pytest.mark.parametrize("regime", [Replace(), Mixed(Rational(1, 4))], ids=str)
def test_many_types_drift_as_wright_fisher(regime):
    """Assert E p_n = p0, and in replace 1 - E collision_n = (1 - 1/M)^n (1 - collision_0), for 200 types."""
    loop = Loop(Categorical(), samples=20, regime=regime)
    run = simulate(loop, {"p": ZIPF}, generations=5, chains=20_000, observe=OBSERVED, method="data")
    np.testing.assert_allclose(run.p.sum("type"), 1)
    common = np.flatnonzero(ZIPF > 0.01)
    assert within(run.p.to_numpy()[:, :, common], ZIPF[common])
    if regime == Replace():
        left = (1 - 1 / 20) ** np.arange(6) * (1 - (ZIPF**2).sum())
        assert within(1 - run.collision.to_numpy(), left)
        assert (run.vocabulary.diff("generation") <= 0).all()


def test_accumulated_types_never_vanish():
    """Assert that accumulation keeps every type that it ever saw, and weighs the k-th sample by 1/k."""
    run = simulate(Loop(Categorical(), samples=10, regime=Accumulate()), {"p": ZIPF}, generations=4, chains=500)
    present = run.p.to_numpy()[:, 1:] > 0
    assert (present[:, 1:] >= present[:, :-1]).all()
    whole = run.p.to_numpy()[:, 1:] * 10 * np.arange(1, 5)[:, None]
    np.testing.assert_allclose(whole, np.round(whole), atol=1e-9)


def test_types_of_probability_zero_are_never_drawn():
    """Assert that a type without mass stays without, under faithful and tempered sampling."""
    law = np.array([0.0, 0.5, 0.0, 0.5, 0.0])
    for sampling in (Tempered(3), Tempered(Rational(1, 3))):
        loop = Loop(Categorical(), samples=10, sampling=sampling)
        run = simulate(loop, {"p": law}, generations=3, chains=2_000)
        assert (run.p.to_numpy()[:, :, law == 0] == 0).all()


def test_tempering_sharpens_and_flattens():
    """Assert E p_1 = p0^(1/tau) normalised, for a temperature below and above 1."""
    for tau in (Rational(1, 2), Rational(2)):
        powers = np.array([0.5, 0.3, 0.2]) ** (1 / float(tau))
        loop = Loop(Categorical(), samples=10, sampling=Tempered(tau))
        run = simulate(loop, {"p": [0.5, 0.3, 0.2]}, generations=1, chains=20_000)
        assert within(run.p.to_numpy()[:, 1], powers / powers.sum())


def test_mixture_of_nothing_real_is_replacement():
    """Assert that alpha = 0 has the bits of replacement, and that alpha = 1 forgets the last model."""
    replace = Loop(Gaussian(), samples=12)
    runs = [
        simulate(evolve(replace, regime=regime), UNIT, generations=3, chains=4_000, method="data")
        for regime in (Replace(), Mixed(0), Mixed(1))
    ]
    assert runs[0].equals(runs[1])
    V = runs[2].V.to_numpy()[:, 1:] - 11 / 12
    assert within(V[:, 1:] * V[:, :-1], 0)
    assert within(V, 0)


def test_singular_covariance_keeps_its_rank():
    """Assert that 3 points in 4 dimensions are fitted and drawn from, with a covariance of rank 2 ever after."""
    loop = Loop(MultivariateGaussian([0] * 4, np.eye(4, dtype=int).tolist()), samples=3, estimator=MLE())
    run = simulate(loop, generations=3, chains=50)
    values = np.linalg.eigvalsh(run.Sigma.to_numpy()[:, 1:])
    assert np.isfinite(values).all()
    assert (values[..., :2] < 1e-12 * values[..., 3:]).all()
    assert (values[..., 2] > 1e-12 * values[..., 3]).mean() > 0.9


def test_one_point_a_generation_fixes_at_once():
    """Assert that M = 1 sends p to 0 or 1 at the first fit, for ever, and to 1 with probability p0."""
    run = simulate(Loop(Bernoulli(Rational(3, 10)), samples=1), generations=3, chains=20_000, method="data")
    fitted = run.p.to_numpy()[:, 1:]
    assert set(np.unique(fitted)) == {0.0, 1.0}
    assert (fitted == fitted[:, :1]).all()
    assert within(fitted, 0.3)
