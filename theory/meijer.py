"""Meijer G-functions with one parameter for each of n factors, n a symbol.

A Meijer G-function has a definite number of parameters, so the law of a product of n gamma variables has no SymPy
expression until n is a number: these names stand for it, print as it, and become it.
"""

from sympy import Expr, Function, Lambda, S, Symbol, meijerg
from sympy.printing.latex import LatexPrinter


class MeijerProduct(Function):
    """MeijerProduct(n, k -> a_k, z) = G^{n,0}_{0,n}(z | -; a_1, ..., a_n), n copies of one parameter where a_k = a.

    A Meijer G-function has a definite number of parameters, so for a symbolic n this name stands; at a whole n it
    becomes SymPy's ``meijerg``.
    """

    nargs = 3
    upper: tuple[Expr, ...] = ()
    extra: tuple[Expr, ...] = ()

    @classmethod
    def eval(cls, count: Expr, shapes: Lambda, z: Expr) -> Expr | None:
        """Return the meijerg of a whole ``count``."""
        if not count.is_Integer:
            return None
        return cls.of([shapes(j) for j in range(1, int(count) + 1)], z)

    @classmethod
    def of(cls, shapes: list[Expr], z: Expr) -> Expr:
        """Return the meijerg with these parameters."""
        return meijerg([cls.upper, ()], [shapes, cls.extra], z)

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        count, shapes, z = self.args
        n, many = printer.doprint(count), len(self.upper)
        total = n if not many else rf"{n} + {many}"
        indices = rf"G^{{{n}, {many}}}_{{{many}, {total}}}"
        top = "-" if not many else ", ".join(map(printer.doprint, self.upper))
        bottom = "".join(f", {printer.doprint(extra)}" for extra in self.extra)
        body = rf"\begin{{matrix}} {top} \\ {_copies(shapes, n, printer)}{bottom} \end{{matrix}}"
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{indices}\left({printer.doprint(z)} \,\middle|\, {body}\right){power}"


class MeijerProductIntegral(MeijerProduct):
    """MeijerProductIntegral(n, k -> a_k, z) = G^{n,1}_{1,n+1}(z | 1; a_1, ..., a_n, 0), the integral of MeijerProduct/z
    from 0.
    """

    upper = (S.One,)
    extra = (S.Zero,)


def _copies(shapes: Lambda, n: str, printer: LatexPrinter) -> str:
    (index,), shape = shapes.variables, shapes.expr
    if shape.has(index):
        first, last = (printer.doprint(shape.subs(index, j)) for j in (S.One, Symbol(n)))
        return rf"{first}, \ldots, {last}"
    one = printer.doprint(shape)
    return rf"\underbrace{{{one}, \ldots, {one}}}_{{{n}}}"
