"""Stationary moments, their conditions and thresholds, and the loops that have none."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import QQ, Poly, Rational, S, Symbol, expand, oo, pi, sin, sqrt

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
    Scaled,
    Shrinkage,
    Unbiased,
    Weighted,
    alpha,
    c,
    expect,
    mu0,
    stationary,
)
from theory.stability import inside_unit_circle, thresholds
from theory.symbols import V0, q0

mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p
w = Symbol("w", positive=True)
D2 = (mu - mu0) ** 2
LIKELIHOOD = Loop(Gaussian(), regime=Mixed(alpha))
UNBIASED = Loop(Gaussian(), estimator=Unbiased(), regime=Mixed(alpha))
BERNOULLI_MIXED = Loop(Gaussian(), regime=Mixed(alpha, count="bernoulli"))
KEPT = Loop(Gaussian(), regime=Mixed(alpha, fresh=False))
SHRUNKEN = Loop(Gaussian(0, 1), estimator=Shrinkage(w, Unbiased()))
WEIGHTED = Loop(Gaussian(), estimator=Unbiased(), regime=Weighted(w, Rational(1, 2), between=False))
FIXED = M * alpha * (2 - alpha) + 1 - alpha
KNOWN = {
    "X1": (LIKELIHOOD, D2, V0 / FIXED),
    "X2": (LIKELIHOOD, V, V0 * (1 - 1 / FIXED)),
    "X3": (BERNOULLI_MIXED, D2, V0 / (M - (M - 1) * (1 - alpha) ** 2)),
    "X7": (KEPT, V, V0 * (1 - 1 / (alpha * M)) * (1 - (1 - alpha) / FIXED)),
    "X8": (WEIGHTED, D2, V0 * (w**2 * 2 / M + (1 - w) ** 2 * 2 / M) / (1 - (1 - w) ** 2)),
    "X11": (
        WEIGHTED,
        (V - V0) ** 2,
        V0**2 * (w**2 * 2 / (M / 2 - 1) + (1 - w) ** 2 * 2 / (M / 2 - 1)) / (1 - (1 - w) ** 2 * (1 + 2 / (M / 2 - 1))),
    ),
    "F5, v2 = -1": (Loop(Bernoulli(), regime=Mixed(alpha)), (p - q0) ** 2, q0 * (1 - q0) / FIXED),
    "D10": (
        Loop(Bernoulli(), regime=Mixed(alpha, count="bernoulli")),
        (p - q0) ** 2,
        q0 * (1 - q0) / (M - (M - 1) * (1 - alpha) ** 2),
    ),
    "S7": (SHRUNKEN, V**2, (w**2 + 2 * w * (1 - w)) / (1 - (1 - w) ** 2 * (1 + 2 / (M - 1)))),
    "S8": (SHRUNKEN, mu**2, (1 - w) ** 2 / M / (1 - (1 - w) ** 2)),
}


def vanishes(expression):
    """Whether a rational expression reduces to 0."""
    return expand(expression) == 0 or expression.together().cancel() == 0


@pytest.mark.parametrize("name", KNOWN)
def test_stationary_moment_is_the_known_formula(name):
    """Assert X1-X3, X7, X8, X11, F5, D10, S7 and S8."""
    loop, of, formula = KNOWN[name]
    assert vanishes(stationary(loop, of).expression - formula)


def test_slipped_formula_is_noticed():
    """Assert that M - 1 for M in a known formula leaves a difference."""
    for loop, of, formula in KNOWN.values():
        assert not vanishes(stationary(loop, of).expression - formula.subs(M, M - 1))


def test_collision_of_many_types():
    """Assert D11: the stationary E sum p_i^2 with each sample real with probability alpha."""
    chances = [Rational(1, 2), Rational(1, 3), Rational(1, 6)]
    loop = Loop(Categorical(chances), regime=Mixed(alpha, count="bernoulli"))
    first = sum(x**2 for x in chances)
    kept = (1 - alpha) ** 2
    wanted = (1 / M + (1 - 1 / M) * (1 - kept) * first) / (1 - (1 - 1 / M) * kept)
    assert vanishes(stationary(loop, Categorical.collision).expression - wanted)


@pytest.mark.parametrize("of", [V, mu**2, mu * V])
def test_stationary_moments_are_a_fixed_point(of):
    """Assert that one more refit leaves the stationary moments as they are."""
    following = Poly(expect(LIKELIHOOD, of).recurrence[of], mu, V)
    limit = {
        powers: stationary(LIKELIHOOD, mu ** powers[0] * V ** powers[1]).expression for powers in following.monoms()
    }
    assert vanishes(
        sum(weight * limit[powers] for powers, weight in following.terms()) - limit[Poly(of, mu, V).monoms()[0]]
    )


def test_variance_of_the_stationary_law():
    """Assert that the variance is the second moment less the squared mean, with the second moment's conditions."""
    answer = stationary(SHRUNKEN, V)
    second = stationary(SHRUNKEN, V**2)
    assert answer.conditions == ()
    assert vanishes(answer.variance.expression - second.expression + answer.expression**2)
    assert answer.variance.conditions == second.conditions != ()


THRESHOLDS = {
    "X6": (UNBIASED, V, alpha, 1 - sqrt(1 - 1 / M)),
    "X6, as a sample size": (UNBIASED, D2, M, 1 / (alpha * (2 - alpha))),
    "S7": (SHRUNKEN, V**2, w, 1 - 1 / sqrt(1 + 2 / (M - 1))),
    "replace": (Loop(Gaussian(), estimator=Scaled(c)), V, c, 1),
}


