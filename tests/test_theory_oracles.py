"""Two oracles for the families that come from outside: NumPyro's distributions, and the score equations.

Theory and simulation read the same family, so they would agree on a wrong one. What a family says of its law is held
against another library's mean and variance, and what an estimator calls maximum likelihood against the likelihood.
"""

import jax
import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from numpyro import distributions as dist
from sympy import Rational, S, log, sqrt, symbols

from numerics.printer import to_jax
from theory import MLE, V0, Bernoulli, Categorical, Gaussian, Loop, Scaled, Unbiased, expect, n
from theory.estimators import Estimator
from theory.families.base import Batch
from theory.innovations import ChiSquare, Multinomial, Normal

mu, V = Gaussian.mu, Gaussian.V
approx = pytest.approx
POINTS = 3
x = symbols("x1:4", real=True)


@frozen
class Doubled(Estimator):
    """The planted error: maximum likelihood with twice the variance."""

    def divisor(self, size):
        return size / 2


@pytest.fixture(autouse=True)
def double_precision():
    """NumPyro's numbers in 64 bits."""
    with jax.enable_x64(True):
        yield


def fractions(low, high):
    """Rationals of moderate size."""
    return st.fractions(low, high, max_denominator=20).map(lambda q: Rational(q.numerator, q.denominator))


def one_step(loop, observable, values):
    """E[observable(model n) | model n-1] at given parameters."""
    return float(expect(loop, observable).next().subs(values))


# The law: moments of one step against NumPyro -------------------------------------------------------------------------


@settings(max_examples=15)
@given(fractions(-3, 3), fractions(Rational(1, 10), 9), st.integers(2, 50))
def test_gaussian_step_has_the_moments_of_the_normal_law(mean, variance, samples):
    """Assert E xbar, Var xbar and E SS/(M-1) against NumPyro's Normal, with scale = sqrt(V), not V."""
    law = dist.Normal(float(mean), float(variance) ** 0.5)
    loop, values = Loop(Gaussian(), estimator=Unbiased(), samples=samples), {mu: mean, V: variance}
    assert one_step(loop, mu, values) == approx(float(law.mean))
    spread = one_step(loop, mu**2, values) - one_step(loop, mu, values) ** 2
    assert spread == approx(float(law.variance) / samples, rel=1e-9, abs=1e-12)
    assert one_step(loop, V, values) == approx(float(law.variance))


@settings(max_examples=15)
@given(fractions(0, 1), st.integers(1, 50))
def test_bernoulli_step_has_the_moments_of_the_binomial_law(chance, samples):
    """Assert E p' and Var p' against NumPyro's Bernoulli and Binomial."""
    p = Bernoulli.p
    one, many = dist.BernoulliProbs(float(chance)), dist.BinomialProbs(float(chance), samples)
    loop, values = Loop(Bernoulli(), samples=samples), {p: chance}
    assert one_step(loop, p, values) == approx(float(one.mean))
    assert one_step(loop, p, values) == approx(float(many.mean) / samples)
    spread = one_step(loop, p**2, values) - one_step(loop, p, values) ** 2
    assert spread == approx(float(one.variance) / samples, rel=1e-9, abs=1e-12)
    assert spread == approx(float(many.variance) / samples**2, rel=1e-9, abs=1e-12)


@settings(max_examples=15)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=5).filter(any), st.integers(1, 50))
def test_categorical_step_has_the_moments_of_the_multinomial_law(weights, samples):
    """Assert E p_i' and Var p_i' against NumPyro's Multinomial, and that covariances make the total constant."""
    p, chances = Categorical.p, [Rational(w, sum(weights)) for w in weights]
    law = dist.MultinomialProbs(jax.numpy.array([float(q) for q in chances]), samples)
    loop, values = Loop(Categorical(), samples=samples), {p[k]: q for k, q in enumerate(chances)}
    types = range(len(chances))
    for k in types:
        assert one_step(loop, p[k], values) == approx(float(law.mean[k]) / samples)
        spread = one_step(loop, p[k] ** 2, values) - one_step(loop, p[k], values) ** 2
        assert spread == approx(float(law.variance[k]) / samples**2, rel=1e-9, abs=1e-12)
    square = sum((p[k] for k in types), S.Zero) ** 2
    assert one_step(loop, square, values) == approx(1)


# innovation: (the law, NumPyro's)
INNOVATIONS = {
    "normal": lambda df: (Normal(symbols("e"), Rational(df, 3)), dist.Normal(0.0, (df / 3) ** 0.5)),
    "chi-square": lambda df: (ChiSquare(symbols("chi"), S(df)), dist.Chi2(float(df))),
    "binomial": lambda df: (Multinomial((symbols("k"),), S(df), (Rational(2, 7),)), dist.BinomialProbs(2 / 7, df)),
}


@pytest.mark.parametrize("name", INNOVATIONS)
@pytest.mark.parametrize("df", [1, 4, 30])
def test_innovations_have_their_mean_and_variance(name, df):
    """Assert the first two moments of every innovation, and that its stated mean is its first moment."""
    law, other = INNOVATIONS[name](df)
    first, second = law.moment((S(1),), (0,)), law.moment((S(2),), (0,))
    assert law.means() == (first,)
    assert float(first) == approx(float(other.mean))
    assert float(second - first**2) == approx(float(other.variance))


