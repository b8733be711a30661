"""Whether two closed forms are the same function: decided by normal form one way, by a witness the other.

Nothing is called equal because its numbers are close, nor different because a normal form was not reached: equality
needs a difference that reduces to 0, inequality a point where the two sides differ by far more than 30 digits allow.
"""

from itertools import chain

from sympy import (
    Determinant,
    Dummy,
    Expr,
    Indexed,
    Product,
    Rational,
    S,
    Sum,
    Trace,
    cancel,
    expand_func,
    expand_log,
    gammasimp,
    oo,
    polygamma,
    powdenest,
)

from theory.balls import balls
from theory.errors import NoClosedForm
from theory.geometric import by_base
from theory.symbols import M, N, d, n

WITNESS = {n: S(2), M: S(12), d: S(3), N: S(3)}
"""Where two formulas are told apart; every other symbol gets a proper fraction of its own."""
DIGITS = 30
BITS = 200


def same(one: Expr, other: Expr) -> bool:
    """Return whether two expressions in n, M and other symbols are equal wherever both are defined.

    Raises:
        NoClosedForm: neither a normal form nor a witness decides.

    >>> same((1 - 1 / M) ** n, ((M - 1) / M) ** n), same((1 - 1 / M) ** n, (1 - 1 / M) ** (n + 1))
    (True, False)
    """
    one, other = _opaque(one, other)
    if {one, other} & {oo, -oo}:
        return one == other
    if one == other:
        return True
    if _apart(one - other):
        return False
    if _vanishes(one - other) or _same_course(one, other):
        return True
    raise NoClosedForm(f"{one} and {other} are neither reduced to one another nor told apart. Compare at numbers.")


def _opaque(*sides: Expr) -> list[Expr]:
    """Return both sides with traces and determinants as symbols of their own."""
    atoms = set(chain(*(side.atoms(Trace, Determinant) for side in sides)))
    names: dict[Expr, Expr] = {atom: Dummy(f"x{k}", positive=True) for k, atom in enumerate(sorted(atoms, key=str))}
    return [side.xreplace(names) for side in sides]


def _vanishes(difference: Expr) -> bool:
    """Return whether the coefficients of all exponentials reduce to 0, equal bases drawn together."""
    try:
        weights = by_base(difference)
    except NoClosedForm:
        return _is_zero(difference)
    groups: list[tuple[Expr, Expr]] = []
    for base, weight in weights.items():
        for k, (known, total) in enumerate(groups):
            if _is_zero(gammasimp(powdenest(base / known, force=True)) - 1):
                groups[k] = (known, total + weight)
                break
        else:
            groups.append((base, weight))
    return all(_is_zero(total) for _, total in groups)


def _is_zero(expr: Expr) -> bool:
    """Return whether Gamma ratios, digammas, logarithms and the rational rest reduce to 0."""
    for form in (expr, expand_func(gammasimp(expr)), expand_func(expr.rewrite(polygamma))):
        separated = expand_log(form.replace(_is_log, lambda one: one.func(one.args[0].factor())), force=True)
        if separated == 0 or cancel(separated.expand().together()) == 0:
            return True
    return False


def _is_log(expr: Expr) -> bool:
    return expr.func.__name__ == "log"


def _same_course(one: Expr, other: Expr) -> bool:
    """Return whether two sequences in n, one of them a sum or product over k <= n, start alike and take equal steps."""
    if not (one - other).atoms(Sum, Product):
        return False
    start = [expand_func(side.subs(n, 0).doit()) for side in (one, other)]
    growth = _ratio if (one - other).has(Product) else _increment
    return _is_zero(start[0] - start[1]) and _is_zero(growth(one) - growth(other))


def _increment(side: Expr) -> Expr:
    """Return side(n + 1) - side(n)."""
    return expand_func(_following(side) - side)


def _ratio(side: Expr) -> Expr:
    """Return side(n + 1)/side(n)."""
    return gammasimp(powdenest(_following(side) / side, force=True)).factor()


def _following(side: Expr) -> Expr:
    """Return side(n + 1), the last term of every sum and the last factor of every product written out."""
    last = {}
    for atom in side.atoms(Sum, Product):
        ((index, low, high),) = atom.limits
        step = atom.function.subs(index, high + 1)
        last[atom.func(atom.function, (index, low, high + 1))] = atom + step if isinstance(atom, Sum) else atom * step
    return side.subs(n, n + 1).xreplace(last)


def _apart(difference: Expr) -> bool:
    """Return whether the difference, evaluated at the witness to 30 digits, is far from 0."""
    free = sorted(difference.free_symbols, key=str)
    point = {s: WITNESS.get(s, Rational(1, 3) + Rational(k, 29)) for k, s in enumerate(free)}
    number = difference.subs(point).doit()
    entries = sorted(number.atoms(Indexed), key=str)
    value = number.xreplace({entry: S(7 + k) for k, entry in enumerate(entries)}).evalf(DIGITS)
    return bool(value.is_number and value.is_comparable and abs(value) > Rational(1, 10**12))


def at_most(one: Expr, other: Expr) -> bool:
    """Return whether one number is at most the other, equal by normal form or by enclosures that lie apart.

    Raises:
        NoClosedForm: neither decides.

    >>> at_most(S(2), S.Exp1), at_most(S(3), S.Exp1)
    (True, False)
    """
    if one == other or _is_zero(other - one):
        return True
    with balls(BITS) as arithmetic:
        gap = arithmetic.bounds(arithmetic.number(other - one))
    if gap.lower <= 0 <= gap.upper:
        raise NoClosedForm(f"{one} and {other} are not told apart by {BITS} bits. Compare at other numbers.")
    return bool(gap.lower > 0)
