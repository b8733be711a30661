"""Limits as the generation grows: sines under accumulation, rational stationary moments under mixing, thresholds.

A limit that depends on the symbols is refused, never guessed.
"""

import pytest
from sympy import Expr, Matrix, Rational, eye, oo, pi, sin, sqrt

from theory import (
    Accumulate,
    Bernoulli,
    DiagonalGaussian,
    Gaussian,
    Loop,
    M,
    Mixed,
    NoClosedForm,
    Scaled,
    Unbiased,
    alpha,
    c,
    expect,
    mu0,
    n,
)
from theory.symbols import V0, q0

mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p
D2 = (mu - mu0) ** 2
ACCUMULATE = Loop(Gaussian(), regime=Accumulate())
UNBIASED_MIXED = Loop(Gaussian(0, 1), estimator=Unbiased(), regime=Mixed(alpha))


def vanishes(expression: Expr) -> bool:
    """Whether a short expression reduces to 0."""
    return expression.expand() == 0 or expression.together().cancel() == 0


def test_accumulate_limits_are_sines():
    """Assert A3 and A4, and the same factor for Bernoulli frequencies (F4 with v2 = -1)."""
    factor = sin(pi / sqrt(M)) / (pi / sqrt(M))
    assert vanishes(expect(ACCUMULATE, V).limit() - V0 * factor)
    assert vanishes(expect(ACCUMULATE, D2).limit() - V0 * (1 - factor))
    frequencies = Loop(Bernoulli(), regime=Accumulate())
    assert vanishes(expect(frequencies, p * (1 - p)).limit() - q0 * (1 - q0) * factor)


def test_one_point_per_generation_collapses_at_once():
    """Assert that M = 1, where sin(pi/sqrt(M)) is 0, keeps no diversity: E p(1 - p) = 0 from fit 1 on."""
    for regime in (Accumulate(), Mixed(0)):
        loop = Loop(Bernoulli(), regime=regime, samples=1)
        assert expect(loop, p * (1 - p)).values(3) == [(q0 - q0**2).expand(), 0, 0, 0]
        expression = expect(loop, p**2).expression
        assert [expression.subs(n, k).doit().expand() for k in range(4)] == [q0**2, q0, q0, q0]


@pytest.mark.parametrize("samples", [2, 5, 40])
def test_unbiased_accumulate_limit_is_approached(samples):
    """Assert that the limit of A5 is what its own product tends to: the ratio is 1 + O(1/(M n))."""
    expectation = expect(Loop(Gaussian(), estimator=Unbiased(), regime=Accumulate(), samples=samples), V)
    far = 1000
    gap = (expectation.expression.subs(n, far) / expectation.limit() - 1).evalf(20)
    assert 0 < gap < Rational(2, samples * far)


def test_mixed_limits_are_rational():
    """Assert X1, X2 and F5 (v2 = -1): stationary moments under a fixed share of fresh real data."""
    mixed = Loop(Gaussian(), regime=Mixed(alpha))
    stationary = V0 / (M * alpha * (2 - alpha) + 1 - alpha)
    assert vanishes(expect(mixed, D2).limit() - stationary)
    assert vanishes(expect(mixed, V).limit() - (V0 - stationary))
    frequencies = expect(Loop(Bernoulli(), regime=Mixed(alpha)), p**2).limit() - q0**2
    assert vanishes(frequencies - q0 * (1 - q0) / (M * alpha * (2 - alpha) + (1 - alpha)))


def unbiased_mixed_matrix(share, samples):
    """The 2 x 2 matrix of (mu^2, V) in the unbiased mixed loop, read off the recurrence."""
    rows = expect(UNBIASED_MIXED, mu**2).recurrence
    entries = [[rows[key].expand().coeff(x) for x in (mu**2, V)] for key in (mu**2, V)]
    return Matrix(entries).subs({alpha: share, M: samples})


@pytest.mark.parametrize("samples", [2, 5, 100])
def test_unbiased_mixing_has_a_threshold(samples):
    """Assert X6: an eigenvalue is 1 exactly at alpha* = 1 - sqrt(1 - 1/M); below it one is larger, above it none is."""
    star = 1 - sqrt(1 - Rational(1, samples))
    assert vanishes((eye(2) - unbiased_mixed_matrix(star, samples)).det())
    above, below = (
        max(abs(root.evalf(30)) for root in unbiased_mixed_matrix(share, samples).eigenvals())
        for share in (star * Rational(11, 10), star * Rational(9, 10))
    )
    assert above < 1 < below


