"""What a text keeps under retraining: words left by generation, and which words are lost, by how rare they are."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from numerics.reports.plots import WIDTHS, style
from numerics.texts.retention import Retention

SHARES = (0.0, 0.001, 0.01, 0.1)
"""Real shares whose words are drawn."""


def draw(found: Retention, width: float = WIDTHS["icml2"]) -> Figure:
    """Return two panels: the share of word types left against n, and P(lost) against the expected copies M p.

    The first holds E[types left] without real text as the upper line, exact to the width of the line, and the proved
    lower bound for some shares of real text; the second holds one line for each generation of ``found``.
    """
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(width, 0.38 * width), layout="constrained")
        _words_left(left, found)
        _words_lost(right, found)
        figure.suptitle(f"{found.lexicon.name}, M = {found.samples:,} tokens per generation", fontsize=8, color="0.35")
    return figure


def _words_left(ax: Axes, found: Retention) -> None:
    n = np.unique(np.geomspace(1, max(found.generations), 60).astype(int))
    types = len(found.lexicon.words)
    ax.plot(n, found.chain.support(n).value / types, color="0.2", lw=2, label="no real text")
    for alpha in SHARES[1:]:
        ax.plot(n, [found.kept(alpha, k) / types for k in n], label=f"{100 * alpha:g} % real, at least")
    ax.set(xscale="log", ylim=(0, None), xlabel="generation $n$", ylabel="word types left")
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend()


def _words_lost(ax: Axes, found: Retention) -> None:
    for n, chances in zip(found.generations, found.lost, strict=True):
        ax.plot(found.samples * found.distinct, chances, marker=".", ms=3, label=f"$n = {n}$")
    ax.set(xscale="log", xlabel="expected copies $M p$ per generation", ylabel="probability that the word is gone")
    ax.legend()
