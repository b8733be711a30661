"""log p(curve | a loop's symbols): the one-step laws along the curve, their logarithms added up."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from numerics.fitting.density import log_density
from numerics.fitting.one_step import MEAN_SQUARE, VarianceLaw, variance_laws
from numerics.lifting import letters
from numerics.printer import to_jax
from theory import symbols
from theory.loop import Loop

Values = Mapping[str, Any]
"""Values of the symbols by name."""

_CARRIED = (symbols.V, symbols.V0, MEAN_SQUARE, symbols.n)


@cache
def curve_law(loop: Loop) -> "CurveLaw":
    """Return the compiled law of a curve of variances.

    Raises:
        NotClosed: a loop whose next variance has no known law given this one.
    """
    return CurveLaw(loop)


class CurveLaw:
    """The one-step laws of a loop as functions of arrays: V, V0, B, n and the loop's symbols."""

    def __init__(self, loop: Loop) -> None:
        first, later = variance_laws(loop)
        self.letters = letters(loop)
        self.reads_source = any(_reads(law, (symbols.V0, MEAN_SQUARE)) for law in (first, later))
        self.counts = _reads(later, (symbols.n,)) or first != later
        self._later = self._functions(later)
        self._first = self._later if first == later else self._functions(first)
        self._mean_square = to_jax(later.mean_square, (*_CARRIED, *self.letters))
        self.hides_mean = later.reads_mean

    def _functions(self, law: VarianceLaw) -> tuple[Callable[..., Any], ...]:
        arguments = (*_CARRIED, *self.letters)
        return tuple(to_jax(exprs, arguments) for exprs in ([law.offset], law.scales, law.degrees))

    def steps(self, values: Values, V: Array, first: int) -> Array:
        """Return log p(V_n+1 | V_n) along curves V of shape (runs, generations), in units of V_first.

        NaN, behind the end of a run, gives 0.
        """
        densities = [_log_density(*piece) for piece in self._pieces(values, V, first)]
        return jnp.where(jnp.isfinite(V[:, 1:]), jnp.concatenate(densities, axis=1), 0.0)

    def residuals(self, values: Values, V: Array, first: int) -> Array:
        """Return (V_n+1 - mean)/sd given V_n along curves; NaN behind the end of a run."""
        parts = [_standardised(*piece) for piece in self._pieces(values, V, first)]
        return jnp.where(jnp.isfinite(V[:, 1:]), jnp.concatenate(parts, axis=1), jnp.nan)

    def _pieces(self, values: Values, V: Array, first: int) -> list[tuple[Any, Any, Any, Any]]:
        """Return the next values, offsets, scales and degrees of the first fit, where it is seen, and of the others."""
        given = tuple(values[str(x)] for x in self.letters)
        n = jnp.arange(first + 1, first + V.shape[1])
        B = self._squares(given, V, n)
        before, after = (jnp.where(jnp.isfinite(x), x, 1.0) for x in (V[:, :-1], V[:, 1:]))
        at = before, jnp.ones_like(before), B, jnp.broadcast_to(n, before.shape), *given
        own = int(first == 0 and self._first is not self._later)
        laws = [(self._first, slice(0, own)), (self._later, slice(own, None))][1 - own :]
        return [(after[:, cut], *_at(law, [_cut(x, cut) for x in at])) for law, cut in laws]

    def _squares(self, given: tuple, V: Array, n: Array) -> Array:
        """Return E (mu_n - mu0)^2 given V_0..V_n, for the models before each refit."""
        if not self.hides_mean:
            return jnp.zeros_like(V[:, :-1])

        def onward(B: Array, here: tuple[Array, Array]) -> tuple[Array, Array]:
            return self._mean_square(here[0], jnp.ones_like(B), B, here[1], *given), B

        return jax.lax.scan(onward, jnp.zeros(len(V)), (V[:, :-1].T, n.astype(float)))[1].T

    def mean_square(self, values: Values, V: Array) -> Array:
        """Return E (mu - mu0)^2 of the last model of a curve that begins at generation 0, in units of V_0."""
        given = tuple(values[str(x)] for x in self.letters)
        n = jnp.arange(1, V.shape[1] + 1)
        return self._squares(given, jnp.concatenate([V, V[:, -1:]], axis=1), n)[:, -1]


def _at(law: tuple[Callable[..., Any], ...], at: list) -> tuple[Array, Array, Array]:
    (offset,), scales, degrees = (function(*at) for function in law)
    return offset, jnp.stack(scales, axis=-1), jnp.stack(degrees, axis=-1)


def _log_density(after: Array, offset: Array, scales: Array, degrees: Array) -> Array:
    value = log_density(after - offset, scales, jnp.maximum(degrees, 0.0))
    return jnp.where((degrees > -1e-6).all(-1), value, -jnp.inf)


def _standardised(after: Array, offset: Array, scales: Array, degrees: Array) -> Array:
    mean, variance = offset + (scales * degrees).sum(-1), 2 * (scales**2 * degrees).sum(-1)
    return (after - mean) / jnp.sqrt(variance)


def _cut(x: Any, columns: slice) -> Any:
    return x[:, columns] if jnp.ndim(x) == 2 else x


def _reads(law: VarianceLaw, letters_: tuple) -> bool:
    return any(expr.free_symbols & set(letters_) for expr in (law.offset, *law.scales, *law.degrees))
