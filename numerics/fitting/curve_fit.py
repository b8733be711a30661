"""`fit_curve`: what a measured curve says about the loop behind it, regime by regime, with what it cannot say.

The likelihood is that of the loops' own one-step laws, the prior is stated symbol by symbol, and regimes are held
against each other by their marginal likelihoods: the product, over the refits, of the density with which each is
predicted from those before it.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from attrs import field, frozen
from sympy import Rational

from numerics.fitting.forecast import Band, Crossing, band, check_tolerance, crossing
from numerics.fitting.futures import futures
from numerics.fitting.likelihood import curve_law
from numerics.fitting.models import Model, chains, targets
from numerics.fitting.observed import Observed, observed, read_curve
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
from numerics.fitting.unknowns import MEANING, Range, unknowns
from numerics.fitting.vocabulary import Source
from numerics.samplers import chain_key, slot_key
from theory import symbols
from theory.axes import shown
from theory.estimators import Scaled
from theory.families import Categorical, Gaussian
from theory.loop import Loop
from theory.regimes import Accumulate, Mixed, Regime, Replace

REGIMES: Mapping[str, Regime] = {"replace": Replace(), "accumulate": Accumulate(), "mixed": Mixed(symbols.alpha)}
"""The regimes that are told apart, by name."""
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
        u: draws on the unit cube of the priors, shape (chains, draws, symbols).
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
            values = self.model.unknowns.values(jnp.asarray(self.u.reshape(-1, self.u.shape[-1])))
            return {name: np.asarray(value) for name, value in values.items()}

    @property
    def posterior(self) -> xr.Dataset:
        """The draws by chain and draw."""
        shape = self.u.shape[:2]
        return xr.Dataset({name: (("chain", "draw"), x.reshape(shape)) for name, x in self.draws.items()})

    @property
    def rhat(self) -> float:
        """The largest split R-hat of the symbols."""
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
        matrix = np.corrcoef(self.u.reshape(-1, len(names)).T)
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
            r = np.asarray(law.residuals(middle, V, self.model.first))
        one, two = r[:, :-1], r[:, 1:]
        both = np.isfinite(one) & np.isfinite(two)
        correlation = float(np.sum(one[both] * two[both]) / np.nansum(r**2))
        return correlation, correlation * float(np.sqrt(both.sum()))

    def futures(self, generations: int, *, run: int = 0, known: int | None = None, size: int = PATHS) -> np.ndarray:
        """Return curves drawn from the posterior, shape (size, generations), after ``known`` generations of a run.

        By default all that were seen; known=1 starts anew, with one refit for every generation.
        """
        flat = {name: x[np.linspace(0, len(x) - 1, size).astype(int)] for name, x in self.draws.items()}
        seen = int(np.isfinite(self.curve.values[run]).sum())
        return futures(self.model, flat, self.curve, run, known or seen, generations, self.seed)


@frozen(eq=False)
class CurveFit:
    """What a curve says of the loop behind it: one posterior for every regime, and how probable each regime is.

    Args:
        curve: what was seen.
        fits: the posteriors, one for each loop.
        level: probability of the intervals.
    """

    curve: Observed
    fits: tuple[RegimeFit, ...]
    level: float

    @property
    def probabilities(self) -> np.ndarray:
        """Posterior probability of every loop, all of them equally probable before."""
        logs = np.array([fit.evidence.log for fit in self.fits])
        weights = np.exp(logs - logs.max())
        return weights / weights.sum()

    @property
    def best(self) -> RegimeFit:
        """The posterior of the most probable loop."""
        return self.fits[int(np.argmax(self.probabilities))]

    @property
    def posterior(self) -> xr.Dataset:
        """Draws of the most probable loop's symbols, by chain and draw."""
        return self.best.posterior

    def summary(self) -> tuple[Row, ...]:
        """Return median, interval and share learned of every symbol of the most probable loop."""
        return self.best.summary()

    def compare(self) -> dict[str, tuple[float, float, float]]:
        """Return, by regime, its probability, the log of its marginal likelihood, and the standard error of that.

        Densities are those of V_n/V_0, or of counts of types; only differences of the logs mean anything.
        """
        rows = zip(self.fits, self.probabilities, strict=True)
        return {fit.name: (float(p), fit.evidence.log, fit.evidence.error) for fit, p in rows}

    def bands(self, ahead: int = 20, *, run: int = 0, anew: bool = False) -> Band:
        """Return the band that holds a whole run with the stated probability, regimes weighed by theirs.

        Args:
            ahead: how many generations after the last one seen.
            run: which run goes on.
            anew: from the first generation on, as a new run of the same loop would go, instead of after the last.
        """
        seen = int(np.isfinite(self.curve.values[run]).sum())
        length = ahead + (seen - 1 if anew else 0)
        paths = self._paths(length, run, 1 if anew else seen)
        start = self.curve.first + (1 if anew else seen)
        return band(paths, start, self.level)

    def forecast(self, tolerance: float = 0.1, *, within: int = 1000, run: int = 0) -> Crossing:
        """Return when the observable falls below ``tolerance`` times its first value, or rises above if that is > 1.

        An entropy has no ratio, and exp(entropy) is meant.

        Args:
            tolerance: the ratio, > 0 and not 1.
            within: how many generations after the last one seen are looked at; of a vocabulary at most 100, since
                its law holds all of them at once.
            run: which run.
        """
        check_tolerance(tolerance)
        seen = self.curve.values[run][np.isfinite(self.curve.values[run])]
        ahead = self._paths(min(within, 100) if self.curve.observable == "vocabulary" else within, run, len(seen))
        paths = np.concatenate([np.broadcast_to(seen, (len(ahead), len(seen))), ahead], axis=1)
        return crossing(self._ratios(paths, seen[0]), self.curve.first, len(seen), tolerance, self.level)

    def _ratios(self, paths: np.ndarray, start: float) -> np.ndarray:
        return np.exp(paths - start) if self.curve.observable == "entropy" else paths / start

    def _paths(self, generations: int, run: int, known: int) -> np.ndarray:
        """Return curves of the regimes, as many of each as it is probable."""
        ends = np.round(np.cumsum(self.probabilities) * PATHS).astype(int)
        sizes = np.diff(ends, prepend=0)
        drawn = [
            fit.futures(generations, run=run, known=known, size=int(size))
            for fit, size in zip(self.fits, sizes, strict=True)
            if size
        ]
        return np.concatenate(drawn)

    def __str__(self) -> str:
        """Return the findings in lines."""
        return "\n".join(_lines(self))


