"""Published claims about one-parameter families: quadratic variance functions, maxima, tail indices."""

from sympy import Expr, S

from theory.catalogue.questions import Mean, Variance
from theory.catalogue.specimen import Specimen
from theory.families import (
    Binomial,
    Exponential,
    Gamma,
    HyperbolicSecant,
    NegativeBinomial,
    Pareto,
    Poisson,
    Uniform,
)
from theory.families.natural import NaturalFamily
from theory.loop import Loop
from theory.symbols import M, N, mean0, r, tail0, theta0

MORRIS = "Morris, Ann. Statist. 10, 65-80 (1982)"
DAVID = "David and Nagaraja, Order Statistics (2003)"
JOHNSON = "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1 (1994), chapter 20"
theta, tail = Uniform.theta, Pareto.alpha


def _morris(family: NaturalFamily, curvature: Expr) -> Specimen:
    """Return E V(sample mean) = V(m) (1 + v2/M) of a family with quadratic variance function."""
    source = family.variance(family.unit * family.initial).expand()
    return Specimen(
        name=f"variance function of a {type(family).__name__} mean",
        claim="where Var = V(m) = v0 + v1 m + v2 m^2, a fit has E V(m') = V(m) (1 + v2/M)",
        loop=Loop(family),
        question=Mean(family.variance_function, S.One),
        published=source * (1 + curvature / M),
        source=MORRIS,
        note=f"v2 = {curvature}; under replacement V collapses on average where v2 < 0.",
    )


SPECIMENS = (
    _morris(Poisson(), S.Zero),
    _morris(Binomial(), -1 / N),
    _morris(NegativeBinomial(), 1 / r),
    _morris(Gamma(), 1 / r),
    _morris(HyperbolicSecant(), 1 / r),
    Specimen(
        name="variance of an exponential mean",
        claim="the exponential law has V(m) = m^2, so that the mean of M points has variance m^2/M",
        loop=Loop(Exponential()),
        question=Variance(Exponential.mean, S.One),
        published=mean0**2 / M,
        source=MORRIS,
    ),
    Specimen(
        name="mean of a maximum",
        claim="the largest of M uniform points has mean M theta/(M + 1)",
        loop=Loop(Uniform()),
        question=Mean(theta, S.One),
        published=theta0 * M / (M + 1),
        source=DAVID,
        note="One fit; n of them multiply, and the support shrinks to 0.",
    ),
    Specimen(
        name="variance of a maximum",
        claim="the largest of M uniform points has variance M theta^2/((M + 1)^2 (M + 2))",
        loop=Loop(Uniform()),
        question=Variance(theta, S.One),
        published=theta0**2 * M / ((M + 1) ** 2 * (M + 2)),
        source=DAVID,
    ),
    Specimen(
        name="mean of a fitted tail index",
        claim="the maximum likelihood tail index of a Pareto law has mean M alpha/(M - 1)",
        loop=Loop(Pareto()),
        question=Mean(tail, S.One),
        published=tail0 * M / (M - 1),
        source=JOHNSON,
    ),
    Specimen(
        name="variance of a fitted tail index",
        claim="the maximum likelihood tail index of a Pareto law has variance M^2 alpha^2/((M - 1)^2 (M - 2))",
        loop=Loop(Pareto()),
        question=Variance(tail, S.One),
        published=tail0**2 * M**2 / ((M - 1) ** 2 * (M - 2)),
        source=JOHNSON,
    ),
)
