"""A small exact point where a claim fails: quoted in refusals, trusted for nothing."""

import ast
from collections.abc import Iterator
from fractions import Fraction

from proofs.kernel.arithmetic import evaluate
from proofs.kernel.domain import Hypothesis, holds

Trees = dict[str, ast.expr]
Point = dict[str, Fraction]
VALUES = [Fraction(value) for value in ("1", "2", "3", "0", "1/2", "1/3", "-1", "5")]


def mismatch(claim: Trees, first: Trees, after: Trees, domain: list[Hypothesis], witness: Point) -> str:
    """Where a claim first fails: n least, at the witness or with one coordinate of it changed."""
    points = [witness, *(witness | {symbol: value} for symbol in witness for value in VALUES)]
    orbits = [_orbit(first, after, point) for point in points if all(holds(h, point) for h in domain)]
    for here, x in ((here, x) for generation in zip(*orbits, strict=True) for here in generation for x in claim):
        if (claimed := evaluate(claim[x], here, Fraction)) != here[x]:
            where = ", ".join(f"{symbol} = {here[symbol]}" for symbol in witness)
            return f"{where}: claimed {claimed}, true {here[x]} for {x}"
    return "the two sides differ as rational functions, though at no small point that was tried"


def _orbit(first: Trees, after: Trees, point: Point) -> Iterator[Point]:
    here = point | {x: evaluate(tree, point, Fraction) for x, tree in first.items()}
    for _ in range(6):
        yield here
        here = here | {x: evaluate(tree, here, Fraction) for x, tree in after.items()}
