"""What is observed of a model so that means over chains estimate a quantity of `theory.plan`.

A mean or a distance is the mean of one observable. A variance is a function of several means, and its error is that of
the function's linear part about theory's values.
"""

from collections.abc import Mapping

from attrs import frozen
from sympy import Add, Expr, Piecewise, S, Sum, Symbol, log, sign

from theory.combination import Combined
from theory.errors import NotClosed
from theory.expect import expect
from theory.families import Bernoulli, Categorical, Gaussian
from theory.quantities import Asked, Distance, Mean, OfChain, Quantity
from theory.risk import risk
from theory.symbols import K, i, p, p0

WHOLE = (i, 0, K - 1)
SHORT = 64
"""Generations up to which exact moments are worth their digits."""
CHAIN: Mapping[str, Expr] = {
    "support": Categorical.vocabulary,
    "survival": 1 - Categorical.absorbed,
    "collision": Categorical.collision,
    "missing_mass": Sum(p0[i] * (1 - sign(p[i])), WHOLE),
    "entropy": -Sum(Piecewise((p[i] * log(p[i]), p[i] > 0), (S.Zero, True)), WHOLE),
}
"""What to observe of a categorical model for each answer of a chain, by name."""


@frozen
class Estimate:
    """``formula`` in the means of ``parts``, by name; ``linear`` is the observable whose error it has."""

    parts: tuple[tuple[str, Expr], ...]
    formula: Expr
    linear: Expr

    @property
    def observables(self) -> dict[str, Expr]:
        """What a run records: the parts, the linear one, and its powers, for its spread and skewness."""
        return {**dict(self.parts), "linear": self.linear, "square": self.linear**2, "cube": self.linear**3}

    def value(self, means: Mapping[str, float]) -> float:
        """Return the quantity from the means of the parts."""
        return float(self.formula.subs({Symbol(name): means[name] for name, _ in self.parts}))


def estimate(asked: Quantity, generation: int) -> Estimate:
    """Return how a quantity of model n is estimated from chains.

    Raises:
        ValueError: a quantity that is no function of means over chains, as far as is known here.

    >>> from theory import Gaussian, Loop
    >>> estimate(Mean(Loop(Gaussian(0, 1), samples=2), Gaussian.V), 2).observables
    {'asked': V, 'linear': V, 'square': V**2, 'cube': V**3}
    """
    if isinstance(asked, Mean):
        return _plain(asked.of)
    if isinstance(asked, Distance):
        found = risk(asked.loop, asked.metric)
        return _plain(found.within.observable, found.projection)
    if isinstance(asked, OfChain):
        return _plain(_of_counts(asked))
    if isinstance(asked, Asked) and asked.name == "drift":
        return _drift(asked, generation)
    answer = asked.curve() if isinstance(asked, Asked) else None
    if isinstance(answer, Combined):
        return _combined(answer, generation)
    raise ValueError(f"{asked.name} is not read from chains here. Ask for an observable, a distance or a variance.")


def _plain(observable: Expr, offset: Expr = S.Zero, scale: Expr = S.One) -> Estimate:
    """Return scale * E[observable] + offset."""
    return Estimate((("asked", observable),), scale * Symbol("asked") + offset, scale * observable)


def _of_counts(asked: OfChain) -> Expr:
    if isinstance(asked.loop.family, Categorical):
        return CHAIN[asked.answer]
    q = Bernoulli.p
    two = {q: asked.loop.law.source()[q], 1 - q: 1 - asked.loop.law.source()[q]}
    terms = {
        "support": lambda x, _: sign(x),
        "survival": lambda x, _: sign(x) * sign(1 - x) / 2,
        "collision": lambda x, _: x**2,
        "missing_mass": lambda x, x0: x0 * (1 - sign(x)),
        "entropy": lambda x, _: Piecewise((-x * log(x), x > 0), (S.Zero, True)),
    }
    return Add(*(terms[asked.answer](x, x0) for x, x0 in two.items()))


def _drift(asked: Asked, generation: int) -> Estimate:
    """Return (log V_n - log V_0)/n, whose mean is the rate of a random walk."""
    if not isinstance(asked.loop.law, Gaussian):
        raise ValueError(f"the drift of {asked.loop.law} is not read from chains here. Ask for a Gaussian loop.")
    start = log(asked.loop.law.source()[Gaussian.V])
    return _plain(log(Gaussian.V), -start / generation, S.One / generation)


def _combined(answer: Combined, generation: int) -> Estimate:
    names = {slot: Symbol(f"part{k}") for k, slot in enumerate(answer.parts)}
    there = {slot: part.values(generation)[-1] for slot, part in answer.parts.items()}
    parts = tuple((names[slot].name, part.observable) for slot, part in answer.parts.items())
    slopes = {slot: answer.formula.diff(slot).subs(there) for slot in answer.parts}
    linear = Add(*(slopes[slot] * part.observable for slot, part in answer.parts.items()))
    return Estimate(parts, answer.formula.xreplace(names), linear)


def spread(asked: Quantity, generation: int) -> tuple[float, float] | None:
    """Return standard deviation and skewness of one chain by theory; None where these moments do not close."""
    if not isinstance(asked, Mean) or generation > SHORT:
        return None
    try:
        a, b, c = (expect(asked.loop, asked.of**k).values(generation)[-1] for k in (1, 2, 3))
    except NotClosed:
        return None
    variance = b - a**2
    if not (variance.is_finite and c.is_finite and variance.evalf(30) > 0):
        return None
    third = c - 3 * a * b + 2 * a**3
    return float(variance) ** 0.5, float(third.evalf(40)) / float(variance.evalf(40)) ** 1.5
