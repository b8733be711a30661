"""Discrete loops without sampling noise: what temperature, top-k and top-p do to a law by themselves."""

from fractions import Fraction
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, S, ceiling, oo, symbols

from proofs.spec import axis_from
from theory import (
    Accumulate,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    MinP,
    Mixed,
    Moran,
    NotClosed,
    Shrinkage,
    Tempered,
    TopK,
    TopP,
    absorbing_sets,
    expect,
    population,
)
from theory.population import distorted

shares = st.integers(1, 12)


@st.composite
def laws(draw):
    weights = draw(st.lists(shares, min_size=1, max_size=6))
    return tuple(Rational(w, sum(weights)) for w in weights)


def run(law, sampling, generations, **axes):
    return population(Loop(Categorical(law), sampling=sampling, samples=oo, **axes), generations)


@given(laws(), st.integers(1, 7))
def test_top_k_is_idempotent(law, k):
    """Assert that a cut to the k most probable types is paid once."""
    found = run(law, TopK(k), 3)
    assert found.laws[1] == found.laws[2] == found.laws[3]
    assert found.supports[1] == min(k, len(law))


@given(st.integers(1, 40), st.fractions(Rational(1, 20), 1))
def test_top_p_shrinks_a_uniform_law_again_and_again(K, p):
    """Assert K -> ceil(p K) from generation to generation, down to ceil(1/(1 - p)) - 1 at most."""
    p = Rational(p)
    supports = run([Rational(1, K)] * K, TopP(p), 40).supports
    assert all(after == ceiling(p * before) for before, after in pairwise(supports))
    assert p == 1 or supports[-1] == min(K, ceiling(1 / (1 - p)) - 1)


@given(laws(), st.fractions(Rational(1, 20), 1))
def test_top_p_stops_where_no_type_is_spare(law, p):
    """Assert that a law is fixed exactly when its least probable type is needed to hold p."""
    p = Rational(p)
    kept = run(law, TopP(p), 1).laws[1] == law
    assert kept == (1 - min(law) < p)


@given(laws(), st.fractions(0, 1))
def test_min_p_is_idempotent(law, p):
    """Assert that a threshold is paid once, keeps the types that reach it, equal ones alike, and their ratios."""
    p = Rational(p)
    found = run(law, MinP(p), 3)
    assert found.laws[1] == found.laws[2] == found.laws[3]
    kept = [i for i, chance in enumerate(law) if chance >= p * max(law)]
    assert [i for i, chance in enumerate(found.laws[1]) if chance] == kept
    assert all(found.laws[1][i] * law[j] == found.laws[1][j] * law[i] for i in kept for j in kept)


@given(laws(), st.integers(1, 5))
def test_temperature_multiplies_log_odds(law, generations):
    """Assert p_n proportional to p_0^(tau^-n), at tau = 1/2: log-odds double."""
    powers = [chance ** (2**generations) for chance in law]
    assert run(law, Tempered(Rational(1, 2)), generations).laws[-1] == tuple(w / sum(powers) for w in powers)


@given(laws(), st.fractions(0, 1), st.integers(1, 4))
def test_real_data_pull_a_cut_law_back(law, alpha, generations):
    """Assert p' = alpha p_0 + (1 - alpha) cut(p) whichever way the real share is counted."""
    cut, alpha = TopK(1), Rational(alpha)
    fixed = run(law, cut, generations, regime=Mixed(alpha)).laws
    assert fixed == run(law, cut, generations, regime=Mixed(alpha, count="bernoulli")).laws
    best = max(law)
    assert max(fixed[-1]) == alpha * best + 1 - alpha


