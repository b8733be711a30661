"""What a fit sees and what it makes of it, for discrete laws, read off a regime's and an estimator's name alone.

Nothing here comes from the engine, and what says more than is understood here is left alone: a mistake in how theory
reads a loop must not be repeated.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, prod
from typing import Any

from attrs import evolve, fields, frozen

from theory import (
    MLE,
    Accumulate,
    Damped,
    Mixed,
    Moran,
    Replace,
    Schedule,
    Shrinkage,
    Subsample,
    Unbiased,
    Weighted,
    symbols,
)

Law = tuple[Fraction, ...]
Counts = tuple[int, ...]


@frozen
class Memory:
    """A run after some fits: the last model, the counts of all points so far, and those of a set that is kept: real
    points, or those of the last fit where the next one replaces some.
    """

    law: Law
    pool: Counts
    kept: Counts | None = None


@frozen
class Setting:
    """The regime and the estimator of a loop, its source, M, and the number k of the fit."""

    regime: Any
    estimator: Any
    source: Law
    samples: int
    k: int = 1


Outcomes = Iterator[tuple[Law, Memory, Fraction]]
"""The frequencies that are fitted, the run's memory after them (the model still the last), and their probability."""


def understood(regime: Any, estimator: Any) -> bool:
    """Return whether both are known with exactly the choices that they have.

    >>> understood(Replace(), MLE()), understood(Replace(), "another")
    (True, False)
    """
    inner = getattr(estimator, "of", None)
    return _known(regime, DATA) and _known(estimator, FITS) and (inner is None or understood(regime, inner))


def _known(axis: Any, table: Mapping[type, tuple[tuple[str, ...], Any]]) -> bool:
    return type(axis) in table and tuple(f.name for f in fields(type(axis))) == table[type(axis)][0]


def drawn(setting: Setting) -> int | None:
    """Return how many points fit k draws, None where no number is given."""
    if not isinstance(setting.regime, Schedule):
        return setting.samples
    sizes, k = setting.regime.sizes, setting.k
    listed = sizes[k - 1 : k] if isinstance(sizes, tuple) else (sizes.subs(symbols.n, k),)
    return next((int(size) for size in listed if size.is_Integer), None)


def outcomes(setting: Setting, before: Memory) -> Iterator[tuple[Memory, Fraction]]:
    """Yield every memory that may follow, with its probability."""
    for frequencies, after, chance in DATA[type(setting.regime)][1](setting, before):
        yield evolve(after, law=_fitted(setting.estimator, setting, before, frequencies)), chance


def _fitted(estimator: Any, setting: Setting, before: Memory, frequencies: Law) -> Law:
    return FITS[type(estimator)][1](estimator, setting, before, frequencies)


# Drawing -------------------------------------------------------------------------------------------------------------


@lru_cache(4096)
def draws(points: int, law: Law) -> Mapping[Counts, Fraction]:
    """Return the counts of every sequence of independent draws from a law, with their probability."""
    types = range(len(law))
    total: dict[Counts, Fraction] = {}
    for sequence in product(types, repeat=points):
        counts = tuple(map(sequence.count, types))
        total[counts] = total.get(counts, Fraction(0)) + prod((law[k] for k in sequence), start=Fraction(1))
    return total


@lru_cache(4096)
def subsets(points: int, pool: Counts) -> Mapping[Counts, Fraction]:
    """Return the counts of every set of so many points of a pool, with their probability."""
    every = comb(sum(pool), points)
    chosen = (counts for counts in product(*(range(size + 1) for size in pool)) if sum(counts) == points)
    return {counts: Fraction(prod(map(comb, pool, counts)), every) for counts in chosen}


def plus(one: Counts, two: Counts) -> Counts:
    """Return the counts of two sets of points together."""
    return tuple(a + b for a, b in zip(one, two, strict=True))


def frequencies(counts: Counts) -> Law:
    """Return the shares of the types, 0 where there are no points."""
    return tuple(Fraction(count, max(sum(counts), 1)) for count in counts)


def between(weight: Fraction, one: Law, two: Law) -> Law:
    """Return weight * one + (1 - weight) * two."""
    return tuple(weight * a + (1 - weight) * b for a, b in zip(one, two, strict=True))


def fraction(value: Any) -> Fraction:
    """Return a SymPy rational as a fraction."""
    return Fraction(int(value.p), int(value.q))


