"""When every root of a polynomial lies inside the unit circle, and at which value of a symbol that changes.

The roots are never computed: Schur and Cohn's recursion gives rational conditions in the coefficients, exact for all
values of the symbols.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from sympy import Add, Dummy, Expr, Mul, Poly, S, Symbol, oo, sqrt

from theory.constants import unfold
from theory.errors import NoClosedForm
from theory.exponential import eigen_keys
from theory.field import Element, Field
from theory.signs import below_one, sign_on_domain
from theory.symbols import M

Matrix = Sequence[Sequence[Element]]


def contraction(matrix: Matrix, field: Field, domain: Mapping[Symbol, Expr]) -> Iterator[Element]:
    """Yield quantities that are all positive exactly when every eigenvalue of the matrix has modulus < 1.

    Where no entry is negative these are the leading principal minors of I - matrix (Hawkins and Simon, Econometrica
    1949), else Schur and Cohn's for every factor of the characteristic polynomial.
    """
    signs = {sign_on_domain(unfold(field.expr(entry)).subs(domain)) for row in matrix for entry in row}
    if signs <= {0, 1}:
        yield from _minors(matrix, field)
        return
    for rule in eigen_keys(matrix, field):
        yield from inside_unit_circle(rule, field.one)


def _minors(matrix: Matrix, field: Field) -> Iterator[Element]:
    minor, rows = field.one, complement(matrix, field)
    for k, row in enumerate(rows):
        minor = minor * row[k]
        yield minor
        if not row[k]:
            return
        _eliminate(rows, k, range(k + 1, len(rows)))


def complement(matrix: Matrix, field: Field) -> list[list[Element]]:
    """Return I - matrix."""
    return [[(field.one if i == j else field.zero) - a for j, a in enumerate(row)] for i, row in enumerate(matrix)]


def _eliminate(rows: list[list[Element]], k: int, others: Iterable[int]) -> None:
    """Take multiples of row k from the others, so that column k is 0 there."""
    for i in others:
        if rows[i][k]:
            scale = rows[i][k] / rows[k][k]
            rows[i] = [a - scale * b for a, b in zip(rows[i], rows[k], strict=True)]


def inside_unit_circle(rule: Sequence[Element], one: Element) -> Iterator[Element]:
    """Yield the quantities that are all positive exactly when the roots of x^s = sum_j rule[j] x^j have modulus < 1.

    Schur and Cohn: with k = p(0) for a monic real p of degree s, the roots of p lie inside if and only if |k| < 1 and
    those of (p(x) - k x^s p(1/x))/(x (1 - k^2)) do.

    >>> list(inside_unit_circle([S(0), S(1) / 2], S(1)))  # x^2 = x/2
    [1, 1, 3/2, 1/2]
    """
    p = [*(-w for w in rule), one]
    while len(p) > 1:
        k = p[0]
        yield from (one - k, one + k)
        square = one - k * k
        if not square:
            return
        p = [(a - k * b) / square for a, b in zip(p[1:], reversed(p[:-1]), strict=True)]


def stable(rule: Sequence[Expr]) -> bool | None:
    """Return whether all roots of x^s = sum_j rule[j] x^j lie inside the unit circle, None where it is not decided."""
    if len(rule) == 1:
        return below_one(rule[0])
    if all(w.is_number for w in rule):
        return all(sign_on_domain(quantity) == 1 for quantity in inside_unit_circle(rule, S.One))
    if len(rule) > 2:
        return None
    jury = (1 - rule[1] - rule[0], 1 + rule[1] - rule[0], 1 + rule[0])
    return True if all(sign_on_domain(quantity) == 1 for quantity in jury) else None


def undecided(quantities: Iterable[Expr], domain: Mapping[Symbol, Expr]) -> tuple[Expr, ...] | None:
    """Return what must be positive for all the quantities to be, factors of known sign left out; None where one is
    never positive.

    Args:
        quantities: rational expressions.
        domain: images of symbols under which `sign_on_domain` sees their range.
    """
    needed: dict[Expr, None] = {}
    for quantity in quantities:
        sign, rest = S.One, S.One
        for base, power in (factor.as_base_exp() for factor in Mul.make_args(unfold(quantity).factor())):
            known = 1 if base in needed or power.is_even else sign_on_domain(base.subs(domain))
            sign, rest = (sign, rest * base) if known is None else (sign * known, rest)
        if rest == 1 and sign != 1:
            return None
        if rest != 1:
            needed[(sign * rest).factor()] = None
    return tuple(needed)


def thresholds(
    conditions: Sequence[Expr], symbol: Symbol, upper: Expr, witnesses: Iterable[Mapping[Symbol, Expr]]
) -> tuple[Expr, ...]:
    """Return the values of ``symbol`` in (0, upper) where "all conditions are positive" changes, in the other symbols.

    Args:
        conditions: polynomials.
        symbol: the symbol that is solved for.
        upper: upper end of its range, a number or oo.
        witnesses: values of the other symbols, at each of which the thresholds are told from other roots.

    Raises:
        NoClosedForm: a threshold that solves an equation of too high a degree.
    """
    factors = _factors(conditions, symbol)
    values = list(witnesses)
    active = [f for f in factors if any(_crossed(conditions, symbol, upper, factors, f, w) for w in values)]
    roots = [root for factor in active for root in _irreducible_roots(factor.monic())]
    kept = {k for w in values for k in _changes(conditions, symbol, upper, [r.subs(w) for r in roots], w)}
    return tuple(roots[k] for k in sorted(kept))


def _factors(conditions: Sequence[Expr], symbol: Symbol) -> list[Poly]:
    found = [c for c in conditions if symbol in c.free_symbols]
    return list(dict.fromkeys(factor for c in found for factor, _ in Poly(c, symbol).factor_list()[1]))


def _crossed(
    conditions: Sequence[Expr], symbol: Symbol, upper: Expr, factors: list[Poly], one: Poly, witness: Mapping
) -> bool:
    """Return whether existence changes at a root of one of the factors, at the witness."""
    roots = {f: Poly(f.as_expr().subs(witness), symbol).real_roots() for f in factors}
    places = [f for f, here in roots.items() for _ in here]
    changes = _changes(conditions, symbol, upper, [r for here in roots.values() for r in here], witness)
    return any(places[k] == one for k in changes)


def _changes(
    conditions: Sequence[Expr], symbol: Symbol, upper: Expr, roots: list[Expr], witness: Mapping[Symbol, Expr]
) -> list[int]:
    """Return the places of the roots where existence changes at the witness, in their order on the line."""
    lower = S(2) if symbol == M else S.Zero
    inside = sorted((k for k, r in enumerate(roots) if r.is_real and lower < r < upper), key=lambda k: roots[k])
    ends = [lower, *(roots[k] for k in inside), upper]
    holds = [_hold(conditions, witness, symbol, _between(a, b)) for a, b in pairwise(ends)]
    return [k for k, (before, after) in zip(inside, pairwise(holds), strict=True) if before != after]


def _between(a: Expr, b: Expr) -> Expr:
    return a + 1 if b == oo else (a + b) / 2


def _hold(conditions: Sequence[Expr], witness: Mapping[Symbol, Expr], symbol: Symbol, value: Expr) -> bool:
    return all(bool(condition.subs(witness).subs(symbol, value) > 0) for condition in conditions)


def _irreducible_roots(p: Poly) -> list[Expr]:
    """Return the roots of a monic polynomial that is linear, or even about the mean of its roots with such a half."""
    degree, x = p.degree(), p.gen
    centre = -p.nth(degree - 1) / degree
    if degree == 1:
        return [centre.factor()]
    y = Dummy()
    moved = Poly(p.as_expr().subs(x, y + centre).expand(), y)
    if all(power % 2 == 0 for (power,) in moved.monoms()):
        halved = Poly({(power // 2,): weight.factor() for (power,), weight in moved.terms()}, y)
        squares = map(_short, _irreducible_roots(halved))
        return [centre + sign * sqrt(square) for square in squares for sign in (-1, 1)]
    if not Add(*p.coeffs()).free_symbols:
        return p.real_roots()
    raise NoClosedForm(f"the threshold in {x} solves an equation of degree {degree}. Put numbers in with .at(...).")


def _short(square: Expr) -> Expr:
    """Return (M - 1)/M as 1 - 1/M, which reads better under a root."""
    return (
        square.apart(*square.free_symbols)
        if len(square.free_symbols) == 1 and square.is_rational_function()
        else square
    )
