"""A slow, obvious simulator in NumPy: it keeps every data point and knows estimators and regimes by their words.

An oracle must not share what it judges: nothing here reads the step, the parts or the multipliers of the
theory, so a mistake in them shows as a disagreement.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy import ndarray
from numpy.random import Generator

from numerics.reference import narrow, regression, texts
from numerics.reference.families import FAMILIES, Model, Words, true_points, unknown
from numerics.reference.learners import learned, mixture_draw, mixture_source
from numerics.reference.scalars import WORDS, posterior, weighted
from theory.estimators import MLE, Unbiased
from theory.families import FixedDesignRegression, LinearRegression, Mixture, NGram
from theory.filters import SpectralFilter
from theory.learners import NUTS, Learner
from theory.loop import Loop
from theory.procedures import Damped, Floor, GradientSteps, PosteriorDraw, PosteriorPredictive, Quantised, Shrinkage
from theory.regimes import Accumulate, Mixed, Moran, Replace, Schedule, Subsample, Weighted
from theory.sampling import Faithful, Tempered
from theory.symbols import n

Weighed = Sequence[tuple[ndarray, float]]
"""Sets of points, shape (chains, points, ...), each with the weight of the whole set."""


def reference(
    loop: Loop, start: Mapping[str, Any] | None, generations: int, chains: int, rng: Generator
) -> dict[str, ndarray]:
    """Return every parameter by name, shape (chain, generation, ...); generation 0 is the source.

    Args:
        loop: a loop with numbers for all its symbols but those of the source.
        start: "mu" and "V", or "p", where the source is left in symbols.
        generations: number of refits.
        chains: number of independent runs.
        rng: the source of randomness.

    >>> from theory import Gaussian
    >>> runs = reference(Loop(Gaussian(0, 1), samples=9), None, 2, 5, np.random.default_rng(0))
    >>> runs["V"].shape
    (5, 3)
    """
    words = _words(loop, rng)
    source = words.source(loop, start or {})
    models = [{name: np.broadcast_to(value, (chains, *np.shape(value))) for name, value in source.items()}]
    run = _Run(loop, words, models, rng)
    for _ in range(generations):
        seen = _word(loop.regime)(run)
        models.append(_learned(loop.estimator, run, seen))
    return {name: np.stack([model[name] for model in models], axis=1) for name in models[0]}


def _words(loop: Loop, rng: Generator) -> Words:
    """Return what is known of the loop's family; those of one parameter, and regression, know temperatures alone."""
    if known := FAMILIES.get(type(loop.family)) or narrow.words(loop, rng):
        return known
    if isinstance(loop.family, NGram):
        return texts.words(loop)
    if isinstance(loop.family, Mixture):
        return Words(mixture_source, mixture_draw, unknown)
    source, draw, fit = (WORDS | _REGRESSION)[type(loop.family)]

    def drawn(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
        if behind is not None or not isinstance(sampling, Faithful | Tempered | None):
            raise ValueError(f"{sampling} is not known here for this family. Choose Faithful or Tempered.")
        return draw(model, size, float(sampling.tau) if isinstance(sampling, Tempered) else 1.0, rng)

    def fitted(estimator: Any, points: ndarray) -> Model:
        if not isinstance(estimator, MLE | Unbiased):
            raise ValueError(f"{estimator} is not known here for this family. Choose MLE.")
        return fit(loop, points)

    return Words(
        source,
        drawn,
        fitted,
        target=lambda points, _: fit(loop, points),
        posterior=lambda points, rng: posterior(loop, points, rng),
        weighted=lambda fits, weights, _: weighted(loop, fits, weights),
    )


_ROWS = 100
"""Rows of a design that is drawn once, more than any fit reads."""
_LEAST_SQUARES = (regression.source, regression.draw, regression.fit)
_REGRESSION: Any = {LinearRegression: _LEAST_SQUARES, FixedDesignRegression: _LEAST_SQUARES}


@frozen(eq=False)
class _Run:
    """A run under way: its models so far, and the points that it remembers."""

    loop: Loop
    words: Words
    models: list[Model]
    rng: Generator
    past: list[ndarray] = field(factory=list)
    sizes: list[int] = field(factory=list)
    """How many points each fit has seen."""
    designs: dict[str, ndarray] = field(factory=dict)
    """The one design of each kind of rows, where it is drawn once."""

    @property
    def fit(self) -> int:
        """The number of the fit that is being made, 1 for the first."""
        return len(self.models)

    def real(self, size: int) -> ndarray:
        """Return fresh points of the true source."""
        points = true_points(self.loop, self.words, self.models[0], size, None, self.rng)
        return self._designed("real", points, self.models[0])

    def drawn(self, size: int) -> ndarray:
        """Return points of the last model, distorted; before the first fit the last model is the true source."""
        if self.fit == 1:
            points = true_points(self.loop, self.words, self.models[0], size, self.loop.sampling, self.rng)
        else:
            behind = self.sizes[-1] if isinstance(self.loop.estimator, PosteriorPredictive) else None
            points = self.words.draw(self.models[-1], size, self.loop.sampling, behind, self.rng)
        return self._designed("model", points, self.models[-1])

    def _designed(self, kind: str, points: ndarray, model: Model) -> ndarray:
        """Return the points, on the design drawn first where a regression has the same one for ever."""
        family = self.loop.family
        if isinstance(family, FixedDesignRegression):
            return regression.redesigned(points, model, regression.given(family, points.shape[1])[None])
        if getattr(family, "design", "fresh") == "fresh":
            return points
        rows = self.designs.setdefault(kind, self.rng.normal(size=(len(points), _ROWS, points.shape[2] - 1)))
        return regression.redesigned(points, model, rows)


# What a fit sees -----------------------------------------------------------------------------------------------------


def _seen(run: _Run, points: ndarray) -> Weighed:
    run.sizes.append(points.shape[1])
    return [(points, 1.0)]


def _replace(run: _Run) -> Weighed:
    return _seen(run, run.drawn(int(run.loop.samples)))


def _schedule(run: _Run) -> Weighed:
    sizes: Any = getattr(run.loop.regime, "sizes", None)
    return _seen(run, run.drawn(int(sizes[run.fit - 1] if isinstance(sizes, tuple) else sizes.subs(n, run.fit))))


def _accumulate(run: _Run) -> Weighed:
    run.past.append(run.drawn(int(run.loop.samples)))
    return _seen(run, np.concatenate(run.past, axis=1))


def _subsample(run: _Run) -> Weighed:
    run.past.append(run.drawn(int(run.loop.samples)))
    pool = np.concatenate(run.past, axis=1)
    # The first M of a random order are M points without replacement.
    order = np.argsort(run.rng.random(pool.shape[:2]), axis=1)[:, : int(run.loop.samples)]
    return _seen(run, np.take_along_axis(pool, order.reshape(*order.shape, *(1,) * (pool.ndim - 2)), axis=1))


def _mixed(run: _Run) -> Weighed:
    regime: Any = run.loop.regime
    samples, alpha = int(run.loop.samples), float(regime.alpha)
    if regime.count == "bernoulli":
        real, drawn = run.real(samples), run.drawn(samples)
        coins = run.rng.random(real.shape[:2]) < alpha
        return _seen(run, np.where(coins.reshape(*coins.shape, *(1,) * (real.ndim - 2)), real, drawn))
    size = round(alpha * samples)
    if regime.fresh:
        real = run.real(size)
    else:
        real = run.past[0] if run.past else run.real(size)
        run.past[:] = [real]
    return _seen(run, np.concatenate([real, run.drawn(samples - size)], axis=1))


def _moran(run: _Run) -> Weighed:
    """Return the M tokens of the last fit, one of them gone for a token of the last model or of the source."""
    regime: Any = run.loop.regime
    if not run.past:
        run.past[:] = [run.drawn(int(run.loop.samples))]
        return _seen(run, run.past[0])
    tokens = run.past[0].copy()
    real = run.rng.random(len(tokens)) < float(regime.real)
    new = np.where(real.reshape(-1, *(1,) * (tokens.ndim - 2)), run.real(1)[:, 0], run.drawn(1)[:, 0])
    tokens[np.arange(len(tokens)), run.rng.integers(tokens.shape[1], size=len(tokens))] = new
    run.past[:] = [tokens]
    return _seen(run, tokens)


def _weighted(run: _Run) -> Weighed:
    regime: Any = run.loop.regime
    if isinstance(run.loop.estimator, PosteriorPredictive | PosteriorDraw | SpectralFilter):
        raise ValueError(f"{run.loop.estimator} of weighted points is not known here. Choose an exact fit.")
    samples, w = int(run.loop.samples), float(regime.w)
    size = round(float(regime.alpha) * samples)
    sets = [(run.real(size), w), (run.drawn(samples - size), 1 - w)]
    return [(points, weight) for points, weight in sets if points.shape[1]]


_WORDS: Mapping[type, Callable[[_Run], Weighed]] = {
    Replace: _replace,
    Accumulate: _accumulate,
    Subsample: _subsample,
    Mixed: _mixed,
    Moran: _moran,
    Weighted: _weighted,
    Schedule: _schedule,
}


def _word(regime: Any) -> Callable[[_Run], Weighed]:
    if type(regime) not in _WORDS:
        raise ValueError(f"{regime} is not known here. Choose {', '.join(word.__name__ for word in _WORDS)}.")
    return _WORDS[type(regime)]


# What is learned from it ---------------------------------------------------------------------------------------------


def _learned(estimator: Any, run: _Run, sets: Weighed) -> Model:
    """Return the model of a learner who has seen the points."""
    if isinstance(run.loop.family, LinearRegression) and len(sets) > 1:
        sets = [(regression.scaled(sets), 1.0)]
    if isinstance(estimator, NUTS):
        return _sampled(estimator, run, sets)
    if isinstance(estimator, Learner) or isinstance(run.loop.family, Mixture):
        return learned(run.loop, sets, run.models[-1], run.models[0], run.rng)
    if isinstance(estimator, Shrinkage):
        return _between(_learned(estimator.of, run, sets), run.models[0], estimator.w)
    if isinstance(estimator, Damped):
        return _between(run.models[-1], _learned(estimator.of, run, sets), estimator.k)
    if isinstance(estimator, Floor):
        inner = _learned(estimator.of, run, sets)
        return {name: run.words.raised(name, value, float(estimator.eta)) for name, value in inner.items()}
    if isinstance(estimator, Quantised):
        inner, grid = _learned(estimator.of, run, sets), float(estimator.step)
        return {name: np.floor(value / grid + 0.5) * grid for name, value in inner.items()}
    if isinstance(estimator, GradientSteps):
        return _stepped(estimator, run, sets)
    if isinstance(estimator, PosteriorDraw):
        return run.words.posterior(sets[0][0], run.rng)
    if isinstance(estimator, SpectralFilter):
        return regression.filtered(run.loop, estimator, sets[0][0], run.models[-1])
    exact = estimator.of if isinstance(estimator, PosteriorPredictive) else estimator
    fits = [run.words.fit(exact, points) for points, _ in sets]
    if len(fits) == 1:
        return fits[0]
    return run.words.weighted(fits, [weight for _, weight in sets], getattr(run.loop.regime, "between", True))


def _sampled(estimator: NUTS, run: _Run, sets: Weighed) -> Model:
    """Return a draw from the posterior itself, which the sampler's last round follows once its start is forgotten."""
    if estimator.report != "draw" or len(sets) > 1:
        raise ValueError(f"{estimator} of {run.loop.regime} is not known here. Choose report='draw' and one set.")
    return run.words.posterior(sets[0][0], run.rng)


def _between(one: Model, two: Model, share: Any) -> Model:
    """Return one + share (two - one)."""
    return {name: value + float(share) * (two[name] - value) for name, value in one.items()}


def _stepped(estimator: GradientSteps, run: _Run, sets: Weighed) -> Model:
    model, eta = run.models[-1], float(estimator.eta)
    for _ in range(estimator.steps):
        targets = [(run.words.target(points, model), weight) for points, weight in sets]
        target = {name: sum((w * t[name] for t, w in targets), np.zeros(())) for name in model}
        if estimator.on == "log V":
            if "V" not in model:
                raise ValueError(f"{estimator} steps on a variance, and the model has none. Use on='V'.")
            V = model["V"] * np.exp(eta * (target["V"] / model["V"] - 1))
            model = {**_between(model, target, eta), "V": V}
        else:
            model = _between(model, target, eta)
    return model
