"""A chain of counts written out: M tokens are drawn again and again from a law that the counts before them say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from math import comb
from typing import Any

from attrs import frozen
from sympy import Expr, Rational, S

from theory.discrete.solving import Numbers

Counts = tuple[int, ...]
Chances = tuple[Expr, ...]
Law = dict[Counts, Any]
"""Chances of count vectors; those left out are 0."""


def compositions(total: int, types: int) -> Iterator[Counts]:
    """Yield every vector of counts of ``types`` types with the given sum.

    >>> list(compositions(2, 2))
    [(0, 2), (1, 1), (2, 0)]
    """
    if types == 1:
        yield (total,)
    else:
        yield from ((k, *rest) for k in range(total + 1) for rest in compositions(total - k, types - 1))


def draws(chances: Sequence[Any], samples: int) -> Iterator[tuple[Counts, Any]]:
    """Yield the counts x of M draws with P(x) = M!/prod x_i! prod chances_i^x_i; a chance of 0 is the integer 0.

    >>> from sympy import Rational
    >>> list(draws((Rational(1, 2), Rational(1, 2), 0), 1))
    [((1, 0, 0), 1/2), ((0, 1, 0), 1/2)]
    """
    yield from _drawn([_powers(chance, samples) for chance in chances], samples, len(chances))


def _powers(base: Any, upto: int) -> list[Any]:
    """Return 1, base, ..., base^upto; of an impossible type 1 alone."""
    powers: list[Any] = [1]
    for _ in range(0 if isinstance(base, int) and base == 0 else upto):
        powers.append(powers[-1] * base)
    return powers


def _drawn(powers: Sequence[Sequence[Any]], left: int, types: int) -> Iterator[tuple[Counts, Any]]:
    row = powers[types - 1]
    if types == 1:
        if left < len(row):
            yield (left,), row[left]
        return
    for k in range(min(left + 1, len(row))):
        weight = comb(left, k) * row[k]
        yield from (((*rest, k), weight * chance) for rest, chance in _drawn(powers, left - k, types - 1))


def left(counts: Sequence[Any]) -> tuple[int, ...]:
    """Return the types that are there."""
    return tuple(i for i, k in enumerate(counts) if k != 0)


def frequencies(counts: Sequence[Any], types: int, samples: int) -> Chances:
    """Return x_i/M for the counts of M tokens.

    Raises:
        ValueError: other than ``types`` whole numbers >= 0 that sum to M.
    """
    if len(counts) != types or sum(counts) != samples or any(not S(x).is_Integer or x < 0 for x in counts):
        raise ValueError(
            f"counts {tuple(counts)} are not M = {samples} tokens of {types} types. "
            "Give one whole number >= 0 for each type, in all M."
        )
    return tuple(Rational(x, samples) for x in counts)


@frozen(eq=False)
class Written:
    """The chain in one arithmetic: after counts x, M tokens are drawn from ``laws[x]``.

    Every law must keep some type that its counts hold, so that one type is left in the end.
    """

    numbers: Numbers
    samples: int
    laws: Mapping[Counts, Chances]

    def after(self, source: Chances, fits: int) -> Law:
        """Return the law of the counts so many fits after a first law, fits >= 1; what was followed once is kept."""
        known = self._followed.setdefault(source, [])
        if not known:
            known.append(self._drawn(source))
        while len(known) < fits:
            known.append(self._next(known[-1]))
        return known[fits - 1]

    def _next(self, law: Law) -> Law:
        then: Law = {}
        for counts, weight in law.items():
            for new, chance in self.rows[counts].items():
                then[new] = then.get(new, 0) + weight * chance
        return then

    @cached_property
    def _followed(self) -> dict[Chances, list[Law]]:
        return {}

    @cached_property
    def rows(self) -> Mapping[Counts, Law]:
        """The chances to move, from every vector of counts."""
        return {counts: self._drawn(law) for counts, law in self.laws.items()}

    @cached_property
    def fates(self) -> Mapping[Counts, list[Any]]:
        """For every vector of counts: E T, and P(absorbed at type i) for every i; T counts fits to a single type."""
        zero, one = map(self.numbers.number, (S.Zero, S.One))
        settled = {counts: [zero, *(one if k else zero for k in counts)] for counts in self.laws if _is_single(counts)}
        gains = [[one, *(row.get(self._single(i), zero) for i in range(self._types))] for row in self._inner()]
        return settled | self._gathered(gains)

    @cached_property
    def squares(self) -> Mapping[Counts, Any]:
        """For every vector of counts, E T^2 = Q E T^2 + 2 E T - 1."""
        gains = [[2 * self.fates[counts][0] - 1] for counts in self._unsettled]
        zero = self.numbers.number(S.Zero)
        return dict.fromkeys(self.laws, zero) | {x: row[0] for x, row in self._gathered(gains).items()}

    def mean(self, values: Mapping[Counts, Any] | Callable[[Counts], Any], law: Law) -> Any:
        """Return the mean of a function of the counts."""
        value = values if callable(values) else values.__getitem__
        return sum((weight * value(counts) for counts, weight in law.items()), self.numbers.number(S.Zero))

    @cached_property
    def _types(self) -> int:
        return len(next(iter(self.laws)))

    @cached_property
    def _unsettled(self) -> list[Counts]:
        """The counts of two types and more, those of most types last, since they are never come back to."""
        return sorted((counts for counts in self.laws if not _is_single(counts)), key=lambda x: (len(left(x)), x))

    def _inner(self) -> Iterator[Law]:
        return (self.rows[counts] for counts in self._unsettled)

    def _single(self, token: int) -> Counts:
        return tuple(self.samples * (i == token) for i in range(self._types))

    def _gathered(self, gains: list[list[Any]]) -> dict[Counts, list[Any]]:
        order = {counts: k for k, counts in enumerate(self._unsettled)}
        zero = self.numbers.number(S.Zero)
        rows = [{order[x]: chance for x, chance in row.items() if x in order} for row in self._inner()]
        exits = [sum((chance for x, chance in row.items() if x not in order), zero) for row in self._inner()]
        return dict(zip(order, self.numbers.gathered(rows, exits, gains), strict=True))

    def _drawn(self, law: Chances) -> Law:
        chances = [self.numbers.number(chance) if chance != 0 else 0 for chance in law]
        return dict(draws(chances, self.samples))


def _is_single(counts: Counts) -> bool:
    return len(left(counts)) == 1
