"""The spectrum of a multivariate Gaussian loop along a typical run: rank, Lyapunov exponents, how it grows one-sided.

Under replacement Sigma_n = L_(n-1) W_n L_(n-1)' with Cholesky factors that multiply, so the volume of every flag of
directions grows by independent chi-square factors: their mean logarithms are the exponents.
"""

from typing import Any

from attrs import frozen
from sympy import Expr, Integer, Min, S, Symbol, log, oo, sympify

from theory.constants import unfold
from theory.errors import NotClosed
from theory.families.multivariate import MultivariateGaussian
from theory.innovations import ChiSquare
from theory.invariants import MODEL, Letter
from theory.latex import latex
from theory.loop import Loop
from theory.networks import trace
from theory.regimes import Accumulate, Mixed, Replace
from theory.step import step
from theory.wishart import Sample


@frozen
class Lyapunov:
    """Almost sure limits of (1/n) log of the eigenvalues of Sigma_n, largest first; -oo for those that are 0."""

    dimension: Expr
    df: Expr
    """Degrees of freedom of a refit, M - 1."""
    scale: Expr
    """Factor on the Wishart matrix of a refit, c/(M - 1) times the temperature."""

    def exponent(self, k: Expr | int) -> Expr:
        """Return psi((df - k + 1)/2) + log(2 scale), the k-th exponent, k = 1..d.

        The k largest together are E log det of the loop in k dimensions, of which this is the last step.
        """
        order: Any = sympify(k)
        if order.is_number and not (
            order.is_Integer and order >= 1 and (self.dimension - order).is_negative is not True
        ):
            raise ValueError(f"exponent {order} does not exist: there are {self.dimension}. Count from 1.")
        if (self.df - order).is_negative:
            return -oo
        growth = ChiSquare(Symbol("chi", positive=True), self.df - order + 1).moment((S.Zero,), (1,))
        return unfold(growth + log(self.scale))

    @property
    def exponents(self) -> tuple[Expr, ...]:
        """All d exponents, for a dimension given as a number."""
        if not isinstance(self.dimension, Integer):
            raise ValueError(f"the dimension is {self.dimension}. Ask exponent(k), or put in d with .at(d=...).")
        return tuple(self.exponent(k) for k in range(1, int(self.dimension) + 1))

    @property
    def condition(self) -> Expr:
        """Rate of log(largest/smallest eigenvalue); for d > 1 it is positive: the spread collapses onto a line."""
        return self.exponent(1) - self.exponent(self.dimension)

    @property
    def alignment(self) -> Expr:
        """Rate of log(first/second eigenvalue), at which the effective rank tr(Sigma)^2/tr(Sigma^2) goes to 1."""
        return self.exponent(1) - self.exponent(2)

    def _repr_latex_(self) -> str:
        k = Symbol("k", integer=True, positive=True)
        return rf"$\lim_n \frac1n\log\lambda_k(\Sigma_n) = {latex(self.exponent(k))}$"


def lyapunov(loop: Loop) -> Lyapunov:
    """Return the Lyapunov spectrum of the fitted covariance.

    Raises:
        NotClosed: a family without a covariance matrix, or a fit that is no multiple of one Wishart matrix.

    >>> from theory import Unbiased
    >>> lyapunov(Loop(MultivariateGaussian(dimension=2), estimator=Unbiased(), samples=3)).exponents
    (-EulerGamma, -2*log(2) - EulerGamma)
    """
    family = _family(loop)
    letter = Letter(trace((MODEL,)))
    refit = step(loop, family, (letter,))
    if refit.depends_on_k or loop.samples.is_infinite:
        raise NotClosed(
            f"regime: under {loop.regime} with samples = {loop.samples} the refits are no independent copies of one. "
            "Ask expect(loop, log(Determinant(Sigma))), or the replace regime."
        )
    (sample,) = (law for law in refit.laws if isinstance(law, Sample))
    factor = refit.update[letter] / sample.values[0]
    return Lyapunov(family.dimension, sample.draw.df, factor * sample.draw.scale)


def rank(loop: Loop) -> Expr:
    """Return the rank of every fitted covariance, min(d, M - 1), almost surely and from the first fit on.

    M points span M - 1 directions. Points drawn from a model stay in its affine hull, so a pool of earlier points gains
    nothing, and fresh real points take the place of those that a smaller sample of the model lacks.

    Raises:
        NotClosed: a family without a covariance matrix, a regime or an estimator of which the rank is not known here.

    >>> rank(Loop(MultivariateGaussian(dimension=4), samples=3))
    2
    """
    family = _family(loop)
    if not isinstance(loop.regime, Replace | Accumulate | Mixed) or loop.regime.subsampled:
        raise NotClosed(f"regime: the rank under {loop.regime} is not known here. Ask Replace, Accumulate or Mixed.")
    if not loop.estimator.keeps_statistics:
        raise NotClosed(f"estimator: the rank of {loop.estimator} is not known here. Ask MLE() or Unbiased().")
    return family.dimension if loop.samples.is_infinite else Min(family.dimension, loop.samples - 1)


def _family(loop: Loop) -> MultivariateGaussian:
    if not isinstance(loop.law, MultivariateGaussian):
        raise NotClosed(
            f"family: {type(loop.law).__name__} fits no covariance matrix. Ask drift(loop) of a Gaussian loop."
        )
    return loop.law
