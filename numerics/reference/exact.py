"""Small discrete loops by brute force, in fractions: every sequence of draws of every generation.

The exact counterpart of `reference`: estimators and regimes are known by their words, and nothing here reads the step,
the parts or the multipliers of the theory, so a mistake in them shows as another number.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations, product
from math import prod
from typing import Any

from theory.estimators import MLE, Unbiased
from theory.families import Bernoulli, Categorical
from theory.loop import Loop
from theory.procedures import Damped, GradientSteps, PosteriorPredictive, Shrinkage
from theory.regimes import Accumulate, Mixed, Replace, Schedule, Subsample, Weighted
from theory.sampling import Faithful
from theory.symbols import n

Law = tuple[Fraction, ...]
Points = tuple[int, ...]
"""Types drawn, one entry a point."""
Models = Mapping[tuple[Law, Points], Fraction]
"""The law of a model and of the points that its loop remembers: {(probabilities, points): chance}."""
Data = tuple[Law, Points, Fraction]
"""Frequencies that a fit sees, the points that are remembered, and the chance of both."""


def models(loop: Loop, generations: int) -> Iterator[Models]:
    """Yield the law of model 0, 1, ..., ``generations``; a Bernoulli model is (1 - p, p).

    Raises:
        ValueError: an axis that has no word here, or a source without numbers.

    >>> from theory import Bernoulli
    >>> [len(law) for law in models(Loop(Bernoulli(Fraction(1, 3)), samples=2), 2)]
    [1, 3, 3]
    """
    source = _source(loop)
    now: Models = {(source, ()): Fraction(1)}
    yield now
    for k in range(1, generations + 1):
        after: dict[tuple[Law, Points], Fraction] = {}
        for (law, past), weight in now.items():
            for seen, remembered, chance in _word(loop.regime)(loop, k, source, _shown(loop, k, law), past):
                key = _learned(loop.estimator, source, law, seen), remembered
                after[key] = after.get(key, Fraction(0)) + weight * chance
        now = after
        yield now


def mean(laws: Models, observable: Callable[[Law], Fraction]) -> Fraction:
    """Return E observable(probabilities)."""
    return sum((weight * observable(law) for (law, _), weight in laws.items()), Fraction(0))


def _source(loop: Loop) -> Law:
    family: Any = loop.law
    if isinstance(family, Bernoulli):
        return 1 - _fraction(family.p0), _fraction(family.p0)
    if isinstance(family, Categorical):
        return tuple(map(_fraction, family.probabilities or ()))
    raise ValueError(f"{type(family).__name__} is not known here. Choose Bernoulli or Categorical.")


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _shown(loop: Loop, k: int, law: Law) -> Law:
    """Return the law of the model's points at fit k: the predictive one is (x_i + 1/2)/(m + K/2) after m points."""
    if k == 1 or not isinstance(loop.estimator, PosteriorPredictive):
        return law
    m = _fitted(loop, k - 1)
    return tuple((m * p + Fraction(1, 2)) / (m + Fraction(len(law), 2)) for p in law)


def _fitted(loop: Loop, k: int) -> int:
    """Return how many points fit k sees."""
    if isinstance(loop.regime, Schedule):
        sizes: Any = loop.regime.sizes
        return int(sizes[k - 1] if isinstance(sizes, tuple) else sizes.subs(n, k))
    return int(loop.samples) * (k if type(loop.regime) is Accumulate else 1)


def _learned(estimator: Any, source: Law, last: Law, seen: Law) -> Law:
    """Return the model that a learner reports who has seen these frequencies."""
    if isinstance(estimator, MLE | Unbiased | PosteriorPredictive):
        return seen
    if isinstance(estimator, Shrinkage):
        return _between(_learned(estimator.of, source, last, seen), source, _fraction(estimator.w))
    if isinstance(estimator, Damped):
        return _between(last, _learned(estimator.of, source, last, seen), _fraction(estimator.k))
    if isinstance(estimator, GradientSteps) and estimator.on == "V":
        for _ in range(estimator.steps):
            last = _between(last, seen, _fraction(estimator.eta))
        return last
    raise ValueError(f"{estimator} is not known here. Choose MLE, Unbiased, Shrinkage, Damped or GradientSteps.")


def _between(one: Law, two: Law, share: Fraction) -> Law:
    """Return one + share (two - one)."""
    return tuple(a + share * (b - a) for a, b in zip(one, two, strict=True))


