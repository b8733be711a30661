"""The solvers under the closed forms: exponential polynomials, products of rational functions, Gosper's sums.

Each answer is compared with the recurrence iterated directly, over QQ and over QQ(M): in a field equality is decided.
Both arithmetics, python-flint's and SymPy's, are asked the same.
"""

from fractions import Fraction
from itertools import islice
from math import prod

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import QQ, Poly, Product, Rational, S, Symbol, gamma
from sympy.polys.matrices import DomainMatrix

from theory import M, n
from theory import field as fields
from theory.exponential import add, eigen_keys, residues, solve_block, solve_scalar, values
from theory.field import Field
from theory.gosper import gosper_certificate
from theory.hypergeometric import HyperProduct, HyperSum, solve_varying

NUMBERS = Field(())
GENERATIONS = 9


@pytest.fixture(params=["python-flint", "SymPy"])
def arithmetic(request, monkeypatch):
    """Each arithmetic in turn under every new field."""
    if request.param == "SymPy":
        monkeypatch.setattr(fields, "AVAILABLE", False)
    elif not fields.AVAILABLE:
        pytest.skip("python-flint is not installed")


@pytest.fixture
def functions(arithmetic):
    """The field QQ(M)."""
    return Field((M,))


@pytest.fixture
def varying(arithmetic):
    """The field QQ(M, n)."""
    return Field((M, n))


def small():
    """Small rationals."""
    return st.fractions(-3, 3, max_denominator=3).map(lambda x: QQ(x.numerator, x.denominator))


def matrices(size):
    """Square matrices of small rationals."""
    return st.lists(st.lists(small(), min_size=size, max_size=size), min_size=size, max_size=size)


def first(sequence, one):
    """The first values of an exponential polynomial."""
    return list(islice(values(sequence, one), GENERATIONS))


def iterated(matrix, forcing, start, one):
    """u(0), u(1), ... of u(k+1) = matrix u(k) + forcing(k)."""
    pushes = [first(sequence, one) for sequence in forcing]
    rows = [list(start)]
    for k in range(GENERATIONS - 1):
        now = rows[-1]
        linear = [sum((a * u for a, u in zip(row, now, strict=True)), one - one) for row in matrix]
        rows.append([u + push[k] for u, push in zip(linear, pushes, strict=True)])
    return rows


def assert_block_is_solved(matrix, forcing, start, field):
    """The answer of `solve_block` takes the iterated values."""
    solved = solve_block(matrix, forcing, start, field)
    assert solved is not None
    columns = [first(sequence, field.one) for sequence in solved]
    assert [list(row) for row in zip(*columns, strict=True)] == iterated(matrix, forcing, start, field.one)


@given(small(), st.lists(st.tuples(small(), st.lists(small(), min_size=1, max_size=3)), max_size=3), small())
def test_scalar_recurrence_is_solved(rate, pushes, start):
    """Assert that u(k+1) = a u(k) + sum base^k p(k) has the value that iteration gives, resonance included."""
    forcing = {}
    for base, polynomial in pushes:
        assume(base != 0 or rate != 0)
        add(forcing, {(base,): [[w] for w in polynomial]}, QQ(1))
    solved = solve_scalar(rate, forcing, start)
    assert [[u] for u in first(solved, QQ(1))] == iterated([[rate]], [forcing], [start], QQ(1))


@pytest.mark.parametrize("degree", [0, 1, 3])
def test_resonance_raises_the_degree(degree, functions):
    """Assert that forcing by the homogeneous solution times n^d gains one power of n, over QQ(M)."""
    base = functions((M - 1) / M)
    forcing = {(base,): [[functions.zero]] * degree + [[functions.one]]}
    solved = solve_scalar(base, forcing, functions.zero)
    assert len(solved[(base,)]) == degree + 2
    assert [[u] for u in first(solved, functions.one)] == iterated([[base]], [forcing], [functions.zero], functions.one)


@st.composite
def systems(draw):
    """A matrix of size 2 or 3 with a start."""
    size = draw(st.integers(2, 3))
    return draw(matrices(size)), draw(st.lists(small(), min_size=size, max_size=size))


@settings(max_examples=60)
@given(systems(), small(), small())
def test_block_over_the_rationals_is_solved(system, base, weight):
    """Assert that random systems, with a forcing that may meet an eigenvalue, take the iterated values."""
    matrix, start = system
    forcing = [{(base,): [[weight], [QQ(1)]]}] + [{} for _ in start[1:]]
    assume(base != 0 and eigen_keys(matrix, NUMBERS).get((QQ(0),), 1) == 1)
    assert_block_is_solved(matrix, forcing, start, NUMBERS)


