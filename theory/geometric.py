"""A closed form sorted by its exponentials: sum over bases of base^n times a coefficient.

Differences of closed forms, such as a variance, cancel and can be compared term by term only when equal bases stand
together, each with one factored coefficient.
"""

from collections.abc import Iterable
from functools import reduce
from math import prod

from sympy import Add, Dummy, Expr, Mul, Poly, Pow, Product, RootSum, S, Sum, default_sort_key, gamma, log, polygamma

from theory.constants import one_logarithm, separate_logarithms
from theory.errors import NoClosedForm
from theory.symbols import n


def by_base(expression: Expr) -> dict[Expr, Expr]:
    """Return {base: coefficient} with expression = sum of coefficient base^n; coefficients are factored, none is 0.

    Raises:
        NoClosedForm: n stands in an exponent other than linearly.

    >>> from theory.symbols import M
    >>> by_base((1 + 2 ** (n + 1)) ** 2 / M)
    {1: 1/M, 2: 4/M, 4: 4/M}
    """
    # What n runs through on its own terms is one opaque factor: powers inside it are not to be touched.
    hidden = {atom: Dummy() for atom in expression.atoms(Sum, Product, RootSum, gamma) if atom.has(n)}
    names: dict[Expr, Dummy] = {}
    opaque = expression.xreplace(hidden).replace(_is_exponential, lambda power: _named(power, names))
    found: dict[Expr, Expr] = {}
    for product, weight in _sorted(opaque, frozenset(names.values())).items():
        base = _normal(product.xreplace({name: power for power, name in names.items()}))
        found[base] = found.get(base, S.Zero) + weight
    back = {dummy: atom for atom, dummy in hidden.items()}
    factored = {base: _factored(weight, list(back)).xreplace(back) for base, weight in sorted(found.items(), key=str)}
    return {base: weight for base, weight in factored.items() if weight != 0}


def _sorted(expr: Expr, names: frozenset[Expr]) -> dict[Expr, Expr]:
    """Return {product of names: weight}, the weights left as they are written."""
    if names.isdisjoint(expr.free_symbols):
        return {S.One: expr}
    if isinstance(expr, Add):
        return _merged((product, weight) for arg in expr.args for product, weight in _sorted(arg, names).items())
    if isinstance(expr, Mul):
        return reduce(_times, (_sorted(arg, names) for arg in expr.args))
    if isinstance(expr, Pow) and expr.exp.is_Integer and expr.exp > 0:
        return reduce(_times, [_sorted(expr.base, names)] * int(expr.exp))
    if expr in names:
        return {expr: S.One}
    raise NoClosedForm("an exponential in n stands in a denominator or a function. Ask for the closed form as it is.")


def _times(one: dict[Expr, Expr], two: dict[Expr, Expr]) -> dict[Expr, Expr]:
    return _merged((a * b, v * w) for a, v in one.items() for b, w in two.items())


def _merged(terms: Iterable[tuple[Expr, Expr]]) -> dict[Expr, Expr]:
    together: dict[Expr, list[Expr]] = {}
    for product, weight in terms:
        together.setdefault(product, []).append(weight)
    return {product: Add(*weights) for product, weights in together.items()}


def collected(expression: Expr) -> Expr:
    """Return the closed form with equal exponentials drawn together and every coefficient factored."""
    return Add(*(weight * base**n for base, weight in by_base(expression).items()))


def _factored(weight: Expr, opaque: list[Dummy]) -> Expr:
    """Return a coefficient with the factor of every product of opaque factors factored."""
    together: dict[Expr, Expr] = {}
    for term in Add.make_args(weight.expand()) if weight.has(*opaque) else (weight,):
        plain, rest = term.as_independent(*opaque, as_Add=False)
        together[rest] = together.get(rest, S.Zero) + plain
    return Add(*(_by_logarithm(plain) * rest for rest, plain in together.items()))


def _by_logarithm(weight: Expr) -> Expr:
    """Return a coefficient factored; where logarithms and polygammas stand in it, those of one factor together."""
    plain = separate_logarithms(weight).expand() if weight.has(log, polygamma) else weight
    atoms = sorted(plain.atoms(log, polygamma), key=default_sort_key)
    if not atoms:
        return plain.factor()
    together: dict[Expr, list[Expr]] = {}
    index = [n] if plain.is_polynomial(n) else []
    for (*powers,), scale in Poly(plain, *atoms, *index).terms():
        number, factor = (scale.factor() * n ** (powers.pop() if index else 0)).as_coeff_Mul()
        if number == 0:
            continue
        together.setdefault(abs(number) * factor, []).append(number / abs(number) * Mul(*map(Pow, atoms, powers)))
    return Add(*(factor * one_logarithm(Add(*parts)) for factor, parts in together.items()))


def _is_exponential(expr: Expr) -> bool:
    return isinstance(expr, Pow) and expr.exp.has(n) and not expr.base.has(n)


def _named(power: Expr, names: dict[Expr, Dummy]) -> Expr:
    """Return base^(a n + b) as X^|a| base^b, with X the name of base^n, or of base^(-n)."""
    exponent = Poly(power.exp, n) if power.exp.is_polynomial(n) else None
    if exponent is None or exponent.degree() > 1:
        raise NoClosedForm(f"{power} is no geometric term in n. Ask for the closed form, or for .values(...).")
    slope, offset = exponent.all_coeffs()
    whole = slope.is_Integer
    base = power.base ** (slope.as_coeff_Mul()[0] / abs(slope) if whole else slope)
    return names.setdefault(base, Dummy()) ** (abs(slope) if whole else 1) * power.base**offset


def _normal(base: Expr) -> Expr:
    """Return a base with its rational part factored, so that equal bases meet."""
    rational, rest = [], []
    for factor in Mul.make_args(base):
        (rational if factor.is_rational_function() else rest).append(factor)
    return prod(rational, start=S.One).factor() * Mul(*rest)
