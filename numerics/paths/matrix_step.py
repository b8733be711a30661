"""The step of a multivariate Gaussian loop, left in matrices: what `theory.step` says before any trace is taken.

A refit is linear in Wishart matrices and quadratic in the vectors of its means, whatever regime, estimator and sampling
make of it. Here is that polynomial, taken apart: matrices with their weights, and squares of vectors with theirs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from sympy import Expr, Poly, S, Symbol, cancel

from theory import symbols
from theory.errors import NotClosed
from theory.families import Gaussian, MultivariateGaussian
from theory.families.base import Batch, Parameters
from theory.innovations import Law, Multinomial
from theory.invariants import MODEL, SHIFT, Array
from theory.loop import Loop
from theory.networks import IDENTITY, Atom
from theory.sampling import Sampling
from theory.step import Step, step

DELTA, SIGMA = Array(SHIFT), Array(MODEL)
"""mu - mu0 and Sigma, the state of a chain."""
COUNT = Symbol("count_real", integer=True, nonnegative=True)
"""How many points of a mixture are real."""

_LINE = Gaussian()
"""The family of one dimension, whose formulas hold with matrices for variances and dyads for squares."""

Vector = Mapping[Atom, Expr]
"""A combination of vectors, by weight."""


@frozen
class Posterior(Law):
    """A covariance B B' and a mean's error B z/sqrt(m), (B B')^-1 ~ Wishart(m - 1, scatter^-1): the posterior given a
    scatter matrix, of the prior det(Sigma)^(-(d + 1)/2).
    """

    eps: Array
    covariance: Array
    size: Expr
    scatter: Expr

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The error of the mean and the covariance."""
        return self.eps, self.covariance

    def means(self) -> tuple[Expr, ...]:
        """Refuse: only draws are asked of it."""
        raise NotClosed("estimator: the mean of a posterior draw is not derived here. Ask simulate(loop).")

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Refuse: only draws are asked of it."""
        del powers, logs
        raise NotClosed("estimator: moments of a posterior draw are not derived here. Ask simulate(loop).")


@frozen
class Matrices(MultivariateGaussian):
    """The multivariate family with the step of its matrices, not of numbers made of them."""

    def state(self, observable: Expr) -> tuple[Any, ...]:
        """Return mu - mu0 and Sigma."""
        del observable
        return DELTA, SIGMA

    def completed(
        self, fitted: Parameters, laws: tuple[Law, ...], state: Sequence[Expr]
    ) -> tuple[Parameters, tuple[Law, ...]]:
        """Return the matrices as they are."""
        del state
        return fitted, laws

    def mixture(self, source: Parameters, model: Parameters, share: Expr, size: Expr, sampling: Sampling) -> Batch:
        """Return points of which a binomial number is real: given the number they are two samples."""
        count = Multinomial((COUNT,), size, (share,))
        real = self.batch(source, COUNT, "real")
        drawn = self.batch(self.distorted(model, sampling), size - COUNT, "model")
        pooled = self.pool(real, drawn)
        return Batch(size, pooled.statistics, (count, *pooled.laws))

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return a draw of mean and covariance."""
        del state
        mean, scatter = batch.statistics
        eps, covariance = Array(Atom("eps_draw")), Array(Atom("Sigma_draw"))
        law = Posterior(eps, covariance, batch.size, scatter)
        return {DELTA: mean + eps, SIGMA: covariance}, (law,)

    def remembered(self, batch: Batch, label: str, state: Sequence[Expr]) -> Parameters:
        """Return the mean and the scatter."""
        del state
        return dict(zip(_memory(label), batch.statistics, strict=True))

    def recalled(self, size: Expr, label: str, state: Sequence[Expr]) -> Batch:
        """Return the batch that has the remembered mean and scatter."""
        del state
        return Batch(size, _memory(label))


def _memory(label: str) -> tuple[Array, Array]:
    return Array(Atom(f"x_{label}")), Array(Atom(f"S_{label}"))


def matrix_steps(loop: Loop) -> tuple[Step, Step]:
    """Return the first fit and fit n, in arrays, for a loop of one size of dimension, its source in symbols.

    >>> first, later = matrix_steps(Loop(MultivariateGaussian()))
    >>> later.update[SIGMA]
    W_model/M
    """
    family = Matrices()
    plain = evolve(loop, family=family, source=None)
    return step(plain, family, (DELTA, SIGMA), S.One), step(plain, family, (DELTA, SIGMA), symbols.n)


def is_vector(letter: Array) -> bool:
    """Return whether a letter of the state is a vector, a mean."""
    return letter == DELTA or letter.name.startswith("x_")


# A polynomial taken apart --------------------------------------------------------------------------------------------


@frozen
class Combination:
    """sum of weight * matrix + sum of weight * vector vector'."""

    matrices: Mapping[Atom, Expr]
    squares: tuple[tuple[Expr, Vector], ...]


def vector(expr: Expr) -> dict[Atom, Expr]:
    """Return a linear expression in vectors as their weights."""
    return {atoms[0]: weight for atoms, weight in _terms(expr).items()}


def combination(expr: Expr) -> Combination:
    """Return an expression linear in matrices and quadratic in vectors, its squares completed."""
    terms = _terms(expr)
    matrices = {atoms[0]: weight for atoms, weight in terms.items() if len(atoms) == 1}
    dyads = {atoms: weight for atoms, weight in terms.items() if len(atoms) == 2}
    return Combination(matrices, tuple(_squares(dyads)))


def _terms(expr: Expr) -> dict[tuple[Atom, ...], Expr]:
    """Return a polynomial in arrays as weights by term: two names are a dyad, none is the identity."""
    names = sorted((x for x in expr.free_symbols if isinstance(x, Array)), key=str)
    if not names:
        return {} if expr == 0 else {(IDENTITY,): expr}
    terms: dict[tuple[Atom, ...], Expr] = {}
    for powers, weight in Poly(expr, *names).terms():
        atoms = tuple(x.atom for x, power in zip(names, powers, strict=True) for _ in range(power))
        if (weight := cancel(weight)) != 0:
            terms[atoms or (IDENTITY,)] = weight
    return terms


def _squares(dyads: Mapping[tuple[Atom, ...], Expr]) -> list[tuple[Expr, Vector]]:
    """Return a quadratic form as a sum of squares, one vector completed after the other (Lagrange)."""
    left = dict(dyads)
    squares: list[tuple[Expr, Vector]] = []
    while left:
        u = next((u for u, v in left if u == v), None)
        if u is None:
            raise NotClosed("regime or estimator: the fit is no sum of squares of means. Ask for method='data'.")
        weight = left[u, u]
        square = {u: S.One} | {_other(pair, u): cancel(w / weight / 2) for pair, w in left.items() if _crosses(pair, u)}
        squares.append((weight, square))
        left = _reduced(left, weight, square)
    return squares


def _crosses(pair: tuple[Atom, ...], u: Atom) -> bool:
    return u in pair and pair[0] != pair[1]


def _other(pair: tuple[Atom, ...], u: Atom) -> Atom:
    return pair[1] if pair[0] == u else pair[0]


def _reduced(form: Mapping[tuple[Atom, ...], Expr], weight: Expr, square: Vector) -> dict[tuple[Atom, ...], Expr]:
    """Return the form less weight * square^2."""
    left = dict(form)
    atoms = list(square)
    for at, u in enumerate(atoms):
        for v in atoms[at:]:
            pair = (u, v) if (u, v) in left or (v, u) not in left else (v, u)
            times = weight * square[u] * square[v] * (1 if u == v else 2)
            left[pair] = cancel(left.get(pair, S.Zero) - times)
    return {pair: w for pair, w in left.items() if w != 0}
