"""The strategies draw every value of every axis and nothing but loops, and `check_claim` tells right from wrong."""

import importlib
import sys

import pytest
from hypothesis import Phase, assume, find, given, settings
from hypothesis import strategies as st
from sympy import (
    EulerGamma,
    Integer,
    Mul,
    Ne,
    Poly,
    Rational,
    S,
    Sum,
    Symbol,
    besselj,
    digamma,
    exp,
    ff,
    gamma,
    log,
    pi,
    sqrt,
)

from proofs.testing import (
    ESTIMATORS,
    FAMILIES,
    REGIMES,
    SAMPLINGS,
    SOURCES,
    check_claim,
    closes,
    closing_loops,
    loops,
    observables,
    parameters,
    points,
)
from proofs.testing.enumeration import enumerable, enumerated
from proofs.testing.equality import compare
from proofs.testing.grid import grid
from proofs.testing.rationals import simplicity
from proofs.testing.samples import DATA, FITS
from theory import (
    MLE,
    V0,
    Accumulate,
    Bernoulli,
    Categorical,
    Faithful,
    Gaussian,
    Loop,
    M,
    Mixed,
    NoClosedForm,
    NotClosed,
    Scaled,
    Tempered,
    Unbiased,
    Weighted,
    alpha,
    c,
    expect,
    mu0,
    n,
)
from theory.innovations import Multinomial
from theory.symbols import K, i, p0, q0

mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p
GAUSSIAN, COIN = Loop(Gaussian()), Loop(Bernoulli())
UNBIASED = Loop(Gaussian(), estimator=Unbiased())
DECAY = (1 - 1 / M) ** n

# Strategies -----------------------------------------------------------------------------------------------------------

AXES = {"family": FAMILIES, "source": SOURCES, "estimator": ESTIMATORS, "regime": REGIMES, "sampling": SAMPLINGS}


def some(strategy, wanted):
    """A value that the strategy draws, the first that is wanted."""
    return find(strategy, wanted, settings=settings(phases=[Phase.generate], max_examples=1000))


@pytest.fixture(scope="module")
def drawn():
    """The class of every value of every axis in a few hundred loops, and their sizes."""
    seen = {axis: set() for axis in [*AXES, "samples"]}

    @settings(max_examples=300, phases=[Phase.generate])
    @given(loops())
    def look(loop):
        for axis in AXES.keys() - {"source"}:
            seen[axis].add(type(getattr(loop, axis)))
        if loop.source is not None:
            seen["source"].add(type(loop.family))
        seen["samples"].add(loop.samples)

    look()
    return seen


@pytest.mark.parametrize("axis", AXES)
def test_every_value_of_every_axis_is_drawn(axis, drawn):
    """Assert that loops with each family, outside source, estimator, regime and sampling occur, the rare ones when
    they are looked for.
    """
    for rare in set(AXES[axis]) - drawn[axis]:
        assert some(loops(), lambda loop, kind=rare: type(getattr(loop, axis)) is kind)


def test_sizes_are_drawn_in_symbols_numbers_and_without_bound(drawn):
    """Assert that M is drawn as the symbol, as its least values and as oo."""
    assert {M, S(1), S(2), S.Infinity} <= drawn["samples"]


@settings(max_examples=60)
@given(st.data(), loops())
def test_points_are_exact_and_put_every_symbol_in(data, loop):
    """Assert that a point leaves a loop in exact numbers, with whole counts of real points."""
    point = data.draw(points(loop))
    here = loop.at(**point)
    assert not here.free_symbols
    assert all(value.is_Rational for value in point.values())
    assert all(
        part.size.is_Integer
        for part in here.regime.parts(S(7) if here.samples == S.Infinity else here.samples, n)
        if here.samples.is_finite and not part.size.has(n)
    )


@settings(max_examples=40)
@given(st.data(), loops())
def test_parameters_are_a_model_of_the_family(data, loop):
    """Assert that a fitted model has a number for every parameter, and is itself a source of the family."""
    model = data.draw(parameters(loop))
    assert model
    assert all(value.is_Rational for value in model.values())
    assert all(value >= 0 for parameter, value in model.items() if parameter.is_nonnegative)


@settings(max_examples=30)
@given(st.data(), closing_loops(), st.integers(1, 2))
def test_closing_loops_derive_the_observables_drawn(data, loop, degree):
    """Assert that polynomials up to the second degree derive, and that their degree is at most the one asked for."""
    of = data.draw(observables(loop, degree=degree))
    assert Poly(of, *of.free_symbols).total_degree() <= degree or of.is_number or not of.is_polynomial()
    assert len(expect(loop, of).pieces) >= 1


def test_instances_stand_for_themselves():
    """Assert that an axis can be narrowed to given values."""
    loop = some(loops(families=[Gaussian(0, 1)], regimes=[Mixed(alpha)], estimators=[Unbiased]), lambda _: True)
    assert loop == Loop(Gaussian(0, 1), estimator=Unbiased(), regime=Mixed(alpha))


