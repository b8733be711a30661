"""The posterior of one loop given a curve: what was inferred, how well, and the curves that it expects."""

from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from attrs import field, frozen

from numerics.fitting.futures import futures
from numerics.fitting.likelihood import curve_law
from numerics.fitting.models import Model, chains, hidden_numbers, targets
from numerics.fitting.observed import Observed
from numerics.fitting.posterior import (
    IMPOSSIBLE,
    Effort,
    Evidence,
    evidence,
    prior_points,
    proposal,
    rhat,
    starts,
    student,
)
from numerics.fitting.unknowns import MEANING
from numerics.samplers import chain_key, slot_key
from numerics.samplers.cipher import halves
from theory.axes import shown

PATHS = 1000
"""Curves drawn from a posterior."""
NOISY = -2.6
"""Standard score of neighbouring residuals below which noise is suspected: one curve in 200 by chance."""
MIXED_WELL = 1.05
"""Largest R-hat at which draws are used."""


@frozen
class Row:
    """One symbol: median and interval of its posterior, and the share of the prior's variance that the curve took away.

    The share is that of u, the place of the symbol in its prior.
    """

    name: str
    median: float
    low: float
    high: float
    learned: float

    def __str__(self) -> str:
        """Return the row in words."""
        return (
            f"{self.name} = {self.median:.4g} [{self.low:.4g}, {self.high:.4g}], {MEANING[self.name]}; "
            f"learned {100 * max(self.learned, 0):.0f} %"
        )


@frozen(eq=False)
class RegimeFit:
    """The posterior of one loop.

    Args:
        model: the loop with its unknowns.
        curve: what was seen.
        u: draws on the unit cube of the priors, shape (chains, draws, symbols), and of the hidden numbers of every run
            behind those.
        divergences: steps of NUTS that went astray.
        evidence: the marginal likelihood.
        level: probability of the intervals.
        seed: of the random numbers.
    """

    model: Model
    curve: Observed
    u: np.ndarray = field(repr=False)
    divergences: int
    evidence: Evidence
    level: float
    seed: int

    @property
    def name(self) -> str:
        """The regime, as it is written."""
        return shown(self.model.loop.regime)

    @property
    def possible(self) -> bool:
        """Whether any values of the symbols make the curve possible."""
        return bool(np.isfinite(self.evidence.log))

    @cached_property
    def draws(self) -> dict[str, np.ndarray]:
        """Draws of every symbol, shape (chains * draws,)."""
        with jax.enable_x64(True):
            values = self.model.unknowns.values(jnp.asarray(self._flat))
            return {name: np.asarray(value) for name, value in values.items()}

    @property
    def posterior(self) -> xr.Dataset:
        """The draws by chain and draw."""
        shape = self.u.shape[:2]
        return xr.Dataset({name: (("chain", "draw"), x.reshape(shape)) for name, x in self.draws.items()})

    @property
    def rhat(self) -> float:
        """The largest split R-hat of the symbols and hidden numbers."""
        return rhat(self.u)

    @property
    def mixed(self) -> bool:
        """Whether the chains of NUTS have mixed."""
        return self.rhat <= MIXED_WELL

    def summary(self) -> tuple[Row, ...]:
        """Return median, interval and share learned of every symbol."""
        tail = (1 - self.level) / 2
        rows = []
        for k, (name, x) in enumerate(self.draws.items()):
            low, median, high = np.quantile(x, [tail, 0.5, 1 - tail])
            rows.append(Row(name, float(median), float(low), float(high), float(1 - 12 * self.u[..., k].var())))
        return tuple(rows)

    def tied(self) -> tuple[str, str, float] | None:
        """Return the two symbols that the curve tells apart worst, and the correlation of their places in the prior."""
        names = list(self.draws)
        if len(names) < 2:
            return None
        matrix = np.corrcoef(self.u[..., : len(names)].reshape(-1, len(names)).T)
        one, two = max(zip(*np.triu_indices(len(names), 1), strict=True), key=lambda pair: abs(matrix[pair]))
        return names[one], names[two], float(matrix[one, two])

    def neighbours(self) -> tuple[float, float] | None:
        """Return the correlation of neighbouring one-step residuals at the posterior median, and its standard score.

        Under the loop itself it is about 0; noise in the measured values makes it negative, up to -1/2, and M too
        small. None for a vocabulary.
        """
        if self.curve.observable == "vocabulary":
            return None
        with jax.enable_x64(True):
            middle = {name: jnp.asarray(np.median(x)) for name, x in self.draws.items()}
            law, V = curve_law(self.model.loop), self.model.data(self.curve)
            r = np.asarray(law.residuals(middle, V, self.model.first, jnp.asarray(np.median(self.hidden, axis=0))))
        one, two = r[:, :-1], r[:, 1:]
        both = np.isfinite(one) & np.isfinite(two)
        correlation = float(np.sum(one[both] * two[both]) / np.nansum(r**2))
        return correlation, correlation * float(np.sqrt(both.sum()))

    def futures(self, generations: int, *, run: int = 0, known: int | None = None, size: int = PATHS) -> np.ndarray:
        """Return curves drawn from the posterior, shape (size, generations), after ``known`` generations of a run.

        By default all that were seen; known=1 starts anew, with one refit for every generation.
        """
        taken = np.linspace(0, len(self._flat) - 1, size).astype(int)
        values = {name: x[taken] for name, x in self.draws.items()}
        seen = int(np.isfinite(self.curve.values[run]).sum())
        hidden = self.hidden[taken, run if self.model.hides else 0]
        return futures(self.model, values, hidden, self.curve, run, known or seen, generations, self.seed)

    @cached_property
    def hidden(self) -> np.ndarray:
        """Draws of the runs' hidden numbers, shape (chains * draws, runs, hidden): of a set of real points that a run
        keeps, its sum of squares about its mean, in units of V0.
        """
        if not self.model.hides:
            return np.zeros((len(self._flat), 1, 0))
        with jax.enable_x64(True):
            return np.asarray(hidden_numbers(self.model)(jnp.asarray(self._flat), self.model.data(self.curve)))

    @property
    def _flat(self) -> np.ndarray:
        """The draws of all chains, shape (chains * draws, size)."""
        return self.u.reshape(-1, self.u.shape[-1])


def fitted(model: Model, curve: Observed, effort: Effort, level: float, seed: int) -> RegimeFit:
    """Return the posterior of a loop by NUTS, with its evidence."""
    size, key = model.size(len(curve.values)), chain_key(seed, 0)
    with jax.enable_x64(True):
        data, target = model.data(curve), targets(model)
        points = prior_points(slot_key(key, 2), size)
        values = target(points, data)
        if not np.isfinite(np.asarray(values)).any():
            return RegimeFit(model, curve, np.full((1, 1, size), np.nan), 0, IMPOSSIBLE, level, seed)
        begin = starts(slot_key(key, 3), points, values, effort.chains)
        out = chains(model, effort)(halves(seed), jnp.arange(effort.chains), begin, data)
        u = np.clip(np.asarray(out["u"]), 1e-12, 1 - 1e-12)
        x, log_q = student(slot_key(key, 4), *proposal(u.reshape(-1, size)))
        found = evidence(np.asarray(target(x, data)) - np.asarray(log_q))
    return RegimeFit(model, curve, u, int(np.asarray(out["diverging"]).sum()), found, level, seed)
