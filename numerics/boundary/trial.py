"""`at_boundary`: a plan held against simulation where it matters, at the answer and at the neighbour that fails.

The quantity is simulated on both sides of the bound. How many chains that takes is known before: from the distance
between theory's value and the bound, the spread of one chain, the level and the power. A neighbour too close to be told
from the bound with the chains that are allowed is not run and not passed: it is said how many it would take, and the
nearest values that can be told are run in its place. The verdict on a run rests on the run alone.
"""

from functools import cached_property

import numpy as np
import xarray as xr
from attrs import evolve, frozen
from scipy.special import ndtri
from sympy import Expr, S, oo

from numerics.boundary.estimates import estimate, spread
from numerics.boundary.question import Question, of_budget, of_plan
from numerics.boundary.verdict import Boundary, Tried
from numerics.compared import SKEW
from numerics.planning import PATHS, choose
from numerics.simulate import simulate
from numerics.sources import shape, source_arrays
from theory.budget import Budget
from theory.loop import Loop
from theory.planned import Plan
from theory.quantities import Quantity

PILOT = 2**14
"""Chains from which the spread of one is read, before the run."""
MOST = 4
"""Intervals that share the level: two neighbours, and the nearest values that can be told in their places."""
FAR = 256
"""Generations after which a limit must be reached to a tenth of its distance from the bound."""
POINTS = 2**27
"""Points that all chains of one value may draw together, where a loop is run from its data: a minute or so."""
OTHER = 2**32
"""Added to the seed for the few chains that are looked at before."""


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
        chains: the most that one value may take. As many are run as theory's distance from the bound asks for. Where
            every point is drawn, the most is also as many as draw 2^27 points.
        level: chance that any interval misses its quantity, over all values together.
        power: chance that a value whose distance is the theory's is told from the bound.
        smallest: for a symbol that is no whole number, whose neighbours are as close as one likes: the largest
            relative distance from the answer at which both sides must be told for the verdict "agree".
        seed: of the runs.

    Raises:
        ValueError: a plan in symbols, or arguments out of range.

    >>> from sympy import Rational
    >>> from theory import Gaussian, Loop, M, plan
    >>> print(at_boundary(plan(Loop(Gaussian(0, 1)), Gaussian.V, M, at_least=Rational(1, 2), n=2)).verdict)
    agree
    """
    if not (0 < level < 1 and 0.5 <= power < 1 and chains >= PILOT):
        raise ValueError(
            f"level = {level}, power = {power}, chains = {chains}: give 0 < level < 1, 0.5 <= power < 1 and at least "
            f"{PILOT} chains."
        )
    asked = of_plan(plan, smallest) if isinstance(plan, Plan) else of_budget(plan)
    trial = _Trial(asked, chains, float(-ndtri(level / (2 * MOST))), float(ndtri(power)), seed)
    neighbours = tuple(trial.tried(at, claimed) for at, claimed in asked.sides)
    weak = [one for one in neighbours if not one.chains]
    nearest = tuple(found for one in weak if (found := trial.nearest(one)) is not None)
    within = smallest if asked.continuous else None
    return Boundary(asked.name, asked.symbol, asked.relation, neighbours, nearest, level, power, within)


@frozen(eq=False)
class _Trial:
    """Runs at values of the symbol."""

    question: Question
    most: int
    threshold: float
    power: float
    seed: int

    def tried(self, at: Expr, claimed: bool) -> Tried:
        """Return what theory says of a value, and what a run shows if it takes no more chains than are allowed."""
        close = self.question.continuous  # never run, for its distance from the bound is a matter of rounding
        one = self._planned(at, claimed, roughly=close)
        return one if close or one.needed > self._most(at, one.generation) else self._run(one)

    def nearest(self, side: Tried) -> Tried | None:
        """Return the nearest value beyond a side that can be told from the bound, run; None if none is found."""
        for at in self.question.further(side.at, side.claimed):
            if (most := self._most(at, side.generation)) < PILOT:
                continue
            theory = float(self.question.at(at).value(self.question.generation))
            if self._needed(side.scatter, abs(theory - side.bound)) > most:
                continue  # with the scatter at the answer, which is about that at this value
            one = self._planned(at, side.claimed)
            if one.needed <= self._most(at, one.generation):
                return self._run(one)
        return None

    def _most(self, at: Expr, generation: int) -> float:
        """Return how many chains a value may take."""
        if not self._draws_points:
            return self.most
        loop = self.question.at(at).loop
        return min(self.most, POINTS / (generation * PATHS["data"].size(loop, _shape(loop), generation)))

    @cached_property
    def _draws_points(self) -> bool:
        """Whether the loop is run from its data: at the answer, and so at every value."""
        loop = self.question.at(self.question.sides[-1][0]).loop
        return choose(loop, "auto", _shape(loop))[0] == "data"

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


def _shape(loop: Loop) -> tuple[int, ...]:
    return shape(source_arrays(loop))


def _generation(asked: Quantity, horizon: Expr, distance: float) -> int:
    """Return the generation to be simulated; for a limit, one that is close to it against the distance."""
    if horizon != oo:
        return int(horizon)
    limit, k = float(asked.value(oo)), 16
    while k < FAR and abs(float(asked.value(S(k))) - limit) > distance / 10:
        k *= 2
    return k
