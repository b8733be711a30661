"""Large categorical chains in floating point against SciPy's sparse LU and an arb enclosure, as ratios in one run.

Every case runs in a process of its own, on one thread, from cold caches; answers are compared before a time counts.
SciPy is given the transient two-type matrix I - Q ready made, entries below 10^-18 left out: building it is not timed.
Times are of the processor, imports left out; memory is counted beyond the imports too.

    python benchmarks/absorption_large.py            print the tables
    python benchmarks/absorption_large.py --write    and write them to benchmarks/absorption_large.md
    python benchmarks/absorption_large.py --quick    without the largest case
"""

from argparse import Namespace
from collections.abc import Callable
from functools import partial
from statistics import median
from time import process_time
from typing import Any

import _bench
import flint
import numpy as np
from _bench import peak, table
from scipy.sparse import csc_matrix, identity
from scipy.sparse.linalg import splu
from scipy.stats import binom

from numerics import BranchingLimit, LargeChain

EVEN = np.array([0.5, 0.5])
PIECES = 32
BITS = 128


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds and the answer."""
    start = process_time()
    answer = run()
    return process_time() - start, answer


def again(run: Callable[[], Any], times: int = 5) -> float:
    """The median of repeated runs, each from new objects."""
    return median(timed(run)[0] for _ in range(times))


def expected_time(M: int) -> Any:
    """E T of two types from 1/2, from nothing."""
    return LargeChain(M, EVEN).expected_time()


def transient(M: int) -> csc_matrix:
    """I - Q of the two-type chain on counts 1..M - 1, entries below 10^-18 left out."""
    counts, rows = np.arange(1, M), []
    for i in counts:
        reach = int(12 * np.sqrt(i * (1 - i / M))) + 45
        columns = np.arange(max(1, i - reach), min(M - 1, i + reach) + 1)
        chances = binom.pmf(columns, M, i / M)
        kept = chances > 1e-18
        rows.append((columns[kept] - 1, chances[kept]))
    starts = np.concatenate([[0], np.cumsum([len(columns) for columns, _ in rows])])
    shape, data = (M - 1, M - 1), (np.concatenate([c for _, c in rows]), np.concatenate([k for k, _ in rows]), starts)
    return csc_matrix(identity(M - 1) - _by_rows(data, shape))


def _by_rows(data: tuple[np.ndarray, np.ndarray, np.ndarray], shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix(data, shape=shape)


def sparse_lu(system: csc_matrix, M: int) -> float:
    """E T of two types from 1/2 by SciPy: solve (I - Q) t = 1, then the first fit."""
    t = splu(system).solve(np.ones(M - 1))
    return 1 + float(binom.pmf(np.arange(1, M), M, 0.5) @ t)


def enclosure(M: int) -> tuple[float, float, float]:
    """E T of two types from 1/2 in balls: midpoint to double precision, its remainder, and the radius over it.

    All rows in full, one ball at a time, scaled integers over M^k; no windows, no cutting.
    """
    with flint.ctx.workprec(BITS):
        half, t = flint.arb(1) / 2, [flint.arb(0), flint.arb(0)]
        row, power = [flint.arb(0), flint.arb(1)], half
        for k in range(2, M + 1):
            up = [row[m - 1] * (M - m + 1) for m in range(1, len(row) + 1)]
            stay = [row[m] * m for m in range(1, len(row))]
            row = [flint.arb(0)] + [(a + b) / M for a, b in zip(stay, up[:-1], strict=True)] + [up[-1] / M]
            power = power / 2
            total = flint.arb.dot(row[:k], t) if hasattr(flint.arb, "dot") else _dot(row[:k], t)
            t.append((1 - 2 * power + total) / (1 - row[k]))
        answer = 1 + t[-1]
        middle = float(answer.mid())
        return middle, float((answer - middle).mid()), float(answer.rad() / answer)


def _dot(one: list, other: list) -> Any:
    """The sum of products, as the one entry of a product of matrices."""
    return (flint.arb_mat(1, len(one), one) * flint.arb_mat(len(other), 1, other))[0, 0]


# Cases


def against_lu(M: int) -> dict:
    """Ours, first and again, and SciPy's, on one answer."""
    system = transient(M)
    first, ours = timed(partial(expected_time, M))
    theirs = sparse_lu(system, M)
    if abs(theirs / ours.value - 1) > 1e-10:
        raise ValueError(f"{theirs} is not {ours}")
    pairs = [(again(partial(expected_time, M), 1), timed(partial(sparse_lu, system, M))[0]) for _ in range(3)]
    return {
        "first": first,
        "again": median(one for one, _ in pairs),
        "lu": median(other for _, other in pairs),
        "ratio": median(other / one for one, other in pairs),
        "bound": ours.relative,
    }


def against_balls(M: int) -> dict:
    """Relative error of our answer and of SciPy's against the enclosure, and the stated bound."""
    ours, theirs = expected_time(M), sparse_lu(transient(M), M)
    seconds, (middle, rest, radius) = timed(partial(enclosure, M))
    errors = [abs((value - middle - rest) / middle) for value in (ours.value, theirs)]
    if errors[0] > ours.relative + radius:
        raise ValueError("the stated bound does not hold")
    return {"seconds": seconds, "radius": radius, "error": errors[0], "lu": errors[1], "bound": ours.relative}


