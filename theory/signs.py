"""Signs of rational expressions on the domain of the symbols: M >= 2, other whole numbers >= 1, 0 < alpha < 1, positive
where declared positive.

The domain is mapped to positive numbers (M = 2 + u, N = 1 + u, alpha = 1/(1 + w)); an expression whose coefficients
there share one sign has it everywhere. Undecided is an honest answer.
"""

from collections.abc import Sequence

from sympy import Dummy, Expr, Integer, Mul, Poly, Symbol, factor_list

from theory import symbols
from theory.constants import unfold


def sign_on_domain(expr: Expr) -> int | None:
    """Return 1, -1 or 0 where that is the sign on the whole domain, None where it is not decided.

    >>> from theory.symbols import M, alpha
    >>> sign_on_domain(M * alpha * (2 - alpha) + 1 - alpha)
    1
    >>> sign_on_domain(M - 5) is None
    True
    """
    if expr.is_number:
        return _number_sign(expr)
    if (quick := _sign_in_M(expr)) is not None:
        return quick
    if (exact := unfold(expr)) != expr:
        return sign_on_domain(exact)
    mapped, variables = _mapped(expr)
    product = 1
    for part in mapped.together().as_numer_denom():
        sign = _one_sign(part, variables)
        if not sign:
            return sign
        product *= sign
    return product


def _sign_in_M(expr: Expr) -> int | None:
    """Return the sign of a polynomial in M alone whose coefficients in u = M - 2 share it, None for anything else."""
    if expr.free_symbols != {symbols.M} or not expr.is_polynomial(symbols.M):
        return None
    taylor = Poly(expr, symbols.M).shift(2).all_coeffs()
    signs = {_number_sign(w) for w in taylor if w != 0}
    return signs.pop() if len(signs) == 1 and taylor[-1] != 0 else None


def _number_sign(expr: Expr) -> int | None:
    if expr.is_zero:
        return 0
    return 1 if expr.is_positive else -1 if expr.is_negative else None


def _mapped(expr: Expr) -> tuple[Expr, list[Symbol]]:
    """Return the expression in positive (or, for counts, non-negative) variables; others keep their own symbol."""
    images, variables = {}, []
    for symbol in expr.free_symbols:
        counts = symbol.is_integer and symbol.is_nonnegative
        fresh = (
            Dummy(symbol.name, nonnegative=True)
            if counts
            else Dummy(symbol.name, positive=symbol.is_positive, real=True)
        )
        variables.append(fresh)
        least = int(bool(symbol.is_positive)) if counts else 0
        images[symbol] = {symbols.M: 2 + fresh, symbols.alpha: 1 / (1 + fresh)}.get(symbol, least + fresh)
    return expr.xreplace(images), variables


def _one_sign(polynomial: Expr, variables: list[Symbol]) -> int | None:
    if not variables or not polynomial.is_polynomial(*variables):
        return _number_sign(polynomial)
    if polynomial.expand() == 0:
        return 0
    terms = Poly(polynomial, *variables).terms()
    if any(e % 2 for powers, _ in terms for e, x in zip(powers, variables, strict=True) if not x.is_nonnegative):
        return None
    signs = {_number_sign(weight) for _, weight in terms}
    strict = any(_at_the_edge(powers, variables) for powers, _ in terms)
    return signs.pop() if len(signs) == 1 and strict else None


def _at_the_edge(powers: tuple[int, ...], variables: list[Symbol]) -> bool:
    """Return whether the term lives on at M = 2 and at a real symbol 0; a closed form's start takes care of n = 0."""
    return all(not e or x.is_positive or x.name == "n" for e, x in zip(powers, variables, strict=True))


def undecided_factors(denominator: Expr, start: int = 0) -> list[Expr]:
    """Return the factors of a denominator that are not known to be non-zero on the domain and for n >= start."""
    if start and denominator.has(symbols.n):
        later = undecided_factors(denominator.subs(symbols.n, symbols.n + start))
        return [factor.subs(symbols.n, symbols.n - start).expand() for factor in later]
    if _sign_in_M(denominator):
        return []
    # Positive parts may be fractional powers, such as V0^(3/2), which are no polynomials.
    rest = Mul(*(part for part in Mul.make_args(denominator) if not part.is_positive))
    if rest.is_number:
        return []
    return [factor for factor, _ in factor_list(rest)[1] if not sign_on_domain(factor)]


def below_one(base: Expr) -> bool | None:
    """Return whether |base| < 1 on the whole domain, None where it is not decided."""
    inside = (sign_on_domain(1 - base), sign_on_domain(1 + base))
    if inside == (1, 1):
        return True
    return False if -1 in inside or 0 in inside else None


def stable(rule: Sequence[Expr]) -> bool | None:
    """Return whether all roots of x^s = sum_j rule[j] x^j lie inside the unit circle (Jury's conditions for s = 2)."""
    if len(rule) == 1:
        return below_one(rule[0])
    if all(w.is_number for w in rule):
        x = Symbol("x")
        chi = Poly(x ** len(rule) - sum((w * x**j for j, w in enumerate(rule)), Integer(0)), x)
        return all(abs(root) < 1 for root in chi.nroots(n=30))
    if len(rule) > 2:
        return None
    conditions = [
        sign_on_domain(1 - rule[1] - rule[0]),
        sign_on_domain(1 + rule[1] - rule[0]),
        sign_on_domain(1 + rule[0]),
    ]
    return True if conditions == [1, 1, 1] else None
