"""Limits of loops with irrational eigenvalues of any size: decided by the largest root and the sign of its share."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Matrix, Rational, S, Symbol, eye, fibonacci, oo, symbols

from theory import Gaussian, Loop, Mixed, NoClosedForm, Recursion, Scaled, expect, plan, stationary
from theory.dominance import dominated
from theory.stability import stable
from theory.symbols import c

HALF, CLOSE = Rational(1, 2), Rational(1, 10**20)
GOLDEN = Matrix([[1, 1], [1, 0]])
x = symbols("x:4", real=True)


def linear(matrix, start, weights, offset=0):
    """Return E[weights . x_n + offset] for x_n = matrix x_(n-1) from the start, nothing random in it."""
    state = x[: len(start)]
    update = dict(zip(state, matrix * Matrix(state), strict=True))
    loop = Loop(Recursion(dict(zip(state, start, strict=True)), update))
    return expect(loop, sum(w * s for w, s in zip(weights, state, strict=True)) + offset)


@pytest.mark.parametrize("k", [5, 6, 41, 42, 101, 102])
@pytest.mark.parametrize("sign", [1, -1])
def test_radius_is_told_from_one_on_either_side(k, sign):
    """Assert that F_k/F_(k+1) [[1, 1], [1, 0]] makes x grow for odd k and decay for even k, its largest eigenvalue
    lying on either side of 1 by about F_(k+1)^(-2), 1e-42 at last.
    """
    ratio = fibonacci(k) / fibonacci(k + 1)
    answer = linear(ratio * GOLDEN, (sign, 0), (1, 0)).limit()
    assert answer == (sign * oo if k % 2 else 0)


def no_share(slip=0):
    """Return a moment of which the golden ratio takes no part although all letters do: z' = z/2 + x, less what of z
    follows x and y; a slip leaves a part.
    """
    wide = Matrix.diag(GOLDEN, HALF)
    wide[2, 0] = 1
    share = Matrix([[1, 0]]) * (GOLDEN - HALF * eye(2)).inv()
    return linear(wide, (1, 1, 5), (-share[0] + slip, -share[1], 1), offset=3)


def test_root_without_a_share_decides_nothing():
    """Assert that the limit is that of the rest, and infinite either way once the share is 1e-12."""
    assert no_share().limit() == 3
    assert [no_share(slip=sign * Rational(1, 10**12)).limit() for sign in (1, -1)] == [oo, -oo]


def test_growth_beside_a_root_without_a_share():
    """Assert that a rational eigenvalue decides where the larger irrational one starts from 0."""
    both = Matrix.diag(3 * GOLDEN, 2)
    assert linear(both, (0, 0, -1), (1, 1, 1)).limit() == -oo
    assert linear(both, (1, 0, -1), (1, 1, 1)).limit() == oo
    assert linear(Matrix.diag(GOLDEN, 2), (1, 0, -1), (1, 1, 1)).limit() == -oo


@settings(max_examples=40)
@given(st.lists(st.integers(-3, 3), min_size=9, max_size=9), st.lists(st.integers(-2, 2), min_size=3, max_size=3))
def test_limit_is_that_of_the_powers(entries, start):
    """Assert that a limit of x_n = (A/4)^n x_0 is that which the exact powers n = 500 and 501 show."""
    matrix = Matrix(3, 3, entries)
    try:
        answer = linear(matrix / 4, start, (1, 1, 1)).limit()
    except NoClosedForm:
        assume(False)
    total = Matrix([[1, 1, 1]])
    for k in (500, 501):
        value = (total * matrix**k * Matrix(start))[0] / S(4) ** k
        assert value * answer > 10 if answer.is_infinite else abs(value - answer) < Rational(1, 10)


REFUSED = {"alternates": -GOLDEN, "may oscillate": Matrix([[0, 2], [1, 0]]), "no eigenvalue": Matrix([[1, -2], [2, 1]])}


@pytest.mark.parametrize("words", REFUSED)
def test_what_has_no_limit_is_refused(words):
    """Assert a sentence where the largest root is negative, has a negative twin, or is complex with a twin."""
    with pytest.raises(NoClosedForm, match=words):
        linear(REFUSED[words], (1, 0), (1, 0)).limit()


def test_families_side_by_side():
    """Assert the limits of sums over families of roots: powers of n, ties, letters of known and of unknown sign."""
    golden, two = (S(1), S(1)), (S(2),)
    letter, real = Symbol("a", positive=True), Symbol("b", real=True)
    assert dominated({(golden, 1): {S.One: (S(0), S(-1))}, (golden, 0): {S.One: (S(9), S(9))}}) == -oo
    assert dominated({(golden, 0): {letter: (S(1), S(0))}, (two, 0): {letter: (S(0),)}}) == oo
    assert dominated({((S(1),), 0): {letter: (S(2),), real: (S(3),)}}) == 2 * letter + 3 * real
    for odd in ({real: (S(1),)}, {letter: (S(1),), letter**2: (S(-1),)}):
        with pytest.raises(NoClosedForm, match="depends on the symbols"):
            dominated({(two, 0): odd})
    with pytest.raises(NoClosedForm, match="no eigenvalue"):
        dominated({(two, 0): {S.One: (S(1),)}, ((S(-2),), 0): {S.One: (S(3),)}})


@pytest.mark.parametrize(("rule", "inside"), [((-HALF, HALF, HALF), True), ((HALF, HALF, HALF), False)])
def test_cubic_is_told_to_be_inside_the_circle(rule, inside):
    """Assert that the size of a cubic's roots is decided by rational conditions."""
    assert stable(rule) is inside


LOOP = Loop(Gaussian(), samples=4, estimator=Scaled(c), regime=Mixed(Rational(1, 4)))


@pytest.mark.parametrize("of", [Gaussian.V, Gaussian.V**2])
def test_refits_with_too_large_a_factor_diverge(of):
    """Assert that the mean of V and of V^2 is finite below the threshold in c and infinite above it."""
    (threshold,) = stationary(LOOP, of).thresholds(c)
    near = Rational(str(threshold.evalf(30)))
    below, above = (stationary(LOOP.at(c=near * factor), of) for factor in (1 - CLOSE, 1 + CLOSE))
    assert below.verdict == "forgets its start"
    assert (above.verdict, above.expression) == ("diverges", oo)


def test_plan_across_the_threshold():
    """Assert that a plan for the long run finds the factor that meets a bound below the threshold, past which values
    are infinite.
    """
    answer = plan(LOOP.at(V0=1), Gaussian.V, c, at_most=3, n=oo)
    (threshold,) = stationary(LOOP, Gaussian.V).thresholds(c)
    assert answer.value < threshold
    assert stationary(LOOP.at(V0=1, c=answer.value), Gaussian.V).expression <= 3
    assert stationary(LOOP.at(V0=1, c=answer.crossing.fails), Gaussian.V).expression > 3
