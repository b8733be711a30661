"""Random combinations of all axes: each derives what small cases say exactly, or is refused in two sentences.

Discrete loops are held against every sequence of draws, Gaussian ones against the moments of their explicit points, row
by row of their recurrence and at their first fit, so by induction at every generation.
"""

import re
from math import comb

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Add, Mul, Rational, S, log, nan, oo, sqrt, zoo

from numerics.reference.exact import mean, models
from numerics.reference.moments import Before, multiplier, value
from numerics.reference.points import after, statistics
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    Damped,
    DiagonalGaussian,
    Faithful,
    Floor,
    Gaussian,
    GradientSteps,
    Loop,
    M,
    MinMSE,
    Mixed,
    NoClosedForm,
    NotClosed,
    PosteriorDraw,
    PosteriorPredictive,
    Replace,
    Scaled,
    Schedule,
    Shrinkage,
    Subsample,
    Tempered,
    TopK,
    TopP,
    Truncated,
    Unbiased,
    UnbiasedFor,
    VarianceFactor,
    Weighted,
    expect,
    n,
)
from theory.constants import unfold

HALF, THIRD, FOURTH = (Rational(1, k) for k in (2, 3, 4))
mu, V, p, q = Gaussian.mu, Gaussian.V, Categorical.p, Bernoulli.p

PLAIN = [MLE(), Unbiased(), MinMSE(), Scaled(Rational(9, 10)), *map(UnbiasedFor, (-2, -1, 0, HALF, 2))]
STEPS = [GradientSteps(1, HALF), GradientSteps(2, THIRD), GradientSteps(1, FOURTH, on="log V")]
INNER = [*PLAIN, *STEPS, PosteriorDraw()]
PROCEDURES = [
    PosteriorPredictive(),
    PosteriorDraw(),
    *STEPS,
    GradientSteps(2, FOURTH, on="log V"),
    Damped(0),
    Damped(1),
]
PROCEDURES += [wrap(share, of=of) for of in INNER for wrap in (Shrinkage, Damped) for share in (FOURTH, HALF)]
PROCEDURES += [Floor(eta, of=of) for of in INNER for eta in (0, HALF)]
PROCEDURES += [Shrinkage(THIRD, of=Damped(FOURTH)), Damped(HALF, of=Floor(THIRD, of=Unbiased()))]
MIXED = [Mixed(share) for share in (0, 1, HALF, THIRD)]
KEPT = [Mixed(share, fresh=False) for share in (0, 1, HALF, THIRD)]
TOSSED = [Mixed(share, count="bernoulli") for share in (0, 1, FOURTH)]
WEIGHTED = [Weighted(w, alpha, between=b) for w in (0, THIRD, 1) for alpha in (HALF, FOURTH) for b in (True, False)]
SCHEDULES = [Schedule(sizes) for sizes in ((4, 3, 2, 2), (2, 3, 1, 4), n + 1, 3, n, 3 - n)]
REGIMES = [Replace(), Accumulate(), Subsample(), *MIXED, *KEPT, *TOSSED, *WEIGHTED, *SCHEDULES]
DISTORTED = [Tempered(Rational(3, 2)), VarianceFactor(HALF), Truncated(1), TopP(HALF), TopK(1), TopK(2)]
SAMPLINGS = [Faithful(), Faithful(), Faithful(), *DISTORTED]
LAWS = [
    Categorical([HALF, THIRD, Rational(1, 6)]),
    Categorical([FOURTH, Rational(3, 4)]),
    Bernoulli(THIRD),
    Bernoulli(0),
]
WIDE = [Gaussian(), DiagonalGaussian([0, 1], [1, 4]), Categorical(), Bernoulli(), Gaussian(1, 2), *LAWS]

rationals = st.builds(Rational, st.integers(-9, 9), st.integers(1, 5))
positives = st.builds(Rational, st.integers(1, 9), st.integers(1, 5))


def kinds(values):
    """The values by their class, so that a class with many of them is drawn no oftener."""
    return [[value for value in values if type(value) is kind] for kind in dict.fromkeys(map(type, values))]


def regime_of(loop):
    """The class of the loop's regime."""
    return type(loop.regime)


@st.composite
def loops(draw, families, samples, samplings=tuple(SAMPLINGS), regimes=tuple(REGIMES)):
    """The axes of a loop, as keywords: not every combination describes one."""
    estimator = draw(st.sampled_from(draw(st.sampled_from([PLAIN, STEPS, [PosteriorPredictive()], PROCEDURES]))))
    axes = {"estimator": estimator, "regime": draw(st.sampled_from(draw(st.sampled_from(kinds(regimes)))))}
    axes |= {"sampling": draw(st.sampled_from(samplings)), "samples": draw(st.sampled_from(samples))}
    return draw(st.sampled_from(families)), axes


