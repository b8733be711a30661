"""Expansions as the sample size M grows, for what a random walk of log V is made of: log Gamma, polygammas, logarithms.

Stirling's series turns them into powers of h = 1/M and logarithms, which must cancel; nothing is known here of loops.
"""

from collections.abc import Callable

from sympy import (
    QQ,
    Add,
    Dummy,
    Expr,
    Poly,
    S,
    bernoulli,
    diff,
    expand_log,
    gamma,
    integrate,
    log,
    loggamma,
    pi,
    polygamma,
)

from theory import symbols

h = Dummy("h", positive=True)
"""1/M."""


def expansion(expr: Expr, order: int) -> Expr:
    """Return the expansion of ``expr`` as M grows, in powers of h = 1/M below ``order``.

    Args:
        expr: sums and products of rational functions of M and of log, log Gamma, log(Gamma) and polygammas of such.
        order: first power of h left out.

    >>> from sympy import digamma
    >>> M = symbols.M
    >>> expansion(digamma(M) - log(M), 3).subs(h, 1 / M)
    -1/(2*M) - 1/(12*M**2)
    """
    terms = order + 2  # log Gamma multiplies logarithms by M
    # A real h for the whole M: SymPy rewrites log Gamma of a half-integer.
    plain = _logarithms(expr.subs(symbols.M, 1 / h)).replace(_is_log_gamma, lambda e: loggamma(e.args[0].args[0]))
    stirling = plain.replace(loggamma, lambda x: _loggamma(x, terms)).replace(polygamma, _polygamma(terms))
    rational = _logarithms(stirling).replace(log, lambda x: _log(x, terms))
    names = {e: Dummy() for e in rational.atoms(log)}
    return _power_series(rational.xreplace(names), order).xreplace({x: e for e, x in names.items()})


def _logarithms(expr: Expr) -> Expr:
    return expand_log(expr, force=True)


def _is_log_gamma(expr: Expr) -> bool:
    return isinstance(expr, log) and isinstance(expr.args[0], gamma)


def _loggamma(x: Expr, terms: int) -> Expr:
    """log Gamma(x) = (x - 1/2) log x - x + log(2 pi)/2 + sum_j B_2j/(2j (2j - 1) x^(2j-1))."""
    corrections = (bernoulli(2 * j) / (2 * j * (2 * j - 1) * x ** (2 * j - 1)) for j in range(1, terms))
    return (x - S.Half) * log(x) - x + log(2 * pi) / 2 + Add(*corrections)


def _polygamma(terms: int) -> Callable[[Expr, Expr], Expr]:
    y = Dummy("y", positive=True)
    return lambda m, x: diff(_loggamma(y, terms), y, m + 1).subs(y, x)


def _log(x: Expr, terms: int) -> Expr:
    """Return log x as the log of its leading power of h and a power series, the integral of that of x'/x."""
    if not x.has(h):
        return log(x)
    lead = _lead(x)
    slope = _power_series((diff(x, h) / x - diff(lead, h) / lead).together(), terms - 1)
    return expand_log(log(lead), force=True) + integrate(slope, h)


def _lead(x: Expr) -> Expr:
    """Return the leading power of h with its coefficient, of a rational function."""
    (top, above), (bottom, below) = (_lowest(part) for part in x.together().as_numer_denom())
    return above / below * h ** (top - bottom)


def _lowest(polynomial: Expr) -> tuple[int, Expr]:
    """Return the lowest power of h and its coefficient."""
    ((power,), weight) = Poly(polynomial, h).terms()[-1]
    return power, weight


def _power_series(quotient: Expr, order: int) -> Expr:
    """Return the powers of h below ``order`` of a rational function of h, by long division from the lowest power."""
    field = QQ.frac_field(*sorted(quotient.free_symbols | {h}, key=str))
    element = field.from_sympy(quotient)
    rest, bottom = (Poly(part.as_expr(), h) for part in (element.numer, element.denom))
    shift, unit = _lowest(bottom.as_expr())
    found = []
    for power in range(min(rest.monoms()[-1][0], order + shift), order + shift):
        weight = (rest.coeff_monomial(h**power) / unit).cancel()
        rest -= Poly(weight * h**power, h) * bottom.quo(Poly(h**shift, h))
        found.append(weight * h ** (power - shift))
    return Add(*found)


def leading_term(powers: Expr) -> Expr:
    """Return the lowest power of h in an `expansion`, as an expression in M; 0 where there is none."""
    for power in range(-2, 8):
        weight = powers.expand().coeff(h, power)
        if (weight := weight.factor()) != 0:
            return weight * symbols.M**-power
    return S.Zero
