"""Quantities that are polynomials in several expectations: variances and covariances over the ensemble of runs.

No moment recurrence is linear in them, but each of their parts has one, and what is exact, conditional or certified
about the parts is so about the whole.
"""

from functools import cached_property
from typing import Any

from attrs import evolve, frozen
from sympy import Dummy, Expr, StrictGreaterThan, Symbol, gammasimp

from theory.asymptotics import Leading, far_value, leading
from theory.certificate import Certificate
from theory.exact import exact
from theory.expect import Expectation, expect
from theory.geometric import collected
from theory.latex import latex
from theory.loop import Loop
from theory.symbols import n


@frozen(eq=False)
class Combined:
    """``formula`` in the values of several expectations at the same generation; prints as LaTeX under ``name``."""

    name: str
    parts: dict[Symbol, Expectation]
    formula: Expr

    @cached_property
    def expression(self) -> Expr:
        """The closed form in n, equal exponentials drawn together; raises `NoClosedForm` where a part has none."""
        return collected(self._of({slot: part.expression for slot, part in self.parts.items()}))

    @property
    def start(self) -> int:
        """The first generation from which the closed form holds."""
        return max(part.start for part in self.parts.values())

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What must hold for the symbols, over all parts."""
        return tuple(dict.fromkeys(c for part in self.parts.values() for c in part.conditions))

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the derivation takes for granted."""
        return tuple(dict.fromkeys(word for part in self.parts.values() for word in part.assumptions))

    @property
    def certificate(self) -> tuple[Certificate, ...]:
        """The inductions for the parts."""
        return tuple(c for part in self.parts.values() for c in part.certificate)

    def values(self, generations: int) -> list[Expr]:
        """Return the exact values at generations 0, 1, ..., ``generations``, from the recurrences."""
        columns = zip(*(part.values(generations) for part in self.parts.values()), strict=True)
        return [collected(self._of(dict(zip(self.parts, column, strict=True)))) for column in columns]

    def at(self, **values: Any) -> Any:
        """Return the quantity with exact values put in by name; with ``n`` given, its exact value there."""
        generation = values.pop("n", None)
        parts = {slot: part.at(**values) for slot, part in self.parts.items()} if values else self.parts
        if generation is None:
            return evolve(self, parts=parts)
        return collected(self._of({slot: part.at(n=generation) for slot, part in parts.items()}))

    def limit(self) -> Expr:
        """Return the limit as n grows: from the limits of the parts where they are finite, else from the leading term.

        Raises:
            NoClosedForm: a part has no limit known in closed form, or it depends on the symbols which term leads.
        """
        limits = {slot: part.limit() for slot, part in self.parts.items()}
        if any(limit.is_infinite for limit in limits.values()):
            return far_value(self.leading(n), self._positive)
        return gammasimp(self._of(limits)).factor()

    @property
    def _positive(self) -> list[Expr]:
        return [c.lhs for c in self.conditions if isinstance(c, StrictGreaterThan)]

    def leading(self, symbol: Symbol) -> Leading:
        """Return the leading term as ``symbol`` (n, M, ...) grows, every other symbol fixed."""
        closed = self._of({slot: part.expression for slot, part in self.parts.items()})
        return leading(self.expression if symbol == n else closed, symbol, self._positive)

    def _of(self, values: dict[Symbol, Expr]) -> Expr:
        return self.formula.xreplace(values)

    def _repr_latex_(self) -> str:
        return f"${self.name} = {latex(self.expression)}$"

    def __str__(self) -> str:
        """Return the closed form."""
        return str(self.expression)


def variance(loop: Loop, of: Expr) -> Combined:
    """Return Var(of(model n)) over the ensemble of runs, E[of^2] - E[of]^2.

    Raises:
        NotClosed: the second moments do not close; the sentence names the monomial and the axis of the loop.

    >>> from theory import Bernoulli
    >>> variance(Loop(Bernoulli()), Bernoulli.p).expression
    p0*((M - 1)/M)**n*(p0 - 1) - p0*(p0 - 1)
    """
    square, mean = Dummy("square"), Dummy("mean")
    observable = exact(of, "of")
    parts = {square: expect(loop, (observable**2).expand()), mean: expect(loop, observable)}
    return Combined(rf"\operatorname{{Var}}\left[{latex(observable)}\right]_{{n}}", parts, square - mean**2)


def covariance(loop: Loop, one: Expr, two: Expr) -> Combined:
    """Return Cov(one(model n), two(model n)) over the ensemble of runs.

    Raises:
        NotClosed: the moments do not close; the sentence names the monomial and the axis of the loop.

    >>> from theory import Gaussian
    >>> covariance(Loop(Gaussian()), Gaussian.mu, Gaussian.V).expression
    0
    """
    both, first, second = Dummy("both"), Dummy("first"), Dummy("second")
    left, right = exact(one, "one"), exact(two, "two")
    parts = {both: expect(loop, (left * right).expand()), first: expect(loop, left), second: expect(loop, right)}
    name = rf"\operatorname{{Cov}}\left[{latex(left)}, {latex(right)}\right]_{{n}}"
    return Combined(name, parts, both - first * second)
