"""Gaussian loops whose source is not Gaussian: the first fit by exhaustive enumeration, projections by integrals."""

from itertools import product
from math import prod

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, quad
from sympy import E, Expr, Integer, Rational, S, Symbol, exp, lambdify, log, oo, pi

from theory import (
    MLE,
    V0,
    Accumulate,
    Empirical,
    Exponential,
    Gamma,
    Gaussian,
    Laplace,
    Loop,
    M,
    Mixed,
    NotClosed,
    Replace,
    Shrinkage,
    StudentT,
    Subsample,
    Tempered,
    Unbiased,
    Uniform,
    UniformOn,
    VarianceFactor,
    Weighted,
    drift,
    expect,
    law,
    risk,
    tail,
)
from theory.families.outside import Outside
from theory.points import MixturePoints, NormalPoints, Points
from theory.walk import whole_walk

x = Symbol("x", real=True)
MU, V = Gaussian.mu, Gaussian.V
POLYNOMIALS = (MU, V, MU**2, MU * V, V**2, MU**2 * V, MU**4)


@frozen
class Normal(Outside):
    """N(1, 2), told by its moments alone."""

    def centred(self) -> tuple[Expr, Points]:
        return S.One, NormalPoints(S(2))


def fits(values, size):
    """Yield mean and maximum likelihood variance of every sample of that size."""
    for sample in product(values, repeat=size):
        mean = Rational(sum(sample), size)
        yield mean, sum((v - mean) ** 2 for v in sample) / size


@settings(max_examples=15)
@given(st.lists(st.integers(-3, 5), min_size=2, max_size=3).filter(lambda v: len(set(v)) > 1), st.integers(2, 4))
def test_the_first_fit_is_that_of_every_sample(values, size):
    """Assert moments of fit 1 against all samples of a listed source, each as likely as another."""
    loop = Loop(Gaussian(), source=Empirical(values), samples=size)
    for of in POLYNOMIALS:
        wanted = sum(of.subs({MU: mean, V: v}) for mean, v in fits(values, size)) / Integer(len(values)) ** size
        assert expect(loop, of).values(1)[1] == wanted


@pytest.mark.parametrize("of", [V, MU**2, V**2, MU * V])
def test_the_second_fit_starts_from_the_first(of):
    """Assert that fit 2 is the mean over fits 1 of a Gaussian loop that starts there."""
    values, size = (0, 1, 5), 3
    step = expect(Loop(Gaussian(), samples=size), of).next()
    wanted = sum(step.subs({MU: mean, V: v}) for mean, v in fits(values, size)) / Integer(len(values)) ** size
    assert expect(Loop(Gaussian(), source=Empirical(values), samples=size), of).values(2)[2] == wanted.expand()


def real_and_model(values, size, real):
    """Yield, for each sample of a first fit and each second real sample, (mean, V) and the real points."""
    for (mean, v), drawn in product(fits(values, size), product(values, repeat=real)):
        yield mean, v, drawn


@pytest.mark.parametrize("of", [V, MU**2])
def test_real_points_of_later_fits_are_of_the_source_too(of):
    """Assert fit 2 with one real point of three: the others are N(mu, V), averaged by hand for a second-order f."""
    values, size, real = (0, 1, 5), 3, 1
    total = S.Zero
    for mean, v, drawn in real_and_model(values, size, real):
        m = size - real
        # E xbar = (r + m mean)/size with r the real point; Var xbar = m v/size^2; E sum x^2 = r^2 + m (v + mean^2).
        centre, spread = (sum(drawn) + m * mean) / size, m * v / size**2
        squares = sum(r**2 for r in drawn) + m * (v + mean**2)
        total += {MU**2: centre**2 + spread, V: squares / size - centre**2 - spread}[of]
    loop = Loop(Gaussian(), source=Empirical(values), regime=Mixed(Rational(real, size)), samples=size)
    assert expect(loop, of).values(2)[2] == total / Integer(len(values)) ** (size + real)


LOOPS = [
    {"regime": Replace()},
    {"regime": Accumulate()},
    {"regime": Subsample()},
    {"regime": Mixed(Rational(1, 2))},
    {"regime": Mixed(Rational(1, 2), fresh=False)},
    {"regime": Mixed(Rational(1, 2), count="bernoulli")},
    {"regime": Weighted(Rational(1, 3))},
    {"estimator": Shrinkage(Rational(1, 3), Unbiased())},
]


@pytest.mark.parametrize("axes", LOOPS, ids=lambda axes: str(next(iter(axes.values()))))
def test_a_normal_source_told_by_its_moments_is_the_gaussian_one(axes):
    """Assert the same moments whether N(1, 2) is the family's own law or a source known by its moments."""
    inside, outside = Loop(Gaussian(1, 2), samples=4, **axes), Loop(Gaussian(), source=Normal(), samples=4, **axes)
    for of in (MU, V, MU**2):
        assert expect(outside, of).values(3) == expect(inside, of).values(3)


def test_closed_forms_hold_from_the_first_fit():
    """Assert E V_n = 2 b^2 (1 - 1/M)^n for a Laplace source, as for any of that variance."""
    found = expect(Loop(Gaussian(), source=Laplace(0, 1)), V)
    wanted = expect(Loop(Gaussian(0, 2)), V)
    assert [(a - b).factor() for a, b in zip(found.values(4), wanted.values(4), strict=True)] == [0] * 5
    assert "Laplace" in found.assumptions[0]


