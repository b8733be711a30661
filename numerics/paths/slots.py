"""A vocabulary by the types that are left: slots of (type, frequency), and observables read from them.

A type that is lost never returns, so after M tokens no more than M slots are needed, whatever the vocabulary. An
observable is a SymPy expression in sums over all types; the types that have no slot have frequency 0, and

    sum_i f(p_i) = sum_i f(0) + sum_slots (f(p_s) - f(0)),

where the first sum is the same for every chain.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from sympy import Dummy, Expr, Indexed, Integer, S, Sum, nan, oo, zoo

from numerics.chains import Given
from numerics.printer import to_jax
from theory.symbols import K, i, p, p0

WHOLE = (i, 0, K - 1)
PART = 1_024
"""Slots that are read together where only some are in use."""


class Slots(NamedTuple):
    """Types with their frequencies; no type has two slots of any, and every type without a slot has frequency 0.

    Slots are the first axis. Of many chains these are the last one; types may have it with length 1. Of one chain it
    may be said how many slots are in use, the first ones; sums then run over these alone.
    """

    types: Array
    shares: Array
    used: Array | None = None


Reader = Callable[[Slots, Given], Array]


def dense(slots: Slots, types: int) -> Array:
    """Return the frequency of every type; of many chains these are the first axis."""
    if slots.shares.ndim == 1:
        return jnp.zeros(types).at[slots.types].add(slots.shares)
    here = jnp.broadcast_to(slots.types, slots.shares.shape)
    return jax.vmap(lambda *chain: dense(Slots(*chain), types), in_axes=-1)(here, slots.shares)


def reader(expr: Expr, types: int) -> Reader:
    """Return the function (slots, given) -> expr, where given holds "p0", the source's probabilities.

    Sums over all types and single types are read from the slots alone; what is neither is read from all frequencies.

    >>> from numpy import array
    >>> slots = Slots(array([7, 2]), array([0.25, 0.75]))
    >>> float(reader(Sum(p[i] ** 2, WHOLE), 10)(slots, {"p0": jnp.ones(10) / 10}))
    0.625
    """
    pieces = _pieces(expr, types)
    if pieces is None:
        whole = to_jax(expr, (p, p0))
        return lambda slots, given: _each(whole, dense(slots, types), given["p0"])
    outer = to_jax(expr.xreplace(dict(pieces[0])).xreplace({K: Integer(types)}), list(pieces[0].values()))
    return lambda slots, given: outer(*(read(slots, given) for read in pieces[1]))


def _pieces(expr: Expr, types: int) -> tuple[Mapping[Expr, Dummy], list[Reader]] | None:
    """Return a letter for each sum and each single type of an expression, and their readers; None where one has none.

    The sums come first, for the entries inside them are bound.
    """
    sums = {total: _sum(total, types) for total in expr.atoms(Sum)}
    letters = {total: Dummy() for total in sums}
    entries = {entry: _entry(entry, types) for entry in expr.xreplace(letters).atoms(Indexed)}
    readers = [*sums.values(), *entries.values()]
    if any(read is None for read in readers):
        return None
    return letters | {entry: Dummy() for entry in entries}, [read for read in readers if read is not None]


def _each(whole: Callable[..., Array], shares: Array, source: Any) -> Array:
    """Return an observable of one chain's frequencies, or of each of many."""
    return whole(shares, source) if shares.ndim == 1 else jax.vmap(whole, in_axes=(0, None))(shares, source)


def _entry(entry: Indexed, types: int) -> Reader | None:
    """Return the reader of p[k] or p0[k], k a number."""
    (index,) = entry.indices
    if not index.is_Integer or not 0 <= int(index) < types:
        return None
    k = int(index)

    def read(slots: Slots, given: Given) -> Array:
        if entry.base == p0:
            return jnp.asarray(given["p0"])[k]
        return jnp.where(slots.types == k, slots.shares, 0.0).max(0)

    return read


def _sum(total: Sum, types: int) -> Reader | None:
    """Return the reader of a sum over all types of f(p[i], p0[i], i)."""
    share, source = Dummy(), Dummy()
    term = total.function.xreplace({p[i]: share, p0[i]: source, K: Integer(types)})
    absent = term.subs(share, 0)
    if total.limits != (WHOLE,) or term.has(Indexed, Sum) or absent.has(nan, zoo, oo, -oo):
        return None
    letters = (share, source, i)
    here, without = to_jax(term, letters), to_jax(absent, letters)

    def read(slots: Slots, given: Given) -> Array:
        chances = jnp.asarray(given["p0"])

        def part(named: Array, shares: Array) -> Array:
            own = chances[named] if term.has(source) else 0.0
            return total_of(here(shares, own, named) - without(0.0, own, named))

        rest = without(0.0, chances, jnp.arange(types)).sum() if absent != S.Zero else 0.0
        return _by_parts(part, slots) + rest

    return read


def _by_parts(part: Callable[[Array, Array], Array], slots: Slots) -> Array:
    """Return what a part adds up of its slots, over all that are in use."""
    if slots.used is None:
        return part(slots.types, slots.shares)
    missing = -len(slots.shares) % PART
    named, shares = (jnp.pad(x, (0, missing)) if missing else x for x in slots[:2])

    def more(at: Array, total: Array) -> Array:
        return total + part(*(lax.dynamic_slice_in_dim(x, at * PART, PART) for x in (named, shares)))

    return lax.fori_loop(0, (slots.used + PART - 1) // PART, more, jnp.zeros((), slots.shares.dtype))


def total_of(values: Array) -> Array:
    """Return the sum by halves, an order that no compiler changes with the number of chains beside it."""
    room = 1 << max(len(values) - 1, 0).bit_length()
    values = jnp.pad(values, [(0, room - len(values)), *[(0, 0)] * (values.ndim - 1)])
    while len(values) > 1:
        half = len(values) // 2
        values = values[:half] + values[half:]
    return values[0]
