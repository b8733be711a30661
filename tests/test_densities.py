"""Kernel densities and histograms refitted to themselves, by exact moments; and points of sources outside a family."""

import jax
import numpy as np
import pytest
from scipy import stats
from sympy import Rational, sqrt

from numerics import Curve, agree, simulate
from numerics.kits.distortions import FAITHFUL
from numerics.kits.outside import arrays, drawing
from numerics.samplers.cipher import chain_key
from theory import (
    Accumulate,
    Categorical,
    Empirical,
    Exponential,
    Faithful,
    Gaussian,
    HistogramDensity,
    KernelDensity,
    Laplace,
    Loop,
    Mixture,
    NotClosed,
    Shrinkage,
    StudentT,
    Tempered,
    Unbiased,
    UniformOn,
    expect,
    risk,
)

FALSE_ALARM = 1e-6
"""Chance of each goodness of fit in this file to fail where nothing is wrong; `agree` states its own."""
M, n = 8, 12
CHAINS = 20_000
OBSERVED = {"square": KernelDensity.mu**2 + KernelDensity.V}
"""E[x^2] for a point x of the model: its mean over runs is the ensemble's."""


def verdict(run, variable, values, smallest=0.05):
    """The verdict on predicted means by generation."""
    return agree(Curve(variable, variable, values), run, smallest=smallest).verdict


def run_of(family, source, **axes):
    """Chains of a loop, 8 points a generation, with the mean square of a point."""
    loop = Loop(family, source=source, samples=M, **axes)
    run = simulate(loop, generations=n, chains=CHAINS, observe=OBSERVED)
    assert run.attrs["method"] == "data"
    return run


# Kernel densities ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fixed():
    """A kernel density of bandwidth 1/2, of standard normal data."""
    return run_of(KernelDensity(Rational(1, 2)), Gaussian(0, 1))


def within_a_run(h_squared, generations, s_squared=1.0):
    """E V_n = E S_n + h^2, with S_n = (1 - 1/M) V_(n-1) in the mean the variance of the points of fit n."""
    values = [s_squared]
    for _ in range(generations):
        values.append((1 - 1 / M) * values[-1] + h_squared)
    return values


def test_a_kernel_adds_its_variance_over_the_ensemble(fixed):
    """Assert E x^2 = s^2 + n h^2 for a point of model n, and that n - 1 kernels are not enough."""
    growth = np.arange(n + 1) / 4
    assert verdict(fixed, "square", 1 + growth) == "agree"
    assert verdict(fixed, "square", 1 + np.maximum(growth - 1 / 4, 0)) == "disagree"


def test_within_a_run_the_variance_settles(fixed):
    """Assert the recursion of E V_n, whose fixed point is M h^2, and that the ensemble's growth is not what it does."""
    assert verdict(fixed, "V", within_a_run(1 / 4, n)) == "agree"
    assert verdict(fixed, "V", 1 + np.arange(n + 1) / 4) == "disagree"
    assert within_a_run(1 / 4, 1000)[-1] == pytest.approx(M / 4)
    assert fixed.V.isel(generation=n).mean() == pytest.approx(M / 4, rel=0.15)


def test_rules_are_those_of_scipy_and_multiply_the_variance():
    """Assert E V_1 and E V_2 of both rules, and the factor that each has in `scipy.stats.gaussian_kde`."""
    for rule, factor in (("scott", "scotts_factor"), ("silverman", "silverman_factor")):
        points = np.arange(M, dtype=float)
        width = getattr(stats.gaussian_kde(points), factor)()
        added = 2 * M / (M - 1) * width**2 / 2
        S = [(1 - 1 / M) * ((1 - 1 / M) + width**2) ** k for k in range(n)]
        run = run_of(KernelDensity(rule), Gaussian(0, 1))
        assert verdict(run, "V", [1, *(s * (1 + added) for s in S)]) == "agree", rule
        assert verdict(run, "V", [1, *(s * (1 + width**2) for s in S)]) == "disagree", rule


