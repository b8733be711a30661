"""The Monte Carlo engine against its peers and against its random numbers, as ratios of processor time in one run.

Every case runs in a process of its own on one core and one thread. Its programs take turns there, and a ratio is the
median over rounds of how many times the engine's time a peer takes for the same refits (one chain, one generation);
`_race.py` says how, and compares what they compute before a time counts. The peers are beside it, a file a workload.

    python benchmarks/engine.py                    print the tables
    python benchmarks/engine.py --write            and write them to benchmarks/engine.md
    python benchmarks/engine.py --quick            two short rounds, and small runs
    python benchmarks/engine.py --only gaussian    the cases whose name holds the word
"""

import os
import resource
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time

import _bench
import _counts
import _gaussian
import _matrix
import _mixtures
import _race
from _bench import table

CASES = {**_gaussian.CASES, **_counts.CASES, **_matrix.CASES, **_mixtures.CASES}
PEERS = {
    "loop": "written loop",
    "batched": "NumPy, batched",
    "numpy": "NumPy, same trick",
    "numba": "Numba by hand",
    "jax": "`jax.random`",
}
QUICK = {"rounds": 2, "least": 0.2}


def one_case(kind: str, *arguments: str) -> dict:
    """One case's figures."""
    return {"race": race, "size": size, "sizes": sizes}[kind](*arguments)


def race(name: str, quick: str = "") -> dict:
    """Refits per second and ratios of a case's programs."""
    _race.pinned()
    return _race.raced(CASES[name].programs(), **(QUICK if quick else {}))


def size(chains: str, generations: str) -> dict:
    """Processor and wall seconds of one streamed run."""
    spent, wall = process_time(), perf_counter()
    _simulated(100, int(generations), int(chains))
    return {"spent": process_time() - spent, "wall": perf_counter() - wall}


def sizes() -> dict:
    """How many programs are compiled for a first M, for a second, and for a second number of chains."""
    import jax

    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(lambda event, _, **__: compiled.append(event))
    counts = []
    for M, chains in ((10, 20_000), (100, 20_000), (100, 50_000)):
        _simulated(M, 10, chains)
        counts.append(sum("backend_compile" in event for event in compiled))
        compiled.clear()
    return dict(zip(("first", "M", "chains"), counts, strict=True))


def _simulated(M: int, generations: int, chains: int) -> None:
    from numerics import simulate
    from theory import Gaussian, Loop

    start = {"mu": 0, "V": 1}
    simulate(Loop(Gaussian(), samples=M), start, generations=generations, chains=chains, paths=False).load()


FIRST = """
from numerics import simulate
from numerics.running.compiled import keep_compiled
from theory import Gaussian, Loop
keep_compiled({folder!r})
simulate(Loop(Gaussian(), samples=100), {{"mu": 0, "V": 1}}, generations=100, chains=1000, paths=False).load()
"""


