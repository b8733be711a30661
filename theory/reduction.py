"""Moments that are read off others of the same generation, taken out of a recurrence before it is solved.

Where a model is fitted to a part of a remembered pool, its moments follow from the pool's at the same generation, so
the rows of the recurrence are linearly dependent. What is left is smaller, and often no longer coupled.
"""

from collections.abc import Sequence

from attrs import evolve
from sympy import Expr, S

from theory.field import Element
from theory.linear import solved
from theory.monomials import Monomial, Row
from theory.recurrence import Recurrence
from theory.symbols import n

Readouts = dict[Monomial, Row]
"""E m(model k) = sum_l readouts[m][l](k) E l(model k), the number k of the fit held as the symbol n."""


def reduced(recurrence: Recurrence, blocks: Sequence[list[Monomial]]) -> tuple[Recurrence, Readouts]:
    """Return the recurrence without the moments of coupled blocks that others say, and how they say them."""
    readouts: Readouts = {}
    basis: list[Monomial] = []
    for block in blocks:
        readouts |= _dependents(recurrence, block, basis)
    if not readouts:
        return recurrence, {}
    rows = {m: _substituted(recurrence, row, readouts) for m, row in recurrence.rows.items() if m not in readouts}
    return evolve(recurrence, rows=rows, initial={m: recurrence.initial[m] for m in rows}), readouts


def _dependents(recurrence: Recurrence, block: list[Monomial], basis: list[Monomial]) -> Readouts:
    """Return the moments whose rows are combinations of rows before them, those of remembered statistics first; the
    others join the basis.
    """
    readouts: Readouts = {}
    for m in sorted(block, key=lambda m: (m.powers, m.logs)):
        weights = _combination(recurrence, m, basis) if len(block) > 1 else None
        if weights is None or not _holds_at_start(recurrence, m, weights):
            basis.append(m)
        else:
            readouts[m] = weights
    return readouts


def _combination(recurrence: Recurrence, m: Monomial, basis: list[Monomial]) -> dict[Monomial, Element] | None:
    """Return weights with row(m) = sum_l weight(l) row(l) over the basis, None where there are none."""
    rows, zero = recurrence.rows, recurrence.field.zero
    columns = dict.fromkeys(key for one in (m, *basis) for key in rows[one])
    equations = [[rows[one].get(key, zero) for one in (*basis, m)] for key in columns]
    answer = solved(equations, len(basis))
    return None if answer is None else {b: w for b, (w,) in zip(basis, answer, strict=True) if w}


def _holds_at_start(recurrence: Recurrence, m: Monomial, weights: Row) -> bool:
    """Return whether the combination holds for the initial values too."""
    try:
        values = {b: recurrence.field.at(w, n, recurrence.start) for b, w in weights.items()}
    except ZeroDivisionError:
        return False
    total: Expr = sum((recurrence.field.expr(w) * recurrence.initial[b] for b, w in values.items()), S.Zero)
    return (recurrence.initial[m] - total).together().cancel() == 0


def _substituted(recurrence: Recurrence, row: Row, readouts: Readouts) -> Row:
    """Return a row of fit n with what is read off model n - 1 put in."""
    field, total = recurrence.field, {}
    for key, weight in row.items():
        for other, scale in readouts[key].items() if key in readouts else ((key, None),):
            term = weight if scale is None else weight * field.before(scale, n)
            total[other] = total.get(other, field.zero) + term
    return {key: weight for key, weight in total.items() if weight}
