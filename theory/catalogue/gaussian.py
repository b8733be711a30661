"""Published claims about refitting a Gaussian in one dimension to its own samples.

Most disputes here are about the divisor of the variance: M - 1 keeps its mean, M (NumPy's default) does not.
"""

from sympy import Expr, Rational, S, Symbol, digamma, erf, exp, gamma, log, oo, polygamma, sqrt

from theory.catalogue.questions import Combination, DeviationRate, Ensemble, Leading, Limit, Mean, Risk, Tail, Variance
from theory.catalogue.specimen import Specimen
from theory.estimators import MinMSE, Unbiased
from theory.families import Gaussian
from theory.loop import Loop
from theory.sampling import Truncated, VarianceFactor
from theory.symbols import V0, M, n

mu, V = Gaussian.mu, Gaussian.V
nu = M - 1
lam, h = Symbol("lam", positive=True), Symbol("h", positive=True)
LIKELIHOOD, UNBIASED = Loop(Gaussian()), Loop(Gaussian(), estimator=Unbiased())

SHUMAILOV = "Shumailov et al., Nature 631, 755-759 (2024), Supplementary Information"
SHUMAILOV_THEOREM = "Shumailov et al., Nature 631, 755-759 (2024), Theorem 3.1"
SURESH = "Suresh, Thangaraj, Khandavally, AISTATS 2025, arXiv:2412.17646, Theorem 3"
BERTRAND = "Bertrand et al., ICLR 2024, arXiv:2310.00429"
ALEMOHAMMAD = "Alemohammad et al., ICLR 2024, arXiv:2307.01850"
STUDENT = "Student, Biometrika 6, 1-25 (1908)"
BARTLETT = "Bartlett and Kendall, Suppl. J. R. Statist. Soc. 8, 128-138 (1946)"
LEHMANN = "Lehmann and Casella, Theory of Point Estimation (1998)"


def _first(closed: Expr) -> Expr:
    """Return a closed form at generation 1."""
    return closed.subs(n, 1)


