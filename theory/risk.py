"""`risk`: how far model n is from the source, as an exact expectation over runs."""

from typing import Literal

from attrs import frozen
from sympy import Expr, Rational, log

from theory.certificate import Certificate
from theory.errors import NotClosed
from theory.expect import Expectation, expect
from theory.families.diagonal import DiagonalGaussian
from theory.families.gaussian import Gaussian
from theory.families.multivariate import MultivariateGaussian
from theory.loop import Loop

Metric = Literal["kl_source_model", "kl_model_source"]


@frozen(eq=False)
class Risk:
    """E metric(source, model n) = ``projection`` (paid once, for a family too narrow) + E within the family."""

    projection: Expr
    within: Expectation

    @property
    def expression(self) -> Expr:
        """The closed form in n, for n >= 1 where the projection is not 0."""
        return self.projection + self.within.expression

    @property
    def certificate(self) -> tuple[Certificate, ...]:
        """The inductions for the part within the family."""
        return self.within.certificate

    def values(self, generations: int) -> list[Expr]:
        """Return the exact risk at generations 1 .. ``generations``, and 0 at generation 0, the source itself."""
        return [self.within.values(0)[0], *(self.projection + value for value in self.within.values(generations)[1:])]


def risk(loop: Loop, metric: Metric = "kl_source_model") -> Risk:
    """Return the expected Kullback-Leibler divergence between the source and model n, in nats.

    Args:
        loop: a Gaussian, multivariate or diagonal Gaussian loop.
        metric: "kl_source_model" is KL(source || model n), "kl_model_source" the other direction.

    Raises:
        NotClosed: a family without one here, or moments of 1/V that do not exist or close.

    >>> from sympy import oo
    >>> from theory import MultivariateGaussian
    >>> correlated = MultivariateGaussian([0, 0], [[1, Rational(1, 2)], [Rational(1, 2), 1]])
    >>> risk(Loop(DiagonalGaussian(), source=correlated, samples=oo)).expression
    -log(3/4)/2
    """
    family = loop.law
    if metric not in _DENSITIES:
        raise ValueError(f"metric = {metric!r} is not known. Choose one of {', '.join(_DENSITIES)}.")
    if loop.source is not None and metric == "kl_model_source":
        raise NotClosed(
            "source: KL(model || source) outside the family has no additive projection. Ask kl_source_model."
        )
    observable = _observable(family, metric)
    return Risk(family.divergence(loop.source or family), expect(loop, observable))


def _observable(family: object, metric: str) -> Expr:
    density = _DENSITIES[metric]
    if isinstance(family, Gaussian):
        return density(family.mu, family.V, family.mu0, family.V0)
    if isinstance(family, DiagonalGaussian):
        coordinates = range(family.dimension)
        return sum(density(family.mu[k], family.V[k], family.mean[k], family.variances[k]) for k in coordinates)
    if isinstance(family, MultivariateGaussian):
        return family.divergence_to_model() if metric == "kl_source_model" else family.divergence_from_model()
    raise NotClosed(f"family: {type(family).__name__} has no divergence in closed form here. Ask simulate(loop).")


def _kl_source_model(mu: Expr, V: Expr, mu0: Expr, V0: Expr) -> Expr:
    """KL(N(mu0, V0) || N(mu, V)) = ((V0 + (mu - mu0)^2)/V - 1 + log V - log V0)/2."""
    return Rational(1, 2) * ((V0 + (mu - mu0) ** 2) / V - 1 + log(V) - log(V0))


def _kl_model_source(mu: Expr, V: Expr, mu0: Expr, V0: Expr) -> Expr:
    """KL(N(mu, V) || N(mu0, V0)), the same with the two exchanged."""
    return _kl_source_model(mu0, V0, mu, V)


_DENSITIES = {"kl_source_model": _kl_source_model, "kl_model_source": _kl_model_source}
