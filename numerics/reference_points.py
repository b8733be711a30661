"""One fit of a small Gaussian loop from its explicit points, in exact moments.

Every point is mu + z with a deviate z of its own, mean and variance are those of the points as np.mean and np.var
compute them, and E z^j comes from the law that the point is drawn from. The exact counterpart of `reference` for the
Gaussian family: it reads axes by their words, and nothing of the step, the parts or the multipliers of the theory.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, product
from math import prod
from typing import Any

import mpmath
from attrs import frozen
from sympy import QQ, Expr, Rational, S, exp, factorial2, gamma, ring
from sympy.polys.rings import PolyElement

from theory.estimators import MLE, MinMSE, Scaled, Unbiased, UnbiasedFor
from theory.loop import Loop
from theory.procedures import Damped, Floor, GradientSteps, PosteriorDraw, PosteriorPredictive, Shrinkage
from theory.regimes import Accumulate, Mixed, Replace, Schedule, Subsample, Weighted
from theory.sampling import Faithful, Tempered, Truncated, VarianceFactor
from theory.symbols import n

DIGITS = 30
"""Decimal digits of what is not rational."""
FRESH, MOST = 6, 18
"""Points that one fit may draw from one law, and may see."""

_NAMES = [*(f"{letter}{k}" for letter in "zw" for k in range(FRESH)), *(f"c{k}" for k in range(2, MOST + 1)), *"xhy"]
RING, *_GENERATORS = ring(_NAMES, QQ)
"""z: deviates of the model's points, w: of real ones, c: multipliers by sample size; x, h, y: see `_learned`."""
_G = dict(zip(_NAMES, _GENERATORS, strict=True))

Points = tuple[PolyElement, ...]
Fitted = Mapping[str, PolyElement]
Weighed = Sequence[tuple[Points, Expr | None]]
"""The sets of points of one fit, with their weights."""


@frozen
class Before:
    """What is there before fit ``k``: the model, the source, and the points that are remembered, all in numbers.

    Args:
        k: number of the fit, 1 for the first, whose model is the source.
        mu: mean of the model.
        V: its variance; any number, since only whole powers of it are needed.
        source: mean and variance of the source.
        past: the pool of all points before, or the real points that are kept.
    """

    k: int
    mu: Rational
    V: Expr
    source: tuple[Rational, Rational]
    past: tuple[Rational, ...] = ()


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
        total += chance * _averaged(loop, before, _without_h(letters, fitted), sets)
    return total


def value(expr: Expr) -> mpmath.mpf:
    """Return a number to ``DIGITS`` digits."""
    with mpmath.workdps(DIGITS):
        return mpmath.mpf(str(S(expr).evalf(DIGITS)))


# What a fit sees -----------------------------------------------------------------------------------------------------


def _number(value: Any) -> PolyElement:
    return RING(QQ(int(value.p), int(value.q)))


def _model(before: Before, size: Any) -> Points:
    return tuple(_number(before.mu) + _G[f"z{k}"] for k in range(int(size)))


def _real(before: Before, size: Any) -> Points:
    return tuple(_number(before.source[0]) + _G[f"w{k}"] for k in range(int(size)))


def _past(before: Before) -> Points:
    return tuple(map(_number, before.past))


Choice = tuple[Expr, Weighed, Points]
"""A chance, the sets of points that are fitted, and those that are remembered."""


def _replace(loop: Loop, before: Before) -> Iterator[Choice]:
    yield S.One, [(_model(before, loop.samples), None)], ()


def _schedule(loop: Loop, before: Before) -> Iterator[Choice]:
    sizes: Any = getattr(loop.regime, "sizes", None)
    size = sizes[before.k - 1] if isinstance(sizes, tuple) else sizes.subs(n, before.k)
    yield S.One, [(_model(before, size), None)], ()


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
        return {"mu": mean + _G["h"], "V": squares * _G["x"], "h^2": squares * _G["x"] * QQ(1, len(points))}
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
        return {"mu": mu + eta * (_statistics(points)[0] - mu), "V": V * _G["y"]}
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
        V += w * _G[f"c{len(points)}"] * _statistics(points)[1] * QQ(1, len(points) - 1)
        V += w * (m - mean) ** 2 if between else RING.zero
    return {"mu": mean, "V": V}


def multiplier(estimator: Any, size: int) -> Expr:
    """Return the factor on the unbiased variance of ``size`` points, from what each estimator is for."""
    while hasattr(estimator, "of"):
        estimator = estimator.of
    if isinstance(estimator, UnbiasedFor):
        return _unbiased_for(estimator.power, size - 1)
    words = {MLE: Rational(size - 1, size), Unbiased: S.One, MinMSE: Rational(size - 1, size + 1)}
    return estimator.c if isinstance(estimator, Scaled) else words[type(estimator)]


@cache
def _unbiased_for(k: Expr, nu: int) -> Expr:
    """Return c with E[(c chi/nu)^k] = 1, or E log(c chi/nu) = 0, by quadrature over chi-square(nu)."""
    with mpmath.workdps(DIGITS + 10):
        power = mpmath.mpf(str(k.evalf(DIGITS + 10)))
        half = mpmath.mpf(nu) / 2

        def density(x: Any) -> Any:
            return x ** (half - 1) * mpmath.exp(-x / 2) / (2**half * mpmath.gamma(half))

        pieces = [0, 0.01, 1, 5, 20, 100, 400]
        if k == 0:
            return S(mpmath.exp(-mpmath.quad(lambda x: mpmath.log(x / nu) * density(x), pieces)))
        mean = mpmath.quad(lambda x: (x / nu) ** power * density(x), pieces)
        return S(mean ** (-1 / power))


