"""A solved recurrence as plain data that an independent checker can accept by induction.

Everything is strings of rational expressions in declared symbols. What is not rational (a Gamma ratio, log V0, p0[i])
enters as a free symbol, with its meaning in the legend: the induction holds whatever its value.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, product
from typing import Any

import attrs
from attrs import frozen
from sympy import Expr, Indexed, Mul, Poly, Pow, Rational, S, Symbol, factor_list, log

from theory import symbols
from theory.arithmetic import Terms
from theory.constants import Constant, unfold
from theory.field import Element, Field, letters
from theory.monomials import Monomial
from theory.recurrence import Recurrence
from theory.signs import sign_on_domain, undecided_factors
from theory.solution import Solution
from theory.superposition import Superposition, linear_form, rows


@frozen
class Certificate:
    """``data`` is what the checker reads; ``legend`` says what its symbols and unknowns stand for."""

    data: dict[str, Any]
    legend: dict[str, str]


def certificate(recurrence: Recurrence, solution: Solution) -> Certificate:
    """Return the induction that is to prove ``solution`` from ``recurrence``; whether it does is the checker's to
    say.
    """
    text = _Text(solution.field)
    return _certificate(recurrence, solution, text, {m: text.superposition(w) for m, w in solution.claims.items()})


def claimed(recurrence: Recurrence, solution: Solution, target: Monomial, formula: Expr) -> Certificate:
    """Return the induction that would prove a user's formula for one moment, with the solution's own claims for the
    others.

    Args:
        formula: rational in the symbols and in n, but for powers of which the exponent is a n + b with whole a and b.
    """
    text = _Text(solution.field)
    bases: dict[Expr, Symbol] = {}

    def name(power: Expr) -> Expr:
        slope, offset = Poly(power.exp, symbols.n).all_coeffs()
        known = bases.setdefault(power.base**slope, Symbol(f"c{len(bases) + 1}"))
        # A sequence is 1 at the start.
        return known * power.base ** (offset + slope * solution.start)

    rational = formula.replace(lambda e: isinstance(e, Pow) and e.exp.has(symbols.n), name)
    claims = {m: text.superposition(w) for m, w in solution.claims.items()} | {target: text.rational(rational)}
    more = {x.name: {"start": "1", "next": text.rational(base * x)} for base, x in bases.items()}
    return _certificate(recurrence, solution, text, claims, more)


def _certificate(
    recurrence: Recurrence, solution: Solution, text: "_Text", claims: dict[Monomial, str], more: Mapping[str, Any] = {}
) -> Certificate:
    labels = {m: f"x{k}" for k, m in enumerate(recurrence.rows, start=1)}
    unknowns = _unknowns(recurrence, text, labels)
    sequences = {
        s.symbol.name: {"start": str(s.start), "next": text.linear({str(x): w for x, w in s.next.items()})}
        for s in solution.sequences
    } | dict(more)
    bound = {"n", *labels.values(), *sequences}
    positive = list(filter(None, (_at_first(c, solution.start + 1) for c in recurrence.conditions)))
    # A divisor that depends on n is the checker's to prove, since hypotheses speak of symbols alone.
    divisors = [text.named(d) for d in text.divisors(solution.start, positive) if not d.has(symbols.n)]
    conditions = [text.named(c) for c in (*positive, *text.known())]
    free = sorted((s for s in text.seen if s.name not in bound), key=str)
    data = {
        "rule": "induction_eq",
        "index": "n",
        "start": solution.start,
        "symbols": [s.name for s in free],
        "domain": _domain(free, conditions, divisors),
        "witness": _witness(free, conditions, divisors, text.values()),
        "sequences": sequences,
        "unknowns": unknowns,
        "claim": {label: claims[m] for m, label in labels.items()},
    }
    meanings = {label: f"E[{m.expr(recurrence.state)}]" for m, label in labels.items()}
    # What is named in "next" belongs to fit n + 1.
    later = {s.name: unfold(expr).subs(symbols.n, symbols.n + 1) for expr, s in text.replaced.items()}
    return Certificate(data, meanings | {name: str(expr) for name, expr in later.items()})


def _unknowns(recurrence: Recurrence, text: "_Text", labels: dict[Monomial, str]) -> dict[str, dict[str, str]]:
    """Return start and next of every monomial's expectation, by its label."""
    own = text.within(recurrence.field)
    return {
        label: {
            "start": text.superposition({(x, S.One): w for x, w in linear_form(initial, text.field).items()}),
            "next": own.linear({labels[key]: _next(recurrence, w) for key, w in recurrence.rows[m].items()}),
        }
        for (m, label), initial in zip(labels.items(), recurrence.initial.values(), strict=True)
    }


