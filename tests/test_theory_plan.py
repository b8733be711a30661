"""Plans: the answer gives back the bound, just inside holds and just outside fails, exactly and by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sympy import Rational, S, Symbol, digamma, exp, log, oo, simplify

from numerics.reference.simulator import reference
from theory import (
    V0,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    M,
    Mixed,
    NoClosedForm,
    Scaled,
    Schedule,
    Shrinkage,
    Tempered,
    Unbiased,
    Weighted,
    absorption,
    alpha,
    best,
    c,
    expect,
    mu0,
    n,
    plan,
    real_share,
    symbols,
    tau,
    variance,
)
from theory.catalogue.questions import Minimiser
from theory.isolation import isolated

V, mu, w = Gaussian.V, Gaussian.mu, symbols.w
UNIT = Gaussian(0, 1)
eps, bound, m = Symbol("eps", positive=True), Symbol("b", positive=True), Symbol("m", integer=True, positive=True)


def test_samples_for_a_variance_in_symbols():
    """Assert M >= 1/(1 - (1 - eps)^(1/n)) for E V_n >= (1 - eps) V0 under maximum likelihood."""
    found = plan(Loop(Gaussian()), V, M, at_least=(1 - eps) * V0)
    assert simplify(found.expression - 1 / (1 - (1 - eps) ** (1 / n))) == 0
    assert (found.side, found.value, found.neighbours) == ("least", None, ())


def test_temperature_that_balances_the_drift():
    """Assert tau_c = exp(-m), m = psi((M - 1)/2) - log(M/2) the drift of the loop without temperature."""
    found = plan(Loop(Gaussian(), sampling=Tempered(tau)), "drift", tau, exactly=0)
    assert simplify(found.expression / (exp(-digamma((M - 1) / 2)) * M / 2)) == 1
    numbers = plan(Loop(UNIT, sampling=Tempered(tau), samples=20), "drift", tau, exactly=0)
    low, high = numbers.bracket
    assert low < found.expression.subs(M, 20).evalf(30) < high
    assert high - low <= Rational(1, 10**6)
    assert numbers.proved


@pytest.mark.parametrize(
    ("loop", "of", "symbol", "horizon"),
    [
        (Loop(UNIT, estimator=Scaled(c), samples=9), V, c, S(5)),
        (Loop(UNIT, estimator=Unbiased()), mu**2, M, S(7)),
        (Loop(Gaussian(), sampling=Tempered(tau)), V, tau, n),
        (Loop(Gaussian(), estimator=Shrinkage(w)), V, w, oo),
        (Loop(Gaussian(), regime=Mixed(alpha)), V, alpha, oo),
        (Loop(Bernoulli()), lambda loop: variance(loop, Bernoulli.p), M, n),
    ],
    ids=["c", "M", "tau", "w", "alpha", "variance"],
)
def test_the_answer_gives_back_the_bound(loop, of, symbol, horizon):
    """Assert that the quantity at the symbolic answer is the bound, at numbers within the range."""
    found = plan(loop, of, symbol, exactly=bound, n=horizon)
    closed = found.quantity.closed(oo if horizon == oo else n)
    numbers = {V0: 1, M: 8, symbols.q0: S.Half, n: 5 if horizon == n else horizon, tau: S.One, symbols.mu0: 0}
    aim = Rational(1, 7) if isinstance(loop.family, Bernoulli) else Rational(93, 100)
    here = {s: v for s, v in numbers.items() if s != symbol}
    root = found.expression.subs(bound, aim).subs(here)
    assert abs((closed.subs(symbol, root).subs(here) - aim).evalf(40)) < 1e-35


@given(st.integers(1, 60), st.integers(1, 60))
@settings(max_examples=12)
def test_the_least_sample_meets_the_bound_and_one_less_does_not(percent, generation):
    """Assert (1 - 1/M)^n >= 1 - eps at the answer and not at one less, for any tolerance and horizon."""
    aim = 1 - Rational(percent, 100)
    found = plan(Loop(Gaussian()), V, M, at_least=aim * V0, n=generation)
    size = found.value
    assert (1 - 1 / size) ** generation >= aim > (1 - 1 / (size - 1)) ** generation
    assert [p.value for p in found.neighbours] == [(1 - 1 / x) ** generation for x in (size - 1, size)]
    assert [p.holds for p in found.neighbours] == [False, True]
    assert found.proved


@given(st.integers(5, 40), st.integers(1, 20), st.integers(2, 20))
@settings(max_examples=8)
def test_fixed_counts_leave_whole_numbers_of_real_points(samples, generation, part):
    """Assert that the share is k/M, that it meets the bound, and that (k - 1)/M does not."""
    loop = Loop(UNIT, estimator=Unbiased(), regime=Mixed(alpha), samples=samples)

    def spread(share):
        return expect(loop.substitute({alpha: S(share)}), mu**2).values(generation)[-1]

    aim = spread(0) * Rational(part, 20) + spread(1) * Rational(20 - part, 20)
    found = plan(loop, mu**2, alpha, at_most=aim, n=generation)
    assert (found.value * samples).is_Integer
    assert spread(found.value) <= aim
    if found.crossing.fails is None:
        assert found.value == 0
    else:
        assert found.crossing.fails == found.value - Rational(1, samples)
        assert spread(found.crossing.fails) > aim


def test_samples_of_a_fixed_share_are_multiples():
    """Assert that a tenth of real points is asked of 10, 20, ... points alone."""
    found = plan(Loop(Gaussian(), regime=Mixed(Rational(1, 10))), V, M, at_least=V0 * Rational(9, 10), n=oo)
    assert found.bracket == (40, 50)
    assert found.bracket[0] < found.expression <= found.bracket[1]


@pytest.mark.parametrize("generation", [1, 30, oo])
def test_samples_for_logarithms_and_distances(generation):
    """Assert that irrational values are enclosed on the two sides of the bound."""
    horizon = 30 if generation == oo else generation
    for of, options in ((log(V), {"at_least": Rational(-1, 5)}), ("w2", {"at_most": Rational(1, 20)})):
        found = plan(Loop(UNIT), of, M, n=horizon, **options)
        (aim,) = options.values()
        sides = [(p.value.lower - aim) * (p.value.upper - aim) > 0 for p in found.neighbours]
        assert all(sides)
        assert found.neighbours[1].at == found.neighbours[0].at + 1
        assert found.proved


def test_schedules():
    """Assert the least m for which prod_(k <= n) (1 - 1/(m k^2)) stays above the bound."""

    def product(size, generation):
        total = S.One
        for k in range(1, generation + 1):
            total *= 1 - Rational(1, size * k**2)
        return total

    for generation in (1, 5, 40):
        found = plan(Loop(UNIT, regime=Schedule(m * n**2)), V, m, at_least=Rational(9, 10), n=generation)
        assert product(found.value, generation) >= Rational(9, 10) > product(found.value - 1, generation)
    endless = plan(Loop(UNIT, regime=Schedule(m * n**2)), V, m, at_least=Rational(4, 5), n=oo)
    assert endless.bracket is not None


def test_words_of_a_chain():
    """Assert the neighbours of a vocabulary's bound, and that a real share is that of `real_share`."""
    four = Categorical([Rational(1, 4)] * 4)
    found = plan(Loop(four), "support", M, at_least=3, n=6)
    small, large = (absorption(Loop(four, samples=x)).support(n=6) for x in (found.value - 1, found.value))
    assert small < 3 <= large
    loop = Loop(four, samples=8, regime=Mixed(alpha))
    asked = Loop(four, samples=8, regime=Mixed(0))
    assert plan(loop, "support", alpha, at_least=3, n=5).bracket == real_share(asked, 3, 5)


