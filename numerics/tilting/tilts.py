"""The tilt of each law of innovations: what is drawn under it, and the logarithm of the weight that undoes it.

For a positive innovation dQ/dP = x^a/E x^a, for a normal one dQ/dP = exp(a z)/E exp(a z), and for counts
dQ/dP = prod x_i/E prod x_i over the types that must not die out. Each is a law of the same kind again, so whatever
draws P draws Q; the weight is dP/dQ, and no choice of a biases anything.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property

import mpmath
import numpy as np
from attrs import evolve, field, frozen
from sympy import Add, Expr, Integer, Mul, S, Symbol, lambdify, log, sqrt

from theory.errors import NotClosed
from theory.innovations import ChiSquare, Law, Multinomial, Normal
from theory.laws.maximum import Maximum
from theory.laws.natural_sum import POINT, NaturalSum
from theory.samples import TiltedSquares
from theory.symbols import n

EXPONENT = Symbol("a", real=True)
DIGITS = 30
"""Decimal digits of the constants of a weight: a difference of logarithms of Gamma functions that are far larger."""


@frozen(eq=False)
class Tilt:
    """A law under a tilt.

    Args:
        law: what is drawn.
        log_weight: log dP/dQ, in the letters of what is drawn and of the state before.
        drawn: an innovation -> what it is in these letters, where it is not drawn itself.
        numbers: letters -> their values at a fit, expressions in `EXPONENT` and n.
        positive: an expression in these that must be positive, for the tilted law to be one.
        steered: the innovation that the exponent belongs to, None where there is no exponent to choose.
    """

    law: Law
    log_weight: Expr = S.Zero
    drawn: Mapping[Expr, Expr] = field(factory=dict)
    numbers: Mapping[Symbol, Expr] = field(factory=dict)
    positive: Expr = S.One
    steered: Symbol | None = None

    def values(self, exponents: np.ndarray, fits: np.ndarray) -> dict[str, np.ndarray]:
        """Return the values of the letters at these fits.

        Raises:
            NotClosed: the moment that the tilt asks for is infinite.
        """
        known = {pair: self._numbers(*pair) for pair in set(zip(exponents, fits, strict=True))}
        rows = [known[pair] for pair in zip(exponents, fits, strict=True)]
        return {str(x): np.array([row[j] for row in rows]) for j, x in enumerate(self.numbers)}

    def _numbers(self, exponent: float, fit: float) -> list[float]:
        with mpmath.workdps(DIGITS):
            at = mpmath.mpf(float(exponent)), int(fit)
            if not self._compiled[0](*at) > 0:
                raise NotClosed(
                    f"observable: the moment of {self.steered} that it needs at fit {int(fit)} is infinite. "
                    "Take more samples per generation, or ask for a smaller power."
                )
            return [float(value(*at)) for value in self._compiled[1:]]

    @cached_property
    def _compiled(self) -> list[Callable[..., mpmath.mpf]]:
        return [lambdify((EXPONENT, n), value, "mpmath") for value in (self.positive, *self.numbers.values())]


def steered(law: Law, label: str) -> Tilt | None:
    """Return the tilt of a law by an exponent that is chosen before the run, None where it has none.

    Args:
        law: a law whose parameters, but a normal variance, are numbers or change with the number of the fit alone.
        label: what keeps its letters apart from those of other laws.
    """
    if isinstance(law, Normal):
        return _normal(law, label)
    if isinstance(law, ChiSquare) and law.df != 0 and law.df.free_symbols <= {n}:
        return _power(law, law.symbol, label, law.df + 2 * EXPONENT, lambda df: evolve(law, df=df))
    if isinstance(law, Maximum) and law.size.free_symbols <= {n}:
        return _power(law, law.symbol, label, law.size + EXPONENT, lambda size: evolve(law, size=size))
    if isinstance(law, TiltedSquares) and Add(law.df, law.rate).free_symbols <= {n}:
        return _squares(law, label)
    return None


def kept_alive(law: Law, alive: Collection[Symbol | None]) -> Tilt | None:
    """Return the tilt of counts by the product of some of them, None where a law is none of counts.

    Args:
        law: counts of types, or one count.
        alive: the counts in the product; None is that of the types without a name.

    For x ~ Multinomial(N; p) and a set S of types, weighted by prod_S x_i, one token of every type of S is sure and the
    others are Multinomial(N - |S|; p); a sum of N points weighted by itself is 1 + the sum of N + v_2 points, with
    v_2 the coefficient of m^2 in their variance.
    """
    if isinstance(law, NaturalSum):
        size = law.size + law.variance.coeff(POINT, 2)
        more = {law.symbol: law.symbol + 1}
        return Tilt(evolve(law, size=size), log(law.size * law.mean) - log(law.symbol + 1), more)
    if not isinstance(law, Multinomial):
        return None
    sure, named = Integer(len(alive)), [x for x in law.counts if x in alive]
    if not (law.trials - sure).is_nonnegative:
        raise NotClosed(
            f"samples: {law.trials} tokens cannot keep {sure} types alive. Take more samples per generation."
        )
    chances = [chance for x, chance in zip(law.counts, law.probabilities, strict=True) if x in alive]
    counts: list[Expr] = [x + 1 for x in named]
    if None in alive:
        chances.append(1 - sum(law.probabilities))
        counts.append(law.trials - sure - sum(law.counts) + 1)
    ways = Mul(*(law.trials - j for j in range(len(alive))))
    weight = log(ways) + sum(map(log, chances)) - sum(map(log, counts))
    return Tilt(evolve(law, trials=law.trials - sure), weight, {x: x + 1 for x in named})


def _normal(law: Normal, label: str) -> Tilt:
    """Return z + a with z ~ N(0, 1), of which log dP/dQ = -a z - a^2/2."""
    a, sd = Symbol(f"{label}_shift", real=True), sqrt(law.variance)
    weight = -a * law.symbol / sd - a**2 / 2
    return Tilt(law, weight, {law.symbol: law.symbol + a * sd}, {a: EXPONENT}, S.One, law.symbol)


def _power(law: Law, x: Symbol, label: str, parameter: Expr, tilted: Callable[[Symbol], Law]) -> Tilt:
    """Return dQ/dP = x^a/E x^a, a law of the same kind with another parameter, which must be positive."""
    a, norm = Symbol(f"{label}_power", real=True), Symbol(f"{label}_norm", real=True)
    other = Symbol(f"{label}_parameter", positive=True)
    numbers = {a: EXPONENT, norm: _log_moment(law, x), other: parameter}
    return Tilt(tilted(other), norm - a * log(x), {}, numbers, parameter, x)


def _squares(law: TiltedSquares, label: str) -> Tilt:
    """Return dQ/dP = y^a/E y^a for y = exp(rate q): variance and rate times 1/(1 - 2 a rate)."""
    y = law.symbols[1]
    left = 1 - 2 * EXPONENT * law.rate
    return _power(law, y, label, left, lambda x: evolve(law, variance=law.variance / x, rate=law.rate / x))


def _log_moment(law: Law, x: Symbol) -> Expr:
    """Return log E x^a."""
    powers = tuple(EXPONENT if each == x else S.Zero for each in law.symbols)
    return log(law.moment(powers, (0,) * len(powers)))
