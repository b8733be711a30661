"""Leading terms in 1/M with the real share left symbolic: against exact values by generation, and against numbers."""

from functools import cache

import pytest
from sympy import Abs, Lambda, Matrix, Poly, PurePoly, Rational, RootSum, Symbol, exp, eye, log, sqrt, symbols

from theory import (
    Bernoulli,
    Gaussian,
    Loop,
    M,
    Mixed,
    NoClosedForm,
    alpha,
    expect,
    leading,
    n,
    stationary,
    variance,
)
from theory.coefficients import factored, normal
from theory.expansion import expansion
from theory.symbols import V0, mu0

mu, V = Gaussian.mu, Gaussian.V
SHARE, HALF = Rational(1, 3), Rational(1, 2)
OBSERVABLES = {"bias": V - V0, "squared error": (V - V0) ** 2, "product": mu * V - mu0 * V0}
LOOPS = {
    "fresh": Loop(Gaussian(), regime=Mixed(alpha)),
    "kept": Loop(Gaussian(), regime=Mixed(alpha, fresh=False)),
}
CASES = [("fresh", "bias"), ("kept", "bias"), ("kept", "squared error"), ("kept", "product")]


@cache
def answer(loop, of):
    """Return the expectation and its leading term in 1/M."""
    found = expect(LOOPS[loop], OBSERVABLES[of])
    return found, found.leading(M)


def top(fraction):
    """Return the leading term in 1/M of a rational function of M, by the degrees of its polynomials."""
    above, below = (Poly(part, M) for part in fraction.together().as_numer_denom())
    return above.LC() / below.LC() * M ** (above.degree() - below.degree())


@pytest.mark.parametrize(("loop", "of"), CASES)
def test_term_is_that_of_the_exact_values(loop, of):
    """Assert that the term at generations 1, 2 is the leading one of the exact rational function of M there."""
    found, lead = answer(loop, of)
    for k, value in enumerate(found.at(alpha=SHARE).values(2)[1:], start=1):
        assert (lead.term.subs({alpha: SHARE, n: k}) - top(value)).cancel() == 0


@pytest.mark.parametrize(("loop", "of"), CASES)
def test_term_at_a_share_is_that_of_the_loop_at_the_share(loop, of):
    """Assert that putting a share into the term gives the term of the loop derived at that share, for every n."""
    found, lead = answer(loop, of)
    there = found.at(alpha=SHARE).leading(M)
    assert normal(lead.term.subs(alpha, SHARE) - there.term) == 0
    assert lead.remainder == there.remainder


def test_limit_and_leading_term_exchange():
    """Assert that the leading term of the limit in n is the limit of the leading term, as (1 - alpha)^n goes to 0."""
    loss, lead = answer("kept", "squared error")
    far = stationary(loss.loop, loss.observable).expression
    assert normal(leading(far, M).term - lead.term.subs((1 - alpha) ** n, 0).subs((1 - alpha) ** (2 * n), 0)) == 0


def test_variance_of_a_probability():
    """Assert Var p ~ p0(1 - p0)(1 - (1 - alpha)^(2n))/(M alpha(2 - alpha)), real points drawn anew."""
    spread, p0 = variance(Loop(Bernoulli(), regime=Mixed(alpha)), Bernoulli.p), Bernoulli().p0
    wanted = p0 * (1 - p0) * (1 - (1 - alpha) ** (2 * n)) / (M * alpha * (2 - alpha))
    assert normal(spread.leading(M).term - wanted) == 0


def test_variance_of_the_variance():
    """Assert Var V ~ 2 V0^2 (1 - (1 - alpha)^(2n))/(M alpha(2 - alpha)), real points drawn anew, and the closed form of
    Var V at a generation against the recurrences.
    """
    spread = variance(LOOPS["fresh"], V)
    here = spread.expression.subs({alpha: SHARE, M: 9, V0: 1, n: 2})
    assert here == spread.at(alpha=SHARE, M=9, V0=1, n=2)
    wanted = 2 * V0**2 * (1 - (1 - alpha) ** (2 * n)) / (M * alpha * (2 - alpha))
    assert normal(spread.leading(M).term - wanted) == 0


def test_leading_base_among_those_of_unknown_sign():
    """Assert that E V tends to its stationary value where a base (1 - alpha)(1 - alpha - 1/M) may have any sign."""
    for loop in LOOPS.values():
        lead = expect(loop, V).leading(n)
        assert (lead.term - stationary(loop, V).expression).cancel() == 0


a, b = symbols("a b", positive=True)
EQUAL = {
    "powers of a square": (((1 - alpha) ** 2) ** n, (1 - alpha) ** (2 * n)),
    "powers of a negative factor": ((alpha - 1) ** n, (-1) ** n * (1 - alpha) ** n),
    "a shift of the exponent": (4 ** (n + 1) * a, 4 * a * 2 ** (2 * n)),
    "a root and its symbol": ((a - b) / (sqrt(a) - sqrt(b)), sqrt(a) + sqrt(b)),
    "a root of a sum": (a / sqrt(1 + a) + 1 / sqrt(1 + a), sqrt(1 + a)),
    "a root of a square": (sqrt((1 - alpha) ** 2 * a), (1 - alpha) * sqrt(a)),
    "an absolute value": (Abs(alpha - 1) + alpha, 1 + 0 * a),
    "logarithms": (log(a**2 * b) / a, (2 * log(a) + log(b)) / a),
    "exponentials": (exp(a + 2 * b) / exp(b), exp(a) * exp(b)),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_coefficients_meet(name):
    """Assert that two ways to write one coefficient have difference 0 in normal form, and that 1/a more is seen."""
    one, two = EQUAL[name]
    assert normal(one - two) == 0
    assert factored(one - two + 1 / a) == 1 / a
    assert normal(one - two + 1 / a) == 1 / a


def test_sum_over_roots_is_that_of_the_companion_matrix():
    """Assert that the sum of r^k (1 + r/M) over the roots of an irreducible cubic is expanded as the trace of the same
    of its companion matrix is, k = 0..4, roots at 1/2, 1, 2 for large M.
    """
    x = Symbol("x")
    cubic = Poly(((x - HALF) * (x - 1) * (x - 2) + (x**2 + 3) / M).expand(), x)
    total = RootSum(PurePoly(cubic), Lambda(x, x**n * (1 + x / M)), auto=False)
    assert total.has(RootSum)
    found = expansion(total, M, 4).terms
    companion = Matrix(3, 3, lambda i, j: -cubic.nth(i) if j == 2 else int(i == j + 1))
    for k in range(5):
        trace = expansion((companion**k * (eye(3) + companion / M)).trace(), M, 4).terms
        assert all((found[e].subs(n, k) - trace.get(e, 0)).expand() == 0 for e in found)
        assert {e for e in trace if e[0] < 4} <= set(found)


@pytest.mark.parametrize("tail", [2 + 1 / M, 1 / M])
def test_roots_that_meet_or_are_irrational_are_refused(tail):
    """Assert a sentence where the roots tend to irrational numbers, and where they tend to one number."""
    x = Symbol("x")
    total = RootSum(PurePoly(x**3 + tail, x), Lambda(x, x**n), auto=False)
    with pytest.raises(NoClosedForm, match="eigenvalues meet"):
        leading(total, M)
