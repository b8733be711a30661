"""Where a quantity of a loop crosses a bound as one symbol varies, found by halving between values that are judged."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, pairwise

from attrs import frozen
from sympy import Expr, Rational, oo

from theory.admissible import Admissible
from theory.judge import FAR, Judge
from theory.regimes import Schedule
from theory.steps import first_after, jumps

NEXT = Rational(1, 2**20)
"""Where the lower end itself makes no loop, the part of the range after which one is looked for."""
NEAR = 2**10
"""Whole numbers up to which an exact chain is followed."""
BEYOND = 2
"""Doublings past a crossing, or past a bound that is met from the start."""
LEAST = 64
"""Values at the lower end of the range that may be refused before one is taken."""


@frozen
class Crossing:
    """Two values next to each other, of which one meets the bound; ``fails`` is None where the range ends there."""

    fails: Expr | None
    holds: Expr


@frozen(eq=False)
class Search:
    """A look over the whole range, and the crossings that it shows."""

    judge: Judge
    grid: Admissible
    within: Expr

    @cached_property
    def looked(self) -> list[tuple[Expr, bool]]:
        """Values from the least to the largest that were looked at, with whether they meet the bound."""
        points = self._taken()
        if self.grid.high == oo:
            points = self._followed(points)
        return list(points)

    def _taken(self) -> Iterator[tuple[Expr, bool]]:
        """Yield values with whether they meet the bound, those at the lower end left out that make no loop."""
        start = self._least()
        yield start, self.judge.holds(start)
        for at in self.grid.look() if self.grid.high != oo else (start * 2**k for k in range(1, 64)):
            if at > start:
                yield at, self.judge.holds(at)

    def _least(self) -> Expr:
        low, step = self.grid.low, self.grid.step
        points: Iterable[Expr] = (low + k * step for k in range(LEAST))
        if not step:
            points = chain((low, low + (self.grid.high - low) * NEXT), self.grid.look())
        refusal: ValueError | None = None
        for at in points:
            try:
                self.judge.sign(at)
            except ValueError as error:
                refusal = refusal or error
            else:
                return at
        raise refusal or ValueError("the range is empty. Give a wider one.")

    def _followed(self, points: Iterator[tuple[Expr, bool]]) -> Iterator[tuple[Expr, bool]]:
        """Yield values of a range without end, a few past the crossing."""
        quick = self.judge.difference is not None
        first: bool | None = None
        after = 0
        for at, holds in points:
            yield at, holds
            first = holds if first is None else first
            after += holds != first or (first and not quick)
            if after > BEYOND or at > (FAR if quick else NEAR):
                return

    @cached_property
    def crossings(self) -> list[tuple[Expr, Expr]]:
        """Pairs (fails, holds) of values looked at, next to each other, between which the answer changes."""
        pairs = pairwise(self.looked)
        return [(two, one) if met else (one, two) for (one, met), (two, also) in pairs if met != also]

    def refined(self, fails: Expr, holds: Expr) -> Crossing:
        """Return the crossing between two values: by halving, or where sizes jump between them by their jumps."""
        judge = self.judge
        regime = judge.quantity.loop.regime
        between = jumps(regime, judge.symbol, judge.horizon, min(fails, holds), max(fails, holds))
        if between is not None and isinstance(regime, Schedule) and fails < holds:
            return Crossing(*first_after(between, regime, judge.holds))
        while (middle := self.grid.between(fails, holds, self.within)) is not None:
            fails, holds = (fails, middle) if self.judge.holds(middle) else (middle, holds)
        return Crossing(fails, holds)
