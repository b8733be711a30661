"""Moments of the Wishart law by pairings, against its Bartlett decomposition, and what is built on them."""

from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import (
    Add,
    Determinant,
    ImmutableMatrix,
    Matrix,
    MatrixSymbol,
    Mul,
    Rational,
    S,
    Symbol,
    Trace,
    digamma,
    expand_log,
    gamma,
    log,
    oo,
    polygamma,
    rf,
    sqrt,
    symbols,
)
from sympy.utilities.iterables import partitions

from proofs.kernel import check
from theory import (
    Accumulate,
    DiagonalGaussian,
    Floor,
    Gaussian,
    Loop,
    M,
    Mixed,
    MultivariateGaussian,
    NotClosed,
    Scaled,
    Schedule,
    Tempered,
    Unbiased,
    alpha,
    c,
    drift,
    expect,
    lyapunov,
    n,
    rank,
    tau,
    zonal,
)
from theory.bartlett import Bartlett
from theory.innovations import ChiSquare, Normal
from theory.networks import Atom, X, base, components, form, inverse_wishart, loops, network, pairings, trace, wishart
from theory.symbols import d
from theory.zonal import eigenvalue

Sigma, Sigma0 = MultivariateGaussian.Sigma, MultivariateGaussian.Sigma0
det = Determinant(Sigma)
nu = M - 1
ANY = Loop(MultivariateGaussian(), estimator=Scaled(c))
"""Symbolic dimension, source, sample size and multiplier."""
KAPPAS = [(1,), (2,), (1, 1), (3,), (2, 1), (1, 1, 1)]


def vanishes(expr):
    """Decide that an expression is 0 by normal form."""
    return expr.expand().together().cancel() == 0


# Networks and pairings ------------------------------------------------------------------------------------------------

A, B, u, v = (Atom(name) for name in "ABuv")
WORDS = st.lists(st.sampled_from([A, B, A.inverse]), max_size=4)


@given(WORDS, st.integers(0, 3), st.booleans())
def test_traces_know_rotation_and_reversal(word, turn, reverse):
    """Assert that tr(ABC) = tr(BCA) = tr(CBA) for symmetric matrices, with neighbours A A^-1 left out."""
    turned = word[turn:] + word[:turn]
    assert trace(word) == trace(turned[::-1] if reverse else turned)
    assert trace([A, *word, A.inverse]) == trace(word)


@given(st.lists(st.one_of(WORDS.map(trace), WORDS.map(lambda word: form(u, word, v))), max_size=3))
def test_networks_are_products_again(product):
    """Assert that a product written as a graph is read back as the same product."""
    assert components(*network(product)) == tuple(sorted(product))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_pairings_are_counted_by_their_loops(k):
    """Assert (2k-1)!! pairings, and sum x^loops = x (x + 2) ... (x + 2k - 2), the moments of one chi-square."""
    assert sum(1 for _ in pairings(range(2 * k))) == factorial(2 * k) // (2**k * factorial(k))
    total = sum(weight for weight, _ in wishart(k))
    assert vanishes(total - Mul(*(X + 2 * j for j in range(k))))
    assert loops(base(k), base(k)) == (1,) * k


@pytest.mark.parametrize("k", [1, 2, 3])
def test_inverse_pairings_in_one_dimension(k):
    """Assert that for d = 1 the weights of the inverse add up to E chi^-2k = 1/((df - 2) (df - 4) ... (df - 2k))."""
    total = Add(*(weight for weight, _ in inverse_wishart(k))).subs(X, nu - 2)
    assert vanishes(total * Mul(*(nu - 2 * j for j in range(1, k + 1))) - 1)


# One step against Bartlett's decomposition in two dimensions ----------------------------------------------------------

L = Matrix([[Symbol("l1", positive=True), 0], [Symbol("l2", real=True), Symbol("l3", positive=True)]])
"""The Cholesky factor of any covariance: what holds for it holds for every model."""
MODEL = (L * L.T).as_immutable()
SAMPLES = Symbol("m", integer=True, positive=True)
chi1, chi2, z = Symbol("chi1", positive=True), Symbol("chi2", positive=True), Symbol("z", real=True)
BARTLETT = (ChiSquare(chi1, SAMPLES - 1), ChiSquare(chi2, SAMPLES - 2), Normal(z, S.One))
"""T = [[sqrt chi1, 0], [z, sqrt chi2]] has T T' ~ Wishart_2(m - 1, I)."""
T = Matrix([[sqrt(chi1), 0], [z, sqrt(chi2)]])
FITTED = (L * T * T.T * L.T / (SAMPLES - 1)).applyfunc(lambda x: x.expand())
FIXED = ImmutableMatrix([[2, 1], [1, 3]])


