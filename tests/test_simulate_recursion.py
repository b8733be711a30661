"""Loops written down by hand are simulated from their update, and held against their own expectations."""

import numpy as np
import pytest
from sympy import Rational, Symbol, log, symbols

from numerics import agree, simulate
from theory import ChiSquare, Loop, M, Multinomial, Normal, NotClosed, Recursion, expect, n
from theory.known import Known

x, e, z = symbols("x e z", real=True)
x0 = Symbol("x0", real=True)
S, q = Symbol("S", positive=True), Symbol("q", positive=True)
p, k = symbols("p k", nonnegative=True)

GARCH = Loop(
    Recursion({S: 1}, {S: Rational(1, 10) + S * (Rational(1, 10) * q + Rational(4, 5))}, ChiSquare(q, 1)), samples=1
)
SGD = Loop(Recursion({x: x0}, {x: x - (1 + z) * x / 5 + e / 5}, [Normal(z, Rational(1, 4)), Normal(e, 1)]), samples=1)
DRIFT = Loop(
    Recursion({p: Rational(1, 3)}, {p: k / M}, Multinomial((k,), M, (p * Rational(9, 10) + (1 - p) / 20,)))
).at(M=9)
MEAN = Loop(Recursion({x: 0}, {x: x - (x - z) / n}, Normal(z, 1)), samples=1)

CASES = {
    "volatility": (GARCH, [S, S**2, log(S)], None),
    "stochastic gradient": (SGD, [x, x**2], {"x0": 1.0}),
    "mutation": (DRIFT, [p, p**2], None),
    "running mean": (MEAN, [x**2], None),
}


@pytest.mark.parametrize("name", CASES)
def test_recursion_agrees_with_its_expectations(name):
    """Assert agreement of simulation and theory, at the stated level of `agree`."""
    loop, observables, start = CASES[name]
    run = simulate(loop, start, generations=6, chains=20_000)
    for of in observables:
        try:
            prediction = expect(loop, of)
        except NotClosed:
            assert of == log(S)
            continue
        verdict = agree(prediction, run)
        assert verdict.verdict == "agree", str(verdict)


def test_wrong_recursion_is_caught():
    """Assert that a prediction with another learning rate is rejected."""
    run = simulate(SGD, {"x0": 1.0}, generations=6, chains=20_000)
    other = Loop(
        Recursion({x: x0}, {x: x - (1 + z) * x / 4 + e / 5}, [Normal(z, Rational(1, 4)), Normal(e, 1)]), samples=1
    )
    forged = run.assign_attrs(loop=str(other))
    assert agree(expect(other, x**2), forged).verdict == "disagree"


def test_what_is_recorded_is_named_for_the_state():
    """Assert that every state symbol is a variable, a positive one with its logarithm."""
    run = simulate(GARCH, generations=2, chains=3)
    assert list(run.data_vars) == ["S", "log_S"]
    assert np.allclose(np.exp(run["log_S"]), run["S"])


def test_innovations_without_a_sampler_are_refused():
    """Assert that moments alone cannot be simulated, by name."""
    loop = Loop(Recursion({x: 0}, {x: x + z}, Known(z, {1: 0, 2: 1})), samples=1)
    with pytest.raises(ValueError, match="Known"):
        simulate(loop, generations=2, chains=2)
