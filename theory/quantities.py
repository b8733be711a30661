"""What is asked of a loop at a horizon, in one form for every interpreter: a closed form, and an exact value.

Moments, distances and variances have a closed form and a recurrence that knows nothing of it; chains of counts have
exact values alone. Whoever looks for a value of one of the loop's symbols needs no more than these two.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Self, get_args

from attrs import evolve, frozen
from sympy import Expr, Gt, Symbol, oo

from theory.absorption import absorption
from theory.drift import drift
from theory.errors import NoClosedForm
from theory.exact import exact
from theory.expect import Expectation, expect
from theory.families.bernoulli import Bernoulli
from theory.families.categorical import Categorical
from theory.loop import Loop
from theory.risk import Metric, Risk, risk
from theory.stationary import Stationary
from theory.symbols import n

Question = Expr | str | Callable[[Loop], Any]
STEPS = 1000
"""Generations up to which a value is taken from the recurrence; beyond, from the closed form that solves it."""
CURVES = ("survival", "support", "missing_mass", "collision", "entropy")
"""Answers of a chain of counts at a generation, by name."""
WORDS = ("drift", *get_args(Metric), *CURVES)
"""Quantities that are asked by name."""


@frozen(eq=False)
class Quantity(ABC):
    """A number that a loop has at generation n, or in the limit n = oo."""

    loop: Loop

    @property
    @abstractmethod
    def name(self) -> str:
        """How it is written."""

    @abstractmethod
    def closed(self, horizon: Expr) -> Expr:
        """Return the closed form in n and the loop's symbols, or in the symbols alone for the horizon oo.

        Raises:
            NoClosedForm, NotClosed: there is none.
        """

    @abstractmethod
    def value(self, horizon: Expr) -> Expr:
        """Return the exact value for a loop of numbers, from the recurrence or the chain itself where that is short."""

    def conditions(self, horizon: Expr) -> tuple[Expr, ...]:
        """Return what must hold for the closed form."""
        del horizon
        return ()

    def put(self, values: Mapping[Symbol, Expr]) -> Self:
        """Return the same of the loop with exact values put in."""
        return evolve(self, loop=self.loop.substitute(dict(values)))


class Curve(Quantity):
    """A quantity with a recurrence: ``curve`` has an expression, values, a limit and conditions."""

    @abstractmethod
    def curve(self) -> Any:
        """Return what the interpreter answers."""

    def closed(self, horizon: Expr) -> Expr:
        """Return the closed form in n, or the limit."""
        return _limit(self.curve()).expression if horizon == oo else self.curve().expression

    def value(self, horizon: Expr) -> Expr:
        """Return the value that the recurrence reaches, or the limit."""
        curve = self.curve()
        if horizon == oo:
            return _limit(curve).expression  # solved anew at the numbers, whatever the closed form may be
        return curve.values(int(horizon))[-1] if horizon <= STEPS else curve.expression.subs(n, horizon)

    def conditions(self, horizon: Expr) -> tuple[Expr, ...]:
        """Return the conditions of the closed form, or those under which the limit exists."""
        return (_limit(self.curve()) if horizon == oo else self.curve()).conditions


@frozen
class _Far:
    expression: Expr
    conditions: tuple[Expr, ...]


def _limit(curve: Any) -> Any:
    """Return the limit with its conditions: the fixed point of the moments where they have one."""
    if isinstance(curve, Expectation):
        return Stationary(curve)
    if isinstance(curve, Risk):
        within = Stationary(curve.within)
        return _Far(curve.projection + within.expression, within.conditions)
    return _Far(curve.limit(), curve.conditions)


@frozen(eq=False)
class Mean(Curve):
    """E[of(model n)]."""

    of: Expr

    @property
    def name(self) -> str:
        """E[of]."""
        return f"E[{self.of}]"

    def curve(self) -> Expectation:
        """Return the expectation."""
        return expect(self.loop, self.of)

    def put(self, values: Mapping[Symbol, Expr]) -> Self:
        """Return the same with the values in the observable too."""
        return evolve(self, loop=self.loop.substitute(dict(values)), of=self.of.subs(values))


@frozen(eq=False)
class Distance(Curve):
    """E metric(source, model n)."""

    metric: Metric

    @property
    def name(self) -> str:
        """E metric."""
        return f"E {self.metric}"

    def curve(self) -> Risk:
        """Return the risk."""
        return risk(self.loop, self.metric)


@frozen(eq=False)
class Asked(Curve):
    """What a function of the loop answers: something with a closed form and values, or one expression for every n."""

    ask: Callable[[Loop], Any]

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.ask, "__name__", "answer").replace("<lambda>", "answer").strip("_")

    def curve(self) -> Any:
        """Return the answer."""
        answer = self.ask(self.loop)
        return _Constant(exact(answer, self.name)) if isinstance(answer, Expr | int) else answer


@frozen
class _Constant:
    """A value that is the same at every generation."""

    expression: Expr
    conditions: tuple[Expr, ...] = ()

    def values(self, generations: int) -> list[Expr]:
        """Return the value at generations 0, 1, ..."""
        return [self.expression] * (generations + 1)

    def limit(self) -> Expr:
        """Return the value."""
        return self.expression


@frozen(eq=False)
class OfChain(Quantity):
    """An answer of the absorbing chain, by name."""

    answer: str

    @property
    def name(self) -> str:
        """The answer's name."""
        return self.answer

    def closed(self, horizon: Expr) -> Expr:
        """Refuse: the chain's size is no symbol."""
        del horizon
        raise NoClosedForm(f"{self.answer} of a chain has no closed form in its symbols. Ask for numbers.")

    def value(self, horizon: Expr) -> Expr:
        """Return the chain's exact answer."""
        return getattr(absorption(self.loop), self.answer)(n=horizon if horizon == oo else int(horizon))


def quantity(loop: Loop, of: Question) -> Quantity:
    """Return what is asked: an observable, a metric of `risk`, "drift", an answer of `absorption`, or a function.

    Raises:
        ValueError: a word that names none of these.

    >>> from theory import Gaussian
    >>> print(quantity(Loop(Gaussian()), "w2").name, quantity(Loop(Gaussian()), Gaussian.V).closed(n))
    E w2 V0*((M - 1)/M)**n
    """
    if callable(of) and not isinstance(of, Expr):
        return Asked(loop, of)
    if not isinstance(of, str):
        return Mean(loop, exact(of, "of"))
    if of in CURVES and isinstance(loop.family, Categorical | Bernoulli):
        return OfChain(loop, of)
    if of in get_args(Metric):
        return Distance(loop, of)  # type: ignore[arg-type]
    if of == "drift":
        return Asked(loop, _drift)
    raise ValueError(f"of = {of!r} is not known here. Give an observable, or one of {', '.join(WORDS)}.")


def _drift(loop: Loop) -> Expr:
    return drift(loop).rate


def positive(conditions: tuple[Expr, ...]) -> list[tuple[Expr, bool]]:
    """Return each condition as a quantity, and whether it must be positive or only not 0."""
    return [(c.lhs - c.rhs, isinstance(c, Gt)) for c in conditions]
