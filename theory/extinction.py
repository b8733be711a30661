"""`extinction`: the probability that a loop on counts has come to nothing but zeros, from which no refit returns."""

from attrs import frozen
from sympy import Expr, S, exp

from theory.errors import NotClosed
from theory.families.poisson import Poisson
from theory.loop import Loop
from theory.regimes import Accumulate, Replace
from theory.sampling import Faithful


def extinction(loop: Loop) -> "Extinction":
    """Return the law of the extinction of a Poisson loop.

    Under replacement P(rate_n = 0) = exp(-M rate0 g_n) with g_1 = 1 and g_(k+1) = 1 - exp(-g_k): given a model, the
    sum of its M counts has E exp(-s sum/M) = exp(-M rate (1 - exp(-s/M))). Under accumulation a pool that is not all
    zeros never is again, so that P(rate_n = 0) = exp(-M rate0) for every n >= 1.

    Args:
        loop: a Poisson loop, fitted exactly to faithful samples; its symbols stay symbolic.

    Raises:
        NotClosed: another family, regime, estimator or sampling.

    Source: A. T. Suresh, A. Thangaraj, A. N. K. Khandavally, Rate of model collapse in recursive training (2025).

    >>> from sympy import log
    >>> chain = extinction(Loop(Poisson(log(2)), samples=1))
    >>> chain.probability(1), chain.probability(2)
    (1/2, 2**(-1 + exp(-1)))
    """
    if not isinstance(loop.law, Poisson):
        raise NotClosed(
            f"family: the extinction of {type(loop.family).__name__} has no closed law here. "
            "Ask absorption of a categorical loop, or simulate(loop)."
        )
    if type(loop.regime) not in (Replace, Accumulate) or not isinstance(loop.sampling, Faithful):
        raise NotClosed(
            f"regime: under {loop.regime} with {loop.sampling} zeros may come back. "
            "Ask for faithful sampling in the replace or accumulate regime."
        )
    if not loop.estimator.keeps_statistics:
        raise NotClosed(f"estimator: {loop.estimator} need not fit 0 to zeros. Ask for MLE().")
    return Extinction(loop)


@frozen
class Extinction:
    """P(all counts of generation n are 0), exactly."""

    loop: Loop

    def probability(self, n: int) -> Expr:
        """Return P(rate_n = 0), n fits after the source."""
        if n == 0:
            return S.One if self.loop.law.source()[Poisson.rate] == 0 else S.Zero
        return exp(-self.loop.samples * self.loop.law.source()[Poisson.rate] * self.exponent(n))

    def exponent(self, n: int) -> Expr:
        """Return g_n: 1 and then 1 - exp(-g) of the one before; 1 for ever under accumulation. It falls like 2/n."""
        if not S(n).is_Integer or n < 1:
            raise ValueError(f"n = {n}: the exponent is defined from the first fit on. Give a whole number >= 1.")
        g = S.One
        for _ in range(n - 1 if isinstance(self.loop.regime, Replace) else 0):
            g = 1 - exp(-g)
        return g
