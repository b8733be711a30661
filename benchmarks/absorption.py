"""The exact neutral chain against exact linear algebra and SymPy's Markov chains, as ratios in one run.

Every case runs in a process of its own with a time budget; a peer is given its matrix ready made, while the engine
starts from the declared loop. A time counts only where the answer is the engine's fraction, digit for digit. Times are
of the processor, since all of this is one thread.

    python benchmarks/absorption.py                 print the tables
    python benchmarks/absorption.py --write         and write them to benchmarks/absorption.md
    python benchmarks/absorption.py --budget 60     seconds that a peer may take (default 300)
"""

from argparse import Namespace
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from math import comb
from time import process_time
from typing import Any

import _bench
from _bench import machine, seconds, table
from sympy import Expr, Matrix, Rational, ones
from sympy.stats import DiscreteMarkovChain

from theory import Bernoulli, Categorical, Loop, M, absorption
from theory.discrete import dual
from theory.discrete.neutral import Neutral

SIZES = (50, 100, 200)
Answer = Callable[[], Any]


def coin(samples: int) -> Neutral:
    """Two types of probability 1/2, from the declared loop."""
    return absorption(Loop(Categorical([Rational(1, 2)] * 2), samples=samples))


def vocabulary(samples: int) -> Neutral:
    """As many types as tokens, all alike."""
    return absorption(Loop(Categorical([Rational(1, samples)] * samples), samples=samples))


def engine(samples: int) -> Answer:
    """E T from the declared loop."""
    return lambda: coin(samples).expected_time()


def engine_of_many(samples: int) -> Answer:
    """E T for K = M types, from the declared loop."""
    return lambda: vocabulary(samples).expected_time()


