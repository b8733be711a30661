"""The accumulating loop as a batch urn: every sequence of draws, Polya's laws, and what is never lost."""

from fractions import Fraction
from math import comb, factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Product, Rational, oo, pi, rf, simplify, sin, sqrt

from proofs.testing.samples import draws, plus
from theory import (
    Accumulate,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    M,
    NoClosedForm,
    NotClosed,
    Subsample,
    Tempered,
    absorption,
    expect,
    n,
)
from theory.symbols import V0, q0

SOURCES = {
    2: (Fraction(1, 3), Fraction(2, 3)),
    3: (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
    4: (Fraction(2, 5), Fraction(3, 10), Fraction(1, 5), Fraction(1, 10)),
}
SIZES = [(1, 2), (2, 2), (3, 2), (1, 3), (2, 3), (2, 4)]


def engine(samples, source):
    """The engine's urn."""
    return absorption(Loop(Categorical(source), regime=Accumulate(), samples=samples))


def brute(samples, source, generations, begun=None):
    """The laws of the urn's counts at generations 1, 2, ..., or from given counts on, over every batch."""
    now = dict(draws(samples, source)) if begun is None else {begun: Fraction(1)}
    yield now
    for _ in range(generations - 1):
        then = {}
        for counts, weight in now.items():
            for batch, chance in draws(samples, tuple(Fraction(k, sum(counts)) for k in counts)).items():
                urn = plus(counts, batch)
                then[urn] = then.get(urn, Fraction(0)) + weight * chance
        now = then
        yield now


@pytest.mark.parametrize(("samples", "types"), SIZES)
def test_urn_is_that_of_all_batches(samples, types):
    """Assert loss, survival, vocabulary, the law of every count and its moments, over every sequence of draws."""
    source, found = SOURCES[types], engine(samples, SOURCES[types])
    for generation, urns in enumerate(brute(samples, source, 3), 1):
        assert found.survival(generation) == sum(w for x, w in urns.items() if max(x) < sum(x))
        assert found.support(generation) == sum(w * sum(k > 0 for k in x) for x, w in urns.items())
        for token in range(types):
            assert found.lost(token, generation) == sum(w for x, w in urns.items() if not x[token])
            law = list(found.counts(token, generation).values())
            assert law == [sum(w for x, w in urns.items() if x[token] == k) for k in range(len(law))]
            for order in (1, 2, 3):
                mean = sum(w * Rational(k, len(law) - 1) ** order for k, w in enumerate(law))
                assert found.moment(token, order, generation) == mean


@pytest.mark.parametrize(("samples", "begun"), [(1, (1, 2)), (2, (3, 1)), (2, (1, 2, 1)), (3, (0, 3))])
def test_urn_from_counts_is_that_of_all_batches(samples, begun):
    """Assert the laws after counts that are there."""
    source = SOURCES[len(begun)]
    found = engine(samples, source).given(*begun)
    for generation, urns in enumerate(brute(samples, source, 3, begun)):
        assert found.survival(generation) == sum(w for x, w in urns.items() if max(x) < sum(x))
        for token in range(len(begun)):
            assert found.lost(token, generation) == sum(w for x, w in urns.items() if not x[token])
            law = list(found.counts(token, generation).values())
            mean = sum(w * Rational(k, len(law) - 1) ** 2 for k, w in enumerate(law))
            assert found.moment(token, 2, generation) == mean
            assert law == [sum(w for x, w in urns.items() if x[token] == k) for k in range(len(law))]


# One token at a time -------------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 6))
def test_counts_of_single_tokens_are_beta_binomial(a, b, added):
    """Assert P(x = a + k) = C(m, k) B(a + k, b + m - k)/B(a, b) after m tokens."""
    law = list(engine(1, SOURCES[2]).given(a, b).counts(0, added).values())
    inner = [comb(added, k) * _beta(a + k, b + added - k) / _beta(a, b) for k in range(added + 1)]
    assert law == [0] * a + inner + [0] * b


def _beta(a, b):
    return Fraction(factorial(a - 1) * factorial(b - 1), factorial(a + b - 1))


@settings(max_examples=20)
@given(st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(any), st.integers(1, 4), st.integers(0, 4))
def test_limit_of_single_tokens_is_dirichlet(begun, order, added):
    """Assert that E x^(k)/N^(k), rising factorials, is that of the start at every n, and the Dirichlet's moment."""
    found, total = engine(1, SOURCES[3]).given(*begun), sum(begun) + added
    limit = found.frequencies()
    for token in range(3):
        powers = tuple(order * (i == token) for i in range(3))
        law = list(found.counts(token, added).values())
        rising = sum(w * rf(x, order) for x, w in enumerate(law)) / rf(total, order)
        assert rising == limit.moment(powers, (0, 0, 0))
        # Plain moments come nearer: x^k <= x^(k) <= (x + k)^k.
        plain = sum(w * Rational(x, total) ** order for x, w in enumerate(law))
        assert plain <= rising * rf(total, order) / total**order
    assert sum(limit.means()) == 1
    mixed = limit.moment((1, 1, 0), (0, 0, 0))
    assert mixed == Rational(begun[0] * begun[1], sum(begun) * (sum(begun) + 1))


def test_first_token_alone_decides_from_the_source():
    """Assert that M = 1 from the source is settled at once: p with probability p, at every moment."""
    found = engine(1, SOURCES[2])
    assert (found.expected_time(), found.survival(1), found.probability(0)) == (1, 0, Rational(1, 3))
    assert found.counts(0, 3) == {0: Rational(2, 3), 1: 0, 2: 0, 3: Rational(1, 3)}
    assert [found.limit(0, order) for order in (1, 2, 3)] == [Rational(1, 3)] * 3


# Batches -------------------------------------------------------------------------------------------------------------


def test_diversity_tends_to_a_sine_in_symbols():
    """Assert E p(1-p) = p0(1-p0) prod(1 - 1/(M k^2)) -> p0(1-p0) sin(pi/sqrt M)/(pi/sqrt M), the Gaussian's factor."""
    loop = Loop(Bernoulli(), regime=Accumulate())
    diversity = expect(loop, Bernoulli.p * (1 - Bernoulli.p))
    factor = sin(pi / sqrt(M)) / (pi / sqrt(M))
    assert simplify(diversity.limit() / (q0 * (1 - q0)) - factor) == 0
    variance = expect(Loop(Gaussian(), regime=Accumulate()), Gaussian.V)
    assert simplify(variance.limit() / V0 - factor) == 0
    for generations in (1, 2, 5):
        exact = q0 * (1 - q0) * Product(1 - 1 / (M * n**2), (n, 1, generations)).doit()
        assert simplify(diversity.values(generations)[-1] - exact) == 0


@pytest.mark.parametrize("samples", [2, 3, 7])
def test_limit_moments_bound_those_on_the_way(samples):
    """Assert E p_n^2 rising to its limit, and by no more than E p_n(1-p_n)/(M n) from generation n on."""
    found, p = engine(samples, SOURCES[2]), Rational(1, 3)
    limit = found.limit(0, 2)
    assert simplify(limit - (p - p * (1 - p) * sin(pi / sqrt(samples)) / (pi / sqrt(samples)))) == 0
    for generation in (1, 3, 10, 30):
        here = found.moment(0, 2, generation)
        assert 0 < (limit - here).evalf(30) < (p - here) / (samples * generation)


@pytest.mark.parametrize("samples", [1, 2, 3, 10])
def test_enclosed_limits_hold_the_closed_ones(samples):
    """Assert that sine and, for M = 2, the cubic product lie in the enclosures, and a neighbour of theirs does not."""
    found = engine(samples, SOURCES[2])
    for order in (1, 2, 3) if samples <= 2 else (1, 2):
        near, exact = found.enclosed_limit(0, order), found.limit(0, order)
        assert near.radius <= Rational(1, 10**20)
        assert near.lower <= exact <= near.upper
        assert exact + Rational(1, 10**18) not in near


@settings(max_examples=15)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5))
def test_enclosed_limits_of_single_tokens_are_those_of_the_beta_law(a, b, order):
    """Assert E p^k = a^(k)/(a + b)^(k) after counts (a, b) of M = 1, whatever the order."""
    near = engine(1, SOURCES[2]).given(a, b).enclosed_limit(0, order)
    assert near.lower <= rf(a, order) / rf(a + b, order) <= near.upper