def test_a_quantity_that_turns_is_said_to():
    """Assert that the range of w about the least stationary risk has two ends, each found by its own name."""
    loop = Loop(Gaussian(), estimator=Unbiased(), regime=Weighted(w, Rational(1, 2)), samples=20)
    ends = [plan(loop, (mu - mu0) ** 2, w, at_most=V0 / 15, n=oo, want=side) for side in ("least", "greatest")]
    least, greatest = (one.value for one in ends)
    assert least < greatest
    assert not any(one.monotone or one.proved for one in ends)
    assert "not monotone" in str(ends[0])
    for x in (least, greatest):
        limit = expect(loop.substitute({w: x}), (mu - mu0) ** 2).limit()
        assert limit.subs({V0: 1, mu0: 0}) <= Rational(1, 15)


def test_the_greatest_value_where_only_smaller_ones_meet_the_bound():
    """Assert that E V_n <= b is asked of few samples, and a least answer at the end of the range has no neighbour."""
    found = plan(Loop(Gaussian()), V, M, at_most=V0 / 2, n=100)
    assert found.side == "greatest"
    assert [p.at for p in found.neighbours] == [found.value + 1, found.value]
    trivial = plan(Loop(Gaussian()), V, M, at_least=0, n=10)
    assert (trivial.value, trivial.bracket) == (1, None)