def test_accumulated_laws_are_averages():
    """Assert that model k under accumulate is the mean of the laws drawn from so far."""
    law = (Rational(2, 3), Rational(1, 3))
    laws_ = run(law, TopK(1), 3, regime=Accumulate()).laws
    assert laws_[1:] == ((1, 0), (1, 0), (1, 0))
    slow = run(law, Tempered(Rational(1, 2)), 2, regime=Accumulate()).laws
    assert slow[1][0] == Rational(4, 5)
    assert slow[2][0] == (Rational(4, 5) + Rational(16, 17)) / 2


def test_bernoulli_law_may_stay_in_symbols():
    """Assert the odds of a coin at temperature 1/2, its probability left a symbol."""
    p = symbols("p0", positive=True)
    (_, law) = population(Loop(Bernoulli(p), sampling=Tempered(Rational(1, 2)), samples=oo), 1).laws
    assert (law[0] / law[1] - p**2 / (1 - p) ** 2).simplify() == 0


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        (Loop(Categorical([1]), samples=5), "samples=oo"),
        (Loop(Gaussian(), samples=oo), "family: Gaussian"),
        (Loop(Bernoulli(), estimator=Shrinkage(Rational(1, 2)), samples=oo), "estimator: Shrinkage"),
    ],
)
def test_what_is_no_population_map_is_refused(loop, words):
    """Assert one sentence by name."""
    with pytest.raises(ValueError, match=words):
        population(loop, 2)


cuts = st.one_of(
    st.builds(TopK, st.integers(1, 6)),
    st.builds(TopP, st.fractions(Fraction(1, 20), 1, max_denominator=20).map(Rational)),
    st.builds(MinP, st.fractions(0, 1, max_denominator=20).map(Rational)),
)


@given(laws(), cuts)
def test_cut_laws_settle_at_their_limit(law, sampling):
    """Assert that the limit is what is left after as many cuts as there are types, and that `settled` says when."""
    found = run(law, sampling, len(law) + 1)
    assert found.limit == found.laws[-1]
    assert found.settled is not None
    assert found.laws[found.settled] == found.limit
    assert found.settled == 0 or found.laws[found.settled - 1] != found.limit


@given(laws())
def test_temperature_freezes_or_melts(law):
    """Assert the limits: the most probable types below temperature 1, all of them alike above, no change at 1."""
    best = [Rational(chance == max(law)) for chance in law]
    assert run(law, Tempered(Rational(1, 2)), 0).limit == tuple(w / sum(best) for w in best)
    assert run(law, Tempered(3), 0).limit == (Rational(1, len(law)),) * len(law)
    assert run(law, Tempered(1), 0).limit == law
    # What is not of the most probable types wanes.
    laws_ = run(law, Tempered(Rational(1, 2)), 4).laws
    top = [sum(p for p, first in zip(now, best, strict=True) if first) for now in laws_]
    assert all(before < after <= 1 for before, after in pairwise(top)) or top[0] == 1


def rule(law, sampling):
    """Whether a law on all its types keeps them, in the words of the known conditions."""
    if isinstance(sampling, TopK):
        return len(law) <= sampling.k
    if isinstance(sampling, TopP):
        return min(law) > 1 - sampling.p
    if isinstance(sampling, MinP):
        return min(law) >= sampling.p * max(law)
    return sampling.tau >= 1 or min(law) == max(law)


@settings(max_examples=50)
@given(laws(), cuts | st.sampled_from([Tempered(Rational(1, 2)), Tempered(1), Tempered(2)]))
def test_absorbing_sets_are_those_of_the_known_conditions(law, sampling):
    """Assert min p > 1 - p for top-p, k types for top-k, the threshold for min-p, ties below temperature 1."""
    found = {one.types for one in absorbing_sets(Loop(Categorical(law), sampling=sampling, samples=oo))}
    for size in range(1, len(law) + 1):
        for types in combinations(range(len(law)), size):
            inside = [law[i] / sum(law[j] for j in types) for i in types]
            assert (types in found) == rule(inside, sampling)


