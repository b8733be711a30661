"""The loop from its data: draw the points that the regime names, put them together, refit.

Slower than the statistics where these suffice, and right for every family that can be sampled and fitted. The points
of a Gaussian are numbers mu + s z, so its variance cannot fall below the rounding error of mu, squared.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from attrs import evolve, frozen
from jax import Array, lax
from sympy import Expr, S

from numerics import scalars
from numerics.chains import Given, Program, State
from numerics.kits import Kit, Model, kit
from numerics.lifting import generalised, lifted
from numerics.points import Data
from numerics.samplers import slot_key
from theory.estimators import MLE
from theory.families import DiagonalGaussian, MultivariateGaussian, NGram, OneParameter, Recursion
from theory.loop import Loop
from theory.procedures import Procedure
from theory.regimes import Part
from theory.sampling import Faithful, Tempered
from theory.symbols import n


def why_not(loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return why this path cannot run the loop, or None where it can."""
    del shape
    if isinstance(loop.family, Recursion):
        return "a Recursion draws no data"
    if loop.samples.is_infinite:
        return "samples = oo leaves no data to draw"
    if not isinstance(loop.sampling, Faithful | Tempered):
        return f"{loop.sampling} is no distortion that data are drawn with"
    if isinstance(loop.family, NGram) and not isinstance(loop.sampling, Faithful):
        return f"{loop.sampling} writes no texts"
    if isinstance(loop.family, OneParameter) and (reason := scalars.why_not(loop.family, loop.sampling)):
        return reason
    if isinstance(loop.estimator, Procedure):
        return f"{loop.estimator} is a learning procedure, which does not end at the fit of its data"
    fresh, past = _parts(loop)
    if loop.regime.subsampled or any(p.origin not in ("real", "model") or p.weight is not None for p in fresh):
        return f"{loop.regime} reads data that are not drawn afresh and alike"
    if any(part.size.has(n) for part in fresh):
        return f"{loop.regime} draws another number of points for every fit"
    if past and (past[0].size - (n - 1) * sum(part.size for part in fresh)).expand() != 0:
        return f"{loop.regime} reads {past[0].size} earlier points, which are not all of them"
    return None


def prepared(loop: Loop, generations: int) -> tuple[Loop, dict[str, Any]]:
    """Return the loop that is compiled, and its numbers: temperature, and the multiplier of every fit."""
    fresh, past = _parts(loop)
    size = sum((part.size for part in fresh), S.Zero)
    sizes = [k * size if past else size for k in range(1, generations + 1)]
    multipliers = {m: float(loop.estimator.multiplier(m)) if loop.family.has_variance else 1.0 for m in set(sizes)}
    bare, numbers = generalised(evolve(_without_source(loop), estimator=MLE()))
    compiled, others = lifted(bare, ("sampling",))
    return compiled, {"multipliers": np.array([multipliers[m] for m in sizes])} | numbers | others


def _without_source(loop: Loop) -> Loop:
    """Return the loop without the numbers of its source, where its family can do without."""
    if isinstance(loop.family, MultivariateGaussian):
        return loop
    kept = loop.source if isinstance(loop.family, DiagonalGaussian) else None
    return evolve(loop, family=scalars.bare(loop.family), source=kept)


def program(loop: Loop, shape: tuple[int, ...], generations: int) -> Program:
    """Return the chain that draws points and refits them, for a `prepared` loop that `why_not` allows."""
    here, (fresh, past) = kit(loop, shape), _parts(loop)
    refit = _Refit(here, fresh, bool(past), _rows(loop, generations), getattr(loop.sampling, "tau", S.One))
    first = refit.later if here.alike else refit.first
    return Program(refit.start, first, refit.later, view=lambda state: here.view(state[1]))


def size(loop: Loop, shape: tuple[int, ...], generations: int) -> int:
    """Return how many numbers a chain carries: its points and its parameters."""
    return _rows(loop, generations) * (shape[0] if loop.family.has_variance and shape else 1) + 2 * math.prod(shape)


def _rows(loop: Loop, generations: int) -> int:
    fresh, past = _parts(loop)
    return sum(int(part.size) for part in fresh) * (generations if past else 1)


def _parts(loop: Loop) -> tuple[list[Part], list[Part]]:
    """Return the parts that are drawn for fit n and the part that is kept from before."""
    parts = [part for part in loop.regime.parts(loop.samples, n) if part.size != 0]
    return [part for part in parts if part.origin != "past"], [part for part in parts if part.origin == "past"]


@frozen(eq=False)
class _Refit:
    """One fit: the fresh parts, drawn, and the pool of all points before them where the regime keeps it.

    A pool has room for the points of every generation from the start: compiled code knows no growing arrays.
    """

    kit: Kit
    fresh: list[Part]
    pooled: bool
    rows: int
    tau: Expr

    def _temperature(self, given: Given) -> Any:
        """Return the temperature, as the number 1 where sampling is faithful."""
        return given[str(self.tau)] if self.tau.free_symbols else float(self.tau)

    def start(self, given: Given) -> State:
        """Return (empty pool, model 0)."""
        points = jax.eval_shape(lambda: self.kit.real(jax.random.key(0), self.rows, given, 1.0))
        return jnp.zeros(points.shape, points.dtype) if self.pooled else None, self.kit.source(given)

    def first(self, key: Array, k: Any, given: Given, state: State) -> State:
        """Return model 1, whose "model" points come from the true source, in the family or not."""

        def draw(key: Array, size: int, model: Model) -> Array:
            del model
            return self.kit.real(key, size, given, self._temperature(given))

        return self._fit(k, given, state, self._points(draw, key, given, state[1]))

    def later(self, key: Array, k: Any, given: Given, state: State) -> State:
        """Return model k from model k - 1."""

        def draw(key: Array, size: int, model: Model) -> Array:
            return self.kit.draw(key, size, model, self._temperature(given))

        return self._fit(k, given, state, self._points(draw, key, given, state[1]))

    def _points(self, draw: Callable[[Array, int, Model], Array], key: Array, given: Given, model: Model) -> Array:
        """Return the fresh points of one fit; real ones are always drawn faithfully."""
        drawn = []
        for slot, part in enumerate(self.fresh):
            here, size = slot_key(key, slot), int(part.size)
            real = part.origin == "real"
            drawn.append(self.kit.real(here, size, given, 1.0) if real else draw(here, size, model))
        return jnp.concatenate(drawn)

    def _fit(self, k: Any, given: Given, state: State, points: Array) -> State:
        """Return (pool with the points put in, model fitted to it), or (None, model fitted to the points)."""
        pool, fresh, before = state[0], len(points), k.astype(int) - 1
        multiplier = given["multipliers"][before]
        if not self.pooled:
            return None, self.kit.fit(Data(points, jnp.asarray(float(fresh))), multiplier)
        pool = lax.dynamic_update_slice_in_dim(pool, points, before * fresh, 0)
        return pool, self.kit.fit(Data(pool, k * fresh), multiplier)
