"""`Smoothed`: fits that keep the points they saw and smear each of them, as kernel densities and histograms do.

Such a model is known by the moments of a point. A sample's power sums have moments that are polynomials of these, and a
fit's own moments are polynomials of the power sums, order by order, so that the moments up to any order close among
themselves: what a smear adds, it adds at every fit.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from math import comb
from typing import Any, Self

from attrs import evolve, field, frozen
from sympy import Add, Expr, Poly, PolynomialError, S, Symbol

from theory.axes import free_symbols
from theory.errors import NotClosed
from theory.estimators import MLE, Estimator
from theory.families.base import Batch, Derivable, Family, Marginal, Parameters
from theory.families.fitted import Fitted
from theory.innovations import Law
from theory.points import MixturePoints, Points
from theory.samples import Sample
from theory.sampling import Sampling

Moments = tuple[Expr, ...]
"""E x, E x^2, ... of a point about the mean of the source."""


@frozen
class Smoothed(Fitted):
    """A density made of smeared points; ``real`` is the source, put in by `project`."""

    real: Family | None = field(default=None, kw_only=True, repr=False)

    @property
    def free_symbols(self) -> set[Symbol]:
        """The symbols of the family's numbers and of its source."""
        return free_symbols(self)

    def project(self, source: Family) -> Family:
        """Return the family with the source that it is fitted to."""
        return evolve(super().project(source), real=source)  # type: ignore[type-var]

    def kept(self, source: Family) -> Points:
        """Return what a fit keeps of a real point, about the source's mean: here the point itself."""
        return source.centred()[1]

    def kept_of_model(self, moments: Moments) -> Moments:
        """Return the moments of what a fit keeps of a point of a model: here of the point itself."""
        return moments

    @abstractmethod
    def smeared(self, means: Moments, size: Expr) -> Moments:
        """Return a model's moments from the means of x, x^2, ... over the ``size`` points that a fit keeps; their mean
        over whatever else is random in the model.
        """

    def scattered(self, moments: Moments) -> tuple[Moments, tuple[Law, ...]]:
        """Return a model's moments and the laws that scatter them about ``moments``, here none."""
        return moments, ()

    def kept_by(self, moments: Moments, size: Expr) -> Moments:
        """Return the means over the ``size`` points behind a model."""
        del moments, size
        raise NotClosed(
            f"regime: {self} does not tell the moments of the points behind it. "
            "Ask for the replace or the mixed regime, or simulate(loop)."
        )

    def point(self) -> tuple[Expr, Expr]:
        """Return (mu, V)."""
        return self.mu, self.V

    def marginals(self, observable: Expr) -> tuple[Marginal, ...]:
        """Return the observable in moments of a point about the source's mean m: mu = m + e1 and V = e2 - e1^2."""
        if self.real is None:
            raise NotClosed(
                f"source: {self} is fitted to no source. Name one, as in Loop({self}, source=Gaussian(0, 1))."
            )
        e1, e2 = letters(2)
        mean = self.real.centred()[0]
        there = observable.xreplace({self.mu: mean + e1, self.V: e2 - e1**2}).expand()
        back = {e1: self.mu - mean, e2: self.V + (self.mu - mean) ** 2}
        family = PointMoments(self, _weight(there, observable))
        return (Marginal(family, there, restore=lambda expr: expr.xreplace(back)),)


