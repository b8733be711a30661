"""Large chains in floating point: every stated error is held against exact fractions or arb enclosures.

The references write down the occupancy rows of all k and m and push laws through them; they know of no windows, no
differences, no powers and no eigenvectors.
"""

from fractions import Fraction
from functools import cache
from math import comb
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, oo

from numerics import Bounded, LargeChain, large_absorption
from numerics.absorption.ancestry import Ancestry
from numerics.absorption.occupancy import Occupancy, U
from numerics.absorption.times import Jumps
from theory import Bernoulli, Categorical, Gaussian, Loop, Mixed, NotClosed, absorption

SOURCES = {
    "even": (Fraction(1, 2), Fraction(1, 2)),
    "three": (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
    "rare": (Fraction(999, 1000), Fraction(1, 1000)),
    "many": tuple(Fraction(1 + k % 3, 60) for k in range(30)),
    "one": (Fraction(1),),
}


def rows(samples, one):
    """G_km for k, m = 0..M, one ball at a time; ``one`` is the number 1 of the arithmetic."""
    found = [[one] + [0 * one] * samples]
    for _ in range(samples):
        last = found[-1]
        up = [0 * one, *(last[m - 1] * (samples - m + 1) for m in range(1, samples + 1))]
        found.append([(last[m] * m + up[m]) / samples for m in range(samples + 1)])
    return found


def pushed(law, matrix) -> Any:
    """The law one generation on."""
    size = len(law)
    return [sum((law[k] * matrix[k][m] for k in range(m, size) if law[k] != 0), 0 * law[0]) for m in range(size)]


class Exact:
    """The chain in fractions."""

    def __init__(self, samples, source):
        self.samples, self.source, self.matrix = samples, source, rows(samples, Fraction(1))
        self.laws = [[Fraction(0)] * samples + [Fraction(1)]]

    def mean(self, n, function):
        """E function(A_n), n >= 1."""
        while len(self.laws) < n:
            self.laws.append(pushed(self.laws[-1], self.matrix))
        return sum(w * function(a) for a, w in enumerate(self.laws[n - 1]) if w)

    def unlike(self, a):
        """P(a tokens are not all of one type)."""
        return 1 - sum(p**a for p in self.source)

    def moments(self):
        """E T and Var T from sums over n of P(T > n), by elimination."""
        if len(self.source) == 1:
            return Fraction(0), Fraction(0)
        t, s = [Fraction(0)] * 2, [Fraction(0)] * 2
        for k in range(2, self.samples + 1):
            row = self.matrix[k]
            t.append((self.unlike(k) + sum(row[m] * t[m] for m in range(k))) / (1 - row[k]))
            s.append((t[k] - self.unlike(k) + sum(row[m] * s[m] for m in range(k))) / (1 - row[k]))
        mean, square = 1 + t[-1], 1 + 3 * t[-1] + 2 * s[-1]
        return mean, square - mean**2


def assert_holds(found, exact, least=1e-10):
    """The exact number lies within the stated error, which is a small one for numbers that are not below ``least``."""
    assert abs(Fraction(float(found.value)) - exact) <= Fraction(float(found.error))
    assert found.error <= 1e-10 * max(abs(found.value), least)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("samples", [1, 2, 3, 7, 12])
def test_answers_lie_within_their_errors_of_the_fractions(samples, name):
    """Assert moments of the time, survival, support, missing mass and losses, from generation 1 to 6 M."""
    source = SOURCES[name]
    exact, found = Exact(samples, source), LargeChain(samples, source)
    for answer, truth in zip((found.expected_time(), found.variance_time()), exact.moments(), strict=True):
        assert_holds(answer, truth)
    for n in (1, 2, samples + 2, 6 * samples):
        assert_holds(found.survival(n), exact.mean(n, exact.unlike), 1e-280)
        assert_holds(found.support(n), sum(exact.mean(n, lambda a, p=p: 1 - (1 - p) ** a) for p in source))
        assert_holds(found.missing_mass(n), sum(p * exact.mean(n, lambda a, p=p: (1 - p) ** a) for p in source))
        assert_holds(found.lost(0, n), exact.mean(n, lambda a: (1 - source[0]) ** a))
        assert_holds(found.collision(n), 1 - (1 - Fraction(1, samples)) ** n * exact.unlike(2))
        law = found.ancestors(n)
        assert all(
            abs(Fraction(float(law.value[a])) - exact.mean(n, lambda k, a=a: Fraction(k == a))) <= law.error[a]
            for a in range(samples + 1)
        )
        share = Fraction(1, samples)
        assert_holds(found.lost(count=1, n=n), exact.mean(n, lambda a, p=share: (1 - p) ** a))


def test_bounds_are_no_decoration():
    """Assert that chains wrong in M by one, or in n by one, or in a frequency by 1e-9, break their bounds."""
    exact = Exact(12, SOURCES["three"])
    shifted = (Fraction(1, 2) + Fraction(1, 10**9), Fraction(1, 3), Fraction(1, 6) - Fraction(1, 10**9))
    wrong = LargeChain(13, SOURCES["three"]), LargeChain(12, shifted)
    for chain in wrong:
        with pytest.raises(AssertionError):
            assert_holds(chain.expected_time(), exact.moments()[0])
        with pytest.raises(AssertionError):
            assert_holds(chain.survival(5), exact.mean(5, exact.unlike))
    with pytest.raises(AssertionError):
        assert_holds(LargeChain(12, SOURCES["three"]).support(6), exact.mean(5, lambda a: a))


# Against arb, where windows cut rows off


@cache
def enclosed(samples) -> Any:
    """The occupancy rows as arb balls of 160 bits."""
    flint = pytest.importorskip("flint")
    with flint.ctx.workprec(160):
        return rows(samples, flint.arb(1))


def assert_encloses(found, ball):
    """A ball meets the interval of the stated error, and is a thousand times narrower."""
    middle, radius = float(ball.mid()), float(ball.rad())
    assert radius < found.error / 1000
    # The midpoint rounds to a float once.
    assert abs(middle - found.value) <= found.error + radius + U * abs(middle)


def test_expected_time_is_enclosed():
    """Assert E T and E T^2 at M = 400, where rows are cut to windows, against balls; the bound is below 1e-13."""
    M, matrix = 400, enclosed(400)
    chain = LargeChain(M, (Fraction(3, 4), Fraction(1, 4)))
    flint = pytest.importorskip("flint")
    with flint.ctx.workprec(160):
        p, q = flint.arb(3) / 4, flint.arb(1) / 4
        t, s = [flint.arb(0)] * 2, [flint.arb(0)] * 2
        for k in range(2, M + 1):
            row, f = matrix[k], 1 - p**k - q**k
            t.append((f + sum(row[m] * t[m] for m in range(k))) / (1 - row[k]))
            s.append((t[k] - f + sum(row[m] * s[m] for m in range(k))) / (1 - row[k]))
        assert_encloses(chain.expected_time(), 1 + t[-1])
        assert_encloses(chain.variance_time(), 2 * s[-1] + t[-1] - t[-1] ** 2)
    low, high = chain.ancestry.chain.window(len(chain.ancestry.chain.edges) - 2)
    assert 1 < low < high < M
    assert chain.expected_time().relative < 1e-13


def test_laws_are_enclosed():
    """Assert P(A_n = a) at M = 200 from wide laws to short ones, entry by entry, and what was cut off."""
    M, matrix = 200, enclosed(200)
    flint = pytest.importorskip("flint")
    ancestry = Ancestry(Occupancy(M))
    exact: Any = [flint.arb(0)] * M + [flint.arb(1)]
    for n in range(1, 9):
        law = ancestry.law(n)
        kept = dict(zip(law.states.tolist(), law.weights.tolist(), strict=True))
        assert all(float(w.rad()) < 1e-40 for w in exact)
        off = [abs(float((w - kept.get(a, 0.0)).mid())) - law.slack * kept.get(a, 0.0) for a, w in enumerate(exact)]
        burden = sum(a * max(short, 0.0) for a, short in enumerate(off))
        apart: Any = sum(exact[2:])
        assert burden <= law.missing * float(apart.mid())
        assert law.missing < 1e-17
        assert law.slack < 1e-11
        with flint.ctx.workprec(160):
            exact = pushed(exact, matrix)


@pytest.mark.parametrize("tilt", [1, -1])
def test_bound_covers_rows_as_wrong_as_they_may_be(monkeypatch, tilt):
    """Assert the bound at a unit roundoff of 2^-36, all entries below a row's mean too large and all above too small.

    In double precision actual errors stay far below their bounds, and a bound that forgot the rows would go unnoticed.
    """
    true, exact_rows, coarse = LargeChain(400, SOURCES["even"]).expected_time(), Occupancy.blocks, 2.0**-36

    def tilted(chain, wanted):
        for j, block in exact_rows(chain, wanted):
            k, m = np.arange(block.k0 + 1, block.k1 + 1)[:, None], np.arange(block.low, block.high + 1)
            mean = (block.rows @ m / block.rows.sum(axis=1))[:, None]
            block.rows[:] *= 1 + 2 * k * coarse * np.where(m < mean, tilt, -tilt)
            yield j, block

    monkeypatch.setattr(Occupancy, "blocks", tilted)
    forgotten = LargeChain(400, SOURCES["even"]).expected_time()
    assert abs(forgotten.value - true.value) > 100 * forgotten.error
    plain = Jumps.of
    monkeypatch.setattr(Jumps, "of", lambda *rows: evolve(plain(*rows), slack=plain(*rows).slack * coarse / U))
    counted = LargeChain(400, SOURCES["even"]).expected_time()
    assert abs(counted.value - true.value) <= counted.error < 1e-7 * true.value


def test_compiled_leap_is_the_climb():
    """Assert that the loop for rows that nobody reads gives the last row of the block, to the rounding of its rows."""
    chain = Occupancy(2000)
    for j in (3, 40, len(chain.edges) - 2):
        row = chain._first(j)
        climbed, leapt = chain._climb(j, row).rows[-1], chain._leap(j, row)
        assert np.all(np.abs(climbed - leapt) <= 4 * chain.size * U * climbed)


# Many generations, many types


def test_courses_are_the_single_answers():
    """Assert that a range of generations and single ones, through all phases, agree within their bounds."""
    chain = LargeChain(300, SOURCES["many"])
    whole = chain.survival(range(1501))
    for n in (0, 1, 2, 8, 9, 100, 800, 1500):
        one = chain.survival(n)
        assert abs(one.value - whole.value[n]) <= one.error + whole.error[n]
    assert np.all(np.diff(whole.value) <= whole.error[1:])
    some = chain.lost(frequency=[0.1, 0.5], n=[0, 7, 10**6])
    assert some.value.shape == (3, 2)
    assert chain.lost(frequency=0.5, n=7).value in some[1, 1]
    assert np.all(chain.cdf(range(5)).value + whole.value[:5] == 1)


def test_expected_time_is_the_sum_of_survival():
    """Assert E T = sum_n P(T > n), the rest closed by the last eigenvalue 1 - 1/M."""
    chain = LargeChain(150, SOURCES["three"])
    course = chain.survival(range(6001))
    total, rest = course.value.sum(), course.value[-1] * 149
    time = chain.expected_time()
    assert abs(total + rest - time.value) <= course.error.sum() + time.error + 1e-9 * time.value


@settings(max_examples=25)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(2, 400), st.integers(1, 2000))
def test_large_chain_merges_types_and_forgets_names(counts, samples, n):
    """Assert sums to one, relabelling, merging, and the order of supports, at sizes that fractions do not reach."""
    law = [Fraction(c, sum(counts)) for c in counts]
    chain, merged = LargeChain(samples, law), LargeChain(samples, [law[0] + law[1], *law[2:]])
    turned = LargeChain(samples, law[::-1])
    assert abs(sum(chain.probability(t).value for t in range(len(law))) - 1) < 1e-14
    both, back = chain.survival(n), turned.survival(n)
    assert abs(both.value - back.value) <= both.error + back.error
    assert merged.survival(n).lower <= both.upper
    support, losses = chain.support(n), [chain.lost(t, n) for t in range(len(law))]
    total = sum(1 - one.value for one in losses)
    assert abs(support.value - total) <= support.error + sum(one.error for one in losses) + 1e-12
    if len(law) > 2:
        assert merged.lost(1, n).value in Bounded(losses[2].value, 2 * losses[2].error)


