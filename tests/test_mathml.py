"""Formulas on the page mean what they mean in SymPy.

They are read back by a reader that knows no SymPy: it sees what a person sees, so that a power over part of a
fraction or a lost pair of parentheses gives another number.
"""

from xml.etree import ElementTree

import mpmath
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy import Mul, Pow, Product, Rational, Sum, digamma, exp, factorial, gamma, log, polygamma, rf, sqrt

from numerics.reports.mathml import mathml

M, n, k = sympy.symbols("M n k", integer=True, positive=True)
V0, alpha = sympy.symbols("V0 alpha", positive=True)
mu = sympy.Symbol("mu", real=True)
POINT = {M: 7, n: 3, V0: Rational(13, 10), alpha: Rational(2, 5), mu: Rational(-3, 2)}
DECIMALS = {"V_0": mpmath.mpf("1.3"), "α": mpmath.mpf("0.4"), "μ": mpmath.mpf("-1.5")}
NAMES = {"M": 7, "n": 3, "e": mpmath.e} | DECIMALS
FUNCTIONS = {"log": mpmath.log, "Γ": mpmath.gamma, "log Γ": mpmath.loggamma, "ψ": mpmath.digamma}
FUNCTIONS |= {"ζ": mpmath.zeta}


class Reader:
    """Reads presentation MathML as a line of signs, where grouping that cannot be seen does not exist."""

    def __init__(self, nodes, names):
        self.items = [leaf for node in nodes for leaf in self.leaves(node)]
        self.names = names

    def leaves(self, node):
        return [leaf for child in node for leaf in self.leaves(child)] if node.tag == "mrow" else [node]

    def inner(self, *nodes, **names):
        return Reader(nodes, self.names | names).value()

    def value(self):
        value = self.sum()
        assert not self.items, f"left over: {self.items[0].text}"
        return value

    def sign(self, *signs):
        if self.items and self.items[0].tag == "mo" and self.items[0].text in signs:
            return self.items.pop(0).text
        return ""

    def sum(self):
        value = -self.product() if self.sign("−") else self.product()
        while sign := self.sign("+", "−"):
            value += self.product() if sign == "+" else -self.product()
        return value

    def product(self):
        value, number = self.factor()
        while sign := self.sign("·", "\N{INVISIBLE TIMES}"):
            factor, digit = self.factor()
            assert sign == "·" or not (number and digit), "two numbers read as one"
            value, number = value * factor, digit
        return value

    def factor(self):
        """The next factor, and whether a digit begins it."""
        node = self.items.pop(0)
        digit = node.tag == "mn" or (node.tag == "msup" and node[0].tag == "mn")
        value = self.fence(node) if node.tag == "mo" else getattr(self, node.tag)(node)
        return (mpmath.factorial(value) if self.sign("!") else value), digit

    def fence(self, node):
        assert node.text in "([", f"{node.text} where a factor begins"
        value = self.sum()
        assert self.sign(")", "]"), "a parenthesis is not closed"
        return value

    def arguments(self):
        assert self.sign("("), "a function without its argument"
        return self.fence(ElementTree.fromstring("<mo>(</mo>"))

    def mn(self, node):
        return mpmath.mpf(node.text.replace("−", "-"))

    def mi(self, node):
        return FUNCTIONS[node.text](self.arguments()) if node.text in FUNCTIONS else self.names[node.text]

    def mfrac(self, node):
        return self.inner(node[0]) / self.inner(node[1])

    def msqrt(self, node):
        return mpmath.sqrt(self.inner(*node))

    def mroot(self, node):
        return mpmath.root(self.inner(node[0]), int(node[1].text))

    def msub(self, node):
        head, index = self.leaves(node[0]), self.inner
        if len(head) > 1:
            return mpmath.rf(self.inner(*head[1:-1]), index(node[1]))
        if head[0].text == "ψ":
            return mpmath.polygamma(int(index(node[1])), self.arguments())
        name = f"{head[0].text}_{node[1].text}"
        return mpmath.harmonic(index(node[1])) if head[0].text == "H" else self.names[name]

    def msup(self, node):
        base = self.leaves(node[0])
        whole = (len(base) == 1 and base[0].tag != "msup") or base[-1].text == ")"
        assert whole, "a power over part of what it should be over"
        return mpmath.power(self.inner(node[0]), self.inner(node[1]))

    def munderover(self, node):
        (name, _, low), high = self.leaves(node[1]), int(self.inner(node[2]))
        rest, ends = self.items, []
        for i in range(int(low.text), high + 1):
            body = Reader(rest, self.names | {name.text: i})
            ends.append(body.product())
            self.items = body.items
        return mpmath.fsum(ends) if node[0].text == "∑" else mpmath.fprod(ends)


def read(expression):
    """What a person makes of the printed expression at POINT."""
    return Reader([ElementTree.fromstring(mathml(expression))], NAMES).value()


def exact(expression):
    """What the expression is at POINT."""
    return mpmath.mpmathify(sympy.N(expression.subs(POINT).doit(), 30))


