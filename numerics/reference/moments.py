"""Moments of what is random in one fit of a small Gaussian loop: deviates, multipliers, draws from a posterior.

Each comes from the law's own definition, by a textbook moment or by quadrature.
"""

from collections.abc import Mapping
from functools import cache
from math import prod
from typing import Any

import mpmath
from attrs import frozen
from sympy import QQ, Expr, Rational, S, exp, factorial2, gamma, ring
from sympy.polys.rings import PolyElement

from theory.estimators import MLE, MinMSE, Scaled, Unbiased, UnbiasedFor
from theory.loop import Loop
from theory.procedures import GradientSteps, PosteriorPredictive
from theory.regimes import Accumulate, Schedule
from theory.sampling import Faithful, Tempered, Truncated, VarianceFactor
from theory.symbols import n

DIGITS = 30
"""Decimal digits of what is not rational."""
FRESH, MOST = 6, 18
"""Points that one fit may draw from one law, and may see."""

NAMES = [*(f"{letter}{k}" for letter in "zw" for k in range(FRESH)), *(f"c{k}" for k in range(2, MOST + 1)), *"xhy"]
RING, *_letters = ring(NAMES, QQ)
"""z: deviates of the model's points, w: of real ones, c: multipliers by sample size; x, h, y: see `_learned`."""
GENERATORS = dict(zip(NAMES, _letters, strict=True))

Fitted = Mapping[str, PolyElement]
"""A model by its letters, and under "h^2" the variance of h."""


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


def value(expr: Expr) -> mpmath.mpf:
    """Return a number to ``DIGITS`` digits."""
    with mpmath.workdps(DIGITS):
        return mpmath.mpf(str(S(expr).evalf(DIGITS)))


def scheduled(regime: Any, k: int) -> int:
    """Return the number of points of fit k."""
    return int(regime.sizes[k - 1] if isinstance(regime.sizes, tuple) else regime.sizes.subs(n, k))


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


def without_h(letters: PolyElement, fitted: Fitted) -> PolyElement:
    """Return E over h ~ N(0, h^2) given everything else."""
    if "h^2" not in fitted:
        return letters
    at, total = NAMES.index("h"), RING.zero
    for exponents, weight in letters.terms():
        rest = RING({(*exponents[:at], 0, *exponents[at + 1 :]): weight})
        total += rest * fitted["h^2"] ** (exponents[at] // 2) * int(_normal(exponents[at]))
    return total


def averaged(loop: Loop, before: Before, letters: PolyElement, size: int) -> Expr:
    """Return the expectation of a polynomial in deviates, for a fit of ``size`` points."""
    total, moments = S.Zero, _Moments(loop, before)
    for exponents, weight in letters.terms():
        powers = {name: power for name, power in zip(NAMES, exponents, strict=True) if power}
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
            return scheduled(regime, k - 1)
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
