"""Limits of solved recurrences as the generation grows, from the limits of the sequences they are written in."""

from collections.abc import Iterable, Mapping
from typing import Any

from sympy import Add, Expr, Mul, Poly, Pow, S, oo

from theory.constants import unfold
from theory.dominance import Row, Rule, dominated
from theory.errors import NoClosedForm
from theory.signs import beyond, sign_on_domain, versus_one
from theory.solution import Residue, Sequence
from theory.symbols import M, n

Term = tuple[Expr, list[tuple[Sequence, int]]]


def limit(combined: Expr, sequences: Iterable[Sequence], conditions: Iterable[Expr]) -> Expr:
    """Return the limit in n of an expression in n and the sequences, where the ``conditions`` are positive.

    Raises:
        NoClosedForm: it depends on the values of the symbols.
    """
    far = {M: beyond(conditions)}
    names = {s.symbol: s for s in sequences}
    terms: list[Term] = [
        (weight, [(names[x], e) for x, e in zip(names, powers, strict=True) if e])
        for powers, weight in (Poly(combined, *names).terms() if names else [((), combined)])
    ]
    if any(s.limit is None for _, factors in terms for s, _ in factors) and (numbers := _by_family(terms)) is not None:
        return dominated(numbers)
    return Add(*(_term_limit(weight, factors, far) for weight, factors in _fastest(terms, far)))


def _by_family(terms: list[Term]) -> Mapping[tuple[Rule, int], Row] | None:
    """Return the terms as weights of n^i E_j(n), None where an eigenvalue is no root of a polynomial of fractions."""
    found: dict[tuple[Rule, int], dict[Expr, list[Any]]] = {}
    for weight, factors in terms:
        residue = factors[0][0].residue if factors else Residue((S.One,), 0)
        plain = [e for _, e in factors] in ([], [1]) and weight.is_polynomial(n)
        if residue is None or not plain or not all(w.is_Rational for w in residue.rule):
            return None
        for (i,), total in Poly(weight, n).terms():
            row = found.setdefault((residue.rule, i), {})
            for c, letter in (part.as_coeff_Mul() for part in Add.make_args(unfold(total).expand())):
                row.setdefault(letter, [S.Zero] * len(residue.rule))[residue.j] += c
    return found


def _fastest(terms: list[Term], far: dict[Expr, Expr]) -> list[Term]:
    """Return the terms that decide the limit: those with the largest base, where some base is above 1; else all."""
    growing = {s.expr.as_base_exp()[0] for _, factors in terms for s, _ in factors if s.limit == oo}
    if not growing or any(s.limit is None for _, factors in terms for s, _ in factors):
        return terms
    slower = {a for a in growing for b in growing - {a} if versus_one(unfold(b / a).subs(far)) == 1}
    top = growing - slower
    return [term for term in terms if any(s.expr.as_base_exp()[0] in top for s, _ in term[1])]


def _term_limit(weight: Expr, factors: list[tuple[Sequence, int]], far: dict[Expr, Expr]) -> Expr:
    limits = [sequence.limit for sequence, _ in factors]
    if None in limits:
        names = ", ".join(str(unfold(sequence.expr)) for sequence, _ in factors)
        raise NoClosedForm(
            f"the limit depends on the symbols: {names} is not known to converge. Put numbers in with .at(...)."
        )
    if S.Zero in limits:
        return S.Zero  # geometric decay beats the rational weight
    growth, lead = _growth(weight)
    product = Mul(*(Pow(value, power) for value, (_, power) in zip(limits, factors, strict=True)))
    if growth < 0:
        return S.Zero
    if growth == 0 and product != oo:
        return lead * product
    sign = sign_on_domain(unfold(lead).subs(far))
    if sign is None:
        raise NoClosedForm(
            f"the limit is infinite, with the sign of {unfold(lead)}, which depends on the symbols. Use .at(...)."
        )
    return sign * oo


def _growth(weight: Expr) -> tuple[int, Expr]:
    """Return (d, a) with weight ~ a n^d as n grows, for a rational function of n."""
    above, below = (Poly(part, n) for part in weight.together().as_numer_denom())
    return above.degree() - below.degree(), above.LC() / below.LC()
