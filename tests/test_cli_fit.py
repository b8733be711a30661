"""`collapse fit`: its findings as text, JSON and files; bad curves end in one line that says what to do."""

import json
import sys

import numpy as np
import pytest

from numerics.fitting.curve_fit import REGIMES
from proofs import cli
from proofs.fitting import FitJob, _loops

GOOD = "generation,variance\n" + "\n".join(f"{k},{v}" for k, v in enumerate([1, 0.9, 1.1, 0.8, 0.85, 0.7, 0.75, 0.6]))
TYPES = "generation,vocabulary\n0,9\n1,8\n2,7\n3,7\n"


def run(capsys, monkeypatch, *arguments):
    """Run the command and return (exit code, standard output, standard error)."""
    monkeypatch.setattr(sys, "argv", ["collapse", "fit", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    return stopped.value.code, printed.out, printed.err


def test_a_curve_is_fitted(capsys, monkeypatch, tmp_path):
    """Assert that JSON on standard output and in the folder say the same, and that the figure is whole."""
    curve = tmp_path / "curve.csv"
    curve.write_text(GOOD)
    out = tmp_path / "out"
    code, printed, err = run(capsys, monkeypatch, curve, "--regimes", "replace", "--json", "--out", out, "--within", 50)
    assert (code, err) == (0, "")
    plain = json.loads(printed)
    assert json.loads((out / "fit.json").read_text()) == plain
    assert (out / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(path.name for path in out.iterdir()) == ["figure.pdf", "fit.json"]
    (regime,) = plain["regimes"]
    assert regime["regime"] == "Replace()"
    assert [symbol["name"] for symbol in regime["symbols"]] == ["M", "c"]
    assert plain["refits"] == 7
    assert plain["forecast"]["last"] == 57


BAD = {
    "no curve": ([], None, "needs a curve"),
    "no file": (["nowhere.csv"], None, "cannot be read"),
    "no header": ([], "0,1\n1,2\n", "no column generation"),
    "no line": ([], "generation,variance\n", "no line below the header"),
    "no observable": ([], "generation,value\n0,1\n1,2\n2,3\n3,4\n", "Say --observable"),
    "two observables": ([], "generation,variance,entropy\n0,1,1\n", "Say --observable"),
    "another observable": (["--observable", "entropy"], GOOD, "no column entropy"),
    "no number": ([], "generation,variance\n0,1\n1,x\n", "line 3: variance is 'x'"),
    "no generation": ([], "generation,variance\n0,1\n1.5,2\n", "line 3: generation is '1.5'"),
    "a generation twice": ([], "generation,variance\n0,1\n0,2\n", "line 3: generation 0 is there twice"),
    "a gap": ([], "generation,variance\n0,1\n1,2\n3,1\n4,1\n5,1\n", "no value at generation 2"),
    "too short": ([], "generation,variance\n0,1\n1,2\n", "1 refits say too little"),
    "a dead run": ([], "generation,variance\n0,1\n1,2\n2,0\n3,1\n", "is 0. Give positive values"),
    "half a type": ([], "generation,vocabulary\n0,9\n1,8.5\n2,7\n3,7\n", "8.5 is no count of types"),
    "an unknown regime": (["--regimes", "forget"], GOOD, "Choose from replace, accumulate, mixed"),
    "a pool of types": (["--regimes", "accumulate"], TYPES, "Choose from"),
    "no source": (["--regimes", "mixed"], "generation,variance\n2,1\n3,2\n4,1\n5,1\n", "needs the source's value"),
    "nothing open": (["--estimator", "mle", "--samples", "50", "--regimes", "replace"], GOOD, "no symbol left"),
    "words for a variance": (["--source", "prose"], GOOD, "is for a vocabulary"),
    "a certain level": (["--level", "1"], GOOD, "level = 1.0"),
    "no tolerance": (["--tolerance", "0"], GOOD, "tolerance = 0.0"),
    "no future": (["--within", "0"], GOOD, "--within 0 is out of range"),
    "a regime without a law": (["--regimes", "subsample"], GOOD, "Choose from"),
    "a law of another kind": (["--regimes", "mixed(alpha, count='bernoulli')"], GOOD, "no sum of chi-squares"),
    "a weighted vocabulary": (["--regimes", "weighted(1/3)"], TYPES, "has no known law"),
    "too few curves": (["--calibrate", "3"], None, "3 curves show no miscalibration"),
}


@pytest.mark.parametrize(("arguments", "text", "said"), BAD.values(), ids=BAD.keys())
def test_bad_curves_are_one_line_and_exit_code_2(capsys, monkeypatch, tmp_path, arguments, text, said):
    """Assert that the line says what is wrong and what to do, and that nothing is written."""
    curve = tmp_path / "curve.csv"
    if text is not None:
        curve.write_text(text)
        arguments = [curve, *arguments]
    code, out, err = run(capsys, monkeypatch, *arguments, "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("collapse: ")
    assert err.count("\n") == 1
    assert ". " in err
    assert not (tmp_path / "out").exists()


def test_kept_is_a_word_for_one_set_of_real_data():
    """Assert that it stands for the same regime beside any estimator, and is among those compared by default."""
    for regimes in ("kept", "mixed(alpha, fresh=False)", None):
        loops = _loops(FitJob(regimes=regimes, estimator="unbiased"), "variance")
        assert loops[-1].regime == REGIMES["kept"]
    assert [loop.regime for loop in loops] == list(REGIMES.values())


def test_runs_of_a_table_become_rows(tmp_path):
    """Assert that runs may end at different generations, in any order of lines."""
    from numerics.fitting import read_curve

    curve = tmp_path / "runs.csv"
    curve.write_text("run,generation,variance\nb,1,2\na,0,1\nb,0,1\na,1,3\nb,2,4\nb,3,5\n")
    read = read_curve(curve)
    assert np.array_equal(read.values, [[1, 2, 4, 5], [1, 3, np.nan, np.nan]], equal_nan=True)
    assert read.refits == 4
