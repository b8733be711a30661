"""Trained models: their fits against what they must be, their loop against the theory, and verdicts that are earned.

Levels are those of single tests, 1e-6 unless said, each with one fixed seed that was never searched for.
"""

from collections import Counter

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import chi2
from sympy import Rational, pi, sin

from numerics.figures.trained_models import draw
from numerics.kits.descent import adam, at_rest
from numerics.kits.points import Data
from numerics.samplers import chain_key, normal
from numerics.trained import (
    Autoencoder,
    Components,
    Counted,
    Factors,
    Learner,
    Network,
    Training,
    clusters,
    retrain,
    windows,
)
from numerics.trained.letters import ALPHABET
from numerics.trained.models import digits, low_rank
from numerics.trained.predictions import diversity_kept, transitions_kept, variance_kept
from numerics.trained.study import Asked, Trained, study
from theory import Accumulate, Gaussian, Loop, Mixed, NotClosed, Replace, Weighted, expect

LEVEL = 1e-6
KEY = chain_key(7, 0)
QUARTER = Mixed(Rational(1, 4))
REGIMES = [Replace(), Accumulate(), QUARTER]


class Line(Learner):
    """N(mean, V), whose fit has a share of the variance of its data."""

    def __init__(self, share=1.0):
        self.share = share

    def init(self, key):
        return jnp.zeros(()), jnp.ones(())

    def fit(self, key, data, start):
        mean = data.mean()
        return mean, self.share * (data.total(lambda x: x**2) / data.size - mean**2)

    def sample(self, key, params, size):
        return params[0] + jnp.sqrt(params[1]) * normal(key, (size,))

    def score(self, key, params, real):
        return {"V": params[1]}

    def read(self, data):
        mean = data.mean()
        return {"V": data.total(lambda x: x**2) / data.size - mean**2}


POINTS = np.sqrt(12 / (1 - 1 / 50**2)) * ((np.arange(50) + 0.5) / 50 - 0.5)
"""Evenly spread, of variance 1."""


def line(learner=None, best=None, runs=4000, samples=12, kept=variance_kept):
    theory = {"V": lambda regime, n: kept(regime, samples, n)}
    return Trained("line", learner or Line(), best or Line(), POINTS, samples, runs, theory)


@pytest.fixture(scope="module")
def exact():
    """A model whose fits lose nothing, in the three regimes."""
    return study([line()], REGIMES, generations=4, asked=Asked(LEVEL))


# The loop -------------------------------------------------------------------------------------------------------------


def test_fits_that_keep_moments_do_what_theory_says(exact):
    """Assert agreement in every regime, with the power to see a tenth, from generation 0 on."""
    assert [row.verdict for row in exact.rows] == ["agree"] * 3
    assert all(row.smallest < 0.1 and row.explained == "" for row in exact.rows)
    assert all(np.allclose(run.V[:, 0], 1) and np.allclose(run.V, run.data_V) for run in exact.runs)


def test_regimes_are_told_apart(exact):
    """Assert that the prediction of one regime is refused for another's runs."""
    for row, other in zip(exact.rows, REGIMES[1:] + REGIMES[:1], strict=True):
        wrong = type(row)("line", row.regime, "V", variance_kept(other, 12, 4)[1:], row.values, row.added, row.sources, row.asked)
        assert wrong.verdict == "disagree"
        assert wrong.explained == "statistical"


def test_a_run_depends_on_its_number_alone(exact):
    """Assert that fewer runs are the first of many, and that another seed's are others."""
    how = {"samples": 12, "generations": 4}
    few = retrain(Line(), POINTS, runs=5, **how)
    assert np.allclose(few.V, exact.runs[0].V[:5], rtol=1e-9)
    assert not np.allclose(retrain(Line(), POINTS, runs=5, seed=1, **how).V[:, 1:], few.V[:, 1:])


def test_a_warm_fit_starts_from_the_last_model():
    """Assert it by a learner that adds 1 to where it starts: warm it counts its fits, cold it does not."""

    class Counting(Line):
        def fit(self, key, data, start):
            return start[0] + 1, start[1]

        def score(self, key, params, real):
            return {"V": params[0]}

    counting, warm = Counting(), Counting()
    warm.warm = True
    how = {"samples": 4, "generations": 3, "runs": 1}
    assert retrain(warm, POINTS, **how).V[0, 1:].to_numpy().tolist() == [1, 2, 3]
    assert retrain(counting, POINTS, **how).V[0, 1:].to_numpy().tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("data", "regime", "asked", "error", "problem"),
    [
        (POINTS, Weighted(Rational(1, 2)), {}, NotClosed, "weighs points"),
        (POINTS, Replace(), {"generations": 0}, ValueError, "generations = 0"),
        ([1.0, np.nan], Replace(), {}, ValueError, "no finite rows"),
    ],
)
def test_what_cannot_be_retrained_is_refused(data, regime, asked, error, problem):
    """Assert that a sentence names it."""
    with pytest.raises(error, match=problem):
        retrain(Line(), data, regime, **({"samples": 8, "generations": 1, "runs": 1} | asked))


