"""Categorical loops by the types that are left: every fit is the counts of M tokens drawn from the last.

Exact ways to draw them, for any vocabulary: "tokens" copies M tokens one by one, "types" splits M among the types by
binomials; which is the faster depends on the numbers of types and of tokens alone.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax.numpy as jnp
from attrs import evolve
from jax import Array

from numerics import scalars
from numerics.binomials import multinomial
from numerics.chains import Given, Program, State
from numerics.cipher import Key, below, uniforms
from numerics.samplers import slot_key
from numerics.slots import Slots, dense
from theory.families import Categorical
from theory.loop import Loop
from theory.procedures import Procedure
from theory.regimes import Replace
from theory.sampling import Faithful

COSTS: Mapping[str, tuple[float, float]] = {"tokens": (10.0, 2.0), "types": (0.0, 1000.0)}
"""Way -> nanoseconds of a fit for each token and for each type, on one core, roughly: what the ways are chosen by."""
MOST = 2**31 - 1
"""Tokens are counted in 32 bits."""


def why_not(loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return why these ways cannot run the loop, or None where it can: they are exact wherever they run."""
    if not isinstance(loop.family, Categorical):
        return f"{type(loop.family).__name__} has no types"
    if not isinstance(loop.regime, Replace) or isinstance(loop.estimator, Procedure):
        return f"{loop.estimator} under {loop.regime} reads more than counts of the last model's tokens"
    if not isinstance(loop.sampling, Faithful):
        return f"{loop.sampling} draws from other frequencies than those of the last fit"
    if not loop.samples.is_Integer or loop.samples > MOST:
        return f"samples = {loop.samples} is no number of tokens that 32 bits count"
    del shape
    return None


def cheapest(ways: Iterable[str], types: int, samples: int) -> tuple[str, str]:
    """Return the way of least cost and why; chains do not enter, as their numbers must not depend on how many run."""
    costs = {way: COSTS[way][0] * samples + COSTS[way][1] * _room(way, types, samples) for way in ways}
    way = min(costs, key=lambda name: costs[name])
    said = ", ".join(f"{name} {cost / 1000:.3g} us" for name, cost in costs.items())
    return way, f"exact, and the cheapest for {samples} tokens of {types} types by estimate: {said} a fit"


def _room(way: str, types: int, samples: int) -> int:
    """Return how many types a fit touches."""
    return min(types, samples) if way == "tokens" else types


def prepared(loop: Loop, generations: int) -> tuple[Loop, dict[str, Any]]:
    """Return the loop without the numbers of its source, which are given when it runs."""
    del generations
    return evolve(loop, family=scalars.bare(loop.family), source=None), {}


def program(method: str, loop: Loop, shape: tuple[int, ...], generations: int) -> Program:
    """Return the chain of a `prepared` loop; the way says what its state is."""
    del generations
    types, samples = shape[0], int(loop.samples)
    start, first, later, slots = _WAYS[method](types, samples)

    def compact(state: State) -> Slots | None:
        return None if "p0" in state else slots(state)

    def view(state: State) -> dict[str, Array]:
        left = compact(state)
        return {"p": state["p0"] if left is None else dense(left, types)}

    return Program(start, first, later, view, compact)


def size(method: str, loop: Loop, shape: tuple[int, ...], generations: int) -> int:
    """Return how many numbers a chain carries."""
    del generations
    slots = min(shape[0], int(loop.samples))
    return 3 * slots + int(loop.samples) if method == "tokens" else 4 * shape[0]


Way = tuple[Callable[..., State], Callable[..., State], Callable[..., State], Callable[[State], Slots]]
"""The start and the two transitions of a `Program`, and state -> the types left."""


def _by_tokens(types: int, samples: int) -> Way:
    """Copy M tokens: x' = x[floor(u M)]."""
    room = min(types, samples)

    def start(given: Given) -> State:
        return {"p0": jnp.asarray(given["p0"])}

    def first(key: Key, k: Any, given: Given, state: State) -> State:
        del k, given
        tokens = drawn(uniforms(slot_key(key, 0), samples), state["p0"])
        if types <= samples:
            return {"types": jnp.arange(types, dtype=jnp.int32), "tokens": tokens}
        ordered = jnp.sort(tokens)
        place = jnp.cumsum(jnp.diff(ordered, prepend=ordered[:1]) > 0, dtype=jnp.int32)
        # A slot that no token fills is given a type that does not exist.
        return {"types": jnp.full(room, types, jnp.int32).at[place].set(ordered), "tokens": place}

    def later(key: Key, k: Any, given: Given, state: State) -> State:
        del k, given
        parents = below(slot_key(key, 0), samples, samples)
        return state | {"tokens": state["tokens"].at[parents].get(mode="promise_in_bounds")}

    def slots(state: State) -> Slots:
        counts = jnp.zeros(room, jnp.int32).at[state["tokens"]].add(1, mode="promise_in_bounds")
        return Slots(state["types"], counts / samples)

    return start, first, later, slots


def _by_types(types: int, samples: int) -> Way:
    """Split M tokens among K types, one type after the other."""

    def start(given: Given) -> State:
        return {"shares": jnp.asarray(given["p0"])}

    def later(key: Key, k: Any, given: Given, state: State) -> State:
        del k, given
        return {"shares": multinomial(key, samples, state["shares"]) / samples}

    def slots(state: State) -> Slots:
        return Slots(jnp.arange(types, dtype=jnp.int32), state["shares"])

    return start, later, later, slots


_WAYS: dict[str, Callable[[int, int], Way]] = {"tokens": _by_tokens, "types": _by_types}
WAYS = tuple(_WAYS)
"""Names of the ways."""


def drawn(u: Array, weights: Array) -> Array:
    """Return the types at which the running sum of weights passes u times their sum, u in [0, 1)."""
    sums = jnp.cumsum(weights)
    passed = jnp.searchsorted(sums, u * sums[-1], side="right").astype(jnp.int32)
    # u times the sum may round up to the sum itself, which the last type of positive weight passes.
    return jnp.minimum(passed, jnp.searchsorted(sums, sums[-1], side="left").astype(jnp.int32))
