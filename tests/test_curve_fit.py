"""What is inferred from a curve: the law of one refit, its density, the posterior, its calibration, and refusals."""

from secrets import randbelow

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from attrs import evolve
from scipy import integrate, stats
from sympy import Dummy, Poly, Rational, S, Symbol

from numerics import simulate
from numerics.fitting import Effort, fit_curve, observed
from numerics.fitting.density import log_density
from numerics.fitting.forecast import band, crossing
from numerics.fitting.one_step import MEAN_SQUARE, variance_laws
from numerics.fitting.vocabulary import exponents, moments
from numerics.texts.retention import exponent
from theory import (
    Accumulate,
    Categorical,
    Gaussian,
    Loop,
    Mixed,
    NotClosed,
    Scaled,
    Subsample,
    Unbiased,
    Weighted,
    alpha,
    c,
    expect,
    symbols,
)

FAILURE_RATE = 1e-6
"""Chance that any test of this file fails although all is right; `calibrate` states its own."""
SHARES = 40
LOOPS = [
    Loop(Gaussian(), estimator=Scaled(c)),
    Loop(Gaussian(), estimator=Scaled(c), regime=Accumulate()),
    Loop(Gaussian(), regime=Mixed(alpha)),
    Loop(Gaussian(), estimator=Unbiased(), regime=Weighted(Symbol("w", real=True))),
]


@pytest.mark.parametrize("loop", LOOPS, ids=str)
def test_the_law_of_one_refit_has_the_moments_of_theory(loop):
    """Assert that E V' and E V'^2 of the combination of chi-squares are those that the engine derives, whatever the
    symbols, the hidden mean being normal about the source's; one degree more would be wrong.
    """
    law = variance_laws(loop)[1]
    assert [moment(law, k) - derived(loop, k) for k in (1, 2)] == [0, 0] or all(
        (moment(law, k) - derived(loop, k)).together().cancel() == 0 for k in (1, 2)
    )
    more = evolve(law, degrees=(law.degrees[0] + 1, *law.degrees[1:]))
    assert (moment(more, 1) - derived(loop, 1)).together().cancel() != 0


def moment(law, power):
    mean = law.offset + sum(s * d for s, d in zip(law.scales, law.degrees, strict=True))
    spread = sum(2 * s**2 * d for s, d in zip(law.scales, law.degrees, strict=True))
    return mean if power == 1 else spread + mean**2


def derived(loop, power):
    """Return E[V'^power | model] of the engine, averaged over mu - mu0 ~ N(0, B)."""
    shift = Dummy()
    value = Poly(expect(loop, Gaussian.V**power).next().subs(symbols.mu, symbols.mu0 + shift), shift)
    even = {0: S.One, 2: MEAN_SQUARE, 4: 3 * MEAN_SQUARE**2}
    return sum(coefficient * even.get(k, S.Zero) for (k,), coefficient in value.terms())


PAIRS = [(s, d) for s in ((1.0, 0.2), (0.05, 1.0), (1.0, 1e-3)) for d in ((4.0, 6.0), (30.0, 2.0), (3.0, 3.0))]


def convolved(scales, degrees, x):
    """Return the log density of a sum of two gamma variables by quadrature."""
    one, two = (stats.gamma(d / 2, scale=2 * s) for s, d in zip(scales, degrees, strict=True))
    cuts = [x * f for f in (1e-4, 1e-3, 1e-2, 0.1, 0.5, 0.9, 0.99, 0.999)]
    rule = {"points": cuts, "limit": 500, "epsrel": 1e-9}
    return np.log(integrate.quad(lambda u: one.pdf(u) * two.pdf(x - u), 0, x, **rule)[0])


def test_the_density_of_two_chi_squares():
    """Assert that the contour gives the convolution of two gamma densities, far into both tails, and one chi-square
    where the parts are alike; a degree too many would be seen.
    """
    cases = [(s, d, k * np.dot(s, d)) for s, d in PAIRS for k in (0.2, 1.0, 3.0)]
    alike = ((1.0, 1.0), (20.0, 13.0), 7.0)
    scales, degrees, x = (np.array(column) for column in zip(*cases, alike, strict=True))
    with jax.enable_x64(True):
        mine = np.asarray(jax.jit(log_density)(jnp.asarray(x), jnp.asarray(scales), jnp.asarray(degrees)))
    assert np.abs(mine[:-1] - [convolved(*case) for case in cases]).max() < 1e-5
    assert abs(mine[-1] - stats.chi2(33).logpdf(7.0)) < 1e-6
    assert abs(mine[-1] - stats.chi2(34).logpdf(7.0)) > 1e-2


