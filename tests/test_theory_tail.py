"""The mass beyond a threshold in model n, against Bessel functions, error functions and simulated models."""

import math

import mpmath
import numpy as np
import pytest
from scipy.special import erfc
from scipy.stats import norm
from sympy import Rational, S

from numerics import simulate
from theory import (
    Accumulate,
    Exponential,
    Gamma,
    Gaussian,
    Loop,
    NoClosedForm,
    NotClosed,
    Poisson,
    Schedule,
    Unbiased,
    expect,
    law,
    tail,
)
from theory.law import s

HALF = Rational(1, 2)


def product_tail(one, two, z):
    """P(Gamma(one) Gamma(two) > z), two independent gamma variables, by the integral of the Bessel density."""

    def density(u):
        order = (one + two) / 2 - 1
        return 2 * u**order * mpmath.besselk(one - two, 2 * mpmath.sqrt(u)) / (mpmath.gamma(one) * mpmath.gamma(two))

    return mpmath.quad(density, [z, z + 5, z + 50, mpmath.inf])


@pytest.mark.parametrize("h", [Rational(1, 2), S(2), S(3)], ids=str)
def test_the_source_has_the_normal_tail(h):
    """Assert erfc(h/sqrt 2) at generation 0."""
    assert float(tail(Loop(Gaussian(0, 1), samples=5)).at(n=0).sf(h**2)) == pytest.approx(
        math.erfc(float(h) / math.sqrt(2)), rel=1e-12
    )


@pytest.mark.parametrize("samples", [2, 5, 30])
@pytest.mark.parametrize("h", [Rational(1, 2), S(2)], ids=str)
def test_one_fit_is_a_product_of_two_gamma_variables(samples, h):
    """Assert the Bessel integral after one fit, for an unbiased Gaussian and for an exponential law."""
    gaussian = tail(Loop(Gaussian(0, 1), estimator=Unbiased(), samples=samples)).at(n=1).sf(h**2)
    expected = product_tail((samples - 1) / 2, 0.5, float(h) ** 2 * (samples - 1) / 4)
    assert float(gaussian) == pytest.approx(float(expected), rel=1e-9)
    exponential = tail(Loop(Exponential(1), samples=samples)).at(n=1).sf(h)
    assert float(exponential) == pytest.approx(float(product_tail(samples, 1, float(h) * samples)), rel=1e-9)


@pytest.mark.parametrize("loop", [Loop(Gaussian(1, 3), samples=7), Loop(Gamma(HALF, 2), samples=3)], ids=repr)
def test_moments_of_a_point_are_those_of_the_model(loop):
    """Assert E r = E[V_n], or E[mean_n], for every n: the Mellin transform at 1."""
    first = tuple(loop.law.source())[-1]
    assert (tail(loop).mellin.subs(s, 1) - expect(loop, first).expression).gammasimp().simplify() == 0


def test_a_growing_schedule_keeps_more_of_the_tail():
    """Assert that squares of sizes lose less of the mass beyond one sigma than constant sizes do."""
    constant = tail(Loop(Gaussian(0, 1), samples=10)).at(n=6).sf(1)
    growing = tail(Loop(Gaussian(0, 1), regime=Schedule([10 * k**2 for k in range(1, 7)]))).at(n=6).sf(1)
    assert constant.upper < growing.lower < math.erfc(1 / math.sqrt(2))


@pytest.mark.parametrize(
    ("question", "error", "says"),
    [
        (lambda: tail(Loop(Poisson())), NotClosed, "chi-square"),
        (lambda: tail(Loop(Gaussian(), regime=Accumulate())), NotClosed, "Accumulate"),
        (lambda: tail(Loop(Gaussian())).pdf, NoClosedForm, "Put the generation in"),
        (lambda: tail(Loop(Gaussian())).at(n=-1), ValueError, "whole n >= 0"),
        (lambda: law(Loop(Gaussian())).at(n=0), ValueError, "whole n >= 1"),
    ],
)
def test_refusals(question, error, says):
    """Assert that what has no such law is refused in words."""
    with pytest.raises(error, match=says):
        question()


def test_simulated_models_have_the_tail():
    """Assert the mean tail of simulated models at three depths, at a family-wise level of 1e-6."""
    loop, depths = Loop(Gaussian(0, 1), samples=20), (1, 5, 20)
    run = simulate(loop, generations=20, chains=20_000, seed=0)
    for k in depths:
        mass = erfc(2 / np.sqrt(2 * run["V"].sel(generation=k).values))
        exact = float(tail(loop).at(n=k).sf(4))
        error = mass.std(ddof=1) / math.sqrt(mass.size)
        assert error < 0.05 * exact
        assert abs(mass.mean() - exact) < norm.isf(1e-6 / 2 / len(depths)) * error
        assert abs(mass.mean() - float(tail(loop).at(n=k + 1).sf(4))) > 3 * error or k == 20
