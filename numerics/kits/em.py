"""Expectation maximisation of normal mixtures, for many chains at once.

The chains lie along the last axis, and a few points at a time stay in the processor's cache with all that is computed
of them: that is what makes it fast. Sums over points run row after row, in an order that no number of chains changes.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from attrs import frozen
from jax import Array, lax
from jax.custom_batching import custom_vmap

LANES, ROWS = 64, 8
"""Chains, and points of each, that are worked on together."""
Pairs = tuple[tuple[int, int], ...]


@frozen
class Climb:
    """How a mixture is fitted.

    Args:
        components: number of components.
        dimension: number of coordinates.
        covariance: "full", "diagonal" or "spherical".
        steps: rounds at most.
        tolerant: whether the climb ends early, when the mean log-likelihood rises by less than the tolerance.
    """

    components: int
    dimension: int
    covariance: str
    steps: int
    tolerant: bool

    @property
    def pairs(self) -> Pairs:
        """The entries of a covariance matrix that are fitted, row and column, of its lower triangle."""
        d = range(self.dimension)
        return tuple((i, j) for i in d for j in d if i == j or (self.covariance == "full" and j < i))

    def fit(self, points: Array, size: Any, start: "Parts", tolerance: Any, floor: Any) -> "Parts":
        """Return weights (k,), means (k, d) and covariances (k, pairs) after the climb.

        Args:
            points: shape (rows, d), of which the first ``size`` count.
            size: number of points.
            start: weights, means and covariances that the climb starts from.
            tolerance: see ``tolerant``.
            floor: what is added to every variance.
        """
        numbers = (jnp.asarray(x, points.dtype) for x in (tolerance, floor))
        return _by_lanes(partial(_climbed, self), points, jnp.asarray(size, points.dtype), *start, *numbers)

    def assigned(self, points: Array, size: Any, centres: Array, floor: Any) -> "Parts":
        """Return the components where every point belongs to the nearest centre."""
        k = self.components
        numbers = (jnp.asarray(x, points.dtype) for x in (0.0, floor))
        start = jnp.full(k, 1 / k, points.dtype), centres, jnp.zeros((k, len(self.pairs)), points.dtype)
        return _by_lanes(partial(_assigned, self), points, jnp.asarray(size, points.dtype), *start, *numbers)


Parts = tuple[Array, Array, Array]
"""Weights, means and covariances of the components."""


def _by_lanes(group: Callable[..., Parts], *arguments: Array) -> Parts:
    """Return what a function of groups makes of one chain, or under vmap of many."""

    def one(*arguments: Array) -> Parts:
        fitted, _ = _many(group, 1, [True] * len(arguments), *(x[None] for x in arguments))
        return tuple(x[0] for x in fitted)  # type: ignore[return-value]

    of_chains = custom_vmap(one)
    of_chains.def_vmap(partial(_many, group))
    return of_chains(*arguments)


def _many(group: Callable[..., Parts], count: int, batched: Sequence[bool], *arguments: Array) -> tuple[Parts, Any]:
    """Return the fits of all chains, group after group of lanes."""
    arrays = (jnp.asarray(x) for x in arguments)
    whole = [x if b else jnp.broadcast_to(x, (count, *x.shape)) for x, b in zip(arrays, batched, strict=True)]
    lanes = min(LANES, 1 << (count - 1).bit_length())
    padded = [jnp.pad(x, [(0, -count % lanes), *[(0, 0)] * (x.ndim - 1)], mode="edge") for x in whole]
    groups = tuple(x.reshape(-1, lanes, *x.shape[1:]) for x in padded)
    fitted = lax.map(lambda lanes: group(*lanes), groups)
    return tuple(x.reshape(-1, *x.shape[2:])[:count] for x in fitted), (True, True, True)  # type: ignore[return-value]


def _climbed(climb: Climb, points: Array, size: Array, *rest: Array) -> Parts:
    """Return the fits of one group of lanes."""
    *start, tolerance, floor = rest
    sweep, learn = partial(_swept, climb, _blocks(points, size), size), partial(_learned, climb, size, floor)
    rounds = _until if climb.tolerant else _always
    return _outward(rounds(climb.steps, sweep, learn, _inward(start), tolerance))


def _assigned(climb: Climb, points: Array, size: Array, *rest: Array) -> Parts:
    """Return the first components of one group of lanes."""
    *start, _, floor = rest
    state = _inward(start)
    sums, _ = _swept(climb, _blocks(points, size), size, state, hard=True)
    return _outward(_learned(climb, size, floor, state, sums))


def _inward(parts: Sequence[Array]) -> Any:
    """Return weights (k, L), means (d, k, L) and covariances (pairs, k, L): the chains are the last axis inside."""
    return tuple(jnp.moveaxis(x, (0, 1), (-1, -2)) for x in parts)


def _outward(parts: Any) -> Parts:
    return tuple(jnp.moveaxis(x, (-1, -2), (0, 1)) for x in parts)  # type: ignore[return-value]


Sweep = Callable[..., tuple[Sequence[Array], Array]]
Learn = Callable[[Any, Sequence[Array]], Any]


def _always(steps: int, sweep: Sweep, learn: Learn, state: Any, tolerance: Array) -> Any:
    """Return the state after so many rounds."""
    del tolerance
    return lax.fori_loop(0, steps, lambda _, state: learn(state, sweep(state)[0]), state)


def _until(steps: int, sweep: Sweep, learn: Learn, state: Any, tolerance: Array) -> Any:
    """Return the state where every chain's climb has ended; those that end earlier wait for the others."""

    def onward(carried: Any) -> Any:
        step, state, before, ended = carried
        sums, height = sweep(state, heights=True)
        kept = jax.tree.map(lambda old, new: jnp.where(ended, old, new), state, learn(state, sums))
        return step + 1, kept, height, ended | (jnp.abs(height - before) < tolerance)

    def open_(carried: Any) -> Array:
        step, _, _, ended = carried
        return (step < steps) & ~jnp.all(ended)

    nothing = jnp.full_like(tolerance, -jnp.inf)
    return lax.while_loop(open_, onward, (0, state, nothing, jnp.zeros(tolerance.shape, bool)))[1]


