"""Long runs: wherever a run is cut, what is resumed has the bits of the run that was not; faults are found or refused.

COLLAPSE_KILLS in the environment says how many processes are killed, twenty where it says nothing.
"""

import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import xarray as xr
from sympy import Rational

from numerics import engine, parts, planning, whole
from numerics.runs import load
from numerics.simulate import simulate
from theory import MLE, Categorical, Gaussian, Loop, Unbiased

KILLS = int(os.environ.get("COLLAPSE_KILLS", "20"))
SEED = 20
"""Seed of the moments at which processes are killed; no verdict depends on it."""
ROOT = Path(__file__).resolve().parent.parent
LOOP = Loop(Gaussian(), estimator=MLE(), samples=10)
WORDS = Loop(Categorical([Rational(1, 2), Rational(1, 4), Rational(1, 4)]), samples=6)
SMALL: dict[str, Any] = {"start": {"mu": 0, "V": 1}, "generations": 3, "chains": 1000, "seed": 7, "chunk": 256}
OBSERVED = {"square": Gaussian.mu**2}
LARGE: dict[str, Any] = {**SMALL, "generations": 60, "chains": 60 * 256 + 9, "paths": False, "observe": OBSERVED}
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


class Cut(BaseException):
    """The end of a process, as far as one process can play it."""


