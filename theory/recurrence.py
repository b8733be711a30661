"""Loop and observable to the closed linear recurrence of their moments, or `NotClosed` naming the monomial."""

from collections.abc import Callable, Iterable

from attrs import frozen
from sympy import Expr, S

from theory import symbols
from theory.constants import unfold
from theory.errors import NotClosed
from theory.families.base import Stepped
from theory.field import Element, Field, MissingGenerator, letters
from theory.monomials import Monomial, Row
from theory.step import Step
from theory.tower import Tower

LIMIT = 400
"""A closure that adds more monomials than this is taken to be infinite."""


@frozen(eq=False)
class Recurrence:
    """E m(model k) = sum_l rows[m][l] E l(model k-1) for k > start, from given values at ``start``.

    Where the rows depend on the number k of the fit, they hold it as the symbol n.
    """

    field: Field
    state: tuple[Expr, ...]
    rows: dict[Monomial, Row]
    start: int
    initial: dict[Monomial, Expr]
    """E m(model start), in the source's parameters."""
    conditions: tuple[Expr, ...]
    """Quantities that must be positive."""
    letters: frozenset[Expr] = frozenset()
    """The letters in the source's values."""

    @property
    def homogeneous(self) -> bool:
        """Whether the rows are the same for every fit."""
        return not any(symbols.n in x.free_symbols for x in self.field.generators)

    def at(self, k: int) -> dict[Monomial, Row]:
        """Return the rows of fit k."""
        if self.homogeneous:
            return self.rows
        return {m: _at(row, k, self.field) for m, row in self.rows.items()}

    def expr(self, row: Row) -> Expr:
        """Return a row as an expression in the state."""
        return sum((unfold(self.field.expr(w)) * m.expr(self.state) for m, w in row.items()), S.Zero)


def recurrence(
    family: Stepped, model: tuple[Expr, ...], steps: tuple[Step, Step], where: str, targets: Iterable[Monomial]
) -> Recurrence:
    """Return the recurrence that closes the given monomials in the state of the steps, the first and the later ones.

    Args:
        family: says the values at generation 0.
        model: the parameters in the state; the rest of it is what later fits remember.
        steps: the first fit and the later ones.
        where: names the loop in refusals.
        targets: monomials in the state.

    Raises:
        NotClosed: their moments do not close.
    """
    first, later = steps
    state = later.state
    generators = _generators(first, state) | _generators(later, state)
    while True:
        try:
            field = Field(tuple(sorted(generators, key=str)))
            tower = Tower(later, field, where)
            towers = tower if first == later else Tower(first, field, where), tower
            return _closed(family, model, towers, list(targets))
        except MissingGenerator as missing:
            generators |= missing.found


def start_of(family: Stepped, state: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """Return the value of every state symbol at generation 0: the source's, and 0 for what only later fits remember."""
    source = family.start(state)
    return tuple(source.get(x, S.Zero) for x in state)


def _generators(refit: Step, state: tuple[Expr, ...]) -> set[Expr]:
    """Return the letters of the coefficients of a step; what its moments bring in comes later."""
    inner = {*state, *(x for law in refit.laws for x in law.symbols)}
    return set().union(*map(letters, refit.update.values())) - inner


def _closed(
    family: Stepped, model: tuple[Expr, ...], towers: tuple[Tower, Tower], targets: list[Monomial]
) -> Recurrence:
    first, later = towers
    state = later.step.state
    rows = _closure(later, targets, state)
    source = start_of(family, state)
    # What is remembered has no value before the first fit.
    alike = set(state) == set(model) and (first is later or all(_same(rows[m], first(m), later.field) for m in rows))
    start = 0 if alike else 1
    initial = {m: m.expr(source) for m in rows}
    if start:
        initial = {m: _evaluate(first(m), source, later.field) for m in rows}
    conditions = tuple(later.conditions | first.conditions)
    return Recurrence(later.field, state, rows, start, initial, conditions, frozenset().union(*map(letters, source)))


def _closure(
    operator: Callable[[Monomial], Row], targets: list[Monomial], state: tuple[Expr, ...]
) -> dict[Monomial, Row]:
    rows: dict[Monomial, Row] = {}
    waiting = list(targets)
    while waiting:
        monomial = waiting.pop()
        if monomial in rows:
            continue
        if len(rows) == LIMIT + len(targets):
            raise NotClosed(
                f"the moments do not close: {len(rows)} monomials still need others, "
                f"the last is {monomial.expr(state)}. Ask simulate(loop) instead."
            )
        rows[monomial] = operator(monomial)
        waiting.extend(key for key in rows[monomial] if key not in rows)
    return rows


def _evaluate(row: Row, source: tuple[Expr, ...], field: Field) -> Expr:
    return sum((field.expr(w) * m.expr(source) for m, w in row.items()), S.Zero)


def _same(row: Row, first: Row, field: Field) -> bool:
    """Return whether a row at fit 1 is the row of the first fit, so that the recurrence starts at generation 0."""
    try:
        return (_at(row, 1, field) if symbols.n in field.generators else row) == first
    except ZeroDivisionError:
        return False


def _at(row: Row, k: int, field: Field) -> dict[Monomial, Element]:
    """Return a row that depends on n at n = k."""
    values = {m: field.at(w, symbols.n, k) for m, w in row.items()}
    return {m: w for m, w in values.items() if w}
