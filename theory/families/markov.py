"""The n-gram family: the next token depends on the ``order`` tokens before it, with probabilities counted from a text.

Tokens of such a model are not independent, so a generation is one text of M tokens, and what a fit remembers is which
token followed which context how often. This file says how a text is read; `theory.discrete.words` what becomes of it.
"""

from collections.abc import Hashable, Iterable, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar, Literal, Self

from attrs import evolve, field, frozen
from sympy import Expr, IndexedBase, Rational, S, Symbol
from sympy.polys.domains import QQ
from sympy.polys.matrices import DomainMatrix

from theory.errors import NotClosed
from theory.exact import exact
from theory.families.base import Family, Marginal, Parameters
from theory.families.orders import entropy, lengthened, rate, shortened

Context = tuple[int, ...]
"""The last tokens before a place, fewer than the order at the beginning of a text."""
End = Literal["restart", "ring"]
_P = IndexedBase("P")


def _rows(values: Any) -> tuple[tuple[Expr, ...], ...] | None:
    if values is None:
        return None
    rows = tuple(tuple(exact(chance, f"P[{c}][{y}]") for y, chance in enumerate(row)) for c, row in enumerate(values))
    for c, row in enumerate(rows):
        if not all(chance.is_Rational and chance >= 0 for chance in row) or sum(row) != 1:
            raise ValueError(f"NGram: row {c} is {row}. Give rational numbers >= 0 that sum to 1.")
    return rows


def _tokens(text: Iterable[Hashable] | None) -> tuple[Hashable, ...] | None:
    return None if text is None else tuple(text)


def _short(values: tuple[Any, ...] | None) -> str:
    """Return a source in a few characters; a long one by its size and a digest, so that two are told apart."""
    if values is None or len(values) <= 16:
        return repr(values)
    return f"<{len(values)}, sha256 {sha256(repr(values).encode()).hexdigest()[:12]}>"


