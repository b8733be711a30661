"""The points of every fit: which parts a regime names, where they come from, and how they are put together."""

from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from attrs import frozen
from jax import Array, lax
from sympy import Add, Expr, S

from numerics.chains import Given, State
from numerics.kits.distortions import FAITHFUL, Distortion, distortion
from numerics.kits.kit import Kit, Model
from numerics.kits.learning import Learn, innermost
from numerics.kits.points import Data
from numerics.samplers import chain_key, slot_key, uniform
from numerics.samplers.cipher import Key
from theory.learners import Learner
from theory.loop import Loop
from theory.procedures import PosteriorPredictive
from theory.regimes import Part
from theory.symbols import n

DESIGN, SUBSET, LEARNER = 2**20, 2**20 + 1, 2**20 + 2
"""Slots of a generation beyond those of its parts."""


# Which parts ---------------------------------------------------------------------------------------------------------


@frozen
class Counts:
    """Numbers of points by fit.

    Args:
        changing: of the parts whose size depends on the number of the fit, by place.
        fitted: of every set of points that is fitted, apart where parts have weights.
    """

    changing: dict[int, np.ndarray]
    fitted: list[np.ndarray]


@frozen
class Layout:
    """The parts of a loop that are drawn for the first fit and for fit n, and what is kept from before.

    Args:
        first: parts of fit 1.
        later: parts of fit n, but for the past.
        past: the number of earlier points that fit n reads, 0 where it reads none.
        regime: the regime, for sizes.
        samples: M.
    """

    first: tuple[Part, ...]
    later: tuple[Part, ...]
    past: Expr
    regime: Any
    samples: Expr

    @property
    def weighed(self) -> bool:
        """Whether the parts are fitted with weights of their own."""
        return len(self.later) > 1 and all(part.weight is not None for part in self.later)

    def why_not(self, loop: Loop) -> str | None:
        """Return why the parts cannot be drawn, None where they can."""
        if strange := [part.origin for part in self.later if part.origin not in _ORIGINS]:
            return f"regime: {loop.regime} reads {strange[0]} points, which are not drawn here"
        if self.past != 0 and (self.past - (n - 1) * Add(*(part.size for part in self.later))).expand() != 0:
            return f"{loop.regime} reads {self.past} earlier points, which are not all of them"
        return None

    def least(self) -> list[int]:
        """Return the number of points in every set that the first fit reads."""
        sizes = [int(part.size) for part in self.first]
        return sizes if self.weighed else [sum(sizes)]

    def sizes(self, generations: int) -> list[np.ndarray]:
        """Return the number of points of every part, by fit."""
        return [self._sizes(j, generations) for j in range(len(self.later))]

    def _sizes(self, j: int, generations: int) -> np.ndarray:
        if self.later[j].size.is_Integer:
            return np.full(generations, float(self.later[j].size))
        fits = (_present(self.regime, self.samples, S(k)) for k in range(1, generations + 1))
        return np.array([float(parts[j].size) for parts in fits])

    def counts(self, generations: int) -> Counts:
        """Return the numbers of points that are no part of the compiled program."""
        sizes = self.sizes(generations)
        changing = {j: sizes[j] for j, part in enumerate(self.later) if not part.size.is_Integer}
        if self.weighed:
            return Counts(changing, sizes)
        if self.regime.subsampled:
            return Counts(changing, [np.full(generations, float(self.samples))])
        whole = np.sum(sizes, axis=0)
        return Counts(changing, [np.cumsum(whole) if self.past != 0 else whole])

    def rows(self, generations: int) -> int:
        """Return how many points a chain has room for."""
        rooms = sum(int(sizes.max()) for sizes in self.sizes(generations))
        return rooms * (generations if self.past != 0 else 1)


def layout(loop: Loop) -> Layout:
    """Return the parts of a loop."""
    first, later = (_present(loop.regime, loop.samples, k) for k in (S.One, n))
    past = [part.size for part in later if part.origin == "past"]
    fresh = tuple(part for part in later if part.origin != "past")
    return Layout(first, fresh, past[0] if past else S.Zero, loop.regime, loop.samples)


def _present(regime: Any, samples: Expr, k: Expr) -> tuple[Part, ...]:
    return tuple(part for part in regime.parts(samples, k) if part.size != 0)


# Their points --------------------------------------------------------------------------------------------------------

_ORIGINS = ("real", "kept", "model", "mixture")


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
        sets = parts if self.layout.weighed else [reduce(_together, parts)]
        state = {**state, "kept": kept}
        if self.layout.past != 0:
            before = (k.astype(int) - 1) * len(sets[0].points)
            pool = lax.dynamic_update_slice_in_dim(state["pool"], sets[0].points, before, 0)
            state, sets = {**state, "pool": pool}, [Data(pool, k * len(sets[0].points))]
        if self.loop.regime.subsampled:
            sets = [_subset(slot_key(key, SUBSET), sets[0], int(self.loop.samples))]
        divisors = given["divisors"][k.astype(int) - 1]
        model = self.learn(slot_key(key, LEARNER), given, sets, divisors, state["model"], first)
        return {**state, "model": model}

    def _part(self, j: int, key: Key, k: Any, given: Given, state: State, first: Any) -> Data:
        """Return the points of part j."""
        part, here = self.layout.later[j], slot_key(key, j)
        design = {"design": slot_key(state["design"], j)} if "design" in state else {}
        source, room = {**given, **design}, self._room(j)
        if part.origin == "real" or (_kept(part) and first is True):
            points = self.kit.real(here, room, source, FAITHFUL)
        elif _kept(part):
            (points,) = state["kept"]
        elif part.origin == "mixture":
            points = self._mixed(here, float(part.share), room, source, state, first)
        else:
            points = self._drawn(here, room, source, state, first)
        changing = not part.size.is_Integer
        return Data(points, given[f"size_{j}"][k.astype(int) - 1] if changing else jnp.asarray(float(room)))

    def _room(self, j: int) -> int:
        return int(self.layout.sizes(self.generations)[j].max())

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


def _together(one: Data, two: Data) -> Data:
    """Return the points of both, those of the second after those of the first that are there."""
    room = jnp.concatenate([one.points, jnp.zeros_like(two.points)])
    points = lax.dynamic_update_slice_in_dim(room, two.points, one.size.astype(int), 0)
    return Data(points, one.size + two.size)


def _subset(key: Key, data: Data, size: int) -> Data:
    """Return points drawn without replacement: the first ones of a random order."""
    there = jnp.arange(len(data.points)) < data.size
    order = jnp.argsort(jnp.where(there, uniform(key, (len(data.points),)), jnp.inf))
    return Data(data.points[order[:size]], jnp.asarray(float(size)))
