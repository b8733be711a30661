"""`best_schedule` and `least_budget`: how a number of points is best spread over the fits, in whole numbers.

Spread so that no point would gain more in another fit. Where gains diminish, which is shown for every size at once, no
schedule of the same total is better: an exchange argument, with no search to be trusted.
"""

from functools import cached_property
from itertools import groupby
from typing import Any, Literal

from attrs import evolve, field, frozen
from sympy import Expr, Symbol

from theory.crossing import Point, Relation
from theory.enclosing import sign
from theory.errors import NoClosedForm
from theory.exact import exact, generation_number
from theory.latex import latex
from theory.loop import Loop
from theory.planned import Side
from theory.quantities import Quantity, Question, quantity
from theory.regimes import LISTED, Replace, Schedule
from theory.separable import Term, least_size, terms

FAR = 2**32
"""Points in all up to which a budget is looked for."""
BITS = (128, 512, 2048)
"""Precisions at which a value is told from a bound, in turn."""


@frozen(eq=False)
class Allocation:
    """The sizes M_1, ..., M_n of a total that make a quantity greatest, or least."""

    quantity: Quantity
    """What is asked, of the loop with the schedule of symbols."""
    horizon: int
    side: Side
    budget: int
    sizes: tuple[int, ...]
    least: int
    """The least size that a fit may have."""
    terms: list[Term] = field(repr=False)

    @property
    def loop(self) -> Loop:
        """The loop with this schedule."""
        return evolve(self.quantity.loop, regime=Schedule(self.sizes))

    @property
    def asked(self) -> Quantity:
        """What is asked, of the loop with this schedule."""
        return evolve(self.quantity, loop=self.loop)

    @cached_property
    def value(self) -> Expr:
        """The quantity under this schedule, from the recurrence."""
        return self.asked.value(exact(self.horizon, "n"))

    def resized(self, budget: int) -> "Allocation":
        """Return the best schedule of another total."""
        return _allocated(self.quantity, self.horizon, budget, self.side)

    @property
    def settled(self) -> bool:
        """Whether no point would gain more in another fit, and none gains nothing, decided exactly."""
        return all(self._settled(term) for term in self.terms)

    def _settled(self, term: Term) -> bool:
        fits = list(enumerate(self.sizes, 1))
        taken = [(k, size - 1) for k, size in fits if size > self.least]
        if not taken:
            return True
        last = min(taken, key=lambda at: term.gain(*at))
        above = all(term.compare(last, at) in (0, -1) for at in dict.fromkeys(taken))
        below = all(term.compare(at, last) in (0, -1) for at in fits)
        return above and below

    @property
    def diminishing(self) -> bool:
        """Whether it is shown that every point gains less than the one before it, at every size and fit."""
        largest = self.budget - (self.horizon - 1) * self.least
        return all(term.diminishes(self.least, largest) for term in self.terms)

    @cached_property
    def proved(self) -> bool:
        """Whether no schedule of this total can be better, among those whose fits have ``least`` points or more."""
        return self.settled and self.diminishing

    def __str__(self) -> str:
        """Return the schedule, the quantity and what is proved."""
        how = "proved: no schedule of that total is better" if self.proved else "no exchange of points is better"
        return (
            f"the {self.side} {self.quantity.name} at generation {self.horizon} with {self.budget} points in all is "
            f"{digits(self.value)}, for M_1, ... = {in_runs(self.sizes)}\n  {how}"
        )

    def _repr_latex_(self) -> str:
        shown = in_runs(self.sizes).replace(" x ", r" \times ")
        return rf"$M_1, \dots, M_{{{self.horizon}}} = {shown}$"


def in_runs(sizes: tuple[int, ...]) -> str:
    """Return sizes with repetitions counted.

    >>> in_runs((9, 9, 9, 8))
    '3 x 9, 8'
    """
    runs = ((size, len(list(group))) for size, group in groupby(sizes))
    return ", ".join(str(size) if times == 1 else f"{times} x {size}" for size, times in runs)


def digits(value: Expr) -> str:
    """Return an exact value in digits."""
    if value.free_symbols:
        return str(value)
    return Point(value, value, True).digits if value.is_Rational else f"{value.evalf(15)}..."


