"""The limit of sum n^i w(r) r^n over algebraic numbers r, decided exactly: which r is the largest, and the sign of w.

The r come in families, the roots of irreducible polynomials, and w is one rational function on each, so that w is 0 at
all roots of a family or at none. Roots are told apart by isolating intervals with rational ends, never by digits.
"""

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen
from sympy import Add, Expr, Poly, Rational, S, Symbol, im, oo, re

from theory.errors import NoClosedForm
from theory.signs import sign_on_domain
from theory.stability import stable

x = Symbol("x")
WIDTHS = tuple(Rational(1, 2**bits) for bits in (16, 64, 160))
"""Widths of the intervals that are tried in turn; roots that these do not tell apart are taken for equal in size."""

Rule = tuple[Rational, ...]
"""The family of the roots of x^s = sum_j rule[j] x^j."""
Row = Mapping[Expr, Sequence[Rational]]
"""By letters such as V0, the weights c_j of the residues E_j(n), the coefficients of x^j in x^n modulo the family."""


@frozen
class _Root:
    """A root: bounds of the square of its size, and if it is real the interval in which it is alone."""

    rule: Rule
    low: Rational
    high: Rational
    interval: tuple[Rational, Rational] | None


def dominated(terms: Mapping[tuple[Rule, int], Row]) -> Expr:
    """Return the limit in n of the sum of n^i sum_j c_j E_j(n) over {(rule, i): row}, the letters positive where a sign
    asks for it.

    Raises:
        NoClosedForm: it has none, as no root is alone the largest, or its sign depends on the letters.

    >>> root = (S(1), S(1))  # x^2 = x + 1, Fibonacci's numbers at c = (0, 1)
    >>> dominated({(root, 0): {S.One: (S(0), S(1))}, ((S(2),), 0): {S.One: (S(-1),)}})
    -oo
    >>> dominated({(root, 0): {S.One: (S(0), S(0))}, ((S(1),), 0): {S.One: (S(3),)}})
    3
    """
    lasting = {key: row for key, row in terms.items() if any(map(any, row.values())) and not stable(key[0])}
    one = ((S.One,), 0)
    if set(lasting) <= {one}:
        return Add(*(letter * c for letter, (c,) in lasting.get(one, {}).items()))
    rule, interval = _largest({rule for rule, _ in lasting})
    power = max(i for other, i in lasting if other == rule)
    signs = {_sign(letter, rule, c, interval) for letter, c in lasting[rule, power].items() if any(c)}
    if len(signs) > 1 or None in signs:
        raise NoClosedForm(
            "the limit is infinite, with a sign that depends on the symbols. Put numbers in with .at(...)."
        )
    return signs.pop() * oo


def _largest(rules: set[Rule]) -> tuple[Rule, tuple[Rational, Rational]]:
    """Return the family of the largest root in size, and the interval of the root, which is real and positive."""
    for width in WIDTHS:
        roots = [root for rule in rules for root in _roots(rule, width)]
        bar = max(root.low for root in roots)
        left = [root for root in roots if root.high >= bar]
        if len(left) == 1 and (interval := left[0].interval) and interval[1] > 0:
            return left[0].rule, interval
        if len(left) == 1:
            raise NoClosedForm("it alternates in sign and grows without bound. Ask for the value at a generation.")
    raise NoClosedForm(
        "no eigenvalue is alone the largest in size, so it may oscillate. Ask for the value at a generation."
    )


def _polynomial(rule: Rule) -> Poly:
    return Poly.from_list([S.One, *(-c for c in reversed(rule))], x)


def _roots(rule: Rule, width: Rational) -> Iterator[_Root]:
    """Yield the roots of a family, in intervals and rectangles."""
    real, others = _polynomial(rule).intervals(all=True, eps=width)
    for (a, b), _ in real:
        yield _Root(rule, *_squares(a, b), (a, b))
    for (a, b), _ in others:
        (low, high), (down, up) = _squares(re(a), re(b)), _squares(im(a), im(b))
        yield _Root(rule, low + down, high + up, None)


def _squares(a: Rational, b: Rational) -> tuple[Rational, Rational]:
    """Return the least and the largest square of the numbers from a to b."""
    ends = sorted((a**2, b**2))
    return (S.Zero if a < 0 < b else ends[0]), ends[1]


def _sign(letter: Expr, rule: Rule, c: Sequence[Rational], interval: tuple[Rational, Rational]) -> int | None:
    """Return the sign of letter * w(r) at the largest root r, None where that of the letter is not known.

    By Lagrange's interpolation w(r) = sum_j c_j sum_(i > j) chi_i r^(i - j - 1)/chi'(r), and chi'(r) > 0 there: the
    root is simple and no real root lies beyond it.
    """
    chi = [*(-w for w in rule), S.One]
    top = sum((c[j] * x ** (i - j - 1) * chi[i] for j in range(len(c)) for i in range(j + 1, len(chi))), S.Zero)
    sign = sign_on_domain(letter) if letter != 1 else 1
    return None if not sign else sign * _sign_at(Poly(top, x), rule, interval)


def _sign_at(top: Poly, rule: Rule, interval: tuple[Rational, Rational]) -> int:
    """Return the sign of a polynomial of a lower degree at the root, where it is not 0 as the family is irreducible."""
    a, b = interval
    while a < b and top.count_roots(a, b):
        a, b = _polynomial(rule).refine_root(a, b, eps=(b - a) / 2**8)
    return 1 if top.eval((a + b) / 2) > 0 else -1
