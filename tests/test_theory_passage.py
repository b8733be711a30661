"""What follows from the random walk of log V: large deviations, first passage, half-lives, the limit of the mean."""

import math
import re
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sympy import Piecewise, Rational, S, digamma, expand_log, log, oo, polygamma, sqrt, symbols, zeta
from sympy import pi as PI

from theory import (
    MLE,
    V0,
    Exponential,
    Gaussian,
    Loop,
    M,
    MinMSE,
    NoClosedForm,
    NotClosed,
    Scaled,
    Schedule,
    Tempered,
    Unbiased,
    UnbiasedFor,
    c,
    drift,
    expect,
    law,
    mu0,
    n,
)
from theory.mean_limit import x
from theory.passage import DigammaInverse
from theory.stirling import expansion, h

mu, V = Gaussian.mu, Gaussian.V
HALF = Rational(1, 2)
SIZES = st.integers(2, 60)
COLLAPSING = [MLE(), Unbiased(), MinMSE(), UnbiasedFor(HALF), UnbiasedFor(2)]
# estimator: the limit of kappa as M grows
KAPPA = {Unbiased(): 1, MLE(): 2, MinMSE(): 3, UnbiasedFor(HALF): HALF, UnbiasedFor(Rational(5, 2)): Rational(5, 2)}


def of(estimator, samples=M):
    """The drift of the replace loop of an estimator."""
    return drift(Loop(Gaussian(), estimator=estimator, samples=samples))


@pytest.mark.parametrize("estimator", [MLE(), Unbiased(), Scaled(c)], ids=str)
def test_log_variance_is_a_trigamma(estimator):
    """Assert Var log g = psi_1((M - 1)/2) whatever the multiplier, against the moments of log V."""
    loop = Loop(Gaussian(), estimator=estimator)
    assert drift(loop).variance == polygamma(1, (M - 1) / 2)
    square, mean = (expect(loop, log(V) ** k).expression.subs({n: 1, M: 8, c: 2, V0: 3}) for k in (2, 1))
    assert abs((square - mean**2 - drift(loop).variance.subs(M, 8)).evalf(30)) < Rational(1, 10**20)


@settings(max_examples=50)
@given(st.fractions(Rational(1, 1000), 10**4, max_denominator=1000))
def test_inverse_of_the_digamma_function(point):
    """Assert psi^-1(psi(x)) = x to 25 digits, for x small and large."""
    point = Rational(point)
    found = DigammaInverse(digamma(point, evaluate=False)).evalf(30)
    assert abs(found / point - 1) < Rational(1, 10**25)


@settings(max_examples=25)
@given(SIZES, st.fractions(Rational(1, 5), 3, max_denominator=7))
def test_rate_is_the_least_log_moment(samples, multiplier):
    """Assert that E g^k is least at k*, that the rate is -log of it, and that k* has the sign of kappa."""
    found = of(Scaled(Rational(multiplier)), samples)
    deviation = found.large_deviation
    power, rate = deviation.power.evalf(40), deviation.rate.evalf(40)
    assert abs((found.rate - digamma(S(samples - 1) / 2) + digamma(S(samples - 1) / 2 + power)).evalf(30)) < 10**-20
    assert abs((log(found.factor(power)) + rate).evalf(30)) < Rational(1, 10**20)
    for other in (power * Rational(9, 10), power * Rational(11, 10)):
        assert log(found.factor(other)).evalf(30) > -rate
    assert power * found.kappa.evalf(20) >= 0
    assert rate >= 0


@pytest.mark.parametrize("estimator", KAPPA, ids=str)
def test_leading_rate_is_a_quarter_of_kappa_squared(estimator):
    """Assert the rate ~ kappa^2/(4M): 1/(4M) unbiased, 1/M maximum likelihood, 9/(4M) for the least square error."""
    leading = of(estimator).large_deviation.leading
    assert (leading - S(KAPPA[estimator]) ** 2 / (4 * M)).cancel() == 0
    exact = of(estimator, 10**4).large_deviation.rate.evalf(20)
    assert abs(exact / leading.subs(M, 10**4) - 1) < Rational(1, 500)


def test_leading_rate_of_a_constant_multiplier_grows_with_samples():
    """Assert M (log c - 1 + 1/c)/2, Cramer's rate of a gamma variable, and 0 for a driftless walk."""
    leading = of(Scaled(c)).large_deviation.leading
    assert (leading - M * (log(c) - 1 + 1 / c) / 2).expand() == 0
    exact = of(Scaled(Rational(4, 5)), 10**4).large_deviation.rate.evalf(30)
    assert abs(exact / leading.subs({M: 10**4, c: Rational(4, 5)}) - 1) < Rational(1, 1000)
    assert of(UnbiasedFor(0)).large_deviation.leading == 0


