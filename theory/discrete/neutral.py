"""The neutral chain: M tokens drawn from the last model, nothing else, so that every type is one of many alike.

Two exact devices answer for every vocabulary: the two-type chain of one type against the rest, and the chain of
ancestors A_n (how many tokens of the first fit the tokens of fit n descend from): type i is lost by generation n with
probability E (1 - p_i)^A_n, where A_1 = M and A_(n+1) is the number of occupied bins when A_n balls fall into M bins.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from math import comb

from attrs import frozen
from sympy import Expr, Integer, Rational, S, binomial, ff
from sympy.polys.domains import QQ
from sympy.polys.matrices import DomainMatrix

from theory.discrete.source import probabilities, require_numbers
from theory.loop import Loop


def neutral(loop: Loop) -> "Neutral":
    """Return the chain of a faithful replace loop with numbers for M and the source."""
    require_numbers(loop)
    return Neutral(int(loop.samples), tuple(Fraction(int(p.p), int(p.q)) for p in probabilities(loop)))


@frozen
class Neutral:
    """Answers about M tokens per generation and source ``probabilities``; generation n counts fits, the source is 0."""

    samples: int
    probabilities: tuple[Fraction, ...]

    def probability(self, token: int) -> Expr:
        """P(the chain is absorbed at ``token``) = p_token, since its frequency is a bounded martingale."""
        return _rational(self._share(token))

    def expected_time(self) -> Expr:
        """E[first generation with one type left] = sum_i h(p_i), h(s) = E[T; a type of frequency s takes all]."""
        return _rational(sum((self._time_to_fix(p) for p in self.probabilities), Fraction(0)))

    def survival(self, n: int) -> Expr:
        """P(more than one type is left at generation n) = 1 - sum_i E p_i^A_n."""
        return _rational(1 - sum((self._ancestral(p, n) for p in self.probabilities), Fraction(0)))

    def lost(self, token: int, n: int) -> Expr:
        """P(p_token = 0 at generation n) = E (1 - p_token)^A_n."""
        return _rational(self._ancestral(1 - self._share(token), n))

    def support(self, n: int) -> Expr:
        """E[number of types left at generation n] = sum_i (1 - E (1 - p_i)^A_n)."""
        return _rational(sum((1 - self._ancestral(1 - p, n) for p in self.probabilities), Fraction(0)))

    def spectrum(self) -> dict[Expr, int]:
        """Eigenvalues M(M-1)...(M-j+1)/M^j with multiplicities binomial(j + K - 2, K - 2), K for the eigenvalue 1."""
        K, M = len(self.probabilities), self.samples
        values: dict[Expr, int] = {Integer(1): K}
        for j in range(2, M + 1):
            values[ff(M, j) / Integer(M) ** j] = int(binomial(j + K - 2, K - 2))
        return values

    def ancestors(self, n: int) -> list[Fraction]:
        """Return the law of A_n as P(A_n = a), a = 0..M, for n >= 1."""
        if not S(n).is_Integer or n < 1:
            raise ValueError(f"n = {n}: ancestors are counted from the first fit on. Give a whole number >= 1.")
        law = [Fraction(0)] * self.samples + [Fraction(1)]
        for _ in range(n - 1):
            law = self._push(law)
        return law

    def _share(self, token: int) -> Fraction:
        if token not in range(len(self.probabilities)):
            raise ValueError(f"token {token} does not exist: there are {len(self.probabilities)}. Count from 0.")
        return self.probabilities[token]

    def _ancestral(self, base: Fraction, n: int) -> Fraction:
        """Return E base^A_n; at the source (n = 0) nothing is lost and a type is fixed only if it has probability 1."""
        if not S(n).is_Integer or n < 0:
            raise ValueError(f"n = {n} is not a generation. Give a whole number >= 0.")
        if n == 0:
            return Fraction(int(base == 1))
        return sum((weight * base**a for a, weight in enumerate(self.ancestors(n)) if weight), Fraction(0))

    def _push(self, law: list[Fraction]) -> list[Fraction]:
        after = [Fraction(0)] * (self.samples + 1)
        for weight, row in zip(law, self._occupancy(), strict=False):
            if weight:
                for occupied, chance in enumerate(row):
                    after[occupied] += weight * chance
        return after

    def _occupancy(self) -> Iterator[list[Fraction]]:
        """Yield the law of the number of occupied bins after 0, 1, ..., M balls into M bins."""
        M = self.samples
        row = [Fraction(1)] + [Fraction(0)] * M
        for _ in range(M + 1):
            yield row
            row = [row[m] * Fraction(m, M) + (row[m - 1] * Fraction(M - m + 1, M) if m else 0) for m in range(M + 1)]

    def _time_to_fix(self, p: Fraction) -> Fraction:
        """Return E[T; the type is fixed] from frequency p of the source: one fit to a count, then the chain."""
        if p in (0, 1):
            return Fraction(0)
        return p + sum((_binomial(self.samples, k, p) * t for k, t in enumerate(self.times_to_fix)), Fraction(0))

    @cached_property
    def times_to_fix(self) -> tuple[Fraction, ...]:
        """E[T; fixed | count k] for k = 0..M: t = P t + k/M inside, 0 at both ends, by exact elimination."""
        M = self.samples
        if M == 1:
            return (Fraction(0), Fraction(0))
        inner = range(1, M)
        rows = [[QQ(int(k == j)) - QQ(*_pair(_binomial(M, j, Fraction(k, M)))) for j in inner] for k in inner]
        system, target = (
            DomainMatrix(rows, (M - 1, M - 1), QQ),
            DomainMatrix([[QQ(k, M)] for k in inner], (M - 1, 1), QQ),
        )
        solved = system.lu_solve(target).to_list_flat()
        return (Fraction(0), *(Fraction(int(t.numerator), int(t.denominator)) for t in solved), Fraction(0))


def _binomial(M: int, k: int, p: Fraction) -> Fraction:
    return comb(M, k) * p**k * (1 - p) ** (M - k)


def _pair(x: Fraction) -> tuple[int, int]:
    return x.numerator, x.denominator


def _rational(x: Fraction) -> Expr:
    return Rational(x.numerator, x.denominator)
