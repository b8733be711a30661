"""The law of the fitted variance in symbols: Meijer G, its moments, what it is known to be, and what is refused."""

import re

import mpmath
import pytest
from mpmath import mp
from scipy import stats
from sympy import Float, I, IndexedBase, Rational, S, Symbol, diff, gamma, log, meijerg, oo

from theory import (
    MLE,
    V0,
    Accumulate,
    Bernoulli,
    Exponential,
    Gamma,
    Gaussian,
    Loop,
    M,
    MinMSE,
    Mixed,
    NotClosed,
    PosteriorDraw,
    Scaled,
    Schedule,
    Unbiased,
    UnbiasedFor,
    alpha,
    c,
    expect,
    law,
    n,
)
from theory.law import MeijerProduct, s, t, x

V = Gaussian.V


def unbiased(generations, samples):
    """The law of V_n from V0 = 1 with the unbiased variance."""
    return law(Loop(Gaussian(0, 1), estimator=Unbiased())).at(n=generations, M=samples)


def near(enclosure, value, error):
    """Whether a value of known error can be the enclosed number."""
    return enclosure.lower - error <= value <= enclosure.upper + error


@pytest.mark.parametrize("power", [1, 2, 3, -1])
@pytest.mark.parametrize("estimator", [MLE(), Unbiased(), Scaled(c), MinMSE()], ids=str)
def test_mellin_transform_is_the_moment(estimator, power):
    """Assert E V_n^k as `expect` derives it from the recurrence, at generations 1 to 3."""
    loop = Loop(Gaussian(), estimator=estimator)
    for generation in (1, 2, 3):
        moment = law(loop).mellin.subs({s: power, n: generation}).gammasimp()
        closed = expect(loop, V**power).expression.subs(n, generation)
        assert (moment / closed).simplify() == 1


def test_characteristic_function_differentiates_to_the_mean_log():
    """Assert phi(0) = 1 and phi'(0) = i E log V_n, and the variance of log V_n against the moments of log V."""
    loop = Loop(Gaussian(), samples=7)
    here = law(loop)
    assert here.characteristic.subs(t, 0) == 1
    slope = diff(here.characteristic, t).subs(t, 0) / I
    difference = slope.subs({n: 3, V0: 2}) - here.log_mean.subs({n: 3, V0: 2})
    assert abs(difference.evalf(30)) < Rational(1, 10**25)
    square, mean = (expect(loop, log(V) ** k).at(n=3, V0=2) for k in (2, 1))
    assert abs((square - mean**2 - here.log_variance.subs(n, 3)).evalf(30)) < Rational(1, 10**20)


def test_whole_generation_is_a_meijerg_of_sympy():
    """Assert n copies of (M - 1)/2 at a whole n, and the name that stands for them at a symbolic one."""
    here = law(Loop(Gaussian(), estimator=Unbiased()))
    nu = (M - 1) / 2
    z = x * nu**3 / V0
    expected = meijerg([[], []], [[nu] * 3, []], z) / (x * gamma(nu) ** 3)
    assert here.pdf.has(MeijerProduct)
    assert (here.pdf.subs(n, 3) / expected).simplify() == 1
    assert (here.at(n=3).pdf / expected).simplify() == 1
    assert (here.at(n=3).cdf / (meijerg([[1], []], [[nu] * 3, [0]], z) / gamma(nu) ** 3)).simplify() == 1


@pytest.mark.parametrize("samples", [2, 3, 10, 101, 10**4])
def test_first_generation_is_chi_square(samples):
    """Assert P(V_1 <= x) of chi-square(M - 1)/(M - 1), to the precision of the reference."""
    here, nu = unbiased(1, samples), samples - 1
    for point in (Rational(1, 3), Rational(99, 100), Rational(3, 2)):
        reference = stats.chi2(nu, scale=1 / nu)
        assert near(here.cdf(point), reference.cdf(float(point)), 1e-11)
        assert near(here.pdf(point), reference.pdf(float(point)), 1e-11 * (1 + reference.pdf(float(point))))
        assert here.cdf(point).radius < Rational(1, 10**15)


@pytest.mark.parametrize(("family", "shape"), [(Exponential(1), 1), (Gamma(Rational(5, 2), 1), Rational(5, 2))])
def test_mean_of_a_gamma_sample_has_the_law_of_its_own(family, shape):
    """Assert Gamma(r M, 1/(r M)) for the first fitted mean of exponential and gamma points, named by no family."""
    samples = 4
    here = law(Loop(family)).at(n=1, M=samples)
    reference = stats.gamma(float(shape * samples), scale=1 / float(shape * samples))
    for point in (Rational(1, 2), Rational(3, 2)):
        assert near(here.cdf(point), reference.cdf(float(point)), 1e-12)


def test_three_points_give_an_exponential():
    """Assert P(V_1 > x) = exp(-x) at M = 3, to forty digits, and its quantiles -log(1 - p)."""
    here = unbiased(1, 3)
    with mpmath.workdps(60):
        for point in (Rational(1, 7), S.One, Rational(50)):
            truth = Rational(str(mpmath.exp(-mp.mpf(point.p) / point.q)))
            value = here.sf(point, digits=40)
            assert near(value, truth, Rational(1, 10**58))
            assert value.radius < truth / 10**39
        for chance in (Rational(1, 1000), Rational(1, 2), Rational(999999, 10**6)):
            truth = Rational(str(-mpmath.log(1 - mp.mpf(chance.p) / chance.q)))
            value = here.quantile(chance, digits=30)
            assert value.lower < truth < value.upper
            assert value.radius < truth / 10**28


