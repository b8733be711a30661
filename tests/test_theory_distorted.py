"""Distorted sampling of M tokens: the written-out chain against enumeration in fractions, and what it must obey."""

from fractions import Fraction
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, log

from proofs.testing.chains import Chain, none, one, settled
from proofs.testing.samples import draws
from theory import (
    Bernoulli,
    Categorical,
    Faithful,
    Loop,
    MinP,
    NotClosed,
    Tempered,
    TopK,
    TopP,
    absorption,
    balls,
)
from theory.discrete import solving
from theory.discrete.distorted import RELATIVE, Distorted
from theory.discrete.enumeration import compositions
from theory.discrete.solving import Fractions, without_subtraction

HALF = Rational(1, 2)
SOURCES = {
    2: (Fraction(1, 3), Fraction(2, 3)),
    3: (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
    4: (Fraction(2, 5), Fraction(3, 10), Fraction(1, 5), Fraction(1, 10)),
}
SIZES = [(1, 3), (2, 2), (5, 2), (3, 3), (4, 3), (2, 4), (3, 4)]


# The distortions, said again without the engine ----------------------------------------------------------------------


def normalised(weights):
    """Weights as a law."""
    return tuple(Fraction(w) / sum(weights) for w in weights)


def power(law, exponent):
    """p^exponent, renormalised."""
    return normalised([p**exponent for p in law])


def largest(law, k):
    """The k largest, of equal ones the first."""
    kept = sorted(range(len(law)), key=lambda i: -law[i])[:k]
    return normalised([p if i in kept else 0 for i, p in enumerate(law)])


def nucleus(law, mass):
    """The smallest number of largest ones that hold the mass."""
    return next(cut for k in range(1, len(law) + 1) if sum(sorted(law)[-k:]) >= mass for cut in [largest(law, k)])


def near_best(law, share):
    """Those of at least a share of the largest."""
    return normalised([p if p >= share * max(law) else 0 for p in law])


DISTORTIONS = {
    Tempered(HALF): lambda law: power(law, 2),
    Tempered(Rational(1, 3)): lambda law: power(law, 3),
    Tempered(1): lambda law: law,
    TopK(1): lambda law: largest(law, 1),
    TopK(2): lambda law: largest(law, 2),
    TopP(Rational(3, 5)): lambda law: nucleus(law, Fraction(3, 5)),
    TopP(Rational(9, 10)): lambda law: nucleus(law, Fraction(9, 10)),
    MinP(Rational(1, 3)): lambda law: near_best(law, Fraction(1, 3)),
    MinP(1): lambda law: near_best(law, 1),
}


def engine(samples, source, sampling):
    """The engine's chain."""
    return absorption(Loop(Categorical(source), samples=samples, sampling=sampling))


def brute(samples, source, distort):
    """The same by brute force: the chain, and the law of the first counts."""
    chain = Chain(cache(lambda counts: draws(samples, distort(tuple(Fraction(k, samples) for k in counts)))))
    return chain, draws(samples, distort(source))


@pytest.mark.parametrize("sampling", DISTORTIONS, ids=str)
@pytest.mark.parametrize(("samples", "types"), SIZES)
def test_distorted_chain_is_that_of_all_draws(sampling, samples, types):
    """Assert times, fixation, survival, loss, support and laws, from the source and from every vector of counts."""
    source, found = SOURCES[types], engine(samples, SOURCES[types], sampling)
    chain, first = brute(samples, source, DISTORTIONS[sampling])
    times = {x: chain.expected(one, none, {x: Fraction(1)}) for x in compositions(samples, types)}
    starts = {None: first} | {x: chain.step(x) for x in [*times][::3]}
    for begun, law in starts.items():
        here = found.given(*begun) if begun else found
        one_left = settled(begun or source)
        mean = 0 if one_left else 1 + chain.expected(one, none, law)
        assert here.expected_time() == mean
        second = chain.expected(lambda x: 2 * times[x] - 1, none, law)
        assert here.variance_time() == (0 if one_left else second - (mean - 1) ** 2)
        for token in range(types):
            fixed = chain.expected(none, lambda counts, token=token: Fraction(counts[token] > 0), law)
            assert here.probability(token) == fixed
        for n in (1, 2, 3):
            then = chain.after(law, n - 1)
            assert here.survival(n) == sum(w for x, w in then.items() if not settled(x))
            assert here.support(n) == sum(w * sum(k > 0 for k in x) for x, w in then.items())
            assert here.lost(0, n) == sum(w for x, w in then.items() if not x[0])
            assert {x: w for x, w in here.counts(n).items() if w} == {x: w for x, w in then.items() if w}


def test_source_itself_is_generation_zero():
    """Assert that nothing is lost at generation 0, and that a source of one type is settled there."""
    found = engine(3, (Fraction(1, 2), Fraction(1, 2), Fraction(0)), Tempered(HALF))
    assert (found.survival(0), found.support(0), found.lost(0, 0), found.lost(2, 0)) == (1, 2, 0, 1)
    sure = engine(3, (Fraction(0), Fraction(1)), Tempered(2))
    assert (sure.expected_time(), sure.variance_time(), sure.survival(0), sure.probability(1)) == (0, 0, 0, 1)
    with pytest.raises(ValueError, match="n = 0"):
        found.counts(0)


# Temperatures of irrational chances ----------------------------------------------------------------------------------

KNOWN = {
    "4/5": ("13.6", "0.0005"),
    "9/10": ("22.6", "0.0148"),
    "1": ("67.5", "0.2"),
    "21/20": ("222.5", "0.395"),
    "11/10": ("1208.6", "0.4795"),
    "6/5": ("51312", "0.4993"),
}


@pytest.mark.parametrize("tau", KNOWN)
def test_times_and_fixation_of_fifty_tokens_are_the_known_ones(tau):
    """Assert the figures to every digit that they have: E T from half and half, and fixation from 10 of 50 copies."""
    found = absorption(Loop(Bernoulli(HALF), samples=50, sampling=Tempered(Rational(tau))))
    for answer, figure in zip((found.expected_time(), found.given(10, 40).probability(0)), KNOWN[tau], strict=True):
        unit = Rational(1, 10 ** len(figure.partition(".")[2]))
        exact = answer if tau == "1" else answer.value
        assert abs(exact - Rational(figure)) <= unit / 2
        assert tau == "1" or answer.radius <= RELATIVE * answer.value


@pytest.mark.parametrize("tau", [Rational(2, 3), Rational(4, 5), Rational(3), log(3)], ids=str)
def test_enclosures_hold_what_other_digits_say(tau):
    """Assert that a chain from weights rounded to 40 digits lies in every enclosure, widened by those digits."""
    source, samples = SOURCES[3], 4
    found = engine(samples, source, Tempered(tau))

    def rough(law):
        return normalised([Fraction(str((Rational(p.numerator, p.denominator) ** (1 / tau)).evalf(40))) for p in law])

    chain, first = brute(samples, source, rough)
    time = 1 + chain.expected(one, none, first)
    fixed = chain.expected(none, lambda x: Fraction(x[0] > 0), first)
    alive = sum(w for x, w in chain.after(first, 2).items() if not settled(x))
    for answer, value in ((found.expected_time(), time), (found.probability(0), fixed), (found.survival(3), alive)):
        assert abs(answer.value - Rational(value.numerator, value.denominator)) <= answer.radius + Rational(1, 10**35)
        assert 0 < answer.radius <= RELATIVE * answer.value


def test_enclosure_of_a_wrong_temperature_misses():
    """Assert that the 18 digits of an enclosure tell temperatures apart that differ by 10^-15."""
    near, far = (engine(4, SOURCES[2], Tempered(Rational(4, 5) + x)).expected_time() for x in (0, Rational(1, 10**15)))
    assert near.value not in far
    assert near.upper < far.lower


# What every such chain obeys -----------------------------------------------------------------------------------------


def laws(most=4):
    """Sources of two types to so many, some of which may be absent."""
    weights = st.lists(st.integers(0, 5), min_size=2, max_size=most).filter(any)
    return weights.map(lambda counts: tuple(Fraction(w, sum(counts)) for w in counts))


samplings = st.one_of(
    st.sampled_from([Tempered(HALF), Tempered(Rational(1, 3))]),
    st.builds(TopK, st.integers(1, 4)),
    st.builds(TopP, st.fractions(Fraction(1, 10), 1, max_denominator=10)),
    st.builds(MinP, st.fractions(0, 1, max_denominator=10)),
)


@settings(max_examples=25)
@given(laws(), st.integers(1, 4), samplings)
def test_chances_sum_to_one_and_survival_falls(source, samples, sampling):
    """Assert that some type is left in the end, and that variety never comes back."""
    found, types = engine(samples, source, sampling), range(len(source))
    assert sum(found.probability(token) for token in types) == 1
    assert sum(found.counts(2).values()) == 1
    alive = [found.survival(n) for n in range(4)]
    assert all(before >= after for before, after in pairwise(alive))
    assert sum(alive) <= found.expected_time()
    assert all(found.support(n) == sum(1 - found.lost(token, n) for token in types) for n in range(3))


@settings(max_examples=15)
@given(laws(), st.integers(1, 4), st.sampled_from([Tempered(HALF), MinP(HALF), MinP(1)]), st.randoms())
def test_distortions_without_names_forget_them(source, samples, sampling, random):
    """Assert that temperature and min-p treat equal types alike, so that relabelling relabels every answer."""
    order = random.sample(range(len(source)), len(source))
    plain = engine(samples, source, sampling)
    moved = engine(samples, tuple(source[token] for token in order), sampling)
    assert moved.expected_time() == plain.expected_time()
    assert moved.variance_time() == plain.variance_time()
    assert [moved.probability(k) for k in range(len(order))] == [plain.probability(token) for token in order]
    assert [moved.lost(k, 2) for k in range(len(order))] == [plain.lost(token, 2) for token in order]


@settings(max_examples=20)
@given(laws(), st.integers(1, 5))
def test_distortions_that_do_nothing_leave_the_neutral_chain(source, samples):
    """Assert that temperature 1, all types kept, all mass kept and no threshold give the answers of the dual chain."""
    neutral = absorption(Loop(Categorical(source), samples=samples))
    for sampling in (Faithful(), Tempered(1), TopK(len(source)), TopP(1), MinP(0)):
        found = Distorted(samples, tuple(Rational(p.numerator, p.denominator) for p in source), sampling)
        assert found.expected_time() == neutral.expected_time()
        assert [found.probability(k) for k in range(len(source))] == list(found.probabilities)
        for n in range(4):
            assert found.survival(n) == neutral.survival(n)
            assert found.lost(0, n) == neutral.lost(0, n)
            assert found.support(n) == neutral.support(n)


@pytest.mark.parametrize("samples", [5, 8])
def test_temperature_favours_majorities_or_minorities(samples):
    """Assert that fixation from a majority lies above its share below temperature 1, and above 1 between it and 1/2."""
    cold, hot = (absorption(Loop(Bernoulli(HALF), samples=samples, sampling=Tempered(tau))) for tau in (HALF, 2))
    for count in range(samples // 2 + 1, samples):
        begun, share = (count, samples - count), Rational(count, samples)
        other = tuple(reversed(begun))
        assert cold.given(*begun).probability(0) == 1 - cold.given(*other).probability(0) > share
        assert hot.given(*begun).probability(0).lower > HALF
        assert hot.given(*begun).probability(0).upper < share
        assert cold.given(*begun).expected_time() < hot.given(*begun).expected_time().lower


@pytest.mark.parametrize("sampling", [*DISTORTIONS, Tempered(2)], ids=str)
def test_delta_functions_are_absorbing_and_nothing_else(sampling):
    """Assert that the counts which stay are those of one type; and that every other vector of counts leads to one."""
    found = engine(3, SOURCES[3], sampling)
    assert set(found.absorbing) == {(3, 0, 0), (0, 3, 0), (0, 0, 3)}
    assert all(found.given(*x).counts(1)[x] == 1 for x in found.absorbing)
    for begun in found.laws:
        ends = [chance for x, chance in found.given(*begun).counts(1).items() if settled(x)]
        assert any(getattr(chance, "lower", chance) > 0 for chance in ends)


# Two arithmetics -----------------------------------------------------------------------------------------------------


def test_answers_are_the_same_without_flint(monkeypatch):
    """Assert that Python's fractions with SymPy's matrices, and mpmath's intervals, say what python-flint says."""
    exact = engine(4, SOURCES[3], Tempered(HALF))
    near = engine(4, SOURCES[2], Tempered(Rational(4, 5)))
    with_flint = exact.expected_time(), exact.variance_time(), exact.probability(1), exact.survival(3)
    enclosed = near.expected_time()
    monkeypatch.setattr(solving, "flint", None)
    monkeypatch.setattr(balls, "flint", None)
    again = engine(4, SOURCES[3], Tempered(HALF))
    assert (again.expected_time(), again.variance_time(), again.probability(1), again.survival(3)) == with_flint
    other = engine(4, SOURCES[2], Tempered(Rational(4, 5))).expected_time()
    assert other.radius <= RELATIVE * other.value
    assert other.lower <= enclosed.upper
    assert enclosed.lower <= other.upper


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 4), min_size=4, max_size=4), min_size=3, max_size=3))
def test_elimination_without_subtraction_solves_the_system(weights):
    """Assert t = Q t + g for random chains of three states with an exit, as the dense solution has it."""
    numbers = Fractions()
    chances = [[numbers.number(Rational(w, sum(row) + 1)) for w in row] for row in weights]
    rows = [dict(enumerate(row[:3])) for row in chances]
    exits = [1 - sum(row[:3]) for row in chances]
    gains = [[numbers.number(Rational(k + 1)), numbers.number(Rational(1))] for k in range(3)]
    assert without_subtraction(rows, exits, gains) == numbers.gathered(rows, exits, gains)


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "kind", "words"),
    [
        (lambda: engine(42, [Fraction(1, 4)] * 4, Tempered(2)), NotClosed, "14190 vectors of counts"),
        (lambda: engine(3, SOURCES[2], TopK(1)).lost(2, 1), ValueError, "token 2 does not exist"),
        (lambda: engine(3, SOURCES[2], TopK(1)).survival(-1), ValueError, "n = -1"),
        (lambda: engine(3, SOURCES[2], TopK(1)).given(1, 1), ValueError, "M = 3 tokens"),
        (lambda: absorption(Loop(Bernoulli(), samples=3, sampling=TopK(1))), ValueError, "leaves p0"),
    ],
)
def test_what_is_no_question_is_refused(attempt, kind, words):
    """Assert one sentence by name."""
    with pytest.raises(kind, match=words):
        attempt()
