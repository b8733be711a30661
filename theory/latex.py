"""LaTeX and plain text that read well: digamma as psi, polygammas with their order, unequal things with a sign."""

from sympy import Basic, Expr, Function, Indexed, Ne
from sympy.printing.latex import LatexPrinter, translate


class _Printer(LatexPrinter):
    def _print_polygamma(self, expr: Function, exp: str | None = None) -> str:
        order, argument = expr.args
        name = r"\psi" if order == 0 else rf"\psi_{{{self._print(order)}}}"
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{name}{power}\left({self._print(argument)}\right)"

    def _print_loggamma(self, expr: Function, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\log{power}\Gamma\left({self._print(expr.args[0])}\right)"

    def _print_Indexed(self, expr: Indexed) -> str:
        base, indices = str(expr.base), ",".join(map(self._print, expr.indices))
        name, at_source = base.removesuffix("0"), "0," if base.endswith("0") else ""
        return rf"{{{translate(name)}}}_{{{at_source}{indices}}}"

    def _print_digamma(self, expr: Function, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\psi{power}\left({self._print(expr.args[0])}\right)"


def latex(expr: Expr) -> str:
    r"""Return the LaTeX of an expression.

    >>> from sympy import digamma
    >>> from theory.symbols import M
    >>> latex(digamma(M))
    '\\psi\\left(M\\right)'
    """
    return _Printer({"symbol_names": {s: _name(s) for s in expr.free_symbols if _name(s)}}).doprint(expr)


def spelled(condition: Basic) -> str:
    """Return a condition in plain text.

    >>> from sympy.abc import x
    >>> spelled(Ne(x, 1)), spelled(x > 0)
    ('x != 1', 'x > 0')
    """
    return f"{condition.lhs} != {condition.rhs}" if isinstance(condition, Ne) else str(condition)


def _name(symbol: Basic) -> str | None:
    """Return how a source value such as mu0 or a name of several letters is written, None where nothing is to do."""
    name = str(symbol)
    base = name.removesuffix("0")
    if not base.isalpha():
        return None
    written = rf"\mathrm{{{base}}}" if _is_word(base) else translate(base)
    return f"{written}_0" if base != name else written if _is_word(base) else None


def _is_word(name: str) -> bool:
    """Return whether a name has several letters and is no Greek one, so that italics would read as a product."""
    return len(name) > 1 and translate(name) == name
