"""`plan`: mitigation as an inverse problem. How many samples, how much real data, which weight or temperature?

A loop with one free symbol, a quantity, a bound on it and a horizon; the answer is the least or the greatest value of
the symbol that meets the bound: in symbols where the closed form can be turned round, and as a number with its
neighbour that fails.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from attrs import field, frozen
from sympy import Expr, Rational, S, Symbol, expand_log, oo

from theory import symbols
from theory.admissible import admissible
from theory.crossing import Crossing, Judge, Point, Relation, Search
from theory.errors import NoClosedForm, NotClosed
from theory.exact import exact
from theory.inverse import Inverse, inverse
from theory.latex import latex
from theory.loop import Loop
from theory.quantities import Quantity, Question, quantity

Side = Literal["least", "greatest"]
WITHIN = Rational(1, 10**6)
_SIGNS = {">=": r"\ge", "<=": r"\le", "=": "="}


@frozen(eq=False)
class Plan:
    """The value of a symbol that keeps a quantity within a bound; prints as text and as LaTeX."""

    quantity: Quantity
    symbol: Symbol
    relation: Relation
    bound: Expr
    horizon: Expr
    side: Side | None
    """Which value is given: the "least" or the "greatest" that meets the bound; None where points disagree."""
    expression: Expr | None
    """The value at which the bound is met exactly, in symbols; None where it cannot be written down."""
    crossing: Crossing | None = None
    search: Search | None = None
    scaled: Mapping[Symbol, Expr] = field(factory=dict)
    """Symbols that change nothing about the answer, with the numbers that the certificate has for them."""

    @property
    def value(self) -> Expr | None:
        """The value that meets the bound, a whole number or fraction; None where symbols are left."""
        return None if self.crossing is None else self.crossing.holds

    @property
    def bracket(self) -> tuple[Expr, Expr] | None:
        """Two values in order, neighbours on a grid or close to each other, of which one meets the bound."""
        if self.crossing is None or self.crossing.fails is None:
            return None
        ends = self.crossing.fails, self.crossing.holds
        return min(ends), max(ends)

    @cached_property
    def neighbours(self) -> tuple[Point, ...]:
        """The certificate: the value that fails, if there is one, and the value that meets the bound, with the quantity
        at each, from the recurrence or the chain itself.
        """
        if self.crossing is None or self.search is None:
            return ()
        ends = (self.crossing.fails, self.crossing.holds)
        return tuple(self.search.judge.point(at) for at in ends if at is not None)

    @property
    def looked(self) -> tuple[Expr, Expr] | None:
        """The least and the largest value that were looked at."""
        return None if self.search is None else (self.search.looked[0][0], self.search.looked[-1][0])

    @cached_property
    def proved(self) -> bool:
        """Whether the bound is shown to fail at every value before the crossing and to be met at every one after it
        (or the other way round), over all that was looked at, by interval arithmetic or one by one.
        """
        if self.crossing is None or self.search is None or self.looked is None:
            return False
        low, high = self.looked
        fails, holds = self.crossing.fails, self.crossing.holds
        settled = self.search.judge.settled
        grid = self.search.grid
        if fails is None:
            return settled(low, high, True, grid)
        ends = ((low, fails, False), (holds, high, True)) if fails < holds else ((low, holds, True), (fails, high, False))
        return all(settled(*end, grid) for end in ends)

    @property
    def monotone(self) -> bool:
        """Whether no second crossing was seen among the values looked at; ``proved`` says whether there is none."""
        return self.search is None or len(self.search.crossings) <= 1

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What must hold for the quantity to exist, for symbols that are left."""
        return tuple(c for c in self.quantity.conditions(self.horizon) if self.value is None or not c.is_number)

    @property
    def _answer(self) -> str:
        return {"least": ">=", "greatest": "<=", None: "="}[self.side if self.relation != "=" else None]

    def __str__(self) -> str:
        """Return the answer, its two neighbours, the symbolic form and how far it is proved."""
        where = "in the long run" if self.horizon == oo else f"at n = {self.horizon}"
        shown = self.expression if self.value is None else self.value
        lines = [f"{self.symbol} {self._answer} {shown} keeps {self.quantity.name} {self.relation} {self.bound} {where}"]
        lines += [
            f"  {self.symbol} = {p.at}: {self.quantity.name} = {p.digits} {'meets' if p.holds else 'misses'} the bound"
            for p in self.neighbours
        ]
        if self.scaled:
            lines.append(f"  with {', '.join(f'{s} = {v}' for s, v in self.scaled.items())}, on which nothing depends")
        if self.value is not None and self.expression is not None:
            lines.append(f"  in symbols: {self.symbol} = {self.expression} at the bound")
        lines += [f"  {self._reach}"] if self.search is not None else []
        return "\n".join(lines + [f"  provided that {c}" for c in self.conditions])

    @property
    def _reach(self) -> str:
        assert self.search is not None and self.looked is not None
        low, high = self.looked
        if self.proved:
            return f"proved: no other crossing for {self.symbol} from {low} to {high}"
        seen = f"at {len(self.search.judge.signs)} values from {low} to {high}"
        if self.monotone:
            return f"checked {seen}: no other crossing seen"
        parts = ", ".join(f"{min(pair)} and {max(pair)}" for pair in self.search.crossings)
        return f"not monotone: {seen} the answer changes between {parts}"

    def _repr_latex_(self) -> str:
        shown = self.expression if self.value is None else self.value
        name = rf"\text{{{self.quantity.name}}}".replace("_", r"\_")
        kept = rf"{name} {_SIGNS[self.relation]} {latex(self.bound)}"
        exactly = rf" \quad \left(= {latex(self.expression)}\right)" if self.value is not None and self.expression else ""
        answer = rf"{latex(self.symbol)} {_SIGNS[self._answer]} {latex(shown)}{exactly}"
        return rf"${answer} \quad\Rightarrow\quad {kept}, \quad n = {latex(self.horizon)}$"


