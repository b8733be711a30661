"""`least_budget`: the least number of points in all with which some schedule keeps a quantity within a bound."""

from functools import cached_property
from typing import Any, Literal

from attrs import field, frozen
from sympy import Expr, Symbol

from theory.allocation import Allocation, best_schedule, digits, in_runs
from theory.enclosing import sign
from theory.errors import NoClosedForm
from theory.exact import exact, generation_number
from theory.judge import Relation
from theory.latex import latex
from theory.loop import Loop
from theory.planned import Side
from theory.quantities import Quantity, Question

FAR = 2**32
"""Points in all up to which a budget is looked for."""
BITS = (128, 512, 2048)
"""Precisions at which a value is told from a bound, in turn."""


@frozen(eq=False)
class Budget:
    """The least number of points in all with which some schedule keeps a quantity within a bound."""

    relation: Relation
    bound: Expr
    enough: Allocation
    """The best schedule of the least budget, which meets the bound."""
    short: Allocation | None
    """The best schedule with one point less, which misses it; None where n fits could not do with less."""

    @property
    def value(self) -> int:
        """The least total."""
        return self.enough.budget

    @property
    def sizes(self) -> tuple[int, ...]:
        """M_1, ..., M_n."""
        return self.enough.sizes

    @cached_property
    def proved(self) -> bool:
        """Whether no schedule of a smaller total meets the bound: the best one of one point less misses it."""
        rising = (term.rises(self.enough.least, self.value) for term in self.enough.terms)
        return self.short is None or (self.short.proved and all(rising))

    def __str__(self) -> str:
        """Return the total, its schedule and the best schedule with one point less."""
        enough = self.enough
        name = enough.quantity.name
        head = f"the least budget is {self.value} points for {name} {self.relation} {self.bound}"
        lines = [f"{head} at generation {enough.horizon}: M_1, ... = {in_runs(self.sizes)}"]
        if self.short is not None:
            lines.append(f"  {self.short.budget} points: {name} = {digits(self.short.value)} at best misses the bound")
        lines.append(f"  {self.value} points: {name} = {digits(enough.value)} meets the bound")
        lines.append(
            "  proved: no schedule of fewer points meets it" if self.proved else "  not proved to be the least"
        )
        return "\n".join(lines)

    def _repr_latex_(self) -> str:
        return rf"$\min \sum_k M_k = {self.value}, \quad {latex(self.bound)}$"


def least_budget(loop: Loop, of: Question, *, at_least: Any = None, at_most: Any = None, n: Any) -> Budget:
    """Return the least M_1 + ... + M_n with which a quantity of model n meets a bound, and the schedule that does.

    Args:
        loop: as in `best_schedule`, with numbers for all its symbols but those that are factors of quantity and bound.
        of: what is asked, as in `plan`.
        at_least: the bound; one of the two is given.
        at_most: the same, from above.
        n: the generation.

    Raises:
        NotClosed: the closed form is not made of sums and products of terms of one size.
        ValueError: no budget meets the bound, or not one bound is given.

    >>> from sympy import Rational
    >>> from theory import Gaussian
    >>> print(least_budget(Loop(Gaussian(0, 1)), Gaussian.V, at_least=Rational(1, 2), n=4))
    the least budget is 26 points for E[V] >= 1/2 at generation 4: M_1, ... = 2 x 7, 2 x 6
      25 points: E[V] = 125/252 at best misses the bound
      26 points: E[V] = 25/49 meets the bound
      proved: no schedule of fewer points meets it
    """
    if (at_least is None) == (at_most is None):
        raise ValueError("least_budget needs one bound. Give at_least or at_most.")
    relation: Literal[">=", "<="] = ">=" if at_most is None else "<="
    search = _Search(loop, of, n, relation, exact(at_least if at_most is None else at_most, "bound"))
    return search.answer()


@frozen(eq=False)
class _Search:
    loop: Loop
    of: Question
    n: Any
    relation: Literal[">=", "<="]
    bound: Expr
    found: dict[int, Allocation] = field(factory=dict)

    def spent(self, budget: int) -> Allocation:
        side: Side = "greatest" if self.relation == ">=" else "least"
        if budget not in self.found:
            self.found[budget] = best_schedule(self.loop, self.of, budget, n=self.n, want=side)
        return self.found[budget]

    def meets(self, budget: int) -> bool:
        spent = self.spent(budget)
        difference = (spent.value - self.bound).factor()
        found = _sign(difference, spent.quantity)
        return found >= 0 if self.relation == ">=" else found <= 0

    def answer(self) -> Budget:
        low = self._first()
        if self.meets(low):
            return Budget(self.relation, self.bound, self.spent(low), None)
        high = 2 * low
        while not self.meets(high):
            low, high = high, 2 * high
            if high > FAR:
                raise ValueError(f"no budget up to {FAR} points meets the bound {self.bound}. Give one within reach.")
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.meets(middle) else (middle, high)
        return Budget(self.relation, self.bound, self.spent(high), self.spent(low))

    def _first(self) -> int:
        horizon = generation_number(self.n, 1)
        return self.spent(64 * horizon).least * horizon


def _sign(difference: Expr, asked: Quantity) -> int:
    """Return the sign of a value less a bound, whatever the positive symbols that are left."""
    if difference.is_zero or difference.is_positive or difference.is_negative:
        return 0 if difference.is_zero else 1 if difference.is_positive else -1
    if not difference.free_symbols:
        enclosed = (sign(difference, {}, bits) for bits in BITS)
        if (found := next((one for one in enclosed if one is not None), None)) is not None:
            return found
    left: set[Symbol] = difference.free_symbols
    raise NoClosedForm(
        f"{asked.name} is not told from the bound for every {', '.join(map(str, left)) or 'digit'}. Put numbers in."
    )
