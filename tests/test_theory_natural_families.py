"""Natural exponential families: one theorem for all from the variance function, each law against NumPyro's, refusals.

The formulas for E V_n and Var m_n hold for every V(m) = v0 + v1 m + v2 m^2 (Morris, Ann. Statist. 10, 1982), in or out
of the library.
"""

from itertools import pairwise
from math import atan, cos, exp, pi
from typing import ClassVar

import jax
import pytest
import sympy as sp
from attrs import field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from numpyro import distributions as dist
from scipy.integrate import quad
from sympy import (
    Add,
    Expr,
    Rational,
    S,
    Symbol,
    digamma,
    gamma,
    oo,
    product,
    sinh,
    sqrt,
    symbols,
)

from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Binomial,
    Damped,
    Exponential,
    Gamma,
    HyperbolicSecant,
    Loop,
    M,
    Mixed,
    NegativeBinomial,
    NotClosed,
    Poisson,
    PosteriorDraw,
    Schedule,
    Tempered,
    alpha,
    expect,
    n,
    tau,
)
from theory.families.base import Batch
from theory.families.natural import NaturalFamily
from theory.laws.natural_sum import POINT, NaturalSum
from theory.symbols import V0, N, mean0, mu, mu0, q0, r, rate0

approx = pytest.approx


@frozen
class KnownVariance(NaturalFamily):
    """A family that the library lacks: N(mu, V0) with V0 known, V(m) = V0."""

    parameter: ClassVar[Symbol] = mu
    mu0: Expr = field(default=mu0)

    def variance(self, mean: Expr) -> Expr:
        """V0."""
        del mean
        return V0


# family, v2 in units of its parameter
FAMILIES = {
    "Poisson": (Poisson(), S.Zero),
    "Binomial": (Binomial(), -1 / N),
    "NegativeBinomial": (NegativeBinomial(), 1 / r),
    "Gamma": (Gamma(), 1 / r),
    "Exponential": (Exponential(), S.One),
    "HyperbolicSecant": (HyperbolicSecant(), 1 / r),
    "KnownVariance": (KnownVariance(), S.Zero),
}
ALL = pytest.mark.parametrize(("family", "v2"), FAMILIES.values(), ids=FAMILIES)


def vanishes(expression):
    """Whether an expression reduces to 0 by normal form."""
    return expression.together().expand().cancel() == 0 or expression.together().cancel() == 0


def squared_error(family):
    """(m - m0)^2, m the mean of a point."""
    return family.unit**2 * (family.parameter - family.initial) ** 2


def source_variance(family):
    return family.variance(family.unit * family.initial)


# The theorem ----------------------------------------------------------------------------------------------------------


@ALL
def test_variance_function_decays_by_one_factor(family, v2):
    """Assert E V_n = V_0 (1 + v2/M)^n under replacement: collapse where v2 < 0, growth where v2 > 0."""
    derived = expect(Loop(family), family.variance_function).expression
    assert vanishes((derived - source_variance(family) * (1 + v2 / M) ** n).subs(n, 3))
    rows = expect(Loop(family), family.variance_function).next()
    assert vanishes(rows - family.variance_function * (1 + v2 / M))


@ALL
def test_mean_is_a_martingale_with_the_variance_of_the_theorem(family, v2):
    """Assert E m_n = m_0 and Var m_n = V_0 ((1 + v2/M)^n - 1)/v2, n V_0/M for v2 = 0."""
    assert expect(Loop(family), family.parameter).expression == family.initial
    spread = expect(Loop(family), squared_error(family)).expression
    formula = n / M if v2 == 0 else ((1 + v2 / M) ** n - 1) / v2
    assert all(vanishes((spread - source_variance(family) * formula).subs(n, k)) for k in (0, 1, 4))


@ALL
def test_accumulation_has_the_product_of_the_theorem(family, v2):
    """Assert E V_n = V_0 prod_k (1 + v2/(M k^2)) under accumulation, and the same under replacement with M k^2."""
    formula = source_variance(family) * product(1 + v2 / (M * n**2), (n, 1, 3))
    for regime in (Accumulate(), Schedule(M * n**2)):
        here = expect(Loop(family, regime=regime), family.variance_function)
        assert vanishes(here.values(3)[-1] - formula)


