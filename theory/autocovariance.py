"""`autocovariance`: how model n and model n + lag move together over runs, in closed form in both.

By the tower property E[g(model n + l) | model n] = (T^l g)(model n), a combination of the moments that g needs with
weights that are a closed form in l; one more expectation, over model n, finishes it.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from attrs import evolve, frozen
from sympy import Add, Expr, S, Sum, sqrt, sympify

from theory import symbols
from theory.certificate import Certificate, certificate
from theory.closed_form import solve
from theory.combination import Combined, covariance, variance
from theory.constants import unfold
from theory.errors import NotClosed
from theory.exact import exact
from theory.expect import Expectation, expect
from theory.latex import latex
from theory.loop import Loop
from theory.monomials import Monomial
from theory.recurrence import Recurrence
from theory.system import Piece

Weights = dict[Expr, Expr]
"""E[two(model n + lag) | model n] = sum of weight * observable of model n."""


@frozen(eq=False)
class Autocovariance:
    """Cov(one(model n), two(model n + lag)) over the ensemble of runs; prints as LaTeX."""

    loop: Loop
    one: Expr
    two: Expectation
    lag: Expr
    weights: Weights

    @cached_property
    def _covariances(self) -> dict[Expr, Combined]:
        return {of: covariance(self.loop, self.one, of) for of in self.weights if not of.is_number}

    @cached_property
    def _products(self) -> dict[Expr, Expectation]:
        return {of: expect(self.loop, (self.one * of).expand()) for of in self.weights}

    @cached_property
    def expression(self) -> Expr:
        """The closed form in n and the lag, valid from generation `start` on."""
        return Add(*(self.weights[of] * part.expression for of, part in self._covariances.items()))

    @cached_property
    def uncentred(self) -> Expr:
        """E[one(model n) two(model n + lag)] in closed form."""
        return Add(*(self.weights[of] * part.expression for of, part in self._products.items()))

    @cached_property
    def correlation(self) -> Expr:
        """The covariance over both standard deviations."""
        later = variance(self.loop, self.two.observable).expression.subs(symbols.n, symbols.n + self.lag)
        return self.expression / sqrt(variance(self.loop, self.one).expression * later)

    @property
    def start(self) -> int:
        """The first generation n from which the closed form holds."""
        return max(self.two.start, *(part.start for part in self._covariances.values()), 0)

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What must hold for the symbols."""
        parts = (self.two, *self._covariances.values())
        return tuple(dict.fromkeys(c for part in parts for c in part.conditions))

    @property
    def certificate(self) -> tuple[Certificate, ...]:
        """The inductions for the moments at generation n, and for the weights in the lag where it is a symbol."""
        inner = () if self.lag.is_Integer else tuple(c for piece in self.two.pieces for c in _certificates(piece))
        return inner + tuple(c for part in self._covariances.values() for c in part.certificate)

    def values(self, generations: int) -> list[Expr]:
        """Return the exact covariance at n = `start`, ..., ``generations``, from the recurrences; the lag a number."""
        if not self.lag.is_Integer:
            raise ValueError(f"lag = {self.lag} is a symbol. Ask .at(lag=...) first.")
        columns = {of: part.values(generations) for of, part in self._covariances.items()}
        return [
            Add(*(self.weights[of].subs(symbols.n, n) * column[n] for of, column in columns.items())).factor()
            for n in range(self.start, generations + 1)
        ]

    def at(self, **values: Any) -> Any:
        """Return the covariance with exact values put in by name, ``lag`` among them; with ``n``, its exact value.

        >>> from theory import Bernoulli
        >>> autocovariance(Loop(Bernoulli()), Bernoulli.p).at(n=1, lag=2, M=2, p0=1)
        0
        """
        generation, lag = values.pop("n", None), exact(values.pop("lag", self.lag), "lag")
        special = autocovariance(self.loop.at(**values), self.one, self.two.observable, lag)
        return special if generation is None else special.values(int(generation))[-1]

    def limit(self) -> Expr:
        """Return the limit as n grows at a fixed lag: the autocovariance of the stationary loop, where there is one."""
        return Add(*(self.weights[of] * part.limit() for of, part in self._covariances.items()))

    def _repr_latex_(self) -> str:
        later = f"n + {latex(self.lag)}" if self.lag != 0 else "n"
        pair = f"{_at(self.one, 'n')}, {_at(self.two.observable, later)}"
        return rf"$\operatorname{{Cov}}\left[{pair}\right] = {latex(self.expression)}$"

    def __str__(self) -> str:
        """Return the closed form."""
        return str(self.expression)


