"""The multivariate Gaussian loop against a simulation of every data point."""

import numpy as np
import pytest
from attrs import frozen
from scipy.stats import norm
from sympy import (
    Determinant,
    Expr,
    Matrix,
    Rational,
    Symbol,
    Trace,
    lambdify,
    log,
)

from numerics.agreement import agree
from numerics.observe import evaluate
from numerics.reference.simulator import reference
from numerics.simulate import simulate
from theory import (
    Accumulate,
    Loop,
    Mixed,
    MultivariateGaussian,
    NotClosed,
    Tempered,
    Unbiased,
    expect,
    n,
)

Full = MultivariateGaussian

mu, Sigma, mu0, Sigma0 = Full.mu, Full.Sigma, Full.mu0, Full.Sigma0

det = Determinant(Sigma)

HALF = Rational(1, 2)

PLANE = Full([0, 1], [[2, 1], [1, 3]])

CHAINS, FITS, SEED = 2_000, 2, 7_031

FALSE_ALARM = 1e-6
"""Chance that any comparison below fails although theory and simulation are right."""


@frozen
class Case:
    """A loop and observables of it."""

    loop: Loop
    observables: tuple[Expr, ...]


POLYNOMIALS = (Trace(Sigma**2), Trace(Sigma) ** 2, Sigma[0, 1] ** 2, Trace(mu * mu.T), Trace(mu.T * Sigma * mu))

WIDE = (det, log(det), Trace(Sigma.I), log(det) * Trace(Sigma), Trace(mu.T * Sigma.I * mu))

SOURCE = Full([1, 0], [[2, 1], [1, 3]])

CASES = [
    Case(Loop(SOURCE, estimator=Unbiased(), sampling=Tempered(HALF), samples=12), POLYNOMIALS + WIDE),
    Case(Loop(SOURCE, regime=Accumulate(), samples=6), POLYNOMIALS),
    Case(Loop(SOURCE, regime=Mixed(Rational(1, 4)), samples=8, estimator=Unbiased()), POLYNOMIALS),
    Case(Loop(SOURCE, samples=2), (Trace(Sigma**2), Sigma[0, 1] ** 2, Trace(mu.T * Sigma * mu))),
]

CRITICAL = norm.isf(FALSE_ALARM / 2 / (FITS * sum(len(case.observables) for case in CASES)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.loop.regime) + str(case.loop.samples))
def test_simulation_of_every_data_point(case):
    """Assert expectations against a simulator that keeps all points, within the standard error of each."""
    runs = reference(case.loop, None, FITS, CHAINS, np.random.default_rng(SEED))
    entries = Matrix(2, 2, lambda a, b: Symbol(f"S{a}{b}")), Matrix(2, 1, lambda a, _: Symbol(f"m{a}"))
    names = [*entries[0], *entries[1]]
    for observable in case.observables:
        spelled = observable.xreplace({Sigma: entries[0].as_immutable(), mu: entries[1].as_immutable()}).doit()
        values = expect(case.loop, observable).values(FITS)
        for fit in range(1, FITS + 1):
            arrays = [*runs["Sigma"][:, fit].reshape(CHAINS, 4).T, *runs["mu"][:, fit].T]
            sample = lambdify(names, spelled)(*arrays)
            error = sample.std(ddof=1) / CHAINS**0.5
            assert abs(sample.mean() - float(values[fit])) < CRITICAL * error, (observable, fit)


def test_runs_are_read_as_matrices():
    """Assert that traces, entries and determinants are read off a run, and that `agree` rejects n + 1 for n."""
    run = simulate(Loop(PLANE, samples=20), generations=2, chains=2_000, seed=0)
    matrices = run.Sigma.to_numpy()
    squares = (matrices * matrices.swapaxes(2, 3)).sum((2, 3))
    for observable, wanted in ((Trace(Sigma**2), squares), (det, np.linalg.det(matrices))):
        np.testing.assert_allclose(evaluate(observable, run), wanted, rtol=1e-9)
    trace = expect(Loop(PLANE, samples=20), Trace(Sigma))
    assert agree(trace, run).verdict != "disagree"
    assert agree(trace, run, claim=trace.expression.subs(n, n + 1)).verdict == "disagree"


def test_simulation_would_see_a_wrong_dimension():
    """Assert that the comparison has power: E det with nu for nu - 1 in one factor, 1/(nu - 1) off, is rejected."""
    loop = CASES[0].loop
    runs = reference(loop, None, 1, CHAINS, np.random.default_rng(SEED))
    sample = np.linalg.det(runs["Sigma"][:, 1])
    wrong = float(expect(loop, det).values(1)[1] * Rational(11, 10))
    assert abs(sample.mean() - wrong) > 3 * sample.std(ddof=1) / CHAINS**0.5


def test_inverse_moments_need_samples():
    """Assert that inverse moments exist from M = d + 3 points on and not before."""
    assert expect(Loop(Full(dimension=3), samples=6), Trace(Sigma.I)).values(1)
    with pytest.raises(NotClosed, match="infinite"):
        expect(Loop(Full(dimension=3), samples=5), Trace(Sigma.I))
