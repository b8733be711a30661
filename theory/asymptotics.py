"""The leading term of a closed form as the generation or the sample size grows, with the order of what is left out."""

from collections.abc import Iterable

from attrs import frozen
from sympy import Add, Expr, Pow, S, Symbol, log, oo

from theory.coefficients import factored
from theory.errors import NoClosedForm
from theory.expansion import Exponent, expansion
from theory.geometric import by_base, collected
from theory.latex import latex
from theory.signs import below_one, beyond, sign_on_domain, versus_one
from theory.symbols import M, n

DEPTHS = (3, 6, 9)
"""Orders tried in turn; what vanishes to the last is not looked at further."""


@frozen
class Leading:
    """expression = ``term`` + O(``remainder``) as ``symbol`` grows, other symbols fixed; prints as LaTeX."""

    term: Expr
    remainder: Expr
    symbol: Symbol

    def _repr_latex_(self) -> str:
        rest = rf" + O\left({latex(self.remainder)}\right)" if self.remainder != 0 else ""
        return rf"${latex(self.term)}{rest} \quad ({latex(self.symbol)} \to \infty)$"

    def __str__(self) -> str:
        """Return the term and the order of the remainder."""
        return f"{self.term} + O({self.remainder})" if self.remainder != 0 else str(self.term)


def leading(expression: Expr, symbol: Symbol, conditions: Iterable[Expr] = ()) -> Leading:
    """Return the leading term of a closed form as ``symbol`` grows, every other symbol fixed.

    Args:
        expression: a closed form in n, M and source symbols.
        symbol: n, M, or another positive symbol.
        conditions: quantities that are positive, beyond M >= 2.

    Raises:
        NoClosedForm: the expression holds what has no known expansion, or no one term leads for all values of the
            symbols.

    >>> from sympy import polygamma, Rational
    >>> from theory.symbols import M
    >>> print(leading(polygamma(0, M / 2 - Rational(1, 2)) - log(M / 2), M))
    -2/M + O(M**(-2))
    """
    if symbol not in expression.free_symbols:
        return Leading(expression, S.Zero, symbol)
    if symbol != n:
        return _algebraic(expression, symbol)
    far = beyond(conditions)
    shifted = _geometric(expression.subs(M, far))
    back = {M: 2 * M - far}
    return Leading(collected(shifted.term.subs(back)), shifted.remainder.subs(back), n)


def far_value(lead: Leading, conditions: Iterable[Expr] = ()) -> Expr:
    """Return the limit in n of a leading term: itself where it holds no n, else 0, oo or -oo.

    Raises:
        NoClosedForm: the sign, or whether the term grows, depends on the symbols.
    """
    ((base, weight),) = by_base(lead.term).items()
    if not lead.term.has(n):
        return lead.term
    constant, power = weight.as_independent(n)
    far = {M: beyond(conditions)}
    course, sign = versus_one(base.subs(far)), sign_on_domain(constant.subs(far))
    if course is None or sign is None:
        raise NoClosedForm(f"the limit of {lead.term} depends on the symbols. Put numbers in with .at(...).")
    grows = course > 0 if course else power.as_base_exp()[1] > 0
    return sign * oo if grows else S.Zero


def _algebraic(expression: Expr, x: Symbol) -> Leading:
    """Return the leading power of x, with the next as the order of the remainder."""
    for depth in DEPTHS:
        series = expansion(expression, x, depth)
        terms = sorted(series.terms, key=lambda exponent: (exponent[0], -exponent[1]))
        if terms:
            beyond_all = S.Zero if series.order == oo else x**-series.order
            rest = _monomial(x, terms[1]) if len(terms) > 1 else beyond_all
            return Leading(factored(series.terms[terms[0]]) * _monomial(x, terms[0]), rest, x)
    raise NoClosedForm(f"{expression} vanishes to {DEPTHS[-1]} orders in 1/{x}. Put numbers in with .at(...).")


def _monomial(x: Symbol, exponent: Exponent) -> Expr:
    k, j = exponent
    return x**-k * log(x) ** j


def _geometric(expression: Expr) -> Leading:
    """Return the largest base^n with the leading power of n in its coefficient; the next bases are the remainder where
    that coefficient is one power.
    """
    weights = by_base(expression)
    tops = _largest(list(weights))
    if len(tops) > 1:
        raise NoClosedForm(
            f"which of {', '.join(map(str, tops))} is largest depends on the symbols, or is not decided. Use .at(...)."
        )
    lead, rest = _coefficient(weights.pop(tops[0])), _largest(list(weights))
    remainder = lead.remainder * tops[0] ** n
    if remainder == 0:
        remainder = Add(*(_coefficient(weights[base]).term.as_independent(n)[1] * base**n for base in rest))
    return Leading(lead.term * tops[0] ** n, remainder, n)


def _coefficient(weight: Expr) -> Leading:
    """Return the leading power of n in a coefficient, with remainder 0 where there is no other."""
    power = weight.as_independent(n)[1]
    single = power == n or (isinstance(power, Pow) and power.base == n)
    return Leading(weight, S.Zero, n) if single or not weight.has(n) else _algebraic(weight, n)


def _largest(bases: list[Expr]) -> list[Expr]:
    """Return the bases that no other exceeds in absolute value for all values of the symbols."""
    return [base for base in bases if not any(_exceeds(other, base) for other in bases)]


def _exceeds(one: Expr, two: Expr) -> bool:
    sign = sign_on_domain(one / two)
    return versus_one(sign * one / two) == 1 if sign else below_one(two / one) is True
