"""From a recurrence to its solution: closed forms in n, held as polynomials in a few defined sequences.

Constant coefficients give exponential polynomials, others products and sums; moments that are read off others of the
same generation leave first.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attrs import evolve, field, frozen
from sympy import Expr, Lambda, Poly, RootSum, S, Symbol, oo
from sympy.utilities.iterables import strongly_connected_components

from theory.constants import unfold
from theory.decoupling import decoupled
from theory.errors import NoClosedForm
from theory.exponential import ExpPoly, Key, add, solve_block, solve_scalar
from theory.field import Element, Field
from theory.hypergeometric import Combination, Generator, HyperProduct, HyperSum, solve_varying
from theory.monomials import Monomial
from theory.recurrence import Recurrence
from theory.reduction import Readouts, reduced
from theory.signs import beyond, versus_one
from theory.solution import Residue, Sequence, Solution
from theory.stability import stable
from theory.superposition import Superposition, entangled, linear_form, weighed
from theory.superposition import add as accumulate
from theory.symbols import M, n


def solve(recurrence: Recurrence, weights: Iterable[Expr] = ()) -> Solution:
    """Return the solution in a field in which ``weights`` can be read too, or raise `NoClosedForm`."""
    wide = recurrence.field.extended(entangled([*recurrence.initial.values(), *weights], recurrence.field))
    if recurrence.homogeneous:
        return _Constant(recurrence, wide, blocks(recurrence)).solution()
    named = recurrence.field.names(n)  # sizes of two fits would meet in what is read off
    rest, readouts = (recurrence, {}) if named else reduced(recurrence, blocks(recurrence))
    return _completed(_Varying(rest, wide, blocks(rest)).solution(), readouts, recurrence)


def _completed(solution: Solution, readouts: Readouts, recurrence: Recurrence) -> Solution:
    """Return the solution with the moments that are read off others."""
    claims = dict(solution.claims)
    for m, row in readouts.items():
        forms = ({S.One: solution.field.lifted(w, recurrence.field)} for w in row.values())
        claims[m] = weighed(zip(forms, (solution.claims[key] for key in row), strict=True))
    return evolve(solution, claims=claims)


def _added(
    recurrence: Recurrence,
    wide: Field,
    solve_from: Callable[[Monomial], dict[Monomial, Superposition]],
    sequences: Callable[[], tuple[Sequence, ...]],
) -> Solution:
    """Return the solution, the answers to single initial monomials weighed by their values."""
    parts: dict[Monomial, list[Any]] = {m: [] for m in recurrence.rows}
    for source, value in recurrence.initial.items():
        if value != 0:
            form = linear_form(value, wide)
            for m, superposition in solve_from(source).items():
                parts[m].append((form, superposition))
    claims = {m: weighed(part) for m, part in parts.items()}
    return Solution(recurrence.start, wide, sequences(), claims, recurrence.letters)


def blocks(recurrence: Recurrence) -> list[list[Monomial]]:
    """Return the monomials in blocks that depend only on themselves and on blocks before them."""
    edges = [(m, key) for m, row in recurrence.rows.items() for key in row if key != m]
    return strongly_connected_components((list(recurrence.rows), edges))


@frozen(eq=False)
class _Constant:
    """Constant coefficients: exponential polynomials, one for each pair (moment, initial monomial)."""

    recurrence: Recurrence
    wide: Field
    blocks: list[list[Monomial]]
    names: dict[Key, tuple[Symbol, ...]] = field(factory=dict, init=False)

    @property
    def _field(self) -> Field:
        return self.recurrence.field

    def solution(self) -> Solution:
        """Solve for every initial monomial that is not 0 and add up."""
        return _added(self.recurrence, self.wide, self._from, lambda: tuple(self._sequences()))

    def _from(self, source: Monomial) -> dict[Monomial, Superposition]:
        """Return every moment when the initial monomial ``source`` is 1 and the others 0."""
        solved: dict[Monomial, ExpPoly] = {}
        for block in self.blocks:
            forcing = [self._forcing(m, block, solved) for m in block]
            start = [self._field.one if m == source else self._field.zero for m in block]
            if any(forcing) or any(start):
                solved.update(zip(block, self._block(block, forcing, start), strict=True))
        return {m: self._superposition(sequence) for m, sequence in solved.items()}

    def _forcing(self, m: Monomial, block: list[Monomial], solved: dict[Monomial, ExpPoly]) -> ExpPoly:
        total: ExpPoly = {}
        for key, weight in self.recurrence.rows[m].items():
            if key not in block and key in solved:
                add(total, solved[key], weight)
        return total

    def _block(self, block: list[Monomial], forcing: list[ExpPoly], start: list[Element]) -> list[ExpPoly]:
        zero = self._field.zero
        matrix = [[self.recurrence.rows[m].get(key, zero) for key in block] for m in block]
        bases = all(len(key) == 1 for key in forcing[0])
        if len(block) == 1 and bases and (matrix[0][0] or (zero,) not in forcing[0]):
            return [solve_scalar(matrix[0][0], forcing[0], start[0])]
        solved = solve_block(matrix, forcing, start, self._field)
        if solved is None:
            raise NoClosedForm(
                "the eigenvalue 0 is repeated, so the first generations follow no formula in n. Ask .at(n=...)."
            )
        return solved

    def _superposition(self, sequence: ExpPoly) -> Superposition:
        return {
            (S.One, (n - self.recurrence.start) ** i * symbol): self.wide.lifted(w, self._field)
            for key, terms in sequence.items()
            for i, row in enumerate(terms)
            for w, symbol in zip(row, self._named(key), strict=True)
            if w
        }

    def _named(self, key: Key) -> tuple[Expr, ...]:
        if key == (self._field.one,):
            return (S.One,)
        if key not in self.names:
            at = len(self.names) + 1
            names = [f"b{at}"] if len(key) == 1 else [f"e{at}_{j}" for j in range(len(key))]
            self.names[key] = tuple(Symbol(name) for name in names)
        return self.names[key]

    def _sequences(self) -> Iterator[Sequence]:
        for key, names in self.names.items():
            residue = _Eigenvalues(tuple(map(self._field.factors, key)), self.recurrence.conditions)
            rule = tuple(self.wide.lifted(w, self._field) for w in key)
            for j, symbol in enumerate(names):
                following = {names[-1]: rule[j]} if rule[j] else {}
                if j:
                    accumulate(following, names[j - 1], self.wide.one)
                yield Sequence(
                    symbol,
                    int(j == 0),
                    following,
                    residue.expr(j).subs(n, n - self.recurrence.start),
                    residue.limit,
                    rule,
                    Residue(residue.rule, j),
                )


@frozen
class _Eigenvalues:
    """E_j(n), the coefficient of x^j in x^n modulo chi(x) = x^s - sum_i rule[i] x^i."""

    rule: tuple[Expr, ...]
    conditions: tuple[Expr, ...]
    """Quantities that are positive."""

    def expr(self, j: int) -> Expr:
        """Return E_j(n): by Lagrange's interpolation, the sum of r^n [x^j] chi(x)/(x - r)/chi'(r) over the roots r."""
        if len(self.rule) == 1:
            return self.rule[0] ** n
        x, r = Symbol("x"), Symbol("r")
        size = len(self.rule)
        chi = Poly(x**size - sum(w * x**i for i, w in enumerate(self.rule)), x)
        quotient = sum(chi.nth(i) * r ** (i - j - 1) for i in range(j + 1, size + 1))
        return RootSum(chi, Lambda(r, r**n * quotient / chi.diff().as_expr().subs(x, r)), auto=False)

    def limit(self) -> Expr | None:
        """Return the limit in n, None where it is not known."""
        far = tuple(w.subs(M, beyond(self.conditions)) for w in self.rule)
        if stable(far):
            return S.Zero
        growing = len(far) == 1 and versus_one(unfold(far[0])) == 1
        return oo if growing else None


@frozen(eq=False)
class _Varying:
    """Coefficients that depend on n: products and sums, for recurrences without coupled moments."""

    recurrence: Recurrence
    wide: Field
    blocks: list[list[Monomial]]
    names: dict[Generator, Symbol] = field(factory=dict, init=False)

    @property
    def _field(self) -> Field:
        return self.recurrence.field

    def solution(self) -> Solution:
        """Solve for every initial monomial that is not 0 and add up."""
        return _added(self.recurrence, self.wide, self._from, lambda: tuple(self._sequences()))

    def _from(self, source: Monomial) -> dict[Monomial, Superposition]:
        """Return every moment when the initial monomial ``source`` is 1 and the others 0."""
        solved: dict[Monomial, Combination] = {}
        for block in self.blocks:
            if len(block) > 1:
                solved |= self._coupled(block, solved, source)
            else:
                solved[block[0]] = self._one(block[0], solved, source)
        return {m: self._superposition(combination) for m, combination in solved.items()}

    def _one(self, m: Monomial, solved: dict[Monomial, Combination], source: Monomial) -> Combination:
        rate = self.recurrence.rows[m].get(m, self._field.zero)
        forcing = self._forcing(m, [m], solved)
        return solve_varying(rate, forcing, self._initial(m, source), self.recurrence.start, self._field)

    def _initial(self, m: Monomial, source: Monomial) -> Element:
        return self._field.one if m == source else self._field.zero

    def _forcing(self, m: Monomial, block: list[Monomial], solved: dict[Monomial, Combination]) -> Combination:
        """Return what the moments outside the block add to the next value, in the sequences before it."""
        forcing: Combination = {}
        for key, weight in self.recurrence.rows[m].items():
            if key not in block:
                for g, factor in solved[key].items():
                    accumulate(forcing, g, weight * self._field.before(factor, n))
        return forcing

    def _coupled(
        self, block: list[Monomial], solved: dict[Monomial, Combination], source: Monomial
    ) -> dict[Monomial, Combination]:
        """Solve for the common eigenvectors of a block, each on its own, and turn back."""
        field = self._field
        found = decoupled([[self.recurrence.rows[m].get(key, field.zero) for key in block] for m in block], field)
        if found is None:
            raise NoClosedForm(
                f"{len(block)} moments are coupled with coefficients that depend on n. Ask .at(n=...) for values."
            )
        forcings = [self._forcing(m, block, solved) for m in block]
        initial = [self._initial(m, source) for m in block]
        turned = []
        for vector, rate in zip(found.vectors, found.rates, strict=True):
            begin = sum((w * value for w, value in zip(vector, initial, strict=True)), field.zero)
            turned.append(solve_varying(rate, _mixed(vector, forcings), begin, self.recurrence.start, field))
        return {m: _mixed(row, turned) for m, row in zip(block, found.inverse, strict=True)}

    def _superposition(self, combination: Combination) -> Superposition:
        return {(S.One, self._named(g)): self.wide.lifted(w, self._field) for g, w in combination.items()}

    def _named(self, generator: Generator | None) -> Expr:
        if generator is None:
            return S.One
        if isinstance(generator, HyperSum):
            self._named(generator.of)
        return self.names.setdefault(generator, Symbol(f"h{len(self.names) + 1}"))

    def _sequences(self) -> Iterator[Sequence]:
        for generator, symbol in self.names.items():
            form = generator.expr()
            if isinstance(generator, HyperProduct):
                yield Sequence(symbol, 1, {symbol: self._later(generator.ratio)}, form, generator.limit)
            else:
                following = {symbol: self._later(generator.rate)}
                accumulate(following, self._named(generator.of), self._later(generator.weight))
                yield Sequence(symbol, 0, following, form, generator.limit)

    def _later(self, expr: Expr) -> Element:
        """Return a coefficient of fit n as one of fit n + 1."""
        return self.wide.shifted(self.wide(expr), n, 1)


def _mixed(weights: Iterable[Element], combinations: Iterable[Combination]) -> Combination:
    """Return the weighted sum of combinations."""
    total: Combination = {}
    for weight, combination in zip(weights, combinations, strict=True):
        for g, factor in combination.items():
            accumulate(total, g, weight * factor)
    return total
