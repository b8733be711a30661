"""`at_boundary`: a plan held against simulation where it matters, at the answer and at the neighbour that fails.

The quantity is simulated on both sides of the bound. How many chains that takes is known before: from the distance
between theory's value and the bound, the spread of one chain, the level and the power. A neighbour too close to be told
from the bound with the chains that are allowed is not run and not passed: it is said how many it would take, and the
nearest values that can be told are run in its place. The verdict on a run rests on the run alone.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr
from attrs import evolve, frozen
from scipy.special import ndtri
from sympy import Expr, Rational, S, oo

from numerics.agreement import SKEW, Verdict
from numerics.estimates import estimate, spread
from numerics.simulate import simulate
from theory.allocation import Allocation, Budget
from theory.crossing import Judge
from theory.planned import Plan
from theory.quantities import Quantity

Side = Literal["meets", "misses", "cannot tell"]

PILOT = 2**14
"""Chains from which the spread of one is read, before the run."""
MOST = 4
"""Intervals that share the level: two neighbours, and the nearest values that can be told in their places."""
STEPS = 24
"""Steps, each twice the one before, in which a value that can be told is looked for."""
LASTING = 10
"""Generation at which a quantity that is the same at all of them is read."""
FAR = 256
"""Generations after which a limit must be reached to a tenth of its distance from the bound."""
OTHER = 2**32
"""Added to the seed for the few chains that are looked at before."""


@frozen
class Tried:
    """One value of the symbol: what is claimed of it, what theory says, and what the runs show.

    Args:
        at: the value, a number or the total of a schedule.
        claimed: whether the plan says that the bound is met there.
        theory: theory's value of the quantity.
        bound: the bound.
        rising: whether the bound is one from below.
        generation: the generation that is looked at.
        needed: chains with which the quantity would be told from the bound, with the stated power; infinite if it is
            the bound.
        threshold: standard errors on either side that make the interval.
        scatter: standard deviation of one chain, from which ``needed`` follows.
        chains: chains that were run, 0 if these were too many.
        mean: the simulated quantity.
        error: its standard error.
    """

    at: Expr
    claimed: bool
    theory: float
    bound: float
    rising: bool
    generation: int
    needed: float
    threshold: float
    scatter: float
    chains: int = 0
    mean: float = np.nan
    error: float = np.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of the simulated quantity; without a run, the whole line."""
        if not self.chains:
            return -np.inf, np.inf
        return self.mean - self.threshold * self.error, self.mean + self.threshold * self.error

    @property
    def verdict(self) -> Side:
        """On which side of the bound the whole interval lies."""
        low, high = self.interval
        if low <= self.bound <= high:
            return "cannot tell"
        return "meets" if (low > self.bound) == self.rising else "misses"

    @property
    def right(self) -> bool | None:
        """Whether the claim is borne out, None where that cannot be told."""
        return None if self.verdict == "cannot tell" else (self.verdict == "meets") == self.claimed


