"""The neutral chain in symbols, n, M and p where they close: against single steps, published formulas and matrices."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Add, Matrix, Rational, S, binomial, gamma, latex, symbols
from sympy import Integer as Z

from theory import Bernoulli, Categorical, Loop, M, NoClosedForm, absorption, n
from theory.discrete import dual
from theory.discrete.spectral import left, right

p = Bernoulli().p0
THIRD = Rational(1, 3)
UNEQUAL = [Rational(k, 10) for k in (1, 2, 3, 4)]


def chain(samples, source):
    """The chain of a source."""
    return absorption(Loop(Categorical(source), samples=samples))


FORMULAS = {
    2: 1 + 4 * p * (1 - p),
    3: 1 + 9 * p * (1 - p),
    4: -(64 * p**4 - 128 * p**3 + 492 * p**2 - 428 * p - 29) / 29,
}


@pytest.mark.parametrize("samples", FORMULAS)
def test_expected_time_is_the_published_polynomial(samples):
    """Assert E T of two types as a polynomial in the source's symbolic frequency."""
    assert (absorption(Loop(Bernoulli(), samples=samples)).expected_time() - FORMULAS[samples]).expand() == 0


COUNTS = {
    2: ["2"],
    3: ["3", "3"],
    4: ["107/29", "132/29"],
    5: ["425/101", "575/101"],
    6: ["230059/49764", "81922/12441", "119517/16588"],
}


@pytest.mark.parametrize("samples", COUNTS)
def test_expected_time_from_a_count_is_the_published_fraction(samples):
    """Assert known times from count 1, 2, ..., by either winner together and by the chain given the counts."""
    here = absorption(Loop(Bernoulli(Rational(1, 2)), samples=samples))
    for count, published in enumerate(COUNTS[samples], start=1):
        assert here.times_to_fix[count] + here.times_to_fix[samples - count] == Rational(published)
        assert here.given(count, samples - count).expected_time() == Rational(published)


def test_symbolic_source_is_every_numeric_one():
    """Assert that polynomials in two symbols give, at numbers, what the chain of these numbers gives."""
    a, b = symbols("a b", positive=True)
    symbolic, at = chain(4, [a, b, 1 - a - b]), {a: Rational(1, 2), b: Rational(1, 5)}
    numbers = chain(4, [x.subs(at) for x in symbolic.probabilities])
    for ask in (
        lambda c: c.expected_time(),
        lambda c: c.expected_time(types=2),
        lambda c: c.variance_time(),
        lambda c: c.conditional_time(2),
        lambda c: c.survival(3),
        lambda c: c.survival(2, types=2),
        lambda c: c.lost(2, 3),
        lambda c: c.support(3),
        lambda c: c.missing_mass(2),
        lambda c: c.counts(1, 2)[3],
        lambda c: c.entropy(2),
        lambda c: c.survival().subs(n, 4),
    ):
        assert (ask(symbolic).subs(at) - ask(numbers)).expand() == 0
    assert symbolic.conditions == (1 - a - b > 0,)


@pytest.mark.parametrize("samples", [1, 2, 3, 5, 8])
def test_symbolic_generation_is_every_number(samples):
    """Assert that sums of powers of eigenvalues are, at n = 1, 2, ..., what single steps give."""
    here = chain(samples, UNEQUAL)
    for ask in (
        lambda at: here.survival(at),
        lambda at: here.survival(at, types=3),
        lambda at: here.cdf(at),
        lambda at: here.lost(2, at),
        lambda at: here.support(at),
        lambda at: here.missing_mass(at),
        lambda at: here.collision(at),
        lambda at: here.moment(3, at, 1),
    ):
        closed = ask(n)
        assert [closed.subs(n, at) for at in range(1, 5)] == [ask(at) for at in range(1, 5)]


def test_generation_0_is_the_source():
    """Assert that nothing is lost of a source, and that it has the types that it has."""
    here = chain(3, [THIRD, 1 - THIRD, 0])
    assert [here.survival(0, types=j) for j in (1, 2, 3)] == [1, 0, 0]
    assert [here.lost(token, 0) for token in range(3)] == [0, 0, 1]
    assert (here.support(0), here.missing_mass(0), here.moment(2, 0)) == (2, 0, THIRD**2)
    assert chain(3, [1]).survival(0) == chain(3, [1]).expected_time() == chain(3, [1]).conditional_time(0) == 0


@pytest.mark.parametrize("k", range(1, 7))
def test_moments_close_in_symbols(k):
    """Assert E p_n^k in symbolic n, M and p against steps at numbers, from n = 0 on and for M below k too."""
    closed = absorption(Loop(Bernoulli())).moment(k)
    for samples in (k, k + 1, 9):
        for at in range(4):
            stepped = dual.moments(Z(samples), [p**a for a in range(k + 1)], at)[k] / Z(samples) ** (at * k)
            assert (closed.subs({M: samples, n: at}) - stepped).expand() == 0
    small = chain(2, [THIRD, 1 - THIRD])
    for at in range(1, 4):
        law = small.counts(0, at)
        assert (
            small.moment(k).subs(n, at) == small.moment(k, at) == sum(w * Rational(x, 2) ** k for x, w in law.items())
        )


