"""Curves of runs that keep one set of real points: its hidden squares, what they tell, and where they lead."""

from functools import cache
from secrets import randbelow

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special, stats
from sympy import S, lambdify

from numerics.fitting import Effort, fit_curve, observed
from numerics.fitting.curve_fit import REGIMES
from numerics.fitting.futures import futures, start_anew
from numerics.fitting.hidden import chi_square_at
from numerics.fitting.likelihood import curve_law
from numerics.fitting.models import Model
from numerics.fitting.one_step import memory, variance_laws
from numerics.fitting.unknowns import unknowns
from theory import Gaussian, Loop, Mixed, Scaled, Tempered, Unbiased, alpha, c, expect, symbols, tau

FAILURE_RATE = 1e-6
"""Chance that any test of this file fails although all is right."""
SHARES = 8


def seed():
    return randbelow(2**62)


KEPT = Mixed(alpha, fresh=False)
LOOPS = [
    Loop(Gaussian(), estimator=Scaled(c), regime=KEPT),
    Loop(Gaussian(), estimator=Unbiased(), regime=KEPT, sampling=Tempered(tau)),
]


def followed(loop, generations, covariance=1):
    """Return E V_n of the one-step laws from the source on, which are linear in all that they read."""
    names, onward = one_step(loop)
    (square,), moments, V = memory(loop).squares, (S.Zero, S.Zero), symbols.V0
    for _ in range(generations):
        here = dict(zip(names, (V, *moments, square.df), strict=True))
        V, first, second = (x.xreplace(here) for x in onward)
        moments = first, covariance * second
    return V


def one_step(loop):
    """Return V, the moments and the hidden squares before a refit, and the means of V and the moments after it."""
    known, (law, _) = memory(loop), variance_laws(loop)
    mean = law.offset + sum(s * d for s, d in zip(law.scales, law.degrees, strict=True))
    return (symbols.V, *known.moments, known.squares[0].symbol), (mean, *law.moments)


@pytest.mark.parametrize("loop", LOOPS, ids=str)
def test_the_laws_lead_to_the_means_of_theory(loop):
    """Assert that E V_3 by the one-step laws, averaged over the hidden squares, is that of the engine; without the
    covariance of the fitted mean with the kept one it is not.
    """
    derived = expect(loop, Gaussian.V).at(n=3)
    assert (followed(loop, 3) - derived).together().cancel() == 0
    assert (followed(loop, 3, covariance=0) - derived).together().cancel() != 0


def test_a_hidden_number_has_the_law_of_a_chi_square():
    """Assert that the weights add up to P(S < bound), and those below a number to its share."""
    x = np.linspace(-200, 27.5, 40_001)
    with jax.enable_x64(True):
        for df, bound in ((0.3, 0.4), (5.0, 4.0), (5.0, np.inf), (400.0, 390.0)):
            u = jax.nn.sigmoid(jnp.asarray(x))
            squares, weight = map(np.asarray, chi_square_at(u, df, bound))
            heights = np.exp(weight) * np.asarray(u * jax.nn.sigmoid(-jnp.asarray(x)))
            total = integrate.trapezoid(heights, x)
            assert abs(total - stats.chi2(df).cdf(bound)) < 1e-4
            below = integrate.trapezoid(np.where(squares < df / 2, heights, 0), x)
            assert abs(below - stats.chi2(df).cdf(df / 2)) < 1e-2 * total
            assert abs(total - stats.chi2(df + 1).cdf(bound)) > 1e-2 or bound == np.inf


CURVE = np.array([1.0, 1.3, 1.25, 1.5, 1.1, 1.35, 1.4])
KNOWN = Loop(Gaussian(), estimator=Unbiased(), regime=KEPT, samples=20)


def test_a_likelihood_is_averaged_over_what_is_hidden():
    """Assert that the mean over places u is the integral over the squares of the set with their chi-square law, and
    not the likelihood of their mean.
    """
    curve, model = observed(CURVE), Model(KNOWN, unknowns(KNOWN))
    law, share = curve_law(KNOWN), 0.4
    with jax.enable_x64(True):
        V, values = model.data(curve), {"alpha": jnp.asarray(share)}
        given = jax.jit(jax.vmap(lambda squares: law.steps(values, V, 0, squares[None]).sum()))
        squares = np.linspace(1e-3, 19 * CURVE[1:].min(), 4001)
        logs = np.asarray(given(jnp.asarray(squares)[:, None]))
        direct = integrate.trapezoid(np.exp(logs) * stats.chi2(7).pdf(squares), squares)
        place = (share - 0.05) / 0.9
        x = jnp.linspace(-27, 27, 4001)
        points = jnp.stack([jnp.full_like(x, place), jax.nn.sigmoid(x)], axis=1)
        heights = jnp.exp(jax.jit(jax.vmap(model.log_likelihood, (0, None)))(points, V))
        mean = integrate.trapezoid(np.asarray(heights * jax.nn.sigmoid(x) * jax.nn.sigmoid(-x)), np.asarray(x))
        point = np.exp(float(given(jnp.array([[7.0]]))[0]))
    assert abs(mean / direct - 1) < 1e-3
    assert abs(point / direct - 1) > 0.05


SIZE = 4000
AHEAD = 40


