"""What a text's n-grams lose: simulation between the two predictions, by generation and by how much a context sees."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numerics.reports.plots import WIDTHS, style

LINES = {"independent": "independent contexts", "free": "free n-grams"}


def draw(run: xr.Dataset, theory: xr.Dataset, footnote: str, width: float = WIDTHS["icml2"]) -> Figure:
    """Return two panels: distinct n-grams by generation, and the share left at the last one by class of contexts.

    Args:
        run: from `numerics.texts.retrained.retrained`, at least two runs.
        theory: from `numerics.texts.starving.predicted`, the same generations and classes.
        footnote: n, M, order and runs, in words.
        width: in inches.
    """
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(width, 0.42 * width), layout="constrained")
        _by_generation(left, run, theory)
        _by_class(right, run, theory)
        figure.supxlabel(footnote, fontsize=6.5, color="0.35")
    return figure


def _by_generation(ax: Axes, run: xr.Dataset, theory: xr.Dataset) -> None:
    for name, label in LINES.items():
        ax.plot(theory.generation, theory[f"{name}_ngrams"], label=label)
    _points(ax, run.generation.to_numpy(), run.ngrams.to_numpy())
    ax.set(title="distinct n-grams", xlabel="generation $n$", yscale="log")
    ax.legend()


def _by_class(ax: Axes, run: xr.Dataset, theory: xr.Dataset) -> None:
    last = run.isel(generation=-1)
    there = np.flatnonzero(last.left.notnull().all("run"))
    for name in LINES:
        ax.plot(there, theory[name].isel(generation=-1)[there], marker=".")
    _points(ax, there, last.left.to_numpy()[:, there])
    ends = [f"{end:.0f}" for end in run["class"].to_numpy()]
    ax.set(title=f"share of n-grams left at $n = {int(last.generation)}$", yscale="log")
    ax.set(xlabel=r"times a context is expected, from $M\pi_c =$", xticks=there, xticklabels=[ends[k] for k in there])


def _points(ax: Axes, x: np.ndarray, values: np.ndarray) -> None:
    """Draw means over runs, with bars of two standard errors."""
    error = values.std(0, ddof=1) / np.sqrt(len(values))
    ax.errorbar(x, values.mean(0), 2 * error, fmt="o", mfc="white", color="black", elinewidth=0.8, label="simulated")
