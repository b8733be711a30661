"""Published claims about neutral drift: refitting frequencies is the Wright-Fisher chain of M haploid gene copies.

Diploid texts write 2N for M. Bounds and times of absorption are exact fractions compared at numbers.
"""

from sympy import Expr, IndexedBase, Max, Product, Rational, S, Symbol, exp, ff, log, symbols

from theory.catalogue.chains import Extinction, FixationTime, Present, Survival
from theory.catalogue.questions import Combination, Eigenvalue, Leading, Limit, Mean, Stationary, Variance
from theory.catalogue.specimen import Specimen
from theory.families import Bernoulli, Categorical, Poisson, Recursion
from theory.innovations import Multinomial
from theory.loop import Loop
from theory.procedures import PosteriorDraw
from theory.regimes import Schedule
from theory.symbols import K, M, i, n, p0, q0, rate0

p = Bernoulli.p
j = Symbol("j", integer=True, positive=True)
x, up, down, F = symbols("x up down F", nonnegative=True)
u, v, a, size = symbols("u v a s", positive=True)
start = Symbol("x0", nonnegative=True)
SIZES = IndexedBase("N", integer=True, positive=True)
THIRDS = (Rational(1, 2), Rational(1, 3), Rational(1, 6))

WRIGHT = "Wright, Genetics 16, 97-159 (1931)"
CROW = "Crow and Kimura, An Introduction to Population Genetics Theory (1970)"
FELLER = "Feller, Proc. Second Berkeley Symposium, 227-246 (1951)"
MORAN = "Moran, Proc. Camb. Phil. Soc. 54, 60-71 (1958)"
POLYA = "Polya, Ann. Inst. H. Poincare 1, 117-161 (1930)"
MALECOT = "Malecot, Les mathematiques de l'heredite (1948)"
KIMURA_CROW = "Kimura and Crow, Genetics 49, 725-738 (1964)"
GRIFFITHS = "Griffiths and Kalish, Cognitive Science 31, 441-480 (2007)"
SEDDIK = "Seddik et al., COLM 2024, arXiv:2404.05090"
SURESH = "Suresh, Thangaraj, Khandavally, AISTATS 2025, arXiv:2412.17646"

NEUTRAL = Loop(Bernoulli())
MUTATION = Loop(Recursion({x: start}, {x: up / M}, Multinomial((up,), M, (x * (1 - u) + (1 - x) * v,))), samples=M)
BIRTH_AND_DEATH = Loop(
    Recursion({x: start}, {x: x + (up - down) / M}, Multinomial((up, down), S.One, (x * (1 - x), x * (1 - x))))
)
URN = Loop(Recursion({x: start}, {x: (x * (size + n - 1) + up) / (size + n)}, Multinomial((up,), S.One, (x,))))


def alleles(rate: Expr, copies: Expr = M) -> Loop:
    """Return identity by descent, 0 at the start, among gene copies that mutate at a rate to types never seen."""
    return Loop(Recursion({F: 0}, {F: (1 - rate) ** 2 * (1 / copies + (1 - 1 / copies) * F)}))


POINTS = tuple(
    {"M": many, "p0": share, "n": step}
    for many in (2, 5, 12)
    for share in (Rational(1, 2), Rational(1, 10))
    for step in (1, 3, 8)
)

