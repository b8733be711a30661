"""`fit_curve`: what a measured curve says about the loop behind it, regime by regime, with what it cannot say.

The likelihood is that of the loops' own one-step laws, the prior is stated symbol by symbol, and regimes are held
against each other by their marginal likelihoods: the product, over the refits, of the density with which each is
predicted from those before it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from attrs import frozen
from sympy import Rational

from numerics.fitting.forecast import Band, Crossing, band, check_tolerance, crossing
from numerics.fitting.likelihood import curve_law
from numerics.fitting.models import Model
from numerics.fitting.observed import Observed, observed, read_curve
from numerics.fitting.posterior import Effort
from numerics.fitting.regime_fit import NOISY, PATHS, RegimeFit, Row, fitted
from numerics.fitting.unknowns import Range, unknowns
from numerics.fitting.vocabulary import Source, real_share
from theory import symbols
from theory.estimators import Scaled
from theory.families import Categorical, Gaussian
from theory.loop import Loop
from theory.regimes import Accumulate, Mixed, Regime, Replace

REGIMES: Mapping[str, Regime] = {
    "replace": Replace(),
    "accumulate": Accumulate(),
    "mixed": Mixed(symbols.alpha),
    "kept": Mixed(symbols.alpha, fresh=False),
}
"""The regimes that are told apart, by name."""


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
    fits = tuple(fitted(model, seen, effort, level, seed) for model in models)
    if not any(fit.possible for fit in fits):
        names = ", ".join(fit.name for fit in fits)
        raise ValueError(f"{seen.name} is impossible under {names}, whatever the symbols. Ask for another regime.")
    return CurveFit(seen, fits, level)


def _seen(curve: Any, observable: str | None) -> Observed:
    if isinstance(curve, Observed):
        return curve
    if isinstance(curve, Path | str):
        return read_curve(curve, observable)
    return observed(curve, observable or "variance")


def _loops(loops: Any, curve: Observed) -> list[Loop]:
    known = ("replace", "mixed", "kept") if curve.observable == "vocabulary" else tuple(REGIMES)
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
        real_share(loop)  # refuses what has no law
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
