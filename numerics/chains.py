"""A chain as a start and a transition; many generations by scan, many chains by vmap.

Both paths of the simulator, from statistics and from data, are values of one type, so that keys, chunks and
recording are written once.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from attrs import frozen
from jax import Array

from numerics.cipher import Key
from numerics.samplers import chain_key, generation_key

State = Any
"""What a chain carries from generation to generation, a pytree of arrays."""
Given = Mapping[str, Any]
"""Numbers that are no part of the compiled program, by name: the source, sizes, temperatures."""


@frozen
class Program:
    """One chain of one loop.

    Args:
        start: given -> state of model 0.
        first: (key, k = 1, given, state) -> state of model 1.
        later: (key, k, given, state) -> state of model k, for k >= 2.
        view: state -> recorded variables by name.
        compact: state -> the types that are left, from which sums over all types are read; None where it does not say.
        together: whether the functions take the key of many chains, and record these on the first axis.
    """

    start: Callable[[Given], State]
    first: Callable[[Key, Any, Given, State], State]
    later: Callable[[Key, Any, Given, State], State]
    view: Callable[[State], Mapping[str, Array]]
    compact: Callable[[State], Any] | None = None
    together: bool = False


def trajectories(
    program: Program, seed: Any, given: Given, chains: Array, generations: int, lanes: int, count: Any
) -> dict[str, Array]:
    """Return the recorded variables, each of shape (chains, generations + 1, ...).

    Args:
        program: the chain.
        seed: whole number that all randomness comes from.
        given: the source's arrays and the loop's numbers.
        chains: indices of the chains, shape (chains,).
        generations: number of refits, >= 1.
        lanes: how many chains advance together, a power of 2; groups of them run one after the other.
        count: how many of the chains are asked for; groups of none are left at 0.
    """

    def run(group: Array) -> dict[str, Array]:
        if program.together:
            recorded = _trajectory(program, chain_key(seed, group), given, generations)
            return jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1), recorded)
        return jax.vmap(lambda chain: _trajectory(program, chain_key(seed, chain), given, generations))(group)

    def run_asked(group: tuple[Array, Array]) -> dict[str, Array]:
        first, several = group
        empty = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(run, several))
        return jax.lax.cond(first < count, lambda: run(several), lambda: empty)

    if lanes >= len(chains):
        return run(chains)
    groups = jnp.arange(0, len(chains), lanes), chains.reshape(-1, lanes)
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), jax.lax.map(run_asked, groups))


def _trajectory(program: Program, key: Key, given: Given, generations: int) -> dict[str, Array]:
    """Return one chain's variables, shape (generations + 1, ...)."""
    start = _wide(program, key, given) if program.together else program.start(given)
    if program.first is program.later:
        head, state, first = [start], start, 1
    else:
        state = program.first(generation_key(key, 1), jnp.asarray(1.0), given, start)
        head, first = [start, state], 2
    # Behind the barrier: a loop of one round would be unrolled, its numbers folded, and the last bits would depend on
    # how many generations follow.
    fits = jax.lax.optimization_barrier(jnp.arange(first, generations + 1))

    def refit(state: State, k: Array) -> tuple[State, Mapping[str, Array]]:
        state = program.later(generation_key(key, k), k.astype(float), given, state)
        return state, program.view(state)

    _, tail = jax.lax.scan(refit, state, fits)
    return jax.tree.map(
        lambda *parts: jnp.concatenate([*(part[None] for part in parts[:-1]), parts[-1]]),
        *map(program.view, head),
        tail,
    )


def _wide(program: Program, key: Key, given: Given) -> State:
    """Return model 0 with an axis as long as there are chains, where one chain's values stand for all."""
    start = program.start(given)
    shapes = jax.eval_shape(program.later, generation_key(key, 1), jnp.asarray(1.0), given, start)
    return jax.tree.map(lambda x, after: jnp.broadcast_to(x, after.shape), start, shapes)
