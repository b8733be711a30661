"""Coupled moments whose coefficients change from fit to fit, taken apart where their matrices share eigenvectors.

A refit that treats all directions alike has the same eigenvectors whatever its size: every combination of moments that
they name obeys a recurrence of its own.
"""

from collections.abc import Sequence

from attrs import frozen
from sympy import Expr
from sympy.polys.matrices import DomainMatrix

from theory.exponential import eigen_keys
from theory.field import Element, Field
from theory.symbols import n


@frozen(eq=False)
class Decoupled:
    """vectors * B(n) * inverse is diagonal, with ``rates``, for a matrix B(n) of moments."""

    vectors: list[list[Element]]
    rates: list[Element]
    inverse: list[list[Element]]


_FITS = (2, 3, 5, 7)
"""Fits at which eigenvectors are looked for: two eigenvalues may meet at one of them."""


def decoupled(matrix: Sequence[Sequence[Element]], field: Field) -> Decoupled | None:
    """Return the common eigenvectors of B(n) for all n, None where there are none over the field.

    >>> from sympy import QQ
    >>> field = Field((n,))
    >>> x = field(n)
    >>> [field.expr(rate) for rate in decoupled([[x, field.one], [field.one, x]], field).rates]
    [n - 1, n + 1]
    """
    whole = _matrix(matrix, field)
    for fit in _FITS:
        vectors = _eigenvectors(whole.applyfunc(lambda w, k=fit: _at(w, k, field)), field)
        if vectors is not None:
            inverse = vectors.inv()
            turned = vectors * whole * inverse
            if turned.is_diagonal:
                return Decoupled(vectors.to_list(), turned.diagonal(), inverse.to_list())
    return None


def _matrix(rows: Sequence[Sequence[Element]], field: Field) -> DomainMatrix:
    return DomainMatrix([list(row) for row in rows], (len(rows), len(rows)), field.domain)


def _at(weight: Element, fit: int, field: Field) -> Element:
    expr: Expr = field.expr(weight)
    return field(expr.subs(n, fit))


def _eigenvectors(matrix: DomainMatrix, field: Field) -> DomainMatrix | None:
    """Return the left eigenvectors as rows, None unless the eigenvalues are distinct and in the field."""
    keys = eigen_keys(matrix.to_list(), field.domain)
    if any(len(key) > 1 or multiplicity > 1 for key, multiplicity in keys.items()):
        return None
    unit = DomainMatrix.eye(matrix.shape[0], field.domain)
    rows = [(matrix - unit * rate).transpose().nullspace().to_list()[0] for (rate,) in sorted(keys, key=str)]
    return _matrix(rows, field)
