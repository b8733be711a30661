"""The operator T of one refit: T f (model) = E[f(next model) | model], on monomials.

By the tower property E f(model k) = E (T f)(model k-1), so a set of monomials that T maps into itself obeys a linear
recurrence. Nothing about a family is known here: updates are polynomials, innovations are their moments.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import attrs
from attrs import frozen
from sympy import Expr, Integer, S, Symbol, expand_log, log, ring

from theory.constants import Constant
from theory.errors import NotClosed
from theory.field import Element, Field
from theory.innovations import Law
from theory.monomials import Monomial, Row
from theory.step import Step

Exponents = tuple[Expr, ...]


@frozen(eq=False)
class Tower:
    """T for one step over one field; ``where`` names the loop in refusals.

    The working ring has one generator for each letter (state symbols, then innovations) and one for each letter's
    logarithm.
    """

    step: Step
    field: Field
    where: str
    conditions: dict[Expr, None] = attrs.field(factory=dict, init=False)
    """Quantities that must be positive for the moments used so far to exist."""
    _moments: dict[Any, list[tuple[Exponents, Element]]] = attrs.field(factory=dict, init=False)

    @cached_property
    def _letters(self) -> tuple[Expr, ...]:
        return self.step.state + tuple(s for law in self.step.laws for s in law.symbols)

    @cached_property
    def _ring(self) -> Any:
        return ring([Symbol(f"x{k}") for k in range(2 * len(self._letters))], self.field.domain)[0]

    @cached_property
    def _updates(self) -> list[Any]:
        return [self._polynomial(expr) for expr in self.step.update.values()]

    def _polynomial(self, expr: Expr) -> Any:
        named = expr.xreplace(dict(zip(self._letters, self._ring.symbols, strict=False)))
        self.field.require(named.free_symbols - set(self._ring.symbols))
        try:
            return self._ring.from_expr(named.expand())
        except ValueError as irrational:
            raise NotClosed(
                f"{self.where}: {expr} is not rational in the symbols and numbers of the loop. "
                "Put a symbol in place of what is not, such as Scaled(c), and its value into the answer."
            ) from irrational

    def __call__(self, monomial: Monomial) -> Row:
        """Return T of the monomial, or raise `NotClosed`."""
        product, offset = self._ring.one, (S.Zero,) * len(self._letters)
        for update, power, order in zip(self._updates, monomial.powers, monomial.logs, strict=True):
            if power.is_Integer and power >= 0:
                product *= update ** int(power)
            else:
                scale, shift = self._single_power(update, power, monomial)
                product, offset = product * scale, _plus(offset, shift)
            if order:
                product *= self._logarithm(update, monomial) ** order
        return self._expectation(product, offset)

    def _single_power(self, update: Any, power: Expr, monomial: Monomial) -> tuple[Any, Exponents]:
        """Return (c^power, power * e) for an update that is one term, c * letters^e."""
        exponents, scale = self._only_term(update, monomial)
        # Whole powers stay rational, so that c^(3/2) and c c^(1/2) are the same element of the field.
        whole = power // 1
        constant = scale**whole * (_named(scale ** (power - whole)) if power != whole else 1)
        return self._ring(self.field(constant)), tuple(power * e for e in exponents)

    def _logarithm(self, update: Any, monomial: Monomial) -> Any:
        """Return log c + sum_k e_k log(letter_k) for an update that is one term, c * letters^e."""
        exponents, scale = self._only_term(update, monomial)
        logs = self._ring.gens[len(self._letters) :]
        start = self._ring.zero if scale == 1 else self._ring(self.field(_named(log(scale))))
        return start + sum((e * x for e, x in zip(exponents, logs, strict=True) if e), self._ring.zero)

    def _only_term(self, update: Any, monomial: Monomial) -> tuple[tuple[int, ...], Expr]:
        if len(update) != 1:
            raise NotClosed(
                f"{self.where}: E[{monomial.expr(self.step.state)}] does not close, since the next value is a sum of "
                f"{len(update)} terms. Ask for whole powers >= 0, or simulate(loop)."
            )
        ((exponents, scale),) = update.terms()
        return exponents[: len(self._letters)], self.field.expr(scale)

    def _expectation(self, product: Any, offset: Exponents) -> Row:
        """Replace every innovation by its conditional moment, term by term."""
        size, inner = len(self._letters), len(self.step.state)
        row: dict[Monomial, Element] = {}
        for exponents, scale in product.terms():
            powers, logs = _plus(offset, exponents[:size]), exponents[size:]
            for shift, weight in self._moment(powers[inner:], logs[inner:]):
                key = Monomial(_plus(powers[:inner], shift), logs[:inner])
                row[key] = row.get(key, self.field.domain.zero) + scale * weight
        return {key: scale for key, scale in row.items() if scale}

    def _moment(self, powers: Exponents, logs: tuple[int, ...]) -> list[tuple[Exponents, Element]]:
        """Return the joint moment of all innovations as terms (state exponents, coefficient)."""
        if (powers, logs) not in self._moments:
            product = self._ring.one
            for law, here, orders in self._by_law(powers, logs):
                self._require(law.exists(here))
                product *= self._polynomial(law.moment(here, orders))
            inner = len(self.step.state)
            terms = [(tuple(Integer(e) for e in exps[:inner]), scale) for exps, scale in product.terms()]
            self._moments[powers, logs] = terms
        return self._moments[powers, logs]

    def _by_law(self, powers: Exponents, logs: tuple[int, ...]) -> Iterator[tuple[Law, Exponents, tuple[int, ...]]]:
        at = 0
        for law in self.step.laws:
            end = at + len(law.symbols)
            yield law, powers[at:end], logs[at:end]
            at = end

    def _require(self, positive: Expr | None) -> None:
        if positive is None:
            return
        if positive.is_number and not positive > 0:
            raise NotClosed(
                f"{self.where}: a moment is infinite, since {positive} > 0 fails. Take more samples per generation."
            )
        self.conditions[positive] = None


def _plus(one: Exponents, two: Exponents) -> Exponents:
    return tuple(a + b for a, b in zip(one, two, strict=True))


def _named(expr: Expr) -> Expr:
    expanded = expand_log(expr, force=True)
    return expanded if expanded.is_Rational else Constant(expanded)
