"""Published claims about loops anchored by fresh real data: weights, shares, immigration."""

from sympy import Rational, Symbol, sqrt

from theory.catalogue.questions import Combination, Leading, Minimiser, Stationary
from theory.catalogue.specimen import Specimen
from theory.estimators import Unbiased
from theory.families import Bernoulli, Gaussian
from theory.loop import Loop
from theory.regimes import Mixed, Weighted
from theory.symbols import V0, M, mu0, q0

mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p
w, kappa, m = (Symbol(name, positive=True) for name in ("w", "kappa", "m"))
SHIFT, SPREAD = ((mu - mu0) ** 2).expand(), ((V - V0) ** 2).expand()
FREE = M / 2 - 1
HALF = Rational(1, 2)

HE = "He, Xu and Cheng (2025), arXiv:2502.18049"
WRIGHT = "Wright, Genetics 16, 97-159 (1931)"
WRIGHT_ISOLATION = "Wright, Genetics 28, 114-138 (1943)"


def weighted(share: Rational | Symbol) -> Loop:
    """Return the loop that gives its share of real points the weight w, variances averaged within parts."""
    return Loop(Gaussian(), estimator=Unbiased(), regime=Weighted(w, share, between=False))


def immigration(share: Symbol) -> Loop:
    """Return the frequency of one type where each point is real with the probability given."""
    return Loop(Bernoulli(), regime=Mixed(share, count="bernoulli"))


RATIO = weighted(kappa / (1 + kappa))
FIXATION = Combination(
    "(1 - m)^2 stationary E[(p - p0)^2]/(p0 (1 - p0))",
    (Stationary(((p - q0) ** 2).expand()),),
    lambda x: (1 - m) ** 2 * x / (q0 * (1 - q0)),
)
GOLDEN = (sqrt(kappa**2 + 4 * kappa) - kappa) / 2
SPECIMENS = (
    Specimen(
        name="golden ratio",
        claim="with as many real as synthetic points the best weight on the real ones is 1/golden ratio",
        loop=weighted(HALF),
        question=Minimiser(SHIFT, w),
        published=(sqrt(5) - 1) / 2,
        source=HE,
    ),
    Specimen(
        name="best weight for any ratio",
        claim="with kappa real points per synthetic one the best weight is (sqrt(kappa^2 + 4 kappa) - kappa)/2",
        loop=RATIO,
        question=Minimiser(SHIFT, w),
        published=GOLDEN,
        source=HE,
    ),
    Specimen(
        name="error of a weighted mean",
        claim="weights w and 1 - w leave the error (w^2/n_r + (1 - w)^2/n_s)/(1 - (1 - w)^2)",
        loop=weighted(HALF),
        question=Stationary(SHIFT),
        published=V0 * (w**2 + (1 - w) ** 2) * 2 / M / (1 - (1 - w) ** 2),
        source=HE,
        note="At n_r = n_s = M/2.",
    ),
    Specimen(
        name="golden ratio for the variance, large samples",
        claim="with as many real as synthetic points the best weight on the real ones is 1/golden ratio",
        loop=weighted(HALF),
        question=Leading(Minimiser(SPREAD, w)),
        published=(sqrt(5) - 1) / 2,
        source=HE,
        verdict="asymptotic",
    ),
    Specimen(
        name="golden ratio for the variance",
        claim="with as many real as synthetic points the best weight on the real ones is 1/golden ratio",
        loop=weighted(HALF),
        question=Minimiser(SPREAD, w),
        published=(sqrt(5) - 1) / 2,
        source=HE,
        verdict="corrected",
        wrong="Exact for the mean at every M; for the fitted variance it is the limit of large samples, and 0.6198 at "
        "100 real and 100 synthetic points.",
        correct=(sqrt(5 * FREE**2 + 4 * FREE + 4) - FREE + 2) / (2 * (FREE + 2)),
    ),
    Specimen(
        name="immigration against drift",
        claim="a share m of immigrants keeps F = (1 - m)^2/(N - (N - 1)(1 - m)^2) among N gene copies",
        loop=immigration(m),
        question=FIXATION,
        published=(1 - m) ** 2 / (M - (M - 1) * (1 - m) ** 2),
        source=WRIGHT_ISOLATION,
        note="F is that of the pool that a generation is drawn from; N haploid copies are 2N in diploid texts.",
    ),
    Specimen(
        name="immigration of a fixed number",
        claim="a share m of immigrants keeps F = (1 - m)^2/(N - (N - 1)(1 - m)^2) among N gene copies",
        loop=Loop(Bernoulli(), regime=Mixed(m)),
        question=FIXATION,
        published=(1 - m) ** 2 / (M - (M - 1) * (1 - m) ** 2),
        source=WRIGHT_ISOLATION,
        verdict="corrected",
        wrong="It is right where each copy is an immigrant with probability m; of exactly m M immigrants the number "
        "does not vary, and F differs in order 1/M.",
        correct=(1 - m) ** 2 / (M * m * (2 - m) + 1 - m),
        right_for=immigration(m),
    ),
    Specimen(
        name="island model",
        claim="weak immigration keeps F = 1/(1 + 2 N m) among N gene copies",
        loop=immigration(m / M),
        question=Leading(
            Combination(
                "stationary E[(p - p0)^2]/(p0 (1 - p0)) with N m fixed",
                (Stationary(((p - q0) ** 2).expand()),),
                lambda x: x / (q0 * (1 - q0)),
            )
        ),
        published=1 / (1 + 2 * m),
        source=WRIGHT,
        verdict="asymptotic",
        note="1/(1 + 4 N m) for N diploid individuals. The symbol m stands for N m.",
    ),
)