@pytest.mark.parametrize("name", THRESHOLDS)
def test_threshold_is_solved_in_symbols(name):
    """Assert alpha* = 1 - sqrt(1 - 1/M), w* = 1 - 1/sqrt(1 + 2/nu) and their like, at M = 2 .. 5 and alpha = 1/3."""
    loop, of, symbol, formula = THRESHOLDS[name]
    (found,) = stationary(loop, of).thresholds(symbol)
    for samples in range(2, 6):
        values = {M: samples, alpha: Rational(1, 3)}
        assert vanishes(sqrt((found - formula).subs(values) ** 2))


def test_root_where_another_condition_fails_is_no_threshold():
    """Assert that of x > 1/4 and x > 1/2 the second decides, that a double root changes nothing, and that
    (x - 1/4)(1/2 - x) > 0 has two thresholds, of which one lies in (0, 1/3).
    """
    quarter, half = Rational(1, 4), Rational(1, 2)
    assert thresholds([w - quarter, w - half], w, oo, [{}]) == (half,)
    assert thresholds([(w - quarter) ** 2], w, oo, [{}]) == ()
    assert set(thresholds([(w - quarter) * (half - w)], w, S.One, [{}])) == {quarter, half}
    assert thresholds([(w - quarter) * (half - w)], w, Rational(1, 3), [{}]) == (quarter,)


def test_maximum_likelihood_has_no_threshold_in_the_mean():
    """Assert that E V and Var mu exist for every alpha in (0, 1) and M under maximum likelihood, without conditions."""
    for of in (V, D2):
        answer = stationary(LIKELIHOOD, of)
        assert (answer.conditions, answer.thresholds(alpha), answer.verdict) == ((), (), "forgets its start")


def test_moment_diverges_below_its_threshold_and_settles_above():
    """Assert that with 20 points, unbiased, E V^2 settles with two real points among them and not with one."""
    loop = Loop(Gaussian(0, 1), estimator=Unbiased(), regime=Mixed(alpha), samples=20)
    (threshold,) = stationary(loop, V**2).thresholds(alpha)
    assert Rational(1, 20) < threshold < Rational(2, 20)
    assert [stationary(loop.at(alpha=Rational(k, 20)), V**2).exists for k in (1, 2)] == [False, True]
    assert stationary(loop, V**2).exists is None


def test_fourth_moment_diverges_under_maximum_likelihood():
    """Assert that E V^2 needs about half a real point per generation even where E V needs none: without any the
    limit of mu is Student's t with 4 degrees of freedom, which has no fourth moment.
    """
    for samples in (20, 40):
        loop = Loop(Gaussian(0, 1), estimator=MLE(), regime=Mixed(alpha), samples=samples)
        (threshold,) = stationary(loop, V**2).thresholds(alpha)
        assert Rational(45, 100) < samples * threshold < Rational(1, 2)


def test_threshold_of_too_high_a_degree_is_refused():
    """Assert that E V^2 with M in symbols is refused and sent to numbers."""
    with pytest.raises(NoClosedForm, match="degree"):
        stationary(LIKELIHOOD, V**2).thresholds(alpha)
    with pytest.raises(ValueError, match="no symbol of the loop"):
        stationary(LIKELIHOOD, V).thresholds(w)


VERDICTS = {
    "forgets its start": (LIKELIHOOD, V),
    "depends on its start": (Loop(Bernoulli()), p**2),
    "decays to 0": (Loop(Gaussian()), V),
    "diverges": (Loop(Gaussian(), estimator=Unbiased()), mu**2),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_kind_of_limit_is_named(verdict):
    """Assert the four words: mixed, absorbed, collapsed, and spreading loops."""
    assert stationary(*VERDICTS[verdict]).verdict == verdict


def test_coefficients_that_depend_on_the_generation():
    """Assert that accumulation has its sine as limit, which depends on its start."""
    answer = stationary(Loop(Gaussian(), regime=Accumulate()), V)
    assert vanishes(answer.expression - V0 * sin(pi / sqrt(M)) / (pi / sqrt(M)))
    assert answer.verdict == "depends on its start"


def test_all_parameters_at_once():
    """Assert that without an observable mean and variance of mu and V are given, printed line by line and as LaTeX."""
    moments = stationary(SHRUNKEN)
    assert [moments.means[x].expression for x in (mu, V)] == [0, 1]
    assert set(moments.variances) == {mu, V}
    assert len(str(moments).splitlines()) == 4
    assert moments._repr_latex_().count(r"\to") == 4


ROOTS = st.lists(st.fractions(-2, 2, max_denominator=6), min_size=1, max_size=5)


@given(ROOTS)
def test_schur_cohn_decides_by_the_roots(roots):
    """Assert that all quantities are positive exactly when every root lies inside the unit circle."""
    x = Symbol("x")
    polynomial = Poly(prod(x - Rational(r.numerator, r.denominator) for r in roots), x)
    *rule, _ = (QQ.from_sympy(-coefficient) for coefficient in reversed(polynomial.all_coeffs()))
    assert all(q > 0 for q in inside_unit_circle(rule, QQ(1))) == all(abs(r) < 1 for r in roots)
