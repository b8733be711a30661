"""Loops with real data in every generation against the whole chain: every vector of counts, in fractions.

Transition matrices are written from the words of the regime: which tokens are real, which are copies. Nothing here
knows of lineages, and a passage is found by eliminating all states instead of by renewal.
"""

from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import factorial, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import QQ, Poly, Rational, S, Symbol, cancel, limit, oo
from sympy.polys.matrices import DomainMatrix

from theory import Bernoulli, Categorical, Gaussian, Loop, Mixed, NotClosed, absorption, alpha, expect, stationary
from theory import field as fields
from theory import real_share as share_needed
from theory.discrete.fresh import Fresh
from theory.discrete.kept import Kept
from theory.discrete.neutral import Neutral
from theory.symbols import n as generation

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


@pytest.mark.parametrize("how", [{"count": "bernoulli"}, {"count": "fixed"}, {"fresh": False}])
def test_curves_in_n_are_sums_over_the_spectrum(how):
    """Assert the closed forms in n against generations 1, 2, 3, 5 and oo, with a share of 1/2 and types that repeat."""
    source = (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4))
    found = engine(4, source, Fraction(1, 2), **how)
    curves = [found.lost(0), found.support(), found.missing_mass()]
    for k in (1, 2, 3, 5):
        assert [c.subs(generation, k) for c in curves] == [found.lost(0, k), found.support(k), found.missing_mass(k)]
    assert [limit(c, generation, oo) for c in curves[:2]] == [found.lost(0, oo), found.support(oo)]
    if isinstance(found, Kept):
        assert [found.survival().subs(generation, k) for k in (1, 2, 4)] == [found.survival(k) for k in (1, 2, 4)]
        assert found.survival(oo) == 1 - sum(found.probability(t) for t in range(3))
    else:
        assert found.survival(oo) == 0


def test_curves_in_n_and_the_share():
    """Assert that the closed form in n over QQ(alpha) is P(lost) at n = 1, 2, 3."""
    found = absorption(Loop(Bernoulli(), samples=3, regime=Mixed(alpha, count="bernoulli")))
    for k in (1, 2, 3):
        assert same(found.lost(0).subs(generation, k), found.lost(0, k))
    assert found.conditions == (found.probabilities[0] > 0, found.probabilities[1] > 0)


def test_full_chain_is_no_tautology():
    """Assert that slips planted in the reference show: another share, and a fixed count for a random one."""
    found = engine(3, SOURCES[2], Fraction(1, 3), count="bernoulli")
    for words, share in ((independent, Fraction(1, 4)), (counted, Fraction(1, 3))):
        slipped = Chain(3, SOURCES[2], words(3, SOURCES[2], share))
        assert found.expected_time() != slipped.until_alone(Fraction(1), lambda _: Fraction(0))


def same(one, other):
    """Equality of rational functions."""
    return cancel(S(one) - other) == 0


@pytest.mark.parametrize(
    "probabilities",
    [(Rational(1, 2),) * 2, (Rational(1, 3), Rational(2, 3)), (Rational(1, 2), Rational(1, 4), Rational(1, 4))],
)
def test_answers_are_rational_functions_of_the_share(probabilities):
    """Assert that the symbolic share specialises: to numbers, to replace at 0, to fits of fresh data at 1."""
    loop = Loop(Categorical(probabilities), samples=4, regime=Mixed(alpha, count="bernoulli"))
    symbolic, neutral = absorption(loop), absorption(Loop(Categorical(probabilities), samples=4))
    alone = sum(p**4 for p in probabilities)
    time, survival, support = symbolic.expected_time(), symbolic.survival(3), symbolic.support(3)
    assert (time.subs(alpha, 0), time.subs(alpha, 1)) == (neutral.expected_time(), 1 / alone)
    assert (survival.subs(alpha, 0), survival.subs(alpha, 1)) == (neutral.survival(3), (1 - alone) ** 3)
    assert support.subs(alpha, 0) == neutral.support(3)
    assert support.subs(alpha, 1) == sum(1 - (1 - p) ** 4 for p in probabilities)
    at = absorption(loop.at(alpha=Rational(2, 7)))
    here = {alpha: Rational(2, 7)}
    assert (time.subs(here), survival.subs(here), support.subs(here)) == (
        at.expected_time(),
        at.survival(3),
        at.support(3),
    )
    assert [w.subs(here) for w in law_of(symbolic, 0)] == law_of(at, 0)
    assert symbolic.probability(0).subs(alpha, 0) == probabilities[0]


