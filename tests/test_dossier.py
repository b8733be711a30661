"""The dossier: every theorem proved, tied to what theory derives, and held against a simulation of its loop."""

from dataclasses import replace

import pytest
from sympy import Rational

from proofs.dossier import as_text, dossier, entry
from proofs.theorems import ALL
from proofs.ties import TIES, simulated, tied


def test_every_theorem_has_a_tie_and_every_tie_a_theorem():
    """Assert that neither list has an entry that the other lacks."""
    assert {theorem.name for theorem in ALL} == TIES.keys()
    assert len(ALL) >= 6


@pytest.mark.parametrize("theorem", ALL, ids=lambda theorem: theorem.name)
def test_every_theorem_is_proved_and_says_what_theory_derives(theorem):
    """Assert that the checker accepts the certificate and the formula equals theory's at random exact points."""
    stated = entry(theorem)
    assert (stated.certificate, stated.tie) == ("proved", "equal")
    assert stated.assumes


def test_a_right_proof_of_a_wrong_statement_is_caught_by_the_tie():
    """Assert that a formula that its certificate does not speak of is found to differ from theory."""
    (theorem,) = [t for t in ALL if t.name == "mle_variance_decay"]
    wrong = replace(theorem, claim="V0*(1 - 1/M)**(n + 1)")
    assert entry(wrong).certificate == "proved"
    assert "theory" in (tied(wrong) or "")
    assert not entry(wrong).holds


@pytest.mark.parametrize("name", ["mle_variance_decay", "collision_decay", "fixation", "mixed_mean_drift"])
def test_a_theorem_agrees_with_simulation_and_two_per_cent_more_does_not(name):
    """Assert that the pre-registered simulation accepts the theorem and rejects it times 1.02."""
    (theorem,) = [t for t in ALL if t.name == name]
    assert simulated(theorem).verdict == "agree"
    assert simulated(theorem, Rational(102, 100)).verdict == "disagree"


def test_the_dossier_prints_what_is_taken_on_trust():
    """Assert that the table lists every assumption once and counts what holds."""
    text = as_text(dossier(), 100)
    assert f"{len(ALL)} of {len(ALL)} theorems hold." in text
    assert text.count("Taken on trust") == 1
