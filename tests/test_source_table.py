"""The table of error sources, on a few of its rows: every one is judged, a wrong one is seen, none is left out.

`proofs.source_table.LEVEL` is the chance that a table of this size fails where nothing is wrong.
"""

import json

import numpy as np
import pytest
from attrs import evolve
from sympy import Rational, oo

from proofs import source_table
from proofs.cases import Case, cases
from proofs.cases.rates import Rate
from proofs.job import SourcesJob
from proofs.source_table import Mean, Seen, table
from theory import Gaussian, GradientSteps, Laplace, Loop, MinMSE, NGram, Tempered, Unbiased

SHOWN = [
    "biased estimator: least squared error",
    "biased estimator alone (M = oo)",
    "three full-batch steps on log V",
    "product of marginals: KL(model || source)",
    "kernel density, bandwidth by rule",
]


@pytest.fixture(scope="module")
def rows():
    """The rows shown, and one that cannot be declared."""
    texts = Case("texts of numbers", "expressivity", lambda: Loop(NGram(1), source=Gaussian(0, 1)), NGram.entropy)
    return table([*(case for case in cases() if case.title in SHOWN), texts], chains=20_000)


def test_every_form_of_every_source_has_its_row():
    """Assert that all the listed procedures and families are among the cases, each once, under its error source."""
    titles = {source: [c.title for c in cases() if c.source == source] for source in OF}
    assert len({c.title for c in cases()}) == len(cases())
    assert titles.keys() | {"all"} == {c.source for c in cases()}
    for source, words in OF.items():
        found = titles[source]
        missing = [one for one in map(str.strip, words.split("|")) if not any(one in title for title in found)]
        assert not missing, source


OF = {
    "statistical": """replace|accumulate|subsample|mixed|weighted|schedule|single tokens|off (M = oo)|rate:""",
    "approximation": """biased estimator|shrinkage|maximum a posteriori|damped|gradient steps|minibatch SGD|warm start|
        cold start|stopped early|ridge|posterior draw|temperature|top-p|top-k|truncation|min-p|floor|quantised|SVI|NUTS|
        EM, 1 round|EM, 5 rounds|Adam""",
    "expressivity": """diagonal|isotropic|low rank|graphical|Laplace source|Student source|
        uniform source|empirical source|mixture source|three parts fitted by two|fitted by two parts|
        product of marginals|second-order source|histogram|random bins|kernel density""",
}


def test_every_row_has_a_verdict(rows):
    """Assert that what can be declared agrees, exact or not, and that the rest says why it cannot."""
    *declared, texts = rows
    assert {row.verdict for row in declared} == {"agree"}
    assert all("Raw data in NumPy" in row.note for row in declared)
    assert texts.verdict == "no closed form"
    assert "Cannot be declared: NGram(order=1" in texts.note


def test_rows_say_how_far_they_are_derived(rows):
    """Assert a proved form, one without n where nothing is random, an exact value alone, and the engine's refusal."""
    found = {row.claim: row for row in rows}
    assert found[SHOWN[0]].certificate == found[SHOWN[1]].certificate == "proved"
    assert found[SHOWN[3]].certificate == "tested"
    assert found[SHOWN[3]].formula is None
    assert "Simulated only: estimator: 3 steps on log V nest exponentials" in found[SHOWN[2]].note
    assert found[SHOWN[2]].certificate == "none: no closed form"
    assert np.isnan(found[SHOWN[2]].theory)


def learned(estimator, **axes):
    """Case of a Gaussian loop."""
    loop = Loop(Gaussian(0, 1), estimator=estimator, samples=20, **axes)
    return Case(type(estimator).__name__, "approximation", lambda: loop, Gaussian.V)


