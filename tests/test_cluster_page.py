"""The page on clusters: what it says to type is what the command takes, and its first example runs as written."""

import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from numerics import load, simulate
from proofs.simulation import read
from theory import Gaussian, Loop

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
SMALL = {
    "generations = 1000": "generations = 5",
    "1_000_000": "1_200",
    "65_536": "256",
    'devices = "all"': "devices = 1",
}


def block(language, heading=""):
    """Return the first block of a language below a heading."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE[PAGE.index(heading) :], re.DOTALL)
    assert found is not None
    return found[1]


def free():
    """Return a port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def small(tmp_path):
    """The page's file, with fewer chains and generations."""
    spec = block("toml")
    for large, few in SMALL.items():
        assert large in spec
        spec = spec.replace(large, few)
    (tmp_path / "spec.toml").write_text(spec)
    return tmp_path / "spec.toml"


def test_two_processes_run_as_written(small):
    """Assert that the laptop's lines keep one run with the bits of one process, and that the first one prints it."""
    lines = f'collapse() {{ {shlex.quote(sys.executable)} -m proofs.cli "$@"; }}\n' + block("sh", "## A laptop")
    assert lines.count("9911") == 1
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    command = ["sh", "-c", lines.replace("9911", str(free()))]
    done = subprocess.run(command, cwd=small.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.count("generation 5, mean over 1,200 chains") == 1, done.stderr
    assert done.stdout.splitlines()[-1] == "run: run/run.nc; chunks and manifest: run"
    start = {"mu": 0, "V": 1}
    run = simulate(Loop(Gaussian(), samples=100), start, generations=5, chains=1200, paths=False)
    xr.testing.assert_equal(load(small.parent / "run" / "run.nc"), run)


def test_the_file_is_a_spec(tmp_path):
    """Assert that the page's file is read as it stands, all devices included."""
    path = tmp_path / "spec.toml"
    path.write_text(block("toml"))
    assert read(path).devices == "all"


def test_options_exist():
    """Assert that the command has every option that the page names, and that the example in Python is Python."""
    shell = "".join(re.findall(r"```(?:sh|yaml)\n(.*?)```", PAGE, re.DOTALL))
    said = {word for line in re.findall(r"collapse simulate(.*(?:\n +--.*)*)", shell) for word in line.split()}
    options = {word for word in said if word.startswith("--")}
    assert options >= {"--out", "--processes", "--process", "--coordinator"}
    command = [sys.executable, "-m", "proofs.cli", "simulate", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {option for option in options if option not in shown} == set()
    compile(block("python"), "cluster.md", "exec")
