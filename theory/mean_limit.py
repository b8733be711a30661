"""Where the fitted mean goes while the variance collapses: it converges to a random limit, whose law is Student's.

Given the variances, mu_infinity is normal with variance proportional to 1 + g_1 + g_1 g_2 + ..., a perpetuity. For
large M the random walk of log V becomes a Brownian motion with drift, and Dufresne's identity gives its law.
"""

from attrs import evolve, frozen
from sympy import Dummy, Expr, Gt, Poly, Rational, S, Symbol, gamma, log, loggamma, oo, pi, polygamma, sqrt

from theory import symbols
from theory.errors import NoClosedForm, NotClosed
from theory.innovations import Normal
from theory.latex import latex
from theory.loop import Loop
from theory.stirling import expansion, h
from theory.walk import Walk, refit, walk, whole_walk

x = Symbol("x", real=True)
"""Where the density is taken."""


@frozen
class MeanLimit:
    """mu_n -> mu_infinity almost surely, and for large M mu_infinity ~ mu0 + sqrt(spread/kappa) t_(2 kappa).

    Sources: Dufresne (1990) for the limit law, Kesten (1973) and Goldie (1991) for the tail at finite M.
    """

    center: Expr
    """mu0."""
    spread: Expr
    """V0 times the limit of 2 Var(mu' - mu | V)/(V Var log g): V0 itself under faithful sampling."""
    kappa: Expr
    """The limit of the power kappa as M grows."""
    tail_index: Expr
    """2 kappa at the loop's own M: P(|mu_infinity - mu0| > x) falls like x^(-2 kappa)."""
    variance: Expr
    """Var mu_infinity at the loop's own M, exact; oo where E g >= 1."""

    @property
    def df(self) -> Expr:
        """Degrees of freedom of the limit law, 2 kappa."""
        return 2 * self.kappa

    @property
    def pdf(self) -> Expr:
        """Gamma(kappa + 1/2)/(Gamma(kappa) sqrt(2 pi spread)) (1 + (x - mu0)^2/(2 spread))^(-kappa - 1/2), for large
        M.
        """
        height = gamma(self.kappa + S.Half) / (gamma(self.kappa) * sqrt(2 * pi * self.spread))
        return height * (1 + (x - self.center) ** 2 / (2 * self.spread)) ** (-self.kappa - S.Half)

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What must hold for the mean to converge."""
        return () if self.kappa.is_positive else (Gt(self.kappa, 0),)

    def _repr_latex_(self) -> str:
        scale = latex(sqrt(self.spread / self.kappa))
        center = "" if self.center == 0 else f"{latex(self.center)} + "
        return rf"$\mu_\infty \sim {center}{scale}\, t_{{{latex(self.df)}}}$"


def mean_limit(loop: Loop, kappa: Expr, shrinks: int | None) -> MeanLimit:
    """Return the limit of the fitted mean.

    Args:
        loop: a loop that multiplies its variance and moves its mean by a normal deviate of proportional variance.
        kappa: the power with E g^kappa = 1.
        shrinks: the sign of 1 - E g, None where it is not decided.

    Raises:
        NotClosed: the mean does not move so, or does not converge.
        NoClosedForm: the estimator does not become unbiased as M grows, so there is no limit law of this form.
    """
    here, large = whole_walk(loop), evolve(loop, samples=symbols.M)
    parameter, weight = _noise(loop, here)
    limit, ratio = _limits(walk(large), _noise(large, walk(large))[1])
    if limit.is_nonpositive:
        raise NotClosed(
            f"estimator: with {loop.estimator} kappa -> {limit} is not positive, so V does not collapse and the mean "
            "does not converge. Ask expect(loop, (mu - mu0)**2)."
        )
    mean_factor = here.scale * here.shape
    variance = (weight * here.start / (1 - mean_factor)).cancel() if shrinks in (1, None) else oo
    return MeanLimit(loop.law.source()[parameter], here.start * ratio, limit, 2 * kappa, variance)


def _noise(loop: Loop, here: Walk) -> tuple[Expr, Expr]:
    """Return the parameter that moves by a normal deviate, and the deviate's variance over the walk's parameter."""
    one = refit(loop)
    normals = {law.symbol: law.variance / here.parameter for law in one.laws if isinstance(law, Normal)}
    for parameter, update in one.update.items():
        weight = normals.get((update - parameter).expand())
        if weight is not None and not weight.cancel().free_symbols & set(one.state):
            return parameter, weight.cancel()
    raise NotClosed(
        f"family: no parameter of {type(loop.law).__name__} moves by a normal deviate with variance proportional to "
        f"{here.parameter}. Ask a Gaussian loop."
    )


def _limits(here: Walk, weight: Expr) -> tuple[Expr, Expr]:
    """Return the limits of kappa and of 2 weight/Var log g as M grows, from M log E g^k -> k (b + k s^2/2)."""
    k = Dummy("k", positive=True)
    powers = expansion(k * log(here.scale) + loggamma(here.shape + k) - loggamma(here.shape), 2).expand()
    noise, spread = (expansion(part, 2) for part in (weight, polygamma(1, here.shape, evaluate=False)))
    if powers.subs(h, 0) != 0 or noise.coeff(h, 1) == 0:
        raise NoClosedForm(
            "the multiple of the variance does not tend to 1 as M grows, so that log V has no diffusion limit. "
            "Ask .variance of expect(loop, mu**2), or an estimator whose multiple depends on M."
        )
    slope, constant = Poly((powers.coeff(h, 1) / k).expand(), k).all_coeffs()
    return (-constant / slope).cancel(), Rational(2) * noise.coeff(h, 1) / spread.coeff(h, 1)