def files(folder):
    """Names of all files in a folder, hidden ones included, but for the lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != whole.LOCK)


def kept(chunks):
    """Names of the files of a whole run."""
    return sorted(["SHA256SUMS", "manifest.json", *(f"chunk-{file:06d}.npz" for file in range(chunks))])


def chunks(folder):
    """How many files of a run are there."""
    return len(list(folder.glob("chunk-*.npz")))


def vouched(folder):
    """How many files of a run have their hash."""
    sums = folder / "SHA256SUMS"
    return len(sums.read_text().splitlines()) if sums.exists() else 0


@pytest.fixture
def counted(monkeypatch):
    """First chains of the chunks that are computed."""
    firsts, compiled = [], engine.compiled

    def counting(plan, devices):
        run = compiled(plan, devices)
        return lambda seed, given, chains, counts: firsts.append(int(chains[0, 0])) or run(seed, given, chains, counts)

    monkeypatch.setattr(engine, "compiled", counting)
    return firsts


@pytest.mark.parametrize(("paths", "chunk"), [(True, 256), (False, 256), (False, None)])
def test_kept_run_is_the_run(tmp_path, counted, paths, chunk):
    """Assert that a run in a folder is the run without, and that reading it back computes nothing."""
    asked = {**SMALL, "paths": paths, "chunk": chunk}
    plain = simulate(LOOP, **asked)
    xr.testing.assert_identical(simulate(LOOP, **asked, out=tmp_path / "run"), plain)
    assert files(tmp_path / "run") == kept(4 if chunk else 1)
    counted.clear()
    xr.testing.assert_identical(simulate(LOOP, **asked, out=tmp_path / "run", resume=True), plain)
    assert not counted


def test_names_and_shapes_come_back(tmp_path):
    """Assert that vectors and observables of any name are read back as they were."""
    asked: dict[str, Any] = {
        "generations": 2,
        "chains": 600,
        "chunk": 256,
        "observe": {"file": Categorical.p[0], "a.b/c": Categorical.p[1]},
    }
    plain = simulate(WORDS, **asked)
    simulate(WORDS, **asked, out=tmp_path)
    xr.testing.assert_identical(simulate(WORDS, **asked, out=tmp_path, resume=True), plain)


@pytest.mark.parametrize("paths", [True, False])
def test_small_chunks_share_files(tmp_path, monkeypatch, counted, paths):
    """Assert that many chunks are bound into few files, without a change of any bit, and run again by the file."""
    asked = {**SMALL, "paths": paths, "chunk": None}
    monkeypatch.setattr(parts, "FILES", 2)
    monkeypatch.setattr(planning, "chunk_size", Mock(return_value=256))
    plain = simulate(LOOP, **asked, out=tmp_path)
    xr.testing.assert_identical(plain, simulate(LOOP, **asked))
    assert files(tmp_path) == kept(2)
    assert [len(np.load(tmp_path / f"chunk-{file:06d}.npz")["V.0" if paths else "V|moments.0"]) for file in (0, 1)] == (
        [512, 488] if paths else [2, 2]
    )
    for file in (0, 1):
        (tmp_path / f"chunk-{file:06d}.npz").unlink()
        counted.clear()
        xr.testing.assert_identical(simulate(LOOP, **asked, out=tmp_path, resume=True), plain)
        assert counted == [512 * file, 512 * file + 256]


def test_every_chain_lies_in_one_file():
    """Assert that the files of a layout hold every chunk once, in order, the last one cut short."""
    layout = parts.Layout(10**8, 2**14, 24 * 2**14)
    firsts = [first for file in layout.files for first in layout.chunks(file)]
    assert firsts == list(range(0, 10**8, 2**14))
    assert len(layout.files) == 255


@pytest.mark.parametrize("paths", [True, False])
def test_every_step_may_be_the_last(tmp_path, monkeypatch, paths):
    """Assert identical bits after a cut before any forcing or renaming, and that one chunk at most is run again."""
    asked = {**SMALL, "paths": paths}
    plain, steps = simulate(LOOP, **asked), 0
    for step in range(100):
        folder, left = tmp_path / str(step), [step]

        def dying(real, left=left):
            def call(*arguments):
                left[0] -= 1
                if left[0] < 0:
                    raise Cut
                return real(*arguments)

            return call

        with monkeypatch.context() as patch:
            for name in ("fsync", "replace"):
                patch.setattr(whole.os, name, dying(getattr(os, name)))
            with suppress(Cut):
                simulate(LOOP, **asked, out=folder)
        assert vouched(folder) - chunks(folder) in (0, 1)
        xr.testing.assert_identical(simulate(LOOP, **asked, out=folder, resume=True), plain)
        assert files(folder) == kept(4)
        if left[0] >= 0:
            break
        steps += 1
    assert steps >= 4 * 4


def test_only_what_is_missing_is_computed(tmp_path, counted):
    """Assert that a chunk that is gone is the only one that is run, wherever it lay."""
    plain = simulate(LOOP, **SMALL, out=tmp_path)
    for file in (0, 2, 3):
        (tmp_path / f"chunk-{file:06d}.npz").unlink()
        counted.clear()
        xr.testing.assert_identical(simulate(LOOP, **SMALL, out=tmp_path, resume=True), plain)
        assert counted == [256 * file]


def flipped(folder):
    """Change one bit of a value."""
    data = bytearray((folder / "chunk-000001.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "chunk-000001.npz").write_bytes(data)


def shortened(folder):
    """Cut a file in half."""
    os.truncate(folder / "chunk-000001.npz", 100)


def exchanged(folder):
    """Put another chunk of the run in its place."""
    shutil.copy(folder / "chunk-000002.npz", folder / "chunk-000001.npz")


def foreign(folder):
    """Put the chunk of another run in its place."""
    simulate(LOOP, **{**SMALL, "seed": 8}, out=folder / "other")
    shutil.copy(folder / "other" / "chunk-000001.npz", folder / "chunk-000001.npz")
    shutil.rmtree(folder / "other")


@pytest.mark.parametrize("spoil", [flipped, shortened, exchanged, foreign])
def test_corrupted_chunk_is_found_and_run_again(tmp_path, caplog, counted, spoil):
    """Assert that a file that is not what was written is named in one sentence, and made again."""
    plain = simulate(LOOP, **SMALL, out=tmp_path)
    spoil(tmp_path)
    counted.clear()
    xr.testing.assert_identical(simulate(LOOP, **SMALL, out=tmp_path, resume=True), plain)
    assert counted == [256]
    assert [record.getMessage().count("chunk-000001.npz") for record in caplog.records] == [1]
    caplog.clear()
    simulate(LOOP, **SMALL, out=tmp_path, resume=True)
    assert not caplog.records


def test_torn_line_is_a_chunk_at_most(tmp_path, counted):
    """Assert that a hash of which the end is missing costs its chunk, and nothing later."""
    plain = simulate(LOOP, **SMALL, out=tmp_path)
    sums = tmp_path / "SHA256SUMS"
    sums.write_text(sums.read_text()[:-5])
    for computed in ([768], []):
        counted.clear()
        xr.testing.assert_identical(simulate(LOOP, **SMALL, out=tmp_path, resume=True), plain)
        assert counted == computed


OTHERS = {
    "seed": {"seed": 8},
    "start": {"start": {"mu": 0, "V": 2}},
    "generations": {"generations": 4},
    "chains": {"chains": 1001},
    "paths": {"paths": False},
    "observe": {"observe": {"square": Gaussian.mu**2}},
    "method": {"method": "data"},
    "chunk": {"chunk": 512},
    "loop": {"loop": Loop(Gaussian(), estimator=Unbiased(), samples=10)},
}


@pytest.mark.parametrize(("name", "changed"), OTHERS.items(), ids=OTHERS)
def test_runs_are_not_mixed(tmp_path, name, changed):
    """Assert that a folder refuses another run, names what differs, and is left as it was."""
    simulate(LOOP, **SMALL, out=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob("[!l]*")}
    with pytest.raises(ValueError, match=f"holds a run with {name} = .*Ask for the run that is there"):
        simulate(**{"loop": LOOP, **SMALL, **changed}, out=tmp_path, resume=True)
    assert {path: path.read_bytes() for path in tmp_path.glob("[!l]*")} == before


def test_versions_are_not_mixed(tmp_path):
    """Assert that a run of another version, or of a source of other numbers, is not gone on with."""
    simulate(LOOP, **SMALL, out=tmp_path)
    manifest = tmp_path / "manifest.json"
    made = json.loads(manifest.read_text())
    for name in ("version of jax", "sha256 of the source", "a word that only a later version writes"):
        manifest.write_text(json.dumps(made | {name: "0.1"}))
        with pytest.raises(ValueError, match=f"{name} = '0.1'"):
            simulate(LOOP, **SMALL, out=tmp_path, resume=True)
    manifest.write_text("half a mani")
    with pytest.raises(ValueError, match="is no manifest"):
        simulate(LOOP, **SMALL, out=tmp_path, resume=True)


def test_going_on_is_asked_for(tmp_path):
    """Assert that a run is neither overwritten nor gone on with unasked, and that resume needs a folder."""
    simulate(LOOP, **SMALL, out=tmp_path)
    with pytest.raises(ValueError, match="holds a run already"):
        simulate(LOOP, **SMALL, out=tmp_path)
    with pytest.raises(ValueError, match="needs the folder"):
        simulate(LOOP, **SMALL, resume=True)


def test_second_writer_is_refused(tmp_path):
    """Assert that a folder has one writer, who is named, and that the lock of one who is gone does not count."""
    (tmp_path / whole.LOCK).write_text("process 1 on another machine")
    (tmp_path / ".chunk-000000.npz.1.tmp").write_text("what it left")
    with whole.alone(tmp_path):
        with pytest.raises(ValueError, match=f"process {os.getpid()} on .* is writing to"):
            simulate(LOOP, **SMALL, out=tmp_path)
        assert files(tmp_path) == []
    simulate(LOOP, **SMALL, out=tmp_path)
    assert files(tmp_path) == kept(4)


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/run"])
def test_folder_that_cannot_be_is_one_sentence(tmp_path, place):
    """Assert that a file in the way, and a folder that nobody may write to, are said before anything is run."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match=r"cannot be written \(.*\)\. Make room, or name another folder\."):
        simulate(LOOP, **SMALL, out=tmp_path / place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to a folder that is read-only")
def test_read_only_folder_is_one_sentence(tmp_path):
    """Assert that a folder without write permission is said in one sentence."""
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match="cannot be written"):
        simulate(LOOP, **SMALL, out=tmp_path)


