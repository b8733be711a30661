"""What else the random walk of log V says: how fast a run collapses, how seldom it does not, and where the mean goes.

One step of the walk is log g with g ~ scale * Gamma(shape), so every answer here is a function of these two; the exact
answers, the bounds and the approximations for large M are told apart by name.
"""

from functools import cached_property
from typing import Any

import mpmath
from attrs import frozen
from sympy import (
    Add,
    Dummy,
    Eq,
    Expr,
    Function,
    Gt,
    Lt,
    Piecewise,
    Poly,
    S,
    Symbol,
    digamma,
    exp,
    factorial,
    gamma,
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
from theory.errors import NoClosedForm
from theory.latex import latex
from theory.stirling import expansion, h

x = Symbol("x", real=True)
"""Where a density is taken."""


class DigammaInverse(Function):
    """DigammaInverse(y): the x > 0 with psi(x) = y, unique since psi increases from -oo to oo; evaluates numerically."""

    nargs = 1

    def _eval_evalf(self, prec: int) -> Expr | None:
        (y,) = self.args
        if not y.is_number:
            return None
        with mpmath.workprec(prec + 20):
            level = mpmath.mpf(y.evalf(mpmath.mp.dps))
            # psi(x) ~ log(x - 1/2) for large x and ~ -1/x - psi(1) for small.
            start = mpmath.exp(level) + mpmath.mpf(1) / 2 if level > -2 else -1 / (level + mpmath.euler)
            return S(mpmath.findroot(lambda z: mpmath.psi(0, z) - level, start, tol=mpmath.eps**2 * 2**20))

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        body = rf"\psi^{{-1}}\left({printer.doprint(self.args[0])}\right)"
        return body if exp is None else rf"\left({body}\right)^{{{exp}}}"


class MeanFall(Function):
    """MeanFall(a, theta) = E[-log g | g < 1] for g ~ theta Gamma(a): int_0^oo u w(u) du/int_0^oo w(u) du with w(u) =
    exp(-a u - e^(-u)/theta); evaluates numerically.
    """

    nargs = 2

    def _eval_evalf(self, prec: int) -> Expr | None:
        if not all(arg.is_number for arg in self.args):
            return None
        with mpmath.workprec(prec + 20):
            a, theta = (mpmath.mpf(arg.evalf(mpmath.mp.dps)) for arg in self.args)

            def weight(u: Any) -> Any:
                return mpmath.exp(-a * u + (1 - mpmath.exp(-u)) / theta)

            unit = mpmath.sqrt(mpmath.psi(1, a))
            panels = [0, *(unit * 2**j for j in range(-1, 6)), mpmath.inf]
            return S(mpmath.quad(lambda u: u * weight(u), panels) / mpmath.quad(weight, panels))

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        body = r"\mathbb{E}\left[-\log g \mid g < 1\right]"
        return body if exp is None else rf"\left({body}\right)^{{{exp}}}"


@frozen
class LargeDeviation:
    """P(V_n > x V0) <= x^(-power) exp(-rate n), and no faster rate holds: -1/n log P(V_n > x V0) -> rate for every x > 0.

    Chernoff and Cramer's theorem, for a walk that falls; for one that rises the same with V_n < x V0 and power < 0.
    """

    shape: Expr
    scale: Expr

    @property
    def power(self) -> Expr:
        """k* = psi^-1(-log scale) - shape, where E g^k is least."""
        return DigammaInverse(-log(self.scale)) - self.shape

    @property
    def rate(self) -> Expr:
        """-log E g^k* = log Gamma(shape) - log Gamma(shape + k*) - k* log scale."""
        lowest = self.shape + self.power
        return (
            loggamma(self.shape, evaluate=False)
            - loggamma(lowest, evaluate=False)
            - self.power * log(self.scale)
        )

    def bound(self, ratio: Expr, n: Expr = symbols.n) -> Expr:
        """Return the bound x^(-k*) exp(-rate n) on the probability that V_n is still above x V0, for every n."""
        return ratio**-self.power * exp(-n * self.rate)

    @cached_property
    def leading(self) -> Expr:
        """The leading term of the rate as M grows, derived from Stirling's series, where M is a symbol.

        The rate is stationary in k*, so one Newton step from shape + k* = 1/scale, which adds 1/2, is enough.
        """
        mean = expansion(log(self.scale) + log(self.shape), 3)
        base, shift = mean.subs(h, 0), mean - mean.subs(h, 0)
        inverse = exp(-base) * Add(*((-shift) ** j / factorial(j) for j in range(3)))
        near, log_mean = (e.subs(h, 1 / symbols.M) for e in (inverse, mean))
        lowest = self.shape * near + S.Half
        rate = loggamma(self.shape) - loggamma(lowest) - (lowest - self.shape) * (log_mean - log(self.shape))
        return leading_term(expansion(rate, 2))

    def _repr_latex_(self) -> str:
        return rf"$-\tfrac1n \log\mathbb{{P}}\left(V_n > x V_0\right) \to {latex(self.rate)} \sim {latex(self.leading)}$"
