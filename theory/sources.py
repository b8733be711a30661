"""`sources`: what each of the three error sources adds to a loop's error, alone, in pairs and all together.

A loop has eight variants, each of the statistical, expressivity and approximation error on or off. The error of each
variant is a cell; interactions are the cells' Moebius transform, shares their Shapley values, and both add up to the
whole error exactly.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, reduce
from itertools import combinations
from typing import Any, Generic, TypeVar, get_args

from attrs import evolve, field, frozen
from sympy import Add, Expr, Rational, S, expand_log, oo

from theory.cells import SPREADS, log_variances, spread_of, value_at
from theory.errors import NotClosed
from theory.expect import expect
from theory.families.markov import NGram
from theory.latex import latex
from theory.loop import ErrorSource, Loop
from theory.risk import risk

SOURCES: tuple[ErrorSource, ...] = get_args(ErrorSource)
LETTERS: Mapping[str, str] = {source: source[0].upper() for source in SOURCES}
Cell = frozenset[str]
"""The error sources that are on."""
CELLS: tuple[Cell, ...] = tuple(frozenset(on) for size in range(4) for on in combinations(SOURCES, size))
Value = TypeVar("Value")


def name(cell: Cell) -> str:
    """Return a cell's name, the initials of the sources that are on.

    >>> name(frozenset()), name(frozenset({"approximation", "statistical"}))
    ('none', 'SA')
    """
    return "".join(LETTERS[source] for source in SOURCES if source in cell) or "none"


@frozen(eq=False)
class Decomposition(Generic[Value]):
    """The eight cells v(on), each the error with just the sources ``on`` at work, and how they come together.

    Numbers, arrays and expressions will do, whatever can be added and halved.

    >>> from sympy import Integer
    >>> split = Decomposition({cell: Integer(len(cell) ** 2) for cell in CELLS})
    >>> split.total, split.shares["statistical"], split.interactions[frozenset({"statistical", "expressivity"})]
    (9, 3, 2)
    """

    cells: Mapping[Cell, Value]

    def __attrs_post_init__(self) -> None:
        """Refuse a table that is not whole."""
        if missing := [name(cell) for cell in CELLS if cell not in self.cells]:
            raise ValueError(f"the cells {', '.join(missing)} are missing. Give all eight, from none to SEA.")

    @property
    def total(self) -> Value:
        """v(all) - v(none): what the three sources add together."""
        return self._sum(iter(((1, self.cells[CELLS[-1]]), (-1, self.cells[CELLS[0]]))))

    @cached_property
    def interactions(self) -> Mapping[Cell, Value]:
        """m(on) = sum over subsets of (-1)^(|on| - |subset|) v(subset): what a set adds that no smaller one does.

        They sum to v(all); m(none) is the error without any source.
        """
        # Difference after difference, so that a source which changes no cell leaves 0 and not a rounding error.
        found = dict(self.cells)
        for source in SOURCES:
            for cell in CELLS:
                if source in cell:
                    found[cell] = self._sum(iter(((1, found[cell]), (-1, found[cell - {source}]))))
        return found

    @cached_property
    def shares(self) -> Mapping[str, Value]:
        """Shapley's value of each source: what it adds, averaged over the orders in which sources are switched on.

        phi(s) = sum over sets with s of m(set)/|set|, since what only a set adds is divided evenly among its members;
        the three sum to ``total``.

        Source: L. S. Shapley, A value for n-person games, Contributions to the Theory of Games II, 307-317 (1953).
        """
        return {
            source: self._sum((Rational(1, len(on)), m) for on, m in self.interactions.items() if source in on)
            for source in SOURCES
        }

    def _sum(self, terms: Iterator[tuple[Any, Any]]) -> Any:
        """Return the weighted sum; weights are fractions, which floats take as floats."""
        total: Any = 0
        for weight, value in terms:
            total = total + (weight * value if isinstance(value, Expr) else float(weight) * value)
        return total


@frozen(eq=False)
class Sources(Decomposition[Expr]):
    """The decomposition of a loop's error in symbols. Prints as a table, in text and in LaTeX."""

    loop: Loop = field(kw_only=True)
    metric: str = field(kw_only=True)
    conditions: tuple[Expr, ...] = field(default=(), kw_only=True)

    def _sum(self, terms: Iterator[tuple[Any, Expr]]) -> Expr:
        """Return the sum, and 0 where logarithms of products tell that it is."""
        total = super()._sum(terms)
        return S.Zero if expand_log(S(total), force=True).expand() == 0 else S(total)

    def at(self, **values: Any) -> "Sources":
        """Return the decomposition with exact values put in by name, the generation ``n`` among them."""
        known = {s.name: s for cell in self.cells.values() for s in cell.free_symbols}
        put = {known[key]: S(value) for key, value in values.items() if key in known}
        return evolve(self, cells={cell: value.subs(put).doit() for cell, value in self.cells.items()})

    def __str__(self) -> str:
        """Return cells, interactions and shares as a table."""
        rows = [("cell", "error", "interaction")]
        rows += [(name(cell), str(self.cells[cell]), str(self.interactions[cell])) for cell in CELLS]
        widths = [max(len(row[k]) for row in rows) for k in range(2)]
        table = [f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() for row in rows]
        shares = ", ".join(f"{source} {share}" for source, share in self.shares.items())
        return "\n".join([*table, f"shares: {shares}", f"together: {self.total}"])

    def _repr_latex_(self) -> str:
        cells = [
            rf"\text{{{name(cell)}}} & {latex(self.cells[cell])} & {latex(self.interactions[cell])}" for cell in CELLS
        ]
        shares = [rf"\varphi_{LETTERS[source]} & {latex(share)} &" for source, share in self.shares.items()]
        rows = (r"\text{cell} & \text{error} & \text{interaction}", r" \\ ".join(cells), r" \\ ".join(shares))
        return r"$\begin{array}{lll} " + r" \\ \hline ".join(rows) + r" \end{array}$"