# Averages ------------------------------------------------------------------------------------------------------------


def _without_h(letters: PolyElement, fitted: Fitted) -> PolyElement:
    """Return E over h ~ N(0, h^2) given everything else."""
    if "h^2" not in fitted:
        return letters
    at, total = _NAMES.index("h"), RING.zero
    for exponents, weight in letters.terms():
        rest = RING({(*exponents[:at], 0, *exponents[at + 1 :]): weight})
        total += rest * fitted["h^2"] ** (exponents[at] // 2) * int(_normal(exponents[at]))
    return total


def _averaged(loop: Loop, before: Before, letters: PolyElement, sets: Weighed) -> Expr:
    """Return the expectation of a polynomial in deviates."""
    size, total, moments = len(sets[0][0]), S.Zero, _Moments(loop, before)
    for exponents, weight in letters.terms():
        powers = {name: power for name, power in zip(_NAMES, exponents, strict=True) if power}
        tilt = moments.tilt(powers.pop("y", 0), size)
        factors = [moments.of(name, power, size, tilt) for name, power in powers.items()]
        total += prod(
            factors, start=Rational(int(weight.numerator), int(weight.denominator)) * moments.whole(tilt, size)
        )
    return total


@frozen
class _Moments:
    """Moments of all that is random in one fit."""

    loop: Loop
    before: Before

    def of(self, name: str, power: int, size: int, tilt: Expr) -> Expr:
        """Return E of a power of one generator, for a fit of ``size`` points."""
        if name[0] == "c":
            return multiplier(self.loop.estimator, int(name[1:])) ** power
        if name == "x":
            return _chi_square(-power, size - 1)
        if name[0] == "w":
            return _normal(power) * self.before.source[1] ** Rational(power, 2)
        return S.Zero if power % 2 else self._point(power) / (1 - 2 * tilt) ** (power // 2)

    def tilt(self, order: int, size: int) -> Expr:
        """Return t with y^order = exp(order eta S/V) = prod exp(t z^2/E z^2)."""
        return order * getattr(self._stepped, "eta", S.Zero) * self._scale / size if order else S.Zero

    def whole(self, tilt: Expr, size: int) -> Expr:
        """Return E y^order exp(-order eta), of the tilt that order makes."""
        return exp(-tilt * size / self._scale) * (1 - 2 * tilt) ** Rational(-size, 2) if tilt else S.One

    @property
    def _stepped(self) -> Any:
        estimator: Any = self.loop.estimator
        while hasattr(estimator, "of") and not isinstance(estimator, GradientSteps):
            estimator = estimator.of
        return estimator

    @property
    def _scale(self) -> Expr:
        """The factor on the model's variance."""
        sampling: Any = self.loop.sampling
        words = {Faithful: "", Truncated: "", Tempered: "tau", VarianceFactor: "lam"}
        if type(sampling) not in words:
            raise ValueError(f"{sampling} is not known here. Choose {', '.join(word.__name__ for word in words)}.")
        return getattr(sampling, words[type(sampling)], S.One)

    def _point(self, power: int) -> Expr:
        """Return E z^power of a point of the model, even powers alone."""
        spread = (self._scale * self.before.V) ** (power // 2)
        if isinstance(self.loop.sampling, Truncated):
            return spread * _truncated(power, self.loop.sampling.h)
        if self.before.k == 1 or not isinstance(self.loop.estimator, PosteriorPredictive):
            return spread * _normal(power)
        if isinstance(self.loop.sampling, Tempered):
            return self._tempered_student(power // 2)
        size = self._seen()
        # Student's t is a normal deviate over sqrt(chi-square/df).
        student = _normal(power) * (size - 1) ** (power // 2) * _chi_square(-(power // 2), size - 1)
        return spread * (1 + Rational(1, size)) ** (power // 2) * student

    def _tempered_student(self, half: int) -> Expr:
        """Return E z^(2 half) of the density (1 + z^2/a)^-q, a = (m - 1) V (1 + 1/m), q = m/(2 tau), through Beta."""
        sampling: Any = self.loop.sampling
        size, tau = self._seen(), sampling.tau
        width, q = (size - 1) * self.before.V * (1 + Rational(1, size)), size / (2 * tau)
        if q - half <= S.Half:
            return S.Infinity
        ratio = gamma(half + S.Half) * gamma(q - half - S.Half) / (gamma(S.Half) * gamma(q - S.Half))
        return width**half * ratio

    def _seen(self) -> int:
        """Return how many points the fit before has seen."""
        k, regime, samples = self.before.k, self.loop.regime, self.loop.samples
        if isinstance(regime, Schedule):
            return len(next(_schedule(self.loop, Before(k - 1, S.Zero, S.One, (S.Zero, S.One))))[1][0][0])
        return int(samples) * (k - 1 if type(regime) is Accumulate else 1)


def _normal(power: int) -> Expr:
    return S.Zero if power % 2 else factorial2(power - 1)


def _chi_square(power: int, df: int) -> Expr:
    """Return E chi^power, infinite where it is."""
    half = Rational(df, 2)
    return S(2) ** power * gamma(half + power) / gamma(half) if half + power > 0 else S.Infinity


@cache
def _truncated(power: int, h: Expr) -> Expr:
    """Return E z^power of a standard normal z inside [-h, h], by quadrature."""
    with mpmath.workdps(DIGITS + 10):
        edge = mpmath.mpf(str(h.evalf(DIGITS + 10)))

        def part(order: int) -> Any:
            return mpmath.quad(lambda z: z**order * mpmath.exp(-(z**2) / 2), [0, edge])

        return S(part(power) / part(0))
