"""One fit of a small Gaussian loop from its explicit points, in exact moments.

Every point is mu + z with a deviate z of its own, mean and variance are those of the points as np.mean and np.var
compute them, and E z^j comes from the law that the point is drawn from. The exact counterpart of `reference` for the
Gaussian family: it reads axes by their words, and nothing of the step, the parts or the multipliers of the theory.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, product
from math import prod
from typing import Any

from sympy import QQ, Expr, Rational, S
from sympy.polys.rings import PolyElement

from numerics.reference.moments import GENERATORS, RING, Before, Fitted, averaged, scheduled, without_h
from theory.loop import Loop
from theory.procedures import Damped, Floor, GradientSteps, PosteriorDraw, Shrinkage
from theory.regimes import Accumulate, Mixed, Replace, Schedule, Subsample, Weighted

Points = tuple[PolyElement, ...]
Weighed = Sequence[tuple[Points, Expr | None]]
"""The sets of points of one fit, with their weights."""


def statistics(points: Sequence[Any]) -> tuple[Any, Any]:
    """Return mean and sum of squares about it."""
    size = len(points)
    mean = sum(points[1:], points[0]) * Rational(1, size)
    squares = [(x - mean) ** 2 for x in points]
    return mean, sum(squares[1:], squares[0])


def after(loop: Loop, before: Before, powers: Mapping[str, int]) -> Expr:
    """Return E prod letter^power after fit k, given what was before, for letters mu, V and remembered statistics.

    Args:
        loop: a Gaussian loop with numbers for all its symbols.
        before: what is there.
        powers: by name; "x_pool" and "x2_pool", "x_kept" and "x2_kept" are the means of the points remembered, and of
            their squares.

    Raises:
        ValueError: an axis that has no word here.
    """
    total = S.Zero
    choices = list(_WORDS[type(loop.regime)](loop, before))
    for chance, sets, remembered in choices:
        fitted = dict(_learned(loop.estimator, loop, before, sets))
        fitted |= {f"{name}_{label}": mean for name, mean in _means(remembered) for label in ("pool", "kept")}
        letters = prod((fitted[name] ** power for name, power in powers.items()), start=RING.one)
        total += chance * averaged(loop, before, without_h(letters, fitted), len(sets[0][0]))
    return total


# What a fit sees -----------------------------------------------------------------------------------------------------


def _number(value: Any) -> PolyElement:
    return RING(QQ(int(value.p), int(value.q)))


def _model(before: Before, size: Any) -> Points:
    return tuple(_number(before.mu) + GENERATORS[f"z{k}"] for k in range(int(size)))


def _real(before: Before, size: Any) -> Points:
    return tuple(_number(before.source[0]) + GENERATORS[f"w{k}"] for k in range(int(size)))


def _past(before: Before) -> Points:
    return tuple(map(_number, before.past))


Choice = tuple[Expr, Weighed, Points]
"""A chance, the sets of points that are fitted, and those that are remembered."""


def _replace(loop: Loop, before: Before) -> Iterator[Choice]:
    yield S.One, [(_model(before, loop.samples), None)], ()


def _schedule(loop: Loop, before: Before) -> Iterator[Choice]:
    yield S.One, [(_model(before, scheduled(loop.regime, before.k)), None)], ()


def _accumulate(loop: Loop, before: Before) -> Iterator[Choice]:
    pool = _past(before) + _model(before, loop.samples)
    yield S.One, [(pool, None)], pool


def _subsample(loop: Loop, before: Before) -> Iterator[Choice]:
    pool = _past(before) + _model(before, loop.samples)
    subsets = list(combinations(pool, int(loop.samples)))
    for subset in subsets:
        yield Rational(1, len(subsets)), [(subset, None)], pool


def _mixed(loop: Loop, before: Before) -> Iterator[Choice]:
    regime: Any = loop.regime
    samples, alpha = int(loop.samples), regime.alpha
    if regime.count == "bernoulli":
        pairs = list(zip(_real(before, samples), _model(before, samples), strict=True))
        for coins in product((True, False), repeat=samples):
            points = tuple(real if coin else drawn for coin, (real, drawn) in zip(coins, pairs, strict=True))
            yield alpha ** sum(coins) * (1 - alpha) ** (samples - sum(coins)), [(points, None)], ()
        return
    kept = not regime.fresh and before.k > 1
    real = _past(before) if kept else _real(before, alpha * samples)
    yield S.One, [(real + _model(before, (1 - alpha) * samples), None)], () if regime.fresh else real


def _weighted(loop: Loop, before: Before) -> Iterator[Choice]:
    regime: Any = loop.regime
    real = _real(before, regime.alpha * loop.samples), regime.w
    drawn = _model(before, (1 - regime.alpha) * loop.samples), 1 - regime.w
    yield S.One, [(points, weight) for points, weight in (real, drawn) if points], ()


_WORDS: Mapping[type, Callable[[Loop, Before], Iterator[Choice]]] = {
    Replace: _replace,
    Accumulate: _accumulate,
    Subsample: _subsample,
    Mixed: _mixed,
    Weighted: _weighted,
    Schedule: _schedule,
}

# What is learned from it ---------------------------------------------------------------------------------------------


def _statistics(points: Points) -> tuple[PolyElement, PolyElement]:
    mean = sum(points, RING.zero) * QQ(1, len(points))
    return mean, sum(((x - mean) ** 2 for x in points), RING.zero)


def _means(points: Points) -> Iterator[tuple[str, PolyElement]]:
    """Yield the means of x and of x^2."""
    for name, power in (("x", 1), ("x2", 2)) if points else ():
        yield name, sum((x**power for x in points), RING.zero) * QQ(1, len(points))


def _learned(estimator: Any, loop: Loop, before: Before, sets: Weighed) -> Fitted:
    """Return the learner's model.

    A posterior draw is V' = SS x and mu' = xbar + h with x = 1/chi-square(m - 1) and h ~ N(0, V'/m); a step on log V is
    V' = V exp(-eta) y with y = exp(eta S/V).
    """
    if isinstance(estimator, Shrinkage):
        source: Fitted = dict(zip(("mu", "V"), map(_number, before.source), strict=True))
        return _between(_learned(estimator.of, loop, before, sets), source, estimator.w)
    if isinstance(estimator, Damped):
        return _between(_last(before), _learned(estimator.of, loop, before, sets), estimator.k)
    if isinstance(estimator, Floor):
        inner = _learned(estimator.of, loop, before, sets)
        return {**inner, "V": inner["V"] + _number(estimator.eta)}
    if isinstance(estimator, GradientSteps):
        return _stepped(estimator, _last(before), sets)
    if isinstance(estimator, PosteriorDraw):
        ((points, _),) = sets
        mean, squares = _statistics(points)
        return {
            "mu": mean + GENERATORS["h"],
            "V": squares * GENERATORS["x"],
            "h^2": squares * GENERATORS["x"] * QQ(1, len(points)),
        }
    return _plain(loop, sets)


def _last(before: Before) -> Fitted:
    return {"mu": _number(before.mu), "V": _number(before.V)}


def _between(one: Fitted, two: Fitted, share: Any) -> Fitted:
    """Return one + share (two - one)."""
    return {**one, **two, **{x: one[x] + _number(share) * (two[x] - one[x]) for x in ("mu", "V")}}


def _stepped(estimator: Any, last: Fitted, sets: Weighed) -> Fitted:
    ((points, _),) = sets
    eta, weight = _number(estimator.eta), QQ(1, len(points))
    mu, V = last["mu"], last["V"]
    if estimator.on == "log V":
        return {"mu": mu + eta * (_statistics(points)[0] - mu), "V": V * GENERATORS["y"]}
    for _ in range(estimator.steps):
        target = sum(((x - mu) ** 2 for x in points), RING.zero) * weight
        mu, V = mu + eta * (_statistics(points)[0] - mu), V + eta * (target - V)
    return {"mu": mu, "V": V}


def _plain(loop: Loop, sets: Weighed) -> Fitted:
    """Return the (weighted) mean, and the (weighted) multiple of the unbiased variance."""
    weights = [_number(S.One if weight is None else weight) for _, weight in sets]
    means = [_statistics(points)[0] for points, _ in sets]
    mean = sum((w * m for w, m in zip(weights, means, strict=True)), RING.zero)
    V = RING.zero
    between = getattr(loop.regime, "between", True)
    for w, m, (points, _) in zip(weights, means, sets, strict=True):
        V += w * GENERATORS[f"c{len(points)}"] * _statistics(points)[1] * QQ(1, len(points) - 1)
        V += w * (m - mean) ** 2 if between else RING.zero
    return {"mu": mean, "V": V}
