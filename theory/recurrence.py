"""Loop and observable to the closed linear recurrence of their moments, or `NotClosed` naming the monomial."""

from collections.abc import Callable, Iterable, Iterator

import attrs
from attrs import frozen
from sympy import Dummy, Expr, S

from theory import symbols
from theory.constants import depends, unfold
from theory.errors import NotClosed
from theory.families.base import Stepped
from theory.field import Element, Field, MissingGenerator, letters
from theory.loop import Loop
from theory.monomials import Monomial, Row
from theory.regimes import Regime, Replace, Schedule
from theory.signs import sign_on_domain
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
    regime: Regime = attrs.field(factory=Replace)
    """What says the sizes that rows name as entries of a sequence."""

    @property
    def homogeneous(self) -> bool:
        """Whether the rows are the same for every fit."""
        return not any(depends(x, symbols.n) for x in self.field.generators)

    def at(self, k: int) -> dict[Monomial, dict[Monomial, Expr]]:
        """Return the rows of fit k, as expressions."""
        for condition in self.conditions:
            self._require(condition, k)
        return {m: {key: self._value(w, k) for key, w in row.items()} for m, row in self.rows.items()}

    def _require(self, condition: Expr, k: int) -> None:
        value = self._of_fit(condition, k)
        if value.is_number and not value > 0:
            raise NotClosed(f"samples: fit {k} has too few points, since {value} > 0 fails. Take more samples there.")

    def _value(self, element: Element, k: int) -> Expr:
        """Return a weight at fit k, the sizes that it names put in."""
        if self.field.names(symbols.n):
            return self._of_fit(self.field.expr(element), k)
        return self.field.expr(element if self.homogeneous else self.field.at(element, symbols.n, k))

    def _of_fit(self, expr: Expr, k: int) -> Expr:
        value = unfold(expr).subs(symbols.n, k)
        return value.xreplace(self.regime.sizes_of(value))

    def expr(self, row: Row) -> Expr:
        """Return a row as an expression in the state."""
        return sum((unfold(self.field.expr(w)) * m.expr(self.state) for m, w in row.items()), S.Zero)


def recurrence(
    loop: Loop,
    family: Stepped,
    model: tuple[Expr, ...],
    steps: tuple[Step, Step],
    where: str,
    targets: Iterable[Monomial],
) -> Recurrence:
    """Return the recurrence that closes the given monomials in the state of the steps, the first and the later ones.

    Args:
        loop: says the regime and what the estimator needs.
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
            return _closed(loop, family, model, towers, list(targets))
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
    loop: Loop, family: Stepped, model: tuple[Expr, ...], towers: tuple[Tower, Tower], targets: list[Monomial]
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
    conditions = tuple(later.conditions | first.conditions | dict.fromkeys(_requirements(loop)))
    for quantity in conditions:
        if sign_on_domain(quantity.subs(symbols.n, 2)) in (0, -1):
            raise NotClosed(f"samples: {quantity} > 0 holds for no value of the symbols. Take more samples.")
    known = frozenset().union(*map(letters, source))
    return Recurrence(later.field, state, rows, start, initial, conditions, known, loop.regime)


def _requirements(loop: Loop) -> Iterator[Expr]:
    """Yield what must be positive whatever is asked: what the estimator needs, and sizes that may run out."""
    if loop.samples.is_infinite:
        return
    parts, later = loop.regime.parts(loop.samples, symbols.n), Dummy(integer=True, positive=True)
    own = isinstance(loop.regime, Schedule) or parts[0].weight is not None
    fitted = [part.size for part in parts] if own else [loop.samples]
    for quantity in (*(part.size for part in parts), *map(loop.estimator.exists, fitted)):
        if quantity is None or quantity.is_number or quantity.subs(symbols.n, later).is_nonnegative:
            continue
        if letters(quantity) - {symbols.M, symbols.alpha} or not sign_on_domain(quantity):
            yield quantity


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
    if field.names(symbols.n):
        at_first, wanted = _exprs(row, field, 1), _exprs(first, field)
        return all((at_first.get(m, S.Zero) - wanted.get(m, S.Zero)).cancel() == 0 for m in at_first | wanted)
    try:
        values = {m: field.at(w, symbols.n, 1) if symbols.n in field.generators else w for m, w in row.items()}
    except ZeroDivisionError:
        return False
    return {m: w for m, w in values.items() if w} == first


def _exprs(row: Row, field: Field, k: int | None = None) -> dict[Monomial, Expr]:
    exprs = {m: unfold(field.expr(w)) for m, w in row.items()}
    return exprs if k is None else {m: expr.subs(symbols.n, k) for m, expr in exprs.items()}
