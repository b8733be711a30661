"""A refit of mean and covariance in any dimension, written with the formulas of one dimension.

What is fitted is linear in Sigma and quadratic in mu - mu0, so that a symbol may stand for each, and the Gaussian
family's own formulas hold as they are.
"""

from abc import ABC
from collections.abc import Iterable, Sequence

from sympy import Expr

from theory import symbols
from theory.estimators import Estimator
from theory.families.base import Batch, Derivable, Parameters
from theory.families.gaussian import Gaussian
from theory.invariants import MODEL, SHIFT, SOURCE, Array
from theory.networks import Atom
from theory.sampling import Sampling
from theory.wishart import Draw

DELTA, COVARIANCE, SOURCE_COVARIANCE = Array(SHIFT), Array(MODEL), Array(SOURCE)
"""What a refit works on: mu - mu0, and the covariances of the model and the source."""
LINE = Gaussian()
"""The family of one dimension, of which the formulas are used."""


class MatrixRefit(Derivable, ABC):
    """How points of N(mu, Sigma) are drawn, pooled and fitted."""

    def model(self, state: Sequence[Expr]) -> Parameters:
        """Return delta and Sigma, of which the letters are made.

        What is fitted is linear in Sigma and quadratic in delta, so that a symbol may stand for each, delta^2 for
        delta delta' and a number for that multiple of the identity: the formulas of one dimension hold as they are.
        """
        del state
        return {DELTA: DELTA, COVARIANCE: COVARIANCE}

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return (mean, scatter) = (delta + eps, W), eps ~ N(0, Sigma/m), W ~ Wishart(m - 1, Sigma)."""
        eps, scatter = Array(Atom(f"eps_{label}")), Array(Atom(f"W_{label}"))
        scale, covariance = law[COVARIANCE].as_independent(COVARIANCE, SOURCE_COVARIANCE, as_Add=False)
        draw = Draw(eps, scatter, size, size - 1, covariance.atom, scale)
        return Batch(size, (law[DELTA] + eps, scatter), (draw,))

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the pooled mean and scatter, S_1 + S_2 + m_1 m_2/(m_1 + m_2) (x_1 - x_2)(x_1 - x_2)'."""
        return LINE.pool(one, two)

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return mu = x and Sigma = S/d(m)."""
        return _in_space(LINE.fit(batch, estimator, state))

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return x = mu and S = d(m) Sigma."""
        return LINE.unfit(_on_line(law), size, estimator)

    def weighted(self, fits: Sequence[Parameters], weights: Sequence[Expr], *, between: bool) -> Parameters:
        """Return the weighted means of the fits, with the squares between the means where ``between``."""
        return _in_space(LINE.weighted([_on_line(fit) for fit in fits], weights, between=between))

    def target(self, batch: Batch, model: Parameters, state: Sequence[Expr]) -> Parameters:
        """Return the mean and the mean square about the model's own mean."""
        return _in_space(LINE.target(batch, _on_line(model), state))

    def distorted(self, law: Parameters, sampling: Sampling) -> Parameters:
        """Return N(mu, tau Sigma) for tempered sampling."""
        return _in_space(LINE.distorted(_on_line(law), sampling))


def _on_line(law: Parameters) -> Parameters:
    return {symbols.mu: law[DELTA], symbols.V: law[COVARIANCE]}


def _in_space(law: Parameters) -> Parameters:
    return {DELTA: law[symbols.mu], COVARIANCE: law[symbols.V]}
