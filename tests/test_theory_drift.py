"""The random walk of log V: kappa, the power of V that the estimator keeps on average, decides a run's fate."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Rational, Symbol, digamma, exp, expand_log, gamma, log, oo, sqrt

from theory import MLE, V0, Gaussian, Loop, M, NotClosed, Scaled, Tempered, Unbiased, c, drift, expect, n, tau

V, nu = Gaussian.V, M - 1
MIN_MSE = (M - 1) / (M + 1)
SIGMA_UNBIASED = nu / 2 * gamma(nu / 2) ** 2 / gamma((nu + 1) / 2) ** 2
LOG_UNBIASED = exp(log(nu / 2) - digamma(nu / 2))
PRECISION_UNBIASED = nu / (nu - 2)


def loop(multiplier, samples=M):
    """The replace loop of an estimator c, symbolic or with numbers."""
    return Loop(Gaussian(), estimator=Scaled(multiplier)).at(M=samples)


# multiplier: (kappa, verdict), for every M
MAP = {
    "unbiased for V": (1, 1, "collapse"),
    "unbiased for sigma": (SIGMA_UNBIASED, Rational(1, 2), "collapse"),
    "unbiased for log V": (LOG_UNBIASED, 0, "driftless"),
    "unbiased for 1/V": (PRECISION_UNBIASED, -1, "explosion"),
    "unbiased for V^2": (sqrt(nu / (nu + 2)), 2, "collapse"),
    "unbiased for V^3": (nu / ((nu * (nu + 2) * (nu + 4)) ** Rational(1, 3)), 3, "collapse"),
    "unbiased for V^-2": (nu / sqrt((nu - 2) * (nu - 4)), -2, "explosion"),
}


@pytest.mark.parametrize("name", MAP)
@pytest.mark.parametrize("samples", [M, 7, 20], ids=str)
def test_kappa_names_the_moment_that_is_kept(name, samples):
    """Assert the known map from the estimator to kappa and the verdict, with M symbolic and with numbers."""
    multiplier, kappa, verdict = MAP[name]
    found = drift(loop(multiplier, samples))
    assert (found.kappa, found.verdict) == (kappa, verdict)


@pytest.mark.parametrize("estimator", [Unbiased(), MLE(), Scaled(MIN_MSE)], ids=str)
@pytest.mark.parametrize("samples", [M, 2, 10], ids=str)
def test_usual_estimators_collapse(estimator, samples):
    """Assert that E g <= 1 is enough: every run collapses, even where E V never moves."""
    assert drift(Loop(Gaussian(), estimator=estimator).at(M=samples)).verdict == "collapse"


@pytest.mark.parametrize("samples", [2, 3, 5, 10, 100, 10**4])
@pytest.mark.parametrize("multiplier", [nu / M, MIN_MSE, Rational(9, 10), Rational(3, 2)], ids=str)
def test_kappa_solves_its_equation(samples, multiplier):
    """Assert E g^kappa = 1 to 25 digits, kappa != 0, where kappa has no closed form."""
    found = drift(loop(multiplier, samples))
    kappa = found.kappa.evalf(40)
    assert abs(kappa) > Rational(1, 100)
    assert abs((found.factor(kappa) - 1).evalf(40)) < Rational(1, 10**25)


PUBLISHED = {5: "2.115", 10: "2.0535", 100: "2.0050"}


@pytest.mark.parametrize("samples", PUBLISHED)
def test_kappa_of_maximum_likelihood_is_slightly_above_two(samples):
    """Assert the known values to their last digit, and that kappa falls to 2 like 1/(2M) as M grows."""
    kappa = drift(Loop(Gaussian(), samples=samples)).kappa.evalf(30)
    published = PUBLISHED[samples]
    assert abs(kappa - Rational(published)) < Rational(1, 2 * 10 ** len(published.split(".")[1]))
    assert 0 < kappa - 2 < Rational(2, samples)


def test_kappa_of_maximum_likelihood_tends_to_two():
    """Assert the limit of large M: 2 for maximum likelihood and 3 for the smallest mean square error."""
    for multiplier, limit in ((nu / M, 2), (MIN_MSE, 3)):
        gaps = [drift(loop(multiplier, size)).kappa.evalf(30) - limit for size in (10**3, 10**4)]
        assert abs(gaps[0] / gaps[1] - 10) < Rational(1, 10)


@settings(max_examples=40)
@given(st.integers(2, 40), st.fractions(Rational(1, 10), 4, max_denominator=12))
def test_drift_has_the_sign_against_kappa(samples, multiplier):
    """Assert sign(E log g) = -sign(kappa), and that the verdict says the same."""
    assume(samples > 2 or multiplier != 1)
    found = drift(loop(Rational(multiplier), samples))
    rate, kappa = found.rate.evalf(30), found.kappa.evalf(30)
    assert rate * kappa < 0
    assert found.verdict == ("collapse" if kappa > 0 else "explosion")


@settings(max_examples=20)
@given(st.integers(2, 40), st.fractions(Rational(1, 10), 4, max_denominator=12))
def test_rate_is_the_slope_of_the_expected_log(samples, multiplier):
    """Assert E log V_n = log V0 + n rate, against the closed form that `expect` derives by moments."""
    here = loop(Rational(multiplier), samples)
    difference = expect(here, log(V)).expression - (log(V0) + n * drift(here).rate)
    assert expand_log(difference.subs(n, 3), force=True, factor=True).expand() == 0


@pytest.mark.parametrize("samples", [4, 9])
@pytest.mark.parametrize("power", [1, 2, -1, Rational(1, 2), Rational(3, 2)])
def test_factor_is_the_base_of_the_moment(samples, power):
    """Assert E V_n^k = V0^k factor(k)^n, at the powers that both know."""
    here = loop(c, samples)
    moment = expect(here, V**power).expression / V0**power
    assert (moment.subs(n, 1) / drift(here).factor(power)).simplify() == 1


@pytest.mark.parametrize(("estimator", "critical"), [(Unbiased(), "1.05501"), (MLE(), "1.11054")], ids=str)
def test_temperature_has_a_critical_value(estimator, critical):
    """Assert the critical temperature tau_c = exp(-rate) at M = 20: collapse just below it, explosion just above."""
    here = Loop(Gaussian(), estimator=estimator, samples=20)
    turning = exp(-drift(here).rate)
    assert abs(turning.evalf(20) - Rational(critical)) < Rational(1, 10**5)
    step = Rational(1, 10**4)
    cooler, hotter = (Tempered(Rational(critical) + shift) for shift in (-step, step))
    assert drift(Loop(Gaussian(), estimator=estimator, sampling=cooler, samples=20)).verdict == "collapse"
    assert drift(Loop(Gaussian(), estimator=estimator, sampling=hotter, samples=20)).verdict == "explosion"


def test_mean_and_typical_run_part_between_one_and_the_critical_temperature():
    """Assert the field's paradox: 1 < tau < tau_c and c = 1 gives E V -> oo while every run collapses."""
    here = Loop(Gaussian(), estimator=Unbiased(), sampling=Tempered(Rational(103, 100)), samples=20)
    assert expect(here, V).limit() == oo
    assert drift(here).verdict == "collapse"


