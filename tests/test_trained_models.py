"""The models that are trained: fits against what they must be, and samples against what is scored.

Levels are those of single tests, 1e-6, each with one fixed seed that was never searched for.
"""

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from attrs import evolve
from scipy.stats import chi2

from numerics.kits.descent import adam, at_rest
from numerics.kits.points import Data
from numerics.samplers import chain_key
from numerics.trained import Autoencoder, Components, Counted, Factors, Network, Training, clusters, windows
from numerics.trained.letters import ALPHABET
from numerics.trained.models import bigram, digits, low_rank
from numerics.trained.study import study
from theory import Replace

LEVEL = 1e-6
KEY = chain_key(7, 0)


@pytest.fixture(autouse=True)
def doubles():
    """Numbers in double precision, as in a loop."""
    with jax.enable_x64(True):
        yield


def data(rows, size=None):
    return Data(jnp.asarray(rows), jnp.asarray(float(size or len(rows))))


ROWS = low_rank(600, 6, 2)


def test_adam_takes_its_first_step_by_the_sign_alone():
    """Assert x' = x - rate sign g up to rounding, in any tree and for every size of g."""
    x = {"a": jnp.array([1.0, -2.0]), "b": jnp.array(3.0)}
    (moved, *_) = adam(0, 0.1, at_rest(x), {"a": jnp.array([1e3, -1e-2]), "b": jnp.array(5.0)})
    assert np.allclose(moved["a"], [0.9, -1.9], atol=1e-6)
    assert np.allclose(moved["b"], 2.9)


def test_factors_are_the_maximum_of_the_likelihood():
    """Assert that the loss has no slope there, and that the trace is the data's, rows beyond the size left out."""
    learner = Factors(6, 2)

    @jax.jit
    def looked_at(rows):
        fitted = learner.fit(KEY, data(rows, 500), None)
        return jax.value_and_grad(lambda x: learner.score(KEY, x, rows[:500])["loss"])(fitted), fitted

    (_, slopes), fitted = looked_at(ROWS)
    assert all(np.abs(slope).max() < 1e-9 for slope in jax.tree.leaves(slopes))
    assert np.isclose((fitted["W"] ** 2).sum() + 6 * fitted["noise"], ROWS[:500].var(0).sum())


def test_a_linear_autoencoder_learns_the_factors():
    """Assert the factors' loss on the rows within a hundredth of a nat a number, never below it, and their trace."""
    exact, learner = Factors(6, 2), Autoencoder(6, 2, training=Training(1500))

    @jax.jit
    def compared(rows):
        many = jnp.tile(rows, (200, 1))
        best, fitted = exact.fit(KEY, data(rows), None), learner.refit(KEY, data(rows), None, True)
        return exact.score(KEY, best, rows), learner.score(KEY, fitted, many)

    least, found = compared(ROWS)
    assert -0.005 < found["loss"] - least["loss"] < 0.06
    assert abs(found["V"] / least["V"] - 1) < 0.05


def test_an_autoencoder_scores_what_it_samples():
    """Assert for one with a hidden layer that the variance of 50,000 rows is the recorded V within 4 %.

    Its noise has the variance exp(-2), and without noise just that is missing.
    """
    learner, shown = Autoencoder(6, 2, hidden=5), Autoencoder(6, 2, hidden=5, noisy=False)

    @jax.jit
    def looked_at(rows):
        params = learner.init(KEY)
        return [one.score(KEY, params, rows)["V"] for one in (learner, shown)], learner.sample(KEY, params, 50_000)

    (recorded, without), drawn = looked_at(ROWS)
    assert abs(np.asarray(drawn, dtype=float).var(0).sum() / recorded - 1) < 0.04
    assert np.isclose(recorded - without, 6 * np.exp(-2), rtol=1e-5)


TEXT = "the cat sat on the mat and the dog sat on the log " * 4


