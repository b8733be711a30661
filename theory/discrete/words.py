"""The chain of refitted n-gram models: every model that a text of M tokens can leave, and what absorbs them.

There are finitely many, so the refits are a finite Markov chain, written down here model by model. What absorbs it are
*cycles*, words that repeat for ever, of which a constant text is only the shortest.
"""

from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from typing import Any

from attrs import frozen
from sympy import Add, Expr, Rational, S, log
from sympy.polys.domains import QQ
from sympy.polys.matrices import DomainMatrix

from theory.discrete.texts import Law, Model, Refit, said
from theory.errors import NotClosed
from theory.exact import generation_number
from theory.families.markov import NGram, slid
from theory.loop import Loop
from theory.procedures import Procedure
from theory.regimes import Replace
from theory.sampling import Faithful

TEXTS = 10_000
"""Texts of M tokens beyond which the chain is refused."""


def words(loop: Loop) -> "Words":
    """Return the chain of a faithful n-gram loop with numbers for M and the source.

    Raises:
        NotClosed: another estimator, regime or sampling, or more texts than can be written down.
        ValueError: no numbers, or too few samples.

    >>> words(Loop(NGram(1, text="abba"), samples=4)).support(1)
    31/16
    """
    family = loop.law
    plain = isinstance(loop.regime, Replace) and isinstance(loop.sampling, Faithful)
    if not isinstance(family, NGram) or not plain or isinstance(loop.estimator, Procedure):
        raise NotClosed(
            f"{loop.estimator} under {loop.regime} with {loop.sampling} is no chain of words. "
            "Ask absorption of a faithful replace loop, or simulate(loop)."
        )
    if not loop.samples.is_Integer:
        raise ValueError(f"absorption needs numbers, and samples = {loop.samples} is none. Give loop.at(M=...).")
    real: Any = family.outside(loop.source)
    return Words(int(loop.samples), family, real)


