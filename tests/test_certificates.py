"""Whatever derives is certified: the checker accepts the induction behind every closed form.

The catalogue's loops all, a stated number of random loops over every axis, and one loop for each way in which a
certificate once fell short of its proof.
"""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from sympy import Add, IndexedBase, Rational, Symbol

from proofs.kernel import Rejected, check
from proofs.testing.strategies import groups, loops
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    DiagonalGaussian,
    Gaussian,
    GradientSteps,
    LinearRegression,
    Loop,
    Mixed,
    MultivariateGaussian,
    NegativeBinomial,
    NoClosedForm,
    NotClosed,
    PosteriorDraw,
    PosteriorPredictive,
    Schedule,
    Shrinkage,
    Tempered,
    Truncated,
    Unbiased,
    UnbiasedFor,
    alpha,
    expect,
    n,
    symbols,
)
from theory.catalogue import SPECIMENS
from theory.catalogue.questions import Mean, Variance

LOOPS = 60
"""Random loops that are tried."""
M = symbols.M
w, m, phi = (Symbol(name, positive=True) for name in ("w", "m", "phi"))


def moments(loop):
    """The first two moments of the parameters, group by group."""
    return [Add(*group) ** 2 + Add(*group) for group in groups(loop)]


def certificates(loop, observable):
    """What is to be checked; nothing where the loop is refused by name."""
    try:
        return expect(loop, observable).certificate
    except (NotClosed, NoClosedForm):
        return ()


def asked(specimen):
    """What a specimen's question expects, or all first and second moments where it asks something else."""
    question = specimen.question
    if isinstance(question, Mean):
        return [question.of]
    return [question.of**2] if isinstance(question, Variance) else moments(specimen.loop)


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda one: one.name)
def test_every_loop_of_the_catalogue_is_certified(specimen):
    """Assert that the checker accepts every certificate of a published loop."""
    for one in (specimen.loop, specimen.right_for or specimen.loop):
        for observable in asked(specimen):
            assert all(check(c.data).obligations for c in certificates(one, observable))


@settings(deadline=None, max_examples=LOOPS, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(loops())
def test_random_loops_are_certified(loop):
    """Assert the same of random loops over every axis: squares in up to two symbols, beyond them first moments."""
    group = groups(loop)[0]
    observable = Add(*group) ** (2 if len(loop.free_symbols) <= 2 else 1)
    assert all(check(c.data).obligations for c in certificates(loop, observable))


HALF = Rational(1, 2)
FULL = MultivariateGaussian([2, 2], [[4, -Rational(8, 3)], [-Rational(8, 3), 16]])
HARD = {
    "a size that is another symbol's multiple": Loop(LinearRegression(M * phi)),
    "a divisor that is 0 at the generic point": Loop(Gaussian(), estimator=Shrinkage(w, of=MLE())),
    "a share above every default": Loop(Bernoulli(), regime=Mixed(m)),
    "a shape of which special values divide by 0": Loop(
        NegativeBinomial(mean0=HALF), regime=Mixed(HALF, fresh=False), estimator=Unbiased(), samples=2
    ),
    "sizes that have names": Loop(Bernoulli(), regime=Schedule(IndexedBase("N", integer=True, positive=True))),
    "sizes that grow, and what exists from the first fit on": Loop(
        Gaussian(-2, 3), estimator=PosteriorPredictive(), regime=Schedule(M * n)
    ),
    "sizes that grow, in numbers": Loop(
        Gaussian(-2, 3), estimator=PosteriorPredictive(), regime=Schedule(M * n), samples=5
    ),
    "a constant in a divisor": Loop(
        DiagonalGaussian([-5, 1], [5, 1]), estimator=UnbiasedFor(HALF), regime=Mixed(0), samples=100
    ),
    "a constant in a divisor, with real data": Loop(
        Gaussian(1, 2), estimator=PosteriorDraw(), regime=Mixed(Rational(2, 7), fresh=False), samples=7,
        sampling=Truncated(HALF),
    ),
    "a condition that is a quotient": Loop(
        DiagonalGaussian([3, -1], [1, 2]), estimator=GradientSteps(1, 1, on="log V"), sampling=Tempered(3)
    ),
    "a claim of more than ten thousand characters": Loop(FULL, regime=Mixed(alpha, count="bernoulli")),
}  # fmt: skip


def test_divisor_with_n_is_kept_from_zero_by_a_bound_on_another_symbol():
    """Assert that accumulated regression with symbolic d and M is certified, M > d + 1 being all that is supposed."""
    (proof,) = expect(Loop(LinearRegression(), regime=Accumulate()), LinearRegression.error).certificate
    assert "M - d - 1 > 0" in proof.data["domain"]
    assert "divisor M * n + M - d - 1 never vanishes" in check(proof.data).obligations
    with pytest.raises(Rejected, match=r"divisor M \* n \+ M - d - 1 may vanish"):
        check(proof.data | {"domain": [h.replace("M - d - 1 > 0", "M - d + 1 > 0") for h in proof.data["domain"]]})


@pytest.mark.parametrize("name", HARD)
def test_hard_loops_are_certified(name):
    """Assert that there are certificates, all accepted, where the domain takes care."""
    loop = HARD[name]
    found = [c for observable in moments(loop)[:1] for c in expect(loop, observable).certificate]
    assert found
    assert all(check(c.data).obligations for c in found)


@pytest.mark.parametrize("name", HARD)
def test_hard_certificates_with_a_wrong_claim_are_refused(name):
    """Assert that the same domains do not let a claim pass that is one per thousand too large."""
    loop = HARD[name]
    (proof, *_) = expect(loop, moments(loop)[0]).certificate
    wrong = copy.deepcopy(proof.data)
    label = next(label for label, claim in wrong["claim"].items() if claim not in ("(1)", "0"))
    wrong["claim"][label] = f"1001*({wrong['claim'][label]})/1000"
    with pytest.raises(Rejected, match=r"base case|induction step"):
        check(wrong)


def test_size_that_never_suffices_is_refused():
    """Assert that a regression on one row, whatever its dimension, is refused and not certified on an empty domain."""
    with pytest.raises(NotClosed, match="for no value of the symbols"):
        expect(Loop(LinearRegression(), samples=1), LinearRegression.error)
