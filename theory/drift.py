"""`drift`: where the fitted variance of a typical run goes, which is not where its mean goes.

Where V' = V g with independent factors g, log V is a random walk: its drift E log g decides collapse almost surely, and
the power kappa with E g^kappa = 1 says which moment of V the estimator keeps.
"""

from functools import cached_property
from typing import Any, Literal

import mpmath
from attrs import frozen
from sympy import Eq, Expr, Function, Rational, S, Symbol, expand_log, gamma, gammasimp, log, polygamma, powdenest

from theory.constants import one_logarithm, unfold
from theory.errors import NotClosed
from theory.exact import exact
from theory.innovations import ChiSquare
from theory.latex import latex
from theory.loop import Loop
from theory.mean_limit import MeanLimit, mean_limit
from theory.passage import FirstPassage, LargeDeviation, half_life
from theory.signs import sign_on_domain
from theory.walk import walk

_WHOLE = (1, 2, 3, -1, -2)
"""Powers for which G(k) is rational, tried exactly before the root is left implicit."""


class KappaRoot(Function):
    """KappaRoot(a, theta): the non-zero k with theta^k Gamma(a + k) = Gamma(a), unique by convexity; evaluates
    numerically.
    """

    nargs = 2

    def _eval_evalf(self, prec: int) -> Expr | None:
        if not all(arg.is_number for arg in self.args):
            return None
        # Near kappa = 0 the root is lost among values of f of the order of its square.
        with mpmath.workprec(3 * prec + 20):
            a, theta = (mpmath.mpf(arg.evalf(mpmath.mp.dps)) for arg in self.args)
            return S(_root(a, theta, mpmath.ldexp(1, -prec)))


def _root(a: Any, theta: Any, least: Any) -> Any:
    """Return the non-zero root of the convex f(k) = k log theta + log Gamma(a + k) - log Gamma(a), f(0) = 0.

    A slope at 0 below ``least`` counts as none, and the root as 0.
    """

    def f(k: Any) -> Any:
        return k * mpmath.log(theta) + mpmath.loggamma(a + k) - mpmath.loggamma(a)

    slope = mpmath.psi(0, a) + mpmath.log(theta)
    if abs(slope) < least:
        return mpmath.mpf(0)
    # f has the sign of slope * k near 0 and is positive far away on the other side: bracket the crossing there.
    outer = _far(f, a, -mpmath.sign(slope))
    inner = outer / 2
    while f(inner) > 0:
        inner /= 2

    # In log(a + k) the crossing is never steep, however near -a it lies.
    def in_log(u: Any) -> Any:
        return (mpmath.exp(u) - a) * mpmath.log(theta) + mpmath.loggamma(mpmath.exp(u)) - mpmath.loggamma(a)

    terms = (a, outer * mpmath.log(theta), mpmath.loggamma(a), mpmath.loggamma(a + outer))
    rounding = 16 * mpmath.eps * (1 + sum(map(abs, terms)))
    ends = (mpmath.log(a + inner), mpmath.log(a + outer))
    return mpmath.exp(mpmath.findroot(in_log, ends, solver="anderson", tol=rounding**2)) - a


def _far(f: Any, a: Any, side: Any) -> Any:
    k = side * min(a, 1) / 2 if side < 0 else side
    while f(k) <= 0:
        k = 2 * k if side > 0 else (k - a) / 2
    return k


def _may_be(near: Expr, value: Expr) -> bool:
    """Return whether an approximate root, or one in symbols, may be the value; only then is it worth an exact test."""
    return not near.is_number or abs(near - value) < Rational(1, 10**5)


