"""`stationary`: what a loop's moments tend to, solved from the recurrence itself, with the exact conditions for it.

A moment vector x with E x_n = A E x_(n-1) + b forgets its start exactly when every eigenvalue of A lies inside the unit
circle, and then tends to (I - A)^(-1) b. Both are decided block by block in the field of the symbols.
"""

from functools import cached_property
from itertools import product
from typing import Any

from attrs import evolve, frozen
from sympy import Add, Dummy, Expr, Gt, Rational, S, Symbol, oo

from theory import symbols
from theory.closed_form import blocks
from theory.constants import unfold
from theory.exact import exact
from theory.expect import Expectation, expect
from theory.field import Element
from theory.latex import latex, spelled
from theory.linear import solved
from theory.loop import Loop
from theory.monomials import Monomial
from theory.recurrence import Recurrence
from theory.signs import beyond
from theory.stability import complement, contraction, thresholds, undecided
from theory.system import Piece

SIZES = (S(5), S(50))
SHARES = (Rational(1, 10), Rational(1, 3), Rational(4, 5))
FACTORS = (*SHARES, Rational(6, 5))
"""Values of M, of shares and of other symbols at which thresholds are told from other roots."""


@frozen(eq=False)
class Stationary:
    """The limit of E[observable(model n)] over the ensemble, with the conditions under which it exists.

    ``verdict`` says what kind of limit it is: "forgets its start" (a stationary value), "depends on its start",
    "decays to 0" or "diverges"; the first and third hold under the ``conditions``. Prints as LaTeX.
    """

    expectation: Expectation

    @property
    def loop(self) -> Loop:
        """The loop."""
        return self.expectation.loop

    @cached_property
    def _fixed(self) -> "tuple[_FixedPoint, ...] | None":
        """The fixed point of every piece, None where one has none or its coefficients depend on n."""
        domain = _domain(self.loop, self.expectation)
        pieces = self.expectation.pieces
        if not all(piece.recurrence.homogeneous for piece in pieces):
            return None
        fixed = [_fixed_point(piece, domain) for piece in pieces]
        return None if None in fixed else tuple(filter(None, fixed))

    @property
    def exists(self) -> bool | None:
        """Whether the moments tend to a fixed point of their recurrence; None where that depends on the symbols."""
        if self._fixed is None:
            return False
        return None if any(fixed.conditions for fixed in self._fixed) else True

    @cached_property
    def expression(self) -> Expr:
        """The limit; where it is no fixed point, that of the closed form (oo and -oo included).

        Raises:
            NoClosedForm: the limit depends on the values of the symbols.
        """
        if self._fixed is None:
            return self.expectation.limit()
        return Add(*(fixed.value for fixed in self._fixed)).factor()

    @property
    def verdict(self) -> str:
        """The kind of limit, in words."""
        if self.expression.is_infinite:
            return "diverges"
        if self.expression == 0:
            return "decays to 0"
        forgets = self._fixed is not None and not any(fixed.remembers for fixed in self._fixed)
        return "forgets its start" if forgets else "depends on its start"

    @property
    def _positive(self) -> tuple[Expr, ...]:
        own = tuple(c for fixed in self._fixed or () for c in fixed.conditions)
        return tuple(dict.fromkeys(own + tuple(c for p in self.expectation.pieces for c in p.recurrence.conditions)))

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What must hold for the limit to exist: all eigenvalues inside the unit circle, and existence of moments."""
        return tuple(Gt(condition, 0) for condition in self._positive)

    def thresholds(self, symbol: Symbol) -> tuple[Expr, ...]:
        """Return the values of a loop symbol at which the existence of the limit changes, in the other symbols.

        Raises:
            NoClosedForm: a threshold solves an equation of too high a degree.

        >>> from theory import Gaussian, M, Mixed, Unbiased, alpha
        >>> loop = Loop(Gaussian(), estimator=Unbiased(), regime=Mixed(alpha))
        >>> stationary(loop, Gaussian.V).thresholds(alpha)
        (1 - sqrt(1 - 1/M),)
        """
        if symbol not in self.loop.free_symbols:
            raise ValueError(f"{symbol} is no symbol of the loop. Give one of {_names(self.loop)}.")
        others = set().union(*(c.free_symbols for c in self._positive)) - {symbol}
        grids = ([(s, value) for value in self._witnesses(s)] for s in others)
        upper = S.One if is_share(self.loop, symbol) else oo
        return thresholds(self._positive, symbol, upper, map(dict, product(*grids)))

    def _witnesses(self, symbol: Symbol) -> tuple[Expr, ...]:
        if symbol == symbols.M:
            return SIZES
        return SHARES if is_share(self.loop, symbol) else FACTORS

    @property
    def variance(self) -> "Stationary":
        """The limit of E[(observable - its limit)^2], the stationary variance over the ensemble where there is one."""
        return stationary(self.loop, ((self.expectation.observable - self.expression) ** 2).expand())

    def at(self, **values: Any) -> "Stationary":
        """Return the limit with exact values put in by name, derived again."""
        return Stationary(self.expectation.at(**values))

    def _repr_latex_(self) -> str:
        return f"${self.tends(latex_of=True)}$"

    def __str__(self) -> str:
        """Return the limit, its kind and its conditions."""
        return self.tends()

    def tends(self, name: str = "", *, latex_of: bool = False) -> str:
        """Return the limit as text or LaTeX, under the observable's name or another."""
        observable, write = self.expectation.observable, latex if latex_of else str
        needs = ", ".join(latex(c) if latex_of else spelled(c) for c in self.conditions)
        if latex_of:
            given = name or rf"\mathbb{{E}}\left[{write(observable)}\right]_{{n}}"
            return rf"{given} \to {write(self.expression)}" + (rf" \quad \left({needs}\right)" if needs else "")
        given = name or f"E[{observable}]"
        return f"{given} -> {self.expression} ({self.verdict})" + (f" if {needs}" if needs else "")


