"""Curves that a posterior expects: runs of the engine's own refit, each with the symbols of one draw.

They go on from where an observed run ends, with the hidden numbers that the posterior gave it, or start anew at its
first generation.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sympy import log

from numerics.fitting.likelihood import CurveLaw, curve_law
from numerics.fitting.models import Model
from numerics.fitting.observed import Observed
from numerics.fitting.vocabulary import ROUNDING, curve_moments
from numerics.lifting import letters
from numerics.paths import statistic_path
from numerics.precision import Precision
from numerics.printer import to_jax
from numerics.samplers import chain_key, generation_key, normal, slot_key
from numerics.samplers.cipher import halves
from numerics.variables import letters_of_source
from theory.families import Categorical, Gaussian
from theory.loop import Loop

BLOCK = 64
"""Generations that are drawn at a time."""
EXACT = Precision(exact=True)
"""Chi-squares by rejection: their degrees of freedom differ from draw to draw, and have no table."""
REPEATED = 8
"""Paths of a vocabulary that share one draw of the symbols."""


def futures(
    model: Model,
    values: dict[str, np.ndarray],
    hidden: np.ndarray,
    curve: Observed,
    run: int,
    known: int,
    generations: int,
    seed: int,
) -> np.ndarray:
    """Return values of the observable at the ``generations`` that follow the first ``known`` ones of a run.

    Args:
        model: the loop.
        values: draws of its symbols, each of shape (draws,).
        hidden: draws of the run's hidden numbers, shape (draws, hidden).
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
        law = curve_law(model.loop)
        moments = _moments(model.loop)(values, V) if law.hides_mean else _nothing(law, len(hidden))
        past = jnp.log(V[0, -1]), moments, jnp.asarray(hidden)
        return curve.shown(_refitted(model.loop, values, past, model.first + known - 1, generations, seed))


def start_anew(loop: Loop, values: dict[str, Any], generations: int, seed: int) -> np.ndarray:
    """Return log(V_n/V_0), n = 1, .., of runs from the source on, shape (draws, generations)."""
    with jax.enable_x64(True):
        size, law = len(next(iter(values.values()))), curve_law(loop)
        squares = jnp.zeros((size, law.hidden))  # the first fit makes its own
        return _refitted(loop, values, (jnp.zeros(()), _nothing(law, size), squares), 0, generations, seed)


def _nothing(law: CurveLaw, size: int) -> Any:
    return jnp.zeros((size, len(law.memory.moments)))


def _refitted(loop: Loop, values: Any, known: tuple, last: int, generations: int, seed: int) -> np.ndarray:
    """Return log V by draw and generation after the last, block by block: one compiled program serves all lengths."""
    chains = jnp.arange(len(next(iter(values.values()))))
    begin, first, later = _programs(loop)
    words = halves(seed)
    state, paths = begin(words, chains, values, *known), []
    if last == 0 and first is not None:
        state = first(words, chains, values, state)
        paths, last = [state[1][:, None]], 1
    while sum(path.shape[1] for path in paths) < generations:
        state, path = later(words, chains, values, state, last)
        paths, last = [*paths, path], last + BLOCK
    return np.asarray(jnp.concatenate(paths, axis=1))[:, :generations]


@cache
def _moments(loop: Loop) -> Callable[..., Any]:
    law = curve_law(loop)
    return jax.jit(lambda values, V: jax.vmap(lambda one: law.moments(one, V)[0])(values))


@cache
def _programs(loop: Loop) -> tuple[Callable[..., Any], Callable[..., Any] | None, Callable[..., Any]]:
    """Return the compiled start of chains in (mu, log V) and what they remember, their first fit where it is one of its
    own, and a block of later ones; in units of V_0 and about mu0.
    """
    axes = {name: getattr(loop, name) for name in ("estimator", "regime", "sampling", "samples")}
    bare = Loop(Gaussian(), **axes)
    program = statistic_path.program(bare, (), BLOCK, EXACT)
    source = {"mu0": jnp.zeros(()), "V0": jnp.ones(())}
    given = _constants(bare)

    def key(seed: Any, index: Any, k: Any) -> Any:
        return generation_key(slot_key(chain_key(seed, index), 5), k)

    remembered = _remembered(bare)

    def begin(seed: Any, index: Any, values: Any, log_V: Any, moments: Any, squares: Any) -> Any:
        mean, *kept = remembered(key(seed, index, 0), values | source, moments, squares)
        return mean, log_V, *kept

    def first(seed: Any, index: Any, values: Any, state: Any) -> Any:
        return program.first(key(seed, index, 1), jnp.asarray(1.0), given(values | source), state)

    def later(seed: Any, index: Any, values: Any, state: Any, n: Any) -> Any:
        def refit(state: Any, k: Any) -> tuple[Any, Any]:
            state = program.later(key(seed, index, k), k.astype(float), given(values | source), state)
            return state, state[1]

        return jax.lax.scan(refit, state, n + jnp.arange(1, BLOCK + 1))

    own = None if program.first is program.later else jax.jit(jax.vmap(first, (None, 0, 0, 0)))
    begins = jax.jit(jax.vmap(begin, (None, 0, 0, None, 0, 0)))
    return begins, own, jax.jit(jax.vmap(later, (None, 0, 0, 0, None)))


def _remembered(loop: Loop) -> Callable[..., tuple[Any, ...]]:
    """Return the function (key, values, moments, squares) -> mu - mu0, drawn with the hidden means that go with it, and
    the statistics that a run remembers, as they are carried.
    """
    known = curve_law(loop).memory
    given = (*letters_of_source(Gaussian()), *letters(loop))
    innovations = [law.symbol for law in (*known.means, *known.squares)]
    variances = to_jax([law.variance for law in known.means], given)
    statistics = to_jax([log(x) if s.is_positive else x for s, x in known.statistics.items()], (*innovations, *given))

    def drawn(key: Any, values: Any, moments: Any, squares: Any) -> tuple[Any, ...]:
        here = [values[str(x)] for x in given]
        sizes = variances(*here)
        means = [jnp.sqrt(size) * normal(slot_key(key, k)) for k, size in enumerate(sizes, 1)]
        slopes = [moment / size for moment, size in zip(moments[1:], sizes, strict=True)]
        # Given the others, mu - mu0 is normal about their multiples, with what they leave of its variance.
        left = moments[0] - sum(slope * moment for slope, moment in zip(slopes, moments[1:], strict=True))
        mean = jnp.sqrt(jnp.maximum(left, 0.0)) * normal(slot_key(key, 0))
        mean += sum(slope * x for slope, x in zip(slopes, means, strict=True))
        return mean, *statistics(*means, *squares, *here)

    return drawn


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
        mean, covariance = curve_moments(model.loop, model.source or 1, values, last)
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
