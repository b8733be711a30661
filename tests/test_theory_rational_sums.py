"""Sums of rational terms, as the error of accumulated regression needs them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    Rational,
    S,
    Symbol,
    expand_func,
    oo,
    polygamma,
)

from theory import (
    LinearRegression,
    Loop,
    M,
    expect,
    n,
)
from theory.rational_sums import rational_sum
from theory.symbols import d

error, w, squares = LinearRegression.error, LinearRegression.w, LinearRegression.squares

FRESH = Loop(LinearRegression())


def summed(term):
    """The closed form of the sum of a rational term over n > 0."""
    closed = rational_sum(term, 0)
    assert closed is not None
    return closed


POLES = st.lists(st.sampled_from([S.Zero, -S.One, Symbol("r"), 1 - d / M]), min_size=1, max_size=3)


@settings(max_examples=25)
@given(POLES, st.integers(1, 2), st.integers(0, 2), st.integers(0, 5))
def test_sum_of_rational_terms_is_its_differences(poles, power, degree, here):
    """Assert F(0) = 0 and F(n + 1) - F(n) = term(n + 1) with no polygamma left, for whole and symbolic poles."""
    term = n**degree
    for pole in poles:
        term /= (n - pole) ** power
    total = summed(term).expr()
    difference = expand_func(total.subs(n, n + 1) - total).expand()
    values = {Symbol("r"): Rational(1, 3), d: 4, M: 7, n: here}
    assert not difference.has(polygamma)
    assert (difference - term.subs(n, n + 1)).subs(values) == 0
    assert total.subs(n, 0).expand() == 0


def test_sum_that_has_no_such_form_is_left():
    """Assert None where a pole is irrational or hit, and no limit where the sum diverges."""
    assert rational_sum(1 / (n**2 - 2), 0) is None
    assert rational_sum(1 / (n - 3), 0) is None
    assert summed(1 / n).limit() is None
    assert summed(n).limit() is None
    assert summed(1 / (n * (n + 1))).limit() == 1
    assert expect(FRESH.at(M=9, d=2, noise=1), error).limit() == oo
