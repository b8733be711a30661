"""Learning procedures as they are run: descent step by step, and NumPyro's posteriors against those that are known."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from sympy import Rational

from numerics import simulate
from numerics.kits.choice import kit
from numerics.kits.descent import ORDER, Descending, _shuffled
from numerics.kits.inference import Inference
from numerics.kits.likelihoods import likelihood
from numerics.kits.points import Data
from numerics.samplers.cipher import chain_key, slot_key
from theory import (
    EM,
    NUTS,
    SGD,
    SVI,
    Adam,
    Bernoulli,
    Categorical,
    Damped,
    Exponential,
    Floor,
    Gaussian,
    GradientSteps,
    LinearRegression,
    Loop,
    Mixed,
    MultivariateGaussian,
    NotClosed,
    Poisson,
    Weighted,
    absorption,
    drift,
    expect,
)

FALSE_ALARM = 1e-6
"""Chance of each stochastic assertion of this file to fail where nothing is wrong."""
SIZE, ROOM = 20, 23
POINTS = np.append(np.random.default_rng(0).normal(3, 2, SIZE), [np.nan] * (ROOM - SIZE))
"""Points of one fit, and what is in the room for more."""
SEEN = POINTS[:SIZE]
LAST = {"mu": 1.0, "V": 9.0}


def learned(estimator, family=None, points=POINTS, last=None, keys=1, **given):
    """Models learned from the points under several keys, compiled once."""
    loop = Loop(family or Gaussian(0, 1), samples=SIZE, estimator=estimator)
    kind = Descending if hasattr(estimator, "batch") else Inference
    of: Any = likelihood(loop)
    here = kind(estimator, of, kit(loop, ()))

    def learn(chain):
        data, model = Data(jnp.asarray(points), jnp.asarray(float(SIZE))), jax.tree.map(jnp.asarray, last or LAST)
        return here.learn(chain_key(0, chain), {"mu0": 0.0, "V0": 1.0, **given}, data, model, False)

    with jax.enable_x64(True):
        return {name: np.asarray(x) for name, x in jax.jit(jax.vmap(learn))(np.arange(keys)).items()}


def gradient(theta, x):
    """Gradient of the mean negative log-likelihood in theta = (mu, log V)."""
    mu, V = theta[0], np.exp(theta[1])
    return np.array([(mu - x.mean()) / V, (1 - ((x - mu) ** 2).mean() / V) / 2])


# Descent -------------------------------------------------------------------------------------------------------------


def test_descent_is_step_by_step_what_it_says():
    """Assert five steps of descent with momentum and of Adam on all points, and that six steps are elsewhere."""
    theta, velocity = np.array([LAST["mu"], np.log(LAST["V"])]), np.zeros(2)
    for _ in range(5):
        velocity = velocity / 2 + gradient(theta, SEEN)
        theta = theta - 0.3 * velocity
    found = learned(SGD(5, Rational(3, 10), momentum=Rational(1, 2)))
    np.testing.assert_allclose([found["mu"][0], np.log(found["V"][0])], theta, rtol=1e-12)
    theta, m, v = np.array([LAST["mu"], np.log(LAST["V"])]), np.zeros(2), np.zeros(2)
    for k in range(1, 6):
        g = gradient(theta, SEEN)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - 0.1 * m / (1 - 0.9**k) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
    found, more = (learned(Adam(steps, Rational(1, 10))) for steps in (5, 6))
    np.testing.assert_allclose([found["mu"][0], np.log(found["V"][0])], theta, rtol=1e-12)
    assert abs(more["mu"][0] - theta[0]) > 1e-3


def test_natural_steps_on_all_points_are_the_closed_form():
    """Assert that a loop of them is the loop of `GradientSteps` on log V, chain by chain."""
    rate = Rational(1, 10)
    loops = [
        Loop(Gaussian(0, 1), samples=SIZE, estimator=one)
        for one in (SGD(3, rate, natural=True), GradientSteps(3, rate, on="log V"))
    ]
    one, two = (simulate(loop, generations=3, chains=50, method="data") for loop in loops)
    np.testing.assert_allclose(one.log_V, two.log_V, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.mu, two.mu, rtol=1e-9, atol=1e-12)


def test_a_batch_adds_noise_and_no_bias_to_a_step():
    """Assert mean and variance of one step on 5 of the points, with replacement; without it the variance is less."""
    keys = 20_000
    found = learned(SGD(1, 1, batch=5), keys=keys)
    steps = np.stack([found["mu"], np.log(found["V"])], 1) - [LAST["mu"], np.log(LAST["V"])]
    each = np.array([-gradient([LAST["mu"], np.log(LAST["V"])], x[None]) for x in SEEN])
    variance = each.var(0) / 5
    z = (steps.mean(0) - each.mean(0)) / np.sqrt(variance / keys)
    assert abs(z).max() < stats.norm.isf(FALSE_ALARM / 4)
    kurtosis = ((steps - steps.mean(0)) ** 4).mean(0) / steps.var(0) ** 2
    error = np.sqrt((kurtosis - 1) / keys)
    assert (abs(steps.var(0) / variance - 1) < stats.norm.isf(FALSE_ALARM / 4) * error).all()
    assert (abs(15 / 19 - 1) > 2 * stats.norm.isf(FALSE_ALARM / 4) * error).all()


def test_descent_stopped_early_keeps_its_best_model():
    """Assert the model of the least loss on a quarter of the points once it has risen for 3 steps, and a cold start."""
    with jax.enable_x64(True):
        order = _shuffled(slot_key(chain_key(0, 0), ORDER), Data(jnp.asarray(POINTS), jnp.asarray(float(SIZE))))
    shuffled = np.asarray(order.points)
    assert sorted(shuffled[:SIZE]) == sorted(SEEN)
    kept, held = shuffled[:15], shuffled[15:SIZE]
    # From beyond the held-out mean the way to the mean of the others passes it: the loss falls, then it rises.
    last = {"mu": 2 * held.mean() - kept.mean(), "V": 9.0}
    theta = np.array([last["mu"], np.log(last["V"])])
    steps = [theta := theta - gradient(theta, kept) / 2 for _ in range(200)]
    losses = [log_V / 2 + ((held - mu) ** 2).mean() / np.exp(log_V) / 2 for mu, log_V in steps]
    stop = next(k for k in range(3, 200) if min(losses[k - 2 : k + 1]) >= min(losses[: k - 2]))
    mu, log_V = steps[int(np.argmin(losses[:stop]))]
    assert 0 < np.argmin(losses[:stop]) < stop < 199
    found = learned(SGD(200, Rational(1, 2), patience=3, held_out=Rational(1, 4)), last=last)
    np.testing.assert_allclose([found["mu"][0], np.log(found["V"][0])], [mu, log_V], rtol=1e-10)
    cold = learned(SGD(1, Rational(1, 10**9), start="source"))
    np.testing.assert_allclose([cold["mu"][0], cold["V"][0]], [0, 1], atol=1e-7)


FITTED = {
    "bernoulli": (Bernoulli(Rational(1, 3)), np.arange(ROOM) % 3 == 0, {"p": 0.5}),
    "poisson": (Poisson(3), np.arange(ROOM) % 5, {"rate": 1.0}),
    "exponential": (Exponential(2), 0.1 + np.arange(ROOM) % 5, {"mean": 1.0}),
}


@pytest.mark.parametrize("name", FITTED)
def test_descent_ends_in_maximum_likelihood(name):
    """Assert that many natural steps end in the mean of the points that count."""
    family, points, last = FITTED[name]
    found = learned(SGD(200, Rational(1, 4), natural=True), family, points.astype(float), last)
    np.testing.assert_allclose(found[next(iter(last))], points[:SIZE].mean(), rtol=1e-9)


def test_descent_on_rows_ends_in_least_squares():
    """Assert that many steps end in least squares weights, and that a start of other weights does not matter."""
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(ROOM, 2)), rng.normal(size=ROOM)])
    family = LinearRegression(dimension=2, noise=1, w0=1)
    found = learned(SGD(2_000, Rational(1, 5)), family, rows, {"weights": np.array([5.0, -5.0])}, w0=1.0, noise=1.0)
    wanted = np.linalg.lstsq(rows[:SIZE, :2], rows[:SIZE, 2], rcond=None)[0]
    np.testing.assert_allclose(found["weights"][0], wanted, rtol=1e-9)


# Posteriors ----------------------------------------------------------------------------------------------------------


def test_nuts_draws_from_the_known_posterior():
    """Assert chi-square(m - 1) for SS/V and Student's law for the mean, and that m degrees would be seen."""
    found = learned(NUTS(60), keys=5_000)
    squares = ((SEEN - SEEN.mean()) ** 2).sum()
    ratio = squares / found["V"]
    t = (found["mu"] - SEEN.mean()) / np.sqrt(squares / (SIZE - 1) / SIZE)
    assert stats.kstest(ratio, stats.chi2(SIZE - 1).cdf).pvalue > FALSE_ALARM
    assert stats.kstest(ratio, stats.chi2(SIZE).cdf).pvalue < FALSE_ALARM
    assert stats.kstest(t, stats.t(SIZE - 1).cdf).pvalue > FALSE_ALARM
    assert stats.kstest(t, stats.norm(0.2, 1).cdf).pvalue < FALSE_ALARM