def test_full_disk_leaves_nothing_half_written(tmp_path):
    """Assert that a file that does not fit is one sentence, is not there, and that the run is finished with room."""
    plain = simulate(LOOP, **SMALL)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(ValueError, match=r"chunk-000000.npz' cannot be written \(.*\)\. Make room"):
            simulate(LOOP, **SMALL, out=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files(tmp_path) == kept(0)
    xr.testing.assert_identical(simulate(LOOP, **SMALL, out=tmp_path, resume=True), plain)


def test_content_reaches_the_disk_before_its_name(tmp_path, monkeypatch):
    """Assert the order that survives a power cut: the hash, the content, and only then the name, and the folder."""
    steps, fsync, replace = [], os.fsync, os.replace

    def forced(descriptor):
        steps.append(("to disk", os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))))
        fsync(descriptor)

    def renamed(old, new):
        steps.append(("rename", new.name))
        replace(old, new)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not say which file a descriptor is of")
    monkeypatch.setattr(whole.os, "fsync", forced)
    monkeypatch.setattr(whole.os, "replace", renamed)
    simulate(LOOP, **{**SMALL, "chains": 256}, out=tmp_path)
    name = "chunk-000000.npz"
    content = [("to disk", f".{name}.{os.getpid()}.tmp"), ("rename", name), ("to disk", tmp_path.name)]
    assert steps[-4:] == [("to disk", "SHA256SUMS"), *content]


