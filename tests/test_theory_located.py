"""Laplace, Student and uniform laws as families: the laws of their fits, their loops, and the cells that contain them.

Runs are compared at levels of 1e-4 to 1e-6, in all less than one failure by chance in 10^3 runs.
"""

import jax
import numpy as np
import pytest
from mpmath import mp, quad
from scipy import integrate, stats
from scipy.optimize import minimize
from scipy.special import comb
from sympy import Rational, S, Symbol, diff, factorial, log, oo, symbols
from sympy import integrate as integral

from numerics import agree, simulate
from numerics.decomposition import simulated_sources
from numerics.kits.located import _extremes, _median, _student
from numerics.kits.moved import divergence
from numerics.kits.points import Data
from theory import (
    Accumulate,
    Damped,
    Gaussian,
    Laplace,
    Loop,
    M,
    NotClosed,
    StudentT,
    Tempered,
    Truncated,
    UniformOn,
    Weighted,
    expect,
    n,
    risk,
    sources,
)
from theory.cells import value_at
from theory.laws.extremes import Extremes
from theory.laws.median import MedianDeviation

LEVEL = 1e-6
CENTRE, WIDTH = Laplace.centre, Laplace.width
LETTERS = symbols("a b")
STATISTICAL, EXPRESSIVE = frozenset({"statistical"}), frozenset({"expressivity"})


# Laws of fits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "p"), [(0, 1), (1, 0), (2, 1), (1, Rational(1, 2)), (0, -1), (3, 2)])
def test_extremes_are_integrals_of_their_density(a, p):
    """Assert E[x^a r^p] against m(m - 1) int x^a r^p r^(m - 2) over x + r < 1, for four points."""
    x, r = symbols("x r", positive=True)
    wanted = integral(integral(12 * x**a * r ** (p + 2), (x, 0, 1 - r)).expand(), (r, 0, 1))
    assert (Extremes((x, r), S(4)).moment((S(a), S(p)), (0, 0)) - wanted).simplify() == 0


def test_logarithms_of_a_range_are_derivatives():
    """Assert E[x^a r^p (log r)^j] = d^j/dp^j E[x^a r^p]."""
    law, p = Extremes(LETTERS, M), Symbol("p", positive=True)
    for a, j in ((0, 1), (1, 2), (2, 1)):
        wanted = diff(law.moment((S(a), p), (0, 0)), p, j)
        assert (law.moment((S(a), p), (0, j)) - wanted).factor() == 0


def in_order(m, i, power):
    """E x_(i)^power of m points of density exp(-|x|)/2, by quadrature of the density of the i-th of them."""

    def density(x):
        below = 1 - mp.exp(-x) / 2 if x > 0 else mp.exp(x) / 2
        ways = m * comb(m - 1, i - 1, exact=True)
        return ways * below ** (i - 1) * (1 - below) ** (m - i) * mp.exp(-abs(x)) / 2

    return quad(lambda x: x**power * density(x), [-mp.inf, -5, 0, 5, mp.inf])


