"""One loop and one curve as a posterior: the likelihood on the unit cube, compiled once for every shape of curve."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from attrs import frozen

from numerics.fitting.likelihood import curve_law
from numerics.fitting.observed import Observed
from numerics.fitting.posterior import Effort, LogDensity, log_target, sampler
from numerics.fitting.unknowns import Unknowns
from numerics.fitting.vocabulary import Source, vocabulary_law
from numerics.samplers import chain_key, slot_key
from theory.families import Categorical
from theory.loop import Loop


@frozen
class Model:
    """A loop with its unknowns, for curves that begin at generation ``first``.

    Args:
        loop: the loop, its unknowns as symbols.
        unknowns: their priors.
        first: the generation at which curves begin.
        source: for a vocabulary, the types' frequencies, or how many types Zipf's law of unknown exponent has.
    """

    loop: Loop
    unknowns: Unknowns
    first: int = 0
    source: Source | None = None

    @property
    def log_likelihood(self) -> LogDensity:
        """The function (u, data) -> log p(data | u), with the weights of hidden numbers."""
        if isinstance(self.loop.family, Categorical):
            law = vocabulary_law(self.loop, 1 if self.source is None else self.source)
            return lambda u, data: law(self.unknowns.values(u), data)
        law = curve_law(self.loop)

        def value(u: Any, data: Any) -> Any:
            values = self.unknowns.values(u)
            squares, weights = law.squares(values, data, self.first, self.places(u))
            return law.steps(values, data, self.first, squares).sum() + weights.sum()

        return value

    @property
    def hides(self) -> int:
        """How many hidden numbers every run of the loop has."""
        return 0 if isinstance(self.loop.family, Categorical) else curve_law(self.loop).hidden

    def size(self, runs: int) -> int:
        """Return the dimension of the cube: the unknowns, then the hidden numbers run by run."""
        return len(self.unknowns.each) + self.hides * runs

    def places(self, u: Any) -> Any:
        """Return the places of the hidden numbers, shape (runs, hidden), at a point of the cube."""
        own = len(self.unknowns.each)
        return u[own:].reshape((u.shape[0] - own) // self.hides if self.hides else 1, self.hides)

    def hidden(self, u: Any, data: Any) -> Any:
        """Return the hidden numbers of the runs, shape (runs, hidden), at a point of the cube."""
        return curve_law(self.loop).squares(self.unknowns.values(u), data, self.first, self.places(u))[0]

    def data(self, curve: Observed) -> Any:
        """Return what the likelihood reads of a curve."""
        if isinstance(self.loop.family, Categorical):
            return jnp.asarray(curve.values)
        return jnp.exp(jnp.asarray(curve.log_ratios))


@cache
def targets(model: Model) -> Callable[..., Any]:
    """Return the compiled function (points x, data) -> log posterior densities, up to one constant."""
    target = log_target(model.log_likelihood)
    return jax.jit(lambda points, data: jax.lax.map(lambda x: target(x, data), points, batch_size=128))


@cache
def hidden_numbers(model: Model) -> Callable[..., Any]:
    """Return the compiled function (draws u, data) -> hidden numbers of the runs."""
    return jax.jit(jax.vmap(model.hidden, (0, None)))


@cache
def chains(model: Model, effort: Effort) -> Callable[..., Any]:
    """Return the compiled function (seed, indices, starts, data) -> draws of chains side by side on the same data."""
    return jax.jit(jax.vmap(_chain(model, effort), (None, 0, 0, None)))


@cache
def many(model: Model, effort: Effort) -> Callable[..., Any]:
    """Return the compiled function (seed, indices, starts, data) -> draws of one chain for each of many curves.

    One curve after the other: side by side, all would wait at every step for the one whose trajectory is the longest.
    """
    run = _chain(model, effort)
    return jax.jit(lambda seed, *each: jax.lax.map(lambda one: run(seed, *one), each))


def _chain(model: Model, effort: Effort) -> Callable[..., Any]:
    run = sampler(model.log_likelihood, effort)
    return lambda seed, chain, start, data: run(slot_key(chain_key(seed, chain), 1), start, data)
