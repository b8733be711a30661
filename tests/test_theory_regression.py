"""Regression refitted to its own responses: known formulas, exact identities, and a simulation that keeps every row."""
# Wrong arguments are among what is tested.
# pyright: reportArgumentType=false

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sympy import (
    EulerGamma,
    Rational,
    S,
    Sum,
    Symbol,
    expand_func,
    harmonic,
    log,
    oo,
    pi,
    polygamma,
    sqrt,
)

from numerics import simulate
from numerics.reference import reference
from proofs.kernel import check
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
    Tempered,
    Truncated,
    Unbiased,
    Weighted,
    alpha,
    drift,
    expect,
    n,
    tau,
)
from theory.innovations import Normal
from theory.rational_sums import rational_sum
from theory.sphere import Parts
from theory.symbols import d, noise, w0

error, w, squares = LinearRegression.error, LinearRegression.w, LinearRegression.squares
component = FixedDesignRegression.w[0]
s, lam, eta = (Symbol(name, positive=True) for name in ("s", "lam", "eta"))
b = Symbol("w0_0", real=True)
j, k = (Symbol(name, integer=True, positive=True) for name in "jk")
HALF = Rational(1, 2)

FRESH = Loop(LinearRegression())
SAME = Loop(LinearRegression(design="same"))
ACCUMULATE = Loop(LinearRegression(), regime=Accumulate())
ACCUMULATE_SAME = Loop(LinearRegression(design="same"), regime=Accumulate())
OVER = Loop(LinearRegression(overparametrised=True))
MIXED = Loop(LinearRegression(), regime=Mixed(alpha))


def given_design(estimator=None, regime=None):
    """One direction of a given design, X'X of M rows having the eigenvalue M s there."""
    return Loop(FixedDesignRegression([s]), estimator=estimator or MLE(), regime=regime or Replace())


def mean(loop, observable=error):
    """E[observable] as the engine's closed form."""
    return expect(loop, observable).expression


def zero(expression):
    """Whether a rational expression is 0."""
    return expression.together().cancel() == 0


def once(size=M, dimension=d, variance=noise):
    """E|G^-1 X' eps|^2 = noise E tr G^-1, G Wishart of ``size`` degrees."""
    return S(variance) * dimension / (size - dimension - 1)


def second(size, rows):
    """(a, b) with E[B A B] = (a + b) A + b tr(A) I for the matrix-beta share B of ``rows`` among ``size``.

    Solved from E tr B^2 = d a + d (d + 1) b and E (tr B)^2 = d^2 a + 2 d b, of the zonal moments.
    """
    square, minor = rows * (rows + 2) / (size * (size + 2)), rows * (rows - 1) / (size * (size - 1))
    trace_of_square = (square * d * (d + 2) - minor * d * (d - 1)) / 3
    square_of_trace = (square * d * (d + 2) + 2 * minor * d * (d - 1)) / 3
    b_ = (square_of_trace - d * trace_of_square) / (2 * d - d**2 * (d + 1))
    return (trace_of_square - d * (d + 1) * b_) / d, b_


def kept_share(size, rows):
    """E|U delta|^2/|delta|^2, U = G^-1 G_model: A + 2B + B (d (m d - 2)/(m - d - 1) - d)/d."""
    A, B = second(size, rows)
    return A + 2 * B + B * (d * (size * d - 2) / (size - d - 1) - d) / d


RIDGE = M * s / (M * s + lam)
DESCENT = 1 - (1 - eta * M * s) ** 3


def filtered(a):
    """E (w - b)^2 of a fit that keeps the share a of the least squares weight each time."""
    return (1 - a**n) ** 2 * b**2 + noise * a**2 / (M * s) * (1 - a ** (2 * n)) / (1 - a**2)


# name: (loop, known E error)
KNOWN = {
    "A10 fresh": (FRESH, n * once()),
    "A10 same": (SAME, n * once()),
    "A10 unbiased": (Loop(LinearRegression(), estimator=Unbiased()), n * once()),
    "A10 tempered": (Loop(LinearRegression(), sampling=Tempered(tau)), n * tau * once()),
    "A11": (ACCUMULATE_SAME, once() * harmonic(n, 2)),
    "A12": (ACCUMULATE, noise * Sum(d / (j * (j * M - d - 1)), (j, 1, n))),
    "A14": (
        OVER,
        w0**2 * (1 - (M / d) ** n) + noise * M / (d - M - 1) * (1 - (M / d) ** n) / (1 - M / d),
    ),
    "mixed": (MIXED, once() * Sum(kept_share(M, (1 - alpha) * M) ** (j - 1), (j, 1, n))),
    "S18 ridge": (given_design(Ridge(lam)), filtered(RIDGE)),
    "S18 descent": (given_design(GradientDescent(3, eta)), filtered(DESCENT)),
    "S19": (given_design(GradientDescent(3, eta, warm=True)), n * noise * DESCENT**2 / (M * s)),
    "given, accumulate": (given_design(regime=Accumulate()), noise * harmonic(n, 2) / (M * s)),
}
OVERPARAMETRISED = {"A14"}


