"""The multivariate Gaussian loop: against the loop of one dimension, the literature's formulas and a simulation."""

import numpy as np
import pytest
from attrs import evolve, frozen
from scipy.stats import norm
from sympy import (
    Determinant,
    Expr,
    Identity,
    ImmutableMatrix,
    IndexedBase,
    Matrix,
    MatrixSymbol,
    Product,
    Rational,
    Sum,
    Symbol,
    Trace,
    digamma,
    expand_log,
    lambdify,
    log,
    oo,
    polygamma,
    sqrt,
)

from numerics.agreement import agree
from numerics.observe import evaluate
from numerics.reference import reference
from numerics.simulate import simulate
from proofs.kernel import check
from theory import (
    V0,
    Accumulate,
    Damped,
    DiagonalGaussian,
    Floor,
    Gaussian,
    GradientSteps,
    Loop,
    M,
    Mixed,
    MultivariateGaussian,
    NotClosed,
    PosteriorDraw,
    PosteriorPredictive,
    Replace,
    Scaled,
    Schedule,
    Shrinkage,
    Subsample,
    Tempered,
    Truncated,
    Unbiased,
    VarianceFactor,
    Weighted,
    alpha,
    c,
    expect,
    n,
    risk,
    tau,
)
from theory.invariants import Reader, written
from theory.monomials import linear
from theory.symbols import d
from theory.system import System

Full = MultivariateGaussian
mu, Sigma, mu0, Sigma0 = Full.mu, Full.Sigma, Full.mu0, Full.Sigma0
shift = mu - mu0
det = Determinant(Sigma)
nu = M - 1
HALF = Rational(1, 2)
PLANE = Full([0, 1], [[2, 1], [1, 3]])


def vanishes(expr):
    """Decide that an expression is 0 by normal form."""
    return expr.expand().together().cancel() == 0


def settled(expr):
    """Normal form with digammas and logarithms taken apart."""
    expr = expr.rewrite(polygamma).replace(log, lambda x: log(x.factor()))
    return expand_log(expr, force=True).expand().together().cancel()


# One dimension --------------------------------------------------------------------------------------------------------

