"""What a vocabulary has lost, in chains where one type against the rest is a chain of its own.

A chain says how likely a type of one probability is to be absent; loss, support and missing mass are sums of it.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from functools import cached_property

from attrs import frozen
from sympy import Add, Expr, Gt, Integer, S, binomial, oo

from theory import symbols
from theory.discrete.shown import Shown
from theory.exact import generation_number
from theory.field import Element, Field, letters

Curve = dict[Expr, Element]
"""A function of n, sum of term * weight: {1: value} at one n, {lambda^(n - 1): weight, ...} for a symbolic n >= 1."""


@frozen
class Vocabulary(Shown, ABC):
    """M tokens per generation of types with source ``probabilities``; generation n counts fits, the source is 0.

    Where n is asked for, give a number, `oo` for the long run, or the symbol n: sums of c_k lambda_k^(n-1), n >= 1.
    """

    samples: int
    probabilities: tuple[Expr, ...]

    @abstractmethod
    def parameters(self) -> tuple[Expr, ...]:
        """Return what else the answers depend on."""

    @abstractmethod
    def eigenvalue(self, k: int) -> Expr:
        """Return lambda_k, k = 1..M, which belongs to what k tokens have in common."""

    @abstractmethod
    def absent(self, chance: Expr, n: Expr | int) -> Curve:
        """Return P(a type of probability ``chance`` is absent at generation n >= 1)."""

    def lost(self, token: int, n: Expr | int = symbols.n) -> Expr:
        """P(p_token = 0 at generation n)."""
        return self._expr(self._absent(self._chance(token), n))

    def support(self, n: Expr | int = symbols.n) -> Expr:
        """E[number of types with p_i > 0 at generation n] = sum_i (1 - P(i is lost))."""
        return len(self.probabilities) - self._sum(self._absent, dict.fromkeys(self.probabilities, self._field.one), n)

    def missing_mass(self, n: Expr | int = symbols.n) -> Expr:
        """E[sum of p0_i over the types lost at generation n], the share of real text that the model cannot write."""
        return self._sum(self._absent, {p: self._field(p) for p in self.probabilities}, n)

    def spectrum(self) -> dict[Expr, int]:
        """1 once, and lambda_k with multiplicity binomial(k + K - 2, K - 2), k = 1..M, equal ones added up."""
        K = len(self.probabilities)
        values: Counter[Expr] = Counter({Integer(1): 1})
        for k in range(1, self.samples + 1) if K > 1 else ():
            values[self.eigenvalue(k)] += int(binomial(k + K - 2, K - 2))
        return dict(values)

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What is taken to hold: symbolic probabilities and shares are positive."""
        given = (*self.parameters(), *self.probabilities)
        return tuple(Gt(x, 0) for x in dict.fromkeys(given) if not x.is_number and not x.is_positive)

    def _absent(self, chance: Expr, n: Expr | int) -> Curve:
        if not S(n).is_number or n == oo or generation_number(n) > 0:
            return self.absent(chance, n)
        return {S.One: self._field(S(int(chance == 0)))}

    def _sum(self, curve: Callable[[Expr, Expr | int], Curve], weights: dict[Expr, Element], n: Expr | int) -> Expr:
        """Return the sum over types of a curve times the weight of the probability, each probability asked once."""
        total: Curve = {}
        for chance, alike in Counter(self.probabilities).items():
            for term, weight in curve(chance, n).items():
                total[term] = total.get(term, self._field.zero) + weight * weights[chance] * alike
        return self._expr(total)

    def _powers(self, weights: list[Element], n: Expr | int) -> Curve:
        """Return sum_k weight_k lambda_k^(n - 1) with lambda_0 = 1."""
        curve: Curve = {}
        for k, weight in enumerate(weights):
            term = S.One if k == 0 else self.eigenvalue(k) ** (n - 1)
            curve[term] = curve.get(term, self._field.zero) + weight
        return curve

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

    def _expr(self, found: Curve | Element) -> Expr:
        if not isinstance(found, dict):
            return self._field.expr(found)
        return Add(*(self._field.expr(weight) * term for term, weight in found.items()))