def observables(family):
    """Observables of a family, polynomial or not."""
    if isinstance(family, Gaussian):
        return [V, mu, mu**2, mu * V, V**2, mu**2 * V, mu**4, sqrt(V), log(V), 1 / V, mu**2 / V]
    if isinstance(family, DiagonalGaussian):
        return [DiagonalGaussian.V[1] + DiagonalGaussian.mu[0] ** 2, log(DiagonalGaussian.V[0])]
    return [q, q**2, q**3] if isinstance(family, Bernoulli) else [p[0], p[0] * p[1], p[1] ** 3, Categorical.collision]


AXES = ["family", "estimator", "regime", "sampling", "samples", "observable", "n", "fit", "fits", "limit"]
ASKED = ["Ask", "Give", "Take", "Choose", "Use", "Change", "Put", "Write", "Name", "Divide"]


def assert_refused_in_words(refusal, axes):
    """Assert one sentence that names an axis or its value, and one that says what to ask instead."""
    assert type(refusal) in (ValueError, NotClosed, NoClosedForm)
    first, *_, last = [*re.split(r"(?<=[.;]) (?=[A-Z])", str(refusal)), ""]
    named = [*AXES, *(type(axis).__name__ for axis in axes)]
    assert any(re.search(rf"\b{name}\b", first) for name in named), refusal
    assert last.split(" ")[0] in ASKED or any(re.search(rf"\. {word} ", str(refusal)) for word in ASKED), refusal


@settings(max_examples=250)
@given(loops(WIDE, [2, 3, 4, 5, 8, M, oo, 1], regimes=(*REGIMES, Schedule(M * n**2))), st.data())
def test_every_combination_derives_or_is_refused_in_words(case, data):
    """Assert that nothing else happens, and that what derives has finite values at generations 0 to 3."""
    family, axes = case
    of = data.draw(st.sampled_from(observables(family)))
    try:
        values = expect(Loop(family, **axes), of).values(3)
    except ValueError as refusal:
        assert_refused_in_words(refusal, [family, *axes.values()])
        return
    assert not any(value.has(nan, zoo, oo) for value in values), values


GRID = [MLE(), MinMSE(), UnbiasedFor(HALF), Shrinkage(FOURTH), Damped(HALF, of=Unbiased()), Floor(HALF), *STEPS]
GRID += [PosteriorDraw(), Damped(HALF, of=PosteriorDraw()), PosteriorPredictive()]
DISCRETE = [MLE(), Shrinkage(FOURTH), Damped(HALF), GradientSteps(2, THIRD), PosteriorPredictive()]
WHERE = [Replace(), Accumulate(), Subsample(), Mixed(HALF), Mixed(HALF, fresh=False), Mixed(FOURTH, count="bernoulli")]
WHERE += [Weighted(THIRD), Weighted(THIRD, between=False), Schedule((4, 5, 4)), Schedule(n + 3)]


# Discrete loops -------------------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(loops(LAWS, [1, 2, 3], (Faithful(), Faithful(), Tempered(2), TopK(1))), st.data())
def test_discrete_combinations_are_the_enumerated_ones(case, data):
    """Assert E prod p_i^a_i at n = 0..2 against every sequence of draws, or a refusal; a posterior has no sequences."""
    family, axes = case
    assume("PosteriorDraw" not in repr(axes["estimator"]))
    assert_enumerated(family, axes, data.draw(st.integers(0, 3)), data.draw(st.integers(0, 2)))


@pytest.mark.parametrize("regime", WHERE, ids=str)
@pytest.mark.parametrize("estimator", DISCRETE, ids=str)
def test_every_pair_of_estimator_and_regime_is_the_enumerated_one(estimator, regime):
    """Assert the same for E p_0^3 of two points, whatever the estimator and the regime."""
    for family in LAWS[1:3]:
        assert_enumerated(family, {"estimator": estimator, "regime": regime, "samples": 2}, 3, 0)


def assert_enumerated(family, axes, a, b):
    """Assert E p_first^a p_last^b at n = 0..2, or a refusal."""
    types = len(family.source()) if isinstance(family, Categorical) else 2
    of = p[0] ** a * p[types - 1] ** b if isinstance(family, Categorical) else (1 - q) ** a * q**b
    try:
        loop = Loop(family, **axes)
        values = expect(loop, of).values(2)
    except ValueError as refusal:
        assert_refused_in_words(refusal, [family, *axes.values()])
        return
    assert values == [mean(law, lambda x: x[0] ** a * x[-1] ** b) for law in models(loop, 2)]


# Gaussian loops -------------------------------------------------------------------------------------------------------


