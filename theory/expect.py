"""`expect`: the exact expectation of an observable of model n, as a closed form in n."""

from functools import cached_property
from itertools import islice
from typing import Any, overload

from attrs import field, frozen
from sympy import Add, Expr, Gt, Ne, S, Symbol, gammasimp

from theory import symbols
from theory.asymptotics import Leading, leading
from theory.certificate import Certificate, claimed
from theory.constants import unfold
from theory.errors import NoClosedForm
from theory.exact import exact, generation_number
from theory.families.gaussian import NORMAL_SOURCE
from theory.latex import latex, spelled
from theory.loop import Loop
from theory.solution import Solution
from theory.system import Piece, System, piece_of

n = symbols.n


@overload
def expect(loop: Loop, of: list[Expr] | tuple[Expr, ...]) -> "tuple[Expectation, ...]": ...
@overload
def expect(loop: Loop, of: Expr) -> "Expectation": ...
def expect(loop: Loop, of: Expr | list[Expr] | tuple[Expr, ...]) -> "Expectation | tuple[Expectation, ...]":
    """Return E[of(model n)] over the ensemble of runs, generation 0 being the source.

    Args:
        loop: the loop; its symbols stay symbolic.
        of: an expression in the family's parameters, for instance ``Gaussian.mu**2 * Gaussian.V`` or
            ``log(Gaussian.V)``; or a list of them, of which the moments are then derived, solved and certified
            together, once.

    Raises:
        NotClosed: the moments do not close; the sentence names the monomial and the axis of the loop.

    >>> from theory import Gaussian, Unbiased
    >>> expect(Loop(Gaussian()), Gaussian.V).expression
    V0*((M - 1)/M)**n
    >>> mean, second = expect(Loop(Gaussian(), estimator=Unbiased()), [Gaussian.mu, Gaussian.mu**2])
    >>> second.expression
    mu0**2 + V0*n/M
    """
    if isinstance(of, list | tuple):
        return _together(loop, [exact(one, "of") for one in of])
    return _together(loop, [exact(of, "of")])[0]


def _together(loop: Loop, observables: list[Expr]) -> "tuple[Expectation, ...]":
    systems: list[System] = []
    answers = tuple(
        Expectation(
            loop, observable, tuple(piece_of(loop, marginal, systems) for marginal in loop.law.marginals(observable))
        )
        for observable in observables
    )
    for system in systems:
        _ = system.recurrence  # what does not close is refused at once
    return answers


