"""The neutral chain against every vector of counts of every type, in whole numbers, for all sizes up to 1,000 states.

Nothing here knows of duality, of ancestors or of merging types: the transition matrix is written down. A mean time is
right on all states if and only if it solves its first-step equations on all of them, since absorption is certain, so
the equations are evaluated and never solved. Where an answer forgets which type is which, states that are relabellings
of each other have one equation, and one of them is looked at.
"""

from fractions import Fraction
from itertools import combinations_with_replacement
from math import comb, factorial, lcm, prod

import numpy as np
import pytest
from sympy import QQ, Poly, Rational, Symbol, binomial, factorrat, log
from sympy.polys.matrices import DomainMatrix

from theory import Categorical, Loop, absorption
from theory.discrete.neutral import Neutral

LARGEST = 1000
GENERATIONS = range(1, 4)
# A chain of one token is absorbed at once, whatever its vocabulary; beyond M = 60 two types have fractions of 10,000
# digits and more, of which one follows.
SIZES = [
    (samples, types)
    for types in range(2, 45)
    for samples in range(1, 61)
    if comb(samples + types - 1, types - 1) <= LARGEST
] + [(100, 2)]


def source(types):
    """Unequal probabilities, two of them alike from three types on."""
    weights = [1, 1, *range(2, types)] if types > 2 else [1, 2]
    return [Fraction(w, sum(weights)) for w in weights]


def exact(x):
    """A SymPy rational as a fraction."""
    return Fraction(int(x.p), int(x.q))


