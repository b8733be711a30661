"""Trained models against the theory: how far each quantity is from its prediction, and what its first fit adds."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from numerics.reports.plots import WIDTHS, style
from numerics.trained.study import Row, Study

FILLED = {"agree": "white", "underpowered": "0.85"}
"""What points are filled with; those of a prediction that fails with their own colour."""


def draw(found: Study, width: float = WIDTHS["icml2"]) -> Figure:
    """Return a panel for every model and quantity: theory as a line and means over runs as points, by regime.

    Args:
        found: from `numerics.trained.study`.
        width: in inches.
    """
    panels = list(dict.fromkeys((row.model, row.what) for row in found.rows))
    across = min(3, len(panels))
    down = -(-len(panels) // across)
    with style():
        size = (width, 0.33 * width * down + 0.25)
        figure, axes = plt.subplots(down, across, figsize=size, layout="constrained", squeeze=False)
        for ax, panel in zip(axes.flat, panels, strict=False):
            _panel(ax, [row for row in found.rows if (row.model, row.what) == panel])
        for ax in axes.flat[len(panels) :]:
            ax.set_axis_off()
        lines, regimes = axes[0, 0].get_legend_handles_labels()
        figure.legend(lines, regimes, loc="outside upper center", ncols=len(regimes))
        figure.supxlabel(_footnote(found), fontsize=6.5, color="0.35")
    return figure


def _panel(ax: Axes, rows: list[Row]) -> None:
    for k, row in enumerate(rows):
        n = np.arange(1, len(row.theory) + 1)
        ax.plot(n, row.theory, color=f"C{k}", label=str(row.regime))
        means, halves = zip(*((x.mean, x.z * x.error) for x in row.estimates), strict=True)
        # Beside each other, so that bars of regimes that agree can be told apart.
        at = n + 0.12 * (k - (len(rows) - 1) / 2)
        ax.errorbar(
            at, means, halves, fmt="o", ms=3, mfc=FILLED.get(row.verdict, f"C{k}"), color=f"C{k}", elinewidth=0.8
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    ax.set(title=f"{rows[0].model}: {rows[0].what}", xlabel="generation $n$")


def _footnote(found: Study) -> str:
    """Return what bars and fillings mean."""
    level = found.rows[0].asked.level
    return f"bars hold together at level {level:g}; filled points: the prediction fails; grey ones: too few runs to say"