# Regimes -------------------------------------------------------------------------------------------------------------


def _replace(setting: Setting, before: Memory) -> Outcomes:
    for counts, chance in draws(setting.samples, before.law).items():
        yield frequencies(counts), before, chance


def _accumulate(setting: Setting, before: Memory) -> Outcomes:
    for counts, chance in draws(setting.samples, before.law).items():
        pool = plus(counts, before.pool)
        yield frequencies(pool), evolve(before, pool=pool), chance


def _subsample(setting: Setting, before: Memory) -> Outcomes:
    for counts, chance in draws(setting.samples, before.law).items():
        pool = plus(counts, before.pool)
        for chosen, other in subsets(setting.samples, pool).items():
            yield frequencies(chosen), evolve(before, pool=pool), chance * other


def _mixed(setting: Setting, before: Memory) -> Outcomes:
    for real, weight in _real_points(setting).items():
        held = {before.kept: Fraction(1)} if before.kept is not None else draws(real, setting.source)
        for fresh, other in held.items():
            after = before if setting.regime.fresh else evolve(before, kept=fresh)
            for counts, chance in draws(setting.samples - real, before.law).items():
                yield frequencies(plus(counts, fresh)), after, weight * other * chance


def _real_points(setting: Setting) -> Mapping[int, Fraction]:
    """Return the number of real points, with its probability."""
    alpha, M = fraction(setting.regime.alpha), setting.samples
    if setting.regime.count == "fixed":
        return {int(alpha * M): Fraction(1)}
    return {real: comb(M, real) * alpha**real * (1 - alpha) ** (M - real) for real in range(M + 1)}


def _moran(setting: Setting, before: Memory) -> Outcomes:
    if before.kept is None:
        for counts, chance in draws(setting.samples, before.law).items():
            yield frequencies(counts), evolve(before, kept=counts), chance
        return
    new = between(fraction(setting.regime.real), setting.source, before.law)
    for (gone, leaving), (born, coming) in product(enumerate(frequencies(before.kept)), enumerate(new)):
        counts = tuple(k - (i == gone) + (i == born) for i, k in enumerate(before.kept))
        if leaving:
            yield frequencies(counts), evolve(before, kept=counts), leaving * coming


def _weighted(setting: Setting, before: Memory) -> Outcomes:
    real = int(fraction(setting.regime.alpha) * setting.samples)
    synthetic = setting.samples - real
    # The weight of points that are not there weighs nothing.
    w = fraction(setting.regime.w) if real and synthetic else Fraction(real > 0)
    for fresh, other in draws(real, setting.source).items():
        for counts, chance in draws(synthetic, before.law).items():
            yield between(w, frequencies(fresh), frequencies(counts)), before, other * chance


def _schedule(setting: Setting, before: Memory) -> Outcomes:
    yield from _replace(evolve(setting, samples=drawn(setting) or 0), before)


DATA: Mapping[type, tuple[tuple[str, ...], Callable[[Setting, Memory], Outcomes]]] = {
    Replace: ((), _replace),
    Accumulate: ((), _accumulate),
    Subsample: ((), _subsample),
    Mixed: (("alpha", "fresh", "count"), _mixed),
    Moran: (("real",), _moran),
    Weighted: (("w", "alpha", "between"), _weighted),
    Schedule: (("sizes",), _schedule),
}
"""For each regime, the choices it has and the data that the next fit may see."""

# Estimators ----------------------------------------------------------------------------------------------------------


def _plain(estimator: Any, setting: Setting, before: Memory, shares: Law) -> Law:
    del estimator, setting, before
    return shares


def _shrunken(estimator: Any, setting: Setting, before: Memory, shares: Law) -> Law:
    fitted = _fitted(estimator.of, setting, before, shares)
    return between(fraction(estimator.w), setting.source, fitted)


def _damped(estimator: Any, setting: Setting, before: Memory, shares: Law) -> Law:
    return between(fraction(estimator.k), _fitted(estimator.of, setting, before, shares), before.law)


FITS: Mapping[type, tuple[tuple[str, ...], Callable[[Any, Setting, Memory, Law], Law]]] = {
    MLE: ((), _plain),
    Unbiased: ((), _plain),
    Shrinkage: (("w", "of"), _shrunken),
    Damped: (("k", "of"), _damped),
}
"""For each estimator, the choices it has and the law that it fits to the frequencies."""
