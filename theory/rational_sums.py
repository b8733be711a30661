"""Sums of rational functions in closed form, through polygamma functions at their poles."""

from math import factorial

from attrs import frozen
from sympy import Add, Dummy, Expr, Poly, S, factor_terms, polygamma, summation

from theory.symbols import n


@frozen
class RationalSum:
    """sum_{k = start+1}^{n} of a polynomial plus sum_p a_p/(k - r_p)^(m_p), each pole given as (r_p, m_p, a_p).

    From psi_(m-1)(x + 1) - psi_(m-1)(x) = (-1)^(m-1) (m-1)!/x^m, with psi_0 the digamma function.
    """

    polynomial: Expr
    poles: tuple[tuple[Expr, int, Expr], ...]
    start: int

    def expr(self) -> Expr:
        """Return the closed form in n."""
        k = Dummy("k", integer=True)
        whole = summation(self.polynomial.subs(n, k), (k, self.start + 1, n))
        tails = (weight * (_tail(r, m, self.start) - _tail(r, m, n)) for r, m, weight in self.poles)
        return factor_terms(Add(whole, *tails))

    def limit(self) -> Expr | None:
        """Return the limit in n, None where the sum diverges."""
        slowest = Add(*(weight for _, m, weight in self.poles if m == 1))
        if self.polynomial != 0 or slowest.cancel() != 0:
            return None
        return factor_terms(Add(*(weight * _tail(r, m, self.start) for r, m, weight in self.poles)))


def _tail(root: Expr, order: int, last: Expr | int) -> Expr:
    """Return what sum_{k > last} 1/(k - root)^order would be, up to a divergent constant for order 1."""
    return S((-1) ** order) / factorial(order - 1) * polygamma(order - 1, last + 1 - root)


def rational_sum(term: Expr, start: int) -> RationalSum | None:
    """Return the sum of a rational term in n over n > start, None where its poles are not rational in the symbols or
    one is hit.

    >>> rational_sum(1 / n**2, 0).limit()
    pi**2/6
    """
    above, below = (Poly(part, n) for part in term.together().as_numer_denom())
    factors = below.factor_list()[1]
    if any(factor.degree() > 1 for factor, _ in factors):
        return None
    roots = [((-factor.nth(0) / factor.nth(1)).cancel(), m) for factor, m in factors]
    if any(r.is_Integer and r > start for r, _ in roots):
        return None
    quotient, remainder = above.div(below)
    poles = [pole for r, m in roots for pole in _principal(remainder, below, r, m)]
    return RationalSum(quotient.as_expr(), tuple(poles), start)


def _principal(above: Poly, below: Poly, root: Expr, order: int) -> list[tuple[Expr, int, Expr]]:
    """Return the terms a/(n - root)^m, m <= order: Taylor coefficients at the root of the rest of the fraction."""
    rest = (above.as_expr() * (n - root) ** order / below.as_expr()).cancel()
    poles = []
    for i in range(order):
        weight = (rest.diff(n, i).subs(n, root) / factorial(i)).cancel()
        if weight != 0:
            poles.append((root, order - i, weight))
    return poles
