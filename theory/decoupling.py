"""Coupled moments whose coefficients change from fit to fit, taken apart where their matrices share eigenvectors.

A refit that treats all directions alike has the same eigenvectors whatever its size: every combination of moments that
they name obeys a recurrence of its own.
"""

from collections.abc import Sequence

from attrs import frozen

from theory.exponential import eigen_keys
from theory.field import Element, Field
from theory.linear import solved
from theory.symbols import n

Matrix = Sequence[Sequence[Element]]


@frozen(eq=False)
class Decoupled:
    """vectors * B(n) * inverse is diagonal, with ``rates``, for a matrix B(n) of moments."""

    vectors: Matrix
    rates: list[Element]
    inverse: Matrix


_FITS = (2, 3, 5, 7)
"""Fits at which eigenvectors are looked for: two eigenvalues may meet at one of them."""


def decoupled(matrix: Matrix, field: Field) -> Decoupled | None:
    """Return the common eigenvectors of B(n) for all n, None where there are none over the field.

    >>> field = Field((n,))
    >>> x = field(n)
    >>> sorted(str(field.expr(rate)) for rate in decoupled([[x, field.one], [field.one, x]], field).rates)
    ['n + 1', 'n - 1']
    """
    for fit in _FITS:
        vectors = _eigenvectors([[field.at(w, n, fit) for w in row] for row in matrix], field)
        inverse = vectors and _inverse(vectors, field)
        if vectors and inverse:
            turned = _times(_times(vectors, matrix, field), inverse, field)
            if not any(w for i, row in enumerate(turned) for j, w in enumerate(row) if i != j):
                return Decoupled(vectors, [row[i] for i, row in enumerate(turned)], inverse)
    return None


def _eigenvectors(matrix: Matrix, field: Field) -> list[list[Element]] | None:
    """Return the left eigenvectors as rows, None unless the eigenvalues are distinct and in the field."""
    keys = eigen_keys(matrix, field)
    if any(len(key) > 1 or multiplicity > 1 for key, multiplicity in keys.items()):
        return None
    return [_left_eigenvector(matrix, rate, field) for (rate,) in keys]


def _left_eigenvector(matrix: Matrix, rate: Element, field: Field) -> list[Element]:
    """Return v with v (A - rate) = 0 and its last entry that can be 1 equal to 1."""
    size = len(matrix)
    equations = [[matrix[i][j] - rate if i == j else matrix[i][j] for i in range(size)] for j in range(size)]
    for k in reversed(range(size)):
        rest = [[w for i, w in enumerate(row) if i != k] + [-row[k]] for row in equations]
        answer = solved(rest, size - 1)
        if answer is not None:
            entries = [w for (w,) in answer]
            return [*entries[:k], field.one, *entries[k:]]
    raise ArithmeticError("a rate without an eigenvector")


def _inverse(matrix: Matrix, field: Field) -> Matrix | None:
    size = len(matrix)
    unit = [[field.one if i == j else field.zero for j in range(size)] for i in range(size)]
    return solved([[*row, *ones] for row, ones in zip(matrix, unit, strict=True)], size)


def _times(one: Matrix, two: Matrix, field: Field) -> Matrix:
    columns = list(zip(*two, strict=True))
    return [[sum((a * b for a, b in zip(row, column, strict=True)), field.zero) for column in columns] for row in one]