def plan(
    loop: Loop,
    of: Question,
    solve: Symbol,
    *,
    at_least: Any = None,
    at_most: Any = None,
    exactly: Any = None,
    n: Any = symbols.n,
    want: Side | None = None,
    between: tuple[Any, Any] | None = None,
    within: Any = WITHIN,
) -> Plan:
    """Return the least (or greatest) value of a loop's symbol for which a quantity meets a bound at generation n.

    Args:
        loop: the loop; ``solve`` is one of its symbols. With every other symbol a number, or cancelling from the
            question as V0 does from E[V] >= 9 V0/10, the answer is a number; else it is an expression.
        of: an observable as in `expect`; a metric of `risk`; "drift", the rate of log V; "support", "survival",
            "missing_mass", "collision" or "entropy" of a chain of counts; or a function of the loop whose answer has
            ``expression``, ``values`` and ``limit``, such as ``lambda loop: variance(loop, Gaussian.mu)``.
        solve: the symbol: M, alpha, tau, c, w, or one in a schedule's sizes. Whole numbers if it is declared so; a
            fixed count of real points leaves the values for which the count is whole.
        at_least: the bound; exactly one of the three is given.
        at_most: the same, from above.
        exactly: the same, for a quantity that is to be balanced.
        n: the horizon: a generation >= 1, the symbol n, or oo for the limit.
        want: "least" or "greatest"; without it the least, or the greatest where only smaller values meet the bound.
        between: range of the symbol; [0, 1] for shares, whole numbers from 1, 2^-20 to 2^20 for positive numbers.
        within: width of the bracket for a real symbol.

    Raises:
        ValueError: no value meets the bound, or the arguments put no question; the sentence says the best reachable.
        NoClosedForm: symbols are left and the closed form cannot be turned round.

    >>> from theory import Gaussian, M, V0
    >>> plan(Loop(Gaussian()), Gaussian.V, M, at_least=V0 * Rational(9, 10)).expression
    -1/((9/10)**(1/n) - 1)
    >>> print(plan(Loop(Gaussian()), Gaussian.V, M, at_least=V0 / 2, n=2))
    M >= 4 keeps E[V] >= V0/2 at n = 2
      M = 3: E[V] = 4/9 misses the bound
      M = 4: E[V] = 9/16 meets the bound
      with V0 = 1, mu0 = 0, on which nothing depends
      in symbols: M = sqrt(2)/(-1 + sqrt(2)) at the bound
      proved: no other crossing for M from 1 to 32
    """
    relation, bound = _relation(at_least, at_most, exactly)
    horizon = _horizon(n)
    if solve not in loop.free_symbols:
        raise ValueError(f"{solve} is no symbol of the loop. Solve for one of {_names(loop)}.")
    asked = quantity(loop, of)
    horizon = S.One if horizon == symbols.n and _lasting(asked) else horizon
    turned = inverse(asked, solve, bound, horizon)
    scaled = _scaled(asked, solve, bound, horizon)
    if horizon == symbols.n or scaled is None:
        return _symbolic(asked, solve, relation, bound, horizon, turned)
    judge = Judge(asked.put(scaled), solve, horizon, relation, bound.subs(scaled))
    search = Search(judge, admissible(judge.quantity.loop, solve, between), exact(within, "within"))
    side, crossing = _chosen(search, want)
    return Plan(asked, solve, relation, bound, horizon, side, turned and turned.expression, crossing, search, scaled)


