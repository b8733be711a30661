"""A chain as a start and a transition; many chains by vmap, many generations by scan.

All paths of the simulator are values of one type, so that keys, chunks and recording are written once. The chains lie
inside the loop over generations, so that what is kept of a generation can be made where it is computed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from attrs import field, frozen
from jax import Array, lax

from numerics.samplers.cipher import Key, chain_key, generation_key

State = Any
"""What a chain carries from generation to generation, a pytree of arrays."""
Given = Mapping[str, Any]
"""Numbers that are no part of the compiled program, by name: the source, sizes, temperatures."""
Values = Mapping[str, Array]
"""What is recorded of many chains at one generation, by name, each of shape (chains, ...)."""


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
        apart: whether model 0 is one state for all chains even so, of another form than those that follow.
        known: expression in the variables -> the name under which the view has it too, made in a cheaper way.
    """

    start: Callable[[Given], State]
    first: Callable[[Key, Any, Given, State], State]
    later: Callable[[Key, Any, Given, State], State]
    view: Callable[[State], Mapping[str, Array]]
    compact: Callable[[State], Any] | None = None
    together: bool = False
    apart: bool = False
    known: Mapping[Any, str] = field(factory=dict)


@frozen
class Watch:
    """What is kept of the generations, made in their order.

    Args:
        begin: values of generation 0 -> what is remembered from one generation to the next.
        keep: (remembered, values, which chains count) -> remembered, and what is kept: arrays whose first axis goes
            with the chains.
        block: how many chains are kept together. Values and which count come block by block, as columns: the first
            chains of all blocks, then their second ones. Chains that do not count repeat the first of their block.
    """

    begin: Callable[[Values], Any]
    keep: Callable[[Any, Values, Array], tuple[Any, Any]]
    block: int = 1


PATHS = Watch(lambda _: (), lambda memory, values, _: (memory, dict(values)))
"""Keeps everything."""


@frozen
class Group:
    """Chains that advance together.

    Args:
        program: the chain.
        given: the source's arrays and the loop's numbers.
        generations: number of refits, >= 1.
        packed: whether the two numbers of a state are carried as one complex number. A compiler that writes one array
            at a time would otherwise draw the random numbers again for each.
    """

    program: Program
    given: Given
    generations: int
    packed: bool = False

    @property
    def one_source(self) -> bool:
        """Whether model 0 is one state for all chains."""
        return self.program.apart or not self.program.together

    def begun(self) -> Any:
        """Return model 0 and what is recorded of it where it is one for all chains, None where it is not."""
        if not self.one_source:
            return None
        start = jax.tree.map(jnp.asarray, self.program.start(self.given))
        return lax.optimization_barrier((start, self.program.view(start)))

    def run(self, watch: Watch, key: Key, counted: Array, begun: Any = None) -> Any:
        """Return what the watch keeps of the chains of a key, with axes (first of what is kept, generation, ...).

        Args:
            watch: what is kept.
            key: of the chains.
            counted: which of them count.
            begun: what `begun` returns, made once for all groups of chains.
        """
        start, seen = begun or self._each(key)
        values, first = [self._everywhere(key, seen)], 1
        if self.program.first is self.program.later:
            state = self._everywhere(key, start)
        else:
            state, first = self._refit(self.program.first, key, jnp.asarray(1), start, shared=True), 2
            values.append(self._view(state))
        memory, kept = watch.begin(values[0]), []
        for one in values:
            memory, now = watch.keep(memory, one, counted)
            kept.append(now)
        # Behind the barrier: a loop of one round would be unrolled, its numbers folded, and the last bits would depend
        # on how many generations follow.
        fits = lax.optimization_barrier(jnp.arange(first, self.generations + 1))
        tail = self._scan(watch, key, counted, (state, memory), fits)
        return jax.tree.map(_by_chain, *kept, tail)

    def _scan(self, watch: Watch, key: Key, counted: Array, start: Any, fits: Array) -> Any:
        pack, unpack = _packing(start[0]) if self.packed else (lambda state: state, lambda state: state)

        def onward(before: Any, k: Array) -> Any:
            state = self._refit(self.program.later, key, k, unpack(before[0]))
            # Behind the barrier: what is kept would otherwise be computed from the random numbers, drawn again.
            state = lax.optimization_barrier(pack(state))
            memory, now = watch.keep(before[1], self._view(unpack(state)), counted)
            return (state, memory), now

        return lax.scan(onward, (pack(start[0]), start[1]), fits)[1]

    def _each(self, key: Key) -> tuple[State, Values]:
        """Return model 0 of every chain, and what is recorded of it."""
        start = jax.tree.map(jnp.asarray, self.program.start(self.given))
        after = jax.eval_shape(self.program.later, generation_key(key, 1), jnp.asarray(1.0), self.given, start)
        start = jax.tree.map(lambda x, wide: jnp.broadcast_to(x, wide.shape), start, after)
        return start, self.program.view(start)

    def _everywhere(self, key: Key, one: Any) -> Any:
        """Return what is the same for all chains with an axis for them."""
        if not self.one_source:
            return one
        return jax.tree.map(lambda x: jnp.broadcast_to(x, (*key.chain.shape, *jnp.shape(x))), one)

    def _refit(self, fit: Callable[..., State], key: Key, k: Array, state: State, *, shared: bool = False) -> State:
        if self.program.together:
            return fit(generation_key(key, k), k.astype(float), self.given, state)

        def one(chain: Array, own: State) -> State:
            return fit(generation_key(key._replace(chain=chain), k), k.astype(float), self.given, own)

        return jax.vmap(one, in_axes=(0, None if shared else 0))(key.chain, state)

    def _view(self, state: State) -> Values:
        return self.program.view(state) if self.program.together else jax.vmap(self.program.view)(state)


