"""The random parts of one refit, each with its exact conditional moments given the model before.

A law knows the moments E[x^a (log x)^b | model]; deriving a recurrence needs nothing else of it. Simulation draws
from the same laws (`numerics/samplers/`).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from math import prod
from typing import ClassVar

from attrs import field, frozen
from sympy import (
    Dummy,
    Expr,
    Integer,
    S,
    Symbol,
    bell,
    exp,
    factorial2,
    ff,
    gamma,
    log,
    loggamma,
    polygamma,
    sympify,
)
from sympy.functions.combinatorial.numbers import stirling

from theory.constants import Constant
from theory.errors import NotClosed


class Law(ABC):
    """The conditional law of a tuple of random numbers given the model before."""

    symbols: tuple[Symbol, ...]
    vanishes: ClassVar[bool] = True
    """Whether infinitely many points leave nothing of it but its mean."""

    @abstractmethod
    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return E[prod_i x_i^powers_i log(x_i)^logs_i | model], or raise `NotClosed`."""

    @abstractmethod
    def means(self) -> tuple[Expr, ...]:
        """Return E[x_i | model]."""

    def exists(self, powers: Sequence[Expr]) -> Expr | None:
        """Return the quantity that must be positive for the moment to exist, None where it always does."""
        del powers
        return None

    def gamma_form(self) -> tuple[Expr, Expr] | None:
        """Return (shape, scale) where the law is one gamma variable that does not depend on the model, else None."""
        return None


@frozen
class Normal(Law):
    """x ~ N(0, variance): E[x^(2j)] = (2j-1)!! variance^j, odd moments 0."""

    symbol: Symbol
    variance: Expr = field(converter=sympify)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The one symbol drawn."""
        return (self.symbol,)

    def means(self) -> tuple[Expr, ...]:
        """Return 0."""
        return (S.Zero,)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return E[x^k], for a whole k >= 0."""
        (power,), (logarithm,) = powers, logs
        if logarithm or not (power.is_Integer and power >= 0):
            raise NotClosed(
                f"E[{self.symbol}^{power}] of a normal deviate that takes both signs is not a moment. "
                "Ask for a polynomial in the mean."
            )
        half, odd = divmod(int(power), 2)
        return S.Zero if odd else factorial2(2 * half - 1) * self.variance**half


