"""Text to arithmetic, and arithmetic to values in any field, above all that of rational functions."""

import ast
import operator
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from itertools import count, product
from math import prod
from typing import Any

from proofs.kernel.verdict import Rejected

Polynomial = dict[int, Fraction | int]  # by Gödel numbers: {2**2 * 3: 3, 1: -1} is 3 x^2 y - 1; no zeros
FIELD = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
# The lookahead refuses 1.5, 1e3, 0x10 and 1_000, which Python's own, wider grammar would take for numbers.
TOKENS = re.compile(r"((?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+)(?![A-Za-z0-9_.])|[-+*/() ]){1,5000}")
HIGHEST, LARGEST = 64, 250_000  # product of exponents one inside another; pairs of terms in a product
PRIMES = (p for p in count(2) if all(p % q for q in range(2, p)))


@cache
def prime(_name: str) -> int:
    """The prime of a variable, its own alone: a product of variables is a product of primes, in one way."""
    return next(PRIMES)


def times(p: Polynomial, q: Polynomial) -> Polynomial:
    """p q, unless it is so large that a checker which anyone may run would seem to hang."""
    if len(p) == 1 or len(q) == 1:  # nothing to gather
        return {a * b: c * d for a, c in p.items() for b, d in q.items()}
    if len(p) * len(q) > LARGEST:
        raise Rejected("size of the certificate", "a product of polynomials has too many terms")
    total: Polynomial = {}
    for (a, c), (b, d) in product(p.items(), q.items()):
        total[a * b] = total.get(a * b, 0) + c * d
    return {m: c for m, c in total.items() if c != 0}


@dataclass(frozen=True)
class Rational:
    """top / product of the bottom, never cancelled: two are equal if the top of their difference is empty, hence zero.

    The bottom counts polynomials, each as the set of its terms, so that a sum need not multiply what both share.
    """

    top: Polynomial
    bottom: Counter[frozenset[tuple[int, Fraction | int]]]

    def __add__(self, other: "Rational") -> "Rational":
        shared = self.bottom | other.bottom
        p, q = (r.top if r.bottom == shared else times(r.top, expanded(shared - r.bottom)) for r in (self, other))
        return Rational({m: c for m in p | q if (c := p.get(m, 0) + q.get(m, 0)) != 0}, shared)

    def __sub__(self, other: "Rational") -> "Rational":
        return self + constant(-1) * other

    def __mul__(self, other: "Rational") -> "Rational":
        bottom = self.bottom + other.bottom if self.bottom and other.bottom else self.bottom or other.bottom
        return Rational(times(self.top, other.top), bottom)

    def __truediv__(self, other: "Rational") -> "Rational":
        divisor = Counter([frozenset(other.top.items())])
        return Rational(times(self.top, expanded(other.bottom)), self.bottom + divisor)


def expanded(bottom: Counter[frozenset]) -> Polynomial:
    """The product of the polynomials that are counted."""
    return reduce(times, map(dict, bottom.elements()), {1: 1})


def constant(value: Fraction | int) -> Rational:
    """The rational function that is `value` everywhere."""
    return Rational({1: value} if value else {}, Counter())


def variable(name: str) -> Rational:
    """The rational function that is the variable itself."""
    return Rational({prime(name): 1}, Counter())


def parse(text: Any, scope: Collection[str]) -> ast.expr:
    """The tree of `text`: names of `scope`, integers, + - * / ** and parentheses, or it is rejected."""
    try:
        if not TOKENS.fullmatch(text):
            raise SyntaxError("it has strange characters, or is too long")
        tree = ast.parse(text.strip(), mode="eval").body
        evaluate(tree, {name: variable(name) for name in scope}, constant)
    except (LookupError, MemoryError, SyntaxError, TypeError) as error:
        detail = f"{error}; what may occur is integers, {', '.join(scope) or 'no names'}, and arithmetic"
        raise Rejected(f"expression {str(text)[:80]!r}", detail) from error
    return tree


def names(tree: ast.expr) -> set[str]:
    """The variables that occur in an expression."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


class Formal(dict[str, Rational]):
    """Values of names; a name without one is a variable."""

    def __missing__(self, name: str) -> Rational:
        return variable(name)


def formal(tree: ast.expr, /, **values: Rational) -> Rational:
    """The expression as a rational function of the names that `values` leaves free."""
    return evaluate(tree, Formal(values), constant)


def evaluate(tree: ast.expr, values: Mapping[str, Any], number: Callable, room: int = HIGHEST) -> Any:
    """The value in any field: names from `values`, integers by `number`, exponents of at most `room`."""
    match tree:
        case ast.Constant(value=k) if type(k) is int:
            return number(k)
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=a):
            return number(0) - evaluate(a, values, number, room)
        case ast.BinOp(left=a, op=ast.Pow(), right=ast.UnaryOp(op=ast.USub(), operand=k)):
            return number(1) / evaluate(ast.BinOp(a, ast.Pow(), k), values, number, room)
        case ast.BinOp(left=a, op=ast.Pow(), right=ast.Constant(value=k)) if type(k) is int and k <= room:
            return prod([evaluate(a, values, number, room // max(k, 1))] * k, start=number(1))
        case ast.BinOp(left=a, op=op, right=b) if type(op) in FIELD:
            return FIELD[type(op)](evaluate(a, values, number, room), evaluate(b, values, number, room))
    raise SyntaxError(f"{ast.unparse(tree)[:80]} is not allowed")


def divisors(tree: ast.expr) -> Iterator[ast.expr]:
    """Everything that the expression divides by, negative powers included."""
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(op=ast.Div(), right=a) | ast.BinOp(left=a, op=ast.Pow(), right=ast.UnaryOp()):
                yield a
