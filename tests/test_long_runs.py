"""Long runs: wherever a run is cut, what is resumed has the bits of the run that was not, and only that is computed."""

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import xarray as xr
from sympy import Rational

from numerics import planning
from numerics.running import parts, whole
from numerics.simulate import simulate
from theory import MLE, Categorical, Gaussian, Loop

LOOP = Loop(Gaussian(), estimator=MLE(), samples=10)
WORDS = Loop(Categorical([Rational(1, 2), Rational(1, 4), Rational(1, 4)]), samples=6)
SMALL: dict[str, Any] = {"start": {"mu": 0, "V": 1}, "generations": 3, "chains": 1000, "seed": 7, "chunk": 256}


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
    for file, chains in enumerate([512, 488]):
        with np.load(tmp_path / f"chunk-{file:06d}.npz") as arrays:
            assert {len(rows) for rows in arrays.values()} == {chains if paths else 2}
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