def _at_first(condition: Expr, k: int) -> Expr | None:
    """Return a polynomial that is positive where a condition holds at fit k, the first that it is on, if that says
    anything.
    """
    there = condition.subs(symbols.n, k) if symbols.n in letters(condition) else condition
    above, below = there.together().as_numer_denom()
    polynomial = above * (sign_on_domain(below) or below)
    return None if polynomial.is_number else polynomial


def _next(recurrence: Recurrence, weight: Element) -> Element:
    """Return a row's entry for the fit after generation n: fit number n + 1."""
    return weight if recurrence.homogeneous else recurrence.field.shifted(weight, symbols.n, 1)


@frozen(eq=False)
class _Text:
    """Writes field elements and expressions as rational strings, giving every irrational part a symbol of its own.

    Denominators are written as one division after the other, so that the checker sees their factors.
    """

    field: Field
    replaced: dict[Expr, Symbol] = attrs.field(factory=dict)
    seen: set[Symbol] = attrs.field(factory=set)
    _divisors: dict[Expr, None] = attrs.field(factory=dict)
    _polynomials: dict[Terms, str] = attrs.field(factory=dict, init=False)

    def within(self, field: Field) -> "_Text":
        """Return a writer for another field with the same names."""
        return self if field is self.field else _Text(field, self.replaced, self.seen, self._divisors)

    def divisors(self, start: int, positive: Iterable[Expr]) -> list[Expr]:
        """Return what was divided by so far and is not known to be non-zero on the domain and for n >= start."""
        return list(dict.fromkeys(factor for d in self._divisors for factor in undecided_factors(d, start, positive)))

    def values(self) -> dict[Symbol, Rational]:
        """Return a rational number near each irrational part that is a number."""
        numbers = {name: unfold(expr) for expr, name in self.replaced.items()}
        return {name: Rational(str(expr.evalf(30))) for name, expr in numbers.items() if expr.is_number}

    def known(self) -> list[Expr]:
        """Return what is positive by the values of irrational parts, which their names do not say."""
        parts = [expr for expr in self.replaced if unfold(expr).is_positive]
        divided = (d for d in self._divisors if d.atoms(Constant))
        factors = [f for d in divided for f, _ in factor_list(d)[1] if f.atoms(Constant) and not f.has(symbols.n)]
        return list(dict.fromkeys(parts + [sign * f for f in factors if (sign := sign_on_domain(f))]))

    def named(self, expr: Expr) -> Expr:
        """Return an expression with its irrational parts by name, for the domain."""
        written = expr.replace(_irrational, self._name)
        self.seen.update(written.free_symbols)
        return written

    def superposition(self, superposition: Superposition) -> str:
        """Return sum over initial moments of moment * (sum of coefficient * sequence)."""
        total = []
        for moment, row in rows(superposition).items():
            inner = self.linear({_written(sequence): w for sequence, w in row.items()})
            above, below = self._moment(moment)
            total.append("*".join([*above, *([] if above and inner == "1" else [f"({inner})"])]) + _over(below))
        return " + ".join(total) or "0"

    def linear(self, combination: Mapping[str, Element]) -> str:
        """Return sum of coefficient * name; the name 1 is left out."""
        return _sum(self._product(w, name) for name, w in combination.items())

    def rational(self, expr: Expr) -> str:
        """Return any expression whose irrational parts have names."""
        written = expr.replace(_irrational, self._name).factor()
        self.seen.update(written.free_symbols)
        self._divisors[written.as_numer_denom()[1]] = None
        return str(written)

    def _product(self, element: Element, name: str) -> tuple[bool, str]:
        """Return (whether minus, the rest of) element * name."""
        whole = self.field.factored(element)
        above = [] if abs(whole.content.p) == 1 else [str(abs(whole.content.p))]
        below = [] if whole.content.q == 1 else [str(whole.content.q)]
        for factor, power in whole.factors.items():
            (above if power > 0 else below).append(_power(self._polynomial(factor), abs(power)))
            if power < 0:
                self._divisors[self.field.factor(factor)] = None
        above += [] if name == "1" else [name]
        return whole.content < 0, "*".join(above or ["1"]) + _over(below)

    def _polynomial(self, terms: Terms) -> str:
        if terms not in self._polynomials:
            written = _sum((weight < 0, self._term(powers, abs(weight))) for powers, weight in terms)
            self._polynomials[terms] = f"({written})" if len(terms) > 1 else written
        return self._polynomials[terms]

    def _term(self, powers: tuple[int, ...], weight: int) -> str:
        return "*".join([str(weight)] * (weight != 1 or not any(powers)) + list(self._powers(powers)))

    def _powers(self, powers: tuple[int, ...]) -> Iterator[str]:
        for letter, power in zip(self.field.generators, powers, strict=True):
            if power:
                yield _power(self._letter(letter), power)

    def _moment(self, moment: Expr) -> tuple[list[str], list[str]]:
        """Return the factors above and below of a product of powers."""
        above, below = [], []
        for factor in Mul.make_args(moment):
            base, power = factor.as_base_exp()
            if not isinstance(base, Symbol) or not power.is_Integer:
                base, power = factor, S.One
            if factor != 1:
                (above if power > 0 else below).append(_power(self._letter(base), abs(int(power))))
        return above, below

    def _letter(self, expr: Expr) -> str:
        symbol = expr if isinstance(expr, Symbol) and not isinstance(expr, Constant) else self._name(expr)
        self.seen.add(symbol)
        return symbol.name

    def _name(self, expr: Expr) -> Symbol:
        return self.replaced.setdefault(expr, Symbol(f"g{len(self.replaced) + 1}"))


