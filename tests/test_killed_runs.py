"""Processes that end in the middle of a run: killed twenty times or asked to stop, what is resumed has the same bits.

COLLAPSE_KILLS in the environment says how many processes are killed, twenty where it says nothing.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from numerics.running.runs import load
from numerics.simulate import simulate
from theory import MLE, Gaussian, Loop

KILLS = int(os.environ.get("COLLAPSE_KILLS", "20"))
SEED = 20
"""Seed of the moments at which processes are killed; no verdict depends on it."""
ROOT = Path(__file__).resolve().parent.parent
LOOP = Loop(Gaussian(), estimator=MLE(), samples=10)
LARGE: dict[str, Any] = {
    "start": {"mu": 0, "V": 1},
    "generations": 60,
    "chains": 60 * 256 + 9,
    "seed": 7,
    "chunk": 256,
    "paths": False,
    "observe": {"square": Gaussian.mu**2},
}
SPEC = """
samples = 10
generations = 60
chains = 15369
seed = 7
chunk = 256
paths = false
start = {mu = 0, V = 1}
observe = {square = "mu**2"}
"""
SERVER = """
import os, sys
from proofs import cli, simulation
for line in sys.stdin:
    said, *arguments = line.rstrip("\\n").split("\\t")
    process = os.fork()
    if process == 0:
        for stream in (1, 2):
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        sys.argv = ["collapse", *arguments]
        try:
            cli.main()
        except SystemExit as end:
            sys.stdout.flush()
            os._exit(end.code)
    print(process, flush=True)
    sys.stdin.readline()
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""
"""Imports once and runs `collapse` in a fork for each line, so that a process that is to be killed starts at once; the
next line asks how it ended, and until then nobody else has its number."""


def chunks(folder):
    """How many files of a run are there."""
    return len(list(folder.glob("chunk-*.npz")))


def vouched(folder):
    """How many files of a run have their hash."""
    sums = folder / "SHA256SUMS"
    return len(sums.read_text().splitlines()) if sums.exists() else 0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A function (arguments) -> a process that runs the command, with imports and compilation behind it."""
    cache = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}
    cache |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
    command = [sys.executable, "-c", SERVER]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = os.environ | cache | {"JAX_PLATFORMS": "cpu"}
    process: Any
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process:

        def start(said, *arguments):
            said.unlink(missing_ok=True)
            process.stdin.write("\t".join(map(str, (said, *arguments))) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        def wait():
            process.stdin.write("\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield start, wait
        process.stdin.close()


@pytest.fixture(scope="module")
def straight(server, tmp_path_factory):
    """The spec file, its run without any fault, and how long its files took."""
    folder = tmp_path_factory.mktemp("straight")
    spec, said = folder / "spec.toml", folder / "said"
    spec.write_text(SPEC)
    server[0](said, "simulate", spec, "--out", folder / "run")
    assert server[1]() == 0, said.read_text()
    times = sorted(path.stat().st_mtime for path in (folder / "run").glob("chunk-*.npz"))
    return spec, load(folder / "run" / "run.nc"), times[-1] - times[0]


def test_the_command_runs_what_python_runs(straight):
    """Assert that the file's words are the arguments of `simulate`, bit for bit."""
    run = simulate(LOOP, **LARGE)
    xr.testing.assert_equal(straight[1], run)
    assert {**straight[1].attrs, "provenance": ""} == {**run.attrs, "provenance": ""}


def until(condition, seconds=60):
    """Wait for a condition, but not for ever."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.0005)


def killed(server, spec, folder, early, delay):
    """Go on with a run and kill it some time after it began, or after its first new file; return how it ended."""
    start, wait = server
    enough = 0 if early else chunks(folder) + 1
    process = start(folder.with_suffix(".said"), "simulate", spec, "--out", folder, "--resume")
    until(lambda: (folder / "run.nc").exists() or chunks(folder) >= enough)
    time.sleep(delay)
    os.kill(process, signal.SIGKILL)
    return wait()


def test_killed_at_any_moment_the_bits_are_the_same(server, straight, tmp_path):
    """Assert identical bits after kill -9 at random moments, and that each kill costs one chunk at most."""
    spec, run, took = straight
    moments, folder, tries, ends = random.Random(SEED), tmp_path / "0", 0, []
    while ends.count(-signal.SIGKILL) < KILLS:
        tries += 1
        assert tries <= 10 * KILLS
        ends.append(killed(server, spec, folder, moments.random() < 0.2, moments.random() * took / 4))
        assert vouched(folder) - chunks(folder) in (0, 1)
        if (folder / "run.nc").exists():
            xr.testing.assert_identical(load(folder / "run.nc"), run)
            folder = tmp_path / str(tries)
    server[0](tmp_path / "said", "simulate", spec, "--out", folder, "--resume")
    assert server[1]() == 0, (tmp_path / "said").read_text()
    xr.testing.assert_identical(load(folder / "run.nc"), run)


@pytest.fixture(scope="module")
def longer(tmp_path_factory):
    """The arguments, spec file and run of ten times as many chains: a second of work, in which it is stopped."""
    arguments = LARGE | {"chains": 10 * LARGE["chains"]}
    spec = tmp_path_factory.mktemp("longer") / "spec.toml"
    spec.write_text(SPEC.replace(f"chains = {LARGE['chains']}", f"chains = {arguments['chains']}"))
    return arguments, spec, simulate(LOOP, **arguments)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_asked_to_stop_it_keeps_what_is_done(server, longer, tmp_path, sent, code):
    """Assert one line and the shell's exit code, no writer beside it, and the same bits after going on."""
    start, wait = server
    arguments, spec, run = longer
    folder, said = tmp_path / "run", tmp_path / "said"
    process = start(said, "simulate", spec, "--out", folder)
    until(lambda: chunks(folder) >= 2)
    os.kill(process, signal.SIGSTOP)
    with pytest.raises(ValueError, match=f"process {process} on .* is writing to"):
        simulate(LOOP, **arguments, out=folder, resume=True)
    os.kill(process, sent)
    os.kill(process, signal.SIGCONT)
    assert wait() == code, said.read_text()
    word = {130: "interrupted", 143: "terminated"}[code]
    assert said.read_text() == f"collapse: {word}; {folder} keeps what is done. Go on with --resume.\n"
    assert 2 <= chunks(folder) <= vouched(folder) < arguments["chains"] // arguments["chunk"]
    assert not list(folder.glob(".*.tmp"))
    start(said, "simulate", spec, "--out", folder, "--resume")
    assert wait() == 0, said.read_text()
    xr.testing.assert_identical(load(folder / "run.nc"), run)
