"""What a recurrence's solution is: every moment in n and in a few defined sequences.

A solution names sequences (powers of a base, residues of an irrational eigenvalue, products, sums), each with the
one-term rule that defines it, and writes every moment in them. That is all a checker needs to accept it by induction.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise

from attrs import frozen
from sympy import Add, Expr, Symbol

from theory.constants import unfold
from theory.field import Element, Field
from theory.monomials import Monomial
from theory.signs import undecided_factors
from theory.superposition import Pair, Superposition, collected, linear_form, weighed, written
from theory.symbols import n


@frozen
class Residue:
    """E_j(n), the coefficient of x^j in x^n modulo x^s = sum_i rule[i] x^i."""

    rule: tuple[Expr, ...]
    j: int


@frozen(eq=False)
class Sequence:
    """A defined sequence: its value at the start, its next value as a combination of sequences at n, and its closed
    form.
    """

    symbol: Symbol
    start: int
    next: dict[Expr, Element]
    expr: Expr
    find_limit: Callable[[], Expr | None]
    rule: tuple[Element, ...] = ()
    """For a residue, the rewriting rule of its eigenvalues."""
    residue: Residue | None = None

    @cached_property
    def limit(self) -> Expr | None:
        """The limit in n, None where it is not known; Gamma ratios take time to decide, so it is found on demand."""
        return self.find_limit()


@frozen(eq=False)
class Solution:
    """E m(model k) for every monomial m, for k >= start, in n and in defined sequences."""

    start: int
    field: Field
    sequences: tuple[Sequence, ...]
    claims: dict[Monomial, Superposition]
    letters: frozenset[Expr] = frozenset()
    """The letters of the source, by which answers are grouped."""

    def combined(self, targets: Mapping[Monomial, Expr]) -> Superposition:
        """Return a combination of the moments."""
        return weighed((linear_form(weight, self.field), self.claims[m]) for m, weight in targets.items())

    def expression(self, superposition: Superposition) -> Expr:
        """Return a superposition as a closed form in n."""
        closed = {s.symbol: s.expr for s in self.sequences}
        short = collected(superposition, self.field, self.letters)
        return unfold(written(short, self.field, closed, self._pairs(), n - self.start))

    def expr(self, superposition: Superposition) -> Expr:
        """Return a superposition in n and the names of the sequences."""
        return Add(*(x * self.field.expr(w) * sequence for (x, sequence), w in superposition.items()))

    @cached_property
    def divisors(self) -> tuple[Expr, ...]:
        """What the claims divide by and is not known to be non-zero on the domain."""
        weights = (w for claim in self.claims.values() for w in claim.values())
        factors = {f: None for w in weights for f, e in self.field.factored(w).factors.items() if e < 0}
        return tuple(f for terms in factors for f in undecided_factors(self.field.factor(terms), self.start))

    def _pairs(self) -> Iterator[Pair]:
        for one, two in pairwise(self.sequences):
            if len(two.rule) == 2 and one.rule is two.rule:
                yield one.symbol, two.symbol, two.rule[1], -two.rule[0]