def _lines(found: CurveFit) -> list[str]:
    curve = found.curve
    lines = [f"{curve.name}: {curve.observable}, {len(curve.values)} run(s), {curve.refits} refits seen"]
    for fit, probability in zip(found.fits, found.probabilities, strict=True):
        if not fit.possible:
            lines.append(f"{fit.name}: impossible, no values of its symbols give this curve")
            continue
        sure = f"log evidence {fit.evidence.log:.2f} +- {fit.evidence.error:.2f}"
        lines.append(f"{fit.name}: probability {probability:.3g}, {sure}")
        lines += [f"    {row}" for row in fit.summary()]
        tied = fit.tied()
        if tied and abs(tied[2]) > 0.5:
            lines.append(f"    {tied[0]} and {tied[1]} are told apart badly: correlation {tied[2]:+.2f}")
        near = fit.neighbours()
        if near and near[1] < NOISY:
            lines.append(f"    neighbouring steps undo each other, correlation {near[0]:+.2f}: measured with noise?")
        if not fit.mixed:
            lines.append(f"    NUTS has not mixed (R-hat {fit.rhat:.2f}): take more draws")
    priors = dict.fromkeys(str(unknown) for fit in found.fits for unknown in fit.model.unknowns.each)
    lines.append(f"medians with {100 * found.level:g} % intervals; priors: {', '.join(priors)}")
    return lines


