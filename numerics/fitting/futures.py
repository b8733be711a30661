"""Curves that a posterior expects: runs of the engine's own refit, each with the symbols of one draw.

They go on from where an observed run ends, or start anew at its first generation.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from numerics.fitting.likelihood import curve_law
from numerics.fitting.models import Model
from numerics.fitting.observed import Observed
from numerics.fitting.vocabulary import ROUNDING, curve_moments
from numerics.paths import statistic_path
from numerics.precision import Precision
from numerics.printer import to_jax
from numerics.samplers import chain_key, generation_key, normal, slot_key
from numerics.samplers.cipher import halves
from theory.families import Categorical, Gaussian
from theory.loop import Loop

BLOCK = 64
"""Generations that are drawn at a time."""
EXACT = Precision(exact=True)
"""Chi-squares by rejection: their degrees of freedom differ from draw to draw, and have no table."""
REPEATED = 8
"""Paths of a vocabulary that share one draw of the symbols."""


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
            drawn = _types(model, generations, known)(halves(seed), values, seen)
            return np.asarray(drawn)
        V = jnp.exp(jnp.asarray(curve.log_ratios[run : run + 1, :known]))
        B = _mean_square(model.loop)(values, V) if curve_law(model.loop).hides_mean else jnp.zeros(())
        last = model.first + known - 1
        return curve.shown(_refitted(model.loop, values, jnp.log(V[0, -1]), B, last, generations, seed))


def start_anew(loop: Loop, values: dict[str, Any], generations: int, seed: int) -> np.ndarray:
    """Return log(V_n/V_0), n = 1, .., of runs from the source on, shape (draws, generations)."""
    with jax.enable_x64(True):
        return _refitted(loop, values, jnp.zeros(()), jnp.zeros(()), 0, generations, seed)


def _refitted(loop: Loop, values: Any, log_V: Any, B: Any, last: int, generations: int, seed: int) -> np.ndarray:
    """Return log V by draw and generation after the last, block by block: one compiled program serves all lengths."""
    size = len(next(iter(values.values())))
    chains = jnp.arange(size)
    begin, first, later = _programs(loop)
    words = halves(seed)
    state, paths = begin(words, chains, jnp.broadcast_to(B, (size,)), log_V), []
    if last == 0 and first is not None:
        state = first(words, chains, values, state)
        paths, last = [state[1][:, None]], 1
    while sum(path.shape[1] for path in paths) < generations:
        state, path = later(words, chains, values, state, last)
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
    bare = Loop(Gaussian(), **axes)
    program = statistic_path.program(bare, (), BLOCK, EXACT)
    source = {"mu0": jnp.zeros(()), "V0": jnp.ones(())}
    given = _constants(bare)

    def key(seed: Any, index: Any, k: Any) -> Any:
        return generation_key(slot_key(chain_key(seed, index), 5), k)

    def begin(seed: Any, index: Any, B: Any, log_V: Any) -> Any:
        return jnp.sqrt(B) * normal(slot_key(key(seed, index, 0), 0)), log_V

    def first(seed: Any, index: Any, values: Any, state: Any) -> Any:
        return program.first(key(seed, index, 1), jnp.asarray(1.0), given(values | source), state)

    def later(seed: Any, index: Any, values: Any, state: Any, n: Any) -> Any:
        def refit(state: Any, k: Any) -> tuple[Any, Any]:
            state = program.later(key(seed, index, k), k.astype(float), given(values | source), state)
            return state, state[1]

        return jax.lax.scan(refit, state, n + jnp.arange(1, BLOCK + 1))

    own = None if program.first is program.later else jax.jit(jax.vmap(first, (None, 0, 0, 0)))
    begins = jax.jit(jax.vmap(begin, (None, 0, 0, None)))
    return begins, own, jax.jit(jax.vmap(later, (None, 0, 0, 0, None)))


def _constants(loop: Loop) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return the function that adds the constants of the refits to values of the symbols, which differ by draw."""
    functions = {}
    for refit in statistic_path._refits(loop, (), EXACT):
        for expr, letter in refit._constants.items():
            own = sorted(expr.free_symbols, key=str)
            functions[str(letter)] = to_jax(expr, own), tuple(map(str, own))
    return lambda values: values | {name: f(*(values[x] for x in own)) for name, (f, own) in functions.items()}


@cache
def _types(model: Model, generations: int, known: int) -> Callable[..., Any]:
    """Return the compiled function (seed, values, seen) -> numbers of types, drawn given those seen.

    Of every few draws of the symbols one is taken, since a law costs more than a path of it.
    """
    last = known - 1 + generations

    def law(values: Any, seen: Any) -> tuple[Any, Any]:
        mean, covariance = curve_moments(model.source or 1, values, last)
        past, ahead = slice(0, known - 1), slice(known - 1, last)
        root = jnp.linalg.cholesky(covariance[past, past] + ROUNDING * jnp.eye(known - 1))
        gain = jax.scipy.linalg.cho_solve((root, True), covariance[past, ahead]).T
        left = covariance[ahead, ahead] - gain @ covariance[past, ahead] + ROUNDING * jnp.eye(generations)
        return mean[ahead] + gain @ (seen[1:] - mean[past]), jnp.linalg.cholesky(left)

    def several(seed: Any, values: Any, seen: Any) -> Any:
        size = len(next(iter(values.values())))
        few = {name: x[::REPEATED] for name, x in values.items()}
        centres, roots = jax.lax.map(lambda one: law(one, seen), few)
        z = normal(slot_key(chain_key(seed, 0), 5), (len(centres), REPEATED, generations))
        paths = centres[:, None] + jnp.einsum("dij,drj->dri", roots, z)
        return jnp.maximum(paths.reshape(-1, generations)[:size], 0.0)

    return jax.jit(several)