def test_unknown_class_is_refused():
    """Assert that a class without a line in its table is named, with those that have one."""
    with pytest.raises(ValueError, match=r"nothing is known of Symbol.*Gaussian, Bernoulli"):
        some(loops(families=[Symbol]), lambda _: True)


def test_hypothesis_is_asked_for_by_name(monkeypatch):
    """Assert one sentence on what is missing and one on what to install."""
    for name in [name for name in sys.modules if name.startswith("proofs.testing")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ModuleNotFoundError) as refusal:
        importlib.import_module("proofs.testing")
    assert str(refusal.value) == (
        "proofs.testing draws its cases with Hypothesis, which is not installed. "
        "Install it with: pip install 'collapse-theory[test]'."
    )


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

BASE = 2 * gamma(M / 2) / ((M - 1) * gamma((M - 1) / 2))
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


# The two truths -------------------------------------------------------------------------------------------------------


def test_error_of_the_engine_is_caught_by_the_enumeration(monkeypatch):
    """Assert that powers in place of falling factorials in the engine's binomial moments do not pass."""
    right = Multinomial.moment
    monkeypatch.setattr(Multinomial, "moment", lambda self, powers, logs: right(self, powers, logs) * 2)
    with pytest.raises(AssertionError, match=r"the recurrence gives .*, all samples give"):
        check_claim(COIN, p**2, q0)


@pytest.mark.parametrize("regime", DATA)
@settings(max_examples=15)
@given(data=st.data(), power=st.integers(1, 3))
def test_engine_agrees_with_every_sample_written_out(regime, data, power):
    """Assert E p^k at n = 0, 1, 2 by recurrence and by brute force, in every regime and fit that is understood."""
    sizes = st.sampled_from([S(1), S(2), S(3)])
    small = loops(families=[Bernoulli], estimators=FITS, regimes=[regime], samplings=[Faithful], samples=sizes)
    loop = data.draw(small)
    loop = loop.at(**data.draw(points(loop)))
    assume(enumerable(loop) and closes(loop, p**power))
    # A part without points has no frequencies to weigh.
    assume(not isinstance(loop.regime, Weighted) or 0 < loop.regime.alpha < 1)
    assert expect(loop, p**power).values(2) == enumerated(loop, p**power, 2)


def test_points_checked_twice_are_counted():
    """Assert that small discrete points are, and that Gaussian ones cannot be."""
    assert check_claim(COIN, p, q0, generations=3).tried.enumerated > 0
    assert check_claim(GAUSSIAN, mu, mu0, generations=3).tried.enumerated == 0


def test_enumeration_follows_two_drawings_by_hand():
    """Assert E p^2 = 1/4, 3/8, 7/16 for two tosses of a fair coin, and a pool of four after two fits."""
    fair = Bernoulli(Rational(1, 2))
    assert enumerated(Loop(fair, samples=2), p**2, 2) == [Rational(1, 4), Rational(3, 8), Rational(7, 16)]
    pooled = enumerated(Loop(fair, samples=2, regime=Accumulate()), p**2, 2)
    assert pooled == [Rational(1, 4), Rational(3, 8), Rational(25, 64)]


def test_only_what_is_understood_is_enumerated():
    """Assert that large, symbolic, Gaussian and tempered loops are not."""
    fair = Bernoulli(Rational(1, 2))
    others = [GAUSSIAN.at(M=2), COIN, Loop(fair, samples=5), Loop(fair, samples=2, sampling=Tempered(2))]
    assert enumerable(Loop(fair, samples=2, estimator=MLE()))
    assert not any(map(enumerable, others))


# Equality -------------------------------------------------------------------------------------------------------------

small = st.integers(1, 30).map(Integer)


@given(small, small)
def test_nested_roots_are_decided(a, b):
    """Assert sqrt(a + b + 2 sqrt(ab)) = sqrt(a) + sqrt(b), decided, and that a change by 10^-60 is seen."""
    nested, plain = sqrt(a + b + 2 * sqrt(a * b)), sqrt(a) + sqrt(b)
    assert compare(nested, plain) == "equal"
    assert compare(nested, plain + Rational(1, 10**60)) == "different"


def test_agreement_to_digits_is_not_called_equality():
    """Assert that numbers apart by 10^-60 relative to 1 are told apart, and a true identity unknown here is not."""
    assert compare(exp(1), exp(1) + Rational(1, 10**60)) == "different"
    assert compare(gamma(Rational(1, 3)) * gamma(Rational(2, 3)), 2 * pi / sqrt(3)) == "equal to 50 digits"
    assert compare(digamma(Rational(5, 2)), Rational(8, 3) - EulerGamma - 2 * log(2)) == "equal"


def test_undefined_and_complex_values_equal_nothing():
    """Assert that nan, zoo and i are different from every number."""
    for value in (S.NaN, S.ComplexInfinity, S.ImaginaryUnit, S.Infinity):
        assert compare(value, S.One) == "different"


def test_simplicity_counts_numerator_and_denominator():
    """Assert that it does not see signs, and grows from 0 to 1 to 1/2."""
    assert [simplicity(Rational(x)) for x in ("0", "1", "-1", "1/2", "-3/2")] == [1, 2, 2, 3, 5]
