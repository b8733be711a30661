"""The Gaussian family N(mu, V), with mean and variance both fitted.

By Cochran's theorem a sample of m points has mean mu + eps, eps ~ N(0, V/m), and sum of squares V * chi2_(m-1) about
it, independent of each other: everything below follows from these two.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from attrs import field, frozen
from sympy import Add, E, Expr, S, Symbol, exp, log, pi

from theory import symbols
from theory.errors import NotClosed
from theory.estimators import Estimator
from theory.exact import exact, finite
from theory.families.base import Batch, Derivable, Family, Parameters
from theory.innovations import ChiSquare, Law, Normal
from theory.points import MixturePoints, NormalPoints, Points, Student, TruncatedNormal
from theory.samples import Sample, Subset, TiltedSquares
from theory.sampling import Faithful, Sampling, Tempered, Truncated, VarianceFactor

NORMAL_SOURCE = "the source is Gaussian"


def _variance(value: object) -> Expr:
    V0 = exact(value, "V0")
    if V0.is_positive is False:
        raise ValueError(f"Gaussian(V0={V0}): a variance is positive. Give V0 > 0.")
    return V0


@frozen
class Gaussian(Derivable):
    """N(mu, V) with source N(mu0, V0).

    Args:
        mu0: mean of the source.
        V0: variance of the source, > 0.

    >>> Gaussian(mu0=0, V0=1).source()
    {mu: 0, V: 1}
    """

    mu: ClassVar[Symbol] = symbols.mu
    V: ClassVar[Symbol] = symbols.V
    has_variance = True
    normal = True
    scales: ClassVar[tuple[Symbol, ...]] = (symbols.V,)

    mu0: Expr = field(default=symbols.mu0, converter=lambda value: finite(value, "mu0"))
    V0: Expr = field(default=symbols.V0, converter=_variance)

    def source(self) -> Parameters:
        """Return {mu: mu0, V: V0}."""
        return {self.mu: self.mu0, self.V: self.V0}

    def project(self, source: Family) -> Family:
        """Return N(mean, variance) of the source, the M-projection: moment matching."""
        if self.outside(source) is None:
            return Derivable.project(self, source)
        mean, points = source.centred()
        return Gaussian(mean, points.moment(2))

    def divergence(self, source: Family) -> Expr:
        """Return KL(source || projection) = log(2 pi e V0)/2 - h(source)."""
        if self.outside(source) is None:
            return Derivable.divergence(self, source)
        variance = source.centred()[1].moment(2)
        return log(2 * pi * E * variance) / 2 - source.differential_entropy()

    def centred(self) -> tuple[Expr, Points]:
        """Return mu0, and N(0, V0)."""
        return self.mu0, NormalPoints(self.V0)

    def differential_entropy(self) -> Expr:
        """Return log(2 pi e V0)/2."""
        return log(2 * pi * E * self.V0) / 2

    def outside(self, source: Family | None) -> Family | None:
        """Return the source unless it is normal."""
        return None if source is None or source.normal else source

    def observed(self, outside: Family, size: Expr, label: str) -> Batch:
        """Return mean and SS of points that are not normal, by the moments of their sums of powers."""
        return self._sample(*outside.centred(), size, label)

    def point(self) -> tuple[Expr, Expr]:
        """Return (mu, V)."""
        return self.mu, self.V

    def reach(self) -> tuple[Expr, Expr, Expr]:
        """Return (x - mu)^2 = 2 V Gamma(1/2, 1)."""
        return (Symbol("x", real=True) - self.mu) ** 2, S.Half, S(2)

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return (mean, sum of squares) = (mu + eps, V chi), eps ~ N(0, V/m), chi ~ chi-square(m - 1)."""
        eps, chi = Symbol(f"eps_{label}", real=True), Symbol(f"chi_{label}", positive=True)
        laws = (Normal(eps, law[self.V] / size), ChiSquare(chi, size - 1))
        return Batch(size, (law[self.mu] + eps, law[self.V] * chi), laws)

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the pooled mean and SS = SS_1 + SS_2 + m_1 m_2/(m_1 + m_2) (xbar_1 - xbar_2)^2."""
        size = one.size + two.size
        (mean1, squares1), (mean2, squares2) = one.statistics, two.statistics
        mean = (one.size * mean1 + two.size * mean2) / size
        between = one.size * two.size / size * (mean1 - mean2) ** 2
        return Batch(size, (mean, squares1 + squares2 + between), one.laws + two.laws)

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return mu = xbar and V = SS/d(m)."""
        del state
        (mean, squares), divisor = batch.statistics, estimator.divisor(batch.size)
        if batch.size.is_number and not divisor.is_positive:
            raise NotClosed(
                f"samples: {estimator} finds no variance in {batch.size} points. Take more samples per generation."
            )
        return {self.mu: mean, self.V: squares / divisor}

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return xbar = mu and SS = d(m) V."""
        return Batch(size, (law[self.mu], estimator.divisor(size) * law[self.V]))

    def distorted(self, law: Parameters, sampling: Sampling) -> Parameters:
        """Return N(mu, tau V) for tempered sampling: f^(1/tau) of a Gaussian is one with tau times the variance."""
        factor = {Tempered: "tau", VarianceFactor: "lam"}.get(type(sampling))
        if factor:
            return {self.mu: law[self.mu], self.V: getattr(sampling, factor) * law[self.V]}
        return Derivable.distorted(self, law, sampling)

    def drawn(self, law: Parameters, sampling: Sampling, size: Expr, fitted: Expr | None) -> Batch:
        """Return the sample: truncated points and Student's points have their moments, all others are Gaussian."""
        if isinstance(sampling, Truncated) and fitted is None:
            return self._sample(law[self.mu], TruncatedNormal(law[self.V], sampling.h), size)
        if fitted is None:
            return self.batch(self.distorted(law, sampling), size, "model")
        if isinstance(sampling, Truncated):
            raise NotClosed("sampling: a truncated posterior predictive law is not derived. Ask simulate(loop).")
        scale, df = self.distorted(law, sampling)[self.V] * (1 + 1 / fitted), fitted - 1
        if isinstance(sampling, Tempered):
            # (1 + t^2/df)^(-(df + 1)/(2 tau)) is Student's density of other degrees and another width.
            tempered = fitted / sampling.tau - 1
            scale, df = scale * df / (sampling.tau * tempered), tempered
        return self._sample(law[self.mu], Student(scale, df), size)

    def mixture(self, source: Any, model: Any, share: Expr, size: Expr, sampling: Sampling) -> Batch:
        """Return independent points of share * source + (1 - share) * model."""
        (mean, synthetic), (other, real) = self._point(model, sampling), self._point(source, Faithful())
        points = MixturePoints((1 - share, share), (S.Zero, other - mean), (synthetic, real))
        return self._sample(mean, points, size)

    def _point(self, law: Parameters | Family, sampling: Sampling) -> tuple[Expr, Points]:
        """Return the mean of a point that ``sampling`` draws from a law, and the law of the point about it."""
        if isinstance(law, Family):
            return law.drawn_as(sampling).centred()
        here = self.distorted(law, sampling)
        return here[self.mu], NormalPoints(here[self.V])

    def _sample(self, mean: Expr, points: Points, size: Expr, label: str = "model") -> Batch:
        """Return (mean, SS) = (mean + s_1/m, s_2 - s_1^2/m), s_j the sums of powers of the points about their mean."""
        s1, s2 = Symbol(f"s1_{label}", real=True), Symbol(f"s2_{label}", nonnegative=True)
        return Batch(size, (mean + s1 / size, s2 - s1**2 / size), (Sample((s1, s2), size, points),))

    def subsample(self, pool: Batch, size: Expr) -> Batch:
        """Return the mean and SS of points drawn without replacement."""
        shift, squares = Symbol("d_subset", real=True), Symbol("s_subset", nonnegative=True)
        mean, total = pool.statistics
        law = Subset((shift, squares), size, pool.size, total)
        return Batch(size, (mean + shift, squares), (*pool.laws, law))

    def remembered(self, batch: Batch, label: str, state: Sequence[Expr]) -> Parameters:
        """Return the means of x and of x^2: unlike a variance they are martingales, so their moments come apart."""
        del state
        mean, squares = batch.statistics
        return dict(zip(_means(label), (mean, squares / batch.size + mean**2), strict=True))

    def recalled(self, size: Expr, label: str, state: Sequence[Expr]) -> Batch:
        """Return (mean, SS), SS = m (mean of x^2 - mean^2)."""
        del state
        mean, square = _means(label)
        return Batch(size, (mean, size * (square - mean**2)))

    def weighted(self, fits: Sequence[Parameters], weights: Sequence[Expr], *, between: bool) -> Parameters:
        """Return mu = sum w_i mu_i and V = sum w_i V_i, plus sum w_i (mu_i - mu)^2 where ``between``."""
        mean = Add(*(w * fit[self.mu] for w, fit in zip(weights, fits, strict=True)))
        spreads = [fit[self.V] + ((fit[self.mu] - mean) ** 2 if between else 0) for fit in fits]
        return {self.mu: mean, self.V: Add(*(w * spread for w, spread in zip(weights, spreads, strict=True)))}

    def target(self, batch: Batch, model: Parameters, state: Sequence[Expr]) -> Parameters:
        """Return (xbar, S) with S = sum (x - mu)^2/m about the model's own mean."""
        del state
        mean, squares = batch.statistics
        return {self.mu: mean, self.V: squares / batch.size + (mean - model[self.mu]) ** 2}

    def log_step(self, batch: Batch, model: Parameters, eta: Expr) -> tuple[Parameters, tuple[Law, ...]]:
        """Return mu' = mu + eta (xbar - mu) and V' = V exp(eta (S/V - 1)), for points of the last model alone."""
        mu, V = model[self.mu], model[self.V]
        mean, squares = batch.statistics
        eps, chi = (batch.laws[k].symbols[0] for k in (0, -1))
        scale = squares / (V * chi)
        if len(batch.laws) != 2 or mean != mu + eps or scale.has(V, chi):
            raise NotClosed(
                "estimator: a step on log V closes on untruncated samples of the last model alone. Ask simulate(loop)."
            )
        y = Symbol("y_step", positive=True)
        law = TiltedSquares((eps, y), scale * V / batch.size, batch.size - 1, eta * scale / batch.size)
        return {self.mu: mu + eta * eps, self.V: V * y * exp(-eta)}, (law,)

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return V' = SS/chi with chi ~ chi-square(m - 1) and mu' ~ N(xbar, V'/m), the posterior of the prior 1/V."""
        del state
        eps, chi = Symbol("eps_draw", real=True), Symbol("chi_draw", positive=True)
        mean, squares = batch.statistics
        V = squares / chi
        laws = (ChiSquare(chi, batch.size - 1), Normal(eps, V / batch.size))
        return {self.mu: mean + eps, self.V: V}, laws

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put into mu0 and V0."""
        return type(self)(self.mu0.subs(values), self.V0.subs(values))

    def assumptions(self) -> tuple[str, ...]:
        """Return what Cochran's theorem needs."""
        return (NORMAL_SOURCE, "points of a generation are independent", "at least two points are fitted")


def _means(label: str) -> tuple[Symbol, Symbol]:
    return Symbol(f"x_{label}", real=True), Symbol(f"x2_{label}", nonnegative=True)
