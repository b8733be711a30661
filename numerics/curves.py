"""What becomes of a vocabulary, by generation: exact curves, and the observables of a run that they are held against.

For a faithful categorical loop that replaces its data all of it follows from the chain of ancestors A_n, how many
tokens of the first fit the tokens of fit n descend from: a type of frequency p is lost by generation n with
probability E (1 - p)^A_n.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from attrs import frozen
from sympy import And, Expr, Piecewise, Rational, S, Sum, sign

from numerics.absorption.large import large_absorption
from numerics.compared import Curve
from numerics.paths.slots import WHOLE
from numerics.sources import source_arrays
from numerics.survival import Survival
from theory.absorption import absorption
from theory.families.categorical import Categorical
from theory.loop import Loop
from theory.regimes import Mixed, Moran, Replace
from theory.sampling import Faithful
from theory.symbols import i, p, p0

VOCABULARY: Mapping[str, Expr] = {
    "vocabulary": Categorical.vocabulary,
    "collision": Categorical.collision,
    "absorbed": Categorical.absorbed,
}
"""What to observe of a vocabulary: the number of types left, the collision probability, whether one type is left."""


@frozen
class CountClass:
    """The types that the source holds from ``low`` to ``high`` times among ``total`` tokens.

    >>> CountClass(3, 4, 1000).name
    'lost 3-4'
    """

    low: int
    high: int
    total: int

    @property
    def name(self) -> str:
        """The name of the variable: the share of these types that are lost."""
        return f"lost {self.low}" if self.low == self.high else f"lost {self.low}-{self.high}"

    @property
    def observable(self) -> Expr:
        """The share of these types that have no token left, an expression in p[i] and p0[i]."""
        # Counts are whole numbers: half of one on either side leaves room for the rounding of p0.
        edges = (Rational(2 * count + one, 2 * self.total) for count, one in ((self.low, -1), (self.high, 1)))
        low, high = edges
        belongs = And(p0[i] > low, p0[i] < high)
        lost, all_ = (Piecewise((x, belongs), (S.Zero, True)) for x in (1 - sign(p[i]), S.One))
        return Sum(lost, WHOLE) / Sum(all_, WHOLE)

    def holds(self, counts: np.ndarray) -> np.ndarray:
        """Return which of the counts are of this class."""
        return (counts >= self.low) & (counts <= self.high)


def count_classes(counts: Iterable[int]) -> list[CountClass]:
    """Return the classes 1, 2, 3-4, 5-8, ... that hold some of a source's counts.

    >>> [each.name for each in count_classes([1, 1, 2, 9])]
    ['lost 1', 'lost 2', 'lost 9-16']
    """
    held, classes, low, high = np.asarray(list(counts)), [], 1, 1
    while low <= held.max():
        classes.append(CountClass(low, high, int(held.sum())))
        low, high = high + 1, 2 * high
    return [each for each in classes if each.holds(held).any()]


def losses(counts: Iterable[int]) -> dict[str, Expr]:
    """Return what to observe of the loss of types by class of their source count, by name."""
    return {each.name: each.observable for each in count_classes(counts)}


def survival(loop: Loop, generations: int, start: Mapping[str, Any] | None = None) -> Survival:
    """Return P(more than one type is left at generation n), n = 0..generations, where the last type left stays alone.

    Args:
        loop: a categorical loop with a number for M: faithful and replacing, of any size, or another that
            `theory.absorption` answers for and that no real data bring types back to.
        generations: number of fits.
        start: the source's probabilities, {"p": [...]}, where the loop leaves them open.

    Raises:
        ValueError: another loop, or a source without numbers.

    >>> survival(Loop(Categorical([Rational(1, 2)] * 2), samples=2), 3).values.tolist()
    [1.0, 0.5, 0.25, 0.125]
    """
    if isinstance(loop.regime, Mixed) or (isinstance(loop.regime, Moran) and loop.regime.real != 0):
        raise ValueError(
            f"under {loop.regime} a type that is alone need not stay so, and a run has no time of absorption. "
            "Ask vocabulary(loop, generations) instead."
        )
    alive = _answers(loop, start, "survival", generations)
    return Survival(f"P(T > n), M = {loop.samples}", np.clip(alive, 0.0, 1.0))


def vocabulary(loop: Loop, generations: int, start: Mapping[str, Any] | None = None) -> Curve:
    """Return E[number of types left], as a curve for the variable ``vocabulary``; arguments as in `survival`.

    Faithful and replacing it is sum_i (1 - E (1 - p_i)^A_n); real data may be mixed in.

    >>> vocabulary(Loop(Categorical([Rational(1, 2)] * 2), samples=2), 3).values.tolist()
    [2.0, 1.5, 1.25, 1.125]
    """
    left = _answers(loop, start, "support", generations)
    return Curve(f"E[vocabulary], M = {loop.samples}", "vocabulary", left)


def losses_of(loop: Loop, generations: int, counts: Iterable[int]) -> dict[str, Curve]:
    """Return the mean over each class of E (1 - p_i)^A_n, p_i = count/total: the share of its types that are lost.

    >>> loop = Loop(Categorical([Rational(1, 4), Rational(3, 4)]), samples=2)
    >>> losses_of(loop, 1, [1, 3])["lost 1"].values.tolist()
    [0.0, 0.5625]
    """
    held = np.asarray(list(counts))
    values, repeats = np.unique(held, return_counts=True)
    chain = large_absorption(loop, held / held.sum())
    lost = chain.lost(frequency=values / held.sum(), n=range(generations + 1)).value
    curves = {}
    for each in count_classes(held):
        here = repeats * each.holds(values)
        curves[each.name] = Curve(f"E[{each.name}], M = {loop.samples}", each.name, lost @ here / here.sum())
    return curves


def _answers(loop: Loop, start: Mapping[str, Any] | None, question: str, generations: int) -> np.ndarray:
    """Return a chain's answers at generations 0..n: the large chain's where it is neutral, else the exact one's."""
    if isinstance(loop.regime, Replace) and isinstance(loop.sampling, Faithful):
        chain = large_absorption(loop, source_arrays(loop, start)["p0"])
        return getattr(chain, question)(range(generations + 1)).value
    if start is not None:
        raise ValueError(
            f"under {loop.regime} and {loop.sampling} the chain is exact. Give the loop its probabilities."
        )
    exact = getattr(absorption(loop), question)
    return np.array([float(exact(n)) for n in range(generations + 1)])
