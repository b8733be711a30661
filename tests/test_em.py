"""Expectation maximisation: round by round as plain NumPy does it, and mixtures refitted to themselves."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, norm
from sympy import Rational

from numerics import Curve, agree, simulate
from numerics.kits.em import Climb
from numerics.kits.mixtures import Mixtures
from numerics.kits.points import Data
from numerics.samplers.cipher import chain_key
from theory import EM, SGD, Accumulate, Gaussian, Loop, Mixture, NotClosed, Weighted, drift, expect

FALSE_ALARM = 1e-6
"""Chance of each stochastic assertion of this file to fail where nothing is wrong."""
CASES = [(2, 1, "full"), (3, 2, "full"), (2, 3, "spherical")]
SOURCE = Mixture(2, weights=["1/4", "3/4"], means=[-2, 2], variances=[1, 1])
CHAINS = 5
"""Fewer than a group of lanes."""


def plain(x, w, m, C, steps, tolerance=0.0, floor=0.0, covariance="full"):
    """Rounds of EM in NumPy, matrix by matrix."""
    before = -np.inf
    for _ in range(steps):
        apart = x[:, None] - m
        scaled = np.einsum("nki,kij,nkj->nk", apart, np.linalg.inv(C), apart)
        log_chance = np.log(w) - (np.linalg.slogdet(C)[1] + scaled) / 2
        height = np.logaddexp.reduce(log_chance, axis=1)
        r = np.exp(log_chance - height[:, None])
        w, m = r.mean(0), r.T @ x / r.sum(0)[:, None]
        apart = x[:, None] - m
        C = np.einsum("nk,nki,nkj->kij", r, apart, apart) / r.sum(0)[:, None, None]
        if covariance != "full":
            C = C * np.eye(x.shape[1])
        if covariance == "spherical":
            C = np.trace(C, axis1=1, axis2=2)[:, None, None] / x.shape[1] * np.eye(x.shape[1])
        C = C + floor * np.eye(x.shape[1])
        if abs(height.mean() - before) < tolerance:
            break
        before = height.mean()
    return w, m, C


def data(components, dimension, rows=37):
    """Points of several chains and a start for each, from NumPy's generator."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(CHAINS, rows, dimension)) + 3 * rng.integers(0, 2, (CHAINS, rows, 1))
    weights = rng.dirichlet(np.ones(components), CHAINS)
    return x, weights, rng.normal(size=(CHAINS, components, dimension)) + 1.5


@cache
def compiled(climb):
    """The climb of several chains, compiled once."""

    def fit(x, size, w, m, C, tolerance, floor):
        return climb.fit(x, size, (w, m, C), tolerance, floor)

    return jax.jit(jax.vmap(fit, in_axes=(0, 0, 0, 0, 0, None, None)))


def climbed(climb, x, sizes, w, m, tolerance, floor):
    """Fits of several chains at once, from unit covariances, as weights, means and matrices."""
    unit = np.broadcast_to([float(i == j) for i, j in climb.pairs], (*w.shape, len(climb.pairs)))

    with jax.enable_x64(True):
        w, m, C = map(np.asarray, compiled(climb)(x, sizes, w, m, unit, tolerance, floor))
    matrices = np.zeros((*w.shape, climb.dimension, climb.dimension))
    for p, (i, j) in enumerate(climb.pairs):
        matrices[..., i, j] = matrices[..., j, i] = C[..., p]
    return w, m, matrices


@pytest.mark.parametrize(("components", "dimension", "covariance"), CASES)
def test_rounds_are_those_of_numpy(components, dimension, covariance):
    """Assert weights, means and covariances after 7 rounds, of sets of different sizes in arrays of one size, whatever
    is in the room that they leave.
    """
    x, w, m = data(components, dimension)
    sizes = np.array([37.0, 20.0, 36.0, 8.0, 33.0])
    x[np.arange(x.shape[1]) >= sizes[:, None]] = np.nan
    climb = Climb(components, dimension, covariance, 7, tolerant=False)
    found = climbed(climb, x, sizes, w, m, 0.0, 0.01)
    unit = np.broadcast_to(np.eye(dimension), (components, dimension, dimension))
    for chain in range(CHAINS):
        points = x[chain, : int(sizes[chain])]
        wanted = plain(points, w[chain], m[chain], unit, 7, floor=0.01, covariance=covariance)
        for one, two in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one[chain], two, rtol=1e-10, atol=1e-12)


