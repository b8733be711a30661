"""The neutral chain for vocabularies of any size: what holds of every source, and the large engine's error bound."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

from numerics.absorption import ancestors, of_loop
from theory import Bernoulli, Categorical, Gaussian, Loop, absorption

SOURCES = {
    1: (Fraction(1),),
    2: (Fraction(1, 3), Fraction(2, 3)),
    3: (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
    4: (Fraction(2, 5), Fraction(3, 10), Fraction(1, 5), Fraction(1, 10)),
}
GENERATIONS = range(5)


def engine(samples, source):
    """The engine's answer for a source in fractions."""
    return absorption(Loop(Categorical(source), samples=samples))


def laws():
    """Sources of two to five types, some of which may be absent."""
    weights = st.lists(st.integers(0, 6), min_size=2, max_size=5).filter(any)
    return weights.map(lambda counts: tuple(Fraction(w, sum(counts)) for w in counts))


@settings(max_examples=25)
@given(laws(), st.integers(1, 9), st.randoms())
def test_absorption_forgets_names_and_merges_types(source, samples, random):
    """Assert relabelling, merging of types, sums to one and monotone decay, for vocabularies too large to enumerate."""
    found, types = engine(samples, source), range(len(source))
    assert sum(found.probability(t) for t in types) == 1
    order = random.sample(list(types), len(source))
    relabelled = engine(samples, tuple(source[t] for t in order))
    merged = engine(samples, (source[0] + source[1], *source[2:]))
    for j in (1, 2):
        assert relabelled.expected_time(j) == found.expected_time(j) >= merged.expected_time(j)
    assert relabelled.variance_time() == found.variance_time() >= 0
    for n in GENERATIONS:
        assert relabelled.survival(n) == found.survival(n) >= merged.survival(n)
        assert relabelled.missing_mass(n) == found.missing_mass(n) <= 1
        assert [relabelled.lost(k, n) for k in types] == [found.lost(t, n) for t in order]
        # The mean number of types left counts, type by type, those not lost.
        assert found.support(n) == sum(1 - found.lost(t, n) for t in types)
        if len(source) > 2:
            assert merged.lost(1, n) == found.lost(2, n)
    assert all(after <= before for before, after in pairwise(found.survival(n) for n in GENERATIONS))
    assert all(after <= before for before, after in pairwise(found.support(n) for n in GENERATIONS))


@settings(max_examples=25)
@given(laws(), st.integers(1, 9), st.integers(1, 4))
def test_counts_are_a_law_with_the_mean_of_the_source(source, samples, n):
    """Assert that P(count = x) is a law, a martingale, ends at P(lost), and carries the second moment."""
    found = engine(samples, source)
    for token, p in enumerate(source):
        law = found.counts(token, n)
        assert sum(law.values()) == 1
        assert min(law.values()) >= 0
        assert law[0] == found.lost(token, n)
        for k in (1, 2, 5):
            assert sum(w * Rational(x, samples) ** k for x, w in law.items()) == found.moment(k, n, token)
        assert found.moment(1, n, token) == p
    assert found.collision(n) == sum(found.moment(2, n, token) for token in range(len(source)))


@settings(max_examples=25)
@given(laws(), st.integers(2, 9))
def test_times_are_means_over_who_takes_all(source, samples):
    """Assert E T = sum_i p_i E[T | i takes all], and that fewer types are waited for longer."""
    found = engine(samples, source)
    winners = [(t, Rational(p)) for t, p in enumerate(source) if p]
    assert found.expected_time() == sum(p * found.conditional_time(t) for t, p in winners)
    times = [found.expected_time(types=j) for j in range(1, len(winners) + 1)]
    assert times[-1] == 0
    assert all(fewer >= more for fewer, more in pairwise(times))


