"""The exact points at which a claim is tried: few, fixed, and in a stated order, so that a first failure is smallest.

The order is M first, then the simplicity of the other values together.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product
from typing import Any

from attrs import evolve, frozen
from sympy import And, Expr, Indexed, IndexedBase, Rational, S, Symbol, true

from proofs.testing.rationals import laws, meant, simplicity, within
from theory import Categorical, Loop, symbols

Value = Any
"""A rational, or a tuple of them for the law of a categorical source."""


@frozen(eq=False)
class Point:
    """Exact values for the symbols of a claim; ``p0`` stands for the whole law of a categorical source."""

    values: Mapping[Any, Value]

    @property
    def rank(self) -> tuple[int, int]:
        """M, and the simplicity of the other values."""
        size = self.values.get(symbols.M, S.Zero)
        return int(size), sum(_simplicity(x) for symbol, x in self.values.items() if symbol != symbols.M)

    def loop(self, loop: Loop) -> Loop:
        """Return the loop in numbers."""
        if symbols.p0 in self.values:
            loop = evolve(loop, family=Categorical(self.values[symbols.p0]))
        return loop.substitute(self._numbers)

    def put(self, expr: Expr) -> Expr:
        """Return an expression in the loop's symbols with the values put in."""
        law = self.values.get(symbols.p0)
        return (expr if law is None else at_law(expr, symbols.p0, law)).xreplace(self._numbers)

    @property
    def _numbers(self) -> dict[Symbol, Expr]:
        return {symbol: x for symbol, x in self.values.items() if symbol != symbols.p0}

    def __str__(self) -> str:
        """Return ``M = 2, V0 = 1``."""
        ordered = sorted(self.values.items(), key=lambda item: (item[0] != symbols.M, str(item[0])))
        return ", ".join(f"{symbol} = {value}" for symbol, value in ordered)


def at_law(expr: Expr, base: IndexedBase, law: tuple[Any, ...]) -> Expr:
    """Return an expression with numbers for base[0], base[1], ... and their count for K, sums over types written out.

    >>> at_law(Categorical.collision, symbols.p, (Rational(1, 2), Rational(1, 2)))
    1/2
    """
    written = expr.subs(symbols.K, len(law)).doit()
    return written.xreplace({base[k]: Rational(x.numerator, x.denominator) for k, x in enumerate(law)}).doit()


def _simplicity(value: Value) -> int:
    return sum(map(simplicity, value)) if isinstance(value, tuple) else simplicity(value)


def grid(loop: Loop, relevant: set[Any], count: int, where: Iterable[Any]) -> list[Point]:
    """Return about ``count`` points, the same number for every M, in order.

    Args:
        loop: values that describe no loop are left out, such as an alpha for which alpha*M is not whole.
        relevant: the symbols that matter; the others keep their simplest value and are not named.
        count: how many points.
        where: relations between the symbols that must hold.
    """
    symbolic = relevant & {*coordinates(loop)}
    condition = And(*where)
    counts = meant(symbols.M, loop.family.has_variance)
    sizes = [Point({symbols.M: size}) for size in counts] if symbols.M in symbolic else [Point({})]
    usable = {at: _of_size(loop, symbolic, at, condition) for at in sizes}
    share = -(-count // len(usable))
    return [point for points in usable.values() for point in islice(points, share)]


def coordinates(loop: Loop) -> list[Any]:
    """Return the symbols of a loop, and p0 for a categorical source that is left symbolic."""
    return [*sorted(loop.free_symbols, key=str), *([symbols.p0] if loop.law == Categorical() else [])]


def _of_size(loop: Loop, symbolic: set[Any], at: Point, condition: Any) -> Iterator[Point]:
    others = sorted(symbolic - {symbols.M}, key=str)
    choices = [_choices(symbol) for symbol in others]
    points = (Point({**at.values, **dict(zip(others, values, strict=True))}) for values in product(*choices))
    for point in sorted(points, key=lambda point: point.rank):
        if point.put(condition) is true and _describes(loop, point):
            yield point


def _choices(symbol: Any) -> list[Value]:
    if symbol == symbols.p0:
        return [law for types in (2, 3, 4) for law in laws(types)]
    return list(within(symbol)[:_WIDTH])


_WIDTH = 12
"""How many values of one symbol are combined with those of the others."""


def _describes(loop: Loop, point: Point) -> bool:
    try:
        return point.loop(loop) is not None
    except ValueError:
        return False


def strangers(formula: Expr, loop: Loop) -> list[str]:
    """Return the names in a formula that are neither n nor the loop's."""
    known = {symbols.n, *coordinates(loop)}
    if symbols.p0 in known:
        known |= {symbols.K, symbols.p0.label}
    found = formula.free_symbols | formula.atoms(Indexed)
    return sorted({str(x) for x in found if not (x in known or (isinstance(x, Indexed) and x.base in known))})