@pytest.fixture(scope="module")
def tolerant():
    """Fits that end early, every chain when its own climb does."""
    x, w, m, climb = tolerant_case()
    return x, w, m, climb, climbed(climb, x, np.full(CHAINS, 37.0), w, m, 1e-3, 1e-6)


def test_a_climb_ends_where_it_rises_no_more(tolerant):
    """Assert that every chain has the rounds of its own, as if it were alone, and that they are not the same."""
    x, w, m, _, found = tolerant
    unit = np.ones((2, 1, 1))
    for chain in range(CHAINS):
        wanted = plain(x[chain], w[chain], m[chain], unit, 100, 1e-3, 1e-6)
        for one, two in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one[chain], two, rtol=1e-9)
    later = plain(x[0], w[0], m[0], unit, 100, 0.0, 1e-6)
    assert abs(found[1][0] - later[1]).max() > 1e-4


def test_fits_are_those_of_scikit_learn(tolerant):
    """Assert the means, weights and variances of GaussianMixture with the same start, tolerance and floor."""
    mixture = pytest.importorskip("sklearn.mixture", reason="scikit-learn is the optional extra data")
    x, w, m, _, found = tolerant
    peer = mixture.GaussianMixture(2, weights_init=w[0], means_init=m[0], precisions_init=np.ones((2, 1, 1))).fit(x[0])
    for one, two in zip(found, (peer.weights_, peer.means_, peer.covariances_), strict=True):
        np.testing.assert_allclose(one[0], two, rtol=1e-9)


@settings(max_examples=20)
@given(st.lists(st.integers(-40, 40), min_size=37, max_size=37))
def test_the_moments_of_a_fit_are_those_of_the_points(values):
    """Assert that mean and variance of any fitted mixture are the sample's, as one round of EM already makes them."""
    _, w, m, climb = tolerant_case()
    x = np.broadcast_to(np.array(values, float)[None, :, None] / 8, (CHAINS, 37, 1))
    weights, means, C = climbed(climb, x, np.full(CHAINS, 37.0), w, m, 1e-3, 0.0)
    mean = (weights * means[..., 0]).sum(1)
    variance = (weights * (C[..., 0, 0] + (means[..., 0] - mean[:, None]) ** 2)).sum(1)
    np.testing.assert_allclose(weights.sum(1), 1)
    np.testing.assert_allclose(mean, x[:, :, 0].mean(1), atol=1e-9)
    np.testing.assert_allclose(variance, x[:, :, 0].var(1), rtol=1e-9, atol=1e-9)


def tolerant_case():
    """The arguments of a climb that ends early."""
    return *data(2, 1), Climb(2, 1, "full", 100, tolerant=True)


def test_centres_are_drawn_by_squared_distance():
    """Assert the chances of every ordered pair of centres among 4 points, and none where points do not count."""
    x = np.array([0.0, 1.0, 3.0, 7.0, 100.0])
    mixtures = Mixtures(Mixture(2), EM(), Gaussian(0, 1))

    def pair(chain):
        return mixtures._centres(chain_key(0, chain), Data(jnp.asarray(x)[:, None], jnp.array(4.0)))[:, 0]

    with jax.enable_x64(True):
        drawn = np.asarray(jax.jit(jax.vmap(pair))(np.arange(20_000)))
    apart = (x[:4, None] - x[:4]) ** 2
    chances = apart / apart.sum(1, keepdims=True) / 4
    counts = np.array([[((drawn == (a, b)).all(1)).sum() for b in x[:4]] for a in x[:4]])
    assert counts.sum() == 20_000
    off = chances > 0
    assert chisquare(counts[off], 20_000 * chances[off]).pvalue > FALSE_ALARM
    assert (counts[~off] == 0).all()


