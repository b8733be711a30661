"""The laws of natural exponential families: cumulants from the variance function, and NumPyro's moments."""

from itertools import pairwise
from math import atan, cos, exp, pi

import jax
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpyro import distributions as dist
from scipy.integrate import quad
from sympy import (
    Add,
    Rational,
    S,
    Symbol,
    gamma,
    symbols,
)

from proofs.testing.equality import vanishes
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Binomial,
    Exponential,
    Gamma,
    HyperbolicSecant,
    Loop,
    M,
    Mixed,
    NegativeBinomial,
    Poisson,
    alpha,
    expect,
)
from theory.families.base import Batch
from theory.laws.natural_sum import POINT, NaturalSum
from theory.symbols import N, q0, r

approx = pytest.approx


# The moments behind it ------------------------------------------------------------------------------------------------


def cumulants(law, order):
    """Cumulants of a sum from its raw moments, by the recursion kappa_k = m_k - sum_j C(k-1, j-1) kappa_j m_(k-j)."""
    moments = [law.moment((S(k),), (0,)) for k in range(order + 1)]
    found = []
    for k in range(1, order + 1):
        rest = sum(_choose(k - 1, j) * found[j] * moments[k - 1 - j] for j in range(k - 1))
        found.append((moments[k] - rest).expand())
    return found


def _choose(above, below):
    return gamma(above + 1) / gamma(below + 1) / gamma(above - below + 1)


@settings(max_examples=10)
@given(st.tuples(*[st.integers(-3, 3)] * 3), st.integers(1, 9))
def test_cumulants_follow_the_variance_function(weights, size):
    """Assert kappa_(j+1) = V(m) d kappa_j/dm and kappa_1 = N m up to order 6, for any quadratic V."""
    m = Symbol("m")
    variance = Add(*(w * POINT**k for k, w in enumerate(weights)))
    found = cumulants(NaturalSum(Symbol("x"), S(size), m, variance, "any"), 6)
    assert found[0] == size * m
    for before, after in pairwise(found):
        assert vanishes(after - variance.subs(POINT, m) * before.diff(m) if weights != (0, 0, 0) else after)


@pytest.mark.parametrize("order", range(7))
def test_general_law_has_the_moments_of_the_special_ones(order):
    """Assert that sums by V(m) agree with chi-squares for the gamma family, and with binomial counts for one trial."""
    mean = Gamma.mean
    (squares,) = Gamma().batch({mean: mean}, M, "model").laws
    direct = (mean / (2 * r)) ** order * squares.moment((S(order),), (0,))
    assert vanishes(direct - NaturalSum(Symbol("x"), M, mean, POINT**2 / r, "Gamma").moment((S(order),), (0,)))
    (one,), (other,) = (f.batch({Bernoulli.p: q0}, M, "model").laws for f in (Binomial(1), Bernoulli()))
    assert vanishes(one.moment((S(order),), (0,)) - other.moment((S(order),), (0,)).rewrite(gamma).expand(func=True))


def test_one_trial_is_bernoulli():
    """Assert that Binomial(1) and Bernoulli have the same fourth moment in every regime."""
    p = Bernoulli.p
    for regime in (Accumulate(), Mixed(alpha), Mixed(alpha, count="bernoulli")):
        one, two = (expect(Loop(f, regime=regime), p**4).values(3) for f in (Binomial(1), Bernoulli()))
        assert all(vanishes(a - b) for a, b in zip(one, two, strict=True))


def test_trials_and_points_are_the_same_thing():
    """Assert that M points of N trials are M N points of one, and shape r with M points is shape 1 with r M."""
    p = Binomial.p
    assert vanishes(expect(Loop(Binomial(3)), p**4).next() - expect(Loop(Binomial(1), samples=3 * M), p**4).next())
    mean = Gamma.mean
    assert (
        expect(Loop(Gamma(3)), sp.log(mean)).next() == expect(Loop(Exponential(), samples=3 * M), sp.log(mean)).next()
    )


# The laws from outside ------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def double_precision():
    """NumPyro's numbers in 64 bits."""
    with jax.enable_x64(True):
        yield


def fractions(low, high):
    """Rationals of moderate size."""
    return st.fractions(low, high, max_denominator=20).map(lambda q: Rational(q.numerator, q.denominator))


