"""`retrain`: a model trained again and again on data that its own samples are part of, in independent runs.

Which data a fit sees is said by the regimes of the theory and drawn by the simulator's own code: a trained model enters
the loop as one more family that has a fit and a sampler.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from attrs import frozen
from jax import Array

from numerics.chains import PATHS, Given, Group, Program
from numerics.kits.distortions import Distortion
from numerics.kits.drawing import Drawing
from numerics.kits.kit import Kit, Model
from numerics.kits.points import Data
from numerics.kits.rooms import Layout, layout
from numerics.samplers import chain_key
from numerics.samplers.cipher import Key, halves
from numerics.trained.drawing import place, places
from numerics.trained.learner import SCORE, Learner
from theory.errors import NotClosed
from theory.families import Gaussian
from theory.loop import Loop
from theory.regimes import Regime, Replace

DATA = "data_"
"""Before the names of what is read of the data that a fit saw."""


def retrain(
    learner: Learner,
    data: Any,
    regime: Regime | None = None,
    *,
    samples: int,
    generations: int,
    runs: int,
    seed: int = 0,
) -> xr.Dataset:
    """Return independent runs of a trained model, with dimensions (run, generation); generation 0 is the real data.

    Variables are the learner's: what its ``score`` says of every model, and by the same names after ``data_`` what its
    ``read`` says of the data that the model was fitted to. Numbers that only a model has are NaN at generation 0.

    Args:
        learner: what is trained.
        data: real rows, shape (N, ...), from which real points are drawn with replacement: the source is their law.
        regime: which data a fit sees; None is `Replace`.
        samples: M, the rows drawn in each generation.
        generations: number of fits, >= 1.
        runs: number of independent runs, >= 1; the numbers of run r depend on (seed, r) alone, up to rounding.
        seed: whole number, 0 <= seed < 2^63.

    Raises:
        ValueError: an argument out of range.
        NotClosed: a regime that weighs its parts, or names points that are not drawn here.

    >>> from numerics.trained import Factors
    >>> run = retrain(Factors(2, 1), [[0, 1], [2, 1], [4, 3.0]], samples=8, generations=3, runs=2)
    >>> dict(run.sizes), float(run.V[0, 0].round(4)), bool(np.allclose(run.V[:, 1:], run.data_V[:, 1:]))
    ({'run': 2, 'generation': 4}, 3.5556, True)
    """
    rows = np.asarray(data)
    if generations < 1 or runs < 1:
        raise ValueError(f"generations = {generations}, runs = {runs}. Give whole numbers >= 1.")
    if len(rows) < 1 or not np.isfinite(rows).all():
        raise ValueError(f"data of shape {rows.shape} are no finite rows. Give at least one, all numbers finite.")
    # Regime and size are all that is read of this loop: a trained model's family is its learner.
    loop = Loop(Gaussian(), regime=Replace() if regime is None else regime, samples=samples)
    parts = layout(loop)
    _check(parts, loop)
    given = {"data": rows, "divisors": np.ones(generations), **parts.counts(generations).given()}
    with jax.enable_x64(True):
        kept = _compiled(learner, loop, generations)(halves(seed), given, np.arange(runs, dtype=np.uint32))
        columns = {name: (("run", "generation"), np.asarray(x)) for name, x in kept.items()}
    return xr.Dataset(columns, {"run": np.arange(runs), "generation": np.arange(generations + 1)})


def _check(parts: Layout, loop: Loop) -> None:
    if parts.weighed:
        raise NotClosed(f"regime: {loop.regime} weighs points, and training counts every row once. Ask for Mixed.")
    if reason := parts.why_not(loop):
        raise NotClosed(f"{reason}. Ask for Replace, Accumulate, Subsample or Mixed.")


@lru_cache(maxsize=32)
def _compiled(learner: Learner, loop: Loop, generations: int) -> Any:
    """Return the compiled function (halves of the seed, given, runs) -> variables."""

    def run(seed: Any, given: Given, runs: Array) -> Mapping[str, Array]:
        trained = _Retrained(learner, given)
        here = trained.kit()
        refit = Drawing(here, trained.learn_from, layout(loop), loop, generations)
        first = refit.later if refit.merged else refit.first
        program = Program(refit.start, first, refit.later, view=lambda state: here.view(state["model"]))
        group = Group(program, given, generations)
        return group.run(PATHS, chain_key(seed, runs), jnp.ones(len(runs), bool), group.begun())

    return jax.jit(run)


@frozen(eq=False)
class _Retrained:
    """A learner as the data path knows families; a model holds parameters, and what was recorded of them."""

    learner: Learner
    given: Given

    def kit(self) -> Kit:
        """Return the kit."""
        return Kit(
            alike=False,
            source=self.source,
            real=self.real,
            draw=self.draw,
            fit=lambda _data, _divisor, last: last,
            view=lambda model: model["seen"],
            learn=self.learn,
        )

    def source(self, given: Given) -> Model:
        """Return model 0: no parameters yet, and what is read of the real rows."""
        real = jnp.asarray(given["data"])
        read = self.learner.read(Data(real, jnp.asarray(float(len(real)))))
        params, scores = jax.eval_shape(self._begun)
        seen = {name: read.get(name, jnp.asarray(jnp.nan)) for name in scores}
        empty = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), params)
        return {"params": empty, "seen": _recorded(seen, read)}

    def _begun(self) -> Any:
        key = chain_key(0, 0)
        params = self.learner.init(key)
        return params, self.learner.score(key, params, jnp.asarray(self.given["data"]))

    def real(self, key: Key, size: int, given: Given, how: Distortion) -> Array:
        """Return real rows, drawn with replacement."""
        del how
        rows = jnp.asarray(given["data"])
        return rows[places(key, size, len(rows))]

    def draw(self, key: Key, size: int, model: Model, how: Distortion) -> Array:
        """Return rows of a model."""
        del how
        return self.learner.sample(key, model["params"], size).astype(self.given["data"].dtype)

    def learn_from(self, key: Key, given: Given, sets: Sequence[Data], divisors: Any, last: Model, first: Any) -> Model:
        """Return the fit to the one set of data that a regime without weights makes."""
        del divisors
        (data,) = sets
        return self.learn(key, given, data, last, first)

    def learn(self, key: Key, given: Given, data: Data, last: Model, first: Any) -> Model:
        """Return the model trained on the data, with what is recorded of both."""
        params = self.learner.refit(key, data, last["params"], first)
        scores = self.learner.score(place(key, SCORE), params, jnp.asarray(given["data"]))
        return {"params": params, "seen": _recorded(scores, self.learner.read(data))}


def _recorded(scores: Mapping[str, Array], read: Mapping[str, Array]) -> dict[str, Array]:
    names = {**scores, **{DATA + name: x for name, x in read.items()}}
    return {name: jnp.asarray(x, dtype=float) for name, x in names.items()}
