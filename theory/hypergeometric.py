"""Recurrences whose coefficients depend on n: products of rational functions, and the sums that telescope against them.

u(k) = rate(k) u(k-1) + forcing(k) has the product H(k) = prod rate(j) as homogeneous solution. A forcing that is
rational times a product is summed by Gosper's algorithm where it can be, and is kept as a defined sum where it cannot.
"""

from collections.abc import Mapping
from math import prod

from attrs import frozen
from sympy import Add, Dummy, Expr, Poly, Product, S, Sum, gamma, roots

from theory.arithmetic import Factored
from theory.constants import depends, unfold
from theory.field import Element, Field, letters
from theory.gosper import gosper_certificate
from theory.rational_sums import RationalSum, rational_sum
from theory.superposition import add
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
        product = Product(unfold(self.ratio).subs(n, k), (k, self.start + 1, n))
        if self._named:
            return product
        numerator, denominator = (Poly(part, n) for part in self.ratio.together().as_numer_denom())
        above, below = _roots(numerator), _roots(denominator)
        if above is None or below is None or any(r.is_Integer and r > self.start for r in above):
            return product
        lead = (numerator.LC() / denominator.LC()) ** (n - self.start)
        return lead * prod(map(self._rising, above), start=S.One) / prod(map(self._rising, below), start=S.One)

    def limit(self) -> Expr | None:
        """Return the limit in n, None where the degrees of the ratio do not balance or it names a sequence."""
        if self._named:
            return None
        numerator, denominator = (Poly(part, n) for part in self.ratio.together().as_numer_denom())
        above, below = _roots(numerator), _roots(denominator)
        if above is None or below is None or len(above) != len(below):
            return None
        if numerator.LC() != denominator.LC() or Add(*above, *(-r for r in below)).simplify() != 0:
            return None
        at = self.start + 1
        return prod((gamma(at - r) for r in below), start=S.One) / prod((gamma(at - r) for r in above), start=S.One)

    @property
    def _named(self) -> bool:
        """Whether the ratio names the entries of a sequence or a constant of each fit, and is not rational in n."""
        return any(x != n and depends(x, n) for x in letters(self.ratio))

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
        """Return the closed form of a sum of rational terms, another sum written out."""
        if closed := self._closed():
            return closed.expr()
        before = S.One if self.of is None else self.of.expr()
        taken = {x.name for x in before.atoms(Dummy)}
        j, k = (Dummy(name, integer=True) for name in [x for x in "kjilrs" if x not in taken][1::-1])
        inner = before.subs(n, k - 1)
        after = S.One if self.rate == 1 else Product(unfold(self.rate).subs(n, j), (j, k + 1, n))
        return Sum(unfold(self.weight).subs(n, k) * inner * after, (k, self.start + 1, n))

    def limit(self) -> Expr | None:
        """Return the limit of a convergent sum of rational terms, None for others."""
        closed = self._closed()
        return closed.limit() if closed else None

    def _closed(self) -> RationalSum | None:
        plain = self.rate == 1 and self.of is None and all(x == n or not depends(x, n) for x in letters(self.weight))
        return rational_sum(self.weight, self.start) if plain else None


Generator = HyperProduct | HyperSum
Combination = dict[Generator | None, Element]
"""Coefficients in a field that has n, by sequence; None is the constant sequence 1."""


def solve_varying(
    rate: Element, forcing: Mapping[Generator | None, Element], initial: Element, start: int, field: Field
) -> Combination:
    """Solve u(k) = rate(k) u(k-1) + sum_g forcing[g](k) g(k-1) for k > start, u(start) = initial."""
    home = None if rate == 1 else HyperProduct(field.factors(rate), start)
    solution: Combination = {}
    for sequence, weight in forcing.items():
        particular = None if isinstance(sequence, HyperSum) else _telescoped(rate, sequence, weight, start, field)
        if particular is not None:
            add(solution, sequence, particular)
        else:
            scale, varying = _without(weight, field)
            add(solution, HyperSum(field.factors(rate), varying, sequence, start), scale)
    values = (field.at(w, n, start) for g, w in solution.items() if not isinstance(g, HyperSum))
    add(solution, home, initial - sum(values, field.zero))
    return solution


def _without(weight: Element, field: Field) -> tuple[Element, Expr]:
    """Return (scale, varying) with weight = scale * varying, the scale free of n: so proportional sums are one."""
    whole = field.factored(weight)
    varying = Factored(S.One, {f: e for f, e in whole.factors.items() if depends(field.factor(f), n)})
    scale = weight
    for f, e in varying.factors.items():
        scale = scale / field.polynomial(f) ** e
    return scale, field.product(varying)


def _telescoped(
    rate: Element, sequence: HyperProduct | None, weight: Element, start: int, field: Field
) -> Element | None:
    """Return rational R with R(k) r(k) - rate(k) R(k-1) = weight(k), r the sequence's ratio, if Gosper finds one free
    of poles.
    """
    own = field.one if sequence is None else field(sequence.ratio)
    constant = weight / (own - rate) if own != rate else None
    if constant is not None and not field.varies(constant, n):
        return constant
    if field.names(n):
        return None
    found = weight / own
    if rate:
        # t(k) = weight(k) g(k-1)/H(k) must be a difference T(k) - T(k-1) with T = y t.
        quotient = field.shifted(weight, n, 1) * own / (weight * field.shifted(rate, n, 1))
        certificate = gosper_certificate(quotient, field)
        found = None if certificate is None else (certificate + field.one) * found
    return None if found is None or _has_pole(found, start, field) else found


def _has_pole(rational: Element, start: int, field: Field) -> bool:
    """Return whether a whole k >= start makes the denominator 0, so that the sequence would not start."""
    below = (field.factor(f) for f, e in field.factored(rational).factors.items() if e < 0)
    return any(root.is_Integer and root >= start for f in below if f.has(n) for root in roots(Poly(f, n)))


def _roots(polynomial: Poly) -> list[Expr] | None:
    """Return the roots, repeated by multiplicity; None where a factor of degree 3 or more makes them unreadable."""
    if any(factor.degree() > 2 for factor, _ in polynomial.factor_list()[1]):
        return None
    return [root for root, multiplicity in roots(polynomial).items() for _ in range(multiplicity)]