# One round -----------------------------------------------------------------------------------------------------------


def _blocks(points: Array, size: Array) -> Array:
    """Return points (L, rows, d) as (blocks, d, ROWS, L), those that do not count replaced by copies of the first."""
    rows = points.shape[1]
    there = lax.broadcasted_iota(jnp.int32, points.shape, 1) < size[:, None, None]
    held = jnp.where(there, points, points[:, :1])
    filled = jnp.pad(held, [(0, 0), (0, -rows % ROWS), (0, 0)], mode="edge")
    return jnp.transpose(filled.reshape(len(points), -1, ROWS, points.shape[2]), (1, 3, 2, 0))


def _swept(
    climb: Climb, blocks: Array, size: Array, state: Any, *, hard: bool = False, heights: bool = False
) -> tuple[Sequence[Array], Array]:
    """Return sums of r, r d_i and r d_i d_j over the points, d = x - m and r the chance of a component, and the mean
    log-likelihood.
    """
    weights, means, covariances = state
    d, shared = range(climb.dimension), _hard if hard else _by_two if climb.components == 2 else _by_many
    height, roots = _normal(climb, weights, covariances) if not hard else (jnp.zeros_like(weights), None)

    def sweep(block: Any, sums: Any) -> Any:
        points = [blocks[block, i] for i in d]  # (ROWS, L)
        shares, top = shared(_Normals(points, means, roots, height))
        counts = block * ROWS + lax.broadcasted_iota(jnp.int32, points[0].shape, 0) < size
        chance = lax.optimization_barrier(jnp.where(counts, shares, 0))
        apart = [x - m[:, None] for x, m in zip(points, means, strict=True)]  # (k, ROWS, L)
        new = [chance, *(chance * x for x in apart), *(chance * apart[i] * apart[j] for i, j in climb.pairs)]
        rise = jnp.where(counts, top, 0).sum(0) if heights else 0.0
        return [old + x.sum(1) for old, x in zip(sums[0], new, strict=True)], sums[1] + rise

    nothing = [jnp.zeros_like(weights) for _ in range(1 + len(d) + len(climb.pairs))]
    used = jnp.ceil(size.max() / ROWS).astype(jnp.int32)
    sums, rise = lax.fori_loop(0, used, sweep, (nothing, jnp.zeros_like(size)))
    return sums, rise / size


@frozen(eq=False)
class _Normals:
    """Some points, and the normal laws that may have drawn them; without roots all of the unit covariance."""

    points: Sequence[Array]
    means: Array
    roots: dict[tuple[int, int], Array] | None
    height: Array

    def log_chance(self, k: Any = slice(None)) -> Array:
        """Return log w_k + log f_k of every point, up to a constant: shape (k, ROWS, L), or (ROWS, L) for one k."""
        between: Any = (slice(None), None) if isinstance(k, slice) else ()
        apart = [x - m[k][between] for x, m in zip(self.points, self.means, strict=True)]
        scaled = apart
        if (roots := self.roots) is not None:
            d = range(len(apart))
            scaled = [sum(roots[i, j][k][between] * apart[j] for j in d if (i, j) in roots) for i in d]
        return self.height[k][between] - sum(x * x for x in scaled) / 2


