"""log p(curve | a loop's symbols, a run's hidden numbers): one-step laws along the curve, their logarithms added up.

Hidden numbers are the chi-squares that a run remembers of its first fit, the squares of real points that are kept; a
row of them goes with every run.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from numerics.fitting.density import log_density
from numerics.fitting.hidden import chi_square_at
from numerics.fitting.one_step import VarianceLaw, memory, variance_laws
from numerics.lifting import letters
from numerics.printer import to_jax
from theory import symbols
from theory.loop import Loop

Values = Mapping[str, Any]
"""Values of the symbols by name."""


@cache
def curve_law(loop: Loop) -> "CurveLaw":
    """Return the compiled law of a curve of variances.

    Raises:
        NotClosed: a loop whose next variance has no known law given this one.
    """
    return CurveLaw(loop)


class CurveLaw:
    """The one-step laws of a loop as functions of arrays: V, V0, moments, hidden numbers, n and the loop's symbols."""

    def __init__(self, loop: Loop) -> None:
        first, later = variance_laws(loop)
        self.letters, self.memory = letters(loop), memory(loop)
        moments, squares = self.memory.moments, tuple(law.symbol for law in self.memory.squares)
        self._arguments = (symbols.V, symbols.V0, *moments, *squares, symbols.n, *self.letters)
        self.reads_source = any(_reads(law, (symbols.V0, *moments)) for law in (first, later))
        self._later = self._functions(later)
        self._first = self._later if first == later else self._functions(first)
        self._moments = to_jax(later.moments, self._arguments)
        self._degrees = to_jax([law.df for law in self.memory.squares], self.letters)
        self.hides_mean = later.reads_mean

    def _functions(self, law: VarianceLaw) -> tuple[Callable[..., Any], ...]:
        return tuple(to_jax(exprs, self._arguments) for exprs in ([law.offset], law.scales, law.degrees))

    @property
    def hidden(self) -> int:
        """How many hidden numbers a run has."""
        return len(self.memory.squares)

    def squares(self, values: Values, V: Array, first: int, u: Array) -> tuple[Array, Array]:
        """Return the hidden numbers of curves at places u of the unit interval, shape (runs, hidden), and their log
        weights.
        """
        if not self.hidden:
            return u, jnp.zeros_like(u)
        (degrees,) = self._degrees(*(values[str(x)] for x in self.letters))
        none, one = (self._pieces(values, V, first, jnp.full_like(u, x)) for x in (0.0, 1.0))
        # What is kept is linear in its squares, and every variance that is seen has to be more.
        room = jnp.concatenate([(a[0] - a[1]) / (b[1] - a[1]) for a, b in zip(none, one, strict=True)], axis=1)
        bound = jnp.where(jnp.isfinite(V[:, 1:]), room, jnp.inf).min(axis=1)
        return chi_square_at(u, degrees, bound[:, None])

    def steps(self, values: Values, V: Array, first: int, squares: Array) -> Array:
        """Return log p(V_n+1 | V_n) along curves V of shape (runs, generations), in units of V_first.

        NaN, behind the end of a run, gives 0. ``squares`` are the runs' hidden numbers, shape (runs, hidden).
        """
        densities = [_log_density(*piece) for piece in self._pieces(values, V, first, squares)]
        return jnp.where(jnp.isfinite(V[:, 1:]), jnp.concatenate(densities, axis=1), 0.0)

    def residuals(self, values: Values, V: Array, first: int, squares: Array) -> Array:
        """Return (V_n+1 - mean)/sd given V_n along curves; NaN behind the end of a run."""
        parts = [_standardised(*piece) for piece in self._pieces(values, V, first, squares)]
        return jnp.where(jnp.isfinite(V[:, 1:]), jnp.concatenate(parts, axis=1), jnp.nan)

    def _pieces(self, values: Values, V: Array, first: int, squares: Array) -> list[tuple[Any, Any, Any, Any]]:
        """Return the next values, offsets, scales and degrees of the first fit, where it is seen, and of the others."""
        given = tuple(values[str(x)] for x in self.letters)
        n = jnp.arange(first + 1, first + V.shape[1])
        moments = self._along(given, V, n)
        before, after = (jnp.where(jnp.isfinite(x), x, 1.0) for x in (V[:, :-1], V[:, 1:]))
        held = (jnp.broadcast_to(x[:, None], before.shape) for x in squares.T)
        at = before, jnp.ones_like(before), *moments, *held, jnp.broadcast_to(n, before.shape), *given
        own = int(first == 0 and self._first is not self._later)
        laws = [(self._first, slice(0, own)), (self._later, slice(own, None))][1 - own :]
        return [(after[:, cut], *_at(law, [_cut(x, cut) for x in at])) for law, cut in laws]

    def _along(self, given: tuple, V: Array, n: Array) -> tuple[Array, ...]:
        """Return the moments of the hidden means given V_0..V_n, for the models before each refit."""
        names = self.memory.moments
        if not self.hides_mean:
            return (jnp.zeros_like(V[:, :-1]),) * len(names)
        held = (jnp.zeros(()),) * self.hidden  # no mean reads a square

        def onward(moments: tuple[Array, ...], here: tuple[Array, Array]) -> tuple[Any, tuple[Array, ...]]:
            return tuple(self._moments(here[0], 1.0, *moments, *held, here[1], *given)), moments

        start = (jnp.zeros(len(V)),) * len(names)
        return tuple(x.T for x in jax.lax.scan(onward, start, (V[:, :-1].T, n.astype(float)))[1])

    def moments(self, values: Values, V: Array) -> Array:
        """Return `Memory.moments` of the last model of curves that begin at generation 0, in units of V_0.

        Shape (runs, moments).
        """
        given = tuple(values[str(x)] for x in self.letters)
        n = jnp.arange(1, V.shape[1] + 1)
        return jnp.stack([x[:, -1] for x in self._along(given, jnp.concatenate([V, V[:, -1:]], axis=1), n)], axis=-1)


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
