"""Times of a chain that real data drives on, exact, against linear algebra on its states, as ratios in one run.

E[T], T = the first generation with one of two types left, as a rational function of the real share alpha, and as a
number for a given one. Every case runs in a process of its own, with a time budget; peers are given the matrix ready
made, while the engine starts from the declared loop, and answers are compared before a time counts.

    python benchmarks/absorption_fresh.py                 print the tables
    python benchmarks/absorption_fresh.py --write         and write them to benchmarks/absorption_fresh.md
    python benchmarks/absorption_fresh.py --budget 60     seconds that a peer may take (default 300)
"""

import sys
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from itertools import chain
from math import comb
from time import process_time
from typing import Any

import _bench
from _bench import case, machine, seconds, table
from sympy import QQ, Expr, Rational, S, oo
from sympy.polys.matrices import DomainMatrix

from theory import Bernoulli, Categorical, Loop, Mixed, absorption, alpha
from theory import field as fields

flint: Any = import_module("flint")
HALF, SHARE = Rational(1, 2), Rational(1, 10)
PARAMETRIC = (4, 8, 12)
SIZES = (50, 100, 200)
Answer = Callable[[], Any]
flat = chain.from_iterable


def loop_of(samples: int, share: Expr, types: int = 2) -> Loop:
    """Types of one probability, each token real with probability ``share``."""
    family = Bernoulli(HALF) if types == 2 else Categorical([Rational(1, types)] * types)
    return Loop(family, samples=samples, regime=Mixed(share, count="bernoulli"))


def engine(samples: int) -> Answer:
    """From the declared loop to E[T] as an expression in alpha."""
    return lambda: absorption(loop_of(samples, alpha)).expected_time()


def without_flint(samples: int) -> Answer:
    """The same with SymPy's polynomials."""
    fields.AVAILABLE = False
    return engine(samples)


def chance(samples: int, count: int, share: Any) -> Any:
    """P(a token is of type 0), ``count`` of M tokens of the model being so."""
    return share / 2 + (1 - share) * QQ(count, samples)


def inner(samples: int, share: Any) -> list[list[Any]]:
    """I - Q among the counts 1, ..., M - 1, in the ring of the share."""
    M, rows = samples, []
    for x in range(1, M):
        p = chance(M, x, share)
        rows.append([int(x == y) - comb(M, y) * p**y * (1 - p) ** (M - y) for y in range(1, M)])
    return rows


def start(samples: int) -> list[Any]:
    """P(count y at the first fit)."""
    return [QQ(comb(samples, y), 2**samples) for y in range(1, samples)]


def sympy_solve(samples: int) -> Answer:
    """SymPy's DomainMatrix over QQ(alpha)."""
    domain, size = QQ.frac_field(alpha), samples - 1
    system = DomainMatrix(inner(samples, domain.gens[0]), (size, size), domain)
    ones = DomainMatrix([[domain.one]] * size, (size, 1), domain)

    def answer() -> Expr:
        times = system.lu_solve(ones).to_list_flat()
        return domain.to_sympy(1 + sum((w * t for w, t in zip(start(samples), times, strict=True)), domain.zero))

    return answer