@frozen
class Words:
    """Answers about texts of M tokens, refitted by ``source``'s family; generation n counts fits, the source is 0.

    A model is *absorbed* when it repeats one cycle for ever, a deterministic map of contexts. A cycle of L contexts
    absorbs exactly if a text of M tokens says it and nothing else: L <= M - k for order k where a text that ends
    restarts, since its last context must have been seen before; L divides M in a ring, since the seam must not say
    anything new.

    Raises:
        ValueError: fewer tokens than a context and its successor.
        NotClosed: more texts than can be written down.
    """

    samples: int
    source: NGram
    real: NGram | None = None
    """The law of the first text where it remembers more than the family; ``source`` is then its projection."""

    def __attrs_post_init__(self) -> None:
        """Refuse texts that are too short to read, or too many."""
        order, letters = self.source.order, len(self.source.letters)
        if self.samples <= order:
            raise ValueError(f"samples = {self.samples} hold no context of {order} and its successor. Give more.")
        if not letters:
            raise ValueError("absorption needs a source. Give NGram(order, [[...], ...]) or NGram(order, text=...).")
        if letters**self.samples > TEXTS:
            raise NotClosed(
                f"samples: {letters} letters make {letters}^{self.samples} texts, more than {TEXTS}. "
                "Ask for fewer letters or samples, or simulate(loop)."
            )

    def cycles(self) -> dict[tuple[Hashable, ...], Expr]:
        """Return P(the chain is absorbed in the cycle), short cycles first, by a cycle's tokens.

        >>> half = Rational(1, 2)
        >>> chances = Words(3, NGram(1, [[half, half], [half, half]])).cycles()
        >>> {"".join(map(str, cycle)): chance for cycle, chance in chances.items()}
        {'0': 105/328, '1': 105/328, '01': 59/164}
        """
        chances = sorted(self._absorbed[1].items(), key=lambda item: (len(item[0]), item[0]))
        return {self._named(cycle): _rational(chance) for cycle, chance in chances}

    def probability(self, cycle: Iterable[Hashable]) -> Expr:
        """Return P(the chain is absorbed in the cycle), given by its tokens from any one of them on."""
        return self.cycles().get(self._named(_least(self._numbers(cycle))), S.Zero)

    def lengths(self) -> dict[int, Expr]:
        """Return P(the cycle that absorbs has this length), by length."""
        lengths: dict[int, Expr] = {}
        for cycle, chance in self.cycles().items():
            lengths[len(cycle)] = lengths.get(len(cycle), S.Zero) + chance
        return lengths

    def expected_time(self) -> Expr:
        """Return E T, T the first generation that repeats a cycle: sum_n P(T > n)."""
        return _rational(self._absorbed[0])

    def survival(self, n: int) -> Expr:
        """Return P(model n repeats no cycle)."""
        return self.mean(n, lambda model: int(self.cycle(model) is None))

    def support(self, n: int) -> Expr:
        """Return E[number of distinct tokens in the text of generation n]."""
        return self.mean(n, lambda model: len(model.vocabulary()))

    def contexts(self, n: int) -> Expr:
        """Return E[number of distinct contexts that have a successor at generation n]."""
        return self.mean(n, lambda model: len({context for context, _ in model.pairs(self.source.order)}))

    def ngrams(self, n: int) -> Expr:
        """Return E[number of distinct (context, successor) at generation n]."""
        return self.mean(n, lambda model: len(model.pairs(self.source.order)))

    def entropy(self, n: int) -> Expr:
        """Return E[-sum N(c, y)/N log(N(c, y)/N(c))] in nats per token, of the source its own for n = 0.

        >>> half = Rational(1, 2)
        >>> Words(3, NGram(1, [[half, half], [half, half]])).entropy(1)
        log(2)/4
        """
        if not generation_number(n) and self.source.text is None:
            return self.source.differential_entropy()
        law = self._fit(int(n)) if n else {self._origin: QQ(1)}
        weights: dict[Any, Any] = {}
        for model, chance in law.items():
            for share, w in model.surprises(self.source.order).items():
                weights[share] = weights.get(share, QQ(0)) + chance * w
        return Add(*(-_rational(w) * log(_rational(share)) for share, w in weights.items()))

    def lost(self, token: Hashable, n: int) -> Expr:
        """Return P(the token is not in the text of generation n)."""
        (number,) = self._numbers((token,))
        return self.mean(n, lambda model: int(number not in model.vocabulary()))

    def mean(self, n: int, of: Callable[[Model], int]) -> Expr:
        """Return E[of(model n)]; model 0 is the source, its transitions counted once each where it is no text.

        >>> half = Rational(1, 2)
        >>> Words(4, NGram(1, [[half, half], [half, half]])).mean(1, lambda model: len(model.vocabulary()))
        15/8
        """
        law = self._fit(int(n)) if generation_number(n) else {self._origin: QQ(1)}
        return _rational(sum((weight * of(model) for model, weight in law.items()), QQ(0)))

    def cycle(self, model: Model) -> tuple[int, ...] | None:
        """Return the numbers of the tokens that a model repeats for ever, None where it is not absorbed."""
        pairs, order = model.pairs(self.source.order), self.source.order
        onward = dict(pairs)
        if len(onward) < len(pairs) or not self._absorbs(len(onward)):
            return None
        context = start = min(onward)
        word, passed = [], set()
        while context in onward and context not in passed:
            passed.add(context)
            word.append(onward[context])
            context = slid(context, onward[context], order)
        # A walk that does not come back, or passes some contexts over, leaves what is behind it for good.
        return _least(tuple(word)) if context == start and len(passed) == len(onward) else None

    def _absorbs(self, length: int) -> bool:
        return self.samples % length == 0 if self.source.ring else length <= self.samples - self.source.order

    def _named(self, cycle: tuple[int, ...]) -> tuple[Hashable, ...]:
        return tuple(self.source.letters[token] for token in cycle)

    def _numbers(self, tokens: Iterable[Hashable]) -> tuple[int, ...]:
        given, letters = tuple(tokens), self.source.letters
        for token in given:
            if token not in letters:
                raise ValueError(f"token {token!r} is not of the source. Its tokens are {letters}.")
        return tuple(letters.index(token) for token in given)

    @cached_property
    def _refit(self) -> Refit:
        return Refit(self.samples, self.source.order, self.source.ring, {})

    @cached_property
    def _laws(self) -> dict[Model, Law]:
        """The law of the next model, by model, filled in as models occur."""
        return {}

    @cached_property
    def _origin(self) -> Model:
        if self.source.text is not None:
            return said(self.source.codes, self.source.order, self.source.ring)
        alive = [context for context, weight in self.source.stationary().items() if weight]
        table = self.source.table()
        return Model(None, tuple(((c, y), 1) for c in sorted(alive) for y, chance in enumerate(table[c]) if chance))

    @cached_property
    def _first(self) -> Law:
        """The law of model 1."""
        if self.source.text is not None:
            return self._refit.from_model(self._origin)
        return self._refit.from_source(self.real or self.source)

    @cached_property
    def _fits(self) -> list[Law]:
        """The laws of models 1, 2, ..., as far as they were asked for."""
        return [self._first]

    def _fit(self, n: int) -> Law:
        while len(self._fits) < n:
            self._fits.append(self._next(self._fits[-1]))
        return self._fits[n - 1]

    def _after(self, model: Model) -> Law:
        if model not in self._laws:
            self._laws[model] = self._refit.from_model(model)
        return self._laws[model]

    def _next(self, law: Law) -> Law:
        pushed: Law = {}
        for model, weight in law.items():
            for after, chance in self._after(model).items():
                pushed[after] = pushed.get(after, QQ(0)) + weight * chance
        return pushed

    @cached_property
    def _absorbed(self) -> tuple[Any, dict[tuple[int, ...], Any]]:
        """E T, and the probability of every cycle, from the expected visits of the models that are none."""
        if (cycle := self.cycle(self._origin)) is not None:
            return QQ(0), {cycle: QQ(1)}
        visits, chances = self._visits, {}
        flows = [(self._first, QQ(1)), *((self._after(model), times) for model, times in visits.items())]
        for law, times in flows:
            for model, weight in law.items():
                if (cycle := self.cycle(model)) is not None:
                    chances[cycle] = chances.get(cycle, QQ(0)) + times * weight
        return 1 + sum(visits.values(), QQ(0)), chances

    @cached_property
    def _visits(self) -> dict[Model, Any]:
        """Expected number of generations >= 1 at each model that is no cycle: v = first + v Q."""
        inner = self._inner
        place = {model: j for j, model in enumerate(inner)}
        if not inner:
            return {}
        rows = [[QQ(int(i == j)) for j in range(len(inner))] for i in range(len(inner))]
        for j, model in enumerate(inner):
            for after, chance in self._after(model).items():
                if after in place:
                    rows[place[after]][j] -= chance
        first = [[self._first.get(model, QQ(0))] for model in inner]
        system, size = DomainMatrix(rows, (len(inner), len(inner)), QQ), len(inner)
        return dict(zip(inner, system.lu_solve(DomainMatrix(first, (size, 1), QQ)).to_list_flat(), strict=True))

    @property
    def _inner(self) -> list[Model]:
        """The models that are no cycle and can occur."""
        found = dict.fromkeys(model for model in self._first if self.cycle(model) is None)
        waiting = list(found)
        while waiting:
            for after in self._after(waiting.pop()):
                if after not in found and self.cycle(after) is None:
                    found[after] = None
                    waiting.append(after)
        return list(found)


def _least(word: tuple[int, ...]) -> tuple[int, ...]:
    """Return the least rotation of a word."""
    return min(word[at:] + word[:at] for at in range(len(word)))


def _rational(x: Any) -> Expr:
    return Rational(int(x.numerator), int(x.denominator))
