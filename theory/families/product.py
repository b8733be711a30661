"""Products of marginals: several columns of types, fitted as if they were independent.

Fitted to a joint law they keep every column's frequencies and lose what ties the columns, the total correlation, at
once and for ever; each column is a categorical loop of its own.
"""

from collections.abc import Iterable, Mapping
from itertools import product
from math import prod
from typing import Any, ClassVar, Self

from attrs import evolve, field, frozen
from sympy import Add, Expr, Indexed, IndexedBase, Mul, S, log

from theory import symbols
from theory.errors import NotClosed
from theory.families.base import Family, Marginal, Parameters
from theory.families.categorical import Categorical
from theory.families.pair import Pair


def _levels(values: Iterable[int]) -> tuple[int, ...]:
    levels = tuple(values)
    if not levels or any(not isinstance(k, int) or isinstance(k, bool) or k < 1 for k in levels):
        raise ValueError(f"ProductCategorical: levels = {levels} are no numbers of types. Give ints >= 1, as (2, 3).")
    return levels


@frozen
class ProductCategorical(Family):
    """P(x_1, .., x_k) = prod_a p[a, x_a], for columns a of levels[a] types each.

    Args:
        levels: the number of types of every column. A joint source is a `Categorical` law of prod(levels) types, the
            last column's type changing fastest.
        columns: the source's probabilities column by column; set by `project`.

    Observables: sums of terms in one column, `p[a, i]` with numbers a and i, and of products of two columns.

    >>> ProductCategorical((2, 2)).divergence(Categorical(["1/2", 0, 0, "1/2"]))
    log(2)
    """

    p: ClassVar[IndexedBase] = symbols.p

    levels: tuple[int, ...] = field(converter=_levels)
    columns: tuple[Categorical, ...] = field(default=())

    @property
    def types(self) -> int:
        """The number of joint types."""
        return prod(self.levels)

    def source(self) -> Parameters:
        """Return p[a, i] for every column."""
        return {
            self.p[a, i]: chance
            for a, column in enumerate(self.columns)
            for i, chance in enumerate(column.probabilities or ())
        }

    def joint(self) -> tuple[Expr, ...]:
        """Return the probability of every joint type, the last column's changing fastest."""
        rows = [column.probabilities or () for column in self.columns]
        return tuple(Mul(*chances) for chances in product(*rows))

    def joint_letters(self) -> list[Expr]:
        """Return the probability of every joint type as an observable."""
        return [Mul(*(self.p[a, i] for a, i in enumerate(place))) for place in product(*map(range, self.levels))]

    def project(self, source: Family) -> Family:
        """Return the product of the source's marginals, the M-projection."""
        if type(source) is type(self):
            return source
        if not isinstance(source, Categorical) or source.probabilities is None:
            return Family.project(self, source)
        if len(source.probabilities) != self.types:
            raise ValueError(
                f"the source has {len(source.probabilities)} types, and columns of {self.levels} make {self.types}. "
                "Give one probability for each."
            )
        return evolve(self, columns=tuple(map(Categorical, margins(self.levels, source.probabilities))))

    def divergence(self, source: Family) -> Expr:
        """Return the total correlation sum_x p(x) log(p(x)/prod_a p_a(x_a)), in nats."""
        own = self.project(source)
        if not isinstance(source, Categorical) or not isinstance(own, ProductCategorical):
            return Family.divergence(self, source)
        pairs = zip(source.probabilities or (), own.joint(), strict=True)
        return Add(*(p * log(p / q) for p, q in pairs if p != 0))

    def marginals(self, observable: Expr) -> tuple[Marginal, ...]:
        """Split a sum of one-column observables and of products of two frequencies."""
        pieces: dict[Any, list[Expr]] = {}
        for term in Add.make_args(observable.expand()):
            pieces.setdefault(self._place(term), []).append(term)
        return tuple(
            self._pair(place, Add(*terms)) if isinstance(place, tuple) else self._piece(place, Add(*terms))
            for place, terms in pieces.items()
        )

    def _place(self, term: Expr) -> Any:
        """Return the column of a term, or the two frequencies that it is the product of."""
        letters = sorted(term.atoms(Indexed), key=str)
        columns = {int(x.indices[0]) for x in letters}
        if len(columns) <= 1:
            return columns.pop() if columns else 0
        if len(letters) > 2 or (term / Mul(*letters)).atoms(Indexed):
            raise NotClosed(
                f"family: {term} mixes columns {sorted(columns)}, which a joint source ties together. "
                "Ask for sums of one-column observables and of products of two frequencies, or simulate(loop)."
            )
        return tuple(tuple(map(int, x.indices)) for x in letters)

    def _pair(self, places: Any, observable: Expr) -> Marginal:
        chances = self.source()
        letters = [self.p[place] for place in places]
        names = dict(zip(letters, (Pair.x, Pair.y), strict=True))
        back = {one: indexed for indexed, one in names.items()}
        pair = TypePair(places, (chances[letters[0]], chances[letters[1]]), self.levels)
        return Marginal(pair, observable.xreplace(names), restore=lambda expr: expr.xreplace(back))

    def _piece(self, a: int, observable: Expr) -> Marginal:
        names = {self.p[a, i]: symbols.p[i] for i in range(self.levels[a])}
        back = {one: indexed for indexed, one in names.items()}
        return Marginal(self.columns[a], observable.xreplace(names), restore=lambda expr: expr.xreplace(back))

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put into its source."""
        return evolve(self, columns=tuple(column.substitute(values) for column in self.columns))


@frozen
class TypePair(Pair):
    """Two types in different columns, each 1 or 0 at a point."""

    levels: tuple[int, ...]

    def tied(self, source: Any) -> Expr:
        """Return P(both) - P(one) P(other)."""
        (a, i), (b, j) = self.places
        rows = zip(product(*map(range, self.levels)), source.probabilities, strict=True)
        return Add(*(chance for row, chance in rows if (row[a], row[b]) == (i, j))) - self.means[0] * self.means[1]


def margins(levels: tuple[int, ...], chances: tuple[Expr, ...]) -> list[list[Expr]]:
    """Return the probabilities of every column's types."""
    margins: list[list[Expr]] = [[S.Zero] * size for size in levels]
    for place, chance in zip(product(*map(range, levels)), chances, strict=True):
        for a, i in enumerate(place):
            margins[a][i] += chance
    return margins
