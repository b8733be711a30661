"""Extinction of Poisson loops: the exponent's recursion against sums over counts, its asymptotics, refusals."""

import mpmath
import pytest
from sympy import Rational, exp, log

from theory import (
    Accumulate,
    Damped,
    Exponential,
    Loop,
    M,
    Mixed,
    NegativeBinomial,
    NotClosed,
    Poisson,
    Tempered,
    extinction,
)
from theory.symbols import rate0

HALF = Rational(1, 2)


@pytest.mark.parametrize("samples", [1, 3])
def test_two_fits_are_a_sum_over_counts(samples):
    """Assert P(rate_2 = 0) = sum_k P(sum_1 = k) exp(-k), the sum of M counts being Poisson(M rate0)."""
    rate = Rational(3, 4)
    with mpmath.workdps(25):
        mean = mpmath.mpf(3) / 4 * samples
        whole = mpmath.nsum(lambda k: mpmath.exp(-mean - k) * mean**k / mpmath.factorial(k), [0, 200], method="direct")
        derived = extinction(Loop(Poisson(rate), samples=samples)).probability(2)
        assert abs(mpmath.mpf(str(derived.evalf(25))) - whole) < mpmath.mpf(10) ** -20


def test_exponent_falls_like_two_over_n():
    """Assert 1 <= n g_n <= 2 with n g_n increasing: the loop of one lineage is a critical branching process."""
    chain = extinction(Loop(Poisson()))
    scaled = [float(n * chain.exponent(n)) for n in range(1, 30)]
    assert scaled == sorted(scaled)
    assert scaled[0] == 1
    assert scaled[-1] < 2


def test_first_fit_and_accumulation_have_the_law_of_the_first_batch():
    """Assert P(rate_1 = 0) = exp(-M rate0), and that accumulation keeps it for ever."""
    first = exp(-M * rate0)
    assert extinction(Loop(Poisson())).probability(1) == first
    kept = extinction(Loop(Poisson(), regime=Accumulate()))
    assert [kept.probability(n) for n in (0, 1, 2, 9)] == [0, first, first, first]
    assert extinction(Loop(Poisson(0))).probability(0) == 1


def test_extinction_never_turns_back():
    """Assert that the probability grows from generation to generation."""
    chain = extinction(Loop(Poisson(log(3)), samples=4))
    chances = [float(chain.probability(n)) for n in range(8)]
    assert chances == sorted(chances)


@pytest.mark.parametrize(
    ("loop", "axis"),
    [
        (Loop(NegativeBinomial()), "family"),
        (Loop(Exponential()), "family"),
        (Loop(Poisson(), regime=Mixed(HALF)), "regime"),
        (Loop(Poisson(), sampling=Tempered(2)), "regime"),
        (Loop(Poisson(), estimator=Damped(HALF)), "estimator"),
    ],
    ids=str,
)
def test_what_has_no_law_is_refused(loop, axis):
    """Assert that each refusal names its axis."""
    with pytest.raises(NotClosed, match=axis):
        extinction(loop)


def test_generations_are_whole():
    """Assert that n = -1 and n = 1/2 raise ValueError."""
    for n in (-1, HALF):
        with pytest.raises(ValueError, match="whole number"):
            extinction(Loop(Poisson())).probability(n)
