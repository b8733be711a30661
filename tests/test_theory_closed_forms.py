"""Known formulas, written out, against what the engine derives from the loop alone.

Each formula has a short name (G1, A3, ...). Both sides are compared exactly, at whole M and n drawn by
Hypothesis, where Gamma and digamma are exact numbers.
"""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    Mul,
    Product,
    Rational,
    Sum,
    Symbol,
    digamma,
    expand,
    expand_func,
    expand_log,
    gamma,
    log,
    oo,
    polygamma,
    radsimp,
    sqrt,
    sympify,
)

from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Gaussian,
    Loop,
    M,
    Mixed,
    MultivariateGaussian,
    Scaled,
    Tempered,
    Unbiased,
    c,
    expect,
    i,
    mu0,
    n,
    risk,
    tau,
)
from theory.symbols import V0, p0, q0

mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p
s0, nu = sqrt(V0), M - 1
j = Symbol("j", integer=True, positive=True)

ML = Loop(Gaussian(), estimator=MLE())
UNBIASED = Loop(Gaussian(), estimator=Unbiased())
ANY_C = Loop(Gaussian(), estimator=Scaled(c))
TEMPERED = Loop(Gaussian(), estimator=Scaled(c), sampling=Tempered(tau))
ACCUMULATE = Loop(Gaussian(), regime=Accumulate())
ACCUMULATE_UNBIASED = Loop(Gaussian(), estimator=Unbiased(), regime=Accumulate())
FREQUENCY_ACCUMULATE = Loop(Bernoulli(), regime=Accumulate())

D2 = (mu - mu0) ** 2
W2SQ = D2 + V + V0 - 2 * s0 * sqrt(V)


def mean(loop, observable):
    """E[observable] as the engine's closed form."""
    return expect(loop, observable).expression


def variance(loop, observable):
    """Var[observable] from two closed forms."""
    return mean(loop, observable**2) - mean(loop, observable) ** 2


def ensemble(loop):
    """Var(X_n) = E V_n + Var mu_n, the variance over runs of one synthetic point."""
    return mean(loop, V) + variance(loop, mu)


def reverse(loop):
    """E KL(model n || source)."""
    return risk(loop, "kl_model_source").expression


def forward(loop):
    """E KL(source || model n)."""
    return risk(loop, "kl_source_model").expression


def vanishes(number):
    """Whether an exact number is 0; what does not reduce to 0 counts as different."""
    logs = partial(expand_log, factor=True, force=True)
    for step in (sympify, expand, logs, expand, expand_func, expand, radsimp, expand):
        number = step(number)
        if number == 0:
            return True
    return False


def at(expression, values):
    """The expression with numbers for its symbols, sums and products carried out."""
    return expression.subs(values).doit()


def G2(k):
    """E V^k for a real k > -nu/2."""
    return s0 ** (2 * k) * ((2 * c / nu) ** k * gamma(nu / 2 + k) / gamma(nu / 2)) ** n


