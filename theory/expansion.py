"""Exact asymptotic expansions in one symbol, in its powers and its logarithm.

Gamma ratios, digammas and powers with symbolic exponents are expanded by Stirling's series with its Bernoulli numbers,
so that every coefficient is exact; general limit routines lose or invent terms of such expressions.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from itertools import count

from attrs import evolve, field, frozen
from sympy import (
    Add,
    Dummy,
    Expr,
    Function,
    Mul,
    Poly,
    Pow,
    RootSum,
    S,
    Symbol,
    bernoulli,
    exp,
    factorial,
    gamma,
    log,
    loggamma,
    oo,
    pi,
    polygamma,
)

from theory.coefficients import normal
from theory.errors import NoClosedForm

Exponent = tuple[Expr, int]
"""(k, j) for x^(-k) (log x)^j."""


@frozen
class Expansion:
    """sum of c x^(-k) (log x)^j over ``terms`` {(k, j): c}, up to O(x^(-order)) and logarithms, as x grows."""

    x: Symbol
    terms: dict[Exponent, Expr]
    order: Expr

    @property
    def lowest(self) -> Expr:
        """The smallest k among the terms, or the order where there is none."""
        return min((k for k, _ in self.terms), default=self.order)

    def __add__(self, other: "Expansion") -> "Expansion":
        terms = dict(self.terms)
        for exponent, weight in other.terms.items():
            terms[exponent] = terms.get(exponent, S.Zero) + weight
        return self._kept(terms, min(self.order, other.order))

    def __mul__(self, other: "Expansion") -> "Expansion":
        order = min(self.order + other.lowest, other.order + self.lowest)
        terms: dict[Exponent, Expr] = {}
        for (k, i), a in self.terms.items():
            for (m, j), b in other.terms.items():
                if k + m < order:
                    terms[k + m, i + j] = terms.get((k + m, i + j), S.Zero) + a * b
        return self._kept(terms, order)

    def scaled(self, weight: Expr, k: Expr = S.Zero) -> "Expansion":
        """Return weight x^(-k) times the expansion."""
        return self._kept({(k + m, j): weight * c for (m, j), c in self.terms.items()}, self.order + k)

    def cut(self, order: Expr) -> "Expansion":
        """Return the expansion up to O(x^(-order)) only."""
        return self._kept(self.terms, min(order, self.order))

    def split(self) -> tuple[dict[Exponent, Expr], "Expansion"]:
        """Return the terms that do not vanish as x grows, and the rest."""
        large = {e: c for e, c in self.terms.items() if e[0] <= 0}
        return large, evolve(self, terms={e: c for e, c in self.terms.items() if e[0] > 0})

    def relative(self) -> tuple[Expr, Expr, "Expansion"]:
        """Return (c, k, u) with the expansion c x^(-k) (1 + u), u vanishing as x grows."""
        if {j for k, j in self.terms if k == self.lowest} != {0}:
            raise NoClosedForm(f"an expansion in {self.x} has no leading power. Ask for its parts on their own.")
        lead, k = self.terms[self.lowest, 0], self.lowest
        rest = evolve(self, terms={e: c for e, c in self.terms.items() if e != (k, 0)})
        return lead, k, rest.scaled(1 / lead, -k)

    def _kept(self, terms: dict[Exponent, Expr], order: Expr) -> "Expansion":
        kept = {e: normal(c) for e, c in terms.items() if e[0] < order}
        return Expansion(self.x, {e: c for e, c in kept.items() if c != 0}, order)


def expansion(expr: Expr, x: Symbol, depth: int) -> Expansion:
    """Return the expansion of an expression as x grows, every part kept ``depth`` powers past its leading one.

    Raises:
        NoClosedForm: a part of the expression has no known expansion.

    >>> from theory.symbols import M
    >>> expansion(polygamma(0, M) - log(M), M, 3).terms
    {(1, 0): -1/2, (2, 0): -1/12}
    """
    return _Expander(x, S(depth)).expand(expr)


@frozen(eq=False)
class _Expander:
    """One method for every kind of expression; parts that do not hold x are coefficients."""

    x: Symbol
    depth: Expr
    _known: dict[Expr, Expansion] = field(factory=dict, init=False)
    _roots: set[Symbol] = field(factory=set, init=False)
    """Names of roots that depend on x."""

    def expand(self, expr: Expr) -> Expansion:
        if expr not in self._known:
            self._known[expr] = self._expand(expr)
        return self._known[expr]

    def _expand(self, expr: Expr) -> Expansion:
        if not self._moves(expr):
            return self._exactly({(S.Zero, 0): expr})
        if expr == self.x:
            return self._exactly({(-S.One, 0): S.One})
        if isinstance(expr, Add):
            return reduce(Expansion.__add__, map(self.expand, expr.args))
        if logs := dict(_gammas(expr, self.x)):
            return self._gamma_product(expr, logs)
        if isinstance(expr, Mul):
            return reduce(Expansion.__mul__, map(self.expand, expr.args))
        return self._power(expr.base, expr.exp) if isinstance(expr, Pow) else self._function(expr)

    def _moves(self, expr: Expr) -> bool:
        """Return whether an expression depends on x."""
        return not expr.free_symbols.isdisjoint({self.x, *self._roots})

    def _exactly(self, terms: dict[Exponent, Expr]) -> Expansion:
        return Expansion(self.x, terms, oo).cut(oo)

    def _gamma_product(self, expr: Expr, logs: dict[Expr, Expr]) -> Expansion:
        """Return a product with Gamma functions as exp of the sum of their logarithms, where the large parts cancel."""
        rest = Mul(*(part for part in Mul.make_args(expr) if not list(_gammas(part, self.x))))
        if rest != 1:
            return self.expand(expr / rest) * self.expand(rest)
        return self._exp(reduce(Expansion.__add__, (self._log_gamma(z).scaled(e) for z, e in logs.items())))

    def _power(self, base: Expr, exponent: Expr) -> Expansion:
        """Return (c x^(-k) (1 + u))^e = c^e x^(-k e) sum_j binomial(e, j) u^j."""
        if self._moves(exponent):
            return self._exp(self.expand(exponent) * self._log(self.expand(base)))
        lead, k, small = self.expand(base).relative()
        if k != 0 and not exponent.is_number:
            raise NoClosedForm(f"({base})^({exponent}) is no fixed power of {self.x}. Put numbers in with .at(...).")
        binomials = _from_ratio(lambda j: (exponent - j) / (j + 1))
        return self._composed(binomials, small).scaled(lead**exponent, k * exponent)

    def _function(self, expr: Expr) -> Expansion:
        if isinstance(expr, exp):
            return self._exp(self.expand(expr.args[0]))
        if isinstance(expr, log):
            return self._log_product(expr.args[0])
        if isinstance(expr, loggamma):
            return self._log_gamma(expr.args[0])
        if isinstance(expr, polygamma) and self.expand(expr.args[1]).lowest < 0:
            return self._polygamma(int(expr.args[0]), expr.args[1])
        if isinstance(expr, Function) and not self._moves(Add(*expr.args[:-1])):
            z = Dummy("z")
            return self._taylor(expr.func(*expr.args[:-1], z), z, self.expand(expr.args[-1]))
        if isinstance(expr, RootSum):
            return self._root_sum(expr)
        raise NoClosedForm(f"{expr} has no known expansion in {self.x}. Put numbers in with .at(...).")

    def _root_sum(self, total: RootSum) -> Expansion:
        """Return the sum of a function over the roots of a polynomial, every root expanded on its own."""
        parts = []
        for root in self._expanded_roots([self.expand(c) for c in reversed(total.poly.all_coeffs())]):
            name = Dummy("r")
            self._known[name] = root
            self._roots.add(name)
            parts.append(self.expand(total.fun(name)))
        return reduce(Expansion.__add__, parts)

    def _expanded_roots(self, chi: list[Expansion]) -> Iterator[Expansion]:
        """Yield the roots of sum_j chi_j r^j, by Newton's steps from those of its limit, which must be simple.

        A step r - chi(r)/chi'(limit of r) settles one power of x more.
        """
        low, r = min(c.lowest for c in chi), Dummy("r")
        far = Poly.from_list([normal(c.terms.get((low, 0), S.Zero)) for c in reversed(chi)], r)
        found = far.factor_list()[1]
        if far.degree() < len(chi) - 1 or any(factor.degree() > 1 or power > 1 for factor, power in found):
            raise NoClosedForm(
                f"the eigenvalues meet, grow or are irrational as {self.x} grows. Put numbers in with .at(...)."
            )
        for factor, _ in found:
            limit = normal(-factor.nth(0) / factor.nth(1))
            slope, root = far.diff().as_expr().subs(r, limit), self._exactly({(S.Zero, 0): limit})
            for _ in range(int(self.depth)):
                value = reduce(lambda high, c, at=root: high * at + c, reversed(chi))
                root = (root + value.scaled(-1 / slope, -low)).cut(self.depth)
            yield root

    def _exp(self, series: Expansion) -> Expansion:
        """Return exp(a log x + b + small) = x^a e^b sum_j small^j/j!."""
        large, small = series.split()
        slope, start = large.pop((S.Zero, 1), S.Zero), large.pop((S.Zero, 0), S.Zero)
        if large or not slope.is_number or series.order <= 0:
            raise NoClosedForm(f"a part grows or decays faster than every power of {self.x}. Ask for it on its own.")
        return self._composed(_from_ratio(lambda j: S.One / (j + 1)), small).scaled(exp(start), -slope)

    def _log(self, series: Expansion) -> Expansion:
        """Return log(c x^(-k) (1 + u)) = log c - k log x - sum_j (-u)^j/j."""
        lead, k, small = series.relative()
        weights = (S.Zero if j == 0 else -((-S.One) ** j) / j for j in count())
        return self._exactly({(S.Zero, 0): log(lead), (S.Zero, 1): -k}) + self._composed(weights, small)

    def _log_product(self, product: Expr) -> Expansion:
        """Return the logarithm of a product, Gamma functions and powers with x in the exponent taken out of it."""
        logs = [self._log_gamma(z).scaled(e) for z, e in _gammas(product, self.x)]
        rest = []
        for base, exponent in (f.as_base_exp() for f in Mul.make_args(product) if not list(_gammas(f, self.x))):
            if self._moves(exponent):
                logs.append(self.expand(exponent) * self._log(self.expand(base)))
            else:
                rest.append(base**exponent)
        return reduce(Expansion.__add__, logs, self._log(self.expand(Mul(*rest))))

    def _taylor(self, f: Expr, z: Dummy, argument: Expansion) -> Expansion:
        """Return sum_j f^(j)(a) small^j/j! about the limit a of the argument, where f must be analytic."""
        large, small = argument.split()
        at = large.pop((S.Zero, 0), S.Zero)
        if large or not f.subs(z, at).is_finite:
            raise NoClosedForm(f"{f.func} has no known expansion in {self.x} here. Put numbers in with .at(...).")
        return self._composed((f.diff(z, j).subs(z, at) / factorial(j) for j in count()), small)

    def _composed(self, weights: Iterable[Expr], small: Expansion) -> Expansion:
        """Return sum_j weights_j small^j as far as the depth reaches."""
        small = small.cut(self.depth)
        total, power = self._exactly({}), self._exactly({(S.Zero, 0): S.One})
        for weight in weights:
            total = total + power.scaled(weight)
            power = (power * small).cut(self.depth)
            if not power.terms:
                break
        return total.cut(small.order)

    def _log_gamma(self, z: Expr) -> Expansion:
        """Return (z - 1/2) log z - z + log(2 pi)/2 + sum_(k >= 2) B_k/(k (k - 1)) z^(1 - k), or the Taylor series."""
        argument = self.expand(z)
        if argument.lowest >= 0:
            t = Dummy("t")
            return self._taylor(loggamma(t), t, argument)
        tail = self._bernoulli(z, ((S.One / (k * (k - 1)), k, k - 1) for k in count(2)))
        below = argument + self._exactly({(S.Zero, 0): -S.Half})
        constant = self._exactly({(S.Zero, 0): log(2 * pi) / 2})
        return below * self._log(argument) + argument.scaled(-S.One) + constant + tail

    def _polygamma(self, m: int, z: Expr) -> Expansion:
        """Return psi_m(z): log z - sum_(k >= 1) B_k/k z^(-k) for m = 0, else its m-th derivative; B_1 = 1/2."""
        if m == 0:
            tail = self._bernoulli(z, ((-S.One / k, k, k) for k in count(1)))
            return self._log(self.expand(z)) + tail
        sign = (-S.One) ** (m + 1)
        return self._bernoulli(z, ((sign * factorial(k + m - 1) / factorial(k), k, k + m) for k in count()))

    def _bernoulli(self, z: Expr, terms: Iterator[tuple[Expr, int, int]]) -> Expansion:
        """Return the sum of w B_k z^(-power) over the (w, k, power), as far as the depth reaches."""
        growth = -self.expand(z).lowest
        total = self._exactly({})
        for weight, k, power in terms:
            if power * growth >= self.depth:
                break
            if bernoulli(k) != 0:
                total = total + self._power(z, S(-power)).scaled(weight * bernoulli(k))
        return total.cut(self.depth)


def _gammas(expr: Expr, x: Symbol) -> Iterator[tuple[Expr, Expr]]:
    """Yield (z, e) for every factor Gamma(z)^e of a product that holds x."""
    for factor in Mul.make_args(expr):
        base, exponent = factor.as_base_exp()
        if isinstance(base, gamma) and x in base.free_symbols and x not in exponent.free_symbols:
            yield base.args[0], exponent


def _from_ratio(ratio: Callable[[int], Expr]) -> Iterator[Expr]:
    """Yield 1, ratio(0), ratio(0) ratio(1), ..."""
    term = S.One
    for j in count():
        yield term
        term = term * ratio(j)