def test_a_second_mean_is_refused():
    """Assert that regimes whose next variance follows no such law are refused by name."""
    for regime in (Subsample(), Mixed(alpha, count="bernoulli")):
        with pytest.raises(NotClosed, match="regime"):
            variance_laws(Loop(Gaussian(), regime=regime))
    with pytest.raises(NotClosed, match="family"):
        variance_laws(Loop(Categorical([Rational(1, 2)] * 2)))


SMALL = Effort(chains=2, warmup=150, draws=300)
CURVE = np.cumprod([1.0, 0.95, 1.1, 0.8, 0.97, 1.02, 0.7, 0.99, 0.9, 1.05, 0.85])
ONE = Loop(Gaussian(), estimator=Unbiased())


@pytest.fixture(scope="module")
def found():
    return fit_curve(CURVE, [ONE, Loop(Gaussian(), estimator=Unbiased(), regime=Accumulate())], effort=SMALL)


def likelihood(M):
    """Return the likelihood of CURVE under replace, written down with SciPy."""
    g = CURVE[1:] / CURVE[:-1]
    factors = stats.gamma.logpdf(g, (M - 1) / 2, scale=2 / (M - 1))
    return np.exp((factors - np.log(CURVE[:-1])).sum() - 20)


def test_the_posterior_is_that_of_bayes(found):
    """Assert that evidence and quantiles are those of a quadrature over the prior, and not those of M degrees."""
    u = (np.arange(4000) + 0.5) / 4000
    M = 2 * 5e5**u
    heights = np.array([likelihood(m) for m in M])
    fit = found.fits[0]
    assert abs(fit.evidence.log - 20 - np.log(heights.mean())) < 5 * fit.evidence.error + 1e-3
    median = M[np.searchsorted(np.cumsum(heights), heights.sum() / 2)]
    ranks = np.mean(fit.draws["M"] < median)
    # Draws of NUTS count as a quarter of independent ones here at the least.
    assert abs(ranks - 0.5) < stats.norm.isf(FAILURE_RATE / SHARES) * 0.5 / np.sqrt(fit.u.size / 4)
    assert fit.mixed


def test_what_cannot_be_is_impossible(found):
    """Assert that a pool cannot fall as fast as this curve, and gets no probability."""
    assert not found.fits[1].possible
    assert found.probabilities.tolist() == [1.0, 0.0]
    assert "impossible" in str(found)
    with pytest.raises(ValueError, match="Ask for another regime"):
        fit_curve(CURVE, found.fits[1].model.loop, effort=SMALL)


def test_an_entropy_is_a_variance(found):
    """Assert that entropy and perplexity are read as the same variance, and forecast by the same draws."""
    entropy = np.log(2 * np.pi * np.e * CURVE) / 2
    others = observed(entropy, "entropy"), observed(np.exp(entropy), "perplexity")
    for other in others:
        assert np.allclose(other.log_ratios, np.log(CURVE / CURVE[0]), atol=1e-14)
        assert np.allclose(other.shown(other.log_ratios), other.values, rtol=1e-12)
        same = evolve(found, curve=other, fits=tuple(evolve(fit, curve=other) for fit in found.fits))
        whens = same.forecast(0.5, within=60).generations
        assert np.array_equal(whens, found.forecast(0.25, within=60).generations)


def test_noise_shows_in_neighbours(found):
    """Assert that steps of the curve itself are uncorrelated, and that noise of the same size makes them undo each
    other; false alarms once in 10^5.
    """
    fit, generator = found.fits[0], np.random.default_rng(randbelow(2**63))
    assert abs(fit.neighbours()[1]) < stats.norm.isf(1e-5)
    steps = np.log(generator.chisquare(49, 400) / 49)
    noisy = np.exp(np.concatenate([[0.0], np.cumsum(steps)]) + generator.normal(0, 0.2, 401))
    wrong = evolve(fit, curve=observed(noisy))
    assert wrong.neighbours()[1] < -stats.norm.isf(1e-5)


