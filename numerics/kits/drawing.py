"""The points of every fit: where those of each part come from, and how they are put together."""

from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
from attrs import frozen
from jax import Array, lax

from numerics.chains import Given, State
from numerics.kits.distortions import FAITHFUL, Distortion, distortion
from numerics.kits.kit import Kit, Model
from numerics.kits.learning import Learn, innermost
from numerics.kits.points import Data
from numerics.kits.rooms import Layout
from numerics.samplers import chain_key, slot_key, uniform
from numerics.samplers.cipher import Key
from theory.learners import Learner
from theory.loop import Loop
from theory.procedures import PosteriorPredictive
from theory.regimes import Part

DESIGN, SUBSET, LEARNER = 2**20, 2**20 + 1, 2**20 + 2
"""Slots of a generation beyond those of its parts."""


@frozen(eq=False)
class Drawing:
    """One fit: the parts, drawn, with the pool of all points before them where the regime keeps it.

    A pool has room for the points of every generation from the start: compiled code knows no growing arrays.
    """

    kit: Kit
    learn: Learn
    layout: Layout
    loop: Loop
    generations: int

    @property
    def alike(self) -> bool:
        """Whether the first fit is made as later ones are, from what chains carry from the start."""
        remembers = any(part.origin == "kept" for part in self.layout.later) or self._same_design
        predictive = isinstance(innermost(self.loop.estimator), PosteriorPredictive)
        return self.kit.alike and not remembers and not predictive

    @property
    def merged(self) -> bool:
        """Whether one program serves the first fit too, asking each time which fit it makes: it compiles in half the
        time. Model 0 must then have room for all that later models hold.
        """
        if self._same_design or any(part.origin == "kept" for part in self.layout.later):
            return False
        return self.kit.learn is not None or (isinstance(self.loop.estimator, Learner) and not self.kit.alike)

    @property
    def _same_design(self) -> bool:
        return self.kit.designed and getattr(self.loop.family, "design", None) == "same"

    def start(self, given: Given) -> State:
        """Return model 0 and an empty pool."""
        pool = {}
        if self.layout.past != 0:
            rows = self.layout.rows(self.generations)
            points = jax.eval_shape(lambda: self.kit.real(chain_key(0, 0), rows, given, FAITHFUL))
            pool = {"pool": jnp.zeros(points.shape, points.dtype)}
        state = {"model": self.kit.source(given), "kept": [], **pool}
        if self.merged:
            fitted = jax.eval_shape(lambda: self._refit(chain_key(0, 0), jnp.ones(()), given, state, first=True))
            room = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), fitted["model"])
            state["model"] = {**room, **state["model"]}
        return state

    def first(self, key: Key, k: Any, given: Given, state: State) -> State:
        """Return model 1, whose "model" points come from the true source, in the family or not."""
        design = {"design": slot_key(key, DESIGN)} if self._same_design else {}
        return self._refit(key, k, given, {**state, **design}, first=True)

    def later(self, key: Key, k: Any, given: Given, state: State) -> State:
        """Return model k from model k - 1."""
        return self._refit(key, k, given, state, first=k == 1 if self.merged else False)

    def _refit(self, key: Key, k: Any, given: Given, state: State, *, first: Any) -> State:
        """Return model k; ``first`` says whether k = 1, before compilation where the two are compiled apart."""
        parts = [self._part(j, key, k, given, state, first) for j in range(len(self.layout.later))]
        kept = [data.points for part, data in zip(self.layout.later, parts, strict=True) if _kept(part)]
        sets = parts if self.layout.weighed else [reduce(Data.followed_by, parts)]
        state = {**state, "kept": kept}
        if self.layout.past != 0:
            fresh = sets[0]
            before = (k.astype(int) - 1) * fresh.size.astype(int)
            pool = lax.dynamic_update_slice_in_dim(state["pool"], fresh.points, before, 0)
            state, sets = {**state, "pool": pool}, [Data(pool, k * fresh.size)]
        now = k.astype(int) - 1
        if self.loop.regime.subsampled:
            subset = _subset(slot_key(key, SUBSET), sets[0], int(self.loop.samples))
            sets = [Data(subset, given["fitted"][now, 0])]
        divisors = given["divisors"][now]
        model = self.learn(slot_key(key, LEARNER), given, sets, divisors, state["model"], first)
        return {**state, "model": model}

    def _part(self, j: int, key: Key, k: Any, given: Given, state: State, first: Any) -> Data:
        """Return the points of part j."""
        part, here = self.layout.later[j], slot_key(key, j)
        design = {"design": slot_key(state["design"], j)} if "design" in state else {}
        source, room = {**given, **design}, self.layout.room(j, self.generations)
        if part.origin == "real" or (_kept(part) and first is True):
            points = self.kit.real(here, room, source, FAITHFUL)
        elif _kept(part):
            (points,) = state["kept"]
        elif part.origin == "mixture":
            points = self._mixed(here, float(part.share), room, source, state, first)
        else:
            points = self._drawn(here, room, source, state, first)
        return Data(points, given[f"size_{j}"][k.astype(int) - 1])

    def _drawn(self, key: Key, size: int, source: Given, state: State, first: Any) -> Array:
        """Return points of the last model, which before the first fit is the true source, distorted."""
        how: Distortion = distortion(self.loop.sampling, source)
        if first is True:
            return self.kit.real(key, size, source, how)
        model: Model = state["model"]
        if first is not False:
            real, draw = self.kit.real, self.kit.draw
            return lax.cond(first, lambda: real(key, size, source, how), lambda: draw(key, size, model, how))
        if self.kit.designed:
            model = {**model, **{name: source[name] for name in ("noise", "design") if name in source}}
        return self.kit.draw(key, size, model, how)

    def _mixed(self, key: Key, share: float, size: int, source: Given, state: State, first: Any) -> Array:
        """Return points that are each real with the probability ``share``."""
        real = self.kit.real(slot_key(key, 0), size, source, FAITHFUL)
        drawn = self._drawn(slot_key(key, 1), size, source, state, first)
        coins = uniform(slot_key(key, 2), (size,)) < share
        return jnp.where(coins.reshape(size, *(1,) * (real.ndim - 1)), real, drawn)


def _kept(part: Part) -> bool:
    return part.origin == "kept"


def _subset(key: Key, data: Data, room: int) -> Array:
    """Return points in a random order, those that do not count last, and of all these as many as there is room for."""
    there = jnp.arange(len(data.points)) < data.size
    order = jnp.argsort(jnp.where(there, uniform(key, (len(data.points),)), jnp.inf))
    return data.points[order[:room]]
