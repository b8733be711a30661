"""The sum of the points of a sample from a natural exponential family, known by its variance function alone.

C. N. Morris, Natural exponential families with quadratic variance functions, Ann. Statist. 10 (1982) 65-80.
"""

from collections.abc import Sequence
from functools import cache

from attrs import frozen
from sympy import Dummy, Expr, S, Symbol

from theory.errors import NotClosed
from theory.innovations import Law

POINT = Dummy("m")
"""The mean of a point, the letter that variance functions are written in."""
_SIZE = Dummy("N")


@frozen
class NaturalSum(Law):
    """x = sum of ``size`` = N points of mean m: E[x^(k+1)] = N m E[x^k] + V(m) d/dm E[x^k].

    The density is proportional to exp(theta x) with d theta/dm = 1/V(m), so its derivative in m is (x - N m)/V(m)
    times itself. The same rule for cumulants is kappa_(j+1) = V(m) d kappa_j/dm, kappa_1 = N m. For a quadratic V
    every moment is a polynomial in m and N.

    Args:
        symbol: x.
        size: N.
        mean: m.
        variance: V, an expression in the letter `POINT`.
        family: the family, by name; two families may share a variance function on different means.

    >>> from theory.symbols import M, rate
    >>> NaturalSum(Symbol("x"), M, rate, POINT, "Poisson").moment((S(2),), (0,))
    M**2*rate**2 + M*rate
    """

    symbol: Symbol
    size: Expr
    mean: Expr
    variance: Expr
    family: str

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The one symbol drawn."""
        return (self.symbol,)

    def means(self) -> tuple[Expr, ...]:
        """Return N m."""
        return (self.size * self.mean,)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return E[x^k], for a whole k >= 0."""
        (power,), (logarithm,) = powers, logs
        if logarithm or not (power.is_Integer and power >= 0):
            what = "a logarithm" if logarithm else f"the power {power}"
            raise NotClosed(
                f"family: {what} of {self.symbol}, a sum of {self.family} points, has no closed moments. "
                "Ask for a polynomial in the parameter."
            )
        return _moment(int(power), self.variance).xreplace({POINT: self.mean, _SIZE: self.size})


@cache
def _moment(order: int, variance: Expr) -> Expr:
    """Return E[x^order] in the letters of m and N."""
    if order == 0:
        return S.One
    before = _moment(order - 1, variance)
    return (_SIZE * POINT * before + variance * before.diff(POINT)).expand()
