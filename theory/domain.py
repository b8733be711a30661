"""Signs of rational expressions on the domain of the symbols: M >= 2, other whole numbers >= 1, 0 < alpha < 1, positive
where declared positive.

The domain is mapped to positive numbers (M = 2 + u, N = 1 + u, alpha = 1/(1 + w)); an expression whose coefficients
there share one sign has it everywhere. Undecided is an honest answer.
"""

from sympy import Dummy, Expr, Poly, Symbol

from theory import symbols


def rational_sign(expr: Expr) -> int | None:
    """Return 1, -1 or 0 where that is the sign on the whole domain, None where it is not decided.

    >>> rational_sign(1 - symbols.alpha)
    1
    """
    mapped, variables = _mapped(expr)
    product = 1
    for part in mapped.together().as_numer_denom():
        sign = _one_sign(part, variables)
        if not sign:
            return sign
        product *= sign
    return product


def sign_in_M(expr: Expr) -> int | None:
    """Return the sign of a polynomial in M alone whose coefficients in u = M - 2 share it, None for anything else."""
    if expr.free_symbols != {symbols.M} or not expr.is_polynomial(symbols.M):
        return None
    taylor = Poly(expr, symbols.M).shift(2).all_coeffs()
    signs = {number_sign(w) for w in taylor if w != 0}
    return signs.pop() if len(signs) == 1 and taylor[-1] != 0 else None


def number_sign(expr: Expr) -> int | None:
    """Return the sign of a number, None where it is not known."""
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
        return number_sign(polynomial)
    if polynomial.expand() == 0:
        return 0
    terms = Poly(polynomial, *variables).terms()
    if any(e % 2 for powers, _ in terms for e, x in zip(powers, variables, strict=True) if not x.is_nonnegative):
        return None
    signs = {number_sign(weight) for _, weight in terms}
    strict = any(_at_the_edge(powers, variables) for powers, _ in terms)
    return signs.pop() if len(signs) == 1 and strict else None


def _at_the_edge(powers: tuple[int, ...], variables: list[Symbol]) -> bool:
    """Return whether the term lives on at M = 2 and at a real symbol 0; a closed form's start takes care of n = 0."""
    return all(not e or x.is_positive or x.name == "n" for e, x in zip(powers, variables, strict=True))