@pytest.mark.parametrize("name", KNOWN)
def test_expected_error_is_the_known_formula(name):
    """Assert the closed form, its recurrence and the known formula agree exactly at rational points."""
    loop, formula = KNOWN[name]
    derived = expect(loop, error)
    few = st.integers(2, 5)
    over = name in OVERPARAMETRISED
    points = {
        M: st.sampled_from([8, 12, 16]),
        d: st.integers(17, 20) if over else few,
        noise: st.fractions(HALF, 3, max_denominator=4),
        w0: st.fractions(-2, 2, max_denominator=3),
        b: st.fractions(-2, 2, max_denominator=3),
        alpha: st.sampled_from([HALF, Rational(1, 4), Rational(3, 4)]),
        **dict.fromkeys((s, lam, tau), st.fractions(HALF, 2, max_denominator=3)),
        eta: st.fractions(Rational(1, 40), Rational(1, 30), max_denominator=90),
    }

    @settings(max_examples=6)
    @given(st.fixed_dictionaries(points))
    def same(values):
        special = derived.expression.subs(values)
        numbers = loop.substitute(values)
        for generation, exact in enumerate(expect(numbers, error).values(4)):
            known = formula.subs(values).subs(n, generation).doit()
            assert exact == known
            if not special.has(polygamma):
                assert special.subs(n, generation).expand() == known

    same()


@pytest.mark.parametrize(("loop", "term"), [(ACCUMULATE, d / (n * (n * M - d - 1))), (ACCUMULATE_SAME, 1 / n**2)])
def test_accumulated_error_adds_one_term_a_generation(loop, term):
    """Assert that the polygamma closed form starts at 0 and that its difference is the term of its sum."""
    closed = mean(loop)
    wanted = noise * term if loop is ACCUMULATE else once() * term
    assert expand_func(closed.subs(n, 0)).expand() == 0
    assert zero(expand_func(closed - closed.subs(n, n + 1)).expand() + wanted.subs(n, n + 1))


def test_accumulated_error_stays_bounded():
    """Assert the limits: digamma for fresh rows, pi^2/6 for the same."""
    digamma_limit = noise * d / (d + 1) * (-EulerGamma - polygamma(0, 1 - (d + 1) / M))
    assert (expect(ACCUMULATE, error).limit() - digamma_limit).expand() == 0
    assert zero(expect(ACCUMULATE_SAME, error).limit() - once() * pi**2 / 6)


@given(st.integers(1, 4), st.integers(6, 20))
def test_fresh_rows_accumulate_less_error_than_the_same(dimension, size):
    """Assert that from the second fit on a fresh design does strictly better, as the sums term by term."""
    fresh, same = (
        expect(Loop(LinearRegression(dimension, 1, 1, design=design), regime=Accumulate(), samples=size), error)
        for design in ("fresh", "same")
    )
    pairs = list(zip(fresh.values(4), same.values(4), strict=True))
    assert pairs[1][0] == pairs[1][1]
    assert all(one < other for one, other in pairs[2:])


def test_error_is_spelled_in_the_state():
    """Assert E error = E squares - 2 w0 E w + w0^2, and that w stays at the truth while there are enough rows."""
    for loop in (FRESH, ACCUMULATE, OVER):
        assert zero(mean(loop) - mean(loop, squares) + 2 * w0 * mean(loop, w) - w0**2)
    assert mean(FRESH, w) == mean(ACCUMULATE, w) == w0
    assert zero(mean(OVER, w) - w0 * (M / d) ** n)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_first_error_is_a_ratio_of_chi_squares(power):
    """Assert E error_1^k = noise^k E chi2_d^k E chi2_(M-d+1)^-k, for any dimension and for one weight."""
    df = M - d + 1
    above, below = (S.One, S.One)
    for i in range(power):
        above, below = above * (d + 2 * i), below * (df - 2 * (i + 1))
    known = noise**power * above / below
    assert zero(expect(FRESH, error**power).values(1)[1] - known)
    alone = expect(Loop(LinearRegression(1)), error**power).values(1)[1]
    assert zero(alone - known.subs(d, 1))