def test_forecasts_follow_from_the_draws(found):
    """Assert that P(crossed) grows, that what is seen is not forecast, and that a higher bar is passed sooner."""
    low, high = found.forecast(0.05, within=120), found.forecast(0.3, within=120)
    assert high.median <= low.median
    assert low.by(130) + low.never == pytest.approx(1)
    passed = found.forecast(0.9, within=60)
    assert passed.median == np.argmax(CURVE < 0.9)
    assert "as observed" in str(passed)
    assert "not by" in str(low)


def test_bands_hold_whole_curves(found):
    """Assert that nine in ten whole curves lie in the band, and fewer in that of single generations."""
    paths = found.best.futures(30, size=1000)
    held = band(paths, 11, 0.9)
    inside = ((paths >= held.low) & (paths <= held.high)).all(1).mean()
    assert 0.88 < inside < 0.95
    low, high = np.quantile(paths, [0.05, 0.95], axis=0)
    assert ((paths >= low) & (paths <= high)).all(1).mean() < 0.85
    assert found.bands(5, anew=True).generations.tolist() == list(range(1, 16))


def test_a_crossing_is_the_first():
    """Assert that a path counts from its first passage, and that a tolerance above 1 asks for growth."""
    paths = np.array([[1.0, 0.4, 0.6, 0.3], [1.0, 2.1, 0.9, 0.8]])
    assert crossing(paths, 0, 1, 0.5, 0.9).generations.tolist() == [1, np.inf]
    assert crossing(paths, 5, 1, 2.0, 0.9).generations.tolist() == [np.inf, 6]


ZIPF = 1 / np.arange(1, 61) ** 1.0


@pytest.mark.parametrize(("share", "kept"), [(0.0, False), (0.2, False), (0.2, True), (0.6, True)])
def test_a_vocabulary_has_these_moments(share, kept):
    """Assert mean and covariance of the types left against chains of counts, and that free totals would be too wide."""
    generator, M, n = np.random.default_rng(randbelow(2**63)), 400, 5
    p = ZIPF / ZIPF.sum()
    x, left, real = np.tile(p, (20_000, 1)), [], int(share * M)
    for k in range(n):
        if k == 0 or not kept:
            held = generator.multinomial(real, p, size=len(x))
        x = (generator.multinomial(M - real, x) + held) / M
        left.append((x > 0).sum(1))
    with jax.enable_x64(True):
        mean, covariance = (np.asarray(a) for a in moments(M * jnp.asarray(p), jnp.ones(60), share, n, kept=kept))
        missing = np.exp(-M * p * np.asarray(exponents(share, n, kept=kept)[1])[:, None])
    spread = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(np.mean(left, axis=1) - mean) < 0.15 * spread)
    assert np.allclose(np.cov(left), covariance, rtol=0.12, atol=0.05 * spread.max() ** 2)
    # A variance of 20,000 chains is known to 1 %; that of free totals is 8 % too wide from the second model on.
    free = (missing * (1 - missing)).sum(1)
    assert np.all((free > 1.02 * np.var(left, axis=1))[1:])


def test_exponents_are_those_of_retention():
    """Assert that c_n is the exponent whose bound on losses is proved."""
    with jax.enable_x64(True):
        for share in (0.0, 0.1, 0.7):
            c_n = np.asarray(exponents(share, 9)[1])
            assert np.allclose(c_n, [exponent(k, share) for k in range(1, 10)], rtol=1e-12)


def test_a_vocabulary_tells_the_samples():
    """Assert that M of a simulated vocabulary is within 6 posterior standard deviations of log M (1e-6 false alarms, as
    it is nearly normal), and that these tell it from half of it and from twice as much.
    """
    p = 1 / np.arange(1, 301)
    run = simulate(
        Loop(Categorical(), samples=500),
        start={"p": p / p.sum()},
        generations=10,
        chains=3,
        seed=randbelow(2**62),
        observe={"K": Categorical.vocabulary},
    )
    fit = fit_curve(run["K"].to_numpy(), "replace", "vocabulary", source=p, effort=SMALL)
    found = np.log(fit.fits[0].draws["M"])
    assert abs(found.mean() - np.log(500)) < 6 * found.std()
    assert 6 * found.std() < np.log(2)
    assert fit.forecast(0.5, within=20).last == 30
