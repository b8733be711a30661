"""A plan as a question to simulation: the quantity by value of the symbol, and further values on either side."""

from collections.abc import Callable, Iterator
from functools import partial

from attrs import frozen
from sympy import Expr, Rational, S

from theory.allocation import Allocation
from theory.budget import Budget
from theory.judge import Judge
from theory.planned import Plan
from theory.quantities import Quantity

STEPS = 24
"""Steps, each twice the one before, in which a value that can be told is looked for."""
LASTING = 10
"""Generation at which a quantity that is the same at all of them is read."""


@frozen(eq=False)
class Question:
    """A quantity by value of the symbol, its bound, and further values on either side.

    Args:
        name: what is asked, in words.
        symbol: the symbol, in words.
        relation: ">=", "<=" or "=".
        bound: the bound.
        generation: the generation that is looked at.
        sides: (value, whether it meets the bound) of the neighbour that fails and of the answer.
        at: value -> the quantity there.
        further: (value, whether it meets the bound) -> values farther from the bound, with the same answer.
        continuous: whether neighbours are as close as one likes.
    """

    name: str
    symbol: str
    relation: str
    bound: Expr
    generation: Expr
    sides: tuple[tuple[Expr, bool], ...]
    at: Callable[[Expr], Quantity]
    further: Callable[[Expr, bool], Iterator[Expr]]
    continuous: bool


def of_plan(plan: Plan, smallest: float) -> Question:
    """Return the question of a plan for one symbol; ``smallest`` scales the steps of one that is no whole number."""
    if plan.crossing is None or plan.search is None:
        raise ValueError(f"{plan.symbol} = {plan.expression} is no number. Plan with numbers for the other symbols.")
    judge, grid = plan.search.judge, plan.search.grid
    ends = [(plan.crossing.fails, False), (plan.crossing.holds, True)]
    sides = tuple((at, claimed) for at, claimed in ends if at is not None)
    generation = S(LASTING) if judge.horizon == 1 and plan.horizon != 1 else judge.horizon

    def further(at: Expr, claimed: bool) -> Iterator[Expr]:
        other = plan.crossing.fails if claimed else plan.crossing.holds
        way = 1 if other is None or at > other else -1
        first = grid.step or abs(at) * Rational(str(smallest)) / 32 or (grid.high - grid.low) / 1024
        for k in range(STEPS):
            beyond = at + way * first * 2**k
            if not grid.low <= beyond <= grid.high or judge.holds(beyond) != claimed:
                return
            yield beyond

    return Question(
        judge.quantity.name,
        str(plan.symbol),
        plan.relation,
        judge.bound,
        generation,
        sides,
        partial(_put, judge),
        further,
        not grid.step,
    )


def _put(judge: Judge, at: Expr) -> Quantity:
    return judge.quantity.put({judge.symbol: at})


def of_budget(plan: Budget) -> Question:
    """Return the question of the least budget, whose schedules are the best of their totals."""
    known = {one.budget: one for one in (plan.short, plan.enough) if one is not None}

    def spent(total: Expr) -> Allocation:
        if int(total) not in known:
            known[int(total)] = plan.enough.resized(int(total))
        return known[int(total)]

    def further(at: Expr, claimed: bool) -> Iterator[Expr]:
        for k in range(STEPS):
            beyond = at + (2**k if claimed else -(2**k))
            if beyond < plan.enough.least * plan.enough.horizon:
                return
            yield beyond

    sides = tuple((S(one.budget), one is plan.enough) for one in (plan.short, plan.enough) if one is not None)
    return Question(
        plan.enough.quantity.name, "budget", plan.relation, plan.bound, S(plan.enough.horizon), sides,
        lambda total: spent(total).asked, further, False,
    )  # fmt: skip
