"""A claimed formula to the induction that would prove it, for the kernel to accept or reject.

Of an observable's moments the last carries the claim, and the others are taken as theory solved them; the kernel checks
them all. Powers in the formula are written in the solution's own sequences wherever they are products of them, since
the kernel knows no relation between two sequences.
"""

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Literal

from attrs import frozen
from sympy import Add, Dummy, Expr, Mul, Pow, S

from proofs.kernel import check
from theory import NoClosedForm, symbols
from theory.certificate import Certificate, claimed
from theory.expect import Expectation
from theory.solution import Solution
from theory.system import Piece

n = symbols.n


@frozen
class Induction:
    """What the kernel accepted: for every n >= ``start``, wherever the hypotheses of ``domain`` hold.

    Args:
        of: "formula" where the induction is of the formula itself; "closed form" where the formula is, term by term,
            the closed form that theory derives, and the induction is of the sequences that define that.
        obligations: what the kernel checked; the one-step moments, which theory derives, are where it begins.
    """

    of: Literal["formula", "closed form"]
    start: int
    domain: tuple[str, ...]
    obligations: tuple[str, ...]

    def __str__(self) -> str:
        """Return ``is proved for n >= 0 where M - 2 >= 0 and V0 > 0``."""
        where = f"for n >= {self.start}" + (f" where {' and '.join(self.domain)}" if self.domain else "")
        if self.of == "formula":
            return f"is proved {where}"
        return f"is the closed form that theory derives, whose sequences are proved {where}"


def proved(expectation: Expectation, formula: Expr) -> tuple[Induction | None, str]:
    """Return what the kernel accepted, or None and the reason.

    >>> from theory import Gaussian, Loop, M, V0, expect
    >>> print(proved(expect(Loop(Gaussian()), Gaussian.V), V0 * (1 - 1 / M) ** n)[0])
    is proved for n >= 0 where M - 2 >= 0 and V0 > 0
    """
    try:
        return _accepted("formula", (induction(expectation, formula),)), ""
    except ValueError as refusal:
        # A refusal of theory (no closed form) or of the kernel: the claim stands as tried, and the reason is reported.
        reason = str(refusal)
    try:
        if (formula - expectation.expression).expand() == 0:
            return _accepted("closed form", expectation.certificate), ""
    except ValueError as refusal:
        reason = str(refusal)
    return None, reason


def _accepted(of: Literal["formula", "closed form"], inductions: tuple[Certificate, ...]) -> Induction:
    obligations = [obligation for one in inductions for obligation in check(one.data).obligations]
    domain = dict.fromkeys(hypothesis for one in inductions for hypothesis in one.data["domain"])
    return Induction(of, max(one.data["start"] for one in inductions), tuple(domain), tuple(obligations))


def induction(expectation: Expectation, formula: Expr) -> Certificate:
    """Return the induction that would prove ``E[observable] = formula``.

    Raises:
        NoClosedForm: the formula is no exponential polynomial in n, the observable is a sum over all types, or another
            moment that it needs has no closed form.
    """
    if len(expectation.pieces) != 1 or expectation.pieces[0].marginal.family != expectation.loop.law:
        raise NoClosedForm(f"{expectation.observable} is a sum of several loops' moments. Claim one of its terms.")
    if not is_exponential_polynomial(formula):
        raise NoClosedForm(f"{formula} is no exponential polynomial in n. The kernel's induction knows no other.")
    (piece,) = expectation.pieces
    (*others, pivot) = sorted(piece.targets, key=lambda m: sum(m.powers) + sum(m.logs))
    rest = Add(*(piece.targets[m] * piece.solution.expr(piece.solution.claims[m]) for m in others))
    claim = (renamed(formula, piece) - rest) / piece.targets[pivot]
    return claimed(piece.recurrence, piece.solution, pivot, claim)


def is_exponential_polynomial(formula: Expr) -> bool:
    """Return whether n occurs rationally and in exponents a n + b with whole a and b, and nowhere else.

    >>> is_exponential_polynomial(n * 2 ** (3 * n)), is_exponential_polynomial(2 ** (n**2))
    (True, False)
    """
    powers = {power: Dummy() for power in _powers(formula)}
    return formula.xreplace(powers).is_rational_function(n)


def _powers(formula: Expr) -> Iterator[Pow]:
    for power in formula.atoms(Pow):
        slope = power.exp.diff(n)
        if slope != 0 and slope.is_Integer and power.exp.subs(n, 0).is_Integer and not power.base.has(n):
            yield power


def renamed(formula: Expr, piece: Piece) -> Expr:
    """Return the formula with its powers written as products of up to three of the solution's sequences.

    A sequence is 1 at the solution's start s and stands for ratio^(n - s), so that base^(a n + b) is base^(a s + b) of
    it; to a power that is no such product `claimed` gives a sequence of its own.
    """
    geometric, start = dict(_geometric(piece.solution)), piece.solution.start
    names = {}
    for power in _powers(formula):
        ratio, at_start = power.base ** power.exp.diff(n), power.base ** power.exp.subs(n, start)
        same = (p for p in _products(geometric) if (p.xreplace(geometric) - ratio).cancel() == 0)
        product = next(same, None)
        names[power] = power if product is None else product * at_start
    return formula.xreplace(names)


def _geometric(solution: Solution) -> Iterator[tuple[Expr, Expr]]:
    """Yield (x, r) for every sequence with x = r^(n - s), s the solution's start."""
    for sequence in solution.sequences:
        ratio = solution.field.expr(sequence.next.get(sequence.symbol, solution.field.zero))
        if sequence.start == 1 and len(sequence.next) == 1 and not ratio.has(n) and ratio != 0:
            yield sequence.symbol, ratio


def _products(names: dict[Expr, Expr]) -> Iterator[Expr]:
    for size in (1, 2, 3):
        yield from (Mul(*chosen, S.One) for chosen in combinations_with_replacement(names, size))