@settings(max_examples=25)
@given(st.integers(1, 9).flatmap(lambda m: st.tuples(st.just(m), st.integers(0, m))), st.integers(0, 4))
def test_loss_is_that_of_the_frequency(size, n):
    """Assert that a token, its frequency and its count in M are lost with one chance."""
    samples, count = size
    found = engine(samples, (Fraction(count, samples), 1 - Fraction(count, samples)))
    chances = {found.lost(0, n), found.lost(n=n, count=count), found.lost(n=n, frequency=Rational(count, samples))}
    assert len(chances) == 1
    assert found.given(count, samples - count) == found


@settings(max_examples=15)
@given(laws(), st.integers(1, 8), st.integers(1, 5))
def test_ancestors_are_a_law_that_shrinks(source, samples, n):
    """Assert that P(A_n = a) is a law on 1..M, and that partial sums of P(T > n) stay below E T."""
    found = engine(samples, source)
    law = found.ancestors(n)
    assert len(law) == samples + 1
    assert law[0] == 0
    assert sum(law) == 1
    assert sum(found.survival(k) for k in range(n)) <= found.expected_time()
    assert found.cdf(n) == 1 - found.survival(n)


@pytest.mark.parametrize("samples", [2, 3, 6])
def test_tail_sum_of_survival_is_the_expected_time(samples):
    """Assert E T = sum_n P(T > n): the rest after 40 generations lies where the decay of 1 - sum p^2 says.

    A chain with more than one type has 2(M-1)/M^2 <= 1 - sum p^2 <= 1, and E(1 - sum p^2) = H0 (1-1/M)^n.
    """
    found, H0 = engine(samples, SOURCES[3]), 1 - sum(p**2 for p in SOURCES[3])
    rest = found.expected_time() - sum(found.survival(n) for n in range(40))
    diversity = H0 * samples * (1 - Fraction(1, samples)) ** 40
    assert diversity <= rest <= diversity * Fraction(samples**2, 2 * (samples - 1))


def test_bernoulli_is_the_categorical_chain_of_two_types():
    """Assert that both families give one chain, with type 0 the success."""
    two = absorption(Loop(Bernoulli(Rational(1, 3)), samples=4))
    assert two == engine(4, SOURCES[2])


@pytest.mark.parametrize("samples", [1, 2, 7, 20])
def test_floating_point_keeps_its_stated_error(samples):
    """Assert that laws, losses and supports of the large-chain engine are within its bound of the exact rationals."""
    generations, source = 8, SOURCES[4]
    exact, fast = engine(samples, source), ancestors(samples, generations)
    assert 0 < fast.bound < 1e-9
    laws = [exact.ancestors(n) for n in range(1, generations + 1)]
    assert_within(fast.laws, laws, fast.bound)
    lost = [[exact.lost(t, n) for t in range(4)] for n in range(generations + 1)]
    assert_within(fast.lost([float(p) for p in source]), lost, fast.bound)
    support = [exact.support(n) for n in range(generations + 1)]
    assert_within(fast.support([float(p) for p in source]), support, fast.bound)


def assert_within(found, exact, bound):
    """Every entry of an array within a relative error of its exact value."""
    for near, true in zip(np.ravel(found), np.ravel(np.array(exact, dtype=object)), strict=True):
        value = Fraction(int(true.p), int(true.q)) if hasattr(true, "p") else Fraction(true)
        assert abs(Fraction(float(near)) - value) <= Fraction(bound) * value


def test_floating_point_bound_is_no_decoration():
    """Assert that a chain wrong in one entry (M + 1 for M) breaks the bound."""
    exact, wrong = engine(6, SOURCES[2]).ancestors(3), ancestors(7, 3).laws[-1, 1:]
    with pytest.raises(AssertionError):
        assert_within(wrong, exact, ancestors(6, 3).bound)


def test_floating_point_chain_of_a_loop_is_checked():
    """Assert that the loop's M is taken, and that other loops and sizes are refused."""
    assert of_loop(Loop(Categorical(SOURCES[2]), samples=5), 3).samples == 5
    with pytest.raises(ValueError, match="not a neutral categorical loop"):
        of_loop(Loop(Gaussian(), samples=5), 3)
    for bad in ((0, 3), (3, 0)):
        with pytest.raises(ValueError, match="count from 1"):
            ancestors(*bad)
