"""`Learner`: a model that is trained, as pure functions, and all that a loop of retraining has to know of it."""

from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from numerics.kits.points import Data
from numerics.samplers.cipher import Key
from numerics.trained.drawing import place

Params = Any
"""What a fit leaves of its data, a pytree of arrays."""
Numbers = dict[str, Array]
INIT, TRAIN, SCORE = 0, 1, 2
"""Slots of a fit: where it starts, the batches it reads, and how it is looked at."""


class Learner(ABC):
    """A family with the procedure that trains it. Keys are places of the library's counter-based source."""

    warm = False
    """Whether a fit starts from the last model, rather than anew."""

    @abstractmethod
    def init(self, key: Key) -> Params:
        """Return an untrained model."""

    @abstractmethod
    def fit(self, key: Key, data: Data, start: Params) -> Params:
        """Return the model trained on the first ``size`` rows of the data, from ``start`` on."""

    @abstractmethod
    def sample(self, key: Key, params: Params, size: int) -> Array:
        """Return ``size`` rows drawn from a model, of the kind that it is fitted to."""

    @abstractmethod
    def score(self, key: Key, params: Params, real: Array) -> Numbers:
        """Return what is recorded of a model: the names of `read`, and any others about the real rows."""

    @abstractmethod
    def read(self, data: Data) -> Numbers:
        """Return the same of data: what a fit that loses nothing would have, by the names of `score`."""

    def refit(self, key: Key, data: Data, last: Params, first: Any) -> Params:
        """Return the fit to the data, begun at the last model if it is warm and this is not the first fit."""
        start = self.init(place(key, INIT))
        if self.warm:
            start = jax.tree.map(lambda new, old: jnp.where(first, new, old), start, last)
        return self.fit(place(key, TRAIN), data, start)