def first_result(folder: str) -> tuple[float, float]:
    """Wall and processor seconds of a fresh process from its start to a first result, compiled programs in a folder."""
    paths = os.pathsep.join([str(_bench.HERE.parent), os.environ.get("PYTHONPATH", "")])
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    command = [sys.executable, "-c", FIRST.format(folder=folder)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": paths})
    wall, after = perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# The tables


def races(only: str, quick: bool) -> tuple[str, list[str]]:
    """The table of ratios, and what is missed."""
    rows, missed = [], []
    for name, case in CASES.items():
        if only in name:
            figures = _bench.case(["race", name, *(["quick"] if quick else [])], env=_bench.ONE_THREAD)
            rows.append(_row(case, figures))
            missed += [] if "failed" in figures else _missed(case, figures)
    head = ["", "refits/s", "of the generator's limit", *PEERS.values()]
    return table(head, rows), missed


def _row(case: _race.Case, figures: dict) -> list[str]:
    if "failed" in figures:
        return [case.words, figures["failed"], *[""] * (len(PEERS) + 1)]
    cells = [_cell(case.aims, figures, name) for name in ("limit", *PEERS)]
    return [case.words, f"{figures['engine']['rate']:.1e}", *cells]


def _cell(aims: Mapping[str, float], figures: dict, name: str) -> str:
    """A ratio, and the aim in brackets."""
    if name not in figures:
        return ""
    aim = f" ({_ratio(name, aims[name])})" if name in aims else ""
    return f"{_ratio(name, figures[name]['ratio'])}{aim}"


def _ratio(name: str, value: float) -> str:
    return f"{value:.0%}" if name == "limit" else f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def _missed(case: _race.Case, figures: dict) -> list[str]:
    """What is missed, in words."""
    called = {"limit": "the generator's limit", **PEERS}
    found = [
        f"{called[name]} {_ratio(name, figures[name]['ratio'])} instead of {_ratio(name, aim)}"
        for name, aim in case.aims.items()
        if name in figures and figures[name]["ratio"] < aim
    ]
    return [f"- {case.words}: {', '.join(found)}.{f' {case.why}' if case.why else ''}"] if found else []


def runs(quick: bool) -> str:
    """First results, large runs, and what compiles."""
    with tempfile.TemporaryDirectory() as folder:
        cold, warm = first_result(folder), first_result(folder)
    part = 100 if quick else 1
    many = _bench.case(["size", 10**8 // part, 10])
    long = _bench.case(["size", 10**6 // part, 1000])
    counts = _bench.needed(["sizes"])
    return table(
        ["", "reached", "aim"],
        [
            ["first result of a fresh process, nothing compiled", _both(*cold), ""],
            ["first result of a fresh process, compiled programs kept on disk", _both(*warm), "3 s"],
            [f"{10**8 // part:.0e} chains of 10 generations, summaries only", _large(many), "0.5 GB"],
            [f"{10**6 // part:.0e} chains of 1,000 generations, summaries only", _large(long), ""],
            ["programs compiled for a first M", str(counts["first"]), ""],
            ["programs compiled for another M", str(counts["M"]), "0"],
            ["programs compiled for another number of chains", str(counts["chains"]), "0"],
        ],
    )


def _both(wall: float, spent: float) -> str:
    return f"{wall:.1f} s, {spent:.1f} s of the processor"


def _large(figures: dict) -> str:
    if "failed" in figures:
        return figures["failed"]
    return f"{figures['MB'] / 1024:.2f} GB, {_both(figures['wall'], figures['spent'])}"


def report(arguments: Namespace) -> str:
    """The whole page."""
    ratios, missed = races(arguments.only, arguments.quick)
    more = "" if arguments.only else f"\n## First results, sizes, and what compiles\n\n{runs(arguments.quick)}\n"
    return f"""# Refits of the Monte Carlo engine

Printed by `python benchmarks/engine.py --write`. {_processor()}
{_bench.machine("jax", "numpy", "numba")}.

Every program runs on one thread of one core, by turns in one process. A cell says how many times the engine's
processor time the peer takes for one refit (one chain, one generation), the median over rounds, and in brackets what is
aimed at. Every program records the same quantities at every generation, as means over chains, and the engine as mean
squares too; its time includes its planning. The last generation's values of every peer are of the law of the engine's,
by a Kolmogorov-Smirnov test, before its time counts.

- **the generator's limit**: a kernel that computes the cipher's words for every chain and generation, and nothing else;
  the share of the engine's time that it takes.
- **written loop**: draw the data, fit, repeat, in NumPy as people write it.
- **NumPy, batched**: the same points, of many chains at once; where it is worth a column of its own.
- **NumPy, same trick**: draw the sufficient statistics, in the widest arrays and the fastest generator that NumPy has.
- **Numba by hand**: the same, vectorised by hand.
- **`jax.random`**: the same, its samplers in a `lax.scan`.

{ratios}

{_told(missed)}
{more}"""


def _told(missed: list[str]) -> str:
    """What is missed, and what was not there to be compared."""
    without = "" if find_spec("numba") else "Numba is not installed, so its column is empty.\n\n"
    return without + ("Missed:\n\n" + "\n".join(missed) if missed else "Every aim is reached.")


def _processor() -> str:
    """The processor's name, where the system says it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    wide = " with 512-bit vectors" if any("avx512f" in line for line in lines) else ""
    return f"{names[0]}{wide}," if names else ""


if __name__ == "__main__":
    options = _bench.parser("The Monte Carlo engine against its peers and its random numbers.")
    options.add_argument("--quick", action="store_true", help="two short rounds, and small runs")
    options.add_argument("--only", default="", help="the cases whose name holds this")
    _bench.run(options, __file__, report, one_case)
