"""Models in the loop that retrains them: the regimes' data, the theory's predictions, and verdicts that are earned.

Levels are those of single tests, 1e-6 unless said, each with one fixed seed that was never searched for.
"""

from typing import Any

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from attrs import evolve
from sympy import Rational

from numerics.figures.trained_models import draw
from numerics.samplers import normal
from numerics.trained import Learner, retrain
from numerics.trained.predictions import diversity_kept, transitions_kept, variance_kept
from numerics.trained.study import Asked, Study, Trained, study
from theory import Accumulate, Gaussian, Loop, Mixed, NotClosed, Replace, Weighted, expect

LEVEL = 1e-6
QUARTER = Mixed(Rational(1, 4))
REGIMES = [Replace(), Accumulate(), QUARTER]


class Line(Learner):
    """N(mean, V), whose fit has a share of the variance of its data."""

    def __init__(self, share=1.0):
        self.share = share

    def init(self, key):
        del key
        return jnp.zeros(()), jnp.ones(())

    def fit(self, key, data, start):
        del key, start
        mean = data.mean()
        return mean, self.share * (data.total(lambda x: x**2) / data.size - mean**2)

    def sample(self, key, params, size):
        return params[0] + jnp.sqrt(params[1]) * normal(key, (size,))

    def score(self, key, params, real):
        del key, real
        return {"V": params[1]}

    def read(self, data):
        mean = data.mean()
        return {"V": data.total(lambda x: x**2) / data.size - mean**2}


EXACT = Line()
POINTS = np.sqrt(12 / (1 - 1 / 50**2)) * ((np.arange(50) + 0.5) / 50 - 0.5)
"""Evenly spread, of variance 1."""


def line(learner=None, best=None, runs=4000, samples=12, kept=variance_kept):
    theory = {"V": lambda regime, n: kept(regime, samples, n)}
    return Trained("line", learner or EXACT, best or EXACT, POINTS, samples, runs, theory)


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
        wrong = evolve(row, theory=variance_kept(other, 12, 4)[1:])
        assert wrong.verdict == "disagree"
        assert wrong.explained == "statistical"


def test_a_run_depends_on_its_number_alone(exact):
    """Assert that fewer runs are the first of many, and that another seed's are others."""
    how: Any = {"samples": 12, "generations": 4}
    few = retrain(EXACT, POINTS, runs=5, **how)
    assert np.allclose(few.V, exact.runs[0].V[:5], rtol=1e-9)
    assert not np.allclose(retrain(EXACT, POINTS, runs=5, seed=1, **how).V[:, 1:], few.V[:, 1:])


def test_a_warm_fit_starts_from_the_last_model():
    """Assert it by a learner that adds 1 to where it starts: warm it counts its fits, cold it does not."""

    class Counting(Line):
        def fit(self, key, data, start):
            del key, data
            return start[0] + 1, start[1]

        def score(self, key, params, real):
            del key, real
            return {"V": params[0]}

    warm = Counting()
    warm.warm = True
    for learner, fits in ((warm, [1, 2, 3]), (Counting(), [1, 1, 1])):
        assert retrain(learner, POINTS, samples=4, generations=3, runs=1).V[0, 1:].to_numpy().tolist() == fits


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
        retrain(EXACT, data, regime, **({"samples": 8, "generations": 1, "runs": 1} | asked))


# Predictions and verdicts ---------------------------------------------------------------------------------------------


def test_predictions_are_the_known_laws():
    """Assert the products of replacing and of accumulating, and that sizes need not divide by the share."""
    assert np.allclose(variance_kept(Replace(), 20, 5), (1 - 1 / 20) ** np.arange(6))
    pooled = np.cumprod(1 - 1 / (9 * np.arange(1.0, 13) ** 2))
    assert np.allclose(diversity_kept(Accumulate(), np.array([9.0]), 12)[1:, 0], pooled)
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


def test_a_gap_is_explained_by_its_source():
    """Assert it for a fit that loses a fifth of its data's variance, which the best fit does or does not."""
    losing = Line(0.8)
    for share, source in ((1.0, "approximation"), (0.82, "expressivity")):
        model = line(losing, Line(share), runs=400)
        found = study([model], [Replace()], generations=2, asked=Asked(LEVEL)).rows[0]
        assert (found.verdict, found.explained) == ("disagree", source)
        assert np.isclose(sum(x.mean for x in found.sources.values()), found.values[:, 0].mean() - 1)


def test_few_runs_are_underpowered(exact):
    """Assert that three runs agree with nothing, and that one is refused."""
    row = exact.rows[0]
    few = evolve(row, values=row.values[:3], added=row.added[:3])
    assert few.verdict == "underpowered"
    assert "underpowered" in str(Study([few], []))
    with pytest.raises(ValueError, match="runs = 1"):
        line(runs=1)


def test_a_study_is_drawn(exact):
    """Assert a panel with a line for every regime."""
    figure = draw(exact)
    assert len(figure.axes) == 1
    assert figure.axes[0].get_legend_handles_labels()[1] == [str(regime) for regime in REGIMES]
    assert exact.row("line", Replace(), "V") is exact.rows[0]
    plt.close(figure)