@pytest.mark.parametrize("df", [2, 3, 8])
@pytest.mark.parametrize("power", [0, 1, Rational(1, 2), Rational(-1, 2), 2])
def test_logarithms_of_chi_square_are_derivatives_of_powers(df, power):
    """Assert E[x^a log x] = d/da E[x^a] by a central difference: the digammas differentiate the Gammas."""
    law, h = ChiSquare(symbols("chi"), S(df)), Rational(1, 10**6)
    value = law.moment((S(power),), (1,))
    slope = (law.moment((power + h,), (0,)) - law.moment((power - h,), (0,))) / (2 * h)
    difference = value - slope
    exact = difference.xreplace({s: s.definition for s in difference.free_symbols})
    assert abs(exact.evalf(30)) < 1e-9


@pytest.mark.parametrize("samples", [100, 400, 10**4, 10**6])
def test_large_samples_survive_floating_point(samples):
    """Assert E sqrt(V'/V) = 1 - 3/(4M) + O(1/M^2) in JAX, where Gamma(M/2) alone is far beyond a double."""
    loop = Loop(Gaussian(), samples=samples)
    step = float(to_jax(expect(loop, sqrt(V)).next(), [V])(1.0))
    after = float(to_jax(expect(loop, sqrt(V)).values(1)[1], [V0])(1.0))
    assert step == approx(after, rel=1e-12)
    assert abs(step - 1 + 3 / (4 * samples)) < 1 / samples**2


# The estimator: the score equations -----------------------------------------------------------------------------------


def gaussian_log_likelihood(points):
    """log of the density of independent normal points."""
    return sum(-log(V) / 2 - (point - mu) ** 2 / (2 * V) for point in points)


def gaussian_batch(points):
    """Sample mean and sum of squares of explicit points."""
    mean = sum(points) / len(points)
    return Batch(S(len(points)), (mean, sum((point - mean) ** 2 for point in points)))


def zeroes_the_score(likelihood, estimate):
    """Whether every derivative of the log-likelihood vanishes at the estimate, identically in the data."""
    return all(likelihood.diff(parameter).subs(estimate).cancel() == 0 for parameter in estimate)


def test_gaussian_maximum_likelihood_zeroes_the_score():
    """Assert d/dmu and d/dV of the log-likelihood of three points vanish at what MLE() fits."""
    estimate = Gaussian().fit(gaussian_batch(x), MLE(), (mu, V))
    assert zeroes_the_score(gaussian_log_likelihood(x), estimate)


def test_pooled_maximum_likelihood_zeroes_the_score_of_all_points():
    """Assert that pooling two batches, or undoing a fit and pooling, is as good as fitting the concatenated points."""
    family, first, second = Gaussian(), gaussian_batch(x[:2]), gaussian_batch(x[2:])
    undone = family.unfit(family.fit(first, MLE(), (mu, V)), S(2), MLE())
    for batch in (first, undone):
        estimate = family.fit(family.pool(batch, second), MLE(), (mu, V))
        assert zeroes_the_score(gaussian_log_likelihood(x), estimate)


def test_bernoulli_fit_zeroes_the_score():
    """Assert that the sample frequency is the root of the score, for 0/1 points x."""
    p = Bernoulli.p
    estimate = Bernoulli().fit(Batch(S(POINTS), (sum(x),)), MLE(), (p,))
    likelihood = sum(point * log(p) + (1 - point) * log(1 - p) for point in x)
    assert zeroes_the_score(likelihood, estimate)


def test_categorical_fit_zeroes_the_score():
    """Assert the same for three types, of which the last has the rest of the probability."""
    p = Categorical.p
    counts = symbols("k1:4", positive=True)
    estimate = Categorical().fit(Batch(sum(counts), counts[:2]), MLE(), (p[0], p[1]))
    chances = (p[0], p[1], 1 - p[0] - p[1])
    assert zeroes_the_score(sum(k * log(chance) for k, chance in zip(counts, chances, strict=True)), estimate)


@pytest.mark.parametrize("estimator", [Doubled(), Unbiased(), Scaled(Rational(5, 4))], ids=str)
def test_other_multipliers_do_not_zero_the_score(estimator):
    """Assert that the oracle sees a planted doubled variance, and tells maximum likelihood from its neighbours."""
    assert not zeroes_the_score(gaussian_log_likelihood(x), Gaussian().fit(gaussian_batch(x), estimator, (mu, V)))


def test_theory_alone_cannot_see_a_doubled_variance():
    """Assert that the planted estimator passes every identity of theory against theory: only the score catches it."""
    loop = Loop(Gaussian(0, 1), estimator=Doubled(), samples=5)
    for observable in (V, mu**2, V**2, V * mu**2):
        expectation = expect(loop, observable)
        values = expectation.values(3)
        assert [expectation.expression.subs(n, k) for k in range(4)] == values
    scaled = expect(Loop(Gaussian(0, 4), estimator=Doubled(), samples=5), V)
    assert scaled.values(2) == [4 * value for value in expect(loop, V).values(2)]