@frozen(eq=False)
class Moments:
    """The limits of mean and variance of every parameter of a loop."""

    means: dict[Expr, Stationary]

    @cached_property
    def variances(self) -> dict[Expr, Stationary]:
        """The limit of the variance over runs of every parameter whose mean has a finite limit."""
        return {x: mean.variance for x, mean in self.means.items() if mean.expression.is_finite is not False}

    def _repr_latex_(self) -> str:
        rows = [one.tends(latex_of=True) for one in self.means.values()]
        rows += [
            one.tends(rf"\operatorname{{Var}}\left[{latex(x)}\right]_{{n}}", latex_of=True)
            for x, one in self.variances.items()
        ]
        return r"$\begin{aligned}&" + r" \\ &".join(rows) + r"\end{aligned}$"

    def __str__(self) -> str:
        """Return one line for every limit."""
        variances = (one.tends(f"Var[{x}]") for x, one in self.variances.items())
        return "\n".join([*(one.tends() for one in self.means.values()), *variances])


def stationary(loop: Loop, of: Expr | None = None) -> Any:
    """Return the limit of E[of(model n)] as n grows, a `Stationary`; without ``of``, the `Moments` of all parameters.

    Args:
        loop: the loop; its symbols stay symbolic.
        of: an observable as in `expect`.

    Raises:
        NotClosed: the moments do not close; the sentence names the monomial and the axis of the loop.

    >>> from theory import Bernoulli, Mixed, alpha
    >>> loop = Loop(Bernoulli(), regime=Mixed(alpha))
    >>> print(stationary(loop, Bernoulli.p))
    E[p] -> p0 (forgets its start)
    >>> print(stationary(Loop(Bernoulli()), Bernoulli.p * (1 - Bernoulli.p)))
    E[p*(1 - p)] -> 0 (decays to 0)
    """
    if of is not None:
        return Stationary(expect(loop, exact(of, "of")))
    return Moments({x: stationary(loop, x) for x in loop.law.source()})


@frozen(eq=False)
class _FixedPoint:
    """``value``: what the moments tend to under the ``conditions``; it may hold moments that never change."""

    value: Expr
    conditions: tuple[Expr, ...]
    remembers: bool


def _fixed_point(piece: Piece, domain: dict[Symbol, Expr]) -> _FixedPoint | None:
    """Return the limit of a piece whose blocks all forget their start, but for moments that every refit keeps."""
    system = piece.recurrence
    one = system.field.one
    kept = [m for m, row in system.rows.items() if dict(row) == {m: one}]
    known = {m: [one if m == other else system.field.zero for other in kept] for m in kept}
    quantities: list[Expr] = []
    for block in blocks(system):
        if block[0] not in known:
            matrix = [[system.rows[m].get(key, system.field.zero) for key in block] for m in block]
            quantities += map(system.field.expr, contraction(matrix, system.field, domain))
            needed = undecided(quantities, domain)
            if needed is None:
                return None
            known |= _solved(system, block, matrix, known, len(kept))
    memory = [k for k, m in enumerate(kept) if m.expr(system.state) != 1 and any(known[t][k] for t in piece.targets)]
    value = Add(*(w * _expr(system, kept, known[m]) for m, w in piece.targets.items()))
    return _FixedPoint(piece.marginal.enter(unfold(value)), undecided(quantities, domain) or (), bool(memory))


def _solved(
    system: Recurrence,
    block: list[Monomial],
    matrix: list[list[Element]],
    known: dict[Monomial, list[Element]],
    width: int,
) -> dict[Monomial, list[Element]]:
    """Return (I - matrix)^(-1) forcing for a block, every entry a combination of the moments that never change."""
    forcing = [[system.field.zero] * width for _ in block]
    for row, m in zip(forcing, block, strict=True):
        for key, weight in system.rows[m].items():
            if key not in block:
                row[:] = [old + weight * entry for old, entry in zip(row, known[key], strict=True)]
    rows = [left + right for left, right in zip(complement(matrix, system.field), forcing, strict=True)]
    answer = solved(rows, len(block))
    return dict(zip(block, answer or (), strict=True))


def _expr(system: Recurrence, kept: list[Monomial], weights: list[Element]) -> Expr:
    return Add(*(system.field.expr(w) * system.initial[m] for w, m in zip(weights, kept, strict=True)))


def _domain(loop: Loop, expectation: Expectation) -> dict[Symbol, Expr]:
    """Return images of the loop's symbols that show their range: shares in (0, 1), M from where the moments exist."""
    needed = [c for piece in expectation.pieces for c in piece.recurrence.conditions]
    shares = {s: 1 / (1 + Dummy(positive=True)) for s in loop.free_symbols if is_share(loop, s)}
    return shares | {symbols.M: beyond(needed)}


def is_share(loop: Loop, symbol: Symbol) -> bool:
    """Return whether the loop takes the symbol as a share or weight, which is so when it refuses 2 for it."""
    if symbol == symbols.M:
        return False
    try:
        evolve(loop, samples=symbols.M).substitute({symbol: S(2)})
    except ValueError:
        return True
    return False


def _names(loop: Loop) -> str:
    return ", ".join(sorted(map(str, loop.free_symbols)))
