"""A small exact point where a claim fails: quoted in refusals, trusted for nothing."""

from collections.abc import Iterator
from fractions import Fraction

from proofs.kernel.arithmetic import Polynomial, Ring
from proofs.kernel.domain import Hypothesis, Point, holds, values

Functions = dict[str, Polynomial]
VALUES = [Fraction(value) for value in ("1", "2", "3", "0", "1/2", "1/3", "-1", "5")]


def mismatch(
    ring: Ring, trees: tuple[Functions, Functions, Functions], domain: list[Hypothesis], witness: Point
) -> str:
    """Where a claim first fails: n least, at the witness or with one coordinate of it changed."""
    first, after, claim = trees
    points = [witness, *(witness | {symbol: value} for symbol in witness for value in VALUES)]
    orbits = [_orbit(ring, first, after, p) for p in points if all(holds(ring, h, p) for h in domain)]
    for here in (here for generation in zip(*orbits, strict=True) for here in generation):
        for x, claimed in values(ring, claim, here).items():
            if claimed != here[x]:
                where = ", ".join(f"{symbol} = {here[symbol]}" for symbol in witness)
                return f"{where}: claimed {claimed}, true {here[x]} for {x}"
    return "the two sides differ as rational functions, though at no small point that was tried"


def _orbit(ring: Ring, first: Functions, after: Functions, point: Point) -> Iterator[Point]:
    for functions in (first, *[after] * 5):
        point = point | values(ring, functions, point)
        yield point