# (estimator, M): published rate
RATES = {(Unbiased(), 100): "0.0025252", (MLE(), 100): "0.010050"}


@pytest.mark.parametrize("case", RATES, ids=str)
def test_published_large_deviation_rates(case):
    """Assert the known values to their last digit."""
    published = RATES[case]
    rate = of(*case).large_deviation.rate.evalf(20)
    assert abs(rate - Rational(published)) < Rational(1, 2 * 10 ** len(published.split(".")[1]))


@pytest.mark.parametrize(("estimator", "level"), [(Unbiased(), 2), (MLE(), HALF), (UnbiasedFor(-1), HALF)], ids=str)
def test_rate_is_that_of_the_enclosed_probability(estimator, level):
    """Assert Chernoff's bound at every n, and -log P/n -> rate between n = 500 and 1500, by the certified law."""
    samples = 6
    loop = Loop(Gaussian(0, 1), estimator=estimator, samples=samples)
    deviation = drift(loop).large_deviation
    tails = {}
    for generation in (1, 20, 500, 1500):
        here = law(loop).at(n=generation)
        tail = here.sf(level) if deviation.power.evalf() > 0 else here.cdf(level)
        tails[generation] = mpmath.log(mpmath.mpf(tail.value.p) / tail.value.q)
        assert tail.upper < deviation.bound(level, generation).evalf(30)
    rate = float(deviation.rate.evalf())
    # The prefactor falls like n^(-1/2).
    slope = -(tails[1500] - tails[500] + mpmath.log(3) / 2) / 1000
    assert abs(slope / rate - 1) < 0.01


# estimator: (half-life of the mean, of the typical run), at M = 100
HALVES = {MLE(): ("69.0", "34.3"), Unbiased(): (oo, "68.4")}


@pytest.mark.parametrize("estimator", HALVES, ids=str)
def test_published_half_lives(estimator):
    """Assert the known values at M = 100, from the symbolic expressions, and that E V at the half-life is V0/2."""
    found = of(estimator)
    for kind, published in zip(("mean", "typical"), HALVES[estimator], strict=True):
        value = found.half_life(kind).subs(M, 100)
        assert value == published or abs(value.evalf() - Rational(published)) < Rational(1, 20)
    if found.half_life("mean") != oo:
        mean = expect(Loop(Gaussian(), estimator=estimator), V).expression
        assert (mean.subs(n, found.half_life("mean")).subs(M, 7) / V0 - HALF).simplify() == 0


def test_half_lives_that_never_come():
    """Assert oo where the mean or the typical run does not halve, and both cases where the symbols leave it open."""
    assert [of(UnbiasedFor(k)).half_life("mean") for k in (0, HALF, 1, -1)] == [oo] * 4
    assert [of(UnbiasedFor(k)).half_life("typical") for k in (0, -1)] == [oo] * 2
    assert of(UnbiasedFor(2)).half_life("mean").subs(M, 10).is_positive
    either = of(Scaled(c)).half_life("mean")
    assert isinstance(either, Piecewise)
    assert [either.subs(c, k) for k in (HALF, 2)] == [1, oo]


@pytest.mark.parametrize("estimator", COLLAPSING, ids=str)
@pytest.mark.parametrize("samples", [2, 10, 10**4])
def test_first_passage_bounds_are_in_order(estimator, samples):
    """Assert lower < approximation < upper < Lorden's bound, and that only log(1/eps)/|m| depends on eps."""
    found = of(estimator, samples)
    passage = found.first_passage(Rational(1, 100))
    names = ("lower", "mean", "upper", "lorden")
    values = [getattr(passage, name).evalf(20) for name in names]
    assert values == sorted(values)
    assert abs((passage.lower * found.rate + log(100)).evalf(20)) < Rational(1, 10**15)
    farther = found.first_passage(Rational(1, 10**4))
    share = (log(100) / found.rate).evalf(20)
    for name, value in zip(names, values, strict=True):
        assert abs(getattr(farther, name).evalf(20) - value + share) < Rational(1, 10**8)


def test_overshoot_of_a_normal_walk():
    """Assert 0.5826 standard deviations of a step, -zeta(1/2)/sqrt(2 pi), and the symbolic E T in eps and M."""
    eps = symbols("eps", positive=True)
    passage = of(Unbiased()).first_passage(eps)
    step = sqrt(polygamma(1, (M - 1) / 2))
    assert (passage.overshoot / step + zeta(HALF) / sqrt(2 * PI)).simplify() == 0
    assert abs((passage.overshoot / step).evalf() - Rational("0.5826")) < Rational(1, 20000)
    assert passage.mean.free_symbols == {eps, M}


