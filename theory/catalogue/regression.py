"""Published claims about least squares: one fit, refits to its own responses, and fits that stop short."""

from sympy import EulerGamma, Symbol, digamma, pi

from theory.catalogue.questions import Leading, Limit, Mean
from theory.catalogue.specimen import Specimen
from theory.families import FixedDesignRegression, LinearRegression
from theory.filters import GradientDescent, Ridge
from theory.loop import Loop
from theory.regimes import Accumulate
from theory.symbols import M, d, n, noise, w0

error = LinearRegression.error
phi = Symbol("phi", positive=True)
s, lam, eta = (Symbol(name, positive=True) for name in ("s", "lam", "eta"))
b = Symbol("w0_0", real=True)

BREIMAN = "Breiman and Freedman, J. Am. Statist. Assoc. 78, 131-136 (1983)"
HASTIE = "Hastie, Montanari, Rosset and Tibshirani, Ann. Statist. 50, 949-986 (2022)"
GERSTGRASSER = "Gerstgrasser et al., COLM 2024, arXiv:2404.01413"
DOHMATOB = "Dohmatob, Feng and Kempe, NeurIPS 2024, arXiv:2402.07712"
HOERL = "Hoerl and Kennard, Technometrics 12, 55-67 (1970)"
BUHLMANN = "Buhlmann and Yu, J. Am. Statist. Assoc. 98, 324-339 (2003)"

REPLACE = Loop(LinearRegression())
SAME = Loop(LinearRegression(design="same"), regime=Accumulate())
FRESH = Loop(LinearRegression(), regime=Accumulate())
ONCE = noise * d / (M - d - 1)
KEPT = 1 - (1 - eta * M * s) ** 3


def one_direction(estimator: Ridge | GradientDescent) -> Loop:
    """Return the loop of one eigendirection of a given design, where X'X of M rows has the eigenvalue M s."""
    return Loop(FixedDesignRegression([s]), estimator=estimator)


SPECIMENS = (
    Specimen(
        name="risk of one least squares fit",
        claim="least squares on M rows of a normal design has excess risk sigma^2 d/(M - d - 1)",
        loop=REPLACE,
        question=Mean(error, 1),
        published=ONCE,
        source=BREIMAN,
    ),
    Specimen(
        name="n-fold risk under replacement",
        claim="refitting to its own responses multiplies the test error by the number of fits",
        loop=REPLACE,
        question=Mean(error),
        published=n * ONCE,
        source=GERSTGRASSER,
    ),
    Specimen(
        name="bounded risk under accumulation, one design",
        claim="with accumulated data the test error stays below pi^2/6 times that of one fit",
        loop=SAME,
        question=Limit(error),
        published=pi**2 / 6 * ONCE,
        source=GERSTGRASSER,
        note="Attained in the limit where every generation uses the same design matrix.",
    ),
    Specimen(
        name="bounded risk under accumulation, fresh designs",
        claim="with accumulated data the test error tends to pi^2/6 times that of one fit",
        loop=FRESH,
        question=Limit(error),
        published=pi**2 / 6 * ONCE,
        source=GERSTGRASSER,
        verdict="corrected",
        wrong="pi^2/6 is an upper bound here: pooled fresh rows have a better conditioned design, and the limit is a "
        "digamma below it.",
        correct=noise * d / (d + 1) * (-EulerGamma - digamma(1 - (d + 1) / M)),
        right_for=SAME,
    ),
    Specimen(
        name="proportional limit under replacement",
        claim="with d/M = phi the test error after n refits is n sigma^2 phi/(1 - phi)",
        loop=Loop(LinearRegression(dimension=phi * M)),
        question=Leading(Mean(error)),
        published=n * noise * phi / (1 - phi),
        source=DOHMATOB,
        verdict="asymptotic",
        note="At finite M it is n sigma^2 d/(M - d - 1).",
    ),
    Specimen(
        name="proportional limit of one fit",
        claim="with d/M = phi < 1 the excess risk tends to sigma^2 phi/(1 - phi)",
        loop=Loop(LinearRegression(dimension=phi * M)),
        question=Leading(Mean(error, 1)),
        published=noise * phi / (1 - phi),
        source=HASTIE,
        verdict="asymptotic",
    ),
    Specimen(
        name="proportional limit of one interpolating fit",
        claim="with d/M = phi > 1 the least squares fit of smallest norm has risk r^2 (1 - 1/phi) + sigma^2/(phi - 1)",
        loop=Loop(LinearRegression(dimension=phi * M, overparametrised=True)),
        question=Leading(Mean(error, 1)),
        published=w0**2 * (1 - 1 / phi) + noise / (phi - 1),
        source=HASTIE,
        verdict="asymptotic",
    ),
    Specimen(
        name="bias and variance of one ridge fit",
        claim="ridge has squared error lambda^2 b^2/(S + lambda)^2 + sigma^2 S/(S + lambda)^2 along an eigendirection",
        loop=one_direction(Ridge(lam)),
        question=Mean(error, 1),
        published=(lam**2 * b**2 + noise * M * s) / (M * s + lam) ** 2,
        source=HOERL,
    ),
    Specimen(
        name="bias and variance of early stopping",
        claim="J steps of L2 boosting have bias b (1 - eta S)^J and variance sigma^2 (1 - (1 - eta S)^J)^2/S",
        loop=one_direction(GradientDescent(3, eta)),
        question=Mean(error, 1),
        published=(1 - KEPT) ** 2 * b**2 + noise * KEPT**2 / (M * s),
        source=BUHLMANN,
        note="At J = 3.",
    ),
)
