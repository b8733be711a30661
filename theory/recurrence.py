"""Loop and observable to the closed linear recurrence of their moments, or `NotClosed` naming the monomial."""

from collections.abc import Callable, Iterator

from attrs import frozen
from sympy import Dummy, Expr, Indexed, S

from theory import symbols
from theory.constants import unfold
from theory.errors import NotClosed
from theory.families.base import Derivable
from theory.field import Element, Field, MissingGenerator, letters
from theory.loop import Loop
from theory.monomials import Monomial, Row, linear
from theory.regimes import Regime, Schedule
from theory.step import Step, step
from theory.tower import Tower

LIMIT = 400
"""A closure of more monomials than this is taken to be infinite."""


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
    regime: Regime
    """What says the sizes that rows name as entries of a sequence."""

    @property
    def homogeneous(self) -> bool:
        """Whether the rows are the same for every fit."""
        return not any(symbols.n in x.free_symbols for x in self.field.generators)

    def at(self, k: int) -> dict[Monomial, Row]:
        """Return the rows of fit k."""
        if self.homogeneous:
            return self.rows
        for condition in self.conditions:
            self._require(condition, k)
        return {m: {key: self._value(w, k) for key, w in row.items()} for m, row in self.rows.items()}

    def _require(self, condition: Expr, k: int) -> None:
        value = self._of_fit(condition, k)
        if value.is_number and not value > 0:
            raise NotClosed(f"samples: fit {k} has too few points, since {value} > 0 fails. Take more samples there.")

    def _value(self, element: Element, k: int) -> Element:
        value = self._of_fit(self.field.expr(element), k)
        entries = {x for x in letters(value) if isinstance(x, Indexed)} - set(self.field.generators)
        return (Field((*self.field.generators, *entries)) if entries else self.field)(value)

    def _of_fit(self, expr: Expr, k: int) -> Expr:
        value = expr.subs(symbols.n, k)
        return value.xreplace(self.regime.sizes_of(value))

    def expr(self, row: Row) -> Expr:
        """Return a row as an expression in the state."""
        return sum((unfold(self.field.expr(w)) * m.expr(self.state) for m, w in row.items()), S.Zero)


def recurrence(loop: Loop, family: Derivable, observable: Expr) -> tuple[Recurrence, dict[Monomial, Expr]]:
    """Return the recurrence that closes an observable, and the observable as a combination of its monomials.

    Raises:
        NotClosed: an observable that is no combination of monomials, or whose moments do not close.
    """
    model = family.state(observable)
    first, later = step(loop, family, model, S.One), step(loop, family, model)
    state = later.state
    targets = linear(observable, state)
    generators = _generators(first, state) | _generators(later, state)
    while True:
        try:
            field = Field(tuple(sorted(generators, key=str)))
            where = f"{type(family).__name__}, {loop.estimator}, {loop.regime}, {loop.sampling}"
            towers = Tower(first, field, where), Tower(later, field, where)
            return _closed(loop, family, state, towers, list(targets)), targets
        except MissingGenerator as missing:
            generators |= missing.found


def start_of(family: Derivable, state: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """Return the value of every state symbol at generation 0: the source's, and 0 for what only later fits remember."""
    source = family.start(state)
    return tuple(source.get(x, S.Zero) for x in state)


def _generators(refit: Step, state: tuple[Expr, ...]) -> set[Expr]:
    """Return the letters of the coefficients of a step; what its moments bring in comes later."""
    inner = {*state, *(x for law in refit.laws for x in law.symbols)}
    return set().union(*map(letters, refit.update.values())) - inner


def _closed(
    loop: Loop, family: Derivable, state: tuple[Expr, ...], towers: tuple[Tower, Tower], targets: list[Monomial]
) -> Recurrence:
    first, later = towers
    rows = _closure(later, targets, state)
    source = start_of(family, state)
    start = 0 if all(_same(rows[m], first(m), later.field) for m in rows) else 1
    initial = {m: m.expr(source) for m in rows}
    if start:
        initial = {m: _evaluate(first(m), source, later.field) for m in rows}
    conditions = tuple(later.conditions | first.conditions | dict.fromkeys(_requirements(loop)))
    return Recurrence(later.field, state, rows, start, initial, conditions, loop.regime)


def _requirements(loop: Loop) -> Iterator[Expr]:
    """Yield what must be positive whatever is asked: what the estimator needs, and sizes that may run out."""
    if loop.samples.is_infinite:
        return
    parts, later = loop.regime.parts(loop.samples, symbols.n), Dummy(integer=True, positive=True)
    own = isinstance(loop.regime, Schedule) or parts[0].weight is not None
    fitted = [part.size for part in parts] if own else [loop.samples]
    for quantity in (*(part.size for part in parts), *map(loop.estimator.exists, fitted)):
        if quantity is not None and not quantity.subs(symbols.n, later).is_nonnegative and not quantity.is_number:
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
        if len(rows) == LIMIT:
            raise NotClosed(
                f"the moments do not close: {LIMIT} monomials still need others, the last is {monomial.expr(state)}. "
                "Ask simulate(loop) instead."
            )
        rows[monomial] = operator(monomial)
        waiting.extend(key for key in rows[monomial] if key not in rows)
    return rows


def _evaluate(row: Row, source: tuple[Expr, ...], field: Field) -> Expr:
    return sum((field.expr(w) * m.expr(source) for m, w in row.items()), S.Zero)


def _same(row: Row, first: Row, field: Field) -> bool:
    """Return whether a row at fit 1 is the row of the first fit, so that the recurrence starts at generation 0."""
    values = {m: field.expr(w).subs(symbols.n, 1) for m, w in row.items()}
    if any(value.has(S.ComplexInfinity, S.NaN) for value in values.values()):
        return False
    wanted = {m: field.expr(w) for m, w in first.items()}
    return all((values.get(m, S.Zero) - wanted.get(m, S.Zero)).cancel() == 0 for m in values | wanted)
