"""One set of real data, drawn once and read by every fit: what it holds is never lost, and what it lacks always is.

Given how many of the R kept tokens are of a type, its count is a chain of its own; the answers here average over the
set, which is the first sample of the source, unless they are asked for a given one.
"""

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from math import comb

from attrs import frozen
from sympy import Expr, Integer, S, binomial, ff, oo

from theory.discrete.generations import require_generation, token_chance
from theory.discrete.lineages import Lineages, kept_lineages
from theory.field import Element, Field, letters


@frozen
class Kept:
    """Answers about M tokens per generation, ``real`` of them the same real ones always; generation n counts fits.

    Args:
        samples: M >= 1, a number.
        probabilities: the source, numbers or expressions.
        real: R = alpha*M, 1 <= R <= M.

    >>> from sympy import Rational
    >>> chain = Kept(4, (Rational(1, 2), Rational(1, 2)), 1)
    >>> chain.lost(token=0), chain.lost(token=0, n=1), chain.expected_time()
    (1/2, 1/16, oo)
    """

    samples: int
    probabilities: tuple[Expr, ...]
    real: int

    def __attrs_post_init__(self) -> None:
        """Refuse a set that is empty or larger than the sample."""
        if not 1 <= self.real <= self.samples:
            raise ValueError(f"real = {self.real} of {self.samples} tokens. Give 1 <= real <= {self.samples}.")

    def probability(self, token: int) -> Expr:
        """P(``token`` is alone in the end) = p_token^R: it is the only one kept. The sum is P(one type is left)."""
        return self._expr(self._field(token_chance(self.probabilities, token)) ** self.real)

    def expected_time(self) -> Expr:
        """E[T], T = the first generation with one type left: oo, since a set of two types is never given up."""
        return S.Zero if 1 in self.probabilities else oo

    def survival(self, n: Expr | int) -> Expr:
        """P(T > n) = 1 - sum_i p_i^R P(the copies are all of type i at generation n | the kept tokens are)."""
        if n == 0:
            return S(int(1 not in self.probabilities))
        return self._expr(self._field.one - self._total(lambda p: self._all(p, n)))

    def lost(self, token: int, n: Expr | int = oo) -> Expr:
        """P(p_token = 0 at generation n); (1 - p_token)^R in the long run."""
        return self._expr(self._absent(token_chance(self.probabilities, token), n))

    def support(self, n: Expr | int = oo) -> Expr:
        """E[number of types with p_i > 0 at generation n] = sum_i (1 - P(i is lost)); n = oo is the long run."""
        return self._expr(self._total(lambda p: self._field.one - self._absent(p, n)))

    def missing(self, n: Expr | int = oo) -> Expr:
        """E[sum of p0_i over the types lost at generation n], the share of real text that the model cannot write."""
        return self._expr(self._total(lambda p: self._field(p) * self._absent(p, n)))

    def law(self, token: int, n: Expr | int = oo, kept: int | None = None) -> list[Expr]:
        """P(``token`` is read x times at generation n >= 1), x = 0..M, given that it is ``kept`` of the R kept ones.

        Without ``kept`` the average over the set, x ~ Binomial(R, p_token); n = oo is the long run.
        """
        chance = token_chance(self.probabilities, token)
        if kept is None:
            weights = [self._binomial(chance, of_type) for of_type in range(self.real + 1)]
            laws = [self._law(chance, n, of_type) for of_type in range(self.real + 1)]
            return [self._expr(_dot(weights, column)) for column in zip(*laws, strict=True)]
        if not 0 <= kept <= self.real:
            raise ValueError(f"kept = {kept} of {self.real} tokens. Give 0 <= kept <= {self.real}.")
        return [self._expr(x) for x in self._law(chance, n, kept)]

    def spectrum(self) -> dict[Expr, int]:
        """1 once, and lambda_j = L(L-1)...(L-j+1)/M^j, L = M - R, with multiplicity binomial(j + K - 2, K - 2).

        j = 1..M, equal ones added up; that of the chain given the set, whichever it is.
        """
        K, M, L = len(self.probabilities), Integer(self.samples), self.samples - self.real
        values: Counter[Expr] = Counter({Integer(1): 1})
        for j in range(1, self.samples + 1) if K > 1 else ():
            values[ff(L, j) / M**j] += int(binomial(j + K - 2, K - 2))
        return dict(values)