@frozen(eq=False)
class Expectation:
    """E[observable(model n)] of a loop: closed form, recurrence, conditions, certificate.

    Prints as LaTeX in a notebook. The value is the *ensemble* mean over runs, not what one run shows.
    """

    loop: Loop
    observable: Expr
    pieces: tuple[Piece, ...] = field(repr=False)

    @property
    def expression(self) -> Expr:
        """The closed form in n, valid from generation `start` on; raises `NoClosedForm` where there is none."""
        return Add(*(piece.expression for piece in self.pieces))

    @property
    def start(self) -> int:
        """The first generation from which the closed form holds (0 or 1)."""
        return max(piece.recurrence.start for piece in self.pieces)

    @property
    def recurrence(self) -> dict[Expr, Expr]:
        """E[key at generation n] = E[value at generation n - 1], for every moment that the observable needs."""
        return {
            m.expr(p.recurrence.state): p.recurrence.expr(row)
            for p in self.pieces
            for m, row in p.recurrence.rows.items()
        }

    @cached_property
    def conditions(self) -> tuple[Expr, ...]:
        """What must hold for the symbols: existence of moments, and denominators that may vanish in special cases."""
        positive = dict.fromkeys(c for piece in self.pieces for c in piece.recurrence.conditions)
        decided = {sign * c.expand() for c in positive for sign in (1, -1)}
        needed = {Gt(c, 0): None for c in positive}
        for solution in self._solutions():
            needed |= {Ne(f, 0): None for f in solution.divisors if f.expand() not in decided}
        return tuple(needed)

    def _solutions(self) -> list[Solution]:
        """Return the solutions of the pieces, none where one of them has no closed form and so divides by nothing."""
        try:
            return [piece.solution for piece in self.pieces]
        except NoClosedForm:
            return []

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the derivation takes for granted."""
        words = dict.fromkeys(word for piece in self.pieces for word in piece.marginal.family.assumptions())
        if (outside := self.loop.law.outside(self.loop.source)) is None:
            return tuple(words)
        return (f"real points follow {outside}", *(word for word in words if word != NORMAL_SOURCE))

    @property
    def certificate(self) -> tuple[Certificate, ...]:
        """One induction per system of moments, as data for the checker in ``proofs``."""
        return tuple({id(piece.system): piece.certificate for piece in self.pieces}.values())

    def certify(self, formula: Expr) -> Certificate:
        """Return the induction that would prove ``formula`` for this expectation; the checker in ``proofs`` accepts it
        or not.

        Raises:
            ValueError: the observable is not a single moment of the state.
        """
        if len(self.pieces) != 1 or list(self.pieces[0].targets.values()) != [1]:
            raise ValueError(
                f"{self.observable} is no single moment, so a formula for it has no induction of its own. "
                "Claim a formula for each of its moments."
            )
        (piece,) = self.pieces
        return claimed(piece.recurrence, piece.solution, next(iter(piece.targets)), formula)

    def next(self) -> Expr:
        """Return E[observable(model n) | model n-1] as an expression in the parameters of model n-1 (and n, where it
        matters).
        """
        return Add(*(piece.marginal.restore(_row(piece)) for piece in self.pieces))

    def values(self, generations: int) -> list[Expr]:
        """Return the exact expectation at generations 0, 1, ..., ``generations``, from the recurrence.

        >>> from theory import Gaussian
        >>> expect(Loop(Gaussian(0, 1), samples=2), Gaussian.V).values(2)
        [1, 1/2, 1/4]
        """
        return [
            Add(*column) for column in islice(zip(*(p.values() for p in self.pieces), strict=True), generations + 1)
        ]

    def at(self, **values: Any) -> Any:
        """Return the expectation with exact values put in by name: an `Expectation`, or with ``n`` given its exact
        value.

        The loop is derived again at the values, so special cases where the general formula divides by 0 come out right.

        >>> from theory import Gaussian
        >>> expect(Loop(Gaussian()), Gaussian.V).at(n=2, M=2, V0=1)
        1/4
        """
        generation = values.pop("n", None)
        special = expect(self.loop.at(**values), _substituted(self, values)) if values else self
        if generation is None:
            return special
        return special.values(generation_number(generation))[-1].factor()

    def limit(self) -> Expr:
        """Return the limit as n grows.

        Raises:
            NoClosedForm: it depends on the values of the symbols, or no closed form is known.
        """
        total = Add(*(piece.marginal.enter(piece.limit()) for piece in self.pieces))
        if total is S.NaN:
            raise NoClosedForm("two terms grow without bound, one to oo and one to -oo. Ask for each term on its own.")
        return gammasimp(total) if total.is_finite is not False else total

    def leading(self, symbol: Symbol) -> Leading:
        """Return the leading term as ``symbol`` (n, M, ...) grows, every other symbol fixed.

        >>> from theory import Gaussian, M
        >>> print(expect(Loop(Gaussian()), Gaussian.V - symbols.V0).leading(M))
        -V0*n/M + O(M**(-2))
        """
        return leading(self.expression, symbol, [c for piece in self.pieces for c in piece.recurrence.conditions])

    def derivation(self) -> str:
        """Return the derivation in words and formulas: one step, its moments, and the closed form."""
        lines = [f"Loop: {self.loop}", f"Observable: {self.observable}"]
        for piece in self.pieces:
            refit = piece.system.steps[1]
            lines += [f"One refit: {x} <- {update}" for x, update in refit.update.items()]
            lines += [f"  with {law}" for law in refit.laws]
        lines += [f"Tower property: E[{m}]_n = E[{row}]_(n-1)" for m, row in self.recurrence.items()]
        try:
            lines += [f"Closed form for n >= {self.start}: {self.expression}"]
        except NoClosedForm as refusal:
            lines += [f"No closed form: {refusal}"]
        lines += [f"Provided that {spelled(condition)}" for condition in self.conditions]
        return "\n".join(lines + [f"Assuming that {word}" for word in self.assumptions])

    def _repr_latex_(self) -> str:
        given = rf"\mathbb{{E}}\left[{latex(self.observable)}\right]_{{n}}"
        try:
            return f"${given} = {latex(self.expression)}$"
        except NoClosedForm:
            rows = (rf"{latex(m)} \mapsto {latex(row)}" for m, row in self.recurrence.items())
            return f"${given}:\\quad {', '.join(rows)}$"

    def __str__(self) -> str:
        """Return ``E[observable] = closed form``, or why there is none."""
        try:
            return f"E[{self.observable}] = {self.expression}"
        except NoClosedForm as refusal:
            return f"E[{self.observable}] has no closed form: {refusal}"


def _row(piece: Piece) -> Expr:
    rows = piece.recurrence.rows
    return unfold(Add(*(w * piece.recurrence.expr(rows[m]) for m, w in piece.targets.items())))


def _substituted(expectation: Expectation, values: dict[str, Any]) -> Expr:
    """Return the observable with source symbols such as mu0 replaced too; parameters are never named like a loop's
    symbols.
    """
    known = {s.name: s for s in expectation.loop.free_symbols}
    return expectation.observable.subs({known[name]: exact(value, name) for name, value in values.items()})
