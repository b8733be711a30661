"""`collapse derive plan`: the planner on the command line, as text and JSON, and its refusals in one line."""

import json
import sys

import pytest

from proofs import cli


def run(capsys, monkeypatch, *arguments):
    """Run the command and return (exit code, standard output, standard error)."""
    monkeypatch.setattr(sys, "argv", ["collapse", "derive", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    return stopped.value.code, printed.out, printed.err


def test_a_plan_as_text(capsys, monkeypatch):
    """Assert that the answer and its two neighbours are printed."""
    asked = ("plan", "V", "--at-least", "V0/2", "--generation", "2")
    code, out, _ = run(capsys, monkeypatch, *asked)
    assert code == 0
    assert "least M is 4" in out
    assert "M = 3: E[V] = 4/9 misses" in out


def test_a_plan_as_json(capsys, monkeypatch):
    """Assert that JSON holds the value, the certificate and what is proved."""
    options = ["--family", "bernoulli", "--at-most", "p0*(1-p0)/2", "--generation", "10", "--json"]
    code, out, _ = run(capsys, monkeypatch, "plan", "var(p)", *options)
    found = json.loads(out)
    assert code == 0
    assert (found["quantity"], found["value"], found["side"]) == ("Var[p]", "15", "least")
    assert [p["meets"] for p in found["neighbours"]] == [False, True]
    assert [p["to"] for p in found["proved"]] == ["14", "oo"]


def test_a_plan_in_symbols_and_a_schedule(capsys, monkeypatch):
    """Assert that the temperature that balances the drift is written down, and that a schedule is planned."""
    _, out, _ = run(
        capsys, monkeypatch, *["plan", "drift", "--solve", "tau", "--sampling", "tempered", "--exactly", "0"]
    )
    assert out.startswith("tau = M*exp(-polygamma(0, M/2 - 1/2))/2")
    schedule = ["plan", "V", "--regime", "schedule(M*n**2)", "--at-least", "V0*9/10", "--generation", "100"]
    _, out, _ = run(capsys, monkeypatch, *schedule)
    assert "least M is 16" in out


def test_the_observable_comes_first_as_before(capsys, monkeypatch):
    """Assert that derive without a command still derives."""
    code, out, _ = run(capsys, monkeypatch, "V")
    assert code == 0
    assert "Closed form" in out


BAD = {
    "no bound": ("plan V", "needs one bound"),
    "out of reach": ("plan V --family gaussian(0,1) --at-least 2 --generation 3", "the best is 1.0"),
    "no symbol": ("plan V --solve q --at-least 1", "no symbol of the loop"),
    "no expression": ("plan V --at-least V0+", "--at-least"),
    "nothing asked": ("plan --at-least 1", "OF"),
}


@pytest.mark.parametrize(("line", "said"), BAD.values(), ids=BAD.keys())
def test_bad_plans_are_one_line_and_exit_code_2(capsys, monkeypatch, line, said):
    """Assert that a plan that cannot be made says why in one line."""
    code, out, err = run(capsys, monkeypatch, *line.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