# name: (matrix, number of keys of each length)
CASES = {
    "two rational": ([[2, 1], [0, 3]], {1: 2}),
    "golden ratio": ([[1, 1], [1, 0]], {2: 1}),
    "rotation": ([[0, -1], [1, 0]], {2: 1}),
    "irreducible cubic": ([[0, 0, 2], [1, 0, 0], [0, 1, 0]], {3: 1}),
    "Jordan block": ([[2, 1], [0, 2]], {1: 1}),
    "repeated quadratic": ([[0, 1, 1, 0], [1, 1, 0, 1], [0, 0, 0, 1], [0, 0, 1, 1]], {2: 1}),
}


@pytest.mark.parametrize("name", CASES)
def test_named_spectra_are_solved(name):
    """Assert that the keys have the degrees of the irreducible factors, and that each kind of spectrum is solved."""
    rows, lengths = CASES[name]
    matrix = [[QQ(w) for w in row] for row in rows]
    found = [len(key) for key in eigen_keys(matrix, NUMBERS)]
    assert {length: found.count(length) for length in set(found)} == lengths
    start = [QQ(k + 1, 2) for k in range(len(rows))]
    assert_block_is_solved(matrix, [{} for _ in rows], start, NUMBERS)
    # Forced by the first key itself: the degrees of both add up.
    key = next(iter(eigen_keys(matrix, NUMBERS)))
    forcing = [{key: [[QQ(1)] * len(key)]}] + [{} for _ in rows[1:]]
    assert_block_is_solved(matrix, forcing, start, NUMBERS)


@pytest.mark.parametrize(
    "entries",
    [[[1 - 1 / M, 1 / M], [1 / M, 1]], [[1, 1 / M], [0, 1]], [[0, 0, 1 / M], [1, 0, 0], [0, 1, 1]]],
    ids=["quadratic", "repeated", "cubic"],
)
def test_block_over_rational_functions_is_solved(entries, functions):
    """Assert the same with M in the matrix, where eigenvalues are algebraic functions and never leave the field."""
    matrix = [[functions(S(w)) for w in row] for row in entries]
    start = [functions.one] * len(matrix)
    forcing = [{(functions.one,): [[functions(1 / M)]]}] + [{} for _ in matrix[1:]]
    assert_block_is_solved(matrix, forcing, start, functions)


@given(st.lists(small(), min_size=1, max_size=3))
def test_residues_are_powers_modulo_the_key(rule):
    """Assert that E_j(n) is the coefficient of x^j in x^n modulo x^s - sum_i rule_i x^i."""
    x = Symbol("x")
    modulus = Poly([1, *(-QQ.to_sympy(w) for w in reversed(rule))], x)
    for power, row in enumerate(islice(residues(tuple(rule), QQ(1)), 6)):
        remainder = Poly(x**power, x).rem(modulus)
        assert [QQ.to_sympy(w) for w in row] == [remainder.nth(j) for j in range(len(rule))]


@given(matrices(3))
def test_eigen_keys_multiply_to_the_characteristic_polynomial(matrix):
    """Assert that the keys, with multiplicities, are the factors of det(x - A)."""
    x = Symbol("x")
    product = Poly(1, x)
    for key, multiplicity in eigen_keys(matrix, NUMBERS).items():
        product *= Poly([1, *(-QQ.to_sympy(w) for w in reversed(key))], x) ** multiplicity
    chi = DomainMatrix(matrix, (3, 3), QQ).charpoly()
    assert [QQ.from_sympy(S(w)) for w in product.all_coeffs()] == chi


def test_repeated_zero_is_refused():
    """Assert that a nilpotent block, whose first values follow no exponential polynomial, is not answered."""
    assert solve_block([[QQ(0), QQ(1)], [QQ(0), QQ(0)]], [{}, {}], [QQ(1), QQ(1)], NUMBERS) is None


# t(n+1)/t(n) of summable terms, and of terms with no hypergeometric sum
SUMMABLE = {
    "1/(n(n+1))": n / (n + 2),
    "n": (n + 1) / n,
    "n^2 2^n": 2 * (n + 1) ** 2 / n**2,
    "n n!": (n + 1) ** 2 / n,
    "(1-1/M)^n": 1 - 1 / M,
    "1/((n+1/M)(n+1/M+1))": (n + 1 / M) / (n + 1 / M + 2),
}
NOT_SUMMABLE = {
    "1/n": n / (n + 1),
    "1/n^2": n**2 / (n + 1) ** 2,
    "n!": n + 1,
    "2^n/n": 2 * n / (n + 1),
    "1/n!": 1 / (n + 1),
    # p(n) = n^2 + 2n + 5 looks like a shift of n^2 + 1 by its second coefficient, and is none.
    "quadratics that never meet": (n**2 + 2 * n + 5) / (n**2 + 1),
}


