"""What eight cells show: every mean with its interval, its theory and a verdict, and the shares of the sources."""

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from attrs import field, frozen
from scipy.special import ndtri

from numerics.agreement import ROUNDING
from numerics.compared import sample_sem
from theory.loop import Loop
from theory.sources import CELLS, LETTERS, SOURCES, Cell, Decomposition, name

FIGURES = len(CELLS) + len(CELLS) - 1 + len(SOURCES)
"""Numbers that share one level: cells, interactions but that of no source, and shares."""


@frozen
class Estimate:
    """A mean over chains with its simultaneous interval.

    Args:
        mean: over the chains.
        error: its standard error; infinite where the mean is too skewed to be read by a normal law.
        z: how many standard errors the interval reaches to each side.
        bias: by how much the mean may be off beside; the interval reaches so much further.
    """

    mean: float
    error: float
    z: float
    bias: float = 0.0

    @property
    def half(self) -> float:
        """Half the interval, z error + bias."""
        return self.z * self.error + self.bias

    @property
    def interval(self) -> tuple[float, float]:
        """The interval mean -+ (z error + bias)."""
        return self.mean - self.half, self.mean + self.half

    def __str__(self) -> str:
        """Return mean and half-length, or that it has none."""
        return f"{self.mean:.4g} +- {self.half:.2g}" if np.isfinite(self.half) else f"{self.mean:.4g}, skewed"


@frozen
class Row:
    """One cell: what theory says, what simulation shows, and the verdict.

    Args:
        cell: the sources that are on.
        theory: the exact value, None where there is none.
        reason: why there is no theory, or no simulation, or what stands for it; "" where there are both.
        simulated: the estimate, None where nothing was simulated.
        scale: what errors are relative to: the largest cell of the table.
        asked: the relative error that must be visible.
        power: with which probability.
    """

    cell: Cell
    theory: float | None
    reason: str
    simulated: Estimate | None
    scale: float
    asked: float
    power: float

    @property
    def smallest(self) -> float:
        """The smallest error, relative to the largest cell, that would have been seen."""
        if self.simulated is None:
            return float("inf")
        return (self.simulated.half + float(ndtri(self.power)) * self.simulated.error) / self.scale

    @property
    def verdict(self) -> str:
        """agree, disagree or underpowered; "theory only" or "simulated only" where there is nothing to compare."""
        if self.theory is None or self.simulated is None:
            return "simulated only" if self.theory is None else "theory only"
        low, high = self.simulated.interval
        slack = ROUNDING * max(abs(self.theory), self.scale)
        if not low - slack <= self.theory <= high + slack:
            return "disagree"
        return "agree" if self.smallest <= self.asked else "underpowered"

    @property
    def value(self) -> float:
        """The exact value where there is one, else the mean over chains."""
        if self.theory is not None:
            return self.theory
        return np.nan if self.simulated is None else self.simulated.mean


@frozen(eq=False)
class SimulatedSources:
    """The decomposition of a loop's error at one generation, by simulation and, cell by cell, by theory.

    Prints as a table. ``cells`` are values by chain, so that ``split`` is the decomposition of every chain.
    """

    loop: Loop
    metric: str
    generation: int
    chains: int
    rows: Mapping[Cell, Row] = field(repr=False)
    split: Decomposition[np.ndarray] = field(repr=False)
    z: float
    biases: Mapping[Cell, float] = field(factory=dict, repr=False)
    """What cells may be off by where a number of samples stands for infinitely many."""

    @cached_property
    def interactions(self) -> Mapping[Cell, Estimate]:
        """What a set of sources adds that no smaller set does."""
        return {
            cell: estimate(values, self.z, self._bias(lambda split, cell=cell: split.interactions[cell]))
            for cell, values in self.split.interactions.items()
        }

    @cached_property
    def shares(self) -> Mapping[str, Estimate]:
        """Shapley's value of each source, with its simultaneous interval."""
        return {
            source: estimate(values, self.z, self._bias(lambda split, source=source: split.shares[source]))
            for source, values in self.split.shares.items()
        }

    @property
    def total(self) -> Estimate:
        """What the three sources add together."""
        return estimate(self.split.total, self.z, self._bias(lambda split: split.total))

    def _bias(self, part: Callable[[Decomposition[float]], float]) -> float:
        """Return what a combination of cells may be off by: each cell's bias times the cell's weight in it."""
        units = {cell: Decomposition({other: float(other == cell) for other in CELLS}) for cell in self.biases}
        return sum(abs(part(units[cell])) * bias for cell, bias in self.biases.items())

    @property
    def smallest(self) -> float:
        """The largest of the rows' smallest errors: what would have been seen in every row."""
        return max(row.smallest for row in self.rows.values() if row.simulated is not None)

    @property
    def verdict(self) -> str:
        """disagree if a row disagrees, else underpowered if one is, else agree."""
        found = {row.verdict for row in self.rows.values()}
        return next((word for word in ("disagree", "underpowered") if word in found), "agree")

    def _repr_latex_(self) -> str:
        cells = [
            rf"\text{{{name(cell)}}} & {'' if row.theory is None else f'{row.theory:.4g}'} & "
            rf"{_latex(row.simulated)} & \text{{{row.verdict}}}"
            for cell, row in self.rows.items()
        ]
        shares = [rf"\varphi_{LETTERS[source]} & & {_latex(share)} &" for source, share in self.shares.items()]
        rows = (r"\text{cell} & \text{theory} & \text{simulation} & ", r" \\ ".join(cells), r" \\ ".join(shares))
        return r"$\begin{array}{llll} " + r" \\ \hline ".join(rows) + r" \end{array}$"

    def __str__(self) -> str:
        """Return the rows, then the shares."""
        head = ("cell", "theory", "simulation", "interaction", "smallest seen", "verdict")
        table = [head, *(_texts(row, self.interactions[cell]) for cell, row in self.rows.items())]
        widths = [max(len(line[k]) for line in table) for k in range(len(head) - 1)]
        lines = ["  ".join([*(f"{text:<{w}}" for text, w in zip(row, widths, strict=False)), row[-1]]) for row in table]
        reasons = [f"{name(cell)}: {row.reason}" for cell, row in self.rows.items() if row.reason]
        shares = ", ".join(f"{source} {share}" for source, share in self.shares.items())
        told = f"{self.metric} at generation {self.generation}, {self.chains:,} chains; intervals hold together"
        return "\n".join([told, *lines, f"shares: {shares}", f"together: {self.total}", *reasons])


def _latex(estimate: Estimate | None) -> str:
    return "" if estimate is None else str(estimate).replace("+-", r"\pm").replace(", skewed", r"\ \text{skewed}")


def _texts(row: Row, interaction: Estimate) -> tuple[str, ...]:
    theory = "" if row.theory is None else f"{row.theory:.6g}"
    simulated = "" if row.simulated is None else str(row.simulated)
    smallest = "" if row.simulated is None else f"{row.smallest:.2g}"
    return name(row.cell), theory, simulated, str(interaction), smallest, row.verdict


def estimate(values: np.ndarray, z: float, bias: float = 0.0) -> Estimate:
    """Return the mean with its standard error, infinite where the mean cannot be read by a normal law."""
    mean = float(values.mean())
    if not np.isfinite(mean):
        return Estimate(mean, np.inf, z, bias)
    return Estimate(mean, float(sample_sem(values[:, None])[0]), z, bias)
