"""Identities between loops that hold whatever the numbers: symmetries, regimes that are one another, conservation."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Integer, Rational, S, log, sqrt

from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Damped,
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
    Truncated,
    Unbiased,
    UnbiasedFor,
    VarianceFactor,
    Weighted,
    drift,
    expect,
    n,
)

mu, V, q = Gaussian.mu, Gaussian.V, Bernoulli.p
HALF, THIRD, FOURTH = (Rational(1, k) for k in (2, 3, 4))
ESTIMATORS = [MLE(), Unbiased(), MinMSE(), Scaled(Rational(3, 2)), UnbiasedFor(HALF), UnbiasedFor(-1), UnbiasedFor(0)]
PROCEDURES = [Shrinkage(FOURTH), Damped(THIRD, of=Unbiased()), GradientSteps(2, THIRD), PosteriorDraw()]
PROCEDURES += [GradientSteps(1, FOURTH, on="log V"), PosteriorPredictive()]
REGIMES = [Replace(), Accumulate(), Subsample(), Mixed(FOURTH), Mixed(FOURTH, fresh=False), Weighted(THIRD)]
REGIMES += [
    Mixed(FOURTH, count="bernoulli"),
    Weighted(THIRD, FOURTH, between=False),
    Schedule((8, 12, 9)),
    Schedule(8 * n),
]
SAMPLINGS = [Faithful(), Faithful(), Tempered(Rational(3, 2)), VarianceFactor(HALF), Truncated(1)]
OBSERVABLES = [V, mu, mu**2, mu * V, V**2, sqrt(V), log(V), mu**3]

rationals = st.builds(Rational, st.integers(-9, 9), st.integers(1, 5))
positives = st.builds(Rational, st.integers(1, 9), st.integers(1, 5))
axes = st.fixed_dictionaries(
    {
        "estimator": st.sampled_from(ESTIMATORS + PROCEDURES),
        "regime": st.sampled_from(REGIMES),
        "sampling": st.sampled_from(SAMPLINGS),
        "samples": st.sampled_from([8, 12]),
    }
)


def values(loop, of, generations=3):
    """The exact expectations; a combination that does not derive says nothing here."""
    try:
        return expect(loop, of).values(generations)
    except NotClosed:
        assume(False)
        return []


def same(one, two):
    """Equality of numbers, exact where rational, to 30 digits where not."""
    difference = S(one) - S(two)
    return difference == 0 if difference.is_Rational else abs(difference.evalf(40)) < Rational(1, 10**30)


@settings(max_examples=60)
@given(axes, rationals, rationals, positives, st.sampled_from(["V", "mu", "mu^2", "log V"]))
def test_loops_are_equivariant_under_shift_and_scale(axes, mu0, a, b, name):
    """Assert that data a + b x give models a + b mu and b^2 V, in every combination of axes."""
    source, moved = Loop(Gaussian(mu0, 2), **axes), Loop(Gaussian(a + b * mu0, 2 * b**2), **axes)
    of, back = {
        "V": (V, b**2 * V),
        "mu": (mu, a + b * mu),
        "mu^2": (mu**2, (a + b * mu) ** 2),
        "log V": (log(V), log(V) + 2 * log(b)),
    }[name]
    assert all(map(same, values(moved, of), values(source, back)))


@settings(max_examples=20)
@given(axes, positives, positives)
def test_a_floor_scales_with_the_variance(axes, eta, b):
    """Assert the same of a floor, which is a variance itself."""
    one = Loop(Gaussian(0, 2), **{**axes, "estimator": Floor(eta)})
    two = Loop(Gaussian(0, 2 * b), **{**axes, "estimator": Floor(b * eta)})
    assert all(map(same, values(two, V), [b * x for x in values(one, V)]))


@pytest.mark.parametrize(
    "regime", [*REGIMES[:6], Mixed(FOURTH, count="bernoulli"), Schedule((8, 12, 9)), Schedule(8 * n)], ids=str
)
@pytest.mark.parametrize("family", [Gaussian(1, 2), Bernoulli(THIRD)], ids=str)
def test_maximum_likelihood_keeps_total_variance(family, regime):
    """Assert E V_n + Var mu_n = V0 for maximum likelihood, whatever mixture of data is fitted; likewise for p."""
    loop = Loop(family, regime=regime, samples=8)
    if isinstance(family, Gaussian):
        assert values(loop, V + mu**2) == [Integer(3)] * 4
        assert values(loop, mu) == [Integer(1)] * 4
    else:
        assert values(loop, q * (1 - q) + q**2) == [THIRD] * 4


@pytest.mark.parametrize("of", [V, mu**2])
def test_growing_samples_are_accumulation(of):
    """Assert that M n^2 fresh points in fit n give the E V and Var mu of accumulating M a generation, for every n."""
    schedule = expect(Loop(Gaussian(), regime=Schedule(M * n**2)), of)
    pooled = expect(Loop(Gaussian(), regime=Accumulate()), of)
    assert all((x - y).cancel() == 0 for x, y in zip(schedule.values(4), pooled.values(4), strict=True))
    if of == V:
        assert (schedule.expression - pooled.expression).simplify() == 0


def test_growing_counts_are_accumulation():
    """Assert the same of a success probability, E p^2."""
    schedule, pooled = (expect(Loop(Bernoulli(), regime=r), q**2) for r in (Schedule(M * n**2), Accumulate()))
    assert all((x - y).cancel() == 0 for x, y in zip(schedule.values(4), pooled.values(4), strict=True))


@pytest.mark.parametrize("kind", [{}, {"fresh": False}, {"count": "bernoulli"}], ids=str)
@pytest.mark.parametrize("estimator", [*ESTIMATORS, Shrinkage(FOURTH), Damped(THIRD)], ids=str)
def test_no_real_points_is_replace_and_only_real_points_is_the_first_fit(kind, estimator):
    """Assert Mixed(0) = Replace, and that Mixed(1) has at every n the moments of one fit to fresh points."""
    replace = Loop(Gaussian(1, 2), estimator=estimator, samples=8)
    for of in (V, mu**2):
        none = values(Loop(Gaussian(1, 2), estimator=estimator, regime=Mixed(0, **kind), samples=8), of)
        assert all(map(same, none, values(replace, of)))
        if not isinstance(estimator, Damped):
            everything = values(Loop(Gaussian(1, 2), estimator=estimator, regime=Mixed(1, **kind), samples=8), of)
            assert all(same(x, values(replace, of, 1)[1]) for x in everything[1:])


@pytest.mark.parametrize("family", [Gaussian(1, 2), Bernoulli(THIRD)], ids=str)
@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"estimator": Damped(1)}, {}),
        ({"estimator": Shrinkage(0)}, {}),
        ({"regime": Weighted(FOURTH, FOURTH)}, {"regime": Mixed(FOURTH)}),
        ({"regime": Schedule((8, 8, 8))}, {}),
        ({"regime": Schedule(8)}, {}),
        ({"regime": Weighted(0)}, {"regime": Schedule(4)}),
    ],
    ids=str,
)
def test_extreme_values_are_other_loops(family, one, two):
    """Assert that a whole step, no shrinkage, equal weights and constant sizes change nothing."""
    for of in (V + mu**2 * V, mu**2) if isinstance(family, Gaussian) else (q**2, q**3):
        left, right = (values(Loop(family, samples=8, **axes), of) for axes in (one, two))
        assert left == right


@settings(max_examples=25)
@given(st.integers(2, 40), positives, positives)
def test_kappa_has_the_other_sign_than_the_drift(samples, scale, lam):
    """Assert that kappa is positive exactly where log V drifts down, and that V^kappa is kept on average."""
    found = drift(Loop(Gaussian(), estimator=Scaled(scale), sampling=VarianceFactor(lam), samples=samples))
    rate, kappa = found.rate.evalf(40), S(found.kappa).evalf(40)
    assert (kappa > 0) == (rate < 0)
    assert found.verdict == ("collapse" if rate < 0 else "explosion")
    assert abs(found.factor(kappa).evalf(40) - 1) < Rational(1, 10**12)


@settings(max_examples=60)
@given(axes, st.sampled_from(OBSERVABLES), rationals, positives)
def test_closed_forms_are_their_own_recurrences(axes, of, mu0, V0):
    """Assert that the closed form has the recurrence's values at generations 0 to 4, at a random rational point."""
    try:
        derived = expect(Loop(Gaussian(mu0, V0), **axes), of)
        form = derived.expression
        exact = derived.values(4 if not isinstance(axes["regime"], Schedule) else 3)
    except (NotClosed, NoClosedForm):
        return
    if isinstance(axes["regime"], Schedule) and isinstance(axes["regime"].sizes, tuple):
        return
    assert all(same(form.subs(n, k).doit(), exact[k]) for k in range(derived.start, len(exact)))
