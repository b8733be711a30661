"""Schedules of whole numbers by one real symbol, such as M_k = ceiling(c k): where their sizes jump, exactly.

Between two jumps the schedule is the same for every value of the symbol, so that a search over the jumps finds the
least schedule of the family, and no bracket of any width can do more.
"""

from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from typing import Any

from sympy import Expr, Rational, S, Symbol, ceiling, floor

from theory.regimes import Regime, Schedule
from theory.symbols import n

MOST = 20_000
"""Jumps between two values up to which all are listed."""


def jumps(regime: Regime, symbol: Symbol, horizon: Expr, low: Expr, high: Expr) -> list[Expr] | None:
    """Return where sizes of the first fits jump, from the last jump at ``low`` or below it to the first at ``high`` or
    above, in order; None for sizes that are no whole part of w(k) symbol^e(k), or too many jumps.

    >>> c = Symbol("c", positive=True)
    >>> jumps(Schedule(ceiling(c * n)), c, S(2), S(3), S(4))
    [5/2, 3, 7/2, 4, 9/2]
    """
    curves = _curves(regime, symbol, horizon)
    if curves is None or sum(weight * high**power - weight * low**power for weight, power in curves) > MOST:
        return None
    found = {value for curve in curves for value in _of(*curve, low, high)}
    inside = sorted(x for x in found if low <= x <= high)
    before = max((x for x in found if x < low), default=S.Zero)
    return [before, *inside, min(x for x in found if x > high)]


def _curves(regime: Regime, symbol: Symbol, horizon: Expr) -> list[tuple[Expr, Expr]] | None:
    """Return (w, e) for every fit, M_k the whole part of w symbol^e, up or down."""
    sizes: Any = regime.sizes if isinstance(regime, Schedule) else None
    if not (isinstance(sizes, ceiling | floor) and horizon.is_Integer):
        return None
    pairs = [_power(sizes.args[0].subs(n, k), symbol) for k in range(1, int(horizon) + 1)]
    return pairs if all(weight.is_positive and power.is_positive for weight, power in pairs) else None


def _power(curve: Expr, symbol: Symbol) -> tuple[Expr, Expr]:
    weight, rest = curve.as_independent(symbol, as_Add=False)
    base, power = rest.as_base_exp()
    return (weight, power) if base == symbol and power.is_number else (S.NaN, S.NaN)


def _of(weight: Expr, power: Expr, low: Expr, high: Expr) -> Iterator[Expr]:
    """Yield where w symbol^e is whole, one beyond either end included."""
    first, last = floor(weight * low**power) - 1, ceiling(weight * high**power) + 1
    return ((j / weight) ** (1 / power) for j in range(max(int(first), 0), int(last) + 1))


def representative(regime: Schedule, low: Expr, high: Expr) -> Expr:
    """Return a value between two jumps next to each other, the end that belongs to them where it is a fraction."""
    end = high if isinstance(regime.sizes, ceiling) else low
    return end if end.is_Rational and end > 0 else simplest(low, high)


def simplest(low: Expr, high: Expr) -> Expr:
    """Return the fraction of least denominator strictly between two numbers, 0 <= low < high.

    >>> simplest(S(34), Rational(681, 20))
    715/21
    """
    whole = floor(low)
    if whole + 1 < high:
        return whole + 1
    if low == whole:
        return whole + Rational(1, int(floor(1 / (high - whole))) + 1)
    return whole + 1 / simplest(1 / (high - whole), 1 / (low - whole))


def first_after(between: list[Expr], regime: Schedule, holds: Callable[[Expr], bool]) -> tuple[Expr, Expr]:
    """Return values (fails, holds) in two neighbouring ranges between jumps, of which the last one holds."""
    ranges = [representative(regime, low, high) for low, high in pairwise(between)]
    fails, meets = 0, len(ranges) - 1
    while meets - fails > 1:
        middle = (fails + meets) // 2
        fails, meets = (fails, middle) if holds(ranges[middle]) else (middle, meets)
    return ranges[fails], ranges[meets]


def in_runs(sizes: tuple[int, ...]) -> str:
    """Return sizes with repetitions counted.

    >>> in_runs((9, 9, 9, 8))
    '3 x 9, 8'
    """
    runs = ((size, len(list(group))) for size, group in groupby(sizes))
    return ", ".join(str(size) if times == 1 else f"{times} x {size}" for size, times in runs)
