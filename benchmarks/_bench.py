"""What the benchmark scripts share: cases in processes of their own, and the page that is made of them.

A script gives `run` the words of its page and a function that measures one case; run with ``--case``, it measures that
case alone and prints the figures as JSON. So a case starts from cold caches, a case that fails or takes too long takes
nothing else down, and memory is the case's own. The file begins with an underscore because `make bench` runs the rest.
"""

import argparse
import json
import os
import platform
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import process_time

HERE = Path(__file__).resolve().parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1") | {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
}


def parser(description: str, budget: float | None = None) -> argparse.ArgumentParser:
    """The options of every script; ``--budget`` where a case may take too long."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--write", action="store_true", help="write the page beside the script too")
    options.add_argument("--case", nargs="+", help=argparse.SUPPRESS)
    if budget:
        options.add_argument("--budget", type=float, default=budget, help="processor seconds that a case may take")
    options.set_defaults(budget=budget)
    return options


def run(
    options: argparse.ArgumentParser,
    script: str,
    report: Callable[[argparse.Namespace], str],
    one_case: Callable[..., dict],
) -> None:
    """Print the page, and write it if asked; or measure the one case that the command line names."""
    arguments = options.parse_args()
    if arguments.case:
        _measure(arguments.budget, lambda: one_case(*arguments.case))
        return
    page = report(arguments)
    print(page)
    if arguments.write:
        Path(script).with_suffix(".md").write_text(page, encoding="utf-8")


def _measure(budget: float | None, figures: Callable[[], dict]) -> None:
    """Print one case's figures as JSON, or die of SIGXCPU; imports do not count."""
    if budget:
        limit = int(process_time() + budget) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    print(json.dumps({"MB": peak(), **found} if "MB" not in (found := figures()) else found))


def case(arguments: Sequence[object], budget: float | None = None, env: Mapping[str, str] | None = None) -> dict:
    """One case of the running script, in a process of its own; {"failed": why} where there is no answer."""
    limit = ["--budget", str(budget)] if budget else []
    command = [sys.executable, sys.argv[0], *limit, "--case", *map(str, arguments)]
    path = {"PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        command, env={**os.environ, **path, **(env or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode == -signal.SIGXCPU:
        return {"failed": f"no answer in {budget:.0f} s"}
    if done.returncode:
        return {"failed": f"fails: {(done.stderr.strip() or f'exit {done.returncode}').splitlines()[-1]}"}
    print(f"{' '.join(map(str, arguments))}: {done.stdout.strip()}", file=sys.stderr)  # a stop loses no case
    return json.loads(done.stdout)


def needed(arguments: Sequence[object], env: Mapping[str, str] | None = None) -> dict:
    """One case that has to give an answer: RuntimeError where it fails."""
    figures = case(arguments, env=env)
    if "failed" in figures:
        raise RuntimeError(f"{' '.join(map(str, arguments))} {figures['failed']}")
    return figures


def peak() -> float:
    """MB of memory at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def seconds(value: float, digits: int = 1) -> str:
    """Milliseconds below one second, with so many digits after the point."""
    return f"{value * 1000:.{digits}f} ms" if value < 1 else f"{value:.1f} s"


def machine(*packages: str) -> str:
    """What the figures were taken on."""
    names = [f"{platform.system()} {platform.machine()}", f"{os.cpu_count()} cores"]
    return ", ".join([*names, f"Python {platform.python_version()}", *map(_installed, packages)])


def _installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"no {name}"
