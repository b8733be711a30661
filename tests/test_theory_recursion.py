"""Loops written down by hand: three published recursions, none of them known to the library."""

from fractions import Fraction
from itertools import product
from math import comb

import pytest
from sympy import Rational, Symbol, log, symbols

from proofs.kernel import check
from proofs.testing.equality import vanishes
from theory import (
    ChiSquare,
    Gaussian,
    Loop,
    M,
    Multinomial,
    Normal,
    NotClosed,
    Recursion,
    Shrinkage,
    Tempered,
    expect,
    n,
)

x, e, z = symbols("x e z", real=True)
a, b, w, h, s, eta, sigma = symbols("a b w h s eta sigma", positive=True)
variance, square = Symbol("S", positive=True), Symbol("q", positive=True)
p, count = symbols("p k", nonnegative=True)

GARCH = Loop(Recursion({variance: w}, {variance: w + a * variance * square + b * variance}, ChiSquare(square, 1)))
"""Bollerslev (1986): S' = w + (a z^2 + b) S, z standard normal."""
SGD = Loop(Recursion({x: 1}, {x: x - eta * (h + s * z) * x + eta * sigma * e}, [Normal(z, 1), Normal(e, 1)]))
"""One parameter of a quadratic loss: a gradient with noise in its slope and in its offset."""
MUTATION = Loop(
    Recursion({p: Rational(1, 3)}, {p: count / M}, Multinomial((count,), M, (p * (1 - a) + (1 - p) * b,))), samples=M
)
"""Wright (1931): drift of M gene copies with mutation rates a and b."""


def test_garch_has_the_published_variance_and_kurtosis():
    """Assert E S = w/(1 - a - b) and kurtosis 3 (1 - (a + b)^2)/(1 - (a + b)^2 - 2 a^2) in the stationary limit."""
    values = {"a": Rational(1, 10), "b": Rational(4, 5), "w": Rational(1, 7)}
    mean, second = (expect(GARCH, f).at(**values).limit() for f in (variance, variance**2))
    A, B, W = values.values()
    assert mean == W / (1 - A - B)
    assert 3 * second / mean**2 == 3 * (1 - (A + B) ** 2) / (1 - (A + B) ** 2 - 2 * A**2)


def test_sgd_settles_where_its_noise_balances():
    """Assert E x^2 -> eta sigma^2/(2 h - eta (h^2 + s^2)) and E x = (1 - eta h)^n."""
    values = {"eta": Rational(1, 5), "h": 1, "s": Rational(1, 2), "sigma": 3}
    limit = expect(SGD, x**2).at(**values).limit()
    formula = eta * sigma**2 / (2 * h - eta * (h**2 + s**2))
    assert limit == formula.subs({symbol: values[symbol.name] for symbol in formula.free_symbols})
    assert vanishes(expect(SGD, x).expression - (1 - eta * h) ** n)


def test_mutation_keeps_the_wright_mean():
    """Assert that E p relaxes as (1 - a - b)^n to b/(a + b)."""
    rest = expect(MUTATION, p).expression - b / (a + b)
    assert vanishes(rest - (Rational(1, 3) - b / (a + b)) * (1 - a - b) ** n)


def enumerated(samples, generations, mutation, power):
    """E p^power by following every history of counts."""
    up, down = mutation
    total = Fraction(0)
    for history in product(range(samples + 1), repeat=generations):
        chance, here = Fraction(1), Fraction(1, 3)
        for k in history:
            q = here * (1 - up) + (1 - here) * down
            chance *= comb(samples, k) * q**k * (1 - q) ** (samples - k)
            here = Fraction(k, samples)
        total += chance * here**power
    return total


@pytest.mark.parametrize("power", [1, 2, 3])
def test_mutation_agrees_with_every_history(power):
    """Assert the moments of p for M = 3 against a sum over all histories of three generations."""
    rates = Fraction(1, 4), Fraction(1, 5)
    exact = expect(MUTATION, p**power).at(M=3, a=Rational(1, 4), b=Rational(1, 5)).values(3)
    assert [Fraction(int(v.p), int(v.q)) for v in exact] == [enumerated(3, g, rates, power) for g in range(4)]


CERTIFIED = {
    "variance of volatility": (GARCH, variance**2, {"w": 1, "b": Rational(4, 5)}),
    "second moment of a weight": (SGD, x**2, {"sigma": 1, "h": 1}),
    "fourth moment of a weight": (SGD, x**4, {"sigma": 1, "h": 1, "s": Rational(1, 2)}),
    "second moment of a frequency": (MUTATION, p**2, {"b": Rational(1, 5)}),
}


@pytest.mark.parametrize("name", CERTIFIED)
def test_recursion_has_an_accepted_certificate(name):
    """Assert that the kernel accepts the induction behind a closed form in the symbols that are left."""
    loop, of, values = CERTIFIED[name]
    (certificate,) = expect(loop.at(**values), of).certificate
    assert check(certificate.data).rule == "induction_eq"


def test_step_may_depend_on_its_number():
    """Assert that a running mean of n draws, written as x - (x - z)/n, has variance 1/n."""
    mean = Loop(Recursion({x: 0}, {x: x - (x - z) / n}, Normal(z, 1)))
    assert expect(mean, x**2).values(5)[1:] == [Rational(1, k) for k in range(1, 6)]


def test_recursion_of_the_gaussian_refit_is_the_library_s_own():
    """Assert that the refit of a Gaussian written down by hand has the moments of the built-in family."""
    mu, V = Gaussian.mu, Gaussian.V
    own = Recursion({mu: 0, V: 1}, {mu: mu + e, V: V * square / M}, [Normal(e, V / M), ChiSquare(square, M - 1)])
    for of in (V, mu**2, mu**4, V**2, log(V)):
        built_in = expect(Loop(Gaussian(0, 1)), of).expression
        assert vanishes(expect(Loop(own), of).expression - built_in)


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda: Recursion({}, {}), "no state"),
        (lambda: Recursion({x: 0}, {}), "a start alone"),
        (lambda: Recursion({x: 0}, {x: e, z: 0}, Normal(e, 1)), "an update alone"),
        (lambda: Recursion({x: 0}, {x: x}, Normal(x, 1)), "stands for two things"),
        (lambda: Recursion({x: 0}, {x: x + e}, [e]), "is no law"),
        (lambda: Recursion({x: 0.5}, {x: x}), "is a float"),
        (lambda: Recursion({x: 0}, {x: x + e}, Normal(e, 0.5)), "is a float"),
        (lambda: Recursion({n: 0}, {n: n}), "number of the step"),
    ],
)
def test_what_is_no_recursion_is_refused(attempt, words):
    """Assert one sentence on what is wrong."""
    with pytest.raises(ValueError, match=words):
        attempt()


@pytest.mark.parametrize("axis", [{"estimator": Shrinkage(a)}, {"sampling": Tempered(2)}])
def test_axes_that_act_on_data_are_refused(axis):
    """Assert that a recursion without data refuses an axis by name instead of ignoring it."""
    loop = Loop(SGD.family, **axis)
    with pytest.raises(NotClosed, match="a Recursion has none"):
        expect(loop, x)


def test_noise_in_an_exponent_is_refused():
    """Assert that an update beyond polynomials is refused by name."""
    loop = Loop(Recursion({x: 0}, {x: log(1 + e**2)}, Normal(e, 1)))
    with pytest.raises(NotClosed, match="logarithm of a sum"):
        expect(loop, x)
