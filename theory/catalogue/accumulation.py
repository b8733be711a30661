"""Published claims about loops that keep all data: the variance that is left, and how large errors get."""

from sympy import Symbol, gamma, pi, sin, sqrt

from theory.catalogue.questions import Leading, Limit, Mean
from theory.catalogue.specimen import Specimen
from theory.estimators import Unbiased
from theory.families import Bernoulli, Exponential, Gaussian, NegativeBinomial
from theory.loop import Loop
from theory.regimes import Accumulate
from theory.symbols import V0, M, count_mean0, mean0, mu0, q0

mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p
j = Symbol("j", integer=True, positive=True)
LIKELIHOOD = Loop(Gaussian(), regime=Accumulate())
UNBIASED = Loop(Gaussian(), estimator=Unbiased(), regime=Accumulate())
SINE = V0 * sin(pi / sqrt(M)) / (pi / sqrt(M))
ROOTS = tuple((1 + sign * sqrt(4 * M + 1)) / (2 * M) for sign in (1, -1))

KAZDAN = "Kazdan et al. (2024), arXiv:2410.16713"
DEY = "Dey and Donoho (2024), arXiv:2410.22812"
JANGJOO = "Jangjoo, Marsili, Roudi (2025), arXiv:2506.20623"

SPECIMENS = (
    Specimen(
        name="variance left by accumulation, maximum likelihood",
        claim="accumulating Gaussian samples leaves the share sin(pi/sqrt M)/(pi/sqrt M) of the variance",
        loop=LIKELIHOOD,
        question=Limit(V),
        published=SINE,
        source=KAZDAN,
    ),
    Specimen(
        name="variance left by accumulation, unbiased",
        claim="accumulating Gaussian samples leaves the share sin(pi/sqrt M)/(pi/sqrt M) of the variance",
        loop=UNBIASED,
        question=Limit(V),
        published=SINE,
        source=KAZDAN,
        verdict="corrected",
        wrong="The sine belongs to the divisor kM of maximum likelihood; kM - 1 gives a ratio of Gamma functions.",
        correct=V0 * gamma(2 - 1 / M) / (gamma(2 - ROOTS[0]) * gamma(2 - ROOTS[1])),
        right_for=LIKELIHOOD,
    ),
    Specimen(
        name="pi^2/6 for a normal mean",
        claim="accumulation multiplies the variance of an estimate by pi^2/6 over that of one fit",
        loop=LIKELIHOOD,
        question=Leading(Limit(((mu - mu0) ** 2).expand())),
        published=pi**2 / 6 * V0 / M,
        source=DEY,
        verdict="asymptotic",
        note="To leading order in 1/M; exactly it is V0 (1 - sin(pi/sqrt M)/(pi/sqrt M)).",
    ),
    Specimen(
        name="pi^2/6 for an exponential mean",
        claim="accumulation multiplies the variance of an estimate by pi^2/6 over that of one fit",
        loop=Loop(Exponential(), regime=Accumulate()),
        question=Leading(Limit(((Exponential.mean - mean0) ** 2).expand())),
        published=pi**2 / 6 * mean0**2 / M,
        source=DEY,
        verdict="asymptotic",
        note="Exactly, a hyperbolic sine takes the place of the sine.",
    ),
    Specimen(
        name="pi^2/6 for a frequency",
        claim="accumulation multiplies the variance of an estimate by pi^2/6 over that of one fit",
        loop=Loop(Bernoulli(), regime=Accumulate()),
        question=Leading(Limit(((p - q0) ** 2).expand())),
        published=pi**2 / 6 * q0 * (1 - q0) / M,
        source=DEY,
        verdict="asymptotic",
    ),
    Specimen(
        name="sufficient statistics are martingales",
        claim="maximum likelihood in an exponential family keeps the mean of the sufficient statistics",
        loop=Loop(NegativeBinomial(), regime=Accumulate()),
        question=Mean(NegativeBinomial.mean),
        published=count_mean0,
        source=JANGJOO,
    ),
)
