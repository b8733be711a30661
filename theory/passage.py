"""How fast the random walk of log V takes a run down: large deviations, first passage, half-lives.

One step of the walk is log g with g ~ scale * Gamma(shape), so every answer is a function of these two. Exact answers,
bounds and approximations for large M are told apart by name.
"""

from functools import cached_property
from typing import Any

import mpmath
from attrs import frozen
from sympy import (
    Add,
    Expr,
    Function,
    Lt,
    Piecewise,
    S,
    Symbol,
    exp,
    factorial,
    log,
    loggamma,
    oo,
    pi,
    polygamma,
    sqrt,
    zeta,
)
from sympy.printing.latex import LatexPrinter

from theory import symbols
from theory.exact import exact
from theory.latex import latex
from theory.stirling import expansion, h, leading_term


class DigammaInverse(Function):
    """DigammaInverse(y): the x > 0 with psi(x) = y, unique since psi increases from -oo to oo; evaluates numerically.

    >>> from sympy import digamma
    >>> DigammaInverse(digamma(5)).evalf()
    5.00000000000000
    """

    nargs = 1

    def _eval_evalf(self, prec: int) -> Expr | None:
        (y,) = self.args
        if not y.is_number:
            return None
        with mpmath.workprec(prec + 20):
            return S(_digamma_inverse(mpmath.mpf(y.evalf(mpmath.mp.dps))))

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        body = rf"\psi^{{-1}}\left({printer.doprint(self.args[0])}\right)"
        return body if exp is None else rf"\left({body}\right)^{{{exp}}}"


def _digamma_inverse(y: Any) -> Any:
    """Return the root of the concave psi - y by Newton's method, from its left, where no step overshoots."""
    # psi(x) < log x everywhere, and psi(x) = psi(1 + x) - 1/x < psi(2) - 1/x for x < 1.
    x = mpmath.exp(y) if y > mpmath.psi(0, 1) else 1 / (mpmath.psi(0, 2) - y)
    while True:
        step = (y - mpmath.psi(0, x)) / mpmath.psi(1, x)
        x += step
        if abs(step) < x * mpmath.sqrt(mpmath.eps) / 1000:
            return x


class MeanFall(Function):
    """MeanFall(a, theta) = E[-log g | g < 1], g ~ theta Gamma(a), how far a fall takes log V; evaluates numerically.

    It is int_0^oo u w(u) du/int_0^oo w(u) du with w(u) = exp(-a u - e^(-u)/theta).
    """

    nargs = 2

    def _eval_evalf(self, prec: int) -> Expr | None:
        if not all(arg.is_number for arg in self.args):
            return None
        with mpmath.workprec(prec + 20):
            a, theta = (mpmath.mpf(arg.evalf(mpmath.mp.dps)) for arg in self.args)

            def weight(u: Any) -> Any:
                return mpmath.exp(-a * u + (1 - mpmath.exp(-u)) / theta)

            panels = [0, *(mpmath.sqrt(mpmath.psi(1, a)) * 2**j for j in range(-1, 6)), mpmath.inf]
            return S(mpmath.quad(lambda u: u * weight(u), panels) / mpmath.quad(weight, panels))

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        a, theta = map(printer.doprint, self.args)
        body = rf"\mathbb{{E}}\left[-\log g \mid g < 1,\ g \sim {theta}\,\mathrm{{Gamma}}\left({a}\right)\right]"
        return body if exp is None else rf"\left({body}\right)^{{{exp}}}"


