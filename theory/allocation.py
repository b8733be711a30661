"""`best_schedule` and `least_budget`: how a number of points is best spread over the fits, in whole numbers.

Spread so that no point would gain more in another fit. Where gains diminish, which is shown for every size at once, no
schedule of the same total is better: an exchange argument, with no search to be trusted.
"""

from functools import cached_property
from typing import Any

from attrs import evolve, field, frozen
from sympy import Expr

from theory.exact import exact, generation_number
from theory.judge import Point
from theory.loop import Loop
from theory.planned import Side
from theory.quantities import Quantity, Question, quantity
from theory.regimes import LISTED, Replace, Schedule
from theory.separable import Term, least_size, terms
from theory.steps import in_runs


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
