"""The statistics of multivariate Gaussian loops: the algebra of roots exactly, the random triangles by their laws, and
whole loops against the theory and against the reference that keeps all data.

Seeds come from the operating system; all random tests of this file together fail by chance at the stated rate, and each
must reject a planted error at it.
"""

from functools import cache
from secrets import randbelow

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from sympy import Determinant, Rational, Trace, log

from numerics import simulate
from numerics.observe import evaluate
from numerics.paths.roots import Lower, Root, Roots
from numerics.paths.spaces import Blocks
from numerics.reference.simulator import reference
from numerics.samplers import SEEDS, chain_key
from theory import Accumulate, Loop, Mixed, MultivariateGaussian, PosteriorDraw, Replace, Unbiased, expect
from theory.estimators import MLE

FAILURE_RATE = 1e-6
TESTS = 200
"""At least the number of comparisons that share the rate."""
SEED = randbelow(SEEDS)
DRAWS = 50_000
BOUND = stats.norm.isf(FAILURE_RATE / TESTS / 2)
DIMENSIONS = [1, 2, 3, 17]
Sigma = MultivariateGaussian.Sigma


@pytest.fixture(autouse=True)
def wide():
    """Compute in 64 bits, as a simulation does."""
    with jax.enable_x64(True):
        yield


# Algebra -------------------------------------------------------------------------------------------------------------


def matrices(space, of):
    """Return blocks as full lower triangles, chains first."""
    upper = jnp.zeros_like(space.transposed(of.side))
    return np.asarray(space.leading(space.full(of, upper)))


def placed(space, array):
    """Return an array with chains first as the space has it."""
    return jnp.asarray(array if space.chains_first else np.moveaxis(array, 0, -1))


def lower_triangles(space, rng):
    """Return random triangles of three chains, as NumPy arrays and as the space has them."""
    d = space.dimension
    triangle = np.tril(rng.normal(size=(3, d, d)), -1)
    logs = rng.normal(size=(3, d))
    full = triangle + np.exp(logs)[:, :, None] * np.eye(d)
    return full, Lower(space.blocks(placed(space, triangle)), placed(space, logs))


@pytest.mark.parametrize("d", DIMENSIONS)
def test_a_root_times_triangles_and_back(d):
    """Assert that L A, L A^-1, L z, A A' and its Cholesky factor are those of NumPy, and a transposed A is not."""
    space, rng = Roots(d), np.random.default_rng(d)
    (L, one), (A, two) = lower_triangles(space, rng), lower_triangles(space, rng)
    root = space.standing(one)
    np.testing.assert_allclose(matrices(space, space.triangle(root)), L, atol=1e-12)
    np.testing.assert_allclose(matrices(space, space.triangle(space.grown(root, two))), L @ A, rtol=1e-9, atol=1e-9)
    back = space.triangle(space.shrunk(space.grown(root, two), two))
    np.testing.assert_allclose(matrices(space, back), L, rtol=1e-6, atol=1e-6)
    z = rng.normal(size=(3, d))
    seen = np.asarray(space.leading(space.times(root, placed(space, z))))
    np.testing.assert_allclose(seen, np.einsum("nij,nj->ni", L, z), rtol=1e-9, atol=1e-12)
    gram = space.gram(space.entries(two))
    np.testing.assert_allclose(np.asarray(space.leading(space.symmetric(gram))), A @ np.swapaxes(A, 1, 2), atol=1e-9)
    factor = matrices(space, space.entries(space.factored(gram)))
    np.testing.assert_allclose(factor @ np.swapaxes(factor, 1, 2), A @ np.swapaxes(A, 1, 2), atol=1e-9)
    assert d == 1 or not np.allclose(L @ np.swapaxes(A, 1, 2), L @ A)


def test_a_singular_matrix_keeps_its_rank():
    """Assert that pivots which are rounding become columns of 0, in the factor and in roots grown by it."""
    space = Roots(3)
    v = np.array([[1.0, 2.0, 3.0]])
    factor = space.factored(space.square(placed(space, v)))
    assert np.asarray(space.leading(factor.logs))[0].tolist() == [0.0, -np.inf, -np.inf]
    grown = space.grown(space.root(jnp.eye(3)), factor)
    seen = matrices(space, space.triangle(grown))[0]
    np.testing.assert_allclose(seen @ seen.T, v.T @ v, atol=1e-12)
    again = matrices(space, space.triangle(space.grown(grown, factor)))
    assert np.isfinite(again).all()
    assert np.linalg.matrix_rank(again[0]) == 1


