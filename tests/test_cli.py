"""The command line: bad input ends in one line and exit code 2, and nothing half-written is left behind."""

import json
import sys

import pytest

from proofs import cli


def run(capsys, monkeypatch, *arguments):
    """Run the command and return (exit code, standard output, standard error)."""
    monkeypatch.setattr(sys, "argv", ["collapse", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    return stopped.value.code, printed.out, printed.err


BAD = {
    "one sample": (["verify", "--samples", "1"], "--samples 1 is too small"),
    "no generation": (["verify", "--generations", "0"], "--generations 0 is too small"),
    "a word for a number": (["verify", "--samples", "many"], "many"),
    "an unknown option": (["verify", "--samplse", "3"], "Did you mean --samples?"),
    "an unknown command": (["verfy"], "verify"),
    "a missing file": (["verify", "--data", "nowhere.txt"], "nowhere.txt"),
    "a share above one": (["derive", "V", "--regime", "mixed(1.5)"], "between 0 and 1"),
    "a share too many": (["derive", "V", "--regime", "mixed(1/2, 1/3)"], "Mixed takes alpha, fresh, count"),
    "an unknown regime": (["derive", "V", "--regime", "forget"], "accumulate, mixed"),
    "no syntax": (["derive", "V", "--regime", "mixed(1/"], "cannot be read"),
    "a name that is no axis": (["derive", "V", "--estimator", "open('x')"], "mle"),
    "one sample of a loop": (["derive", "V", "--estimator", "unbiased", "--samples", "1"], "which is no variance"),
    "a negative multiplier": (["derive", "V", "--estimator", "-1"], "c > 0"),
    "an unknown family": (["derive", "V", "--family", "cauchy"], "gaussian, graphicalgaussian"),
    "an unknown parameter": (["derive", "W"], "'W' names W"),
    "no expression": (["derive", "V +"], "no expression"),
    "a list of expressions": (["derive", "[V, V]"], "names no value"),
    "nothing to derive": (["derive"], "needs an observable"),
    "a text that is not there": (["derive", "--tokens", "nowhere.txt"], "nowhere.txt"),
    "words in place of tokens": (["derive", "--tokens", "prose", "--samples", "many"], "no number of tokens"),
    "no token": (["derive", "--tokens", "prose", "--samples", "0"], "M = 0"),
    "generation 0 of a text": (["derive", "--tokens", "prose", "--generations", "0"], "first fit on"),
    "more than all words": (["derive", "--tokens", "prose", "--keep", "2"], "no share of the words"),
    "a figure of another kind": (["derive", "--tokens", "prose", "--figure", "a.gif"], ".pdf, .svg or .png"),
    "a figure in no folder": (["derive", "--tokens", "prose", "--figure", "no/where/a.pdf"], "no folder"),
    "an unknown topic": (["catalogue", "astrology"], "Gaussian refits"),
    "moments that do not close": (["derive", "log(V)", "--regime", "mixed"], "does not close"),
}


@pytest.mark.parametrize(("arguments", "said"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_and_exit_code_2(capsys, monkeypatch, arguments, said):
    """Assert that bad input says what is wrong in one line on standard error and ends with 2."""
    code, out, err = run(capsys, monkeypatch, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("collapse: ")
    assert err.count("\n") == 1


FILES = {
    "empty.txt": ("", [], "no words"),
    "words.csv": ("name,kind\na,b\nc,d\n", ["--column", "name"], "where numbers are needed"),
    "flat.csv": ("x\n2\n2\n2\n", [], "vary"),
    "other.csv": ("x,y\n1,2\n3,4\n", ["--column", "z"], "z"),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_files_are_one_line_and_exit_code_2(capsys, monkeypatch, tmp_path, name):
    """Assert that unusable data is refused before anything is computed or written."""
    content, options, said = FILES[name]
    (tmp_path / name).write_text(content)
    out = tmp_path / "out"
    code, _, err = run(capsys, monkeypatch, "verify", "--data", tmp_path / name, "--out", out, *options)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert not out.exists()


def test_an_unwritable_folder_is_refused_before_the_work(capsys, monkeypatch, tmp_path):
    """Assert that a folder that cannot be made is one line, said before anything is simulated."""
    (tmp_path / "file").write_text("in the way")
    code, _, err = run(capsys, monkeypatch, "verify", "--out", tmp_path / "file" / "inside")
    assert code == 2
    assert "cannot be written" in err
    assert err.count("\n") == 1


def test_derive_prints_the_derivation_and_its_certificate(capsys, monkeypatch):
    """Assert that the derived closed form is printed, and as JSON with a certificate that the checker accepts."""
    from proofs import check

    code, out, _ = run(capsys, monkeypatch, "derive", "V")
    assert code == 0
    assert "Closed form for n >= 0: V0*((M - 1)/M)**n" in out
    code, out, _ = run(capsys, monkeypatch, "derive", "mu**2", "--estimator", "unbiased", "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["expression"] == "mu0**2 + V0*n/M"
    assert all(check(certificate).rule == "induction_eq" for certificate in answer["certificate"])


def test_derive_tells_what_a_text_keeps(capsys, monkeypatch, tmp_path):
    """Assert the table of a small text with its figure, and the same numbers as JSON."""
    text = tmp_path / "poem.txt"
    text.write_text("a rose is a rose is a rose said the poet to nobody but the wall " * 3)
    asked = ["derive", "--tokens", text, "--generations", "5", "--figure", tmp_path / "words.svg"]
    code, out, _ = run(capsys, monkeypatch, *asked)
    assert code == 0
    assert "poem.txt: 10 word types, M = 48 tokens per generation." in out
    assert "nobody" in out
    assert (tmp_path / "words.svg").read_text().startswith("<?xml")
    code, out, _ = run(capsys, monkeypatch, *asked, "--json")
    answer = json.loads(out)
    assert sum(one["words"] for one in answer["classes"]) == answer["types"] == 10
    left = sum(one["words"] * (1 - one["lost"][0]) for one in answer["classes"])
    assert left == pytest.approx(answer["left"]["value"][0])
    assert 0 < answer["real_share"][1]["at_last"] <= answer["real_share"][1]["for_ever"] < 1


def test_data_describes_the_real_input(capsys, monkeypatch):
    """Assert that the default input is named with its hash and size."""
    code, out, _ = run(capsys, monkeypatch, "data", "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["word types"] > 2000
    assert len(facts["sha256"]) == 64


def test_catalogue_prints_the_topic_that_is_asked_for(capsys, monkeypatch):
    """Assert a table with a row for each published result of the topic, sources and corrections included."""
    code, out, _ = run(capsys, monkeypatch, "catalogue", "squares")
    assert code == 0
    assert out.startswith("## Least squares")
    assert "Gerstgrasser" in out
