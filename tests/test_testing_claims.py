"""`check_claim`: wrong formulas are refuted at their smallest counterexample, right ones accepted and proved."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import (
    Mul,
    Ne,
    Rational,
    S,
    Sum,
    besselj,
    digamma,
    ff,
    gamma,
    log,
    pi,
    sqrt,
)

from proofs.testing import (
    check_claim,
    closing_loops,
    observables,
)
from proofs.testing.grid import grid
from theory import (
    V0,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    M,
    Mixed,
    NoClosedForm,
    NotClosed,
    Scaled,
    Tempered,
    Unbiased,
    alpha,
    c,
    expect,
    mu0,
    n,
)
from theory.symbols import K, i, p0, q0

mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p

GAUSSIAN, COIN = Loop(Gaussian()), Loop(Bernoulli())

UNBIASED = Loop(Gaussian(), estimator=Unbiased())

DECAY = (1 - 1 / M) ** n


# Refuted claims -------------------------------------------------------------------------------------------------------


WRONG = {
    "n - 1 for n": (GAUSSIAN, V, V0 * DECAY / (1 - 1 / M), "n = 0, M = 2, V0 = 1: claimed 2, true 1"),
    "no decay": (Loop(Gaussian(0, 1)), V, 1 + n / M, "n = 1, M = 2: claimed 3/2, true 1/2"),
    "V for sqrt V": (GAUSSIAN, sqrt(V), sqrt(V0 * DECAY), "n = 1, M = 2, V0 = 1: claimed sqrt(2)/2, true 1/sqrt(pi)"),
    "sigma for V at the source": (GAUSSIAN, V, sqrt(V0) * DECAY, "n = 0, M = 2, V0 = 2: claimed sqrt(2), true 2"),
    "unbiased for ML": (GAUSSIAN, V, V0, "n = 1, M = 2, V0 = 1: claimed 1, true 1/2"),
    "1/c for c": (
        Loop(Gaussian(), estimator=Scaled(c)), V, V0 / c**n, "n = 1, M = 2, V0 = 1, c = 2: claimed 1/2, true 2"
    ),
    "right at n = 0 and 1": (GAUSSIAN, V, V0 * (1 - n / M), "n = 2, M = 2, V0 = 1: claimed 0, true 1/4"),
    "right at M = 2": (GAUSSIAN, V, V0 / 2**n, "n = 1, M = 3, V0 = 1: claimed 1/2, true 2/3"),
    "sign of the odd term": (
        UNBIASED, mu**3, mu0**3 - 3 * mu0 * V0 * n / M, "n = 1, M = 2, V0 = 1, mu0 = 1: claimed -1/2, true 5/2"
    ),
    "M - 1 for M": (
        COIN, p * (1 - p), q0 * (1 - q0) * (1 - 1 / (M + 1)) ** n, "n = 1, M = 1, p0 = 1/2: claimed 1/8, true 0"
    ),
    "collision without 1 - ...": (
        Loop(Categorical()),
        Categorical.collision,
        DECAY * Sum(p0[i] ** 2, (i, 0, K - 1)),
        "n = 1, M = 1, p0 = (1/2, 1/2): claimed 0, true 1",
    ),
    "mean of the log": (
        GAUSSIAN,
        log(V),
        log(V0) + n * log(1 - 1 / M),
        "n = 1, M = 2, V0 = 1: claimed -log(2), true -2*log(2) - EulerGamma",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_formula_is_refuted_at_its_smallest_counterexample(name):
    """Assert the exact point, with both values in exact numbers."""
    loop, of, formula, where = WRONG[name]
    result = check_claim(loop, of, formula, generations=3, points=30)
    assert not result
    assert result.proof is None
    assert str(result.counterexample) == where
    assert where in str(result)


@given(st.integers(0, 4), st.integers(0, 3))
def test_counterexample_is_the_first_generation_and_then_the_least_size(generation, skipped):
    """Assert that an error which vanishes at n < a and at M < 2 + b is found at n = a and M = 2 + b."""
    error = ff(n, generation) * Mul(*(M - 2 - k for k in range(skipped)))
    found = check_claim(GAUSSIAN, V, V0 * DECAY + error, points=20).counterexample
    assert found is not None
    assert (found.n, found.at.values[M], found.at.values[V0]) == (generation, 2 + skipped, 1)


def test_points_of_the_grid_rise_in_the_stated_order():
    """Assert that M rises, and for each M the simplicity of the other values."""
    ranks = [point.rank for point in grid(Loop(Gaussian(), regime=Mixed(alpha)), {M, alpha, V0}, 60, ())]
    assert ranks == sorted(ranks)
    assert len(ranks) >= 60


# Accepted claims ------------------------------------------------------------------------------------------------------


RIGHT = {
    "E V": (GAUSSIAN, V, V0 * DECAY),
    "E V, written otherwise": (GAUSSIAN, V, V0 * (M - 1) ** n / M**n),
    "Var mu": (GAUSSIAN, (mu - mu0) ** 2, V0 * (1 - DECAY)),
    "Var V": (GAUSSIAN, V**2, V0**2 * (1 - 1 / M**2) ** n),
    "unbiased mu^3": (UNBIASED, mu**3, mu0**3 + 3 * mu0 * V0 * n / M),
    "1/V": (GAUSSIAN, 1 / V, (M / (M - 3)) ** n / V0),
    "heterozygosity": (COIN, p * (1 - p), q0 * (1 - q0) * DECAY),
    "fourth central moment": (
        UNBIASED,
        (mu - mu0) ** 4,
        3 * V0**2 / M**2 * (M * (M - 1) / 2 * (((M + 1) / (M - 1)) ** n - 1) - (M - 1) * n),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_formula_is_accepted_and_proved(name):
    """Assert acceptance, and an induction of the formula itself that the kernel accepts."""
    result = check_claim(*RIGHT[name], points=30)
    assert result, result
    assert result.proof is not None, result.unproved
    assert result.proof.of == "formula"
    assert result.tried.approximate == 0
    assert "is proved for n >= 0" in str(result)


@settings(max_examples=25)
@given(st.data(), closing_loops())
def test_closed_forms_of_the_library_are_accepted(data, loop):
    """Assert that no closed form that theory derives is refuted, under its conditions and from its start on."""
    of = data.draw(observables(loop))
    expectation = expect(loop, of)
    try:
        formula, conditions = expectation.expression, expectation.conditions
    except NoClosedForm:
        assume(False)
    span = range(expectation.start, expectation.start + 3)
    result = check_claim(loop, of, formula, generations=span, points=12, where=conditions, prove=False)
    assert result, result


def test_logarithms_and_roots_are_decided_or_said_to_be_known_to_50_digits():
    """Assert that E sqrt V and E log V are accepted, and that nothing known only to digits is called equal."""
    root = check_claim(GAUSSIAN, sqrt(V), sqrt(V0) * (sqrt(2 / M) * gamma(M / 2) / gamma((M - 1) / 2)) ** n)
    logarithm = check_claim(GAUSSIAN, log(V), log(V0) + n * (digamma((M - 1) / 2) - log(M / 2)))
    assert root
    assert logarithm
    for result in (root, logarithm):
        assert "is the closed form that theory derives, whose sequences are proved for n >= 0" in str(result)
    odd = check_claim(
        Loop(Gaussian(0, 1), samples=2), V, gamma(Rational(1, 3)) * gamma(Rational(2, 3)) * sqrt(3) / (2 * pi) / 2**n
    )
    assert odd
    assert odd.tried.approximate == 7
    assert "7 to 50 digits only" in str(odd)
    assert odd.proof is None


def test_special_values_are_left_to_the_conditions():
    """Assert that (1 - c^n)/(1 - c) is refuted at c = 1, where it is 0/0, and proved elsewhere."""
    loop = Loop(Gaussian(), estimator=Scaled(c))
    formula = V0 / M * (1 - c**n) / (1 - c)
    refuted = check_claim(loop, (mu - mu0) ** 2, formula).counterexample
    assert refuted is not None
    assert (refuted.at.values[c], refuted.claimed) == (1, S.NaN)
    assert check_claim(loop, (mu - mu0) ** 2, formula, where=(Ne(c, 1),)).proof


def test_infinite_moments_are_left_out_and_counted():
    """Assert that E 1/V, infinite for M <= 3, is tried from M = 4 on, and that this is said."""
    tried = check_claim(GAUSSIAN, 1 / V, (M / (M - 3)) ** n / V0).tried
    assert tried.samples[0] == 4
    assert tried.left_out > 0


def test_formula_that_starts_late_is_tried_from_there():
    """Assert that a formula right from n = 1 on is refuted at n = 0 and accepted from 1 on, without a proof."""
    formula = V0 * DECAY + 0**n
    assert str(check_claim(GAUSSIAN, V, formula).counterexample) == "n = 0, M = 2, V0 = 1: claimed 2, true 1"
    later = check_claim(GAUSSIAN, V, formula, generations=range(1, 5))
    assert later
    assert later.tried.generations == (1, 4)


# What is refused ------------------------------------------------------------------------------------------------------


REFUSED = {
    "foreign symbol": (lambda: check_claim(GAUSSIAN, V, V0 * alpha), "holds alpha"),
    "parameter": (lambda: check_claim(GAUSSIAN, V, V), "holds V,"),
    "namesake": (lambda: check_claim(GAUSSIAN, V, "V0*(1-1/M)**n"), "another symbol"),
    "float": (lambda: check_claim(GAUSSIAN, V, 0.5 * V0), "is a float"),
    "foreign law": (lambda: check_claim(COIN, p, p0[0]), "holds p0"),
    "negative generation": (lambda: check_claim(GAUSSIAN, V, V0, generations=-1), "names no generation"),
    "no point left": (lambda: check_claim(GAUSSIAN, V, V0, where=(M < 1,)), "leaves no point"),
    "unknown function": (
        lambda: check_claim(Loop(Gaussian(0, 1), samples=2), V, besselj(0, 1)),
        "no enclosure of",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_claim_is_refused(name):
    """Assert a plain ValueError in two sentences: what is wrong with which value, and what to do."""
    attempt, words = REFUSED[name]
    with pytest.raises(ValueError, match=words) as refusal:
        attempt()
    assert not isinstance(refusal.value, NotClosed)
    assert ". " in str(refusal.value)


def test_question_without_an_answer_is_passed_on():
    """Assert that theory's own refusal comes through."""
    with pytest.raises(NotClosed, match="Tempered"):
        check_claim(Loop(Bernoulli(), sampling=Tempered(2)), p, q0)
