"""Recurrences whose coefficients depend on n: products of rational functions, and the sums that telescope against them.

u(k) = rate(k) u(k-1) + forcing(k) has the product H(k) = prod rate(j) as homogeneous solution. A forcing that is
rational times a product is summed by Gosper's algorithm where it can be, and is kept as a defined sum where it cannot.
"""

from collections.abc import Mapping
from math import prod

from attrs import frozen
from sympy import Add, Dummy, Expr, Indexed, Poly, Product, S, Sum, gamma, linsolve, roots, symbols
from sympy.concrete.gosper import gosper_normal

from theory.symbols import n


@frozen
class HyperProduct:
    """H(k) = prod_{j = start+1}^{k} ratio(j), ratio an expression in the symbol n; H(start) = 1."""

    ratio: Expr
    start: int

    def expr(self) -> Expr:
        """Return the closed form in n: a ratio of Gamma functions where the roots are known and none is a whole
        number hit.
        """
        k = Dummy("k", integer=True)
        product = Product(self.ratio.subs(n, k), (k, self.start + 1, n))
        if self.ratio.has(Indexed):
            return product
        numerator, denominator = (Poly(part, n) for part in self.ratio.together().as_numer_denom())
        above, below = _roots(numerator), _roots(denominator)
        if above is None or below is None or any(r.is_Integer and r > self.start for r in above):
            return product
        lead = (numerator.LC() / denominator.LC()) ** (n - self.start)
        return lead * prod(map(self._rising, above), start=S.One) / prod(map(self._rising, below), start=S.One)

    def limit(self) -> Expr | None:
        """Return the limit in n, None where the degrees of the ratio do not balance or it names a sequence."""
        if self.ratio.has(Indexed):
            return None
        numerator, denominator = (Poly(part, n) for part in self.ratio.together().as_numer_denom())
        above, below = _roots(numerator), _roots(denominator)
        if above is None or below is None or len(above) != len(below):
            return None
        if numerator.LC() != denominator.LC() or Add(*above, *(-r for r in below)).simplify() != 0:
            return None
        at = self.start + 1
        return prod((gamma(at - r) for r in below), start=S.One) / prod((gamma(at - r) for r in above), start=S.One)

    def _rising(self, root: Expr) -> Expr:
        return gamma(n + 1 - root) / gamma(self.start + 1 - root)


@frozen
class HyperSum:
    """W(k) = rate(k) W(k-1) + weight(k) g(k-1), W(start) = 0, with g another sequence (None is the constant 1)."""

    rate: Expr
    weight: Expr
    of: "Generator | None"
    start: int

    def expr(self) -> Expr:
        """Return the sum, written out."""
        k, j = Dummy("k", integer=True), Dummy("j", integer=True)
        inner = S.One if self.of is None else self.of.expr().subs(n, k - 1)
        after = S.One if self.rate == 1 else Product(self.rate.subs(n, j), (j, k + 1, n))
        return Sum(self.weight.subs(n, k) * inner * after, (k, self.start + 1, n))

    def limit(self) -> Expr | None:
        """Return None: no closed form is known."""
        return None


Generator = HyperProduct | HyperSum
Combination = dict[Generator | None, Expr]
"""Rational coefficients in n by sequence; None is the constant sequence 1."""


def solve_varying(rate: Expr, forcing: Mapping[Generator | None, Expr], initial: Expr, start: int) -> Combination:
    """Solve u(k) = rate(k) u(k-1) + sum_g forcing[g](k) g(k-1) for k > start, u(start) = initial."""
    home = None if rate == 1 else HyperProduct(rate, start)
    solution: Combination = {}
    for sequence, weight in forcing.items():
        particular = None if isinstance(sequence, HyperSum) else _telescoped(rate, sequence, weight, start)
        key, factor = (
            (sequence, particular) if particular is not None else (HyperSum(rate, weight, sequence, start), S.One)
        )
        solution[key] = (solution.get(key, S.Zero) + factor).cancel()
    rest = initial - sum((w.subs(n, start) for g, w in solution.items() if not isinstance(g, HyperSum)), S.Zero)
    solution[home] = (solution.get(home, S.Zero) + rest).cancel()
    return {g: w for g, w in solution.items() if w != 0}


def _telescoped(rate: Expr, sequence: HyperProduct | None, weight: Expr, start: int) -> Expr | None:
    """Return rational R with R(k) r(k) - rate(k) R(k-1) = weight(k), r the sequence's ratio, if Gosper finds one free
    of poles.
    """
    own = S.One if sequence is None else sequence.ratio
    # t(k) = weight(k) g(k-1)/H(k) must be a difference T(k) - T(k-1) with T = y t.
    quotient = (weight.subs(n, n + 1) * own / (weight * rate.subs(n, n + 1))).cancel()
    if quotient.has(Indexed):
        return None
    certificate = gosper_certificate(quotient)
    found = None if certificate is None else ((certificate + 1) * weight / own).cancel()
    return None if found is None or _has_pole(found, start) else found


def _has_pole(rational: Expr, start: int) -> bool:
    """Return whether a whole k >= start makes the denominator 0, so that the sequence would not start."""
    below = Poly(rational.as_numer_denom()[1], n)
    return any(root.is_Integer and root >= start for root in roots(below))


def gosper_certificate(quotient: Expr) -> Expr | None:
    """Return rational y(n) with y(n+1) t(n+1) - y(n) t(n) = t(n) for a term of ratio t(n+1)/t(n), None when there is
    none.

    Gosper's algorithm (Proc. Natl. Acad. Sci. 75, 1978): y = B(n-1) x(n)/C(n) with A(n) x(n+1) - B(n-1) x(n) = C(n).

    >>> gosper_certificate(n / (n + 2))  # t = 1/(n (n+1))
    -n - 1
    """
    A, B, C = gosper_normal(*quotient.as_numer_denom(), n)
    B = B.shift(-1)
    degree = _degree(A, B, C)
    if degree is None:
        return None
    coefficients = symbols(f"_x:{degree + 1}")
    x = Poly(coefficients, n)
    defect = A.as_expr() * x.as_expr().subs(n, n + 1) - B.as_expr() * x.as_expr() - C.as_expr()
    found = list(linsolve(Poly(defect, n).coeffs(), coefficients))
    if not found:
        return None
    values = {s: v.subs(dict.fromkeys(coefficients, 0)) for s, v in zip(coefficients, found[0], strict=True)}
    return (B.as_expr() * x.as_expr().subs(values) / C.as_expr()).cancel()


def _degree(A: Poly, B: Poly, C: Poly) -> int | None:
    high = max(A.degree(), B.degree())
    if A.degree() != B.degree() or A.LC() != B.LC():
        candidates = [S(C.degree() - high)]
    else:
        second = (B.nth(high - 1) - A.nth(high - 1)) / A.LC() if high else S.Zero
        candidates = [S(C.degree() - high + 1), S(second).cancel()]
    whole = [int(d) for d in candidates if d.is_Integer and d >= 0]
    return max(whole) if whole else None


def _roots(polynomial: Poly) -> list[Expr] | None:
    """Return the roots, repeated by multiplicity; None where a factor of degree 3 or more makes them unreadable."""
    if any(factor.degree() > 2 for factor, _ in polynomial.factor_list()[1]):
        return None
    return [root for root, multiplicity in roots(polynomial).items() for _ in range(multiplicity)]
