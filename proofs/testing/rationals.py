"""Exact numbers in the order in which they are tried: simple ones first, so that what is found is easy to read.

The simplicity of a rational p/q is |p| + q: 0, then 1 and -1, then 2, -2, 1/2 and -1/2, and so on.
"""

from collections.abc import Iterator
from itertools import product

from sympy import Expr, Integer, Rational

from theory import symbols

SIZES = tuple(map(Integer, (1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 100)))
"""Sizes of a generation that are tried."""


def simplicity(x: Expr) -> int:
    """Return |p| + q for x = p/q; smaller is simpler.

    >>> simplicity(Rational(-3, 2))
    5
    """
    return int(abs(x.p) + x.q)


RATIONALS = tuple(
    sorted(
        {Rational(p, q) for p, q in product(range(-6, 7), range(1, 8)) if abs(p) + q <= 9},
        key=lambda x: (simplicity(x), x.q, x.p < 0),
    )
)
"""Every rational of simplicity at most 9 with a numerator of at most 6, the simplest first."""


def within(symbol: Expr) -> tuple[Expr, ...]:
    """Return the numbers that the assumptions of a symbol allow, the simplest first.

    >>> from theory.symbols import V0
    >>> within(V0)[:5]
    (1, 2, 1/2, 3, 1/3)
    """
    return tuple(x for x in (SIZES if symbol.is_integer else RATIONALS) if _allowed(x, symbol))


def meant(symbol: Expr, has_variance: bool) -> tuple[Expr, ...]:
    """Return the numbers that a symbol of a loop stands for: where a variance is fitted, M >= 2, as one point has none.

    >>> from theory.symbols import M
    >>> meant(M, has_variance=True)[:2]
    (2, 3)
    """
    return tuple(x for x in within(symbol) if symbol != symbols.M or x >= 1 + int(has_variance))


def _allowed(x: Expr, symbol: Expr) -> bool:
    return all(getattr(x, f"is_{fact}", holds) == holds for fact, holds in symbol.assumptions0.items())


def laws(types: int) -> Iterator[tuple[Expr, ...]]:
    """Yield laws on so many types, the simplest first: the uniform one, then one type heavier, and so on.

    >>> next(laws(2)), len(list(laws(2)))
    ((1/2, 1/2), 5)
    """
    weights = {tuple(Rational(w, sum(ws)) for w in ws) for ws in product((1, 2, 3), repeat=types) if len({*ws}) < 3}
    yield from sorted(weights, key=lambda law: (sum(map(simplicity, law)), law))[:5]
