"""The laws of samples against sums over every sample, and against integrals."""

from fractions import Fraction
from itertools import combinations, product
from math import comb

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Expr, Integer, Rational, S, Symbol, exp, integrate, oo, pi, sqrt, symbols

from theory.constants import unfold
from theory.errors import NotClosed
from theory.points import MixturePoints, NormalPoints, Points, Student, TruncatedNormal
from theory.samples import Hypergeometric, Sample, Subset, TiltedSquares

x, y = symbols("x y")
z = Symbol("z", real=True)
values = st.lists(st.fractions(-3, 3, max_denominator=4), min_size=1, max_size=3)


def rational(number):
    return Rational(number.numerator, number.denominator)


@frozen
class Dice(Points):
    """One of a few values, each as likely."""

    faces: tuple[Expr, ...]

    def moment(self, order):
        return sum((face**order for face in self.faces), S.Zero) / len(self.faces)


@settings(max_examples=25)
@given(values, st.integers(1, 4), st.integers(0, 3), st.integers(0, 2))
def test_sums_of_points_have_the_moments_of_every_sample(faces, size, a, b):
    """Assert E (sum y)^a (sum y^2)^b against all samples of a die."""
    law = Sample((x, y), Integer(size), Dice(tuple(map(rational, faces))))
    throws = list(product(faces, repeat=size))
    wanted = sum((sum(t) ** a * sum(f * f for f in t) ** b for t in throws), Fraction(0)) / len(throws)
    assert law.moment((S(a), S(b)), (0, 0)) == rational(Fraction(wanted))


@settings(max_examples=25)
@given(st.lists(st.integers(-4, 4), min_size=2, max_size=6), st.data())
def test_subset_moments_are_those_of_every_subset(pool, data):
    """Assert E d, E d^2 and E s against all subsets of a pool."""
    size = data.draw(st.integers(1, len(pool)))
    mean = Fraction(sum(pool), len(pool))
    law = Subset((x, y), Integer(size), Integer(len(pool)), rational(sum((v - mean) ** 2 for v in pool)))
    sums = {(1, 0): Fraction(0), (2, 0): Fraction(0), (0, 1): Fraction(0)}
    for chosen in combinations(pool, size):
        here = Fraction(sum(chosen), size)
        sums[1, 0] += here - mean
        sums[2, 0] += (here - mean) ** 2
        sums[0, 1] += sum((v - here) ** 2 for v in chosen)
    for powers, total in sums.items():
        assert law.moment(tuple(map(S, powers)), (0, 0)) == rational(total / comb(len(pool), size))


@settings(max_examples=25)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=3), st.data())
def test_hypergeometric_moments_are_those_of_every_draw(pool, data):
    """Assert mixed moments of two counts against all draws from a pool of marked balls."""
    balls = [k for k, count in enumerate(pool) for _ in range(count)] + [len(pool)]
    draws = data.draw(st.integers(0, len(balls)))
    powers = data.draw(st.tuples(*(st.integers(0, 3) for _ in pool)))
    law = Hypergeometric(symbols("a:3")[: len(pool)], Integer(draws), Integer(len(balls)), tuple(map(Integer, pool)))
    total = Fraction(0)
    for chosen in combinations(range(len(balls)), draws):
        term = 1
        for k, power in enumerate(powers):
            term *= sum(balls[c] == k for c in chosen) ** power
        total += term
    if sum(powers) <= len(balls):
        assert law.moment(tuple(map(S, powers)), (0,) * len(pool)) == rational(total / comb(len(balls), draws))


@pytest.mark.parametrize("order", range(5))
def test_truncated_normal_moments_are_integrals(order):
    """Assert E y^j = variance^(j/2) int_(-h)^h z^j phi(z) dz/int_(-h)^h phi(z) dz."""
    h = Symbol("h", positive=True)
    density = exp(-(z**2) / 2) / sqrt(2 * pi)
    wanted = integrate(z**order * density, (z, -h, h)) / integrate(density, (z, -h, h))
    found = unfold(TruncatedNormal(S(4), h).moment(order))
    assert (found - 2**order * wanted).simplify() == 0


@pytest.mark.parametrize("order", range(7))
def test_student_moments_are_integrals(order):
    """Assert the moments of Student's law with 7 degrees, and that the eighth is refused as infinite."""
    density = (1 + z**2 / 7) ** -4
    wanted = integrate(z**order * density, (z, -oo, oo)) / integrate(density, (z, -oo, oo))
    assert Student(S(1), S(7)).moment(order) == wanted
    assert Student(S(1), S(7)).exists(8) == -1


@pytest.mark.parametrize("order", range(5))
def test_mixture_moments_are_integrals(order):
    """Assert the moments of share N(shift, 9) + (1 - share) N(0, 4)."""
    share, shift = symbols("share shift", real=True)
    normals = ((1 - share, 0, 4), (share, shift, 9))
    wanted = sum(w * integrate((2 * z if v == 4 else shift + 3 * z) ** order * exp(-(z**2) / 2), (z, -oo, oo))
                 for w, _, v in normals) / sqrt(2 * pi)  # fmt: skip
    found = MixturePoints((1 - share, share), (S.Zero, shift), (NormalPoints(S(4)), NormalPoints(S(9)))).moment(order)
    assert (found - wanted).expand() == 0


@pytest.mark.parametrize("powers", [(0, 1), (2, 1), (4, 1), (0, 2), (0, -1), (2, Rational(1, 2))])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_tilted_moments_are_integrals(powers, order):
    """Assert E eps^a y^b (log y)^j with 2 degrees beside eps, where chi is exponential and can be integrated."""
    a, b = map(S, powers)
    rate, q = Rational(1, 7), Symbol("q", positive=True)
    log_y = rate * (q + z**2)
    weight = (3 * z) ** a * exp(b * log_y) * log_y**order * exp(-(z**2) / 2 - q / 2) / (2 * sqrt(2 * pi))
    wanted = integrate(integrate(weight.expand(), (q, 0, oo)), (z, -oo, oo))
    found = TiltedSquares((x, y), S(9), S(2), rate).moment((a, b), (0, order))
    assert (found - wanted).simplify() == 0


@pytest.mark.parametrize(
    ("law", "powers"),
    [
        (Sample((x, y), S(3), Dice((S(1),))), (S.Half, S.Zero)),
        (Subset((x, y), S(3), S(5), S(2)), (S(2), S(1))),
        (Hypergeometric((x,), S(3), S(5), (S(2),)), (S(-1),)),
        (TiltedSquares((x, y), S(1), S(3), S(1) / 9), (S.Half, S.Zero)),
    ],
)
def test_unknown_moments_are_refused(law, powers):
    """Assert `NotClosed` for a moment that the law does not have in closed form."""
    with pytest.raises(NotClosed):
        law.moment(powers, (0,) * len(powers))
