"""The verdict on a plan: what was claimed of each value, what theory says, and what the runs show."""

from typing import Any, Literal

import numpy as np
from attrs import frozen
from sympy import Expr

from numerics.agreement import Verdict

Side = Literal["meets", "misses", "cannot tell"]


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