def test_variational_inference_reaches_the_best_guide():
    """Assert the maximum of the evidence bound over normal guides, to 0.01; maximum likelihood is 0.1 away.

    With the prior flat in log V it is E mu = xbar and E log V = log(SS/(m - 1)) + 1/m, at the variances V/m and 2/m.
    """
    found = learned(SVI(1_500, Rational(1, 50)), keys=100)
    squares = ((SEEN - SEEN.mean()) ** 2).sum()
    best = np.log(squares / (SIZE - 1)) + 1 / SIZE
    assert abs(np.log(found["V"]).mean() - best) < 0.01
    assert abs(found["mu"].mean() - SEEN.mean()) < 0.01 * np.sqrt(squares / SIZE)
    assert best - np.log(squares / SIZE) > 0.1


# Refusals ------------------------------------------------------------------------------------------------------------

GAUSSIAN = Gaussian(0, 1)


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        (Loop(GAUSSIAN, samples=9, estimator=EM()), "no way to fit a Gaussian"),
        (Loop(GAUSSIAN, samples=9, estimator=Damped("1/2", SGD(5, 1))), "run by itself"),
        (Loop(GAUSSIAN, samples=9, estimator=Floor("1/2", NUTS())), "run by itself"),
        (Loop(GAUSSIAN, samples=10, estimator=Adam(5, 1), regime=Weighted("1/2")), "all count the same"),
        (Loop(MultivariateGaussian([0], [[1]]), samples=9, estimator=Adam(5, 1)), "no way to fit"),
        (Loop(Categorical(["1/2", "1/2"]), samples=9, estimator=SVI(5)), "only once"),
        (Loop(Categorical(["1/2", "1/2"]), samples=9, estimator=SGD(5, 1, natural=True)), "Fisher information"),
    ],
    ids=range(7),
)
def test_what_cannot_be_learned_so_is_refused(loop, words):
    """Assert a sentence that names the estimator."""
    with pytest.raises(ValueError, match=words):
        simulate(loop, generations=1, chains=1)


