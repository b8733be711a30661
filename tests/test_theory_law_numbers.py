"""Numbers of the law of the fitted variance: every one inside its proved bounds."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, S, sqrt

from theory import (
    MLE,
    Gaussian,
    Loop,
    M,
    Scaled,
    Schedule,
    Tempered,
    Unbiased,
    UnbiasedFor,
    balls,
    law,
    n,
)
from theory.balls import Enclosure
from theory.law import x

SMALL = st.tuples(st.integers(1, 12), st.integers(2, 30))

POINTS = st.fractions(Rational(1, 50), 20, max_denominator=50)


def unbiased(generations, samples):
    """The law of V_n from V0 = 1 with the unbiased variance."""
    return law(Loop(Gaussian(0, 1), estimator=Unbiased())).at(n=generations, M=samples)


def meet(one, two):
    """Whether two enclosures can hold the same number."""
    return one.lower <= two.upper and two.lower <= one.upper


def near(enclosure, value, error):
    """Whether a value of known error can be the enclosed number."""
    return enclosure.lower - error <= value <= enclosure.upper + error


PUBLISHED = {("P(sigma_400 > 0.1)", 400, 100, Rational(1, 100)): "0.576934"}


@pytest.mark.parametrize("case", PUBLISHED)
def test_published_probability(case):
    """Assert the known value to its last digit: the unbiased loop from 1 at M = 100."""
    _, generations, samples, level = case
    value = unbiased(generations, samples).sf(level)
    assert abs(value.value - Rational(PUBLISHED[case])) < Rational(1, 2 * 10**6)
    assert value.radius < Rational(1, 10**17)


@settings(max_examples=30)
@given(SMALL, POINTS, st.integers(1, 5))
def test_coarse_bounds_hold_the_fine_value(sizes, point, digits):
    """Assert that the bounds are bounds: few digits enclose what many digits find, for tails and density."""
    here, point = unbiased(*sizes), Rational(point)
    for of in (here.sf, here.pdf):
        coarse, fine = of(point, digits=digits), of(point, digits=digits + 12)
        assert meet(coarse, fine)
        assert coarse.lower <= fine.value <= coarse.upper
        assert 0 <= coarse.radius <= max(fine.value, 1 - fine.value if of == here.sf else 0) / 10**digits


@pytest.mark.parametrize(("generations", "samples"), [(2, 3), (7, 5), (400, 100), (300, 10**4)])
def test_inverse_mellin_integral_by_another_method(generations, samples):
    """Assert the tails against rigorous adaptive integration of the inverse Mellin transform (bounded cut-off)."""
    flint = pytest.importorskip("flint")
    here = unbiased(generations, samples)
    median = here.median(digits=3).value
    with flint.ctx.workprec(160):
        for point in (median / 2, median * 2):
            value = _integrated(flint, generations, samples, point)
            assert near(here.sf(point), float(value.mid()), 1e-9)


def _integrated(flint, generations, samples, point):
    """P(V_n > x) = 1/pi int_0^T Re[E V^(sigma + it) x^-(sigma + it)/(sigma + it)] dt on one line with sigma > 0."""
    a = flint.arb(samples - 1) / 2
    level = (flint.arb(flint.fmpq(int(point.p), int(point.q)))).log() + generations * a.log()
    width = float((generations * flint.acb(a).polygamma(1).real).sqrt().mid())
    sigma = flint.arb(min(1.0, 1 / width))

    def log_transform(z):
        return generations * ((a + z).lgamma() - a.lgamma()) - z * level

    def on_the_line(w, _):
        z = sigma + flint.acb(0, 1) * w
        if not z.real > -a / 2:
            return flint.acb("nan")
        middle = flint.acb(z.real.mid(), z.imag.mid())
        if z.rad() == 0:
            exponent = log_transform(z)
        else:  # the mean value form, since n log Gamma and z log x nearly cancel
            exponent = log_transform(middle) + (z - middle) * (generations * (a + z).digamma() - level)
        return exponent.exp() / z

    end = max(40.0 / width, 40.0 / generations)
    total = flint.acb.integral(on_the_line, 0, end, rel_tol=2**-50, abs_tol=2**-50)
    return total.real / flint.arb.pi()


def test_median_against_the_log_normal():
    """Assert that N(n m, n psi_1) gives the median within 1 % at n = 100 and ever better in the middle."""
    for estimator in (Unbiased(), MLE()):
        here = law(Loop(Gaussian(0, 1), estimator=estimator)).at(n=100, M=100)
        center = float(here.law.log_mean.evalf())
        assert abs(float(here.median()) / math.exp(center) - 1) < 0.01


@settings(max_examples=8)
@given(SMALL, st.fractions(Rational(1, 1000), Rational(999, 1000), max_denominator=1000))
def test_quantile_inverts_the_distribution(sizes, chance):
    """Assert F(lower) <= p <= F(upper) at the ends of the enclosed quantile, and that it is narrow."""
    here, chance = unbiased(*sizes), Rational(chance)
    value = here.quantile(chance, digits=10)
    assert here.cdf(value.lower, 20).upper <= chance <= here.cdf(value.upper, 20).lower
    assert value.radius < value.value / 10**8


@settings(max_examples=10)
@given(SMALL, st.fractions(Rational(1, 10), 10, max_denominator=10), POINTS)
def test_scale_passes_through(sizes, start, point):
    """Assert P(V_n > V0 x | V0) = P(V_n > x | 1), and that a multiplier c shifts by c^n."""
    start, point = Rational(start), Rational(point)
    generations, samples = sizes
    plain = unbiased(*sizes).sf(point, 12)
    scaled = law(Loop(Gaussian(0, start), estimator=Unbiased())).at(n=generations, M=samples)
    times = law(Loop(Gaussian(0, 1), estimator=Scaled(start))).at(n=generations, M=samples)
    assert meet(plain, scaled.sf(start * point, 12))
    assert meet(plain, times.sf(start**generations * point, 12))


def test_irrational_multipliers_are_enclosed():
    """Assert that medians differ by c^n for the estimators whose c holds Gamma functions, exponentials and roots."""
    generations, samples = 50, 20
    plain = unbiased(generations, samples).median()
    for power in (0, Rational(1, 2), Rational(1, 3), -1, 2):
        loop = Loop(Gaussian(0, 1), estimator=UnbiasedFor(power))
        multiple = loop.estimator.multiplier(S(samples)).evalf(30) ** generations
        value = law(loop).at(n=generations, M=samples).median()
        assert near(value, (plain.value * multiple).evalf(30), 2 * value.radius)


def test_temperature_is_a_multiple():
    """Assert that sampling at temperature tau shifts the law by tau^n."""
    hot = law(Loop(Gaussian(0, 1), estimator=Unbiased(), sampling=Tempered(Rational(11, 10)))).at(n=5, M=4)
    assert meet(hot.sf(2 * Rational(11, 10) ** 5), unbiased(5, 4).sf(2))


def test_schedule_is_a_list_of_shapes():
    """Assert that only the set of sizes matters, that equal sizes are the replace regime, and a growing schedule."""

    def by_sizes(*sizes):
        return law(Loop(Gaussian(0, 1), estimator=Unbiased(), regime=Schedule(list(sizes)))).at(n=len(sizes))

    assert meet(by_sizes(5, 9, 20).sf(1), by_sizes(20, 5, 9).sf(1))
    assert meet(by_sizes(6, 6, 6).sf(1), unbiased(3, 6).sf(1))
    growing = law(Loop(Gaussian(0, 1), estimator=Unbiased(), regime=Schedule(M * n**2)))
    assert meet(growing.at(n=3, M=3).sf(1), by_sizes(3, 12, 27).sf(1))
    assert by_sizes(5, 9, 20).law.factors == Counter(dict.fromkeys(by_sizes(5, 9, 20).law.factors, 1))
    for point in (Rational(1, 2), S.One):
        value = by_sizes(5, 9).law.pdf.subs(x, point).evalf(20)
        assert near(by_sizes(5, 9).pdf(point), value, Rational(1, 10**14))


def test_density_is_the_slope_of_the_distribution():
    """Assert (b - a) f(a) > F(b) - F(a) > (b - a) f(b) where the density falls."""
    here = unbiased(9, 8)
    a, b = Rational(2), Rational(201, 100)
    rise = here.cdf(b).value - here.cdf(a).value
    assert (b - a) * here.pdf(a).lower > rise > (b - a) * here.pdf(b).upper


@pytest.mark.parametrize(("generations", "samples"), [(3, 4), (60, 12), (100, 1000)])
def test_without_flint_the_same_bounds(monkeypatch, generations, samples):
    """Assert that mpmath's intervals enclose the same numbers where python-flint is missing."""
    here = unbiased(generations, samples)
    asked = (lambda: here.sf(Rational(4, 5)), lambda: here.pdf(Rational(4, 5)), lambda: here.median(digits=8))
    fast = [of() for of in asked]
    monkeypatch.setattr(balls, "flint", None)
    slow = [of() for of in asked]
    for one, two in zip(fast, slow, strict=True):
        assert meet(one, two)
        assert two.radius < 10 * one.radius + Rational(1, 10**15)


