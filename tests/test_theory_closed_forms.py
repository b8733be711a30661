"""The reference sheet's formulas, written out, against what the engine derives from the loop alone.

Formulas stand as on the sheet, under its identifiers. Both sides are compared exactly, at whole M and n drawn by Hypothesis (half
whole Gamma arguments are exact numbers) or, where both are rational in the symbols, by the normal form of the difference.
"""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    E,
    Matrix,
    Mul,
    Product,
    Rational,
    Sum,
    Symbol,
    digamma,
    expand,
    expand_log,
    eye,
    gamma,
    expand_func,
    log,
    oo,
    pi,
    polygamma,
    radsimp,
    sin,
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
    NoClosedForm,
    Scaled,
    Tempered,
    Unbiased,
    alpha,
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

MAXIMUM_LIKELIHOOD = Loop(Gaussian())
UNBIASED = Loop(Gaussian(), estimator=Unbiased())
ANY_C = Loop(Gaussian(), estimator=Scaled(c))
MIXED = Loop(Gaussian(), regime=Mixed(alpha))
ACCUMULATE = Loop(Gaussian(), regime=Accumulate())
ACCUMULATE_UNBIASED = Loop(Gaussian(), estimator=Unbiased(), regime=Accumulate())
REFITS = {"c": ANY_C, "mle": MAXIMUM_LIKELIHOOD, "unb": UNBIASED}
MULTIPLIERS = {"c": c, "mle": nu / M, "unb": 1}

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


def vanishes(number):
    """Whether an exact number is 0; anything that does not reduce to 0 counts as different."""
    logs = partial(expand_log, factor=True, force=True)
    for step in (sympify, expand, lambda x: logs(x).expand(), lambda x: expand_func(x).expand(), lambda x: radsimp(x).expand()):
        number = step(number)
        if number == 0:
            return True
    return False


def at(expression, values):
    """The expression with numbers for its symbols, sums and products carried out."""
    return expression.subs(values).doit()


# identifier on the sheet: (what the engine derives, the sheet's formula)
MOMENTS = {f"G2 k={k}": (lambda k=k: mean(ANY_C, V**k), s0 ** (2 * k) * ((2 * c / nu) ** k * gamma(nu / 2 + k) / gamma(nu / 2)) ** n)
           for k in (1, 2, 3, Rational(1, 2), Rational(3, 2), -1, Rational(-3, 2))}  # fmt: skip
SHEET = MOMENTS | {
    "G1": (lambda: mean(ANY_C, V), s0**2 * c**n),
    "G3": (lambda: variance(UNBIASED, V), s0**4 * (((M + 1) / (M - 1)) ** n - 1)),
    "G4": (lambda: variance(MAXIMUM_LIKELIHOOD, V), s0**4 * ((1 - 1 / M**2) ** n - (1 - 1 / M) ** (2 * n))),
    "G5": (lambda: mean(ANY_C, sqrt(V)), s0 * (sqrt(2 * c / nu) * gamma((nu + 1) / 2) / gamma(nu / 2)) ** n),
    "G6": (lambda: mean(ANY_C, log(V)), log(s0**2) + n * (digamma(nu / 2) - log(nu / 2) + log(c))),
    "G7": (lambda: variance(ANY_C, log(V)), n * polygamma(1, nu / 2)),
    "G8": (lambda: variance(UNBIASED, mu), n * s0**2 / M),
    "G9": (lambda: variance(MAXIMUM_LIKELIHOOD, mu), s0**2 * (1 - (1 - 1 / M) ** n)),
    "G10": (lambda: variance(ANY_C, mu), s0**2 / M * (1 - c**n) / (1 - c)),
    "G11": (lambda: ensemble(UNBIASED), s0**2 * (1 + n / M)),
    "G12": (lambda: ensemble(MAXIMUM_LIKELIHOOD), s0**2),
    "G13": (
        lambda: mean(UNBIASED, W2SQ),
        s0**2 * (n / M + 2 - 2 * (sqrt(2 / (M - 1)) * gamma(M / 2) / gamma((M - 1) / 2)) ** n),
    ),
    "G14": (lambda: mean(MAXIMUM_LIKELIHOOD, W2SQ), 2 * s0**2 * (1 - (sqrt(2 / M) * gamma(M / 2) / gamma((M - 1) / 2)) ** n)),
    "G15": (lambda: risk(UNBIASED, "kl_model_source").expression, (n / M + n * (log((M - 1) / 2) - digamma((M - 1) / 2))) / 2),
    "G16": (lambda: risk(MAXIMUM_LIKELIHOOD, "kl_model_source").expression, n * (log(M / 2) - digamma((M - 1) / 2)) / 2),
    "G17": (
        lambda: risk(UNBIASED, "kl_source_model").expression,
        ((1 + (M - 1) / (2 * M)) * (((M - 1) / (M - 3)) ** n - 1) + n * (digamma((M - 1) / 2) - log((M - 1) / 2))) / 2,
    ),
    "G18": (
        lambda: risk(MAXIMUM_LIKELIHOOD, "kl_source_model").expression,
        (4 * ((M / (M - 3)) ** n - 1) / 3 + n * (digamma((M - 1) / 2) - log(M / 2))) / 2,
    ),
    "G19": (
        lambda: mean(UNBIASED, D2**2),
        s0**4 * 3 / M**2 * (M * (M - 1) / 2 * (((M + 1) / (M - 1)) ** n - 1) - (M - 1) * n),
    ),
    "S3": (lambda: mean(Loop(Gaussian(), estimator=Scaled(c), sampling=Tempered(tau)), V), s0**2 * (tau * c) ** n),
    "D3": (lambda: variance(Loop(Categorical()), Categorical.p[i]), p0[i] * (1 - p0[i]) * (1 - (1 - 1 / M) ** n)),
    "F1 binomial": (lambda: mean(Loop(Bernoulli()), p * (1 - p)), q0 * (1 - q0) * (1 - 1 / M) ** n),
    "A1": (lambda: mean(ACCUMULATE, V), s0**2 * Product(1 - 1 / (M * j**2), (j, 1, n))),
    "F3 binomial": (
        lambda: mean(Loop(Bernoulli(), regime=Accumulate()), p * (1 - p)),
        q0 * (1 - q0) * Product(1 - 1 / (M * j**2), (j, 1, n)),
    ),
    "A5": (lambda: mean(ACCUMULATE_UNBIASED, V), s0**2 * Product(1 - 1 / (j * (j * M - 1)), (j, 2, n))),
}
DRAW = st.fixed_dictionaries(
    {
        M: st.integers(5, 12),
        n: st.integers(0, 4),
        V0: st.fractions(Rational(1, 3), 3, max_denominator=5),
        mu0: st.fractions(-2, 2, max_denominator=3),
        c: st.fractions(Rational(1, 4), 3, max_denominator=4).filter(lambda x: x != 1),
        tau: st.fractions(Rational(1, 4), 3, max_denominator=4),
        q0: st.fractions(0, 1, max_denominator=5),
    }
)


