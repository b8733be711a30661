"""The figure of the main job: how fast a Gaussian and a vocabulary forget, theory against simulation."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from numerics.agreement import Agreement
from numerics.reports.plots import WIDTHS, compared, style


def draw(panels: Mapping[str, Mapping[str, Agreement]], footnote: str, width: float = WIDTHS["icml2"]) -> Figure:
    """Return one panel per title, each with its agreements by label.

    Args:
        panels: title -> label -> agreement.
        footnote: n, M, chains and level, in words.
        width: in inches.
    """
    with style():
        figure, axes = plt.subplots(1, len(panels), figsize=(width, 0.42 * width), layout="constrained", squeeze=False)
        for ax, (title, curves) in zip(axes[0], panels.items(), strict=True):
            _panel(ax, title, curves)
        figure.supxlabel(footnote, fontsize=6.5, color="0.35")
    return figure


def _panel(ax: Axes, title: str, curves: Mapping[str, Agreement]) -> None:
    for label, agreement in curves.items():
        compared(ax, agreement, label, every=max(1, len(agreement.generations) // 12))
    ax.set(title=title, xlabel="generation $n$")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    ax.legend(loc="best")
