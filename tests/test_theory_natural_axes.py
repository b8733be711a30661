"""Natural exponential families under powers, logarithms, temperatures and procedures; refusals."""

import pytest
import sympy as sp
from sympy import (
    Rational,
    Symbol,
    digamma,
    gamma,
    oo,
    symbols,
)

from proofs.testing.equality import vanishes
from theory import (
    Accumulate,
    Binomial,
    Damped,
    Exponential,
    Gamma,
    HyperbolicSecant,
    Loop,
    M,
    NegativeBinomial,
    NotClosed,
    Poisson,
    PosteriorDraw,
    Tempered,
    expect,
    n,
    tau,
)
from theory.symbols import mean0, r, rate0

# The laws from outside ------------------------------------------------------------------------------------------------


x, y = symbols("x1:4", positive=True), Symbol("y", positive=True)


# Powers, logarithms, temperatures, procedures -------------------------------------------------------------------------


def test_exponential_means_collapse_by_their_logarithm():
    """Assert E log m_n = log m_0 + n (psi(M) - log M): collapse almost surely at a constant mean."""
    value = expect(Loop(Exponential()), sp.log(Exponential.mean))
    formula = sp.log(mean0) + n * (digamma(M) - sp.log(M))
    assert (sp.expand_log(value.expression) - formula).expand() == 0
    assert expect(Loop(Exponential()), Exponential.mean).expression == mean0


@pytest.mark.parametrize("power", [Rational(1, 2), -1, Rational(-3, 2), 3])
def test_real_powers_of_a_gamma_mean_close(power):
    """Assert E m'^k = (m/(r M))^k Gamma(r M + k)/Gamma(r M), for r M + k > 0."""
    mean, samples, shape = Gamma.mean, 4, Rational(5, 2)
    step = expect(Loop(Gamma(shape), samples=samples), mean**power).next()
    size = shape * samples
    assert sp.simplify(step / (mean**power * gamma(size + power) / gamma(size) / size**power)) == 1


@pytest.mark.parametrize("family", [Gamma(3), Gamma(), Exponential()], ids=str)
def test_tempered_gamma_points_have_the_density_to_a_power(family):
    """Assert that f^(1/tau) over the density of the law drawn from is free of the point."""
    law = family.distorted({family.mean: family.mean}, Tempered(tau))

    def log_density(shape, mean):
        return (shape - 1) * sp.log(y) - shape * y / mean

    drawn = log_density(law.get(r, family.r), law[family.mean])
    assert vanishes((log_density(family.r, family.mean) / tau - drawn).diff(y))


def test_tempered_exponential_means_grow_by_the_temperature():
    """Assert E m_n = tau^n m_0, and that the log-drift gains log(tau)."""
    loop = Loop(Exponential(), sampling=Tempered(tau))
    assert expect(loop, Exponential.mean).expression == mean0 * tau**n
    gain = expect(loop, sp.log(Exponential.mean)).next() - expect(Loop(Exponential()), sp.log(Exponential.mean)).next()
    assert sp.expand_log(gain, force=True).expand() == sp.log(tau)


def test_temperature_without_a_density_is_refused():
    """Assert that f^(1/tau) of a gamma law of shape 1/2 has no integral at tau <= 1/2, and has one above."""
    with pytest.raises(NotClosed, match="no finite integral"):
        expect(Loop(Gamma(Rational(1, 2)), sampling=Tempered(Rational(1, 2))), Gamma.mean)
    half = expect(Loop(Gamma(Rational(1, 2)), sampling=Tempered(1)), Gamma.mean)
    assert half.expression == mean0


def test_posterior_draws_of_a_scale_do_not_drift():
    """Assert E log m_n = log m_0 for draws from the Jeffreys posterior, in place of n (psi(M) - log M)."""
    for family in (Exponential(), Gamma(), Gamma(3)):
        assert expect(Loop(family, estimator=PosteriorDraw()), sp.log(family.mean)).expression == sp.log(mean0)


def test_posterior_draws_of_a_rate_gain_half_a_count():
    """Assert E rate' = (sum x + 1/2)/M given the counts: rate0 + n/(2M)."""
    assert expect(Loop(Poisson(), estimator=PosteriorDraw()), Poisson.rate).expression == rate0 + n / (2 * M)


def test_damping_slows_the_growth_of_the_variance():
    """Assert E V' = V (1 + k^2 v2/M) for a step of size k towards the fit."""
    k = Symbol("k", positive=True)
    family = NegativeBinomial(2)
    damped = expect(Loop(family, estimator=Damped(k)), family.variance_function).next()
    assert vanishes(damped - family.variance_function * (1 + k**2 / (2 * M)))


@pytest.mark.parametrize(
    ("loop", "observable", "axis"),
    [
        (Loop(Poisson()), sp.log(Poisson.rate), "family"),
        (Loop(NegativeBinomial()), 1 / NegativeBinomial.mean, "family"),
        (Loop(Poisson(), sampling=Tempered(2)), Poisson.rate, "sampling"),
        (Loop(HyperbolicSecant(), sampling=Tempered(2)), HyperbolicSecant.mean, "sampling"),
        (Loop(Exponential(), regime=Accumulate()), sp.log(Exponential.mean), "logarithm of a sum"),
        (Loop(HyperbolicSecant(), estimator=PosteriorDraw()), HyperbolicSecant.mean, "estimator"),
    ],
    ids=str,
)
def test_what_does_not_close_is_refused_by_its_axis(loop, observable, axis):
    """Assert that each refusal names what does not close."""
    with pytest.raises(NotClosed, match=axis):
        expect(loop, observable)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Poisson(-1),
        lambda: Exponential(0),
        lambda: Gamma(0),
        lambda: NegativeBinomial(2, -1),
        lambda: Binomial(Rational(1, 2)),
        lambda: Binomial(3, 2),
        lambda: HyperbolicSecant(-1),
        lambda: Poisson(oo),
        lambda: Loop(Gamma(2), source=Gamma(3)),
    ],
)
def test_what_is_no_law_is_refused(make):
    """Assert that parameters out of range, and a source with another known constant, raise ValueError."""
    with pytest.raises(ValueError, match=r"Give"):
        make()


def test_constants_and_source_are_put_in_by_name():
    """Assert that `at` reaches the shape, the trials and the source, and leaves a loop of numbers."""
    loop = Loop(NegativeBinomial()).at(r=2, mean0=3, M=10)
    assert loop.family == NegativeBinomial(2, 3)
    assert not loop.free_symbols
    assert expect(Loop(Binomial()), Binomial.p**2).at(n=1, N=2, M=3, p0=Rational(1, 2)) == Rational(7, 24)
