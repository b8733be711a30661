"""Regression refitted to its own responses: known formulas, exact identities, and what remembers the pool."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    EulerGamma,
    Rational,
    S,
    Sum,
    Symbol,
    expand_func,
    harmonic,
    pi,
    polygamma,
)

from proofs.testing.equality import vanishes
from theory import (
    MLE,
    Accumulate,
    FixedDesignRegression,
    GradientDescent,
    Known,
    LinearRegression,
    Loop,
    M,
    Mixed,
    NotClosed,
    Replace,
    Ridge,
    Tempered,
    Unbiased,
    alpha,
    expect,
    n,
    tau,
)
from theory.innovations import Normal
from theory.sphere import Parts
from theory.symbols import d, noise, w0

error, w, squares = LinearRegression.error, LinearRegression.w, LinearRegression.squares

component = FixedDesignRegression.w[0]

s, lam, eta = (Symbol(name, positive=True) for name in ("s", "lam", "eta"))

b = Symbol("w0_0", real=True)

j, k = (Symbol(name, integer=True, positive=True) for name in "jk")

HALF = Rational(1, 2)

FRESH = Loop(LinearRegression())

SAME = Loop(LinearRegression(design="same"))

ACCUMULATE = Loop(LinearRegression(), regime=Accumulate())

ACCUMULATE_SAME = Loop(LinearRegression(design="same"), regime=Accumulate())

OVER = Loop(LinearRegression(overparametrised=True))

MIXED = Loop(LinearRegression(), regime=Mixed(alpha))


def given_design(estimator=None, regime=None):
    """One direction of a given design, X'X of M rows having the eigenvalue M s there."""
    return Loop(FixedDesignRegression([s]), estimator=estimator or MLE(), regime=regime or Replace())


def mean(loop, observable=error):
    """E[observable] as the engine's closed form."""
    return expect(loop, observable).expression


def once(size=M, dimension=d, variance=noise):
    """E|G^-1 X' eps|^2 = noise E tr G^-1, G Wishart of ``size`` degrees."""
    return S(variance) * dimension / (size - dimension - 1)


def second(size, rows):
    """(a, b) with E[B A B] = (a + b) A + b tr(A) I for the matrix-beta share B of ``rows`` among ``size``.

    Solved from E tr B^2 = d a + d (d + 1) b and E (tr B)^2 = d^2 a + 2 d b, of the zonal moments.
    """
    square, minor = rows * (rows + 2) / (size * (size + 2)), rows * (rows - 1) / (size * (size - 1))
    trace_of_square = (square * d * (d + 2) - minor * d * (d - 1)) / 3
    square_of_trace = (square * d * (d + 2) + 2 * minor * d * (d - 1)) / 3
    b_ = (square_of_trace - d * trace_of_square) / (2 * d - d**2 * (d + 1))
    return (trace_of_square - d * (d + 1) * b_) / d, b_


def kept_share(size, rows):
    """E|U delta|^2/|delta|^2, U = G^-1 G_model: A + 2B + B (d (m d - 2)/(m - d - 1) - d)/d."""
    A, B = second(size, rows)
    return A + 2 * B + B * (d * (size * d - 2) / (size - d - 1) - d) / d


RIDGE = M * s / (M * s + lam)

DESCENT = 1 - (1 - eta * M * s) ** 3


def filtered(a):
    """E (w - b)^2 of a fit that keeps the share a of the least squares weight each time."""
    return (1 - a**n) ** 2 * b**2 + noise * a**2 / (M * s) * (1 - a ** (2 * n)) / (1 - a**2)


# name: (loop, known E error)
KNOWN = {
    "A10 fresh": (FRESH, n * once()),
    "A10 same": (SAME, n * once()),
    "A10 unbiased": (Loop(LinearRegression(), estimator=Unbiased()), n * once()),
    "A10 tempered": (Loop(LinearRegression(), sampling=Tempered(tau)), n * tau * once()),
    "A11": (ACCUMULATE_SAME, once() * harmonic(n, 2)),
    "A12": (ACCUMULATE, noise * Sum(d / (j * (j * M - d - 1)), (j, 1, n))),
    "A14": (
        OVER,
        w0**2 * (1 - (M / d) ** n) + noise * M / (d - M - 1) * (1 - (M / d) ** n) / (1 - M / d),
    ),
    "mixed": (MIXED, once() * Sum(kept_share(M, (1 - alpha) * M) ** (j - 1), (j, 1, n))),
    "S18 ridge": (given_design(Ridge(lam)), filtered(RIDGE)),
    "S18 descent": (given_design(GradientDescent(3, eta)), filtered(DESCENT)),
    "S19": (given_design(GradientDescent(3, eta, warm=True)), n * noise * DESCENT**2 / (M * s)),
    "given, accumulate": (given_design(regime=Accumulate()), noise * harmonic(n, 2) / (M * s)),
}

