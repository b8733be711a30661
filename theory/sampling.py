"""Sampling: how points are drawn from a fitted model, faithfully or with a distortion.

The distortion is named here; what it does to a law is the family's knowledge (`Family.distorted`).
"""

from collections.abc import Callable
from typing import Any

from attrs import field, frozen
from sympy import Expr

from theory.exact import exact, share


class Sampling:
    """How a generation's points are drawn from the last model."""


@frozen
class Faithful(Sampling):
    """Points are drawn from the fitted law itself."""


def _positive(what: str, hint: str) -> Callable[[object], Any]:
    def checked(value: object) -> Expr:
        number = exact(value, what.split("(")[1].rstrip("="))
        if number.is_positive is False:
            raise ValueError(f"{what}{number}): {hint}")
        return number

    return checked


@frozen
class Tempered(Sampling):
    """Points are drawn from the density proportional to f^(1/tau), tau > 0."""

    tau: Expr = field(
        converter=_positive("Tempered(tau=", "a temperature is positive. Give tau > 0; tau = 1 is faithful sampling.")
    )


@frozen
class VarianceFactor(Sampling):
    """Points are drawn with lam times the model's variance about the same mean, lam > 0."""

    lam: Expr = field(
        converter=_positive("VarianceFactor(lam=", "a variance stays positive. Give lam > 0; 1 is faithful sampling.")
    )


@frozen
class Truncated(Sampling):
    """Points are drawn from the model cut at h standard deviations on both sides of its mean, h > 0."""

    h: Expr = field(converter=_positive("Truncated(h=", "the cut lies outside the mean. Give h > 0."))


def _mass(value: object) -> Expr:
    p = exact(value, "p")
    if p.is_number and not 0 < p <= 1:
        raise ValueError(f"TopP(p={p}): the mass kept lies in (0, 1]. Give 0 < p <= 1; 1 is faithful sampling.")
    return p


@frozen
class TopP(Sampling):
    """Points are drawn from the fewest most probable types that hold at least the mass p, renormalised."""

    p: Expr = field(converter=_mass)


def _count(value: object) -> Expr:
    k = exact(value, "k")
    if k.is_number and not (k.is_Integer and k >= 1):
        raise ValueError(f"TopK(k={k}): a whole number of types is kept. Give k >= 1.")
    return k


@frozen
class TopK(Sampling):
    """Points are drawn from the k most probable types, renormalised."""

    k: Expr = field(converter=_count)


@frozen
class MinP(Sampling):
    """Points are drawn from the types at least p times as probable as the most probable one, renormalised.

    All types that reach the threshold are kept, equal ones alike. p = 0 is faithful sampling, p = 1 keeps the mode.
    """

    p: Expr = field(converter=share("p", "MinP(p={}): the threshold is a share of the largest probability."))