@pytest.mark.parametrize("name", SHEET)
def test_engine_derives_the_sheet(name):
    """Assert that the derived closed form is the sheet's formula."""
    derived, formula = SHEET[name][0](), SHEET[name][1]

    @settings(max_examples=8)
    @given(DRAW)
    def same(values):
        first = 1 if name == "A5" else 0
        values = values | {n: values[n] + first, p0[i]: values[q0]}
        assert vanishes(at(derived - formula, values)), values

    same()


@pytest.mark.parametrize("name", ["G1", "G5", "G6", "G9", "G12", "G17", "A1", "D3"])
@pytest.mark.parametrize("slip", [{n: n + 1}, {M: M + 1}], ids=["n for n-1", "M for M-1"])
def test_slipped_formula_is_noticed(name, slip):
    """Assert that the comparison sees an index off by one and a wrong sample size (G12 has neither to slip)."""
    derived, formula = SHEET[name][0](), SHEET[name][1]
    values = {M: 7, n: 3, V0: Rational(2, 3), c: Rational(3, 4), p0[i]: Rational(1, 3)}
    unchanged = name == "G12" or (M in slip and not formula.has(M))
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


def test_accumulate_limits_are_sines():
    """Assert A3 and A4, and the same factor for Bernoulli frequencies."""
    factor = sin(pi / sqrt(M)) / (pi / sqrt(M))
    assert vanishes(expect(ACCUMULATE, V).limit() - V0 * factor)
    assert vanishes(expect(ACCUMULATE, D2).limit() - V0 * (1 - factor))
    frequencies = Loop(Bernoulli(), regime=Accumulate())
    assert vanishes(expect(frequencies, p * (1 - p)).limit() - q0 * (1 - q0) * factor)


@pytest.mark.parametrize("samples", [2, 5, 40])
def test_unbiased_accumulate_limit_is_approached(samples):
    """Assert that the limit of A5 is what its own product tends to: the ratio is 1 + O(1/(M n))."""
    expectation = expect(ACCUMULATE_UNBIASED.at(M=samples, V0=1), V)
    far = 10**6
    gap = (expectation.expression.subs(n, far) / expectation.limit() - 1).evalf(20)
    assert 0 < gap < Rational(2, samples * far)


def test_mixed_limits_are_rational():
    """Assert X1, X2 and F5 (v2 = -1): stationary moments under a fixed share of fresh real data."""
    stationary = V0 / (M * alpha * (2 - alpha) + 1 - alpha)
    assert (expect(MIXED, D2).limit() - stationary).cancel() == 0
    assert (expect(MIXED, V).limit() - (V0 - stationary)).cancel() == 0
    frequencies = expect(Loop(Bernoulli(), regime=Mixed(alpha)), p**2).limit() - q0**2
    assert (frequencies - q0 * (1 - q0) / (M * alpha * (2 - alpha) - (1 - alpha) * -1)).cancel() == 0


