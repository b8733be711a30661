"""A closed form turned round: the value of a symbol at which a quantity takes a given value, in symbols.

Turning a formula round takes branches on trust, so the answer is put back: at exact points the recurrence says which
value the quantity has, and the answer must give the point.
"""

from collections.abc import Iterator

from attrs import frozen
from sympy import Dummy, Expr, Rational, S, Symbol, exp, expand_power_base, log, oo

from theory.enclosing import enclosure
from theory.errors import NoClosedForm, NotClosed
from theory.isolation import isolated
from theory.quantities import Quantity
from theory.stationary import is_share
from theory.symbols import n

POINTS = 3
"""Exact points at which an answer is put back."""
COUNTS = (S(12), S(60), S(24), S(36))
SHARES = (Rational(1, 2), Rational(1, 4), Rational(1, 3), Rational(3, 4))
FACTORS = (Rational(4, 3), S(2), Rational(1, 3), Rational(5, 2))
"""Values of numbers of points, of shares and of other symbols, of which shares of the points are whole."""
CLOSE = Rational(1, 2) ** 200


@frozen
class Inverse:
    """``expression`` in the symbols, and whether the quantity rises or falls there; None where points disagree."""

    expression: Expr
    rising: bool | None


def inverse(quantity: Quantity, symbol: Symbol, bound: Expr, horizon: Expr) -> Inverse | None:
    """Return the value of the symbol at which the quantity is the bound, None where it cannot be written down.

    >>> from theory import Gaussian, Loop, M, V0
    >>> from theory.quantities import quantity
    >>> variance = quantity(Loop(Gaussian()), Gaussian.V)
    >>> inverse(variance, M, V0 * Rational(9, 10), n)
    Inverse(expression=-1/((9/10)**(1/n) - 1), rising=True)
    """
    try:
        closed = quantity.closed(oo if horizon == oo else n)
    except (NoClosedForm, NotClosed):
        return None
    x, value = Dummy(symbol.name, positive=symbol.is_positive, real=True), _value(bound, closed)
    for found in isolated(closed.xreplace({symbol: x}), x, value):
        tried = list(_tried(quantity, symbol, found, value, horizon))
        if len(tried) > 1 and None not in tried:
            answer = found.subs(value, bound)
            there = answer if horizon == oo else answer.subs(n, horizon)
            return Inverse(_short(there), tried[0] if len(set(tried)) == 1 else None)
    return None


def _value(bound: Expr, closed: Expr) -> Dummy:
    positive = bool(bound.is_positive or closed.is_positive) or None
    return Dummy("value", positive=positive, real=True)


def _short(answer: Expr) -> Expr:
    forms = [answer, answer.together()]
    if not answer.has(exp, log):  # their arguments would be drawn into the polynomials, as roots of a high order
        forms += [answer.factor(), expand_power_base(answer).cancel()]
    return min(forms, key=lambda form: form.count_ops())


def _tried(quantity: Quantity, symbol: Symbol, found: Expr, value: Dummy, horizon: Expr) -> Iterator[bool | None]:
    """Yield, for each exact point, whether the quantity rises there; None where the answer does not give the point."""
    taken = 0
    for k, at in enumerate(_points(quantity, symbol)):
        generation = oo if horizon == oo else S(k + 1)
        try:
            here = quantity.put(at).value(generation)
            beyond = quantity.put(at | {symbol: _next(quantity, symbol, at[symbol])}).value(generation)
        except ValueError:
            continue  # these numbers make no loop, or the quantity does not exist there
        if not (here.is_finite and beyond.is_finite) or (difference := (beyond - here).evalf(20)) == 0:
            continue
        back = found.subs({value: here, n: generation, **at})
        yield bool(difference > 0) if _is(back, at[symbol]) else None
        taken += 1
        if taken == POINTS:
            return


def _points(quantity: Quantity, symbol: Symbol) -> Iterator[dict[Symbol, Expr]]:
    symbols = sorted(quantity.loop.free_symbols | {symbol}, key=str)
    for k in range(2 * len(COUNTS)):
        yield {s: _kind(quantity, s)[(k + j) % len(COUNTS)] for j, s in enumerate(symbols)}


def _kind(quantity: Quantity, symbol: Symbol) -> tuple[Expr, ...]:
    if symbol.is_integer:
        return COUNTS
    return SHARES if is_share(quantity.loop, symbol) else FACTORS


def _next(quantity: Quantity, symbol: Symbol, at: Expr) -> Expr:
    """Return a larger value of the symbol."""
    if symbol.is_integer:
        return 2 * at
    return (1 + 3 * at) / 4 if is_share(quantity.loop, symbol) else at * Rational(5, 4)


def _is(back: Expr, point: Expr) -> bool:
    if back == point:
        return True
    near = enclosure(back - point, {}, 512)
    return near is not None and S.Zero in near and near.radius < CLOSE
