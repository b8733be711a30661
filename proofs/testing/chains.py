"""Finite chains by brute force: laws pushed forward step by step, times by Gaussian elimination, all in fractions.

Nothing here comes from the engine, whose chains are held against it.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from attrs import frozen

Counts = tuple[int, ...]
Law = Mapping[Counts, Fraction]


@frozen(eq=False)
class Chain:
    """A chain on count vectors with ``step`` to the law of the next counts; it is settled where one type is left."""

    step: Callable[[Counts], Law]

    def after(self, law: Law, steps: int) -> Law:
        """Return the law of the counts so many steps later.

        >>> fair = Chain(lambda counts: {(1, 0): Fraction(1, 2), (0, 1): Fraction(1, 2)})
        >>> fair.after({(1, 1): Fraction(1)}, 1)[1, 0]
        Fraction(1, 2)
        """
        for _ in range(steps):
            then: dict[Counts, Fraction] = {}
            for counts, weight in law.items():
                for new, chance in self.step(counts).items():
                    then[new] = then.get(new, Fraction(0)) + weight * chance
            law = then
        return law

    def expected(self, reward: Callable[[Counts], Fraction], final: Callable[[Counts], Fraction], law: Law) -> Fraction:
        """Return E[sum of ``reward`` over the unsettled counts on the way + ``final`` of the settled ones]."""
        inner = sorted(counts for counts in self._reached(law) if not settled(counts))
        rows = []
        for counts in inner:
            moves = self.step(counts)
            ends = sum((w * final(new) for new, w in moves.items() if settled(new)), Fraction(0))
            rows.append([int(counts == new) - moves.get(new, Fraction(0)) for new in inner] + [reward(counts) + ends])
        known = dict(zip(inner, _solved(rows), strict=True))
        return sum((w * (known[x] if x in known else final(x)) for x, w in law.items()), Fraction(0))

    def _reached(self, law: Law) -> set[Counts]:
        found, waiting = set(law), list(law)
        while waiting:
            new = {counts for counts, chance in self.step(waiting.pop()).items() if chance} - found
            found |= new
            waiting += new
        return found


def one(counts: Counts) -> Fraction:
    """Return 1 for any counts: the reward of every step, where time is asked for."""
    del counts
    return Fraction(1)


def none(counts: Counts) -> Fraction:
    """Return 0 for any counts."""
    del counts
    return Fraction(0)


def settled(counts: Iterable[int]) -> bool:
    """Return whether one type is left."""
    return sum(1 for count in counts if count) == 1


def _solved(rows: list[list[Fraction]]) -> list[Fraction]:
    """Return x of the system [A | b] in reduced row echelon form."""
    for k in range(len(rows)):
        pivot = next(i for i in range(k, len(rows)) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i, row in enumerate(rows):
            if i != k and row[k]:
                rows[i] = [a - row[k] * b for a, b in zip(row, rows[k], strict=True)]
    return [row[-1] for row in rows]
