"""What a text of M tokens says to an n-gram model, and the law of the next text's: one refit, exactly.

A model is which token followed which context how often. A text of the model is a walk over the places of the old text;
many texts say the same, so laws are kept by what is said.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen
from sympy.polys.domains import QQ

from theory.families.markov import Context, NGram, slid

Row = tuple[tuple[int, Context, Any], ...]
"""(token, context after it, probability) of each step that a walk may take."""
Law = dict["Model", Any]
"""Probability, an element of QQ, of each model."""


@frozen
class Model:
    """The text's first token, and how often each token followed each context; contexts are short at the beginning.

    In a ring the first token is one of those that followed a context, and is left out.
    """

    first: int | None
    counts: tuple[tuple[tuple[Context, int], int], ...]

    def vocabulary(self) -> set[int]:
        """Return the tokens of the text."""
        first = set() if self.first is None else {self.first}
        return first | {token for (_, token), _ in self.counts}

    def pairs(self, order: int) -> set[tuple[Context, int]]:
        """Return the distinct (context, successor), contexts whole."""
        return {pair for pair, _ in self.counts if len(pair[0]) == order}

    def surprises(self, order: int) -> dict[Any, Any]:
        """Return how often a token had the probability N(c, y)/N(c) after its context, by that probability, as a share
        of the tokens that follow whole contexts.
        """
        whole = {pair: count for pair, count in self.counts if len(pair[0]) == order}
        contexts, size = Counter[Context](), sum(whole.values())
        for (context, _), count in whole.items():
            contexts[context] += count
        shares: dict[Any, Any] = {}
        for (context, _), count in whole.items():
            _add(shares, QQ(count, contexts[context]), QQ(count, size))
        return shares


def said(text: tuple[int, ...], order: int, ring: bool) -> Model:
    """Return what a text says: N(c, y) for every context c and token y after it.

    >>> said((0, 1, 0), 1, ring=False).counts
    ((((0,), 1), 1), (((1,), 0), 1))
    """
    size = len(text)
    if ring:
        before = [tuple(text[(t - j) % size] for j in range(order, 0, -1)) for t in range(size)]
        return Model(None, _counted(zip(before, text, strict=True)))
    before = [text[max(0, t - order) : t] for t in range(1, size)]
    return Model(text[0], _counted(zip(before, text[1:], strict=True)))


def _counted(pairs: Iterable[tuple[Context, int]]) -> tuple[tuple[tuple[Context, int], int], ...]:
    return tuple(sorted(Counter(pairs).items()))


@frozen(eq=False)
class Refit:
    """Texts of M = ``samples`` tokens and what they say, for a family of an order and an end."""

    samples: int
    order: int
    ring: bool
    known: dict[tuple[int, ...], Model]
    """What each text says, filled in as texts occur."""

    def from_source(self, source: NGram) -> Law:
        """Return the law of model 1: texts of a source's transitions start in its stationary law.

        The source may remember more than the family.
        """
        rows = {
            context: tuple((y, slid(context, y, source.order), chance) for y, chance in enumerate(row) if chance)
            for context, row in source.table().items()
        }
        start = {(context, context): weight for context, weight in source.stationary().items() if weight}
        texts = _walked(start, rows, (), max(0, self.samples - source.order))
        cut: dict[tuple[int, ...], Any] = {}
        for text, weight in texts.items():
            _add(cut, text[: self.samples], weight)
        return self._read(cut)

    def from_model(self, model: Model) -> Law:
        """Return the law of the next model: texts start at any place, and do so again where no step leads on."""
        rows, places = self._steps(model)
        start: dict[tuple[tuple[int, ...], Context], Any] = {}
        for token, after, chance in places:
            _add(start, ((token,), after), chance)
        return self._read(_walked(start, rows, places, self.samples - 1))

    def _steps(self, model: Model) -> tuple[dict[Context, Row], Row]:
        """Return the steps from every context with a successor, and those to a place drawn at random."""
        steps: dict[Context, list[tuple[int, Context, int]]] = {}
        places = [] if model.first is None else [(model.first, slid((), model.first, self.order), 1)]
        for (context, token), count in model.counts:
            step = (token, slid(context, token, self.order), count)
            steps.setdefault(context, []).append(step)
            places.append(step)
        return {context: _shares(row) for context, row in steps.items()}, _shares(places)

    def _read(self, texts: Mapping[tuple[int, ...], Any]) -> Law:
        law: Law = {}
        for text, weight in texts.items():
            if text not in self.known:
                self.known[text] = said(text, self.order, self.ring)
            _add(law, self.known[text], weight)
        return law


def _walked(
    start: dict[tuple[tuple[int, ...], Context], Any], rows: Mapping[Context, Row], places: Row, steps: int
) -> dict[tuple[int, ...], Any]:
    """Return the law of the texts that walks write; from a context without a row they go on from a random place."""
    law = start
    for _ in range(steps):
        longer: dict[tuple[tuple[int, ...], Context], Any] = {}
        for (text, context), weight in law.items():
            for token, after, chance in rows.get(context, places):
                _add(longer, ((*text, token), after), weight * chance)
        law = longer
    texts: dict[tuple[int, ...], Any] = {}
    for (text, _), weight in law.items():
        _add(texts, text, weight)
    return texts


def _shares(steps: list[tuple[int, Context, int]]) -> Row:
    total = sum(count for *_, count in steps)
    return tuple((token, after, QQ(count, total)) for token, after, count in steps)


def _add(law: dict[Any, Any], key: Any, weight: Any) -> None:
    law[key] = law[key] + weight if key in law else weight
