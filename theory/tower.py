"""The operator T of one refit: T f (model) = E[f(next model) | model], on monomials.

By the tower property E f(model k) = E (T f)(model k-1), so a set of monomials that T maps into itself obeys a linear
recurrence. Nothing about a family is known here: updates are polynomials, innovations are their moments.
"""

from functools import cached_property
from typing import Any

import attrs
from attrs import frozen
from sympy import Expr, S

from theory import symbols
from theory.algebra import Algebra, Key, Terms
from theory.errors import NotClosed
from theory.field import Element, Field
from theory.monomials import Monomial, Row
from theory.step import Step


@frozen(eq=False)
class Tower:
    """T for one step over one field; ``where`` names the loop in refusals.

    Innovations are averaged out one law after the other, the last first, so that a law may depend on those before it.
    """

    step: Step
    field: Field
    where: str
    conditions: dict[Expr, None] = attrs.field(factory=dict, init=False)
    """Quantities that must be positive for the moments used so far to exist."""
    _moments: dict[Any, Terms] = attrs.field(factory=dict, init=False)

    @cached_property
    def _algebra(self) -> Algebra:
        innovations = tuple(s for law in self.step.laws for s in law.symbols)
        return Algebra(self.step.state + innovations, self.field, self.where)

    def __call__(self, monomial: Monomial) -> Row:
        """Return T of the monomial, or raise `NotClosed`."""
        try:
            return self._row(self._expectation(self._next(monomial)))
        except NotClosed as refusal:
            reason = str(refusal).removeprefix(f"{self.where}: ")
            name = monomial.expr(self.step.state)
            raise NotClosed(f"{self.where}: E[{name}] does not close: {reason}") from refusal

    def _next(self, monomial: Monomial) -> Terms:
        """Return the monomial of the next model."""
        algebra, product = self._algebra, self._algebra.one
        for update, power, order in zip(self.step.update.values(), monomial.powers, monomial.logs, strict=True):
            if power != 0:
                product = algebra.times(product, self._power(update, power))
            if order:
                product = algebra.times(product, algebra.power(algebra.logarithm(algebra.read(update)), order))
        return product

    def _power(self, update: Expr, power: Expr) -> Terms:
        """Return update^power; one over a sum is no polynomial, but its own inverse is, so that is taken first."""
        if power.is_Integer and power.is_negative:
            return self._algebra.power(self._algebra.read(1 / update), -power)
        return self._algebra.power(self._algebra.read(update), power)

    def _expectation(self, terms: Terms) -> Terms:
        """Replace every innovation by its conditional moment, law by law."""
        end = len(self._algebra.letters)
        for law in reversed(self.step.laws):
            start = end - len(law.symbols)
            terms = self._averaged(terms, law, slice(start, end))
            end = start
        return terms

    def _averaged(self, terms: Terms, law: Any, here: slice) -> Terms:
        algebra, size = self._algebra, len(self._algebra.letters)
        logs = slice(size + here.start, size + here.stop)
        groups: dict[tuple[Key, Key], Terms] = {}
        for key, weight in terms.items():
            slots = list(key)
            slots[here] = slots[logs] = [0] * len(law.symbols)
            groups.setdefault((key[here], key[logs]), {})[tuple(slots)] = weight
        return algebra.sum(
            algebra.times(group, self._moment(law, powers, orders)) for (powers, orders), group in groups.items()
        )

    def _moment(self, law: Any, powers: Key, orders: Key) -> Terms:
        """Return a law's moment as terms in the letters before it."""
        if not any(powers) and not any(orders):
            return self._algebra.one
        if (law, powers, orders) not in self._moments:
            exact = tuple(map(S, powers))
            self._require(law.exists(exact))
            self._moments[law, powers, orders] = self._algebra.read(law.moment(exact, orders))
        return self._moments[law, powers, orders]

    def _row(self, terms: Terms) -> dict[Monomial, Element]:
        inner, size = len(self.step.state), len(self._algebra.letters)
        return {
            Monomial(tuple(map(S, slots[:inner])), slots[size : size + inner]): weight
            for slots, weight in self._algebra.settle(terms).items()
        }

    def _require(self, positive: Expr | None) -> None:
        if positive is None or (positive.is_number and positive.is_positive):
            return
        # What grows with the number of the fit is least at the second; the first has a step of its own.
        least = positive.subs(symbols.n, 2)
        if least.is_number and not least > 0:
            raise NotClosed(
                f"the moment is infinite, since {least} > 0 fails. "
                "Change the samples per generation, or ask for lower powers."
            )
        if not positive.is_number:
            self.conditions[positive] = None
