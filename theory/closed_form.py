"""From a recurrence to its solution: closed forms in n, held as polynomials in a few defined sequences.

A solution names sequences (powers of a base, residues of an irrational eigenvalue, products, sums), each with the
one-term rule that defines it, and writes every moment in them. That is all a checker needs to accept it by induction.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from attrs import field, frozen
from sympy import Expr, Lambda, Poly, RootSum, S, Symbol, oo, sqrt
from sympy.utilities.iterables import strongly_connected_components

from theory.constants import unfold
from theory.errors import NoClosedForm
from theory.exponential import ExpPoly, Key, add, solve_block, solve_scalar
from theory.field import Element
from theory.hypergeometric import Combination, Generator, HyperProduct, HyperSum, solve_varying
from theory.monomials import Monomial
from theory.recurrence import Recurrence
from theory.signs import sign_on_domain, stable
from theory.symbols import n


@frozen
class Sequence:
    """A defined sequence: its value at the start, its next value in terms of n and of sequences at n, and its closed
    form.
    """

    symbol: Symbol
    start: Expr
    next: Expr
    expr: Expr
    limit: Expr | None = None


@frozen(eq=False)
class Solution:
    """E m(model k) for every monomial m, for k >= start, in n and in defined sequences."""

    start: int
    sequences: tuple[Sequence, ...]
    claims: dict[Monomial, Expr]

    def expression(self, combined: Expr) -> Expr:
        """Return an expression in sequences as a closed form in n, grouped by sequence, each coefficient factored."""
        names = [s.symbol for s in self.sequences]
        closed = {s.symbol: s.expr for s in self.sequences}
        total = S.Zero
        for powers, weight in (
            Poly(combined, n, *names).terms() if self._polynomial(combined) else self._by_sequence(combined)
        ):
            term = unfold(weight.factor())
            for symbol, power in zip((n, *names), powers, strict=True):
                term *= closed.get(symbol, symbol) ** power
            total += term
        return total

    def _polynomial(self, combined: Expr) -> bool:
        return combined.is_polynomial(n, *(s.symbol for s in self.sequences))

    def _by_sequence(self, combined: Expr) -> Iterator[tuple[tuple[int, ...], Expr]]:
        names = [s.symbol for s in self.sequences]
        for powers, weight in Poly(combined, *names).terms():
            yield (0, *powers), weight

    def values(self) -> Iterator[dict[Symbol, Expr]]:
        """Yield the sequences' values, with n, for n = start, start + 1, ..., by their defining rules."""
        now = {s.symbol: s.start for s in self.sequences}
        k = S(self.start)
        while True:
            here = now | {n: k}
            yield here
            now = {s.symbol: s.next.xreplace(here) for s in self.sequences}
            k += 1


def solve(recurrence: Recurrence) -> Solution:
    """Return the solution, or raise `NoClosedForm`."""
    return _Constant(recurrence).solution() if recurrence.homogeneous else _Varying(recurrence).solution()


def _blocks(recurrence: Recurrence) -> list[list[Monomial]]:
    """Return the monomials in blocks that depend only on themselves and on blocks before them."""
    edges = [(m, key) for m, row in recurrence.rows.items() for key in row if key != m]
    return strongly_connected_components((list(recurrence.rows), edges))


@frozen(eq=False)
class _Constant:
    """Constant coefficients: exponential polynomials, one for each pair (moment, initial monomial)."""

    recurrence: Recurrence
    names: dict[Key, tuple[Symbol, ...]] = field(factory=dict, init=False)

    @cached_property
    def _domain(self) -> Any:
        return self.recurrence.field.domain

    def solution(self) -> Solution:
        """Solve for every initial monomial that is not 0 and add up."""
        claims = dict.fromkeys(self.recurrence.rows, S.Zero)
        for source, value in self.recurrence.initial.items():
            if value == 0:
                continue
            for m, sequence in self._from(source).items():
                claims[m] += value * self._expr(sequence)
        return Solution(self.recurrence.start, tuple(self._sequences()), claims)

    def _from(self, source: Monomial) -> dict[Monomial, ExpPoly]:
        """Return every moment when the initial monomial ``source`` is 1 and the others 0."""
        solved: dict[Monomial, ExpPoly] = {}
        for block in _blocks(self.recurrence):
            forcing = [self._forcing(m, block, solved) for m in block]
            start = [self._domain.one if m == source else self._domain.zero for m in block]
            if any(forcing) or any(start):
                solved.update(zip(block, self._block(block, forcing, start), strict=True))
        return solved

    def _forcing(self, m: Monomial, block: list[Monomial], solved: dict[Monomial, ExpPoly]) -> ExpPoly:
        total: ExpPoly = {}
        for key, weight in self.recurrence.rows[m].items():
            if key not in block and key in solved:
                add(total, solved[key], weight)
        return total

    def _block(self, block: list[Monomial], forcing: list[ExpPoly], start: list[Element]) -> list[ExpPoly]:
        zero = self._domain.zero
        matrix = [[self.recurrence.rows[m].get(key, zero) for key in block] for m in block]
        bases = all(len(key) == 1 for key in forcing[0])
        if len(block) == 1 and bases and (matrix[0][0] or (zero,) not in forcing[0]):
            return [solve_scalar(matrix[0][0], forcing[0], start[0])]
        solved = solve_block(matrix, forcing, start, self._domain)
        if solved is None:
            raise NoClosedForm(
                "the eigenvalue 0 is repeated, so the first generations follow no formula in n. Ask .at(n=...)."
            )
        return solved

    def _expr(self, sequence: ExpPoly) -> Expr:
        expr = self.recurrence.field.expr
        return sum(
            (
                expr(w) * n**i * symbol
                for key, terms in sequence.items()
                for i, row in enumerate(terms)
                for w, symbol in zip(row, self._named(key), strict=True)
            ),
            S.Zero,
        )

    def _named(self, key: Key) -> tuple[Expr, ...]:
        if key == (self._domain.one,):
            return (S.One,)
        if key not in self.names:
            at = len(self.names) + 1
            names = [f"b{at}"] if len(key) == 1 else [f"e{at}_{j}" for j in range(len(key))]
            self.names[key] = tuple(Symbol(name) for name in names)
        return self.names[key]

    def _sequences(self) -> Iterator[Sequence]:
        for key, names in self.names.items():
            rule = [self.recurrence.field.expr(w) for w in key]
            for j, symbol in enumerate(names):
                before = names[j - 1] if j else S.Zero
                yield Sequence(
                    symbol, S(int(j == 0)), before + rule[j] * names[-1], _residue(rule, j), _residue_limit(rule)
                )