def test_scales_leave_the_floating_point_numbers():
    """Assert that roots go on where exp(s) is 0: their unit part stays and their logarithms add up."""
    space = Roots(2)
    unit = Blocks(*(jnp.asarray(x)[None, :, None] for x in ([[1.0]], [[0.5]], [[1.0]])))
    unit = Blocks(*(x.reshape(1, 1, 1) for x in unit))
    root = Root(unit, placed(space, np.array([[-2_000.0, -5_000.0]])))
    step = Lower(Blocks(*(jnp.full((1, 1, 1), x) for x in (0.0, 3.0, 0.0))), placed(space, np.array([[-1.0, -2.0]])))
    grown = space.grown(root, step)
    assert np.asarray(space.leading(grown.logs))[0].tolist() == [-2_001.0, -5_002.0]
    assert np.asarray(grown.unit.side).ravel().tolist() == [0.5]


# Random triangles ----------------------------------------------------------------------------------------------------


@cache
def compiled(d, backwards):
    """Return the function (seed, df) -> draws of a triangle."""

    def triangles(key, df):
        space = Roots(d)
        entries = space.entries(space.bartlett(key, df, backwards))
        return space.leading(space.full(entries, jnp.zeros_like(space.transposed(entries.side))))

    return jax.jit(triangles)


def wisharts(d, df, backwards=False, flipped=False):
    """Return draws of A A', or of A'A where flipped."""
    A = np.asarray(compiled(d, backwards)(chain_key(SEED, jnp.arange(DRAWS)), jnp.asarray(df)))
    return np.swapaxes(A, 1, 2) @ A if flipped else A @ np.swapaxes(A, 1, 2)


def departures(W, df):
    """Return how far first and second moments of W lie from those of Wishart(df, 1), in standard errors.

    E W = df 1 and Cov(W_ij, W_kl) = df (d_ik d_jl + d_il d_jk).
    """
    d = W.shape[1]
    rows, columns = np.tril_indices(d)
    x = W[:, rows, columns] - df * (rows == columns)
    eye = np.eye(d)
    first = eye[rows[:, None], rows] * eye[columns[:, None], columns]
    exact = df * (first + eye[rows[:, None], columns] * eye[columns[:, None], rows])
    products = x[:, :, None] * x[:, None, :]
    gaps = x.mean(0), products.mean(0) - exact
    errors = (np.maximum(spread / DRAWS**0.5, 1e-9) for spread in (x.std(0), products.std(0)))
    return np.concatenate([(gap / error).ravel() for gap, error in zip(gaps, errors, strict=True)])


@pytest.mark.parametrize("df", [2, 9])
def test_wishart_to_second_order(df):
    """Assert that A A' has the moments of a Wishart matrix, of full rank or less, and that A'A and df + 1 have not."""
    W = wisharts(3, df)
    assert np.abs(departures(W, df)).max() < BOUND, SEED
    assert np.linalg.matrix_rank(W[0]) == min(df, 3)
    assert np.abs(departures(wisharts(3, df, flipped=True), df)).max() > BOUND
    assert np.abs(departures(wisharts(3, df + 1), df)).max() > BOUND


def test_wishart_marginals():
    """Assert that diagonal entries, and Schur complements of all others, are chi-square; backwards A'A is Wishart."""
    d, df = 3, 7
    for W in (wisharts(d, df), wisharts(d, df, backwards=True, flipped=True)):
        schur = 1 / np.diagonal(np.linalg.inv(W), axis1=1, axis2=2)
        for j in range(d):
            assert stats.kstest(W[:, j, j], stats.chi2(df).cdf).pvalue > FAILURE_RATE / TESTS, SEED
            assert stats.kstest(schur[:, j], stats.chi2(df - d + 1).cdf).pvalue > FAILURE_RATE / TESTS, SEED
            assert stats.kstest(schur[:, j], stats.chi2(df - d).cdf).pvalue < FAILURE_RATE / TESTS


# Loops ---------------------------------------------------------------------------------------------------------------

PLANE = MultivariateGaussian([0, 1], [[2, 1], [1, 2]])
CHAINS = 4_096


