"""A plan at its boundary: the quantity against what is solved for, the bound, and the simulated intervals."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sympy import Expr, Rational, S, floor

from numerics.boundary import Boundary
from numerics.reports.plots import WIDTHS, style
from theory.allocation import Budget
from theory.latex import latex
from theory.planned import Plan

POINTS = 24
"""Steps of the symbol that are drawn, half of them on either side of the answer."""
REACH = Rational(3, 20)
"""How far on either side a real symbol is drawn, relatively, where no value further away was run."""


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
            ax.annotate(one.verdict, (float(one.at), high), (0, 3), textcoords="offset points", color=color, fontsize=6)
    symbol = "budget, points in all" if isinstance(plan, Budget) else f"${latex(plan.symbol)}$"
    ax.set(xlabel=symbol, ylabel=f"{held.name}, bound {held.relation} {held.neighbours[-1].bound:g}")


def _around(plan: Plan | Budget, held: Boundary) -> list[Expr]:
    """Return values of the symbol about the answer, on its grid."""
    centre = S(plan.value)
    run = [one.at for one in (*held.neighbours, *held.nearest)]
    farthest = max(abs(x - centre) for x in run)
    if isinstance(plan, Budget):
        step = max(S.One, floor(3 * farthest / POINTS))
        return [x for k in range(-POINTS // 2, POINTS // 2 + 1) if (x := centre + k * step) >= _fewest(plan)]
    assert plan.search is not None
    grid = plan.search.grid
    step = grid.step or max(2 * farthest, abs(centre) * REACH) * 2 / POINTS
    spaced = step * max(S.One, floor(3 * farthest / POINTS / step)) if grid.step else step
    points = (centre + k * spaced for k in range(-POINTS // 2, POINTS // 2 + 1))
    return [x for x in points if max(grid.low, spaced) <= x <= grid.high]


def _fewest(plan: Budget) -> int:
    return plan.enough.least * plan.enough.horizon


def _value(plan: Plan | Budget, at: Expr) -> float:
    if isinstance(plan, Budget):
        return float(plan.enough.resized(int(at)).value)
    assert plan.search is not None
    judge = plan.search.judge
    return float(judge.rough(at)) if judge.finite(at) else np.nan