def test_unbiased_mixing_above_the_threshold_converges():
    """Assert that two real samples in a hundred (alpha = 0.02 > alpha* = 0.00501) are enough, and what they give."""
    a, samples = Rational(1, 50), 100
    assert a > 1 - sqrt(1 - Rational(1, samples))
    loop = Loop(Gaussian(), estimator=Unbiased(), regime=Mixed(a), samples=samples)
    # With A = E V and B = E D^2 in units of s0^2, pooled second moments about mu0 give in the steady state
    # A (M-1)/M = a + (1-a)(A + B) - B for the variance and M B = M (1-a)^2 B + (1-a) A + a for the mean.
    balance = Matrix([[a - Rational(1, samples), a], [a - 1, samples * (1 - (1 - a) ** 2)]])
    assert [expect(loop, V).limit() / V0, expect(loop, D2).limit() / V0] == list(balance.LUsolve(Matrix([a, a])))


def test_unbiased_mixing_below_the_threshold_has_no_limit():
    """Assert that without real data the second moment is infinite, and that a symbolic share or M is refused."""
    below = Loop(Gaussian(), estimator=Unbiased(), regime=Mixed(0), samples=100)
    assert expect(below, mu**2).limit() == oo
    for undecided in (UNBIASED_MIXED, UNBIASED_MIXED.at(alpha=Rational(1, 1000)), UNBIASED_MIXED.at(M=100)):
        with pytest.raises(NoClosedForm, match="depends on the symbols"):
            expect(undecided, mu**2).limit()


def test_unbiased_mixing_limit_divides_by_the_threshold():
    """Assert that the closed form is conditional exactly on alpha != alpha*."""
    (condition,) = expect(UNBIASED_MIXED, mu**2).conditions
    polynomial = condition.lhs
    assert vanishes(polynomial.subs(alpha, 1 - sqrt(1 - 1 / M)))


@pytest.mark.parametrize("factor", [1, Rational(3, 2), 3])
def test_fastest_term_decides_an_infinite_limit(factor):
    """Assert that where terms of both signs grow, the one that grows fastest has its way; oo - oo is never returned."""
    loop = Loop(Gaussian(0, 1), estimator=Scaled(factor), samples=5)
    assert expect(loop, V**2 - 1000 * V).limit() == oo
    assert expect(loop, 1000 * V - V**2).limit() == -oo
    # E mu^4 = 3/2 (M-1)/M ((M+1)/(M-1))^n - 3n(M-1)/M^2 + ... for c = 1: the geometric term wins over -n.
    assert expect(loop, mu**4).limit() == oo


def test_opposite_infinities_of_two_pieces_are_refused():
    """Assert that a difference of separately derived infinite expectations has no limit to report."""
    loop = Loop(DiagonalGaussian([0, 0], [1, 1]), estimator=Unbiased(), samples=5)
    difference = DiagonalGaussian.mu[0] ** 2 - DiagonalGaussian.mu[1] ** 2
    with pytest.raises(NoClosedForm, match="without bound"):
        expect(loop, difference).limit()


@pytest.mark.parametrize(
    ("observable", "limit"), [(V, 0), (mu, mu0), (D2, V0), (V**2, 0), (V * D2, 0), (mu**2, V0 + mu0**2)], ids=str
)
def test_maximum_likelihood_replace_limits(observable, limit):
    """Assert that with M symbolic all variance is gone in the mean, and has become variance between runs."""
    assert vanishes(expect(Loop(Gaussian()), observable).limit() - limit)


def test_limit_at_a_symbolic_multiplier_is_refused():
    """Assert that c^n has no limit as long as c may be on either side of 1, and has each at a number."""
    loop = Loop(Gaussian(), estimator=Scaled(c))
    with pytest.raises(NoClosedForm, match="Put numbers in"):
        expect(loop, V).limit()
    assert [expect(loop.at(c=value), V).limit() for value in (Rational(1, 2), 1, 2)] == [0, V0, oo]


def test_population_limit_keeps_the_source():
    """Assert that without statistical error nothing happens in any regime, for ever."""
    for regime in (Mixed(alpha), Accumulate()):
        loop = Loop(Gaussian(), regime=regime, samples=oo)
        assert vanishes(expect(loop, V + mu**2).expression - V0 - mu0**2)
    assert vanishes(expect(Loop(Bernoulli(), samples=oo), p**3).expression - q0**3)


def test_decided_limits_need_a_strict_sign():
    """Assert that M = 2, the edge of the domain, is not forgotten: a denominator M - 2 shows among the conditions."""
    expectation = expect(Loop(Gaussian(), estimator=Scaled(Rational(1, 3))), V * mu**2)
    assert {condition.lhs for condition in expectation.conditions} == {M - 2}
    two = expectation.at(M=2, mu0=Rational(1, 2), V0=3)
    assert [two.expression.subs(n, k) for k in range(4)] == two.values(3)