def test_a_pool_keeps_the_first_points():
    """Assert that an accumulated kernel density has the E x^2 = s^2 + h^2 (1 + sum over earlier fits) of its pool."""
    run = run_of(KernelDensity(Rational(1, 2)), UniformOn(-1, 1), regime=Accumulate())
    values = [1 / 3]
    for _ in range(n):
        # A point of the pool is of one of the earlier models, each of them as likely.
        values.append(float(np.mean(values)) + 1 / 4)
    assert verdict(run, "square", values) == "agree"


# Histograms ----------------------------------------------------------------------------------------------------------


def test_bins_at_random_cost_every_time():
    """Assert E x^2 = s^2 + n w^2/6, twice the variance of a place in a bin, and that n w^2/12 is too little."""
    run = run_of(HistogramDensity(1, bins="random"), Gaussian(0, 1))
    assert verdict(run, "square", 1 + np.arange(n + 1) / 6) == "agree"
    assert verdict(run, "square", 1 + np.arange(n + 1) / 12) == "disagree"


def test_fixed_bins_cost_once():
    """Assert that E x^2 is that of the binned source from the first fit on, and that bins are lost, never won."""
    width = 1
    run = run_of(HistogramDensity(width), Gaussian(0, 1))
    left = np.arange(-12, 12)
    mass = np.diff(stats.norm.cdf(np.append(left, 12)))
    binned = (mass * ((left + width / 2) ** 2 + width**2 / 12)).sum()
    assert binned == pytest.approx(1 + width**2 / 6, rel=0.01)
    assert verdict(run, "square", [1, *[binned] * n]) == "agree"
    occupied = run.occupied.to_numpy()[:, 1:]
    assert (np.diff(occupied, axis=1) <= 0).all()
    assert occupied.min() >= 1
    assert occupied.max() <= M


# Sources -------------------------------------------------------------------------------------------------------------

MIXTURE = Mixture(2, weights=["1/4", "3/4"], means=[-2, 2], variances=[1, 4])
SOURCES = {
    "laplace": (Laplace(1, 2), stats.laplace(1, 2).cdf, stats.laplace(1, 2.2).cdf),
    "student": (StudentT(3, 1, 2), stats.t(3, 1, 2).cdf, stats.t(4, 1, 2).cdf),
    "uniform": (UniformOn(-1, 3), stats.uniform(-1, 4).cdf, stats.uniform(-1, 4.1).cdf),
    "normal": (Gaussian(1, 4), stats.norm(1, 2).cdf, stats.norm(1, 2.1).cdf),
    "exponential": (Exponential(2), stats.expon(0, 2).cdf, stats.expon(0, 2.1).cdf),
    "mixture": (
        MIXTURE,
        lambda x: (stats.norm(-2, 1).cdf(x) + 3 * stats.norm(2, 2).cdf(x)) / 4,
        lambda x: (3 * stats.norm(-2, 1).cdf(x) + stats.norm(2, 2).cdf(x)) / 4,
    ),
}


def points_of(source, size):
    """Points of a source as the first fit sees them."""

    def floats(entries):
        return np.array(entries.tolist() if hasattr(entries, "tolist") else entries, dtype=float)

    with jax.enable_x64(True):
        given = arrays(source, Faithful(), floats)
        return np.asarray(drawing(source)(chain_key(0, 0), size, given, FAITHFUL))


@pytest.mark.parametrize("name", SOURCES)
def test_points_follow_their_source(name):
    """Assert the distribution function by Kolmogorov and Smirnov, who see a slightly other law."""
    source, right, wrong = SOURCES[name]
    points = points_of(source, 50_000)
    assert stats.kstest(points, right).pvalue > FALSE_ALARM
    assert stats.kstest(points, wrong).pvalue < FALSE_ALARM