@pytest.mark.parametrize(("generations", "samples"), [(1000, 100), (500, 10**4), (900, 2)])
def test_many_generations_and_samples(generations, samples):
    """Assert certified medians and far tails at n in the hundreds and M to 10^4, with a relative error below 1e-14."""
    here = unbiased(generations, samples)
    median = here.median()
    assert median.radius < median.value / 10**14
    for point in (median.value / 10**3, median.value * 10**3):
        tail = min((here.cdf(point), here.sf(point)), key=lambda one: one.value)
        assert tail.radius < tail.value / 10**12


def test_simulated_runs_follow_the_law():
    """Assert the Dvoretzky-Kiefer-Wolfowitz band at a false alarm of 1e-9 over 10^5 fresh runs refitted from raw data,
    and that the law of one generation more lies outside it.
    """
    chains, generations, samples = 10**5, 10, 5
    rng = np.random.default_rng()
    means, variances = np.zeros(chains), np.ones(chains)
    for _ in range(generations):
        points = rng.normal(means, np.sqrt(variances), (samples, chains))
        means, variances = points.mean(0), points.var(0, ddof=1)
    band = math.sqrt(math.log(2 / 1e-9) / (2 * chains))
    right, wrong = (_distance(unbiased(k, samples), variances) for k in (generations, generations + 1))
    assert right < band < wrong


