"""The main job on real data, small: every claim in the table, the planted error caught, the files whole."""

import json
import re

import pytest
from attrs import evolve

from numerics.texts.data import Column, prose
from proofs.job import Job
from proofs.verify import planned, verify, write

JOB = Job(samples=40, generations=5, chains=10_000, plant=True)


@pytest.fixture(scope="module")
def outcome():
    return verify(JOB, progress=False)


def test_the_planted_error_is_named_and_nothing_else_is(outcome):
    """Assert that the deliberately wrong formula disagrees and is rejected, and that no true claim is."""
    wrong = [row for row in outcome.rows if row.verdict == "disagree"]
    assert [row.claim for row in wrong] == ["PLANTED ERROR, ML, replace: mean variance"]
    assert wrong[0].certificate.startswith("rejected: base case")
    assert not outcome.holds
    rest = [row for row in outcome.rows if row not in wrong]
    assert {row.certificate.partition(":")[0] for row in rest} == {"proved", "tested", "none"}


def test_every_claim_asked_for_has_its_row(outcome):
    """Assert that estimators, regimes, moments, words and each error source are in the table."""
    claims = " | ".join(row.claim for row in outcome.rows)
    for name in ("ML", "unbiased"):
        for regime in ("replace", "accumulate", "mixed"):
            for moment in ("mean variance", "mean log variance", "variance of the mean"):
                assert re.search(rf"{name}, {regime}[^|]*: {moment}", claims)
    assert {"collision probability", "vocabulary"} <= set(re.findall(r"words: ([a-z ]+[a-z])", claims))
    assert re.search(r"words of count \d+: lost", claims)
    assert {row.source for row in outcome.rows} == {"statistical", "expressivity", "approximation"}


def test_claims_without_a_closed_form_say_why(outcome):
    """Assert that a refusal is a row of its own, with what the simulation saw and the reason by name."""
    refused = [row for row in outcome.rows if row.verdict == "no closed form"]
    assert {row.claim.split(", ")[1].split()[0].rstrip(":") for row in refused} == {"accumulate", "mixed"}
    assert all("does not close" in row.note and row.error > 0 for row in refused)


def test_the_diagonal_loss_is_the_projection_and_paid_once(outcome):
    """Assert that at M = oo the excess loss on the real sentences is -log(1 - rho^2)/2 from generation 1 on."""
    agreement = outcome.agreements["diagonal family alone (M = oo): excess loss"]
    (row,) = [row for row in outcome.rows if "diagonal family alone" in row.claim]
    (rho,) = row.formula.free_symbols
    assert row.formula.subs(rho, 0) == 0
    assert agreement.simulation == pytest.approx(agreement.theory, rel=1e-9)
    assert len(set(agreement.theory)) == 1


def test_the_files_are_whole_and_stand_alone(outcome, tmp_path):
    """Assert that report, table and figure are written, readable, and refer to nothing outside."""
    written = write(outcome, evolve(JOB, out=tmp_path))
    table = json.loads(written["table"].read_text())
    assert len(table["rows"]) == len(outcome.rows)
    assert table["provenance"]["sha256"] == prose().sha256
    page = written["report"].read_text()
    assert "<math" in page
    assert "<svg" in page
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)
    assert written["figure"].read_bytes().startswith(b"%PDF")
    assert not list(tmp_path.glob("*.tmp"))


def test_a_column_of_numbers_leaves_the_words_out():
    """Assert that numbers are a Gaussian source and nothing more."""
    titles = [experiment.title for experiment in planned(JOB, Column([1.0, 2.0, 4.0]))]
    assert not any("words" in title or "diagonal" in title for title in titles)
    assert "ML, replace" in titles
