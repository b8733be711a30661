"""Small discrete loops by brute force: every sequence of draws of every generation, in fractions.

Nothing here comes from the engine. Regimes and estimators are read by their name alone, and one whose data are not
understood is left alone: a mistake in how theory reads a loop must not be repeated here.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from attrs import fields
from sympy import Add, Expr, Rational

from proofs.testing.grid import at_law
from theory import MLE, Accumulate, Bernoulli, Categorical, Faithful, Loop, Mixed, Replace, Unbiased, symbols

Law = tuple[Fraction, ...]
Counts = tuple[int, ...]
Models = Mapping[tuple[Law, Counts], Fraction]
"""The law of a model and of the pool of all data so far: {(frequencies, pool): probability}."""

MOST_SAMPLES, MOST_TYPES, MOST_GENERATIONS = 4, 3, 3
"""The largest loop that is enumerated."""


def enumerable(loop: Loop) -> bool:
    """Return whether every sample of the loop can be written out here.

    >>> enumerable(Loop(Bernoulli(Rational(1, 2)), samples=3)), enumerable(Loop(Bernoulli(), samples=3))
    (True, False)
    """
    known = type(loop.regime) in _DATA and type(loop.estimator) in (MLE, Unbiased) and loop.sampling == Faithful()
    small = loop.samples.is_Integer and loop.samples <= MOST_SAMPLES
    return bool(known and small and _understood(loop.regime) and _law(loop))


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
    return tuple(Fraction(int(chance.p), int(chance.q)) for chance in chances) if rational else ()


def _models(loop: Loop, generations: int) -> Iterator[Models]:
    source = _law(loop)
    now: Models = {(source, (0,) * len(source)): Fraction(1)}
    yield now
    for _ in range(generations):
        after: dict[tuple[Law, Counts], Fraction] = {}
        for (law, pool), weight in now.items():
            for counts, chance in _DATA[type(loop.regime)](loop, law, pool):
                key = tuple(Fraction(x, sum(counts)) for x in counts), counts
                after[key] = after.get(key, Fraction(0)) + weight * chance
        now = after
        yield now


def _mean(loop: Loop, of: Expr, models: Models) -> Expr:
    means: dict[Law, Fraction] = {}
    for (law, _), weight in models.items():
        means[law] = means.get(law, Fraction(0)) + weight
    return Add(*(Rational(w.numerator, w.denominator) * _value(loop, of, law) for law, w in means.items()))


def _value(loop: Loop, of: Expr, law: Law) -> Expr:
    if isinstance(loop.law, Bernoulli):
        return of.xreplace({Bernoulli.p: Rational(law[0].numerator, law[0].denominator)})
    return at_law(of, symbols.p, law)


# What a fit sees -----------------------------------------------------------------------------------------------------


def _draws(points: int, law: Law) -> Iterator[tuple[Counts, Fraction]]:
    """Yield every sequence of independent draws from a law, as counts with their probability."""
    for sequence in product(range(len(law)), repeat=points):
        yield tuple(map(sequence.count, range(len(law)))), prod((law[k] for k in sequence), start=Fraction(1))


def _replace(loop: Loop, law: Law, pool: Counts) -> Iterator[tuple[Counts, Fraction]]:
    del pool
    yield from _draws(int(loop.samples), law)


def _accumulate(loop: Loop, law: Law, pool: Counts) -> Iterator[tuple[Counts, Fraction]]:
    for counts, chance in _draws(int(loop.samples), law):
        yield _together(counts, pool), chance


def _mixed(loop: Loop, law: Law, pool: Counts) -> Iterator[tuple[Counts, Fraction]]:
    del pool
    real = int(loop.samples * loop.regime.alpha) if isinstance(loop.regime, Mixed) else 0
    for (counts, chance), (fresh, other) in product(
        _draws(int(loop.samples) - real, law), list(_draws(real, _law(loop)))
    ):
        yield _together(counts, fresh), chance * other


def _together(one: Counts, two: Counts) -> Counts:
    return tuple(a + b for a, b in zip(one, two, strict=True))


_DATA: Mapping[type, Callable[..., Iterator[tuple[Counts, Fraction]]]] = {
    Replace: _replace,
    Accumulate: _accumulate,
    Mixed: _mixed,
}
"""For each regime that is understood, every data set that the next fit may see, with its probability."""
_FIELDS = {Replace: (), Accumulate: (), Mixed: ("alpha",)}


def _understood(regime: Any) -> bool:
    """Return whether the regime says no more than is read here; one with a further choice would be misread."""
    return tuple(field.name for field in fields(type(regime))) == _FIELDS[type(regime)]