def test_second_moments_are_the_published_ones():
    """Assert collision = 1 - (1 - 1/M)^n (1 - F0), its rate, Var p_n, and the eigenvalues."""
    here = absorption(Loop(Categorical([p, THIRD, Rational(2, 3) - p])))
    F0 = Add(*(x**2 for x in here.probabilities))
    assert (here.collision() - (1 - (1 - 1 / M) ** n * (1 - F0))).subs((M - 1) / M, 1 - 1 / M).expand() == 0
    assert (here.collision_rate - (1 - 1 / M)).cancel() == 0
    variance = here.moment(2) - here.moment(1) ** 2
    assert (variance - p * (1 - p) * (1 - ((M - 1) / M) ** n)).expand() == 0
    for k in range(1, 7):
        assert here.eigenvalue(k).subs(M, 6) == gamma(7) / (gamma(7 - k) * Z(6) ** k)
    assert here.eigenvalue(9).subs(M, 6) == 0


@settings(max_examples=15)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.integers(1, 7))
def test_times_until_few_types_are_sums_over_subsets(weights, samples):
    """Assert E T_j = sum_r (-1)^(j-r) binomial(K-r-1, j-r) sum_(|S| = r) h(p_S), h(s) = E[T; types merged take all]."""
    source = [Rational(w, sum(weights)) for w in weights]
    here, K = chain(samples, source), len(source)

    def fix(s):
        return s * chain(samples, [s, 1 - s]).conditional_time(0)

    for j in range(1, K):
        sums = [(r, sum(fix(Add(*S_)) for S_ in combinations(source, r))) for r in range(1, j + 1)]
        assert here.expected_time(types=j) == sum((-1) ** (j - r) * binomial(K - r - 1, j - r) * h for r, h in sums)


@pytest.mark.parametrize("samples", [2, 3, 5, 10])
def test_quasi_stationary_law_is_a_left_eigenvector(samples):
    """Assert pi Q = (1 - 1/M) pi, sum pi = 1, and C = 1/E[x (1 - x)] as the weight of that power in P(T > n)."""
    here, inner = chain(samples, [THIRD, 1 - THIRD]), range(1, samples)
    Q = Matrix(
        samples - 1,
        samples - 1,
        lambda k, j: (
            binomial(samples, j + 1)
            * Rational(k + 1, samples) ** (j + 1)
            * (1 - Rational(k + 1, samples)) ** (samples - j - 1)
        ),
    )
    law = Matrix([[here.quasi_stationary()[x] for x in inner]])
    assert law * Q == law * (1 - Rational(1, samples))
    assert sum(law) == 1
    C = here.tail_constant()
    mean_product = sum(law[x - 1] * Rational(x * (samples - x), samples**2) for x in inner)
    assert C * mean_product == 1
    slowest = [
        x.subs(n, 0) for x in Add.make_args(here.survival()) if x.subs(n, 1) == x.subs(n, 0) * here.collision_rate
    ]
    assert slowest == [C * THIRD * (1 - THIRD)]


def test_tail_constant_tends_to_six():
    """Assert the known values of C to their digits, and growth below 6."""
    constants = {m: chain(m, [THIRD, 1 - THIRD]).tail_constant() for m in (5, 10, 50, 200)}
    known = {5: "4.93", 10: "5.34", 50: "5.80", 200: "5.94"}
    assert all(abs(constants[m] - Rational(value)) <= Rational(1, 200) for m, value in known.items())
    assert sorted(constants.values()) == list(constants.values())
    assert constants[200] < 6


@pytest.mark.parametrize("samples", [2, 5, 9])
def test_eigenvectors_are_those_of_the_triangle(samples):
    """Assert l P = lambda l, P r = lambda r and l_j r_k = [j = k] with the Stirling triangle written down."""
    P = Matrix(
        samples, samples, lambda k, m: Rational(_onto(k + 1, m + 1) * binomial(samples, m + 1), samples ** (k + 1))
    )
    size = range(1, samples + 1)
    lefts = [_row(left(Z(samples), k), samples) for k in size]
    rights = [_row(right(Z(samples), k, samples), samples).T for k in size]
    for k in size:
        rate = gamma(samples + 1) / (gamma(samples - k + 1) * Z(samples) ** k)
        assert lefts[k - 1] * P == rate * lefts[k - 1]
        assert P * rights[k - 1] == rate * rights[k - 1]
    assert Matrix.vstack(*lefts) * Matrix.hstack(*rights) == Matrix.eye(samples)