# (M, eps): (mean, standard deviation) by simulation
PASSAGES = {(100, Rational(1, 100)): (462.2, 303.5)}


@pytest.mark.parametrize("case", PASSAGES)
def test_published_first_passage(case):
    """Assert the known mean and deviation of the unbiased loop within a fifth and half a percent of them."""
    samples, eps = case
    mean, deviation = PASSAGES[case]
    passage = of(Unbiased(), samples).first_passage(eps)
    assert abs(float(passage.mean.evalf()) / mean - 1) < 0.002
    assert abs(float(passage.deviation.evalf()) / deviation - 1) < 0.005


def test_simulated_first_passage_lies_within_the_bounds():
    """Assert Wald's and the residual-life bound on E T at M = 5, within 6.5 standard errors (1e-10) of fresh runs."""
    samples, eps, chains = 5, Rational(1, 50), 40_000
    rng = np.random.default_rng()
    level, times, running = np.zeros(chains), np.zeros(chains), np.ones(chains, bool)
    while running.any():
        level[running] += np.log(rng.chisquare(samples - 1, running.sum()) / (samples - 1))
        times += running
        running &= level >= math.log(eps)
    error = 6.5 * times.std() / math.sqrt(chains)
    passage = of(Unbiased(), samples).first_passage(eps)
    lower, mean, upper = (float(e.evalf()) for e in (passage.lower, passage.mean, passage.upper))
    assert lower - error < times.mean() < upper + error
    assert abs(times.mean() - mean) < error + (upper - lower) / 2
    assert upper - lower > 2 * error, "the runs must tell the two bounds apart"


@pytest.mark.parametrize("estimator", KAPPA, ids=str)
def test_mean_tends_to_a_student_law(estimator):
    """Assert t_(2 kappa) with scale sqrt(V0/kappa) for large M: density against the reference, centre mu0."""
    limit = of(estimator).mean_limit
    kappa = S(KAPPA[estimator])
    assert (limit.kappa, limit.df, limit.center, limit.spread) == (kappa, 2 * kappa, mu0, V0)
    density = limit.pdf.subs({mu0: 1, V0: 3})
    reference = stats.t(float(2 * kappa), loc=1, scale=math.sqrt(3 / kappa))
    for point in (-2, 1, Rational(5, 2)):
        assert abs(float(density.subs(x, point).evalf()) - reference.pdf(float(point))) < 1e-12


@pytest.mark.parametrize("estimator", [MLE(), MinMSE(), Scaled(Rational(99, 100))], ids=str)
def test_variance_of_the_limit_is_the_limit_of_the_variance(estimator):
    """Assert Var mu_infinity = lim Var mu_n at every M, and V0/(kappa - 1) for large M."""
    loop = Loop(Gaussian(), estimator=estimator)
    if isinstance(estimator, Scaled):
        loop = loop.at(M=5)
        with pytest.raises(NoClosedForm, match="does not tend to 1"):
            _ = drift(loop).mean_limit
        return
    limit = drift(loop).mean_limit
    assert (limit.variance - expect(loop, (mu - mu0) ** 2).limit()).cancel() == 0
    assert (limit.variance.limit(M, oo) - V0 / (limit.kappa - 1)).cancel() == 0


def test_variance_of_the_limit_may_be_infinite():
    """Assert oo for kappa <= 1, and the tail index 2 kappa at the loop's own M."""
    assert of(Unbiased()).mean_limit.variance == oo
    assert of(UnbiasedFor(HALF)).mean_limit.variance == oo
    assert of(Unbiased(), 7).mean_limit.tail_index == 2
    index = of(MLE(), 100).mean_limit.tail_index.evalf(20)
    assert abs(index - 2 * Rational("2.0050")) < Rational(1, 10**4)
    assert of(MLE(), 100).mean_limit.kappa == 2


