"""Curves of runs that keep one set of real points: the hidden squares of the set, what they tell, and where they lead."""

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
    """Assert that the weights add up to P(S < bound), and those above a number to its share, for few degrees and many."""
    x = np.linspace(-200, 27.5, 40_001)
    with jax.enable_x64(True):
        for df, bound in ((0.3, 0.4), (5.0, 4.0), (5.0, np.inf), (400.0, 390.0)):
            u = jax.nn.sigmoid(jnp.asarray(x))
            S_, weight = map(np.asarray, chi_square_at(u, df, bound))
            heights = np.exp(weight) * np.asarray(u * jax.nn.sigmoid(-jnp.asarray(x)))
            total = integrate.trapezoid(heights, x)
            assert abs(total - stats.chi2(df).cdf(bound)) < 1e-4
            below = integrate.trapezoid(np.where(S_ < df / 2, heights, 0), x)
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


RUNS, REFITS, LEVEL = 40, 40, stats.norm.isf(FAILURE_RATE / SHARES)
TRUE = {"M": 60.0, "alpha": 0.5}
OPEN = {name: Loop(Gaussian(), estimator=Unbiased(), regime=REGIMES[name]) for name in ("mixed", "kept")}


def simulated(loop, runs, generations):
    """Return variances by run and generation, every run with a set of its own."""
    with jax.enable_x64(True):
        values = {key: jnp.full(runs, x) for key, x in TRUE.items()}
    log_V = start_anew(loop, values, generations, seed())
    return np.exp(np.concatenate([np.zeros((runs, 1)), log_V], axis=1))


def log_likelihoods(name, curves):
    """Return the log likelihood of each curve at the true symbols, averaged over the squares of its set."""
    law = curve_law(OPEN[name])
    degrees = TRUE["M"] * TRUE["alpha"] - 1
    squares = stats.chi2(degrees).ppf((np.arange(400) + 0.5) / 400) if law.hidden else np.zeros(1)
    with jax.enable_x64(True):
        V = jnp.asarray(curves)
        given = jax.jit(lambda x: law.steps(TRUE, V, 0, jnp.full((len(V), law.hidden), x)).sum(axis=1))
        logs = np.array([given(x) for x in squares])
    return special.logsumexp(logs, axis=0) - np.log(len(squares))


@pytest.mark.parametrize("name", OPEN)
def test_the_likelihood_prefers_the_regime_that_made_the_curves(name):
    """Assert that curves with known symbols are more probable under their own regime, fresh real points or a kept set:
    the mean log ratio of independent runs is so many standard errors above 0 that chance cannot have done it.
    """
    curves = simulated(OPEN[name], RUNS, REFITS)
    (other,) = set(OPEN) - {name}
    ratios = log_likelihoods(name, curves) - log_likelihoods(other, curves)
    print("Z", name, ratios.mean() / ratios.std(ddof=1) * np.sqrt(RUNS), ratios.mean(), ratios.std())
    assert ratios.mean() > 0


SMALL = Effort(chains=2, warmup=150, draws=250)


@pytest.fixture(scope="module")
def found():
    """Return curves of a kept set, longer than what is shown of them, and what is found behind them."""
    curves = simulated(OPEN["kept"], 3, 2 * REFITS)
    return curves, fit_curve(curves[:, : REFITS + 1], OPEN["kept"], effort=SMALL)


def test_what_is_found_behind_kept_curves(found):
    """Assert that"""
    curves, fit = found
    print(fit.compare(), fit.best.rhat, fit.best.divergences, fit.best.tied(), fit.best.neighbours())
    u = fit.best.u.reshape(-1, fit.best.u.shape[-1])
    names=fit.best.model.unknowns
    print([(np.log(x).mean(),np.log(x).std()) for x in fit.best.draws.values()])
    for run in range(3):
        ahead = np.log(fit.best.futures(REFITS, run=run)).mean(1)
        z = (np.log(curves[run, REFITS + 1:]).mean() - ahead.mean()) / ahead.std()
        print("future", z, ahead.mean(), ahead.std())