def test_a_list_is_drawn_with_replacement():
    """Assert the chances of three values, one of them listed twice."""
    counts = np.unique(points_of(Empirical([1, 5, 5, 9]), 40_000), return_counts=True)
    assert counts[0].tolist() == [1, 5, 9]
    assert stats.chisquare(counts[1], [10_000, 20_000, 10_000]).pvalue > FALSE_ALARM


def test_a_gaussian_loop_sees_its_source_in_the_first_fit():
    """Assert E V_n^2 of Gaussians fitted to Laplace points, by the theory's own moments; a normal source is not it."""
    loop = Loop(Gaussian(), source=Laplace(0, 1), samples=M, estimator=Unbiased())
    run = simulate(loop, generations=2, chains=CHAINS, observe={"square": Gaussian.V**2})
    exact, normal = (
        [float(x) for x in expect(one, Gaussian.V**2).values(2)]
        for one in (loop, Loop(Gaussian(0, 2), samples=M, estimator=Unbiased()))
    )
    z = (run.square.mean("chain") - exact) / run.square.std("chain") * CHAINS**0.5
    assert abs(z[1:]).max() < stats.norm.isf(FALSE_ALARM / 4)
    assert (exact[1] - normal[1]) / run.square.std("chain")[1] * CHAINS**0.5 > 2 * stats.norm.isf(FALSE_ALARM / 4)


def test_a_tempered_source_is_drawn_as_theory_says():
    """Assert that V_1 of tempered Laplace points is tau^2 times what it is of faithful ones, chain by chain."""
    loops = [Loop(Gaussian(), source=Laplace(0, 1), samples=M, sampling=Tempered(tau)) for tau in (1, 3)]
    one, three = (simulate(loop, generations=1, chains=50).V.to_numpy()[:, 1] for loop in loops)
    np.testing.assert_allclose(three, 9 * one)


# Refusals ------------------------------------------------------------------------------------------------------------

DENSITY = Loop(KernelDensity("scott"), source=Gaussian(0, 1), samples=M)


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        (Loop(KernelDensity(1), samples=M), "the loop has no source"),
        (Loop(KernelDensity(1), source=Categorical([1]), samples=M), "are not drawn"),
        (Loop(KernelDensity(1), source=Gaussian(0, 1), samples=M, sampling=Tempered(2)), "sampling: Tempered"),
        (Loop(KernelDensity(1), source=Gaussian(0, 1), samples=M, estimator=Unbiased()), "no way to fit"),
        (Loop(KernelDensity(1), source=Gaussian(0, 1), samples=M, estimator=Shrinkage("1/2")), "no way to fit"),
        (Loop(KernelDensity("scott"), source=Gaussian(0, 1), samples=1), "at least 2 points"),
        (Loop(KernelDensity(1), source=Gaussian(0, 1)), "M="),
    ],
    ids=range(7),
)
def test_what_cannot_be_simulated_is_refused(loop, words):
    """Assert a sentence that names the axis."""
    with pytest.raises(ValueError, match=words):
        simulate(loop, generations=1, chains=1)


def test_what_does_not_close_is_said_by_name():
    """Assert that `expect` and `risk` say what does not close, and that arguments that are none are refused."""
    asked = {"no polynomial": lambda: expect(DENSITY, 1 / KernelDensity.V), "KernelDensity": lambda: risk(DENSITY)}
    for what, ask in asked.items():
        with pytest.raises(NotClosed, match=what):
            ask()
    for make, words in (
        (lambda: KernelDensity("square"), "no rule"),
        (lambda: KernelDensity(-1), "not negative"),
        (lambda: HistogramDensity(0), "a bin has a width"),
        (
            lambda: HistogramDensity(sqrt(2), "odd"),  # type: ignore[arg-type]
            "no way to place bins",
        ),
        (lambda: Loop(KernelDensity(1), source=Mixture(2, 2)), "2 coordinates"),
    ):
        with pytest.raises(ValueError, match=words):
            make()