def _onto(balls, bins):
    """The number of ways to put balls into bins, none empty."""
    return sum((-1) ** (bins - i) * binomial(bins, i) * i**balls for i in range(bins + 1))


def _row(weights, size):
    values = [Rational(int(x), int(weights.denominator)) for x in weights.numerators]
    return Matrix([(values + [0] * (size + 1 - len(values)))[1:]])


@pytest.mark.parametrize(("samples", "count"), [(20, 1), (50, 13), (100, 50)])
def test_times_are_those_of_a_plain_chain(samples, count):
    """Assert mean, variance and conditional time against floating-point linear algebra on the two-type chain."""
    k = np.arange(samples + 1)
    ways = np.array([float(binomial(samples, int(j))) for j in k])
    P = ways * (k[:, None] / samples) ** k * (1 - k[:, None] / samples) ** (samples - k)
    I_Q, Q = np.eye(samples - 1) - P[1:-1, 1:-1], P[1:-1, 1:-1]
    mean = np.linalg.solve(I_Q, np.ones(samples - 1))
    square = np.linalg.solve(I_Q, 1 + 2 * Q @ mean)
    fix = np.linalg.solve(I_Q, k[1:-1] / samples)
    here, at = chain(samples, [S.Half, S.Half]).given(count, samples - count), count - 1
    np.testing.assert_allclose(float(here.expected_time()), mean[at], rtol=1e-10)
    np.testing.assert_allclose(float(here.variance_time()), square[at] - mean[at] ** 2, rtol=1e-9)
    np.testing.assert_allclose(float(here.conditional_time(0)), fix[at] * samples / count, rtol=1e-10)
    alive = np.linalg.matrix_power(P, 30)[count, 1:-1].sum()
    np.testing.assert_allclose(float(here.survival(30)), alive, rtol=1e-10)


@pytest.mark.parametrize("samples", [1, 2, 7, 20])
def test_plain_integers_give_the_same_numbers(samples):
    """Assert that Python's integers and SymPy's, which are python-flint's where it is installed, agree."""
    for order in (1, 2, 3):
        one, other = dual.visits(samples, order), dual.visits(samples, order, int)
        assert [int(x) for x in one.numerators] == list(other.numerators)
        assert int(one.denominator) == other.denominator
    assert [int(x) for x in dual.law(samples, 4).numerators] == list(dual.law(samples, 4, int).numerators)


REFUSED = {
    "time of a symbolic M": (
        lambda: absorption(Loop(Bernoulli(THIRD))).expected_time(),
        NoClosedForm,
        "symbolic M = M",
    ),
    "survival of a symbolic M": (
        lambda: absorption(Loop(Bernoulli(THIRD))).survival(3),
        NoClosedForm,
        "loop.at(M=...)",
    ),
    "no type": (lambda: chain(3, [THIRD, 1 - THIRD]).lost(n=3), ValueError, "exactly one"),
    "two types": (lambda: chain(3, [THIRD, 1 - THIRD]).lost(0, 3, count=1), ValueError, "exactly one"),
    "count above M": (lambda: chain(3, [THIRD, 1 - THIRD]).lost(n=3, count=4), ValueError, "4/3 is no frequency"),
    "no types left": (lambda: chain(3, [THIRD, 1 - THIRD]).expected_time(types=0), ValueError, "types = 0"),
    "moment 0": (lambda: chain(3, [THIRD, 1 - THIRD]).moment(0), ValueError, "k = 0"),
    "counts of the source": (lambda: chain(3, [THIRD, 1 - THIRD]).counts(0, 0), ValueError, "n = 0"),
    "symbolic entropy": (lambda: chain(3, [THIRD, 1 - THIRD]).entropy(n), ValueError, "n = n"),
    "counts that are not M": (lambda: chain(3, [THIRD, 1 - THIRD]).given(1, 1), ValueError, "sum to M"),
    "winner without tokens": (lambda: chain(3, [0, 1]).conditional_time(0), ValueError, "token 0 has probability 0"),
    "one token": (lambda: chain(1, [THIRD, 1 - THIRD]).quasi_stationary(), ValueError, "samples = 1"),
    "irrational": (lambda: chain(3, [S(2) ** -S.Half, 1 - S(2) ** -S.Half]).survival(2), ValueError, "rational"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_answered_is_refused(case):
    """Assert a named refusal with the value in it."""
    attempt, kind, words = REFUSED[case]
    with pytest.raises(kind) as refusal:
        attempt()
    assert words in str(refusal.value)


def test_chain_prints_in_words_and_in_latex():
    """Assert that M, the number of types and the source are shown, a long source by its beginning."""
    here = chain(10, [Rational(1, 6)] * 6)
    assert str(here) == "neutral chain of M = 10 tokens and 6 types, source [1/6, 1/6, 1/6, 1/6, ...]"
    assert latex(Rational(1, 6)) in here._repr_latex_()
    assert "Multinomial" in here._repr_latex_()
