"""LaTeX that reads well: digamma as psi, polygammas with their order, nothing else changed."""

from sympy import Basic, Expr, Function
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
    words = {s: rf"\mathrm{{{s.name}}}" for s in expr.free_symbols if _is_word(s)}
    return _Printer({"symbol_names": words | names}).doprint(expr)


def _is_word(symbol: Basic) -> bool:
    """Return whether a name has several letters and is no Greek one, so that italics would read as a product."""
    name = str(symbol)
    return len(name) > 1 and name.isalpha() and translate(name) == name