# Predictions and verdicts ---------------------------------------------------------------------------------------------


def test_predictions_are_the_known_laws():
    """Assert the product of replacing, the limit of accumulating, and that sizes need not divide by the share."""
    assert np.allclose(variance_kept(Replace(), 20, 5), (1 - 1 / 20) ** np.arange(6))
    assert np.allclose(diversity_kept(Accumulate(), np.array([9.0]), 4000)[-1], float(sin(pi / 3) / (pi / 3)), rtol=1e-4)
    exact = expect(Loop(Gaussian(0, 1), regime=QUARTER, samples=20), Gaussian.V).values(5)
    assert np.allclose(variance_kept(QUARTER, 20, 5), [float(x) for x in exact])
    assert np.allclose(diversity_kept(Replace(), np.array([2.5, 0.1]), 2)[2], [0.36, 0])


def test_one_context_is_a_categorical_loop():
    """Assert sum_y p^2 = 1 - (1 - 1/M)^n (1 - F0) for a text of one context, and less kept by two of half the size."""
    q = np.array([0.5, 0.3, 0.2])
    one = np.stack([q, 0 * q])
    assert np.allclose(transitions_kept(one, Replace(), 30, 4), (1 - q @ q) * (1 - 1 / 30) ** np.arange(5))
    two = np.stack([q, q]) / 2
    assert np.allclose(transitions_kept(two, Replace(), 30, 4), (1 - q @ q) * (1 - 1 / 15) ** np.arange(5))


@pytest.mark.parametrize(("learner", "best", "source"), [(0.8, 1.0, "approximation"), (0.8, 0.82, "expressivity")])
def test_a_gap_is_explained_by_its_source(learner, best, source):
    """Assert it for a fit that loses a fifth of its data's variance, which the best fit does not or does."""
    found = study([line(Line(learner), Line(best), runs=400)], [Replace()], generations=2, asked=Asked(LEVEL)).rows[0]
    assert (found.verdict, found.explained) == ("disagree", source)
    assert np.isclose(sum(x.mean for x in found.sources.values()), found.values[:, 0].mean() - 1)
    assert source in str(found.texts())


def test_few_runs_are_underpowered():
    """Assert that three runs do not agree with anything, and that one is refused."""
    found = study([line(runs=3)], [Replace()], generations=1, asked=Asked(LEVEL))
    assert found.rows[0].verdict == "underpowered"
    assert "underpowered" in str(found)
    with pytest.raises(ValueError, match="runs = 1"):
        line(runs=1)


def test_a_study_is_drawn(exact):
    """Assert a panel with a line for every regime."""
    figure = draw(exact)
    assert len(figure.axes) == 1
    assert figure.axes[0].get_legend_handles_labels()[1] == [str(regime) for regime in REGIMES]
    assert exact.row("line", Replace(), "V") is exact.rows[0]
    plt.close(figure)


# The fits -------------------------------------------------------------------------------------------------------------

ROWS = low_rank(600, 6, 2)
DATA = Data(jnp.asarray(ROWS), jnp.asarray(500.0))


def test_adam_takes_its_first_step_by_the_sign_alone():
    """Assert x' = x - rate sign g up to rounding, in any tree and for every size of g."""
    x = {"a": jnp.array([1.0, -2.0]), "b": jnp.array(3.0)}
    (moved, *_) = adam(0, 0.1, at_rest(x), {"a": jnp.array([1e3, -1e-2]), "b": jnp.array(5.0)})
    assert np.allclose(moved["a"], [0.9, -1.9], atol=1e-6)
    assert np.allclose(moved["b"], 2.9)


def test_factors_are_the_maximum_of_the_likelihood():
    """Assert that the loss has no slope there, and that the trace is the data's, rows beyond the size left out."""
    with jax.enable_x64(True):
        learner = Factors(6, 2)
        fitted = learner.fit(KEY, DATA, None)
        slopes = jax.grad(lambda x: learner.score(KEY, x, DATA.points[:500])["loss"])(fitted)
        assert all(np.abs(slope).max() < 1e-9 for slope in jax.tree.leaves(slopes))
        assert np.isclose(learner.score(KEY, fitted, ROWS)["V"], ROWS[:500].var(0).sum())


def test_a_linear_autoencoder_learns_the_factors():
    """Assert the same loss on the rows within a hundredth of a nat a number, never below it, and the same trace."""
    exact, learner = Factors(6, 2), Autoencoder(6, 2, training=Training(1500))
    with jax.enable_x64(True):
        least = exact.score(KEY, exact.fit(KEY, DATA, None), DATA.points[:500])
        fitted = learner.refit(KEY, DATA, None, True)
        many = learner.score(KEY, fitted, jnp.tile(DATA.points[:500], (200, 1)))
    assert -0.005 < many["loss"] - least["loss"] < 0.06
    assert abs(many["V"] / least["V"] - 1) < 0.05


