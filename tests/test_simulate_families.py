"""Families of one parameter simulated: points and sums against their laws, the reference against theory, verdicts.

Seeds are fixed by the library's default or drawn from the system; every comparison is part of one stated false-alarm
rate, and each must be able to see a planted error.
"""

from functools import cache, partial
from itertools import product
from secrets import randbelow

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import expit
from sympy import Integer, Rational, lambdify, log

from numerics import agree, samplers, simulate
from numerics.reference.scalars import WORDS
from numerics.reference.simulator import reference
from numerics.scalars import SCALARS, constants, points
from theory import (
    Accumulate,
    Binomial,
    Exponential,
    Gamma,
    HyperbolicSecant,
    Loop,
    Mixed,
    NegativeBinomial,
    Pareto,
    Poisson,
    Replace,
    Tempered,
    Uniform,
    VarianceFactor,
    expect,
    extinction,
    n,
)
from theory.symbols import mean0, rate0

FALSE_ALARM = 1e-6
"""Chance that any comparison of this file fails although all programs are right."""
COMPARISONS = 500
"""At least the number of comparisons."""
CRITICAL = stats.norm.isf(FALSE_ALARM / 2 / COMPARISONS)
DRAWS = 50_000
SEED = randbelow(samplers.SEEDS)
HALF = Rational(1, 2)

FAMILIES = {
    "Poisson": (Poisson(), 2.0),
    "Binomial": (Binomial(3), 0.3),
    "NegativeBinomial": (NegativeBinomial(Rational(5, 2)), 1.5),
    "Exponential": (Exponential(), 2.0),
    "Gamma": (Gamma(Rational(5, 2)), 2.0),
    "HyperbolicSecant": (HyperbolicSecant(2), -0.75),
    "Uniform": (Uniform(), 3.0),
    "Pareto": (Pareto(least=HALF), 4.0),
}


@cache
def compiled(sampler, parameters):
    """Return the function (chains, parameters) -> draws, one for each chain."""
    keyed = jax.vmap(sampler, (0, *(None,) * parameters))
    return jax.jit(lambda chains, *values: keyed(jax.vmap(partial(samplers.chain_key, SEED))(chains), *values))


def drawn(sampler, *values, draws=DRAWS):
    """Return draws of sampler(key, values), with a key for every chain."""
    with jax.enable_x64(True):
        return np.asarray(compiled(sampler, len(values))(jnp.arange(draws), *map(jnp.asarray, values)))


@cache
def point(family):
    """Return the sampler (key, parameter, temperature) -> one point of a family."""
    return lambda key, value, tau: points(family, key, 1, value, tau)[0]


def rejected(p_value):
    return p_value < FALSE_ALARM / COMPARISONS


# Samplers -------------------------------------------------------------------------------------------------------------


def binned(values, law):
    """Return the p-value of Pearson's test in bins of about equal mass."""
    edges = np.unique(law.ppf(np.linspace(0, 1, 41)[1:-1]))
    masses = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    kept = masses > 1e-4
    return stats.chisquare(counts[kept], masses[kept] / masses[kept].sum() * counts[kept].sum()).pvalue


@pytest.mark.parametrize("rate", [0.3, 9.99, 10.0, 47.5, 3e6])
def test_poisson(rate):
    """Assert that draws follow Poisson(rate), also where 32 bits would not, and that 0.1 standard deviations show."""
    x = drawn(samplers.poisson, rate)
    assert not rejected(binned(x, stats.poisson(rate))), SEED
    assert rejected(binned(x, stats.poisson(rate + 0.1 * np.sqrt(rate))))


def test_poisson_of_nothing_is_zero():
    """Assert that the rate 0 gives 0, so that an extinct loop stays so."""
    assert not drawn(samplers.poisson, 0.0).any()


@pytest.mark.parametrize("mean", [0.0, -2.0, 30.0])
def test_hyperbolic_secant(mean):
    """Assert that pi x is the log-odds of Beta(1/2 + t/pi, 1/2 - t/pi), tan t = mean, and that a mean off is seen."""
    x = drawn(samplers.hyperbolic_secant, mean)

    def p_value(m):
        turn = np.arctan(m) / np.pi
        below, above = stats.beta(0.5 + turn, 0.5 - turn), stats.beta(0.5 - turn, 0.5 + turn)
        # Odds above 1 are read from the other end, where they are not rounded to 1.
        share = expit(-np.abs(np.pi * x))
        return stats.kstest(np.where(x < 0, below.cdf(share), above.sf(share)), stats.uniform.cdf).pvalue

    assert not rejected(p_value(mean)), SEED
    assert rejected(p_value(mean + 0.1 * np.sqrt(1 + mean**2)))


