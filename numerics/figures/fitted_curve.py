"""What a curve says: the curve with the band of its future, and the posterior of what was inferred from it."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numerics.fitting.curve_fit import CurveFit
from numerics.fitting.unknowns import MEANING
from numerics.reports.plots import WIDTHS, style


def draw(found: CurveFit, tolerance: float = 0.1, width: float = WIDTHS["icml2"]) -> Figure:
    """Return two panels: the observed curve with its bands, and the two symbols that the curve ties most.

    Args:
        found: what `fit_curve` returned.
        tolerance: the ratio to the start whose crossing is drawn.
        width: in inches.
    """
    with style():
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(width, 0.42 * width), width_ratios=(1.6, 1), layout="constrained"
        )
        _curve(left, found, tolerance)
        _posterior(right, found)
        probable = ", ".join(f"{name} {chance:.2g}" for name, (chance, _, _) in found.compare().items())
        figure.suptitle(f"{found.curve.name}; probability: {probable}", fontsize=7, color="0.35")
    return figure


def _curve(ax: Axes, found: CurveFit, tolerance: float) -> None:
    curve, anew, ahead = found.curve, found.bands(anew=True), found.bands()
    name = f"{100 * found.level:g} %, whole curves"
    ax.fill_between(anew.generations, anew.low, anew.high, color="0.9", lw=0, label=f"a new run ({name})")
    ax.fill_between(ahead.generations, ahead.low, ahead.high, color="C0", alpha=0.25, lw=0, label="this run goes on")
    ax.plot(ahead.generations, ahead.median, color="C0", lw=1, ls="--")
    for k, values in enumerate(curve.values):
        ax.plot(curve.generations, values, "o-", color="C0" if k == 0 else "0.5", ms=2.5, lw=0.8, mfc="white")
    if curve.observable != "entropy":
        ax.axhline(tolerance * curve.values[0, 0], color="C1", lw=0.8, ls=":")
        ax.set(yscale="log")
    when = found.forecast(tolerance)
    ax.set_title(str(when), fontsize=6.5, color="C1", loc="left")
    ax.set(xlabel="generation $n$", ylabel=curve.observable)
    ax.legend(loc="lower left")


def _posterior(ax: Axes, found: CurveFit) -> None:
    best = found.best
    names = [row.name for row in best.summary()]
    tied = best.tied()
    x = best.draws[names[0]]
    if tied is None:
        ax.hist(x, bins=40, color="C0", alpha=0.6)
        ax.set(xlabel=_label(names[0]), yticks=[])
        return
    one, two, correlation = tied
    ax.plot(best.draws[one], best.draws[two], ".", ms=1, alpha=0.3, color="C0")
    ax.plot(np.median(best.draws[one]), np.median(best.draws[two]), "o", color="C1", ms=4)
    wide = one == "M" and best.draws[one].max() > 10 * best.draws[one].min()
    ax.set(xlabel=_label(one), ylabel=_label(two), xscale="log" if wide else "linear")
    ax.set_title(f"{best.name}, correlation {correlation:+.2f}", fontsize=7, color="0.35")


def _label(name: str) -> str:
    letters = {"alpha": r"$\alpha$", "beta": r"$\beta$", "tau": r"$\tau$"}
    return f"{letters.get(name, f'${name}$')}, {MEANING[name]}"