def test_a_wrong_theory_and_a_wrong_fit_disagree(monkeypatch):
    """Assert that a wrong formula is seen, and that raw data of another loop are where there is no formula."""
    right, steps = learned(MinMSE()), learned(GradientSteps(3, HALF, on="log V"))
    wrong, exact, drawn = learned(Unbiased(), sampling=Tempered(HALF)), Case.exact, source_table._drawn
    monkeypatch.setattr(Case, "exact", lambda case: 0.9 if case is right else exact(case))
    monkeypatch.setattr(
        source_table,
        "_drawn",
        lambda case, loop, *rest: drawn(case, wrong.here if case is steps else loop, *rest),
    )
    assert [row.verdict for row in table([right, steps], chains=20_000)] == ["disagree", "disagree"]


HALF = Rational(1, 2)


RATES = [case for case in cases() if isinstance(case, Rate)]


@pytest.mark.parametrize("case", RATES, ids=lambda case: case.title)
def test_leading_terms_leave_out_no_more_than_they_say(case):
    """Assert |x(M) - lead(M)| <= the bound of the row, and ten times closer at ten times the M."""
    size = case.at["M"]
    near, far = (abs(case.exact_at(m) / case.leading_at(m) - 1) for m in (size, 10 * size))
    assert near * abs(case.leading_at(size)) <= case.off() + 1e-12
    assert far <= 0.2 * near


def test_a_wrong_rate_disagrees(monkeypatch):
    """Assert that a leading term a quarter too large is no smaller error than its bound."""
    (case,) = [case for case in RATES if "Exponential" in case.title]
    assert [row.verdict for row in table([case], chains=40_000)] == ["agree"]
    right = Rate.leading_at
    monkeypatch.setattr(Rate, "leading_at", lambda case, size: 1.25 * right(case, size))
    assert [row.verdict for row in table([case], chains=40_000)] == ["disagree"]


def test_the_eight_variants_of_a_loop_have_their_rows():
    """Assert eight rows for each of three loops, of which the first has no error at work and the last has all."""
    all_ = [case for case in cases() if case.source == "all"]
    assert len(all_) == 3 * 8
    for first, last in zip(all_[::8], all_[7::8], strict=True):
        assert (first.here.samples, first.here.source) == (oo, None)
        assert last.here.samples != oo
        assert last.here.source is not None


def test_a_run_too_small_is_refused():
    """Assert that a thousand chains are not enough for the logarithm of a variance that hardly fell."""
    case = Case("few", "statistical", lambda: Loop(Gaussian(), source=Laplace(), samples=40), Gaussian.mu**2)
    assert table([case], chains=1000)[0].verdict == "underpowered"


def test_verdicts_count_errors_of_both_sides_and_the_bias():
    """Assert z^2 = difference^2/(sum of squared errors), and that a stand-in is granted what it says it is off by."""
    seen = Seen(None, Mean(1.0, 0.003), Mean(1.05, 0.004))
    assert seen.verdict(9) == "disagree"
    assert seen.verdict(11) == "agree"
    assert Seen(1.0, None, Mean(1.03, 0.001, bias=0.03)).verdict(5) == "agree"
    assert Seen(1.0, None, Mean(1.03, 0.001, bias=0.01)).verdict(5) == "disagree"
    assert Seen(1.0, None, None).verdict(5) == "underpowered"


def test_the_page_and_the_table_hold_every_row(rows, tmp_path):
    """Assert one page that stands alone and one JSON, with a count of what is derived."""
    job = SourcesJob(out=tmp_path)
    written = source_table.write(rows, job)
    page = written["page"].read_text()
    assert all(row.claim in page for row in rows)
    assert len(json.loads(written["table"].read_text())["rows"]) == len(rows)
    proved, tested, none = (sum(r.certificate.startswith(w) for r in rows) for w in ("proved", "tested", "none"))
    counted = f"6 rows: {proved} closed forms with a certificate, {tested} other exact values, {none} without"
    assert counted in source_table.text(rows, job, 120)
    assert source_table.holds(rows)
    assert not source_table.holds([evolve(rows[0], verdict="disagree")])