def mean(expr):
    """E of a Laurent polynomial in chi1, chi2, z."""
    total = S.Zero
    for term in expr.expand().as_ordered_terms():
        weight, rest = term.as_independent(chi1, chi2, z, as_Add=False)
        powers = rest.as_powers_dict()
        total += weight * Mul(*(law.moment((S(powers[law.symbols[0]]),), (0,)) for law in BARTLETT))
    return total


def in_plane(expr, matrix):
    """The matrix put into an observable."""
    return expr.xreplace({Sigma: matrix}).doit()


PLANE = {
    "power sums": Trace(Sigma**2) * Trace(Sigma),
    "cube": Trace(Sigma**3),
    "entries": Sigma[0, 1] * Sigma[0, 0],
    "fixed matrix": Trace(FIXED * Sigma * FIXED * Sigma),
    "determinant and trace": det**2 * Trace(Sigma),
    "root of the determinant": sqrt(det),
}


def one_step(observable, loop):
    """E[observable(next) | model] at the model L L'."""
    return in_plane(expect(loop, observable).next(), MODEL)


IN_PLANE = Loop(MultivariateGaussian([0, 0], [[1, 0], [0, 1]]), estimator=Unbiased(), samples=SAMPLES)


@pytest.mark.parametrize("name", PLANE)
def test_one_step_is_bartlett_in_two_dimensions(name):
    """Assert E[f(Sigma') | Sigma] for every covariance of two rows and every sample size."""
    observable = PLANE[name]
    wanted = mean(sqrt(in_plane(det, FITTED).factor()) if name.startswith("root") else in_plane(observable, FITTED))
    assert (one_step(observable, IN_PLANE) - wanted).simplify() == 0


@pytest.mark.parametrize("power", [1, 2])
def test_one_step_of_the_inverse_is_bartlett(power):
    """Assert E[tr(Sigma'^-1)^k | Sigma], the inverse written out for two rows."""
    root = T.inv() * L.inv()
    inverse = (SAMPLES - 1) * (root.T * root).trace()
    wanted = mean(inverse**power)
    assert vanishes(one_step(Trace(Sigma.I) ** power, IN_PLANE) - wanted)


# Zonal polynomials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kappa", KAPPAS)
def test_zonal_polynomials_are_eigenfunctions(kappa):
    """Assert E C_kappa(Sigma_n) = ((2c/nu)^k (nu/2)_kappa)^n C_kappa(Sigma_0), in every dimension."""
    rising = Mul(*(rf(nu / 2 - Rational(row, 2), part) for row, part in enumerate(kappa)))
    rate = (2 * c / nu) ** sum(kappa) * rising
    step = expect(ANY, zonal(kappa)).next()
    assert vanishes(step - rate * zonal(kappa))
    found = expect(ANY, zonal(kappa)).expression
    assert (found / zonal(kappa, Sigma0)).subs(n, 1).together().cancel() == rate.cancel()
    assert (found / zonal(kappa, Sigma0)).subs(n, 3).together().cancel() == (rate**3).cancel()
    assert vanishes(rate - (c / nu) ** sum(kappa) * eigenvalue(kappa, nu))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_zonal_polynomials_of_a_degree_add_up_to_the_power_of_the_trace(k):
    """Assert sum_kappa C_kappa(A) = tr(A)^k."""
    kappas = [tuple(p for p in sorted(m, reverse=True) for _ in range(m[p])) for m in partitions(k)]
    assert vanishes(sum(zonal(kappa) for kappa in kappas) - Trace(Sigma) ** k)


@pytest.mark.parametrize("kappa", [(1, 1), (2, 1), (1, 1, 1), (2, 2)])
def test_more_parts_than_dimensions_vanish(kappa):
    """Assert C_kappa = 0 for matrices of fewer rows than kappa has parts, and not for as many."""
    diagonal = symbols("x1:4", positive=True)
    few, enough = (ImmutableMatrix.diag(*diagonal[:rows]) for rows in (len(kappa) - 1, len(kappa)))
    assert vanishes(in_plane(zonal(kappa), few))
    assert not vanishes(in_plane(zonal(kappa), enough))


@pytest.mark.parametrize("bad", [(), (0,), (1, 2), (1.5,)])
def test_what_is_no_partition_is_refused(bad):
    """Assert that zonal names what it cannot take."""
    with pytest.raises(ValueError, match="no partition"):
        zonal(bad)


# Second moments, determinant, spectrum --------------------------------------------------------------------------------


