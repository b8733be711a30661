"""Gaussian families with a restricted covariance: what is lost when they are fitted to any other is paid once.

Each family says which covariance S* it takes for S, the one nearest in KL(N(m, S) || .). For every family here
tr(S*^-1 S) = d, so that KL = (log det S* - log det S)/2. A refit reads S* of a Wishart matrix, whose moments do not
close in general; infinitely many points leave S* as it is but for a factor.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, ClassVar, Self

from attrs import evolve, field, frozen
from sympy import Add, Expr, ImmutableMatrix, IndexedBase, Matrix, log, real_roots

from theory.errors import NotClosed
from theory.exact import sequence
from theory.families.base import Family, Parameters
from theory.families.diagonal import numbers
from theory.families.multivariate import MultivariateGaussian


def _matrix(value: Any) -> ImmutableMatrix | None:
    return None if value is None else ImmutableMatrix(value)


@frozen
class ProjectedGaussian(Family):
    """N(mu, S) with S of a restricted form; its source is set by `project`.

    Args:
        mean: the source's means.
        covariance: the source's covariance, of the restricted form.
    """

    mu: ClassVar[IndexedBase] = IndexedBase("mu", real=True)
    Sigma: ClassVar[IndexedBase] = IndexedBase("Sigma", real=True)
    has_variance = True
    normal = True

    mean: tuple[Expr, ...] = field(default=(), converter=lambda values: sequence(values, "mean"), kw_only=True)
    covariance: ImmutableMatrix | None = field(default=None, converter=_matrix, kw_only=True)

    @abstractmethod
    def restricted(self, covariance: Matrix) -> Matrix:
        """Return S*, the covariance of this form with the least KL(N(m, S) || N(m, S*))."""

    @abstractmethod
    def check_dimension(self, dimension: int) -> None:
        """Refuse a dimension that the form does not have."""

    @property
    def dimension(self) -> int:
        """The dimension d, 0 where there is no source yet."""
        return len(self.mean)

    def source(self) -> Parameters:
        """Return the source's means and covariances."""
        if self.covariance is None:
            return {}
        d = range(self.dimension)
        entries = {self.Sigma[i, j]: self.covariance[i, j] for i in d for j in d}
        return {self.mu[k]: m for k, m in enumerate(self.mean)} | entries

    def project(self, source: Family) -> Family:
        """Return the law of this form with the source's mean and the restricted covariance, the M-projection."""
        if type(source) is type(self):
            return source
        if not isinstance(source, MultivariateGaussian):
            return Family.project(self, source)
        mean, covariance = numbers(source)
        self.check_dimension(len(mean))
        return evolve(self, mean=mean, covariance=self.restricted(Matrix(covariance)))

    def divergence(self, source: Family) -> Expr:
        """Return KL(N(m, S) || N(m, S*)) = (log det S* - log det S)/2."""
        if not isinstance(source, MultivariateGaussian):
            return Family.divergence(self, source)
        own: Any = self.project(source)
        _, covariance = numbers(source)
        return log((own.covariance.det() / covariance.det()).cancel()) / 2

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put into its source."""
        covariance = None if self.covariance is None else self.covariance.subs(values)
        return evolve(self, mean=[m.subs(values) for m in self.mean], covariance=covariance)


@frozen
class IsotropicGaussian(ProjectedGaussian):
    """N(mu, v I): one variance for all directions, v = tr S/d.

    >>> IsotropicGaussian().divergence(MultivariateGaussian([0, 0], [[1, 0], [0, 4]]))
    log(25/16)/2
    """

    def restricted(self, covariance: Matrix) -> Matrix:
        """Return (tr S/d) I."""
        d = covariance.rows
        return covariance.trace() / d * Matrix.eye(d)

    def check_dimension(self, dimension: int) -> None:
        """Accept any."""


@frozen
class LowRankGaussian(ProjectedGaussian):
    """N(mu, W W' + v I), W of ``rank`` columns: probabilistic principal components.

    The directions of the largest ``rank`` eigenvalues keep them; all others have the mean v of theirs.

    M. E. Tipping, C. M. Bishop, Probabilistic principal component analysis, J. R. Statist. Soc. B 61 (1999) 611-622.

    >>> LowRankGaussian(1).divergence(MultivariateGaussian([0, 0, 0], [[9, 0, 0], [0, 4, 0], [0, 0, 1]]))
    log(25/16)/2
    """

    rank: int = field()

    def __attrs_post_init__(self) -> None:
        """Refuse a rank that is none."""
        if not isinstance(self.rank, int) or isinstance(self.rank, bool) or self.rank < 0:
            raise ValueError(f"LowRankGaussian: rank = {self.rank!r} is no number of directions. Give an int >= 0.")

    def restricted(self, covariance: Matrix) -> Matrix:
        """Return v I + sum_k (lambda_k - v) P_k over the kept eigenvalues, P_k their eigenprojections."""
        values, d = _spectrum(covariance), covariance.rows
        v = (covariance.trace() - Add(*values[: self.rank])) / (d - self.rank)
        distinct = list(dict.fromkeys(values))
        terms = ((x - v) * _projection(covariance, x, distinct) for x in distinct if self._keeps(x, values, v))
        return sum(terms, v * Matrix.eye(d))

    def _keeps(self, x: Expr, values: list[Expr], v: Expr) -> bool:
        """Return whether an eigenvalue is kept, or refuse one of which only some directions would be."""
        kept, gone = x in values[: self.rank], x in values[self.rank :]
        if kept and gone and x != v:
            raise NotClosed(
                f"source: rank = {self.rank} splits the directions of the eigenvalue {x}, of which none comes first. "
                "Give a covariance with distinct eigenvalues there, or another rank."
            )
        return kept

    def check_dimension(self, dimension: int) -> None:
        """Refuse a rank that leaves no noise."""
        if self.rank >= dimension:
            raise ValueError(f"rank {self.rank} in {dimension} dimensions leaves no noise. Give a rank < {dimension}.")


def _spectrum(covariance: Matrix) -> list[Expr]:
    """Return the eigenvalues, the largest first, as often as they occur."""
    if covariance.free_symbols:
        raise NotClosed(
            "source: eigenvalues in symbols have no order, so it is not known which directions are kept. "
            "Give a covariance in numbers."
        )
    return real_roots(covariance.charpoly().as_expr())[::-1]


def _projection(covariance: Matrix, x: Expr, distinct: list[Expr]) -> Matrix:
    """Return the projection onto the eigenvectors of x."""
    one = Matrix.eye(covariance.rows)
    product = one
    for other in distinct:
        if other != x:
            product = product * (covariance - other * one) / (x - other)
    return product


def _edges(value: Iterable[Iterable[int]]) -> tuple[tuple[int, int], ...]:
    edges = set()
    for edge in value:
        ends = tuple(sorted(edge))
        if len(ends) != 2 or ends[0] == ends[1] or not all(isinstance(k, int) and k >= 0 for k in ends):
            raise ValueError(f"GraphicalGaussian: {tuple(edge)} is no edge. Give pairs of coordinates, as (0, 1).")
        edges.add(ends)
    return tuple(sorted(edges))


@frozen
class GraphicalGaussian(ProjectedGaussian):
    """N(mu, K^-1) with K_ij = 0 for every pair (i, j) that is no edge of a chordal graph.

    Along a perfect elimination order the cliques C and separators B give the law in closed form:

        K = sum_C [S_C^-1] - sum_B [S_B^-1],    det S* = prod_C det S_C / prod_B det S_B,

    [.] padded with zeros. No edges are the diagonal family, all edges the full one.

    S. L. Lauritzen, Graphical models, Oxford (1996), section 5.3.

    >>> chain = MultivariateGaussian([0, 0, 0], [[4, 2, 2], [2, 4, 2], [2, 2, 4]])
    >>> GraphicalGaussian([(0, 1), (1, 2)]).divergence(chain)
    log(9/8)/2
    """

    edges: tuple[tuple[int, int], ...] = field(converter=_edges)

    def restricted(self, covariance: Matrix) -> Matrix:
        """Return K^-1."""
        d = covariance.rows
        concentration = Matrix.zeros(d, d)
        for sign, members in self.pieces(d):
            inverse = covariance.extract(members, members).inv()
            for (a, i), (b, j) in ((p, q) for p in enumerate(members) for q in enumerate(members)):
                concentration[i, j] += sign * inverse[a, b]
        return concentration.inv()

    def pieces(self, dimension: int) -> list[tuple[int, list[int]]]:
        """Return +1 with every v and its later neighbours, and -1 with these neighbours alone, for a perfect order."""
        self.check_dimension(dimension)
        around = {k: {j for edge in self.edges if k in edge for j in edge if j != k} for k in range(dimension)}
        found: list[tuple[int, list[int]]] = []
        while around:
            vertex = next((k for k, near in around.items() if self._complete(near)), None)
            if vertex is None:
                raise NotClosed(
                    f"family: the graph {list(self.edges)} has a cycle without a chord, whose law has no closed form. "
                    "Add a chord."
                )
            near = around.pop(vertex)
            found += [(1, sorted({vertex, *near})), *([(-1, sorted(near))] if near else [])]
            for k in near:
                around[k].discard(vertex)
        return found

    def _complete(self, members: Iterable[int]) -> bool:
        return all(tuple(sorted(pair)) in self.edges for pair in combinations(members, 2))

    def check_dimension(self, dimension: int) -> None:
        """Refuse an edge to a coordinate that does not exist."""
        if beyond := [edge for edge in self.edges if max(edge) >= dimension]:
            raise ValueError(f"edge {beyond[0]} ends outside the {dimension} coordinates. Count them from 0.")