@frozen
class Boundary:
    """The verdict on a plan, and everything it rests on."""

    name: str
    symbol: str
    relation: str
    neighbours: tuple[Tried, ...]
    """The value that misses the bound, if there is one, and the value that meets it."""
    nearest: tuple[Tried, ...]
    """Where a neighbour cannot be told from the bound, the nearest value on its side that can."""
    level: float
    power: float
    asked: float | None
    """How far from the answer, relatively, values may lie that stand in for neighbours; None where they may not."""

    @property
    def verdict(self) -> Verdict:
        """Disagree where a run contradicts the plan; agree where both sides are told."""
        answers = [one.right for one in (*self.neighbours, *self.nearest)]
        if False in answers:
            return "disagree"
        return "agree" if all(self._told(one) for one in self.neighbours) else "underpowered"

    def _told(self, side: Tried) -> bool:
        return self._nearest_told(side) <= (self.asked or 0)

    @staticmethod
    def _offset(one: Tried, side: Tried) -> float:
        return abs(float(one.at - side.at)) / max(abs(float(side.at)), np.finfo(float).tiny)

    @property
    def smallest(self) -> float:
        """Largest relative distance from the answer of the values that were told; infinite where a side was not."""
        return max(self._nearest_told(side) for side in self.neighbours)

    def _nearest_told(self, side: Tried) -> float:
        told = [one for one in (side, *self.nearest) if one.claimed == side.claimed and one.right]
        return min((self._offset(one, side) for one in told), default=np.inf)

    def plain(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        sides = sorted((*self.neighbours, *self.nearest), key=lambda one: float(one.at))
        rows = [
            {
                "at": str(one.at),
                "claimed": "meets" if one.claimed else "misses",
                "theory": one.theory,
                "verdict": one.verdict,
                "interval": list(one.interval) if one.chains else None,
                "chains": one.chains,
                "needed": None if np.isinf(one.needed) else one.needed,
            }
            for one in sides
        ]
        return {"verdict": self.verdict, "level": self.level, "power": self.power, "values": rows}

    def __str__(self) -> str:
        """Return the verdict, with a line for each value that was looked at."""
        lines = [f"{self.name} {self.relation} {self.neighbours[-1].bound:.6g} at the boundary: {self.verdict}"]
        lines += [self._line(one) for one in sorted((*self.neighbours, *self.nearest), key=lambda one: float(one.at))]
        return "\n".join([*lines, f"  level {self.level:g} for all intervals together, power {self.power:g}"])

    def _line(self, one: Tried) -> str:
        said = f"  {self.symbol} = {_short(one.at)}: theory {one.theory:.8g}"
        if not one.chains:
            needed = "infinitely many" if np.isinf(one.needed) else f"{one.needed:.2g}"
            return f"{said}, cannot tell: power, {needed} chains would be needed"
        low, high = one.interval
        return f"{said}, simulated {low:.6g} to {high:.6g} in {one.chains:,} chains: {one.verdict}"


def _short(at: Expr) -> str:
    return str(at) if at.is_Integer or len(str(at)) < 10 else f"{float(at):.6g}"


@frozen(eq=False)
class _Question:
    """A plan as this file reads it: the quantity by value of the symbol, and further values on either side."""

    name: str
    symbol: str
    relation: str
    bound: Expr
    generation: Expr
    sides: tuple[tuple[Expr, bool], ...]
    at: Callable[[Expr], Quantity]
    further: Callable[[Expr, bool], Iterator[Expr]]
    continuous: bool


def at_boundary(
    plan: Plan | Budget,
    *,
    chains: int = 4_000_000,
    level: float = 1e-3,
    power: float = 0.99,
    smallest: float = 0.05,
    seed: int = 0,
) -> Boundary:
    """Return whether simulation bears out a plan: the answer meets the bound, its neighbour misses it.

    Args:
        plan: what `theory.plan` or `theory.least_budget` returned, with a number as its answer.
        chains: the most that one value may take. As many are run as theory's distance from the bound asks for.
        level: chance that any interval misses its quantity, over all values together.
        power: chance that a value whose distance is the theory's is told from the bound.
        smallest: for a symbol that is no whole number, whose neighbours are as close as one likes: the largest
            relative distance from the answer at which both sides must be told for the verdict "agree".
        seed: of the runs.

    Raises:
        ValueError: a plan in symbols, or arguments out of range.

    >>> from sympy import Rational
    >>> from theory import Gaussian, M, plan
    >>> print(at_boundary(plan(Loop(Gaussian(0, 1)), Gaussian.V, M, at_least=Rational(1, 2), n=2)).verdict)
    agree
    """
    if not (0 < level < 1 and 0.5 <= power < 1 and chains >= PILOT):
        raise ValueError(
            f"level = {level}, power = {power}, chains = {chains}: give 0 < level < 1, 0.5 <= power < 1 and at least "
            f"{PILOT} chains."
        )
    asked = _of_plan(plan, smallest) if isinstance(plan, Plan) else _of_budget(plan)
    trial = _Trial(asked, chains, float(-ndtri(level / (2 * MOST))), float(ndtri(power)), seed)
    neighbours = tuple(trial.tried(at, claimed) for at, claimed in asked.sides)
    weak = [one for one in neighbours if not one.chains]
    nearest = tuple(found for one in weak if (found := trial.nearest(one)) is not None)
    within = smallest if asked.continuous else None
    return Boundary(asked.name, asked.symbol, asked.relation, neighbours, nearest, level, power, within)


def _of_plan(plan: Plan, smallest: float) -> _Question:
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

    return _Question(
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


def _of_budget(plan: Budget) -> _Question:
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
    return _Question(
        plan.enough.quantity.name, "budget", plan.relation, plan.bound, S(plan.enough.horizon), sides,
        lambda total: spent(total).asked, further, False,
    )  # fmt: skip


@frozen(eq=False)
class _Trial:
    """Runs at values of the symbol."""

    question: _Question
    most: int
    threshold: float
    power: float
    seed: int

    def tried(self, at: Expr, claimed: bool) -> Tried:
        """Return what theory says of a value, and what a run shows if it takes no more chains than are allowed."""
        close = self.question.continuous  # never run, for its distance from the bound is a matter of rounding
        one = self._planned(at, claimed, roughly=close)
        return one if close or one.needed > self.most else self._run(one)

    def nearest(self, side: Tried) -> Tried | None:
        """Return the nearest value beyond a side that can be told from the bound, run; None if none is found."""
        for at in self.question.further(side.at, side.claimed):
            theory = float(self.question.at(at).value(self.question.generation))
            if self._needed(side.scatter, abs(theory - side.bound)) > self.most:
                continue  # with the scatter at the answer, which is about that at this value
            one = self._planned(at, side.claimed)
            if one.needed <= self.most:
                return self._run(one)
        return None

    def _needed(self, scatter: float, distance: float) -> float:
        return ((self.threshold + self.power) * scatter / distance) ** 2 if distance else np.inf

    def _planned(self, at: Expr, claimed: bool, *, roughly: bool = False) -> Tried:
        question, asked = self.question, self.question.at(at)
        bound, theory = float(question.bound), float(asked.value(question.generation))
        distance = abs(theory - bound)
        generation = _generation(asked, question.generation, max(distance, abs(bound) / 100) if roughly else distance)
        scatter, skew = spread(asked, generation) or self._seen(asked, generation)
        enough = max(self._needed(scatter, distance), (skew / SKEW) ** 2, PILOT)
        rising = question.relation != "<="
        return Tried(at, claimed, theory, bound, rising, generation, enough, self.threshold, scatter)

    def _seen(self, asked: Quantity, generation: int) -> tuple[float, float]:
        """Return standard deviation and skewness of one chain from a few."""
        run = self._simulated(asked, generation, PILOT, self.seed + OTHER)
        first, second, third = (float(run[f"{name}_mean"][-1]) for name in ("linear", "square", "cube"))
        scatter = max(second - first**2, 0.0) ** 0.5
        return scatter, (third - 3 * first * second + 2 * first**3) / scatter**3 if scatter else 0.0

    @staticmethod
    def _simulated(asked: Quantity, generation: int, chains: int, seed: int) -> xr.Dataset:
        observe = estimate(asked, generation).observables
        return simulate(
            asked.loop, generations=generation, chains=chains, seed=seed, paths=False, observe=observe, chunk=PILOT
        )

    def _run(self, one: Tried) -> Tried:
        asked = self.question.at(one.at)
        what, count = estimate(asked, one.generation), int(np.ceil(one.needed))
        run = self._simulated(asked, one.generation, count, self.seed)
        means = {name: float(run[f"{name}_mean"][-1]) for name, _ in what.parts}
        # A sample's own error is too small where rare chains decide; theory's is taken where it is the larger.
        error = max(float(run["linear_sem"][-1]), one.scatter / count**0.5)
        return evolve(one, chains=count, mean=what.value(means), error=error)


def _generation(asked: Quantity, horizon: Expr, distance: float) -> int:
    """Return the generation to be simulated; for a limit, one that is close to it against the distance."""
    if horizon != oo:
        return int(horizon)
    limit, k = float(asked.value(oo)), 16
    while k < FAR and abs(float(asked.value(S(k))) - limit) > distance / 10:
        k *= 2
    return k