def standard_errors(one, two):
    """Return how far the means of two arrays over chains lie apart, in standard errors."""
    spread = np.sqrt(one.var(axis=0) / len(one) + two.var(axis=0) / len(two))
    return np.abs(one.mean(axis=0) - two.mean(axis=0)) / np.maximum(spread, 1e-300)


AXES = {
    "Bernoulli": {"regime": Mixed(Rational(1, 2), count="bernoulli"), "estimator": Unbiased(), "samples": 5},
    "a pool, and posterior draws": {"regime": Accumulate(), "estimator": PosteriorDraw(), "samples": 7},
}


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_loops_agree_with_the_reference(axes):
    """Assert that means, covariances and their products are those of loops that keep all data."""
    loop = Loop(PLANE, **axes)
    run = simulate(loop, generations=2, chains=CHAINS, seed=SEED, method="statistic")
    kept = reference(loop, None, 2, CHAINS, np.random.default_rng(SEED))
    mu, S = (run[name].to_numpy()[:, 1:] for name in ("mu", "Sigma"))
    nu, T = (kept[name][:, 1:] for name in ("mu", "Sigma"))
    pairs = [(mu, nu), (S, T), (mu**2, nu**2), (mu[..., None] * S, nu[..., None] * T)]
    pairs.append((np.log(np.linalg.det(S)), np.log(np.linalg.det(T))))
    assert max(standard_errors(*pair).max() for pair in pairs) < BOUND, SEED
    np.testing.assert_allclose(run["log_det"][:, 1:], np.log(np.linalg.det(S)), rtol=1e-6, atol=1e-6)


@pytest.fixture(scope="module")
def deep():
    """A loop at M = 10 followed for a thousand generations."""
    loop = Loop(PLANE, estimator=Unbiased(), samples=10)
    return loop, simulate(loop, generations=1_000, chains=512, seed=SEED, observe={"trace": Trace(Sigma)})


def test_a_thousand_generations(deep):
    """Assert that log det has the exact mean at all depths, where points mu + s z would all have been equal."""
    loop, run = deep
    exact = expect(loop, log(Determinant(Sigma)))
    logs = run["log_det"].to_numpy()
    for n in (1, 30, 1_000):
        error = logs[:, n].std() / len(logs) ** 0.5
        assert abs(logs[:, n].mean() - float(exact.at(n=n))) < BOUND * error, (SEED, n)
    assert np.isfinite(logs).all()
    assert logs[:, -1].max() < 4 * np.log(np.finfo(float).eps)


def test_means_and_products_are_the_theory_s(deep):
    """Assert that E tr Sigma and E tr Sigma^2 are those derived, and that of M points, not M - 1 degrees, is not."""
    loop, run = deep
    for observable in (Trace(Sigma), Trace(Sigma**2)):
        seen = evaluate(observable, run)[:, 2]
        error = seen.std() / len(seen) ** 0.5
        assert abs(seen.mean() - float(expect(loop, observable).at(n=2))) < BOUND * error, SEED
    off = Loop(PLANE, estimator=MLE(), samples=10)
    logs = run["log_det"].to_numpy()[:, 30]
    planted = float(expect(off, log(Determinant(Sigma))).at(n=30))
    assert abs(logs.mean() - planted) > BOUND * logs.std() / len(logs) ** 0.5


def test_observables_are_read_from_matrices(deep):
    """Assert that a recorded trace, a sum of squares of the root, is that of the recorded matrix, rounding apart."""
    _, run = deep
    eps = np.finfo(float).eps  # all terms are positive, so that each of a few roundings is relative
    np.testing.assert_allclose(run["trace"], run["Sigma"][:, :, 0, 0] + run["Sigma"][:, :, 1, 1], rtol=8 * eps, atol=0)


@pytest.mark.parametrize("d", [3, 17])
def test_the_same_bits_for_any_chunk(d):
    """Assert that chains do not depend on how many advance together, in both layouts."""
    source = MultivariateGaussian([0] * d, np.eye(d, dtype=int).tolist())
    loop = Loop(source, samples=20, regime=Accumulate() if d == 3 else Replace())
    asked = {"generations": 2, "seed": 3, "method": "statistic", "observe": {"trace": Trace(Sigma)}, "paths": True}
    one, two = simulate(loop, chains=512, chunk=512, **asked), simulate(loop, chains=300, chunk=256, **asked)
    for name in one:
        np.testing.assert_array_equal(one[name][:300], two[name])
