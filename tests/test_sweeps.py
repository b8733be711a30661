"""Sweeps: every cell is the run of its own loop, bit for bit, and all of them share one compiled program."""

from typing import Any

import jax
import numpy as np
import pytest
import xarray as xr
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational

from numerics import cell, load, rerun, save, simulate, sweep
from numerics.kits import rooms
from numerics.request import Request
from theory import (
    EM,
    SGD,
    Accumulate,
    Bernoulli,
    Exponential,
    Gamma,
    Gaussian,
    KernelDensity,
    Laplace,
    Loop,
    Mixed,
    Mixture,
    Pareto,
    Poisson,
    Replace,
    Scaled,
    Schedule,
    Subsample,
    Tempered,
    UniformOn,
    Weighted,
    alpha,
)
from theory.symbols import M, c, n, tau

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


SOURCE = Gaussian(0, 1)
TWO = Mixture(2, weights=["1/4", "3/4"], means=[-2, 2], variances=[1, 1])
BY_POINTS = {
    "mixture by EM": Loop(TWO, estimator=EM(3)),
    "kernel density": Loop(KernelDensity("scott"), source=SOURCE),
    "descent": Loop(SOURCE, estimator=SGD(3, "1/10", batch=10)),
    "extremes": Loop(UniformOn(), regime=Subsample()),
    "median of a pool": Loop(Laplace(), regime=Accumulate()),
}
EXACT = ("kernel density", "extremes")
"""Loops that are compiled a second time, with no room to spare."""


@pytest.mark.parametrize("name", BY_POINTS)
def test_numbers_of_points_share_a_room(name, programs, monkeypatch):
    """Assert that M = 104, 97 and 100 points share a program, and that the room that 97 do not need changes no bit."""
    asked: dict[str, Any] = {"generations": 2, "chains": 40, "method": "data"}
    needed, runs = [], {}
    for size in (104, 97, 100):
        programs.clear()
        runs[size] = simulate(evolve(BY_POINTS[name], samples=size), **asked)
        needed.append(bool(programs))
    assert needed == [True, False, False]
    assert all((runs[97][x][:, 1:] != runs[100][x][:, 1:]).any() for x in ("mu", "centre") if x in runs[97])
    if name in EXACT:
        monkeypatch.setattr(rooms, "rounded", lambda size: size)
        xr.testing.assert_equal(runs[97], simulate(evolve(BY_POINTS[name], samples=97), **asked))
        assert programs


def planned(loop):
    """Return the plan of a run by points, and the shapes of the numbers that its program is given."""
    asked: dict[str, Any] = {"generations": 3, "chains": 40, "seed": 0, "paths": True, "method": "data"}
    run = Request(loop, None, **asked, observe=None, summaries=None, chunk=None, device="cpu")
    return run.plan, {name: (np.shape(x), np.result_type(x)) for name, x in run.given.items()}


REGIMES = {
    "replaced": (Replace(), (97, 101, 104), 105),
    "pooled": (Accumulate(), (97, 101, 104), 105),
    "drawn from a pool": (Subsample(), (97, 101, 104), 105),
    "mixed": (Mixed(Rational(1, 3)), (99, 102), 108),
    "kept": (Mixed(Rational(1, 10), fresh=False), (900, 960), 970),
    "weighted": (Weighted(Rational(1, 3)), (98, 104), 106),
}


@pytest.mark.parametrize(("regime", "alike", "beyond"), REGIMES.values(), ids=REGIMES.keys())
def test_every_regime_has_rooms(regime, alike, beyond):
    """Assert that plans and shapes are those of one program within a room, and others beyond it."""
    one, *others = [planned(Loop(SOURCE, regime=regime, samples=size)) for size in alike]
    assert all(other == one for other in others)
    assert planned(Loop(SOURCE, regime=regime, samples=beyond))[0] != one[0]


def test_schedules_have_rooms_too():
    """Assert that schedules of the same room share a plan, whatever they are written as."""
    one, two = (planned(Loop(SOURCE, regime=Schedule(sizes), samples=9)) for sizes in ((97, 5, 40), 34 * n))
    assert one == two


@given(st.integers(1, 10**6))
def test_a_room_is_less_than_an_eighth_larger(size):
    """Assert that rooms hold what they are for, are kept by rounding again, and that there are eight to an octave."""
    room = rooms.rounded(size)
    assert size <= room < 9 * size / 8 or size == room
    assert rooms.rounded(room) == room
    assert len({rooms.rounded(x) for x in range(33, 65)}) == 8


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
