"""`expect`: the exact expectation of an observable of model n, as a closed form in n."""

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any, overload

from attrs import field, frozen
from sympy import Add, Expr, Gt, Ne, S, Symbol, gammasimp, sympify

from theory import symbols
from theory.asymptotics import Leading, leading
from theory.certificate import Certificate, certificate, claimed
from theory.closed_form import Solution, solve
from theory.constants import unfold
from theory.errors import NoClosedForm
from theory.exact import exact
from theory.families.base import Marginal, Stepped
from theory.latex import latex
from theory.limits import limit
from theory.loop import Loop
from theory.monomials import Monomial, linear
from theory.recurrence import Recurrence, recurrence, start_of
from theory.step import Step, step

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
            loop, observable, tuple(_piece(loop, marginal, systems) for marginal in loop.law.marginals(observable))
        )
        for observable in observables
    )
    for system in systems:
        _ = system.recurrence  # what does not close is refused at once
    return answers


def _piece(loop: Loop, marginal: Marginal, systems: "list[System]") -> "Piece":
    """Return a marginal's piece, its moments added to the system of its family and state."""
    family, model = marginal.family, marginal.family.state(marginal.observable)
    system = next((s for s in systems if s.family == family and s.model == model), None)
    if system is None:
        system = System(loop, family, model)
        systems.append(system)
    targets = linear(marginal.observable, system.state)
    system.targets.append(targets)
    return Piece(marginal, system, targets)


@frozen(eq=False)
class System:
    """All moments that are asked of one family, closed and solved together."""

    loop: Loop
    family: Stepped
    model: tuple[Expr, ...]
    """The parameters in question; the state holds with them what later fits remember."""
    targets: list[dict[Monomial, Expr]] = field(factory=list, init=False)
    """What is asked, complete before the recurrence is derived."""

    @cached_property
    def steps(self) -> tuple[Step, Step]:
        """The first fit and the later ones."""
        return step(self.loop, self.family, self.model, S.One), step(self.loop, self.family, self.model)

    @property
    def state(self) -> tuple[Expr, ...]:
        """All state symbols."""
        return self.steps[1].state

    @cached_property
    def recurrence(self) -> Recurrence:
        """The recurrence that closes the moments, or `NotClosed`."""
        wanted = dict.fromkeys(m for combination in self.targets for m in combination)
        loop = self.loop
        where = f"{type(self.family).__name__}, {loop.estimator}, {loop.regime}, {loop.sampling}"
        return recurrence(loop, self.family, self.model, self.steps, where, wanted)

    @cached_property
    def solution(self) -> Solution:
        """The solved recurrence, or `NoClosedForm`."""
        return solve(self.recurrence, [w for combination in self.targets for w in combination.values()])

    @cached_property
    def certificate(self) -> Certificate:
        """The induction that proves the solution."""
        return certificate(self.recurrence, self.solution)


@frozen(eq=False)
class Piece:
    """One marginal's observable as a combination of the moments of a system."""

    marginal: Marginal
    system: System
    targets: dict[Monomial, Expr]

    @property
    def recurrence(self) -> Recurrence:
        """The recurrence of its moments."""
        return self.system.recurrence

    @property
    def solution(self) -> Solution:
        """The solved recurrence, or `NoClosedForm`."""
        return self.system.solution

    @cached_property
    def combined(self) -> Expr:
        """The expectation in terms of n and the solution's sequences."""
        return self.solution.expr(self.solution.combined(self.targets))

    @cached_property
    def expression(self) -> Expr:
        """The expectation in closed form."""
        return self.marginal.enter(self.solution.expression(self.solution.combined(self.targets)))

    @property
    def certificate(self) -> Certificate:
        """The induction that proves the solution."""
        return self.system.certificate

    def limit(self) -> Expr:
        """Return the limit of the expectation, in the marginal's own parameters."""
        return unfold(limit(self.combined, self.solution.sequences, self.recurrence.conditions))

    def values(self) -> Iterator[Expr]:
        """Yield the exact expectation for n = 0, 1, 2, ... by running the recurrence itself."""
        system = self.recurrence
        state = system.state
        source = start_of(self.marginal.family, state)
        if system.start:
            yield self._weighed({m: m.expr(source) for m in system.rows})
        now, k = dict(system.initial), system.start
        while True:
            yield self._weighed(now)
            k += 1
            rows = system.at(k)
            now = {m: Add(*(w * now[key] for key, w in row.items())).expand() for m, row in rows.items()}

    def _weighed(self, moments: dict[Monomial, Expr]) -> Expr:
        total = Add(*(w * moments[m] for m, w in self.targets.items()))
        return self.marginal.enter(unfold(total).expand(power_exp=False))


@frozen(eq=False)
class Expectation:
    """E[observable(model n)] of a loop: closed form, recurrence, conditions, certificate.

    Prints as LaTeX in a notebook. The value is the *ensemble* mean over runs, not what one run shows.
    """

    loop: Loop
    observable: Expr
    pieces: tuple[Piece, ...]

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
        for piece in self.pieces:
            needed |= {Ne(f, 0): None for f in piece.solution.divisors if f.expand() not in decided}
        return tuple(needed)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the derivation takes for granted."""
        return tuple(dict.fromkeys(word for piece in self.pieces for word in piece.marginal.family.assumptions()))

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
        whole = sympify(generation)
        if not whole.is_Integer or whole < 0:
            raise ValueError(f"n = {generation} is not a generation. Give a whole number >= 0.")
        return special.values(int(whole))[-1].factor()

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
            refit = step(self.loop, piece.marginal.family, piece.recurrence.state)
            lines += [f"One refit: {x} <- {update}" for x, update in refit.update.items()]
            lines += [f"  with {law}" for law in refit.laws]
        lines += [f"Tower property: E[{m}]_n = E[{row}]_(n-1)" for m, row in self.recurrence.items()]
        try:
            lines += [f"Closed form for n >= {self.start}: {self.expression}"]
        except NoClosedForm as refusal:
            lines += [f"No closed form: {refusal}"]
        lines += [f"Provided that {condition}" for condition in self.conditions]
        return "\n".join(lines + [f"Assuming that {word}" for word in self.assumptions])

    def _repr_latex_(self) -> str:
        given = rf"\mathbb{{E}}\left[{latex(self.observable)}\right]_{{n}}"
        try:
            return f"${given} = {latex(self.expression)}$"
        except NoClosedForm:
            rows = (rf"{latex(m)} \mapsto {latex(row)}" for m, row in self.recurrence.items())
            return f"${given}:\\quad {', '.join(rows)}$"

    def __str__(self) -> str:
        """Return ``E[observable] = closed form``."""
        return f"E[{self.observable}] = {self.expression}"


def _row(piece: Piece) -> Expr:
    rows = piece.recurrence.rows
    return unfold(Add(*(w * piece.recurrence.expr(rows[m]) for m, w in piece.targets.items())))


def _substituted(expectation: Expectation, values: dict[str, Any]) -> Expr:
    """Return the observable with source symbols such as mu0 replaced too; parameters are never named like a loop's
    symbols.
    """
    known = {s.name: s for s in expectation.loop.free_symbols}
    return expectation.observable.subs({known[name]: exact(value, name) for name, value in values.items()})