def test_squared_error_is_that_of_a_walk_of_isotropic_steps():
    """Assert E error^2 = n E|u|^4 + n (n - 1) (1 + 2/d) (E|u|^2)^2, all steps u alike and independent."""
    df = M - d + 1
    fourth = noise**2 * d * (d + 2) / ((df - 2) * (df - 4))
    assert zero(mean(FRESH, error**2) - n * fourth - n * (n - 1) * (1 + 2 / d) * once() ** 2)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_projection_loses_a_beta_share(power):
    """Assert that without noise error_1/w0^2 ~ Beta((d - M)/2, M/2): rising factorials of both."""
    silent = Loop(LinearRegression(noise=0, overparametrised=True))
    known = w0 ** (2 * power)
    for i in range(power):
        known *= (d - M + 2 * i) / (d + 2 * i)
    assert zero(expect(silent, error**power).values(1)[1] - known)


def test_numbers_decide_which_side_of_the_interpolation_point():
    """Assert that M and dimension as numbers decide, whatever the flag says, and that the peak is refused."""
    for flag in (False, True):
        family = LinearRegression(6, 1, 1, overparametrised=flag)
        assert expect(Loop(family, samples=9), error).values(1)[1] == once(9, 6, 1)
        assert expect(Loop(family, samples=3), error).values(1)[1] == HALF + Rational(3, 2)
        for peak in (5, 6, 7):
            with pytest.raises(NotClosed, match="infinite"):
                expect(Loop(family, samples=peak), error)
    assert expect(OVER, error).at(M=9, d=6, noise=1, w0=1, n=1) == once(9, 6, 1)


def test_existence_is_a_condition():
    """Assert M > d + 1 for the error, M > d + 3 for its square, and d > M + 1 on the other side."""
    assert expect(FRESH, error).conditions == (M - d - 1 > 0,)
    assert expect(FRESH, error**2).conditions == (M - d - 1 > 0, M - d - 3 > 0)
    assert expect(ACCUMULATE, error).conditions == (M - d - 1 > 0,)
    assert (d - M - 1 > 0) in expect(OVER, error).conditions
    assert expect(FRESH.at(M=20, d=3), error).conditions == ()


def test_all_real_is_the_fit_to_real_data_and_none_is_replace():
    """Assert Mixed(1) to be one real fit for ever and Mixed(0) replace."""
    real = Loop(LinearRegression(), regime=Mixed(1))
    assert [zero(value - once()) for value in expect(real, error).values(3)[1:]] == [True] * 3
    assert zero(mean(Loop(LinearRegression(), regime=Mixed(0))) - mean(FRESH))


def test_population_limit_keeps_the_truth():
    """Assert error 0 without statistical error, and the bias of ridge with M to infinity gone too."""
    for loop in (FRESH, ACCUMULATE, MIXED, given_design(Ridge(lam))):
        assert mean(loop.without("statistical")) == 0


def test_plain_cases_of_the_filters_are_least_squares():
    """Assert ridge with penalty 0, and one step of rate 1/S, warm or not, to be least squares."""
    plain = mean(given_design(), error**2)
    for estimator in (Ridge(0), GradientDescent(1, 1 / (M * s)), GradientDescent(1, 1 / (M * s), warm=True)):
        assert zero(mean(given_design(estimator), error**2) - plain)
    assert given_design(Ridge(lam)).without("approximation").estimator == MLE()


@pytest.mark.parametrize("warm", [False, True])
def test_number_of_steps_may_be_a_symbol(warm):
    """Assert that steps left symbolic give at 3 what three steps give."""
    steps = Symbol("J", integer=True, positive=True)
    values = {eta: Rational(1, 30), M: 4, s: 2, b: 3, noise: 2}
    symbolic = mean(given_design(GradientDescent(steps, eta, warm=warm))).subs(values).subs(steps, 3)
    assert symbolic.subs(n, 4) == mean(given_design(GradientDescent(3, eta, warm=warm))).subs(values).subs(n, 4)


def test_directions_are_independent():
    """Assert that moments of two directions multiply and that the error adds over them."""
    two = Loop(FixedDesignRegression([s, 3 * s]), estimator=Ridge(lam))
    x, y = FixedDesignRegression.w[0], FixedDesignRegression.w[1]
    true = tuple(two.family.source().values())
    product = mean(two, x**2 * y**2) - mean(two, x**2) * mean(two, y**2)
    total = mean(two) - mean(two, (x - true[0]) ** 2) - mean(two, (y - true[1]) ** 2)
    assert all(zero(difference.subs(n, 3)) for difference in (product, total))