@settings(max_examples=25)
@given(laws(), cuts | st.sampled_from([Tempered(Rational(1, 2)), Tempered(Rational(1, 3)), Tempered(1)]))
def test_stability_is_what_a_small_shift_does(law, sampling):
    """Assert that every fixed law stays, and that tiny shifts grow by the stated factors."""
    tiny = Rational(1, 10**6)
    for one in absorbing_sets(Loop(Categorical(law), sampling=sampling, samples=oo)):
        assert distorted(one.law, sampling) == one.law
        if len(one.types) > 1:
            i, j = one.types[:2]
            grown = [after(one.law, sampling, {i: shift, j: -shift}, i) / shift for shift in (tiny, -tiny)]
            assert one.within == oo or all(abs(grew - one.within) < 1e-4 for grew in grown)
        for outside in {*range(len(law))} - {*one.types}:
            shifts = {i: -tiny * one.law[i] for i in one.types} | {outside: tiny}
            assert abs(after(one.law, sampling, shifts, outside) / tiny - one.beyond) < 1e-4


def after(law, sampling, shifts, entry):
    """How far one chance is from its fixed value a generation after small shifts."""
    return distorted(tuple(p + shifts.get(i, 0) for i, p in enumerate(law)), sampling)[entry] - law[entry]


def test_thresholds_that_are_hit_are_repelling():
    """Assert the edge of min-p: at equality a shift of any size takes the type away."""
    law = (Rational(2, 3), Rational(1, 3))
    (*_, edge) = absorbing_sets(Loop(Categorical(law), sampling=MinP(Rational(1, 2)), samples=oo))
    assert (edge.types, edge.within, edge.stability) == ((0, 1), oo, "repelling")
    assert distorted((law[0] + Rational(1, 10**9), law[1] - Rational(1, 10**9)), MinP(Rational(1, 2))) == (1, 0)
    (*_, hot) = absorbing_sets(Loop(Categorical(law), sampling=Tempered(4), samples=oo))
    assert (hot.law, hot.within, hot.stability) == ((S.Half, S.Half), Rational(1, 4), "attracting")


def test_limits_are_refused_where_real_data_pull():
    """Assert one sentence by name for regimes of more than the last model, and for vocabularies with too many sets."""
    law = [Rational(1, 13)] * 13
    with pytest.raises(NotClosed, match="regime: the limit"):
        _ = run(law, TopK(1), 1, regime=Mixed(Rational(1, 2))).limit
    with pytest.raises(NotClosed, match="13 types"):
        absorbing_sets(Loop(Categorical(law), sampling=TopK(1), samples=oo))
    with pytest.raises(NotClosed, match="regime"):
        absorbing_sets(Loop(Bernoulli(Rational(1, 2)), regime=Accumulate(), samples=oo))


def test_one_replaced_token_moves_no_law():
    """Assert that Moran's regime stands still after the first fit with infinitely many tokens, distorted or not."""
    found = run((Rational(2, 3), Rational(1, 3)), TopK(1), 3, regime=Moran(Rational(1, 2)))
    assert found.laws[1:] == ((1, 0),) * 3


def test_command_line_reads_min_p():
    """Assert that the axis is read as it is written, and its range."""
    assert axis_from("sampling", "minp(1/10)") == MinP(Rational(1, 10))
    for wrong in (2, -1, Rational(11, 10)):
        with pytest.raises(ValueError, match="Give 0 <= p <= 1"):
            MinP(wrong)


@pytest.mark.parametrize("sampling", [TopK(2), TopP(Rational(1, 2)), Tempered(2), MinP(Rational(1, 2))])
def test_finite_samples_of_a_cut_law_are_refused_by_expect(sampling):
    """Assert that no polynomial moment is claimed where the cut law is not polynomial."""
    loop = Loop(Categorical([Rational(1, 2), Rational(1, 2)]), sampling=sampling, samples=3)
    with pytest.raises(NotClosed, match="sampling"):
        expect(loop, Categorical.p[0])
