"""An equation solved for one symbol by taking off what stands around it, layer by layer.

Sums and products shed the terms without the symbol, powers, logarithms and exponentials are undone, and what is left is
a polynomial of low degree. On the way every base is taken to be positive, so an answer is a candidate: whoever asks
holds it against the equation.
"""

from sympy import Add, Expr, Mul, Poly, PolynomialError, Pow, S, Symbol, exp, fraction, log, roots

DEGREE = 2
"""Largest degree of a polynomial that is solved in radicals: beyond it they are too long to be of use."""


def isolated(expr: Expr, symbol: Symbol, value: Expr) -> list[Expr]:
    """Return the candidates x for which ``expr``, at symbol = x, is ``value``; none where no layer can be taken off.

    >>> from theory.symbols import M, V0, n
    >>> x, share = Symbol("x", positive=True), Symbol("s", positive=True)
    >>> isolated(V0 * ((x - 1) / x) ** n, x, share * V0)
    [-1/(s**(1/n) - 1)]
    >>> isolated(log(x) + n, x, S.Zero)
    [exp(-n)]
    """
    outer, inner = _split(expr, symbol)
    if inner is not None and inner != symbol:
        return isolated(inner, symbol, _undone(expr, outer, value))
    return [_undone(expr, outer, value)] if inner == symbol else _layer(expr, symbol, value)


def _split(expr: Expr, symbol: Symbol) -> tuple[Expr, Expr | None]:
    """Return the terms or factors without the symbol, and the one with it where there is just one."""
    if not isinstance(expr, Add | Mul):
        return S.Zero, symbol if expr == symbol else None
    without, within = expr.as_independent(symbol, as_Add=isinstance(expr, Add))
    alone = not isinstance(within, type(expr)) or without not in (S.Zero, S.One)
    return without, within if alone and within != expr else None


def _undone(expr: Expr, outer: Expr, value: Expr) -> Expr:
    if isinstance(expr, Add):
        return value - outer
    return value / outer if isinstance(expr, Mul) else value


def _layer(expr: Expr, symbol: Symbol, value: Expr) -> list[Expr]:
    """Return the candidates after one function is undone, or those of a polynomial."""
    if isinstance(expr, exp):
        return isolated(expr.args[0], symbol, log(value))
    if isinstance(expr, log):
        return isolated(expr.args[0], symbol, exp(value))
    base, power = _as_power(expr)
    if power.has(symbol):
        return [] if base.has(symbol) else isolated(power, symbol, log(value) / log(base))
    if power != 1:
        return isolated(base, symbol, value ** (1 / power))
    return _polynomial(expr, symbol, value)


def _as_power(expr: Expr) -> tuple[Expr, Expr]:
    """Return (base, power) with expr = base^power, where factors share a power up to its sign."""
    parts = [factor.as_base_exp() for factor in Mul.make_args(expr)]
    power = parts[0][1]
    if power in (1, -1) or any((other / power).cancel() not in (1, -1) for _, other in parts):
        return expr, S.One
    # Factors with the same constant base may share no power but in sum: a^x b^(-x) = (a/b)^x covers both.
    return Mul(*(one ** (other / power).cancel() for one, other in parts)).together(), power


def _polynomial(expr: Expr, symbol: Symbol, value: Expr) -> list[Expr]:
    """Return the roots of the numerator of expr - value."""
    if any(p.has(symbol) and not (p.exp.is_Integer and abs(p.exp) <= DEGREE + 1) for p in expr.atoms(Pow)):
        return []
    above, below = fraction(expr.together())
    try:
        polynomial = Poly(above - value * below, symbol)
    except PolynomialError:
        return []
    if not 1 <= polynomial.degree() <= DEGREE or polynomial.free_symbols_in_domain & {symbol}:
        return []
    return list(roots(polynomial))