OVERPARAMETRISED = {"A14"}


@pytest.mark.parametrize("name", KNOWN)
def test_expected_error_is_the_known_formula(name):
    """Assert the closed form, its recurrence and the known formula agree exactly at rational points."""
    loop, formula = KNOWN[name]
    derived = expect(loop, error)
    few = st.integers(2, 5)
    over = name in OVERPARAMETRISED
    points = {
        M: st.sampled_from([8, 12, 16]),
        d: st.integers(17, 20) if over else few,
        noise: st.fractions(HALF, 3, max_denominator=4),
        w0: st.fractions(-2, 2, max_denominator=3),
        b: st.fractions(-2, 2, max_denominator=3),
        alpha: st.sampled_from([HALF, Rational(1, 4), Rational(3, 4)]),
        **dict.fromkeys((s, lam, tau), st.fractions(HALF, 2, max_denominator=3)),
        eta: st.fractions(Rational(1, 40), Rational(1, 30), max_denominator=90),
    }

    @settings(max_examples=6)
    @given(st.fixed_dictionaries(points))
    def same(values):
        special = derived.expression.subs(values)
        numbers = loop.substitute(values)
        for generation, exact in enumerate(expect(numbers, error).values(4)):
            known = formula.subs(values).subs(n, generation).doit()
            assert exact == known
            if not special.has(polygamma):
                assert special.subs(n, generation).expand() == known

    same()


@pytest.mark.parametrize(("loop", "term"), [(ACCUMULATE, d / (n * (n * M - d - 1))), (ACCUMULATE_SAME, 1 / n**2)])
def test_accumulated_error_adds_one_term_a_generation(loop, term):
    """Assert that the polygamma closed form starts at 0 and that its difference is the term of its sum."""
    closed = mean(loop)
    wanted = noise * term if loop is ACCUMULATE else once() * term
    assert expand_func(closed.subs(n, 0)).expand() == 0
    assert vanishes(expand_func(closed - closed.subs(n, n + 1)).expand() + wanted.subs(n, n + 1))


def test_accumulated_error_stays_bounded():
    """Assert the limits: digamma for fresh rows, pi^2/6 for the same."""
    digamma_limit = noise * d / (d + 1) * (-EulerGamma - polygamma(0, 1 - (d + 1) / M))
    assert (expect(ACCUMULATE, error).limit() - digamma_limit).expand() == 0
    assert vanishes(expect(ACCUMULATE_SAME, error).limit() - once() * pi**2 / 6)


@given(st.integers(1, 4), st.integers(6, 20))
def test_fresh_rows_accumulate_less_error_than_the_same(dimension, size):
    """Assert that from the second fit on a fresh design does strictly better, as the sums term by term."""
    fresh, same = (
        expect(Loop(LinearRegression(dimension, 1, 1, design=design), regime=Accumulate(), samples=size), error)
        for design in ("fresh", "same")
    )
    pairs = list(zip(fresh.values(4), same.values(4), strict=True))
    assert pairs[1][0] == pairs[1][1]
    assert all(one < other for one, other in pairs[2:])


def test_error_is_spelled_in_the_state():
    """Assert E error = E squares - 2 w0 E w + w0^2, and that w stays at the truth while there are enough rows."""
    for loop in (FRESH, ACCUMULATE, OVER):
        assert vanishes(mean(loop) - mean(loop, squares) + 2 * w0 * mean(loop, w) - w0**2)
    assert mean(FRESH, w) == mean(ACCUMULATE, w) == w0
    assert vanishes(mean(OVER, w) - w0 * (M / d) ** n)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_first_error_is_a_ratio_of_chi_squares(power):
    """Assert E error_1^k = noise^k E chi2_d^k E chi2_(M-d+1)^-k, for any dimension and for one weight."""
    df = M - d + 1
    above, below = (S.One, S.One)
    for i in range(power):
        above, below = above * (d + 2 * i), below * (df - 2 * (i + 1))
    known = noise**power * above / below
    assert vanishes(expect(FRESH, error**power).values(1)[1] - known)
    alone = expect(Loop(LinearRegression(1)), error**power).values(1)[1]
    assert vanishes(alone - known.subs(d, 1))


