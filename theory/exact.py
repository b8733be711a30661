"""Coercion of the user's numbers to exact SymPy values.

A float that slips into an exact derivation makes every later equality a guess, so it is refused by name.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sympy import Expr, Float, SympifyError, sympify
from sympy.utilities.iterables import iterable


def exact(value: object, name: str) -> Expr:
    """Return ``value`` as an exact SymPy expression.

    Args:
        value: an integer, fraction, SymPy expression or anything `sympify` reads, floats excepted.
        name: what the value is called, for the error.

    Raises:
        ValueError: a float, or an expression that holds one; something that is no expression, or not real.

    >>> from fractions import Fraction
    >>> exact(Fraction(1, 10), "alpha")
    1/10
    """
    expr: Any = None
    with suppress(SympifyError):
        expr = sympify(value)
    if not isinstance(expr, Expr) or expr.is_extended_real is False:
        raise ValueError(
            f"{name} = {value!r} is not a real number or expression. Give an integer, a Rational or a symbol."
        )
    if expr.has(Float):
        raise ValueError(
            f"{name} = {value} is a float, and theory is exact. "
            f"Write Rational('{value}'), or Rational({value}) for the exact binary value of a measured number."
        )
    return expr


def finite(value: object, name: str) -> Expr:
    """Return ``value`` as an exact SymPy expression that is not infinite.

    >>> finite("1/3", "mu0")
    1/3
    """
    expr = exact(value, name)
    if expr.is_infinite:
        raise ValueError(f"{name} = {expr} is infinite. Give a finite number or a symbol.")
    return expr


def sequence(values: Any, name: str) -> tuple[Expr, ...]:
    """Return the entries of a list as exact SymPy expressions, none of them infinite.

    >>> sequence([1, "1/3"], "mean")
    (1, 1/3)
    """
    if isinstance(values, str) or not iterable(values, exclude=None):
        raise ValueError(f"{name} = {values!r} is no list of numbers. Give a list, such as [1, 2].")
    return tuple(finite(value, f"{name}[{k}]") for k, value in enumerate(values))


def generation_number(n: Any, least: int = 0) -> int:
    """Return the number of a generation as an integer.

    Raises:
        ValueError: no whole number, or one below ``least``.

    >>> generation_number(3)
    3
    """
    number = sympify(n)
    if not number.is_Integer or number < least:
        raise ValueError(f"n = {n} is not a generation. Give a whole number >= {least}.")
    return int(number)


def counted(name: str, problem: str) -> Callable[[object], Expr]:
    """Return the converter of a whole number >= 1 or a symbol; ``problem`` says what is wrong with another number.

    >>> counted("steps", "steps = {}: steps are counted.")(3)
    3
    """

    def checked(value: object) -> Expr:
        number = exact(value, name)
        if number.is_number and not (number.is_Integer and number >= 1):
            raise ValueError(f"{problem.format(number)} Give a whole number >= 1.")
        return number

    return checked


def share(name: str, problem: str) -> Callable[[object], Expr]:
    """Return the converter of a number in [0, 1]; ``problem`` says what is wrong with another, {} standing for it.

    >>> share("w", "w = {} is no weight.")("1/3")
    1/3
    """

    def checked(value: object) -> Expr:
        number = exact(value, name)
        if number.is_number and not 0 <= number <= 1:
            raise ValueError(f"{problem.format(number)} Give 0 <= {name} <= 1.")
        return number

    return checked
