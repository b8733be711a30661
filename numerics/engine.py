"""Chains by the chunk: one compiled function, called until all chains are run.

The numbers of a chain depend on its index alone, so a chunk is any stretch of indices; the last one is run
whole and cut, and nothing compiles twice.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

import jax.numpy as jnp
import numpy as np
from attrs import evolve
from jax import Array

from numerics.chains import Given, Program, State, trajectories
from numerics.devices import Devices, found, spread
from numerics.planning import PATHS, Plan
from numerics.printer import to_jax
from numerics.slots import reader
from numerics.summaries.streams import by_generation
from numerics.variables import letters_of_source, variables

Stretch = tuple[int, int, Any]
"""First chain, number of chains, and what was recorded of them."""


def stretches(
    plan: Plan,
    given: Given,
    seed: int,
    chains: int,
    chunk: int,
    skip: Container[int] = (),
    devices: Devices | None = None,
) -> Iterator[Stretch]:
    """Yield all chains, stretch by stretch, those of the next round already under way, but those that begin in skip."""
    devices = devices or found("auto")
    run, waiting = compiled(plan, devices), []
    left = (first for first in range(0, chains, chunk) if first not in skip)
    while firsts := list(islice(left, len(devices))):
        counts = [min(chunk, chains - first) for first in firsts]
        idle = len(devices) - len(firsts)
        lanes = np.array([*firsts, *firsts[:1] * idle])[:, None] + np.arange(chunk)
        begun = run(seed, given, lanes, np.array([*counts, *[0] * idle]))
        yield from waiting
        waiting = list(zip(firsts, counts, begun, strict=False))
    yield from waiting


@lru_cache(maxsize=64)
def compiled(plan: Plan, devices: Devices) -> Callable[[int, Given, np.ndarray, np.ndarray], list[Any]]:
    """Return the compiled function (seed, given, chains, how many count), the last two by device.

    It returns the variables, and what is streamed of them, of every device.
    """
    program = PATHS[plan.method].program(plan.loop, plan.shape, plan.generations)
    record = _recorder(plan, program)

    def run(seed: Any, given: Given, chains: Array, count: Any) -> Any:
        recorded = evolve(program, view=lambda state: record(given, state))
        paths = trajectories(recorded, seed, given, chains, plan.generations, plan.lanes, count)
        streamed = by_generation(plan.streams, paths, jnp.arange(len(chains)) < count)
        return (paths if plan.paths else {}) | streamed

    return spread(run, devices)


def _recorder(plan: Plan, program: Program) -> Callable[[Given, State], Mapping[str, Array]]:
    """Return the function (given, state) -> the plan's variables and observables."""
    known, letters = variables(plan.loop.family), letters_of_source(plan.loop.family)
    read = {name: to_jax(expr.xreplace(dict(known.rewrite)), (*known.letters, *letters)) for name, expr in plan.observe}

    slots = {name: reader(expr, plan.shape[0]) for name, expr in plan.observe} if plan.counted else {}

    def record(given: Given, state: State) -> dict[str, Array]:
        values, left = program.view(state), program.compact(state) if program.compact else None
        arguments = [*(values[name] for name in known.letters.values()), *(given[str(x)] for x in letters)]
        if left is None:
            observed = {name: function(*arguments) for name, function in read.items()}
        else:
            observed = {name: function(left, given) for name, function in slots.items()}
        return {name: values[name] for name in plan.names} | observed

    return record
