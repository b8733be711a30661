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
        """The function (u, data) -> log p(data | u)."""
        if isinstance(self.loop.family, Categorical):
            law = vocabulary_law(1 if self.source is None else self.source)
            return lambda u, data: law(self.unknowns.values(u), data)
        steps = curve_law(self.loop).steps
        return lambda u, data: steps(self.unknowns.values(u), data, self.first).sum()

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
