"""Loops with real data in every generation: curves in n and in the share, approximations, invariances, refusals."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, S, cancel, limit, oo

from theory import Bernoulli, Categorical, Gaussian, Loop, Mixed, NotClosed, absorption, alpha, expect, stationary
from theory import field as fields
from theory import real_share as share_needed
from theory.discrete.fresh import Fresh
from theory.discrete.kept import Kept
from theory.symbols import n as generation

SOURCES = {
    1: (Fraction(1),),
    2: (Fraction(1, 3), Fraction(2, 3)),
    3: (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
    4: (Fraction(2, 5), Fraction(2, 5), Fraction(1, 5), Fraction(0)),
}


def engine(samples, source, share, **how):
    """The engine's answers for a source in fractions."""
    return absorption(Loop(Categorical(source), samples=samples, regime=Mixed(share, **how)))


def law_of(found, token, n=oo, **kept):
    """The law of a token's count as a list."""
    return list(found.counts(token, n, **kept).values())


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