def _residue(rule: list[Expr], j: int) -> Expr:
    """Return E_j(n), the coefficient of x^j in x^n modulo x^s - sum_i rule[i] x^i, in closed form."""
    if len(rule) == 1:
        return rule[0].factor() ** n
    if len(rule) == 2:
        root = sqrt((rule[1] ** 2 + 4 * rule[0]).factor())
        one, two = (rule[1] + root) / 2, (rule[1] - root) / 2
        return (one**n - two**n) / root if j else (one * two**n - two * one**n) / root
    x = Symbol("x")
    chi = Poly(x ** len(rule) - sum(w * x**i for i, w in enumerate(rule)), x)
    # Lagrange: E_j(n) = sum over roots r of r^n [x^j] chi(x)/(x - r)/chi'(r).
    r = Symbol("r")
    quotient = sum(chi.nth(i) * r ** (i - j - 1) for i in range(j + 1, len(rule) + 1))
    weight = r**n * quotient / chi.diff().as_expr().subs(x, r)
    return RootSum(chi, Lambda(r, weight), auto=False)


def _residue_limit(rule: list[Expr]) -> Expr | None:
    if stable(rule):
        return S.Zero
    growing = len(rule) == 1 and sign_on_domain(rule[0] - 1) == 1
    return oo if growing else None


@frozen(eq=False)
class _Varying:
    """Coefficients that depend on n: products and sums, for recurrences without coupled moments."""

    recurrence: Recurrence
    names: dict[Generator, Symbol] = field(factory=dict, init=False)

    def solution(self) -> Solution:
        """Solve block by block."""
        solved: dict[Monomial, Combination] = {}
        for block in _blocks(self.recurrence):
            if len(block) > 1:
                raise NoClosedForm(
                    f"{len(block)} moments are coupled with coefficients that depend on n. Ask .at(n=...) for values."
                )
            solved[block[0]] = self._one(block[0], solved)
        claims = {m: self._expr(combination) for m, combination in solved.items()}
        return Solution(self.recurrence.start, tuple(self._sequences()), claims)

    def _one(self, m: Monomial, solved: dict[Monomial, Combination]) -> Combination:
        expr = self.recurrence.field.expr
        row = self.recurrence.rows[m]
        forcing: Combination = {}
        for key, weight in row.items():
            if key != m:
                for g, factor in solved[key].items():
                    forcing[g] = (forcing.get(g, S.Zero) + expr(weight) * factor.subs(n, n - 1)).cancel()
        forcing = {g: w for g, w in forcing.items() if w != 0}
        rate = expr(row.get(m, self.recurrence.field.domain.zero))
        return solve_varying(rate, forcing, self.recurrence.initial[m], self.recurrence.start)

    def _expr(self, combination: Combination) -> Expr:
        return sum((weight * self._named(g) for g, weight in combination.items()), S.Zero)

    def _named(self, generator: Generator | None) -> Expr:
        if generator is None:
            return S.One
        if isinstance(generator, HyperSum):
            self._named(generator.of)
        return self.names.setdefault(generator, Symbol(f"h{len(self.names) + 1}"))

    def _sequences(self) -> Iterator[Sequence]:
        for generator, symbol in self.names.items():
            if isinstance(generator, HyperProduct):
                rule = generator.ratio.subs(n, n + 1) * symbol
                yield Sequence(symbol, S.One, rule, generator.expr(), generator.limit())
            else:
                rule = generator.rate.subs(n, n + 1) * symbol + generator.weight.subs(n, n + 1) * self._named(
                    generator.of
                )
                yield Sequence(symbol, S.Zero, rule, generator.expr(), generator.limit())