def _relation(at_least: Any, at_most: Any, exactly: Any) -> tuple[Relation, Expr]:
    given: list[tuple[Relation, str, Any]] = [
        (">=", "at_least", at_least),
        ("<=", "at_most", at_most),
        ("=", "exactly", exactly),
    ]
    asked = [one for one in given if one[2] is not None]
    if len(asked) != 1:
        raise ValueError(f"plan needs one bound and has {len(asked)}. Give one of at_least, at_most and exactly.")
    ((relation, name, value),) = asked
    return relation, exact(value, name)


def _horizon(n: Any) -> Expr:
    horizon = exact(n, "n")
    if horizon in (symbols.n, oo) or (horizon.is_Integer and horizon >= 1):
        return horizon
    raise ValueError(f"n = {n} is no horizon. Give a generation >= 1, the symbol n, or oo for the limit.")


def _names(loop: Loop) -> str:
    return ", ".join(sorted(map(str, loop.free_symbols))) or "none, for it has numbers alone"


def _lasting(asked: Quantity) -> bool:
    """Return whether a quantity has a closed form that is the same at every generation."""
    try:
        return symbols.n not in asked.closed(symbols.n).free_symbols
    except (NoClosedForm, NotClosed):
        return False


def _scaled(asked: Quantity, solve: Symbol, bound: Expr, horizon: Expr) -> dict[Symbol, Expr] | None:
    """Return values for the other symbols that change nothing: a scale that is a factor of quantity and bound alike, or
    a symbol that cancels. None where one of them matters.
    """
    left = sorted((asked.loop.free_symbols | bound.free_symbols) - {solve, symbols.n}, key=str)
    if not left:
        return {}
    try:
        difference = expand_log(asked.closed(oo if horizon == oo else symbols.n) - bound)
    except (NoClosedForm, NotClosed):
        return None
    put: dict[Symbol, Expr] = {}
    for symbol in left:
        put[symbol] = S.One if symbol.is_positive else S.Zero
        here = difference.subs(symbol, put[symbol])
        factor = (difference / here).factor() if here != 0 else S.Zero
        if not (factor.is_positive and factor.free_symbols <= {symbol}) and (difference - here).expand() != 0:
            return None
        difference = here
    return put


def _symbolic(
    asked: Quantity, solve: Symbol, relation: Relation, bound: Expr, horizon: Expr, turned: Inverse | None
) -> Plan:
    if turned is None:
        left = asked.loop.free_symbols | bound.free_symbols | ({horizon} if horizon == symbols.n else set())
        names = ", ".join(sorted(str(s) for s in left - {solve}))
        raise NoClosedForm(
            f"{asked.name} {relation} {bound} is not solved for {solve} in symbols. Put numbers in for {names}."
        )
    side: Side | None = None
    if turned.rising is not None and relation != "=":
        side = "least" if turned.rising == (relation == ">=") else "greatest"
    return Plan(asked, solve, relation, bound, horizon, side, turned.expression)


def _chosen(search: Search, want: Side | None) -> tuple[Side | None, Crossing]:
    """Return which value is given, and the crossing at it."""
    (low, first), (high, last) = search.looked[0], search.looked[-1]
    if search.judge.relation == "=":
        return None, _refined(search, search.crossings[:1])
    if not any(holds for _, holds in search.looked):
        raise ValueError(_unreached(search))
    side: Side = want or ("greatest" if first and not last else "least")
    if side == "least":
        rising = [pair for pair in search.crossings if pair[0] < pair[1]]
        return side, Crossing(None, low) if first else _refined(search, rising[:1])
    if last and search.grid.high == oo:
        raise ValueError(f"{search.judge.symbol} = {high} meets the bound, as larger values may. Ask for the least.")
    falling = [pair for pair in search.crossings if pair[0] > pair[1]]
    return side, Crossing(None, high) if last else _refined(search, falling[-1:])


def _refined(search: Search, pairs: list[tuple[Expr, Expr]]) -> Crossing:
    if not pairs:
        raise ValueError(_unreached(search))
    return search.refined(*pairs[0])


def _unreached(search: Search) -> str:
    """Return the sentence that no value meets the bound, with the best that was seen."""
    judge = search.judge
    low, high = search.looked[0][0], search.looked[-1][0]
    below = judge.sign(low) < 0
    values = {at: judge.rough(at).value for at, _ in search.looked if judge.finite(at)}
    best = (max if below else min)(values, key=lambda at: values[at])
    return (
        f"no {judge.symbol} from {low} to {high} makes {judge.quantity.name} {judge.relation} {judge.bound}: the best is "
        f"{values[best].evalf(6)} at {judge.symbol} = {best}. Give a bound within reach, or another range."
    )