def autocovariance(loop: Loop, one: Expr, two: Expr | None = None, lag: Expr | int = symbols.ell) -> Autocovariance:
    """Return Cov(one(model n), two(model n + lag)) over the ensemble of runs.

    Args:
        loop: the loop; its symbols stay symbolic.
        one: an observable of model n.
        two: an observable of model n + lag; ``one`` where it is left out.
        lag: a whole number >= 0, or the symbol ell for a closed form in the lag.

    Raises:
        NotClosed: the moments do not close, or a symbolic lag with coefficients that depend on n.
        NoClosedForm: no closed form in the lag.

    >>> from theory import Gaussian
    >>> autocovariance(Loop(Gaussian()), Gaussian.mu).expression
    -V0*((M - 1)/M)**n + V0
    >>> autocovariance(Loop(Gaussian()), Gaussian.V, Gaussian.mu**2, lag=1).start
    0
    """
    first = exact(one, "one")
    later = expect(loop, first if two is None else exact(two, "two"))
    steps = sympify(lag)
    if steps.is_number and not (steps.is_Integer and steps >= 0):
        raise ValueError(f"lag = {lag} is no number of generations. Give a whole number >= 0, or the symbol ell.")
    weights: Weights = {}
    for piece in later.pieces:
        for monomial, weight in (_stepped(piece, int(steps)) if steps.is_Integer else _closed(piece, steps)).items():
            of = _restored(piece, monomial)
            weights[of] = weights.get(of, S.Zero) + weight
    return Autocovariance(loop, first, later, steps, {of: w for of, w in weights.items() if w != 0})


def _at(observable: Expr, generation: str) -> str:
    """Return the LaTeX of an observable with its generation as index."""
    written = latex(observable)
    framed = written if observable.is_Symbol else rf"\left({written}\right)"
    return rf"{framed}_{{{generation}}}"


def _restored(piece: Piece, monomial: Monomial) -> Expr:
    """Return a moment of the piece as an observable of the whole state."""
    of = piece.marginal.restore(monomial.expr(piece.recurrence.state))
    if of.has(Sum):
        raise NotClosed(
            f"observable: {of} sums over all types, and a product of two such sums has no closed moments. "
            "Ask for the types by name, such as Categorical.p[0]."
        )
    return of


def _stepped(piece: Piece, lag: int) -> Mapping[Monomial, Expr]:
    """Return the weights of T_(n+1) ... T_(n+lag) target, step by step."""
    system = piece.recurrence
    weights = dict(piece.targets)
    for j in reversed(range(1, lag + 1)):
        before: dict[Monomial, Expr] = {}
        for m, w in weights.items():
            for key, entry in system.rows[m].items():
                rate = unfold(system.field.expr(entry)).subs(symbols.n, symbols.n + j)
                before[key] = before.get(key, S.Zero) + w * rate
        weights = {m: w.factor() for m, w in before.items()}
    return weights


def _closed(piece: Piece, lag: Expr) -> Mapping[Monomial, Expr]:
    """Return the weights of T^lag target in closed form in the lag."""
    system = piece.recurrence
    if not system.homogeneous:
        raise NotClosed(
            "regime: its coefficients depend on the generation, so that the lag has no closed form of its own. "
            "Give the lag as a number."
        )
    return {m: _weight(piece, _unit(system, m)).subs(symbols.n, lag) for m in system.rows}


def _unit(system: Recurrence, m: Monomial) -> Recurrence:
    """Return the recurrence started with one moment at 1 and the others at 0."""
    return evolve(system, start=0, initial={key: S(int(key == m)) for key in system.rows})


def _weight(piece: Piece, system: Recurrence) -> Expr:
    solution = solve(system, piece.targets.values())
    return unfold(solution.expression(solution.combined(piece.targets)))


def _certificates(piece: Piece) -> list[Certificate]:
    units = [_unit(piece.recurrence, m) for m in piece.recurrence.rows]
    return [certificate(system, solve(system)) for system in units]