@pytest.mark.parametrize("estimator", [Unbiased(), MLE()], ids=str)
def test_simulated_means_follow_the_student_law(estimator):
    """Assert the Dvoretzky-Kiefer-Wolfowitz band at a false alarm of 1e-9 around t_(2 kappa), at M = 200, and that the
    normal law of the same quartiles is outside it.
    """
    chains, samples = 6_000, 200
    rng = np.random.default_rng()
    multiplier = float(estimator.multiplier(S(samples)))
    means, variances = np.zeros(chains), np.ones(chains)
    for _ in range(2000):
        means += rng.normal(size=chains) * np.sqrt(variances / samples)
        variances *= multiplier * rng.chisquare(samples - 1, chains) / (samples - 1)
    kappa = float(of(estimator).mean_limit.kappa)
    band = math.sqrt(math.log(2 / 1e-9) / (2 * chains))
    right = stats.kstest(means, stats.t(2 * kappa, scale=kappa**-0.5).cdf).statistic
    assert right < band < stats.kstest(means, stats.norm(scale=1.6).cdf).statistic


def test_temperature_that_tends_to_one_shifts_kappa():
    """Assert kappa -> 1 - b for tau = 1 + b/M and c = 1: heating at rate b undoes collapse from b = 1 on."""
    for b, kappa in ((Rational(1, 4), Rational(3, 4)), (-S.One, 2)):
        found = drift(Loop(Gaussian(), estimator=Unbiased(), sampling=Tempered(1 + b / M)))
        assert found.mean_limit.kappa == kappa
    with pytest.raises(NotClosed, match="is not positive"):
        _ = drift(Loop(Gaussian(), estimator=Unbiased(), sampling=Tempered(1 + 1 / M))).mean_limit


def test_exponential_means_collapse_half_as_fast():
    """Assert E log g = psi(M) - log M and the rate 1/(8M), half of the unbiased variance's, for the fitted mean."""
    found = drift(Loop(Exponential()))
    assert (expand_log(found.rate, force=True) - digamma(M) + log(M)).expand() == 0
    assert (found.kappa, found.verdict, found.large_deviation.leading) == (1, "collapse", 1 / (8 * M))
    assert (found.variance - polygamma(1, M)).expand() == 0
    assert "V" not in found._repr_latex_()


def test_expansions_are_those_of_stirling():
    """Assert known series in 1/M and the numeric agreement of one with all functions in it."""
    assert expansion(digamma(M) - log(M), 3) == -h / 2 - h**2 / 12
    assert expansion(polygamma(1, M), 3) == h + h**2 / 2
    multiple = log(UnbiasedFor(HALF).multiplier(M))
    series = expansion(multiple, 3)
    assert series == h / 2 + h**2 / 2
    error = (multiple.subs(M, 10**3) - series.subs(h, Rational(1, 10**3))).evalf(30)
    assert abs(error) < Rational(1, 10**9)


WORD: Any = "median"
REFUSED = {
    "driftless": (lambda: of(UnbiasedFor(0)).first_passage(HALF), NotClosed, "driftless"),
    "explosion": (lambda: of(UnbiasedFor(-1)).first_passage(HALF), NotClosed, "explosion"),
    "no limit of the mean": (lambda: of(UnbiasedFor(-1)).mean_limit, NotClosed, "kappa -> -1"),
    "constant multiplier": (lambda: of(Scaled(c)).mean_limit, NoClosedForm, "does not tend to 1"),
    "no mean apart": (lambda: drift(Loop(Exponential())).mean_limit, NotClosed, "family: no parameter of Exponential"),
    "schedule": (lambda: drift(Loop(Gaussian(), regime=Schedule(M * n))), NotClosed, "changes from fit to fit"),
    "eps = 1": (lambda: of(MLE()).first_passage(1), ValueError, "eps = 1"),
    "float eps": (lambda: of(MLE()).first_passage(0.5), ValueError, "eps = 0.5 is a float"),
    "half-life": (lambda: of(MLE()).half_life(WORD), ValueError, "half_life('median')"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_questions_without_an_answer_are_refused(name):
    """Assert the kind of refusal and that it names the value."""
    attempt, kind, words = REFUSED[name]
    with pytest.raises(kind, match=re.escape(words)):
        attempt()


@pytest.mark.parametrize("estimator", [*COLLAPSING, UnbiasedFor(0)], ids=str)
def test_answers_are_well_formed_latex(estimator):
    """Assert balanced LaTeX without names of code, for every answer that the walk gives."""
    found = of(estimator)
    answers = [found.large_deviation]
    if found.verdict == "collapse":
        answers += [found.mean_limit, found.first_passage(Rational(1, 100))]
    for answer in answers:
        text = answer._repr_latex_()
        assert re.fullmatch(r"\$[^$]+\$", text)
        assert text.count(r"\left") == text.count(r"\right")
        assert text.count("{") == text.count("}")
        assert not re.search(r"DigammaInverse|KappaRoot|MeanFall|polygamma|loggamma|\*\*|mu0|V0", text)
