"""Do the tails collapse before the bulk? A test at several depths of the tail at once.

For points the reach of the tails is measured in units of the bulk, (Q_(1-q/2) - Q_(q/2))/(Q_(3/4) - Q_(1/4)): honest
refits of a location-scale family move and rescale a sample and do nothing to this shape, so that its change from one
generation to another has one known null, whatever the refits between. For counts the tail at depth q is the rarest
types that hold a share q of the earlier sample, and the null of the mass that is left on them is the chain of counts.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from numerics.fitting.chance import DRAWS, Test, Tests, upper
from numerics.fitting.two_samples import _points, counted, resampled
from numerics.samplers import chain_key, normal, slot_key, uniform
from numerics.samplers.cipher import halves
from theory.errors import NotClosed
from theory.families import Categorical, Gaussian
from theory.loop import Loop

DEPTHS = (0.2, 0.1, 0.05, 0.02)
"""Shares of the mass that count as tail."""


def tail_test(
    before: Any,
    after: Any,
    loop: Loop,
    *,
    depths: Sequence[float] = DEPTHS,
    refits: int = 1,
    level: float = 0.01,
    seed: int = 0,
) -> Tests:
    """Return whether the tails are lost faster than the bulk, at some depth; p-values are adjusted for all depths.

    Args:
        before, after, loop, refits, level, seed: as in `refit_test`.
        depths: shares q of the mass that are tail, 0 < q < 1/2.

    Raises:
        ValueError: depths that the samples do not reach.
        NotClosed: another family.
    """
    if not all(0 < q < 0.5 for q in depths) or not depths:
        raise ValueError(f"depths = {list(depths)} are no shares of a tail. Give numbers between 0 and 1/2.")
    if type(loop.family) is Gaussian:
        observed, null, u = _reaches(_points(before, "before"), _points(after, "after"), depths, seed)
    elif isinstance(loop.family, Categorical):
        observed, null, u = _masses(*counted(before, after), loop, depths, refits, seed)
    else:
        raise NotClosed(f"family: {loop.family} has no tails of known law. Ask for a Gaussian or a categorical loop.")
    return _adjusted(observed, null, u, depths, refits, level)


def _adjusted(
    observed: np.ndarray, null: np.ndarray, u: float, depths: Sequence[float], refits: int, level: float
) -> Tests:
    """Return the tests at all depths, each adjusted by the law of the least of them under the null."""
    centre, spread = null.mean(0), np.maximum(null.std(0), 1e-12)
    fall, falls = (centre - observed) / spread, ((centre - null) / spread).max(1)
    tests = [
        Test(f"tail {100 * q:g} %", float(np.exp(x)), float(np.exp(m)), upper(float(z), falls, u))
        for q, x, m, z in zip(depths, observed, centre, fall, strict=True)
    ]
    return Tests(tuple(tests), refits, level, upper(float(fall.max()), falls, u))


def _reaches(
    before: np.ndarray, after: np.ndarray, depths: Sequence[float], seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    size = min(len(before), len(after))
    if size * min(depths) < 2:
        raise ValueError(f"{size} points hold less than two beyond the tail of {min(depths):g}. Take deeper samples.")
    with jax.enable_x64(True):
        null = _reaches_of_normals(len(before), len(after), tuple(depths))(halves(seed))
        one, two = (_reach(jnp.asarray(x), tuple(depths)) for x in (before, after))
        return np.asarray(two - one), np.asarray(null), float(uniform(chain_key(seed, DRAWS)))


@cache
def _reaches_of_normals(before: int, after: int, depths: tuple[float, ...]) -> Callable[..., Any]:
    """Return the compiled function seed -> changes of the tails' reach between normal samples, (DRAWS, depths)."""

    def drawn(seed: Any, index: Any) -> Any:
        key = chain_key(seed, index)
        one, two = (normal(slot_key(key, k), (size,)) for k, size in enumerate((before, after)))
        return _reach(two, depths) - _reach(one, depths)

    return jax.jit(lambda seed: jax.lax.map(lambda k: drawn(seed, k), jnp.arange(DRAWS), batch_size=32))


@partial(jax.jit, static_argnums=1)
def _reach(x: Any, depths: tuple[float, ...]) -> Any:
    """Return the log of the reach of the tails over that of the bulk, at each depth."""
    places = jnp.asarray([q / 2 for q in depths] + [1 - q / 2 for q in depths] + [0.25, 0.75])
    q = jnp.quantile(x, places)
    k = len(depths)
    return jnp.log(q[k : 2 * k] - q[:k]) - jnp.log(q[-1] - q[-2])


def _masses(
    before: np.ndarray, after: np.ndarray, loop: Loop, depths: Sequence[float], refits: int, seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    null, u = resampled(before, int(after.sum()), loop, refits, seed)
    order = np.argsort(before, kind="stable")
    below = np.cumsum(before[order]) / before.sum()
    rare: list[Callable[[np.ndarray], np.ndarray]] = []
    for q in depths:
        types = order[: int(np.searchsorted(below, q, side="right"))]
        if not before[types].sum():
            raise ValueError(f"no type is rare enough for a tail of {q:g} of the mass. Give a larger depth.")
        rare.append(lambda counts, types=types: np.log((counts[..., types].sum(-1) + 0.5) / before[types].sum()))
    size = np.log(after.sum() / before.sum())
    observed, drawn = (np.stack([mass(x) - size for mass in rare], axis=-1) for x in (after, null))
    return observed, drawn, float(u[0])
