"""The determinant of a Wishart matrix, in a dimension that may stay a symbol.

It is a product of independent chi-squares, so its moments are ratios of Gamma functions that telescope, and its
logarithm has sums of polygammas for cumulants.
"""

from math import comb

from attrs import frozen
from sympy import Expr, Mul, Product, S, Sum, Symbol, gamma, log, polygamma

from theory import symbols
from theory.constants import Constant
from theory.errors import NotClosed
from theory.innovations import ChiSquare


@frozen
class Bartlett:
    """D = det W for W ~ Wishart_d(df, I): a product of independent chi-squares of df, df - 1, ..., df - d + 1 degrees.

    (Bartlett's decomposition; Muirhead 1982, Theorem 3.2.15.)
    """

    df: Expr
    dimension: Expr

    def moment(self, power: Expr, order: int) -> Expr:
        """Return E[D^a (log D)^b]; for a dimension in symbols, b <= 2 there is enough of."""
        if self.dimension.is_Integer:
            return self._convolved(power, order)[order]
        first, second = (self._cumulant(j, power) for j in (1, 2))
        if order > 2:
            raise NotClosed(
                f"observable: log(det Sigma)^{order} needs the dimension as a number. Put in d with .at(d=...)."
            )
        return self._power(power) * (S.One, first, first**2 + second)[order]

    def _convolved(self, power: Expr, order: int) -> list[Expr]:
        """Return E[D^a (log D)^b] for b = 0..order, one chi-square after the other."""
        total = [S.One] + [S.Zero] * order
        for k in range(int(self.dimension)):
            factor = ChiSquare(Symbol(f"chi{k}"), self.df - k)
            here = [factor.moment((power,), (b,)) for b in range(order + 1)]
            total = [sum((comb(b, j) * total[j] * here[b - j] for j in range(b + 1)), S.Zero) for b in range(order + 1)]
        return total

    def _power(self, a: Expr) -> Expr:
        """Return 2^(ad) prod_(i<d) Gamma((df - i)/2 + a)/Gamma((df - i)/2), which telescopes for whole 2a."""
        df, d = self.df, self.dimension
        if a.is_Integer:
            # Gamma(z) Gamma(z + 1/2) = 2^(1 - 2z) sqrt(pi) Gamma(2z) joins two neighbours.
            steps = range(int(a)) if a > 0 else range(int(a), 0)
            ratio = Mul(*(gamma(df + 2 * j + 1) / gamma(df + 2 * j - d + 1) for j in steps))
            return ratio if a > 0 else 1 / ratio
        if (2 * a).is_Integer:
            steps = range(1, int(2 * a) + 1) if a > 0 else range(int(2 * a) + 1, 1)
            ratio = Mul(*(gamma((df + j) / 2) / gamma((df - d + j) / 2) for j in steps))
            return 2 ** (a * d) * (ratio if a > 0 else 1 / ratio)
        i = symbols.i
        return 2 ** (a * d) * Product(gamma((df - i) / 2 + a) / gamma((df - i) / 2), (i, 0, d - 1))

    def _cumulant(self, order: int, a: Expr) -> Expr:
        i, d = symbols.i, self.dimension
        total = Sum(polygamma(order - 1, (self.df - i) / 2 + a), (i, 0, d - 1))
        return Constant(total + (d * log(2) if order == 1 else 0))