def test_large_numbers_do_not_need_large_fractions():
    """Assert that a million generations are planned, with neighbours on the two sides."""
    found = plan(Loop(UNIT), log(V), M, at_least=Rational(-1, 10), n=10**6)
    assert found.value > 10**7
    low, high = (p.value for p in found.neighbours)
    assert low.upper < Rational(-1, 10) < high.lower


@pytest.mark.parametrize(("of", "aim"), [(V, S.Half), (log(V), S(-1)), ("w2", Rational(1, 10))], ids=str)
def test_nothing_false_is_proved(of, aim):
    """Assert that a range with a crossing in it is settled neither way, nor one side with the other's claim."""
    found = plan(Loop(UNIT), of, M, n=10, **{"at_most" if of == "w2" else "at_least": aim})
    settled, grid, size = found.search.judge.settled, found.search.grid, found.value
    assert not settled(S(2), 2 * size, True, grid)
    assert not settled(S(2), 2 * size, False, grid)
    assert not settled(size, 2 * size, False, grid)
    assert not settled(size, oo, False, grid)
    assert not settled(1000 * size, 1001 * size, False, grid)
    assert not settled(S(2), size - 1, True, grid)
    assert settled(size, 2 * size, True, grid)
    assert settled(S(2), size - 1, False, grid)


def test_a_wrong_branch_is_not_returned(monkeypatch):
    """Assert that of several roots the one that gives back the exact points is taken, and none where none does."""
    loop = Loop(UNIT, estimator=Unbiased(), regime=Mixed(alpha))
    right = plan(loop, mu**2, alpha, at_most=bound, n=oo).expression
    monkeypatch.setattr("theory.inverse.isolated", lambda *given: [2 - right, 1 + right, *isolated(*given)])
    assert simplify(plan(loop, mu**2, alpha, at_most=bound, n=oo).expression - right) == 0
    monkeypatch.setattr("theory.inverse.isolated", lambda *given: [1 + root for root in isolated(*given)])
    with pytest.raises(NoClosedForm):
        plan(loop, mu**2, alpha, at_most=bound, n=oo)


def test_without_flint(monkeypatch):
    """Assert that mpmath's intervals give the same plan, with proof."""
    with_flint = plan(Loop(UNIT), log(V), M, at_least=S(-1), n=10)
    monkeypatch.setattr("theory.balls.flint", None)
    without = plan(Loop(UNIT), log(V), M, at_least=S(-1), n=10)
    assert with_flint.value == without.value
    assert without.proved


def test_it_prints():
    """Assert that text names both neighbours, and LaTeX the answer."""
    found = plan(Loop(Gaussian()), V, M, at_least=V0 / 2, n=2)
    assert "M = 3: E[V] = 4/9 misses" in str(found)
    assert r"M \ge 4" in found._repr_latex_()
    symbolic = plan(Loop(Gaussian()), V, M, at_least=V0 / 2)
    assert r"M \ge" in symbolic._repr_latex_()
    assert str(symbolic).startswith("M >= ")