POWERS = (1, 2, 3, Rational(1, 2), Rational(3, 2), -1, Rational(-3, 2))
# name: (what the engine derives, the known formula)
KNOWN = {f"G2 k={k}": (lambda k=k: mean(ANY_C, V**k), G2(k)) for k in POWERS} | {
    "G1": (lambda: mean(ANY_C, V), s0**2 * c**n),
    "G3": (lambda: variance(UNBIASED, V), s0**4 * (((M + 1) / (M - 1)) ** n - 1)),
    "G4": (lambda: variance(ML, V), s0**4 * ((1 - 1 / M**2) ** n - (1 - 1 / M) ** (2 * n))),
    "G5": (lambda: mean(ANY_C, sqrt(V)), s0 * (sqrt(2 * c / nu) * gamma((nu + 1) / 2) / gamma(nu / 2)) ** n),
    "G6": (lambda: mean(ANY_C, log(V)), log(s0**2) + n * (digamma(nu / 2) - log(nu / 2) + log(c))),
    "G7": (lambda: variance(ANY_C, log(V)), n * polygamma(1, nu / 2)),
    "G8": (lambda: variance(UNBIASED, mu), n * s0**2 / M),
    "G9": (lambda: variance(ML, mu), s0**2 * (1 - (1 - 1 / M) ** n)),
    "G10": (lambda: variance(ANY_C, mu), s0**2 / M * (1 - c**n) / (1 - c)),
    "G11": (lambda: ensemble(UNBIASED), s0**2 * (1 + n / M)),
    "G12": (lambda: ensemble(ML), s0**2),
    "G13": (
        lambda: mean(UNBIASED, W2SQ),
        s0**2 * (n / M + 2 - 2 * (sqrt(2 / (M - 1)) * gamma(M / 2) / gamma((M - 1) / 2)) ** n),
    ),
    "G14": (
        lambda: mean(ML, W2SQ),
        2 * s0**2 * (1 - (sqrt(2 / M) * gamma(M / 2) / gamma((M - 1) / 2)) ** n),
    ),
    "G15": (lambda: reverse(UNBIASED), (n / M + n * (log((M - 1) / 2) - digamma((M - 1) / 2))) / 2),
    "G16": (lambda: reverse(ML), n * (log(M / 2) - digamma((M - 1) / 2)) / 2),
    "G17": (
        lambda: forward(UNBIASED),
        ((1 + (M - 1) / (2 * M)) * (((M - 1) / (M - 3)) ** n - 1) + n * (digamma((M - 1) / 2) - log((M - 1) / 2))) / 2,
    ),
    "G18": (
        lambda: forward(ML),
        (4 * ((M / (M - 3)) ** n - 1) / 3 + n * (digamma((M - 1) / 2) - log(M / 2))) / 2,
    ),
    "G19": (
        lambda: mean(UNBIASED, D2**2),
        s0**4 * 3 / M**2 * (M * (M - 1) / 2 * (((M + 1) / (M - 1)) ** n - 1) - (M - 1) * n),
    ),
    "S3": (lambda: mean(TEMPERED, V), s0**2 * (tau * c) ** n),
    "D3": (
        lambda: variance(Loop(Categorical()), Categorical.p[i]),
        p0[i] * (1 - p0[i]) * (1 - (1 - 1 / M) ** n),
    ),
    "F1 binomial": (lambda: mean(Loop(Bernoulli()), p * (1 - p)), q0 * (1 - q0) * (1 - 1 / M) ** n),
    "F2 binomial": (lambda: variance(Loop(Bernoulli()), p), q0 * (1 - q0) * ((1 - 1 / M) ** n - 1) / -1),
    "F3 binomial": (
        lambda: mean(FREQUENCY_ACCUMULATE, p * (1 - p)),
        q0 * (1 - q0) * Product(1 - 1 / (M * j**2), (j, 1, n)),
    ),
    "A1": (lambda: mean(ACCUMULATE, V), s0**2 * Product(1 - 1 / (M * j**2), (j, 1, n))),
    "A5": (lambda: mean(ACCUMULATE_UNBIASED, V), s0**2 * Product(1 - 1 / (j * (j * M - 1)), (j, 2, n))),
}
NUMBERS = {
    M: st.integers(5, 12),
    n: st.integers(1, 5),
    V0: st.fractions(Rational(1, 3), 3, max_denominator=5),
    mu0: st.fractions(-2, 2, max_denominator=3),
    c: st.fractions(Rational(1, 4), 3, max_denominator=4).filter(lambda x: x != 1),
    tau: st.fractions(Rational(1, 4), 3, max_denominator=4),
    q0: st.fractions(0, 1, max_denominator=5),
    p0[i]: st.fractions(0, 1, max_denominator=5),
}


@pytest.mark.parametrize("name", KNOWN)
def test_engine_derives_the_known_formula(name):
    """Assert that the derived closed form is the known formula."""
    derived, formula = KNOWN[name][0](), KNOWN[name][1]

    @settings(max_examples=8)
    @given(st.fixed_dictionaries(NUMBERS))
    def same(values):
        assert vanishes(at(derived - formula, values)), values

    same()


@pytest.mark.parametrize("name", ["G1", "G5", "G6", "G9", "G12", "G17", "A1", "D3"])
@pytest.mark.parametrize("slip", [{n: n + 1}, {M: M + 1}], ids=["n for n-1", "M for M-1"])
def test_slipped_formula_is_noticed(name, slip):
    """Assert that the comparison sees an index off by one and a wrong sample size, wherever the formula has them."""
    derived, formula = KNOWN[name][0](), KNOWN[name][1]
    values = {M: 7, n: 3, V0: Rational(2, 3), c: Rational(3, 4), p0[i]: Rational(1, 3)}
    unchanged = not formula.has(*slip)
    assert vanishes(at(derived - formula.xreplace(slip), values)) == unchanged


