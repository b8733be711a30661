"""Published moments of classical recursions that the library does not know: each is declared by its one-step update."""

from sympy import Rational, S, Symbol, symbols

from theory.catalogue.questions import Combination, Lagged, Leading, Mean, Stationary
from theory.catalogue.specimen import Specimen
from theory.families import Recursion
from theory.innovations import ChiSquare, Normal
from theory.loop import Loop
from theory.symbols import V0, M, ell, n

x, e, z = symbols("x e z", real=True)
a, b, w, h, s, eta, noise = symbols("a b w h s eta noise", positive=True)
level, square, start = symbols("S q x0", positive=True)
within, between = symbols("within between", positive=True)

BOLLERSLEV = "Bollerslev, J. Econometrics 31, 307-327 (1986)"
ENGLE = "Engle, Econometrica 50, 987-1007 (1982)"
YULE = "Yule, Phil. Trans. R. Soc. A 226, 267-298 (1927)"
NICHOLLS = "Nicholls and Quinn, Random Coefficient Autoregressive Models (1982)"
LIU = "Liu, Ziyin and Ueda, ICML 2021, arXiv:2012.03636"
BORJI = "Borji (2024), arXiv:2410.12954"
MANDT = "Mandt, Hoffman and Blei, J. Mach. Learn. Res. 18(134), 1-35 (2017)"


def garch(carry: Symbol | Rational) -> Loop:
    """Return the variance recursion S' = w + (a z^2 + carry) S of a GARCH(1, 1) process, z standard normal."""
    return Loop(Recursion({level: w}, {level: w + a * level * square + carry * level}, ChiSquare(square, 1)))


def descent(step: Symbol, slope_noise: Symbol | Rational = S.Zero) -> Loop:
    """Return stochastic gradient descent on h x^2/2 with noise in the gradient's offset, and in its slope."""
    return Loop(
        Recursion({x: start}, {x: x - step * (h + slope_noise * z) * x + step * e}, [Normal(z, 1), Normal(e, noise)])
    )


AUTOREGRESSION = Loop(Recursion({x: 0}, {x: a * x + e}, Normal(e, noise)))
RANDOM_COEFFICIENT = Loop(Recursion({x: 0}, {x: (a + s * z) * x + e}, [Normal(z, 1), Normal(e, noise)]))
KERNEL_DENSITY = Loop(
    Recursion(
        {within: V0 * (1 - 1 / M), between: V0 / M},
        {within: (1 - 1 / M) * (within + h**2), between: between + (within + h**2) / M},
    )
)
"""Variance of M points within their set, and of the sets' means, each point a former one plus noise of variance h^2."""
KURTOSIS = Combination(
    "stationary kurtosis of sqrt(S) z",
    (Stationary(level**2), Stationary(level)),
    lambda second, first: 3 * second / first**2,
)

SPECIMENS = (
    Specimen(
        name="variance of a GARCH(1, 1) process",
        claim="the stationary variance is w/(1 - a - b)",
        loop=garch(b),
        question=Stationary(level),
        published=w / (1 - a - b),
        source=BOLLERSLEV,
    ),
    Specimen(
        name="kurtosis of a GARCH(1, 1) process",
        claim="the stationary kurtosis is 3(1 - (a + b)^2)/(1 - (a + b)^2 - 2a^2)",
        loop=garch(b),
        question=KURTOSIS,
        published=3 * (1 - (a + b) ** 2) / (1 - (a + b) ** 2 - 2 * a**2),
        source=BOLLERSLEV,
    ),
    Specimen(
        name="kurtosis of an ARCH(1) process",
        claim="the stationary kurtosis is 3(1 - a^2)/(1 - 3a^2)",
        loop=garch(S.Zero),
        question=KURTOSIS,
        published=3 * (1 - a**2) / (1 - 3 * a**2),
        source=ENGLE,
    ),
    Specimen(
        name="variance of an autoregression",
        claim="x' = a x + e has the stationary variance Var e/(1 - a^2)",
        loop=AUTOREGRESSION,
        question=Stationary(x**2),
        published=noise / (1 - a**2),
        source=YULE,
    ),
    Specimen(
        name="autocovariance of an autoregression",
        claim="x' = a x + e has the autocovariance a^lag Var e/(1 - a^2)",
        loop=AUTOREGRESSION.at(a=Rational(2, 3)),
        question=Lagged(x),
        published=Rational(2, 3) ** ell * noise / (1 - Rational(4, 9)),
        source=YULE,
        note="At a = 2/3.",
    ),
    Specimen(
        name="variance of a random coefficient autoregression",
        claim="x' = (a + s z) x + e has the stationary variance Var e/(1 - a^2 - s^2)",
        loop=RANDOM_COEFFICIENT,
        question=Stationary(x**2),
        published=noise / (1 - a**2 - s**2),
        source=NICHOLLS,
    ),
    Specimen(
        name="stationary noise of gradient descent",
        claim="with step eta on curvature h the stationary variance is eta Var e/(h (2 - eta h))",
        loop=descent(eta),
        question=Stationary(x**2),
        published=eta * noise / (h * (2 - eta * h)),
        source=LIU,
    ),
    Specimen(
        name="gradient descent as a diffusion",
        claim="with step eta on curvature h the stationary variance is eta Var e/(2 h)",
        loop=descent(eta / M),
        question=Leading(Stationary(x**2)),
        published=eta * noise / (2 * h * M),
        source=MANDT,
        verdict="asymptotic",
        note="For small steps, here eta/M; at a finite step it is eta Var e/(h (2 - eta h)).",
    ),
    Specimen(
        name="gradient descent at a finite step",
        claim="with step eta on curvature h the stationary variance is eta Var e/(2 h)",
        loop=descent(eta),
        question=Stationary(x**2),
        published=eta * noise / (2 * h),
        source=MANDT,
        verdict="corrected",
        wrong="The diffusion leaves out the second order of the step.",
        correct=eta * noise / (h * (2 - eta * h)),
        note="Right to leading order in eta.",
    ),
    Specimen(
        name="kernel density refits, over runs",
        claim="samples of a kernel density of width h have variance s^2 + n h^2 after n refits",
        loop=KERNEL_DENSITY,
        question=Mean(within + between),
        published=V0 + n * h**2,
        source=BORJI,
        note="The variance of one point over all runs.",
    ),
    Specimen(
        name="kernel density refits, within a run",
        claim="samples of a kernel density of width h have variance s^2 + n h^2 after n refits",
        loop=KERNEL_DENSITY,
        question=Mean(within),
        published=V0 + n * h**2,
        source=BORJI,
        verdict="corrected",
        wrong="It is the variance over runs; within one run the variance settles at (M - 1) h^2, and only the runs "
        "drift apart.",
        correct=V0 * (1 - 1 / M) ** (n + 1) + (M - 1) * h**2 * (1 - (1 - 1 / M) ** n),
    ),
)
