"""A moment as a superposition: initial moment * defined sequence * coefficient, summed; and how it is written out.

Coefficients stay field elements until someone looks. Initial moments stay outside the field, which so has few symbols.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from math import gcd, lcm
from typing import Any

from sympy import Add, Expr, Mul, Rational, S, Symbol, sqrt

from theory.algebra import is_rational
from theory.arithmetic import Factored
from theory.field import Element, Field, letters

Superposition = dict[tuple[Expr, Expr], Element]
"""{(initial moment, product of sequences): coefficient}; 1 is the constant sequence."""
Pair = tuple[Symbol, Symbol, Element, Element]
"""(E_0, E_1, trace, determinant) of two irrational eigenvalues."""


def linear_form(expr: Expr, field: Field) -> dict[Expr, Element]:
    """Return {x: w} with expr = sum_x w x, where w lies in the field and x is a product of things outside it.

    >>> from theory.symbols import M, V0
    >>> linear_form(V0**2 / M, Field((M,)))
    {V0**2: (1)/(x0)}
    """
    total: dict[Expr, Element] = {}
    for term in Add.make_args(expr):
        inner, outer = [], []
        for factor in Mul.make_args(term):
            (inner if is_rational(factor) and field.holds(factor) else outer).append(factor)
        add(total, Mul(*outer), field(Mul(*inner)))
    return total


def entangled(exprs: Iterable[Expr], field: Field) -> set[Expr]:
    """Return the letters that occur inside rational sums, such as a in 1/(1 + a); only a field that has them can tell
    whether terms with them are equal.
    """
    factors = (factor for expr in exprs for term in Add.make_args(expr) for factor in Mul.make_args(term))
    bases = (factor.as_base_exp()[0] for factor in factors if not field.holds(factor))
    return set().union(*(letters(base) for base in bases if isinstance(base, Add) and is_rational(base)))


def add(total: dict[Any, Element], key: Any, weight: Element) -> None:
    """Add weight * key to a total in place."""
    here = total[key] + weight if key in total else weight
    if here:
        total[key] = here
    else:
        total.pop(key, None)


def weighed(parts: Iterable[tuple[dict[Expr, Element], Superposition]]) -> Superposition:
    """Return the sum of linear form * superposition."""
    total: Superposition = {}
    for form, superposition in parts:
        for outer, scale in form.items():
            for (moment, sequence), weight in superposition.items():
                add(total, (outer * moment, sequence), scale * weight)
    return total


def rows(superposition: Superposition) -> dict[Expr, dict[Expr, Element]]:
    """Return the superposition by initial moments."""
    grouped: dict[Expr, dict[Expr, Element]] = {}
    for (moment, sequence), weight in superposition.items():
        grouped.setdefault(moment, {})[sequence] = weight
    return grouped


def collected(superposition: Superposition, field: Field, apart: Collection[Expr]) -> Superposition:
    """Return the superposition with initial values that are in the field taken out of it, where that is shorter."""
    if not any(x in apart for x in field.generators) or _length(superposition, field) > LONG:
        return superposition
    total: Superposition = {}
    for (moment, sequence), weight in superposition.items():
        for letter, inner in field.collected(weight, apart).items():
            add(total, (moment * letter, sequence), inner)
    return min(superposition, total, key=lambda one: _length(one, field))


LONG = 200
"""No better reading is looked for where coefficients have more terms than this."""


def _length(superposition: Superposition, field: Field) -> int:
    """Return the number of terms in all factors of all coefficients."""
    return sum(len(f) for w in superposition.values() for f in field.factored(w).factors)


def written(
    superposition: Superposition, field: Field, closed: Mapping[Any, Expr], pairs: Iterable[Pair], elapsed: Expr
) -> Expr:
    """Return the closed form: every initial moment times its sum of sequences, what all terms share in front."""
    pairs = list(pairs)
    return Add(*(_row(moment, row, field, closed, pairs, elapsed) for moment, row in rows(superposition).items()))


def _row(
    moment: Expr,
    row: dict[Expr, Element],
    field: Field,
    closed: Mapping[Any, Expr],
    pairs: list[Pair],
    elapsed: Expr,
) -> Expr:
    irrational = [moment * term * base**elapsed for pair in pairs for term, base in _paired(row, field, *pair)]
    shared, rests = common([field.factored(w) for w in row.values()])
    terms = [field.product(rest, sequence.xreplace(closed)) for rest, sequence in zip(rests, row, strict=True)]
    return Add(field.product(shared, moment, Add(*terms)) if terms else S.Zero, *irrational)


def _paired(row: dict[Expr, Element], field: Field, e0: Symbol, e1: Symbol, trace: Any, determinant: Any) -> Iterator:
    """Take a n^i E_0 + b n^i E_1 out of the row and yield (n^i A, r) and (n^i B, s), r and s the eigenvalues.

    With the discriminant D^2 = trace^2 - 4 determinant, A and B are a/2 +- (b - a trace/2)/D.
    """
    root = sqrt(field.factors(trace * trace - 4 * determinant))
    powers = {sequence / e for e in (e0, e1) for sequence in row if sequence.has(e)}
    for power in sorted(powers, key=str):
        a, b = row.pop(power * e0, field.zero), row.pop(power * e1, field.zero)
        half, rest = field.factors(a / 2), field.factors(b - a * trace / 2) / root
        for sign in (1, -1):
            yield power * (half + sign * rest), field.factors(trace / 2) + sign * root / 2


def common(many: list[Factored]) -> tuple[Factored, list[Factored]]:
    """Return what all have in common, and each without it; contents keep whole numbers without a common factor."""
    contents = [one.content for one in many]
    content = Rational(gcd(*(int(w.p) for w in contents)), lcm(*(int(w.q) for w in contents)))
    if contents and all(w < 0 for w in contents):
        content = -content
    shared = {}
    for factor in set.intersection(*(set(one.factors) for one in many)) if many else ():
        powers = [one.factors[factor] for one in many]
        if min(powers) > 0 or max(powers) < 0:
            shared[factor] = min(powers) if min(powers) > 0 else max(powers)
    rests = [
        Factored(one.content / content, {f: e - shared.get(f, 0) for f, e in one.factors.items() if e != shared.get(f)})
        for one in many
    ]
    return Factored(content, shared), rests
