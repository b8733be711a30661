"""The moments that an observable needs, as one system: its steps, recurrence, solution and certificate, each made once.

An observable splits into pieces, each a combination of the moments of one family; pieces of one family and state share
their system.
"""

from collections.abc import Iterator
from functools import cached_property

from attrs import field, frozen
from sympy import Add, Expr

from theory.certificate import Certificate, certificate
from theory.closed_form import solve
from theory.constants import unfold
from theory.families.base import Marginal, Stepped
from theory.limits import limit
from theory.loop import Loop
from theory.monomials import Monomial, linear
from theory.recurrence import Recurrence, recurrence, start_of
from theory.solution import Solution
from theory.step import Step, steps


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
        return steps(self.loop, self.family, self.model)

    @property
    def state(self) -> tuple[Expr, ...]:
        """All state symbols."""
        return self.steps[1].state

    @cached_property
    def recurrence(self) -> Recurrence:
        """The recurrence that closes the moments, or `NotClosed`."""
        wanted = dict.fromkeys(m for combination in self.targets for m in combination)
        loop = self.loop
        where = f"{self.family.title}, {loop.estimator}, {loop.regime}, {loop.sampling}"
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


def piece_of(loop: Loop, marginal: Marginal, systems: list[System]) -> Piece:
    """Return a marginal's piece, its moments added to the system of its family and state."""
    family, model = marginal.family, marginal.family.state(marginal.observable)
    system = next((s for s in systems if s.family == family and s.model == model), None)
    if system is None:
        system = System(loop, family, model)
        systems.append(system)
    targets = linear(marginal.observable, system.state)
    system.targets.append(targets)
    return Piece(marginal, system, targets)
