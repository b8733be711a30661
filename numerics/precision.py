"""In which floating-point formats a loop is simulated, and whether its laws are drawn without any error of theirs."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from attrs import field, frozen
from jax import Array

from numerics import elementary

NAMES = ("f64", "mixed", "f32")


def _known(made: "Precision", attribute: Any, value: str) -> None:
    del made, attribute
    if value not in NAMES:
        raise ValueError(f"precision = {value!r} is no precision. Choose one of {', '.join(NAMES)}.")


@frozen
class Precision:
    """How exactly a loop is simulated.

    Args:
        name: "f64"; "mixed", float32 for innovations and float64 for the state; or "f32" for all.
        exact: whether laws are drawn by rejection where the default is an approximation of stated error.
    """

    name: str = field(default="f64", validator=_known)
    exact: bool = False

    @property
    def innovations(self) -> Any:
        """The type of normal and chi-square innovations."""
        return float if self.name == "f64" else jnp.float32

    @property
    def table(self) -> str:
        """The precision that approximations of laws are made for."""
        return "f64" if self.name == "f64" else "f32"

    @property
    def exp(self) -> Callable[[Array], Array]:
        """The exponential of the state: what is drawn in float32 needs no more digits."""
        return elementary.exp if self.name == "f64" else elementary.short_exp

    def tracing(self) -> Any:
        """Return the context in which a program is traced and run."""
        return jax.enable_x64(self.name != "f32")
