"""Sampling: how points are drawn from a fitted model, faithfully or with a distortion.

The distortion is named here; what it does to a law is the family's knowledge (`Family.distorted`).
"""

from attrs import field, frozen
from sympy import Expr

from theory.exact import exact


class Sampling:
    """How a generation's points are drawn from the last model."""


@frozen
class Faithful(Sampling):
    """Points are drawn from the fitted law itself."""


def _temperature(value: object) -> Expr:
    tau = exact(value, "tau")
    if tau.is_positive is False:
        raise ValueError(f"Tempered(tau={tau}): a temperature is positive. Give tau > 0; tau = 1 is faithful sampling.")
    return tau


@frozen
class Tempered(Sampling):
    """Points are drawn from the density proportional to f^(1/tau), tau > 0."""

    tau: Expr = field(converter=_temperature)
