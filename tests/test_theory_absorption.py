"""The neutral chain for vocabularies of any size: what holds of every source, and the large engine's error bound."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

from theory import Bernoulli, Categorical, Loop, absorption

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
