"""From a recurrence to its solution: closed forms in n, held as polynomials in a few defined sequences.

A solution names sequences (powers of a base, residues of an irrational eigenvalue, products, sums), each with the
one-term rule that defines it, and writes every moment in them. That is all a checker needs to accept it by induction.
"""

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

from attrs import field, frozen
from sympy import Add, Expr, Lambda, Mul, Poly, Pow, RootSum, S, Symbol, oo, sqrt
from sympy.utilities.iterables import strongly_connected_components

from theory.constants import unfold
from theory.errors import NoClosedForm
from theory.exponential import ExpPoly, Key, add, solve_block, solve_scalar
from theory.field import Element
from theory.hypergeometric import Combination, Generator, HyperProduct, HyperSum, solve_varying
from theory.monomials import Monomial
from theory.recurrence import Recurrence
from theory.signs import beyond, stable, versus_one
from theory.symbols import M, n


@frozen
class Sequence:
    """A defined sequence: its value at the start, its next value in terms of n and of sequences at n, and its closed
    form.
    """

    symbol: Symbol
    start: Expr
    next: Expr
    expr: Expr
    tends_to: Callable[[], Expr | None] = lambda: None
    rule: tuple[Expr, ...] = ()
    """For a residue, the rewriting rule of its eigenvalues."""

    @cached_property
    def limit(self) -> Expr | None:
        """The limit in n, None where it is not known; Gamma ratios take time to decide, so it is found on demand."""
        return self.tends_to()


@frozen(eq=False)
class Solution:
    """E m(model k) for every monomial m, for k >= start, in n and in defined sequences."""

    start: int
    sequences: tuple[Sequence, ...]
    claims: dict[Monomial, Expr]

    def expression(self, combined: Expr) -> Expr:
        """Return an expression in sequences as a closed form in n, grouped by sequence, each coefficient factored."""
        weights = self._weights(combined)
        paired = [term for pair in self._pairs() for term in _paired(weights, *pair, n - self.start)]
        closed = {s.symbol: s.expr for s in self.sequences}
        return Add(*paired, *(unfold(weight.factor()) * key.xreplace(closed) for key, weight in weights.items()))

    def _weights(self, combined: Expr) -> dict[Expr, Expr]:
        """Return the coefficient of every product of sequences (and of n, where coefficients are polynomial in it)."""
        names = [s.symbol for s in self.sequences]
        generators = [n, *names] if combined.is_polynomial(n, *names) else names
        terms = Poly(combined, *generators).terms() if generators else [((), combined)]
        return {Mul(*map(Pow, generators, powers)): weight for powers, weight in terms}

    def _pairs(self) -> Iterator[tuple[Symbol, Symbol, Expr, Expr]]:
        """Yield (E_0, E_1, trace, determinant) of every pair of irrational eigenvalues."""
        for one, two in pairwise(self.sequences):
            if len(two.rule) == 2 and one.rule is two.rule:
                yield one.symbol, two.symbol, two.rule[1], -two.rule[0]


def _paired(
    weights: dict[Expr, Expr], e0: Symbol, e1: Symbol, trace: Expr, determinant: Expr, elapsed: Expr
) -> Iterator[Expr]:
    """Take a n^i E_0 + b n^i E_1 out of the weights and yield n^i (A r^m + B s^m), r and s the
    eigenvalues and m the fits since the start.

    With the discriminant D^2 = trace^2 - 4 determinant, A and B are a/2 +- (b - a trace/2)/D.
    """
    root = sqrt((trace**2 - 4 * determinant).factor())
    powers = {(key / e).cancel() for e in (e0, e1) for key in weights if key.has(e)}
    for power in sorted(powers, key=str):
        a, b = weights.pop(power * e0, S.Zero), weights.pop(power * e1, S.Zero)
        half, rest = unfold((a / 2).factor()), unfold((b - a * trace / 2).factor()) / root
        for sign in (1, -1):
            yield power * (half + sign * rest) * (trace / 2 + sign * root / 2) ** elapsed


def solve(recurrence: Recurrence) -> Solution:
    """Return the solution, or raise `NoClosedForm`."""
    return _Constant(recurrence).solution() if recurrence.homogeneous else _Varying(recurrence).solution()


def blocks(recurrence: Recurrence) -> list[list[Monomial]]:
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
        for block in blocks(self.recurrence):
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
                expr(w) * (n - self.recurrence.start) ** i * symbol
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
            rule = tuple(self.recurrence.field.expr(w) for w in key)
            far = tuple(w.subs(M, beyond(self.recurrence.conditions)) for w in rule)
            for j, symbol in enumerate(names):
                before = names[j - 1] if j else S.Zero
                following = before + rule[j] * names[-1]
                closed = _residue(rule, j).subs(n, n - self.recurrence.start)
                yield Sequence(symbol, S(int(j == 0)), following, closed, partial(_residue_limit, far), rule)


def _residue(rule: tuple[Expr, ...], j: int) -> Expr:
    """Return E_j(n), the coefficient of x^j in x^n modulo chi(x) = x^s - sum_i rule[i] x^i, in closed form.

    By Lagrange's interpolation E_j(n) = sum over the roots r of chi of r^n [x^j] chi(x)/(x - r)/chi'(r).
    """
    if len(rule) == 1:
        return rule[0].factor() ** n
    x, r = Symbol("x"), Symbol("r")
    chi = Poly(x ** len(rule) - sum(w * x**i for i, w in enumerate(rule)), x)
    quotient = sum(chi.nth(i) * r ** (i - j - 1) for i in range(j + 1, len(rule) + 1))
    return RootSum(chi, Lambda(r, r**n * quotient / chi.diff().as_expr().subs(x, r)), auto=False)


def _residue_limit(rule: tuple[Expr, ...]) -> Expr | None:
    if stable(rule):
        return S.Zero
    growing = len(rule) == 1 and versus_one(unfold(rule[0])) == 1
    return oo if growing else None


@frozen(eq=False)
class _Varying:
    """Coefficients that depend on n: products and sums, for recurrences without coupled moments."""

    recurrence: Recurrence
    names: dict[Generator, Symbol] = field(factory=dict, init=False)

    def solution(self) -> Solution:
        """Solve block by block."""
        solved: dict[Monomial, Combination] = {}
        for block in blocks(self.recurrence):
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
                yield Sequence(symbol, S.One, rule, generator.expr(), generator.limit)
            else:
                rule = generator.rate.subs(n, n + 1) * symbol + generator.weight.subs(n, n + 1) * self._named(
                    generator.of
                )
                yield Sequence(symbol, S.Zero, rule, generator.expr(), generator.limit)
