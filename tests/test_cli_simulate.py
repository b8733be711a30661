"""`collapse simulate`: the words of the spec file, what is printed, and bad input in one line."""

import json
import os
import sys
from typing import Any

import jax
import numpy as np
import pytest
from sympy import Rational

from numerics.running.runs import load
from numerics.simulate import simulate
from proofs import cli
from proofs.simulation import Simulation, read
from proofs.stopping import Terminated, leave
from theory import Bernoulli, Categorical, Loop, Mixed, Scaled

SPEC = 'family = "bernoulli(1/4)"\nsamples = 9\ngenerations = 2\nchains = 600\nseed = 3\n'
LOOP = Loop(Bernoulli("1/4"), samples=9)
RUN: dict[str, Any] = {"generations": 2, "chains": 600, "seed": 3}


def run(capsys, monkeypatch, *arguments):
    """Run the command and return (exit code, standard output, standard error)."""
    monkeypatch.setattr(sys, "argv", ["collapse", "simulate", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    return stopped.value.code, printed.out, printed.err


def spec(folder, text):
    """Write a spec file."""
    path = folder / "spec.toml"
    path.write_text(text)
    return path


def test_the_last_generation_is_printed(capsys, monkeypatch, tmp_path):
    """Assert a line for each variable with the mean over the chains and its standard error, and where the files are."""
    code, out, err = run(capsys, monkeypatch, spec(tmp_path, SPEC), "--out", tmp_path / "run")
    p = simulate(LOOP, **RUN)["p"][:, -1].to_numpy()
    error = p.std(ddof=1) / np.sqrt(600)
    assert code == 0
    assert out.splitlines() == [
        "generation 2, mean over 600 chains +- standard error",
        f"p = {p.mean():.6g} +- {error:.2g}",
        f"run: {tmp_path / 'run' / 'run.nc'}; chunks and manifest: {tmp_path / 'run'}",
    ]
    assert "600 of 600 chains" in err
    assert load(tmp_path / "run" / "run.nc")["p"].equals(simulate(LOOP, **RUN)["p"])


def test_who_fails_in_a_job_waits_for_nobody(monkeypatch):
    """Assert that a process of a job leaves at once when its run has failed, and as any other when it has not."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    for joined, code in [(False, 2), (True, 0), (True, 143)]:
        monkeypatch.setattr(jax.distributed, "is_initialized", lambda joined=joined: joined)
        with pytest.raises(SystemExit):
            leave(code)
    assert ended == [143]


def test_streamed_run_says_the_same(capsys, monkeypatch, tmp_path):
    """Assert that paths = false prints the same means and errors, and that --json holds them in full."""
    path = spec(tmp_path, SPEC)
    full = json.loads(run(capsys, monkeypatch, path, "--json")[1])
    code, out, _ = run(capsys, monkeypatch, spec(tmp_path, SPEC + "paths = false\n"), "--json")
    streamed = json.loads(out)
    assert code == 0
    assert (full["generation"], full["chains"]) == (streamed["generation"], streamed["chains"]) == (2, 600)
    for word in ("mean", "standard_error"):
        assert abs(full["variables"]["p"][word] - streamed["variables"]["p"][word]) < 1e-12


def test_summaries_are_printed_after_the_means(capsys, monkeypatch, tmp_path):
    """Assert that what the file and the command line ask for is streamed, and printed with how sure it is."""
    path = spec(tmp_path, SPEC + 'paths = "auto"\nsummaries = {p = ["quantiles([0.5, 1])", "share(above=0)"]}\n')
    asked = (path, "--summary", "p=extremes", "--out", tmp_path / "run")
    code, out, err = run(capsys, monkeypatch, *asked)
    last = simulate(LOOP, **RUN)["p"][:, -1].to_numpy()
    assert code == 0, err
    said = dict(line.split(" = ") for line in out.splitlines()[1:-1])
    assert list(said) == ["p", "p_quantile[0.5]", "p_quantile[1]", "p_above[0]", "p_min", "p_max"]
    assert said["p_quantile[1]"].startswith(f"{last.max():.6g} (error 0, low ")
    assert said["p_above[0]"].startswith(f"{(last > 0).mean():.6g} (sem ")
    assert (said["p_min"], said["p_max"]) == (f"{last.min():.6g}", f"{last.max():.6g}")
    plain = json.loads(run(capsys, monkeypatch, *asked, "--resume", "--json")[1])
    assert plain["summaries"]["p_above"] == [(last > 0).mean()]
    assert plain["levels"] == {"quantile": [0.5, 1.0], "p_above_level": [0.0]}
    assert load(tmp_path / "run" / "run.nc").p_quantile_error.dims == ("generation", "quantile")


def test_resume_goes_on(capsys, monkeypatch, tmp_path):
    """Assert that a folder is not gone on with unasked, and that --resume gives the same answer."""
    asked = (spec(tmp_path, SPEC + "chunk = 256\n"), "--out", tmp_path / "run")
    answer = run(capsys, monkeypatch, *asked)[1]
    assert "holds a run already" in run(capsys, monkeypatch, *asked)[2]
    (tmp_path / "run" / "chunk-000001.npz").unlink()
    assert run(capsys, monkeypatch, *asked, "--resume")[:2] == (0, answer)


def test_vector_is_printed_by_entry(capsys, monkeypatch, tmp_path):
    """Assert that a variable of many entries prints the first ones and how many there are."""
    text = 'family = "categorical([' + ", ".join(["1/10"] * 10) + '])"\nsamples = 5\ngenerations = 1\nchains = 3\n'
    code, out, err = run(capsys, monkeypatch, spec(tmp_path, text))
    assert code == 0, err
    assert [line.split(" = ")[0] for line in out.splitlines()[1:]] == [
        *(f"p[{k}]" for k in range(8)),
        "p: 2 more entries",
    ]


def test_what_the_family_names_is_observed(capsys, monkeypatch, tmp_path):
    """Assert that an entry of a vector and the family's own observables are written as in Python."""
    law = 'family = "categorical([1/2, 1/4, 1/4])"\nsamples = 5\ngenerations = 2\nchains = 50\n'
    text = law + 'observe = {first = "p[0]", left = "vocabulary"}\n'
    code, out, err = run(capsys, monkeypatch, spec(tmp_path, text), "--json")
    assert code == 0, err
    loop = Loop(Categorical([Rational(1, 2), Rational(1, 4), Rational(1, 4)]), samples=5)
    p = simulate(loop, generations=2, chains=50)["p"].to_numpy()[:, -1]
    variables = json.loads(out)["variables"]
    assert abs(variables["first"]["mean"] - p[:, 0].mean()) < 1e-12
    assert abs(variables["left"]["mean"] - (p > 0).sum(1).mean()) < 1e-12


def test_one_chain_has_no_standard_error(capsys, monkeypatch, tmp_path):
    """Assert that what is not known is null in JSON, which has no NaN."""
    code, out, _ = run(capsys, monkeypatch, spec(tmp_path, SPEC.replace("600", "1")), "--json")
    assert (code, json.loads(out)["variables"]["p"]["standard_error"]) == (0, None)


def test_words_are_those_of_derive(tmp_path):
    """Assert that axes are read as on the command line, numbers as they stand, and decimals exactly."""
    text = 'samples = 20\ngenerations = 1\nchains = 2\nestimator = 0.1\nregime = "mixed(1/10)"\nstart = {mu = 0, V = 1}'
    asked = read(spec(tmp_path, text))
    assert asked == Simulation(
        samples=20, generations=1, chains=2, estimator=0.1, regime="mixed(1/10)", start={"mu": 0, "V": 1}
    )
    assert asked.loop.estimator == Scaled(Rational(1, 10))
    assert asked.loop.regime == Mixed(Rational(1, 10))


BAD = {
    "an unknown word": (SPEC + "sede = 3\n", "'sede' is not known. Did you mean seed?"),
    "a word far from all": (SPEC + "zzz = 3\n", "'zzz' is not known. Choose from samples, generations"),
    "a missing word": ("samples = 9\nchains = 4\n", "generations is missing"),
    "a text for a number": (SPEC.replace("600", '"600"'), "chains = '600' is of the wrong kind. Give a whole number."),
    "a truth value for a number": (SPEC.replace("600", "true"), "chains = True is of the wrong kind"),
    "a number for a truth value": (SPEC + "paths = 0\n", 'Give true, false or "auto".'),
    "a number for an expression": (SPEC + "observe = {x = 2}\n", "Give a table of texts"),
    "no TOML": ("samples = \n", "cannot be read as TOML"),
    "an unknown family": (SPEC.replace("bernoulli", "bernouli"), "spec.toml: family 'bernouli(1/4)' is not known"),
    "an unknown letter": (SPEC + 'observe = {x = "q"}\n', "observe.x 'q' names q"),
    "a number for a summary": (SPEC + "summaries = {p = 2}\n", "Give a table of texts or lists of them"),
    "an unknown summary": (SPEC + 'summaries = {p = "median"}\n', "summary 'median' is not known"),
    "a summary of nothing": (SPEC + 'summaries = {q = "moments"}\n', "summaries name 'q', which is not recorded"),
    "no answer on paths": (SPEC + 'paths = "some"\n', "paths = 'some' is no answer"),
    "no chains": (SPEC.replace("600", "0"), "chains = 0 is out of range"),
    "no value of the source": (SPEC.replace("(1/4)", ""), "p0"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD.keys())
def test_bad_spec_is_one_line_and_exit_code_2(capsys, monkeypatch, tmp_path, text, said):
    """Assert that a bad spec says what is wrong in one line on standard error, ends with 2, and writes nothing."""
    code, out, err = run(capsys, monkeypatch, spec(tmp_path, text), "--out", tmp_path / "run")
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("collapse: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_bad_places_are_one_line(capsys, monkeypatch, tmp_path):
    """Assert that a missing spec, a file in the way, and --resume without a folder have their sentence."""
    path = spec(tmp_path, SPEC)
    assert "No such file" in run(capsys, monkeypatch, tmp_path / "nowhere.toml")[2]
    assert "cannot be written" in run(capsys, monkeypatch, path, "--out", path)[2]
    assert "--summary 'p' names no variable" in run(capsys, monkeypatch, path, "--summary", "p")[2]
    assert "needs the folder" in run(capsys, monkeypatch, path, "--resume")[2]


@pytest.mark.parametrize(
    ("stop", "code", "word"), [(KeyboardInterrupt, 130, "interrupted"), (Terminated, 143, "terminated")]
)
def test_a_stop_is_one_line(capsys, monkeypatch, tmp_path, stop, code, word):
    """Assert the shell's exit codes, and that the line says where to go on only where something is kept."""

    def stopped(*arguments, **named):
        raise stop

    monkeypatch.setattr("proofs.simulation.simulate", stopped)
    path = spec(tmp_path, SPEC)
    left = {
        (): "nothing half-written is left behind.",
        ("--out", tmp_path / "run"): f"{tmp_path / 'run'} keeps what is done. Go on with --resume.",
    }
    for options, sentence in left.items():
        assert run(capsys, monkeypatch, path, *options) == (code, "", f"collapse: {word}; {sentence}\n")
