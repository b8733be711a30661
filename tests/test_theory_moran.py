"""The Moran chain: one replacement per fit, against enumeration in fractions, and the laws that are known of it."""

import re
from fractions import Fraction
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Poly, Rational, Symbol, binomial, oo, rf
from sympy.polys.domains import QQ
from sympy.polys.matrices import DomainMatrix

from numerics import simulate
from proofs.spec import axis_from
from proofs.testing.chains import Chain, none, one, settled
from proofs.testing.enumeration import enumerated
from proofs.testing.samples import draws
from theory import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Exponential,
    Gaussian,
    LinearRegression,
    Loop,
    M,
    Moran,
    MultivariateGaussian,
    NotClosed,
    Pareto,
    Poisson,
    PosteriorPredictive,
    Shrinkage,
    Tempered,
    Uniform,
    absorbing_sets,
    absorption,
    autocovariance,
    drift,
    expect,
    extinction,
    law,
    lyapunov,
    n,
    population,
    rank,
    risk,
    sources,
    spread,
    stationary,
    variance,
)
from theory.discrete.enumeration import compositions
from theory.symbols import q0

p, u, HALF = Bernoulli.p, Symbol("u", positive=True), Rational(1, 2)
SOURCES = {
    2: (Fraction(1, 3), Fraction(2, 3)),
    3: (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
    4: (Fraction(2, 5), Fraction(3, 10), Fraction(1, 5), Fraction(1, 10)),
}
SIZES = [(1, 2), (2, 2), (6, 2), (3, 3), (5, 3), (3, 4)]
SHARES = [Fraction(0), Fraction(1, 5), Fraction(1)]


def engine(samples, source, real=Fraction(0)):
    """The engine's chain."""
    return absorption(Loop(Categorical(source), regime=Moran(real), samples=samples))


def brute(samples, source, real=Fraction(0)):
    """One token at random goes, a copy of one at random or a real one comes; and the first M tokens."""

    def step(counts):
        moves = {}
        for gone, leaving in enumerate(counts):
            for born, here in enumerate(counts):
                chance = Fraction(leaving, samples) * (real * source[born] + (1 - real) * Fraction(here, samples))
                after = tuple(k - (i == gone) + (i == born) for i, k in enumerate(counts))
                if chance:
                    moves[after] = moves.get(after, Fraction(0)) + chance
        return moves

    return Chain(cache(step)), draws(samples, source)


# Absorption ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("samples", "types"), SIZES)
def test_times_and_fixation_are_those_of_all_moves(samples, types):
    """Assert E T, fixation and the time given it, from the source and from every vector of counts."""
    source, found = SOURCES[types], engine(samples, SOURCES[types])
    chain, first = brute(samples, source)
    starts = {None: (first, 1)} | {x: ({x: Fraction(1)}, 0) for x in compositions(samples, types)}
    for begun, (start, drawn) in starts.items():
        here = found.given(*begun) if begun else found
        assert here.expected_time() == drawn + chain.expected(one, none, start)
        for token in range(types):
            fixed = chain.expected(none, lambda x, token=token: Fraction(x[token] > 0), start)
            assert here.probability(token) == fixed
            if fixed:
                # E[T; token] is gained fit by fit from counts that end in the token.
                ends = chain.expected(lambda x, token=token: Fraction(x[token], samples), none, start)
                assert here.conditional_time(token) == drawn + ends / fixed


@pytest.mark.parametrize("real", SHARES)
@pytest.mark.parametrize(("samples", "types"), SIZES)
def test_laws_by_generation_are_those_of_all_moves(samples, types, real):
    """Assert survival, support and loss with and without real tokens, from the source and from counts."""
    source, found = SOURCES[types], engine(samples, SOURCES[types], real)
    chain, first = brute(samples, source, real)
    states = list(compositions(samples, types))
    starts = {None: (first, 1)} | {x: ({x: Fraction(1)}, 0) for x in (states[0], states[len(states) // 2])}
    for begun, (start, drawn) in starts.items():
        here = found.given(*begun) if begun else found
        for steps in range(4):
            then, generation = chain.after(start, steps), drawn + steps
            assert here.survival(generation) == sum(w for x, w in then.items() if not settled(x))
            assert here.support(generation) == sum(w * sum(k > 0 for k in x) for x, w in then.items())
            for token in range(types):
                assert here.lost(token, generation) == sum(w for x, w in then.items() if not x[token])


@pytest.mark.parametrize("real", SHARES)
@pytest.mark.parametrize(("samples", "types"), [(1, 2), (4, 2), (2, 3), (3, 3)])
def test_spectrum_is_that_of_the_full_matrix(samples, types, real):
    """Assert that the eigenvalues with their multiplicities multiply to the characteristic polynomial."""
    chain, x = brute(samples, SOURCES[types], real)[0], Symbol("x")
    states = list(compositions(samples, types))
    rows = [
        [QQ(w.numerator, w.denominator) for w in (chain.step(a).get(b, Fraction(0)) for b in states)] for a in states
    ]
    product = Poly(1, x)
    for value, times in engine(samples, SOURCES[types], real).spectrum().items():
        product *= Poly(x - value, x) ** times
    assert product.all_coeffs() == [QQ.to_sympy(w) for w in DomainMatrix(rows, (len(rows),) * 2, QQ).charpoly()]


@pytest.mark.parametrize("samples", [2, 5, 11])
def test_expected_time_of_two_types_is_the_birth_and_death_sum(samples):
    """Assert E T = M (sum_(j<=k) (M-k)/(M-j) + sum_(j>k) k/j) events from k copies."""
    found = engine(samples, SOURCES[2])
    for k in range(1, samples):
        early = sum((Rational(samples - k, samples - j) for j in range(1, k + 1)), Rational(0))
        late = sum((Rational(k, j) for j in range(k + 1, samples)), Rational(0))
        assert found.given(k, samples - k).expected_time() == samples * (early + late)


def laws(most=4):
    """Sources of two types to so many, some of which may be absent."""
    weights = st.lists(st.integers(0, 5), min_size=2, max_size=most).filter(any)
    return weights.map(lambda counts: tuple(Fraction(w, sum(counts)) for w in counts))


@settings(max_examples=30)
@given(laws(6), st.integers(1, 12), st.randoms())
def test_chain_forgets_names_and_variety_falls(source, samples, random):
    """Assert sums to one, relabelling, falling survival, and that the lines back are a law."""
    found, types = engine(samples, source), range(len(source))
    order = random.sample(types, len(source))
    moved = engine(samples, tuple(source[token] for token in order))
    assert sum(found.probability(token) for token in types) == 1
    assert moved.expected_time() == found.expected_time()
    assert [moved.lost(k, 3) for k in types] == [found.lost(token, 3) for token in order]
    alive = [found.survival(k) for k in range(5)]
    assert all(before >= after for before, after in pairwise(alive))
    assert sum(alive) <= found.expected_time()
    lines = found.ancestors(4)
    assert sum(lines) == 1
    assert found.lost(0, 4) == sum(w * (1 - found.probabilities[0]) ** k for k, w in enumerate(lines))


def test_absorption_is_refused_where_types_come_back():
    """Assert that real tokens leave no absorption to ask for, and no stationary law without them."""
    with pytest.raises(NotClosed, match=re.escape("Moran(real=1/5)")):
        engine(3, SOURCES[2], Fraction(1, 5)).expected_time()
    with pytest.raises(NotClosed, match="without real tokens"):
        engine(3, SOURCES[2]).stationary()
    for attempt, words in (
        (lambda: engine(3, SOURCES[2]).lost(2, 1), "token 2"),
        (lambda: engine(3, SOURCES[2]).survival(-1), "n = -1"),
        (lambda: engine(3, SOURCES[2]).ancestors(0), "n = 0"),
        (lambda: engine(3, SOURCES[2]).given(1, 1), "M = 3 tokens"),
        (lambda: engine(3, (Fraction(0), Fraction(1))).conditional_time(0), "token 0 is not there"),
        (lambda: Moran(2), "real=2"),
    ):
        with pytest.raises(ValueError, match=words):
            attempt()


# Moments -------------------------------------------------------------------------------------------------------------


def test_diversity_falls_by_two_over_m_squared():
    """Assert E p(1-p) = p0(1-p0)(1-1/M)(1-2/M^2)^(n-1), and that E p stays, in symbols."""
    loop = Loop(Bernoulli(), regime=Moran())
    assert expect(loop, p).expression == q0
    claimed = q0 * (1 - q0) * (1 - 1 / M) * (1 - 2 / M**2) ** (n - 1)
    assert (expect(loop, p * (1 - p)).expression / claimed).simplify() == 1
    diversity = 1 - expect(Loop(Categorical(), regime=Moran()), Categorical.collision).expression
    ratio = diversity.subs(n, n + 1) / diversity
    assert ratio.simplify() == 1 - 2 / M**2


@settings(max_examples=12)
@given(st.sampled_from([2, 3]), st.integers(1, 4), st.sampled_from(SHARES), st.integers(1, 4))
def test_moments_are_those_of_every_sequence_of_moves(types, samples, real, order):
    """Assert E p0^order and a mixed moment by generation, against every sequence of draws."""
    loop = Loop(Categorical(SOURCES[types]), regime=Moran(real), samples=samples)
    for of in (Categorical.p[0] ** order, Categorical.p[0] * Categorical.p[1]):
        assert expect(loop, of).values(3) == enumerated(loop, of, 3)


def test_infinitely_many_tokens_do_not_notice_one():
    """Assert that nothing moves with samples = oo, in expect and in population."""
    loop = Loop(Bernoulli(Rational(1, 3)), regime=Moran(HALF), samples=oo)
    assert expect(loop, p**2).expression == Rational(1, 9)
    assert set(population(loop, 3).laws) == {(Rational(1, 3), Rational(2, 3))}


# The stationary law --------------------------------------------------------------------------------------------------


def dirichlet_multinomial(counts, parameters):
    """M!/theta^(M) prod parameters^(x)/x!, rising factorials."""
    total, theta = sum(counts), sum(parameters)
    value = binomial(total, total) / rf(theta, total)
    left = total
    for x, a in zip(counts, parameters, strict=True):
        value *= binomial(left, x) * rf(a, x)
        left -= x
    return value


@pytest.mark.parametrize("real", [Fraction(1, 5), Fraction(2, 3)])
@pytest.mark.parametrize(("samples", "types"), [(1, 2), (6, 2), (4, 3), (3, 4)])
def test_stationary_law_is_dirichlet_multinomial(samples, types, real):
    """Assert theta = M u/(1-u), the law at every vector of counts, that moves keep it, and its marginals."""
    source = tuple(Rational(w.numerator, w.denominator) for w in SOURCES[types])
    found, theta = engine(samples, SOURCES[types], real).stationary(), samples * real / (1 - real)
    assert found.theta == theta
    assert found.parameters == tuple(Rational(theta.numerator, theta.denominator) * w for w in source)
    weights = {x: found.probability(x) for x in compositions(samples, types)}
    assert sum(weights.values()) == 1
    assert weights == {x: dirichlet_multinomial(x, found.parameters) for x in weights}
    chain = brute(samples, SOURCES[types], real)[0]
    fractions = {x: Fraction(int(w.p), int(w.q)) for x, w in weights.items()}
    assert chain.after(fractions, 1) == fractions
    for a in weights:
        for b, forth in chain.step(a).items():
            assert fractions[a] * forth == fractions[b] * chain.step(b).get(a, Fraction(0))
    for token in range(types):
        marginal = [sum(w for x, w in weights.items() if x[token] == k) for k in range(samples + 1)]
        assert found.marginal(token) == marginal


def test_all_real_tokens_are_multinomial():
    """Assert theta = oo at u = 1, where every token is drawn from the source on its own."""
    found = engine(4, SOURCES[3], Fraction(1)).stationary()
    assert found.theta == oo
    assert {x: found.probability(x) for x in compositions(4, 3)} == draws(4, SOURCES[3])


def test_moments_tend_to_those_of_the_stationary_law():
    """Assert that what `stationary` solves from the moments, in symbols, is what the balanced law says in numbers."""
    loop = Loop(Bernoulli(), regime=Moran(u))
    for order in (1, 2, 3, 4):
        limit = stationary(loop, p**order).expression
        for samples, real, share in ((5, Rational(1, 5), Rational(1, 3)), (3, Rational(3, 4), Rational(1, 6))):
            marginal = absorption(loop.at(M=samples, u=real, p0=share)).stationary().marginal(0)
            mean = sum(w * Rational(x, samples) ** order for x, w in enumerate(marginal))
            assert limit.subs({M: samples, u: real, q0: share}) == mean


def test_loss_tends_to_that_of_the_stationary_law():
    """Assert P(lost at n) -> P(x = 0) at the rate 1 - 2u/M - 2(1-u)/M^2, since the mean is right from the start."""
    found = engine(4, SOURCES[2], Fraction(1, 2))
    limit = found.stationary().marginal(0)[0]
    gaps = [abs(found.lost(0, k) - limit) for k in (40, 80)]
    assert gaps[1] / gaps[0] == pytest.approx(float((1 - Rational(1, 4) - Rational(1, 16)) ** 40), rel=0.02)


# Who else is asked ---------------------------------------------------------------------------------------------------

DECLARED = {
    "Gaussian": (Gaussian(0, 1), Gaussian.V),
    "MultivariateGaussian": (MultivariateGaussian([0, 0], [[1, 0], [0, 1]]), MultivariateGaussian.mu[0]),
    "DiagonalGaussian": (DiagonalGaussian([0, 0], [1, 1]), DiagonalGaussian.V[0]),
    "Exponential": (Exponential(1), Exponential.mean),
    "Poisson": (Poisson(1), Poisson.rate),
    "Uniform": (Uniform(1), Uniform.theta),
    "Pareto": (Pareto(3), Pareto.alpha),
    "LinearRegression": (LinearRegression(), LinearRegression.w),
    "Bernoulli": (Bernoulli(HALF), p),
    "Categorical": (Categorical([HALF, HALF]), Categorical.p[0]),
}
MOMENTS = {"expect": expect, "variance": variance, "autocovariance": autocovariance, "stationary": stationary}
WHOLE = {
    "drift": drift,
    "law": law,
    "risk": risk,
    "absorption": absorption,
    "extinction": extinction,
    "lyapunov": lyapunov,
    "rank": rank,
    "spread": spread,
    "sources": sources,
    "absorbing_sets": absorbing_sets,
    "simulate": lambda loop: simulate(loop, generations=2, chains=2, seed=0),
}
COUNTS = {"Bernoulli": {*MOMENTS, "absorption", "spread"}, "Categorical": {*MOMENTS, "absorption"}}
"""What is derived of the families whose fit tells the tokens."""
ASKED = [(family, name) for family in DECLARED for name in (*MOMENTS, *WHOLE)]


@pytest.mark.parametrize(("family", "name"), [pair for pair in ASKED if pair[0] not in COUNTS or pair[1] != "simulate"])
def test_interpreters_answer_for_counts_and_refuse_the_rest(family, name):
    """Assert one sentence with a way out where points are not told by their fit, and answers where they are."""
    declared, of = DECLARED[family]
    loop = Loop(declared, regime=Moran(Rational(1, 5)), samples=4)

    def ask():
        return MOMENTS[name](loop, of) if name in MOMENTS else WHOLE[name](loop)

    if name in COUNTS.get(family, ()):
        assert ask() is not None
    else:
        with pytest.raises(ValueError, match=r"^[^\n]+[.] [A-Z][^\n]+[.]$"):
            ask()


@pytest.mark.parametrize(
    "axes", [{"estimator": Shrinkage(HALF)}, {"estimator": PosteriorPredictive()}, {"sampling": Tempered(2)}], ids=str
)
def test_fits_that_hide_their_tokens_are_refused(axes):
    """Assert `NotClosed` for estimators that keep no counts, and for distorted draws."""
    with pytest.raises(NotClosed, match=r"regime|sampling"):
        expect(Loop(Bernoulli(HALF), regime=Moran(HALF), samples=4, **axes), p)


def test_command_line_reads_the_regime():
    """Assert that the axis is read as it is written."""
    assert axis_from("regime", "moran") == Moran()
    assert axis_from("regime", "moran(1/10)") == axis_from("regime", "Moran(real=0.1)") == Moran(Rational(1, 10))
    assert repr(Moran(Rational(1, 10))) == "Moran(real=1/10)"
