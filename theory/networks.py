"""Products of traces and quadratic forms as networks of symmetric matrices, and the pairings of Gaussian moments.

tr(A B) u'C v is a graph: matrices are edges, vectors are ends, and an index summed over is a node of two. Taking an
expectation replaces random edges by others between the same nodes, so it needs no dimension and no coordinates.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Literal

from attrs import field, frozen
from sympy import Expr, Matrix, S, Symbol


@frozen(order=True)
class Atom:
    """A symmetric matrix, its inverse or a vector, known by its name; ``value`` is the matrix that ``name`` names."""

    name: str
    role: Literal["", "inverse", "unit"] = ""
    """"unit" is the coordinate vector of which ``value`` is the index."""
    value: Any = field(default=None, eq=False, order=False)

    @property
    def inverse(self) -> "Atom":
        """The inverse matrix."""
        return Atom(self.name, "" if self.role else "inverse", self.value)


@frozen(order=True)
class Component:
    """tr(A_1 ... A_k) where ``ends`` is empty, else u' A_1 ... A_k v with ends (u, v); made by `trace` and `form`."""

    word: tuple[Atom, ...]
    ends: tuple[Atom, ...] = ()

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Matrices and vectors."""
        return self.word + self.ends


IDENTITY = Atom("1")
"""The identity matrix, which is left out of words."""

Edge = tuple[Atom, int, int]
End = tuple[Atom, int]
Pair = tuple[int, int]


def trace(word: Sequence[Atom]) -> Component:
    """Return tr(A_1 ... A_k), the same for all rotations and the reversal of the word.

    >>> a, b = Atom("a"), Atom("b")
    >>> trace((a, b, a)) == trace((b, a, a))
    True
    """
    short = list(_cancelled(word))
    while len(short) > 1 and short[0] == short[-1].inverse:
        short = short[1:-1]
    turns = (short[k:] + short[:k] for k in range(max(len(short), 1)))
    return Component(min(min(tuple(turn), tuple(turn[::-1])) for turn in turns))


def form(u: Atom, word: Sequence[Atom], v: Atom) -> Component:
    """Return u' A_1 ... A_k v, the same as v' A_k ... A_1 u."""
    short = _cancelled(word)
    (left, inner, right) = min((u, short, v), (v, short[::-1], u))
    return Component(inner, (left, right))


def _cancelled(word: Iterable[Atom]) -> tuple[Atom, ...]:
    kept: list[Atom] = []
    for atom in word:
        if atom == IDENTITY:
            continue
        if kept and kept[-1] == atom.inverse:
            kept.pop()
        else:
            kept.append(atom)
    return tuple(kept)


def network(components: Iterable[Component]) -> tuple[list[Edge], list[End]]:
    """Return the edges and ends of a product of components."""
    edges: list[Edge] = []
    ends: list[End] = []
    node = 0
    for component in components:
        word = component.word if component.atoms else (IDENTITY,)
        size = len(word)
        last = node + size if component.ends else node
        path = [*range(node, node + size), last]
        edges += [(atom, path[k], path[k + 1]) for k, atom in enumerate(word)]
        ends += [(atom, at) for atom, at in zip(component.ends, (node, last), strict=False)]
        node += size + 1
    return edges, ends


def components(edges: Sequence[Edge], ends: Sequence[End]) -> tuple[Component, ...]:
    """Return the product of components that a network is, sorted."""
    items = [*ends, *edges]
    at: dict[int, list[int]] = defaultdict(list)
    for k, (_, *nodes) in enumerate(items):
        for node in nodes:
            at[node].append(k)
    free = dict.fromkeys(range(len(items)))
    found = []
    while free:
        found.append(_walk(next(iter(free)), items, at, free))
    return tuple(sorted(found))


def _walk(start: int, items: Sequence[Any], at: dict[int, list[int]], free: dict[int, None]) -> Component:
    """Return the component of an item, from an end to the other or once round; its items are taken out of ``free``."""
    first, *nodes = items[start]
    del free[start]
    word, node = ([first] if len(nodes) == 2 else []), nodes[-1]
    while (following := next((k for k in at[node] if k in free), None)) is not None:
        del free[following]
        atom, *nodes = items[following]
        if len(nodes) == 1:
            return form(first, word, atom)
        word.append(atom)
        node = nodes[1] if nodes[0] == node else nodes[0]
    return trace(word)


def pairings(places: Sequence[int]) -> Iterator[tuple[Pair, ...]]:
    """Yield the (2k - 1)!! ways to pair 2k places; none for an odd number of them.

    >>> len(list(pairings(range(6))))
    15
    """
    if not places:
        yield ()
    for k in range(1, len(places)):
        rest = [*places[1:k], *places[k + 1 :]]
        yield from (((places[0], places[k]), *others) for others in pairings(rest))


def loops(one: Iterable[Pair], two: Iterable[Pair]) -> tuple[int, ...]:
    """Return the lengths, in pairs of each, of the loops that two pairings of the same places make, longest first.

    >>> loops([(0, 1), (2, 3)], [(0, 2), (1, 3)])
    (2,)
    """
    partner = [{a: b for pair in pairing for a, b in (pair, pair[::-1])} for pairing in (one, two)]
    lengths, left = [], set(partner[0])
    while left:
        place, length = min(left), 0
        while place in left:
            left -= {place, partner[0][place]}
            place, length = partner[1][partner[0][place]], length + 1
        lengths.append(length)
    return tuple(sorted(lengths, reverse=True))


def base(k: int) -> tuple[Pair, ...]:
    """Return the pairing (0, 1), (2, 3), ... of k edges' ends."""
    return tuple((2 * j, 2 * j + 1) for j in range(k))


