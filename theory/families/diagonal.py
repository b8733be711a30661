"""The diagonal Gaussian family: independent coordinates, each a Gaussian loop of its own.

It is the simplest narrower one: fitted to a correlated source it keeps every mean and variance and loses the
correlation, at once and for ever.
"""

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any, ClassVar, Self

from attrs import field, frozen
from sympy import Add, Expr, Indexed, IndexedBase, Mul, S, log

from theory import symbols
from theory.errors import NotClosed
from theory.exact import sequence
from theory.families.base import Family, Marginal, Parameters
from theory.families.gaussian import Gaussian
from theory.families.multivariate import MultivariateGaussian
from theory.families.pair import Pair


def _variances(values: Iterable[object]) -> tuple[Expr, ...]:
    variances = sequence(values, "variances")
    for k, variance in enumerate(variances):
        if variance.is_positive is False:
            raise ValueError(
                f"DiagonalGaussian: variance {k} is {variance}, and a variance is positive. Give variances > 0."
            )
    return variances


@frozen
class DiagonalGaussian(Family):
    """Independent Gaussians N(mu[i], V[i]), i = 0..d-1.

    Args:
        mean: the source's means; leave out both where the loop names a source to project.
        variances: the source's variances, > 0.

    >>> DiagonalGaussian([0, 0], [1, 4]).divergence(MultivariateGaussian([0, 0], [[1, 1], [1, 4]]))
    -log(3/4)/2
    """

    mu: ClassVar[IndexedBase] = IndexedBase("mu", real=True)
    V: ClassVar[IndexedBase] = IndexedBase("V", positive=True)
    has_variance = True
    normal = True

    mean: tuple[Expr, ...] = field(default=(), converter=lambda values: sequence(values, "mean"))
    variances: tuple[Expr, ...] = field(default=(), converter=_variances)

    def __attrs_post_init__(self) -> None:
        """Refuse lengths that differ."""
        if len(self.mean) != len(self.variances):
            raise ValueError(
                f"DiagonalGaussian: {len(self.mean)} means and {len(self.variances)} variances. "
                "Give one variance for each mean."
            )

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return len(self.mean)

    def source(self) -> Parameters:
        """Return the source's means and variances."""
        return {self.mu[k]: m for k, m in enumerate(self.mean)} | {self.V[k]: v for k, v in enumerate(self.variances)}

    def coordinate(self, k: int) -> Gaussian:
        """Return the family of coordinate k alone."""
        if not 0 <= k < self.dimension:
            raise ValueError(f"coordinate {k} does not exist: there are {self.dimension}. Count from 0.")
        return Gaussian(self.mean[k], self.variances[k])

    def project(self, source: Family) -> Family:
        """Return the diagonal law with the source's means and variances, the M-projection."""
        if not isinstance(source, MultivariateGaussian):
            return Family.project(self, source)
        mean, covariance = numbers(source)
        return DiagonalGaussian(mean, covariance.diagonal())

    def divergence(self, source: Family) -> Expr:
        """Return KL(N(m, S) || projection) = -log(det S / prod S_ii)/2, the total correlation."""
        if not isinstance(source, MultivariateGaussian):
            return Family.divergence(self, source)
        _, covariance = numbers(source)
        return -log(covariance.det() / prod(covariance.diagonal())) / 2

    def marginals(self, observable: Expr) -> tuple[Marginal, ...]:
        """Split a sum of one-coordinate observables and of products of two means; real points tie coordinates
        together, so other products are refused.
        """
        pieces: dict[tuple[int, ...], list[Expr]] = {}
        for term in Add.make_args(observable.expand()):
            pieces.setdefault(self._coordinates_of(term), []).append(term)
        return tuple(self._piece(named, Add(*terms)) for named, terms in pieces.items())

    def _coordinates_of(self, term: Expr) -> tuple[int, ...]:
        if term.xreplace(dict.fromkeys(term.atoms(Indexed), S.One)).has(symbols.mu, symbols.V):
            raise ValueError(f"{term} names no coordinate. Write DiagonalGaussian.mu[k] or DiagonalGaussian.V[k].")
        named = tuple(sorted({int(x.indices[0]) for x in term.atoms(Indexed)}))
        product = Mul(*(self.mu[k] for k in named))
        if len(named) > 2 or (len(named) == 2 and (term / product).atoms(Indexed)):
            raise NotClosed(
                f"family: {term} mixes coordinates {list(named)}, which a correlated source ties together. "
                "Ask for sums of one-coordinate observables and of products mu[i]*mu[j], or simulate(loop)."
            )
        return named

    def _piece(self, named: tuple[int, ...], observable: Expr) -> Marginal:
        if len(named) == 2:
            return self._pair(named, observable)
        here = named[0] if named else 0
        names = {self.mu[here]: symbols.mu, self.V[here]: symbols.V}
        back = {one: indexed for indexed, one in names.items()}
        return Marginal(self.coordinate(here), observable.xreplace(names), restore=lambda expr: expr.xreplace(back))

    def _pair(self, named: tuple[int, int], observable: Expr) -> Marginal:
        i, j = named
        names = {self.mu[i]: Pair.x, self.mu[j]: Pair.y}
        back = {one: indexed for indexed, one in names.items()}
        pair = CoordinatePair(named, (self.mean[i], self.mean[j]))
        return Marginal(pair, observable.xreplace(names), restore=lambda expr: expr.xreplace(back))

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put into its source."""
        return type(self)([m.subs(values) for m in self.mean], [v.subs(values) for v in self.variances])


@frozen
class CoordinatePair(Pair):
    """Two coordinates of a Gaussian point."""

    def tied(self, source: Any) -> Expr:
        """Return S_ij."""
        return source.covariance[self.places]


def numbers(source: MultivariateGaussian) -> tuple[tuple[Expr, ...], Any]:
    """Return the mean and the covariance of a source, or refuse one in symbols."""
    if source.mean is None or source.covariance is None:
        raise ValueError(
            "MultivariateGaussian() has a source in symbols, and a projection reads its entries. "
            "Give its mean and its covariance."
        )
    return source.mean, source.covariance