SPECIMENS = (
    Specimen(
        name="variance of a synthetic point, unbiased",
        claim="a point of generation n has variance s^2 (1 + n/M) over runs",
        loop=UNBIASED,
        question=Ensemble(),
        published=V0 * (1 + n / M),
        source=SHUMAILOV,
        note="Over runs; one run shows ever less. Exact, not up to second order.",
    ),
    Specimen(
        name="variance of a synthetic point, maximum likelihood",
        claim="a point of generation n has variance s^2 (1 + n/M) over runs",
        loop=LIKELIHOOD,
        question=Ensemble(),
        published=V0 * (1 + n / M),
        source=SHUMAILOV,
        verdict="corrected",
        wrong="With the divisor M, NumPy's default, the variance over runs is s^2 for every n and M.",
        correct=V0,
        right_for=UNBIASED,
    ),
    Specimen(
        name="leading Wasserstein risk",
        claim="the expected squared Wasserstein distance grows like (3/2) s^2 n/M",
        loop=UNBIASED,
        question=Leading(Risk("w2")),
        published=Rational(3, 2) * V0 * n / M,
        source=SHUMAILOV,
        verdict="asymptotic",
        note="The same leading term holds for the divisor M.",
    ),
    Specimen(
        name="diverging Wasserstein risk, unbiased",
        claim="the expected squared Wasserstein distance to the source diverges",
        loop=UNBIASED,
        question=Risk("w2", limit=True),
        published=oo,
        source=SHUMAILOV_THEOREM,
        note="In the mean over runs; in almost every run the distance converges.",
    ),
    Specimen(
        name="diverging Wasserstein risk, maximum likelihood",
        claim="the expected squared Wasserstein distance to the source diverges",
        loop=LIKELIHOOD,
        question=Risk("w2", limit=True),
        published=oo,
        source=SHUMAILOV_THEOREM,
        verdict="corrected",
        wrong="The theorem is about the unbiased variance; with the divisor M the expected distance stays bounded.",
        correct=2 * V0,
        right_for=UNBIASED,
    ),
    Specimen(
        name="standard deviation decays geometrically",
        claim="E sigma_n = a^n sigma_0 with a = E sqrt(chi^2_{M-1}/(M-1))",
        loop=UNBIASED,
        question=Mean(sqrt(V)),
        published=sqrt(V0) * (sqrt(2 / nu) * gamma(M / 2) / gamma(nu / 2)) ** n,
        source=BERTRAND,
    ),
    Specimen(
        name="sampling bias multiplies the mean variance",
        claim="E V_n = lambda^n V_0 where the sampler has lambda times the model's variance",
        loop=Loop(Gaussian(), estimator=Unbiased(), sampling=VarianceFactor(lam)),
        question=Mean(V),
        published=V0 * lam**n,
        source=ALEMOHAMMAD,
    ),
    Specimen(
        name="martingale of the unbiased variance",
        claim="faithful sampling keeps E V_n = V_0",
        loop=UNBIASED,
        question=Limit(V),
        published=V0,
        source=ALEMOHAMMAD,
        note="V_n nevertheless tends to 0 in almost every run.",
    ),
    Specimen(
        name="rate of collapse, unbiased",
        claim="P(sigma_n > eps) falls like exp(-n/(4M - 1))",
        loop=UNBIASED,
        question=DeviationRate(),
        published=1 / (4 * M),
        source=SURESH,
        verdict="asymptotic",
        note="To leading order in 1/M; the exponent is sharp for the divisor M - 1.",
    ),
    Specimen(
        name="rate of collapse, maximum likelihood",
        claim="P(sigma_n > eps) falls like exp(-n/(4M - 1))",
        loop=LIKELIHOOD,
        question=DeviationRate(),
        published=1 / (4 * M),
        source=SURESH,
        verdict="corrected",
        wrong="The bound is stated for maximum likelihood but derived with the divisor M - 1; with M it is four times "
        "too slow.",
        correct=1 / M,
        right_for=UNBIASED,
    ),
    Specimen(
        name="Markov bound on the standard deviation",
        claim="P(sigma_n > eps) <= (sigma_0/eps) exp(-n/(4M - 1)), by E sigma_n",
        loop=Loop(Gaussian(0, V0), estimator=Unbiased()),
        question=Mean(sqrt(V)),
        published=sqrt(V0) * exp(-n / (4 * M - 1)),
        source=SURESH,
        verdict="bound",
        side="upper",
        points=tuple({"M": size, "n": step, "V0": 1} for size in (2, 3, 10, 50) for step in (1, 4)),
        evidence="tested",
    ),
    Specimen(
        name="tail bound on the standard deviation",
        claim="P(sigma_n > eps) <= (sigma_0/eps) exp(-n/(4M - 1))",
        loop=Loop(Gaussian(0, 1), estimator=Unbiased()),
        question=Tail(Rational(1, 2)),
        published=2 * exp(-n / (4 * M - 1)),
        source=SURESH,
        verdict="bound",
        side="upper",
        points=({"M": 2, "n": 5}, {"M": 10, "n": 1}, {"M": 10, "n": 80}),
        evidence="enclosed",
        note="At eps = 1/2.",
    ),
    Specimen(
        name="mean of the sample variance",
        claim="the sample variance with divisor M has mean (M - 1) s^2/M",
        loop=LIKELIHOOD,
        question=Mean(V, S.One),
        published=V0 * (M - 1) / M,
        source=STUDENT,
    ),
    Specimen(
        name="variance of the sample variance",
        claim="the sample variance with divisor M has variance 2 (M - 1) s^4/M^2",
        loop=LIKELIHOOD,
        question=Variance(V, S.One),
        published=2 * (M - 1) * V0**2 / M**2,
        source=STUDENT,
    ),
    Specimen(
        name="least mean squared error",
        claim="the divisor M + 1 has mean squared error 2 s^4/(M + 1)",
        loop=Loop(Gaussian(), estimator=MinMSE()),
        question=Mean(((V - V0) ** 2).expand(), S.One),
        published=2 * V0**2 / (M + 1),
        source=LEHMANN,
    ),
    Specimen(
        name="mean of the log variance",
        claim="E log s^2 = log sigma^2 + psi((M - 1)/2) - log((M - 1)/2)",
        loop=UNBIASED,
        question=Mean(log(V), S.One),
        published=log(V0) + digamma(nu / 2) - log(nu / 2),
        source=BARTLETT,
        note="One fit; n of them add up.",
    ),
    Specimen(
        name="variance of the log variance",
        claim="Var log s^2 = psi_1((M - 1)/2)",
        loop=UNBIASED,
        question=Variance(log(V), S.One),
        published=polygamma(1, nu / 2),
        source=BARTLETT,
        note="One fit; n of them add up.",
    ),
    Specimen(
        name="expected divergence of one fit",
        claim="a fit of k parameters has E KL(source || model) = k/(2M) to leading order",
        loop=LIKELIHOOD,
        question=Leading(Combination("E kl_source_model at generation 1", (Risk("kl_source_model"),), _first)),
        published=1 / M,
        source="Akaike, IEEE Trans. Autom. Control 19, 716-723 (1974)",
        verdict="asymptotic",
        note="Two parameters, mean and variance.",
    ),
    Specimen(
        name="variance of a truncated normal law",
        claim="a normal law cut at h standard deviations has variance 1 - 2 h phi(h)/(2 Phi(h) - 1)",
        loop=Loop(Gaussian(), estimator=Unbiased(), sampling=Truncated(h)),
        question=Mean(V, S.One),
        published=V0 * (1 - 2 * h * exp(-(h**2) / 2) / sqrt(2 * S.Pi) / erf(h / sqrt(2))),
        source="Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1 (1994), chapter 13",
    ),
)
