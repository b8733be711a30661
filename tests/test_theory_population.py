"""Discrete loops without sampling noise: what temperature, top-k and top-p do to a law by themselves."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, ceiling, oo, symbols

from theory import (
    Accumulate,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    Mixed,
    NotClosed,
    Shrinkage,
    Tempered,
    TopK,
    TopP,
    expect,
    population,
)

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


@pytest.mark.parametrize("sampling", [TopK(2), TopP(Rational(1, 2)), Tempered(2)])
def test_finite_samples_of_a_cut_law_are_refused_by_expect(sampling):
    """Assert that no polynomial moment is claimed where the cut law is not polynomial."""
    loop = Loop(Categorical([Rational(1, 2), Rational(1, 2)]), sampling=sampling, samples=3)
    with pytest.raises(NotClosed, match="sampling"):
        expect(loop, Categorical.p[0])