def pooled_ridge(size, penalty, generations, *, warm):
    """E (w - 1)^2 of one direction with S = size, noise 1, all rows kept: as exact linear maps of the noises."""
    fits, means = [{0: Fraction(1)}], []  # weights as coefficients of (1, eps_1, eps_2, ...)
    for fit in range(1, generations + 1):
        means.append(fits[-1] | {fit: Fraction(1)})
        pooled = {i: sum((row.get(i, Fraction(0)) for row in means), Fraction(0)) / fit for i in range(fit + 1)}
        if warm:
            share = 1 - (1 - penalty * size * fit) ** 2
            last = fits[-1]
            fits.append({i: share * x + (1 - share) * last.get(i, Fraction(0)) for i, x in pooled.items()})
        else:
            share = size * fit / (size * fit + penalty)
            fits.append({i: share * x for i, x in pooled.items()})
    return [(f[0] - 1) ** 2 + sum(x**2 for i, x in f.items() if i) / size for f in fits]


@pytest.mark.parametrize("warm", [False, True])
def test_filters_remember_the_pool_they_read(warm):
    """Assert ridge and warm descent on all rows so far against the linear maps of the noises, in fractions."""
    amount = Fraction(1, 50) if warm else Fraction(3, 2)
    rational = Rational(amount.numerator, amount.denominator)
    estimator = GradientDescent(2, rational, warm=True) if warm else Ridge(rational)
    loop = Loop(FixedDesignRegression([1], 1, [1]), estimator=estimator, regime=Accumulate(), samples=3)
    exact = [Fraction(int(x.p), int(x.q)) for x in expect(loop, error).values(4)]
    assert exact == pooled_ridge(Fraction(3), amount, 4, warm=warm)


CERTIFIED = {
    "fresh": (FRESH, error**2),
    "same": (ACCUMULATE_SAME, error),
    "accumulate, numbers": (ACCUMULATE.at(M=10, d=3), error),
    "over": (OVER, error),
    "over, numbers": (OVER.at(M=3, d=12), error**2),
    "mixed, numbers": (MIXED.at(M=8, alpha=HALF, d=3), error),
    "ridge": (given_design(Ridge(lam)), error**2),
    "mixed": (MIXED, error),
    "ridge, accumulate": (given_design(Ridge(lam), Accumulate()).at(M=2, lam=3), component),
    "warm": (given_design(GradientDescent(2, eta, warm=True)), error),
}


@pytest.mark.parametrize("name", CERTIFIED)
def test_kernel_accepts_the_induction(name):
    """Assert that the checker accepts the certificate of every closed form."""
    assert all(check(certificate.data).obligations for certificate in expect(*CERTIFIED[name]).certificate)


TRUTH = (Rational(7, 10), Rational(3, 2))
CHAINS = 20_000
GENERATIONS = 3
FALSE_ALARM = 1e-6
"""Chance that any comparison of the simulation fails although all formulas are right."""
SIMULATED = {
    "replace": Loop(LinearRegression(3, *TRUTH), samples=16),
    "over": Loop(LinearRegression(12, *TRUTH), samples=5),
    "accumulate": Loop(LinearRegression(3, *TRUTH), regime=Accumulate(), samples=10),
    "mixed": Loop(LinearRegression(3, *TRUTH), regime=Mixed(Rational(1, 4)), samples=12),
    "mixed, tempered": Loop(LinearRegression(3, *TRUTH), regime=Mixed(HALF), sampling=Tempered(3), samples=12),
    "accumulate, tempered": Loop(LinearRegression(2, *TRUTH), regime=Accumulate(), sampling=Tempered(2), samples=9),
}
FIRST = {"E error": error, "E w": w, "E w^2": w**2}
ALL = FIRST | {"E error^2": error**2, "E w squares": w * squares}
CRITICAL = norm.isf(FALSE_ALARM / 2 / (len(SIMULATED) * len(ALL) * GENERATIONS))


def standard_scores(loop, questions):
    """(mean over chains - theory)/standard error, for every question and generation, from rows that are drawn."""
    runs = reference(loop, None, GENERATIONS, CHAINS, np.random.default_rng(20_240_731))["weights"]
    true, total = runs[0, 0], (runs**2).sum(axis=2)
    drawn = {"w": runs[:, :, 0], "squares": total, "error": ((runs - true) ** 2).sum(axis=2)}
    for name, of in questions.items():
        values = np.ones(total.shape)
        for base, power in of.as_powers_dict().items():
            values = values * drawn[str(base)] ** int(power)
        exact = np.array([float(value) for value in expect(loop, of).values(GENERATIONS)])[1:]
        scores = (values.mean(axis=0)[1:] - exact) * np.sqrt(CHAINS) / values.std(axis=0)[1:]
        yield name, scores, exact, values.std(axis=0)[1:] / np.sqrt(CHAINS)