def best_schedule(loop: Loop, of: Question, budget: Any, *, n: Any, want: Side = "greatest") -> Allocation:
    """Return the sizes M_1 + ... + M_n = budget of the fits that make a quantity of model n greatest, or least.

    Args:
        loop: a loop with the replace regime, whose samples do not matter; symbols of known sign may be left.
        of: what is asked, as in `plan`, with a closed form that is made of sums and products of terms of one size.
        budget: the number of points of all fits together.
        n: the generation.
        want: whether the quantity is to be "greatest" or "least".

    Raises:
        NotClosed: the closed form is not of that kind.
        ValueError: a budget too small for n fits, or one whose parts ask for different schedules.

    Source: exchange of the least gain, B. Fox, Management Science 13 (1966) 210-216.

    >>> from sympy import Rational
    >>> from theory import Gaussian, Tempered, Unbiased
    >>> print(best_schedule(Loop(Gaussian(0, 1)), Gaussian.V, 30, n=4))
    the greatest E[V] at generation 4 with 30 points in all is 9/16, for M_1, ... = 2 x 8, 2 x 7
      proved: no schedule of that total is better
    >>> cold = Loop(Gaussian(0, 1), estimator=Unbiased(), sampling=Tempered(Rational(1, 4)))
    >>> best_schedule(cold, Gaussian.mu**2, 30, n=4, want="least").sizes
    (16, 8, 4, 2)
    """
    return _allocated(quantity(_scheduled(loop), of), generation_number(n, 1), generation_number(budget, 1), want)


def _allocated(asked: Quantity, horizon: int, total: int, want: Side) -> Allocation:
    parts = terms(asked, horizon, 1 if want == "greatest" else -1)
    least = max(least_size(parts, horizon), _least_fit(asked.loop, horizon))
    if total < least * horizon:
        raise ValueError(f"budget = {total}: {horizon} fits need {least} points each. Give {least * horizon} or more.")
    found = Allocation(asked, horizon, want, total, _spread(parts[0], horizon, total, least), least, parts)
    _check(found)
    return found


def _check(found: Allocation) -> None:
    """Refuse a quantity that more points do not help, and one whose parts no schedule serves at once."""
    if not all(term.helps(k, size) for term in found.terms for k, size in enumerate(found.sizes, 1)):
        raise ValueError(
            f"more points do not make {found.quantity.name} the {found.side}. Ask for want='greatest' or 'least', "
            "whichever points serve."
        )
    if not found.settled:
        name = found.quantity.name
        raise ValueError(f"the parts of {name} ask for different schedules. Ask for each of them on its own.")


def _scheduled(loop: Loop) -> Loop:
    if not isinstance(loop.regime, Replace | Schedule):
        raise ValueError(f"{loop.regime} has no schedule of sizes. Ask for the loop with Replace().")
    return evolve(loop, regime=Schedule(LISTED), samples=2)


def _least_fit(loop: Loop, horizon: int) -> int:
    """Return the least size that the loop accepts for a fit."""
    for size in range(1, 65):
        try:
            evolve(loop, regime=Schedule([size] * horizon))
        except ValueError:
            continue
        return size
    raise ValueError(f"no fit of up to 64 points suits {loop}. Ask for another estimator.")


def _spread(term: Term, horizon: int, total: int, least: int) -> tuple[int, ...]:
    """Return sizes between which no exchange of points gains: in steps from half of them down to single ones."""
    each, left = divmod(total, horizon)
    sizes = [each + (k < left) for k in range(horizon)]
    step = 1 << max(0, each.bit_length() - 1)
    while step:
        while (move := _better(term, sizes, step, least)) is not None:
            to, of = move
            sizes[to] += step
            sizes[of] -= step
        step //= 2
    return tuple(sizes)


def _better(term: Term, sizes: list[int], step: int, least: int) -> tuple[int, int] | None:
    """Return which fit gains most from ``step`` points, and which loses least, where the one gains more."""
    giving = [k for k, size in enumerate(sizes) if size - step >= least]
    if not giving:
        return None
    gains = [term.gain(k, size, step) for k, size in enumerate(sizes, 1)]
    losses = {k: term.gain(k + 1, sizes[k] - step, step) for k in giving}
    to, of = max(range(len(sizes)), key=lambda k: gains[k]), min(giving, key=lambda k: losses[k])
    return (to, of) if to != of and gains[to] - losses[of] > TINY * abs(losses[of]) else None


TINY = exact("1/10", "TINY") ** 30
"""Gains that are closer than this are taken as equal, so that rounding in 128 bits sets nothing in motion."""


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
