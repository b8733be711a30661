"""Kernel densities and histograms by exact moments: what one fit adds, it adds once or for ever.

Runs that are compared have the family-wise level of `agree`, 1e-4 each, so that the file fails by
chance once in 10^3 runs.
"""

from itertools import pairwise, product

import pytest
from attrs import evolve
from sympy import Add, Expr, Integer, Rational, S, limit, log, oo, sqrt, symbols

from numerics import Curve, agree, simulate
from numerics.decomposition import simulated_sources
from numerics.metrics import measured
from theory import (
    V0,
    Accumulate,
    Empirical,
    Gaussian,
    HistogramDensity,
    KernelDensity,
    Laplace,
    Loop,
    M,
    Mixed,
    NotClosed,
    StudentT,
    Subsample,
    Truncated,
    Unbiased,
    UniformOn,
    expect,
    mu0,
    n,
    sources,
)
from theory.cells import value_at
from theory.points import ListedPoints
from theory.samples import Sample

h, w = symbols("h w", positive=True)
mu, V = KernelDensity.mu, KernelDensity.V
SPREAD = V + (mu - mu0) ** 2
FIXED = Loop(KernelDensity(h), source=Gaussian())
HALF = Rational(1, 2)


def same(a, b):
    """Whether two expressions have one normal form."""
    return (a - b).expand().simplify() == 0


# One fit, by every sample ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [mu, V, mu**2, V**2, mu * V, mu**4])
def test_the_second_fit_of_a_kernel_density_is_that_of_every_sample(of):
    """Assert fit 2 against all choices of centres, and the moments of normal deviates to the order four."""
    values, size = (0, 1, 5), 2
    z = symbols("z:2", real=True)
    total: Expr = S.Zero
    for first in product(values, repeat=size):
        for centres in product(first, repeat=size):
            points = [c + h * e for c, e in zip(centres, z, strict=True)]
            mean = sum(points) / size
            square = sum((x - mean) ** 2 for x in points) / size + h**2
            total += gaussian_mean(of.subs({mu: mean, V: square}, simultaneous=True), z)
    wanted = (total / Integer(len(values) * size) ** size).expand()
    found = expect(Loop(KernelDensity(h), source=Empirical(values), samples=size), of).values(2)[2]
    assert same(found, wanted)


def gaussian_mean(polynomial, z):
    """E of a polynomial in independent standard normal z."""
    moments = {0: 1, 2: 1, 4: 3, 6: 15, 8: 105}
    for x in z:
        terms = polynomial.expand().as_poly(x).terms()
        polynomial = Add(*(c * moments.get(k, 0) for (k,), c in terms))
    return polynomial


def test_power_sums_are_those_of_every_sample():
    """Assert E[s1^a s2^b s3^c] against all samples of a listed point."""
    values, size = (-1, 2, 3), 3
    points = ListedPoints(tuple(map(S, values)), (Rational(1, 3),) * 3, S.Zero)
    law = Sample(symbols("s1:4"), S(size), points)
    for powers in ((1, 1, 1), (0, 2, 1), (3, 0, 0), (2, 0, 2)):
        sums = ([sum(x**j for x in sample) for j in (1, 2, 3)] for sample in product(values, repeat=size))
        wanted = sum(s[0] ** powers[0] * s[1] ** powers[1] * s[2] ** powers[2] for s in sums)
        assert law.moment(tuple(map(S, powers)), (0, 0, 0)) == Rational(wanted, 3**size)


def test_a_kernel_of_no_width_is_the_bootstrap():
    """Assert that at h = 0 the moments are those of frequencies: E V_n = V0 (1 - 1/M)^n."""
    loop = Loop(KernelDensity(0), source=Laplace(0, 1))
    assert all(same(x, 2 * ((M - 1) / M) ** k) for k, x in enumerate(expect(loop, V).values(4)))


# Closed forms ---------------------------------------------------------------------------------------------------------


def test_a_kernel_of_fixed_width_adds_its_square_each_time():
    """Assert E V_n = (1 - 1/M) E V_(n-1) + h^2, its limit M h^2, and V0 + n h^2 over the ensemble."""
    found, r = expect(FIXED, V), 1 - 1 / M
    values = found.values(3)
    assert values[0] == V0
    assert all(same(b, r * a + h**2) for a, b in pairwise(values))
    assert same(found.limit(), M * h**2)
    assert same(expect(FIXED, SPREAD).expression, V0 + n * h**2)
    data = ((1 - 1 / M) ** (n + 1) * V0 + M * h**2 * r * (1 - r**n)).subs(n, 3)  # the points of generation 3
    assert same(r * values[3], data)


