"""The coefficient field: both arithmetics, python-flint's and SymPy's, give the same answers to the same questions."""

import operator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Add, Indexed, IndexedBase, Mul, Pow, S, Symbol

from theory import MLE, Accumulate, Gaussian, Loop, M, Mixed, Scaled, alpha, c, expect, n
from theory import field as fields
from theory.arithmetic import SymPyArithmetic
from theory.constants import Constant
from theory.field import Field, MissingGenerator
from theory.fraction import AVAILABLE, FlintArithmetic

GENERATORS = (M, alpha)
needs_flint = pytest.mark.skipif(not AVAILABLE, reason="python-flint is not installed")
OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
ONE, TWO = SymPyArithmetic(GENERATORS), FlintArithmetic(GENERATORS)


def rationals():
    """Small rational expressions in M and alpha, written in many ways."""
    leaves = st.sampled_from([M, alpha, S(2), S(-3), S(1) / 2, M - 1, 2 - alpha, 1 + M * alpha])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Add, inner, inner),
            st.builds(Mul, inner, inner),
            st.builds(Pow, inner, st.sampled_from([S(2), S(3)])),
        ),
        max_leaves=5,
    )


def same(one, two):
    """Whether elements of the two arithmetics are the same rational function, in the same normal form."""
    one = ONE.one * one  # SymPy's 0 + k is the plain integer k
    return ONE.expr(one) == TWO.expr(two) and ONE.factored(one) == TWO.factored(two)


@needs_flint
@settings(max_examples=60, deadline=None)
@given(rationals(), rationals(), st.sampled_from(list(OPERATIONS)))
def test_arithmetics_agree(left, right, sign):
    """Assert equal sums, differences, products and quotients, as expanded fractions and as products of factors."""
    assume(sign != "/" or ONE.read(right))
    results = [OPERATIONS[sign](field.read(left), field.read(right)) for field in (ONE, TWO)]
    assert same(*results)
    assert (results[0] == 0) == (results[1] == 0) == (not results[1])


@needs_flint
@settings(max_examples=40, deadline=None)
@given(rationals(), st.integers(-3, 3))
def test_arithmetics_agree_with_whole_numbers_and_powers(expr, k):
    """Assert the same with plain integers on either side, whole powers, shifts and values."""
    assume(k >= 0 or ONE.read(expr))
    pairs = [[x + k, k - x, x * k, k * x, x**k] for x in (ONE.read(expr), TWO.read(expr))]
    assert all(map(same, *pairs))
    for value in (k, M + k):
        images = [field.substituted(field.read(expr), 0, field.read(S(value))) for field in (ONE, TWO)]
        assert same(*images)


@needs_flint
@settings(max_examples=20, deadline=None)
@given(st.lists(rationals(), min_size=1, max_size=2), st.lists(rationals(), min_size=2, max_size=2))
def test_arithmetics_split_alike(roots, rest):
    """Assert the same monic irreducible factors of polynomials with known roots and a quadratic beside."""
    answers = []
    for field in (ONE, TWO):
        whole = [field.read(rest[0]), field.read(rest[1]), field.one]
        for root in map(field.read, roots):
            whole = [b - root * a for a, b in zip([*whole, field.zero], [field.zero, *whole], strict=True)]
        found = [([field.expr(w) for w in factor], e) for factor, e in field.split(whole)]
        answers.append(sorted(found, key=str))
    assert answers[0] == answers[1]
    assert sum((len(factor) - 1) * e for factor, e in answers[0]) == len(roots) + 2


@needs_flint
def test_fractions_are_in_lowest_terms():
    """Assert that equal fractions are identical and hash alike, and that signs sit in the numerator."""
    one, two = TWO.read((1 - M**2) / (M * (1 - M))), TWO.read(1 + 1 / M)
    assert one == two
    assert hash(one) == hash(two)
    assert TWO.expr(TWO.read(1 / (2 - 2 * M))) == -1 / (2 * M - 2)
    assert one != TWO.read(1 + 2 / M)
    with pytest.raises(ZeroDivisionError):
        operator.truediv(TWO.one, one - two)


LOOPS = {
    "replace": (Loop(Gaussian()), Gaussian.mu**4),
    "any multiplier": (Loop(Gaussian(), estimator=Scaled(c)), Gaussian.mu**2 * Gaussian.V),
    "mixed, irrational eigenvalues": (Loop(Gaussian(0, 1), regime=Mixed(alpha)), Gaussian.V),
    "accumulate": (Loop(Gaussian(), regime=Accumulate()), Gaussian.V),
    "square root": (Loop(Gaussian()), Gaussian.V**S.Half),
    "numbers": (Loop(Gaussian(0, 1), estimator=MLE(), samples=5), Gaussian.mu**4),
}


@pytest.mark.parametrize("name", LOOPS)
def test_answers_do_not_depend_on_the_arithmetic(name, monkeypatch):
    """Assert the same closed form, conditions and certificate with python-flint and without."""
    fast = expect(*LOOPS[name])
    found = (fast.expression, fast.conditions, fast.certificate)
    monkeypatch.setattr(fields, "AVAILABLE", False)
    slow = expect(*LOOPS[name])
    assert (slow.expression, slow.conditions, slow.certificate) == found


@pytest.mark.parametrize("flint", [pytest.param(True, marks=needs_flint), False])
def test_generators_may_be_entries_and_constants(flint, monkeypatch):
    """Assert that M[n] and a named constant are letters like others, and that a missing letter is named."""
    monkeypatch.setattr(fields, "AVAILABLE", flint)
    entry, constant = Indexed(IndexedBase("M", positive=True), n), Constant(S(2) ** S.Half)
    field = Field((entry, constant))
    assert field.expr(field(constant * entry) / field(entry)) == constant
    with pytest.raises(MissingGenerator) as missing:
        field(entry + Symbol("x"))
    assert missing.value.found == {Symbol("x")}


SHORT = {
    "E[mu^6]": (Loop(Gaussian()), Gaussian.mu**6, 460),
    "E[mu^4]": (Loop(Gaussian()), Gaussian.mu**4, 130),
    "source letters taken out of the field": (Loop(Gaussian(), regime=Mixed(alpha)), Gaussian.mu**2, 100),
}


@pytest.mark.parametrize("name", SHORT)
def test_answers_are_short(name):
    """Assert a bound on the length of the text, initial moments in front of what they share."""
    loop, observable, longest = SHORT[name]
    assert len(str(expect(loop, observable).expression)) <= longest


def test_several_observables_share_one_certificate():
    """Assert that a list is answered entry by entry as each alone, with one induction for all."""
    observables = [Gaussian.mu**2, Gaussian.V, Gaussian.mu * Gaussian.V]
    together = expect(Loop(Gaussian()), observables)
    assert [e.expression for e in together] == [expect(Loop(Gaussian()), of).expression for of in observables]
    assert len({id(e.certificate[0]) for e in together}) == 1
    assert len(together[0].certificate[0].data["claim"]) == 3
    assert expect(Loop(Gaussian()), []) == ()
