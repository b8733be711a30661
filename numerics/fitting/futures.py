"""Curves that a posterior expects: runs of the engine's own refit, each with the symbols of one draw.

They go on from where an observed run ends, or start anew at its first generation.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from numerics import statistic_path
from numerics.fitting.likelihood import curve_law
from numerics.fitting.models import Model
from numerics.fitting.observed import Observed
from numerics.fitting.vocabulary import curve_moments
from numerics.samplers import chain_key, generation_key, normal, slot_key
from theory.families import Categorical, Gaussian
from theory.loop import Loop

BLOCK = 64
"""Generations that are drawn at a time."""


def futures(
    model: Model, values: dict[str, np.ndarray], curve: Observed, run: int, known: int, generations: int, seed: int
) -> np.ndarray:
    """Return values of the observable at the ``generations`` that follow the first ``known`` ones of a run.

    Args:
        model: the loop.
        values: draws of its symbols, each of shape (draws,).
        curve: the observed curve.
        run: which of its runs.
        known: how many of its generations are taken as they are, >= 1.
        generations: how many more are drawn, >= 1.
        seed: of the random numbers.

    Returns:
        shape (draws, generations).
    """
    with jax.enable_x64(True):
        if isinstance(model.loop.family, Categorical):
            seen = jnp.asarray(curve.values[run, :known])
            drawn = _types(model, generations, known)(seed, values, seen)
            return np.asarray(drawn)
        V = jnp.exp(jnp.asarray(curve.log_ratios[run : run + 1, :known]))
        B = _mean_square(model.loop)(values, V) if curve_law(model.loop).hides_mean else jnp.zeros(())
        return curve.shown(_refitted(model, values, jnp.log(V[0, -1]), B, known, generations, seed))


def _refitted(model: Model, values: Any, log_V: Any, B: Any, known: int, generations: int, seed: int) -> np.ndarray:
    """Return log V by draw and generation, block by block, so that one compiled program serves all lengths."""
    size = len(next(iter(values.values())))
    chains, last = jnp.arange(size), model.first + known - 1
    begin, first, later = _programs(model.loop)
    state, paths = begin(seed, chains, jnp.broadcast_to(B, (size,)), log_V), []
    if last == 0 and first is not None:
        state = first(seed, chains, values, state)
        paths, last = [state[1][:, None]], 1
    while sum(path.shape[1] for path in paths) < generations:
        state, path = later(seed, chains, values, state, last)
        paths, last = [*paths, path], last + BLOCK
    return np.asarray(jnp.concatenate(paths, axis=1))[:, :generations]


@cache
def _mean_square(loop: Loop) -> Callable[..., Any]:
    law = curve_law(loop)
    return jax.jit(lambda values, V: jax.vmap(lambda one: law.mean_square(one, V)[0])(values))


@cache
def _programs(loop: Loop) -> tuple[Callable[..., Any], Callable[..., Any] | None, Callable[..., Any]]:
    """Return the compiled start of chains in (mu, log V), their first fit where it is one of its own, and a block of
    later ones; in units of V_0 and about mu0.
    """
    axes = {name: getattr(loop, name) for name in ("estimator", "regime", "sampling", "samples")}
    program = statistic_path.program(Loop(Gaussian(), **axes), (), BLOCK)
    source = {"mu0": jnp.zeros(()), "V0": jnp.ones(())}

    def key(seed: Any, index: Any, k: Any) -> Any:
        return generation_key(slot_key(chain_key(seed, index), 5), k)

    def begin(seed: Any, index: Any, B: Any, log_V: Any) -> Any:
        return jnp.sqrt(B) * normal(slot_key(key(seed, index, 0), 0)), log_V

    def first(seed: Any, index: Any, values: Any, state: Any) -> Any:
        return program.first(key(seed, index, 1), jnp.asarray(1.0), values | source, state)

    def later(seed: Any, index: Any, values: Any, state: Any, n: Any) -> Any:
        def refit(state: Any, k: Any) -> tuple[Any, Any]:
            state = program.later(key(seed, index, k), k.astype(float), values | source, state)
            return state, state[1]

        return jax.lax.scan(refit, state, n + jnp.arange(1, BLOCK + 1))

    own = None if program.first is program.later else jax.jit(jax.vmap(first, (None, 0, 0, 0)))
    begins = jax.jit(jax.vmap(begin, (None, 0, 0, None)))
    return begins, own, jax.jit(jax.vmap(later, (None, 0, 0, 0, None)))


@cache
def _types(model: Model, generations: int, known: int) -> Callable[..., Any]:
    """Return the compiled function (seed, values, seen) -> numbers of types, drawn given those seen."""
    last = known - 1 + generations

    def run(seed: Any, index: Any, values: Any, seen: Any) -> Any:
        mean, covariance = curve_moments(model.source or 1, values, last)
        past, ahead = slice(0, known - 1), slice(known - 1, last)
        root = jnp.linalg.cholesky(covariance[past, past] + jnp.eye(known - 1) / 12)
        gain = jax.scipy.linalg.cho_solve((root, True), covariance[past, ahead]).T
        centre = mean[ahead] + gain @ (seen[1:] - mean[past])
        left = covariance[ahead, ahead] - gain @ covariance[past, ahead]
        values_, vectors = jnp.linalg.eigh((left + left.T) / 2)
        z = normal(slot_key(chain_key(seed, index), 3), (generations,))
        return jnp.maximum(centre + vectors @ (jnp.sqrt(jnp.maximum(values_, 0.0)) * z), 0.0)

    def several(seed: Any, values: Any, seen: Any) -> Any:
        size = len(next(iter(values.values())))
        return jax.lax.map(lambda one: run(seed, one[0], one[1], seen), (jnp.arange(size), values), batch_size=32)

    return jax.jit(several)