@frozen
class Drift:
    """The random walk of log V: ``rate`` = E log g a generation, ``kappa`` with E g^kappa = 1, and the ``verdict``."""

    loop: Loop
    scale: Expr
    """g = scale * chi-square(df)."""
    df: Expr

    @property
    def rate(self) -> Expr:
        """E log(V'/V) = psi(df/2) + log(2 scale); (1/n) log V_n converges to it almost surely."""
        return one_logarithm(unfold(self._squares.moment((S.Zero,), (1,))) + log(self.scale))

    @property
    def _squares(self) -> ChiSquare:
        return ChiSquare(Symbol("chi", positive=True), self.df)

    def factor(self, k: Expr) -> Expr:
        """E (V'/V)^k = (2 scale)^k Gamma(df/2 + k)/Gamma(df/2), for k > -df/2."""
        return (2 * self.scale) ** k * gamma(self.df / 2 + k) / gamma(self.df / 2)

    @cached_property
    def kappa(self) -> Expr:
        """The k != 0 with E (V'/V)^k = 1 (0 when log V does not drift): V^kappa is what the estimator keeps on
        average.
        """
        for k in map(S, _WHOLE):
            if (self.scale**k * self._squares.moment((k,), (0,)) - 1).cancel() == 0:
                return k
        root = KappaRoot(self.df / 2, 2 * self.scale)
        near = root.evalf()
        if _may_be(near, S.Half) and gammasimp(powdenest(self.factor(S.Half), force=True) - 1) == 0:
            return S.Half
        driftless = _may_be(near, S.Zero) and expand_log(self.rate, force=True).simplify() == 0
        return S.Zero if driftless else root

    @property
    def equation(self) -> Expr:
        """The equation that kappa solves."""
        k = Symbol("kappa", real=True)
        return Eq(self.factor(k), 1)

    @property
    def verdict(self) -> str:
        """One of "collapse" (V -> 0 almost surely), "driftless", "explosion", or "undecided" in the symbols."""
        # Jensen: E log g <= log E g, strictly, so E g <= 1 decides without numbers.
        if sign_on_domain(1 - self.scale * self.df) in (0, 1):
            return "collapse"
        # log E g^k is convex and 0 at k = 0 and at kappa, so its slope at 0, E log g, has the sign of -kappa.
        sign = sign_on_domain(-self.kappa if self.kappa.is_Rational else self.rate)
        return {None: "undecided", 1: "explosion", -1: "collapse", 0: "driftless"}[sign]

    @property
    def variance(self) -> Expr:
        """Var log(V'/V) = psi_1(df/2); log V_n has n times it, for every multiplier."""
        return polygamma(1, self.df / 2, evaluate=False)

    @property
    def large_deviation(self) -> LargeDeviation:
        """How seldom a run stays away from its fate: the rate -min_k log E g^k and the k* where it is attained."""
        return LargeDeviation(self.df / 2, 2 * self.scale)

    def first_passage(self, eps: Any) -> FirstPassage:
        """Return the number of generations until V < eps V0, for 0 < eps < 1.

        Raises:
            NotClosed: a loop that does not collapse, where the mean number is infinite.
        """
        level = exact(eps, "eps")
        if level.is_number and not 0 < level < 1:
            raise ValueError(f"eps = {eps}: V starts at V0 and falls. Give 0 < eps < 1.")
        if self.verdict in ("driftless", "explosion"):
            raise NotClosed(
                f"estimator: {self.loop.estimator} gives {self.verdict}, and V < eps V0 takes infinitely long on "
                "average. Ask large_deviation, or law(loop).at(n=...).cdf(eps)."
            )
        return FirstPassage(self.df / 2, 2 * self.scale, level, -self.rate)

    def half_life(self, of: Literal["mean", "typical"] = "typical") -> Expr:
        """Return the generations in which V halves: log 2/(-log E g) for "mean", the ensemble's E V_n, and
        log 2/(-E log g) for "typical", the median run in the long term; oo where it does not.
        """
        if of == "mean":
            return half_life(log(self.scale * self.df), self._mean_shrinks)
        if of == "typical":
            return half_life(self.rate, {"collapse": 1, "undecided": None}.get(self.verdict, -1))
        raise ValueError(f"half_life({of!r}) is not known. Choose 'mean' or 'typical'.")

    @property
    def mean_limit(self) -> MeanLimit:
        """The almost sure limit of the fitted mean, for kappa > 0."""
        return mean_limit(self.loop, self.kappa, self._mean_shrinks)

    @property
    def _mean_shrinks(self) -> int | None:
        """The sign of 1 - E g, which is that of kappa - 1 by convexity of log E g^k."""
        excess = self.kappa - 1
        return sign_on_domain(excess if excess.is_number else 1 - self.scale * self.df)

    def _repr_latex_(self) -> str:
        name = latex(walk(self.loop).parameter)
        return rf"$\mathbb{{E}}\log\frac{{{name}_n}}{{{name}_{{n-1}}}} = {latex(self.rate)}$ ({self.verdict})"


def drift(loop: Loop) -> Drift:
    """Return the drift of log V.

    Raises:
        NotClosed: a loop where V' is not V times an independent factor of one and the same law.

    >>> from theory import Gaussian, Unbiased
    >>> drift(Loop(Gaussian(), estimator=Unbiased())).kappa
    1
    >>> drift(Loop(Gaussian())).verdict
    'collapse'
    """
    found = walk(loop)
    if not found.steady:
        raise NotClosed(
            f"regime: under {loop.regime} the factor of {found.parameter} changes from fit to fit. Ask law(loop)."
        )
    return Drift(loop, found.scale / 2, 2 * found.shape)
