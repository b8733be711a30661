"""The symbolic engine against SymPy's own tools for recurrences, as ratios in one run.

Every case runs in a process of its own, from cold caches, with a time budget; what a peer is given is the recurrence in
matrix form, ready made, while the engine starts from the declared loop. Answers are compared with the recurrence
iterated in rational numbers before a time counts. Times are of the processor, since all of this is one thread.

    python benchmarks/symbolic.py                 print the tables
    python benchmarks/symbolic.py --write         and write them to benchmarks/symbolic.md
    python benchmarks/symbolic.py --budget 60     seconds that a peer may take (default 300)
"""

from argparse import Namespace
from collections.abc import Callable
from statistics import median
from time import process_time

import _bench
from _bench import case, machine, seconds, table
from sympy import Expr, Function, Integer, Matrix, Poly, Symbol, rsolve

from proofs.kernel import check
from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Gaussian,
    Loop,
    Mixed,
    Scaled,
    Tempered,
    Unbiased,
    alpha,
    c,
    expect,
    n,
    tau,
)
from theory import field as fields

mu, V = Gaussian.mu, Gaussian.V
POINT = {"M": 5, "mu0": 1, "V0": 2}
DEGREES = (4, 6, 8)
Answer = Callable[[], Expr]


def engine(degree: int) -> Answer:
    """From the declared loop to the closed form of E[mu^degree], python-flint's arithmetic under it."""
    return lambda: expect(Loop(Gaussian()), mu**degree).expression


def without_flint(degree: int) -> Answer:
    """The same with SymPy's arithmetic."""
    fields.AVAILABLE = False
    return engine(degree)


def system(degree: int) -> tuple[Matrix, Matrix]:
    """(T, x_0) of the recurrence x_(n+1) = T x_n, E[mu^degree] the first entry."""
    rows = expect(Loop(Gaussian()), mu**degree).recurrence
    start = Loop(Gaussian()).law.source()
    return (
        Matrix([[Poly(row, mu, V).coeff_monomial(m) for m in rows] for row in rows.values()]),
        Matrix([m.subs(start) for m in rows]),
    )


def matrix_power(degree: int) -> Answer:
    """SymPy's Matrix**n."""
    T, start = system(degree)
    return lambda: (T**n * start)[0]


def jordan_form(degree: int) -> Answer:
    """SymPy's jordan_form, and powers of its blocks."""
    T, start = system(degree)

    def answer() -> Expr:
        P, J = T.jordan_form()
        return (P * J**n * P.inv() * start)[0]

    return answer


def rsolve_in_order(degree: int) -> Answer:
    """SymPy's rsolve on the scalar recurrence that T's characteristic polynomial gives E[mu^degree]."""
    T, start = system(degree)
    u = Function("u")

    def answer() -> Expr:
        weights = reversed(T.charpoly().all_coeffs())
        firsts, x = {}, start
        for k in range(T.rows):
            firsts[u(k)], x = x[0].expand(), T * x
        return _found(rsolve(sum(w * u(n + k) for k, w in enumerate(weights)), u(n), firsts))

    return answer


def rsolve_in_chain(degree: int) -> Answer:
    """SymPy's rsolve, moment after moment from the last."""
    T, start = system(degree)
    u = Function("u")

    def answer() -> Expr:
        solved: dict[int, Expr] = {}
        for i in reversed(range(T.rows)):
            forcing = sum((T[i, j] * solved[j] for j in solved), Integer(0))
            solved[i] = _found(rsolve(u(n + 1) - T[i, i] * u(n) - forcing, u(n)))
            solved[i] = solved[i].subs(Symbol("C0"), start[i] - solved[i].subs({n: 0, Symbol("C0"): 0}))
        return solved[0]

    return answer


def _found(expr: Expr | None) -> Expr:
    if expr is None:
        raise ValueError("rsolve returns None")
    return expr


PEERS = {"engine": engine, "engine without python-flint": without_flint, "SymPy `Matrix**n`": matrix_power}
PEERS |= {"SymPy `jordan_form`": jordan_form, "SymPy `rsolve`, by the characteristic polynomial": rsolve_in_order}
PEERS |= {"SymPy `rsolve`, moment by moment": rsolve_in_chain}


def one_moment(name: str, degree: int) -> dict:
    """Seconds to the closed form, first and repeated, once it is seen to be right."""
    answer = PEERS[name](degree)
    start = process_time()
    expr = answer()
    first = process_time() - start
    special = {Symbol(k): v for k, v in POINT.items()}
    special = {s: special[Symbol(s.name)] for s in expr.free_symbols if s.name in POINT}
    expected = expect(Loop(Gaussian()), mu**degree).at(n=3, **POINT)
    if expr.subs({**special, n: 3}).expand() != expected:
        raise ValueError("the closed form is wrong")
    again = [_seconds(answer) for _ in range(5)] if name.startswith("engine") else []
    return {"first": first, "again": median(again) if again else None, "length": len(str(expr))}


def _seconds(run: Callable[[], object]) -> float:
    start = process_time()
    run()
    return process_time() - start


def monomials(degree: int) -> list[Expr]:
    """All mu^a V^b with a + b <= degree."""
    return [mu**a * V**b for a in range(degree + 1) for b in range(degree + 1 - a)]