def large(M: int) -> dict:
    """E T alone, at a size without a peer: seconds, memory beyond the imports, the stated bound."""
    before = peak()
    seconds, ours = timed(partial(expected_time, M))
    diffusion = 2 * M * np.log(2)
    if not 0 < diffusion - ours.value < 10:
        raise ValueError(f"{ours} is not near the diffusion's {diffusion}")
    return {"seconds": seconds, "MB": peak() - before, "bound": ours.relative, "value": ours.value}


def course(M: int) -> dict:
    """The cdf of T for M generations; checked against the expected time and a single generation."""
    seconds, cdf = timed(lambda: LargeChain(M, EVEN).cdf(range(M + 1)))
    repeated = again(lambda: LargeChain(M, EVEN).cdf(range(M + 1)))
    chain = LargeChain(M, EVEN)
    one, last = chain.survival(M), cdf[M]
    if abs(1 - last.value - one.value) > one.error + last.error + 1e-15:
        raise ValueError("the course and the single generation differ")
    return {"seconds": seconds, "again": repeated, "bound": float(cdf.error.max())}


def losses(M: int) -> dict:
    """Loss of 50,000 Zipf tokens in 100 generations; checked against the deterministic limit with its bound."""
    zipf = 1 / np.arange(1, 50_001.0)
    zipf /= zipf.sum()
    seconds, lost = timed(lambda: LargeChain(M, zipf).lost(frequency=zipf, n=range(101)))
    limit = BranchingLimit(M, zipf).lost(zipf, 100)
    if not np.all(np.abs(limit.value - lost.value[100]) <= limit.error + lost.error[100]):
        raise ValueError("the losses are not within the bound of their limit")
    return {"seconds": seconds, "bound": float(lost.error.max()), "limit": float(limit.error.max())}


def internet(M: int) -> dict:
    """Support of 10^6 Zipf types after 100 generations of M tokens, with the proved bound."""
    zipf = 1 / np.arange(1, 1_000_001.0) ** 2
    seconds, support = timed(lambda: BranchingLimit(M, zipf / zipf.sum()).support(100))
    return {"seconds": seconds, "value": support.value, "bound": support.relative}


CASES = {one.__name__: one for one in (against_lu, against_balls, large, course, losses, internet)}
seconds = partial(_bench.seconds, digits=0)


def one_case(name: str, M: str) -> dict:
    """One case's figures."""
    return CASES[name](int(M))


def case(name: str, M: int) -> dict:
    """Run one case on one thread."""
    return _bench.needed([name, M], env=_bench.ONE_THREAD)


def first_table() -> str:
    """E T against SciPy, size by size."""
    rows = []
    for M in (1000, 5000):
        r = case("against_lu", M)
        cells = [seconds(r["first"]), seconds(r["again"]), seconds(r["lu"]), f"{r['ratio']:.0f}", f"{r['bound']:.0e}"]
        rows.append([f"{M:,}", *cells])
    return table(["M", "ours, first", "ours, again", "SciPy's sparse LU", "ratio", "stated bound"], rows)


def second_table() -> str:
    """E T against the enclosure."""
    rows = []
    for M in (1000, 5000):
        r = case("against_balls", M)
        figures = [f"{r[key]:.0e}" for key in ("error", "bound", "lu", "radius")]
        rows.append([f"{M:,}", *figures, seconds(r["seconds"])])
    return table(["M", "our error", "stated bound", "LU's error", "radius of the enclosure", "its time"], rows)


def third_table(quick: bool) -> str:
    """What has no peer."""
    r = case("course", 5000)
    rows = [["cdf of T, 5,000 generations, M = 5,000", seconds(r["seconds"]), f"{r['bound']:.0e}", ""]]
    r = case("losses", 10_000)
    rows.append(["losses of 50,000 tokens, 100 generations, M = 10^4", seconds(r["seconds"]), f"{r['bound']:.0e}", ""])
    for M in (100_000,) if quick else (100_000, 1_000_000):
        r = case("large", M)
        rows.append([f"E T, M = {M:,}", seconds(r["seconds"]), f"{r['bound']:.0e}, relative", f"{r['MB']:.0f} MB"])
    r = case("internet", 10**13)
    rows.append(
        [
            "support of 10^6 types, n = 100, M = 10^13, by the limit",
            seconds(r["seconds"]),
            f"{r['bound']:.0e}, relative",
            "",
        ]
    )
    return table(["", "time", "stated bound", "memory beyond the imports"], rows)


def report(arguments: Namespace) -> str:
    """The whole page."""
    return f"""# Benchmarks of large chains

Printed by `python benchmarks/absorption_large.py --write`. {_bench.machine("numpy", "scipy", "jax", "python-flint")}.
Processor seconds on one thread in a fresh process, imports left out. Ratios of one run mean more than seconds.

## Expected absorption time of two types from 1/2

Ours starts from M and the source and proves a bound on its error alongside; SciPy is given the matrix I - Q ready made.

{first_table()}

Against an enclosure in balls of {BITS} bits, all rows in full:

{second_table()}

## Curves, vocabularies, and sizes without a peer

{third_table(arguments.quick)}
"""


if __name__ == "__main__":
    options = _bench.parser("Large chains against SciPy's sparse LU and an arb enclosure.")
    options.add_argument("--quick", action="store_true", help="leave out the largest case")
    _bench.run(options, __file__, report, one_case)
