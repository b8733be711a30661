"""One direction of a multivariate Gaussian: v'Sigma v and v'mu are a Gaussian loop of one dimension by themselves.

Its points are projections, so whatever treats all directions alike in d dimensions treats this one as `Gaussian` does.
What knows the dimension (a posterior, a cut, a step on a logarithm) is refused.
"""

from collections.abc import Sequence

from attrs import frozen
from sympy import Expr, ImmutableMatrix, S

from theory.errors import NotClosed
from theory.families.base import Batch, Parameters
from theory.families.gaussian import Gaussian
from theory.innovations import Law
from theory.invariants import MODEL, SHIFT, Letter
from theory.networks import Atom, Component
from theory.sampling import Sampling


@frozen
class Direction(Gaussian):
    """N(u'mu, u'Sigma u) along a unit vector u."""

    def drawn(self, law: Parameters, sampling: Sampling, size: Expr, fitted: Expr | None) -> Batch:
        """Return the sample of a rescaled Gaussian; a cut and a posterior predictive law know the dimension."""
        if fitted is not None:
            raise _unknown("estimator", "the posterior predictive law")
        return self.batch(self.distorted(law, sampling), size, "model")

    def log_step(self, batch: Batch, model: Parameters, eta: Expr) -> tuple[Parameters, tuple[Law, ...]]:
        """Refuse: the logarithm of a matrix has other steps than the logarithm of its entry."""
        del batch, model, eta
        raise _unknown("estimator", "a gradient step on log V")

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Refuse: the posterior of a matrix knows the dimension."""
        del batch, state
        raise _unknown("estimator", "a posterior draw")


def _unknown(axis: str, what: str) -> NotClosed:
    return NotClosed(
        f"{axis}: {what} is not that of one dimension in a multivariate Gaussian. "
        "Ask for a Gaussian loop, or for another procedure."
    )


def direction(term: Expr) -> Atom | None:
    """Return v where a term is made of v'Sigma v and v'(mu - mu0) alone, for one known v."""
    letters = [x for x in term.free_symbols if isinstance(x, Letter) and x.of_model]
    vectors = {_along(x.component) for x in letters}
    return vectors.pop() if len(vectors) == 1 else None


def _along(component: Component) -> Atom | None:
    fixed = [atom for atom in component.ends if atom != SHIFT]
    if len(set(fixed)) != 1 or (component.word, len(fixed)) not in (((MODEL,), 2), ((), 1)):
        return None
    return fixed[0] if fixed[0].role == "unit" or isinstance(fixed[0].value, ImmutableMatrix) else None


def squared_length(v: Atom) -> Expr:
    """Return v'v."""
    return S.One if v.role == "unit" else (v.value.T * v.value)[0, 0]
