"""The strategies draw every value of every axis and nothing but loops; the engine meets every sample written out."""

import importlib
import sys

import pytest
from hypothesis import Phase, assume, find, given, settings
from hypothesis import strategies as st
from sympy import (
    EulerGamma,
    Integer,
    Poly,
    Rational,
    S,
    Symbol,
    digamma,
    exp,
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
from proofs.testing.rationals import simplicity
from proofs.testing.samples import DATA, FITS
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Faithful,
    Gaussian,
    Loop,
    M,
    Mixed,
    Tempered,
    Unbiased,
    Weighted,
    alpha,
    expect,
    mu0,
    n,
)
from theory.innovations import Multinomial
from theory.symbols import q0

mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p

GAUSSIAN, COIN = Loop(Gaussian()), Loop(Bernoulli())


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