def test_time_of_two_types_over_the_share_and_the_probability():
    """Assert E T for M = 2 from its linear system by hand: T = 1, or two tokens apart and a mixed model of 1/2.

    From the state (1, 1) the model gives a token of type 0 with probability r = alpha p + (1 - alpha)/2, so that one
    type is left with probability r^2 + (1 - r)^2; E T = 1 + 2p(1 - p)/(r^2 + (1 - r)^2).
    """
    p = Bernoulli().p0
    time = absorption(Loop(Bernoulli(), samples=2, regime=Mixed(alpha, count="bernoulli"))).expected_time()
    r = alpha * p + (1 - alpha) / 2
    assert same(time, 1 + 2 * p * (1 - p) / (r**2 + (1 - r) ** 2))


def test_answers_without_flint_are_the_same(monkeypatch):
    """Assert that SymPy's arithmetic gives the answer of python-flint's."""
    loop = Loop(Bernoulli(Rational(1, 3)), samples=4, regime=Mixed(alpha, count="bernoulli"))
    time, law = absorption(loop).expected_time(), law_of(absorption(loop), 0)
    monkeypatch.setattr(fields, "AVAILABLE", False)
    assert same(absorption(loop).expected_time(), time)
    assert all(same(a, b) for a, b in zip(law_of(absorption(loop), 0), law, strict=True))


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


@pytest.mark.parametrize("how", [{"count": "bernoulli"}, {"count": "fixed"}, {"fresh": False}])
def test_moments_are_those_that_expect_derives(how):
    """Assert E p_n^k, k = 1..3, and the expected collision at n = 1, 2, 3 and in the limit, law against recurrence."""
    loop = Loop(Bernoulli(Rational(1, 4)), samples=4, regime=Mixed(Rational(1, 2), **how))
    found = absorption(loop)
    for k in (1, 2, 3):
        answer = expect(loop, Bernoulli.p**k)
        for n in (1, 2, 3):
            assert answer.at(n=n) == sum(w * Rational(x, 4) ** k for x, w in enumerate(law_of(found, 0, n)))
        assert stationary(loop, Bernoulli.p**k).expression == sum(
            w * Rational(x, 4) ** k for x, w in enumerate(law_of(found, 0))
        )


def test_collision_settles_at_the_published_rate():
    """Assert D11 and D12 by sums over the laws of three types: limit, and what is left of the start by generation."""
    source, M, share = [Rational(1, 2), Rational(1, 3), Rational(1, 6)], 4, Rational(1, 3)
    found = engine(M, source, share, count="bernoulli")
    collision = lambda n: sum(w * Rational(x, M) ** 2 for t in range(3) for x, w in enumerate(law_of(found, t, n)))  # noqa: E731
    F0, rate = sum(p**2 for p in source), (1 - Rational(1, M)) * (1 - share) ** 2
    limit = (Rational(1, M) + (1 - Rational(1, M)) * (1 - (1 - share) ** 2) * F0) / (1 - rate)
    assert collision(oo) == limit
    assert [collision(n) - limit for n in (1, 2, 3)] == [rate**n * (F0 - limit) for n in (1, 2, 3)]


def test_beta_binomial_is_only_an_approximation():
    """Assert its mean, its distance, never 0 and falling as M grows at one theta, and the words."""
    distances = []
    for M in (5, 10, 20):
        found = engine(M, SOURCES[2], Rational(1, M), count="bernoulli")
        near, exact = found.beta_binomial(0), law_of(found, 0)
        assert sum(near.law) == 1
        assert sum(x * w for x, w in enumerate(near.law)) == Rational(M, 3)
        assert near.theta == 2
        # The other half of the distance is that of the cells where the exact law is larger.
        assert near.distance == sum(b - a for a, b in zip(near.law, exact, strict=True) if b > a)
        distances.append(near.distance)
    assert all(0 < after < before for before, after in pairwise(distances))
    assert "only an approximation" in str(near)


def test_beta_binomial_misses_the_empty_cell():
    """Assert the published comparison, M = 20 and alpha = 1/10: P(0) is 0.0647, the approximation says 0.0835."""
    found = engine(20, (Rational(3, 10), Rational(7, 10)), Rational(1, 10), count="bernoulli")
    assert abs(law_of(found, 0)[0] - Rational("0.0647")) < Rational(1, 20000)
    assert abs(found.beta_binomial(0).law[0] - Rational("0.0835")) < Rational(1, 10000)


def laws():
    """Sources of two to five types, some of which may be absent."""
    weights = st.lists(st.integers(0, 6), min_size=2, max_size=5).filter(any)
    return weights.map(lambda counts: tuple(Fraction(w, sum(counts)) for w in counts))