@cache
def wishart(k: int) -> tuple[tuple[Expr, tuple[Pair, ...]], ...]:
    """Return E[W_(01) W_(23) ...] = sum over pairings r of x^loops(r) prod Sigma_r, x the degrees of freedom.

    W = sum_a g_a g_a' is Gaussian in pairs, so by Wick's theorem every pairing of the 2k factors counts once, with a
    sum over a for every loop that it closes. The symbol is `X`.
    """
    return tuple((X ** len(loops(base(k), pairing)), pairing) for pairing in pairings(range(2 * k)))


@cache
def inverse_wishart(k: int) -> tuple[tuple[Expr, tuple[Pair, ...]], ...]:
    """Return the weights of E[(W^-1)_(01) (W^-1)_(23) ...] over pairings of the entries of Sigma^-1, in x = df - d - 1.

    Integrating by parts, E[Sigma^-1 F] = E[x W^-1 F] - (W^-1 contracted with every other one in F): the step that gives
    `wishart`, with -x for the degrees of freedom and read the other way. So sum_r (-x)^loops(p, r) weight(r) is (-1)^k
    for the pairing p = (01)(23)... and 0 for the others; the weights depend on the loops alone.
    (Matsumoto, J. Theor. Probab. 25 (2012) 798.)
    """
    every = list(pairings(range(2 * k)))
    kinds = {loops(base(k), pairing): pairing for pairing in every}
    rows = [[_loop_sum(p, every, base(k), kind) for kind in kinds] for p in kinds.values()]
    wanted = [S.NegativeOne**k if kind == (1,) * k else S.Zero for kind in kinds]
    weights = Matrix(rows).LUsolve(Matrix(wanted)).applyfunc(lambda w: w.factor())
    by_kind = dict(zip(kinds, weights, strict=True))
    return tuple((by_kind[loops(base(k), pairing)], pairing) for pairing in every)


def _loop_sum(p: Any, every: Sequence[Any], start: Any, kind: tuple[int, ...]) -> Expr:
    """Return the sum of (-x)^loops(p, r) over the pairings r of one kind."""
    return sum(((-X) ** len(loops(p, r)) for r in every if loops(start, r) == kind), S.Zero)


X = Symbol("x", real=True)
"""The degrees of freedom in the weights of pairings."""
