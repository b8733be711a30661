"""The eight cells of a loop, each run and each asked for its theory.

All cells run on the same seed, so that chain c of one is tied to chain c of another, and every combination of cells, an
interaction or a share, has the standard error of its own values by chain.
"""

import numpy as np
from attrs import evolve, frozen
from scipy.special import ndtri
from sympy import oo

from numerics.decomposition.verdict import FIGURES, Row, SimulatedSources, estimate
from numerics.metrics import measured
from numerics.simulate import simulate
from theory.cells import value_at
from theory.errors import NoClosedForm, NotClosed
from theory.loop import Loop
from theory.sources import CELLS, Cell, Decomposition, name, variant


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
        apart = estimate(whole - half, self.z)
        bias = max(map(abs, apart.interval)) if np.isfinite(apart.error) else float("inf")
        return _Found(None, whole, f"{many} samples stand for infinitely many, off by at most {bias:.2g}", bias)

    def _measured(self, loop: Loop, chains: int, method: str) -> np.ndarray:
        run = simulate(loop, generations=self.generation, chains=chains, seed=self.seed, method=method)
        return measured(loop, self.metric, run.isel(generation=[-1]))[:, 0]


def _row(cell: Cell, found: _Found, z: float, scale: float, smallest: float, power: float) -> Row:
    simulated = None if found.values is None else estimate(found.values, z, found.bias)
    return Row(cell, found.theory, found.reason, simulated, scale, smallest, power)
