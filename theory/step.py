"""From a Loop to the one step that every engine reads: model k from model k - 1 and named innovations.

A `Step` says model k = update(model k - 1, innovations), with the innovations' conditional laws. Theory takes
expectations of it, the sufficient-statistic simulator draws from it; it is the only place where a regime's parts become
an update.
"""

from collections.abc import Mapping
from functools import reduce
from typing import Any

from attrs import evolve, fields, frozen
from sympy import Add, Expr, S, limit, oo

from theory import symbols
from theory.constants import Constant, depends
from theory.errors import NotClosed
from theory.families.base import Batch, Parameters, Stepped
from theory.innovations import Law
from theory.loop import Loop
from theory.procedures import PosteriorPredictive
from theory.regimes import Part

State = tuple[Expr, ...]


@frozen
class Step:
    """One refit: ``update`` of every state symbol, in the state before, the innovations and the number k of the fit.

    The state is the model's parameters and, where a later fit needs more of the past than the model keeps, the
    statistics of a pool or of a set of real points that is kept.
    """

    update: Mapping[Expr, Expr]
    laws: tuple[Law, ...]

    @property
    def state(self) -> State:
        """The state symbols."""
        return tuple(self.update)

    @property
    def depends_on_k(self) -> bool:
        """Whether the update changes from fit to fit."""
        return any(symbols.n in expr.free_symbols for expr in self.update.values())


def step(loop: Loop, family: Stepped, state: State, k: Expr = symbols.n) -> Step:
    """Return fit k of the loop; ``k`` is the number of the fit, 1 for the first, the symbol n for all later ones.

    >>> from theory import Gaussian, Loop
    >>> loop = Loop(Gaussian())
    >>> step(loop, loop.family, loop.family.state(None)).update[Gaussian.mu]
    eps_model + mu
    """
    family.check(loop)
    if not loop.samples.is_infinite:
        return _made(loop, family, state, k)
    many = evolve(loop, regime=loop.regime.population(), estimator=loop.estimator.population())
    return _population(_made(many, family, state, k))


def steps(loop: Loop, family: Stepped, state: State) -> tuple[Step, Step]:
    """Return the first fit and the later ones, one step for both where the first reads what later ones read."""
    later = step(loop, family, state)
    return later if _reads_alike(loop, family) else step(loop, family, state, S.One), later


def _reads_alike(loop: Loop, family: Stepped) -> bool:
    """Return whether every fit is made from fresh points of the same kinds, nothing but the model being remembered."""
    own = family.refit(loop.estimator, loop.regime, loop.sampling, symbols.n)
    if own is not None or isinstance(loop.estimator, PosteriorPredictive) or family.outside(loop.source):
        return False
    first, later = (loop.regime.parts(symbols.M, k) for k in (S.One, symbols.n))
    return first == later and all(part.origin in ("real", "model", "mixture") for part in later)


def _made(loop: Loop, family: Stepped, state: State, k: Expr) -> Step:
    own = family.refit(loop.estimator, loop.regime, loop.sampling, k)
    return Step(*own) if own else _Refit(loop, family, state, k).step()