@frozen
class ChiSquare(Law):
    """x ~ chi-square with ``df`` degrees: E[x^a] = 2^a Gamma(df/2 + a)/Gamma(df/2), for a > -df/2.

    Logarithms follow by differentiating in a: E[x^a (log x)^b] = E[x^a] * B_b(kappa_1, ..., kappa_b), with the
    cumulants of log x under df + 2a degrees, kappa_1 = psi(df/2 + a) + log 2 and kappa_j = psi_(j-1)(df/2 + a).
    """

    symbol: Symbol
    df: Expr = field(converter=sympify)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The one symbol drawn."""
        return (self.symbol,)

    def means(self) -> tuple[Expr, ...]:
        """Return df."""
        return (self.df,)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return E[x^a (log x)^b] for any real a and whole b >= 0, unless it is that of log 0."""
        (a,), (b,) = powers, logs
        if b and self.df == 0:
            raise NotClosed(
                f"log {self.symbol} is -oo, since one point has no squares about its own mean. "
                "Take more samples per generation, or ask for powers >= 0."
            )
        return self._power(a) * _complete_bell(b, [self._cumulant(j, a) for j in range(1, b + 1)])

    def exists(self, powers: Sequence[Expr]) -> Expr | None:
        """Return df + 2a, positive exactly when E[x^a] is finite."""
        (a,) = powers
        return self.df + 2 * a if not a.is_nonnegative else None

    def gamma_form(self) -> tuple[Expr, Expr] | None:
        """Return (df/2, 2), and None for the number 0 that no degrees leave."""
        return None if self.df == 0 else (self.df / 2, S(2))

    def _power(self, a: Expr) -> Expr:
        whole = int(a // 1) if a.is_number else 0
        fraction = a - whole
        half = self.df / 2
        start = S.One if fraction == 0 else 2**fraction * _gamma_ratio(half + fraction, half)
        # E[x^(a+1)] = (df + 2a) E[x^a]: whole steps away from the fractional part stay rational.
        if whole >= 0:
            return start * prod((self.df + 2 * (fraction + j) for j in range(whole)), start=S.One)
        return start / prod((self.df + 2 * (fraction - j) for j in range(1, -whole + 1)), start=S.One)

    def _cumulant(self, order: int, a: Expr) -> Expr:
        whole = int(a // 1) if a.is_number else 0
        base = self.df / 2 + (a - whole)
        constant = polygamma(order - 1, base, evaluate=not _is_large(base)) + (log(2) if order == 1 else 0)
        steps = range(whole) if whole >= 0 else range(whole, 0)
        sign = 1 if whole >= 0 else -1
        # psi_m(x+1) = psi_m(x) + (-1)^m m!/x^(m+1).
        shift = sum((_polygamma_step(order - 1, base + j) for j in steps), S.Zero)
        return Constant(constant) + sign * shift


@frozen
class Multinomial(Law):
    """x ~ Multinomial(trials; probabilities, the rest): E[prod x_i^k_i] = sum_j prod S2(k_i, j_i) p_i^j_i (trials)_(sum
    j).

    S2 is the Stirling number of the second kind and (m)_j the falling factorial; only the named types are listed.
    """

    counts: tuple[Symbol, ...]
    trials: Expr
    probabilities: tuple[Expr, ...]

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The counts of the named types."""
        return self.counts

    def means(self) -> tuple[Expr, ...]:
        """Return trials * p_i."""
        return tuple(self.trials * chance for chance in self.probabilities)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return the mixed raw moment of whole orders."""
        if any(logs) or not all(k.is_Integer and k >= 0 for k in powers):
            raise NotClosed(
                "a power or logarithm of a count that may be 0 has no closed moments. "
                "Ask for a polynomial in p, or for absorption(loop)."
            )
        terms = [(S.One, 0)]
        for power, chance in zip(powers, self.probabilities, strict=True):
            k = int(power)
            row = [(stirling(k, j) * chance**j, j) for j in range(1 if k else 0, k + 1)]
            terms = [(a * b, i + j) for a, i in terms for b, j in row]
        return sum((weight * ff(self.trials, order) for weight, order in terms), S.Zero)


_LARGE = 100
"""Above this argument the exact value of a Gamma or digamma function is a fraction of hundreds of digits."""


def _is_large(x: Expr) -> bool:
    return bool(x.is_number and x > _LARGE)


def _gamma_ratio(x: Expr, y: Expr) -> Expr:
    """Return Gamma(x)/Gamma(y); for large numbers as one exponential, since each alone is beyond floating point."""
    if not _is_large(y):
        return gamma(x) / gamma(y)
    return exp(loggamma(x, evaluate=False) - loggamma(y, evaluate=False))


def _polygamma_step(m: int, x: Expr) -> Expr:
    return (-1) ** m * Integer(prod(range(1, m + 1))) / x ** (m + 1)


@cache
def _bell_polynomial(order: int) -> tuple[Expr, tuple[Symbol, ...]]:
    slots = tuple(Dummy(f"kappa{j}") for j in range(1, order + 1))
    return sum((bell(order, j, slots) for j in range(1, order + 1)), S.Zero), slots


def _complete_bell(order: int, cumulants: Sequence[Expr]) -> Expr:
    """Return the moment of the given order from the cumulants; order 0 is 1."""
    if order == 0:
        return S.One
    polynomial, slots = _bell_polynomial(order)
    return polynomial.xreplace(dict(zip(slots, cumulants, strict=True)))
