"""Hypotheses on the symbols, and proofs that a polynomial has no zero where they hold."""

import operator
import re
from collections.abc import Collection, Iterator
from fractions import Fraction

from proofs.kernel.arithmetic import Polynomial, Ring, constant, plus, times
from proofs.kernel.reading import Reader
from proofs.kernel.verdict import Rejected

Hypothesis = tuple[Polynomial, str]  # (p, ">"), (p, ">=") or (p, "!="): how the polynomial p compares with 0
Point = dict[str, Fraction]
RELATIONS = {">": operator.gt, ">=": operator.ge, "!=": operator.ne}
FORM = re.compile(r"(.*?)(>=|>|!=) *0 *")


def hypothesis(reader: Reader, text: object, scope: Collection[str]) -> Hypothesis:
    """Read "<polynomial> > 0", ">= 0" or "!= 0", before anything is divided by; any other sense is refused."""
    form = FORM.fullmatch(str(text))
    p = reader.read(form[1], scope) if form else {}
    if form is None or reader.divided:
        raise Rejected(f"hypothesis {str(text)[:80]!r}", "it must read <polynomial> > 0, >= 0 or != 0")
    return p, form[2]


def values(ring: Ring, functions: dict[str, Polynomial], point: Point) -> Point:
    """The functions at a point that gives every name a number."""
    put = ring.put({name: constant(value) for name, value in point.items()})
    return {x: Fraction(put(p).get(0, 0)) for x, p in functions.items()}


def holds(ring: Ring, h: Hypothesis, point: Point) -> bool:
    """Whether the hypothesis is true at a point."""
    return RELATIONS[h[1]](values(ring, {"p": h[0]}, point)["p"], 0)


def never_zero(ring: Ring, f: Polynomial, domain: list[Hypothesis]) -> bool:
    """f != 0 on the domain: a multiple of a hypothesis h != 0, or of one sign in pieces."""
    p, known = ring.cleared(f), [h for h, relation in domain if relation != ">="]
    if any(p.keys() == q.keys() and len({Fraction(p[m]) / q[m] for m in p}) == 1 for q in known):
        return True
    return _one_sign(ring, p, ring.names([*p, *(m for h, _ in domain for m in h)]), domain)


def _one_sign(ring: Ring, p: Polynomial, names: list[str], domain: list[Hypothesis]) -> bool:
    """p != 0: in some cover by pieces, on which every symbol is a function of some u > 0, its terms have one sign."""
    for k, name in enumerate(names):
        if name in ring.names(p):
            later = names[k + 1 :]
            return any(
                all(_one_sign(ring, ring.cleared(ring.put({name: x})(p)), later, domain) for x in cover)
                for cover in _covers(ring, name, later, domain)
            )
    return len({c > 0 for c in p.values()}) == 1


def _covers(ring: Ring, name: str, later: list[str], domain: list[Hypothesis]) -> Iterator[list[Polynomial]]:
    """The range of a symbol in terms of u > 0, now by its name: its interior, and those ends that belong to it.

    Either by one end that is a polynomial in symbols that come later, or by the tightest of those that are numbers.
    """
    lower, upper, u = [], [], {(x := ring.variable(name)): 1}
    for p, relation in domain:
        end = {m: Fraction(-c) / p[x] for m, c in p.items() if x in p and m != x}
        if relation != "!=" and x in p and end.keys() <= {0}:
            (lower if p[x] > 0 else upper).append((end.get(0, Fraction()), relation == ">"))
        elif relation != "!=" and x in p and {*ring.names(end)} <= {*later}:
            yield [plus(end, u, 1 if p[x] > 0 else -1), *([end] if relation == ">=" else [])]
    low, high = sorted(lower)[-1:], sorted(upper, key=lambda end: (end[0], not end[1]))[:1]  # the tightest
    (a, b), scale = ([constant(end) for end, _ in ends] for ends in (low, high)), ring.inverse({0: 1, x: 1})
    inside = [times(plus(p, times(q, u)), scale) for p in a for q in b] or [plus(p, u) for p in a]
    inside = inside or [plus(q, u, -1) for q in b] or [{x: -1}, {}, u]
    yield inside + [constant(end) for end, is_open in (*low, *high) if not is_open]
