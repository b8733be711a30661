"""The eight cells of the three error sources by simulation, each beside its theory, with shares and their errors.

All cells run on the same seed, so that chain c of one is tied to chain c of another, and every combination of cells, an
interaction or a share, has the standard error of its own values by chain.
"""

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from attrs import evolve, field, frozen
from scipy.special import ndtri
from sympy import oo

from numerics.agreement import ROUNDING
from numerics.compared import sample_sem
from numerics.metrics import measured
from numerics.simulate import simulate
from theory.cells import value_at
from theory.errors import NoClosedForm, NotClosed
from theory.loop import Loop
from theory.sources import CELLS, LETTERS, SOURCES, Cell, Decomposition, name, variant

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
            cell: _estimate(values, self.z, self._bias(lambda split, cell=cell: split.interactions[cell]))
            for cell, values in self.split.interactions.items()
        }

    @cached_property
    def shares(self) -> Mapping[str, Estimate]:
        """Shapley's value of each source, with its simultaneous interval."""
        return {
            source: _estimate(values, self.z, self._bias(lambda split, source=source: split.shares[source]))
            for source, values in self.split.shares.items()
        }

    @property
    def total(self) -> Estimate:
        """What the three sources add together."""
        return _estimate(self.split.total, self.z, self._bias(lambda split: split.total))

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


def simulated_sources(
    loop: Loop,
    metric: str = "kl_source_model",
    *,
    generations: int,
    chains: int,
    seed: int = 0,
    method: str = "auto",
    many: int | None = None,
    level: float = 1e-3,
    power: float = 0.9,
    smallest: float = 0.1,
) -> SimulatedSources:
    """Return the eight cells of a loop's error at a generation, by simulation, each with its theory where there is one.

    Args:
        loop: a loop with the sources as they are, numbers in all its symbols.
        metric: one of `numerics.metrics`.
        generations: the generation n at which the error is measured.
        chains: runs of every cell.
        seed: of every cell: they share their random numbers.
        method: how every cell is run; "data" draws the points of all of them and refits them.
        many: the samples that stand for infinitely many where a population limit has no closed form; None refuses such
            a loop. What half as many differ from them bounds their bias of order 1/many; the row says it, and its
            interval reaches further by it.
        level: probability that any one of the intervals of cells, interactions and shares misses its mean.
        power: probability with which an error is to be seen.
        smallest: the error, relative to the largest cell, that must be visible; otherwise a row is underpowered.

    Raises:
        NotClosed: a cell that has neither a theory nor a simulation.

    >>> from theory import Gaussian, Tempered, Unbiased
    >>> loop = Loop(Gaussian(0, 1), estimator=Unbiased(), sampling=Tempered(2), samples=5)
    >>> found = simulated_sources(loop, "log_variance", generations=3, chains=2000)
    >>> found.verdict, round(found.rows[frozenset({"approximation"})].theory, 4)
    ('agree', 2.0794)
    """
    z = float(-ndtri(level / 2 / FIGURES))
    asked = _Asked(metric, generations, chains, seed, method, many, z)
    found = {cell: asked.of(variant(loop, cell), name(cell)) for cell in CELLS}
    values = {cell: np.full(chains, one.theory) if one.values is None else one.values for cell, one in found.items()}
    scale = max(float(np.abs(np.mean(v))) for v in values.values()) or 1.0
    rows = {cell: _row(cell, one, z, scale, smallest, power) for cell, one in found.items()}
    biases = {cell: one.bias for cell, one in found.items() if one.bias}
    return SimulatedSources(loop, metric, generations, chains, rows, Decomposition(values), z, biases)


@frozen
class _Found:
    """What is known of a cell: its exact value, its values by chain, and why one is missing or stands for another, with
    what the values may be off by on that account.
    """

    theory: float | None
    values: np.ndarray | None
    reason: str = ""
    bias: float = 0.0


@frozen
class _Asked:
    """What is measured, and how."""

    metric: str
    generation: int
    chains: int
    seed: int
    method: str
    many: int | None
    z: float

    def of(self, loop: Loop, cell: str) -> _Found:
        """Return what theory and simulation say of one variant, or refuse one of which neither says anything."""
        theory, why_no_theory = self._theory(loop)
        seen = self._drawn(loop) if loop.samples != oo else self._limit(loop, theory is not None)
        if theory is None and seen.values is None:
            raise NotClosed(f"cell {cell}: {why_no_theory}, and {seen.reason}. Ask for another metric or family.")
        return evolve(seen, theory=theory, reason="; ".join(filter(None, (why_no_theory, seen.reason))))

    def _theory(self, loop: Loop) -> tuple[float | None, str]:
        try:
            return float(value_at(loop, self.metric, self.generation)), ""
        except (NotClosed, NoClosedForm) as refusal:
            return None, str(refusal).split(". ")[0]

    def _drawn(self, loop: Loop) -> _Found:
        try:
            return _Found(None, self._measured(loop, self.chains, self.method))
        except ValueError as refusal:  # no path runs it
            return _Found(None, None, str(refusal).split(". ")[0])

    def _limit(self, loop: Loop, known: bool) -> _Found:
        """Return the one value of a loop without randomness, or that of a number that stands for infinitely many."""
        try:
            return _Found(None, np.repeat(self._measured(loop, 1, "auto"), self.chains))
        except ValueError:  # no path runs it
            if known or self.many is None:
                return _Found(
                    None, None, "infinitely many samples are not drawn; many= is a number that stands for them"
                )
        return self._standing_in(loop, self.many)

    def _standing_in(self, loop: Loop, many: int) -> _Found:
        """Return the values of ``many`` points; their bias is at most what half as many differ from them."""
        half, whole = (
            self._measured(evolve(loop, samples=size), self.chains, self.method) for size in (many // 2, many)
        )
        apart = _estimate(whole - half, self.z)
        bias = max(map(abs, apart.interval)) if np.isfinite(apart.error) else float("inf")
        return _Found(None, whole, f"{many} samples stand for infinitely many, off by at most {bias:.2g}", bias)

    def _measured(self, loop: Loop, chains: int, method: str) -> np.ndarray:
        run = simulate(loop, generations=self.generation, chains=chains, seed=self.seed, method=method)
        return measured(loop, self.metric, run.isel(generation=[-1]))[:, 0]


def _row(cell: Cell, found: _Found, z: float, scale: float, smallest: float, power: float) -> Row:
    simulated = None if found.values is None else _estimate(found.values, z, found.bias)
    return Row(cell, found.theory, found.reason, simulated, scale, smallest, power)


def _estimate(values: np.ndarray, z: float, bias: float = 0.0) -> Estimate:
    """Return the mean with its standard error, infinite where the mean cannot be read by a normal law."""
    mean = float(values.mean())
    if not np.isfinite(mean):
        return Estimate(mean, np.inf, z, bias)
    return Estimate(mean, float(sample_sem(values[:, None])[0]), z, bias)
