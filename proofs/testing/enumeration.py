"""Small discrete loops by brute force: every sequence of draws of every generation, in fractions, not by the engine."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from sympy import Add, Expr, Rational

from proofs.testing.grid import at_law
from proofs.testing.samples import Law, Memory, Setting, drawn, fraction, outcomes, understood
from theory import Bernoulli, Categorical, Faithful, Loop, symbols

MOST_SAMPLES, MOST_TYPES, MOST_GENERATIONS = 4, 3, 3
"""The largest loop that is enumerated."""


def enumerable(loop: Loop) -> bool:
    """Return whether every sample of the loop can be written out here.

    >>> enumerable(Loop(Bernoulli(Rational(1, 2)), samples=3)), enumerable(Loop(Bernoulli(), samples=3))
    (True, False)
    """
    if not (loop.samples.is_Integer and _law(loop) and loop.sampling == Faithful()) or loop.free_symbols:
        return False
    sizes = [drawn(_setting(loop, k)) for k in range(1, MOST_GENERATIONS + 1)]
    return understood(loop.regime, loop.estimator) and all(size and size <= MOST_SAMPLES for size in sizes)


def enumerated(loop: Loop, of: Expr, generations: int) -> list[Expr]:
    """Return E[of(model n)] for n = 0, 1, ..., at most ``MOST_GENERATIONS``, summed over every sequence of draws.

    >>> enumerated(Loop(Bernoulli(Rational(1, 2)), samples=2), Bernoulli.p**2, 2)
    [1/4, 3/8, 7/16]
    """
    return [_mean(loop, of, models) for models in _models(loop, min(generations, MOST_GENERATIONS))]


def _law(loop: Loop) -> Law:
    """Return the source's probabilities, empty where they are no small table of fractions."""
    family = loop.law
    if isinstance(family, Bernoulli):
        chances = (family.p0, 1 - family.p0)
    else:
        chances = family.probabilities or () if isinstance(family, Categorical) else ()
    rational = len(chances) <= MOST_TYPES and all(chance.is_Rational for chance in chances)
    return tuple(map(fraction, chances)) if rational else ()


def _setting(loop: Loop, k: int) -> Setting:
    return Setting(loop.regime, loop.estimator, _law(loop), int(loop.samples), k)


def _models(loop: Loop, generations: int) -> Iterator[Mapping[Memory, Fraction]]:
    """Yield the law of the runs' memories after 0, 1, ... fits."""
    source = _law(loop)
    now: dict[Memory, Fraction] = {Memory(source, (0,) * len(source)): Fraction(1)}
    yield now
    for k in range(1, generations + 1):
        after: dict[Memory, Fraction] = {}
        for before, weight in now.items():
            for memory, chance in outcomes(_setting(loop, k), before):
                after[memory] = after.get(memory, Fraction(0)) + weight * chance
        now = after
        yield now


def _mean(loop: Loop, of: Expr, models: Mapping[Memory, Fraction]) -> Expr:
    means: dict[Law, Fraction] = {}
    for memory, weight in models.items():
        means[memory.law] = means.get(memory.law, Fraction(0)) + weight
    return Add(*(Rational(w.numerator, w.denominator) * _value(loop, of, law) for law, w in means.items()))


def _value(loop: Loop, of: Expr, law: Law) -> Expr:
    if isinstance(loop.law, Bernoulli):
        return of.xreplace({Bernoulli.p: Rational(law[0].numerator, law[0].denominator)})
    return at_law(of, symbols.p, law)
