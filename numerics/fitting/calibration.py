"""Is what `fit_curve` says right as often as it says? Symbols from the prior, curves from the engine, ranks, coverage.

If the likelihood is that of the curves and NUTS draws from the posterior, the rank of the true value among
independent draws is uniform for every symbol. Source: S. Talts et al., Validating Bayesian inference algorithms with
simulation-based calibration, arXiv:1804.06788 (2018).
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from attrs import field, frozen
from scipy.stats import binomtest, chisquare

from numerics.fitting.curve_fit import REGIMES
from numerics.fitting.futures import start_anew
from numerics.fitting.models import Model, many, targets
from numerics.fitting.posterior import Effort, prior_points, starts
from numerics.fitting.unknowns import Range, unknowns
from numerics.samplers import chain_key, slot_key, uniform
from numerics.samplers.cipher import halves
from theory import symbols
from theory.estimators import Scaled
from theory.families import Gaussian
from theory.loop import Loop

THIN = 8
"""Every so many draws of NUTS are counted: neighbours are not independent."""
KEPT = 31
"""Draws that are ranked."""
BINS = 8
FALSE_ALARM = 1e-3
"""Probability that a calibrated fit is called wrong, by all tests of one report together."""
RANGES: Mapping[str, Range] = {"M": (10.0, 200.0), "c": (0.9, 1.1)}
"""Priors from which curves are made: wider ones give curves that die at once."""


@frozen(eq=False)
class Calibration:
    """Ranks of true values among draws, and how often intervals held them.

    Args:
        name: the regime.
        names: the symbols.
        ranks: of the true values, 0 to KEPT, shape (curves, symbols).
        covered: whether the interval held the true value, shape (curves, symbols).
        level: probability of the intervals.
        generations: refits of each curve.
        divergences: steps of NUTS that went astray.
    """

    name: str
    names: tuple[str, ...]
    ranks: np.ndarray = field(repr=False)
    covered: np.ndarray = field(repr=False)
    level: float
    generations: int
    divergences: int

    @property
    def p_values(self) -> dict[str, float]:
        """Pearson's test of uniform ranks, by symbol."""
        counts = (np.bincount(column * BINS // (KEPT + 1), minlength=BINS) for column in self.ranks.T)
        return {name: float(chisquare(n).pvalue) for name, n in zip(self.names, counts, strict=True)}

    @property
    def coverage(self) -> dict[str, tuple[float, float]]:
        """The share of intervals that hold the true value, and the p-value that it is ``level``, by symbol."""
        tests = (binomtest(int(column.sum()), len(column), self.level) for column in self.covered.T)
        return {name: (float(t.statistic), float(t.pvalue)) for name, t in zip(self.names, tests, strict=True)}

    @property
    def holds(self) -> bool:
        """Whether ranks are uniform and intervals hold what they should, at the stated rate of false alarms."""
        p_values = [*self.p_values.values(), *(p for _, p in self.coverage.values())]
        return min(p_values) > FALSE_ALARM / len(p_values)

    def plain(self) -> dict[str, Any]:
        """Return the report as numbers."""
        return {
            "regime": self.name,
            "curves": len(self.ranks),
            "refits": self.generations,
            "level": self.level,
            "ranks": self.p_values,
            "coverage": {name: share for name, (share, _) in self.coverage.items()},
            "divergences": self.divergences,
            "holds": self.holds,
        }

    def __str__(self) -> str:
        """Return the report in one sentence for each symbol."""
        size = len(self.ranks)
        verdict = "calibrated" if self.holds else "not calibrated"
        head = f"{self.name}: {verdict}, {size} curves of {self.generations} refits, false alarms {FALSE_ALARM:g}"
        error = (self.level * (1 - self.level) / size) ** 0.5
        rows = (
            f"    {name}: {100 * self.level:g} % intervals hold {100 * share:.1f} +- {100 * error:.1f} %, "
            f"uniform ranks p = {self.p_values[name]:.2g}"
            for name, (share, _) in self.coverage.items()
        )
        return "\n".join([head, *rows])


def calibrate(
    loop: Loop | str = "replace",
    *,
    curves: int = 200,
    generations: int = 30,
    priors: Mapping[str, Range] | None = None,
    truth: Loop | None = None,
    level: float = 0.9,
    warmup: int = 300,
    seed: int = 0,
) -> Calibration:
    """Return how `fit_curve` does on simulated curves whose symbols are drawn from the priors.

    Args:
        loop: the loop that is fitted, or the name of a regime with M and c open.
        curves: how many.
        generations: refits of each.
        priors: ranges in place of `RANGES`.
        truth: the loop that makes the curves, with the same symbols; another one than ``loop`` must be found out.
        level: probability of the intervals.
        warmup: steps in which NUTS adapts.
        seed: of all random numbers.

    Raises:
        ValueError: fewer than 40 curves, from which no test can see anything.
    """
    if curves < 5 * BINS:
        raise ValueError(f"{curves} curves show no miscalibration. Give at least {5 * BINS}.")
    fitted = _loop(loop)
    known = {str(x) for x in fitted.free_symbols}
    model = Model(fitted, unknowns(fitted, {k: v for k, v in {**RANGES, **(priors or {})}.items() if k in known}))
    with jax.enable_x64(True):
        u = uniform(slot_key(chain_key(seed, 0), 6), (curves, len(model.unknowns.each))) * (1 - 2e-6) + 1e-6
        log_V = start_anew(truth or fitted, model.unknowns.values(u), generations, seed)
        data = jnp.exp(jnp.concatenate([jnp.zeros((curves, 1)), log_V], axis=1))[:, None]
        effort = Effort(1, warmup, THIN * KEPT)
        out = many(model, effort)(halves(seed), jnp.arange(curves), _starts(model, u, data, seed), data)
        drawn, true = np.asarray(out["u"]), np.asarray(u)
    return _report(fitted, model, drawn, true, level, generations, int(np.asarray(out["diverging"]).sum()))


def _starts(model: Model, u: Any, data: Any, seed: int) -> Any:
    """Return starts at the true symbols: they are a draw from the posterior, and no start could be better.

    The hidden numbers are taken by the posterior density out of many drawn from their prior.
    """
    true = jnp.log(u) - jnp.log1p(-u)
    if not model.hides:
        return true

    def one(k: Any, symbols_: Any, curve: Any) -> Any:
        key = chain_key(seed, k)
        hidden = prior_points(slot_key(key, 7), model.hides)
        points = jnp.concatenate([jnp.broadcast_to(symbols_, (len(hidden), len(symbols_))), hidden], axis=1)
        return starts(slot_key(key, 8), points, targets(model)(points, curve), 1)[0]

    return jax.lax.map(lambda each: one(*each), (jnp.arange(len(u)), true, data))


def _report(
    loop: Loop, model: Model, drawn: np.ndarray, true: np.ndarray, level: float, generations: int, divergences: int
) -> Calibration:
    drawn = drawn[..., : true.shape[1]]
    ranks = (drawn[:, ::THIN] < true[:, None]).sum(1)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=1)
    covered = (low <= true) & (true <= high)
    return Calibration(repr(loop.regime), model.unknowns.names, ranks, covered, level, generations, divergences)


def _loop(loop: Loop | str) -> Loop:
    if isinstance(loop, Loop):
        return loop
    if loop not in REGIMES:
        raise ValueError(f"regime {loop!r} is not known. Choose from {', '.join(REGIMES)}.")
    return Loop(Gaussian(), estimator=Scaled(symbols.c), regime=REGIMES[loop])
