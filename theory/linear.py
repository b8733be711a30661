"""Linear systems over any field, by Gauss and Jordan."""

from collections.abc import Sequence

from theory.field import Element


def solved(rows: Sequence[Sequence[Element]], unknowns: int) -> list[list[Element]] | None:
    """Solve A X = B from the rows of (A, B), A with ``unknowns`` columns; None where there is no solution.

    An unknown that the equations leave free is 0.

    >>> from sympy import QQ
    >>> solved([[QQ(1), QQ(2), QQ(5)], [QQ(2), QQ(4), QQ(10)]], 2) == [[5], [0]]
    True
    """
    left, pivots = [list(row) for row in rows], {}
    for column in range(unknowns):
        free = (i for i in range(len(left)) if i not in pivots.values() and left[i][column])
        pivot = next(free, None)
        if pivot is not None:
            pivots[column] = pivot
            _clear(left, pivot, column)
    if any(any(row[unknowns:]) for i, row in enumerate(left) if i not in pivots.values()):
        return None
    zeros = [w - w for w in left[0][unknowns:]]
    return [left[pivots[k]][unknowns:] if k in pivots else zeros for k in range(unknowns)]


def _clear(rows: list[list[Element]], pivot: int, column: int) -> None:
    """Make the pivot 1 and the rest of its column 0."""
    lead = rows[pivot] = [w / rows[pivot][column] if w else w for w in rows[pivot]]
    for i, row in enumerate(rows):
        if i != pivot and row[column]:
            scale = row[column]
            rows[i] = [w - scale * v if v else w for w, v in zip(row, lead, strict=True)]
