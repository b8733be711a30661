"""Hypotheses on the symbols, and proofs that an expression has no zero where they hold."""

import ast
import operator
import re
from collections.abc import Collection
from fractions import Fraction
from itertools import product

from proofs.kernel.arithmetic import Rational, constant, divisors, evaluate, formal, names, parse, prime, variable
from proofs.kernel.verdict import Rejected

Hypothesis = tuple[ast.expr, str]  # (p, ">"), (p, ">=") or (p, "!="): how the polynomial p compares with 0
RELATIONS = {">": operator.gt, ">=": operator.ge, "!=": operator.ne}
FORM = re.compile(r"(.*?)(>=|>|!=) *0 *")


def hypothesis(text: object, scope: Collection[str]) -> Hypothesis:
    """Read "<polynomial> > 0", ">= 0" or "!= 0"; any other sense is refused."""
    form = FORM.fullmatch(text) if isinstance(text, str) else None
    if form is None or any(divisors(left := parse(form[1], scope))):
        raise Rejected(f"hypothesis {str(text)[:80]!r}", "it must read <polynomial> > 0, >= 0 or != 0")
    return left, form[2]


def holds(h: Hypothesis, point: dict[str, Fraction]) -> bool:
    """Whether the hypothesis is true at a rational point."""
    return RELATIONS[h[1]](evaluate(h[0], point, Fraction), 0)


def never_zero(f: ast.expr, domain: list[Hypothesis]) -> bool:
    """f != 0 on the domain: a multiple of a hypothesis h != 0, a product of such, or of one sign in pieces.

    On a piece every symbol is a function of some u > 0, and there coefficients of one sign leave f no zero.
    """
    p, known = formal(f).top, [formal(h).top for h, relation in domain if relation != ">="]
    if any(p.keys() == q.keys() and len({Fraction(p[m]) / q[m] for m in p}) == 1 for q in known):
        return True
    match f:
        case ast.BinOp(left=a, op=ast.Mult(), right=b):
            return never_zero(a, domain) and never_zero(b, domain)
        case ast.BinOp(left=a, op=ast.Pow()):
            return never_zero(a, domain)
    ranges = [[(name, x) for x in _pieces(name, domain)] for name in names(f)]
    return all(len({c > 0 for c in formal(f, **dict(piece)).top.values()}) == 1 for piece in product(*ranges))


def _pieces(name: str, domain: list[Hypothesis]) -> list[Rational]:
    """The range of a symbol in terms of u > 0: its interior, and those of its ends that belong to it."""
    x, lower, upper = prime(name), [], []
    for p, relation in ((formal(h).top, relation) for h, relation in domain):
        if relation != "!=" and x in p and p.keys() <= {x, 1}:
            (lower if p[x] > 0 else upper).append((Fraction(-p.get(1, 0)) / p[x], relation == ">"))
    low, high = sorted(lower)[-1:], sorted(upper, key=lambda end: (end[0], not end[1]))[:1]  # the tightest
    a, b, u = [constant(end) for end, _ in low], [constant(end) for end, _ in high], variable(name)
    inside = [(p + q * u) / (constant(1) + u) for p in a for q in b] or [p + u for p in a]
    inside = inside or [q - u for q in b] or [constant(-1) * u, constant(0), u]
    return inside + [constant(end) for end, is_open in (*low, *high) if not is_open]
