"""Many devices: the bits of one, for any number of them, and never fewer than were asked for.

A processor stands for many devices where XLA is told so before it starts, hence the process beside this one.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sympy import Rational

from numerics import simulate
from numerics.running.devices import found
from theory import Accumulate, Categorical, Gaussian, Loop

ROOT = Path(__file__).resolve().parent.parent
LOOPS = {
    "pool": Loop(Gaussian(), regime=Accumulate(), samples=10),
    "words": Loop(Categorical([Rational(1, 2), Rational(1, 4), Rational(1, 4)]), samples=6),
}
SMALL: dict[str, Any] = {"generations": 20, "chains": 1200, "seed": 7, "chunk": 256}
CASES = [("pool", False, 2), ("pool", False, 4), ("words", True, 4)]
"""Loop, whether paths are kept, number of devices; five chunks, so that some devices have nothing to do at the end."""
SCRIPT = """
import json, sys
import jax
from test_devices import CASES, bits
from numerics.running.devices import found
said = {"devices": len(found("cpu", "all")), "bits": [bits(*case) for case in CASES]}
said["resumed"] = [bits("pool", False, devices, out=sys.argv[1], resume=devices > 2) for devices in (2, 4)]
print(json.dumps(said))
"""


def bits(name, paths, devices, **asked):
    """Return the hash of all numbers of a run."""
    start = {"mu": 0, "V": 1} if name == "pool" else {}
    run = simulate(LOOPS[name], start, **SMALL, paths=paths, devices=devices, **asked)
    return hashlib.sha256(b"".join(run[x].to_numpy().tobytes() for x in run.data_vars)).hexdigest()


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """What a process with four devices says."""
    folder = tmp_path_factory.mktemp("four") / "run"
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    environment = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu", "PYTHONPATH": paths}
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_bits_are_those_of_one_device(four):
    """Assert that 2 and 4 devices give every number as one does, for chains and for their summaries."""
    assert four["devices"] == 4
    alone = {case[:2]: bits(*case[:2], 1) for case in CASES}
    assert four["bits"] == [alone[case[:2]] for case in CASES]
    assert len(set(alone.values())) == len(alone)


def test_a_run_goes_on_with_other_devices(four):
    """Assert that the number of devices is no part of a kept run."""
    assert four["resumed"] == [four["bits"][0]] * 2


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "many"])
def test_number_of_devices_is_a_number(number):
    """Assert that what is no number of devices is refused."""
    with pytest.raises(ValueError, match="is no number of devices"):
        found("cpu", number)


def test_missing_devices_are_refused():
    """Assert that a run is never spread over fewer devices than were asked for."""
    with pytest.raises(ValueError, match=r"devices = 1000, and JAX finds \d+ cpu here. Ask for devices='all'"):
        simulate(LOOPS["words"], {}, **SMALL, devices=1000)
    assert found("cpu", "all")[:1] == found("cpu")
