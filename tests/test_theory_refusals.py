"""What theory refuses: each refusal says in one sentence what is wrong with the value, and in one more what to do.

A wrong argument is a ValueError; a question without an answer here is `NotClosed`, naming the monomial and the axis.
"""
# Wrong arguments are what this file is about.
# pyright: reportArgumentType=false

import re

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st
from sympy import I, Rational, S, Sum, Symbol, exp, log, oo, sign, sqrt

from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Faithful,
    Gaussian,
    Loop,
    M,
    Mixed,
    MultivariateGaussian,
    NotClosed,
    Replace,
    Scaled,
    Subsample,
    Tempered,
    Unbiased,
    absorption,
    alpha,
    c,
    drift,
    expect,
    i,
    n,
    risk,
)

mu, V, p, D = Gaussian.mu, Gaussian.V, Categorical.p, DiagonalGaussian
HALF = Rational(1, 2)
COIN = Loop(Bernoulli(HALF), samples=3)
MULTIVARIATE = MultivariateGaussian([0, 0], [[1, 0], [0, 1]])

# what is tried: (the attempt, words that the refusal must hold)
ARGUMENTS = {
    "M = 1": (lambda: Loop(Gaussian(), estimator=Unbiased(), samples=1), "of 1 points by 0, which is no variance"),
    "M = 0": (lambda: Loop(Gaussian(), samples=0), "samples = 0"),
    "M = -3": (lambda: Loop(Bernoulli(), samples=-3), "samples = -3"),
    "M = 3/2": (lambda: Loop(Gaussian(), samples=Rational(3, 2)), "samples = 3/2"),
    "M = 1.5": (lambda: Loop(Gaussian(), samples=1.5), "samples = 1.5 is a float"),
    "M = -oo": (lambda: Loop(Gaussian(), samples=-oo), "samples = -oo"),
    "M = None": (lambda: Loop(Gaussian(), samples=None), "samples = None"),
    "M = 'two words'": (lambda: Loop(Gaussian(), samples="two words"), "samples = 'two words'"),
    "M = i": (lambda: Loop(Gaussian(), samples=I), "samples = I"),
    "float mean": (lambda: Gaussian(mu0=0.5), "mu0 = 0.5 is a float"),
    "float variance": (lambda: Gaussian(V0=0.5), "V0 = 0.5 is a float"),
    "negative variance": (lambda: Gaussian(V0=-1), "V0=-1"),
    "zero variance": (lambda: Gaussian(V0=0), "V0=0"),
    "alpha = 3/2": (lambda: Mixed(Rational(3, 2)), "alpha=3/2"),
    "alpha = 1.5": (lambda: Mixed(1.5), "alpha = 1.5 is a float"),
    "alpha < 0": (lambda: Mixed(-HALF), "alpha=-1/2"),
    "alpha = i": (lambda: Mixed(I), "alpha = I"),
    "alpha M not whole": (lambda: Loop(Gaussian(), regime=Mixed(Rational(1, 3)), samples=10), "10/3 real points"),
    "alpha M not whole, late": (lambda: Loop(Gaussian(), regime=Mixed(alpha)).at(alpha=HALF, M=3), "3/2 real points"),
    "float probability": (lambda: Categorical([0.5, 0.5]), "p0[0] = 0.5 is a float"),
    "probabilities too large": (lambda: Categorical([HALF] * 3), "sum to 3/2"),
    "negative probability": (lambda: Categorical([2, -1]), "probability 1 is -1"),
    "no probability": (lambda: Categorical([]), "Categorical([])"),
    "Bernoulli above 1": (lambda: Bernoulli(2), "p0=2"),
    "Bernoulli below 0": (lambda: Bernoulli(-HALF), "p0=-1/2"),
    "c < 0": (lambda: Scaled(-1), "c=-1"),
    "c = 0": (lambda: Scaled(0), "c=0"),
    "c = 1.5": (lambda: Scaled(1.5), "c = 1.5 is a float"),
    "Scaled Bernoulli": (lambda: Loop(Bernoulli(), estimator=Scaled(2)), "Scaled(c=2)"),
    "tau = 0": (lambda: Tempered(0), "tau=0"),
    "tau < 0": (lambda: Tempered(-2), "tau=-2"),
    "tau = 0.9": (lambda: Tempered(0.9), "tau = 0.9 is a float"),
    "unknown symbol": (lambda: Loop(Gaussian()).at(q=3), "no symbol 'q'"),
    "float put in": (lambda: Loop(Gaussian()).at(M=2.5), "M = 2.5 is a float"),
    "bad value put in": (lambda: Loop(Gaussian()).at(V0=-1), "V0=-1"),
    "estimator class": (lambda: Loop(Gaussian(), estimator=MLE), "with parentheses: MLE()"),
    "regime class": (lambda: Loop(Gaussian(), regime=Accumulate), "with parentheses: Accumulate()"),
    "sampling class": (lambda: Loop(Gaussian(), sampling=Faithful), "with parentheses: Faithful()"),
    "family class": (lambda: Loop(Gaussian), "with parentheses: Gaussian()"),
    "estimator word": (lambda: Loop(Gaussian(), estimator="mle"), "'mle' is no Estimator"),
    "not positive definite": (lambda: MultivariateGaussian([0, 0], [[1, 2], [2, 1]]), "not positive definite"),
    "not symmetric": (lambda: MultivariateGaussian([0, 0], [[1, 0], [1, 1]]), "not a symmetric"),
    "one mean, two rows": (lambda: MultivariateGaussian([0], [[1, 0], [0, 1]]), "1 means"),
    "negative diagonal": (lambda: D([0, 0], [1, -1]), "variance 1 is -1"),
    "one mean, two variances": (lambda: D([0], [1, 1]), "1 means and 2 variances"),
    "float diagonal": (lambda: D([0], [0.5]), "variances[0] = 0.5 is a float"),
    "foreign source": (lambda: Loop(Gaussian(), source=MULTIVARIATE), "MultivariateGaussian source"),
    "error source": (lambda: Loop(Gaussian()).without("noise"), "'noise'"),
    "metric": (lambda: risk(Loop(Gaussian()), "w3"), "metric = 'w3'"),
    "float observable": (lambda: expect(Loop(Gaussian()), 0.5 * V), "is a float"),
    "text for a parameter": (lambda: expect(Loop(Gaussian()), "V"), "only a symbol of that name"),
    "namesake": (lambda: expect(Loop(Bernoulli()), Symbol("p") ** 2), "only a symbol of that name"),
    "coordinate missing": (lambda: expect(Loop(D([0], [1])), V), "names no coordinate"),
    "missing coordinate": (lambda: expect(Loop(D([0], [1])), D.V[1]), "coordinate 1 does not exist"),
    "missing type": (lambda: expect(Loop(Categorical([1])), p[3]), "type 3 does not exist"),
    "n = -1": (lambda: expect(Loop(Gaussian()), V).at(n=-1), "n = -1"),
    "n = 1/2": (lambda: expect(Loop(Gaussian()), V).at(n=HALF), "n = 1/2"),
    "n = 1.5": (lambda: expect(Loop(Gaussian()), V).at(n=1.5), "n = 1.5"),
    "no single moment": (lambda: expect(Loop(Gaussian()), V + mu).certify(S.One), "no single moment"),
    "absorption of symbols": (lambda: absorption(Loop(Bernoulli())).expected_time(), "a symbolic M = M"),
    "absorption of a population": (lambda: absorption(Loop(Bernoulli(HALF), samples=oo)), "samples = oo"),
    "absorption of no numbers": (lambda: absorption(Loop(Categorical(), samples=3)), "symbolic source"),
    "type -1": (lambda: absorption(COIN).lost(-1, 1), "token -1 does not exist"),
    "type K": (lambda: absorption(COIN).probability(2), "token 2 does not exist"),
    "survival before the source": (lambda: absorption(COIN).survival(-1), "n = -1"),
    "support between fits": (lambda: absorption(COIN).support(HALF), "n = 1/2"),
    "ancestors of the source": (lambda: absorption(COIN).ancestors(0), "n = 0"),
}
# the same for questions without an answer: (the attempt, the monomial or value, the axis)
QUESTIONS = {
    "log V, mixed": (lambda: expect(Loop(Gaussian(), regime=Mixed(alpha)), log(V)), "E[log(V)]", "Mixed(alpha=alpha)"),
    "log V, accumulate": (lambda: expect(Loop(Gaussian(), regime=Accumulate()), log(V)), "E[log(V)]", "Accumulate()"),
    "1/V, mixed": (lambda: expect(Loop(Gaussian(), regime=Mixed(alpha)), 1 / V), "E[1/V]", "Mixed(alpha=alpha)"),
    "sqrt V, mixed": (lambda: expect(Loop(Gaussian(), regime=Mixed(alpha)), sqrt(V)), "E[sqrt(V)]", "Mixed(alpha"),
    "sqrt mu": (lambda: expect(Loop(Gaussian()), sqrt(mu)), "E[sqrt(mu)]", "Gaussian"),
    "1/mu": (lambda: expect(Loop(Gaussian()), 1 / mu), "E[1/mu]", "Gaussian"),
    "log mu": (lambda: expect(Loop(Gaussian()), log(mu)), "E[log(mu)]", "Gaussian"),
    "exp mu": (lambda: expect(Loop(Gaussian()), exp(mu)), "exp(mu)", "observable"),
    "V^n": (lambda: expect(Loop(Gaussian()), V**n), "V**n", "observable"),
    "1/V of 3 points": (lambda: expect(Loop(Gaussian(), samples=3), 1 / V), "0 > 0 fails", "Replace()"),
    "1/V of 2 points": (lambda: expect(Loop(Gaussian(), samples=2), 1 / V), "-1 > 0 fails", "Replace()"),
    "risk of 3 points": (lambda: risk(Loop(Gaussian(), samples=3)), "0 > 0 fails", "Replace()"),
    "vocabulary": (lambda: expect(Loop(Categorical()), Categorical.vocabulary), "sign(p[i])", "observable"),
    "sign of one type": (lambda: expect(Loop(Categorical()), sign(p[0])), "sign(p[0])", "observable"),
    "sum over some types": (lambda: expect(Loop(Categorical()), Sum(p[i] ** 2, (i, 0, 3))), "Sum(p[i]**2", "all types"),
    "log of a count": (lambda: expect(Loop(Bernoulli()), log(Bernoulli.p)), "logarithm of a count", "absorption(loop)"),
    "tempered Bernoulli": (
        lambda: expect(Loop(Bernoulli(), sampling=Tempered(2)), Bernoulli.p), "Tempered(tau=2)", "Bernoulli"
    ),
    "multivariate": (lambda: expect(Loop(MULTIVARIATE), V), "V", "family: MultivariateGaussian"),
    "two coordinates": (lambda: expect(Loop(D([0, 0], [1, 1])), D.V[0] * D.V[1]), "V[0]*V[1]", "family"),
    "drift of a coin": (lambda: drift(Loop(Bernoulli())), "variance", "family: Bernoulli"),
    "drift, accumulate": (lambda: drift(Loop(Gaussian(), regime=Accumulate())), "Accumulate()", "regime"),
    "drift, mixed": (lambda: drift(Loop(Gaussian(), regime=Mixed(alpha))), "Mixed(alpha=alpha)", "regime"),
    "risk of a coin": (lambda: risk(Loop(Bernoulli())), "divergence", "family: Bernoulli"),
    "risk, accumulate": (lambda: risk(Loop(Gaussian(), regime=Accumulate())), "E[mu/V]", "Accumulate()"),
    "absorption of a Gaussian": (lambda: absorption(Loop(Gaussian(), samples=3)), "finite", "family: Gaussian"),
    "absorption, subsample": (
        lambda: absorption(Loop(Bernoulli(HALF), samples=3, regime=Subsample())), "Subsample()", "no chain"
    ),
    "absorption, accumulate tempered": (
        lambda: absorption(Loop(Bernoulli(HALF), samples=3, regime=Accumulate(), sampling=Tempered(2))),
        "Tempered(tau=2)",
        "no chain",
    ),
}  # fmt: skip


