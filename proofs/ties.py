"""Ties: what holds a proved statement to the theory's derivation and to a simulation of the model.

A right proof of a wrong statement is caught only here. Each theorem names the loop and the observable that it is about;
its formula must equal what theory derives at random exact points, and agree with a simulation of the loop, in which the
formula times 1.02 must not.
"""

from collections.abc import Mapping
from random import Random
from typing import Any

from attrs import field, frozen
from sympy import Expr, Rational, S, sign, sympify

from numerics.agreement import Agreement, agree
from numerics.compared import Curve
from numerics.simulate import simulate
from proofs.theorem import Theorem
from theory import (
    Accumulate,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    Mixed,
    Scaled,
    Unbiased,
    absorption,
    alpha,
    c,
    expect,
    mu0,
    symbols,
)

LEVEL = 1e-6
"""Family-wise false-alarm level of all the ties' simulations together, fixed beforehand."""
SEED = 0
POINTS = 30
_SPREAD = (Gaussian.mu - mu0) ** 2
_WORDS = Categorical([Rational(1, 2), Rational(1, 3), Rational(1, 6)])
_ML, _UNBIASED = Loop(Gaussian()), Loop(Gaussian(), estimator=Unbiased())


@frozen
class Tie:
    """The loop and observable of a theorem, numbers for its simulation, values of names that only the claim uses."""

    loop: Loop
    observable: Expr
    numbers: Mapping[str, Any] = field(factory=lambda: {"M": 20})
    names: Mapping[str, Expr] = field(factory=dict)


TIES: Mapping[str, Tie] = {
    "accumulate_mean_drift": Tie(Loop(Gaussian(), regime=Accumulate()), _SPREAD),
    "accumulate_variance": Tie(Loop(Gaussian(), regime=Accumulate()), Gaussian.V),
    "collision_decay": Tie(Loop(_WORDS), 1 - Categorical.collision, names={"F0": Rational(7, 18)}),
    "fixation": Tie(Loop(Bernoulli(), samples=10), Bernoulli.p, numbers={"p0": Rational(3, 10)}),
    "mixed_mean_drift": Tie(Loop(Gaussian(), regime=Mixed(alpha)), _SPREAD, {"M": 20, "alpha": Rational(1, 5)}),
    "mle_mean_drift": Tie(_ML, _SPREAD),
    "mle_total_variance": Tie(_ML, Gaussian.V + _SPREAD),
    "mle_variance_decay": Tie(_ML, Gaussian.V),
    "mle_variance_spread": Tie(_ML, Gaussian.V**2),
    "scaled_mean_drift": Tie(Loop(Gaussian(), estimator=Scaled(c)), _SPREAD, {"M": 20, "c": Rational(3, 4)}),
    "unbiased_mean_drift": Tie(_UNBIASED, _SPREAD),
    "unbiased_mean_variance": Tie(_UNBIASED, Gaussian.V),
    "unbiased_variance_spread": Tie(_UNBIASED, Gaussian.V**2),
}


def tied(theorem: Theorem) -> str | None:
    """Return None when the theorem says what theory derives, at random exact points; otherwise where it does not."""
    tie = TIES[theorem.name]
    return _tied_chain(theorem, tie) if theorem.name == "fixation" else _tied_formula(theorem, tie)


def _tied_formula(theorem: Theorem, tie: Tie) -> str | None:
    random = Random(theorem.name)
    for _ in range(POINTS):
        point, n = _point(tie.loop, random), random.randrange(8)
        claimed = (
            claim(theorem, tie)
            .subs({symbols.n: n} | {_symbol(tie, name): value for name, value in point.items()})
            .doit()
        )
        derived = expect(tie.loop, tie.observable).at(n=n, **point)
        if claimed != derived:
            where = ", ".join(f"{name} = {value}" for name, value in point.items())
            return f"n = {n}, {where}: the theorem says {claimed}, theory {derived}"
    return None


def _tied_chain(theorem: Theorem, tie: Tie) -> str | None:
    """Compare the certified mean times with theory's: E[T | count k] = E[T; fixed | k] + E[T; fixed | M - k]."""
    times = absorption(tie.loop.at(**tie.numbers)).times_to_fix
    derived = [str(one + other) for one, other in zip(times, reversed(times), strict=True)]
    certificate = theorem.certificate() if callable(theorem.certificate) else theorem.certificate
    return None if derived == list(certificate["time"]) else f"theory derives the mean times {derived}"


def _point(loop: Loop, random: Random) -> dict[str, Rational]:
    """Return a random exact point of the loop's domain, with a whole number of real samples."""
    M = random.randrange(2, 40)
    values = {
        "M": Rational(M),
        "alpha": Rational(random.randrange(1, M), M),
        "c": Rational(random.randrange(1, 9), 10),
        "V0": Rational(random.randrange(1, 50), random.randrange(1, 50)),
        "mu0": Rational(random.randrange(-50, 50), random.randrange(1, 50)),
    }
    return {s.name: values[s.name] for s in loop.free_symbols}


def _symbol(tie: Tie, name: str) -> Expr:
    return next(s for s in tie.loop.free_symbols if s.name == name)


def claim(theorem: Theorem, tie: Tie) -> Expr:
    """Return the theorem's formula as an expression in the loop's own symbols."""
    names = {s.name: s for s in tie.loop.free_symbols} | {"n": symbols.n} | dict(tie.names)
    return sympify(theorem.claim, locals=names)


def simulated(theorem: Theorem, factor: Expr = S.One) -> Agreement:
    """Return the verdict on the theorem's formula times ``factor`` against a simulation of its loop."""
    tie = TIES[theorem.name]
    here = tie.loop.at(**tie.numbers)
    start = {"mu": 0.5, "V": 2.0} if isinstance(here.family, Gaussian) else None
    run = simulate(here, start, generations=6, chains=400_000, seed=SEED, observe=_observed(tie))
    level = LEVEL / len(TIES)
    if theorem.name == "fixation":
        chain = absorption(here)
        values = [float(factor * chain.survival(n)) for n in range(7)]
        return agree(Curve("two types are left", "alive", values), run, level=level, smallest=0.02)
    formula = factor * claim(theorem, tie).subs({_symbol(tie, name): value for name, value in tie.numbers.items()})
    return agree(expect(here, tie.observable), run, claim=formula, level=level, smallest=0.02)


def _observed(tie: Tie) -> dict[str, Expr]:
    if isinstance(tie.loop.family, Bernoulli):
        return {"alive": sign(Bernoulli.p) * sign(1 - Bernoulli.p)}
    return {"collision": Categorical.collision} if isinstance(tie.loop.family, Categorical) else {}