SPECIMENS = (
    Specimen(
        name="decay of heterozygosity",
        claim="drift multiplies E p(1 - p) by 1 - 1/M each generation",
        loop=NEUTRAL,
        question=Mean(p * (1 - p)),
        published=q0 * (1 - q0) * (1 - 1 / M) ** n,
        source=WRIGHT,
    ),
    Specimen(
        name="decay of heterozygosity, haploid",
        claim="drift among N multiplies heterozygosity by 1 - 1/(2N) each generation",
        loop=NEUTRAL,
        question=Mean(p * (1 - p)),
        published=q0 * (1 - q0) * (1 - 1 / (2 * M)) ** n,
        source=WRIGHT,
        verdict="corrected",
        wrong="N counts diploid individuals, with two gene copies each; M samples a generation are M copies.",
        correct=q0 * (1 - q0) * (1 - 1 / M) ** n,
        right_for=Loop(Bernoulli(), samples=2 * M),
    ),
    Specimen(
        name="variance of a drifting frequency",
        claim="Var p_n = p(1 - p) (1 - (1 - 1/M)^n)",
        loop=Loop(Categorical()),
        question=Variance(Categorical.p[i]),
        published=p0[i] * (1 - p0[i]) * (1 - (1 - 1 / M) ** n),
        source=CROW,
    ),
    Specimen(
        name="collision probability",
        claim="the sum of squared frequencies has mean 1 - (1 - 1/M)^n (1 - S_0)",
        loop=Loop(Categorical(THIRDS)),
        question=Mean(Categorical.collision),
        published=1 - (1 - 1 / M) ** n * (1 - Rational(7, 18)),
        source=SEDDIK,
        note="From (1/2, 1/3, 1/6), where S_0 = 7/18.",
    ),
    Specimen(
        name="varying population size",
        claim="with N_k copies in generation k heterozygosity is multiplied by the product of 1 - 1/N_k",
        loop=Loop(Bernoulli(), regime=Schedule(SIZES)),
        question=Mean(p * (1 - p)),
        published=q0 * (1 - q0) * Product(1 - 1 / SIZES[j], (j, 1, n)),
        source=CROW,
    ),
    *(
        Specimen(
            name=f"eigenvalue {order} of drift",
            claim="the Wright-Fisher matrix has the eigenvalues M(M - 1)...(M - j + 1)/M^j",
            loop=NEUTRAL,
            question=Eigenvalue(p, order),
            published=ff(M, order) / M**order,
            source=FELLER,
            note=f"At j = {order}.",
        )
        for order in (2, 3, 5)
    ),
    Specimen(
        name="third moment of a drifting frequency",
        claim="the third moment is a combination of 1, 1 - 1/M and (1 - 1/M)(1 - 2/M) to the power n",
        loop=NEUTRAL,
        question=Mean((p * (1 - p) * (1 - 2 * p)).expand()),
        published=q0 * (1 - q0) * (1 - 2 * q0) * ((1 - 1 / M) * (1 - 2 / M)) ** n,
        source=CROW,
        note="p(1 - p)(1 - 2p) is the eigenfunction.",
    ),
    Specimen(
        name="iterated learning forgets all but its prior",
        claim="a chain of learners who each draw from their posterior has the prior for its stationary law",
        loop=Loop(Categorical(), estimator=PosteriorDraw()),
        question=Stationary(Categorical.collision),
        published=3 / (K + 2),
        source=GRIFFITHS,
        note="Under the Jeffreys prior Dirichlet(1/2, ..., 1/2) on K types, whatever M.",
    ),
    Specimen(
        name="relaxation under mutation",
        claim="with mutation rates u and v the mean frequency relaxes to v/(u + v) like (1 - u - v)^n",
        loop=MUTATION,
        question=Mean(x),
        published=v / (u + v) + (start - v / (u + v)) * (1 - u - v) ** n,
        source=WRIGHT,
    ),
    Specimen(
        name="Moran model",
        claim="one birth and one death multiply E x(1 - x) by 1 - 2/M^2",
        loop=BIRTH_AND_DEATH,
        question=Mean(x * (1 - x)),
        published=start * (1 - start) * (1 - 2 / M**2) ** n,
        source=MORAN,
    ),
    Specimen(
        name="limit of the Polya urn",
        claim="the share of an urn of s balls tends to a Beta law, of variance x(1 - x)/(s + 1)",
        loop=URN,
        question=Combination("limit of Var[x]", (Limit(x**2), Limit(x)), lambda second, mean: second - mean**2),
        published=start * (1 - start) / (size + 1),
        source=POLYA,
        note="Accumulating one sample a generation.",
    ),
    Specimen(
        name="identity by descent",
        claim="with mutation rate u identity by descent settles at (1 - u)^2/(M - (M - 1)(1 - u)^2)",
        loop=alleles(u),
        question=Stationary(F),
        published=(1 - u) ** 2 / (M - (M - 1) * (1 - u) ** 2),
        source=MALECOT,
    ),
    Specimen(
        name="infinitely many alleles",
        claim="homozygosity settles at 1/(1 + 2 M u)",
        loop=alleles(u / M),
        question=Leading(Stationary(F)),
        published=1 / (1 + 2 * u),
        source=KIMURA_CROW,
        verdict="asymptotic",
        note="The symbol u stands for M u.",
    ),
    Specimen(
        name="infinitely many alleles, haploid",
        claim="homozygosity settles at 1/(1 + 4 N u)",
        loop=alleles(u / M),
        question=Leading(Stationary(F)),
        published=1 / (1 + 4 * u),
        source=KIMURA_CROW,
        verdict="corrected",
        wrong="N counts diploid individuals, with two gene copies each; among M copies it is 1/(1 + 2 M u).",
        correct=1 / (1 + 2 * u),
        right_for=alleles(u / M, 2 * M),
        note="The symbol u stands for N u.",
    ),
    Specimen(
        name="time to fixation",
        claim="diffusion gives -2M (p log p + (1 - p) log(1 - p)) generations to fixation",
        loop=NEUTRAL,
        question=FixationTime(),
        published=-2 * M * (q0 * log(q0) + (1 - q0) * log(1 - q0)),
        source=CROW,
        verdict="bound",
        side="upper",
        points=tuple({"M": many, "p0": Rational(1, 2)} for many in (2, 4, 8, 16)),
        evidence="tested",
        note="From p = 1/2, where the diffusion is one to three generations too long; for rare types it is too short.",
    ),
    Specimen(
        name="survival of two types, below",
        claim="P(not absorbed by n) >= 4p(1 - p)(1 - 1/M)^n",
        loop=NEUTRAL,
        question=Survival(),
        published=4 * q0 * (1 - q0) * (1 - 1 / M) ** n,
        source=SEDDIK,
        verdict="bound",
        side="lower",
        points=POINTS,
        evidence="tested",
        note="As quoted by Suresh et al. (2025). An equality at M = 2; in the long run the exact probability is "
        "C p(1 - p)(1 - 1/M)^n with C = 4.93 at M = 5, 5.34 at 10, 5.80 at 50, 5.94 at 200, tending to 6.",
    ),
    Specimen(
        name="survival of two types, above",
        claim="P(not absorbed by n) <= 2M p(1 - p)(1 - 1/M)^n",
        loop=NEUTRAL,
        question=Survival(),
        published=2 * M * q0 * (1 - q0) * (1 - 1 / M) ** n,
        source=SEDDIK,
        verdict="bound",
        side="upper",
        points=POINTS,
        evidence="tested",
        note="As quoted by Suresh et al. (2025); M p(1 - p)(1 - 1/M)^(n - 1) is sharper, and an equality at M = 2. "
        "In the long run the exact constant is below 6 where this one is 2M: 67 times too large at M = 200.",
    ),
    Specimen(
        name="survival of one token",
        claim="P(a token is left at n) >= 1 - exp(-M p/n)",
        loop=NEUTRAL,
        question=Present(),
        published=1 - exp(-M * q0 / n),
        source=f"{SURESH}, Theorem 1",
        verdict="bound",
        side="lower",
        points=POINTS,
        evidence="tested",
        note="With 1/n for their g_n, which tends to 2/n: for rare tokens the exact probability is twice this.",
    ),
    Specimen(
        name="survival of one token, above",
        claim="P(a token is left at n) <= 1 - max(0, 1 - 3M p^2 - 3n p) exp(-3M p/n)",
        loop=NEUTRAL,
        question=Present(),
        published=1 - Max(0, 1 - 3 * M * q0**2 - 3 * n * q0) * exp(-3 * M * q0 / n),
        source=f"{SURESH}, Theorem 1",
        verdict="bound",
        side="upper",
        points=tuple(
            {"M": many, "p0": share, "n": step}
            for many in (2, 5, 12)
            for share in (Rational(1, 20), Rational(1, 100))
            for step in (1, 3, 8)
        ),
        evidence="tested",
        note="With 3/n for their g_n; 2/n holds too. It says nothing for p > 1/(3n), and for rare tokens it is too "
        "large by 3n p where the exact probability is about 2M p/n.",
    ),
    Specimen(
        name="extinction of Poisson counts",
        claim="P(all counts are 0 at n) = exp(-M lambda_0 g_n), g_1 = 1, g_(k+1) = 1 - exp(-g_k)",
        loop=Loop(Poisson()),
        question=Extinction(S(3)),
        published=exp(-M * rate0 * (1 - exp(-(1 - exp(-1))))),
        source=f"{SURESH}, Theorem 2",
        note="At n = 3.",
    ),
    Specimen(
        name="exponent of extinction, published",
        claim="g_n <= 3/n",
        loop=Loop(Poisson()),
        question=Extinction(exponent=True),
        published=3 / n,
        source=f"{SURESH}, Theorem 1",
        verdict="bound",
        side="upper",
        points=tuple({"n": step} for step in (1, 2, 5, 10)),
        evidence="tested",
        note="2/n bounds it too, and n g_n tends to 2.",
    ),
    Specimen(
        name="critical branching",
        claim="the total count of a critical branching process has variance n times its start",
        loop=Loop(Poisson()),
        question=Variance(Poisson.rate),
        published=n * rate0 / M,
        source="Harris, The Theory of Branching Processes (1963)",
        note="Refitting a Poisson rate is branching with Poisson(1) offspring; here for the count over M.",
    ),
)