def test_squared_error_is_that_of_a_walk_of_isotropic_steps():
    """Assert E error^2 = n E|u|^4 + n (n - 1) (1 + 2/d) (E|u|^2)^2, all steps u alike and independent."""
    df = M - d + 1
    fourth = noise**2 * d * (d + 2) / ((df - 2) * (df - 4))
    assert vanishes(mean(FRESH, error**2) - n * fourth - n * (n - 1) * (1 + 2 / d) * once() ** 2)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_projection_loses_a_beta_share(power):
    """Assert that without noise error_1/w0^2 ~ Beta((d - M)/2, M/2): rising factorials of both."""
    silent = Loop(LinearRegression(noise=0, overparametrised=True))
    known = w0 ** (2 * power)
    for i in range(power):
        known *= (d - M + 2 * i) / (d + 2 * i)
    assert vanishes(expect(silent, error**power).values(1)[1] - known)


def test_numbers_decide_which_side_of_the_interpolation_point():
    """Assert that M and dimension as numbers decide, whatever the flag says, and that the peak is refused."""
    for flag in (False, True):
        family = LinearRegression(6, 1, 1, overparametrised=flag)
        assert expect(Loop(family, samples=9), error).values(1)[1] == once(9, 6, 1)
        assert expect(Loop(family, samples=3), error).values(1)[1] == HALF + Rational(3, 2)
        for peak in (5, 6, 7):
            with pytest.raises(NotClosed, match="infinite"):
                expect(Loop(family, samples=peak), error)
    assert expect(OVER, error).at(M=9, d=6, noise=1, w0=1, n=1) == once(9, 6, 1)


def test_existence_is_a_condition():
    """Assert M > d + 1 for the error, M > d + 3 for its square, and d > M + 1 on the other side."""
    assert expect(FRESH, error).conditions == (M - d - 1 > 0,)
    assert expect(FRESH, error**2).conditions == (M - d - 1 > 0, M - d - 3 > 0)
    assert expect(ACCUMULATE, error).conditions == (M - d - 1 > 0,)
    assert (d - M - 1 > 0) in expect(OVER, error).conditions
    assert expect(FRESH.at(M=20, d=3), error).conditions == ()


def test_ridge_on_all_rows_adds_no_bias():
    """Assert that under accumulate the mean of ridge stays that of the first fit, and its closed form is its values."""
    ridge = given_design(Ridge(lam), Accumulate())
    assert all(vanishes(value - RIDGE * b) for value in expect(ridge, component).values(4)[1:])
    numbers = expect(ridge.at(M=2, s=1, lam=3, noise=2, w0_0=1), error)
    for generation, value in enumerate(numbers.values(3)[1:], start=1):
        assert numbers.expression.subs(n, generation).doit() == value


def test_known_law_gives_what_is_listed_and_no_more():
    """Assert a law of two moments to serve as the normal law of that variance does, for what needs only these."""
    x, v = Symbol("x", real=True), Symbol("v", positive=True)
    known, full = Known(x, {2: v, 1: 0}), Normal(x, v)
    assert known == Known((x,), {(1,): 0, (2,): v})
    assert known.means() == full.means()
    for power in map(S, (0, 1, 2)):
        assert known.moment((power,), (0,)) == full.moment((power,), (0,))
    for powers, logs in (((S(3),), (0,)), ((S(-1),), (0,)), ((HALF,), (0,)), ((S(0),), (1,))):
        with pytest.raises(NotClosed, match=re.escape("only E of x, x**2 is known")):
            known.moment(powers, logs)


@given(st.integers(0, 3))
def test_parts_add_up_to_the_whole(order):
    """Assert E (x^2 + y^2)^k = square^k, and the vector of R^0 to be 0."""
    x, y, p, q, r = (Symbol(name, positive=True) for name in "xypqr")
    law = Parts((x, y), (p, q), r)
    expanded = ((x**2 + y**2) ** order).expand().as_poly(x, y)
    total = sum((c * law.moment(tuple(map(S, powers)), (0, 0)) for powers, c in expanded.terms()), S.Zero)
    assert vanishes(total - r**order)
    assert law.moment((S.One, S(2)), (0, 0)) == 0
    assert Parts((x, y), (S.One, -S.One), r).moment((S(2), S.Zero), (0, 0)) == 0