LOOPS = {
    "replace": {},
    "unbiased": {"estimator": Unbiased()},
    "scaled": {"estimator": Scaled(c), "sampling": Tempered(tau)},
    "factor": {"sampling": VarianceFactor(Rational(2, 3))},
    "accumulate": {"regime": Accumulate()},
    "mixed": {"regime": Mixed(Rational(1, 4)), "sampling": Tempered(2)},
    "mixed, unbiased": {"regime": Mixed(HALF), "estimator": Unbiased()},
    "weighted": {"regime": Weighted(Rational(1, 3))},
    "weighted within": {"regime": Weighted(Rational(1, 3), between=False)},
    "schedule": {"regime": Schedule(M * n**2)},
    "shrinkage": {"estimator": Shrinkage(Rational(1, 5))},
    "damped": {"estimator": Damped(Rational(1, 3), Unbiased())},
    "floor": {"estimator": Floor(Rational(1, 7))},
    "gradient": {"estimator": GradientSteps(2, Rational(1, 4))},
    "population": {"samples": oo, "sampling": Tempered(2)},
}
LINE = Full([0], [[V0]])
COVARIANCE = [[1, HALF], [HALF, 3]]
PAIRS = {
    "V": (Trace(Sigma), Gaussian.V),
    "V^2": (Trace(Sigma**2) + Trace(Sigma) ** 2, 2 * Gaussian.V**2),
    "mu^2": (Trace(mu * mu.T), Gaussian.mu**2),
    "mu^2 V": (Trace(mu * mu.T * Sigma), Gaussian.mu**2 * Gaussian.V),
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("pair", PAIRS)
def test_one_dimension_is_the_gaussian_loop(name, pair):
    """Assert that traces of a matrix of one row have the moments of V and mu, in every regime and for every fit."""
    of, one = PAIRS[pair]
    here = expect(Loop(LINE, **LOOPS[name]), of).values(2)
    there = expect(Loop(Gaussian(0, V0), **LOOPS[name]), one).values(2)
    assert all(vanishes(a - b) for a, b in zip(here, there, strict=True))


@pytest.mark.parametrize("name", LOOPS)
def test_one_direction_is_the_gaussian_loop(name):
    """Assert that entries, taken as moments of the whole matrix, are those of a loop of one dimension."""
    loop = Loop(Full([0, 0], COVARIANCE), **LOOPS[name])
    of = mu[0] ** 2 * Sigma[0, 0]
    letters = Reader(True)(of)
    whole = System(loop, Full([0, 0], COVARIANCE), Full([0, 0], COVARIANCE).state(letters))
    whole.targets.append(linear(letters, whole.state))
    (target,) = whole.targets[0]
    image = whole.recurrence.expr(whole.recurrence.rows[target])
    apart = expect(loop, of)
    along = apart.next()
    assert type(apart.pieces[0].marginal.family).__name__ == "Direction"
    assert vanishes((written(image) - along).xreplace({mu0: Matrix([0, 0]).as_immutable()}).doit())


def test_directions_keep_what_one_dimension_has():
    """Assert roots and logarithms along any direction, its length taken into account, and a floor on the length too."""
    v = [1, 2]
    spread = 2 + 4 + 12
    loop = Loop(PLANE, estimator=Unbiased())
    line = Loop(Gaussian(2, spread), estimator=Unbiased())
    for of, one in ((sqrt(Full.along(v)), sqrt(Gaussian.V)), (log(Full.along(v)), log(Gaussian.V))):
        assert settled(expect(loop, of).expression - expect(line, one).expression) == 0
    column = ImmutableMatrix(v)
    assert expect(loop, Trace(column.T * mu)).expression == 2
    assert vanishes(expect(loop, Trace(column.T * mu) ** 2).expression - 4 - n * Rational(spread) / M)
    floored = expect(evolve(loop, estimator=Floor(1)), Full.along(v)).values(1)[1]
    assert vanishes(floored - (spread * nu / M + 5))


# Means, growing pools, mixtures ---------------------------------------------------------------------------------------


def test_covariance_matrix_of_the_mean():
    """Assert E Sigma_n = c^n Sigma_0 and E (mu - mu0)(mu - mu0)' = Sigma_0/M (1 - c^n)/(1 - c), entry by entry."""
    loop, i, j = Loop(Full(), estimator=Scaled(c)), *(Symbol(x, integer=True, nonnegative=True) for x in "ij")
    assert vanishes(expect(loop, Sigma[i, j]).expression - c**n * Sigma0[i, j])
    spread = expect(loop, mu[i, 0] * mu[j, 0]).expression - mu0[i, 0] * mu0[j, 0]
    assert vanishes(spread - Sigma0[i, j] / M * (1 - c**n) / (1 - c))
    unbiased = evolve(loop, estimator=Unbiased())
    assert vanishes(expect(unbiased, Trace(shift * shift.T)).expression - n * Trace(Sigma0) / M)


@pytest.mark.parametrize("regime", [Replace(), Accumulate(), Schedule(M * n**2)])
def test_likelihood_keeps_the_spread_of_a_point(regime):
    """Assert E Sigma_n + Cov mu_n = Sigma_0 under maximum likelihood, whatever synthetic data are kept."""
    loop = Loop(Full(), regime=regime)
    total = expect(loop, Sigma[0, 1] + (mu[0] - mu0[0]) * (mu[1] - mu0[1])).values(3)
    assert all(vanishes(value - Sigma0[0, 1]) for value in total)


def test_growing_pool_shrinks_the_covariance_by_one_product():
    """Assert E Sigma_n = Sigma_0 prod (1 - 1/(M k^2)) when all data are kept."""
    k = Symbol("k")
    found = expect(Loop(Full(), regime=Accumulate()), Trace(Sigma))
    for size in range(1, 4):
        wanted = Product(1 - 1 / (M * k**2), (k, 1, size)).doit() * Trace(Sigma0)
        assert vanishes(found.values(size)[-1] - wanted)


def test_mixture_is_replacement_without_real_data_and_the_fresh_fit_with_nothing_else():
    """Assert that second moments under a real share of 0 and of 1 are those of replacement and of the first fit."""
    replaced = expect(Loop(Full()), Trace(Sigma**2)).values(2)
    none, all_real = (expect(Loop(Full(), regime=Mixed(share)), Trace(Sigma**2)).values(2) for share in (0, 1))
    assert all(vanishes(a - b) for a, b in zip(replaced, none, strict=True))
    assert vanishes(all_real[1] - replaced[1])
    assert vanishes(all_real[2] - replaced[1])


# Divergences ----------------------------------------------------------------------------------------------------------

i = Symbol("i")
LOGS = Sum(digamma((nu - i) / 2), (i, 0, d - 1)) + d * log(2 * c / nu)


def test_divergences_in_any_dimension():
    """Assert E KL(source || model) with its condition M > d + 2, and E KL(model || source), certificates accepted."""
    k, ratio = Symbol("k"), nu / (c * (nu - d - 1))
    forward = (d * ratio**n + d / M * Sum(ratio**k, (k, 1, n)) - d + n * LOGS) / 2
    backward = (d * n / M - n * LOGS.subs(c, 1)) / 2
    loop = Loop(Full(), estimator=Scaled(c))
    found = risk(loop)
    assert (M - d - 2 > 0) in found.within.conditions
    for size, fits in ((1, 2), (2, 1), (3, 2)):
        put = {d: size, n: fits}
        assert settled((found.expression - forward).subs(put).doit()) == 0
        other = risk(evolve(loop, estimator=Unbiased()), "kl_model_source").expression
        assert settled((other - backward).subs(put).doit()) == 0
    assert [check(one.data).rule for one in found.certificate] == ["induction_eq"]


def test_likelihood_divergence_from_the_model_is_the_loss_of_volume():
    """Assert E KL(model || source) = -n/2 E log det of one refit under maximum likelihood."""
    loss = expect(Loop(Full()), log(det)).expression - log(Determinant(Sigma0))
    assert settled(risk(Loop(Full()), "kl_model_source").expression + loss / 2) == 0


def test_divergence_of_one_dimension_and_of_a_diagonal():
    """Assert that d = 1 gives the Gaussian's risk, and that expressivity costs -log(1 - rho^2)/2 against a diagonal."""
    for metric in ("kl_source_model", "kl_model_source"):
        here, there = risk(Loop(LINE), metric), risk(Loop(Gaussian(0, V0)), metric)
        assert settled(here.expression - there.expression) == 0
    rho = Rational(3, 5)
    source = Full([0, 0], [[1, rho], [rho, 1]])
    cut = risk(Loop(DiagonalGaussian(), source=source, samples=oo)).expression
    assert cut == -log(1 - rho**2) / 2
    assert settled(risk(Loop(source, samples=oo)).expression) == 0


def test_tempered_divergence_in_the_plane():
    """Assert E KL(source || model) of an unbiased loop in the plane at temperature tau, and its condition M > 4."""
    k, ratio = Symbol("k"), nu / ((nu - 3) * tau)
    logs = digamma(nu / 2) + digamma((nu - 1) / 2) + 2 * log(2 / nu) + 2 * log(tau)
    found = risk(Loop(PLANE, estimator=Unbiased(), sampling=Tempered(tau)))
    for fits in (1, 2, 3):
        # The draw is tempered, and so its mean: tau stands before the sum.
        wanted = (2 * ratio**fits + 2 * tau / M * Sum(ratio**k, (k, 1, fits)).doit() - 2 + fits * logs) / 2
        assert settled(found.expression.subs(n, fits) - wanted) == 0
    with pytest.raises(NotClosed, match="infinite"):
        risk(Loop(PLANE, samples=4))


# Sources, observables -------------------------------------------------------------------------------------------------


def test_numbers_and_symbols_agree():
    """Assert that a source in numbers gives what a source in symbols gives with those numbers put in."""
    A = ImmutableMatrix([[2, 1], [1, 5]])
    mean, covariance = ImmutableMatrix(PLANE.mean), PLANE.covariance
    fixed = Trace(A * Sigma * A * Sigma)
    for of in (Trace(Sigma**3), fixed, det * Trace(Sigma), Trace(Sigma.I) ** 2, Trace(mu * mu.T)):
        symbolic = expect(Loop(Full(dimension=2), samples=9), of).expression
        put = symbolic.xreplace({Sigma0: covariance, mu0: mean}).doit()
        assert all(vanishes((expect(Loop(PLANE, samples=9), of).expression - put).subs(n, k)) for k in range(3))


def test_observables_are_read_as_matrix_expressions():
    """Assert that what is equal as a matrix expression is read as the same letters."""
    A, B = (MatrixSymbol(name, d, d) for name in "AB")
    read = Reader()
    assert read(Trace(A * Sigma * B)) == read(Trace(B * A * Sigma)) == read(Trace(Sigma * A * B))
    assert vanishes(read(Trace((A + 2 * Sigma) ** 2)) - read(Trace(A**2) + 4 * Trace(A * Sigma) + 4 * Trace(Sigma**2)))
    assert read(Trace(Sigma.I * Sigma * A)) == read(Trace(A * Identity(d)))
    assert vanishes(read(Trace(shift * shift.T * A)) - read(Trace(shift.T * A * shift)))
    v = ImmutableMatrix([1, -2])
    assert read(Trace(v * v.T * Sigma) ** 2) == read(Trace(v * v.T * Sigma * v * v.T * Sigma))


def test_entries_of_a_run_are_read():
    """Assert that entries written with indexed bases, as a recorded run names them, are the same observables."""
    entry, point = IndexedBase("Sigma"), IndexedBase("mu")
    of = entry[0, 1] * point[0] ** 2
    assert vanishes(expect(Loop(PLANE), of).expression - expect(Loop(PLANE), Sigma[0, 1] * mu[0] ** 2).expression)
    assert expect(Loop(PLANE), mu[0] ** 2 + mu[1]).values(0) == [1]
    for foreign in (Gaussian.V, log(Gaussian.V) * Trace(Sigma), Gaussian.mu, Symbol("Sigma")):
        with pytest.raises(NotClosed, match="no number"):
            expect(Loop(PLANE), foreign)


def test_names_of_letters_never_meet():
    """Assert that a matrix called A_B is not the product of A and B, nor invSigma the inverse of Sigma."""
    A, B, both, inverse = (MatrixSymbol(name, d, d) for name in ("A", "B", "A_B", "invSigma"))
    read = Reader()
    assert read(Trace(Sigma * both)) != read(Trace(Sigma * A * B))
    assert read(Trace(A * inverse)) != read(Trace(A * Sigma.I))


def test_dimension_is_put_in_by_name():
    """Assert that .at(d=...) derives again with the dimension as a number."""
    found = expect(Loop(Full()), log(det)).at(d=2, M=5)
    assert found.loop.family.dimension == 2
    steps = digamma(Rational(4, 2)) + digamma(Rational(3, 2)) + 2 * log(Rational(2, 5))
    assert settled(found.expression - n * steps - log(Determinant(Sigma0))) == 0


def test_population_limit():
    """Assert that without statistical error traces scale with the temperature alone and the determinant with tau^d."""
    loop, covariance = Loop(PLANE, samples=oo, sampling=Tempered(tau)), ImmutableMatrix(PLANE.covariance)
    assert vanishes(expect(loop, Trace(Sigma**2)).expression - tau ** (2 * n) * (covariance**2).trace())
    assert vanishes(expect(loop, det).expression - tau ** (2 * n) * covariance.det())


ATTEMPTS = {
    "inverse, accumulate": (Loop(Full(), regime=Accumulate()), Trace(Sigma.I), "regime or estimator"),
    "determinant, mixed": (Loop(Full(), regime=Mixed(alpha)), det, "regime or estimator"),
    "determinant, floor": (Loop(Full(), estimator=Floor(1)), det, "regime or estimator"),
    "power of a trace": (Loop(Full()), 1 / Trace(Sigma), "family: powers"),
    "logarithm of a trace": (Loop(Full()), log(Trace(Sigma)), "family: powers"),
    "matrix and inverse": (Loop(Full()), Trace(Sigma) * Trace(Sigma.I), "its inverse"),
    "third power of a log": (Loop(Full()), log(det) ** 3, "dimension as a number"),
    "subsample": (Loop(Full(), regime=Subsample()), Trace(Sigma), "regime"),
    "kept": (Loop(Full(), regime=Mixed(HALF, fresh=False)), Trace(Sigma), "regime"),
    "bernoulli": (Loop(Full(), regime=Mixed(HALF, count="bernoulli")), Trace(Sigma), "regime"),
    "truncated": (Loop(Full(), sampling=Truncated(2)), Trace(Sigma), "sampling"),
    "posterior": (Loop(Full(), estimator=PosteriorDraw()), Trace(Sigma), "estimator"),
    "predictive": (Loop(Full(), estimator=PosteriorPredictive()), Trace(Sigma), "estimator"),
    "log steps": (Loop(Full(), estimator=GradientSteps(1, HALF, on="log V")), Trace(Sigma), "estimator"),
    "truncated direction": (Loop(Full(), sampling=Truncated(2)), Sigma[0, 0], "sampling"),
    "posterior direction": (Loop(Full(), estimator=PosteriorDraw()), Sigma[0, 0], "estimator"),
    "predictive direction": (Loop(Full(), estimator=PosteriorPredictive()), Sigma[0, 0], "estimator"),
    "log steps, direction": (Loop(Full(), estimator=GradientSteps(1, HALF, on="log V")), Sigma[0, 0], "estimator"),
    "determinant of a sum": (Loop(Full()), Determinant(Sigma + Sigma0), "observable"),
    "not symmetric": (Loop(PLANE), Trace(Matrix([[1, 1], [0, 1]]) * Sigma), "not symmetric"),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_what_does_not_close_is_refused_by_name(name):
    """Assert NotClosed with the axis in the sentence, and never an answer."""
    loop, of, words = ATTEMPTS[name]
    with pytest.raises(NotClosed, match=words):
        expect(loop, of)


def test_wrong_sources_are_refused():
    """Assert ValueError for a mean alone, a dimension that is none, and a coordinate beyond the last."""
    with pytest.raises(ValueError, match="2 means and a covariance of 0 rows"):
        Full([0, 1])
    with pytest.raises(ValueError, match="dimension = 0"):
        Full(dimension=0)
    with pytest.raises(ValueError, match="coordinate 2 does not exist"):
        expect(Loop(PLANE), Sigma[0, 2])
    for name in ("delta", "W_model", "A_", "a b"):
        with pytest.raises(ValueError, match="matrix name"):
            expect(Loop(Full()), Trace(MatrixSymbol(name, d, d) * Sigma))
    with pytest.raises(ValueError, match="no scalar"):
        expect(Loop(PLANE), Trace(mu * Sigma))


# Simulation -----------------------------------------------------------------------------------------------------------

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
