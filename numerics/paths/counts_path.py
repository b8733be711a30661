"""Categorical loops by the types that are left: every fit is the counts of M tokens drawn from the last.

Ways to draw them, for any vocabulary: "tokens" copies M tokens one by one, "types" splits M among the types by one
binomial for each, "pair" is that of two types, "poisson" draws all types at once, and "types-exact" splits by
rejection. "tokens" and "types-exact" are exact; the others are within 2e-7 of the exact law in total variation, count
by count. Which is the fastest depends on the numbers of types and of tokens alone.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from attrs import evolve
from jax import Array
from sympy import Integer

from numerics import scalars
from numerics.chains import Given, Program, State
from numerics.paths.slots import Slots, dense
from numerics.samplers import few_tokens, inversion, many_tokens, poissonised, resampling, slot_key, tails
from numerics.samplers.binomials import multinomial
from numerics.samplers.cipher import Key, below, uniforms
from numerics.samplers.near_binomial import near_binomial
from theory.families import Bernoulli, Categorical
from theory.loop import Loop
from theory.procedures import Procedure
from theory.regimes import Replace
from theory.sampling import Faithful

COSTS: Mapping[str, tuple[float, float, float, float]] = {
    "pair": (0.0, 0.0, 2.5, 0.0),
    "tokens": (6.0, 0.0, 2.0, 0.0),
    "few tokens": (1.2, 0.0, 0.5, 0.008),
    "types": (0.0, 0.0, 15.0, 0.005),
    "poisson": (0.0, 100.0, 20.0, 0.0),
    "types-exact": (0.0, 0.0, 200.0, 0.0),
}
"""Way -> nanoseconds of a fit on one core for M, sqrt(M), K and K^2, roughly: what the ways are chosen by."""
EXACT = ("tokens", "types-exact")
"""Ways whose law is exact."""
MOST = 2**31 - 1
"""Tokens are counted in 32 bits."""
FILLING, ALONE = 1_000, 2**20
"""Beyond so many types, drawn all at once, a chain fills the lanes by itself, and is said to carry so many numbers."""
LISTED = 129
"""Up to so many tokens every count of the rarer of two types has a row."""


def why_not(method: str, loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return why a way cannot run the loop, or None where it can."""
    if not isinstance(loop.family, Categorical | Bernoulli):
        return f"{type(loop.family).__name__} has no types"
    if not isinstance(loop.regime, Replace) or isinstance(loop.estimator, Procedure):
        return f"{loop.estimator} under {loop.regime} reads more than counts of the last model's tokens"
    if not isinstance(loop.sampling, Faithful):
        return f"{loop.sampling} draws from other frequencies than those of the last fit"
    if not loop.samples.is_Integer or loop.samples > MOST:
        return f"samples = {loop.samples} is no number of tokens that 32 bits count"
    if method == "pair":
        return f"{shape[0]} types are not two" if shape not in ((), (2,)) else None
    return "Bernoulli tokens have two types, not a vector of them" if isinstance(loop.family, Bernoulli) else None


def cheapest(ways: Iterable[str], types: int, samples: int) -> tuple[str, str]:
    """Return the way of least cost and why; chains do not enter, as their numbers must not depend on how many run."""
    costs = {way: _cost(way, min(types, samples) if way == "tokens" else types, samples) for way in ways}
    way = min(costs, key=lambda name: costs[name])
    said = ", ".join(f"{name} {cost / 1000:.3g} us" for name, cost in costs.items())
    law = "exact" if way in EXACT else "within 2e-7 of the exact law in every count"
    return way, f"{law}, and the cheapest for {samples} tokens of {types} types by estimate: {said} a fit"


def _few(way: str, samples: int) -> bool:
    """Return whether tokens are counted in 8 bits."""
    return way == "tokens" and samples <= few_tokens.MOST


def _cost(way: str, types: int, samples: int) -> float:
    token, root, single, square = COSTS["few tokens" if _few(way, samples) else way]
    return token * samples + root * samples**0.5 + single * types + square * types**2