def before(loop, system, k, mean, variance, points):
    """What fit k may find: a model and remembered points in rational numbers, or None where it would not be rational.

    Where the pool is not remembered the model is the fit of it, as the step itself takes for granted.
    """
    source = loop.family.mu0, loop.family.V0
    if k == 1:
        return Before(1, *source, source)
    remembered = {Accumulate: (k - 1) * loop.samples, Subsample: (k - 1) * loop.samples}
    kept = loop.regime.alpha * loop.samples if isinstance(loop.regime, Mixed) and not loop.regime.fresh else 0
    size = int(remembered.get(regime_of(loop), kept))
    # Every subset is written out; how many points were fitted tells only from the third fit on.
    most = 500 if isinstance(loop.estimator, PosteriorPredictive) else 100
    if size > len(points) or (regime_of(loop) is Subsample and comb(k * int(loop.samples), int(loop.samples)) > most):
        return None
    past = tuple(points[:size])
    if regime_of(loop) is Accumulate and len(system.state) == 2:
        mean, squares = statistics(past)
        variance = multiplier(loop.estimator, len(past)) * squares / (len(past) - 1)
    return Before(k, mean, variance, source, past) if variance.is_Rational and variance > 0 else None


def numbers(system, there):
    """The value of every state letter."""
    size = len(there.past) or 1
    pool = {f"x{k or ''}": Add(*(x ** (k or 1) for x in there.past)) / size for k in (0, 2)}
    named = {"mu": there.mu, "V": there.V, **pool}
    return {x: named[str(x).split("_")[0]] for x in system.state}


def same(one, two):
    """Equality: exact where both are rational, to 18 digits where not."""
    one, two = S(one), S(two)
    if one.is_Rational and two.is_Rational:
        return one == two
    return abs(value(one) - value(two)) < 1e-18 * (1 + abs(value(two)))


def degree(powers):
    """Degree in the data."""
    return sum(power * (1 if name.startswith(("mu", "x_")) else 2) for name, power in powers.items())


@pytest.mark.parametrize("regime", WHERE, ids=str)
@pytest.mark.parametrize("estimator", GRID, ids=str)
def test_every_pair_of_estimator_and_regime_is_that_of_the_points(estimator, regime):
    """Assert every row for E V, at fits 1, 2 and 3 of four points, or a refusal; sampling goes round."""
    sampling = [Faithful(), Tempered(Rational(3, 2)), VarianceFactor(HALF), Faithful(), Truncated(1)]
    points = [Rational(k * k, k + 2) for k in range(-1, 12)]
    for turn in range(2):
        here = sampling[(2 * GRID.index(estimator) + 3 * WHERE.index(regime) + turn) % 5]
        axes = {"estimator": estimator, "regime": regime, "sampling": here, "samples": 4}
        assert_points(Gaussian(1, 2), axes, V, Rational(2, 3), Rational(7, 4), points)


@settings(max_examples=150)
@given(loops([Gaussian(0, 1), Gaussian(1, 2)], [2, 3, 4, 6]), st.data(), rationals, positives)
def test_gaussian_recurrences_are_those_of_the_points(case, data, mean, variance):
    """Assert every row of the recurrence, at fits 1, 2 and 3, against explicit points, or a refusal."""
    family, axes = case
    of = data.draw(st.sampled_from([V, mu, mu**2, mu * V, V**2, mu**3, mu**2 * V]))
    assert_points(family, axes, of, mean, variance, data.draw(st.lists(rationals, min_size=8, max_size=8, unique=True)))


def assert_points(family, axes, of, mean, variance, points):
    """Assert every row of the recurrence of an observable at fits 1, 2 and 3, or a refusal."""
    try:
        loop = Loop(family, **axes)
        (piece,) = expect(loop, of).pieces
        rows = {k: piece.recurrence.at(k) if k > piece.recurrence.start else piece.recurrence.rows for k in (1, 2, 3)}
    except ValueError as refusal:
        assert_refused_in_words(refusal, [family, *axes.values()])
        return
    for k in (1, 2, 3):
        there = before(loop, piece.recurrence, k, mean, variance, points)
        if there is not None:
            assert_rows(loop, piece.recurrence, there, rows[k])


def assert_rows(loop, system, there, rows):
    """Assert that every row of moderate degree is the expectation over the points."""
    letters = numbers(system, there)
    for monomial, row in rows.items():
        powers = {str(x): int(power) for x, power in zip(system.state, monomial.powers, strict=True) if power}
        if degree(powers) > 4:
            continue
        if there.k == 1 and system.start == 1:
            derived = unfold(system.initial[monomial])
        else:
            terms = [Mul(w, key.expr(system.state)) for key, w in row.items()]
            derived = unfold(Add(*terms)).subs(letters)
        assert same(derived, after(loop, there, powers)), (loop, there.k, powers)