@pytest.mark.parametrize("name", SIMULATED)
def test_rows_and_theory_agree(name):
    """Assert all moments within the critical z, and that an error of 10 % in E error would have been beyond it."""
    loop = SIMULATED[name]
    closes = isinstance(loop.regime, Replace)
    for question, scores, exact, standard_error in standard_scores(loop, ALL if closes else FIRST):
        assert (abs(scores) < CRITICAL).all(), (question, scores)
        if question == "E error":
            assert (0.1 * exact > CRITICAL * standard_error).all()


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


def test_ridge_on_all_rows_adds_no_bias():
    """Assert that under accumulate the mean of ridge stays that of the first fit, and its closed form is its values."""
    ridge = given_design(Ridge(lam), Accumulate())
    assert all(zero(value - RIDGE * b) for value in expect(ridge, component).values(4)[1:])
    numbers = expect(ridge.at(M=2, s=1, lam=3, noise=2, w0_0=1), error)
    for generation, value in enumerate(numbers.values(3)[1:], start=1):
        assert numbers.expression.subs(n, generation).doit() == value


def test_known_law_gives_what_is_listed_and_no_more():
    """Assert a law of two moments to serve as the normal law of that variance does, for what needs only these."""
    x, v = Symbol("x", real=True), Symbol("v", positive=True)
    known, full = Known(x, {2: v, 1: 0}), Normal(x, v)
    assert known == Known((x,), {(1,): 0, (2,): v})
    assert known.means() == full.means()
    for power in map(S, (0, 1, 2)):
        assert known.moment((power,), (0,)) == full.moment((power,), (0,))
    for powers, logs in (((S(3),), (0,)), ((S(-1),), (0,)), ((HALF,), (0,)), ((S(0),), (1,))):
        with pytest.raises(NotClosed, match=re.escape("only E of x, x**2 is known")):
            known.moment(powers, logs)


@given(st.integers(0, 3))
def test_parts_add_up_to_the_whole(order):
    """Assert E (x^2 + y^2)^k = square^k, and the vector of R^0 to be 0."""
    x, y, p, q, r = (Symbol(name, positive=True) for name in "xypqr")
    law = Parts((x, y), (p, q), r)
    expanded = ((x**2 + y**2) ** order).expand().as_poly(x, y)
    total = sum((c * law.moment(tuple(map(S, powers)), (0, 0)) for powers, c in expanded.terms()), S.Zero)
    assert zero(total - r**order)
    assert law.moment((S.One, S(2)), (0, 0)) == 0
    assert Parts((x, y), (S.One, -S.One), r).moment((S(2), S.Zero), (0, 0)) == 0


def summed(term):
    """The closed form of the sum of a rational term over n > 0."""
    closed = rational_sum(term, 0)
    assert closed is not None
    return closed


POLES = st.lists(st.sampled_from([S.Zero, -S.One, Symbol("r"), 1 - d / M]), min_size=1, max_size=3)


@settings(max_examples=25)
@given(POLES, st.integers(1, 2), st.integers(0, 2), st.integers(0, 5))
def test_sum_of_rational_terms_is_its_differences(poles, power, degree, here):
    """Assert F(0) = 0 and F(n + 1) - F(n) = term(n + 1) with no polygamma left, for whole and symbolic poles."""
    term = n**degree
    for pole in poles:
        term /= (n - pole) ** power
    total = summed(term).expr()
    difference = expand_func(total.subs(n, n + 1) - total).expand()
    values = {Symbol("r"): Rational(1, 3), d: 4, M: 7, n: here}
    assert not difference.has(polygamma)
    assert (difference - term.subs(n, n + 1)).subs(values) == 0
    assert total.subs(n, 0).expand() == 0


def test_sum_that_has_no_such_form_is_left():
    """Assert None where a pole is irrational or hit, and no limit where the sum diverges."""
    assert rational_sum(1 / (n**2 - 2), 0) is None
    assert rational_sum(1 / (n - 3), 0) is None
    assert summed(1 / n).limit() is None
    assert summed(n).limit() is None
    assert summed(1 / (n * (n + 1))).limit() == 1
    assert expect(FRESH.at(M=9, d=2, noise=1), error).limit() == oo