LOOP = Loop(Mixture(2), source=Gaussian(0, 1), samples=10, estimator=EM(5, tolerance=0, floor=0), regime=Accumulate())


@pytest.fixture(scope="module")
def run():
    """A mixture fitted to all points so far, from centres among the first ones on, by five rounds each."""
    return simulate(LOOP, generations=4, chains=5_000)


def test_the_variance_of_a_refitted_mixture_is_a_gaussians(run):
    """Assert E V_n = prod_k (1 - 1/(M k^2)), as of Gaussians on the same pool, not of points of fit n alone.

    The mean stays.
    """
    assert run.attrs["method"] == "data"
    k = np.arange(1, 5)
    pooled, replaced = (np.cumprod([1, *(1 - 1 / (10 * sizes))]) for sizes in (k**2, np.ones(4)))
    verdicts = [agree(Curve("V", "V", values), run, smallest=0.05).verdict for values in (pooled, replaced)]
    assert verdicts == ["agree", "disagree"]
    means = run.mu.to_numpy()
    assert abs(means.mean(0)[1:] / means.std(0)[1:] * 5_000**0.5).max() < norm.isf(FALSE_ALARM / 8)
    np.testing.assert_allclose(run.w.sum("component"), 1)


def test_numbers_do_not_depend_on_the_company(run):
    """Assert that chains keep their bits among fewer others, in smaller chunks."""
    few = simulate(LOOP, generations=4, chains=300, chunk=256)
    assert run.isel(chain=slice(300)).equals(few)


def test_what_does_not_fit_a_mixture_is_refused():
    """Assert that derivations, weights, other learners and missing sources are refused by name."""
    with pytest.raises(NotClosed, match="Mixture has no moments"):
        expect(LOOP, Mixture.V)
    with pytest.raises(NotClosed, match="Mixture has no refit"):
        drift(LOOP)
    for loop, words in (
        (Loop(SOURCE, samples=10, regime=Weighted(Rational(1, 2))), "weighs its parts"),
        (Loop(SOURCE, samples=10, estimator=SGD(5, 1)), "no way to fit a Mixture"),
    ):
        with pytest.raises(ValueError, match=words):
            simulate(loop, generations=1, chains=1)
    with pytest.raises(ValueError, match="the loop has no source"):
        simulate(Loop(Mixture(2), samples=10), generations=1, chains=1)
    with pytest.raises(ValueError, match="3 coordinates"):
        Loop(Mixture(2), source=Mixture(2, 3))
    with pytest.raises(ValueError, match="alone are no source"):
        Mixture(2, weights=[0, 1])
    with pytest.raises(NotClosed, match="learns has no moments"):
        expect(Loop(Gaussian(), estimator=EM()), Gaussian.V)


def test_mixtures_in_the_plane_are_recorded():
    """Assert that mean, covariance and its log determinant are those of the components, in every model."""
    unit = [[1, 0], [0, 1]]
    source = Mixture(2, 2, weights=["1/2", "1/2"], means=[[0, 0], [3, 1]], variances=[unit, unit])
    run = simulate(Loop(source, estimator=EM(3), samples=40), generations=2, chains=8)
    w, m, C = (run[name].to_numpy() for name in "wmC")
    mean = np.einsum("...k,...ki->...i", w, m)
    square = C + np.einsum("...ki,...kj->...kij", m, m)
    whole = np.einsum("...k,...kij->...ij", w, square) - np.einsum("...i,...j->...ij", mean, mean)
    assert np.allclose(run["mu"], mean, atol=1e-12)
    assert np.allclose(run["Sigma"], whole, atol=1e-11)
    assert np.allclose(run["log_det"], np.linalg.slogdet(whole)[1], atol=1e-9)
    assert np.ptp(run["log_det"].to_numpy()[:, 2]) > 0.01
