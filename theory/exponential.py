"""Exponential polynomials over a field, and the constant-coefficient recurrences that they solve.

A *key* is a monic irreducible polynomial chi over the field, held as the rewriting rule x^s = sum_j key[j] x^j. It
carries the s sequences E_j(n), the coefficient of x^j in x^n modulo chi; for s = 1 that is base^n. A sequence is a sum
over keys of n^i E_j(n) with coefficients in the field, so irrational eigenvalues never leave the field and base^n is a
dictionary key.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import comb
from typing import Any

from theory.field import Element, Field
from theory.linear import solved

Key = tuple[Element, ...]
Terms = list[list[Element]]
"""Coefficients by power i of n, then by residue j."""
ExpPoly = dict[Key, Terms]


def residues(key: Key, one: Element) -> Iterator[list[Element]]:
    """Yield E_0(n), ..., E_(s-1)(n) for n = 0, 1, 2, ...

    >>> from itertools import islice
    >>> from sympy import QQ
    >>> list(islice(residues((QQ(1), QQ(1)), QQ(1)), 5))[-1] == [2, 3]
    True
    """
    now = [one] + [one - one] * (len(key) - 1)
    while True:
        yield now
        top = now[-1]
        now = [(now[j - 1] if j else one - one) + top * key[j] for j in range(len(key))]


def values(sequence: ExpPoly, one: Element) -> Iterator[Element]:
    """Yield the sequence at n = 0, 1, 2, ..."""
    streams = {key: residues(key, one) for key in sequence}
    n = 0
    while True:
        here = {key: next(stream) for key, stream in streams.items()}
        yield sum(
            (
                w * n**i * e
                for key, terms in sequence.items()
                for i, row in enumerate(terms)
                for w, e in zip(row, here[key], strict=True)
            ),
            one - one,
        )
        n += 1


def add(target: ExpPoly, other: Mapping[Key, Terms], scale: Element) -> None:
    """Add scale * other to target in place."""
    for key, terms in other.items():
        rows = target.setdefault(key, [])
        for i, row in enumerate(terms):
            if i == len(rows):
                rows.append([scale - scale] * len(key))
            rows[i] = [a + scale * b for a, b in zip(rows[i], row, strict=True)]


def solve_scalar(rate: Element, forcing: ExpPoly, start: Element) -> ExpPoly:
    """Solve u(n+1) = rate u(n) + forcing(n), u(0) = start, for a forcing whose keys are all bases (s = 1), not rate =
    base = 0.

    On base^n p(n) the answer base^n q(n) has base q(n+1) - rate q(n) = p(n), solved from the top degree down; when base
    = rate the leading terms cancel and q gains a degree.
    """
    solution: ExpPoly = {}
    for (base,), terms in forcing.items():
        p = [row[0] for row in terms]
        solution[(base,)] = [[q] for q in _quotient(base, rate, p)]
    rest = start - sum((terms[0][0] for terms in solution.values()), start - start)
    add(solution, {(rate,): [[rest]]}, rate - rate + 1)
    return solution


def _quotient(base: Element, rate: Element, p: Sequence[Element]) -> list[Element]:
    resonant = base == rate
    q = [base - base] * (len(p) + resonant)
    for i in reversed(range(len(p))):
        if resonant:
            # base * sum_{j>i} C(j,i) q_j = p_i, solved for q_(i+1)
            higher = sum((comb(j, i) * q[j] for j in range(i + 2, len(q))), base - base)
            q[i + 1] = (p[i] / base - higher) / (i + 1)
        else:
            higher = sum((comb(j, i) * q[j] for j in range(i + 1, len(q))), base - base)
            q[i] = (p[i] - base * higher) / (base - rate)
    return q


def eigen_keys(matrix: Sequence[Sequence[Element]], field: Field) -> dict[Key, int]:
    """Return the irreducible factors of the characteristic polynomial, with their multiplicities."""
    factors = field.split(_characteristic(matrix, field))
    return {tuple(-w for w in factor[:-1]): multiplicity for factor, multiplicity in factors}


def _characteristic(matrix: Sequence[Sequence[Element]], field: Field) -> list[Element]:
    """Return the coefficients of det(x - A) from that of x^0 up (Faddeev and LeVerrier)."""
    size = range(len(matrix))
    found, power = [field.one], [[field.zero for _ in size] for _ in size]
    for k in range(1, len(matrix) + 1):
        lifted = [[power[i][j] + found[0] if i == j else power[i][j] for j in size] for i in size]
        power = [[sum((row[m] * lifted[m][j] for m in size), field.zero) for j in size] for row in matrix]
        found.insert(0, -sum((power[i][i] for i in size), field.zero) / k)
    return found


def solve_block(
    matrix: Sequence[Sequence[Element]], forcing: Sequence[ExpPoly], start: Sequence[Element], field: Field
) -> list[ExpPoly] | None:
    """Solve u(n+1) = matrix u(n) + forcing(n), u(0) = start, by fitting the known form of the answer to its first
    values.

    The keys of the answer are those of the forcing and of the matrix, multiplicities added where they meet. Returns
    None where a base 0 occurs more than once, which no exponential polynomial can say.
    """
    degrees = eigen_keys(matrix, field)
    for key in {key for sequence in forcing for key in sequence}:
        depth = max(len(sequence.get(key, ())) for sequence in forcing)
        degrees[key] = degrees.get(key, 0) + depth
    if degrees.get((field.zero,), 1) > 1:
        return None
    size = sum(len(key) * depth for key, depth in degrees.items())
    targets = _iterate(matrix, forcing, start, size, field.one)
    basis = [(key, i, j) for key, depth in degrees.items() for i in range(depth) for j in range(len(key))]
    table = _table(degrees, basis, size, field.one)
    fitted = solved([row + target for row, target in zip(table, targets, strict=True)], size)
    return [_assemble(basis, column, degrees, field.zero) for column in zip(*(fitted or ()), strict=True)]


def _iterate(matrix: Any, forcing: Any, start: Any, size: int, one: Element) -> list[list[Element]]:
    streams = [values(sequence, one) for sequence in forcing]
    rows, now = [], list(start)
    for _ in range(size):
        rows.append(now)
        pushes = [next(stream) for stream in streams]
        now = [
            sum((a * u for a, u in zip(row, now, strict=True)), push) for row, push in zip(matrix, pushes, strict=True)
        ]
    return rows


def _table(degrees: dict[Key, int], basis: Any, size: int, one: Element) -> list[list[Element]]:
    streams = {key: residues(key, one) for key in degrees}
    table = []
    for n in range(size):
        here = {key: next(stream) for key, stream in streams.items()}
        table.append([here[key][j] * n**i for key, i, j in basis])
    return table


def _assemble(basis: Any, column: Sequence[Element], degrees: dict[Key, int], zero: Element) -> ExpPoly:
    sequence = {key: [[zero] * len(key) for _ in range(depth)] for key, depth in degrees.items()}
    for (key, i, j), weight in zip(basis, column, strict=True):
        sequence[key][i][j] = weight
    return sequence
