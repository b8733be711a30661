"""Named constants outside the rational functions of the symbols: Gamma ratios, digammas, logarithms.

Arithmetic runs in a field of rational functions where equality is decided; a `Constant` enters that field as
one more generator and carries the definition that replaces it in the answer.
"""

from sympy import Add, Expr, Mul, Symbol, expand_log, log


class Constant(Symbol):
    """A generator that stands for ``definition``; two constants are equal exactly when their definitions are.

    >>> from sympy import Integer, digamma
    >>> Constant(digamma(Integer(1) / 7)).definition
    polygamma(0, 1/7)
    """

    definition: Expr

    def __new__(cls, definition: Expr) -> "Constant":
        """Make the generator of ``definition``."""
        self = Symbol.__new__(cls, f"[{definition}]", real=True)
        self.definition = definition
        return self


def depends(expr: Expr, x: Expr) -> bool:
    """Return whether an expression depends on x, by itself or inside a constant.

    >>> from sympy import digamma
    >>> from theory.symbols import M
    >>> depends(Constant(digamma(M)) + 1, M)
    True
    """
    return expr.has(x) or any(isinstance(s, Constant) and s.definition.has(x) for s in expr.free_symbols)


def unfold(expr: Expr) -> Expr:
    """Return ``expr`` with every constant replaced by its definition, sums of their logarithms drawn together."""
    definitions = {s: s.definition for s in expr.free_symbols if isinstance(s, Constant)}
    return expr.xreplace(definitions).replace(lambda e: isinstance(e, Add), one_logarithm) if definitions else expr


def one_logarithm(total: Expr) -> Expr:
    """Return a sum with its terms +log(a) and -log(b) written as one log(a/b)."""
    arguments, rest = [], []
    for term in Add.make_args(total):
        sign, body = term.as_coeff_Mul()
        arguments.append(body.args[0] ** sign) if isinstance(body, log) and abs(sign) == 1 else rest.append(term)
    return Add(*rest, log(Mul(*arguments)))


def separate_logarithms(expr: Expr) -> Expr:
    """Return an expression of positive symbols with log(a/b) written as log(a) - log(b), a and b irreducible."""
    factored = expr.replace(lambda e: isinstance(e, log), lambda e: log(e.args[0].factor()))
    return expand_log(factored, force=True, factor=True)
