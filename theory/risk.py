"""`risk`: how far model n is from the source, as an exact expectation over runs."""

from functools import cached_property
from typing import Any, Literal

from attrs import evolve, frozen
from sympy import Expr, Matrix, Rational, S, Symbol, log, pi, sqrt

from theory.asymptotics import Leading, leading
from theory.certificate import Certificate
from theory.combination import Combined, variance
from theory.errors import NotClosed
from theory.expect import Expectation, expect
from theory.families.base import Family
from theory.families.diagonal import DiagonalGaussian, numbers
from theory.families.gaussian import Gaussian
from theory.families.located import LocationScale
from theory.families.multivariate import MultivariateGaussian
from theory.geometric import collected
from theory.latex import latex
from theory.loop import Loop

Metric = Literal["kl_source_model", "kl_model_source", "w2", "nll", "entropy"]


@frozen(eq=False)
class Risk:
    """E metric(source, model n) = ``projection`` (paid once, for a family too narrow) + E within the family.

    Prints as LaTeX. The value is the mean over runs; ``variance`` says how far one run may lie from it.
    """

    metric: Metric
    projection: Expr
    within: Expectation

    @cached_property
    def expression(self) -> Expr:
        """The closed form in n, for n >= 1 where the projection is not 0."""
        return self.projection + self.within.expression

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What must hold for the symbols."""
        return self.within.conditions

    @property
    def certificate(self) -> tuple[Certificate, ...]:
        """The inductions for the part within the family."""
        return self.within.certificate

    @cached_property
    def variance(self) -> Combined:
        """The variance over runs of metric(source, model n); raises `NotClosed` where its second moment does not close
        or exist.
        """
        name = rf"\operatorname{{Var}}\left[{_NAMES[self.metric]}\right]"
        return evolve(variance(self.within.loop, self.within.observable), name=name)

    def values(self, generations: int) -> list[Expr]:
        """Return the exact risk at generations 0, 1, ..., ``generations``; generation 0 is the source itself."""
        return [self._of_source(), *(self.projection + value for value in self.within.values(generations)[1:])]

    def _of_source(self) -> Expr:
        """Return the metric between the source and itself."""
        if self.metric in DISTANCES:
            return S.Zero
        loop = self.within.loop
        return self.within.values(0)[0] if loop.source is None else loop.source.differential_entropy()

    def at(self, **values: Any) -> Any:
        """Return the risk with exact values put in by name; with ``n`` given, its exact value there."""
        generation = values.pop("n", None)
        special = risk(self.within.loop.at(**values), self.metric) if values else self
        if generation is None:
            return special
        later = special.within.values(int(generation))[1:]
        return special.projection + later[-1] if later else special.values(0)[0]

    def limit(self) -> Expr:
        """Return the limit as n grows, or raise `NoClosedForm` as `Expectation.limit` does."""
        return self.projection + self.within.limit()

    def leading(self, symbol: Symbol) -> Leading:
        """Return the leading term as ``symbol`` (n, M, ...) grows, every other symbol fixed."""
        return self.within.leading(symbol) if self.projection == 0 else leading(self.expression, symbol)

    def _repr_latex_(self) -> str:
        return rf"$\mathbb{{E}}\left[{_NAMES[self.metric]}\right] = {latex(collected(self.expression))}$"


def risk(loop: Loop, metric: Metric = "kl_source_model") -> Risk:
    """Return the expected distance between the source and model n, over runs.

    Args:
        loop: a Gaussian, multivariate or diagonal Gaussian loop.
        metric: "kl_source_model" is KL(source || model n) and "kl_model_source" the other direction, in nats;
            "w2" the squared Wasserstein distance W_2^2(source, model n); "nll" the expected negative log-likelihood of
            a real point under model n, entropy(source) + KL(source || model n); "entropy" the differential entropy of
            model n.

    Raises:
        NotClosed: a family without one here, or moments that do not exist or close.

    >>> from sympy import oo
    >>> from theory import M, MultivariateGaussian
    >>> correlated = MultivariateGaussian([0, 0], [[1, Rational(1, 2)], [Rational(1, 2), 1]])
    >>> risk(Loop(DiagonalGaussian(), source=correlated, samples=oo)).expression
    -log(3/4)/2
    >>> print(risk(Loop(Gaussian()), "w2").leading(M))
    3*V0*n/(2*M) + O(M**(-2))
    """
    family = loop.law
    if metric not in _DENSITIES:
        raise ValueError(f"metric = {metric!r} is not known. Choose one of {', '.join(_DENSITIES)}.")
    if loop.source is not None and metric in _BACKWARD:
        return Risk(metric, S.Zero, expect(loop, _backward(family, loop.source, metric)))
    # A cross-entropy is that of the projection, and so is the entropy of a model: only a divergence has a part more.
    projection = family.divergence(loop.source or family) if metric in DISTANCES else S.Zero
    return Risk(metric, projection, expect(loop, _observable(family, metric)))


def _observable(family: object, metric: str) -> Expr:
    density = _DENSITIES[metric]
    if isinstance(family, Gaussian):
        return density(family.mu, family.V, family.mu0, family.V0)
    if isinstance(family, DiagonalGaussian):
        coordinates = range(family.dimension)
        return sum(density(family.mu[k], family.V[k], family.mean[k], family.variances[k]) for k in coordinates)
    if isinstance(family, MultivariateGaussian):
        return _multivariate(family, metric)
    if isinstance(family, LocationScale):
        return family.distance(metric)
    raise NotClosed(f"family: {type(family).__name__} has no divergence in closed form here. Ask simulate(loop).")


def _backward(family: Family, source: Family, metric: str) -> Expr:
    """Return KL(diagonal model || N(mu0, S)) = (sum_ij P_ij d_i d_j + sum_i P_ii V_i - d + log det S
    - sum_i log V_i)/2, P = S^-1 and d = mu - mu0; no projection splits off it.
    """
    if metric == "w2" or not (isinstance(family, DiagonalGaussian) and isinstance(source, MultivariateGaussian)):
        raise NotClosed(
            f"source: {_BACKWARD[metric]} a {type(source).__name__} source outside the family has no closed moments. "
            "Ask kl_source_model or nll, or simulate(loop)."
        )
    _, covariance = numbers(source)
    precision, coordinates = covariance.inv(), range(family.dimension)
    shift = Matrix([family.mu[k] - family.mean[k] for k in coordinates])
    squares = (shift.T * precision * shift)[0] + sum(precision[k, k] * family.V[k] for k in coordinates)
    logs = log(covariance.det()) - sum(log(family.V[k]) for k in coordinates)
    return (squares + logs - family.dimension) / 2


def _multivariate(family: MultivariateGaussian, metric: str) -> Expr:
    if metric == "w2":
        raise NotClosed(
            "family: W_2 between covariance matrices needs the root of a matrix, which has no closed moments. "
            "Ask kl_source_model, or the loop of one direction."
        )
    observables = {
        "kl_source_model": family.divergence_to_model,
        "kl_model_source": family.divergence_from_model,
        "nll": family.cross_entropy,
        "entropy": family.entropy,
    }
    return observables[metric]()


def between_normals(metric: str, mu: Expr, V: Expr, mu0: Expr, V0: Expr) -> Expr:
    """Return the metric between the source N(mu0, V0) and the model N(mu, V).

    >>> between_normals("w2", S(1), S(4), S(0), S(1))
    2
    """
    return _DENSITIES[metric](mu, V, mu0, V0)


def _kl_source_model(mu: Expr, V: Expr, mu0: Expr, V0: Expr) -> Expr:
    """KL(N(mu0, V0) || N(mu, V)) = ((V0 + (mu - mu0)^2)/V - 1 + log V - log V0)/2."""
    return Rational(1, 2) * ((V0 + (mu - mu0) ** 2) / V - 1 + log(V) - log(V0))


def _kl_model_source(mu: Expr, V: Expr, mu0: Expr, V0: Expr) -> Expr:
    """KL(N(mu, V) || N(mu0, V0)), the same with the two exchanged."""
    return _kl_source_model(mu0, V0, mu, V)


def _w2(mu: Expr, V: Expr, mu0: Expr, V0: Expr) -> Expr:
    """W_2^2(N(mu0, V0), N(mu, V)) = (mu - mu0)^2 + (sqrt V - sqrt V0)^2."""
    return (mu - mu0) ** 2 + (sqrt(V) - sqrt(V0)) ** 2


def _nll(mu: Expr, V: Expr, mu0: Expr, V0: Expr) -> Expr:
    """-E log f(x) = (log(2 pi V) + (V0 + (mu - mu0)^2)/V)/2 for x ~ N(mu0, V0) and f the density of N(mu, V)."""
    return Rational(1, 2) * (log(2 * pi) + log(V) + (V0 + (mu - mu0) ** 2) / V)


def _entropy(mu: Expr, V: Expr, mu0: Expr, V0: Expr) -> Expr:
    """h(N(mu, V)) = (log(2 pi V) + 1)/2."""
    del mu, mu0, V0
    return Rational(1, 2) * (log(2 * pi) + log(V) + 1)


_DENSITIES = {
    "kl_source_model": _kl_source_model,
    "kl_model_source": _kl_model_source,
    "w2": _w2,
    "nll": _nll,
    "entropy": _entropy,
}
_NAMES = {
    "kl_source_model": r"\mathrm{KL}(P_0 \,\|\, P_n)",
    "kl_model_source": r"\mathrm{KL}(P_n \,\|\, P_0)",
    "w2": r"W_2^2(P_0, P_n)",
    "nll": r"-\log P_n(x)",
    "entropy": r"h(P_n)",
}
_BACKWARD = {"kl_model_source": "KL(model || source) to", "w2": "the distance W2 to"}
"""Metrics that do not split into a projection and the rest where the source lies outside the family."""
DISTANCES = ("kl_source_model", "kl_model_source", "w2")
"""Metrics that are 0 between a law and itself."""
