"""Gaussian mixtures: k normal laws with weights, fitted by expectation maximisation.

The likelihood has several maxima and none in closed form, so what a loop does depends on how the climb is begun and
when it ends: that is the estimator, `EM`.
"""

from typing import Any, ClassVar, Literal

from attrs import field, frozen
from sympy import Add, Expr, IndexedBase, Matrix

from theory.exact import finite
from theory.families.fitted import Fitted
from theory.points import MixturePoints, NormalPoints, Points

Nested = Any
"""A number, or tuples of them."""
SHAPES = ("full", "diagonal", "spherical")


def _count(name: str) -> Any:
    def checked(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"Mixture: {name} = {value!r} is no number of them. Give a whole number >= 1.")
        return value

    return checked


def _nested(name: str) -> Any:
    def converted(value: Any, place: str = name) -> Nested:
        if isinstance(value, list | tuple):
            return tuple(converted(entry, f"{place}[{k}]") for k, entry in enumerate(value))
        return finite(value, place)

    return lambda value: None if value is None else converted(value)


@frozen
class Mixture(Fitted):
    """f(x) = sum_j w_j N(x; m_j, C_j), j = 0..k-1.

    Args:
        components: k >= 1.
        dimension: d >= 1, the coordinates of a point; the work of a fit grows as d^2, its compilation as d^3.
        covariance: "full"; "diagonal", C_j diagonal; or "spherical", C_j = v_j I. They differ from d = 2 on.
        weights: the source's weights, numbers >= 0 that sum to 1, where the source is a mixture of k components.
        means: the source's means, k numbers, or k lists of d.
        variances: the source's variances, k numbers > 0 for d = 1 or "spherical"; k lists of d for "diagonal"; k
            covariance matrices for "full".

    Recorded by a simulation: mean `mu` and variance `V` of a point (for d > 1 the matrix Sigma), and of the components
    the weights `w`, means `m` and variances `v` (for d > 1 the matrices C). Components keep their numbers from fit to
    fit only where EM starts from the last model.

    Raises:
        ValueError: a source in part, or of another shape.

    >>> Mixture(2, weights=["1/4", "3/4"], means=[0, 4], variances=[1, 1]).moments()
    ((3,), Matrix([[4]]))
    """

    w: ClassVar[IndexedBase] = IndexedBase("w", nonnegative=True)
    m: ClassVar[IndexedBase] = IndexedBase("m", real=True)
    v: ClassVar[IndexedBase] = IndexedBase("v", positive=True)
    parts_have_variances: ClassVar[bool] = True

    components: int = field(converter=_count("components"))
    dimension: int = field(default=1, converter=_count("dimension"))  # type: ignore[assignment]
    covariance: Literal["full", "diagonal", "spherical"] = field(default="full", kw_only=True)
    weights: Nested = field(default=None, converter=_nested("weights"), kw_only=True)
    means: Nested = field(default=None, converter=_nested("means"), kw_only=True)
    variances: Nested = field(default=None, converter=_nested("variances"), kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse what is no mixture."""
        if self.covariance not in SHAPES:
            raise ValueError(f"Mixture: covariance = {self.covariance!r} is none. Choose {', '.join(SHAPES)}.")
        given = [name for name in ("weights", "means", "variances") if getattr(self, name) is not None]
        if given and len(given) < 3:
            raise ValueError(f"Mixture: {' and '.join(given)} alone are no source. Give weights, means and variances.")
        if given:
            self._check_source()

    def _check_source(self) -> None:
        weights: Any = self.weights
        if any(len(x) != self.components for x in (weights, self.means, self.variances)):
            raise ValueError(f"Mixture: a source of {self.components} components lists as many. Give one of each.")
        if Add(*weights) != 1 or any(weight.is_negative for weight in weights):
            raise ValueError(f"Mixture: weights = {weights}. Give numbers >= 0 that sum to 1.")
        for k in range(self.components):
            if not self._covariance(k).is_positive_definite:
                raise ValueError(f"Mixture: variances[{k}] = {self.variances[k]} is no variance. Give one that is > 0.")

    @property
    def stands_alone(self) -> bool:
        """Whether it says its own source."""
        return self.weights is not None

    def centres(self) -> tuple[tuple[Expr, ...], ...]:
        """Return the means of the source's components."""
        self._require_source()
        means: Any = self.means
        return tuple(mean if isinstance(mean, tuple) else (mean,) for mean in means)

    def covariances(self) -> tuple[Matrix, ...]:
        """Return the covariance matrices of the source's components."""
        self._require_source()
        return tuple(self._covariance(k) for k in range(self.components))

    def moments(self) -> tuple[tuple[Expr, ...], Matrix]:
        """Return mean and covariance of a point of the source: sum w_j m_j, and sum w_j (C_j + m_j m_j') - m m'."""
        mean, square = Matrix.zeros(self.dimension, 1), Matrix.zeros(self.dimension)
        for w, m, C in zip(self.weights or (), map(Matrix, self.centres()), self.covariances(), strict=True):
            mean += w * m
            square += w * (C + m * m.T)
        return tuple(mean), square - mean * mean.T

    def centred(self) -> tuple[Expr, Points]:
        """Return the mean of a point on a line, and the mixture about it."""
        if self.dimension > 1:
            return Fitted.centred(self)
        (mean,), _ = self.moments()
        shifts = tuple(m - mean for (m,) in self.centres())
        return mean, MixturePoints(self.weights or (), shifts, tuple(NormalPoints(C[0, 0]) for C in self.covariances()))

    def _covariance(self, k: int) -> Matrix:
        d, given = self.dimension, self.variances[k]
        if not isinstance(given, tuple):
            entries = given * Matrix.eye(d)
        else:
            entries = Matrix(given) if isinstance(given[0], tuple) else Matrix.diag(*given)
        if entries.shape != (d, d) or len(self.centres()[k]) != d:
            raise ValueError(f"Mixture: component {k} has no {d} coordinates. Give means and variances of {d}.")
        return entries

    def _require_source(self) -> None:
        if self.weights is None:
            raise ValueError(
                f"Mixture({self.components}) has no source. Give it weights, means and variances, or the loop a source."
            )