def _normal(climb: Climb, weights: Array, covariances: Array) -> tuple[Array, dict[tuple[int, int], Array]]:
    """Return log w - log(det C)/2 and the triangles T with T C T' = I."""
    roots = _roots(climb, covariances)
    return jnp.log(weights) + sum(jnp.log(roots[i, i]) for i in range(climb.dimension)), roots


def _by_many(laws: _Normals) -> tuple[Array, Array]:
    """Return exp(l_j)/sum_i exp(l_i), all 0 where every exp(l_j) is, and log sum_i exp(l_i)."""
    log_chance = laws.log_chance()
    tiny = jnp.finfo(log_chance.dtype).tiny
    top = jnp.maximum(log_chance.max(0), -1 / tiny)
    near = jnp.exp(log_chance - top)
    total = jnp.maximum(near.sum(0), tiny)
    return near * (1 / total), top + jnp.log(total)


def _by_two(laws: _Normals) -> tuple[Array, Array]:
    """Return the same for two components, by one exponential: t/(1 + t) and 1/(1 + t), t = exp(l_0 - l_1)."""
    first, second = laws.log_chance(0), laws.log_chance(1)
    most = math.log(float(jnp.finfo(first.dtype).max)) - 9
    # Behind the barrier: the exponential would be taken once for each component.
    ratio = lax.optimization_barrier(jnp.exp(jnp.minimum(first - second, most)))
    is_first = jnp.array([1.0, 0.0], first.dtype)[:, None, None]
    shares = 1 / (1 + ratio) * (is_first * ratio + (1 - is_first))
    return shares, jnp.where(first - second > most, first, second + jnp.log(1 + ratio))


def _hard(laws: _Normals) -> tuple[Array, Array]:
    """Return 1 for the component of the largest l_j, shared where several are."""
    log_chance = laws.log_chance()
    near = (log_chance >= log_chance.max(0)).astype(log_chance.dtype)
    return near / near.sum(0), jnp.zeros(log_chance.shape[1:], log_chance.dtype)


def _learned(climb: Climb, size: Array, floor: Array, state: Any, sums: Sequence[Array]) -> Any:
    """Return w = sum r/m, the mean of r, and mean and covariance of the points weighed by r, with the floor added.

    A component that no point is given to keeps its mean, and has the weight 0 ever after.
    """
    d, (_, means, _) = climb.dimension, state
    held = jnp.maximum(sums[0], jnp.finfo(size.dtype).tiny)
    steps = [x / held for x in sums[1 : 1 + d]]
    products = {(i, j): steps[i] * steps[j] for i, j in climb.pairs}
    squares = {pair: x / held - products[pair] for pair, x in zip(climb.pairs, sums[1 + d :], strict=True)}
    squares |= {(i, i): jnp.maximum(squares[i, i], 0) + floor for i in range(d)}  # 0 up to rounding is 0
    if climb.covariance == "spherical":
        mean = sum(squares.values()) / d
        squares = dict.fromkeys(squares, mean)
    return sums[0] / size, jnp.stack([m + x for m, x in zip(means, steps, strict=True)]), jnp.stack([*squares.values()])


def _roots(climb: Climb, covariances: Array) -> dict[tuple[int, int], Array]:
    """Return the entries of the lower triangle T with T C T' = I."""
    lower = triangle(dict(zip(climb.pairs, covariances, strict=True)), climb.dimension)
    inverse: dict[tuple[int, int], Array] = {}
    for i, j in climb.pairs:
        if i == j:
            inverse[i, i] = 1 / lower[i, i]
    for i in range(climb.dimension):
        for j in range(i):
            if (i, j) in lower:
                inner = sum(lower[i, k] * inverse[k, j] for k in range(j, i))
                inverse[i, j] = -inner * inverse[i, i]
    return inverse


def triangle(entries: dict[tuple[int, int], Array], dimension: int) -> dict[tuple[int, int], Array]:
    """Return the entries of the lower triangle L with L L' = C, from those of C; diagonal entries stay above 0."""
    lower: dict[tuple[int, int], Array] = {}
    for j in range(dimension):
        left = entries[j, j] - sum(lower[j, k] ** 2 for k in range(j) if (j, k) in lower)
        least = jnp.maximum(1e-30 * entries[j, j], float(jnp.finfo(left.dtype).tiny) ** 0.9)
        lower[j, j] = jnp.sqrt(jnp.maximum(left, least))
        for i in range(j + 1, dimension):
            if (i, j) in entries:
                inner = sum(lower[i, k] * lower[j, k] for k in range(j))
                lower[i, j] = (entries[i, j] - inner) / lower[j, j]
    return lower