def test_an_autoencoder_scores_what_it_samples():
    """Assert for one with a hidden layer that the variance of 50,000 rows is the recorded V within 4 %."""
    learner = Autoencoder(6, 2, hidden=5)
    params = learner.init(KEY)
    with jax.enable_x64(True):
        recorded = float(learner.score(KEY, params, ROWS)["V"])
        assert abs(np.asarray(learner.sample(KEY, params, 50_000)).var(0).sum() / recorded - 1) < 0.04
        shown = Autoencoder(6, 2, hidden=5, noisy=False)
        assert np.isclose(recorded - shown.score(KEY, params, ROWS)["V"], 6 * np.exp(-2), rtol=1e-5)


TEXT = "the cat sat on the mat and the dog sat on the log " * 4


def test_counted_letters_are_shares_of_pairs():
    """Assert transitions against counting by hand, and that the source's own has its entropy as loss."""
    rows = windows(TEXT, 10)
    learner = Counted.of(rows)
    table = np.asarray(learner.fit(KEY, Data(jnp.asarray(rows), jnp.asarray(float(len(rows)))), None))
    by_hand = Counter((a, b) for row in rows.tolist() for a, b in zip([len(ALPHABET), *row], row, strict=False))
    totals = Counter()
    for (a, _), count in by_hand.items():
        totals[a] += count
    assert all(np.isclose(table[a, b], count / totals[a]) for (a, b), count in by_hand.items())
    scores = learner.score(KEY, jnp.asarray(table), None)
    assert np.isclose(scores["loss"], scores["entropy"], rtol=1e-5)
    assert np.isclose(learner.joint.sum(), 1)


def test_letters_are_sampled_by_their_table():
    """Assert at level 1e-6 that the transitions of 3,000 windows have the law of the table."""
    rows = windows(TEXT, 10)
    learner = Counted.of(rows)
    table = learner.fit(KEY, Data(jnp.asarray(rows), jnp.asarray(float(len(rows)))), None)
    with jax.enable_x64(True):
        text = learner.sample(KEY, table, 3000)
        counts = np.asarray(learner.counts(Data(text, jnp.asarray(3000.0))))
    expected = counts.sum(1, keepdims=True) * np.asarray(table, dtype=float)
    assert counts[expected == 0].sum() == 0
    rare = (expected > 0) & (expected < 5)
    cells = [(counts[~rare & (expected > 0)], expected[~rare & (expected > 0)]), (counts[rare].sum(), expected[rare].sum())]
    statistic = sum(np.sum((n - e) ** 2 / max(np.max(e), 1e-9) if np.ndim(e) == 0 else (n - e) ** 2 / e) for n, e in cells)
    assert chi2.sf(statistic, int((~rare & (expected > 0)).sum()) - int((counts.sum(1) > 0).sum()) + 1) > LEVEL


def test_a_network_learns_transitions():
    """Assert that its loss on the source comes within 0.05 nats of the entropy, which is the least, and no lower."""
    rows = windows(TEXT, 10)
    learner = Network.of(rows, training=Training(600, 0.02, batch=len(rows)))
    with jax.enable_x64(True):
        fitted = learner.refit(KEY, Data(jnp.asarray(rows), jnp.asarray(float(len(rows)))), None, True)
        loss = float(learner.score(KEY, fitted, rows)["loss"])
        assert np.allclose(learner.table(fitted).sum(1), 1, atol=1e-5)
    entropy = float(Counted.of(rows).read(Data(jnp.asarray(rows), jnp.asarray(float(len(rows)))))["entropy"])
    assert entropy - 1e-4 < loss < entropy + 0.05


def test_a_mixture_has_the_moments_of_its_points():
    """Assert trace and balance of a fit to two clusters, and that it is drawn as it is scored."""
    rows = clusters(800, 6)
    learner, data = Components(2), Data(jnp.asarray(rows), jnp.asarray(800.0))
    with jax.enable_x64(True):
        fitted = learner.fit(KEY, data, learner.init(KEY))
        scores, drawn = learner.score(KEY, fitted, rows), learner.sample(KEY, fitted, 20_000)
        seen = learner.read(Data(drawn, jnp.asarray(20_000.0)))
    assert np.isclose(scores["V"], rows.var(0).sum())
    assert abs(scores["balance"] - 0.25) < 0.01
    assert abs(seen["V"] / scores["V"] - 1) < 0.05
    assert abs(seen["balance"] - scores["balance"]) < 0.01


def test_digits_are_pictures():
    """Assert shape and scale of the digits, where scikit-learn is installed."""
    pytest.importorskip("sklearn", reason="scikit-learn, which holds the digits, is not installed")
    rows = digits()
    assert rows.shape == (1797, 64)
    assert np.allclose(rows.mean(0), 0)
    assert np.ptp(rows) <= 2


def test_without_scikit_learn_digits_are_refused(monkeypatch):
    """Assert that one sentence says what is missing."""
    monkeypatch.setattr("numerics.trained.models.find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match="Install it, or give rows"):
        digits()


def test_windows_are_letters():
    """Assert that nothing but a-z and single spaces is left, and that a text shorter than a window is refused."""
    assert "".join(ALPHABET[x] for x in windows("It's 9 Cats!", 4).ravel()) == "it s cat"
    with pytest.raises(ValueError, match="width = 9"):
        windows("abc", 9)
