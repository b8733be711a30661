"""Sweeps: every cell is the run of its own loop, bit for bit, and all of them share one compiled program."""

from typing import Any

import jax
import numpy as np
import pytest
import xarray as xr
from sympy import Rational

from numerics import cell, load, rerun, save, simulate, sweep
from numerics.request import Request
from theory import (
    Accumulate,
    Bernoulli,
    Exponential,
    Gamma,
    Gaussian,
    Loop,
    Mixed,
    Pareto,
    Poisson,
    Replace,
    Scaled,
    Tempered,
    Weighted,
    alpha,
)
from theory.symbols import M, c, tau

LOOP = Loop(Gaussian(), estimator=Scaled(c), regime=Mixed(alpha, fresh=True), sampling=Tempered(tau))
SMALL: dict[str, Any] = {"generations": 4, "chains": 300, "seed": 3}
GRID = {M: [20, 100], alpha: ["1/10", "1/2"], "tau": [2, 3], "c": [Rational(9, 10)], "V": [1, 2.5]}


@pytest.fixture
def programs():
    """The programs that XLA compiles from here on."""
    found = []

    def listen(event, *_, **__):
        found.extend([event] if "backend_compile" in event else [])

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    jax.monitoring.clear_event_listeners()


@pytest.fixture(scope="module")
def swept():
    """Sixteen loops, streamed."""
    return sweep(LOOP, GRID, {"mu": 0}, **SMALL, paths=False)


def test_every_cell_is_its_own_run(swept):
    """Assert labels and sizes of the grid, and that each cell is what `simulate` returns for its numbers."""
    assert {name: swept[name].to_numpy().tolist() for name in ("M", "alpha", "tau", "c", "V0")} == {
        "M": [20, 100],
        "alpha": [0.1, 0.5],
        "tau": [2, 3],
        "c": [0.9],
        "V0": [1.0, 2.5],
    }
    assert swept["V_mean"].dims == ("M", "alpha", "tau", "c", "V0", "generation")
    here = LOOP.at(M=100, alpha=Rational(1, 2), tau=2, c=Rational(9, 10))
    alone = simulate(here, {"mu": 0, "V": 2.5}, **SMALL, paths=False)
    xr.testing.assert_identical(cell(swept, M=100, alpha="1/2", tau=2, c=0.9, V0=2.5), alone)
    assert len(np.unique(swept["V_mean"].isel(generation=-1))) == 16


def test_numbers_are_not_compiled(swept, programs):
    """Assert that other numbers of a loop, its source and its samples need a program for each length of table alone."""
    sweep(LOOP, {**GRID, M: [30, 10**6], "tau": ["3/2"], "V": [0.1]}, {"mu": 5}, **SMALL, paths=False)
    assert len(programs) <= 2
    programs.clear()
    simulate(LOOP.at(M=9, alpha=Rational(1, 3), tau=2, c=2), {"mu": 0, "V": 1}, generations=5, chains=300, paths=False)
    assert programs


def test_another_number_of_samples_compiles_nothing(programs):
    """Assert that all sizes from M = 9 on share one program, and that smaller ones, of longer tables, do not."""
    asked: dict[str, Any] = {**SMALL, "generations": 7, "paths": False}
    needed = []
    for size in (100, 9, 10, 50, 10**6, 8):
        programs.clear()
        simulate(Loop(Gaussian(), samples=size), {"mu": 0, "V": 1}, **asked)
        needed.append(bool(programs))
    assert needed == [True, False, False, False, False, True]


def test_paths_are_kept_cell_by_cell(tmp_path):
    """Assert that a sweep keeps a folder for every cell, goes on with it, and names the source's values apart."""
    loop = Loop(Gaussian(), samples=10)
    kept = sweep(loop, {"V": ["1/2", 2]}, {"mu": 0}, **SMALL, out=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["V=1:2", "V=2"]
    assert kept["V"].dims == ("V0", "chain", "generation")
    assert kept["V0"].to_numpy().tolist() == [0.5, 2.0]
    again = sweep(loop, {"V": ["1/2", 2, 3]}, {"mu": 0}, **SMALL, out=tmp_path, resume=True)
    xr.testing.assert_identical(again.isel(V0=[0, 1]).drop_attrs(), kept.drop_attrs())


def test_a_sweep_is_made_again(swept, tmp_path):
    """Assert that a sweep on disk says enough to be run again, bit for bit."""
    loaded = load(save(swept, tmp_path / "sweep.nc"))
    xr.testing.assert_identical(loaded, swept)
    xr.testing.assert_equal(rerun(loaded, LOOP), swept)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"M": []}, r"M = \[\] is no list of values"),
        ({"M": 10}, "M = 10 is no list of values"),
        ({"M": "10"}, "M = '10' is no list of values"),
        ({"M": [10, 10]}, "names a value twice"),
        ({"M": ["ten"]}, "M = 'ten' is no number"),
        ({"M": [M]}, "M = M is no number"),
        ({"M": [10], "x": [1]}, "x"),
    ],
)
def test_grids_are_checked(over, said):
    """Assert that a sweep over nothing, over no numbers or over what the loop does not have is refused by name."""
    with pytest.raises(ValueError, match=said):
        sweep(Loop(Gaussian()), over, {"mu": 0, "V": 1}, **SMALL)


def test_cells_are_checked(swept):
    """Assert that a cell that was not run, or is not fully named, is refused, and so is a run without cells."""
    with pytest.raises(ValueError, match="M = 50 was not run"):
        cell(swept, M=50, alpha="1/10", tau=2, c="9/10", V0=1)
    with pytest.raises(ValueError, match="V0, alpha, c, tau is swept or given, not both"):
        cell(swept, M=20)
    with pytest.raises(ValueError, match="is no sweep"):
        cell(swept.drop_attrs(), M=20)


DECLARED = [
    Loop(family, regime=regime)
    for family in (Gaussian(), Poisson(), Exponential(), Bernoulli(), Pareto(), Gamma(2))
    for regime in (Replace(), Accumulate(), Mixed(Rational(1, 2)), Weighted(Rational(1, 2)))
]
STARTS = {
    "Gaussian": {"mu": 0, "V": 1},
    "Poisson": {"rate": 3},
    "Exponential": {"mean": 2},
    "Bernoulli": {"p": 0.25},
    "Pareto": {"alpha": 5},
    "Gamma": {"mean": 2},
}


@pytest.mark.parametrize("loop", DECLARED, ids=str)
def test_no_number_of_samples_is_compiled(loop):
    """Assert that what is compiled is the same for few samples and for many, with tables of few lengths at most."""
    start = STARTS[type(loop.family).__name__]
    asked: dict[str, Any] = {
        "generations": 4,
        "chains": 300,
        "seed": 0,
        "paths": True,
        "observe": None,
        "summaries": None,
    }
    rest: dict[str, Any] = {"method": "statistic", "chunk": None, "device": "cpu", "devices": 1}
    runs = [Request(loop.at(M=size), start, **asked, **rest) for size in (10, 30, 100, 1000, 10**4, 10**6)]
    assert all(run.plan == runs[0].plan for run in runs)
    shapes = [{name: (np.shape(x), np.result_type(x)) for name, x in run.given.items()} for run in runs]
    assert len({str(sorted(shape.items())) for shape in shapes}) <= 4
