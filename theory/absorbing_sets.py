"""`absorbing_sets`: where a distorted discrete loop can end when the statistical error is off, and how firmly.

With infinitely many samples a distortion is a map of laws. A set of types is absorbing when a law on it keeps all of
it; the law it settles at is a fixed point, and small shifts about that grow or die out by factors a generation.
"""

from functools import singledispatch
from itertools import combinations
from typing import Literal

from attrs import frozen
from sympy import Expr, Min, S, Symbol, limit, oo

from theory.errors import NotClosed
from theory.loop import Loop
from theory.population import Chances, distorted, population, tends_to
from theory.regimes import Replace
from theory.sampling import Faithful, MinP, Sampling, Tempered, TopK, TopP

MOST_TYPES = 12
"""The largest vocabulary of which every set of types is tried."""
Stability = Literal["attracting", "neutral", "repelling"]


@frozen
class AbsorbingSet:
    """Types that all stay once no other is left, and the fixed law that they settle at.

    A small shift of probability grows by the factor ``within`` a generation where it is among the types, and by
    ``beyond`` where it goes to a type outside; 0 where there is no such shift.
    """

    types: tuple[int, ...]
    law: Chances
    within: Expr
    beyond: Expr

    @property
    def stability(self) -> Stability:
        """Whether every small shift dies out, none grows, or some grows."""
        most = max(self.within, self.beyond)
        return "attracting" if most < 1 else "neutral" if most == 1 else "repelling"


def absorbing_sets(loop: Loop) -> tuple[AbsorbingSet, ...]:
    """Return every set of types that a loop with samples = oo never leaves, for the source restricted to it.

    A set S is absorbing under top-p iff min_i p_i/P(S) > 1 - p, under top-k iff it has at most k types, under min-p iff
    min_i p_i >= p max_i p_i. Below temperature 1 it is where its types are equally probable, and any set above 1.

    Args:
        loop: a categorical or Bernoulli loop in numbers, of at most `MOST_TYPES` types, in the replace regime.

    Raises:
        NotClosed: another regime, or more types.

    >>> from sympy import Rational
    >>> from theory.families import Bernoulli
    >>> loop = Loop(Bernoulli(Rational(1, 3)), sampling=Tempered(2), samples=oo)
    >>> [(found.types, found.law, found.stability) for found in absorbing_sets(loop)][1:]
    [((1,), (0, 1), 'repelling'), ((0, 1), (1/2, 1/2), 'attracting')]
    """
    if not isinstance(loop.regime, Replace):
        raise NotClosed(f"regime: under {loop.regime} types come back or stay. Ask population(loop, generations).")
    (source,) = population(loop, 0).laws
    present = [i for i, chance in enumerate(source) if chance != 0]
    if len(present) > MOST_TYPES:
        raise NotClosed(
            f"family: {len(present)} types have too many subsets to try all. Ask population(loop, generations).limit."
        )
    sets = (types for size in range(1, len(present) + 1) for types in combinations(present, size))
    return tuple(found for types in sets if (found := _settled(source, types, loop.sampling)))


def _settled(source: Chances, types: tuple[int, ...], sampling: Sampling) -> AbsorbingSet | None:
    """Return the set with its fixed law, None where the source restricted to it loses a type."""
    mass = sum((source[i] for i in types), S.Zero)
    law = tends_to(tuple(p / mass if i in types else S.Zero for i, p in enumerate(source)), sampling)
    if not all(law[i] != 0 for i in types):
        return None
    within = _within(sampling, tuple(law[i] for i in types)) if len(types) > 1 else S.Zero
    beyond = _beyond(sampling, tuple(law[i] for i in types)) if len(types) < len(source) else S.Zero
    return AbsorbingSet(types, law, within, beyond)


@singledispatch
def _within(sampling: Sampling, law: Chances) -> Expr:
    """Return the growth of a shift among the types of a fixed law: 1 for a cut that keeps shifted laws too."""
    del sampling, law
    return S.One


@_within.register
def _(sampling: Tempered, law: Chances) -> Expr:
    """Return the derivative of the first chance by a shift from the second."""
    shift = Symbol("e", positive=True)
    return distorted((law[0] + shift, law[1] - shift, *law[2:]), sampling)[0].diff(shift).subs(shift, 0)


@_within.register
def _(sampling: MinP, law: Chances) -> Expr:
    """Return 1, but infinity where the least probable type lies on the threshold and the smallest shift removes it."""
    return S.One if Min(*law) > sampling.p * max(law) else oo


@singledispatch
def _beyond(sampling: Sampling, law: Chances) -> Expr:
    raise NotImplementedError(f"{sampling}, {law}")


@_beyond.register
def _(sampling: Faithful, law: Chances) -> Expr:
    del sampling, law
    return S.One


@_beyond.register
def _(sampling: Tempered, law: Chances) -> Expr:
    """Return the limit of e^(1/tau)/(e sum_i p_i^(1/tau)) as e tends to 0."""
    e, power = Symbol("e", positive=True), 1 / sampling.tau
    return limit(e ** (power - 1), e, 0, "+") / sum((p**power for p in law), S.Zero)


@_beyond.register
def _(sampling: TopK, law: Chances) -> Expr:
    """Return 1 where another type still finds room, else 0."""
    return S.One if len(law) < sampling.k else S.Zero


@_beyond.register
def _(sampling: TopP, law: Chances) -> Expr:
    """Return 0, since the types hold the mass p < 1 without the rest."""
    del law
    return S.One if sampling.p == 1 else S.Zero


@_beyond.register
def _(sampling: MinP, law: Chances) -> Expr:
    """Return 0, since the threshold is positive."""
    del law
    return S.One if sampling.p == 0 else S.Zero