@pytest.mark.parametrize(("samples", "multiplier"), [(2, 1), (5, Rational(4, 5)), (40, 1), (1001, Rational(3, 2))])
def test_second_generation_has_the_bessel_density(samples, multiplier):
    """Assert f(x) = 2 (x/theta^2)^(a - 1) K_0(2 sqrt(x)/theta)/(Gamma(a)^2 theta^2), a = nu/2, theta = 2c/nu."""
    here = law(Loop(Gaussian(0, 1), estimator=Scaled(multiplier))).at(n=2, M=samples)
    with mpmath.workdps(40):
        a = mp.mpf(samples - 1) / 2
        theta = mp.mpf(Rational(multiplier).p) / Rational(multiplier).q / a
        for point in (Rational(1, 5), S.One, Rational(21, 10)):
            y = mp.mpf(point.p) / point.q / theta**2
            truth = 2 * y ** (a - 1) * mpmath.besselk(0, 2 * mpmath.sqrt(y)) / (mpmath.gamma(a) * theta) ** 2
            value = here.pdf(point, digits=25)
            assert near(value, Rational(str(truth)), Rational(1, 10**30))
            assert value.radius < value.value / 10**23


@pytest.mark.parametrize("generations", [2, 3])
def test_numbers_are_those_of_the_meijer_function(generations):
    """Assert that the symbolic pdf and cdf, evaluated as Meijer G-functions, lie in the enclosures."""
    loop = Loop(Gaussian(0, 1), samples=6)
    symbolic, numeric = law(loop), law(loop).at(n=generations)
    for point in (Rational(1, 4), Rational(6, 5)):
        for name in ("pdf", "cdf"):
            value = getattr(symbolic, name).subs(n, generations).subs(x, point).evalf(20)
            assert near(getattr(numeric, name)(point), value, Rational(1, 10**14))


LAWS = {
    "symbols": law(Loop(Gaussian())),
    "any c": law(Loop(Gaussian(), estimator=Scaled(c))),
    "sigma": law(Loop(Gaussian(), estimator=UnbiasedFor(Rational(1, 2)))),
    "third generation": law(Loop(Gaussian())).at(n=3),
    "schedule": law(Loop(Gaussian(), regime=Schedule(M * n**2))),
    "sequence": law(Loop(Gaussian(), regime=Schedule(IndexedBase("M", integer=True, positive=True)))),
}


@pytest.mark.parametrize("name", LAWS)
def test_law_is_well_formed_latex(name):
    """Assert balanced braces and delimiters in one formula, with density, distribution and Mellin transform."""
    text = LAWS[name]._repr_latex_()
    assert re.fullmatch(r"\$[^$]+\$", text)
    assert text.count(r"\left") == text.count(r"\right")
    assert text.count("{") == text.count("}")
    assert text.count(r"\begin") == text.count(r"\end")
    assert not re.search(r"MeijerProduct|Lambda|meijerg|gamma\(|\*\*|V0", text)
    assert ("underbrace" in text) == (name in ("symbols", "any c", "sigma"))


REFUSED = {
    "accumulate": lambda: law(Loop(Gaussian(), regime=Accumulate())),
    "mixed": lambda: law(Loop(Gaussian(), regime=Mixed(alpha))),
    "a coin": lambda: law(Loop(Bernoulli())),
    "a posterior draw": lambda: law(Loop(Gaussian(), estimator=PosteriorDraw())),
    "the population": lambda: law(Loop(Gaussian(), samples=oo)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_loops_are_refused_by_name(name):
    """Assert that no law is made up where V' is not V times an independent gamma factor."""
    with pytest.raises(NotClosed, match=r"^family: \w+ has no .*Ask "):
        REFUSED[name]()


WRONG = {
    "n = 0": (lambda: law(Loop(Gaussian())).at(n=0), "n = 0"),
    "n = 1/2": (lambda: law(Loop(Gaussian())).at(n=Rational(1, 2)), "n = 1/2"),
    "float x": (lambda: unbiased(2, 3).cdf(0.5), "x = 0.5 is a float"),
    "symbolic x": (lambda: unbiased(2, 3).cdf(Symbol("y", real=True)), "x = y is no number"),
    "density at 0": (lambda: unbiased(2, 3).pdf(0), "x = 0"),
    "p = 1": (lambda: unbiased(2, 3).quantile(1), "p = 1"),
    "no digits": (lambda: unbiased(2, 3).cdf(1, digits=0), "digits = 0"),
    "a point without enclosure": (lambda: unbiased(2, 3).cdf(Float(1).as_expr()), "float"),
    "a schedule too short": (
        lambda: law(Loop(Gaussian(0, 1), regime=Schedule([3, 4]))).at(n=3).cdf(1), "the schedule ends after 2"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    """Assert a ValueError that names the value."""
    attempt, words = WRONG[name]
    with pytest.raises(ValueError, match=re.escape(words)):
        attempt()
