"""Whether two exact real numbers are equal: decided where it can be, and said honestly where it cannot.

Different numbers are told apart by enclosures in ball arithmetic. Equal ones are recognised by their normal form, or,
for sums, products, quotients and roots of integers, by an enclosure narrower than their separation bound.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from math import prod
from typing import Any, Literal

from flint import acb, arb, ctx, fmpq
from sympy import (
    Add,
    Expr,
    Mul,
    Pow,
    S,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    expand_func,
    expand_log,
    gamma,
    log,
    loggamma,
    polygamma,
    sin,
    sinh,
    tanh,
    zeta,
)

DIGITS = 50
"""Relative accuracy to which two numbers agree that are neither told apart nor decided to be equal."""
Verdict = Literal["equal", "equal to 50 digits", "different"]
_UNDEFINED = (S.NaN, S.ComplexInfinity, S.Infinity, S.NegativeInfinity)


def compare(one: Expr, two: Expr) -> Verdict:
    """Return whether two exact numbers are equal, both given as SymPy expressions without symbols.

    Raises:
        ValueError: a function of which no enclosure is known.

    >>> from sympy import EulerGamma, Rational, sqrt
    >>> compare(sqrt(5 + 2 * sqrt(6)), sqrt(2) + sqrt(3)), compare(EulerGamma, Rational(228, 395))
    ('equal', 'different')
    >>> compare(gamma(Rational(1, 3)) * gamma(Rational(2, 3)), 2 * S.Pi / sqrt(3))
    'equal to 50 digits'
    """
    if one.has(*_UNDEFINED) or two.has(*_UNDEFINED):
        return "equal" if one == two and one in _UNDEFINED[2:] else "different"
    difference = expand_log(expand_func(one - two), factor=True).expand()
    if difference.is_Rational:
        return "equal" if difference == 0 else "different"
    return _separated(difference) if _built_from_roots(difference) else _enclosed(difference, one)


def vanishes(expr: Expr) -> bool:
    """Return whether an expression is 0 by its normal form, a quotient of polynomials in all that it is built of.

    >>> from sympy.abc import x
    >>> vanishes((x**2 - 1) / (x - 1) - x - 1), vanishes(sin(x) ** 2 + cos(x) ** 2 - 1)
    (True, False)
    """
    return expr.together().cancel() == 0 or expr.expand().together().cancel() == 0


def _enclosed(difference: Expr, scale: Expr) -> Verdict:
    """Enclose at doubling precision until 0 lies outside, or the difference is known to ``DIGITS`` digits."""
    bits = _BITS
    while bits <= _MOST_BITS:
        with ctx.workprec(bits):
            ball, size = abs(enclosure(difference)), abs(enclosure(scale))
            if not ball.contains(0):
                return "different"
            if ball <= (size if size > 1 else arb(1)) * arb(10) ** -DIGITS:
                return "equal to 50 digits"
        bits *= 2
    raise ValueError(
        f"{difference} is not known to {DIGITS} digits even at {_MOST_BITS} bits. "
        "Write the formula with less cancellation."
    )


_BITS, _MOST_BITS = 256, 2**14

# Separation bound ----------------------------------------------------------------------------------------------------


def _built_from_roots(x: Expr) -> bool:
    """Return whether a number is made of rationals by + - * / and real roots."""
    if x.is_Rational:
        return True
    if isinstance(x, Pow):
        return x.exp.is_Rational and x.base.is_nonnegative is True and _built_from_roots(x.base)
    return isinstance(x, Add | Mul) and all(map(_built_from_roots, x.args))


def _separated(x: Expr) -> Verdict:
    """Decide x = 0: unless it is, |x| >= 1/(l u^(D-1)), D being the product of the degrees of its roots.

    Source: Burnikel, Funke, Mehlhorn, Schirra and Schmitt, A separation bound for real algebraic expressions (2001).
    """
    degree = prod({node: node.exp.q for node in x.atoms(Pow)}.values())
    upper, lower = _bits(x)
    bits = (degree - 1) * upper + lower + 1
    if bits > _MOST_BITS:
        return _enclosed(x, S.One)
    with ctx.workprec(bits + _BITS):
        return "equal" if abs(enclosure(x)) < arb(2) ** -bits else "different"


def _bits(x: Expr) -> tuple[int, int]:
    """Return (log2 u, log2 l), rounded up: x = U/L, the conjugates of the algebraic integers U, L at most u and l."""
    if x.is_Rational:
        return abs(x.p).bit_length(), x.q.bit_length()
    if isinstance(x, Add):
        return reduce(_of_sum, map(_bits, x.args))
    if isinstance(x, Mul):
        bits = [_bits(factor) for factor in x.args]
        return sum(u for u, _ in bits), sum(lower for _, lower in bits)
    return _of_power(_bits(x.base), int(x.exp.p), int(x.exp.q))


def _of_sum(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    return max(one[0] + two[1], two[0] + one[1]) + 1, one[1] + two[1]


def _of_power(bits: tuple[int, int], p: int, q: int) -> tuple[int, int]:
    """(U/L)^(1/q) is (U L^(q-1))^(1/q)/L, and also U/(U^(q-1) L)^(1/q)."""
    u, lo = (abs(p) * b for b in (bits if p > 0 else bits[::-1]))
    if q == 1:
        return u, lo
    return (-(-(u + (q - 1) * lo) // q), lo) if u >= lo else (u, -(-((q - 1) * u + lo) // q))


# Enclosures ----------------------------------------------------------------------------------------------------------


def enclosure(x: Expr) -> Any:
    """Return a ball that holds an exact number, at the working precision."""
    if x.is_Rational:
        return acb(arb(fmpq(int(x.p), int(x.q))))
    if x in _CONSTANTS:
        return _CONSTANTS[x]()
    if isinstance(x, Add | Mul):
        return reduce(lambda a, b: a + b if isinstance(x, Add) else a * b, map(enclosure, x.args))
    if isinstance(x, Pow) and x.exp.is_Integer:
        return enclosure(x.base) ** int(x.exp)
    if x.func not in FUNCTIONS:
        raise ValueError(f"no enclosure of {x.func} is known, in {x}. Write it in {', '.join(map(str, FUNCTIONS))}.")
    return FUNCTIONS[x.func](*map(enclosure, x.args))


def _polygamma(order: Any, x: Any) -> Any:
    return x.digamma() if order == 0 else x.polygamma(order)


_CONSTANTS: Mapping[Expr, Callable[[], Any]] = {
    S.Pi: lambda: acb(arb.pi()),
    S.Exp1: lambda: acb(1).exp(),
    S.EulerGamma: lambda: acb(arb.const_euler()),
    S.ImaginaryUnit: lambda: acb(0, 1),
}
FUNCTIONS: Mapping[Any, Callable[..., Any]] = {
    Pow: acb.pow,
    exp: acb.exp,
    log: acb.log,
    gamma: acb.gamma,
    loggamma: acb.lgamma,
    polygamma: _polygamma,
    sin: acb.sin,
    cos: acb.cos,
    sinh: acb.sinh,
    cosh: acb.cosh,
    tanh: acb.tanh,
    erf: acb.erf,
    erfc: acb.erfc,
    zeta: acb.zeta,
}
"""The functions that can be enclosed."""