def regimes():
    """M, a positive share that makes a whole number of it, and how the real tokens come."""
    ways = st.sampled_from([{"count": "bernoulli"}, {"count": "fixed"}, {"fresh": False}])
    return st.tuples(st.integers(1, 7), st.integers(1, 7), ways).map(
        lambda x: (max(x[:2]), Fraction(min(x[:2]), max(x[:2])), x[2])
    )


@settings(max_examples=30)
@given(laws(), regimes(), st.randoms())
def test_answers_forget_names_and_merge_types(source, regime, random):
    """Assert relabelling, merging, laws that sum to one, means that stay at the source, supports that are sums."""
    M, share, how = regime
    found, types = engine(M, source, share, **how), range(len(source))
    order = random.sample(list(types), len(source))
    relabelled = engine(M, tuple(source[t] for t in order), share, **how)
    merged = engine(M, (source[0] + source[1], *source[2:]), share, **how)
    assert relabelled.expected_time() == found.expected_time() >= merged.expected_time()
    for n in (1, 3, oo):
        assert [relabelled.lost(k, n) for k in types] == [found.lost(t, n) for t in order]
        assert found.support(n) == sum(1 - found.lost(t, n) for t in types)
        for t in types:
            law = law_of(found, t, n)
            assert (sum(law), sum(x * w for x, w in enumerate(law)), law[0]) == (1, M * source[t], found.lost(t, n))
            assert min(law) >= 0
        if len(source) > 2:
            assert law_of(merged, 1, n) == law_of(found, 2, n)
    assert relabelled.survival(3) == found.survival(3) >= merged.survival(3)
    assert all(after <= before for before, after in pairwise(found.survival(n) for n in range(4)))
    chances = sum(found.probability(t) for t in types)
    assert chances == 1 if not isinstance(found, Kept) else chances <= 1


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


@pytest.mark.parametrize("how", [{"count": "bernoulli"}, {"count": "fixed"}, {"fresh": False}])
@pytest.mark.parametrize("n", [2, oo])
def test_more_real_data_keeps_more_types(how, n):
    """Assert monotone support in the share, and that the share needed is where it crosses."""
    loop = Loop(Categorical(SOURCES[3]), samples=6, regime=Mixed(0, **how))
    supports = [engine(6, SOURCES[3], Fraction(real, 6), **how).support(n) for real in range(1, 7)]
    # A lone copy meets no other, so that it is as good as a real token.
    assert all(less <= more for less, more in pairwise(supports))
    assert supports[0] < supports[4]
    wanted = (supports[2] + supports[3]) / 2
    low, high = share_needed(loop, wanted, n, within=Rational(1, 60))
    assert Rational(1, 2) <= low < high <= Rational(2, 3)
    assert high - low == (Rational(1, 60) if "count" in how and how["count"] == "bernoulli" else Rational(1, 6))
    before, after = (engine(6, SOURCES[3], share, **how).support(n) for share in (low, high))
    assert before < wanted <= after


def test_refusals_name_the_value():
    """Assert that symbols without a chain, wrong tokens, counts, generations and supports are refused by name."""
    fresh, kept = engine(4, SOURCES[2], Fraction(1, 2)), engine(4, SOURCES[2], Fraction(1, 2), fresh=False)
    wrong = {
        "samples = M": lambda: absorption(Loop(Bernoulli(Rational(1, 2)), regime=Mixed(alpha))),
        "share = alpha": lambda: absorption(Loop(Bernoulli(Rational(1, 2)), samples=4, regime=Mixed(alpha))),
        "alpha = alpha": lambda: absorption(
            Loop(Bernoulli(Rational(1, 2)), samples=4, regime=Mixed(alpha, fresh=False))
        ),
        "token 2": lambda: fresh.lost(2),
        "n = -1": lambda: kept.lost(0, -1),
        "n = 0": lambda: fresh.counts(0, 0),
        "count = 5": lambda: fresh.lost_from(0, 5, 1),
        "kept = 3": lambda: kept.counts(0, kept=3),
        "share = 0": lambda: Fresh(3, (S.Half, S.Half), S.Zero),
        "real = 0": lambda: Kept(3, (S.Half, S.Half), 0),
        "alpha = 1/2": lambda: engine(4, (1,), Fraction(1, 2)).beta_binomial(0),
        "support = 9": lambda: share_needed(Loop(Categorical(SOURCES[3]), samples=4, regime=Mixed(0)), 9),
    }
    for named, ask in wrong.items():
        with pytest.raises(ValueError, match=named):
            ask()
    with pytest.raises(NotClosed, match="Gaussian"):
        share_needed(Loop(Gaussian(), samples=4, regime=Mixed(0)), 2)
