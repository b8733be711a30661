"""Processes that share a run: the bits of one, the whole in each, and what is done is kept when one of them is lost.

Two processes find each other on this machine as they would in a job of Slurm, whose variables they are given.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numerics import simulate
from numerics.running import long_runs
from numerics.running.parts import Layout
from numerics.running.processes import Group, group
from numerics.running.whole import alone, beside, shared
from theory import MLE, Gaussian, Loop

ROOT = Path(__file__).resolve().parent.parent
LOOP = Loop(Gaussian(), estimator=MLE(), samples=10)
SMALL: dict[str, Any] = {"start": {"mu": 0, "V": 1}, "generations": 5, "chains": 1200, "seed": 7, "chunk": 256}
"""Five chunks, an odd number, the last cut short."""
LOST = {**SMALL, "seed": 8, "paths": False}
SCRIPT = """
import json, os, signal, sys
from pathlib import Path
from numerics.running import long_runs
from numerics.running.processes import join
from test_processes import LOOP, LOST, SMALL, bits, refused

me, folder = join(), Path(sys.argv[1])
together = {"processes": "all"}
said = {"rank": me.rank, "size": me.size}
said["paths"] = bits(**SMALL, **together)
said["streamed"] = bits(**SMALL, **together, paths=False, out=folder / "run")
said["resumed"] = bits(**SMALL, **together, paths=False, out=folder / "run", resume=True)
said["seeds"] = refused(**SMALL | {"seed": me.rank}, **together)
said["folders"] = refused(**SMALL, **together, out=folder / f"own{me.rank}")
said["way"] = refused(**SMALL, **together, out=folder / "run" / "manifest.json")
said["number"] = refused(**SMALL, processes=3)
if me.rank == 0:
    print(json.dumps(said), flush=True)
keep = long_runs.keep

def dying(*arguments):
    keep(*arguments)
    if me.rank == 1:
        print(json.dumps(said), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

long_runs.keep = dying
print(json.dumps(refused(**LOST, **together, out=folder / "lost")), flush=True)
os._exit(0)
"""
"""What both processes do; the second kills itself after its first file of the last run."""


def bits(**asked):
    """Return the hash of all numbers of a run."""
    run = simulate(LOOP, **asked)
    return hashlib.sha256(b"".join(run[x].to_numpy().tobytes() for x in run.data_vars)).hexdigest()


def refused(**asked):
    """Return in which words a run is refused."""
    try:
        return bits(**asked)
    except ValueError as error:
        return str(error)


def free():
    """Return a port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What each of two processes says, line by line, and where they kept what they did."""
    folder = tmp_path_factory.mktemp("two")
    job = {"SLURM_JOB_ID": "1", "SLURM_STEP_NODELIST": "127.0.0.1", "SLURM_NTASKS": "2"}
    job |= {"JAX_COORDINATOR_PORT": str(free()), "JAX_PLATFORMS": "cpu"}
    job["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    ranks = [{"SLURM_PROCID": rank, "SLURM_LOCALID": rank} for rank in ("0", "1")]
    processes = [subprocess.Popen(command, env=os.environ | job | rank, **pipes) for rank in ranks]
    said = [process.communicate(timeout=300) for process in processes]
    # JAX's collectives on processors say that they are connected, on standard output.
    lines = [[json.loads(line) for line in out.splitlines() if line[0] in '{"'] for out, _ in said]
    assert [bool(line) for line in lines] == [True, True], said
    return lines, folder


def test_every_process_has_the_bits_of_one(two):
    """Assert that chains and summaries, handed round or kept in a shared folder, are those of a single process."""
    alone = {"paths": bits(**SMALL), "streamed": bits(**SMALL, paths=False)}
    for rank, (said, *_) in enumerate(two[0]):
        assert (said["rank"], said["size"]) == (rank, 2)
        assert {name: said[name] for name in alone} == alone
        assert said["resumed"] == alone["streamed"]


def test_what_fails_in_one_fails_in_all(two):
    """Assert that every process is told what is wrong in any of them, and that none waits for ever."""
    (first, *_), (second, *_) = two[0]
    for said in (first, second):
        assert said["seeds"].startswith("process 1 was asked for a run with seed = 1, and process 0 for 0.")
        assert "own1' is not the folder that process" in said["folders"]
        assert "manifest.json' cannot be written" in said["way"]
        assert said["number"].startswith("processes = 3, and this one is one of 2.")


def test_a_folder_of_many_is_a_folder_of_one(two):
    """Assert that no trace of the second process is left, and that one process goes on with the run."""
    folder = two[1] / "run"
    assert sorted(path.name for path in folder.glob("SHA*")) == ["SHA256SUMS"]
    sums = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("chunk-*.npz")}
    assert {name: digest for digest, name in sums} == files
    assert len(files) == 5
    assert bits(**SMALL, paths=False, out=folder, resume=True) == two[0][0][0]["streamed"]


def test_a_lost_process_costs_one_file(two):
    """Assert that the other one says so, that what both have done is kept, and that one process finishes the run."""
    lines, folder = two
    assert "a process is lost" in lines[0][1]
    assert sorted(path.name for path in (folder / "lost").glob("chunk-*.npz")) == [
        f"chunk-{file:06d}.npz" for file in (0, 1, 2, 4)
    ]
    assert bits(**LOST, out=folder / "lost", resume=True) == bits(**LOST)


def test_a_group_keeps_others_out(tmp_path):
    """Assert that writers beside the first keep out all that would be alone, even when the first has gone."""
    with alone(tmp_path) as lock:
        holder = shared(lock, tmp_path)
        with pytest.raises(ValueError, match="is not the folder that process 1 sees"), beside(tmp_path, "process 1"):
            pass
        with beside(tmp_path, holder):
            lock.close()
            with pytest.raises(ValueError, match=f"process {os.getpid()} on .* is writing to"), alone(tmp_path):
                pass
    with alone(tmp_path), pytest.raises(ValueError, match="is writing to"), beside(tmp_path, holder):
        pass


def test_alone_nothing_is_gathered(tmp_path):
    """Assert that one process is a group, and that more than there are are refused."""
    assert group() == group("all") == Group(0, 1)
    assert Group().gathered(b"x") == [b"x"]
    assert Group().led(lambda: "done") == "done"
    with pytest.raises(ValueError, match=r"processes = 2, and this one is alone.*Call join\(\) first"):
        simulate(LOOP, **SMALL, processes=2)


def test_a_file_may_take_a_while_to_be_seen(tmp_path, monkeypatch):
    """Assert that a file of another process is waited for, and one that never comes is one sentence."""
    parts = Layout(3, 256, 256)

    def arrive(seconds):
        long_runs.keep(tmp_path, 0, {"V.0": np.arange(3.0)}, long_runs.SUMS)

    monkeypatch.setattr(long_runs.time, "sleep", arrive)
    assert long_runs.read(tmp_path, parts, 0)[2]["V"].tolist() == [0.0, 1.0, 2.0]
    monkeypatch.setattr(long_runs, "SECONDS", -1.0)
    with pytest.raises(ValueError, match="No such file"):
        long_runs.read(tmp_path, parts, 1)
