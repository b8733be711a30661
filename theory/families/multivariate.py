"""The Gaussian family N(mu, Sigma) in d dimensions, with mean and covariance matrix both fitted.

A refit is linear in a Wishart matrix, so moments of traces close degree by degree in any dimension; one direction alone
is the one-dimensional loop, and is handed over to it. The moments themselves are taken in `theory.wishart`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Self

from attrs import evolve, field, frozen
from sympy import (
    Add,
    Determinant,
    E,
    Expr,
    ImmutableMatrix,
    IndexedBase,
    Integer,
    MatrixSymbol,
    Poly,
    Rational,
    S,
    Symbol,
    Trace,
    log,
    pi,
    sqrt,
)

from theory import symbols
from theory.errors import NotClosed
from theory.exact import sequence
from theory.families.arrays import Values, covariance_matrix, means, whole_dimension
from theory.families.base import Derivable, Family, Marginal, Parameters
from theory.families.direction import Direction, direction, squared_length
from theory.families.matrix_refit import COVARIANCE, DELTA, LINE, SOURCE_COVARIANCE, MatrixRefit
from theory.innovations import Law
from theory.invariants import (
    CENTRE,
    DETERMINANTS,
    MODEL,
    MU,
    MU0,
    SHIFT,
    SIGMA,
    SIGMA0,
    SOURCE,
    Array,
    Letter,
    letters_in,
    written,
)
from theory.networks import IDENTITY, Atom, form
from theory.reach import changing, reachable
from theory.reader import Reader
from theory.sampling import Sampling
from theory.wishart import Draw, Sample


@frozen
class MultivariateGaussian(MatrixRefit):
    """N(mu, Sigma) with source N(mu0, Sigma0), in d dimensions.

    Args:
        mean: d exact numbers; left out with the covariance, the source stays in symbols.
        covariance: d rows of d exact numbers, symmetric positive definite.
        dimension: d of a source in symbols, a number or a symbol.

    Observables are SymPy expressions in the matrix `Sigma` and the column `mu`: ``Trace(Sigma**2)``,
    ``log(Determinant(Sigma))``, ``Trace(A * Sigma.I)``, ``Sigma[0, 1]``, ``mu[0]``; the spread along a direction is
    `along(v)`. A matrix symbol A stands for a symmetric matrix.

    >>> MultivariateGaussian([0, 1], [[2, 1], [1, 2]]).dimension
    2
    """

    mu: ClassVar[MatrixSymbol] = MU
    Sigma: ClassVar[MatrixSymbol] = SIGMA
    mu0: ClassVar[MatrixSymbol] = MU0
    Sigma0: ClassVar[MatrixSymbol] = SIGMA0
    has_variance = True
    normal = True
    scales: ClassVar[tuple[Expr, ...]] = (Array(MODEL),)

    mean: tuple[Expr, ...] | None = field(default=None, converter=means)
    covariance: ImmutableMatrix | None = field(default=None, converter=covariance_matrix)
    dimension: Expr = field(default=symbols.d, converter=whole_dimension, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse shapes that do not fit, and count the dimension."""
        if self.mean is None and self.covariance is None:
            return
        size = 0 if self.mean is None else len(self.mean)
        rows = 0 if self.covariance is None else self.covariance.rows
        if size != rows:
            raise ValueError(
                f"MultivariateGaussian: {size} means and a covariance of {rows} rows. Give as many means as rows."
            )
        object.__setattr__(self, "dimension", Integer(size))

    @staticmethod
    def along(direction: Iterable[object]) -> Expr:
        """Return v'Sigma v, the variance of v'x under the model: for itself the loop of one dimension.

        >>> MultivariateGaussian.along([1, 1])
        Trace(Matrix([
        [1, 1],
        [1, 1]])*Sigma)
        """
        v = ImmutableMatrix(sequence(direction, "direction"))
        return Trace(v * v.T * SIGMA)

    def divergence_to_model(self) -> Expr:
        """Return KL(source || model) as an observable.

        (tr(Sigma0 Sigma^-1) + (mu - mu0)' Sigma^-1 (mu - mu0) - d + log det Sigma - log det Sigma0)/2.
        """
        quadratic = Trace((MU - MU0).T * SIGMA.I * (MU - MU0))
        logs = log(Determinant(SIGMA)) - log(Determinant(SIGMA0))
        return Rational(1, 2) * (Trace(SIGMA.I * SIGMA0) + quadratic - self.dimension + logs)

    def divergence_from_model(self) -> Expr:
        """Return KL(model || source) as an observable, the same with the two exchanged."""
        quadratic = Trace((MU - MU0).T * SIGMA0.I * (MU - MU0))
        logs = log(Determinant(SIGMA0)) - log(Determinant(SIGMA))
        return Rational(1, 2) * (Trace(SIGMA * SIGMA0.I) + quadratic - self.dimension + logs)

    def entropy(self) -> Expr:
        """Return the differential entropy (d log(2 pi) + d + log det Sigma)/2 of the model as an observable."""
        return Rational(1, 2) * (self.dimension * (log(2 * pi) + 1) + log(Determinant(SIGMA)))

    def cross_entropy(self) -> Expr:
        """Return the expected negative log-likelihood of a point of the source under the model as an observable.

        (d log(2 pi) + log det Sigma + tr(Sigma0 Sigma^-1) + (mu - mu0)' Sigma^-1 (mu - mu0))/2.
        """
        quadratic = Trace((MU - MU0).T * SIGMA.I * (MU - MU0))
        constant = self.dimension * log(2 * pi) + log(Determinant(SIGMA))
        return Rational(1, 2) * (constant + Trace(SIGMA.I * SIGMA0) + quadratic)

    def source(self) -> Parameters:
        """Return the means and the entries of the covariance; of a source in symbols nothing."""
        if self.mean is None or self.covariance is None:
            return {}
        return dict(_entries(self.mean, self.covariance))

    @property
    def free_symbols(self) -> set[Symbol]:
        """The symbols in the source's values, and in the dimension."""
        return Derivable.free_symbols.fget(self) | self.dimension.free_symbols  # type: ignore[attr-defined]

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the law with values put into its entries and its dimension."""
        if self.mean is None or self.covariance is None:
            return evolve(self, dimension=self.dimension.subs(values))
        return type(self)([m.subs(values) for m in self.mean], self.covariance.subs(values))

    def assumptions(self) -> tuple[str, ...]:
        """Return what Wishart's theorem needs."""
        return (
            "the source is Gaussian, with a positive definite covariance",
            "points of a generation are independent",
            "at least two points are fitted",
        )

    def marginals(self, observable: Expr) -> tuple[Marginal, ...]:
        """Split off what lies along one direction, a Gaussian loop of its own, from the rest."""
        pieces: dict[Atom | None, list[Expr]] = {}
        constants: list[Expr] = []
        for term in Add.make_args(self._read(observable)):
            varies = any(x.of_model for x in letters_in(term))
            (pieces.setdefault(direction(term), []) if varies else constants).append(term)
        if not pieces:
            return (Marginal(self, Add(*constants), self._written, self._written),)
        next(iter(pieces.values())).extend(constants)
        return tuple(self._piece(along, Add(*terms)) for along, terms in pieces.items())

    def _read(self, observable: Expr) -> Expr:
        """Return the observable in letters of the model and values of the source, expanded."""
        read = Reader(self._centred)(observable)
        if foreign := {x.name for x in read.free_symbols} & {"V", "mu", "Sigma"}:
            raise NotClosed(
                f"family: {type(self).__name__} has no number {min(foreign)}: it fits a matrix and a column. "
                "Ask for Sigma[i, j], mu[i] or a trace."
            )
        constants = {x: self.value(x.component) for x in letters_in(read) if not x.of_model}
        return read.xreplace(constants).expand()

    @property
    def _centred(self) -> bool:
        return self.mean is not None and not any(self.mean)

    def _written(self, expr: Expr) -> Expr:
        """Return an expression with its letters written out and the source's arrays put in."""
        arrays = {SIGMA0: self.covariance, MU0: None if self.mean is None else ImmutableMatrix(self.mean)}
        return written(expr).xreplace({x: array for x, array in arrays.items() if array is not None})

    def _piece(self, along: Atom | None, observable: Expr) -> Marginal:
        if along is None:
            return Marginal(self, observable, self._written, self._written)
        square = squared_length(along)
        mean, variance = self._centre(along) / sqrt(square), self.value(form(along, (SOURCE,), along)) / square
        spread, shift = Letter(form(along, (MODEL,), along)), Letter(form(along, (), SHIFT))
        names = {spread: square * symbols.V, shift: sqrt(square) * (symbols.mu - mean)}
        back = {symbols.V: spread / square, symbols.mu: shift / sqrt(square) + mean}
        return Marginal(
            Direction(mean, variance),
            observable.xreplace(names).expand(),
            self._written,
            lambda expression: self._written(expression.xreplace(back)),
        )

    def _centre(self, along: Atom) -> Expr:
        """Return v'mu0."""
        return S.Zero if self._centred else self.value(form(along, (), CENTRE))

    def state(self, observable: Expr) -> tuple[Letter, ...]:
        """Return every letter that a refit can reach from those of the observable."""
        own = {x for x in letters_in(observable) if x.of_model}
        reached = {Letter(c) for term in Add.make_args(observable.expand()) for c in reachable(changing(term))}
        return tuple(sorted(own | reached, key=lambda x: (x.component in DETERMINANTS, x.name)))

    def start(self, state: Iterable[Expr]) -> Parameters:
        """Return the source's values of the given letters, and of the parameters."""
        letters = {x: self.value.at_source(x.component) for x in state if isinstance(x, Letter)}
        return letters | {DELTA: S.Zero, COVARIANCE: SOURCE_COVARIANCE}

    @cached_property
    def value(self) -> Values:
        """What gives components their letters and numbers."""
        return Values(self.mean, self.covariance, self.dimension)

    def differential_entropy(self) -> Expr:
        """Return (d log(2 pi e) + log det Sigma0)/2."""
        if self.covariance is None:
            return Derivable.differential_entropy(self)
        return (self.dimension * log(2 * pi * E) + log(self.covariance.det())) / 2

    def drawn_as(self, sampling: Sampling) -> Family:
        """Return N(mu0, tau Sigma0) for tempered sampling."""
        factor = LINE.distorted({symbols.mu: S.Zero, symbols.V: S.One}, sampling)[symbols.V]
        if factor == 1 or self.mean is None or self.covariance is None:
            return self if factor == 1 else Derivable.drawn_as(self, sampling)
        return type(self)(self.mean, factor * self.covariance)

    def completed(
        self, fitted: Parameters, laws: tuple[Law, ...], state: Sequence[Expr]
    ) -> tuple[Parameters, tuple[Law, ...]]:
        """Return the letters of the fitted model, with their joint law; a single term has its factor taken out."""
        letters = tuple(x for x in state if isinstance(x, Letter))
        draws = tuple(law for law in laws if isinstance(law, Draw))
        mean, covariance = (_terms(fitted[x]) for x in (DELTA, COVARIANCE))
        scale = next(iter(covariance.values())) if len(covariance) == 1 else S.One
        covariance = {piece: S.One if len(covariance) == 1 else weight for piece, weight in covariance.items()}
        vectors = {u: weight for (u,), weight in mean.items()}
        sample = Sample(letters, draws, vectors, covariance, self.dimension, self.value)
        powers = [self.dimension if x.component in DETERMINANTS else x.degree for x in letters]
        return {x: scale**k * value for x, k, value in zip(letters, powers, sample.values, strict=True)}, (sample,)


def _terms(expr: Expr) -> dict[tuple[Atom, ...], Expr]:
    """Return a polynomial in symbols of matrices and vectors as weights by term: two names are a dyad, none is 1."""
    names = sorted((s for s in expr.free_symbols if isinstance(s, Array)), key=str)
    terms: dict[tuple[Atom, ...], Expr] = {}
    for powers, weight in Poly(expr, *names).terms() if names else []:
        atoms = tuple(s.atom for s, power in zip(names, powers, strict=True) for _ in range(power))
        terms[atoms or (IDENTITY,)] = weight
    return terms


@lru_cache(maxsize=16)
def _entries(means: tuple[Expr, ...], covariance: ImmutableMatrix) -> tuple[tuple[Expr, Expr], ...]:
    """Return entries with their values; thousands of them take SymPy longer to name than a run takes to draw."""
    mean, cov, d = IndexedBase("mu"), IndexedBase("Sigma"), range(len(means))
    return *((mean[k], means[k]) for k in d), *((cov[k, m], covariance[k, m]) for k in d for m in d)
