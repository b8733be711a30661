"""What the theory says of trained models, held against them: a row for every model, regime and quantity.

A prediction is an expectation over runs, so it is held against the mean of independent runs at every generation, with
Student's intervals that hold together. Where it fails, two things are told apart. *What the fits add*, model minus
data, summed over generations: a fit that keeps its data's quantity adds nothing, and then the prediction holds if the
data do what theory says. And *of the first fit, on the same real data*: what the data differ from the source by
(statistical), what the best fit of the family differs from the data by (expressivity), and what the fit as it is
trained differs from that by (approximation).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import xarray as xr
from attrs import field, frozen
from scipy import stats

from numerics.decomposition import Estimate
from numerics.trained.learner import Learner
from numerics.trained.retraining import DATA, retrain
from theory.regimes import Regime
from theory.sources import SOURCES

Theory = Callable[[Regime, int], np.ndarray]
"""(regime, generations) -> the prediction at generations 0, 1, ..."""


@frozen(eq=False)
class Trained:
    """A model as it is trained, what stands for its best fit, and what theory says of it.

    Args:
        name: of the model.
        learner: the model as it is trained.
        best: the best fit of its family: exact, or the same trained for much longer.
        data: the real rows.
        samples: M.
        runs: independent runs, >= 2.
        theory: the prediction by recorded quantity.
    """

    name: str
    learner: Learner
    best: Learner
    data: np.ndarray = field(repr=False)
    samples: int
    runs: int
    theory: Mapping[str, Theory]

    def __attrs_post_init__(self) -> None:
        """Refuse runs that show no error."""
        if self.runs < 2:
            raise ValueError(f"runs = {self.runs} show no error of their mean. Give 2 or more.")

    def retrained(self, learner: Learner, regime: Regime, generations: int, seed: int) -> xr.Dataset:
        """Return the runs of one of its learners."""
        how = {"samples": self.samples, "generations": generations, "runs": self.runs, "seed": seed}
        return retrain(learner, self.data, regime, **how)


@frozen
class Asked:
    """How it is judged.

    Args:
        level: probability that any interval of a row, or of a model's three sources, misses its mean.
        power: with which probability an error is to be seen.
        smallest: the error, relative to the prediction, that must be visible; otherwise a row is underpowered.
    """

    level: float = 1e-3
    power: float = 0.9
    smallest: float = 0.1


@frozen(eq=False)
class Row:
    """One quantity of one model in one regime.

    Args:
        model: its name.
        regime: the regime.
        what: the recorded quantity.
        source: its value at generation 0.
        theory: the prediction at generations 1, 2, ...
        values: by run and generation, from generation 1 on.
        added: what the fits add to their data, summed over generations, by run.
        sources: of the first fit, by error source.
        asked: how it is judged.
    """

    model: str
    regime: Regime
    what: str
    source: float
    theory: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)
    added: np.ndarray = field(repr=False)
    sources: Mapping[str, Estimate] = field(repr=False)
    asked: Asked

    @property
    def estimates(self) -> list[Estimate]:
        """The mean of every generation, with intervals that hold together."""
        return _estimates(self.values, self._level)

    @property
    def fits(self) -> Estimate:
        """What the fits add, all generations together."""
        return _estimates(self.added[:, None], self._level / self.values.shape[1])[0]

    @property
    def _level(self) -> float:
        """Means and what the fits add share the level."""
        return self.asked.level * self.values.shape[1] / (self.values.shape[1] + 1)

    @property
    def error(self) -> Estimate:
        """The relative error of the prediction at the last generation, mean/theory - 1."""
        last = self.estimates[-1]
        return Estimate(last.mean / self.theory[-1] - 1, last.error / self.theory[-1], last.z)

    @property
    def change(self) -> float:
        """The predicted change since generation 0, theory/source - 1: what is less than `smallest` is not resolved."""
        return float(self.theory[-1] / self.source - 1)

    @property
    def smallest(self) -> float:
        """The smallest relative error that would have been seen at every generation."""
        beyond = float(stats.t.ppf(self.asked.power, len(self.values) - 1))
        return max((x.z + beyond) * x.error / p for x, p in zip(self.estimates, self.theory, strict=True))

    @property
    def verdict(self) -> str:
        """agree, disagree or underpowered."""
        intervals = zip(self.estimates, self.theory, strict=True)
        if any(not x.interval[0] <= p <= x.interval[1] for x, p in intervals):
            return "disagree"
        return "agree" if self.smallest <= self.asked.smallest else "underpowered"

    @property
    def explained(self) -> str:
        """The error source of the gap: where the fits add something, the larger of the two sources that a fit has;
        else statistical, what the data do otherwise than the theory says. "" without a gap.
        """
        if self.verdict != "disagree":
            return ""
        if _zero(self.fits):
            return "statistical"
        seen = {name: abs(x.mean) for name, x in self.sources.items() if name != "statistical" and not _zero(x)}
        return max(seen, key=lambda name: seen[name]) if seen else "a fit, which source not visible"

    def texts(self) -> tuple[str, ...]:
        """Return the row as it is printed."""
        last = self.estimates[-1]
        numbers = f"{self.theory[-1]:.4g}", f"{self.change:.1%}", str(last), f"{self.smallest:.1%}"
        sources = (f"{self.sources[name]}" for name in SOURCES)
        return (
            self.model,
            str(self.regime),
            self.what,
            *numbers,
            self.verdict,
            str(self.fits),
            self.explained,
            *sources,
        )


@frozen(eq=False)
class Study:
    """The rows, which print as a table."""

    rows: Sequence[Row]
    runs: Sequence[xr.Dataset] = field(repr=False)

    def row(self, model: str, regime: Regime, what: str) -> Row:
        """Return one row."""
        found = [x for x in self.rows if (x.model, x.regime, x.what) == (model, regime, what)]
        if not found:
            raise ValueError(f"there is no row of {model!r}, {regime} and {what!r}. Ask for one of the table.")
        return found[0]

    def __str__(self) -> str:
        """Return the table."""
        head = ("model", "regime", "of", "theory", "change", "measured", "sees", "verdict", "fits add", "explained by")
        lines = [head, *(row.texts()[: len(head)] for row in self.rows)]
        widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
        shown = ["  ".join(f"{x:<{w}}" for x, w in zip(line, widths, strict=True)).rstrip() for line in lines]
        firsts = {(row.model, row.what): row.sources for row in self.rows}
        told = [
            f"{model}, {what}, first fit: " + ", ".join(f"{name} {sources[name]}" for name in SOURCES)
            for (model, what), sources in firsts.items()
        ]
        return "\n".join([*shown, *told])


def study(
    models: Sequence[Trained],
    regimes: Sequence[Regime],
    *,
    generations: int,
    seed: int = 0,
    asked: Asked | None = None,
) -> Study:
    """Return every model in every regime, each of its quantities judged against theory.

    Args:
        models: what is trained.
        regimes: which data the fits see.
        generations: number of fits, >= 1.
        seed: of all runs.
        asked: how it is judged.
    """
    asked, rows, kept = asked or Asked(), [], []
    for model in models:
        runs = [model.retrained(model.learner, regime, generations, seed) for regime in regimes]
        best = model.retrained(model.best, regimes[0], 1, seed)
        sources = {what: _sources(runs[0], best, what, asked) for what in model.theory}
        for regime, run in zip(regimes, runs, strict=True):
            kept.append(run.assign_attrs(model=model.name, regime=str(regime)))
            rows += [_row(model, regime, what, run, sources[what], asked) for what in model.theory]
    return Study(rows, kept)


def _row(
    model: Trained, regime: Regime, what: str, run: xr.Dataset, sources: Mapping[str, Estimate], asked: Asked
) -> Row:
    theory = model.theory[what](regime, run.sizes["generation"] - 1)
    values, data = (run[name].to_numpy() for name in (what, DATA + what))
    added = (values - data)[:, 1:].sum(1)
    return Row(model.name, regime, what, theory[0], theory[1:], values[:, 1:], added, sources, asked)


def _sources(run: xr.Dataset, best: xr.Dataset, what: str, asked: Asked) -> Mapping[str, Estimate]:
    """Return what each source adds at the first fit, whose data are the same real rows in both runs."""
    data, read, fitted = run[DATA + what].to_numpy(), best[DATA + what].to_numpy()[:, 1], run[what].to_numpy()
    # The same rows, whose sums compilers may take in another order.
    assert np.allclose(data[:, 1], read, rtol=1e-9)
    reached = best[what].to_numpy()[:, 1]
    parts = np.stack([data[:, 1] - fitted[:, 0], reached - data[:, 1], fitted[:, 1] - reached], axis=1)
    return dict(zip(("statistical", "expressivity", "approximation"), _estimates(parts, asked.level), strict=True))


def _estimates(values: np.ndarray, level: float) -> list[Estimate]:
    """Return the mean of every column over runs, with Student's intervals that hold together by Bonferroni."""
    runs, columns = values.shape
    z = float(stats.t.ppf(1 - level / 2 / columns, runs - 1))
    errors = values.std(0, ddof=1) / np.sqrt(runs)
    return [Estimate(float(m), float(e), z) for m, e in zip(values.mean(0), errors, strict=True)]


def _zero(estimate: Estimate) -> bool:
    """Whether the interval holds 0."""
    low, high = estimate.interval
    return low <= 0 <= high