def assert_says_what_to_do(message):
    """One line: what is wrong with the value, a full stop, and the fix."""
    assert re.fullmatch(r"[^\n]+[.] [A-Z][^\n]+[.]", message), message


@pytest.mark.parametrize("name", ARGUMENTS)
def test_wrong_argument_is_refused(name):
    """Assert a plain ValueError that names the value and the fix."""
    attempt, words = ARGUMENTS[name]
    with pytest.raises(ValueError, match=re.escape(words)) as refusal:
        attempt()
    assert not isinstance(refusal.value, NotClosed)
    assert_says_what_to_do(str(refusal.value))


@pytest.mark.parametrize("name", QUESTIONS)
def test_question_without_an_answer_is_refused(name):
    """Assert `NotClosed`, naming the monomial and the axis, and where to turn instead."""
    attempt, monomial, axis = QUESTIONS[name]
    with pytest.raises(NotClosed, match=re.escape(monomial)) as refusal:
        attempt()
    assert axis in str(refusal.value)
    assert_says_what_to_do(str(refusal.value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_float_enters(value):
    """Assert that every axis refuses every float, whole ones such as 2.0 included."""
    for attempt in (Gaussian, Scaled, Tempered, Mixed, Bernoulli, lambda x: Loop(Gaussian(), samples=x)):
        with pytest.raises(ValueError, match="is a float, and theory is exact"):
            attempt(value)


def test_existence_is_a_condition_on_symbols():
    """Assert that E 1/V lists M - 3 > 0 while M is a symbol, holds at M = 4 and is refused at M = 3."""
    inverse = expect(Loop(Gaussian()), 1 / V)
    assert inverse.conditions == (M - 3 > 0,)
    assert inverse.at(M=4, V0=1, n=2) == 16
    with pytest.raises(NotClosed, match="infinite"):
        inverse.at(M=3)
    assert expect(Loop(Gaussian()), V ** Rational(-3, 2)).conditions == (M - 4 > 0,)


def test_vanishing_denominators_are_conditions():
    """Assert that a general formula says where it divides by 0, and that the special case is derived anew there."""
    general = expect(Loop(Gaussian(), estimator=Scaled(c)), mu**2)
    assert [condition.lhs for condition in general.conditions] == [c - 1]
    assert general.at(c=1).conditions == ()


AXES = {
    "samples": 7,
    "regime": Accumulate(),
    "estimator": Unbiased(),
    "sampling": Tempered(2),
    "family": Gaussian(0, 1),
}


@pytest.mark.parametrize("name", AXES)
def test_loop_is_frozen(name):
    """Assert that no axis of a loop, nor a field of an axis, can be set."""
    loop = Loop(Gaussian(), regime=Mixed(alpha))
    for target, field in ((loop, name), (loop.regime, "alpha"), (loop.family, "V0")):
        with pytest.raises(FrozenInstanceError):
            setattr(target, field, AXES[name])


@pytest.mark.parametrize("name", AXES)
def test_equal_loops_are_equal_and_hash_alike(name):
    """Assert that a loop is its axes: equal ones collapse in a set, and one that differs in any axis does not."""
    spelled = {"estimator": MLE(), "regime": Replace(), "sampling": Faithful(), "samples": S(5)}
    same = {Loop(Gaussian(), samples=5), Loop(Gaussian(), **spelled)}
    changed = Loop(**({"family": Gaussian()} | spelled | {name: AXES[name]}))
    assert len(same) == 1
    assert len(same | {changed}) == 2
    assert changed not in same


def test_values_put_in_late_and_early_make_one_loop():
    """Assert that Loop(...).at(...) is the loop with the values written down, down to its hash."""
    late = Loop(Gaussian(), estimator=Scaled(c), regime=Mixed(alpha)).at(M=10, alpha=HALF, c=2, mu0=0, V0=1)
    early = Loop(Gaussian(0, 1), estimator=Scaled(2), regime=Mixed(HALF), samples=10)
    assert late == early
    assert hash(late) == hash(early)
    assert late.free_symbols == set()


def test_switching_an_error_source_off_names_its_axis():
    """Assert the three error sources: samples, source and family, estimator and sampling."""
    narrow = Loop(D(), source=MULTIVARIATE, estimator=Scaled(2), sampling=Tempered(3), samples=9)
    assert narrow.without("statistical").samples == oo
    wide = narrow.without("expressivity")
    assert (wide.family, wide.source) == (MULTIVARIATE, None)
    exact = narrow.without("approximation")
    assert (exact.estimator, exact.sampling, exact.samples) == (Unbiased(), Faithful(), S(9))