@ALL
def test_accumulation_keeps_a_sine_or_hyperbolic_sine(family, v2):
    """Assert lim E V_n = V_0 sinh(x)/x, x = pi sqrt(v2/M), under accumulation; for v2 < 0 that is a sine."""
    limit = expect(Loop(family, regime=Accumulate()), family.variance_function).limit()
    x = sp.pi * sqrt(abs(v2) / M)
    factor = S.One if v2 == 0 else (sinh(x) if v2.is_positive else sp.sin(x)) / x
    point = {M: 3, N: 2, r: Rational(5, 2), family.initial: Rational(1, 3)}
    assert abs((limit / source_variance(family) / factor).subs(point).evalf(30) - 1) < 1e-25


@ALL
@pytest.mark.parametrize(("share", "samples"), [(Rational(1, 2), 8), (Rational(1, 4), 12), (S.One, 5)])
def test_fresh_data_keep_a_stationary_variance(family, v2, share, samples):
    """Assert lim Var m_n = V_0/(M a (2 - a) - (1 - a) v2) with a fixed share a of fresh real points."""
    values = {r: Rational(5, 2), N: 3}
    here = family.substitute(values)
    limit = expect(Loop(here, regime=Mixed(share), samples=samples), squared_error(here)).limit()
    formula = source_variance(here) / (samples * share * (2 - share) - (1 - share) * S(v2).subs(values))
    assert vanishes(limit - formula)


def test_stationary_variance_holds_for_every_share_where_none_can_diverge():
    """Assert the same with a symbolic share for v2 <= 0, where any fresh share is enough."""
    for family, v2 in (FAMILIES["Poisson"], FAMILIES["Binomial"]):
        limit = expect(Loop(family, regime=Mixed(alpha)), squared_error(family)).limit()
        assert vanishes(limit - source_variance(family) / (M * alpha * (2 - alpha) - (1 - alpha) * v2))


def test_random_share_adds_the_variance_of_its_size():
    """Assert lim Var = rate0/(M a (2 - a) + a^2 - a) for Poisson points that are real each with probability a.

    The sum of M points with j ~ Binomial(M, a) real ones has variance M (a rate0 + (1 - a) rate + a (1 - a) d^2), d the
    difference of the rates.
    """
    limit = expect(Loop(Poisson(), regime=Mixed(alpha, count="bernoulli")), (Poisson.rate - rate0) ** 2).limit()
    assert vanishes(limit - rate0 / (M * alpha * (2 - alpha) - alpha * (1 - alpha)))


@ALL
def test_population_limit_stands_still(family, v2):
    """Assert that with samples = oo no moment moves."""
    del v2
    assert expect(Loop(family, samples=oo), family.parameter**3).expression == family.initial**3


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


# Powers, logarithms, temperatures, procedures -------------------------------------------------------------------------


def test_exponential_means_collapse_by_their_logarithm():
    """Assert E log m_n = log m_0 + n (psi(M) - log M): collapse almost surely at a constant mean."""
    value = expect(Loop(Exponential()), sp.log(Exponential.mean))
    formula = sp.log(mean0) + n * (digamma(M) - sp.log(M))
    assert (sp.expand_log(value.expression) - formula).expand() == 0
    assert expect(Loop(Exponential()), Exponential.mean).expression == mean0


@pytest.mark.parametrize("power", [Rational(1, 2), -1, Rational(-3, 2), 3])
def test_real_powers_of_a_gamma_mean_close(power):
    """Assert E m'^k = (m/(r M))^k Gamma(r M + k)/Gamma(r M), for r M + k > 0."""
    mean, samples, shape = Gamma.mean, 4, Rational(5, 2)
    step = expect(Loop(Gamma(shape), samples=samples), mean**power).next()
    size = shape * samples
    assert sp.simplify(step / (mean**power * gamma(size + power) / gamma(size) / size**power)) == 1


@pytest.mark.parametrize("family", [Gamma(3), Gamma(), Exponential()], ids=str)
def test_tempered_gamma_points_have_the_density_to_a_power(family):
    """Assert that f^(1/tau) over the density of the law drawn from is free of the point."""
    law = family.distorted({family.mean: family.mean}, Tempered(tau))

    def log_density(shape, mean):
        return (shape - 1) * sp.log(y) - shape * y / mean

    drawn = log_density(law.get(r, family.r), law[family.mean])
    assert vanishes((log_density(family.r, family.mean) / tau - drawn).diff(y))