def drawn(squares):
    """Return curves of a run that goes on after CURVE with the given squares of its set, by the engine's own refit."""
    hidden = np.full((SIZE, 1), squares)
    values = {"alpha": np.full(SIZE, 0.4)}
    return futures(Model(KNOWN, unknowns(KNOWN)), values, hidden, observed(CURVE), 0, len(CURVE), AHEAD, seed())


def expected(squares):
    """Return the mean of the last of these generations, by the one-step law."""
    names, onward = one_step(KNOWN)
    function = lambdify((symbols.V0, alpha, *names), onward, "math")
    moments, V = (0.0, 0.0), 1.0
    for n in range(len(CURVE) - 1 + AHEAD):
        V, *moments = function(1.0, 0.4, V, *moments, squares)
        V = CURVE[n + 1] if n + 1 < len(CURVE) else V
    return V


def test_a_run_goes_on_with_what_it_keeps():
    """Assert that the variance tends to what its own set makes it tend to, given the squares of the set, and not to
    what those of a set half as large would.
    """
    paths = drawn(14.0)[:, -1]
    error = paths.std() / np.sqrt(SIZE)
    z = stats.norm.isf(FAILURE_RATE / SHARES / 2)
    assert abs(paths.mean() - expected(14.0)) < z * error
    assert abs(paths.mean() - expected(7.0)) > 2 * z * error


RUNS, REFITS = 20, 30
TRUE = {"M": 60.0, "alpha": 0.5}
OPEN = {name: Loop(Gaussian(), estimator=Unbiased(), regime=REGIMES[name]) for name in ("mixed", "kept")}


def simulated(loop, runs, generations):
    """Return variances by run and generation, every run with a set of its own."""
    with jax.enable_x64(True):
        values = {key: jnp.full(runs, x) for key, x in TRUE.items()}
    log_V = start_anew(loop, values, generations, seed())
    return np.exp(np.concatenate([np.zeros((runs, 1)), log_V], axis=1))


@cache
def given_squares(name):
    """Return the compiled function (values, V, x) -> log likelihood of each curve with squares x of its set."""
    law = curve_law(OPEN[name])
    return jax.jit(lambda values, V, x: law.steps(values, V, 0, jnp.full((len(V), law.hidden), x)).sum(axis=1))


def log_likelihoods(name, curves, values=TRUE):
    """Return the log likelihood of each curve at values of the symbols, averaged over the squares of its set."""
    squares, weights = np.zeros(1), np.zeros(1)
    if name == "kept":
        degrees = values["M"] * values["alpha"] - 1
        squares = np.linspace(0.05, 2.6, 80) * degrees
        weights = np.log(stats.chi2(degrees).pdf(squares) * np.diff(squares)[0])
    with jax.enable_x64(True):
        logs = np.array([given_squares(name)(values, jnp.asarray(curves), x) for x in squares])
    return special.logsumexp(logs + weights[:, None], axis=0)


@pytest.mark.parametrize("name", OPEN)
def test_the_likelihood_prefers_the_regime_that_made_the_curves(name):
    """Assert that curves with known symbols are more probable under their own regime, fresh real points or a kept set.

    By Markov's inequality it is the other way round with probability at most r^20, r the mean of (p_other/p_own)^(1/2)
    of one run. It is about 0.12, and 1e-6 would need 0.5.
    """
    curves = simulated(OPEN[name], RUNS, REFITS)
    (other,) = set(OPEN) - {name}
    ratios = log_likelihoods(name, curves) - log_likelihoods(other, curves)
    assert ratios.sum() > 0


SMALL = Effort(chains=2, warmup=120, draws=200)


@pytest.fixture(scope="module")
def found():
    """Return three curves of runs with a kept set each, and what is found behind them."""
    curves = simulated(OPEN["kept"], 3, REFITS)
    return curves, fit_curve(curves, OPEN["kept"], effort=SMALL)


def test_a_fit_does_not_exclude_the_truth(found):
    """Assert that the evidence does not beat the likelihood of the true symbols by more than Markov's inequality
    allows, as it beats that of ten times as many samples, or of a tenth.
    """
    curves, fit = found
    most, evidence = np.log(SHARES / FAILURE_RATE), fit.best.evidence
    assert evidence.log - log_likelihoods("kept", curves).sum() < most + 5 * evidence.error
    for factor in (0.1, 10):
        wrong = log_likelihoods("kept", curves, TRUE | {"M": factor * TRUE["M"]})
        assert evidence.log - wrong.sum() > most
    assert [row.name for row in fit.summary()] == ["M", "alpha"]
    assert fit.best.hidden.shape[1:] == (3, 1)


def test_a_new_run_has_a_set_of_its_own(found):
    """Assert that the level of a new run is less certain than that of a run whose set has been seen at work.

    The spread of 20 generations' mean is about three times as large, and that of 400 draws known to 10 %.
    """
    _, fit = found
    spread = [np.log(fit.best.futures(60, run=1, known=known))[:, 40:].mean(1).std() for known in (1, None)]
    assert spread[0] > 1.5 * spread[1]
    assert fit.bands(5, run=2).generations.tolist() == list(range(REFITS + 1, REFITS + 6))
    assert fit.forecast(0.01, within=64).last == REFITS + 64
