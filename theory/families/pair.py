"""Two sample means that are fitted apart: what ties them is what the source does.

Points of a model whose parts are independent do not tie them, so the product of two fitted means moves by the
covariance of the real points among those fitted, and by nothing else.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from attrs import evolve, frozen
from sympy import Add, Expr, S, Symbol

from theory.errors import NotClosed
from theory.estimators import Estimator
from theory.families.base import Batch, Derivable, Family, Parameters
from theory.innovations import Law
from theory.sampling import Sampling


@frozen
class Cross(Law):
    """(a, b), the errors of two sample means: E a = E b = 0 and E[a b] = covariance."""

    symbols: tuple[Symbol, Symbol]
    covariance: Expr

    def means(self) -> tuple[Expr, ...]:
        """Return (0, 0)."""
        return S.Zero, S.Zero

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return the moment of order (1, 0), (0, 1) or (1, 1)."""
        known = {(1, 0): S.Zero, (0, 1): S.Zero, (1, 1): self.covariance}
        if any(logs) or tuple(powers) not in known:
            raise NotClosed(
                "family: two coordinates together have no moments here beyond the product of their means. "
                "Ask for sums of mu[i]*mu[j] and of one-coordinate observables, or simulate(loop)."
            )
        return known[tuple(powers)]


@frozen
class Pair(Derivable):
    """The means x and y of two numbers of a point, independent in a model and tied in the source.

    Args:
        places: which numbers they are.
        means: those of the source.
    """

    x: ClassVar[Symbol] = Symbol("mean_x", real=True)
    y: ClassVar[Symbol] = Symbol("mean_y", real=True)

    places: tuple[Any, Any]
    means: tuple[Expr, Expr]

    @abstractmethod
    def tied(self, source: Any) -> Expr:
        """Return the covariance of the two numbers of a point of the source."""

    def source(self) -> Parameters:
        """Return the source's means."""
        return {self.x: self.means[0], self.y: self.means[1]}

    def outside(self, source: Family | None) -> Family | None:
        """Return the source, since its coordinates are not independent."""
        return source

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the two sample means of points with independent coordinates."""
        return self._means(law, S.Zero, size, label)

    def observed(self, outside: Family, size: Expr, label: str) -> Batch:
        """Return the two sample means of real points, whose errors have the covariance S_ij/m."""
        return self._means(self.source(), self.tied(outside), size, label)

    def _means(self, law: Parameters, covariance: Expr, size: Expr, label: str) -> Batch:
        errors = Symbol(f"a_{label}", real=True), Symbol(f"b_{label}", real=True)
        return Batch(size, (law[self.x] + errors[0], law[self.y] + errors[1]), (Cross(errors, covariance / size),))

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the pooled means."""
        size = one.size + two.size
        pairs = zip(one.statistics, two.statistics, strict=True)
        return Batch(size, tuple((one.size * a + two.size * b) / size for a, b in pairs), one.laws + two.laws)

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return the sample means, whatever the divisor of a variance."""
        del estimator, state
        return dict(zip((self.x, self.y), batch.statistics, strict=True))

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return the means."""
        del estimator
        return Batch(size, (law[self.x], law[self.y]))

    def weighted(self, fits: Sequence[Parameters], weights: Sequence[Expr], *, between: bool) -> Parameters:
        """Return the weighted means."""
        del between
        return {z: Add(*(w * fit[z] for w, fit in zip(weights, fits, strict=True))) for z in (self.x, self.y)}

    def target(self, batch: Batch, model: Parameters, state: Sequence[Expr]) -> Parameters:
        """Return the sample means."""
        del model, state
        return dict(zip((self.x, self.y), batch.statistics, strict=True))

    def drawn(self, law: Parameters, sampling: Sampling, size: Expr, fitted: Expr | None) -> Batch:
        """Return the means of points drawn coordinate by coordinate: no distortion of a symmetric law moves them."""
        del sampling, fitted
        return self.batch(law, size, "model")

    def mixture(self, source: Any, model: Any, share: Expr, size: Expr, sampling: Sampling) -> Batch:
        """Return the means of points that are real with the probability ``share``.

        A point's coordinates have the covariance share S_ij + share (1 - share) d_i d_j, d the real mean less the
        model's; no distortion of a symmetric law moves the model's means.
        """
        del sampling
        if isinstance(model, Family):
            return self.observed(source, size, "mixture")
        own = self.source()
        shift = {z: own[z] - model[z] for z in own}
        covariance = self.tied(source) if isinstance(source, Family) else S.Zero
        tied = share * covariance + share * (1 - share) * shift[self.x] * shift[self.y]
        return self._means({z: model[z] + share * shift[z] for z in own}, tied, size, "mixture")

    def remembered(self, batch: Batch, label: str, state: Sequence[Expr]) -> Parameters:
        """Return the sample means."""
        del state
        return dict(zip(_kept(label), batch.statistics, strict=True))

    def recalled(self, size: Expr, label: str, state: Sequence[Expr]) -> Batch:
        """Return the sample means that are kept."""
        del state
        return Batch(size, _kept(label))

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the pair with values put into its source."""
        x, y = (mean.subs(values) for mean in self.means)
        return evolve(self, means=(x, y))


def _kept(label: str) -> tuple[Symbol, Symbol]:
    return Symbol(f"x_{label}", real=True), Symbol(f"y_{label}", real=True)
