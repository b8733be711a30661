"""The beta-binomial law that diffusion theory has for a stationary law of counts, with its distance from the exact one.

It is an approximation and says so, in words and by a number.
"""

from collections.abc import Sequence

from attrs import frozen
from sympy import Add, Expr, binomial, rf


@frozen
class BetaBinomial:
    """P(X = x) = C(M, x) (theta p)^(x) (theta (1 - p))^(M - x) / theta^(M), with rising powers a^(x).

    Only an approximation to the chain's stationary law: ``distance`` is the total variation between the two,
    max over sets A of |P(X in A) - P_exact(X in A)| = sum_x |P(x) - P_exact(x)|/2.
    """

    theta: Expr
    law: tuple[Expr, ...]
    distance: Expr

    def __str__(self) -> str:
        """Say that it is an approximation, and how far it is off."""
        return (
            f"only an approximation: beta-binomial with theta = {self.theta}, "
            f"total variation distance {self.distance.evalf(3)} from the exact law"
        )


def beta_binomial(chance: Expr, theta: Expr, exact: Sequence[Expr]) -> BetaBinomial:
    """Return the beta-binomial law on 0..M with mean M p and parameter theta, compared with the exact law.

    Wright's stationary density for Wright-Fisher drift with immigration has theta = 2 M alpha (Ewens 2004, chapter 5).
    """
    M = len(exact) - 1
    one, other = theta * chance, theta * (1 - chance)
    law = tuple(binomial(M, x) * rf(one, x) * rf(other, M - x) / rf(theta, M) for x in range(M + 1))
    return BetaBinomial(theta, law, Add(*(abs(a - b) for a, b in zip(law, exact, strict=True))) / 2)