def test_the_population_limit_pays_the_width_every_time():
    """Assert V_n = V0 + n h^2 with infinitely many points, and nothing where a rule shrinks the width."""
    assert same(expect(FIXED.without("statistical"), V).expression, V0 + n * h**2)
    scott = Loop(KernelDensity("scott"), source=Gaussian(), samples=oo)
    assert expect(scott, V).values(3) == [V0] * 4
    assert limit(expect(Loop(FIXED.family, source=Gaussian()), V).values(2)[2], M, oo) == V0 + 2 * h**2


@pytest.mark.parametrize(("rule", "a"), [("scott", S.One), ("silverman", Rational(3, 4))])
def test_a_rule_multiplies_the_variance(rule, a):
    """Assert E V_n = V0 (1 - 1/M + k^2 (a M)^(-2/5))^n for the width k s (a M)^(-1/5), k = 2."""
    found = expect(Loop(KernelDensity(rule, multiple=2), source=Gaussian(0, 1), samples=32), V)
    wanted = 1 - Rational(1, 32) + 4 * (32 * a) ** Rational(-2, 5)
    assert [same(x, wanted**k) for k, x in enumerate(found.values(3))] == [True] * 4


def test_bins_placed_at_random_add_a_sixth_each_time():
    """Assert V0 + n w^2/6 over the ensemble, for any M and for infinitely many points, and the refusal of E V."""
    for samples in (M, oo):
        loop = Loop(HistogramDensity(w, bins="random"), source=Gaussian(), samples=samples)
        assert same(expect(loop, SPREAD).expression, V0 + n * w**2 / 6)
        with pytest.raises(NotClosed, match="bins placed at random"):
            expect(loop, V)


def test_bins_that_stay_cost_once():
    """Assert (for a uniform law on whole bins, and a list) that the first fit adds what it adds and no later one."""
    flat = Loop(HistogramDensity(HALF), source=UniformOn(-1, 1), samples=oo)
    assert len(set(expect(flat, V).values(4))) == 1
    listed = expect(Loop(HistogramDensity(1), source=Empirical([0, 0, Rational(3, 2), 5]), samples=oo), V).values(3)
    middles = [HALF, HALF, 3 * HALF, 11 * HALF]
    mean = sum(middles) / 4
    assert listed[1:] == [sum((x - mean) ** 2 for x in middles) / 4 + Rational(1, 12)] * 3
    drawn = expect(flat.without("statistical").at(), V).values(1)[1]
    finite = expect(Loop(flat.family, source=flat.source), V).values(3)
    inside = drawn - Rational(1, 48)
    assert all(same(x, inside * (1 - 1 / M) ** k + Rational(1, 48)) for k, x in enumerate(finite) if k)


PAYS = {
    "once": [
        Loop(Gaussian(), source=Laplace(0, 1), samples=oo),
        Loop(HistogramDensity(HALF), source=UniformOn(-1, Rational(4, 3)), samples=oo),
        Loop(KernelDensity("scott"), source=Laplace(0, 1), samples=oo),
    ],
    "every time": [
        Loop(KernelDensity(h), source=Laplace(0, 1), samples=oo),
        Loop(HistogramDensity(w, bins="random"), source=Laplace(0, 1), samples=oo),
        Loop(Gaussian(0, 2), sampling=Truncated(2), samples=oo),
    ],
}


@pytest.mark.parametrize(("loop", "when"), [(one, when) for when, loops in PAYS.items() for one in loops], ids=str)
def test_idempotent_fits_pay_once(loop, when):
    """Assert E[V + (mu - m)^2] without statistical error: constant from fit 1 on, or changed by every fit."""
    values = [value_at(loop, "ensemble_variance", k) for k in (1, 2, 3)]
    changes = [not same(a, b) for a, b in pairwise(values)]
    assert changes == [when == "every time"] * 2


# Regimes --------------------------------------------------------------------------------------------------------------


