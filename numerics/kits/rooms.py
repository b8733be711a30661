"""Which parts a fit reads, how many points each has, and for how many there is room.

The sizes of parts are numbers of a run, the rooms are compiled, and a room depends on M alone by rounding up: so all M
of one room share a program.
"""

import numpy as np
from attrs import evolve, frozen
from sympy import Add, Expr, Integer, S

from theory.loop import Loop
from theory.regimes import Part, Regime
from theory.symbols import n

ORIGINS = ("real", "kept", "model", "mixture")
"""Origins of points that are drawn here."""


@frozen
class Counts:
    """Numbers of points by fit.

    Args:
        drawn: of every part, by place.
        fitted: of every set of points that is fitted, apart where parts have weights.
    """

    drawn: list[np.ndarray]
    fitted: list[np.ndarray]

    def given(self) -> dict[str, np.ndarray]:
        """Return the numbers of points as a compiled program is told them."""
        return {f"size_{j}": sizes for j, sizes in enumerate(self.drawn)} | {"fitted": np.stack(self.fitted, axis=1)}


@frozen
class Layout:
    """The parts of a loop that are drawn for the first fit and for fit n, and what is kept from before.

    Args:
        first: parts of fit 1.
        later: parts of fit n, but for the past.
        past: the number of earlier points that fit n reads, 0 where it reads none.
        regime: the regime, for sizes.
        samples: M.
    """

    first: tuple[Part, ...]
    later: tuple[Part, ...]
    past: Expr
    regime: Regime
    samples: Expr

    @property
    def weighed(self) -> bool:
        """Whether the parts are fitted with weights of their own."""
        return len(self.later) > 1 and all(part.weight is not None for part in self.later)

    def why_not(self, loop: Loop) -> str | None:
        """Return why the parts cannot be drawn, None where they can."""
        if strange := [part.origin for part in self.later if part.origin not in ORIGINS]:
            return f"regime: {loop.regime} reads {strange[0]} points, which are not drawn here"
        if self.past != 0 and (self.past - (n - 1) * Add(*(part.size for part in self.later))).expand() != 0:
            return f"{loop.regime} reads {self.past} earlier points, which are not all of them"
        return None

    def least(self) -> list[int]:
        """Return the number of points in every set that the first fit reads."""
        sizes = [int(part.size) for part in self.first]
        return sizes if self.weighed else [sum(sizes)]

    def sizes(self, generations: int) -> list[np.ndarray]:
        """Return the number of points of every part, by fit."""
        return [self._sizes(j, generations) for j in range(len(self.later))]

    def _sizes(self, j: int, generations: int) -> np.ndarray:
        if self.later[j].size.is_Integer:
            return np.full(generations, float(self.later[j].size))
        fits = (_present(self.regime, self.samples, S(k)) for k in range(1, generations + 1))
        return np.array([float(parts[j].size) for parts in fits])

    def counts(self, generations: int) -> Counts:
        """Return the numbers of points, which are no part of the compiled program."""
        sizes = self.sizes(generations)
        if self.weighed:
            return Counts(sizes, sizes)
        if self.regime.subsampled:
            return Counts(sizes, [np.full(generations, float(self.samples))])
        whole = np.sum(sizes, axis=0)
        return Counts(sizes, [np.cumsum(whole) if self.past != 0 else whole])

    def room(self, j: int, generations: int) -> int:
        """Return how many points part j has room for."""
        return int(self._sizes(j, generations).max())

    def rows(self, generations: int) -> int:
        """Return how many points a chain has room for."""
        rooms = sum(self.room(j, generations) for j in range(len(self.later)))
        return rooms * (generations if self.past != 0 else 1)


def layout(loop: Loop) -> Layout:
    """Return the parts of a loop."""
    first, later = (_present(loop.regime, loop.samples, k) for k in (S.One, n))
    past = [part.size for part in later if part.origin == "past"]
    fresh = tuple(part for part in later if part.origin != "past")
    return Layout(first, fresh, past[0] if past else S.Zero, loop.regime, loop.samples)


def _present(regime: Regime, samples: Expr, k: Expr) -> tuple[Part, ...]:
    return tuple(part for part in regime.parts(samples, k) if part.size != 0)


# Rooms ---------------------------------------------------------------------------------------------------------------


def rounded(size: int) -> int:
    """Return the room for so many points, less than an eighth more: eight rooms from one power of 2 to the next.

    >>> [rounded(size) for size in (16, 17, 97, 104, 105, 1000)]
    [16, 18, 104, 104, 112, 1024]
    """
    step = max(1, 2 ** (size.bit_length() - 1) // 8)
    return -(-size // step) * step


@frozen(repr=False)
class Rooms(Regime):
    """A regime whose every fit has room for the points of any fit of another one.

    Args:
        fresh: its parts, rooms in place of sizes.
        pooled: whether fits read all points before them, too.
        subsampled: as of the other regime.
        between: as of the other regime.
    """

    fresh: tuple[Part, ...]
    pooled: bool
    subsampled: bool
    between: bool

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return the parts with their rooms, which say what M is rounded up to."""
        del samples
        past = Part("past", (k - 1) * Add(*(part.size for part in self.fresh)))
        return (past, *self.fresh) if self.pooled else self.fresh


def roomy(loop: Loop, generations: int) -> Loop:
    """Return the loop with rooms in place of the sizes of its parts, alike for all M that are rounded up to the same.

    >>> from theory import Gaussian, Mixed
    >>> loop = Loop(Gaussian(), regime=Mixed("1/2"), samples=98)
    >>> [part.size for part in roomy(loop, 5).regime.parts(loop.samples, n)]
    [52, 52]
    """
    own, samples = layout(loop), loop.samples
    whole = Integer(rounded(int(samples))) if samples.is_Integer else samples
    wider = [part.size for part in _present(loop.regime, whole, n) if part.origin != "past"]
    fresh = []
    for part, wide, sizes in zip(own.later, wider, own.sizes(generations), strict=True):
        # The sizes of a schedule have rooms of their own. A share of the whole room need not be a whole number.
        most = int(sizes.max())
        fresh.append(evolve(part, size=Integer(max(most, int(wide)) if wide.is_number else rounded(most))))
    rooms = Rooms(tuple(fresh), own.past != 0, loop.regime.subsampled, loop.regime.between)
    return evolve(loop, regime=rooms, samples=whole)