def sources(loop: Loop, metric: str | Callable[[Loop], Expr] = "kl_source_model") -> Sources:
    """Return the eight cells of a loop's error, its sources switched on and off, with interactions and shares.

    Args:
        loop: a loop with the sources as they are; one that is off already adds nothing.
        metric: one of `risk`, such as "kl_source_model", "w2" or "nll"; "log_variance", E log V_n or E log det Sigma_n,
            on which scale samples and procedure add up without interaction; "variance", E V_n, or "ensemble_variance",
            E[V_n + (mu_n - m)^2] about the mean m of the source; or a function of a loop.

    Raises:
        NotClosed: a cell that has no closed form; its name is in the sentence.

    >>> from theory import Gaussian, Tempered, Unbiased
    >>> hot = Loop(Gaussian(0, 1), estimator=Unbiased(), sampling=Tempered(2), samples=5)
    >>> sources(hot, "log_variance").at(n=3).shares["approximation"]
    3*log(2)
    """
    measure = metric if callable(metric) else lambda one: _measured(one, metric)
    cells: dict[Cell, Expr] = {}
    for cell in CELLS:
        here = variant(loop, cell)
        try:
            cells[cell] = measure(here)
        except NotClosed as refusal:
            raise NotClosed(f"cell {name(cell)}: {refusal}") from refusal
    return Sources(cells, loop=loop, metric=getattr(metric, "__name__", str(metric)))


def variant(loop: Loop, on: Cell) -> Loop:
    """Return the loop with just the sources ``on`` at work.

    Raises:
        NotClosed: there is none, because the source's own family does not know the procedure.
    """
    try:
        return reduce(Loop.without, (source for source in SOURCES if source not in on), loop)
    except ValueError as refusal:
        raise NotClosed(f"cell {name(on)} is no loop: {refusal}") from refusal


def _measured(loop: Loop, metric: str) -> Expr:
    if loop.samples == oo and isinstance(loop.law, NGram):
        return value_at(loop, metric, 1)  # infinitely long texts leave every model as the first
    if metric in SPREADS:
        return expect(loop, spread_of(loop, metric)).expression
    if metric == "log_variance":
        return Add(*(expect(loop, one).expression for one in log_variances(loop)))
    return risk(loop, metric).expression  # type: ignore[arg-type]