def _distance(here, sample):
    levels = [Rational(1, 10**k) for k in range(5)]
    return max(abs(np.mean(sample <= float(level)) - float(here.cdf(level))) for level in levels)


def test_population_limit_of_the_spread():
    """Assert that V_n gathers at V0 as M grows: P(|V_1 - 1| > 1/10) falls below 1e-6 at M = 10^4."""
    here = unbiased(1, 10**4)
    assert here.cdf(Rational(9, 10)).upper + here.sf(Rational(11, 10)).upper < Rational(1, 10**6)
    assert here.cdf(0) == Enclosure(S.Zero, S.Zero)
    assert here.cdf(-1) == Enclosure(S.Zero, S.Zero)


@settings(max_examples=60)
@given(st.fractions(-100, 100), st.fractions(0, 1), st.integers(-40, 3))
def test_enclosure_prints_what_it_encloses(middle, width, exponent):
    """Assert that the printed value and error still cover both ends."""
    radius = Rational(width) * Rational(10) ** exponent
    enclosure = Enclosure(Rational(middle) - radius, Rational(middle) + radius)
    value, _, error = str(enclosure).partition(" +- ")
    slack = Rational(error) if error else S.Zero
    assert Rational(value) - slack <= enclosure.lower
    assert enclosure.upper <= Rational(value) + slack
    assert slack <= 2 * radius + abs(enclosure.value) / 10
    assert enclosure.value in enclosure


def test_roots_are_points_too():
    """Assert that a point such as sqrt(2)/2 is enclosed, not rounded."""
    here = unbiased(4, 6)
    exact, below, above = here.cdf(sqrt(2) / 2), here.cdf(Rational(7071, 10**4)), here.cdf(Rational(7072, 10**4))
    assert below.upper < exact.lower < exact.upper < above.lower
