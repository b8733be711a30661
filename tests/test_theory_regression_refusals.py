"""Regression loops: wrong arguments, and questions that do not close."""
# Wrong arguments are among what is tested.
# pyright: reportArgumentType=false

import re

import pytest
from sympy import (
    Rational,
    Symbol,
    log,
    sqrt,
)

from numerics import simulate
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Damped,
    FixedDesignRegression,
    Gaussian,
    GradientDescent,
    Known,
    LinearRegression,
    Loop,
    M,
    Mixed,
    NotClosed,
    PosteriorDraw,
    Replace,
    Ridge,
    Schedule,
    Shrinkage,
    Subsample,
    Truncated,
    Weighted,
    alpha,
    drift,
    expect,
    n,
)

error, w, squares = LinearRegression.error, LinearRegression.w, LinearRegression.squares

s, lam, eta = (Symbol(name, positive=True) for name in ("s", "lam", "eta"))

HALF = Rational(1, 2)

FRESH = Loop(LinearRegression())

SAME = Loop(LinearRegression(design="same"))

ACCUMULATE = Loop(LinearRegression(), regime=Accumulate())

OVER = Loop(LinearRegression(overparametrised=True))

MIXED = Loop(LinearRegression(), regime=Mixed(alpha))


def given_design(estimator=None, regime=None):
    """One direction of a given design, X'X of M rows having the eigenvalue M s there."""
    return Loop(FixedDesignRegression([s]), estimator=estimator or MLE(), regime=regime or Replace())


# wrong: (attempt, words)
WRONG = {
    "dimension 0": (lambda: LinearRegression(0), "dimension=0"),
    "half a weight": (lambda: LinearRegression(HALF), "dimension=1/2"),
    "float noise": (lambda: LinearRegression(2, 0.5), "noise = 0.5 is a float"),
    "negative noise": (lambda: LinearRegression(2, -1), "noise = -1"),
    "design": (lambda: LinearRegression(design="new"), "design='new'"),
    "no eigenvalue": (lambda: FixedDesignRegression([]), "0 eigenvalues"),
    "eigenvalue 0": (lambda: FixedDesignRegression([1, 0]), "eigenvalue 1 is 0"),
    "weights": (lambda: FixedDesignRegression([1], 1, [1, 2]), "1 eigenvalues and 2 weights"),
    "direction": (lambda: expect(given_design(), FixedDesignRegression.w[1]), "w[1] does not exist"),
    "namesake": (lambda: expect(FRESH, Symbol("error")), "only a symbol of that name"),
    "penalty": (lambda: Ridge(-1), "lam=-1"),
    "no step": (lambda: GradientDescent(0, 1), "steps=0"),
    "no rate": (lambda: GradientDescent(1, 0), "rate=0"),
    "ridge of a coin": (lambda: Loop(Bernoulli(), estimator=Ridge(1)), "Bernoulli has none"),
    "ridge of a Gaussian": (lambda: Loop(Gaussian(), estimator=Ridge(1)), "Gaussian has none"),
    "wrapped ridge": (lambda: expect(Loop(Bernoulli(), estimator=Damped(1, Ridge(1))), Bernoulli.p), "has none"),
    "simulate": (
        lambda: simulate(Loop(FixedDesignRegression([1, 2]), samples=9), generations=1, chains=1),
        "cannot be",
    ),
    "known powers": (lambda: Known(w, {(1, 2): 0}), "powers (1, 2)"),
    "known float": (lambda: Known(w, {1: 0.5}), "is a float"),
}

# not closed: (loop, observable, words)
OPEN = {
    "error^2, accumulate": (ACCUMULATE, error**2, "Accumulate()"),
    "w^3, accumulate": (ACCUMULATE, w**3, "u**3"),
    "error^2, same": (SAME, error**2, "is known"),
    "error^2, mixed": (MIXED, error**2, "Mixed(alpha=alpha)"),
    "log": (FRESH, log(error), "observable"),
    "root": (FRESH, sqrt(squares), "sqrt(squares)"),
    "ridge": (Loop(LinearRegression(), estimator=Ridge(lam)), error, "estimator: Ridge(lam=lam) on a random design"),
    "descent": (Loop(LinearRegression(), estimator=GradientDescent(2, 1)), error, "estimator: GradientDescent"),
    "shrinkage": (Loop(LinearRegression(), estimator=Shrinkage(alpha)), error, "estimator: Shrinkage"),
    "draw": (Loop(LinearRegression(), estimator=PosteriorDraw()), error, "estimator: PosteriorDraw"),
    "subsample": (Loop(LinearRegression(), regime=Subsample()), error, "regime: Subsample"),
    "kept": (Loop(LinearRegression(), regime=Mixed(HALF, fresh=False)), error, "regime: Mixed"),
    "Bernoulli share": (Loop(LinearRegression(), regime=Mixed(HALF, count="bernoulli")), error, "regime: Mixed"),
    "weighted": (Loop(LinearRegression(), regime=Weighted(HALF)), error, "regime: Weighted"),
    "schedule": (Loop(LinearRegression(), regime=Schedule(M * n)), error, "regime: Schedule"),
    "mixed, same": (Loop(LinearRegression(design="same"), regime=Mixed(HALF)), error, "a same design"),
    "accumulate, over": (
        Loop(LinearRegression(overparametrised=True), regime=Accumulate()), error, "fewer rows than weights"
    ),
    "accumulate, over by numbers": (Loop(LinearRegression(5), regime=Accumulate(), samples=3), error, "fewer rows"),
    "same, over": (Loop(LinearRegression(design="same", overparametrised=True)), error, "the same design"),
    "population, over": (OVER.without("statistical"), error, "samples = oo"),
    "truncated": (Loop(LinearRegression(), sampling=Truncated(2)), error, "sampling: Truncated"),
    "weighted ridge": (given_design(Ridge(lam), Weighted(HALF)), error, "estimator: Ridge"),
    "draw, given": (given_design(PosteriorDraw()), error, "posterior draw"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_argument_is_refused(name):
    """Assert a plain ValueError that names the value and the fix."""
    attempt, words = WRONG[name]
    with pytest.raises(ValueError, match=re.escape(words)) as refusal:
        attempt()
    assert not isinstance(refusal.value, NotClosed)
    assert re.fullmatch(r"[^\n]+[.] [A-Z][^\n]+[.]", str(refusal.value))


@pytest.mark.parametrize("name", OPEN)
def test_what_does_not_close_is_refused(name):
    """Assert `NotClosed`, naming the axis or the moment, and where to turn instead."""
    loop, observable, words = OPEN[name]
    with pytest.raises(NotClosed, match=re.escape(words)) as refusal:
        expect(loop, observable)
    assert re.fullmatch(r"[^\n]+[.] [A-Z][^\n]+[.]", str(refusal.value))
    with pytest.raises(NotClosed):
        drift(loop)