def test_counted_letters_are_shares_of_pairs():
    """Assert transitions against counting by hand, and that the source's own has its entropy as loss."""
    rows = windows(TEXT, 10)
    learner = Counted.of(rows)
    table = np.asarray(learner.fit(KEY, data(rows), None))
    by_hand = Counter((a, b) for row in rows.tolist() for a, b in zip([len(ALPHABET), *row], row, strict=False))
    totals = Counter()
    for (a, _), count in by_hand.items():
        totals[a] += count
    assert all(np.isclose(table[a, b], count / totals[a]) for (a, b), count in by_hand.items())
    scores = learner.score(KEY, jnp.asarray(table), jnp.asarray(rows))
    assert np.isclose(scores["loss"], scores["entropy"], rtol=1e-5)
    assert np.isclose(learner.joint.sum(), 1)


def test_letters_are_sampled_by_their_table():
    """Assert at level 1e-6 that the transitions of 3,000 windows have the law of the table."""
    rows = windows(TEXT, 10)
    learner = Counted.of(rows)
    table = learner.fit(KEY, data(rows), None)
    counts = np.asarray(jax.jit(lambda table: learner.counts(data(learner.sample(KEY, table, 3000))))(table))
    expected = counts.sum(1, keepdims=True) * np.asarray(table)
    often = expected >= 5
    rest = counts[~often].sum(), expected[~often].sum()
    assert counts[expected == 0].sum() == 0
    statistic = ((counts - expected)[often] ** 2 / expected[often]).sum() + (rest[0] - rest[1]) ** 2 / max(rest[1], 1)
    assert chi2.sf(statistic, often.sum() + 1 - (counts.sum(1) > 0).sum()) > LEVEL


def test_a_network_learns_transitions():
    """Assert that its loss on the source comes within 0.05 nats of the entropy, which is the least, and no lower."""
    rows = windows(TEXT, 10)
    learner = Network.of(rows, training=Training(600, 0.02, batch=len(rows)))

    @jax.jit
    def trained(rows):
        fitted = learner.refit(KEY, data(rows), None, True)
        return learner.table(fitted), learner.score(KEY, fitted, rows)["loss"], learner.read(data(rows))["entropy"]

    table, loss, entropy = trained(rows)
    assert np.allclose(table.sum(1), 1, atol=1e-5)
    assert entropy - 1e-4 < loss < entropy + 0.05


def test_a_mixture_has_the_moments_of_its_points():
    """Assert trace and balance of a fit to two clusters, and that it is drawn as it is scored."""
    rows = clusters(800, 6)
    rows = rows[(rows[:, 0] > 0) | (np.arange(800) < 200)]  # uneven, or a wrong width would not show
    sides = np.mean(rows[:, 0] < 0)
    learner = Components(2)

    @jax.jit
    def fitted(rows):
        params = learner.fit(KEY, data(rows), learner.init(KEY))
        return learner.score(KEY, params, rows), learner.read(data(learner.sample(KEY, params, 20_000)))

    scores, seen = fitted(rows)
    assert np.isclose(scores["V"], rows.var(0).sum())
    assert abs(scores["balance"] - sides * (1 - sides)) < 0.01
    assert abs(seen["V"] / scores["V"] - 1) < 0.05
    assert abs(seen["balance"] - scores["balance"]) < 0.01


def test_a_bigram_forgets_as_its_contexts_do():
    """Assert the diversity that theory says within a hundredth, and that twice as many letters would be told apart.

    It is less by a thousandth or two: contexts see a number of letters that varies, and forget more than its mean says.
    """
    model = bigram(runs=300)
    doubled = evolve(model, name="doubled", theory=bigram(scale=2).theory)
    found = study([model, doubled], [Replace()], generations=4)
    right, wrong = (found.row(name, Replace(), "diversity") for name in ("bigram", "doubled"))
    low, high = right.error.interval
    assert -0.01 < low < high < 0.01
    assert right.fits.mean == 0
    assert wrong.error.interval[1] < -0.01


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
