"""Gradient descent as it is run: so many steps on batches of the points, from the last model on, or stopped early."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from attrs import frozen
from jax import Array, lax

from numerics.chains import Given
from numerics.kits.kit import Kit, Model
from numerics.kits.likelihoods import Free, Likelihood
from numerics.kits.outside import picked
from numerics.kits.points import Data
from numerics.lifting import number
from numerics.samplers import slot_key, uniform
from numerics.samplers.cipher import Key
from theory.learners import SGD, Adam, Descent

ORDER = 2**21
"""Slot of the random order in which points are held out; those below are the steps'."""
FORGETS, FORGETS_SQUARES, APART = 0.9, 0.999, 1e-8
"""Adam's constants."""


@frozen(eq=False)
class Descending:
    """Descent on the likelihood of a family.

    A state is the coordinates, and what the steps remember of gradients: a velocity, or Adam's two running means.
    """

    estimator: Descent
    likelihood: Likelihood
    kit: Kit

    def learn(self, key: Key, given: Given, data: Data, last: Model, first: Any) -> Model:
        """Return the model where the steps end."""
        del first
        start = last if self.estimator.start == "last" else self.kit.source(given)
        free = {name: jnp.asarray(x, dtype=float) for name, x in self.likelihood.free(start).items()}
        if self.estimator.patience is None:
            state = self._steps(key, given, data, free)
        else:
            state = self._stopped(key, given, data, free)
        return self.likelihood.model(state)

    def _steps(self, key: Key, given: Given, data: Data, free: Free) -> Free:
        """Return the coordinates after all steps."""
        read, start = self._reader(key, data, free), at_rest(free)

        def step(k: Array, state: Any) -> Any:
            return self._moved(k, given, state, read(k, state[0]))

        return lax.fori_loop(0, self.estimator.steps, step, start)[0]

    def _stopped(self, key: Key, given: Given, data: Data, free: Free) -> Free:
        """Return the coordinates of the least loss on points held out, once it has not fallen for so many steps."""
        shuffled = _shuffled(slot_key(key, ORDER), data)
        kept = data.size - jnp.floor(number(self.estimator.held_out, given) * data.size)
        rest = Data(jnp.roll(shuffled.points, -kept.astype(int), axis=0), data.size - kept)
        held, read = self._statistics(rest, free), self._reader(key, Data(shuffled.points, kept), free)
        patience: Any = self.estimator.patience

        def open_(carried: Any) -> Array:
            k, _, _, _, since = carried
            return (k < self.estimator.steps) & (since < patience)

        def step(carried: Any) -> Any:
            k, state, best, least, since = carried
            state = self._moved(k, given, state, read(k, state[0]))
            loss = self.likelihood.loss(state[0], held)
            better = loss < least
            best = jax.tree.map(lambda old, new: jnp.where(better, new, old), best, state[0])
            return k + 1, state, best, jnp.where(better, loss, least), jnp.where(better, 0, since + 1)

        start = at_rest(free)
        return lax.while_loop(open_, step, (0, start, free, self.likelihood.loss(free, held), 0))[2]

    def _reader(self, key: Key, data: Data, free: Free) -> Callable[[Any, Free], Model]:
        """Return the function (step, coordinates) -> statistics of the step's batch."""
        batch = self.estimator.batch
        if batch is None:
            whole = self._statistics(data, free)
            return lambda _k, _free: whole

        def read(k: Any, free: Free) -> Model:
            points = picked(uniform(slot_key(key, k), (batch,)), data.points, data.size)
            return self._statistics(Data(points, jnp.asarray(float(batch))), free)

        return read

    def _statistics(self, data: Data, free: Free) -> Model:
        return self.likelihood.statistics(self.kit, data, self.likelihood.model(free))

    def _moved(self, k: Any, given: Given, state: Any, batch: Model) -> Any:
        """Return the state one step on."""
        free, mean, square = state
        gradient = jax.grad(self.likelihood.loss)(free, batch)
        rate = number(self.estimator.rate, given)
        if isinstance(self.estimator, SGD):
            return self._sgd(free, mean, square, gradient, rate, given)
        assert isinstance(self.estimator, Adam)
        return adam(k, rate, state, gradient)

    def _sgd(self, free: Free, velocity: Free, unused: Free, gradient: Free, rate: Any, given: Given) -> Any:
        estimator: Any = self.estimator
        if estimator.natural and self.likelihood.information is not None:
            information = self.likelihood.information(self.likelihood.model(free))
            gradient = {name: g / information[name] for name, g in gradient.items()}
        momentum = number(estimator.momentum, given)
        velocity = _map(lambda v, g: momentum * v + g, velocity, gradient)
        return _map(lambda x, v: x - rate * v, free, velocity), velocity, unused


def adam(k: Any, rate: Any, state: Any, gradient: Any) -> Any:
    """Return (x, m, v) after step k = 0, 1, ... of Adam, each a pytree of the gradient's kind:

        m' = b m + (1 - b) g,  v' = c v + (1 - c) g^2,  x' = x - rate m'/(1 - b^(k+1))/(sqrt(v'/(1 - c^(k+1))) + 1e-8)

    with b = 0.9 and c = 0.999.

    D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR (2015).
    """
    x, mean, square = state
    mean = _map(lambda m, g: FORGETS * m + (1 - FORGETS) * g, mean, gradient)
    square = _map(lambda v, g: FORGETS_SQUARES * v + (1 - FORGETS_SQUARES) * g * g, square, gradient)
    fits = 1 - FORGETS ** (k + 1.0), 1 - FORGETS_SQUARES ** (k + 1.0)

    def moved(x: Array, m: Array, v: Array) -> Array:
        fit, fit_squares = (jnp.asarray(one, x.dtype) for one in fits)
        return x - rate * m / fit / (jnp.sqrt(v / fit_squares) + APART)

    return _map(moved, x, mean, square), mean, square


def at_rest(x: Any) -> Any:
    """Return the state before the first step: the coordinates, and nothing remembered of gradients."""
    return x, _map(jnp.zeros_like, x), _map(jnp.zeros_like, x)


def _map(function: Callable[..., Array], *trees: Any) -> Any:
    return jax.tree.map(function, *trees)


def _shuffled(key: Key, data: Data) -> Data:
    """Return the points in random order, those that do not count after them."""
    there = jnp.arange(len(data.points)) < data.size
    return Data(data.points[jnp.argsort(jnp.where(there, uniform(key, (len(data.points),)), jnp.inf))], data.size)