POSITIVE, SHAPE = fractions(Rational(1, 10), 9), fractions(Rational(1, 2), 6)

# (family, its parameter's range, NumPyro's law of a point)
NUMPYRO = {
    "Poisson": (lambda _: Poisson(), POSITIVE, lambda m, _: dist.Poisson(m)),
    "Exponential": (lambda _: Exponential(), POSITIVE, lambda m, _: dist.Exponential(1 / m)),
    "Gamma": (Gamma, POSITIVE, lambda m, shape: dist.Gamma(shape, shape / m)),
    "NegativeBinomial": (NegativeBinomial, POSITIVE, dist.NegativeBinomial2),
    "Binomial": (lambda _: Binomial(4), fractions(0, 1), lambda p, _: dist.BinomialProbs(p, 4)),
}


def mean_and_variance_of_a_step(family, value, samples):
    """E and Var of the next parameter, given the present one."""
    first, second = (expect(Loop(family, samples=samples), family.parameter**k).next() for k in (1, 2))
    one, two = (e.subs(family.parameter, value) for e in (first, second))
    return float(one * family.unit), float((two - one**2) * family.unit**2)


@pytest.mark.parametrize("name", NUMPYRO)
@settings(max_examples=10)
@given(data=st.data())
def test_step_has_the_moments_of_numpyro(name, data):
    """Assert E and Var of the sample mean against NumPyro's mean and variance of a point."""
    make, values, law = NUMPYRO[name]
    value, shape, samples = data.draw(values), data.draw(SHAPE), data.draw(st.integers(1, 50))
    other = law(float(value), float(shape))
    mean, variance = mean_and_variance_of_a_step(make(shape), value, samples)
    assert mean == approx(float(other.mean))
    assert variance == approx(float(other.variance) / samples, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("mean", [0, -0.75, 2])
def test_hyperbolic_secant_step_has_the_moments_of_its_density(mean):
    """Assert the first moments of a point against quadrature of cos(t) exp(t x)/(2 cosh(pi x/2)) with tan t = mean."""
    t, here = atan(mean), HyperbolicSecant(1)

    def density(x):
        return cos(t) * exp(t * x - abs(pi * x / 2)) / (1 + exp(-abs(pi * x)))

    for order in range(5):
        derived = expect(Loop(here, samples=1), here.parameter**order).next().subs(here.parameter, Rational(mean))
        whole = quad(lambda x, k=order: x**k * density(x), -200, 200, points=[0], epsabs=1e-12, limit=400)[0]
        assert float(derived) == approx(whole, abs=1e-8)


x, y = symbols("x1:4", positive=True), Symbol("y", positive=True)

# log-density of a point y, up to terms without the parameter
DENSITIES = {
    Poisson(): lambda m: y * sp.log(m) - m,
    Gamma(): lambda m: (r - 1) * sp.log(y) - r * sp.log(m) - r * y / m,
    Exponential(): lambda m: -sp.log(m) - y / m,
    NegativeBinomial(): lambda m: -(r + y) * sp.log(r + m) + y * sp.log(m),
    Binomial(): lambda p: y * sp.log(p) + (N - y) * sp.log(1 - p),
    HyperbolicSecant(): lambda m: sp.atan(m / r) * y - r * sp.log(1 + m**2 / r**2) / 2,
}

LAWS = pytest.mark.parametrize(("family", "density"), DENSITIES.items(), ids=[type(f).__name__ for f in DENSITIES])


@LAWS
def test_fit_zeroes_the_score(family, density):
    """Assert that the fitted parameter is the root of the score of three points, and a neighbour is not."""
    fitted = family.fit(Batch(S(3), (sum(x),)), MLE(), ())[family.parameter]
    score = density(family.parameter).diff(family.parameter)
    total = Add(*(score.subs(y, point) for point in x))
    assert vanishes(total.subs(family.parameter, fitted))
    assert not vanishes(total.subs(family.parameter, fitted * 3 / 2))


@LAWS
def test_density_has_the_variance_function(family, density):
    """Assert that the score is (y - m)/V(m) in m = unit * parameter: density and variance function are one law."""
    score = density(family.parameter).diff(family.parameter) / family.unit
    assert vanishes(score - (y - family.unit * family.parameter) / family.variance_function)
