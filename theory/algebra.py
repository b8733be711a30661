"""Laurent polynomials in a step's letters and their logarithms, over a field of rational functions.

Coefficients that are no rational functions (square roots, Gamma ratios) travel beside the rational ones as *surds* and
are settled at the end, all factors together: only then is it seen that a root has cancelled.
"""

from functools import cached_property
from typing import Any

import attrs
from attrs import frozen
from sympy import Add, Expr, Indexed, Integer, Mul, Pow, Rational, S, Symbol, expand_log, factor_list, factorint, log

from theory.constants import Constant, unfold
from theory.errors import NotClosed
from theory.field import Element, Field, letters

Key = tuple[Any, ...]
"""Powers of all letters, orders of all their logarithms, surd."""
Terms = dict[Key, Element]


@frozen(eq=False)
class Algebra:
    """Sums of coefficient * surd * prod_x x^power(x) log(x)^order(x) over the given letters.

    Powers may be negative, fractional or symbolic where the letter is positive.
    """

    letters: tuple[Expr, ...]
    field: Field
    where: str
    """Names the loop in refusals."""
    _read: dict[Expr, Terms] = attrs.field(factory=dict, init=False)

    @cached_property
    def _place(self) -> dict[Expr, int]:
        return {x: k for k, x in enumerate(self.letters)}

    @cached_property
    def _unit(self) -> Key:
        return (0,) * (2 * len(self.letters)) + (S.One,)

    @cached_property
    def one(self) -> Terms:
        """The number 1."""
        return {self._unit: self.field.one}

    def key(self, powers: dict[int, Any], surd: Expr = S.One) -> Key:
        """Return the key with the given exponents by place."""
        slots: list[Any] = list(self._unit)
        for place, power in powers.items():
            slots[place] = power
        slots[-1] = surd
        return tuple(slots)

    def read(self, expr: Expr) -> Terms:
        """Return an expression as terms, or raise `NotClosed`."""
        if expr not in self._read:
            self._read[expr] = self._parsed(expr)
        return self._read[expr]

    def _parsed(self, expr: Expr) -> Terms:
        if expr in self._place:
            return {self.key({self._place[expr]: 1}): self.field.one}
        if letters(expr).isdisjoint(self._place):
            return self._coefficient(expr)
        if isinstance(expr, Add):
            return self.sum(self.read(arg) for arg in expr.args)
        if isinstance(expr, Mul):
            return self.product(self.read(arg) for arg in expr.args)
        if isinstance(expr, Pow) and letters(expr.exp).isdisjoint(self._place):
            return self.power(self.read(expr.base), expr.exp)
        if isinstance(expr, log):
            return self.logarithm(self.read(expr.args[0]))
        raise NotClosed(
            f"{self.where}: {expr} is no polynomial in {', '.join(map(str, self.letters))}, so it does not close."
            " Ask simulate(loop)."
        )

    def _coefficient(self, expr: Expr) -> Terms:
        """Return an expression without letters; its irrational factors become the surd."""
        if isinstance(expr, Add) and not is_rational(expr):
            return self.sum(self._coefficient(arg) for arg in expr.args)
        rational, surd = split(expr)
        return {self.key({}, surd): self.field(rational)} if rational != 0 else {}

    def sum(self, many: Any) -> Terms:
        """Return the sum."""
        total: Terms = {}
        for terms in many:
            self.add(total, terms)
        return total

    def add(self, total: Terms, terms: Terms) -> None:
        """Add terms to a total in place."""
        for key, weight in terms.items():
            here = total[key] + weight if key in total else weight
            if here:
                total[key] = here
            else:
                del total[key]

    def product(self, many: Any) -> Terms:
        """Return the product."""
        total = self.one
        for terms in many:
            total = self.times(total, terms)
        return total

    def times(self, one: Terms, two: Terms) -> Terms:
        """Return the product of two."""
        if two == self.one:
            return one
        total: Terms = {}
        for key1, weight1 in one.items():
            for key2, weight2 in two.items():
                self.add(total, {_merged(key1, key2): weight1 * weight2})
        return total

    def power(self, terms: Terms, exponent: Any) -> Terms:
        """Return terms^exponent: any whole number >= 0, any exponent at all for a single term of positive letters."""
        whole = _number(exponent)
        if len(terms) == 1:
            return self._single_power(terms, whole)
        if not isinstance(whole, int) or whole < 0:
            raise NotClosed(
                f"{self.where}: a power {exponent} of a sum of {len(terms)} terms does not close. "
                "Ask for whole powers >= 0, or simulate(loop)."
            )
        return self._whole_power(terms, whole)

    def _whole_power(self, terms: Terms, exponent: int) -> Terms:
        if exponent == 0:
            return self.one
        half = self._whole_power(terms, exponent // 2)
        square = self.times(half, half)
        return self.times(square, terms) if exponent % 2 else square

    def _single_power(self, terms: Terms, exponent: Any) -> Terms:
        ((key, weight),) = terms.items()
        *slots, surd = key
        size = len(self.letters)
        if isinstance(exponent, int) and exponent >= 0:
            return {(*(e * exponent for e in slots), surd**exponent): weight**exponent}
        if any(slots[size:]):
            raise NotClosed(f"{self.where}: a power {exponent} of a logarithm does not close. Ask for whole powers.")
        if not isinstance(exponent, int):
            self._require_positive(slots[:size], f"a power {exponent}")
        powers = {k: _number(e * exponent) for k, e in enumerate(slots) if e}
        if isinstance(exponent, int):
            return {self.key(powers, surd**exponent): self.field.one / weight**-exponent}
        rational, root = split(_raised(self.field.expr(weight) * surd, exponent))
        return {self.key(powers, root): self.field(rational)}

    def logarithm(self, terms: Terms) -> Terms:
        """Return log c + sum_k e_k log(letter_k) for a single term c prod letter_k^e_k."""
        if len(terms) != 1:
            raise NotClosed(
                f"{self.where}: the logarithm of a sum of {len(terms)} terms does not close. "
                "Ask for powers of it, or simulate(loop)."
            )
        ((key, weight),) = terms.items()
        *slots, surd = key
        size = len(self.letters)
        self._require_positive(slots[:size], "a logarithm")
        scale = self.field.expr(weight) * surd
        total = {} if scale == 1 else {self._unit: self.field(_named(log(unfold(scale))))}
        for k, e in enumerate(slots[:size]):
            if e:
                total[self.key({size + k: 1})] = self.field(S(e))
        return total

    def _require_positive(self, powers: list[Any], what: str) -> None:
        for x, power in zip(self.letters, powers, strict=True):
            if power and not x.is_nonnegative and not (isinstance(x, Indexed) and x.base.label.is_nonnegative):
                raise NotClosed(
                    f"{self.where}: {what} of {x}, which takes both signs, does not close. Ask for whole powers."
                )

    def settle(self, terms: Terms) -> dict[Key, Element]:
        """Return the terms by exponents alone, every surd made rational or a named constant of the field."""
        total: dict[Key, Element] = {}
        for (*slots, surd), weight in terms.items():
            self.add(total, {tuple(slots): weight if surd == 1 else weight * self._settled(surd)})
        return total

    def _settled(self, surd: Expr) -> Element:
        rational, rest = split(surd)
        return self.field(rational if rest == 1 else rational * Constant(rest))


def split(expr: Expr) -> tuple[Expr, Expr]:
    """Return (rational, surd) with expr = rational * surd: the surd holds fractional powers below 1 and what is opaque.

    >>> from sympy import gamma, sqrt
    >>> from theory.symbols import M
    >>> split(sqrt(8) * gamma(M) / M)
    (2/M, sqrt(2)*gamma(M))
    """
    if is_rational(expr):
        return expr, S.One
    powers: dict[Expr, Expr] = {}
    for base, exponent in _factors(expr, S.One):
        powers[base] = powers.get(base, S.Zero) + exponent
    rational, surd = [], []
    for base, exponent in powers.items():
        whole = S.Zero
        if is_rational(base):
            whole = exponent if exponent.is_Integer else Integer(exponent // 1) if exponent.is_Rational else S.Zero
        rational.append(base**whole)
        surd.append(base ** (exponent - whole))
    return Mul(*rational), Mul(*surd)


def _factors(expr: Expr, exponent: Expr) -> Any:
    """Yield (base, exponent) pairs of a product, numbers in primes and rational functions in irreducible factors."""
    if isinstance(expr, Mul):
        for arg in expr.args:
            yield from _factors(arg, exponent)
    elif isinstance(expr, Pow):
        yield from _factors(expr.base, expr.exp * exponent)
    elif expr.is_Rational and expr not in (0, 1, -1):
        for prime, power in {**factorint(expr.p), **{k: -v for k, v in factorint(expr.q).items()}}.items():
            yield Integer(prime), power * exponent
    elif isinstance(expr, Add) and is_rational(expr):
        yield from _irreducible(expr, exponent)
    else:
        yield expr, exponent


def _irreducible(expr: Expr, exponent: Expr) -> Any:
    for part, sign in zip(expr.together().as_numer_denom(), (1, -1), strict=True):
        scale, factors = factor_list(part)
        yield from _factors(scale, sign * exponent) if scale != 1 else ()
        yield from ((base, sign * power * exponent) for base, power in factors)


def is_rational(expr: Expr) -> bool:
    """Return whether an expression is a rational function of letters over the rational numbers, as it is written."""
    if isinstance(expr, Add | Mul):
        return all(map(is_rational, expr.args))
    if isinstance(expr, Pow):
        return bool(expr.exp.is_Integer) and is_rational(expr.base)
    return isinstance(expr, Symbol | Indexed | Rational)


def _raised(expr: Expr, exponent: Expr) -> Expr:
    """Return expr^exponent with the power drawn into every factor; all that is raised is positive."""
    return Mul(*(base ** (power * exponent) for base, power in _factors(unfold(expr), S.One)))


def _merged(one: Key, two: Key) -> Key:
    *slots1, surd1 = one
    *slots2, surd2 = two
    surd = surd2 if surd1 is S.One else surd1 if surd2 is S.One else surd1 * surd2
    return (*(a + b for a, b in zip(slots1, slots2, strict=True)), surd)


def _number(exponent: Any) -> Any:
    """Return a whole exponent as an int, another as it is."""
    exponent = S(exponent)
    return int(exponent) if exponent.is_Integer else exponent


def _named(expr: Expr) -> Expr:
    expanded = expand_log(expr, force=True)
    return expanded if expanded.is_Rational else Constant(expanded)