@frozen
class NGram(Family):
    """P(x_t = y | past) = P[x_(t-k) ... x_(t-1)][y], k the order; a fit counts N(c, y)/N(c) in a text of M tokens.

    Args:
        order: k >= 1, the tokens that the next one depends on: 1 for bigrams. 0, tokens without memory, only in a ring.
        transitions: K^k rows of K rational numbers, contexts in the order of the alphabet; texts of this source start
            from its stationary law.
        text: a text that the source is counted from, a string or any sequence of tokens.
        end: what becomes of a context that is seen only where the text ends. "restart": a text that has run into it
            goes on from a place of the old text drawn at random. "ring": a text is read in a ring, its first token
            after its last, so that every context has a successor.

    A text of the model starts at a place of the old text drawn at random, so a context that is never seen again is
    never entered again. Recorded by a simulation: `vocabulary`, the number of distinct tokens; `contexts` and `ngrams`,
    the numbers of distinct contexts and of distinct (context, successor); `entropy` = -sum N(c, y)/N log N(c, y)/N(c)
    in nats per token; `cycle`, the length of the cycle that the model repeats for ever, 0 where it is none.

    Raises:
        ValueError: an order that is no whole number, rows that are no laws, or neither or both of the two sources.

    >>> NGram(1, text="abracadabra").letters
    ('a', 'b', 'r', 'c', 'd')
    """

    vocabulary: ClassVar[Symbol] = Symbol("vocabulary", nonnegative=True)
    contexts: ClassVar[Symbol] = Symbol("contexts", nonnegative=True)
    ngrams: ClassVar[Symbol] = Symbol("ngrams", nonnegative=True)
    entropy: ClassVar[Symbol] = Symbol("entropy", nonnegative=True)
    cycle: ClassVar[Symbol] = Symbol("cycle", nonnegative=True)
    recorded: ClassVar[tuple[Symbol, ...]] = (vocabulary, contexts, ngrams, entropy, cycle)

    order: int = 1
    transitions: tuple[tuple[Expr, ...], ...] | None = field(default=None, converter=_rows, repr=_short)
    text: tuple[Hashable, ...] | None = field(default=None, converter=_tokens, repr=_short, kw_only=True)
    end: End = field(default="restart", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse what is no n-gram model."""
        if self.end not in ("restart", "ring"):
            raise ValueError(f"NGram: end = {self.end!r} is no way to read a text. Choose restart or ring.")
        least = 0 if self.ring else 1
        if not isinstance(self.order, int) or isinstance(self.order, bool) or self.order < least:
            raise ValueError(
                f"NGram: order = {self.order!r} with end = {self.end!r}. Give a whole number >= {least}, 1 for bigrams."
            )
        if self.transitions is not None and self.text is not None:
            raise ValueError("NGram: transitions and a text are two sources. Give one.")
        self._check_source()

    def _check_source(self) -> None:
        if self.transitions is not None:
            letters = len(self.transitions[0]) if self.transitions else 0
            if len(self.transitions) != letters**self.order or any(len(row) != letters for row in self.transitions):
                raise ValueError(
                    f"NGram: order {self.order} over {letters} letters has {letters**self.order} rows of {letters}, "
                    f"not {len(self.transitions)} rows. Give a row for every context."
                )
        if self.text is not None and len(self.text) <= self.order:
            raise ValueError(f"NGram: {len(self.text)} tokens hold no context of {self.order}. Give a longer text.")

    @property
    def ring(self) -> bool:
        """Whether a text is read in a ring."""
        return self.end == "ring"

    @cached_property
    def letters(self) -> tuple[Hashable, ...]:
        """The tokens of the source, numbered as they first occur; 0, 1, ... for a source of transitions."""
        if self.text is not None:
            return tuple(dict.fromkeys(self.text))
        return tuple(range(len(self.transitions[0]))) if self.transitions else ()

    @cached_property
    def codes(self) -> tuple[int, ...]:
        """The text by the numbers of its tokens."""
        number = {letter: k for k, letter in enumerate(self.letters)}
        return tuple(number[token] for token in self._text())

    def _text(self) -> tuple[Hashable, ...]:
        if self.text is None:
            raise ValueError("NGram: the source is no text. Give NGram(order, text=...).")
        return self.text

    def table(self) -> dict[Context, tuple[Any, ...]]:
        """Return the source's transitions as elements of QQ, by context."""
        if self.transitions is None:
            raise ValueError("NGram: the source has no transitions. Give NGram(order, [[...], ...]).")
        K, k = len(self.letters), self.order
        contexts = (tuple(c // K ** (k - 1 - j) % K for j in range(k)) for c in range(K**k))
        return {c: tuple(QQ(x.p, x.q) for x in row) for c, row in zip(contexts, self.transitions, strict=True)}

    def stationary(self) -> dict[Context, Any]:
        """Return the stationary law of the source's contexts, pi = pi P, as elements of QQ.

        Raises:
            ValueError: there is more than one, because a text never leaves one part of the contexts for another.

        >>> NGram(1, [[0, 1], ["1/2", "1/2"]]).stationary()[1,]
        2/3
        """
        table, k = self.table(), self.order
        place = {c: j for j, c in enumerate(table)}
        size = len(place)
        rows = [[QQ(-int(i == j)) for j in range(size)] for i in range(size)]
        for c, row in table.items():
            for y, chance in enumerate(row):
                rows[place[slid(c, y, k)]][place[c]] += chance
        laws = DomainMatrix(rows, (size, size), QQ).nullspace().to_ddm().to_list()
        if len(laws) != 1:
            raise ValueError("NGram: the source has several stationary laws. Give one connected set of letters.")
        total = sum(laws[0], QQ(0))
        return {c: weight / total for c, weight in zip(place, laws[0], strict=True)}

    @property
    def free_symbols(self) -> set[Symbol]:
        """No symbols: a source is numbers, or a text."""
        return set()

    def source(self) -> Parameters:
        """Return P[c, y] for every context, by number, and every token; only of a source of transitions."""
        rows = self.transitions or ()
        return {_P[c, y]: chance for c, row in enumerate(rows) for y, chance in enumerate(row)}

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family: it has no symbols."""
        del values
        return self

    def project(self, source: Family) -> "NGram":
        """Return the source read as this family reads texts: of transitions with another memory, the law of this order
        with the least KL rate from it, P(y | c) under the source's stationary law.

        Raises:
            ValueError: no n-gram source, or a text that is read with another order.
        """
        if isinstance(source, NGram) and source.order == self.order:
            return evolve(source, end=self.end)
        if isinstance(source, NGram) and source.transitions is None and source.text is None:
            return evolve(self, transitions=None, text=None)
        if not isinstance(source, NGram) or source.transitions is None:
            raise ValueError(
                f"{self} does not know the projection of {source}. Give an NGram of order {self.order}, or transitions."
            )
        if source.order < self.order:
            table = lengthened(source.table(), self.order)
        else:
            table = shortened(source.table(), source.stationary(), self.order)
        return evolve(self, transitions=[[_rational(x) for x in row] for row in table.values()], text=None)

    def outside(self, source: Family | None) -> Family | None:
        """Return the source where it remembers more than the family."""
        return source if isinstance(source, NGram) and source.order > self.order else None

    def divergence(self, source: Family) -> Expr:
        """Return KL(source || projection) per token: h_k - h, the conditional entropies of the two orders.

        >>> half = [[1, 0], [0, 1], [0, 1], [1, 0]]
        >>> NGram(1).divergence(NGram(2, [["3/4", "1/4"], ["1/4", "3/4"], ["1/4", "3/4"], ["3/4", "1/4"]]))
        -log(2) - log(1/4)/4 - 3*log(3/4)/4 + 2*log(2)
        """
        law = self.project(source)
        if self.outside(source) is None:
            return S.Zero
        return law.differential_entropy() - source.differential_entropy()

    def differential_entropy(self) -> Expr:
        """Return h = -sum_c pi(c) sum_y P(y | c) log P(y | c), in nats per token."""
        return entropy(self.table(), self.stationary())

    def rate_from(self, source: "NGram") -> Expr:
        """Return KL(source || this law) in nats per token, this law being of the source's order or a lower one.

        >>> coin, dice = NGram(1, [["1/2", "1/2"]] * 2), NGram(1, [["1/4", "3/4"]] * 2)
        >>> coin.rate_from(dice)
        log(1/2)/4 + 3*log(3/2)/4
        """
        table, weights = source.table(), source.stationary()
        if self.order <= source.order:
            return rate(table, weights, self.table())
        longer = NGram(self.order, [[_rational(x) for x in row] for row in lengthened(table, self.order).values()])
        return rate(longer.table(), longer.stationary(), self.table())

    def marginals(self, observable: Expr) -> tuple[Marginal, ...]:
        """Refuse: the next counts depend on the whole text."""
        raise NotClosed(
            f"family: NGram has no moments of {observable} in closed form, since a context's count is random and its "
            "successors depend on it. Ask absorption(loop) for a small alphabet, or simulate(loop)."
        )


def _rational(x: Any) -> Rational:
    return Rational(int(x.numerator), int(x.denominator))


def slid(context: Context, token: int, order: int) -> Context:
    """Return the context one token on.

    >>> slid((0, 1), 2, 2), slid((), 2, 2), slid((), 2, 0)
    ((1, 2), (2,), ())
    """
    return (*context, token)[-order:] if order else ()