@pytest.mark.parametrize("m", [2, 3, 6, 7])
def test_means_of_medians_are_those_of_points_in_order(m):
    """Assert E g = sum of E x_(i) above the middle less those below, over m, and E u^2 of an odd number of points."""
    law = MedianDeviation(LETTERS, S(m))
    wanted = sum((2 * i > m + 1) * in_order(m, i, 1) - (2 * i < m + 1) * in_order(m, i, 1) for i in range(1, m + 1)) / m
    assert abs(wanted - law.moment((S(0), S(1)), (0, 0))) < 1e-10
    assert MedianDeviation(LETTERS, S(1)).moment((S(0), S(2)), (0, 0)) == 0
    if m % 2:
        assert abs(in_order(m, (m + 1) // 2, 2) - law.moment((S(2), S(0)), (0, 0))) < 1e-10


def test_two_points_have_their_mean_and_half_their_distance():
    """Assert E[u^a g^b] of two points, u = (x + y)/2 and g = |x - y|/2: with y = |second| and x = y + z the larger of
    two exponential ones, the sum and the distance are 2 y + z and z, or the other way round where signs differ.
    """
    y, z = symbols("y z", positive=True)
    for a, b in ((2, 1), (0, 3), (4, 0), (2, 2)):
        # The smaller of two is exponential with the mean 1/2, so that 2 y is standard.
        alike, apart = ((y + z) / 2) ** a * (z / 2) ** b, (z / 2) ** a * ((y + z) / 2) ** b
        terms = (alike + apart).expand().as_poly(y, z).terms()
        wanted = sum(c * factorial(i) * factorial(j) for (i, j), c in terms) / 2
        assert MedianDeviation(LETTERS, S(2)).moment((S(a), S(b)), (0, 0)) == wanted


# Closed forms ---------------------------------------------------------------------------------------------------------


def test_the_range_of_a_uniform_law_is_a_product():
    """Assert E w_n = w0 ((M - 1)/(M + 1))^n, E log w_n, E KL(model || source) and what the centre keeps."""
    loop = Loop(UniformOn(0, 3))
    assert (expect(loop, WIDTH).expression - 3 * ((M - 1) / (M + 1)) ** n).simplify() == 0
    rate = 1 / M + 1 / (M - 1)
    assert (expect(loop, log(WIDTH)).expression - log(3) + n * rate).simplify() == 0
    assert (risk(loop, "kl_model_source").expression - n * rate).simplify() == 0
    assert expect(loop, CENTRE).expression == Rational(3, 2)
    # The ends of n = oo coincide: their place has the variance that the mean square of a range was spent on.
    spread = expect(loop, (CENTRE - Rational(3, 2)) ** 2)
    assert (spread.limit() - Rational(9, 4) / (2 * M + 1)).simplify() == 0
    assert expect(loop, 1 / WIDTH).conditions == (M - 2 > 0,)


def test_widths_do_not_depend_on_where_and_how_wide():
    """Assert equivariance: moments of a moved and stretched source are moved and stretched."""
    for one, two in (
        (UniformOn(0, 1), UniformOn(1, 3)),
        (Laplace(0, 1), Laplace(2, 2)),
    ):
        (c1, w1), (c2, w2) = one.initial(), two.initial()
        for a, b in ((1, 0), (2, 1), (0, 2)):
            first = expect(Loop(one, samples=4), ((CENTRE - c1) / w1) ** a * (WIDTH / w1) ** b).values(3)
            assert first == expect(Loop(two, samples=4), ((CENTRE - c2) / w2) ** a * (WIDTH / w2) ** b).values(3)


def test_temperature_widens_each_generation():
    """Assert the factor tau on a Laplace law's width, none on a uniform one's, and both for infinitely many points."""
    plain, hot = (expect(Loop(Laplace(), samples=4, sampling=Tempered(tau)), WIDTH) for tau in (1, 3))
    assert hot.values(3) == [3**k * x for k, x in enumerate(plain.values(3))]
    flat = Loop(UniformOn(), samples=4)
    assert expect(Loop(UniformOn(), samples=4, sampling=Tempered(3)), WIDTH).values(2) == expect(flat, WIDTH).values(2)
    assert expect(Loop(Laplace(), samples=oo, sampling=Tempered(3)), WIDTH).values(2) == [1, 3, 9]


# Fits and loops against raw points ------------------------------------------------------------------------------------


def fits(points):
    """Centre and width of every row, by NumPy's own words."""
    middle = np.median(points, axis=1)
    deviation = np.abs(points - middle[:, None]).mean(1)
    low, high = points.min(1), points.max(1)
    return {Laplace: (middle, deviation), UniformOn: ((low + high) / 2, high - low)}


DRAWN = {
    Laplace: lambda rng, c, w, m: rng.laplace(c[:, None], w[:, None], (len(c), m)),
    UniformOn: lambda rng, c, w, m: rng.uniform((c - w / 2)[:, None], (c + w / 2)[:, None], (len(c), m)),
}


def test_fits_read_the_points_that_are_there():
    """Assert the fits of rows with room for more against NumPy, Student's against a minimiser of -log likelihood."""
    rng = np.random.default_rng()
    points, m = rng.standard_t(3, (3, 6)), 6
    with jax.enable_x64(True):
        padded = [
            Data(jax.numpy.concatenate([jax.numpy.array(row), jax.numpy.full(3, 99.0)]), jax.numpy.array(m))
            for row in points
        ]
        found = {Laplace: [_median(d) for d in padded], UniformOn: [_extremes(d) for d in padded]}
        students = [[float(x) for x in _student(d, jax.numpy.array(3.0))] for d in padded]
    for family, rows in found.items():
        np.testing.assert_allclose(np.array(rows).T, fits(points)[family], rtol=1e-12)
    for row, (centre, width) in zip(points, students, strict=True):

        def surprise(law, row=row):
            return -stats.t(3, law[0], np.exp(law[1])).logpdf(row).sum()

        best = minimize(surprise, [np.median(row), 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
        assert surprise([centre, np.log(width)]) <= best.fun + 1e-9


@pytest.mark.parametrize("source", [Laplace(1, 2), UniformOn(-1, 3)], ids=str)
def test_theory_simulation_and_raw_points_agree(source):
    """Assert E width, E width^2 and E centre^2 at fit 2, from theory, from chains, and from NumPy alone."""
    loop, chains, m = Loop(source, samples=5), 40_000, 5
    run = simulate(loop, generations=2, chains=8000)
    assert run.attrs["method"] == "data"
    assert agree(expect(loop, WIDTH), run).verdict == "agree"
    rng, family = np.random.default_rng(), type(source)
    c, w = (np.full(chains, float(x)) for x in source.initial())
    for _ in range(2):
        c, w = fits(DRAWN[family](rng, c, w, m))[family]
    for of, values in ((WIDTH, w), (WIDTH**2, w**2), (CENTRE**2, c**2)):
        exact = float(expect(loop, of).values(2)[2])
        assert abs(values.mean() - exact) < stats.norm.isf(LEVEL) * values.std() / chains**0.5
        other = float(expect(Loop(source, samples=7), of).values(2)[2])
        assert of == CENTRE**2 or abs(values.mean() - other) > stats.norm.isf(LEVEL) * values.std() / chains**0.5


@pytest.mark.parametrize(
    ("family", "law"),
    [(Laplace(), stats.laplace), (UniformOn(), stats.uniform(-0.5)), (StudentT(3), stats.t(3))],
    ids=["Laplace", "UniformOn", "StudentT"],
)
def test_divergences_are_integrals(family, law):
    """Assert KL(p || q) = int p log(p/q) for two laws of a shape, and 0 between a law and itself."""
    p, q = (0.2, 0.7), (0.1, 1.3)

    def density(x, at):
        return law.pdf((x - at[0]) / at[1]) / at[1]

    def integrand(x):
        return density(x, p) * np.log(density(x, p) / density(x, q)) if density(x, p) > 0 else 0.0

    bounds = (-0.15, 0.55) if isinstance(family, UniformOn) else (-np.inf, np.inf)
    wanted = integrate.quad(integrand, *bounds, limit=500)[0]
    assert float(divergence(family)(p, q)) == pytest.approx(wanted, rel=1e-6)
    assert abs(float(divergence(family)(p, p))) < 1e-12


# The cells ------------------------------------------------------------------------------------------------------------


def test_a_family_that_contains_the_source_has_cells():
    """Assert the eight cells of E V of a Gaussian fitted to another law, and of the law fitted to itself, by theory."""
    source = UniformOn(0, 1)
    found = simulated_sources(
        Loop(Gaussian(), source=source, samples=8), "variance", generations=2, chains=8000, smallest=0.15, level=LEVEL
    )
    assert {row.verdict for row in found.rows.values()} <= {"agree", "theory only"}
    assert all(row.theory is not None for row in found.rows.values())
    own = value_at(Loop(source, samples=8), "variance", 2)
    assert found.rows[STATISTICAL].theory == pytest.approx(float(own))


def test_a_student_law_is_simulated_with_the_reason():
    """Assert the cells of a Gaussian fitted to Student points: the law's own loop has no theory, and says why."""
    loop = Loop(Gaussian(), source=StudentT(7), samples=8)
    found = simulated_sources(loop, "entropy", generations=1, chains=300, level=LEVEL)
    own = found.rows[STATISTICAL]
    assert own.verdict == "simulated only"
    assert "degree" in own.reason
    assert own.simulated is not None
    limit = found.rows[frozenset()].theory
    assert limit == pytest.approx(float(StudentT(7).differential_entropy()))
    assert limit is not None
    assert own.simulated.mean < limit


def test_a_uniform_law_splits_in_symbols():
    """Assert sources() for any M: the narrow family spends E V more slowly than the law's own, at every n and M > 2."""
    split = sources(Loop(Gaussian(), source=UniformOn(0, 1)), "variance")
    own, narrow = split.cells[STATISTICAL], split.cells[STATISTICAL | EXPRESSIVE]
    assert (own - (M * (M - 1) / ((M + 1) * (M + 2))) ** n / 12).simplify() == 0
    assert split.at(n=3, M=10).shares["expressivity"] > 0
    assert (narrow.subs(n, 1) - (1 - 1 / M) / 12).simplify() == 0


def test_what_does_not_close_is_refused():
    """Assert refusals that name the axis, by theory and by simulation."""
    asked = [
        (lambda: expect(Loop(Laplace()), WIDTH), "Give loop.at"),
        (lambda: expect(Loop(Laplace(), samples=4), log(WIDTH)), "logarithm"),
        (lambda: expect(Loop(StudentT(5)), WIDTH), "degree"),
        (lambda: expect(Loop(UniformOn(), regime=Accumulate()), WIDTH), "regime"),
        (lambda: expect(Loop(UniformOn(), regime=Weighted(Rational(1, 2)), samples=4), WIDTH), "regime"),
        (lambda: expect(Loop(UniformOn(), estimator=Damped(Rational(1, 2))), WIDTH), "estimator"),
        (lambda: expect(Loop(UniformOn(), sampling=Truncated(1)), WIDTH), "sampling"),
        (lambda: risk(Loop(UniformOn()), "nll"), "infinite"),
        (lambda: Loop(StudentT(5), source=StudentT(4)), "same df"),
        (lambda: Loop(Laplace(), source=UniformOn()), "projection"),
        (
            lambda: simulate(Loop(Laplace(), estimator=Damped(Rational(1, 2)), samples=4), generations=1, chains=1),
            "no way",
        ),
        (lambda: simulate(Loop(StudentT(5), sampling=Tempered(2), samples=4), generations=1, chains=1), "no sampler"),
    ]
    for ask, words in asked:
        with pytest.raises((NotClosed, ValueError), match=words):
            ask()