@frozen
class PointMoments(Derivable):
    """The moments e1, ..., e_order of a point of a smoothed model, about the mean of the source.

    A generation is the power sums of its points. For k points of moments e the moments of power sums of weight j hold
    no e beyond e_j, so that the recurrence closes weight by weight.
    """

    of: Smoothed
    order: int

    @property
    def title(self) -> str:
        """The name of the smoothed family."""
        return self.of.title

    @property
    def _real(self) -> Family:
        if self.of.real is None:
            raise ValueError(f"{self.of} has no source. Name one in the loop.")
        return self.of.real

    def source(self) -> Parameters:
        """Return the moments of a real point about its mean."""
        points = self._real.centred()[1]
        return {e: points.moment(j) for j, e in enumerate(letters(self.order), start=1)}

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put in."""
        return evolve(self, of=self.of.substitute(values))

    def check(self, loop: Any) -> None:
        """Refuse whatever is no plain fit: a smeared density has no other parameters to move."""
        if loop.estimator != MLE():
            raise NotClosed(f"estimator: {loop.estimator} is no way to fit {self.of}. Ask for MLE().")

    def outside(self, source: Family | None) -> Family | None:
        """Return the source: its points follow no smeared density."""
        return source

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the power sums of ``size`` points of a model."""
        return self._sums(_Told(self.of.kept_of_model(self._moments(law))), size, label)

    def observed(self, outside: Family, size: Expr, label: str) -> Batch:
        """Return the power sums of real points."""
        return self._sums(self.of.kept(outside), size, label)

    def _sums(self, points: Points, size: Expr, label: str) -> Batch:
        sums = tuple(Symbol(f"s{j}_{label}", real=True) for j in range(1, self.order + 1))
        return Batch(size, sums, (Sample(sums, size, points),))

    def _moments(self, law: Parameters) -> Moments:
        return tuple(law[e] for e in letters(self.order))

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the sums over both samples."""
        sums = tuple(a + b for a, b in zip(one.statistics, two.statistics, strict=True))
        return Batch(one.size + two.size, sums, one.laws + two.laws)

    def mixture(self, source: Any, model: Any, share: Expr, size: Expr, sampling: Sampling) -> Batch:
        """Return the sums over points that are real with the probability ``share``."""
        del sampling
        real = self._kept(source)
        return self._sums(MixturePoints((share, 1 - share), (S.Zero,) * 2, (real, self._kept(model))), size, "mixture")

    def _kept(self, law: Parameters | Family) -> Points:
        if isinstance(law, Family):
            return self.of.kept(law)
        return _Told(self.of.kept_of_model(self._moments(law)))

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return the moments of the smeared sample."""
        del estimator, state
        means = tuple(s / batch.size for s in batch.statistics)
        return dict(zip(letters(self.order), self.of.smeared(means, batch.size), strict=True))

    def completed(
        self, fitted: Parameters, laws: tuple[Law, ...], state: Sequence[Expr]
    ) -> tuple[Parameters, tuple[Law, ...]]:
        """Return the moments as they are scattered."""
        del state
        moments, more = self.of.scattered(self._moments(fitted))
        return dict(zip(letters(self.order), moments, strict=True)), laws + more

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return the sums over the points behind a model."""
        del estimator
        return Batch(size, tuple(size * mean for mean in self.of.kept_by(self._moments(law), size)))

    def remembered(self, batch: Batch, label: str, state: Sequence[Expr]) -> Parameters:
        """Return the means of x, x^2, ..."""
        del state
        return dict(zip(self._means(label), (s / batch.size for s in batch.statistics), strict=True))

    def recalled(self, size: Expr, label: str, state: Sequence[Expr]) -> Batch:
        """Return the sums behind the means."""
        del state
        return Batch(size, tuple(size * mean for mean in self._means(label)))

    def _means(self, label: str) -> tuple[Symbol, ...]:
        return tuple(Symbol(f"x{j}_{label}", real=True) for j in range(1, self.order + 1))


@frozen
class _Told(Points):
    """A point whose moments are a list."""

    moments: Moments

    def moment(self, order: int) -> Expr:
        """Return the entry."""
        return S.One if order == 0 else self.moments[order - 1]


def letters(order: int) -> tuple[Symbol, ...]:
    """Return e1, e2, ..., the moments of a model's point about the mean of the source."""
    return tuple(Symbol(f"e{j}", real=True) for j in range(1, order + 1))


def convolved(moments: Moments, noise: Points) -> Moments:
    """Return the moments of x + y, y independent noise: sum_i C(j, i) E x^(j - i) E y^i."""
    known = (S.One, *moments)
    return tuple(
        Add(*(comb(j, i) * known[j - i] * noise.moment(i) for i in range(j + 1))) for j in range(1, len(known))
    )


def deconvolved(moments: Moments, noise: Points) -> Moments:
    """Return the moments of x from those of x + y, order by order.

    >>> from sympy import symbols
    >>> from theory.points import NormalPoints
    >>> deconvolved(symbols("a b"), NormalPoints(symbols("v")))
    (a, b - v)
    """
    known = [S.One]
    for j, moment in enumerate(moments, start=1):
        known.append(moment - Add(*(comb(j, i) * known[j - i] * noise.moment(i) for i in range(1, j + 1))))
    return tuple(known[1:])


def _weight(observable: Expr, asked: Expr) -> int:
    """Return the highest weight of a polynomial in e1 and e2, e_j weighing j; at least 2, which a bandwidth reads."""
    try:
        powers = Poly(observable, *letters(2)).monoms()
    except PolynomialError as error:
        raise NotClosed(
            f"observable: {asked} is no polynomial in mu and V, whose moments are all that close in a smeared density. "
            "Ask for a polynomial, or simulate(loop)."
        ) from error
    return max(2, *(first + 2 * second for first, second in powers))