FORMULAS = [
    V0 * ((M - 1) / M) ** n,
    V0 * (1 - 1 / M) ** n * (1 + alpha) / (2 * M),
    n * (digamma((M - 1) / 2) - log((M - 1) / 2)),
    n * polygamma(1, M / 2) + polygamma(2, M),
    V0 * (sqrt(2 / (M - 1)) * gamma(M / 2) / gamma((M - 1) / 2)) ** n,
    V0 * Product((k * M - 1) / (k * M), (k, 1, n)),
    2 * Product(1 - 1 / (k * M), (k, 1, n)) * Sum(k + 1 / k, (k, 1, n)) - Sum(k, (k, 1, n)) * alpha,
    Product(Sum(k / M, (k, 1, n)), (k, 1, n)) ** 2 / (n + 1),
    V0**2 * (((M + 1) / (M - 1)) ** n - 1),
    (4 * ((M / (M - 3)) ** n - 1) / 3 + n * (digamma((M - 1) / 2) - log(M / 2))) / 2,
    V0 / M * (1 - alpha ** (2 * n)) / (1 - alpha**2),
    2 * 3**n * 5**M,
    Pow(Rational(2, 3), n) * Rational(3, 4),
    (-1) ** n * (-alpha) ** M,
    exp(-n / M) * Pow(exp(alpha), V0, evaluate=False),
    factorial(n) ** 2 + factorial(n + 1) - factorial(2 * n),
    rf(M, n) ** 2 / M**n + sympy.harmonic(n) ** 2,
    mu - Mul(-1, mu + alpha, evaluate=False),
    Mul(-1, mu - alpha, evaluate=False),
    Mul(-1, Rational(1, 2), mu - alpha, evaluate=False) * 1,
    Pow(Pow(V0, 2, evaluate=False), alpha, evaluate=False) * V0 ** Rational(1, 3) / V0 ** Rational(2, 3),
    log(V0) ** 2 - sympy.loggamma(M) + sympy.zeta(n),
    1 / (1 + 1 / (1 + V0)),
    1.5e-8 * V0 - 2.25 * mu,
]


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
def test_formulas_read_as_they_are_meant(formula):
    """Assert that a reader of the printed formula gets its value."""
    assert mpmath.almosteq(read(formula), exact(formula), 1e-12)


def grow(children):
    """Sums, products, quotients, powers and functions of expressions."""
    pair = st.tuples(children, children)
    small = st.sampled_from([2, 3, -1, -2, n, -n, Rational(1, 2), Rational(-3, 2)])
    return st.one_of(
        pair.map(sum),
        pair.map(lambda p: p[0] * p[1]),
        pair.map(lambda p: p[0] - p[1]),
        pair.map(lambda p: p[0] / (p[1] ** 2 + 1)),
        st.tuples(children, small).map(lambda p: (p[0] ** 2 + 1) ** p[1]),
        children.map(lambda e: log(e**2 + 2)),
        children.map(lambda e: exp(-(e**2))),
    )


LEAVES = st.sampled_from([*POINT, sympy.Integer(2), sympy.Integer(-3), Rational(3, 4), Rational(-5, 2)])


@given(st.recursive(LEAVES, grow, max_leaves=8))
def test_any_formula_reads_as_it_is_meant(formula):
    """Assert the same for formulas that nobody thought of."""
    value = exact(formula)
    assume(mpmath.isfinite(value) and 1e-30 < abs(value) < 1e30)
    assert mpmath.almosteq(read(formula), value, 1e-9)


def test_reader_catches_misprints():
    """Assert that the reader is not so kind as to read what is not there."""
    power = "<msup><mrow><mi>M</mi><mo>+</mo><mi>n</mi></mrow><mi>n</mi></msup>"
    number = "<mrow><mn>2</mn><mo>\N{INVISIBLE TIMES}</mo><msup><mn>3</mn><mi>n</mi></msup></mrow>"
    for text in (power, number):
        with pytest.raises(AssertionError):
            Reader([ElementTree.fromstring(text)], NAMES).value()
    lost = "<mrow><mi>M</mi><mo>−</mo><mrow><mi>n</mi><mo>+</mo><mi>n</mi></mrow></mrow>"
    assert Reader([ElementTree.fromstring(lost)], NAMES).value() == 7


def test_heads_are_the_fields_own():
    """Assert that digamma is ψ, trigamma ψ₁, an expectation E[...], O(1/M) short, and a name data, not markup."""
    assert mathml(digamma(n)).startswith("<mrow><mi>ψ</mi><mrow><mo>(</mo>")
    assert mathml(polygamma(1, n)).startswith("<mrow><msub><mi>ψ</mi><mn>1</mn></msub>")
    assert mathml(sympy.Function("E")(mu)) == (
        '<mrow><mi mathvariant="normal">E</mi><mrow><mo>[</mo><mi>μ</mi><mo>]</mo></mrow></mrow>'
    )
    assert "<mi>K</mi><mn>0</mn>" in mathml(sympy.besselk(0, M))
    assert mathml(sympy.Function("sigma_n")(M)).startswith("<mrow><msub><mi>σ</mi><mi>n</mi></msub>")
    assert mathml(sympy.Symbol("<b>")) == "<mi>&lt;b&gt;</mi>"
    cases = mathml(sympy.Piecewise((1, n < M), (2, True)))
    assert "<mi>M</mi><mo>&gt;</mo><mi>n</mi>" in cases
    assert "otherwise" in cases
    big = mathml(n + sympy.Order(1 / M, (M, sympy.oo)))
    assert big.endswith("<mi>O</mi><mrow><mo>(</mo><mfrac><mn>1</mn><mi>M</mi></mfrac><mo>)</mo></mrow></mrow></mrow>")
