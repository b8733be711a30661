"""`collapse derive plan` with budgets and simulation: text, JSON and exit codes."""

import json
import sys

import pytest

from proofs import cli


def run(capsys, monkeypatch, *arguments):
    """Run the command and return (exit code, standard output, standard error)."""
    monkeypatch.setattr(sys, "argv", ["collapse", "derive", "plan", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    return stopped.value.code, printed.out, printed.err


def test_a_budget_is_spread(capsys, monkeypatch):
    """Assert that points are spread over the fits, in text and as JSON."""
    code, out, _ = run(capsys, monkeypatch, "V", "--budget", "30", "--generation", "4")
    assert code == 0
    assert "2 x 8, 2 x 7" in out
    _, out, _ = run(capsys, monkeypatch, "V", "--budget", "30", "--generation", "4", "--json")
    assert json.loads(out)["sizes"] == [8, 8, 7, 7]


def test_the_least_budget(capsys, monkeypatch):
    """Assert that the least total is found, with the total that fails."""
    asked = ("V", "--solve", "budget", "--at-least", "1/2", "--generation", "4", "--family", "gaussian(0,1)")
    code, out, _ = run(capsys, monkeypatch, *asked)
    assert code == 0
    assert "26 points" in out
    _, out, _ = run(capsys, monkeypatch, *asked, "--json")
    found = json.loads(out)
    assert (found["budget"], found["short"]["budget"], found["proved"]) == (26, 25, True)


def test_a_plan_is_simulated(capsys, monkeypatch):
    """Assert that --simulate says of both neighbours on which side they lie, and ends with 1 where it cannot tell."""
    asked = ("V", "--family", "gaussian(0,1)", "--generation", "2", "--simulate", "--at-least")
    code, out, _ = run(capsys, monkeypatch, *asked, "1/2")
    assert code == 0
    assert "agree" in out
    assert "M = 4: theory 0.5625, simulated" in out
    code, out, _ = run(capsys, monkeypatch, *asked, "9/16", "--json")
    assert code == 1
    assert json.loads(out)["simulated"]["verdict"] == "underpowered"


BAD = {
    "a bound too": ("V --budget 30 --generation 4 --at-least 1/2", "takes no bound"),
    "exactly": ("V --solve budget --exactly 1/2 --generation 4", "no least budget"),
    "symbols": ("V --simulate --at-least V0/2", "is no number"),
    "too few": ("V --budget 3 --generation 4", "need 2 points each"),
}


@pytest.mark.parametrize(("line", "said"), BAD.values(), ids=BAD.keys())
def test_bad_questions_are_one_line_and_exit_code_2(capsys, monkeypatch, line, said):
    """Assert that a question that cannot be answered says why in one line."""
    code, out, err = run(capsys, monkeypatch, *line.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