def test_derivations_refuse_learners_by_name():
    """Assert that no interpreter takes a learner for maximum likelihood, whatever the family and the regime."""
    learner = SGD(5, Rational(1, 10))
    coin = Loop(Bernoulli(Rational(1, 3)), samples=4, estimator=learner)
    for ask in (
        lambda: expect(Loop(Gaussian(), estimator=learner), Gaussian.V),
        lambda: expect(Loop(Poisson(), estimator=learner, regime=Mixed(Rational(1, 2))), Poisson.rate),
        lambda: drift(Loop(Gaussian(), estimator=learner)),
        lambda: expect(coin, Bernoulli.p),
        lambda: absorption(coin),
    ):
        with pytest.raises(NotClosed, match="SGD"):
            ask()
    assert Loop(Gaussian(), estimator=learner).without("approximation") == Loop(Gaussian())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SGD(0, 1), "steps = 0"),
        (lambda: SGD(1, 0), "rate = 0"),
        (lambda: Adam(1, 1, start="warm"), "no place to start"),
        (lambda: SGD(1, 1, held_out=1), "held_out = 1"),
        (lambda: SGD(1, 1, momentum=-1), "momentum = -1"),
        (
            lambda: EM(1, start="random"),  # type: ignore[arg-type]
            "no place to start",
        ),
        (lambda: SVI(1, report="mode"), "no model"),
        (lambda: NUTS(0), "warmup = 0"),
    ],
)
def test_arguments_that_are_none_are_refused(make, words):
    """Assert a sentence with the value."""
    with pytest.raises(ValueError, match=words):
        make()