def test_second_moments():
    """Assert E tr Sigma_n^2 and E (tr Sigma_n)^2 in tr Sigma_0^2 and (tr Sigma_0)^2 alone, whatever the dimension."""
    a0, b0 = Trace(Sigma0**2), Trace(Sigma0) ** 2
    up, down = ((nu + 2) / nu) ** n, ((nu - 1) / nu) ** n
    square = c ** (2 * n) * ((2 * a0 + b0) / 3 * up + (a0 - b0) / 3 * down)
    trace_squared = c ** (2 * n) * ((2 * a0 + b0) / 3 * up - 2 * (a0 - b0) / 3 * down)
    for observable, wanted in ((Trace(Sigma**2), square), (Trace(Sigma) ** 2, trace_squared)):
        found = expect(ANY, observable)
        assert all(vanishes((found.expression - wanted).subs(n, k)) for k in range(4))
        assert [check(one.data).rule for one in found.certificate] == ["induction_eq"]


def test_determinant_and_its_logarithm():
    """Assert E det and E log det with the dimension a symbol, and Var log det = n sum psi_1((nu - i)/2)."""
    ratio = (c**d * gamma(nu + 1) / (gamma(nu - d + 1) * nu**d)) ** n
    found = expect(ANY, det).expression / Determinant(Sigma0)
    assert ((found / ratio).subs(n, 1)).gammasimp().simplify() == 1
    first, second = (expect(ANY, log(det) ** k).expression for k in (1, 2))
    for size in (1, 2, 4):
        steps = sum(digamma((nu - i) / 2) for i in range(size)) + size * log(2 * c / nu)
        variance = n * sum(polygamma(1, (nu - i) / 2) for i in range(size))
        put = {d: size, Determinant(Sigma0): 1}
        assert settled(first.subs(put).doit() - n * steps) == 0
        assert settled((second - first**2).subs(put).doit() - variance) == 0
    assert expect(ANY, det).conditions == (M - d > 0,)


def settled(expr):
    """Normal form with digammas and logarithms taken apart."""
    return expand_log(expr.rewrite(polygamma), force=True).expand().together().cancel()


@pytest.mark.parametrize("power", [1, 2, 3, -1, -2, S.Half, -S.Half, Rational(3, 2)])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_determinant_telescopes_in_any_dimension(power, size):
    """Assert that the Gamma ratios for a dimension in symbols are the product of d chi-square moments."""
    wanted = Mul(*(ChiSquare(chi1, nu - i).moment((S(power),), (0,)) for i in range(size)))
    found = Bartlett(nu, d).moment(S(power), 0).subs(d, size)
    assert (found / wanted).gammasimp().simplify() == 1


def test_determinant_does_not_decouple_from_the_trace():
    """Assert E[tr Sigma log det Sigma] = d/da E[tr Sigma det^a] at a = 0, by a difference of the df that det shifts."""
    joint = expect(ANY, det * Trace(Sigma)).expression
    alone = expect(ANY, det).expression * expect(ANY, Trace(Sigma)).expression
    assert ((joint / alone).subs(n, 1)).gammasimp().simplify() == (nu + 2) / nu
    mixed = expect(ANY, log(det) * Trace(Sigma)).expression - expect(ANY, log(det)).expression * Trace(Sigma0) * c**n
    assert vanishes(mixed.subs(n, 1) - c * 2 / nu * Trace(Sigma0))


def test_lyapunov_exponents_build_the_determinant():
    """Assert exponent k = psi((nu - k + 1)/2) + log(2c/nu), and that the first k of any loop add up to E log det in k
    dimensions.
    """
    spectrum, k = lyapunov(ANY), Symbol("k", integer=True, positive=True)
    assert settled(spectrum.exponent(k) - digamma((nu - k + 1) / 2) - log(2 * c / nu)) == 0
    tempered = Loop(MultivariateGaussian(), sampling=Tempered(tau))
    for size in (1, 2, 3):
        growth = expect(tempered.at(d=size), log(det)).expression.subs({n: 1, Determinant(Sigma0): 1})
        assert settled(growth - sum(lyapunov(tempered.at(d=size)).exponents)) == 0
    assert settled(spectrum.exponent(1) - drift(Loop(Gaussian(), estimator=Scaled(c))).rate) == 0