@settings(max_examples=10)
@given(st.fractions(Rational(6, 5), 9, max_denominator=5))
def test_accumulate_gamma_form_is_the_product(samples):
    """Assert A2: the engine's ratio of Gamma functions equals the product for n = 0..6, at any rational M."""
    form = mean(ACCUMULATE, V) / V0
    assert form.has(gamma)
    for generation in range(7):
        product = Mul(*(1 - 1 / (Rational(samples) * k**2) for k in range(1, generation + 1)))
        assert vanishes(form.subs({M: samples, n: generation}) - product)


@settings(max_examples=10)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5).filter(any), st.integers(1, 9), st.integers(0, 5))
def test_collision_approaches_one(weights, samples, generation):
    """Assert D2 for numbers, any vocabulary: E sum p^2 = 1 - (1 - 1/M)^n (1 - F0)."""
    source = [Rational(w, sum(weights)) for w in weights]
    start = sum(x**2 for x in source)
    collision = expect(Loop(Categorical(source), samples=samples), Categorical.collision)
    assert collision.at(n=generation) == 1 - (1 - Rational(1, samples)) ** generation * (1 - start)


def test_collision_is_symbolic():
    """Assert D2 with the vocabulary, its size and M symbolic."""
    derived = mean(Loop(Categorical()), Categorical.collision)
    (start,) = derived.atoms(Sum)
    assert start.dummy_eq(Sum(p0[i] ** 2, start.args[1]))
    formula = 1 - (1 - 1 / M) ** n * (1 - start)
    for values in ({M: 7, n: 3}, {M: Rational(5, 2), n: 4}):
        assert (derived - formula).subs(values).expand() == 0


def test_published_variance_of_a_point_holds_for_one_estimator_only():
    """Assert the slip: Var(X_n) = s^2 (1 + n/M) for ddof = 1, and exactly s^2 for ddof = 0 (numpy's default)."""
    published = V0 * (1 + n / M)
    assert (ensemble(UNBIASED) - published).expand() == 0
    assert (ensemble(ML) - V0).expand() == 0
    assert published.subs({M: 5, n: 3}) != V0


def test_published_divergence_of_the_risk_holds_for_one_estimator_only():
    """Assert the slip: E W2^2 tends to 2 s^2 under maximum likelihood; only the unbiased estimator lets it diverge."""
    assert expect(ML.at(M=10), W2SQ).limit() == 2 * V0
    assert expect(UNBIASED.at(M=10), W2SQ).limit() == oo


@pytest.mark.parametrize(
    ("share", "samples"), [(Rational(1, 10), 20), (Rational(1, 2), 4)], ids=["a tenth of 20", "half of 4"]
)
def test_published_heuristic_for_mixing_is_not_the_limit(share, samples):
    """Assert the slip: sigma_inf^2 is not alpha s^2, and at M = 20, alpha = 1/10 it is 0.787 s^2."""
    limit = expect(Loop(Gaussian(), regime=Mixed(share), samples=samples), V).limit() / V0
    assert limit == 1 - 1 / (samples * share * (2 - share) + 1 - share) != share
    assert samples != 20 or abs(limit - Rational(787, 1000)) < Rational(1, 2000)


def test_projection_is_paid_once_and_compounds_additively():
    """Assert E1 and C2: a diagonal fit of a correlated source, alone and with the other two error sources on."""
    rho = Rational(3, 5)
    correlated = MultivariateGaussian([0, 0], [[1, rho], [rho, 1]])
    projection = -log(1 - rho**2) / 2
    assert vanishes(risk(Loop(DiagonalGaussian(), source=correlated, samples=oo)).expression - projection)
    loop = Loop(DiagonalGaussian(), source=correlated, estimator=Unbiased(), sampling=Tempered(tau))
    growth, m1 = (nu / (nu - 2)) / tau, digamma(nu / 2) - log(nu / 2)
    # Where the fitted model is tempered the tau of the wandering is missing: here the draw is, and so its mean.
    wandering = tau / M * Sum(growth**j, (j, 1, n))
    formula = projection + growth**n + wandering - 1 + n * (m1 + log(tau))
    for values in ({M: 7, n: 1, tau: Rational(2, 3)}, {M: 12, n: 4, tau: 1}, {M: 6, n: 3, tau: Rational(5, 2)}):
        assert vanishes(at(forward(loop) - formula, values)), values
