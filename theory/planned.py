"""`Plan`: the value of a loop's symbol that keeps a quantity within a bound, with what shows that it does.

A plan knows its own certificate: the two values next to each other of which one meets the bound, the quantity at both,
and the ranges over which it is shown that there is no other.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import takewhile
from typing import Any, Literal

from attrs import field, frozen
from sympy import Expr, Integer, S, Symbol, oo

from theory.axes import substituted
from theory.judge import Point, Relation
from theory.latex import latex, spelled
from theory.quantities import Quantity
from theory.regimes import Schedule
from theory.steps import in_runs

Side = Literal["least", "greatest"]
_SIGNS = {">=": r"\ge", "<=": r"\le", "=": "="}


@frozen(eq=False)
class Plan:
    """The value of a symbol that keeps a quantity within a bound; prints as text and as LaTeX."""

    quantity: Quantity
    symbol: Symbol
    relation: Relation
    bound: Expr
    horizon: Expr
    side: Side | None
    """Which value is given: the "least" or the "greatest" that meets the bound; None where points disagree."""
    expression: Any
    """The value at which the bound is met exactly, in symbols; None where it cannot be written down."""
    crossing: Any = None
    """The `theory.crossing.Crossing`, None where symbols are left."""
    search: Any = field(default=None, repr=False)
    """The `theory.crossing.Search` that found it."""
    scaled: Mapping[Symbol, Expr] = field(factory=dict)
    """Symbols that change nothing about the answer, with the numbers that the certificate has for them."""

    @property
    def value(self) -> Any:
        """The value that meets the bound, a whole number or fraction; None where symbols are left."""
        return None if self.crossing is None else self.crossing.holds

    @property
    def bracket(self) -> Any:
        """Two values in order, neighbours on a grid or close to each other, of which one meets the bound."""
        if self.crossing is None or self.crossing.fails is None:
            return None
        ends = self.crossing.fails, self.crossing.holds
        return min(ends), max(ends)

    @cached_property
    def neighbours(self) -> tuple[Point, ...]:
        """The certificate: the value that fails, if there is one, and the value that meets the bound, with the quantity
        at each, from the recurrence or the chain itself.
        """
        if self.crossing is None or self.search is None:
            return ()
        ends = (self.crossing.fails, self.crossing.holds)
        return tuple(self.search.judge.point(at) for at in ends if at is not None)

    @cached_property
    def settled(self) -> tuple[tuple[Expr, Expr, bool], ...]:
        """The ranges (from, to, meets) on either side of the crossing on which the bound is shown to be missed, or met,
        at every value: by interval arithmetic, by monotony, or one by one.
        """
        if self.search is None:
            return ()
        settled, grid = self.search.judge.settled, self.search.grid
        return tuple((low, high, met) for low, high, met in self._sides if settled(low, high, met, grid))

    @property
    def _sides(self) -> Iterator[tuple[Expr, Expr, bool]]:
        """Yield the ranges (from, to, meets) to the left and right of the crossing, up to the next one."""
        if self.crossing is None or self.search is None:
            return
        ends = {self.crossing.holds: True}
        if self.crossing.fails is not None:
            ends[self.crossing.fails] = False
        low, high = min(ends), max(ends)
        below = [at for at, _ in takewhile(lambda p: p[1] == ends[low], reversed(self._looked(lambda at: at < low)))]
        above = [at for at, _ in takewhile(lambda p: p[1] == ends[high], self._looked(lambda at: at > high))]
        endless = self.search.grid.high == oo and self.search.judge.course is not None
        if len(ends) == 2 or below:
            yield min([*below, low]), low, ends[low]
        if len(ends) == 2 or not below:
            yield high, oo if endless else max([*above, high]), ends[high]

    def _looked(self, keep: Callable[[Expr], bool]) -> list[tuple[Expr, bool]]:
        assert self.search is not None
        return [(at, met) for at, met in self.search.looked if keep(at)]

    @property
    def sizes(self) -> tuple[int, ...] | None:
        """M_1, ..., M_n where a schedule of a finite horizon is solved for; values near by may have the same sizes."""
        if self.search is None or not isinstance(self.search.judge.horizon, Integer):
            return None
        regime = self.search.judge.quantity.loop.regime
        if not isinstance(regime, Schedule) or isinstance(regime.sizes, tuple):
            return None
        here = substituted(regime, {self.symbol: self.value})
        return tuple(int(here.size(S(k))) for k in range(1, int(self.search.judge.horizon) + 1))

    @property
    def proved(self) -> bool:
        """Whether the answer is shown to be the only crossing among all values looked over."""
        return self.search is not None and self.monotone and len(self.settled) == len(list(self._sides))

    @property
    def monotone(self) -> bool:
        """Whether no second crossing was seen among the values looked at; ``proved`` says whether there is none."""
        return self.search is None or len(self.search.crossings) <= 1

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What must hold for the quantity to exist, for symbols that are left."""
        return tuple(c for c in self.quantity.conditions(self.horizon) if self.value is None or not c.is_number)

    def __str__(self) -> str:
        """Return the answer, its two neighbours, the symbolic form and how far it is proved."""
        lines = [self._headline]
        for p in self.neighbours:
            verdict = "meets" if p.holds else "misses"
            lines.append(f"  {self.symbol} = {p.at}: {self.quantity.name} = {p.digits} {verdict} the bound")
        if self.scales:
            lines.append(f"  with {', '.join(f'{s} = {v}' for s, v in self.scales.items())}, on which nothing depends")
        if self.value is not None and self.expression is not None:
            lines.append(f"  in symbols: {self.symbol} = {self.expression} at the bound")
        if self.sizes is not None:
            lines.append(f"  M_1, ... = {in_runs(self.sizes)}")
        lines += [f"  {word}" for word in self._reach()]
        return "\n".join(lines + [f"  provided that {spelled(c)}" for c in self.conditions])

    @property
    def _headline(self) -> str:
        when = "in the long run" if self.horizon == oo else f"at generation {self.horizon}"
        question = f"for {self.quantity.name} {self.relation} {self.bound} {when}"
        if self.value is None:
            return f"{self.symbol} {self._sign} {self.expression} {question}"
        if self.relation == "=" and self.bracket is not None:
            return f"{self.symbol} from {self.bracket[0]} to {self.bracket[1]} {question}"
        return f"the {self.side} {self.symbol} is {self.value} {question}"

    @property
    def _sign(self) -> Relation:
        signs: dict[Side | None, Relation] = {"least": ">=", "greatest": "<=", None: "="}
        return signs[self.side]

    @property
    def scales(self) -> dict[Symbol, Expr]:
        """Symbols of the question on which the answer does not depend, with the numbers that the certificate has."""
        within = self.bound.free_symbols
        return {s: value for s, value in self.scaled.items() if s in within}

    def _reach(self) -> Iterator[str]:
        if self.search is None:
            return
        proved = {(low, high): met for low, high, met in self.settled}
        for low, high, met in self._sides:
            how = "proved" if (low, high) in proved else "checked at single values"
            yield f"{how}: {'met' if met else 'missed'} from {self.symbol} = {low} to {high}"
        if not self.monotone:
            parts = ", ".join(f"{min(pair)} and {max(pair)}" for pair in self.search.crossings)
            yield f"not monotone: met and missed by turns, with changes between {parts}"

    def _repr_latex_(self) -> str:
        shown = self.expression if self.value is None else self.value
        name = rf"\text{{{self.quantity.name}}}".replace("_", r"\_")
        kept = rf"{name} {_SIGNS[self.relation]} {latex(self.bound)}"
        numbered = self.value is not None and self.expression is not None
        exactly = rf" \quad \left(= {latex(self.expression)}\right)" if numbered else ""
        answer = rf"{latex(self.symbol)} {_SIGNS[self._sign]} {latex(shown)}{exactly}"
        return rf"${answer} \quad\Rightarrow\quad {kept}, \quad n = {latex(self.horizon)}$"
