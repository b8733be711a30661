"""A solved recurrence as plain data that an independent checker can accept by induction.

Everything is strings of rational expressions in declared symbols. What is not rational (a Gamma ratio, log V0, p0[i])
enters as a free symbol, with its meaning in the legend: the induction holds whatever its value.
"""

from collections.abc import Iterable
from typing import Any

from attrs import frozen
from sympy import Expr, Indexed, Poly, Pow, Rational, S, Symbol, log

from theory import symbols
from theory.closed_form import Sequence, Solution
from theory.constants import Constant
from theory.monomials import Monomial
from theory.recurrence import Recurrence
from theory.signs import undecided_factors


@frozen
class Certificate:
    """``data`` is what the checker reads; ``legend`` says what its symbols and unknowns stand for."""

    data: dict[str, Any]
    legend: dict[str, str]


def certificate(recurrence: Recurrence, solution: Solution) -> Certificate:
    """Return the induction that is to prove ``solution`` from ``recurrence``; whether it does is the checker's to
    say.
    """
    names = _Names()
    unknowns, claim = {}, {}
    labels = {m: f"x{k}" for k, m in enumerate(recurrence.rows, start=1)}
    for m, label in labels.items():
        following = sum((_next(recurrence, w) * Symbol(labels[key]) for key, w in recurrence.rows[m].items()), S.Zero)
        unknowns[label] = {"start": names.rational(recurrence.initial[m]), "next": names.rational(following)}
        claim[label] = names.rational(solution.claims[m])
    sequences = {str(s.symbol): {"start": str(s.start), "next": names.rational(s.next)} for s in solution.sequences}
    bound = {"n", *labels.values(), *sequences}
    free = sorted((s for s in names.seen if s.name not in bound), key=str)
    data = {
        "rule": "induction_eq",
        "index": "n",
        "start": solution.start,
        "symbols": [s.name for s in free],
        "domain": _domain(free, recurrence.conditions, names.divisors),
        "witness": _witness(free, recurrence.conditions, names.divisors),
        "sequences": sequences,
        "unknowns": unknowns,
        "claim": claim,
    }
    meanings = {label: f"E[{m.expr(recurrence.state)}]" for m, label in labels.items()}
    return Certificate(data, meanings | {s.name: str(expr) for expr, s in names.replaced.items()})


def claimed(recurrence: Recurrence, solution: Solution, target: Monomial, formula: Expr) -> Certificate:
    """Return the induction that would prove a user's formula for one moment, with the solution's own claims for the
    others.

    Args:
        formula: rational in the symbols and in n, but for powers of which the exponent is a n + b with whole a and b.
    """
    sequences: dict[Expr, Sequence] = {}

    def name(power: Expr) -> Expr:
        slope, offset = Poly(power.exp, symbols.n).all_coeffs()
        symbol = Symbol(f"c{len(sequences) + 1}")
        base = power.base**slope
        known = sequences.setdefault(base, Sequence(symbol, S.One, base * symbol, base**symbols.n))
        return known.symbol * power.base**offset

    rational = formula.replace(lambda e: isinstance(e, Pow) and e.exp.has(symbols.n), name)
    claims = solution.claims | {target: rational}
    return certificate(recurrence, Solution(solution.start, (*solution.sequences, *sequences.values()), claims))


def _next(recurrence: Recurrence, weight: Any) -> Expr:
    """Return a row's entry for the fit after generation n: fit number n + 1."""
    return recurrence.field.expr(weight).subs(symbols.n, symbols.n + 1)


class _Names:
    """Turns expressions into rational strings, giving every irrational part a symbol of its own."""

    def __init__(self) -> None:
        self.replaced: dict[Expr, Symbol] = {}
        self.seen: set[Symbol] = set()
        self.divisors: set[Expr] = set()

    def rational(self, expr: Expr) -> str:
        named = expr.replace(_irrational, self._name)
        self.seen |= named.free_symbols
        written = named.factor()
        self.divisors |= set(undecided_factors(written.as_numer_denom()[1]))
        return str(written)

    def _name(self, expr: Expr) -> Symbol:
        return self.replaced.setdefault(expr, Symbol(f"g{len(self.replaced) + 1}"))


def _irrational(expr: Expr) -> bool:
    if isinstance(expr, Constant | Indexed | log):
        return True
    return isinstance(expr, Pow) and not expr.exp.is_Integer


def _domain(free: Iterable[Symbol], conditions: Iterable[Expr], divisors: Iterable[Expr]) -> list[str]:
    hypotheses = [f"{condition} > 0" for condition in conditions]
    for symbol in free:
        if symbol == symbols.M:
            hypotheses.append("M - 2 >= 0")
        elif symbol.is_positive:
            hypotheses.append(f"{symbol} > 0")
        if symbol == symbols.alpha:
            hypotheses.append("1 - alpha > 0")
    return hypotheses + [f"{divisor} != 0" for divisor in sorted(divisors, key=str)]


def _witness(free: list[Symbol], conditions: Iterable[Expr], divisors: Iterable[Expr]) -> dict[str, str]:
    """Return a rational point meant to lie in the domain, at the smallest M that will do; the checker makes sure."""
    generic = {symbols.alpha: Rational(1, 2), symbols.c: Rational(1, 3), symbols.tau: Rational(2, 3)}
    generic |= {symbols.d: Rational(7)}  # below some of the sizes and above others
    values = {s: generic.get(s, Rational(k + 1)) for k, s in enumerate(free)}
    for M in _SIZES:
        values |= {symbols.M: M} if symbols.M in free else {}
        if all(e.subs(values) > 0 for e in conditions) and all(e.subs(values) != 0 for e in divisors):
            break
    return {s.name: str(values[s]) for s in free}


_SIZES = tuple(map(Rational, (2, 3, 4, 5, 7, 11, 101)))
