"""What a vocabulary has lost, in chains where one type against the rest is a chain of its own.

A chain says how likely a type of one probability is to be absent; loss, expected support and missing mass are sums.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from functools import cached_property

from attrs import frozen
from sympy import Expr, Integer, S, binomial, oo

from theory.field import Element, Field, letters


@frozen
class Vocabulary(ABC):
    """M tokens per generation of types with source ``probabilities``; generation n counts fits, the source is 0."""

    samples: int
    probabilities: tuple[Expr, ...]

    @abstractmethod
    def parameters(self) -> tuple[Expr, ...]:
        """Return what else the answers depend on."""

    @abstractmethod
    def absent(self, chance: Expr, n: Expr | int) -> Element:
        """Return P(a type of probability ``chance`` is absent at generation n >= 1, or in the long run, n = oo)."""

    def lost(self, token: int, n: Expr | int = oo) -> Expr:
        """P(p_token = 0 at generation n); n = oo is the long run."""
        return self._expr(self._absent(self._chance(token), n))

    def support(self, n: Expr | int = oo) -> Expr:
        """E[number of types with p_i > 0 at generation n] = sum_i (1 - P(i is lost)); n = oo is the long run."""
        return self._total(lambda chance: self._field.one - self._absent(chance, n))

    def missing(self, n: Expr | int = oo) -> Expr:
        """E[sum of p0_i over the types lost at generation n], the share of real text that the model cannot write."""
        return self._total(lambda chance: self._field(chance) * self._absent(chance, n))

    def _absent(self, chance: Expr, n: Expr | int) -> Element:
        if n == oo or require_generation(n) > 0:
            return self.absent(chance, n)
        return self._field(S(int(chance == 0)))

    def _total(self, term: Callable[[Expr], Element]) -> Expr:
        """Return the sum of a term over types, those of one probability reckoned once."""
        terms = (term(chance) * alike for chance, alike in Counter(self.probabilities).items())
        return self._expr(sum(terms, self._field.zero))

    def _chance(self, token: int) -> Expr:
        if token not in range(len(self.probabilities)):
            raise ValueError(f"token {token} does not exist: there are {len(self.probabilities)}. Count from 0.")
        return self.probabilities[token]

    @property
    def _single(self) -> bool:
        """Whether the source has one type from the start."""
        return 1 in self.probabilities

    @cached_property
    def _field(self) -> Field:
        found = set().union(*map(letters, (*self.parameters(), *self.probabilities)))
        return Field(tuple(sorted(found, key=str)))

    def _expr(self, element: Element) -> Expr:
        return self._field.expr(element)


def require_generation(n: Expr | int, least: int = 0) -> int:
    """Return n as an int, or raise ValueError where it is no whole number >= ``least``."""
    if not S(n).is_Integer or n < least:
        raise ValueError(f"n = {n} is not a generation. Give a whole number >= {least}.")
    return int(n)


def spectrum(eigenvalue: Callable[[int], Expr], samples: int, types: int) -> dict[Expr, int]:
    """Return 1 once, and the eigenvalue of j with multiplicity binomial(j + K - 2, K - 2), j = 1..M."""
    values: Counter[Expr] = Counter({Integer(1): 1})
    for j in range(1, samples + 1) if types > 1 else ():
        values[eigenvalue(j)] += int(binomial(j + types - 2, types - 2))
    return dict(values)
