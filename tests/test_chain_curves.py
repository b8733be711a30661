"""Vocabulary and survival of every chain of counts, simulated token by token and held against the exact chain."""

import pytest
from sympy import Rational

from numerics import agree, simulate, survival, vocabulary
from theory import (
    Accumulate,
    Categorical,
    Faithful,
    Loop,
    MinP,
    Mixed,
    Moran,
    Replace,
    Tempered,
    TopK,
    TopP,
)

SOURCE = Categorical([Rational(1, 2), Rational(1, 3), Rational(1, 6)])
OBSERVED = {"vocabulary": Categorical.vocabulary, "absorbed": Categorical.absorbed}
LOOPS = [
    (Replace(), Faithful()),
    (Mixed(Rational(1, 5)), Faithful()),
    (Mixed(Rational(1, 5), count="bernoulli"), Faithful()),
    (Mixed(Rational(1, 5), fresh=False), Faithful()),
    (Accumulate(), Faithful()),
    (Moran(), Faithful()),
    (Moran(Rational(1, 10)), Faithful()),
    (Replace(), Tempered(2)),
    (Replace(), TopK(2)),
    (Replace(), TopP(Rational(9, 10))),
    (Replace(), MinP(Rational(1, 3))),
]
LEVEL = 1e-6 / len(LOOPS)


def returns(regime):
    """Whether real data bring lost types back."""
    return isinstance(regime, Mixed) or regime == Moran(Rational(1, 10))


@pytest.mark.parametrize(("regime", "sampling"), LOOPS, ids=str)
def test_simulated_vocabularies_follow_their_chain(regime, sampling):
    """Assert the verdicts on vocabulary and survival at one level for all loops, and against a slip of a generation."""
    loop = Loop(SOURCE, samples=10, regime=regime, sampling=sampling)
    run = simulate(loop, generations=6, chains=20_000, seed=0, observe=OBSERVED)
    exact = vocabulary(loop, 6)
    assert agree(exact, run, level=LEVEL / 2).verdict == "agree"
    if not returns(regime):
        assert agree(survival(loop, 6), run, level=LEVEL / 2, smallest=0.2).verdict == "agree"
    if not isinstance(regime, Accumulate):  # nothing is lost after its first fit, so that it cannot slip
        late = type(exact)(exact.name, exact.variable, [exact.values[0], *vocabulary(loop, 7).values[2:]])
        assert agree(late, run, level=LEVEL / 2).verdict == "disagree"


@pytest.mark.parametrize("regime", [regime for regime, _ in LOOPS if returns(regime)], ids=str)
def test_no_survival_where_types_come_back(regime):
    """Assert that a curve of absorption is refused where a type alone need not stay so."""
    with pytest.raises(ValueError, match="need not stay so"):
        survival(Loop(SOURCE, samples=10, regime=regime), 3)
