"""Text to rational functions: names, integers, + - * / ** and parentheses."""

import ast
import re
from collections.abc import Collection
from functools import partial
from typing import Any

from proofs.kernel.arithmetic import Polynomial, Ring, constant, plus, power, times
from proofs.kernel.verdict import Rejected

# The lookahead refuses 1.5, 1e3, 0x10 and 1_000, which Python's own, wider grammar would take for numbers.
TOKENS = re.compile(r"((?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+)(?![A-Za-z0-9_.])|[-+*/() ]){1,20000}")
OPERATIONS = {ast.Add: plus, ast.Sub: partial(plus, sign=-1), ast.Mult: times}
HIGHEST = 64  # product of exponents one inside another


class Reader:
    """Reads into one ring; `divided` is all that was divided by, with a tree that says it: it is to be proved not 0."""

    def __init__(self) -> None:
        self.ring = Ring()
        self.divided: dict[frozenset, tuple[Polynomial, ast.expr]] = {}

    def read(self, text: Any, scope: Collection[str]) -> Polynomial:
        """The function that `text` is, in names of `scope`; or it is rejected."""
        try:
            if not TOKENS.fullmatch(text):
                raise SyntaxError("it has strange characters, or is too long")
            return self._value(ast.parse(text.strip(), mode="eval").body, scope, HIGHEST)
        except (LookupError, MemoryError, SyntaxError, TypeError) as error:
            detail = f"{error}; what may occur is integers, {', '.join(scope) or 'no names'}, and arithmetic"
            raise Rejected(f"expression {str(text)[:80]!r}", detail) from error

    def _value(self, tree: ast.expr, scope: Collection[str], room: int) -> Polynomial:
        match tree:
            case ast.BinOp(left=a, op=op, right=b) if type(op) in OPERATIONS:
                return OPERATIONS[type(op)](self._value(a, scope, room), self._value(b, scope, room))
            case ast.BinOp(left=a, op=ast.Div(), right=b):
                return times(self._value(a, scope, room), self._inverse(b, scope, room))
            case ast.BinOp(left=a, op=ast.Pow(), right=ast.UnaryOp(op=ast.USub(), operand=k)):
                return self._inverse(ast.BinOp(a, ast.Pow(), k), scope, room)
            case ast.BinOp(left=a, op=ast.Pow(), right=ast.Constant(value=k)) if type(k) is int and k <= room:
                return power(self._value(a, scope, room // max(k, 1)), k)
            case ast.UnaryOp(op=ast.USub(), operand=a):
                return plus({}, self._value(a, scope, room), -1)
            case ast.Name(id=name) if name in scope:
                return {self.ring.variable(name): 1}
            case ast.Constant(value=k) if type(k) is int:
                return constant(k)
        raise SyntaxError(f"{ast.unparse(tree)[:80]} is not allowed")

    def _inverse(self, tree: ast.expr, scope: Collection[str], room: int) -> Polynomial:
        match tree:
            case ast.BinOp(left=a, op=ast.Mult(), right=b):
                return times(self._inverse(a, scope, room), self._inverse(b, scope, room))
            case ast.BinOp(left=a, op=ast.Pow(), right=ast.Constant(value=k)) if type(k) is int and 0 < k <= room:
                return power(self._inverse(a, scope, room // k), k)
        f = self._value(tree, scope, room)
        self.divided.setdefault(frozenset(f.items()), (f, tree))
        return self.ring.inverse(f) if f or not scope else {}  # anything will do for 1/0: its proof will fail
