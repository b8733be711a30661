"""Properties of every derived expectation, over loops that Hypothesis makes up: family x estimator x regime x sampling.

The closed form is held against its own recurrence run in exact rationals, and against symmetries that no derivation
knows of. That the recurrence itself is right is shown elsewhere, by enumeration (`test_theory_enumeration.py`).
"""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Add, Mul, Product, Rational, Sum, expand_func, log, oo, radsimp, sqrt

from proofs.kernel import check
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    M,
    Mixed,
    NoClosedForm,
    PosteriorPredictive,
    Replace,
    Scaled,
    Tempered,
    Unbiased,
    alpha,
    c,
    expect,
    mu0,
    n,
    tau,
)
from theory.symbols import V0

mu, V, p = Gaussian.mu, Gaussian.V, Categorical.p
REGIMES = [Replace(), Mixed(alpha), Accumulate()]
ESTIMATORS = [MLE(), Unbiased(), Scaled(c)]


def fractions(low, high, denominator=4):
    """Exact rationals of SymPy in an interval."""
    return st.fractions(low, high, max_denominator=denominator).map(lambda x: Rational(x.numerator, x.denominator))


def regimes(samples):
    """Regimes that M = samples can follow."""
    shares = st.integers(0, samples).map(lambda real: Mixed(Rational(real, samples)))
    return st.one_of(st.just(Replace()), shares, st.just(Accumulate()))


def vocabularies():
    """Sources of two to four types, some of which may be absent."""
    weights = st.lists(st.integers(0, 5), min_size=2, max_size=4).filter(any)
    return weights.map(lambda counts: [Rational(w, sum(counts)) for w in counts])


@st.composite
def gaussian_loops(draw):
    """Gaussian loops with numbers on every axis."""
    samples = draw(st.integers(2, 7))
    return Loop(
        Gaussian(draw(fractions(-2, 2)), draw(fractions(Rational(1, 4), 3))),
        estimator=draw(st.sampled_from([MLE(), Unbiased()]) | fractions(Rational(1, 4), 2).map(Scaled)),
        regime=draw(regimes(samples)),
        sampling=Tempered(draw(fractions(Rational(1, 2), 2))),
        samples=samples,
    )


@st.composite
def discrete_loops(draw):
    """Categorical loops with numbers on every axis."""
    samples = draw(st.integers(1, 7))
    return Loop(Categorical(draw(vocabularies())), regime=draw(regimes(samples)), samples=samples)


def vanishes(number):
    """Whether an exact number, roots and Gamma ratios included, is 0; what does not reduce to 0 counts as different."""
    for step in (lambda x: x.expand(), lambda x: expand_func(x).expand(), lambda x: radsimp(x).expand()):
        number = step(number)
        if number == 0:
            return True
    return False


def written_out(expr):
    """An expression with its sums and products, limits being numbers, term by term."""
    if isinstance(expr, Sum | Product):
        body, (index, low, high) = expr.args
        terms = [written_out(body.subs(index, k)) for k in range(low, high + 1)]
        return (Add if isinstance(expr, Sum) else Mul)(*terms)
    return expr.func(*map(written_out, expr.args)) if expr.args else expr


def solved(expectation):
    """The expectation, if it has a closed form."""
    try:
        assume(expectation.expression is not None)
    except NoClosedForm:
        assume(False)
    return expectation


def assert_form_fits(expectation, generations=4):
    """The closed form takes the recurrence's values, from its start on."""
    form, values = expectation.expression, expectation.values(generations)
    for k in range(expectation.start, generations + 1):
        assert vanishes(written_out(form.subs(n, k)) - values[k]), (expectation.loop, expectation.observable, k)


def assert_equal_values(one, two, generations=2):
    """Two expectations agree at generations 0..n, by the normal form of the difference."""
    for x, y in zip(one.values(generations), two.values(generations), strict=True):
        assert (x - y).cancel() == 0


def monomial_of(loop, a, b):
    """mu^a V^b, in the degrees that each regime solves: coupled moments with coefficients in n have no closed form."""
    simple = (mu, V, mu**2)[(a + b) % 3]
    return simple if isinstance(loop.regime, Accumulate) else mu**a * V**b


@settings(max_examples=40)
@given(gaussian_loops(), st.integers(0, 4), st.integers(0, 2))
def test_gaussian_closed_form_solves_its_recurrence(loop, a, b):
    """Assert that E mu^a V^b in closed form is the recurrence, run."""
    assert_form_fits(solved(expect(loop, monomial_of(loop, a, b))))


@settings(max_examples=40)
@given(discrete_loops(), st.integers(0, 3), st.integers(0, 2))
def test_categorical_closed_form_solves_its_recurrence(loop, a, b):
    """Assert that E p0^a p1^b in closed form is the recurrence, run."""
    assert_form_fits(solved(expect(loop, p[0] ** a * p[1] ** b)))