def unbiased_mixed_matrix(share, samples):
    """The 2 x 2 matrix of (mu^2, V) in the unbiased mixed loop, read off the recurrence."""
    rows = expect(Loop(Gaussian(0, 1), estimator=Unbiased(), regime=Mixed(alpha)), mu**2).recurrence
    entries = [[rows[key].expand().coeff(x) for x in (mu**2, V)] for key in (mu**2, V)]
    return Matrix(entries).subs({alpha: share, M: samples})


@pytest.mark.parametrize("samples", [2, 5, 100])
def test_unbiased_mixing_has_a_threshold(samples):
    """Assert X6: the spectral radius crosses 1 exactly at alpha* = 1 - sqrt(1 - 1/M), and is above 1 below it."""
    star = 1 - sqrt(1 - Rational(1, samples))
    assert vanishes((eye(2) - unbiased_mixed_matrix(star, samples)).det())
    above, below = (
        max(abs(root.evalf(30)) for root in unbiased_mixed_matrix(share, samples).eigenvals())
        for share in (star * Rational(11, 10), star * Rational(9, 10))
    )
    assert above < 1 < below


def test_unbiased_mixing_above_the_threshold_converges():
    """Assert that one real sample in a hundred (alpha = 0.01 > alpha* = 0.00501) is enough, and what it gives."""
    share, samples = Rational(1, 100), 100
    assert share > 1 - sqrt(1 - Rational(1, samples))
    loop = Loop(Gaussian(), estimator=Unbiased(), regime=Mixed(share), samples=samples)
    # Fixed point of E V' (M-1)/M = a s0^2 + (1-a)(E V + E D^2) - E D'^2 and M E D'^2 = M (1-a)^2 E D^2 + (1-a) E V + a s0^2.
    a, b = Symbol("A"), Symbol("B")
    balance = Matrix([share + (1 - share) * (a + b) - b - a * Rational(samples - 1, samples),
                      samples * (1 - (1 - share) ** 2) * b - (1 - share) * a - share])  # fmt: skip
    (fixed,) = (balance.jacobian([a, b]).inv() * -balance.subs({a: 0, b: 0})).T.tolist()
    assert [expect(loop, V).limit() / V0, expect(loop, D2).limit() / V0] == fixed


def test_unbiased_mixing_below_the_threshold_has_no_limit():
    """Assert that without real data the second moment is infinite, and with a symbolic share the limit is refused."""
    below = Loop(Gaussian(), estimator=Unbiased(), regime=Mixed(0), samples=100)
    assert expect(below, mu**2).limit() == oo
    with pytest.raises(NoClosedForm, match="depends on the symbols"):
        expect(Loop(Gaussian(), estimator=Unbiased(), regime=Mixed(alpha)), mu**2).limit()
    with pytest.raises(NoClosedForm, match="depends on the symbols"):
        expect(Loop(Gaussian(), estimator=Unbiased(), regime=Mixed(Rational(1, 1000))), mu**2).limit()


@settings(max_examples=10)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5).filter(any), st.integers(1, 9), st.integers(0, 5))
def test_collision_follows_the_law_of_drift(weights, samples, generation):
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
    assert ensemble(MAXIMUM_LIKELIHOOD).subs({M: 5, n: 3}) == V0 != published.subs({M: 5, n: 3})


def test_published_divergence_of_the_risk_holds_for_one_estimator_only():
    """Assert the slip: E W2^2 tends to 2 s^2 under maximum likelihood; only the unbiased estimator lets it diverge."""
    assert expect(MAXIMUM_LIKELIHOOD.at(M=10), W2SQ).limit() == 2 * V0
    assert expect(UNBIASED.at(M=10), W2SQ).limit() == oo


def test_projection_is_paid_once_and_compounds_additively():
    """Assert E1 and C2: a diagonal fit of a correlated source, with and without the other two error sources."""
    rho = Rational(3, 5)
    correlated = MultivariateGaussian([0, 0], [[1, rho], [rho, 1]])
    assert (risk(Loop(DiagonalGaussian(), source=correlated, samples=oo)).expression + log(1 - rho**2) / 2).expand() == 0
    loop = Loop(DiagonalGaussian(), source=correlated, estimator=Unbiased(), sampling=Tempered(tau))
    growth, m1 = (nu / (nu - 2)) / tau, digamma(nu / 2) - log(nu / 2)
    formula = -log(1 - rho**2) / 2 + growth**n + Sum(growth**j, (j, 1, n)) / M - 1 + n * (m1 + log(tau))
    for values in ({M: 7, n: 1, tau: Rational(2, 3)}, {M: 12, n: 4, tau: 1}, {M: 6, n: 3, tau: E}):
        difference = at(risk(loop).expression - formula, values)
        assert vanishes(difference) or vanishes(difference.rewrite(log).expand(force=True)), values
