"""Tilted sampling: what a tilt makes of a law, exactly; E h(model n) at depths where a plain mean is blind.

The closed forms of `theory` are the oracle. Seeds come from the operating system; every comparison with an error of
sampling states its level, and each is made once.
"""

from functools import cache
from secrets import randbelow
from typing import Any

import numpy as np
import pytest
from scipy.special import gammaln
from sympy import Determinant, Integer, Rational, S, Symbol, factorial, log, symbols

from numerics import agree, simulate, tilted
from numerics.samplers.cipher import SEEDS
from numerics.tilting.tilts import EXPONENT, kept_alive, steered
from numerics.tilting.weights import weighed
from theory import (
    Accumulate,
    Bernoulli,
    Gaussian,
    GradientSteps,
    Loop,
    Mixed,
    NotClosed,
    Poisson,
    PosteriorDraw,
    Schedule,
    Subsample,
    Uniform,
    expect,
)
from theory import symbols as letters
from theory.families import MultivariateGaussian
from theory.innovations import ChiSquare, Multinomial, Normal
from theory.laws.maximum import Maximum
from theory.laws.natural_sum import POINT, NaturalSum

SEED = randbelow(SEEDS)
LEVEL = 1e-7
"""Chance that one verdict of this file is wrong although everything is right."""
V, p = Gaussian.V, Bernoulli.p
M, DEPTH, CHAINS = 10, 1_000, 1_000
LOOP = Loop(Gaussian(0, 1), samples=M)
HALF = Bernoulli(Rational(1, 2))
ROUNDING = 1e-14
"""Error of log E of a pure product for every fit and unit of k log V: of sums of numbers that are rounded."""


@cache
def run_of(loop, of, generations, chains=2_000):
    """Return tilted chains of a seed that nobody chose."""
    return tilted(loop, of, generations=generations, chains=chains, seed=SEED)


def exact_logs(loop, of, generations):
    """Return log E h(model n) by the theory's recurrence."""
    return np.array([float(log(value)) for value in expect(loop, of).values(generations)])


def log_moment(power):
    """Return log E (chi/M)^power, chi ~ chi-square(M - 1)."""
    half = (M - 1) / 2
    return power * np.log(2 / M) + gammaln(half + power) - gammaln(half)


def log_chance_of_seeing(k, generations):
    """Return a bound on the logarithm of the chance that the mean of V^k over plain chains exceeds E V^k/e^3.

    (sum y)^t <= sum y^t for 0 < t <= 1, so that by Markov's inequality P(sum y >= s) <= N E y^t/s^t.
    """
    t = np.linspace(0.01, 1, 100)
    log_s = np.log(CHAINS) + generations * log_moment(k) - 3
    return np.min(np.log(CHAINS) + generations * log_moment(k * t) - t * log_s)


@pytest.fixture(scope="module")
def plain():
    """Return log V of plain chains."""
    return simulate(LOOP, generations=DEPTH, chains=CHAINS, seed=SEED)["log_V"].to_numpy()


@pytest.mark.parametrize("k", [1, 2, 3])
def test_tilted_powers_of_a_variance_where_plain_means_are_blind(plain, k):
    """Assert log E V^k to rounding up to n = 1,000 at M = 10, where the interval of a plain mean excludes the truth."""
    run, exact = run_of(LOOP, V**k, DEPTH, chains=4), exact_logs(LOOP, V**k, DEPTH)
    closed = np.arange(DEPTH + 1) * sum(np.log((M - 1 + 2 * j) / M) for j in range(k))
    np.testing.assert_allclose(exact, closed, rtol=1e-12, atol=1e-12)
    assert np.abs(run.log_mean - exact).max() < DEPTH * ROUNDING * k
    np.testing.assert_allclose(run.effective, 4)
    blind = weighed(k * plain)
    assert log_chance_of_seeing(k, DEPTH) < np.log(LEVEL)
    assert blind.log_mean[-1] + np.log1p(6 * blind.error[-1]) < exact[-1]
    assert str(run).endswith("4 chains, worth 4.")


