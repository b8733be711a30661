"""From the arguments of a simulation to what is run: which path, which variables, chains at a time."""

import math
from collections.abc import Callable, Container, Mapping
from functools import partial
from typing import Any

from attrs import frozen
from sympy import Expr, Indexed, IndexedBase, MatrixSymbol, sympify
from sympy.core.symbol import Symbol

from numerics.chains import Program
from numerics.paths import counts_path, data_path, sufficient
from numerics.paths.statistic_path import PLAIN
from numerics.precision import Precision
from numerics.summaries.base import BLOCK
from numerics.summaries.streams import Stream
from numerics.variables import in_letters, letters_of_source, variables
from theory.families import Mixture
from theory.loop import Loop
from theory.symbols import K

LIMIT = 2**29
"""Bytes that the probabilities of all types may take; beyond, they are recorded through observables only."""
MANY = 1_000
"""Beyond so many types the probabilities of every chain are not returned beside observables that are named."""
AUTO = 2**30
"""Bytes that every chain's variables may take where it is left open whether they are returned."""
RECORD_BYTES, STATE_BYTES, CHUNK = 2**26, 2**23, 2**14
"""What a chunk records and carries, and how many chains it has, at most, where its size is left open."""
POINTS = 64
"""From so many numbers of a chain on, those of the data path advance in groups."""


@frozen
class Path:
    """A way to run a loop.

    Args:
        why_not: (loop, shape) -> why it cannot, None where it can.
        prepared: (loop, generations) -> the loop that is compiled, and the numbers that it is given when it runs.
        program: (prepared loop, shape, generations) -> the chain.
        size: (loop, shape, generations) -> how many numbers a chain carries.
        read: (prepared loop, source) -> what the source is drawn by.
    """

    why_not: Callable[[Loop, tuple[int, ...]], str | None]
    prepared: Callable[[Loop, int], tuple[Loop, dict[str, Any]]]
    program: Callable[..., Program]
    size: Callable[[Loop, tuple[int, ...], int], int]
    read: Callable[[Loop, Mapping[str, Any]], dict[str, Any]] = lambda *_: {}


def _way(name: str) -> Path:
    """Return one of the ways to draw the counts of many types."""
    of = counts_path
    return Path(
        partial(of.why_not, name),
        partial(of.prepared, name),
        partial(of.program, name),
        partial(of.size, name),
        partial(of.read, name),
    )


PATHS = {
    "statistic": Path(sufficient.why_not, sufficient.prepared, sufficient.program, sufficient.size),
    **{name: _way(name) for name in counts_path.WAYS},
    "data": Path(data_path.why_not, data_path.prepared, data_path.program, data_path.size),
}