def _draws(size: Any, law: Law) -> list[tuple[Points, Fraction]]:
    """Return every sequence of independent draws from a law, with its chance."""
    found = product(range(len(law)), repeat=int(size))
    return [(points, prod((law[x] for x in points), start=Fraction(1))) for points in found]


def _drawn(loop: Loop, size: Any, law: Law) -> list[tuple[Points, Fraction]]:
    """Return every sequence of draws from a model; where there are none, sampling does not matter."""
    if size:
        _require_plain(loop)
    return _draws(size, law)


def _require_plain(loop: Loop) -> None:
    if loop.sampling != Faithful():
        raise ValueError(f"{loop.sampling} is not known here. Choose Faithful.")


def _frequencies(points: Points, law: Law) -> Law:
    return tuple(Fraction(points.count(x), len(points)) for x in range(len(law)))


# What a fit sees -----------------------------------------------------------------------------------------------------


def _replace(loop: Loop, k: int, source: Law, law: Law, past: Points) -> Iterator[Data]:
    del k, source, past
    for points, chance in _drawn(loop, loop.samples, law):
        yield _frequencies(points, law), (), chance


def _schedule(loop: Loop, k: int, source: Law, law: Law, past: Points) -> Iterator[Data]:
    del source, past
    sizes: Any = getattr(loop.regime, "sizes", None)
    size = sizes[k - 1] if isinstance(sizes, tuple) else sizes.subs(n, k)
    for points, chance in _drawn(loop, size, law):
        yield _frequencies(points, law), (), chance


def _accumulate(loop: Loop, k: int, source: Law, law: Law, past: Points) -> Iterator[Data]:
    del k, source
    for points, chance in _drawn(loop, loop.samples, law):
        yield _frequencies(past + points, law), tuple(sorted(past + points)), chance


def _subsample(loop: Loop, k: int, source: Law, law: Law, past: Points) -> Iterator[Data]:
    del k, source
    for points, chance in _drawn(loop, loop.samples, law):
        pool = past + points
        subsets = list(combinations(pool, int(loop.samples)))
        for subset in subsets:
            yield _frequencies(subset, law), tuple(sorted(pool)), chance / len(subsets)


def _mixed(loop: Loop, k: int, source: Law, law: Law, past: Points) -> Iterator[Data]:
    regime: Any = loop.regime
    if regime.count == "bernoulli":
        yield from _tossed(loop, _fraction(regime.alpha), source, law)
        return
    size = regime.alpha * loop.samples
    kept = not regime.fresh and k > 1
    reals = [(past, Fraction(1))] if kept else _draws(size, source)
    for (real, chance), (points, other) in product(reals, _drawn(loop, loop.samples - size, law)):
        yield _frequencies(real + points, law), () if regime.fresh else real, chance * other


def _tossed(loop: Loop, alpha: Fraction, source: Law, law: Law) -> Iterator[Data]:
    """Yield what is seen when a coin is tossed for every point."""
    _require_plain(loop)
    for coins in product((True, False), repeat=int(loop.samples)):
        for points in product(range(len(law)), repeat=len(coins)):
            chances = (
                alpha * source[x] if real else (1 - alpha) * law[x] for real, x in zip(coins, points, strict=True)
            )
            yield _frequencies(points, law), (), prod(chances, start=Fraction(1))


def _weighted(loop: Loop, k: int, source: Law, law: Law, past: Points) -> Iterator[Data]:
    del k, past
    regime: Any = loop.regime
    w, size = _fraction(regime.w), regime.alpha * loop.samples
    for (real, chance), (points, other) in product(_draws(size, source), _drawn(loop, loop.samples - size, law)):
        if real and points:
            seen = _between(_frequencies(points, law), _frequencies(real, law), w)
        else:
            seen = _frequencies(real or points, law)
        yield seen, (), chance * other


_WORDS: Mapping[type, Callable[..., Iterator[Data]]] = {
    Replace: _replace,
    Accumulate: _accumulate,
    Subsample: _subsample,
    Mixed: _mixed,
    Weighted: _weighted,
    Schedule: _schedule,
}


def _word(regime: Any) -> Callable[..., Iterator[Data]]:
    if type(regime) not in _WORDS:
        raise ValueError(f"{regime} is not known here. Choose {', '.join(word.__name__ for word in _WORDS)}.")
    return _WORDS[type(regime)]
