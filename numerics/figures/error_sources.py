"""Which of the three errors kills a loop: Shapley's shares as a waterfall, and the eight cells beside it."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numerics.decomposition import Estimate, SimulatedSources
from numerics.reports.plots import WIDTHS, style
from theory.sources import CELLS, SOURCES, name

NAMES = {
    "kl_source_model": r"KL(source $\|$ model)",
    "kl_model_source": r"KL(model $\|$ source)",
    "w2": "$W_2^2$",
    "nll": "negative log likelihood of real data",
    "entropy": "entropy",
    "log_variance": r"$\log$ variance",
    "support": "types left",
}


def draw(found: SimulatedSources, width: float = WIDTHS["neurips"]) -> Figure:
    """Return two panels: from the error of no source to that of all three, share by share; and the eight cells.

    Args:
        found: what `simulated_sources` returned.
        width: in inches.
    """
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(width, 0.4 * width), layout="constrained")
        _waterfall(left, found)
        _cells(right, found)
        figure.suptitle(
            f"{NAMES[found.metric]} at generation {found.generation}; {found.chains:,} chains, simultaneous intervals",
            fontsize=7,
            color="0.35",
        )
    return figure


def _waterfall(ax: Axes, found: SimulatedSources) -> None:
    """Draw every share as a bar that begins where the one before it ends."""
    start = found.rows[CELLS[0]].value
    ends = [start, start, *(start + np.cumsum([found.shares[s].mean for s in SOURCES]))]
    for k, source in enumerate(SOURCES, 1):
        share = found.shares[source]
        ax.bar(k, share.mean, bottom=ends[k], color="C1" if share.mean >= 0 else "C2", width=0.6)
        ax.errorbar(k, ends[k + 1], yerr=_half(share), color="0.2", lw=0.8, capsize=2)
        ax.plot([k - 0.3, k + 1.3], [ends[k + 1]] * 2, color="0.5", lw=0.6)
    ax.bar([0, 4], [start, start + found.total.mean], color="C0", width=0.6)
    ax.plot([-0.3, 1.3], [start] * 2, color="0.5", lw=0.6)
    ax.axhline(0, color="0.2", lw=0.6)
    ax.set_xticks(range(5), ["none", "statist.", "express.", "approx.", "all three"])
    ax.set(ylabel="error", title="Shapley shares")


def _cells(ax: Axes, found: SimulatedSources) -> None:
    """Draw every cell: simulation as a point with its interval, theory as a line."""
    for k, cell in enumerate(CELLS):
        row = found.rows[cell]
        if row.simulated is not None:
            ax.errorbar(k, row.simulated.mean, yerr=_half(row.simulated), fmt="o", color="C0", ms=3, capsize=2, lw=0.8)
        if row.theory is not None:
            ax.plot([k - 0.35, k + 0.35], [row.theory] * 2, color="C1", lw=1.2)
    ax.plot([], [], "o", color="C0", ms=3, label="simulation")
    ax.plot([], [], color="C1", lw=1.2, label="theory")
    ax.set_xticks(range(len(CELLS)), [name(cell) for cell in CELLS])
    ax.set(xlabel="sources that are on", title="The eight cells")
    ax.legend()


def _half(estimate: Estimate) -> float:
    """Return half the interval, 0 where there is none to draw."""
    return estimate.half if np.isfinite(estimate.half) else 0.0
