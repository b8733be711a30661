"""How many types a tokens drawn from a source have: the words that spell it are counted type by type.

A type of probability x, m of them alike, adds e types with b of the tokens in (m)_e S2(b, e) x^b ways, and the tokens
are shared out in binomial(a, b) ways. So the cost is polynomial in the number of types, where sums over subsets would
double with each, and nothing cancels.
"""

from collections.abc import Iterator
from math import comb, perm
from typing import Any

from theory.discrete.source import Source

Table = dict[int, dict[int, Any]]
"""{types: {tokens: weight of the words}}, zeros left out."""


def beyond(source: Source, types: int, top: int) -> list[Any]:
    """Return q^top P(a tokens have more than ``types`` types), a = 0..top, q the source's denominator."""
    if types == 1:
        within = source.total(lambda x: [0, *source.powers(x, top)[1:]])
    else:
        within = [0] * (top + 1)
        for row in _words(source, types, top).values():
            for a, weight in row.items():
                within[a] += weight * source.over ** (top - a)
    whole = source.over**top
    return [0, *(whole - inside for inside in within[1:])]


def _words(source: Source, types: int, top: int) -> Table:
    """Return q^a times the chance of each number of types up to ``types``, for every number a of tokens up to top."""
    stirling = _stirling(top, types)
    table: Table = {0: {0: 1}}
    for x, alike in source.groups.items():
        group: Table = {
            e: {b: perm(alike, e) * stirling[b][e] * x**b for b in range(e, top + 1) if stirling[b][e]}
            for e in range(min(alike, types) + 1)
        }
        table = _shared(table, group, types, top)
    return table


def _shared(one: Table, other: Table, types: int, top: int) -> Table:
    found: Table = {}
    for d, a, weight in _entries(one):
        for e, b, chance in _entries(other):
            if d + e <= types and a + b <= top:
                row = found.setdefault(d + e, {})
                row[a + b] = row.get(a + b, 0) + comb(a + b, b) * weight * chance
    return found


def _entries(table: Table) -> Iterator[tuple[int, int, Any]]:
    return ((types, tokens, weight) for types, row in table.items() for tokens, weight in row.items())


def _stirling(top: int, types: int) -> list[list[int]]:
    """Return S2(b, e), b = 0..top, e = 0..types."""
    rows = [[1] + [0] * types]
    for _ in range(top):
        last = rows[-1]
        rows.append([0, *(e * last[e] + last[e - 1] for e in range(1, types + 1))])
    return rows