@settings(max_examples=15)
@given(st.integers(2, 6), st.integers(2, 6), st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=10))
def test_enclosed_limits_agree_at_every_radius(samples, order, p):
    """Assert that a rough enclosure holds the fine one, and that the moments rise to both."""
    found = engine(samples, (p, 1 - p))
    rough, fine = (found.enclosed_limit(0, order, Rational(1, 10**digits)) for digits in (4, 25))
    assert rough.lower <= fine.upper
    assert fine.lower <= rough.upper
    assert fine.radius <= Rational(1, 10**25)
    assert found.moment(0, order, 6) < fine.lower


@settings(max_examples=25)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=5).filter(any), st.integers(1, 9), st.integers(1, 10**6))
def test_what_the_first_batch_has_is_never_lost(weights, samples, generation):
    """Assert P(lost) = (1-p)^M at every generation, and that the vocabulary is that of M real tokens for ever."""
    source = [Rational(w, sum(weights)) for w in weights]
    found = engine(samples, source)
    for token, p in enumerate(source):
        assert found.lost(token, generation) == (1 - p) ** samples
        assert found.lost(token, 0) == (p == 0)
    assert found.support(generation) == sum(1 - (1 - p) ** samples for p in source)
    assert found.survival(generation) == 1 - sum(p**samples for p in source)
    settled = 1 in source
    assert found.expected_time() == (0 if settled else 1 if samples == 1 else oo)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 5), min_size=3, max_size=4), st.integers(1, 3), st.integers(1, 4))