def dense(samples: int) -> Answer:
    """python-flint's exact solution of (I - Q) t = 1 on counts 1..M-1, of which t at M/2 is asked."""
    flint, rows = import_module("flint"), _within(samples)
    right = flint.fmpq_mat(samples - 1, 1, [1] * (samples - 1))
    return lambda: _rational(flint.fmpq_mat(rows).solve(right)[samples // 2 - 1, 0])


def dense_of_many(samples: int) -> Answer:
    """The same for K = M types: M times E[T; fixed | count 1], which is right by merging types, t at k/M forced."""
    flint, rows = import_module("flint"), _within(samples)
    right = flint.fmpq_mat(samples - 1, 1, [flint.fmpq(k, samples) for k in range(1, samples)])
    return lambda: _rational(samples * flint.fmpq_mat(rows).solve(right)[0, 0])


def _within(samples: int) -> Any:
    """I - Q, Q the transitions among counts 1..M-1, as a matrix of python-flint."""
    flint, inner = import_module("flint"), range(1, samples)
    over = flint.fmpz(samples) ** samples
    entries = [
        int(k == j) - flint.fmpq(comb(samples, j) * flint.fmpz(k) ** j * (samples - k) ** (samples - j), over)
        for k in inner
        for j in inner
    ]
    return flint.fmpq_mat(samples - 1, samples - 1, entries)


def _rational(x: Any) -> Rational:
    return Rational(int(x.p), int(x.q))


def markov_chain(samples: int) -> Answer:
    """SymPy's DiscreteMarkovChain: row sums of its fundamental matrix."""
    counts = range(samples + 1)
    rows = [
        [Rational(comb(samples, j) * k**j * (samples - k) ** (samples - j), samples**samples) for j in counts]
        for k in counts
    ]
    chain = DiscreteMarkovChain("X", list(counts), Matrix(rows))

    def answer() -> Expr:
        order, *_ = chain.decompose()
        times = chain.fundamental_matrix() * ones(samples - 1, 1)
        return times[[k for k in order if 0 < k < samples].index(samples // 2)]

    return answer


PEERS: dict[str, Callable[[int], Answer]] = {
    "engine": engine,
    "engine without python-flint": engine,
    "python-flint `fmpq_mat.solve`": dense,
    "SymPy `DiscreteMarkovChain`": markov_chain,
}
MANY: dict[str, Callable[[int], Answer]] = {
    "engine": engine_of_many,
    "engine without python-flint": engine_of_many,
    "python-flint `fmpq_mat.solve`, types merged by hand": dense_of_many,
}
MORE: dict[str, tuple[str, Answer]] = {
    "variance": ("Var T, M = K = 100", lambda: vocabulary(100).variance_time()),
    "half": ("E[time until half of the types are left], M = K = 100", lambda: vocabulary(100).expected_time(types=50)),
    "survival": ("P(T > 20), M = K = 100", lambda: vocabulary(100).survival(20)),
    "spectral": ("P(T > n), M = 100, two types, symbolic n: 99 powers", lambda: coin(100).survival()),
    "quasi": ("quasi-stationary law, M = 100", lambda: coin(100).quasi_stationary()),
    "polynomial": ("E T as a polynomial in p, M = 30", lambda: _symbolic(30).expected_time()),
    "moment": ("E p_n^8, symbolic n, M and p", lambda: _symbolic(M).moment(8)),
}


def _symbolic(samples: Any) -> Neutral:
    return absorption(Loop(Bernoulli(), samples=samples))


def one_case(kind: str, name: str, size: str) -> dict:
    """Seconds per call and a digest of the answer."""
    answer = {"one": PEERS, "many": MANY}[kind][name](int(size)) if kind != "more" else MORE[name][1]
    spent, calls = 0.0, 0
    # Short calls are repeated, since the processor's clock is coarse; what the engine keeps is forgotten each time.
    while spent < 0.5:
        dual.visits.cache_clear()
        start = process_time()
        value = answer()
        spent, calls = spent + process_time() - start, calls + 1
    shown = f"{value.p:x}/{value.q:x}" if isinstance(value, Rational) else ""
    return {"each": spent / calls, "digest": sha256(shown.encode()).hexdigest()}


def case(budget: float, kind: str, name: str, size: int = 0) -> dict:
    """Run one case; SymPy is told not to use python-flint where the name says so."""
    return _bench.case([kind, name, size], budget, {"SYMPY_GROUND_TYPES": "python"} if "without" in name else {})


def comparison(budget: float, kind: str, peers: dict, sizes: tuple[int, ...], head: str) -> str:
    """A table of peers against the engine."""
    found = {name: [_tried(budget, kind, name, size) for size in sizes] for name in peers}
    rows = [
        [name, *(_against(one, base) for one, base in zip(results, found["engine"], strict=True))]
        for name, results in found.items()
    ]
    return table([head, *(f"M = {size}" for size in sizes)], rows)


def _tried(budget: float, kind: str, name: str, size: int) -> dict:
    # SymPy's chain takes half a minute at M = 50 and grows with the fourth power of M at least.
    if "DiscreteMarkovChain" in name and size > SIZES[0]:
        return {"failed": "not tried"}
    return case(budget, kind, name, size)


def _against(result: dict, base: dict) -> str:
    if "failed" in result:
        return result["failed"]
    if result["digest"] != base["digest"]:
        return "another fraction"
    return f"{seconds(result['each'])} ({result['each'] / base['each']:,.1f})"


def more(budget: float) -> str:
    """Other exact answers, which no peer gives."""
    rows = []
    for name, (words, _) in MORE.items():
        r = case(budget, "more", name)
        rows.append([words, *([seconds(r["each"]), f"{r['MB']:.0f} MB"] if "each" in r else [r["failed"], ""])])
    return table(["", "each", "peak memory"], rows)


def report(arguments: Namespace) -> str:
    """The whole page."""
    budget = arguments.budget
    return f"""# Exact absorption

Printed by `python benchmarks/absorption.py --write`. {machine("sympy", "python-flint", "gmpy2")}.
Processor seconds of a call in a process of its own, imports left out, peers given {budget:.0f} s; in brackets, times
the engine. Short calls are means over half a second. Ratios of one run mean more than seconds.

## Expected time to absorption, two types, from p = 1/2

The same fraction, compared digit for digit. The engine starts from the declared loop; peers are given the transition
matrix, ready made.

{comparison(budget, "one", PEERS, SIZES, "E T")}

## As many types as tokens

M types of probability 1/M: the full chain has 4.5e58 states at M = 100. The peer solves the chain of one type against
the rest, which is right once one knows how types merge.

{comparison(budget, "many", MANY, (50, 100), "E T, K = M")}

## Other exact answers

{more(budget)}
"""


if __name__ == "__main__":
    options = _bench.parser("The exact neutral chain against exact linear algebra.", budget=300)
    _bench.run(options, __file__, report, one_case)