@frozen
class LargeDeviation:
    """-1/n log P(V_n > x V0) -> ``rate`` for every x > 0, in a loop that collapses (Cramer's theorem).

    ``power`` is the k* at which E g^k is least, and P(V_n > x V0) <= x^(-k*) exp(-rate n) for every n (Chernoff).
    In a loop that explodes k* < 0 and the same holds of V_n < x V0.
    """

    shape: Expr
    scale: Expr

    @property
    def power(self) -> Expr:
        """k* = psi^-1(log(1/scale)) - shape, the root of (d/dk) log E g^k = 0; exact, and evaluates numerically."""
        return DigammaInverse(log(1 / self.scale)) - self.shape

    @property
    def rate(self) -> Expr:
        """-log E g^k* = k* log(1/scale) + log Gamma(shape) - log Gamma(shape + k*), exact."""
        return self._rate(self.power)

    def _rate(self, power: Expr) -> Expr:
        start, lowest = (loggamma(a, evaluate=False) for a in (self.shape, self.shape + power))
        return power * log(1 / self.scale) + start - lowest

    def bound(self, ratio: Any, generation: Any = symbols.n) -> Expr:
        """Return x^(-k*) exp(-rate n), at least the probability that V_n is still above x V0."""
        return exact(ratio, "ratio") ** -self.power * exp(-exact(generation, "n") * self.rate)

    @cached_property
    def leading(self) -> Expr:
        """The leading term of the rate as M grows, by Stirling's series.

        The rate is stationary in k*, so one Newton step from shape + k* = 1/scale is enough, and it adds 1/2.
        """
        mean = expansion(log(self.scale) + log(self.shape), 3)
        base = mean.subs(h, 0)
        inverse = exp(-base) * Add(*((base - mean) ** j / factorial(j) for j in range(3)))
        log_mean, inverse = (series.subs(h, 1 / symbols.M) for series in (mean, inverse))
        lowest = self.shape * inverse + S.Half
        power = lowest - self.shape
        return leading_term(
            expansion(loggamma(self.shape) - loggamma(lowest) - power * (log_mean - log(self.shape)), 2)
        )

    def _repr_latex_(self) -> str:
        power = Symbol("k_*", real=True)
        least = rf"-\min_k \log\mathbb{{E}}\left[g^k\right] = {latex(self._rate(power))}"
        return rf"${least}, \quad k_* = {latex(self.power)}$"


@frozen
class FirstPassage:
    """T, the first generation with V_T < eps V0, in a loop that collapses.

    With S_n = log(V0/V_n) and b = log(1/eps), Wald's identity says E T = (b + E[S_T - b])/|rate| exactly. ``lower`` and
    ``upper`` bound E T, ``mean`` and ``deviation`` approximate, for large M and small eps.
    """

    shape: Expr
    scale: Expr
    eps: Expr
    speed: Expr
    """|E log g|."""

    @property
    def _depth(self) -> Expr:
        return -log(self.eps)

    @property
    def _spread(self) -> Expr:
        return polygamma(1, self.shape, evaluate=False)

    @property
    def lower(self) -> Expr:
        """b/|rate| < E T: the walk ends below the level, never on it (Wald)."""
        return self._depth / self.speed

    @property
    def upper(self) -> Expr:
        """E T <= (b + E[-log g | g < 1])/|rate|.

        The density of -log g is log-concave, so what is left of a fall beyond a level is longest on average when it
        starts at the level.
        """
        return (self._depth + MeanFall(self.shape, self.scale)) / self.speed

    @property
    def lorden(self) -> Expr:
        """E T <= b/|rate| + 1 + psi_1(shape)/rate^2, weaker and elementary: E[S_T - b] <= E[(log g)^2]/|rate| (Lorden
        1970).
        """
        return self._depth / self.speed + 1 + self._spread / self.speed**2

    @property
    def overshoot(self) -> Expr:
        """E[S_T - b] ~ -zeta(1/2)/sqrt(2 pi) sqrt(psi_1(shape)), 0.5826 standard deviations of a step.

        The constant of a driftless normal walk (Chernoff 1965, Siegmund 1979); relative error O(M^(-1/2)).
        """
        return -zeta(S.Half) / sqrt(2 * pi) * sqrt(self._spread)

    @property
    def mean(self) -> Expr:
        """E T ~ (b + overshoot)/|rate|."""
        return (self._depth + self.overshoot) / self.speed

    @property
    def deviation(self) -> Expr:
        """sd T ~ sqrt(psi_1(shape) E T)/|rate|, by Wald's second identity E[(S_T - |rate| T)^2] = psi_1(shape) E T with
        the overshoot's deviation left out.
        """
        return sqrt(self._spread * self.mean) / self.speed

    def _repr_latex_(self) -> str:
        return rf"$\mathbb{{E}}\,T \approx {latex(self.mean)}$"


def half_life(factor_log: Expr, sign: int | None) -> Expr:
    """Return log 2/(-factor_log) where ``sign``, that of -factor_log, is 1, else oo; both cases where it is None."""
    halving = log(2) / -factor_log
    if sign is None:
        return Piecewise((halving, Lt(factor_log, 0)), (oo, True))
    return halving if sign == 1 else oo
