"""One refit of a chain: the innovations of a `Step` drawn from their laws, and the update compiled.

Positive letters are carried as logarithms, and chi-square innovations drawn as logarithms, so that a variance that
collapses stays a number and log V' = log V + log chi + const needs neither exponential nor logarithm. Normal and
chi-square innovations are both made from normal variables, two to a word of the cipher, whichever laws they belong to.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
import sympy as sp
from attrs import frozen
from jax import Array, lax
from sympy import Expr, Integer, S, Symbol, exp, expand_log, log, sqrt

from numerics import scalars
from numerics.chains import Given, State
from numerics.precision import Precision
from numerics.printer import to_jax
from numerics.samplers import draw, elementary, log_chi_square, normals, parameters, sides
from numerics.samplers.cipher import Key, slot_key, words
from numerics.samplers.quantiles import coefficients, log_ratio
from theory.innovations import ChiSquare, Law, Normal
from theory.sphere import Parts
from theory.step import Step
from theory.symbols import n

NORMALS = 2**21
"""Slots from here on hold the normal variables, beyond those that laws have of their own."""
_FUNCTIONS = {sp.exp: elementary.exp, sp.log: elementary.log}
"""SymPy functions whose bits are the same in every version."""
Letters = tuple[Expr, ...]


def carried(x: Expr) -> Expr:
    """Return the letter that is carried for a symbol of the state, its logarithm where it is positive."""
    return scalars.log_letter(x) if x.is_positive else x


@frozen
class Refit:
    """One refit.

    Args:
        step: its update and laws.
        first: the step of fit 1, of the same laws.
        given: letters whose values are no part of the compiled program.
        numbers: those of them that are numbers of the loop, known before the run.
        shape: of one symbol's draw, () or the number of independent coordinates.
        label: what its tables are named after.
        precision: how its laws are drawn.
    """

    step: Step
    first: Step
    given: Letters
    numbers: Letters
    shape: tuple[int, ...]
    label: str
    precision: Precision

    def tables(self, values: Mapping[str, Any], generations: int) -> dict[str, Any]:
        """Return what is computed from the numbers of a run, in float64, before it begins.

        These are the constants of the update, and the coefficients of all chi-square laws whose degrees of freedom do
        not depend on the state: a row, or a row for each fit where sizes change from fit to fit.
        """
        made: dict[str, Any] = {}
        for expr, letter in self._constants.items():
            own = sorted(expr.free_symbols, key=str)
            made[str(letter)] = float(to_jax(expr, own)(*(values[str(x)] for x in own)))
        for slot, law in enumerate(self.step.laws):
            for side, df in enumerate(degrees(law) if self.tabled(law) else ()):
                if not _is_normal(law, df):
                    own = sorted(df.free_symbols - {n}, key=str)
                    fits = np.arange(1.0, generations + 1) if n in df.free_symbols else 1.0
                    known = to_jax(df, (n, *own))(fits, *(values[str(x)] for x in own))
                    made[self._table(slot, side)] = coefficients(np.asarray(known), self.precision.table)
        return made

    def transition(self) -> Callable[[Key, Any, Given, State], State]:
        """Return (key, k, given, state) -> update(state, innovations), every innovation drawn given the state."""
        known = (*map(carried, self.step.state), n, *self.given)
        needs = [self._needs(slot, known) for slot in range(len(self.step.laws))]
        functions = {**_FUNCTIONS, sp.exp: self.precision.exp}
        constants = tuple(self._constants.values())
        updates = ([self._with_constants(e) for e in self.updates(s)] for s in (self.step, self.first))
        update, update1 = (to_jax(each, (*known, *constants, *self.letters), functions) for each in updates)

        def transition(key: Key, k: Any, values: Given, state: State) -> State:
            here = (*state, k, *(values[str(x)] for x in self.given))
            drawn, stream = [], self._normals(key)
            for slot, need in enumerate(needs):
                drawn += self._draw(slot, slot_key(key, slot), stream, k, values, need(*here, *drawn))
            drawn = _written(drawn) if self._apart else drawn
            drawn = [*(values[str(x)] for x in constants), *drawn]
            if self.first == self.step:
                return update(*here, *drawn)
            # Fit 1, of the same laws, may update otherwise; to choose is cheaper than to compile the draws twice.
            pairs = zip(update1(*here, *drawn), update(*here, *drawn), strict=True)
            return tuple(jnp.where(k == 1, one, other) for one, other in pairs)

        return transition

    @property
    def letters(self) -> Letters:
        """What is drawn of every innovation: its logarithm, or a normal one divided by its standard deviation."""
        return tuple(letter_of(x, law) for law in self.step.laws for x in law.symbols)

    def _draw(self, slot: int, key: Key, stream: Iterator[Array], k: Any, values: Given, need: Any) -> tuple[Any, ...]:
        """Return the letters of one law."""
        law = self.step.laws[slot]
        if isinstance(law, Normal):
            return (next(stream),)
        if isinstance(law, Parts) and self.tabled(law):
            ways = enumerate(zip(law.dimensions, need, strict=False))
            roots = [self._root(slot, side, key, stream, k, values, *both) for side, both in ways]
            return sides(roots[0], roots[1], need[2])
        if self.tabled(law):
            return (self._log_ratio(slot, 0, stream, k, values),)
        if isinstance(law, ChiSquare):
            return (log_chi_square(key, need[0], self.shape),)
        return draw(law, key, need, self.shape)

    def _log_ratio(self, slot: int, side: int, stream: Iterator[Array], k: Any, values: Given) -> Array:
        """Return log(chi/df) of a chi-square variable whose degrees of freedom are known before the run."""
        table = jnp.asarray(values[self._table(slot, side)])
        return log_ratio(next(stream), table if table.ndim == 1 else table[k.astype(int) - 1])

    def _root(
        self, slot: int, side: int, key: Key, stream: Iterator[Array], k: Any, values: Given, df: Expr, known: Any
    ) -> Array:
        """Return the root of a chi-square variable, with a random sign."""
        if _is_normal(self.step.laws[slot], df):
            return next(stream)
        root = self.precision.exp(self._log_ratio(slot, side, stream, k, values) / 2)
        sign = jnp.where(words(slot_key(key, side), self.shape)[0] >> np.uint32(31) == 0, 1, -1)
        return root * (sign * jnp.sqrt(jnp.maximum(known, 0.0))).astype(root.dtype)

    def _normals(self, key: Key) -> Iterator[Array]:
        """Yield the normal variables of one refit."""
        count = sum(len(degrees(law)) if self.tabled(law) else isinstance(law, Normal) for law in self.step.laws)
        for pair in range((count + 1) // 2):
            yield from normals(slot_key(key, NORMALS + pair), self.shape, self.precision.innovations)

    @property
    def _apart(self) -> bool:
        """Whether innovations are written to memory before the update reads them.

        Three arrays of a state would have them drawn three times; and in one loop with float64 only half as many
        numbers of 32 bits are drawn at a time.
        """
        return len(self.step.state) > 2 or self.precision.name == "mixed"

    @cached_property
    def _constants(self) -> dict[Expr, Symbol]:
        """The largest parts of the update that hold numbers of the loop alone, and a letter for each."""
        found: dict[Expr, Symbol] = {}
        for each in (self.step, self.first):
            for expr in self.updates(each):
                for part in self._parts(expr):
                    found.setdefault(part, Symbol(f"{self.label}_constant_{len(found)}", real=True))
        return found

    def _parts(self, expr: Any) -> Iterator[Expr]:
        """Yield the largest parts of an expression that hold numbers of the loop alone, terms of a sum together."""
        constant, rest = self._split(expr)
        if constant.free_symbols:
            yield constant
        for part in rest:
            yield from self._parts(part)

    def _split(self, expr: Any) -> tuple[Any, list[Any]]:
        """Return the part of numbers alone, 0 in a sum and 1 elsewhere if there is none, and the other arguments."""
        if isinstance(expr, Expr) and expr.free_symbols <= set(self.numbers):
            return expr, []
        constant = [x for x in expr.args if x.free_symbols <= set(self.numbers)] if _is_fold(expr) else []
        return expr.func(*constant) if _is_fold(expr) else S.One, [x for x in expr.args if x not in constant]

    def _with_constants(self, expr: Any) -> Any:
        """Return the expression with letters for its constants."""
        constant, rest = self._split(expr)
        letter = self._constants.get(constant, constant)
        if not rest:
            return letter if constant.free_symbols else expr
        inside = [self._with_constants(x) for x in rest]
        return expr.func(letter, *inside) if _is_fold(expr) else expr.func(*inside)

    def tabled(self, law: Law) -> bool:
        """Return whether a law is made of chi-square variables whose degrees of freedom are known before the run."""
        if self.precision.exact or not degrees(law):
            return False
        return all(str(x) not in self._lanes for df in degrees(law) for x in df.free_symbols)

    @property
    def _lanes(self) -> set[str]:
        """Names of the letters that differ from chain to chain."""
        return {str(x) for x in self.step.state} | {str(x) for law in self.step.laws for x in law.symbols}

    def _table(self, slot: int, side: int) -> str:
        return f"{self.label}_chi_square_{slot}" + (f"_{side}" if side else "")

    def _needs(self, slot: int, known: Letters) -> Callable[..., Any]:
        """Return what a draw needs as a function of the known letters and of the innovations drawn before it."""
        if isinstance(self.step.laws[slot], ChiSquare) and self.tabled(self.step.laws[slot]):
            return lambda *_: ()
        before = tuple(letter_of(x, law) for law in self.step.laws[:slot] for x in law.symbols)
        needed = [self.in_letters(expr) for expr in parameters(self.step.laws[slot])]
        return to_jax(needed, (*known, *before), _FUNCTIONS)

    def in_letters(self, expr: Expr) -> Expr:
        """Return an expression in carried letters and in those of the innovations."""
        return in_logs(expr.xreplace(self._standard), self.step.state)

    @property
    def _standard(self) -> dict[Expr, Expr]:
        """Every innovation in the letter that is drawn: sqrt(variance) z, df exp(log(chi/df)) or exp(log chi)."""
        standard: dict[Expr, Expr] = {}
        for law in self.step.laws:
            if isinstance(law, Normal):
                standard[law.symbol] = sqrt(law.variance).xreplace(standard) * law.symbol
            elif isinstance(law, ChiSquare):
                standard[law.symbol] = (law.df if self.tabled(law) else 1) * exp(letter_of(law.symbol, law))
        return standard

    def updates(self, step: Step) -> list[Expr]:
        """Return the next value of every carried letter, in carried letters and in those of the innovations.

        log x' = log x + log(x'/x) where the ratio is free of the state, as for a variance that feeds on itself
        alone: it is then evaluated at x = 1 and nothing underflows. Elsewhere log x' = log(x').
        """
        unit = {x: Integer(bool(x.is_positive)) for x in step.state}
        updates = []
        for x, value in step.update.items():
            now = value.xreplace(self._standard)
            if not x.is_positive:
                updates.append(in_logs(expand_log(now) if now.has(log) else now, step.state))
            elif (value / x).cancel().free_symbols.isdisjoint(step.state):
                updates.append(carried(x) + expand_log(log(now.xreplace(unit))))
            else:
                updates.append(log(in_logs(now, step.state)))
        return updates


def degrees(law: Law) -> tuple[Expr, ...]:
    """Return the degrees of freedom of the chi-square variables that a law is made of."""
    return (law.df,) if isinstance(law, ChiSquare) else law.dimensions if isinstance(law, Parts) else ()


def _is_normal(law: Law, df: Expr) -> bool:
    """Return whether what is drawn is the root of a chi-square variable of one degree, with a sign."""
    return isinstance(law, Parts) and df == 1


def _written(drawn: list[Any]) -> list[Any]:
    """Return the same numbers behind a barrier, two and two as complex ones, which are written together."""
    apart = []
    for one, other in zip(drawn[::2], drawn[1::2], strict=False):
        both = lax.optimization_barrier(lax.complex(one, other))
        apart += [lax.real(both), lax.imag(both)]
    return apart + [lax.optimization_barrier(one) for one in drawn[len(apart) :]]


def _is_fold(expr: Any) -> bool:
    return bool(expr.is_Add or expr.is_Mul)


def letter_of(x: Expr, law: Law) -> Expr:
    """Return the letter that is drawn for an innovation."""
    return Symbol(f"log_{x}", real=True) if isinstance(law, ChiSquare) else x


def in_logs(expr: Expr, state: Letters) -> Expr:
    """Return an expression in carried letters."""
    return expr.xreplace({x: exp(carried(x)) for x in state if x.is_positive})