PRODUCTS = {
    "drawn from the posterior": (Loop(Gaussian(0, 1), estimator=PosteriorDraw(), samples=12), V**2),
    "sizes that change": (Loop(Gaussian(0, 1), regime=Schedule(3 + letters.n)), V**3),
    "uniform": (Loop(Uniform(2), samples=4), Uniform(2).parameter ** 3),
    "determinant": (
        Loop(MultivariateGaussian([0, 0], [[2, 1], [1, 2]]), samples=6),
        Determinant(MultivariateGaussian.Sigma) ** 2,
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_have_no_variance(name):
    """Assert that the weighted observable is the same number in every chain, and that of the theory."""
    loop, of = PRODUCTS[name]
    run = run_of(loop, of, 12, chains=3)
    assert np.abs(run.log_mean - exact_logs(loop, of, 12)).max() < 12 * 10 * ROUNDING
    np.testing.assert_allclose(run.effective, 3)


OTHERS = {
    "accumulated": (Loop(Gaussian(0, 1), regime=Accumulate(), samples=40), V**2, 60, 0.9),
    "gradient steps": (Loop(Gaussian(0, 1), estimator=GradientSteps(2, Rational(1, 2)), samples=40), V**2, 40, 0.9),
    "mixed": (Loop(Gaussian(0, 1), regime=Mixed(Rational(1, 10)), samples=100), V**2, 10, 0.9),
    "poisson": (Loop(Poisson(2), samples=10), Poisson(2).parameter ** 2, 30, 0.5),
}


@pytest.mark.parametrize("name", OTHERS)
def test_weighted_chains_agree_with_theory(name):
    """Assert agreement where the state is no product, a stated share of the chains telling it, and no wrong formula.

    So many chains that the skewness of a mean is far below what is not read.
    """
    loop, of, generations, share = OTHERS[name]
    run, truth = run_of(loop, of, generations, chains=16_000), expect(loop, of)
    verdict = agree(truth, run, level=LEVEL)
    assert verdict.verdict == "agree", verdict
    assert generations in verdict.generations
    assert run.effective[-1] > share * run.chains
    late = [value * (1 + Integer(k > 0) * 6 * verdict.smallest.max()) for k, value in enumerate(truth.values(2))]
    assert agree(truth, run, claim=late[-1], level=LEVEL).verdict == "disagree"


def test_absorption_where_plain_chains_have_all_stopped():
    """Assert E p(1 - p) = (1 - 1/M)^n/4 at n = 400, M = 10, where a million plain chains have one type left."""
    depth, exact = 400, float(log(Rational(1, 4) * Rational(M - 1, M) ** 400))
    # E p(1 - p) >= P(two types are left) (M - 1)/M^2, and the chains together have that chance at most.
    assert 1e6 * np.exp(exact) * M**2 / (M - 1) < 1e-10
    run = run_of(Loop(HALF, samples=M), p * (1 - p), depth, chains=3)
    assert abs(run.log_mean[-1] - exact) < depth * 10 * ROUNDING
    np.testing.assert_allclose(run.effective, 3)


x, y = symbols("x y", positive=True)
LAWS = {
    "chi-square": ChiSquare(x, 5),
    "maximum": Maximum(x, Integer(4)),
}


@pytest.mark.parametrize("name", LAWS)
def test_moments_under_a_tilt(name):
    """Assert E_Q[x^j dP/dQ] = E_P x^j: exactly, by the moments of the tilted law."""
    law, a = LAWS[name], Rational(3, 2)
    tilt: Any = steered(law, "t")
    power, norm, other = tilt.numbers
    value = tilt.numbers[other].subs(EXPONENT, a)
    under = type(law)(x, value)
    # dP/dQ = E_P[x^a] x^-a, of which the tilt keeps the logarithm.
    assert (tilt.log_weight - (norm - power * log(x))).expand() == 0
    for j in (0, 1, 3):
        weighted = law.moment((a,), (0,)) * under.moment((j - a,), (0,))
        assert (weighted - law.moment((Integer(j),), (0,))).simplify() == 0


def test_counts_kept_alive():
    """Assert sum over all counts of Q = 1 and of Q * weight * x1 * rest = E_P[x1 rest], by enumeration."""
    one, two, N = Symbol("x1"), Symbol("x2"), 4
    chances = (Rational(1, 2), Rational(1, 5))
    tilt: Any = kept_alive(Multinomial((one, two), Integer(N), chances), [one, None])
    left = tilt.law.trials
    total = mean = 0
    for i in range(int(left) + 1):
        for j in range(int(left) - i + 1):
            rest = left - i - j
            ways = factorial(left) / factorial(i) / factorial(j) / factorial(rest)
            mass = ways * chances[0] ** i * chances[1] ** j * (1 - sum(chances)) ** rest
            here = {one: i, two: j}
            weight = np.exp(float(tilt.log_weight.subs(here)))
            x1 = tilt.drawn[one].subs(here)
            total += mass
            mean += float(mass * x1**2 * (N - x1 - j)) * weight
    law = Multinomial((one, two), Integer(N), chances)
    wanted = (
        N * law.moment((Integer(2), S.Zero), (0, 0))
        - law.moment((Integer(3), S.Zero), (0, 0))
        - law.moment((Integer(2), S.One), (0, 0))
    )
    assert total == 1
    assert mean == pytest.approx(float(wanted), rel=1e-13)


@pytest.mark.parametrize("v2", [0, Rational(-1, 3), Rational(1, 2)])
def test_sums_kept_alive(v2):
    """Assert E_P[x g(x)] = N m E[g(1 + x')] for the sums x' of N + v_2 points, g = 1, x, x^2, by exact moments."""
    name = {0: "Poisson", -1: "Binomial", 1: "NegativeBinomial"}[int(np.sign(float(v2)))]
    law = NaturalSum(Symbol("x"), Integer(5), Rational(2, 3), POINT + v2 * POINT**2, name)
    tilt: Any = kept_alive(law, [law.symbol])
    moments = [tilt.law.moment((Integer(j),), (0,)) for j in range(3)]
    shifted = moments[0], moments[0] + moments[1], moments[0] + 2 * moments[1] + moments[2]
    for j, value in enumerate(shifted):
        assert (law.moment((Integer(j + 1),), (0,)) - law.size * law.mean * value).expand() == 0


def test_shift_of_a_normal():
    """Assert E[exp(a z)] dP/dQ = exp(a z) at the deviate that is meant."""
    eps = Symbol("eps", real=True)
    tilt: Any = steered(Normal(eps, Integer(4)), "t")
    (a,) = tilt.numbers
    meant = tilt.drawn[eps] / 2
    assert (tilt.log_weight + a * meant - a**2 / 2).expand() == 0


@pytest.mark.parametrize(
    ("loop", "of", "why"),
    [
        (Loop(Gaussian(0, 1), regime=Subsample(), samples=10), V, "Subset"),
        (Loop(Gaussian(0, 1), estimator=PosteriorDraw(), samples=5), V**2, "infinite"),
        (LOOP, Gaussian.mu**2, "no slope"),
        (Loop(HALF, samples=10), 1 + p, "Multinomial has no tilt"),
        (LOOP, 1 + Gaussian.mu**2, "nothing to tilt"),
    ],
)
def test_what_has_no_tilt_is_refused(loop, of, why):
    """Assert that a loop whose laws have no tilt is refused by name, with what to ask instead."""
    with pytest.raises(NotClosed, match=f"{why}.*Ask|{why}.*Take"):
        run_of(loop, of, 5)


def test_what_is_asked_wrongly():
    """Assert one sentence on a number of generations, an observable of both signs, and another loop's prediction."""
    with pytest.raises(ValueError, match="generations = 0"):
        run_of(LOOP, V, 0)
    with pytest.raises(ValueError, match="negative somewhere"):
        run_of(LOOP, V - Rational(1, 2), 30)
    with pytest.raises(ValueError, match="Derive and sample the same"):
        agree(expect(LOOP, V**2), run_of(LOOP, V, DEPTH, chains=4))


def test_weights_merge():
    """Assert that two parts have the sums of the whole, on the scale of the larger, and that zeros are numbers."""
    logs = np.random.default_rng(SEED % 2**32).normal(size=(50, 3)) * 2 + np.array([0, -2_000, 3_000])
    logs[:, 0] = -np.inf
    whole, parts = weighed(logs), weighed(logs[:20]).with_more(weighed(logs[20:]))
    for one, other in zip(
        (whole.mean, whole.squares, whole.cubes), (parts.mean, parts.squares, parts.cubes), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(whole.log_mean[1:], parts.log_mean[1:])
    assert whole.log_mean[0] == -np.inf == parts.log_mean[0]


def test_start_in_symbols():
    """Assert that a source in symbols takes its values from the start."""
    loop = Loop(Gaussian(), samples=M)
    run = tilted(loop, V**2, {"mu": 0, "V": 4}, generations=5, chains=2, seed=SEED)
    assert agree(expect(loop, V**2), run).verdict == "agree"
    np.testing.assert_allclose(run.log_mean, np.log(16) + np.arange(6) * np.log(9 * 11 / 100), atol=1e-12)
    assert np.all(run.exponents["chi_model"] == 2)
