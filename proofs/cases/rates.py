"""How fast the error of finite samples vanishes: leading terms of closed forms as M grows, held to simulation."""

from typing import Any

from attrs import evolve, frozen
from sympy import Expr, Order, Rational, oo

from proofs.cases.case import Case
from theory import (
    Bernoulli,
    Categorical,
    Exponential,
    Gaussian,
    LinearRegression,
    Loop,
    M,
    Mixed,
    MultivariateGaussian,
    Unbiased,
    Uniform,
)
from theory.certificate import Certificate

MARGIN = 3
"""With the next order a/M after the leading term, x(M)/lead(M) and x(2 M)/lead(2 M) differ by a/(2 M): twice that is
what is left out at M, and three times covers the order after it too.
"""


@frozen
class Rate(Case):
    """A row for a rate: the leading term as M grows, held to a simulation at the case's own M.

    What is left out at this M is bounded by the exact value at M and at 2 M, so that a leading term of a wrong order or
    with a wrong factor is no smaller for it.
    """

    def exact(self) -> float:
        """Return the leading term at the case's own M."""
        return self.leading_at(self.at["M"])

    def off(self) -> float:
        """Return what the leading term leaves out at most."""
        size = self.at["M"]
        near, far = (self.exact_at(m) / self.leading_at(m) for m in (size, 2 * size))
        return MARGIN * abs(near - far) * abs(self.leading_at(size))

    def formula(self) -> tuple[Expr, tuple[Certificate, ...]]:
        """Return the leading term with the order of what it leaves out, and the certificates of the closed form."""
        answer = self.answer(self.declare())
        leading = answer.leading(M)
        return leading.term + Order(leading.remainder, (M, oo)), answer.certificate

    def exact_at(self, size: int) -> float:
        """Return the exact value at M = size."""
        return Case.exact(evolve(self, at={**self.at, "M": size}))

    def leading_at(self, size: int) -> float:
        """Return the leading term at M = size."""
        term = self.answer(self.declare()).leading(M).term
        values = {**self.at, "M": size, "n": self.generations}
        return float(term.subs({x: values[x.name] for x in term.free_symbols}))


def _rate(title: str, loop: Loop, of: Any, samples: int, effort: float = 1.0) -> Rate:
    return Rate(f"rate: {title}", "statistical", lambda: loop, of, {"M": samples}, effort=effort)


def cases() -> list[Case]:
    """Return the rows."""
    line, half, quarter = Gaussian(0, 1), Rational(1, 2), Rational(1, 4)
    plane = MultivariateGaussian([0, 0], [[1, Rational(3, 5)], [Rational(3, 5), 1]])
    mixed, of_w = Loop(line, estimator=Unbiased(), regime=Mixed(quarter)), LinearRegression
    return [
        _rate("variance lost", Loop(line), 1 - Gaussian.V, 40, effort=10),
        _rate("variance of the mean", Loop(line), Gaussian.mu**2, 100),
        _rate("variance of the mean, mixed", mixed, Gaussian.mu**2, 100),
        _rate("W2", Loop(line), "w2", 200),
        _rate("KL(source || model)", Loop(line), "kl_source_model", 400),
        _rate("KL(model || source)", Loop(line), "kl_model_source", 200),
        _rate("KL(source || model) in the plane", Loop(plane), "kl_source_model", 400),
        _rate("Bernoulli, spread lost", Loop(Bernoulli(half)), quarter - Bernoulli.p * (1 - Bernoulli.p), 100),
        _rate("Categorical, collisions gained", Loop(Categorical([quarter] * 4)), Categorical.collision - quarter, 100),
        _rate("Exponential, error of the mean", Loop(Exponential(1)), (Exponential.mean - 1) ** 2, 100),
        _rate("Uniform, width lost", Loop(Uniform(1)), 1 - Uniform.theta, 80),
        _rate(
            "least squares",
            Loop(LinearRegression(dimension=3, noise=1, w0=1)),
            of_w.squares - 2 * of_w.w + 1,
            160,
        ),
    ]
