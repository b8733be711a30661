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

Row = list[Element]


@frozen(eq=False)
class Decoupled:
    """vectors * B(n) = rates * vectors for a matrix B(n) of moments, and the inverse of the vectors."""

    vectors: list[Row]
    rates: Row
    inverse: list[Row]


_FITS = (2, 3, 5, 7)
"""Fits at which eigenvectors are looked for: two eigenvalues may meet at one of them."""


def decoupled(matrix: Sequence[Row], field: Field) -> Decoupled | None:
    """Return the common left eigenvectors of B(n) for all n, None where there are none over the field.

    >>> field = Field((n,))
    >>> x = field(n)
    >>> sorted(str(field.expr(rate)) for rate in decoupled([[x, field.one], [field.one, x]], field).rates)
    ['n + 1', 'n - 1']
    """
    for fit in _FITS:
        vectors = _eigenvectors([[field.at(w, n, fit) for w in row] for row in matrix], field)
        rates = [_rate(vector, matrix, field) for vector in vectors]
        if vectors and None not in rates:
            size = len(vectors)
            unit = [[field.one if j == k else field.zero for j in range(size)] for k in range(size)]
            inverse = solved([row + one for row, one in zip(vectors, unit, strict=True)], size)
            return Decoupled(vectors, rates, inverse) if inverse else None
    return None


def _eigenvectors(matrix: list[Row], field: Field) -> list[Row]:
    """Return the left eigenvectors, none unless the eigenvalues are distinct and in the field.

    A row of prod_(j != i) (B - rate_j) that is not 0 is one for rate_i.
    """
    keys = eigen_keys(matrix, field)
    if any(len(key) > 1 or multiplicity > 1 for key, multiplicity in keys.items()):
        return []
    rates = [rate for (rate,) in keys]
    vectors = []
    for own in rates:
        row = _first(matrix, [rate for rate in rates if rate != own], field)
        vectors.append(row)
    return vectors


def _first(matrix: list[Row], rates: list[Element], field: Field) -> Row:
    """Return the first row of prod (matrix - rate) that is not 0."""
    for k in range(len(matrix)):
        row = [field.one if j == k else field.zero for j in range(len(matrix))]
        for rate in rates:
            row = [w - rate * v for w, v in zip(times(row, matrix, field), row, strict=True)]
        if any(row):
            return row
    raise ValueError("the product of fewer factors than eigenvalues is 0. Give a matrix with distinct eigenvalues.")


def _rate(vector: Row, matrix: Sequence[Row], field: Field) -> Element | None:
    """Return the rate with vector * matrix = rate * vector, None where there is none."""
    image = times(vector, matrix, field)
    rate = next(w / v for w, v in zip(image, vector, strict=True) if v)
    return rate if all(w == rate * v for w, v in zip(image, vector, strict=True)) else None


def times(row: Row, matrix: Sequence[Row], field: Field) -> Row:
    """Return row * matrix."""
    return [sum((w * line[k] for w, line in zip(row, matrix, strict=True)), field.zero) for k in range(len(matrix[0]))]