def _written(expr: Expr) -> str:
    """Return str(expr) as a factor; over a mere name the printer takes long."""
    if isinstance(expr, Symbol):
        return expr.name
    return f"({expr})" if expr.is_Add else str(expr)


def _power(base: str, exponent: Any) -> str:
    return base if exponent == 1 else f"{base}**{exponent}"


def _over(below: list[str]) -> str:
    return "".join(f"/{x}" for x in below)


def _sum(terms: Iterable[tuple[bool, str]]) -> str:
    """Return the sum of terms given as (whether minus, what)."""
    written = "".join(f" {'-' if minus else '+'} {what}" for minus, what in terms)
    return ("-" if written.startswith(" -") else "") + written[3:] if written else "0"


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


def _witness(
    free: list[Symbol], conditions: list[Expr], divisors: list[Expr], known: Mapping[Symbol, Expr]
) -> dict[str, str]:
    """Return a rational point meant to lie in the domain, at the smallest M that will do; the checker makes sure."""
    for values in _points(free, known):
        if all(e.subs(values) > 0 for e in conditions) and all(e.subs(values) != 0 for e in divisors):
            break
    return {s.name: str(values[s]) for s in free}


def _points(free: list[Symbol], known: Mapping[Symbol, Expr]) -> Iterator[dict[Symbol, Expr]]:
    """Yield points: a generic one at several M, then with one symbol changed, then with two."""
    generic = {symbols.alpha: Rational(1, 2), symbols.c: Rational(1, 3), symbols.tau: Rational(2, 3)}
    generic |= {symbols.d: Rational(7), **known}  # d below some of the sizes and above others
    values = {s: generic.get(s, Rational(k + 1)) for k, s in enumerate(free)}
    others = [s for s in free if s != symbols.M and s not in known]
    sizes = [{symbols.M: M} for M in _SIZES] if symbols.M in free else [{}]
    for count in range(3):
        for chosen in combinations(others, count):
            for changed in product(*([x for x in _VALUES if x.q == 1 or not s.is_integer] for s in chosen)):
                yield from (values | dict(zip(chosen, changed, strict=True)) | size for size in sizes)


_SIZES = tuple(map(Rational, (2, 3, 4, 5, 7, 11, 101)))
_VALUES = (*map(Rational, ("1/2", "2", "3", "1/7", "5", "1", "13")),)
