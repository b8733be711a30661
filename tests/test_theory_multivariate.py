"""The multivariate Gaussian loop: against the loop of one dimension and the literature's formulas."""

import pytest
from attrs import evolve
from sympy import (
    Determinant,
    ImmutableMatrix,
    Matrix,
    Product,
    Rational,
    Sum,
    Symbol,
    Trace,
    digamma,
    expand_log,
    log,
    oo,
    polygamma,
    sqrt,
)

from proofs.kernel import check
from proofs.testing.equality import vanishes
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
    Replace,
    Scaled,
    Schedule,
    Shrinkage,
    Tempered,
    Unbiased,
    VarianceFactor,
    Weighted,
    c,
    expect,
    n,
    risk,
    tau,
)
from theory.invariants import written
from theory.monomials import linear
from theory.reader import Reader
from theory.symbols import d
from theory.system import System

Full = MultivariateGaussian

mu, Sigma, mu0, Sigma0 = Full.mu, Full.Sigma, Full.mu0, Full.Sigma0

shift = mu - mu0

det = Determinant(Sigma)

nu = M - 1

HALF = Rational(1, 2)

PLANE = Full([0, 1], [[2, 1], [1, 3]])


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