@frozen
class Plan:
    """What is compiled.

    Args:
        loop: the loop, prepared.
        method: the name of a path.
        shape: shape of a parameter: (), (d,) or (K,).
        names: recorded variables of the family.
        observe: (name, expression) of recorded observables.
        generations: number of refits.
        paths: whether every chain is recorded.
        streams: what is reduced where it is computed.
        lanes: how many chains advance together, a power of 2; it changes no number.
        precision: in which formats, and by which samplers; known to the path of statistics alone.
    """

    loop: Loop
    method: str
    shape: tuple[int, ...]
    names: tuple[str, ...]
    observe: tuple[tuple[str, Expr], ...]
    generations: int
    paths: bool
    streams: tuple[Stream, ...] = ()
    lanes: int = CHUNK
    precision: Precision = PLAIN

    def program(self) -> Program:
        """Return the chain."""
        known = {"precision": self.precision} if self.method == "statistic" else {}
        return PATHS[self.method].program(self.loop, self.shape, self.generations, **known)

    def tables(self, numbers: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
        """Return what laws are drawn by, beside the loop's numbers and the source's."""
        if self.method != "statistic":
            return PATHS[self.method].read(self.loop, source)
        return sufficient.tables(self.loop, self.shape, self.generations, self.precision, numbers)

    @property
    def counted(self) -> bool:
        """Whether the path keeps the types that are left, and observables are read from these."""
        return self.method in counts_path.WAYS and bool(self.shape)

    @property
    def numbers(self) -> int:
        """How many numbers one chain has."""
        return (self.generations + 1) * sum(self.sizes.values())

    @property
    def sizes(self) -> dict[str, int]:
        """Variable or observable -> how many numbers it is at a generation."""
        dims, whole = variables(self.loop.family).dims, math.prod(self.shape)
        return {name: whole ** len(dims[name]) for name in self.names} | {name: 1 for name, _ in self.observe}

    def bytes(self, chains: int) -> int:
        """Return how much is recorded of so many chains that advance together."""
        streamed = sum(stream.summary.numbers(chains) * self.sizes[stream.name] for stream in self.streams)
        return 8 * (streamed * (self.generations + 1) + (chains * self.numbers if self.paths else 0))


def numbers(loop: Loop, shape: tuple[int, ...], observed: int) -> int:
    """Return how many numbers all variables of a chain and its observables are at one generation."""
    return sum(math.prod(shape) ** len(dims) for dims in variables(loop.family).dims.values()) + observed


def choose(loop: Loop, method: str, shape: tuple[int, ...], exact: bool = False) -> tuple[str, str]:
    """Return the path that runs and why, one without approximations where these are not wanted.

    Raises:
        ValueError: a method that does not exist or is not exact for the loop.
    """
    if method not in ("auto", *PATHS):
        raise ValueError(f"method = {method!r} is no path. Choose one of auto, {', '.join(PATHS)}.")
    near = [name for name in counts_path.WAYS if exact and name not in counts_path.EXACT]
    if method != "auto":
        if reason := PATHS[method].why_not(loop, shape):
            raise ValueError(f"method = {method!r} cannot run this loop: {reason}. Ask for method='auto'.")
        if method in near:
            raise ValueError(
                f"method = {method!r} draws counts within 2e-7 of their law, not exactly. Ask for method='auto'."
            )
        return method, "asked for"
    if counts := [name for name in counts_path.WAYS if name not in near and PATHS[name].why_not(loop, shape) is None]:
        return counts_path.cheapest(counts, shape[0] if shape else 2, int(loop.samples))
    refusals = []
    for name, path in PATHS.items():
        if name in counts_path.WAYS:
            continue
        reason = path.why_not(loop, shape)
        if reason is None:
            return name, "; ".join(refusals) or "exact, and costs the same for any number of samples"
        refusals.append(reason)
    raise ValueError(f"the loop cannot be simulated: {'; '.join(refusals)}. Change family, sampling or samples.")


def observables(loop: Loop, observe: Mapping[str, Any] | None) -> tuple[tuple[str, Expr], ...]:
    """Return names and expressions after a check of both.

    Raises:
        ValueError: a name that is taken, or a letter that the family does not have.
    """
    known = variables(loop.family)
    letters = {*known.letters, *known.rewrite, *letters_of_source(loop.family), K}
    asked = {name: in_letters(sympify(value), loop.family) for name, value in (observe or {}).items()}
    for name, value in asked.items():
        if name in known.dims or name in ("chain", "generation", "count"):
            raise ValueError(f"observe names {name!r}, which is taken. Choose another name.")
        if strange := sorted(map(str, _letters(value) - letters)):
            raise ValueError(
                f"observe: {name} = {value} holds {', '.join(strange)}. Its letters are {_listed(letters)}."
            )
    return tuple(asked.items())


def recorded(
    loop: Loop, shape: tuple[int, ...], generations: int, chains: int, *, observed: bool, named: Container[str] | None
) -> tuple[str, ...]:
    """Return the variables that are recorded: of vectors and matrices not all, where observables are.

    Args:
        loop: the loop.
        shape: of a parameter.
        generations: number of refits.
        chains: how many are held at once.
        observed: whether observables are named.
        named: variables that are streamed all the same beside observables; None for all that are not too many types.

    Raises:
        ValueError: the probabilities of all types do not fit, and nothing else is named.
    """
    dims = variables(loop.family).dims
    size = 8 * chains * (generations + 1) * math.prod(shape)
    large = size > LIMIT or (observed and named is None and math.prod(shape) > MANY)
    if "p" in dims and shape and large and not observed:
        raise ValueError(
            f"the probabilities of {shape[0]} types in {chains} chains take {size / 1e9:.1f} GB. "
            "Name what to record, as in observe={'vocabulary': Categorical.vocabulary}."
        )
    left_out = {
        name for name in dims if dims[name] and ((name == "p" and large) or not (named is None or name in named))
    }
    return tuple(name for name in dims if not observed or name not in left_out)


def why_not_precision(method: str, loop: Loop, shape: tuple[int, ...], name: str = "f32") -> str | None:
    """Return why a loop is simulated in float64 alone, None where it is not."""
    if method == "data" and isinstance(loop.family, Mixture) and name == "f32":
        return None
    if method != "statistic":
        return f"method {method!r} counts and fits in float64"
    return sufficient.why_not_single(loop, shape)


def chunk_size(plan: Plan, chunk: int | None, chains: int) -> int:
    """Return the number of chains that advance together, a whole number of blocks."""
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk = {chunk} chains. Give a number >= 1, or leave it out.")
    carried = PATHS[plan.method].size(plan.loop, plan.shape, plan.generations)
    recorded = RECORD_BYTES // (8 * plan.numbers) if plan.paths else CHUNK
    fitting = min(CHUNK, recorded, STATE_BYTES // (8 * carried))
    wanted = fitting if chunk is None else chunk
    return BLOCK * max(1, math.ceil(min(wanted, chains) / BLOCK))


def lanes(method: str, loop: Loop, shape: tuple[int, ...], generations: int, platform: str) -> int:
    """Return how many chains advance together: a whole chunk, or what stays in a processor's cache where that matters.

    Chains of many types, tokens or points are bound by memory; they advance in groups, which also bounds what is held
    at once, and groups that nobody asked for are not run.
    """
    carried = PATHS[method].size(loop, shape, generations)
    fitting, bound = STATE_BYTES // (8 * carried), method == "tokens" or (method == "data" and carried >= POINTS)
    groups = fitting < BLOCK or (bound and platform == "cpu")
    return 2 ** max(0, min(fitting, BLOCK).bit_length() - 1) if groups else CHUNK


def _letters(expr: Expr) -> set[Any]:
    """Return symbols and bases of an expression, without the indices that its sums run over."""
    bases = {entry.base for entry in expr.atoms(Indexed)}
    labels = {base.label for base in bases} | set(bases)
    bases |= expr.atoms(MatrixSymbol)
    return bases | {x for x in expr.free_symbols if isinstance(x, Symbol) and x not in labels}


def _listed(letters: set[Any]) -> str:
    return ", ".join(sorted(f"{x}[...]" if isinstance(x, IndexedBase) else str(x) for x in letters))
