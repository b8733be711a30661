"""LaTeX that reads well: digamma as psi, polygammas with their order, nothing else changed."""

from sympy import Expr, Function
from sympy.printing.latex import LatexPrinter


class _Printer(LatexPrinter):
    def _print_polygamma(self, expr: Function, exp: str | None = None) -> str:
        order, argument = expr.args
        name = r"\psi" if order == 0 else rf"\psi_{{{self._print(order)}}}"
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{name}{power}\left({self._print(argument)}\right)"

    def _print_loggamma(self, expr: Function, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\log{power}\Gamma\left({self._print(expr.args[0])}\right)"

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
    names = {
        s: rf"{s.name[:-1]}_0" if s.name != "mu0" else r"\mu_0"
        for s in expr.free_symbols
        if s.name in ("mu0", "V0", "p0")
    }
    return _Printer({"symbol_names": names}).doprint(expr)
