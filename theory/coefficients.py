"""Coefficients of an expansion, in a normal form in which 0 is 0 and which is quick to find.

A coefficient is read as a rational function of its symbols and of the powers, logarithms and other functions that stand
in it, every power first written over irreducible bases: ((1 - alpha)^2)^n is the square of (1 - alpha)^n.
"""

from collections.abc import Callable, Iterable, Iterator
from math import prod

from attrs import frozen
from sympy import Abs, Add, Dummy, Expr, Integer, Mul, Pow, S, Symbol, exp, factorint, floor, log
from sympy import gcd as common_unit

from theory.constants import separate_logarithms
from theory.domain import rational_sign
from theory.field import Element, Field

SMOOTH = 2**10
"""Prime factors of numbers are looked for up to here."""

Root = tuple[Expr, Expr]
"""(b, m) for the powers b^(r m), r rational: an irreducible base, and a product of symbols or 1."""
Split = tuple[Expr, dict[Root, Expr]]
"""(a, {(b, m): r}) for a product of a rational a and of the b^(r m)."""


def normal(weight: Expr) -> Expr:
    """Return a coefficient in a form in which 0 is 0, numerator and denominator expanded.

    >>> from theory.symbols import alpha, n
    >>> normal((1 - 2 * alpha + alpha**2) ** n / (1 - alpha) ** (2 * n - 1) - 1)
    -alpha
    """
    if weight.is_Rational:
        return weight
    if weight.is_number:
        number = (separate_logarithms(weight) if weight.has(log) else weight).expand()
        return S.Zero if number.is_Add and number.equals(0) else number
    return _written(weight, Field.expr)


def factored(weight: Expr) -> Expr:
    """Return a coefficient in irreducible factors.

    >>> from theory.symbols import alpha, n
    >>> factored((1 - 2 * alpha + alpha**2) ** n / alpha - 1 / alpha)
    ((1 - alpha)**(2*n) - 1)/alpha
    """
    return weight.factor() if weight.is_number else _written(weight, Field.factors)


def _written(weight: Expr, write: Callable[[Field, Element], Expr]) -> Expr:
    plain = separate_logarithms(weight) if weight.has(log) else weight
    names = _Names.of(plain)
    readable = plain.xreplace(names.images)
    over = Field(tuple(sorted(readable.free_symbols, key=str)))
    answer = write(over, over(readable)).xreplace(names.meanings)
    return answer.expand() if names.entangled and answer.is_Add else answer


@frozen(eq=False)
class _Names:
    """A letter for everything in an expression that is no rational function of symbols."""

    images: dict[Expr, Expr]
    """Every part with its image in letters."""
    meanings: dict[Expr, Expr]
    """What the letters stand for."""
    entangled: bool
    """Whether a root of a sum is among them, whose powers are rational functions again."""

    @classmethod
    def of(cls, expr: Expr) -> "_Names":
        parts, split = _taken_apart(expr)
        units = _units(split.values())
        letters = {root: Dummy(str(Pow(*root)), real=True) for root in units}
        meanings: dict[Expr, Expr] = {x: Pow(b, units[b, m] * m) for (b, m), x in letters.items()}
        images: dict[Expr, Expr] = {b: letters[b, m] ** (1 / units[b, m]) for b, m in units if m == 1 and b.is_Symbol}
        for part in parts - set(split):
            if not isinstance(part, Symbol):
                images[part] = Dummy(str(part), real=True)
                meanings[images[part]] = part
        for part, (rational, powers) in reversed(split.items()):
            roots = (letters[root] ** (power / units[root]) for root, power in powers.items())
            images[part] = rational.xreplace(images) * prod(roots)
        return cls(images, meanings, any(m == 1 and b.is_Add for b, m in units))


def _parts(expr: Expr) -> Iterator[Expr]:
    """Yield the symbols and whatever else sums, products and whole powers are made of."""
    if isinstance(expr, Add | Mul):
        for arg in expr.args:
            yield from _parts(arg)
    elif isinstance(expr, Pow) and expr.exp.is_Integer:
        yield from _parts(expr.base)
    elif not expr.is_Rational:
        yield expr


def _taken_apart(expr: Expr) -> tuple[set[Expr], dict[Expr, Split]]:
    """Return all parts of an expression, those of the rational factors of its powers included, and these powers."""
    parts, split, waiting = set(), {}, set(_parts(expr))
    while waiting:
        parts |= waiting
        new = {part: found for part in sorted(waiting, key=str) if (found := _split(part))}
        split |= new
        waiting = {part for rational, _ in new.values() for part in _parts(rational)} - parts
    return parts, split


def _units(split: Iterable[Split]) -> dict[Root, Expr]:
    """Return for every root an r of which all its powers, 1 among those of a symbol, are whole multiples."""
    units: dict[Root, Expr] = {}
    for _, powers in split:
        for (b, m), power in powers.items():
            start = S.One if m == 1 and b.is_Symbol else power
            units[b, m] = common_unit(units.get((b, m), start), power)
    return units


def _split(part: Expr) -> Split | None:
    """Return (a, {(b, m): r}) with a power equal to a prod b^(r m), (+-x, {}) for |x|; None for any other part."""
    if isinstance(part, Abs) and part.args[0].is_rational_function() and (sign := rational_sign(part.args[0])):
        return sign * part.args[0], {}
    if not isinstance(part, Pow | exp):
        return None
    base, exponent = part.as_base_exp()
    whole, found = S.One, {}
    for b, k in _factors(base, exponent):
        for term in Add.make_args((k * exponent).expand()):
            r, m = term.as_coeff_Mul()
            if m == 1 and not b.is_Symbol:
                whole, r = whole * b ** floor(r), r - floor(r)
            if r != 0:
                found[b, m] = found.get((b, m), S.Zero) + r
    return whole, {root: r for root, r in found.items() if r != 0}


def _factors(base: Expr, exponent: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Yield (b, k) with base^exponent = prod b^(k exponent), every b irreducible where that holds on the domain."""
    if base.is_Symbol or not base.is_rational_function():
        yield base, S.One
        return
    parts = [part for factor in Mul.make_args(base.factor()) for part in _positive(*factor.as_base_exp())]
    known = all(rational_sign(b) == 1 for b, _ in parts if b != -1)
    negative = sum(k for b, k in parts if b == -1) % 2
    if exponent.is_integer or (known and not negative):
        yield from ((b, k) for b, k in parts if b != -1)
        if negative:
            yield S.NegativeOne, S.One
    else:
        yield base, S.One


def _positive(base: Expr, k: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Yield the factors of base^k: those of a number; or base, with -1 where it is negative on the domain."""
    if base.is_Rational:
        for number, sign in ((base.p, 1), (base.q, -1)):
            yield from ((Integer(f), sign * e * k) for f, e in factorint(number, limit=SMOOTH).items() if f != 1)
    elif rational_sign(base) == -1:
        yield -base, k
        yield S.NegativeOne, k
    else:
        yield base, k