def prepared(method: str, loop: Loop, generations: int) -> tuple[Loop, dict[str, Any]]:
    """Return the loop without the numbers of its source, which are given when it runs, and with them M where it may."""
    del generations
    bare, samples = evolve(loop, family=scalars.bare(loop.family), source=None), int(loop.samples)
    if method in EXACT:
        return bare, {}
    most = Integer(LISTED if method == "pair" and samples <= LISTED else MOST)
    numbers: dict[str, Any] = {"samples": np.int32(samples)}
    if method == "pair":
        numbers["rows"] = resampling.rows(samples)
    if method == "poisson":
        # How many tokens are drawn at once is a shape: within a factor of 4, samples of all sizes share a program.
        most = Integer(4 ** ((samples - 1).bit_length() // 2))
        numbers |= {"rows": poissonised.rows(samples), "part": poissonised.part(samples)}
    return evolve(bare, samples=most), numbers


def read(method: str, loop: Loop, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the source's tokens are drawn by."""
    del loop
    return {f"source_{name}": x for name, x in inversion.table(source["p0"]).items()} if method == "tokens" else {}


def _source(given: Given) -> dict[str, Any]:
    """Return the table that the source's tokens are drawn by."""
    return {name.removeprefix("source_"): x for name, x in given.items() if name.startswith("source_")}


def program(method: str, loop: Loop, shape: tuple[int, ...], generations: int) -> Program:
    """Return the chain of a `prepared` loop; the way says what its state is."""
    del generations
    if method == "pair":
        return _pair(shape, int(loop.samples) <= LISTED)
    types = shape[0]
    few = _few(method, int(loop.samples))
    many = method == "tokens" and int(loop.samples) >= many_tokens.LEAST
    way = _by_few_tokens if few else _by_many_tokens if many else _WAYS[method]
    start, first, later, slots = way(types, int(loop.samples))

    def compact(state: State) -> Slots | None:
        return None if "p0" in state else slots(state)

    def view(state: State) -> dict[str, Array]:
        left = compact(state)
        return {"p": state["p0"] if left is None else dense(left, types)}

    wide = few or method == "types"
    return Program(start, first, later, view, compact, together=wide, apart=wide)


def size(method: str, loop: Loop, shape: tuple[int, ...], generations: int) -> int:
    """Return how many numbers a chain carries."""
    del generations
    if method == "pair":
        return 4
    if method == "poisson":
        return max(ALONE, 4 * shape[0]) if shape[0] > FILLING else 4 * shape[0]
    slots, samples = min(shape[0], int(loop.samples)), int(loop.samples)
    if method == "tokens":
        return max(ALONE if samples >= many_tokens.LEAST else 0, 3 * slots + samples)
    return 4 * shape[0]


def _pair(shape: tuple[int, ...], listed: bool) -> Program:
    """Redraw one of two types; the other has the rest."""

    def start(given: Given) -> State:
        p0 = jnp.asarray(given["p0"])
        return {"share": p0[0] / p0.sum() if shape else p0}

    def first(key: Key, k: Any, given: Given, state: State) -> State:
        del k
        return {"count": near_binomial(key, given["samples"], state["share"]), "samples": given["samples"]}

    def later(key: Key, k: Any, given: Given, state: State) -> State:
        del k
        drawn = resampling.redrawn(key, given["samples"], given["rows"], state["count"], listed=listed)
        return state | {"count": drawn}

    def view(state: State) -> dict[str, Array]:
        share = state["share"] if "share" in state else state["count"].astype(float) / state["samples"]
        return {"p": jnp.stack([share, 1 - share]) if shape else share}

    def compact(state: State) -> Slots | None:
        return Slots(jnp.arange(2, dtype=jnp.int32), view(state)["p"])

    return Program(start, first, later, view, compact if shape else None)


Way = tuple[Callable[..., State], Callable[..., State], Callable[..., State], Callable[[State], Slots]]
"""The start and the two transitions of a `Program`, and state -> the types left."""


def _by_tokens(types: int, samples: int) -> Way:
    """Copy M tokens: x' = x[floor(u M)]."""
    room = min(types, samples)

    def start(given: Given) -> State:
        return {"p0": jnp.asarray(given["p0"])}

    def first(key: Key, k: Any, given: Given, state: State) -> State:
        del k, state
        tokens = inversion.drawn(uniforms(slot_key(key, 0), samples), _source(given))
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
        return Slots(state["types"], counts.astype(float) / samples)

    return start, first, later, slots


def _by_many_tokens(types: int, samples: int) -> Way:
    """Copy M tokens, many enough that a chain advances alone."""

    def start(given: Given) -> State:
        return {"p0": jnp.asarray(given["p0"])}

    def first(key: Key, k: Any, given: Given, state: State) -> State:
        del k, state
        named, tokens, used = many_tokens.drawn(slot_key(key, 0), samples, _source(given), types)
        return {"types": named, "tokens": tokens, "used": used}

    def later(key: Key, k: Any, given: Given, state: State) -> State:
        del k, given
        parents = many_tokens.parents(slot_key(key, 0), samples)
        return state | {"tokens": state["tokens"].at[parents].get(mode="promise_in_bounds")}

    def slots(state: State) -> Slots:
        counts = jnp.zeros(state["types"].shape, jnp.int32).at[state["tokens"]].add(1, mode="promise_in_bounds")
        return Slots(state["types"], counts.astype(float) / samples, state["used"])

    return start, first, later, slots


def _by_few_tokens(types: int, samples: int) -> Way:
    """Draw M tokens of the last model for many chains at once."""

    def start(given: Given) -> State:
        return {"p0": jnp.asarray(given["p0"])}

    def first(key: Key, k: Any, given: Given, state: State) -> State:
        del k, state
        kinds, sums = few_tokens.drawn(key, samples, _source(given), types)
        return {"types": kinds, "sums": sums}

    def later(key: Key, k: Any, given: Given, state: State) -> State:
        del k, given
        return state | {"sums": few_tokens.redrawn(key, samples, state["sums"])}

    def slots(state: State) -> Slots:
        counts, kinds = few_tokens.counts(state["sums"]), state["types"]
        missing = (0, len(counts) - len(kinds))
        return Slots(jnp.pad(kinds, (missing, (0, 0)), constant_values=types), counts.astype(float) / samples)

    return start, first, later, slots


def _by_tails(types: int, samples: int) -> Way:
    """Split M tokens among K types, one type after the other, by binomials of chains side by side."""
    del samples

    def start(given: Given) -> State:
        return {"p0": jnp.asarray(given["p0"])}

    def first(key: Key, k: Any, given: Given, state: State) -> State:
        del k
        sums = tails.redrawn(key, given["samples"], tails.tails(state["p0"])[:, None])
        return {"sums": sums, "samples": jnp.asarray(given["samples"])}

    def later(key: Key, k: Any, given: Given, state: State) -> State:
        del k
        return state | {"sums": tails.redrawn(key, given["samples"], state["sums"])}

    def slots(state: State) -> Slots:
        counts = tails.counts(state["sums"])
        named = jnp.minimum(jnp.arange(len(counts), dtype=jnp.int32), types)[:, None]
        return Slots(named, counts / state["samples"])

    return start, first, later, slots


def _by_poisson(types: int, samples: int) -> Way:
    """Draw all types at once as Poisson counts, and what is missing to M token by token."""
    block = max(16, math.isqrt(samples))

    def start(given: Given) -> State:
        return {"p0": jnp.asarray(given["p0"])}

    def first(key: Key, k: Any, given: Given, state: State) -> State:
        del k
        drawn = poissonised.drawn(key, given, state["p0"], block)
        return {"counts": drawn, "samples": jnp.asarray(given["samples"])}

    def later(key: Key, k: Any, given: Given, state: State) -> State:
        del k
        return state | {"counts": poissonised.redrawn(key, given, state["counts"], block)}

    def slots(state: State) -> Slots:
        return Slots(jnp.arange(types, dtype=jnp.int32), state["counts"] / state["samples"])

    return start, first, later, slots


def _by_types(types: int, samples: int) -> Way:
    """Split M tokens among K types, one type after the other, by rejection."""

    def start(given: Given) -> State:
        return {"shares": jnp.asarray(given["p0"])}

    def later(key: Key, k: Any, given: Given, state: State) -> State:
        del k, given
        return {"shares": multinomial(key, samples, state["shares"]) / samples}

    def slots(state: State) -> Slots:
        return Slots(jnp.arange(types, dtype=jnp.int32), state["shares"])

    return start, later, later, slots


_WAYS: dict[str, Callable[[int, int], Way]] = {
    "tokens": _by_tokens,
    "types": _by_tails,
    "poisson": _by_poisson,
    "types-exact": _by_types,
}
WAYS = ("pair", *_WAYS)
"""Names of the ways."""