def test_progress_counts_what_was_there(tmp_path, capsys):
    """Assert that the last line of a log names all chains, the rate, and only what was run."""
    simulate(LOOP, **SMALL, out=tmp_path, progress=True)
    (tmp_path / "chunk-000002.npz").unlink()
    assert "1,000 of 1,000 chains in" in capsys.readouterr().err
    simulate(LOOP, **SMALL, out=tmp_path, resume=True, progress=True)
    said = capsys.readouterr().err.splitlines()[-1]
    assert "1,000 of 1,000 chains in" in said
    assert said.endswith("chains/s")


def test_bar_has_rate_and_time_left(tmp_path, capsys, monkeypatch):
    """Assert that a terminal is shown how far a run is, beginning with what was there, its rate and the time left."""
    simulate(LOOP, **SMALL, out=tmp_path)
    (tmp_path / "chunk-000003.npz").unlink()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    simulate(LOOP, **SMALL, out=tmp_path, resume=True, progress=True)
    bar = capsys.readouterr().err
    assert "77%" in bar
    assert re.search(r"1\.00k/1\.00k \[\d\d:\d\d<\d\d:\d\d, .*chain/s\]", bar)


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


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_asked_to_stop_it_keeps_what_is_done(server, straight, tmp_path, sent, code):
    """Assert one line and the shell's exit code, no writer beside it, and the same bits after going on."""
    start, wait = server
    spec, run, _ = straight
    folder, said = tmp_path / "run", tmp_path / "said"
    process = start(said, "simulate", spec, "--out", folder)
    until(lambda: chunks(folder) >= 2)
    os.kill(process, signal.SIGSTOP)
    with pytest.raises(ValueError, match=f"process {process} on .* is writing to"):
        simulate(LOOP, **LARGE, out=folder, resume=True)
    os.kill(process, sent)
    os.kill(process, signal.SIGCONT)
    assert wait() == code, said.read_text()
    word = {130: "interrupted", 143: "terminated"}[code]
    assert said.read_text() == f"collapse: {word}; {folder} keeps what is done. Go on with --resume.\n"
    assert 2 <= chunks(folder) <= vouched(folder) < 61
    assert not list(folder.glob(".*.tmp"))
    start(said, "simulate", spec, "--out", folder, "--resume")
    assert wait() == 0, said.read_text()
    xr.testing.assert_identical(load(folder / "run.nc"), run)