def test_closed_form_off_by_one_does_not_fit():
    """Assert that the comparison above sees a closed form that runs one generation late (planted)."""
    expectation = expect(Loop(Gaussian(), samples=5, regime=Mixed(Rational(2, 5))), mu**2)
    assert_form_fits(expectation)
    late = expectation.expression.subs(n, n + 1)
    assert not vanishes(late.subs(n, 2) - expectation.values(2)[2])


@pytest.mark.parametrize("regime", [Replace(), Mixed(Rational(2, 5)), Accumulate()], ids=str)
@pytest.mark.parametrize("estimator", [MLE(), Unbiased(), Scaled(Rational(2, 3))], ids=str)
@pytest.mark.parametrize(("a", "b"), [(1, 0), (2, 0), (0, 1), (2, 1), (4, 0)])
def test_gaussian_moments_scale_and_shift(estimator, regime, a, b):
    """Assert E mu^a V^b scales by s^(a + 2b) with the source's unit, and E (mu - mu0)^a V^b forgets mu0."""
    loop, scale, shift = Loop(Gaussian(), estimator=estimator, regime=regime, samples=5), Rational(3, 2), Rational(5, 7)
    values = expect(loop, mu**a * V**b).values(2)
    scaled = expect(loop.at(mu0=scale * mu0, V0=scale**2 * V0), mu**a * V**b).values(2)
    centred = expect(loop, (mu - mu0) ** a * V**b).values(2)
    for value, other, central in zip(values, scaled, centred, strict=True):
        assert (other - scale ** (a + 2 * b) * value).cancel() == 0
        assert not central.cancel().has(mu0)
    moved = expect(loop.at(mu0=mu0 + shift), (mu - shift) ** a * V**b).values(2)
    assert all((x - y).cancel() == 0 for x, y in zip(values, moved, strict=True))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
@pytest.mark.parametrize("observable", [V, mu**2, mu**2 * V, V**2, mu**4], ids=str)
def test_mixing_reaches_from_replace_to_fresh_data(estimator, observable):
    """Assert that Mixed(0) is replace, and Mixed(1) a first fit over and over, for n >= 1."""
    replace = expect(Loop(Gaussian(), estimator=estimator), observable)
    none = expect(Loop(Gaussian(), estimator=estimator, regime=Mixed(0)), observable)
    assert (none.expression - replace.expression).expand() == 0
    fresh = expect(Loop(Gaussian(), estimator=estimator, regime=Mixed(1)), observable).values(3)
    assert all((value - replace.values(1)[1]).cancel() == 0 for value in fresh[1:])
    symbolic = expect(Loop(Gaussian(), estimator=estimator, regime=Mixed(alpha)), observable).values(2)
    assert all((x.subs(alpha, 0) - y).cancel() == 0 for x, y in zip(symbolic, replace.values(2), strict=True))
    assert all((x.subs(alpha, 1) - y).cancel() == 0 for x, y in zip(symbolic, fresh[:3], strict=True))


@pytest.mark.parametrize("regime", REGIMES, ids=str)
def test_maximum_likelihood_only_moves_variance_between_runs(regime):
    """Assert E V + Var mu = V0 for every n in all three regimes, and that the unbiased estimator breaks it."""
    loop = Loop(Gaussian(), regime=regime)
    total = V + (mu - mu0) ** 2
    assert (expect(loop, total).expression - V0).cancel() == 0
    assert all((value - V0).cancel() == 0 for value in expect(loop, total).values(3))
    unbiased = expect(Loop(Gaussian(), estimator=Unbiased(), regime=regime), total)
    assert (unbiased.values(1)[1] - V0).cancel() != 0


@pytest.mark.parametrize("regime", REGIMES, ids=str)
@pytest.mark.parametrize(
    "family", [Gaussian(), Bernoulli(), Categorical()], ids=["Gaussian", "Bernoulli", "Categorical"]
)
def test_fitted_mean_is_a_martingale(family, regime):
    """Assert that every mean parameter keeps its expectation, in every family and regime."""
    parameter = {Gaussian: mu, Bernoulli: Bernoulli.p, Categorical: p[0]}[type(family)]
    expectation = expect(Loop(family, regime=regime), parameter)
    assert (expectation.expression - expectation.values(0)[0]).expand() == 0
    assert expectation.limit() == expectation.values(0)[0]


@pytest.mark.parametrize("regime", REGIMES, ids=str)
@pytest.mark.parametrize("observable", [V, mu**2, V * mu**2], ids=str)
def test_named_multipliers_are_values_of_c(regime, observable):
    """Assert that Scaled(c) at c = 1 is Unbiased and, where each fit sees M points, at c = (M-1)/M is MLE."""
    loop = Loop(Gaussian(), estimator=Scaled(c), regime=regime)
    unbiased = expect(Loop(Gaussian(), estimator=Unbiased(), regime=regime), observable)
    assert all(
        (x - y).cancel() == 0
        for x, y in zip(expect(loop.at(c=1), observable).values(3), unbiased.values(3), strict=True)
    )
    if not isinstance(regime, Accumulate):
        likelihood = expect(Loop(Gaussian(), regime=regime), observable)
        scaled = expect(loop.at(c=(M - 1) / M), observable)
        assert all((x - y).cancel() == 0 for x, y in zip(scaled.values(3), likelihood.values(3), strict=True))


