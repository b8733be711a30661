"""`Recursion`: a loop that the user writes down, as a one-step update with innovations of known moments.

It takes the place of a family, and everything that is asked of a loop can be asked of it: expectations with their
certificates, limits, simulation, agreement.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from attrs import evolve, field, fields, frozen
from sympy import Expr, Symbol

from theory.axes import free_symbols, substituted
from theory.errors import NotClosed
from theory.estimators import MLE, Estimator
from theory.exact import exact
from theory.families.base import Parameters, Stepped
from theory.innovations import Law
from theory.regimes import Regime, Replace
from theory.sampling import Faithful, Sampling
from theory.symbols import n

Pairs = tuple[tuple[Symbol, Expr], ...]


def _starts(mapping: Mapping[Any, Any]) -> Pairs:
    return _pairs(mapping, "the start")


def _updates(mapping: Mapping[Any, Any]) -> Pairs:
    return _pairs(mapping, "the update")


def _pairs(mapping: Mapping[Any, Any], name: str) -> Pairs:
    return tuple((symbol, exact(value, f"{name} of {symbol}")) for symbol, value in dict(mapping).items())


def _laws(laws: Iterable[Law] | Law) -> tuple[Law, ...]:
    given = (laws,) if isinstance(laws, Law) else tuple(laws)
    for law in given:
        if not isinstance(law, Law):
            raise ValueError(f"Recursion: the innovation {law!r} is no law. Give Normal(x, variance), Known(x, ...).")
        for value in (getattr(law, f.name) for f in fields(type(law))):
            _ = exact(value, f"a number of {law}") if isinstance(value, Expr) else value
    return given


@frozen
class Recursion(Stepped):
    """x_k = update(x_(k-1), innovations, k), k = 1, 2, ..., from x_0 = state.

    Args:
        state: state symbol -> its value at generation 0, exact. A symbol declared positive may be asked for in real
            powers and logarithms.
        update: state symbol -> its next value, an expression in the state, the innovations' symbols, parameters of your
            own, and n, the number of the step.
        innovations: the laws of the random numbers, independent of each other given the state; a law's parameters may
            hold the state and the symbols of laws before it.

    Raises:
        ValueError: a state symbol without an update or start, or a name that stands for two things.

    >>> from sympy import symbols
    >>> from theory import Loop, Normal, expect
    >>> x, e, a = symbols("x e a", real=True)
    >>> walk = Loop(Recursion({x: 0}, {x: a * x + e}, Normal(e, 1)))
    >>> expect(walk, x**2).values(2)
    [0, 1, a**2 + 1]
    """

    start_values: Pairs = field(converter=_starts, alias="state")
    updates: Pairs = field(converter=_updates, alias="update")
    innovations: tuple[Law, ...] = field(converter=_laws, default=())

    def __attrs_post_init__(self) -> None:
        """Refuse what is no recursion."""
        starts, updates = dict(self.start_values), dict(self.updates)
        if not starts:
            raise ValueError("Recursion({}) has no state. Give each state symbol its start.")
        if odd := starts.keys() ^ updates.keys():
            raise ValueError(
                f"Recursion: {_first(odd)} has {'a start' if odd & starts.keys() else 'an update'} alone. "
                "Give every state symbol a start and an update."
            )
        drawn = [x for law in self.innovations for x in law.symbols]
        if twice := {x for x in drawn if drawn.count(x) > 1 or x in starts}:
            raise ValueError(f"Recursion: {_first(twice)} stands for two things. Name every innovation apart.")
        if n in starts or n in drawn:
            raise ValueError("Recursion: n is the number of the step. Name the state otherwise.")

    def source(self) -> Parameters:
        """Return the start."""
        return dict(self.start_values)

    @property
    def free_symbols(self) -> set[Symbol]:
        """The symbols of starts, updates and laws that are neither state nor innovation."""
        inner = {*self.source(), *(x for law in self.innovations for x in law.symbols), n}
        given = [value for _, value in (*self.start_values, *self.updates)]
        found = set().union(*map(free_symbols, given), *map(free_symbols, self.innovations))
        return found - inner

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the recursion with exact values put in for its parameters."""
        return evolve(
            self,
            state={x: value.subs(values) for x, value in self.start_values},
            update={x: value.subs(values) for x, value in self.updates},
            innovations=substituted(self.innovations, values),
        )

    def refit(
        self, estimator: Estimator, regime: Regime, sampling: Sampling, k: Expr
    ) -> tuple[Parameters, tuple[Law, ...]]:
        """Return the update and the laws of step k; a recursion has no data that another axis could change."""
        for axis, plain in ((estimator, MLE()), (regime, Replace()), (sampling, Faithful())):
            if axis != plain:
                raise NotClosed(
                    f"{type(plain).__mro__[1].__name__.lower()}: {axis} acts on data, and a Recursion has none. "
                    "Write it into the update."
                )
        return {x: value.subs(n, k) for x, value in self.updates}, substituted(self.innovations, {n: k})

    def assumptions(self) -> tuple[str, ...]:
        """Return what independence means here."""
        return ("innovations are independent of each other and of the past, given the state",)


def _first(names: Iterable[Any]) -> str:
    return min(map(str, names))