def test_large_vocabularies_are_answered():
    """Assert shapes, bounds and order for a Zipf vocabulary of 20,000 types and for equal ones, counted once."""
    zipf = 1 / np.arange(1, 20_001.0)
    chain = LargeChain(2000, zipf / zipf.sum())
    support = chain.support([0, 1, 50])
    assert support.value[0] == 20_000
    assert support.value[1] > support.value[2] > 1
    assert np.all(support.relative < 1e-8)
    equal = LargeChain(2000, np.full(10**5, 1e-5))
    assert len(equal.types) == 1
    # All types distinct: the support has the law of A_1 thrown into 10^5 bins.
    assert equal.support(1).value == pytest.approx(10**5 * -np.expm1(2000 * np.log1p(-1e-5)), rel=1e-12)


def test_floats_are_divided_by_their_sum():
    """Assert that a law of floats a little off 1 is the law of its shares, for tokens as for sums over all."""
    off = np.array([0.7, 0.2, 0.1]) * (1 + 3e-7)
    chain, exact = LargeChain(9, off), Exact(9, [Fraction(float(x)) / sum(map(Fraction, off.tolist())) for x in off])
    assert_holds(chain.expected_time(), exact.moments()[0])
    assert_holds(chain.lost(0, 3), exact.mean(3, lambda a: (1 - exact.source[0]) ** a))
    assert_holds(chain.probability(1), exact.source[1])
    assert_holds(chain.support(3), sum(exact.mean(3, lambda a, p=p: 1 - (1 - p) ** a) for p in exact.source))