def test_real_points_hold_the_ensemble():
    """Assert the stationary variance V0 + h^2/alpha over the ensemble, where a share alpha of points is real."""
    a = Rational(1, 4)
    for count in ("fixed", "bernoulli"):
        found = expect(Loop(KernelDensity(h), source=Gaussian(), regime=Mixed(a, count=count)), SPREAD)
        assert same(found.limit(), V0 + h**2 / a)


@pytest.mark.parametrize(
    ("family", "source", "regime"),
    [
        (KernelDensity(HALF), Laplace(1, 1), Mixed(HALF)),
        (KernelDensity("scott", multiple=2), UniformOn(0, 3), Accumulate()),
        (HistogramDensity(HALF), UniformOn(0, Rational(7, 3)), Mixed(HALF, fresh=False)),
    ],
    ids=str,
)
def test_regimes_agree_with_simulation(family, source, regime):
    """Assert E V by generation against drawn points, and that those of 10 points are refused."""
    loop = Loop(family, source=source, regime=regime, samples=6)
    run = simulate(loop, generations=3, chains=4000)
    exact = Curve("E V", "V", expect(loop, V).values(3))
    assert agree(exact, run, smallest=0.1).verdict == "agree"
    other = expect(evolve(loop, samples=10), V).values(3)
    assert agree(Curve("E V", "V", other), run, smallest=0.1).verdict == "disagree"


# The three sources ----------------------------------------------------------------------------------------------------


def test_all_cells_of_a_kernel_density_have_theory():
    """Assert E V and the ensemble's variance in eight cells, and what they say: over runs the width adds n h^2."""
    loop = Loop(KernelDensity(HALF), source=Gaussian(0, 1), samples=10)
    found = simulated_sources(loop, "variance", generations=3, chains=4000, level=1e-6)
    assert found.verdict == "agree"
    assert all(row.theory is not None for row in found.rows.values())
    symbolic = sources(FIXED.at(V0=1, mu0=0), "ensemble_variance")
    assert symbolic.shares["statistical"] == 0
    assert same(symbolic.shares["expressivity"], n * h**2)


def test_the_limit_of_a_kernel_density_of_normal_points_is_normal():
    """Assert KL(source || model) of N(0, 1) and N(0, 1 + n h^2), and E log V by its logarithm."""
    loop = Loop(KernelDensity(1), source=Gaussian(0, 1), samples=oo)
    normal = value_at(Loop(Gaussian(0, 1), source=Gaussian(0, 1), samples=oo), "kl_source_model", 1)
    assert normal == 0
    v = S(4)
    wanted = {"kl_source_model": (1 / v - 1 + log(v)) / 2, "log_variance": log(v), "w2": (sqrt(v) - 1) ** 2}
    assert all(same(value_at(loop, metric, 3), value) for metric, value in wanted.items())


def test_what_is_not_told_is_refused():
    """Assert refusals that name the axis, in the family's own name."""
    asked = [
        (lambda: expect(FIXED, log(V)), "no polynomial"),
        (lambda: value_at(Loop(KernelDensity(1), source=Gaussian(0, 1), samples=5), "nll", 1), "KernelDensity"),
        (lambda: expect(Loop(KernelDensity(1)), V), "fitted to no source"),
        (lambda: expect(Loop(HistogramDensity(1), source=Gaussian(0, 1)), V), "infinitely many"),
        (lambda: expect(Loop(KernelDensity(1), source=Gaussian(0, 1), regime=Subsample()), V), "KernelDensity"),
        (lambda: expect(Loop(KernelDensity(1), source=Gaussian(0, 1), estimator=Unbiased()), V), "no way to fit"),
        (lambda: expect(Loop(KernelDensity(1), source=StudentT(3), samples=5), V**2), "infinite"),
        (lambda: expect(Loop(KernelDensity(1), source=Gaussian(0, 1), sampling=Truncated(1)), V), "Truncated"),
    ]
    for ask, words in asked:
        with pytest.raises((NotClosed, ValueError), match=words):
            ask()


def test_a_smeared_density_is_not_measured_as_a_normal_one():
    """Assert that entropy and divergence of its models, which mean and variance do not tell, are refused."""
    loop = Loop(KernelDensity(1), source=Gaussian(0, 1), samples=5)
    run = simulate(loop, generations=1, chains=4)
    for metric in ("entropy", "kl_source_model", "w2"):
        with pytest.raises(NotClosed, match="not measured"):
            measured(loop, metric, run)
