"""A plan at its boundary: the quantity against what is solved for, the bound, and the simulated intervals."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sympy import Expr, S, ceiling, oo

from numerics.boundary import Boundary
from numerics.reports.plots import WIDTHS, style
from theory.allocation import Budget
from theory.latex import latex
from theory.planned import Plan

POINTS = 24
"""Values of the symbol that are drawn, or fewer where its steps are wide."""
WIDER = 3
"""How far from the answer values are drawn, in distances of the farthest that was run."""


def draw(pairs: Sequence[tuple[Plan | Budget, Boundary]], width: float = WIDTHS["icml2"]) -> Figure:
    """Return a panel for each plan: theory as a line or, for whole numbers, points; intervals coloured by verdict.

    Args:
        pairs: plans, each with what `at_boundary` returned for it.
        width: in inches.
    """
    with style():
        figure, axes = plt.subplots(1, len(pairs), figsize=(width, 0.42 * width), layout="constrained", squeeze=False)
        for ax, (plan, held) in zip(axes[0], pairs, strict=True):
            _panel(ax, plan, held)
        level = ", ".join(sorted({f"{held.level:g}" for _, held in pairs}))
        figure.suptitle(f"bars: simulated intervals, simultaneous level {level}", fontsize=7, color="0.35")
    return figure


def _panel(ax: Axes, plan: Plan | Budget, held: Boundary) -> None:
    at = _around(plan, held)
    whole = isinstance(plan, Budget) or bool(plan.search and plan.search.grid.step)
    ax.plot([float(x) for x in at], [_value(plan, x) for x in at], "." if whole else "-", color="0.6", ms=3)
    ax.axhline(held.neighbours[-1].bound, color="0.2", lw=0.8, ls=":")
    for one in (*held.neighbours, *held.nearest):
        if one.chains:
            low, high = one.interval
            color = "C0" if one.verdict == "meets" else "C1" if one.verdict == "misses" else "0.4"
            ax.errorbar([float(one.at)], [one.mean], [[one.mean - low], [high - one.mean]], fmt="o", ms=3, color=color)
            above = one.mean > one.bound
            place = {"xytext": (0, 3 if above else -3), "va": "bottom" if above else "top", "ha": "center"}
            ax.annotate(
                one.verdict,
                (float(one.at), high if above else low),
                textcoords="offset points",
                color=color,
                fontsize=6,
                **place,
            )
    symbol = "budget, points in all" if isinstance(plan, Budget) else f"${latex(plan.symbol)}$"
    ax.set(xlabel=symbol, ylabel=f"{held.name}, bound {held.relation} {held.neighbours[-1].bound:g}")


def _around(plan: Plan | Budget, held: Boundary) -> list[Expr]:
    """Return values of the symbol about the answer, on its grid, that reach beyond those that were run."""
    centre = S(plan.value)
    farthest = max(abs(one.at - centre) for one in (*held.neighbours, *held.nearest))
    reach = WIDER * farthest
    if isinstance(plan, Budget):
        low, high, step = S(_fewest(plan)), oo, S.One
    else:
        assert plan.search is not None
        low, high, step = plan.search.grid.low, plan.search.grid.high, plan.search.grid.step
    spaced = step * max(S.One, ceiling(2 * reach / POINTS / step)) if step else 2 * reach / POINTS
    count = int(ceiling(reach / spaced))
    points = (centre + k * spaced for k in range(-count, count + 1))
    return [x for x in points if low <= x <= high]


def _fewest(plan: Budget) -> int:
    return plan.enough.least * plan.enough.horizon


def _value(plan: Plan | Budget, at: Expr) -> float:
    if isinstance(plan, Budget):
        return float(plan.enough.resized(int(at)).value)
    assert plan.search is not None
    judge = plan.search.judge
    return float(judge.rough(at)) if judge.finite(at) else np.nan