def test_verdict_that_depends_on_the_symbols_is_undecided():
    """Assert that nothing is guessed for a symbolic c or tau, and that numbers decide."""
    assert drift(Loop(Gaussian(), estimator=Scaled(c))).verdict == "undecided"
    assert drift(Loop(Gaussian(), sampling=Tempered(tau))).verdict == "undecided"
    assert drift(loop(Rational(3, 2), 10)).verdict == "explosion"
    assert drift(loop(Rational(3, 2), 2)).verdict == "collapse"


def test_equation_is_what_kappa_solves():
    """Assert that the equation shown for a symbolic loop holds at kappa once numbers are put in."""
    found = drift(Loop(Gaussian(), estimator=Scaled(c)))
    kappa = Symbol("kappa", real=True)
    at = {M: 10, c: Rational(9, 10)}
    numeric = drift(loop(Rational(9, 10), 10)).kappa.evalf(40)
    left, right = (side.subs(at).subs(kappa, numeric) for side in found.equation.args)
    assert abs((left - right).evalf(30)) < Rational(1, 10**25)


def test_population_has_no_random_walk():
    """Assert that without statistical error there is no chi-square factor, and the refusal says so."""
    with pytest.raises(NotClosed, match="independent chi-square factor"):
        drift(Loop(Gaussian(), samples=oo))


@pytest.mark.parametrize("samples", [10**4, 10**6])
def test_large_samples_stay_readable(samples):
    """Assert that M in the thousands gives a short exact answer, not a fraction of 10^4 digits: about -2/M."""
    rate = drift(Loop(Gaussian(0, 1), samples=samples)).rate
    closed = expect(Loop(Gaussian(0, 1), samples=samples), log(V))
    assert len(str(closed.expression)) < 100
    assert abs((rate * samples + 2).evalf(20)) < Rational(10, samples)
    assert abs((closed.at(n=3) - 3 * rate).evalf(20)) < Rational(1, 10**15)
    assert len(str(expect(Loop(Gaussian(0, 1), samples=samples), sqrt(V)).expression)) < 100
