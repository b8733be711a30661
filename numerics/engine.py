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
from sympy import Dummy

from numerics.chains import Given, Group, Program, State, trajectories
from numerics.paths.slots import reader
from numerics.planning import Plan
from numerics.printer import to_jax
from numerics.running.devices import Devices, found, spread
from numerics.samplers.cipher import halves
from numerics.summaries.streams import watch
from numerics.variables import letters_of_source, variables

VECTORS = {"xla_cpu_prefer_vector_width": 512}
"""Whole registers, where a processor has them; the compiler alone would take halves."""
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
        lanes = (np.array([*firsts, *firsts[:1] * idle])[:, None] + np.arange(chunk)).astype(np.uint32)
        with plan.precision.tracing():
            begun = run(halves(seed), given, lanes, np.array([*counts, *[0] * idle]))
        yield from waiting
        waiting = list(zip(firsts, counts, begun, strict=False))
    yield from waiting


@lru_cache(maxsize=64)
def compiled(plan: Plan, devices: Devices) -> Callable[[np.ndarray, Given, np.ndarray, np.ndarray], list[Any]]:
    """Return the compiled function (halves of the seed, given, chains, how many count), the last two by device.

    It returns the variables, and what is streamed of them, of every device.
    """
    program = plan.program()
    record, on_cpu = _recorder(plan, program), devices[0].platform == "cpu"

    def run(seed: Any, given: Given, chains: Array, count: Any) -> Any:
        recorded = evolve(program, view=lambda state: record(given, state))
        group = Group(recorded, given, plan.generations, packed=on_cpu)
        return trajectories(group, watch(plan.streams, plan.paths), seed, chains, plan.lanes, count)

    return spread(run, devices, compiler_options=VECTORS if on_cpu else None)


def _recorder(plan: Plan, program: Program) -> Callable[[Given, State], Mapping[str, Array]]:
    """Return the function (given, state) -> the plan's variables and observables."""
    known, letters = variables(plan.loop.family), letters_of_source(plan.loop.family)
    cheaper = {expr: Dummy(name) for expr, name in program.known.items()}
    arguments = (*known.letters, *letters, *cheaper.values())
    spelled = {name: expr.xreplace(cheaper).xreplace(dict(known.rewrite)) for name, expr in plan.observe}
    read = {name: to_jax(expr, arguments) for name, expr in spelled.items()}
    slots = {name: reader(expr, plan.shape[0]) for name, expr in plan.observe} if plan.counted else {}

    def record(given: Given, state: State) -> dict[str, Array]:
        values, left = program.view(state), program.compact(state) if program.compact else None
        here = [*(values[name] for name in known.letters.values()), *(given[str(x)] for x in letters)]
        here += [values[name] for name in program.known.values()]
        if left is None:
            observed = {name: function(*here) for name, function in read.items()}
        else:
            chains = left.shares.shape[1:]
            observed = {name: jnp.broadcast_to(function(left, given), chains) for name, function in slots.items()}
        return {name: values[name] for name in plan.names} | observed

    return record