def test_spectrum_is_the_falling_factorial():
    """Assert the eigenvalues M(M - 1)...(M - j + 1)/M^j within their bound."""
    found = LargeChain(50, SOURCES["even"]).spectrum(50)
    for j in range(1, 51):
        value = Fraction(1)
        for i in range(j):
            value *= Fraction(50 - i, 50)
        assert abs(Fraction(float(found.value[j - 1])) - value) <= Fraction(float(found.error[j - 1]))


def test_loop_is_read_as_theory_reads_it():
    """Assert the exact chain of the same loop, and that other loops are refused by the same names."""
    loop = Loop(Bernoulli(Rational(1, 3)), samples=4)
    near, true = large_absorption(loop).expected_time(), absorption(loop).expected_time()
    assert abs(near.value - float(true)) <= near.error
    refused = {
        "finite state space": Loop(Gaussian(), samples=5),
        "not the neutral chain": Loop(Categorical([1]), samples=5, regime=Mixed(Rational(1, 5))),
    }
    for words, other in refused.items():
        with pytest.raises(NotClosed, match=words):
            large_absorption(other)
    with pytest.raises(ValueError, match="leaves p0"):
        large_absorption(Loop(Bernoulli(), samples=5))
    with pytest.raises(ValueError, match="samples = oo"):
        large_absorption(Loop(Bernoulli(Rational(1, 3)), samples=oo))


