"""How a Gaussian forgets: the mean of the variance, and the variance of a typical run."""

import matplotlib.pyplot as plt
import numpy as np
from attrs import evolve
from matplotlib.figure import Figure

from numerics.agreement import Agreement
from numerics.reports.plots import WIDTHS, compared, style


def draw(mean: Agreement, log_mean: Agreement, M: int, chains: int, width: float = WIDTHS["neurips"]) -> Figure:
    """Return E V_n and exp(E log V_n) against the generation, on one logarithmic axis.

    Args:
        mean: agreement on E V_n.
        log_mean: agreement on E log V_n.
        M: samples per generation, for the note.
        chains: independent runs, for the note.
        width: in inches.
    """
    with style():
        figure, ax = plt.subplots(figsize=(width, 0.6 * width), layout="constrained")
        compared(ax, mean, r"mean over runs, $\mathbb{E}\,V_n$", every=5)
        compared(ax, _exponential(log_mean), r"typical run, $\exp\,\mathbb{E}\,\log V_n$", every=5)
        ax.set(yscale="log", xlabel="generation $n$", ylabel="variance")
        ax.set_title(f"M = {M}, {chains:,} chains, bars at simultaneous level {mean.level:g}", fontsize=7, color="0.35")
        ax.legend()
    return figure


def _exponential(agreement: Agreement) -> Agreement:
    """Return the agreement on the scale of V: exp of both curves, the error carried by the slope."""
    simulated = np.exp(agreement.simulation)
    return evolve(agreement, theory=np.exp(agreement.theory), simulation=simulated, error=simulated * agreement.error)