@pytest.mark.parametrize("name", SUMMABLE)
def test_gosper_finds_the_antidifference(name, varying):
    """Assert y(n+1) r(n) - y(n) = 1, the certificate's defining identity, as rational functions."""
    ratio = varying(S(SUMMABLE[name]))
    certificate = gosper_certificate(ratio, varying)
    assert certificate is not None
    assert varying.shifted(certificate, n, 1) * ratio - certificate == 1
    # Planted: a certificate for another term does not satisfy it.
    assert varying.shifted(certificate + 1, n, 1) * ratio - certificate != 2 or ratio == 1


@pytest.mark.parametrize("name", NOT_SUMMABLE)
def test_gosper_knows_when_there_is_none(name, varying):
    """Assert None for terms whose sums are no hypergeometric terms: harmonic numbers, partial sums of n!."""
    assert gosper_certificate(varying(S(NOT_SUMMABLE[name])), varying) is None


def followed(combination, generations, start):
    """The values of a solved varying recurrence at M = 3, by the defining rules of its sequences."""

    def value(generator, k):
        if generator is None:
            return S.One
        if k == start:
            return S(int(isinstance(generator, HyperProduct)))
        before = value(generator, k - 1)
        if isinstance(generator, HyperProduct):
            return generator.ratio.subs(n, k) * before
        return generator.rate.subs(n, k) * before + generator.weight.subs(n, k) * value(generator.of, k - 1)

    rows = [sum(w.subs(n, k) * value(g, k) for g, w in combination.items()) for k in range(start, generations)]
    return [S(row).subs(M, 3) for row in rows]


VARYING = {
    "accumulate mean": (S.One, {None: 1 / (M * n**2)}, S.Zero, 0),
    "accumulate variance": (1 - 1 / (M * n**2), {}, S.One, 0),
    "product feeds sum": (S.One, {HyperProduct(1 - 1 / (M * n**2), 0): 1 / (M * n**2)}, S.Zero, 0),
    "unbiased": (1 - 1 / (n * (n * M - 1)), {None: 1 / n}, S(2), 1),
    "polynomial": (S.One, {None: n**2 + n}, S(3), 0),
    "pole at the start": (1 - 1 / n**2, {None: 1 / n**2}, S.One, 0),
    "nested sums": (n / (n + 1), {HyperSum(S.One, 1 / n, None, 0): S.One, None: n}, S.Zero, 0),
}


def answer(name, field):
    """The solved recurrence of that name, its coefficients as expressions."""
    rate, forcing, initial, start = VARYING[name]
    given = {g: field(S(w)) for g, w in forcing.items()}
    solved = solve_varying(field(S(rate)), given, field(S(initial)), start, field)
    return {g: field.expr(w) for g, w in solved.items()}


@pytest.mark.parametrize("name", VARYING)
def test_varying_recurrence_is_solved(name, varying):
    """Assert that u(k) = rate(k) u(k-1) + sum weight(k) g(k-1) takes the iterated values, poles notwithstanding."""
    rate, forcing, initial, start = VARYING[name]
    combination = answer(name, varying)
    expected = [S(initial)]
    pushes = [followed({g: S.One}, GENERATIONS, start) for g in forcing]
    for k in range(start + 1, GENERATIONS):
        push = sum(S(w).subs({n: k, M: 3}) * p[k - 1 - start] for w, p in zip(forcing.values(), pushes, strict=True))
        expected.append(S(rate).subs({n: k, M: 3}) * expected[-1] + push)
    assert followed(combination, GENERATIONS, start) == expected


def test_summable_forcings_leave_no_sum(varying):
    """Assert that Gosper's algorithm is used where it can be, and a defined sum kept where it cannot."""
    kinds = {name: set(map(type, answer(name, varying))) for name in VARYING}
    assert HyperSum not in kinds["product feeds sum"] | kinds["polynomial"]
    assert HyperSum in kinds["accumulate mean"]


@settings(max_examples=20)
@given(st.lists(st.fractions(-2, 2, max_denominator=3), min_size=1, max_size=2), st.integers(0, 2))
def test_product_in_gamma_functions_is_the_product(roots, start):
    """Assert that prod (k - r)/k is the ratio of Gamma functions, or a plain product where it hits a whole root."""
    ratio = prod(((n - Rational(root)) / n for root in roots), start=S.One)
    form = HyperProduct(ratio, start).expr()
    hit = any(root.denominator == 1 and root > start for root in roots)
    assert form.has(Product) if hit else form.has(gamma) or ratio == 1
    value = Fraction(1)
    for k in range(start + 1, start + 5):
        value *= prod((k - root) / k for root in roots)
        assert form.subs(n, k).doit().expand(func=True) == Rational(value.numerator, value.denominator)
