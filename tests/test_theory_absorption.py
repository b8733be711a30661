"""Absorption against the whole chain: every vector of counts of every type, in fractions, for all small M and K.

Nothing here knows of duality, of ancestors or of merging types: the transition matrix is written down, and linear
systems are solved.
"""

from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import factorial, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import QQ, Integer, Poly, Rational, Symbol, binomial, gamma
from sympy.polys.matrices import DomainMatrix

from theory import Bernoulli, Categorical, Loop, absorption

SOURCES = {
    1: (Fraction(1),),
    2: (Fraction(1, 3), Fraction(2, 3)),
    3: (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
    4: (Fraction(2, 5), Fraction(3, 10), Fraction(1, 5), Fraction(1, 10)),
}
SIZES = [(samples, types) for types in SOURCES for samples in range(1, 6)]
GENERATIONS = range(5)


def compositions(total, parts):
    """All vectors of counts with a given sum."""
    if parts == 1:
        yield (total,)
    else:
        yield from ((k, *rest) for k in range(total + 1) for rest in compositions(total - k, parts - 1))


def multinomial(counts, law):
    """P(counts) for independent draws from a law."""
    ways = factorial(sum(counts)) // prod(factorial(k) for k in counts)
    return ways * prod((Fraction(p) ** k for p, k in zip(law, counts, strict=True)), start=Fraction(1))


class Chain:
    """The full chain on count vectors, from one fit to real data on."""

    def __init__(self, samples, source):
        self.samples, self.source = samples, source
        self.states = list(compositions(samples, len(source)))
        frequencies = [[Fraction(k, samples) for k in state] for state in self.states]
        self.matrix = [[multinomial(to, law) for to in self.states] for law in frequencies]
        self.first = [multinomial(state, source) for state in self.states]

    def left(self, state):
        """The number of types in a state."""
        return sum(1 for k in state if k)

    def law(self, n):
        """The law of the counts at fit n >= 1."""
        now = self.first
        for _ in range(n - 1):
            now = [sum(w * row[j] for w, row in zip(now, self.matrix, strict=True)) for j in range(len(self.states))]
        return now

    def mean(self, n, function):
        """E[function(counts)] at fit n; at n = 0 the source's own types count."""
        if n == 0:
            return Fraction(function(tuple(int(p > 0) for p in self.source)))
        return sum(w * function(state) for w, state in zip(self.law(n), self.states, strict=True))

    def solve(self, right):
        """(I - Q) t = right on the states with more than one type, 0 elsewhere."""
        inner = [j for j, state in enumerate(self.states) if self.left(state) > 1]
        if not inner:
            return [Fraction(0)] * len(self.states)
        rows = [[QQ(int(a == b)) - self.exact(self.matrix[a][b]) for b in inner] for a in inner]
        column = [[self.exact(right(a))] for a in inner]
        solved = DomainMatrix(rows, (len(inner), len(inner)), QQ).lu_solve(DomainMatrix(column, (len(inner), 1), QQ))
        found = dict(zip(inner, solved.to_list_flat(), strict=True))
        return [
            Fraction(int(t.numerator), int(t.denominator))
            for t in (found.get(j, QQ(0)) for j in range(len(self.states)))
        ]

    @staticmethod
    def exact(value):
        """A fraction in SymPy's field."""
        return QQ(value.numerator, value.denominator)

    def expected_time(self):
        """E[number of fits until one type is left], 0 where the source has one."""
        if self.left(tuple(int(p > 0) for p in self.source)) == 1:
            return Fraction(0)
        times = self.solve(lambda _: Fraction(1))
        return 1 + sum(w * t for w, t in zip(self.first, times, strict=True))

    def probability(self, token):
        """P(the last type left is this one)."""
        sure = [state.index(self.samples) == token if self.left(state) == 1 else None for state in self.states]
        reach = self.solve(lambda a: sum((w for w, hit in zip(self.matrix[a], sure, strict=True) if hit), Fraction(0)))
        total = [Fraction(int(hit)) if hit is not None else t for hit, t in zip(sure, reach, strict=True)]
        return sum(w * t for w, t in zip(self.first, total, strict=True))


@cache
def chain(samples, types):
    """The full chain of a size."""
    return Chain(samples, SOURCES[types])


def engine(samples, source):
    """The engine's answer for a source in fractions."""
    return absorption(Loop(Categorical(source), samples=samples))


@pytest.mark.parametrize(("samples", "types"), SIZES)
def test_absorption_is_that_of_the_full_chain(samples, types):
    """Assert probability, expected time, survival, loss and support, for every type and the first generations."""
    full, found = chain(samples, types), engine(samples, SOURCES[types])
    assert found.expected_time() == full.expected_time()
    for token in range(types):
        assert found.probability(token) == full.probability(token)
    for n in GENERATIONS:
        assert found.survival(n=n) == full.mean(n, lambda state: int(full.left(state) > 1))
        assert found.support(n=n) == full.mean(n, full.left)
        for token in range(types):
            assert found.lost(token=token, n=n) == full.mean(n, lambda state, t=token: int(state[t] == 0))


@pytest.mark.parametrize(("samples", "types"), [size for size in SIZES if len(chain(*size).states) <= 21])
def test_spectrum_is_that_of_the_full_matrix(samples, types):
    """Assert that the eigenvalues (D1) with their multiplicities multiply to the characteristic polynomial."""
    full, x = chain(samples, types), Symbol("x")
    rows = [[full.exact(w) for w in row] for row in full.matrix]
    chi = DomainMatrix(rows, (len(rows), len(rows)), QQ).charpoly()
    spectrum = engine(samples, SOURCES[types]).spectrum()
    product = Poly(1, x)
    for value, times in spectrum.items():
        product *= Poly(x - value, x) ** times
    assert product.all_coeffs() == [QQ.to_sympy(w) for w in chi]
    for j, (value, times) in enumerate(spectrum.items(), start=1):
        assert value == gamma(samples + 1) / (gamma(samples - j + 1) * Integer(samples) ** j)
        assert times == (types if j == 1 else binomial(j + types - 2, types - 2) if types > 1 else 0)


def test_full_chain_is_no_tautology():
    """Assert that a planted slip in the reference, a first fit without randomness, shows at once."""
    slipped = Chain(3, SOURCES[2])
    slipped.first = [Fraction(int(state == (1, 2))) for state in slipped.states]
    assert engine(3, SOURCES[2]).expected_time() != slipped.expected_time()


FORMULAS = {
    2: lambda p: 1 + 4 * p * (1 - p),
    3: lambda p: 1 + 9 * p * (1 - p),
    4: lambda p: -(64 * p**4 - 128 * p**3 + 492 * p**2 - 428 * p - 29) / 29,
}


@settings(max_examples=15)
@given(st.sampled_from(sorted(FORMULAS)), st.fractions(Rational(1, 20), Rational(19, 20), max_denominator=20))
def test_expected_time_of_two_types_is_a_polynomial(samples, p):
    """Assert D6, D7 and D8: E T as a polynomial in the source's frequency, for 0 < p < 1."""
    time = absorption(Loop(Bernoulli(p), samples=samples)).expected_time()
    assert time == FORMULAS[samples](Rational(p.numerator, p.denominator))


COUNTS = {
    4: ("107/29", "132/29"),
    5: ("425/101", "575/101"),
    6: ("230059/49764", "81922/12441", "119517/16588"),
}


def test_expected_time_from_a_count_is_the_published_fraction():
    """Assert the known times from count 1, 2, .. of M = 4, 5, 6: the engine's times to fix of both types, added."""
    for samples, published in COUNTS.items():
        fix = absorption(Loop(Bernoulli(Rational(1, 2)), samples=samples)).times_to_fix
        assert [fix[k] + fix[samples - k] for k in range(1, len(published) + 1)] == [Fraction(x) for x in published]


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
    assert relabelled.expected_time() == found.expected_time() >= merged.expected_time()
    for n in GENERATIONS:
        assert relabelled.survival(n) == found.survival(n) >= merged.survival(n)
        assert [relabelled.lost(k, n) for k in types] == [found.lost(t, n) for t in order]
        # The mean number of types left counts, type by type, those not lost.
        assert found.support(n) == sum(1 - found.lost(t, n) for t in types)
        if len(source) > 2:
            assert merged.lost(1, n) == found.lost(2, n)
    assert all(after <= before for before, after in pairwise(found.survival(n) for n in GENERATIONS))
    assert all(after <= before for before, after in pairwise(found.support(n) for n in GENERATIONS))


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
