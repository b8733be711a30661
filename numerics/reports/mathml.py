"""SymPy's expressions as MathML that reads as it is meant.

Browsers show MathML without a script; SymPy's own printer drops parentheses and names that a reader needs.
"""

import html
import re
from typing import Any
from xml.dom import minidom

import sympy
from sympy.core.function import AppliedUndef
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.precedence import PRECEDENCE

EXPECTATION = sympy.Function("E")
HEADS = {"gamma": "Γ", "loggamma": "log Γ", "zeta": "ζ", "LambertW": "W"}
ORDERED_HEADS = {"polygamma": "ψ", "besselk": "K", "besseli": "I", "besselj": "J"}


def mathml(expression: sympy.Basic) -> str:
    """Return the expression as presentation MathML, without the enclosing <math>.

    >>> n = sympy.Symbol("n")
    >>> mathml(2 * sympy.polygamma(0, n))
    '<mrow><mn>2</mn><mo>⁢</mo><mrow><mi>ψ</mi><mrow><mo>(</mo><mi>n</mi><mo>)</mo></mrow></mrow></mrow>'
    """
    return _Printer().doprint(expression)


def terms(expression: sympy.Expr) -> list[str]:
    """The terms of a sum, each after its sign, as MathML."""
    node = _Printer()._print(expression)
    terms = []
    for child in node.childNodes if expression.is_Add else [node]:
        if child.tagName == "mo":
            child.setAttribute("form", "infix" if terms else "prefix")
            terms.append("")
        terms[-1:] = [terms[-1] + child.toxml()] if terms else [child.toxml()]
    return terms


class _Printer(MathMLPresentationPrinter):
    """SymPy's printer, mended where its output is read as another formula or as none.

    It prints -(a + b) as -a + b, 2*3**n as 23 to the n, E(V) as e(V) and a product sign as a word.
    """

    def __init__(self) -> None:
        super().__init__()
        plain = minidom.Document()
        # The parent writes entities unescaped; real characters, escaped where needed, are read by all.
        self.dom.createTextNode = lambda text: plain.createTextNode(_characters(text))

    def doprint(self, expr: Any) -> str:
        return self._print(expr).toxml()

    def _node(self, tag: str, *children: Any, **attributes: str) -> Any:
        element = self.dom.createElement(tag)
        for child in children:
            element.appendChild(self.dom.createTextNode(child) if isinstance(child, str) else child)
        for name, value in attributes.items():
            element.setAttribute(name, value)
        return element

    def _upright(self, name: str) -> Any:
        return self._node("mi", name, mathvariant="normal")

    def _fenced(self, *inside: Any, marks: str = "()") -> Any:
        return self._node("mrow", self._node("mo", marks[0]), *inside, self._node("mo", marks[1]))

    def parenthesize(self, item: Any, level: int, strict: bool = False) -> Any:
        # As a base these would give n! to the 2, e to the x to the n and 1.5 times 10 to the -8 to the n.
        if isinstance(item, sympy.factorial | sympy.exp | sympy.Float) and level >= PRECEDENCE["Pow"]:
            return self._fenced(self._print(item))
        return super().parenthesize(item, level, strict)

    def _print_Add(self, expr: Any, order: Any = None) -> Any:
        row = self._node("mrow")
        for term in self._as_ordered_terms(expr, order=order):
            negative, size = _sign(term)
            if negative or row.childNodes:
                row.appendChild(self._node("mo", "−" if negative else "+"))
            row.appendChild(self.parenthesize(size, PRECEDENCE["Add"]))
        return row

    def _print_Mul(self, expr: Any) -> Any:
        negative, size = _sign(expr)
        if negative:
            return self._node("mrow", self._node("mo", "−"), self.parenthesize(size, PRECEDENCE["Add"]))
        above, below = sympy.fraction(expr)
        if below != 1:
            return self._node("mfrac", self._print(above), self._print(below))
        return self._node("mrow", *self._factors(expr))

    def _factors(self, expr: Any) -> list[Any]:
        nodes, factors = [], expr.as_ordered_factors()
        for factor in factors:
            node = self.parenthesize(factor, PRECEDENCE["Mul"], strict=factor is factors[-1])
            if nodes:
                digit = node.toxml().removeprefix("<msup>").startswith("<mn>")
                nodes.append(self._node("mo", "·" if digit else "\N{INVISIBLE TIMES}"))
            nodes.append(node)
        return nodes

    def _print_Function(self, expr: Any) -> Any:
        name, arguments = type(expr).__name__, expr.args
        if name == EXPECTATION.__name__:
            inside = self._fenced(*map(self._print, arguments), marks="[]")
            return self._node("mrow", self._upright("E"), inside)
        if name in ORDERED_HEADS:
            head, arguments = self._ordered_head(name, arguments[0]), arguments[1:]
        elif isinstance(expr, AppliedUndef) or not type(expr).__module__.startswith("sympy."):
            head = self._print(sympy.Symbol(name))
        elif name in HEADS:
            head = self._upright(HEADS[name])
        else:
            return super()._print_Function(expr)
        return self._node("mrow", head, self._paren_comma_separated(*arguments))

    def _ordered_head(self, name: str, order: Any) -> Any:
        head = self._node("mi", ORDERED_HEADS[name])
        return head if (name, order) == ("polygamma", 0) else self._node("msub", head, self._print(order))

    def _print_Exp1(self, expr: Any) -> Any:  # noqa: ARG002
        return self._node("mi", "e")

    def _print_Sum(self, expr: Any, sign: str = "∑") -> Any:
        signs = []
        for variable, low, high in reversed(expr.limits):
            under = self._node("mrow", self._print(variable), self._node("mo", "="), self._print(low))
            signs.append(self._node("munderover", self._node("mo", sign), under, self._print(high)))
        return self._node("mrow", *signs, self.parenthesize(expr.function, PRECEDENCE["Mul"], strict=True))

    def _print_Product(self, expr: Any) -> Any:
        return self._print_Sum(expr, "∏")

    def _print_Order(self, expr: Any) -> Any:
        return self._node("mrow", self._node("mi", "O"), self._fenced(self._print(expr.expr)))

    def _print_harmonic(self, expr: Any) -> Any:
        head, index = self._node("mi", "H"), self._print(expr.args[0])
        if len(expr.args) == 1:
            return self._node("msub", head, index)
        return self._node("msubsup", head, index, self._fenced(self._print(expr.args[1])))

    def _print_RisingFactorial(self, expr: Any) -> Any:
        return self._node("msub", self._fenced(self._print(expr.args[0])), self._print(expr.args[1]))

    def _print_Piecewise(self, expr: Any) -> Any:
        cases = [self._case(value, condition) for value, condition in expr.args]
        return self._node("mrow", self._node("mo", "{"), self._node("mtable", *cases))

    def _case(self, value: Any, condition: Any) -> Any:
        always = condition is sympy.true
        words = "otherwise" if always else "if\N{NO-BREAK SPACE}"
        when = [self._node("mtext", words)] + ([] if always else [self._print(condition)])
        return self._node("mtr", self._node("mtd", self._print(value)), self._node("mtd", *when))


def _characters(text: str) -> str:
    return re.sub(r"^-(?=\d|$)", "−", html.unescape(text))


def _sign(term: Any) -> tuple[bool, Any]:
    """Whether a term has a negative number in front, and the term without its sign."""
    number, rest = term.as_coeff_Mul()
    if not number.is_negative:
        return False, term
    factors = [rest] if number == -1 else [-number, *sympy.Mul.make_args(rest)]
    return True, sympy.Mul(*factors, evaluate=False) if len(factors) > 1 else rest
