"""Runs on disk, and runs made again: a file is whole or absent, and says enough to be repeated."""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import xarray as xr

from numerics.running.provenance import arguments_of
from numerics.running.whole import replacing
from numerics.simulate import simulate
from numerics.sweeps import sweep
from theory.loop import Loop

LONGEST = 2**15
"""Characters of an attribute; HDF5 holds 64 kB in one, so longer ones are stored as variables."""
PREFIX = "attribute_"


def save(run: xr.Dataset, path: str | Path) -> Path:
    """Write a run as netCDF, to a temporary file that is then renamed, and return its path.

    Raises:
        ValueError: the folder does not exist or cannot be written to, or the package that writes netCDF is missing.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {str(path.parent)!r}. Make it first, or save elsewhere.")
    engine = _engine()
    with replacing(path) as temporary:
        _packed(run).to_netcdf(temporary, engine=engine)
    return path


def load(path: str | Path) -> xr.Dataset:
    """Return a saved run, read into memory.

    Raises:
        ValueError: there is no such file, or it is no netCDF file.
    """
    if not Path(path).is_file():
        raise ValueError(f"there is no file {str(path)!r}. Check the path.")
    try:
        return _unpacked(xr.load_dataset(path, engine=_engine()))
    except OSError as error:
        raise ValueError(f"{str(path)!r} is no run ({error}). Give a file that save() wrote.") from error


def rerun(run: xr.Dataset, loop: Loop, observe: Mapping[str, Any] | None = None, **changed: Any) -> xr.Dataset:
    """Return the run made again from its provenance: the same bits on the same device and versions.

    Args:
        run: a run or a sweep, simulated or loaded.
        loop: the loop it is of; code is not read back from files.
        observe: the observables it recorded.
        changed: arguments of `simulate` to change, such as ``chains``.

    Raises:
        ValueError: the loop or the observables are not those of the run.

    >>> from theory import Bernoulli
    >>> loop = Loop(Bernoulli(), samples=9)
    >>> run = simulate(loop, {"p": 0.25}, generations=2, chains=3)
    >>> rerun(run, loop).identical(run)
    True
    """
    if run.attrs.get("loop") != str(loop):
        raise ValueError(f"the run is of {run.attrs.get('loop')}, not of {loop}. Give the run's own loop.")
    made = json.loads(run.attrs["cells"])[0] if "sweep" in run.attrs else run.attrs
    recorded = json.loads(made["observe"])
    if recorded != {name: str(expr) for name, expr in (observe or {}).items()}:
        raise ValueError(
            f"the run observed {recorded or 'nothing'}, not {dict(observe or {})}. Give observe= as it was."
        )
    asked = arguments_of(made["provenance"]) | changed
    if "sweep" not in run.attrs:
        return simulate(loop, observe=observe, **asked)
    grid, start = json.loads(run.attrs["sweep"]), asked.pop("start")
    others = {name: value for name, value in start.items() if not {name, f"{name}0"} & {*grid}}
    return sweep(loop, grid, others, observe=observe, **asked)


def _engine() -> Any:
    missing = [name for name in ("h5netcdf", "h5py") if find_spec(name) is None]
    if missing:
        raise ValueError(f"runs are stored as netCDF, which needs {' and '.join(missing)}. Install what is missing.")
    return "h5netcdf"


def _packed(run: xr.Dataset) -> xr.Dataset:
    """Return the run with its long attributes as variables of no dimension."""
    long = {name: value for name, value in run.attrs.items() if len(str(value)) > LONGEST}
    packed = run.assign({PREFIX + name: ((), value) for name, value in long.items()})
    packed.attrs = {name: value for name, value in run.attrs.items() if name not in long}
    return packed


def _unpacked(run: xr.Dataset) -> xr.Dataset:
    """Return the run with its long attributes where they belong."""
    packed = [str(name) for name in run.data_vars if str(name).startswith(PREFIX)]
    attributes = {name.removeprefix(PREFIX): str(run[name].item()) for name in packed}
    return run.drop_vars(packed).assign_attrs(attributes)
