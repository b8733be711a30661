"""Loops with real data in every generation against the whole chain: every vector of counts, in fractions.

Transition matrices are written from the words of the regime: which tokens are real, which are copies. Nothing here
knows of lineages, and a passage is found by eliminating all states instead of by renewal.
"""

from fractions import Fraction
from functools import cache
from math import factorial, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import QQ, Poly, Rational, Symbol, oo
from sympy.polys.matrices import DomainMatrix

from theory import Bernoulli, Categorical, Loop, Mixed, absorption, stationary
from theory.discrete.neutral import Neutral

SOURCES = {
    1: (Fraction(1),),
    2: (Fraction(1, 3), Fraction(2, 3)),
    3: (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
    4: (Fraction(2, 5), Fraction(2, 5), Fraction(1, 5), Fraction(0)),
}

BERNOULLI = [(samples, types, Fraction(1, 3)) for types in SOURCES for samples in range(1, 6)]

FIXED = [
    (samples, types, Fraction(real, samples)) for samples, real in ((1, 1), (2, 1), (3, 1), (4, 3)) for types in SOURCES
]

GENERATIONS = (0, 1, 2, 4)


def compositions(total, parts):
    """All vectors of counts with a given sum."""
    if parts == 1:
        yield (total,)
    else:
        yield from ((k, *rest) for k in range(total + 1) for rest in compositions(total - k, parts - 1))


def multinomial(counts, law):
    """P(counts) for independent draws from a law; 0 where a count is negative."""
    if min(counts) < 0:
        return Fraction(0)
    ways = factorial(sum(counts)) // prod(factorial(k) for k in counts)
    return ways * prod((Fraction(p) ** k for p, k in zip(law, counts, strict=True)), start=Fraction(1))


def minus(one, other):
    """The difference of two vectors."""
    return tuple(a - b for a, b in zip(one, other, strict=True))


class Chain:
    """The chain on count vectors; ``draw(law)`` gives the law of the counts of a fit when the model is ``law``."""

    def __init__(self, samples, source, draw):
        self.source, self.states = source, list(compositions(samples, len(source)))
        laws = [tuple(Fraction(k, samples) for k in state) for state in self.states]
        self.matrix = [[draw(law)(to) for to in self.states] for law in laws]
        self.first = [draw(source)(to) for to in self.states]

    def push(self, law):
        """The law one fit later."""
        return [sum(w * row[j] for w, row in zip(law, self.matrix, strict=True)) for j in range(len(law))]

    def law(self, n):
        """The law of the counts at fit n >= 1."""
        law = self.first
        for _ in range(n - 1):
            law = self.push(law)
        return law

    @property
    def forever(self):
        """The stationary law: (P' - 1) pi = 0 with one equation replaced by sum pi = 1."""
        size = range(len(self.states))
        rows = [[self.matrix[b][a] - (a == b) for b in size] for a in size[1:]]
        return solve([[Fraction(1)] * len(size), *rows], [Fraction(1)] + [Fraction(0)] * (len(size) - 1))

    def mean(self, law, function):
        """E[function(counts)]."""
        return sum(w * function(state) for w, state in zip(law, self.states, strict=True))

    def until_alone(self, gain, after):
        """E[gain T + after(counts at T)], T = the first fit with one type left."""
        inner = [j for j, state in enumerate(self.states) if left(state) > 1]
        end = [after(state) if left(state) == 1 else Fraction(0) for state in self.states]
        rows = [[int(a == b) - self.matrix[a][b] for b in inner] for a in inner]
        reach = [gain + sum(w * e for w, e in zip(self.matrix[a], end, strict=True)) for a in inner]
        found = dict(zip(inner, solve(rows, reach), strict=True)) if inner else {}
        return gain + sum(w * found.get(j, end[j]) for j, w in enumerate(self.first))

    def alone_by(self, n):
        """P(T <= n), by a chain that stays where one type is left."""
        law = self.first
        for _ in range(n - 1):
            law = [
                sum(
                    w * (row[j] if left(s) > 1 else int(s == to))
                    for w, row, s in zip(law, self.matrix, self.states, strict=True)
                )
                for j, to in enumerate(self.states)
            ]
        return self.mean(law, lambda state: int(left(state) == 1))


def left(state):
    """The number of types in a state."""
    return sum(1 for k in state if k)


def solve(rows, right):
    """The solution of a linear system in fractions."""
    size = len(rows)
    matrix = DomainMatrix([[QQ(*Fraction(x).as_integer_ratio()) for x in row] for row in rows], (size, size), QQ)
    column = DomainMatrix([[QQ(*Fraction(x).as_integer_ratio())] for x in right], (size, 1), QQ)
    return [Fraction(int(x.numerator), int(x.denominator)) for x in matrix.lu_solve(column).to_list_flat()]


def independent(samples, source, share):
    """Each token real with probability alpha, drawn from the source then, else from the model."""
    del samples
    mixture = lambda law: tuple(share * p + (1 - share) * q for p, q in zip(source, law, strict=True))  # noqa: E731
    return lambda law: lambda to: multinomial(to, mixture(law))


def counted(samples, source, share):
    """Exactly alpha*M tokens from the source, the others from the model, counts added."""
    real = list(compositions(int(share * samples), len(source)))
    return lambda law: lambda to: sum(multinomial(r, source) * multinomial(minus(to, r), law) for r in real)


def beside(kept):
    """These tokens are there at every fit; the others are from the model."""
    return lambda law: lambda to: multinomial(minus(to, kept), law)


@cache
def chain(samples, types, share, count):
    """The full chain of a loop with fresh data."""
    source, words = SOURCES[types], {"bernoulli": independent, "fixed": counted}[count]
    return Chain(samples, source, words(samples, source, share))


def engine(samples, source, share, **how):
    """The engine's answers for a source in fractions."""
    return absorption(Loop(Categorical(source), samples=samples, regime=Mixed(share, **how)))


def law_of(found, token, n=oo, **kept):
    """The law of a token's count as a list."""
    return list(found.counts(token, n, **kept).values())


CASES = [(*case, "bernoulli") for case in BERNOULLI] + [(*case, "fixed") for case in FIXED]


@pytest.mark.parametrize(("samples", "types", "share", "count"), CASES)
def test_passage_is_that_of_the_full_chain(samples, types, share, count):
    """Assert E T, P(T > n) and which type is left at T, for every type and the first generations."""
    full, found = chain(samples, types, share, count), engine(samples, SOURCES[types], share, count=count)
    if types == 1:
        assert found.expected_time() == found.survival(0) == found.survival(2) == 0
        assert found.probability(0) == 1
        return
    assert found.expected_time() == full.until_alone(Fraction(1), lambda _: Fraction(0))
    for token in range(types):
        reached = full.until_alone(Fraction(0), lambda state, t=token: Fraction(int(state[t] == samples)))
        assert found.probability(token) == reached
    assert found.survival(0) == 1
    for n in GENERATIONS[1:]:
        assert found.survival(n) == 1 - full.alone_by(n)


@pytest.mark.parametrize(("samples", "types", "share", "count"), CASES)
def test_laws_and_losses_are_those_of_the_full_chain(samples, types, share, count):
    """Assert the law of every count, loss, support and missing mass at generations 1, 2, 4 and in the long run."""
    full, found = chain(samples, types, share, count), engine(samples, SOURCES[types], share, count=count)
    for n, law in [(oo, full.forever), *((n, full.law(n)) for n in GENERATIONS[1:])]:
        assert found.support(n) == full.mean(law, left)
        lost = [full.mean(law, lambda state, t=t: int(state[t] == 0)) for t in range(types)]
        assert [found.lost(t, n) for t in range(types)] == lost
        assert found.missing_mass(n) == sum(p * gone for p, gone in zip(SOURCES[types], lost, strict=True))
        for token in range(types):
            counts = {x: full.mean(law, lambda state, x=x, t=token: int(state[t] == x)) for x in range(samples + 1)}
            assert found.counts(token, n) == counts
    assert found.support(0) == sum(1 for p in SOURCES[types] if p)
    assert found.missing_mass(0) == 0


@pytest.mark.parametrize("count", ["bernoulli", "fixed"])
def test_loss_from_a_count_is_that_of_the_full_chain(count):
    """Assert P(absent n generations after a fit that held the token c times), c = 0..M."""
    samples, share = 3, Fraction(1, 3)
    full, found = chain(samples, 2, share, count), engine(samples, SOURCES[2], share, count=count)
    for c in range(samples + 1):
        law = [Fraction(int(state[0] == c)) for state in full.states]
        for n in range(4):
            assert found.lost_from(0, c, n) == full.mean(law, lambda state: int(state[0] == 0))
            law = full.push(law)
        assert found.lost_from(0, c, oo) == found.lost(0, oo)


@pytest.mark.parametrize(
    ("samples", "types", "share", "count"), [(4, 3, Fraction(1, 3), "bernoulli"), (4, 3, Fraction(3, 4), "fixed")]
)
def test_spectrum_is_that_of_the_full_matrix(samples, types, share, count):
    """Assert that the eigenvalues with their multiplicities multiply to the characteristic polynomial."""
    assert_spectrum(chain(samples, types, share, count), engine(samples, SOURCES[types], share, count=count))


def assert_spectrum(full, found):
    """The spectrum against a full chain's characteristic polynomial."""
    x, rows = Symbol("x"), [[QQ(*w.as_integer_ratio()) for w in row] for row in full.matrix]
    product = Poly(1, x)
    for value, times in found.spectrum().items():
        product *= Poly(x - value, x) ** times
    assert product.all_coeffs() == [QQ.to_sympy(w) for w in DomainMatrix(rows, (len(rows),) * 2, QQ).charpoly()]


def kept_chains(samples, source, real):
    """Every set of real tokens with its probability and its chain."""
    return [
        (multinomial(kept, source), kept, Chain(samples, source, beside(kept)))
        for kept in compositions(real, len(source))
    ]


@pytest.mark.parametrize(
    ("samples", "types", "real"), [(1, 2, 1), (3, 2, 1), (4, 2, 3), (3, 3, 2), (4, 3, 1), (2, 4, 1)]
)
def test_a_kept_set_is_averaged_over_the_full_chains(samples, types, real):
    """Assert laws, losses, support and survival of a reused set, mean over all sets of the chain given the set."""
    source, found = SOURCES[types], engine(samples, SOURCES[types], Fraction(real, samples), fresh=False)
    chains = kept_chains(samples, source, real)
    for n in GENERATIONS[1:]:
        mean = lambda function, n=n: sum(w * full.mean(full.law(n), function) for w, _, full in chains)  # noqa: E731
        assert found.support(n) == mean(left)
        assert found.survival(n) == mean(lambda state: int(left(state) > 1))
        for t in range(types):
            assert found.lost(t, n) == mean(lambda state, t=t: int(state[t] == 0))
            assert law_of(found, t, n) == [mean(lambda state, t=t, x=x: int(state[t] == x)) for x in range(samples + 1)]
    assert found.expected_time() == oo
    assert_spectrum(chains[0][2], found)


@pytest.mark.parametrize(("samples", "real"), [(3, 1), (4, 2), (4, 4)])
def test_a_kept_set_in_the_long_run(samples, real):
    """Assert that each set's law is stationary for its chain, and the limits: p^R of one type, (1 - p)^R of a loss."""
    source, found = SOURCES[2], engine(samples, SOURCES[2], Fraction(real, samples), fresh=False)
    for _, kept, full in kept_chains(samples, source, real):
        law = [Fraction(int(w.p), int(w.q)) for w in law_of(found, 0, kept=kept[0])]
        assert full.push(law) == law
        if real < samples and all(kept):
            assert law == full.forever
    for token, p in enumerate(source):
        assert found.lost(token, oo) == (1 - p) ** real == law_of(found, token)[0]
        assert found.probability(token) == p**real


def test_full_chain_is_no_tautology():
    """Assert that slips planted in the reference show: another share, and a fixed count for a random one."""
    found = engine(3, SOURCES[2], Fraction(1, 3), count="bernoulli")
    for words, share in ((independent, Fraction(1, 4)), (counted, Fraction(1, 3))):
        slipped = Chain(3, SOURCES[2], words(3, SOURCES[2], share))
        assert found.expected_time() != slipped.until_alone(Fraction(1), lambda _: Fraction(0))


def variance(law):
    """Variance of x/M."""
    M = len(law) - 1
    mean = sum(w * Rational(x, M) for x, w in enumerate(law))
    return sum(w * Rational(x, M) ** 2 for x, w in enumerate(law)) - mean**2


@pytest.mark.parametrize("share", [Rational(1, 5), Rational(3, 5)])
def test_stationary_variance_is_published_and_derived(share):
    """Assert D10, D13 and X1's fixed count, by the law and by `stationary`, which never sees a chain."""
    M, p = 5, Rational(1, 3)
    laws = {count: law_of(engine(M, (p, 1 - p), share, count=count), 0) for count in ("bernoulli", "fixed")}
    assert variance(laws["bernoulli"]) == p * (1 - p) / (M - (M - 1) * (1 - share) ** 2)
    assert variance(laws["fixed"]) == p * (1 - p) / (M * share * (2 - share) + 1 - share)
    for regime, law in ((Mixed(share, count="bernoulli"), laws["bernoulli"]), (Mixed(share), laws["fixed"])):
        loop = Loop(Bernoulli(p), samples=M, regime=regime)
        assert stationary(loop, Bernoulli.p).variance.expression == variance(law)
    kept, real = engine(M, (p, 1 - p), share, fresh=False), int(share * M)
    for of_type in range(real + 1):
        q, a, copies = Rational(of_type, real), 1 - share, M - real
        assert variance(law_of(kept, 0, kept=of_type)) == a**2 * q * (1 - q) / copies / (1 - a**2 + a**2 / copies)


def laws():
    """Sources of two to five types, some of which may be absent."""
    weights = st.lists(st.integers(0, 6), min_size=2, max_size=5).filter(any)
    return weights.map(lambda counts: tuple(Fraction(w, sum(counts)) for w in counts))


@settings(max_examples=20)
@given(st.integers(1, 6), st.fractions(Rational(1, 10), 1, max_denominator=10), st.fractions(0, 1, max_denominator=9))
def test_stationary_law_is_stationary(samples, share, p):
    """Assert law P = law, P from x of M tokens by the words of a Bernoulli count; of the law at n, that it moves on."""
    source = (p, 1 - p)
    full, found = (
        Chain(samples, source, independent(samples, source, share)),
        engine(samples, source, share, count="bernoulli"),
    )
    exact = lambda n: [Fraction(int(w.p), int(w.q)) for w in law_of(found, 0, n)]  # noqa: E731
    assert full.push(exact(oo)) == exact(oo)
    assert full.push(exact(1)) == exact(2)


@settings(max_examples=15)
@given(st.integers(2, 6), st.integers(0, 6), st.fractions(Rational(1, 9), Rational(8, 9), max_denominator=9))
def test_one_count_is_a_martingale_without_real_data_alone(samples, count, p):
    """Assert E[p_(n+1) | count x] = alpha p + (1 - alpha) x/M: x/M for every x only where alpha = 0."""
    x = Fraction(min(count, samples), samples)
    for share in (Fraction(0), Fraction(1, 4)):
        draw = independent(samples, (p, 1 - p), share)((x, 1 - x))
        mean = sum(Fraction(k, samples) * draw((k, samples - k)) for k in range(samples + 1))
        assert mean == share * p + (1 - share) * x
    found = engine(samples, (p, 1 - p), 0)
    assert isinstance(found, Neutral)
    assert found.probability(0) == Rational(p.numerator, p.denominator)
