"""`plan`: mitigation as an inverse problem. How many samples, how much real data, which weight or temperature?

A loop with one free symbol, a quantity, a bound on it and a horizon; the answer is the least or the greatest value of
the symbol that meets the bound: in symbols where the closed form can be turned round, and as a number with its
neighbour that fails.
"""

from typing import Any

from sympy import Dummy, Expr, Rational, S, Symbol, expand_log, oo

from theory import symbols
from theory.admissible import admissible
from theory.axes import free_symbols
from theory.crossing import Crossing, Search
from theory.errors import NoClosedForm, NotClosed
from theory.exact import exact
from theory.inverse import Inverse, inverse
from theory.judge import Judge, Relation
from theory.loop import Loop
from theory.planned import Plan, Side
from theory.quantities import Quantity, Question, quantity
from theory.regimes import Schedule
from theory.stationary import is_share

WITHIN = Rational(1, 10**6)


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
    the least M is 4 for E[V] >= V0/2 at generation 2
      M = 3: E[V] = 4/9 misses the bound
      M = 4: E[V] = 9/16 meets the bound
      with V0 = 1, on which nothing depends
      in symbols: M = 2/(2 - sqrt(2)) at the bound
      proved: missed from M = 1 to 3
      proved: met from M = 4 to oo
    """
    relation, bound = _relation(at_least, at_most, exactly)
    horizon = _horizon(n)
    loop = _needed(loop)
    if solve not in loop.free_symbols:
        raise ValueError(f"{solve} is no symbol of the loop. Solve for one of {_names(loop)}.")
    asked = quantity(loop, of)
    turned = inverse(asked, solve, bound, horizon)
    put = scaled(asked, solve, bound, horizon)
    first = S.One if horizon == symbols.n and _lasting(asked) else horizon
    if first == symbols.n or put is None:
        return _symbolic(asked, solve, relation, bound, horizon, turned)
    judge = Judge(asked.put(put), solve, first, relation, bound.subs(put))
    search = Search(judge, admissible(judge.quantity.loop, solve, between), exact(within, "within"))
    side, crossing = _chosen(search, want)
    return Plan(asked, solve, relation, bound, horizon, side, turned and turned.expression, crossing, search, put)


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


def _needed(loop: Loop) -> Loop:
    """Return the loop with a number for M where a schedule of other sizes makes nothing of it."""
    unused = isinstance(loop.regime, Schedule) and loop.samples.is_Symbol
    return loop.substitute({loop.samples: S(2)}) if unused and loop.samples not in free_symbols(loop.regime) else loop


def _names(loop: Loop) -> str:
    return ", ".join(sorted(map(str, loop.free_symbols))) or "none, for it has numbers alone"


def _lasting(asked: Quantity) -> bool:
    """Return whether a quantity has a closed form that is the same at every generation."""
    try:
        return symbols.n not in asked.closed(symbols.n).free_symbols
    except (NoClosedForm, NotClosed):
        return False


def scaled(asked: Quantity, solve: Symbol, bound: Expr, horizon: Expr) -> dict[Symbol, Expr] | None:
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
        share = is_share(asked.loop, symbol) if symbol in asked.loop.free_symbols else False
        put[symbol] = S.Half if share else S.One if symbol.is_positive else S.Zero
        here = difference.subs(symbol, put[symbol])
        if (difference - here).expand() != 0 and not _is_scale(difference, here, symbol, share):
            return None
        difference = here
    return put


def _is_scale(difference: Expr, here: Expr, symbol: Symbol, share: bool) -> bool:
    """Return whether two differences have a ratio that is a positive function of the symbol alone."""
    ratio = (difference / here).factor() if here != 0 else S.Zero
    if not ratio.free_symbols <= {symbol}:
        return False
    inside = ratio.subs(symbol, 1 / (1 + Dummy(positive=True))).factor() if share else ratio
    return bool(inside.is_positive)


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
        f"no {judge.symbol} from {low} to {high} makes {judge.quantity.name} {judge.relation} {judge.bound}: the best "
        f"is {values[best].evalf(6)} at {judge.symbol} = {best}. Give a bound within reach, or another range."
    )
