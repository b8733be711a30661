"""Filters of least squares: limits and identities, certificates, and a simulation that keeps every row."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import norm
from sympy import (
    Rational,
    S,
    Symbol,
)

from numerics.reference.simulator import reference
from proofs.kernel import check
from proofs.testing.equality import vanishes
from theory import (
    MLE,
    Accumulate,
    FixedDesignRegression,
    GradientDescent,
    LinearRegression,
    Loop,
    M,
    Mixed,
    Replace,
    Ridge,
    Tempered,
    alpha,
    expect,
    n,
)
from theory.symbols import d, noise

error, w, squares = LinearRegression.error, LinearRegression.w, LinearRegression.squares

component = FixedDesignRegression.w[0]

s, lam, eta = (Symbol(name, positive=True) for name in ("s", "lam", "eta"))

b = Symbol("w0_0", real=True)

HALF = Rational(1, 2)

FRESH = Loop(LinearRegression())

ACCUMULATE = Loop(LinearRegression(), regime=Accumulate())

ACCUMULATE_SAME = Loop(LinearRegression(design="same"), regime=Accumulate())

OVER = Loop(LinearRegression(overparametrised=True))

MIXED = Loop(LinearRegression(), regime=Mixed(alpha))


def given_design(estimator=None, regime=None):
    """One direction of a given design, X'X of M rows having the eigenvalue M s there."""
    return Loop(FixedDesignRegression([s]), estimator=estimator or MLE(), regime=regime or Replace())


def mean(loop, observable=error):
    """E[observable] as the engine's closed form."""
    return expect(loop, observable).expression


def once(size=M, dimension=d, variance=noise):
    """E|G^-1 X' eps|^2 = noise E tr G^-1, G Wishart of ``size`` degrees."""
    return S(variance) * dimension / (size - dimension - 1)


def test_all_real_is_the_fit_to_real_data_and_none_is_replace():
    """Assert Mixed(1) to be one real fit for ever and Mixed(0) replace."""
    real = Loop(LinearRegression(), regime=Mixed(1))
    assert [vanishes(value - once()) for value in expect(real, error).values(3)[1:]] == [True] * 3
    assert vanishes(mean(Loop(LinearRegression(), regime=Mixed(0))) - mean(FRESH))


def test_population_limit_keeps_the_truth():
    """Assert error 0 without statistical error, and the bias of ridge with M to infinity gone too."""
    for loop in (FRESH, ACCUMULATE, MIXED, given_design(Ridge(lam))):
        assert mean(loop.without("statistical")) == 0


def test_plain_cases_of_the_filters_are_least_squares():
    """Assert ridge with penalty 0, and one step of rate 1/S, warm or not, to be least squares."""
    plain = mean(given_design(), error**2)
    for estimator in (Ridge(0), GradientDescent(1, 1 / (M * s)), GradientDescent(1, 1 / (M * s), warm=True)):
        assert vanishes(mean(given_design(estimator), error**2) - plain)
    assert given_design(Ridge(lam)).without("approximation").estimator == MLE()


@pytest.mark.parametrize("warm", [False, True])
def test_number_of_steps_may_be_a_symbol(warm):
    """Assert that steps left symbolic give at 3 what three steps give."""
    steps = Symbol("J", integer=True, positive=True)
    values = {eta: Rational(1, 30), M: 4, s: 2, b: 3, noise: 2}
    symbolic = mean(given_design(GradientDescent(steps, eta, warm=warm))).subs(values).subs(steps, 3)
    assert symbolic.subs(n, 4) == mean(given_design(GradientDescent(3, eta, warm=warm))).subs(values).subs(n, 4)


def test_directions_are_independent():
    """Assert that moments of two directions multiply and that the error adds over them."""
    two = Loop(FixedDesignRegression([s, 3 * s]), estimator=Ridge(lam))
    x, y = FixedDesignRegression.w[0], FixedDesignRegression.w[1]
    true = tuple(two.family.source().values())
    product = mean(two, x**2 * y**2) - mean(two, x**2) * mean(two, y**2)
    total = mean(two) - mean(two, (x - true[0]) ** 2) - mean(two, (y - true[1]) ** 2)
    assert all(vanishes(difference.subs(n, 3)) for difference in (product, total))


def pooled_ridge(size, penalty, generations, *, warm):
    """E (w - 1)^2 of one direction with S = size, noise 1, all rows kept: as exact linear maps of the noises."""
    fits, means = [{0: Fraction(1)}], []  # weights as coefficients of (1, eps_1, eps_2, ...)
    for fit in range(1, generations + 1):
        means.append(fits[-1] | {fit: Fraction(1)})
        pooled = {i: sum((row.get(i, Fraction(0)) for row in means), Fraction(0)) / fit for i in range(fit + 1)}
        if warm:
            share = 1 - (1 - penalty * size * fit) ** 2
            last = fits[-1]
            fits.append({i: share * x + (1 - share) * last.get(i, Fraction(0)) for i, x in pooled.items()})
        else:
            share = size * fit / (size * fit + penalty)
            fits.append({i: share * x for i, x in pooled.items()})
    return [(f[0] - 1) ** 2 + sum(x**2 for i, x in f.items() if i) / size for f in fits]