def test_spectrum_collapses_onto_a_line():
    """Assert that the exponents fall strictly, about 1/nu a step: the top eigenvalue runs away from the others."""
    spectrum = lyapunov(Loop(MultivariateGaussian(dimension=4), samples=101))
    gaps = [(a - b).evalf() for a, b in zip(spectrum.exponents, spectrum.exponents[1:], strict=False)]
    assert all(abs(gap * 100 - 1) < Rational(1, 20) for gap in gaps)
    assert abs((spectrum.alignment - gaps[0]).evalf()) < Rational(1, 10**12)
    assert abs((spectrum.condition - sum(gaps)).evalf()) < Rational(1, 10**12)


def test_rank_is_lost_at_the_first_fit():
    """Assert rank min(d, M - 1), det = 0 and -oo exponents for M <= d, traces untouched, log det refused by name."""
    loop = Loop(MultivariateGaussian(dimension=4), samples=3)
    assert rank(loop) == 2
    assert rank(Loop(MultivariateGaussian())).subs({d: 5, M: 4}) == 3
    assert expect(loop, det).values(2) == [Determinant(Sigma0), 0, 0]
    assert expect(loop, sqrt(det)).values(1)[1] == 0
    assert lyapunov(loop).exponents[1:] == (lyapunov(loop).exponent(2), -oo, -oo)
    general = expect(loop.at(), Trace(Sigma**2)).expression
    assert vanishes(
        general.subs(n, 2) - expect(Loop(MultivariateGaussian()), Trace(Sigma**2)).expression.subs({M: 3, n: 2})
    )
    for observable in (log(det), Trace(Sigma.I), 1 / det, det * log(det)):
        with pytest.raises(NotClosed, match=r"samples: 3 points in 4 dimensions .* rank 2"):
            expect(loop, observable)


REFUSED = {
    "spectrum of a diagonal": (lambda: lyapunov(Loop(DiagonalGaussian([0], [1]))), "family: DiagonalGaussian"),
    "spectrum, accumulate": (lambda: lyapunov(Loop(MultivariateGaussian(), regime=Accumulate())), "regime"),
    "spectrum, mixed": (lambda: lyapunov(Loop(MultivariateGaussian(), regime=Mixed(alpha))), "regime"),
    "spectrum, schedule": (lambda: lyapunov(Loop(MultivariateGaussian(), regime=Schedule(M * n))), "regime"),
    "spectrum, oo": (lambda: lyapunov(Loop(MultivariateGaussian(), samples=oo)), "samples = oo"),
    "spectrum, floor": (lambda: lyapunov(Loop(MultivariateGaussian(), estimator=Floor(1))), "estimator"),
    "rank of a Gaussian": (lambda: rank(Loop(Gaussian())), "family: Gaussian"),
    "rank, floor": (lambda: rank(Loop(MultivariateGaussian(), estimator=Floor(1))), "estimator: the rank"),
    "rank, schedule": (lambda: rank(Loop(MultivariateGaussian(), regime=Schedule(M * n))), "regime: the rank"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_spectra_that_are_not_known_are_refused(name):
    """Assert that a refusal names the axis."""
    attempt, words = REFUSED[name]
    with pytest.raises(NotClosed, match=words):
        attempt()


# Growing pools --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [(2,), (1, 1), (3,), (2, 1), (1, 1, 1)])
def test_zonal_polynomials_stay_eigenfunctions_of_growing_pools(kappa):
    """Assert that a growing pool multiplies C_kappa by one factor a fit, since it treats all directions alike."""
    pooled = Loop(MultivariateGaussian(), regime=Accumulate())
    step = expect(pooled, zonal(kappa)).next()
    rate = (step / zonal(kappa)).together().cancel()
    assert not rate.has(Trace)
    values = expect(pooled, zonal(kappa)).values(3)
    product = Mul(*(rate.subs(n, k) for k in (1, 2, 3)))
    assert vanishes(values[3] - product * values[0])


def test_coupled_moments_of_a_growing_pool_are_solved_and_certified():
    """Assert the closed form of E tr Sigma_n^2 in an accumulating loop against its recurrence, with a certificate."""
    found = expect(Loop(MultivariateGaussian(), regime=Accumulate()), Trace(Sigma**2))
    assert all(vanishes(found.expression.subs(n, k).doit() - value) for k, value in enumerate(found.values(3)))
    assert [check(one.data).rule for one in found.certificate] == ["induction_eq"]


def test_growing_pools_treat_fixed_matrices_alike():
    """Assert that E tr(A Sigma_n B Sigma_n) of an accumulating loop closes for any two fixed matrices."""
    A, B = (MatrixSymbol(name, d, d) for name in "AB")
    found = expect(Loop(MultivariateGaussian(), regime=Accumulate()), Trace(A * Sigma * B * Sigma))
    assert all(vanishes(found.expression.subs(n, k).doit() - value) for k, value in enumerate(found.values(2)))