SUMS = {
    "Binomial": lambda size: stats.binom(3 * size, 0.3),
    "NegativeBinomial": lambda size: stats.nbinom(2.5 * size, 2.5 / 4.0),
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_of_points_follow_their_law(name):
    """Assert that the sum of 6 points drawn at once has SciPy's law, and that the law of 7 points is rejected."""
    family, value = FAMILIES[name]
    (law,) = family.batch({family.parameter: family.parameter}, Integer(6), "model").laws
    needs = [float(e.subs(family.parameter, value)) for e in samplers.parameters(law)]
    x = drawn(lambda key, *given: samplers.draw(law, key, given, ())[0], *needs)
    assert not rejected(binned(x, SUMS[name](6))), SEED
    assert rejected(binned(x, SUMS[name](7)))


@pytest.mark.parametrize("sampler", [samplers.poisson, samplers.hyperbolic_secant])
def test_loops_inside_samplers_end_for_every_chain_alone(sampler):
    """Assert that a chain's draw has the same bits whichever chains run beside it."""
    assert (drawn(sampler, 11.0)[:5] == drawn(sampler, 11.0, draws=5)).all()


def test_maximum():
    """Assert that draws follow Beta(7, 1), and that Beta(8, 1) is rejected."""
    x = np.exp(drawn(samplers.log_maximum, 7.0))
    assert not rejected(stats.kstest(x, stats.beta(7, 1).cdf).pvalue), SEED
    assert rejected(stats.kstest(x, stats.beta(8, 1).cdf).pvalue)


# Points ---------------------------------------------------------------------------------------------------------------


LAWS = {
    "Exponential": lambda mean: stats.expon(scale=mean),
    "Gamma": lambda mean, shape: stats.gamma(shape, scale=mean / shape),
    "Uniform": lambda theta: stats.uniform(0, theta),
    "Pareto": lambda alpha, least: stats.pareto(alpha, scale=least),
}


@pytest.mark.parametrize("name", LAWS)
def test_points_follow_their_law(name):
    """Assert that points of a model follow SciPy's law, and that a parameter off by a tenth is rejected."""
    family, value = FAMILIES[name]
    x = drawn(point(family), value, 1.0)
    right, wrong = (LAWS[name](v, *constants(family)) for v in (value, 1.1 * value))
    assert not rejected(stats.kstest(x, right.cdf).pvalue), SEED
    assert rejected(stats.kstest(x, wrong.cdf).pvalue)


@pytest.mark.parametrize("name", ["Exponential", "Gamma", "Uniform"])
def test_tempered_points_have_the_density_to_a_power(name):
    """Assert that points at temperature 2 follow the cdf of f^(1/2), normalised by quadrature."""
    family, value = FAMILIES[name]
    x = drawn(point(family), value, 2.0)
    law = LAWS[name](value, *constants(family))
    top = law.support()[1] if name == "Uniform" else 80.0
    grid = np.linspace(0, top, 4_001)
    weights = np.sqrt(law.pdf(grid))
    cdf = np.concatenate([[0.0], np.cumsum((weights[1:] + weights[:-1]) / 2)])
    p_value = stats.kstest(x, partial(np.interp, xp=grid, fp=cdf / cdf[-1])).pvalue
    assert not rejected(p_value), SEED
    if name != "Uniform":
        assert rejected(stats.kstest(x, law.cdf).pvalue)


# The reference against theory -----------------------------------------------------------------------------------------


CHAINS = 20_000


def z_scores(loop, value, observable):
    """Return the standardised differences of reference and theory at generations 1, 2, 3."""
    parameter = loop.family.parameter
    runs = reference(loop, {str(parameter): value}, 3, CHAINS, np.random.default_rng(SEED))[str(parameter)]
    seen = lambdify(parameter, observable)(runs[:, 1:])
    exact = [float(v.subs(loop.family.initial, Rational(value))) for v in expect(loop, observable).values(3)]
    return (seen.mean(axis=0) - exact[1:]) / (seen.std(axis=0) / CHAINS**0.5)


CASES = [
    case
    for case in product(FAMILIES, [Replace(), Accumulate(), Mixed(Rational(1, 4))])
    if case != ("Uniform", Mixed(Rational(1, 4)))  # the larger of two maxima does not derive
]


@pytest.mark.parametrize(("name", "regime"), CASES, ids=str)
def test_reference_has_the_moments_of_theory(name, regime):
    """Assert E m_n and E m_n^2 (for a Pareto law of 1/alpha) at three generations, in every regime that derives."""
    family, value = FAMILIES[name]
    loop, x = Loop(family, regime=regime, samples=12), family.parameter
    for power in (1, 2) if name != "Pareto" else (-1, -2):
        scores = z_scores(loop, value, x**power)
        assert np.abs(scores).max() < CRITICAL, (SEED, scores)


def test_reference_would_show_a_wrong_size():
    """Assert that the moments of 16 points are told from those of 12."""
    family, value = FAMILIES["Exponential"]
    twelve = expect(Loop(family, samples=12), family.mean**2).values(3)[-1]
    runs = reference(Loop(family, samples=16), {"mean": value}, 3, CHAINS, np.random.default_rng(SEED))
    seen = runs["mean"][:, -1] ** 2
    assert abs(seen.mean() - float(twelve.subs(mean0, 2))) > CRITICAL * seen.std() / CHAINS**0.5


# Runs -----------------------------------------------------------------------------------------------------------------


VERDICTS = {
    "HyperbolicSecant": ("data", Replace(), lambda x: x),
    "Uniform": ("data", Accumulate(), lambda x: x),
    "Pareto": ("statistic", Replace(), lambda x: x),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_theory_and_simulation_agree(name):
    """Assert that agree finds no difference, with the power to see a tenth."""
    (family, value), (method, regime, of) = FAMILIES[name], VERDICTS[name]
    loop = Loop(family, regime=regime, samples=12)
    start = {str(family.parameter): value}
    run = simulate(loop, start, generations=3, chains=4_000, seed=SEED, method=method)
    assert agree(expect(loop, of(family.parameter)), run, level=1e-8, smallest=0.15).verdict == "agree"


def test_wrong_claims_are_rejected():
    """Assert that E rate^2 with n + 1 for n, and with a variance M - 1 for M, are both told from the run."""
    loop = Loop(Poisson(), samples=12)
    run = simulate(loop, {"rate": 2.0}, generations=4, chains=16_000, seed=SEED)
    right = expect(loop, Poisson.rate**2)
    assert agree(right, run, claim=rate0**2 + rate0 * n / 12, level=1e-8).verdict == "agree"
    for wrong in (rate0**2 + rate0 * (n + 1) / 12, rate0**2 + rate0 * n / 3):
        assert agree(right, run, claim=wrong).verdict == "disagree"


def test_extinction_has_its_law():
    """Assert that the share of chains at rate 0 is exp(-M rate0 g_n), and that exp(-M rate0/n) would be seen."""
    loop = Loop(Poisson(), samples=1)
    run = simulate(loop, {"rate": 2.0}, generations=4, chains=16_000, seed=SEED)
    shares = (run.rate == 0).mean("chain").to_numpy()[1:]
    chain = extinction(loop)
    exact = np.array([float(chain.probability(k).subs(rate0, 2)) for k in range(1, 5)])
    error = np.sqrt(exact * (1 - exact) / 16_000)
    assert np.abs((shares - exact) / error).max() < CRITICAL
    assert np.abs(shares[-1] - np.exp(-2 / 4)) > CRITICAL * error[-1]


def test_logarithms_outlive_their_parameters():
    """Assert that log mean falls by psi(1) a generation even where the mean itself is 0 in floating point."""
    loop = Loop(Exponential(), samples=1)
    run = simulate(loop, {"mean": 1e-300}, generations=400, chains=256, seed=SEED)
    assert (run["mean"][:, -1] == 0).all()
    fall = run["log_mean"][:, -1] - np.log(1e-300)
    exact = expect(Loop(Exponential(1), samples=1), log(Exponential.mean)).values(400)[-1]
    assert abs(float(fall.mean()) - float(exact)) < CRITICAL * float(fall.std()) / 256**0.5


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "start", "match"),
    [
        (Poisson(), {"rate": -1}, "Give rate >= 0"),
        (Binomial(2), {"p": 1.5}, r"Give p in \[0, 1\]"),
        (Gamma(2), {"mean": 0}, "Give mean > 0"),
        (Gamma(), {"mean": 1}, "no value for r"),
        (Uniform(), {"mean": 1}, "not of the source"),
    ],
    ids=str,
)
def test_starts_out_of_range_are_refused(family, start, match):
    """Assert that a start that is no law, a constant without a value, and a wrong name raise ValueError."""
    with pytest.raises(ValueError, match=match):
        simulate(Loop(family, samples=5), start, generations=1, chains=2)


@pytest.mark.parametrize(
    "loop",
    [
        Loop(Poisson(2), samples=5, sampling=Tempered(2)),
        Loop(HyperbolicSecant(HALF, 1), samples=5),
        Loop(Uniform(2), samples=8, sampling=VarianceFactor(2)),
    ],
    ids=str,
)
def test_what_has_no_sampler_is_refused(loop):
    """Assert that neither path takes a loop that it cannot draw."""
    with pytest.raises(ValueError, match="cannot be simulated"):
        simulate(loop, generations=1, chains=2)


def test_every_family_is_described():
    """Assert that theory's families of one parameter are those that the simulator and the reference know."""
    assert {type(family) for family, _ in FAMILIES.values()} == set(SCALARS)
    assert set(WORDS) == set(SCALARS)
