"""Faults of a folder that keeps a run: found and mended where that is possible, and else refused in one sentence."""

import json
import os
import resource
import shutil
from typing import Any

import pytest
import xarray as xr

from numerics.running import whole
from numerics.simulate import simulate
from theory import MLE, Gaussian, Loop, Unbiased

LOOP = Loop(Gaussian(), estimator=MLE(), samples=10)
SMALL: dict[str, Any] = {"start": {"mu": 0, "V": 1}, "generations": 3, "chains": 1000, "seed": 7, "chunk": 256}


def files(folder):
    """Names of all files in a folder, hidden ones included, but for the lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != whole.LOCK)


def kept(chunks):
    """Names of the files of a whole run."""
    return sorted(["SHA256SUMS", "manifest.json", *(f"chunk-{file:06d}.npz" for file in range(chunks))])


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