def test_tempered_exponential_means_grow_by_the_temperature():
    """Assert E m_n = tau^n m_0, and that the log-drift gains log(tau)."""
    loop = Loop(Exponential(), sampling=Tempered(tau))
    assert expect(loop, Exponential.mean).expression == mean0 * tau**n
    gain = expect(loop, sp.log(Exponential.mean)).next() - expect(Loop(Exponential()), sp.log(Exponential.mean)).next()
    assert sp.expand_log(gain, force=True).expand() == sp.log(tau)


def test_temperature_without_a_density_is_refused():
    """Assert that f^(1/tau) of a gamma law of shape 1/2 has no integral at tau <= 1/2, and has one above."""
    with pytest.raises(NotClosed, match="no finite integral"):
        expect(Loop(Gamma(Rational(1, 2)), sampling=Tempered(Rational(1, 2))), Gamma.mean)
    half = expect(Loop(Gamma(Rational(1, 2)), sampling=Tempered(1)), Gamma.mean)
    assert half.expression == mean0


def test_posterior_draws_of_a_scale_do_not_drift():
    """Assert E log m_n = log m_0 for draws from the Jeffreys posterior, in place of n (psi(M) - log M)."""
    for family in (Exponential(), Gamma(), Gamma(3)):
        assert expect(Loop(family, estimator=PosteriorDraw()), sp.log(family.mean)).expression == sp.log(mean0)


def test_posterior_draws_of_a_rate_gain_half_a_count():
    """Assert E rate' = (sum x + 1/2)/M given the counts: rate0 + n/(2M)."""
    assert expect(Loop(Poisson(), estimator=PosteriorDraw()), Poisson.rate).expression == rate0 + n / (2 * M)


def test_damping_slows_the_growth_of_the_variance():
    """Assert E V' = V (1 + k^2 v2/M) for a step of size k towards the fit."""
    k = Symbol("k", positive=True)
    family = NegativeBinomial(2)
    damped = expect(Loop(family, estimator=Damped(k)), family.variance_function).next()
    assert vanishes(damped - family.variance_function * (1 + k**2 / (2 * M)))


@pytest.mark.parametrize(
    ("loop", "observable", "axis"),
    [
        (Loop(Poisson()), sp.log(Poisson.rate), "family"),
        (Loop(NegativeBinomial()), 1 / NegativeBinomial.mean, "family"),
        (Loop(Poisson(), sampling=Tempered(2)), Poisson.rate, "sampling"),
        (Loop(HyperbolicSecant(), sampling=Tempered(2)), HyperbolicSecant.mean, "sampling"),
        (Loop(Exponential(), regime=Accumulate()), sp.log(Exponential.mean), "logarithm of a sum"),
        (Loop(HyperbolicSecant(), estimator=PosteriorDraw()), HyperbolicSecant.mean, "estimator"),
    ],
    ids=str,
)
def test_what_does_not_close_is_refused_by_its_axis(loop, observable, axis):
    """Assert that each refusal names what does not close."""
    with pytest.raises(NotClosed, match=axis):
        expect(loop, observable)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Poisson(-1),
        lambda: Exponential(0),
        lambda: Gamma(0),
        lambda: NegativeBinomial(2, -1),
        lambda: Binomial(Rational(1, 2)),
        lambda: Binomial(3, 2),
        lambda: HyperbolicSecant(-1),
        lambda: Poisson(oo),
        lambda: Loop(Gamma(2), source=Gamma(3)),
    ],
)
def test_what_is_no_law_is_refused(make):
    """Assert that parameters out of range, and a source with another known constant, raise ValueError."""
    with pytest.raises(ValueError, match=r"Give"):
        make()


def test_constants_and_source_are_put_in_by_name():
    """Assert that `at` reaches the shape, the trials and the source, and leaves a loop of numbers."""
    loop = Loop(NegativeBinomial()).at(r=2, mean0=3, M=10)
    assert loop.family == NegativeBinomial(2, 3)
    assert not loop.free_symbols
    assert expect(Loop(Binomial()), Binomial.p**2).at(n=1, N=2, M=3, p0=Rational(1, 2)) == Rational(7, 24)
