"""Median and mean absolute deviation of m Laplace points, what their maximum likelihood fit reads of a sample.

Given how many points are positive, both sides in order are sums of independent exponential spacings, so that median and
deviation are linear in exponential variables, and their moments are finite sums.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import comb, factorial

from attrs import frozen
from sympy import Expr, Rational, S, Symbol

from theory.errors import NotClosed
from theory.innovations import Law

Weights = list[Fraction]
"""A linear form, by the coefficients of the order statistics or of the spacings."""


@frozen
class MedianDeviation(Law):
    """(u, g), u the median and g the mean of |x - u| of ``size`` = m points of density exp(-|x|)/2.

    The median of an even number of points is the mean of the two in the middle. With k positive points, the j-th
    smallest of them is E_1/k + E_2/(k - 1) + .. + E_j/(k - j + 1) for independent exponential E_i, and the negative
    ones likewise (Renyi 1953); linear forms of E have the joint cumulants (a + b - 1)! sum alpha_i^a beta_i^b.
    """

    symbols: tuple[Symbol, Symbol]
    size: Expr

    def means(self) -> tuple[Expr, ...]:
        """Return (0, 1), what infinitely many points leave."""
        return S.Zero, S.One

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return E[u^a g^b] for whole a and b and a number of points."""
        if not self.size.is_Integer:
            raise NotClosed(
                f"samples: median and deviation of {self.size} points have moments number by number, no formula in it. "
                "Give loop.at(M=...)."
            )
        if any(logs) or not all(power.is_Integer and power >= 0 for power in powers):
            raise NotClosed(
                "family: a logarithm or broken power of a mean absolute deviation has no closed moments. "
                "Ask for a polynomial in centre and width, or simulate(loop)."
            )
        a, b = map(int, powers)
        m = int(self.size)
        total = sum((comb(m, k) * self._given(k, a, b) for k in range(m + 1)), Fraction(0)) / 2**m
        return Rational(total.numerator, total.denominator)

    @cached_property
    def _forms(self) -> tuple[Weights, Weights]:
        """The median and the deviation as sums over the points in order."""
        m = int(self.size)
        middle = {(m - 1) // 2, m // 2}
        median = [Fraction(int(i in middle), len(middle)) for i in range(m)]
        above = [(2 * i > m - 1) - (2 * i < m - 1) for i in range(m)]
        return median, [Fraction(sign, m) for sign in above]

    def _given(self, positive: int, a: int, b: int) -> Fraction:
        """Return E[u^a g^b] given how many points are positive."""
        u, g = (_spacings(form, positive) for form in self._forms)
        moments = {(0, 0): Fraction(1)}
        for i, j in product(range(a + 1), range(b + 1)):
            if i or j:
                moments[i, j] = _next(moments, u, g, i, j)
        return moments[a, b]


def _spacings(form: Weights, positive: int) -> Weights:
    """Return a linear form of the points in order as one of the exponential spacings of both sides of 0."""
    negative = len(form) - positive
    sides = [form[negative:], [-w for w in reversed(form[:negative])]]
    return [sum(side[i:], Fraction(0)) / (len(side) - i) for side in sides for i in range(len(side))]


def _next(moments: dict[tuple[int, int], Fraction], u: Weights, g: Weights, a: int, b: int) -> Fraction:
    """Return E[u^a g^b] from lower moments and cumulants: the block of cumulants that holds the first factor."""
    i0, j0 = (1, 0) if a else (0, 1)
    total = Fraction(0)
    for i, j in product(range(i0, a + 1), range(j0, b + 1)):
        ways = comb(a - i0, i - i0) * comb(b - j0, j - j0)
        cumulant = factorial(i + j - 1) * sum((x**i * y**j for x, y in zip(u, g, strict=True)), Fraction(0))
        total += ways * cumulant * moments[a - i, b - j]
    return total