def many_moments(degree: int) -> dict:
    """Seconds to derive, write out, certify and check all monomials together."""
    clock, times = process_time(), {}

    def lap(name: str) -> None:
        nonlocal clock
        times[name], clock = process_time() - clock, process_time()

    answers = expect(Loop(Gaussian()), monomials(degree))
    _ = answers[0].pieces[0].solution
    lap("derive and solve")
    _ = [answer.expression for answer in answers]
    lap("write closed forms")
    certificates = {id(c): c for answer in answers for c in answer.certificate}
    lap("certify")
    obligations = [len(check(c.data).obligations) for c in certificates.values()]
    lap("check")
    return {**times, "count": len(answers), "obligations": sum(obligations), "claims": _claims(certificates)}


def _claims(certificates: dict) -> int:
    return sum(len(c.data["claim"]) for c in certificates.values())


HARDER = {
    "E[p^6], Bernoulli, Mixed, over QQ(M, alpha, p0)": (Loop(Bernoulli(), regime=Mixed(alpha)), Bernoulli.p**6),
    "E[mu^6], Scaled, Tempered, over QQ(M, c, tau)": (
        Loop(Gaussian(), estimator=Scaled(c), sampling=Tempered(tau)),
        mu**6,
    ),
    "E[mu^2], Scaled, Mixed, over QQ(M, alpha, c), irrational eigenvalues": (
        Loop(Gaussian(), estimator=Scaled(c), regime=Mixed(alpha)),
        mu**2,
    ),
    "E[mu^4], Accumulate, maximum likelihood": (Loop(Gaussian(), estimator=MLE(), regime=Accumulate()), mu**4),
    "E[mu^4], Accumulate, unbiased": (Loop(Gaussian(), estimator=Unbiased(), regime=Accumulate()), mu**4),
    "E[mu^4], Accumulate, symbolic temperature": (
        Loop(Gaussian(), regime=Accumulate(), sampling=Tempered(tau)),
        mu**4,
    ),
}


def harder(name: str) -> dict:
    """Seconds to the solution and to the closed form."""
    loop, observable = HARDER[name]
    start = process_time()
    answer = expect(loop, observable)
    _ = answer.pieces[0].solution
    solved = process_time() - start
    expr = answer.expression
    return {"solution": solved, "closed form": process_time() - start, "length": len(str(expr))}


def one_case(kind: str, *arguments: str) -> dict:
    """One case's figures."""
    return {
        "one": lambda name, degree: one_moment(name, int(degree)),
        "many": lambda degree: many_moments(int(degree)),
        "harder": harder,
    }[kind](*arguments)


def first_table(budget: float) -> str:
    """One moment against the peers."""
    results = {name: [case(["one", name, str(d)], budget) for d in DEGREES] for name in PEERS}
    ours = [figures["first"] for figures in results["engine"]]
    rows = [
        [name, *(_against(r, base) for r, base in zip(found, ours, strict=True))] for name, found in results.items()
    ]
    repeated = ", ".join(f"{seconds(r['again'])}" for r in results["engine"])
    lengths = ", ".join(f"E[mu^{d}] {r['length']}" for d, r in zip(DEGREES, results["engine"], strict=True))
    memory = max(r["MB"] for r in results["engine"])
    return "\n\n".join(
        [
            table(["first call (times the engine)", *(f"E[mu_n^{d}]" for d in DEGREES)], rows),
            f"The engine again in the same process, median of 5: {repeated}. Peak memory {memory:.0f} MB.",
            f"Characters of the closed form: {lengths}.",
        ]
    )


def _against(result: dict, base: float) -> str:
    if "failed" in result:
        return result["failed"]
    return f"{seconds(result['first'])} ({result['first'] / base:,.0f})"


STAGES = ("derive and solve", "write closed forms", "certify", "check")


def second_table(budget: float) -> str:
    """All monomials together."""
    rows = []
    for degree in (8, 12):
        r = case(["many", str(degree)], budget)
        total = sum(r[stage] for stage in STAGES)
        times = [seconds(r[stage]) for stage in STAGES]
        name = f"all {r['count']} monomials mu^a V^b, a + b <= {degree}"
        rows.append([name, *times, seconds(total), str(r["obligations"]), f"{r['MB']:.0f} MB"])
    return table(["", *STAGES, "together", "obligations met", "peak memory"], rows)


def third_table(budget: float) -> str:
    """Harder single moments."""
    rows = []
    for name in HARDER:
        r = case(["harder", name], budget)
        rows.append([name, seconds(r["solution"]), seconds(r["closed form"]), str(r["length"]), f"{r['MB']:.0f} MB"])
    return table(["", "solution", "closed form", "characters", "peak memory"], rows)


def report(arguments: Namespace) -> str:
    """The whole page."""
    budget = arguments.budget
    return f"""# Benchmarks

Printed by `make bench ARGS=--write`, that is `python benchmarks/symbolic.py --write`.
{machine("sympy", "python-flint", "gmpy2")}.
Processor seconds of a first call in a fresh process, imports left out, peers given {budget:.0f} s. Ratios of one run
mean more than seconds.

## One moment: from the declared loop to the closed form

The Gaussian loop with symbolic n, M, mu0 and V0, maximum likelihood, each generation replacing the last. The peers are
given the recurrence as a matrix, ready made; the engine derives it first.

{first_table(budget)}

## Many moments with one certificate

One call `expect(loop, [...])`: the moments share one recurrence, one solution and one induction, which proves the claim
for every one of them; `check` is the checker in `proofs/kernel`, standard library only.

{second_table(budget)}

## Three parameters, and coefficients that depend on n

{third_table(budget)}
"""


if __name__ == "__main__":
    options = _bench.parser("The symbolic engine against SymPy's tools for recurrences.", budget=300)
    _bench.run(options, __file__, report, one_case)
