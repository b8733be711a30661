"""The catalogue: every published claim against the engine, and every claim a little wrong against it too."""

import pytest
from attrs import evolve
from sympy import Dummy, Rational, S, Sum, digamma, gamma, log, oo, sin, sqrt

from theory import Gaussian, Loop, M, NoClosedForm, Unbiased, n
from theory.catalogue import SPECIMENS, TOPICS, same, table
from theory.catalogue.comparison import at_most
from theory.catalogue.questions import Mean
from theory.symbols import V0

EVERY = pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda one: one.name)
CORRECTED = [one for one in SPECIMENS if one.verdict == "corrected"]
AGREEING = [one for one in SPECIMENS if one.verdict != "corrected"]


@EVERY
def test_verdict_is_what_the_engine_says(specimen):
    """Assert that a claim agrees unless it is marked corrected, which its right form and its right loop then do."""
    assert specimen.agrees() == (specimen.verdict != "corrected")
    if specimen.correct is not None:
        assert specimen.agrees(specimen.correct)
    if specimen.right_for is not None:
        assert specimen.agrees(loop=specimen.right_for)


def slips(specimen):
    """The right formula with n + 1 for n, M + 1 for M, or 1 % too large; a bound twice as sharp."""
    formula = specimen.published if specimen.correct is None else specimen.correct
    if specimen.side != "=":
        yield formula * {"upper": S.Half, "lower": S(2)}[specimen.side]
        return
    yield from (formula.subs(symbol, symbol + 1) for symbol in (n, M) if formula.has(symbol))
    yield -oo if formula is oo else formula * Rational(101, 100)


@EVERY
def test_slip_is_rejected(specimen):
    """Assert that every claim off by one generation, one sample, or 1 %, is refused."""
    assert [specimen.agrees(wrong) for wrong in slips(specimen)].count(True) == 0


def test_there_are_enough_and_each_has_its_papers():
    """Assert at least forty specimens of distinct names, each with a claim, a source that has a year, and a verdict."""
    assert len(SPECIMENS) >= 40
    assert len({one.name for one in SPECIMENS}) == len(SPECIMENS) == sum(map(len, TOPICS.values()))
    for one in SPECIMENS:
        assert one.claim
        assert any(str(year) in one.source for year in range(1900, 2027)), one.name
        assert one.source == one.source.strip()
        assert one.question.answer
    assert {one.verdict for one in SPECIMENS} == {"verified", "corrected", "asymptotic", "bound"}


def test_corrections_say_what_is_wrong():
    """Assert that exactly the corrected ones have a word on the slip and a right form."""
    for one in SPECIMENS:
        corrected = one.verdict == "corrected"
        assert bool(one.wrong) == (one.correct is not None) == corrected, one.name
        assert corrected or one.right_for is None
    assert len(CORRECTED) >= 8
    assert sum(one.right_for is not None for one in CORRECTED) >= 6


def test_evidence_says_how_it_was_compared():
    """Assert that what is compared at numbers alone is not called proved, and that bounds have a side."""
    for one in SPECIMENS:
        assert (one.evidence == "proved") == (not one.points), one.name
        assert (one.verdict == "bound") == (one.side != "="), one.name


def test_wrong_engine_is_caught():
    """Assert that claims about maximum likelihood fail against the unbiased loop, and the other way round."""
    likelihood, unbiased = Loop(Gaussian()), Loop(Gaussian(), estimator=Unbiased())
    by_name = {one.name: one for one in SPECIMENS}
    assert not by_name["mean of the sample variance"].agrees(loop=unbiased)
    assert not by_name["mean of the log variance"].agrees(loop=likelihood)
    assert not by_name["standard deviation decays geometrically"].agrees(loop=likelihood)


@pytest.mark.parametrize("specimen", [one for one in SPECIMENS if one.points], ids=lambda one: one.name)
def test_bound_looks_at_every_point(specimen):
    """Assert that one point at which a bound fails is enough: 0 bounds nothing from above, 2 nothing from below."""
    beyond = S.Zero if specimen.side == "upper" else S(2)
    assert not specimen.agrees(beyond)
    assert all(evolve(specimen, points=(point,)).agrees() for point in specimen.points)


def test_table_has_a_line_for_each():
    """Assert one line of four cells for every specimen, with its source, and what is wrong where something is."""
    head, rule, *lines = table(SPECIMENS).splitlines()
    assert head.count("|") == rule.count("|") == 5
    assert len(lines) == len(SPECIMENS)
    for one, line in zip(SPECIMENS, lines, strict=True):
        assert line.replace(r"\|", "").count("|") == 5
        assert one.source in line
        assert one.wrong in line


EQUAL = {
    "powers": ((1 - 1 / M) ** (2 * n), ((M**2 - 2 * M + 1) / M**2) ** n),
    "Gamma": (gamma(M / 2 + 1) / gamma(M / 2), M / 2),
    "Gamma in a base": ((gamma(M + 1) / gamma(M)) ** n, M**n),
    "digamma": (digamma(M / 2 + 1) - digamma(M / 2), 2 / M),
    "logarithm": (log((M - 1) / 2) - log(M - 1), -log(2)),
    "infinity": (oo, oo),
}
j = Dummy("j", integer=True, positive=True)


@pytest.mark.parametrize("name", EQUAL)
def test_equal_forms_are_the_same(name):
    """Assert that each rewriting is found, and that 10^-9 more is seen to be something else."""
    one, other = EQUAL[name]
    assert same(one, other)
    assert one is oo or not same(one, other + Rational(1, 10**9))


def test_sum_is_the_same_as_its_closed_form():
    """Assert that sums are compared by their start and their step, both of which count."""
    whole = Sum(j, (j, 1, n))
    assert same(whole, n * (n + 1) / 2)
    assert not same(whole, n * (n + 1) / 2 + 1)
    assert not same(whole, n**2)


def test_what_is_not_decided_is_refused():
    """Assert that an equality beyond the normal form raises instead of passing for one or the other."""
    nested = sqrt(5 + 2 * sqrt(6))
    with pytest.raises(NoClosedForm, match="neither"):
        same(nested * sin(V0) ** 2 + nested * sin(V0 + S.Pi / 2) ** 2, sqrt(2) + sqrt(3))
    with pytest.raises(NoClosedForm, match="not told apart"):
        at_most(nested, sqrt(2) + sqrt(3))


def test_question_says_what_it_asks():
    """Assert that questions print their observable and generation."""
    assert str(Mean(Gaussian.V)) == "E[V] at generation n"
    assert str(Mean(Gaussian.V, S.One)) == "E[V] at generation 1"