def trajectories(group: Group, watch: Watch, seed: Any, chains: Array, lanes: int, count: Any) -> Any:
    """Return what the watch keeps of the chains, first axis and then generation.

    Args:
        group: the chain, its numbers and generations.
        watch: what is kept.
        seed: whole number that all randomness comes from.
        chains: indices of the chains, shape (chains,).
        lanes: how many chains advance together, a power of 2; groups of them run one after the other.
        count: how many of the chains are asked for; groups of none are left at 0.
    """
    counted = jnp.arange(len(chains)) < count
    if lanes < watch.block:
        asked = (count + watch.block - 1) // watch.block * watch.block
        several = _repeated(chains, counted, watch.block)
        return _kept(watch, trajectories(group, PATHS, seed, several, lanes, asked), counted)

    begun = group.begun()

    def run(several: Array, asked: Array) -> Any:
        several = _columns(_repeated(several, asked, watch.block), watch.block)
        return group.run(watch, chain_key(seed, several), _columns(asked, watch.block), begun)

    if lanes >= len(chains):
        return run(chains, counted)

    def run_asked(part: tuple[Array, Array]) -> Any:
        empty = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(run, *part))
        return lax.cond(part[1].any(), lambda: run(*part), lambda: empty)

    groups = lax.map(run_asked, (chains.reshape(-1, lanes), counted.reshape(-1, lanes)))
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), groups)


def _kept(watch: Watch, paths: Mapping[str, Array], counted: Array) -> Any:
    """Return what the watch keeps of paths (chain, generation, ...)."""
    counted = _columns(counted, watch.block)
    each = jax.tree.map(lambda x: jnp.moveaxis(_columns(x, watch.block), 1, 0), dict(paths))
    start = watch.begin(jax.tree.map(lambda x: x[0], each))
    kept = lax.scan(lambda memory, values: watch.keep(memory, values, counted), start, each)[1]
    return jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1), kept)


def _repeated(chains: Array, counted: Array, block: int) -> Array:
    """Return the chains, the first of a block in place of those that do not count."""
    blocks = chains.reshape(-1, block)
    return jnp.where(counted.reshape(-1, block), blocks, blocks[:, :1]).reshape(-1)


def _columns(values: Array, block: int) -> Array:
    """Return values with the first of all blocks before their second ones."""
    return values.reshape(-1, block, *values.shape[1:]).swapaxes(0, 1).reshape(values.shape)


def in_order(values: Array, block: int) -> Array:
    """Return values that come block by block, as columns, in the order of the chains."""
    return values.reshape(block, -1, *values.shape[1:]).swapaxes(0, 1).reshape(values.shape)


def _by_chain(*parts: Array) -> Array:
    """Return single generations and those that follow as one array, the generations along axis 1."""
    *first, rest = parts
    return jnp.moveaxis(jnp.concatenate([*(part[None] for part in first), rest]), 0, 1)


def _packing(state: State) -> tuple[Callable[[State], Any], Callable[[Any], State]]:
    """Return how a state of two arrays of floats is made one array of complex numbers, and back."""
    leaves, tree = jax.tree.flatten(state)
    alike = len({(leaf.shape, leaf.dtype) for leaf in leaves}) == 1
    if len(leaves) != 2 or not alike or not jnp.issubdtype(leaves[0].dtype, jnp.floating):
        return lambda own: own, lambda own: own
    return (
        lambda own: lax.complex(*jax.tree.leaves(own)),
        lambda own: jax.tree.unflatten(tree, [lax.real(own), lax.imag(own)]),
    )
