"""The loop that one writes in NumPy runs out of floating-point numbers: its variances become exactly 0, one by one.

It draws points mu + s z. Once s is below the spacing of the floats about mu all points are the same float, and what
their variance is depends on how a sum rounds. The engine carries log V, which has no such end.
"""

import matplotlib.pyplot as plt
import numpy as np
from attrs import field, frozen
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import beta

from numerics.agreement import Agreement
from numerics.reports.plots import WIDTHS, compared, style


@frozen
class Written:
    """What the written loop gave, by generation 1, 2, ..

    Args:
        name: the loop in words.
        zeros: how many of its variances are exactly 0.
        median: the median of log V over the chains that have one, NaN where none has.
        chains: how many there are.
    """

    name: str
    zeros: np.ndarray = field(repr=False)
    median: np.ndarray = field(repr=False)
    chains: int

    @property
    def share(self) -> np.ndarray:
        """The share of variances that are exactly 0."""
        return self.zeros / self.chains

    def interval(self, level: float = 1e-4) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds on the probability of a 0 that hold at every generation but for the stated chance.

        C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404-413, with the level shared out among the generations.
        """
        tail, x, N = level / 2 / len(self.zeros), self.zeros, self.chains
        low = np.where(x > 0, beta.ppf(tail, np.maximum(x, 1), N - x + 1), 0.0)
        return low, np.where(x < N, beta.isf(tail, x + 1, np.maximum(N - x, 1)), 1.0)

    def first(self, share: float) -> int | None:
        """Return the first generation at which at least a share of the variances is 0, None where it is not reached."""
        reached = np.flatnonzero(self.share >= share)
        return int(reached[0]) + 1 if len(reached) else None


def written(seed: int, samples: int, generations: int, chains: int, *, ddof: int = 0, rows: bool = False) -> Written:
    """Return what comes of fitting N(mu, V) again and again to its own float64 points, from N(0, 1).

    Args:
        seed: of NumPy's generator.
        samples: points per generation.
        generations: number of fits.
        chains: number of runs.
        ddof: 0 for maximum likelihood, 1 for the unbiased variance.
        rows: whether the points of a chain lie in a row, so that NumPy adds them pairwise, or in a column.
    """
    rng, mu, s = np.random.default_rng(seed), np.zeros(chains), np.ones(chains)
    zeros, median = np.zeros(generations, dtype=int), np.full(generations, np.nan)
    for k in range(generations):
        x = rng.normal(mu[:, None], s[:, None], (chains, samples)).T if rows else rng.normal(mu, s, (samples, chains))
        mu, V = x.mean(axis=0), np.var(x, axis=0, ddof=ddof)
        s, zeros[k] = np.sqrt(V), np.count_nonzero(V == 0)
        if zeros[k] < chains:
            median[k] = np.median(np.log(V[V > 0]))
    name = f"{'unbiased' if ddof else 'ML'}, {'rows' if rows else 'columns'}"
    return Written(name, zeros, median, chains)


def draw(engine: Agreement, loops: list[Written], M: int, chains: int, width: float = WIDTHS["icml2"]) -> Figure:
    """Return two panels: log V by theory, engine and written loops, and the share of these that is exactly 0.

    Args:
        engine: agreement on E log V of the fit by maximum likelihood.
        loops: what the written loops gave, that of maximum likelihood first.
        M: samples per generation, for the note.
        chains: independent runs of the engine, for the note.
        width: in inches.
    """
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(width, 0.42 * width), layout="constrained")
        compared(left, engine, r"$\mathbb{E}\,\log V_n$: theory and engine", every=50)
        _logs(left, loops[0])
        _zeros(right, loops)
        figure.suptitle(
            f"M = {M}; engine {chains:,} chains, bars at simultaneous level {engine.level:g}; "
            f"written loops {loops[0].chains:,} chains, bands at 1e-4",
            fontsize=7,
            color="0.35",
        )
    return figure


def _logs(ax: Axes, loop: Written) -> None:
    generations = np.arange(1, len(loop.median) + 1)
    label = f"written loop, float64: median of\nthe chains whose V is not 0 ({loop.name})"
    ax.plot(generations, loop.median, color="C1", lw=1, label=label)
    ax.set(xlabel="generation $n$", ylabel=r"$\log V_n$")
    ax.legend(loc="lower left")


def _zeros(ax: Axes, loops: list[Written]) -> None:
    for k, loop in enumerate(loops, 1):
        generations, (low, high) = np.arange(1, len(loop.zeros) + 1), loop.interval()
        ax.plot(generations, loop.share, color=f"C{k}", lw=1, label=loop.name)
        ax.fill_between(generations, low, high, color=f"C{k}", alpha=0.25, lw=0)
    ax.axhline(1 / 3, color="0.6", lw=0.6, ls=":")
    ax.set(xlabel="generation $n$", ylabel="share of V exactly 0", ylim=(-0.02, 1.02))
    ax.legend(title="written loop:\nfit, points in", loc="upper left", fontsize=6, title_fontsize=6, handlelength=1)