@pytest.mark.parametrize("k", [1, 3])
def test_values_where_the_general_formula_divides_by_zero(k):
    """Assert that at(c=1) of Var mu, where the general form is 0/0, is the limit of that form as c tends to 1."""
    general = expect(Loop(Gaussian(), estimator=Scaled(c)), mu**2)
    assert any(condition.lhs.subs(c, 1) == 0 for condition in general.conditions)
    special = general.at(c=1)
    assert (special.expression - (mu0**2 + n * V0 / M)).expand() == 0
    polynomial = general.expression.subs(n, k).cancel()
    assert (polynomial.subs(c, 1) - special.expression.subs(n, k)).expand() == 0
    assert general.at(c=1, n=k, M=5, mu0=0, V0=2) == Rational(2 * k, 5)


@pytest.mark.parametrize("regime", [Replace(), Mixed(Rational(1, 2)), Accumulate()], ids=str)
def test_two_points_are_enough(regime):
    """Assert the smallest sample, M = 2: the general closed form holds there, and E V halves under replace."""
    for estimator in (MLE(), Unbiased()):
        general = expect(Loop(Gaussian(0, 1), estimator=estimator, regime=regime), V)
        special = expect(Loop(Gaussian(0, 1), estimator=estimator, regime=regime, samples=2), V)
        assert all((x.subs(M, 2) - y).cancel() == 0 for x, y in zip(general.values(4), special.values(4), strict=True))
        assert_form_fits(special)
    replace = Loop(Gaussian(0, 1), samples=2)
    assert expect(replace, V).values(3) == [Rational(1, 2**k) for k in range(4)]
    # chi-square with one degree: E g^2 = 3/4 for g = chi/2.
    assert expect(replace, V**2).values(3) == [Rational(3, 4) ** k for k in range(4)]


@pytest.mark.parametrize("regime", [Replace(), Mixed(Rational(1, 10)), Mixed(alpha), Accumulate()], ids=str)
@pytest.mark.parametrize("estimator", [MLE(), Unbiased()], ids=str)
@pytest.mark.parametrize("sampling", [1, Rational(3, 4), tau], ids=lambda t: f"tau={t}")
def test_population_is_the_limit_of_large_samples(regime, estimator, sampling):
    """Assert that samples = oo is what finite M tends to: the difference at M = 10^9 is below 10^-6."""
    loop = Loop(Gaussian(1, 2), estimator=estimator, regime=regime, sampling=Tempered(sampling))
    values = {alpha: Rational(3, 10), tau: Rational(5, 4)}
    for observable in (V, mu**2, V * mu):
        population, finite = expect(loop.at(M=oo), observable), expect(loop, observable)
        for exact, near in zip(population.values(3), finite.values(3), strict=True):
            assert abs((exact - near.subs(M, 10**9)).subs(values)) < Rational(1, 10**6)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
@pytest.mark.parametrize("observable", [sqrt(V), log(V), 1 / V, log(V) ** 2, V * log(V)], ids=str)
def test_independent_factors_multiply_moments_and_add_logs(estimator, observable):
    """Assert that V_n/V_0 is a product of n independent factors: its moments, and logs, follow from those of n = 1."""
    loop = Loop(Gaussian(0, 1), estimator=estimator)
    form = expect(loop, observable).expression
    one = form.subs(n, 1)
    expected = {
        sqrt(V): one**n,
        1 / V: one**n,
        log(V): n * one,
        log(V) ** 2: n * one + n * (n - 1) * expect(loop, log(V)).expression.subs(n, 1) ** 2,
        V * log(V): n * one * expect(loop, V).expression.subs(n, 1) ** (n - 1),
    }[observable]
    for k in range(4):
        difference = (form - expected).subs({M: 8, c: Rational(2, 3)}).subs(n, k)
        assert difference.expand(log=True, force=True).expand() == 0


LATE = {
    "kept real set": Loop(Gaussian(0, 1), regime=Mixed(alpha, fresh=False)),
    "posterior predictive": Loop(Gaussian(0, 1), estimator=PosteriorPredictive()),
}


@pytest.mark.parametrize("name", LATE)
@pytest.mark.parametrize("of", [V, mu**2, mu**2 + V * 3], ids=str)
def test_formulas_that_start_late_equal_the_recurrence(name, of):
    """Assert the closed form at n >= 1 where the first fit is unlike the later ones and coefficients are constant."""
    answer = expect(LATE[name].at(M=8, **({"alpha": Rational(1, 2)} if "real" in name else {})), of)
    assert answer.start == 1
    values = answer.values(4)
    assert [answer.expression.subs(n, k) for k in range(1, 5)] == values[1:]
    assert all(check(certificate.data) for certificate in answer.certificate)