def fit_curve(
    curve: Observed | Path | str | Any,
    loops: Loop | str | Sequence[Loop | str] | None = None,
    observable: str | None = None,
    *,
    source: Sequence[float] | np.ndarray | None = None,
    priors: Mapping[str, Range] | None = None,
    level: float = 0.9,
    effort: Effort = Effort(),  # noqa: B008  frozen
    seed: int = 0,
) -> CurveFit:
    """Return what a curve says of the loop behind it.

    Args:
        curve: values by generation of one run, rows of several, an `Observed`, or the path of a CSV file.
        loops: a loop, a regime's name, or several. The symbols that a loop leaves open are inferred: M, alpha, c, tau.
            By default every regime that the observable can tell apart, with M and c open: Scaled(c) multiplies the
            variance in each fit, and holds the estimator's bias and a temperature as one number.
        observable: "variance", "entropy", "perplexity" or "vocabulary"; by default the file's, else the variance.
        source: for a vocabulary, the frequencies of the types at generation 0; by default Zipf's law with its exponent
            beta open, over as many types as the curve begins with.
        priors: ranges (low, high) in place of those in `numerics.fitting.unknowns.PRIORS`.
        level: probability of intervals and bands.
        effort: how long NUTS runs.
        seed: of all random numbers.

    Raises:
        ValueError: a curve or a loop out of range.
        NotClosed: a loop whose one-step law is not known.
    """
    seen = _seen(curve, observable)
    if not 0 < level < 1:
        raise ValueError(f"level = {level} is no probability of an interval. Give one between 0 and 1, such as 0.9.")
    models = [_model(loop, seen, source, priors) for loop in _loops(loops, seen)]
    return CurveFit(seen, tuple(_fitted(model, seen, effort, level, seed) for model in models), level)


def _seen(curve: Any, observable: str | None) -> Observed:
    if isinstance(curve, Observed):
        return curve
    if isinstance(curve, Path | str):
        return read_curve(curve, observable)
    return observed(curve, observable or "variance")


def _loops(loops: Any, curve: Observed) -> list[Loop]:
    known = ("replace", "mixed") if curve.observable == "vocabulary" else tuple(REGIMES)
    if loops is None:
        loops = known if curve.first == 0 else ("replace",)
    asked = [loops] if isinstance(loops, Loop | str) else list(loops)
    return [loop if isinstance(loop, Loop) else _named(loop, curve, known) for loop in asked]


def _named(name: str, curve: Observed, known: tuple[str, ...]) -> Loop:
    if name not in known:
        raise ValueError(f"regime {name!r} is not told from a {curve.observable}. Choose from {', '.join(known)}.")
    if curve.observable == "vocabulary":
        return Loop(Categorical([Rational(1, 2)] * 2), regime=REGIMES[name])
    return Loop(Gaussian(), estimator=Scaled(symbols.c), regime=REGIMES[name])


def _model(loop: Loop, curve: Observed, source: Any, priors: Mapping[str, Range] | None) -> Model:
    if isinstance(loop.family, Categorical) != (curve.observable == "vocabulary"):
        raise ValueError(
            f"a {curve.observable} is not what {type(loop.family).__name__} shows. Give a categorical loop for a "
            "vocabulary, a Gaussian one otherwise."
        )
    types: Source | None = None
    if curve.observable == "vocabulary":
        types = int(curve.values[0, 0]) if source is None else tuple(float(p) for p in source)
    more = ("beta",) if isinstance(types, int) else ()
    _check_start(loop, curve)
    return Model(loop, unknowns(loop, priors, more), curve.first, types)


def _check_start(loop: Loop, curve: Observed) -> None:
    needed = curve.observable == "vocabulary" or curve_law(loop).reads_source
    if needed and curve.first != 0:
        raise ValueError(
            f"{curve.name} begins at generation {curve.first}, and {loop.regime} needs the source's value. Give "
            "generation 0, or ask for replace."
        )


def _fitted(model: Model, curve: Observed, effort: Effort, level: float, seed: int) -> RegimeFit:
    size, key = len(model.unknowns.each), chain_key(seed, 0)
    with jax.enable_x64(True):
        data, target = model.data(curve), targets(model)
        points = prior_points(slot_key(key, 2), size)
        values = target(points, data)
        if not np.isfinite(np.asarray(values)).any():
            return RegimeFit(model, curve, np.full((1, 1, size), np.nan), 0, IMPOSSIBLE, level, seed)
        begin = starts(slot_key(key, 3), points, values, effort.chains)
        out = chains(model, effort)(seed, jnp.arange(effort.chains), begin, data)
        u = np.clip(np.asarray(out["u"]), 1e-12, 1 - 1e-12)
        x, log_q = student(slot_key(key, 4), *proposal(u.reshape(-1, size)))
        found = evidence(np.asarray(target(x, data)) - np.asarray(log_q))
    return RegimeFit(model, curve, u, int(np.asarray(out["diverging"]).sum()), found, level, seed)