REFUSED = {
    "outside 1..2000000": lambda: LargeChain(10**13, SOURCES["even"]),
    "sum to": lambda: LargeChain(5, np.array([0.5, 0.6])).survival(1),
    "no law": lambda: LargeChain(5, np.array([1.5, -0.5])).survival(1),
    "token 2 does not exist": lambda: LargeChain(5, SOURCES["even"]).lost(2, 1),
    "exactly one": lambda: LargeChain(5, SOURCES["even"]).lost(0, 1, count=1),
    "no generation": lambda: LargeChain(5, SOURCES["even"]).survival(-1),
    "first fit": lambda: LargeChain(5, SOURCES["even"]).ancestors(0),
    "or no list": lambda: LargeChain(5, SOURCES["even"]).survival(np.array([0.5])),
}


@pytest.mark.parametrize("words", REFUSED)
def test_wrong_questions_are_refused(words):
    """Assert that the value at fault is named."""
    with pytest.raises(ValueError, match=words):
        REFUSED[words]()


def test_rows_are_binomial_sums():
    """Assert the reference's own rows: G_km = C(M, m) sum_j (-1)^j C(m, j) ((m - j)/M)^k."""
    M, matrix = 6, rows(6, Fraction(1))
    for k in range(M + 1):
        for m in range(M + 1):
            terms = ((-1) ** j * comb(m, j) * Fraction(m - j, M) ** k for j in range(m + 1))
            assert matrix[k][m] == comb(M, m) * sum(terms)