def flint_interpolated(samples: int) -> Answer:
    """python-flint: det(I - Q) and E[T] det(I - Q) at as many points as their degree in alpha needs, interpolated."""
    size, degree = samples - 1, samples * (samples - 1)
    points = [QQ(k, degree + 1) for k in range(1, degree + 2)]
    systems = [flint.fmpq_mat(size, size, [*flat(inner(samples, x))]) for x in points]
    ones, weights = flint.fmpq_mat(size, 1, [1] * size), flint.fmpq_mat(1, size, start(samples))

    def answer() -> Expr:
        bottoms = [system.det() for system in systems]
        tops = [(1 + (weights * system.solve(ones))[0, 0]) * det for system, det in zip(systems, bottoms, strict=True)]
        top, bottom = _interpolated(points, tops), _interpolated(points, bottoms)
        common = top.gcd(bottom)
        return _expr(top // common) / _expr(bottom // common)

    return answer


def _interpolated(points: list[Any], values: list[Any]) -> Any:
    """Newton's divided differences."""
    table_, x = list(values), flint.fmpq_poly([0, 1])
    for step in range(1, len(points)):
        for k in range(len(points) - 1, step - 1, -1):
            table_[k] = (table_[k] - table_[k - 1]) / (points[k] - points[k - step])
    found = flint.fmpq_poly([table_[-1]])
    for point, value in zip(reversed(points[:-1]), reversed(table_[:-1]), strict=True):
        found = found * (x - point) + value
    return found


def _expr(polynomial: Any) -> Expr:
    return sum((QQ.to_sympy(w) * alpha**k for k, w in enumerate(polynomial.coeffs())), S.Zero)


PEERS = {
    "engine": engine,
    "engine without python-flint": without_flint,
    "python-flint, dense, interpolated": flint_interpolated,
    "SymPy DomainMatrix over QQ(alpha)": sympy_solve,
}


def parametric(name: str, samples: int) -> dict:
    """Seconds to the rational function, seen to be right at two shares."""
    answer = PEERS[name](samples)
    begin = process_time()
    expr = answer()
    first = process_time() - begin
    mean = _timed(answer) if first < 1 else first
    for share in (SHARE, Rational(2, 3)):
        if expr.subs(alpha, share) != number_by_flint(samples, share)():
            raise ValueError("the rational function is wrong")
    return {"first": first, "mean": mean, "length": len(str(expr))}


def number_by_flint(samples: int, share: Expr = SHARE) -> Answer:
    """python-flint's dense solve at one share."""
    size = samples - 1
    system = flint.fmpq_mat(size, size, [*flat(inner(samples, QQ(int(share.p), int(share.q))))])
    ones, weights = flint.fmpq_mat(size, 1, [1] * size), flint.fmpq_mat(1, size, start(samples))
    return lambda: QQ.to_sympy(1 + (weights * system.solve(ones))[0, 0])


def number_by_engine(samples: int) -> Answer:
    """The engine at one share."""
    return lambda: absorption(loop_of(samples, SHARE)).expected_time()


def law_by_flint(samples: int) -> Answer:
    """python-flint's dense solve of pi P = pi, sum pi = 1."""
    M, share = samples, QQ(1, 10)
    chances = [chance(M, x, share) for x in range(M + 1)]
    moves = [
        [comb(M, y) * p**y * (1 - p) ** (M - y) - int(x == y) for x, p in enumerate(chances)] for y in range(1, M + 1)
    ]
    system = flint.fmpq_mat(M + 1, M + 1, [QQ(1)] * (M + 1) + [*flat(moves)])
    one = flint.fmpq_mat(M + 1, 1, [1] + [0] * M)
    return lambda: [QQ.to_sympy(x) for x in system.solve(one).entries()]


def law_by_engine(samples: int) -> Answer:
    """The engine's stationary law of the count."""
    return lambda: list(absorption(loop_of(samples, SHARE)).counts(0, oo).values())


NUMERIC = {"E[T]": (number_by_engine, number_by_flint), "stationary law": (law_by_engine, law_by_flint)}


def numeric(what: str, samples: int) -> dict:
    """Seconds of the engine, and of python-flint on the same fraction."""
    ours, theirs = (build(samples) for build in NUMERIC[what])
    times = [_timed(ours), _timed(theirs)]
    if ours() != theirs():
        raise ValueError("the fractions differ")
    return {"engine": times[0], "peer": times[1]}


def many_types(samples: int, share: Expr) -> dict:
    """Seconds to E[T] for K = M types."""
    return {"engine": _timed(lambda: absorption(loop_of(samples, share, types=samples)).expected_time())}


def _timed(run: Callable[[], object], least: float = 0.2) -> float:
    """Seconds of one call, the mean over as many as fill ``least`` seconds: the processor's clock is coarse."""
    begin, calls = process_time(), 0
    while not calls or process_time() - begin < least:
        run()
        calls += 1
    return (process_time() - begin) / calls


def one_case(kind: str, *arguments: str) -> dict:
    """One case's figures; the making of matrices counts towards the budget."""
    sys.set_int_max_str_digits(0)
    return {
        "parametric": lambda name, size: parametric(name, int(size)),
        "numeric": lambda what, size: numeric(what, int(size)),
        "types": lambda size, share: many_types(int(size), S(share).subs(S("alpha"), alpha)),
    }[kind](*arguments)


def first_table(budget: float) -> str:
    """E[T] over QQ(alpha)."""
    results = {name: [case(["parametric", name, str(M)], budget) for M in PARAMETRIC] for name in PEERS}
    ours = [figures["mean"] for figures in results["engine"]]
    rows = [
        [name, *(_against(r, base) for r, base in zip(found, ours, strict=True))] for name, found in results.items()
    ]
    firsts = ", ".join(seconds(r["first"]) for r in results["engine"])
    lengths = ", ".join(str(r["length"]) for r in results["engine"])
    return "\n\n".join(
        [
            table(["E[T] over QQ(alpha) (times the engine)", *(f"M = {M}" for M in PARAMETRIC)], rows),
            f"The engine's first call in a fresh process: {firsts}. Characters of the answer: {lengths}.",
        ]
    )


def _against(result: dict, base: float) -> str:
    return result.get("failed") or f"{seconds(result['mean'])} ({result['mean'] / base:,.1f})"


def second_table(budget: float) -> str:
    """Numbers at one share."""
    rows = []
    for what in NUMERIC:
        for M in SIZES:
            r = case(["numeric", what, str(M)], budget)
            figures = (
                [r["failed"]] * 3
                if "failed" in r
                else [seconds(r["engine"]), seconds(r["peer"]), f"{r['peer'] / r['engine']:.1f}"]
            )
            rows.append([f"{what}, M = {M}", *figures])
    return table(["alpha = 1/10", "engine", "python-flint, dense solve", "ratio"], rows)


def third_table(budget: float) -> str:
    """As many types as tokens, which no matrix holds."""
    rows = []
    for M, share in ((12, "alpha"), (50, "1/10"), (100, "1/10")):
        r = case(["types", str(M), share], budget)
        rows.append(
            [f"M = K = {M}, alpha = {share}", f"{comb(2 * M - 1, M):.1e}", r.get("failed") or seconds(r["engine"])]
        )
    return table(["E[T], K types of one probability", "states", "engine"], rows)


def report(arguments: Namespace) -> str:
    """The whole page."""
    budget = arguments.budget
    return f"""# Real data in every generation, exactly

Printed by `python benchmarks/absorption_fresh.py --write`. {machine("sympy", "python-flint", "gmpy2")}.
Processor seconds, imports and the peers' matrices left out, peers given {budget:.0f} s. Each token is real with
probability alpha; T is the first generation with one type left. Means of as many calls as fill 0.2 seconds. Ratios of
one run mean more than seconds.

## E[T] of two types as a rational function of alpha

{first_table(budget)}

## The same fraction at one share

{second_table(budget)}

## Many types

{third_table(budget)}
"""


if __name__ == "__main__":
    options = _bench.parser("Chains with real data against linear algebra on their states.", budget=300)
    _bench.run(options, __file__, report, one_case)
