"""Signs of expressions on the domain of the symbols, Gamma functions and their derivatives included.

What is no rational function is followed on its course towards its limit. Undecided is an honest answer.
"""

from collections.abc import Iterable, Iterator

from sympy import (
    Add,
    Dummy,
    Expr,
    Integer,
    Mul,
    Poly,
    default_sort_key,
    factor_list,
    factorial,
    floor,
    gamma,
    log,
    polygamma,
)

from theory import symbols
from theory.constants import separate_logarithms, unfold
from theory.domain import number_sign, rational_sign, sign_in_M
from theory.expansion import expansion


def sign_on_domain(expr: Expr) -> int | None:
    """Return 1, -1 or 0 where that is the sign on the whole domain, None where it is not decided.

    >>> from theory.symbols import M, alpha
    >>> sign_on_domain(M * alpha * (2 - alpha) + 1 - alpha)
    1
    >>> sign_on_domain(M - 5) is None
    True
    """
    if expr.is_number:
        return number_sign(expr)
    if (quick := sign_in_M(expr)) is not None:
        return quick
    if (exact := unfold(expr)) != expr:
        return sign_on_domain(exact)
    if expr.has(polygamma):
        found = _product_sign(separate_logarithms(expr).factor())
        return _by_course(expr.expand()) if found is None else found
    return rational_sign(expr)


def undecided_factors(denominator: Expr, start: int = 0, positive: Iterable[Expr] = ()) -> list[Expr]:
    """Return the factors of a denominator that are not known to be non-zero on the domain, for n >= start and where the
    quantities ``positive`` are.

    >>> from theory.symbols import d, n
    >>> undecided_factors((M := symbols.M) * (M - 5) * (M * n + M - d), positive=[M - d])
    [M - 5]
    """
    if start and denominator.has(symbols.n):
        later = undecided_factors(denominator.subs(symbols.n, symbols.n + start), 0, positive)
        return [factor.subs(symbols.n, symbols.n - start).expand() for factor in later]
    if sign_in_M(denominator):
        return []
    # Positive parts may be fractional powers, such as V0^(3/2), which are no polynomials.
    rest = Mul(*(part for part in Mul.make_args(denominator) if not part.is_positive))
    if rest.is_number:
        return []
    return [f for f, _ in factor_list(rest)[1] if not any(map(sign_on_domain, _views(f, positive)))]


def _views(expr: Expr, positive: Iterable[Expr]) -> Iterator[Expr]:
    """Yield an expression, and what it is in each u > 0 that is a quantity linear in M."""
    yield expr
    for quantity in positive:
        if expr.has(symbols.M) and quantity.is_polynomial(symbols.M) and quantity.diff(symbols.M).is_positive:
            slope, u = quantity.diff(symbols.M), Dummy("u", positive=True)
            if not slope.has(symbols.M):
                yield expr.subs(symbols.M, symbols.M + (u - quantity) / slope).expand()


def below_one(base: Expr) -> bool | None:
    """Return whether |base| < 1 on the whole domain, None where it is not decided."""
    inside = (sign_on_domain(1 - base), sign_on_domain(1 + base))
    if inside == (1, 1):
        return True
    if -1 in inside or 0 in inside:
        return False
    gap = versus_one(unfold(base)) if inside == (None, 1) else None
    return None if gap is None else gap == -1


def versus_one(ratio: Expr) -> int | None:
    """Return the sign of ratio - 1 on the whole domain for a positive ratio, None where it is not decided.

    >>> from sympy import sqrt
    >>> from theory.symbols import M
    >>> versus_one(sqrt(2 / M) * gamma(M / 2) / gamma((M - 1) / 2))
    -1
    """
    sign = sign_on_domain(ratio - 1)
    return sign if sign is not None or not ratio.has(gamma) else _by_course(separate_logarithms(log(ratio)))


def _product_sign(product: Expr) -> int | None:
    """Return the sign of a product of powers, some of them with psi in them."""
    total = 1
    for base, exponent in (factor.as_base_exp() for factor in Mul.make_args(product)):
        sign = _special_sign(base) if base.has(polygamma) else sign_on_domain(base)
        if not sign:
            return sign
        total *= sign if exponent.is_odd or not exponent.is_Integer else 1
    return total


def _special_sign(expr: Expr) -> int | None:
    """Return the sign of k psi + rest as that of k times that of psi + rest/k."""
    psi = min(expr.atoms(polygamma), key=default_sort_key)
    weight = expr.expand().coeff(psi)
    if weight.has(polygamma):
        return None
    outer, inner = sign_on_domain(weight), _by_course((expr / weight).expand())
    return None if outer is None or inner is None else outer * inner


def _by_course(expr: Expr) -> int | None:
    """Return the sign of an expression with log, log Gamma or psi of M by its course towards its limit.

    What rises at every step M -> M + 2 to a limit of at most 0 is negative, what falls to one of at least 0 positive.
    A step of Gamma and psi at half M is elementary, and the derivative of what is left is rational.
    """
    if symbols.M not in expr.free_symbols or not expr.has(gamma, polygamma, log):
        return sign_on_domain(expr) if expr.is_rational_function() else None
    change = _step(expr) if expr.has(gamma, polygamma) else expr.diff(symbols.M)
    course = None if change.has(gamma, polygamma) else _by_course(change)
    terms = expansion(expr, symbols.M, 4).terms
    if not course or not terms:
        return None
    (power, _), lead = min(terms.items(), key=lambda term: (term[0][0], -term[0][1]))
    limit = 0 if power > 0 else sign_on_domain(lead)
    return -course if limit in (0, -course) else None


def _step(expr: Expr) -> Expr:
    """Return f(M + 2) - f(M), the shifts of Gamma and psi written out; they are left standing where they do not
    cancel.
    """
    atoms = {atom: Dummy() for atom in expr.atoms(gamma, polygamma)}
    shifted = {name: _shifted(atom, name) for atom, name in atoms.items()}
    plain = expr.xreplace(atoms)
    change = separate_logarithms(plain.subs(symbols.M, symbols.M + 2).xreplace(shifted) - plain).expand()
    return change.xreplace({name: atom for atom, name in atoms.items()})


def _shifted(atom: Expr, name: Expr) -> Expr:
    """Return Gamma or psi_m at M + 2 in terms of its value at M: Gamma(z + 1) = z Gamma(z) and its derivatives."""
    z = atom.args[-1]
    steps = z.subs(symbols.M, symbols.M + 2) - z
    if not steps.is_Integer or steps < 0:
        return Dummy()
    if isinstance(atom, gamma):
        return name * Mul(*(z + k for k in range(int(steps))))
    order = atom.args[0]
    return name + Add(*((-1) ** order * factorial(order) / (z + k) ** (order + 1) for k in range(int(steps))))


def beyond(conditions: Iterable[Expr]) -> Expr:
    """Return M + k such that M + k at M >= 2 runs over the sizes for which every condition is positive.

    >>> beyond([symbols.M - 3, symbols.M - 5])
    M + 4
    """
    least = Integer(2)
    for condition in conditions:
        if condition.free_symbols == {symbols.M} and condition.is_polynomial() and Poly(condition).degree() == 1:
            slope, offset = Poly(condition).all_coeffs()
            least = max(least, floor(-offset / slope) + 1) if slope > 0 else least
    return symbols.M + least - 2