@pytest.mark.parametrize("warm", [False, True])
def test_filters_remember_the_pool_they_read(warm):
    """Assert ridge and warm descent on all rows so far against the linear maps of the noises, in fractions."""
    amount = Fraction(1, 50) if warm else Fraction(3, 2)
    rational = Rational(amount.numerator, amount.denominator)
    estimator = GradientDescent(2, rational, warm=True) if warm else Ridge(rational)
    loop = Loop(FixedDesignRegression([1], 1, [1]), estimator=estimator, regime=Accumulate(), samples=3)
    exact = [Fraction(int(x.p), int(x.q)) for x in expect(loop, error).values(4)]
    assert exact == pooled_ridge(Fraction(3), amount, 4, warm=warm)


CERTIFIED = {
    "fresh": (FRESH, error**2),
    "same": (ACCUMULATE_SAME, error),
    "accumulate, numbers": (ACCUMULATE.at(M=10, d=3), error),
    "over": (OVER, error),
    "over, numbers": (OVER.at(M=3, d=12), error**2),
    "mixed, numbers": (MIXED.at(M=8, alpha=HALF, d=3), error),
    "ridge": (given_design(Ridge(lam)), error**2),
    "mixed": (MIXED, error),
    "ridge, accumulate": (given_design(Ridge(lam), Accumulate()).at(M=2, lam=3), component),
    "warm": (given_design(GradientDescent(2, eta, warm=True)), error),
}


@pytest.mark.parametrize("name", CERTIFIED)
def test_kernel_accepts_the_induction(name):
    """Assert that the checker accepts the certificate of every closed form."""
    assert all(check(certificate.data).obligations for certificate in expect(*CERTIFIED[name]).certificate)


TRUTH = (Rational(7, 10), Rational(3, 2))

CHAINS = 20_000

GENERATIONS = 3

FALSE_ALARM = 1e-6
"""Chance that any comparison of the simulation fails although all formulas are right."""

SIMULATED = {
    "replace": Loop(LinearRegression(3, *TRUTH), samples=16),
    "over": Loop(LinearRegression(12, *TRUTH), samples=5),
    "accumulate": Loop(LinearRegression(3, *TRUTH), regime=Accumulate(), samples=10),
    "mixed": Loop(LinearRegression(3, *TRUTH), regime=Mixed(Rational(1, 4)), samples=12),
    "mixed, tempered": Loop(LinearRegression(3, *TRUTH), regime=Mixed(HALF), sampling=Tempered(3), samples=12),
    "accumulate, tempered": Loop(LinearRegression(2, *TRUTH), regime=Accumulate(), sampling=Tempered(2), samples=9),
}

FIRST = {"E error": error, "E w": w, "E w^2": w**2}

ALL = FIRST | {"E error^2": error**2, "E w squares": w * squares}

CRITICAL = norm.isf(FALSE_ALARM / 2 / (len(SIMULATED) * len(ALL) * GENERATIONS))


def standard_scores(loop, questions):
    """(mean over chains - theory)/standard error, for every question and generation, from rows that are drawn."""
    runs = reference(loop, None, GENERATIONS, CHAINS, np.random.default_rng(20_240_731))["weights"]
    true, total = runs[0, 0], (runs**2).sum(axis=2)
    drawn = {"w": runs[:, :, 0], "squares": total, "error": ((runs - true) ** 2).sum(axis=2)}
    for name, of in questions.items():
        values = np.ones(total.shape)
        for base, power in of.as_powers_dict().items():
            values = values * drawn[str(base)] ** int(power)
        exact = np.array([float(value) for value in expect(loop, of).values(GENERATIONS)])[1:]
        scores = (values.mean(axis=0)[1:] - exact) * np.sqrt(CHAINS) / values.std(axis=0)[1:]
        yield name, scores, exact, values.std(axis=0)[1:] / np.sqrt(CHAINS)


@pytest.mark.parametrize("name", SIMULATED)
def test_rows_and_theory_agree(name):
    """Assert all moments within the critical z, and that an error of 10 % in E error would have been beyond it."""
    loop = SIMULATED[name]
    closes = isinstance(loop.regime, Replace)
    for question, scores, exact, standard_error in standard_scores(loop, ALL if closes else FIRST):
        assert (abs(scores) < CRITICAL).all(), (question, scores)
        if question == "E error":
            assert (0.1 * exact > CRITICAL * standard_error).all()