@frozen(eq=False)
class _Refit:
    """The making of one step."""

    loop: Loop
    family: Any
    state: State
    k: Expr

    @property
    def _model(self) -> Parameters:
        return self.family.model(self.state)

    def step(self) -> Step:
        """Return the step: read the parts, fit them, and remember what later fits need."""
        samples = symbols.M if self.loop.samples.is_infinite else self.loop.samples
        parts = [part for part in self.loop.regime.parts(samples, self.k) if part.size != 0]
        batches = {part: self._batch(part) for part in parts}
        memory = self._memory(parts, batches)
        if parts[0].weight is not None:
            update, laws = self._weighted(batches)
        else:
            update, laws = self._fitted(reduce(self.family.pool, batches.values()), samples)
        update, laws = self.family.completed(update, laws, self.state)
        return Step({**update, **memory}, laws)

    def _fitted(self, pooled: Batch, samples: Expr) -> tuple[Parameters, tuple[Law, ...]]:
        if self.loop.regime.subsampled and pooled.size != samples:
            pooled = self.family.subsample(pooled, samples)
        return self.loop.estimator.fit(self.family, pooled, self._model, self.state)

    def _weighted(self, batches: Mapping[Part, Batch]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return the weighted fit, of which each part is fitted on its own first."""
        estimator = self.loop.estimator
        if not estimator.keeps_statistics or isinstance(estimator, PosteriorPredictive):
            raise NotClosed(f"estimator: {estimator} of weighted parts is not derived. Ask simulate(loop).")
        fits = [self.loop.estimator.fit(self.family, batch, self._model, self.state) for batch in batches.values()]
        weights = [part.weight or S.Zero for part in batches]
        fitted = self.family.weighted([fit for fit, _ in fits], weights, between=self.loop.regime.between)
        return fitted, tuple(law for _, laws in fits for law in laws)

    def _memory(self, parts: list[Part], batches: Mapping[Part, Batch]) -> Parameters:
        """Return the updates of the statistics that the state carries beside the model."""
        memory: dict[Expr, Expr] = {}
        if _remembers_pool(self.loop):
            pooled = reduce(self.family.pool, batches.values())
            memory |= self.family.remembered(pooled, "pool", self.state)
        for part in parts:
            if part.origin == "kept":
                memory |= self.family.remembered(batches[part], "kept", self.state)
        return memory

    def _batch(self, part: Part) -> Batch:
        family, first = self.family, self.k == 1
        if part.origin == "past":
            if _remembers_pool(self.loop):
                return family.recalled(part.size, "pool", self.state)
            return family.unfit(self._model, part.size, self.loop.estimator)
        if part.origin == "survivors":
            return family.survivors(self._model, part.size, self.loop.estimator)
        if part.origin == "kept" and not first:
            return family.recalled(part.size, "kept", self.state)
        source, outside = family.start(self.state), family.outside(self.loop.source)
        if part.origin in ("real", "kept"):
            return _observed(family, source, outside, part.size, part.origin)
        fitted = None if first else self._predictive()
        if part.origin == "mixture":
            if fitted is not None:
                raise NotClosed(
                    f"regime: {self.loop.regime} with points of a posterior predictive law is not derived. "
                    "Ask for count='fixed', or simulate(loop)."
                )
            model = outside if first and outside else self._model
            return family.mixture(outside or source, model, part.share, part.size, self.loop.sampling)
        if first and outside:
            return family.observed(outside.drawn_as(self.loop.sampling), part.size, part.origin)
        return family.drawn(self._model, self.loop.sampling, part.size, fitted)

    def _predictive(self) -> Expr | None:
        """Return the number of points behind the last model where its posterior predictive law is drawn from.

        Of infinitely many, the predictive law is the model itself.
        """
        samples, regime = self.loop.samples, self.loop.regime
        if samples.is_infinite or not isinstance(self.loop.estimator, PosteriorPredictive):
            return None
        return samples if regime.subsampled else Add(*(part.size for part in regime.parts(samples, self.k - 1)))


def _observed(family: Any, source: Parameters, outside: Any, size: Expr, label: str) -> Batch:
    """Return the statistics of real points."""
    return family.batch(source, size, label) if outside is None else family.observed(outside, size, label)


def _remembers_pool(loop: Loop) -> bool:
    """Return whether the pool's statistics cannot be read off the last fit."""
    past = any(part.origin == "past" for part in loop.regime.parts(symbols.M, symbols.n))
    remembers = past and (loop.regime.subsampled or not loop.estimator.keeps_statistics)
    if remembers and loop.samples.is_infinite:
        raise NotClosed(
            f"samples: {loop.estimator} of a pool of infinitely many points has no statistics to remember. "
            "Ask for a symbolic M, and what its values tend to."
        )
    return remembers


def _population(refit: Step) -> Step:
    """Return the step with every innovation at its mean, as M grows: what is left when the statistical error is off."""
    means: dict[Any, Any] = {}
    for law in refit.laws:
        if law.vanishes:
            means |= zip(law.symbols, (mean.xreplace(means) for mean in law.means()), strict=True)
    left = tuple(
        evolve(law, **{f.name: _limits(getattr(law, f.name), means) for f in fields(type(law))})
        for law in refit.laws
        if not law.vanishes
    )
    return Step({symbol: _limits(expr, means) for symbol, expr in refit.update.items()}, left)


def _limits(value: Any, means: Mapping[Any, Any]) -> Any:
    """Return the limits of expressions as M grows, constants that hold M among them."""
    if isinstance(value, tuple):
        return tuple(_limits(one, means) for one in value)
    there = value.xreplace(means)
    growing = {x: x.definition for x in there.free_symbols if isinstance(x, Constant) and depends(x, symbols.M)}
    return limit(there.xreplace(growing).together(), symbols.M, oo)