SOURCES = {
    Laplace(1, 2): (exp(-(x - 1) / 2) / 4, (1, oo), 2),
    UniformOn(-1, 3): (Rational(1, 4) + 0 * x, (1, 3), 2),
    StudentT(7, 1, 3): (16 / (15 * pi * 7**S.Half) * (1 + (x - 1) ** 2 / 63) ** -4, (1, oo), 2),
    Exponential(2): (exp(-x / 2) / 2, (0, oo), 1),
    Gamma(3, 1): (27 * x**2 * exp(-3 * x) / 2, (0, oo), 1),
    Uniform(5): (Rational(1, 5) + 0 * x, (0, 5), 1),
}


def integral(source, value):
    """Return E value(x, f(x)) for a point x of the source with the density f, by quadrature."""
    density, (low, high), times = SOURCES[source]
    f = lambdify(x, density, "mpmath")
    ends = [low, high] if high != oo else [low, low + 10, low + 100, mp.inf]
    return times * quad(lambda t: f(t) * value(t, f(t)), [end if end == mp.inf else mp.mpf(int(end)) for end in ends])


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_moments_and_entropy_are_integrals_of_the_density(source):
    """Assert the mass, the central moments and -int f log f, to 12 digits; half of a symmetric density does."""
    mean, points = source.centred()
    symmetric = SOURCES[source][2] == 2
    with mp.workdps(20):
        assert abs(integral(source, lambda _t, _f: 1) - 1) < 1e-12
        for order in (2, 4) if symmetric else (1, 2, 3, 4):
            wanted = integral(source, lambda t, _f, k=order: (t - mp.mpf(mean.p) / mean.q) ** k)
            assert abs(points.moment(order).n(20) - wanted) < 1e-9
        assert abs(source.differential_entropy().n(20) - integral(source, lambda _t, f: -mp.log(f))) < 1e-12


def test_the_divergence_is_paid_once():
    """Assert KL(source || projection) at samples = oo for ever: log(4 pi e)/2 - 1 - log 2, and log(2 pi e/12)/2."""
    for source, wanted in ((Laplace(), log(4 * pi * E) / 2 - 1 - log(2)), (UniformOn(), log(2 * pi * E / 12) / 2)):
        found = risk(Loop(Gaussian(), source=source, samples=oo))
        assert all(abs((found.at(n=k) - wanted).n(20)) < 1e-15 for k in (1, 2, 5))


def test_a_tempered_source_is_tempered_once():
    """Assert that fit 1 sees the law of density f^(1/tau), of variance 2 (tau b)^2, and later ones a Gaussian's."""
    loop = Loop(Gaussian(), source=Laplace(0, 1), sampling=Tempered(3), samples=oo)
    assert expect(loop, V).values(3) == [2, 18, 54, 162]
    assert Exponential(2).drawn_as(Tempered(3)) == Exponential(6)
    assert StudentT(5).drawn_as(Tempered(2)) == StudentT(2, 0, Rational(5, 2) ** S.Half)
    assert Gamma(3, 1).drawn_as(Tempered(2)) == Gamma(2, Rational(4, 3))


def test_points_of_two_laws():
    """Assert the moments of a mixture of shifted points against those of a list."""
    listed = Empirical([1, 1, 4]).centred()[1]
    one, four = (Empirical([k]).centred()[1] for k in (1, 4))
    mixed = MixturePoints((Rational(2, 3), Rational(1, 3)), (S(-1), S(2)), (one, four))
    assert [mixed.moment(k) for k in range(5)] == [listed.moment(k) for k in range(5)]
    heavy = MixturePoints((S.Half, S.Half), (S.Zero, S.Zero), (one, StudentT(5).centred()[1]))
    assert heavy.exists(4) == 1
    assert prod(mixed.weights) == Rational(2, 9)


LAPLACE = Loop(Gaussian(), source=Laplace())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda: law(LAPLACE), "first fit has a law of its own"),
        (lambda: tail(LAPLACE), "first fit has a law of its own"),
        (lambda: whole_walk(LAPLACE), "Laplace"),
        (lambda: risk(LAPLACE), "does not close"),
        (lambda: expect(LAPLACE, log(V)), "does not close"),
        (lambda: expect(Loop(Gaussian(), source=StudentT(4)), V**2).values(1), "infinite"),
        (lambda: risk(Loop(Gaussian(), source=Empirical([1, 2]), samples=oo)), "no entropy"),
        (lambda: expect(Loop(Gaussian(), source=Laplace(), sampling=VarianceFactor(2)), V), "VarianceFactor"),
        (lambda: StudentT(1).drawn_as(Tempered(2)), "no finite integral"),
    ],
)
def test_what_a_first_fit_does_not_tell_is_refused(asked, words):
    """Assert a refusal where the first fit has no chi-square variance."""
    with pytest.raises(NotClosed, match=words):
        asked()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: Loop(Gaussian(), source=StudentT(2)), "no variance is finite"),
        (lambda: StudentT(0), "StudentT"),
        (lambda: Laplace(0, -1), "Laplace"),
        (lambda: UniformOn(1, 1), "empty"),
        (lambda: Empirical([]), "no points"),
        (lambda: Empirical([1.5]), "float"),
        (lambda: Loop(Exponential(), source=Laplace()), "Exponential does not know"),
    ],
)
def test_what_is_no_source_is_refused(made, words):
    """Assert a sentence about a wrong source."""
    with pytest.raises(ValueError, match=words):
        made()


def test_later_fits_do_not_depend_on_the_source():
    """Assert that the drift is that of a Gaussian loop."""
    assert drift(LAPLACE).rate == drift(Loop(Gaussian(0, V0), estimator=MLE(), samples=M)).rate