def numerators(values):
    """Fractions as whole numbers and their common denominator."""
    d = lcm(*(v.denominator for v in values))
    return np.array([v.numerator * (d // v.denominator) for v in values], dtype=object), d


def mean(law, values):
    """sum_s P(s) value(s)."""
    whole, d = numerators(values)
    return Fraction(int(law[0] @ whole), law[1] * d)


class Chain:
    """All vectors of counts, and M^M times the transition matrix between them: multinomial(t) prod_i s_i^t_i."""

    def __init__(self, samples, types):
        self.samples, self.types, self.law = samples, types, source(types)
        rows = [
            [chosen.count(i) for i in range(types)] for chosen in combinations_with_replacement(range(types), samples)
        ]
        self.states = np.array(rows)
        self.left = (self.states > 0).sum(axis=1)
        self.ways = np.array([factorial(samples) // prod(map(factorial, row)) for row in rows], dtype=object)
        # Row sums are M^M, which bounds every product on the way.
        number = np.int64 if samples**samples < 2**63 else object
        power = np.array([[x**k for k in range(samples + 1)] for x in range(samples + 1)], dtype=number)
        weights = np.prod([power[np.ix_(count, count)] for count in self.states.T], axis=0)
        self.matrix = weights.astype(object) * self.ways

    def laws(self):
        """(numerators, denominator) of the laws of the counts at the first fits."""
        q = lcm(*(p.denominator for p in self.law))
        chances = [p.numerator * (q // p.denominator) for p in self.law]
        law = self.ways * np.array([prod(map(pow, chances, map(int, row))) for row in self.states], dtype=object)
        for n in GENERATIONS:
            yield law, (q * self.samples ** (n - 1)) ** self.samples
            if n < len(GENERATIONS):
                law = law @ self.matrix

    def solves(self, values, forcing, inside, rows):
        """Whether value = forcing + E[value after one more fit] inside, and value = 0 outside, seen at some states."""
        whole, _ = numerators([*values, *forcing])
        value, force = whole[: len(values)], whole[len(values) :]
        missing = self.samples**self.samples * (value - force)[rows] - self.matrix[rows] @ value
        return not any(missing[inside[rows]]) and not any(value[~inside])

    def unlike(self, fixed=0):
        """The states in which all types from ``fixed`` on have counts that do not fall: others are relabellings."""
        return np.flatnonzero((np.diff(self.states[:, fixed:], axis=1) >= 0).all(axis=1))

    def by_pattern(self, answer):
        """answer(chain given the counts), which may depend on the counts alone and not on whose they are."""
        known, found = {}, []
        for row in self.states:
            pattern = tuple(sorted(map(int, row)))
            if pattern not in known:
                known[pattern] = exact(answer(Neutral(Rational(self.samples), ()).given(*pattern)))
            found.append(known[pattern])
        return found


@pytest.mark.parametrize(("samples", "types"), SIZES)
def test_dual_is_the_full_chain(samples, types):
    """Assert times until any number of types, variances, and all curves and laws of the first generations."""
    chain = Chain(samples, types)
    found = absorption(Loop(Categorical(chain.law), samples=samples))
    laws = list(chain.laws())
    assert_times(chain, found, laws[0])
    for n, law in zip(GENERATIONS, laws, strict=True):
        assert_curves(chain, found, n, law)


def assert_times(chain, found, first):
    """First-step equations of every time, of the square of the first and of the time with a given winner."""
    one, M = [Fraction(1)] * len(chain.states), chain.samples
    for j in range(1, min(chain.types, M + 1)):
        times = chain.by_pattern(lambda here, j=j: here.expected_time(types=j))
        assert chain.solves(times, one, chain.left > j, chain.unlike())
        assert exact(found.expected_time(types=j)) == 1 + mean(first, times)
        if j == 1:
            assert_variance(chain, found, first, times)
    assert_winner(chain, found, first)


def assert_variance(chain, found, first, times):
    """E T^2 = 1 + 2 E T' + E T'^2, T' the time after one more fit."""
    inside = chain.left > 1
    variance = chain.by_pattern(lambda here: here.variance_time())
    squares = [v + t**2 for v, t in zip(variance, times, strict=True)]
    forcing = [2 * t - 1 for t in times]
    assert chain.solves(squares, forcing, inside, chain.unlike())
    second = mean(first, [1 + 2 * t + s for t, s in zip(times, squares, strict=True)])
    assert exact(found.variance_time()) == second - exact(found.expected_time()) ** 2


def assert_winner(chain, found, first):
    """P(type 0 takes all) and E[T; type 0 takes all], both 0 where it is not left."""
    M, inside = chain.samples, chain.left > 1
    chance = [Fraction(int(row[0]), M) for row in chain.states]
    assert chain.solves(chance, [Fraction(0)] * len(chance), inside | True, chain.unlike(1))
    assert exact(found.probability(0)) == mean(first, chance)
    fixing = found.times_to_fix
    times = [exact(fixing[int(row[0])]) for row in chain.states]
    assert chain.solves(times, chance, inside, chain.unlike(1))
    total = mean(first, [c + t for c, t in zip(chance, times, strict=True)])
    assert exact(found.conditional_time(0) * found.probability(0)) == total


def assert_curves(chain, found, n, law):
    """Means of what can be read from the counts, at one generation."""
    for j in range(1, chain.types):
        assert exact(found.survival(n, types=j)) == mean(law, list(map(int, chain.left > j)))
    gone = chain.states == 0
    losses = [mean(law, list(map(int, gone[:, i]))) for i in range(chain.types)]
    assert [exact(found.lost(i, n)) for i in range(chain.types)] == losses
    assert exact(found.support(n)) == mean(law, list(map(int, chain.left)))
    assert exact(found.missing_mass(n)) == sum(p * loss for p, loss in zip(chain.law, losses, strict=True))
    squares = [Fraction(int((row**2).sum()), chain.samples**2) for row in chain.states]
    assert exact(found.collision(n)) == mean(law, squares)
    counts = found.counts(0, n)
    for x in range(chain.samples + 1):
        assert exact(counts[x]) == mean(law, list(map(int, chain.states[:, 0] == x)))


@pytest.mark.parametrize(("samples", "types"), [size for size in SIZES if comb(sum(size) - 1, size[0]) <= 21])
def test_spectrum_is_that_of_the_full_matrix(samples, types):
    """Assert that the eigenvalues with their multiplicities multiply to the characteristic polynomial."""
    chain, x = Chain(samples, types), Symbol("x")
    rows = [[QQ(int(w), samples**samples) for w in row] for row in chain.matrix]
    chi = DomainMatrix(rows, (len(rows), len(rows)), QQ).charpoly()
    found = absorption(Loop(Categorical(chain.law), samples=samples))
    product = Poly(1, x)
    for k, (value, times) in enumerate(found.spectrum().items(), start=1):
        assert times == (types if k == 1 else binomial(k + types - 2, types - 2))
        product *= Poly(x - value, x) ** times
    assert product.all_coeffs() == [QQ.to_sympy(w) for w in chi]


@pytest.mark.parametrize(("samples", "types"), [(3, 2), (4, 3), (3, 4)])
def test_entropy_is_that_of_the_full_chain(samples, types):
    """Assert E[-sum_i p_i log p_i] as rationals times logarithms of primes."""
    chain = Chain(samples, types)
    found = absorption(Loop(Categorical(chain.law), samples=samples))
    for n, (law, over) in zip(GENERATIONS, chain.laws(), strict=True):
        entropy = [
            -sum(Rational(int(x), samples) * log(Rational(int(x), samples)) for x in row if x) for row in chain.states
        ]
        expected = sum(Rational(int(w), over) * h for w, h in zip(law, entropy, strict=True))
        assert (found.entropy(n) - expected).replace(log, in_primes).expand() == 0
    assert found.entropy(0) == -sum(Rational(p) * log(Rational(p)) for p in chain.law)


def in_primes(x):
    """log x as a sum of logarithms of primes, each a symbol."""
    return sum(power * Symbol(f"log{prime}") for prime, power in factorrat(x).items() if prime > 1)


def test_equations_see_a_slip():
    """Assert that one time changed in its last digit fails its equations."""
    chain = Chain(4, 3)
    times = chain.by_pattern(lambda here: here.expected_time())
    one, inside = [Fraction(1)] * len(times), chain.left > 1
    assert chain.solves(times, one, inside, chain.unlike())
    slipped = [t + Fraction(int(k == 1), 10**9) for k, t in enumerate(times)]
    assert not chain.solves(slipped, one, inside, chain.unlike())