def test_the_best_weight():
    """Assert that the best weight is the catalogue's turning point, that a bound just above its value has two ends
    about it, and that one just below is out of reach.
    """
    free = Loop(Gaussian(), estimator=Unbiased(), regime=Weighted(w, Rational(1, 2)))
    error = (mu - mu0) ** 2
    found = best(free.at(M=20), error, w)
    turning = Minimiser(error.subs(mu0, 0), w).answer(free.at(mu0=0, V0=1))
    assert abs((found.value - turning.subs(M, 20)).evalf(40)) < 1e-35
    slack = Rational(1, 10**5)
    near = Rational(str(found.attained.evalf(30)))
    options = {"at_most": (near + slack) * V0, "n": oo, "between": (Rational(1, 2), Rational(641, 1000))}
    assert plan(free.at(M=20), error, w, **options).value < found.value
    with pytest.raises(ValueError, match="Give a bound within reach"):
        plan(free.at(M=20), error, w, at_most=(near - slack) * V0, n=oo)


REFUSED = {
    "no bound": (lambda: plan(Loop(UNIT), V, M, n=3), "needs one bound and has 0"),
    "two bounds": (lambda: plan(Loop(UNIT), V, M, at_least=0, at_most=1, n=3), "has 2"),
    "a float": (lambda: plan(Loop(UNIT), V, M, at_least=0.5, n=3), "is a float"),
    "no symbol": (lambda: plan(Loop(UNIT), V, tau, at_least=0, n=3), "is no symbol of the loop"),
    "no horizon": (lambda: plan(Loop(UNIT), V, M, at_least=0, n=0), "is no horizon"),
    "out of reach": (lambda: plan(Loop(UNIT), V, M, at_least=2, n=3), "the best is 1.0"),
    "a word": (lambda: plan(Loop(UNIT), "volume", M, at_least=2, n=3), "is not known here"),
    "the wrong way round": (lambda: plan(Loop(UNIT), V, M, at_least=0, n=3, between=(5, 2)), "smaller one first"),
    "no end": (lambda: plan(Loop(UNIT), V, M, at_least=S.Half, n=3, want="greatest"), "Ask for the least"),
}


@pytest.mark.parametrize(("asked", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals(asked, said):
    """Assert that a question without an answer is refused in a sentence."""
    with pytest.raises(ValueError, match=said):
        asked()


def test_symbols_that_are_left_are_named():
    """Assert that a closed form that cannot be turned round asks for the numbers it lacks."""
    with pytest.raises(NoClosedForm, match="Put numbers in for V0, mu0, n"):
        plan(Loop(Gaussian(), estimator=Unbiased()), "kl_source_model", M, at_most=Rational(1, 10))


# Simulation at the boundary.

LEVEL = 1e-4
"""Chance that any of the six comparisons below fails although the plans are right."""
CRITICAL = norm.isf(LEVEL / 6)
CHAINS = 20_000


def _mean(loop, generation, seed, value):
    """Return the mean of a function of the last model over independent runs, with its standard error."""
    run = reference(loop, None, generation, CHAINS, np.random.default_rng(seed))
    last = value({name: path[:, -1] for name, path in run.items()})
    return last.mean(), last.std(ddof=1) / np.sqrt(CHAINS)


SIMULATED = {
    "mean variance": (Loop(UNIT), V, lambda x: x["V"], M, 8, {"at_least": Rational(4, 5)}, S.Half),
    "log variance": (Loop(UNIT), log(V), lambda x: np.log(x["V"]), M, 8, {"at_least": Rational(-1, 4)}, S.Half),
    "real share": (
        Loop(UNIT, estimator=Unbiased(), regime=Mixed(alpha), samples=40),
        mu**2,
        lambda x: x["mu"] ** 2,
        alpha,
        8,
        {"at_most": Rational(1, 12)},
        S.Half,
    ),
}


@pytest.mark.parametrize("case", SIMULATED)
def test_simulation_at_the_boundary(case):
    """Assert that raw runs meet the bound at twice the answer and miss it at half, each beyond its standard error."""
    loop, of, value, symbol, generation, options, half = SIMULATED[case]
    found = plan(loop, of, symbol, n=generation, **options)
    ((relation, aim),) = options.items()
    side = 1 if relation == "at_least" else -1
    grid = found.search.grid.step
    outside = (found.value * half / grid).round() * grid
    for number, (at, sign) in enumerate(((2 * found.value, side), (outside, -side))):
        mean, error = _mean(loop.substitute({symbol: at}), generation, number, value)
        assert sign * (mean - float(aim)) / error > CRITICAL, (case, at, mean, error)