def test_types_merge_and_names_are_forgotten(weights, samples, generation):
    """Assert that the law of a count depends on the probability of its type alone."""
    source = [Rational(w, sum(weights)) for w in weights]
    one, two = engine(samples, source), engine(samples, [source[0], sum(source[1:])])
    assert one.counts(0, generation) == two.counts(0, generation)
    assert [*two.counts(1, generation).values()] == [*two.counts(0, generation).values()][::-1]
    assert sum(one.counts(0, generation).values()) == 1
    mean = sum(w * x for x, w in one.counts(0, generation).items())
    assert mean == samples * generation * source[0]


def test_number_of_first_batches_is_counted():
    """Assert the law of the first batch, M!/(x!(M-x)!) p^x (1-p)^(M-x)."""
    p, law = Rational(1, 3), list(engine(4, SOURCES[2]).counts(0, 1).values())
    assert law == [factorial(4) // factorial(x) // factorial(4 - x) * p**x * (1 - p) ** (4 - x) for x in range(5)]


@pytest.mark.parametrize(
    ("attempt", "kind", "words"),
    [
        (lambda: engine(2, SOURCES[2]).given(1, 1).frequencies(), NoClosedForm, "batches of 2"),
        (lambda: engine(2, SOURCES[2]).counts(0, 0), ValueError, "n = 0"),
        (lambda: engine(1, SOURCES[2]).frequencies(), ValueError, "given"),
        (lambda: engine(2, SOURCES[2]).given(1, 2), ValueError, "batches of M = 2"),
        (lambda: engine(2, SOURCES[2]).given(1, 2, 1), ValueError, "2 types"),
        (lambda: engine(2, SOURCES[2]).given(1, 1).limit(0, 2), NoClosedForm, "given counts"),
        (lambda: engine(2, SOURCES[2]).lost(2, 1), ValueError, "token 2"),
        (lambda: engine(2, SOURCES[2]).support(-1), ValueError, "n = -1"),
        (lambda: absorption(Loop(Bernoulli(), regime=Accumulate(), samples=2)), ValueError, "leaves p0"),
        (lambda: absorption(Loop(Bernoulli(Rational(1, 2)), regime=Subsample(), samples=2)), NotClosed, "Subsample"),
        (
            lambda: absorption(Loop(Bernoulli(Rational(1, 2)), regime=Accumulate(), sampling=Tempered(2), samples=2)),
            NotClosed,
            "Tempered",
        ),
    ],
)
def test_what_is_no_question_is_refused(attempt, kind, words):
    """Assert one sentence by name."""
    with pytest.raises(kind, match=words):
        attempt()
