"""The chain of a distorted sampling: M tokens from the last frequencies after temperature, top-k, top-p or min-p.

A distortion favours some counts over others, so that no chain of ancestors answers for it: the chain is written out,
count vector by count vector. Rational chances, as at temperature 1/2, give rational answers; others give an
`Enclosure`, a number with a proved radius.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import count
from math import comb
from typing import Any

from attrs import evolve, field, frozen
from sympy import Expr, Rational, S

from theory.balls import Enclosure, balls
from theory.discrete.enumeration import Chances, Counts, Law, Written, compositions, frequencies, left
from theory.discrete.shown import Shown
from theory.discrete.solving import Fractions, Intervals, Numbers
from theory.discrete.source import probabilities, require_numbers
from theory.errors import NotClosed
from theory.exact import generation_number
from theory.loop import Loop
from theory.population import distorted
from theory.sampling import Sampling

MOST_STATES = 1000
"""The largest chain that is written out."""
RELATIVE = Rational(1, 10**18)
"""The radius of an enclosure, relative to its value, at most."""

Answer = Expr | Enclosure
"""An exact number, or one with a proved radius."""


def distortion(loop: Loop) -> "Distorted":
    """Return the chain of a replace loop with distorted sampling and numbers for M, the source and the distortion."""
    require_numbers(loop)
    return Distorted(int(loop.samples), probabilities(loop), loop.sampling)


@frozen(eq=False)
class Distorted(Shown):
    """p_n given p_(n-1) is Multinomial(M, q)/M with q the distorted p_(n-1); T is the first generation with one type.

    Generation n counts fits, generation 0 is the source, and the first fit sees M tokens of the distorted source; a
    chain that starts from counts is `given` them. Of equally probable types top-k and top-p keep those named first.

    Raises:
        NotClosed: more than `MOST_STATES` vectors of counts.

    >>> from theory.sampling import Tempered
    >>> chain = Distorted(2, (Rational(1, 3), Rational(2, 3)), Tempered(Rational(1, 2)))
    >>> chain.expected_time(), chain.probability(0), chain.survival(1)
    (41/25, 1/5, 8/25)
    """

    words = "chain of a distorted sampling"

    samples: int
    probabilities: Chances
    sampling: Sampling
    _written: dict[int, Written] = field(factory=dict, repr=False)
    """The chain by the bits of its arithmetic, 0 for fractions, shared by all starts."""

    def __attrs_post_init__(self) -> None:
        """Refuse what is too large to be written out."""
        states = comb(self.samples + self._types - 1, self.samples)
        if states > MOST_STATES:
            raise NotClosed(
                f"sampling: {self.samples} tokens of {self._types} types have {states} vectors of counts, and the "
                f"chain of {self.sampling} is written out up to {MOST_STATES}. Ask simulate(loop), or merge types."
            )

    @property
    def rule(self) -> str:
        """Tokens of the distorted last law."""
        return self.drawn(rf"\mathrm{{{type(self.sampling).__name__}}}(p_{{n-1}})")

    def given(self, *counts: int) -> "Distorted":
        """Return the chain from counts x_i at generation 0, M together: it is that of the source p_i = x_i/M."""
        return evolve(self, probabilities=frequencies(counts, self._types, self.samples))

    def probability(self, token: int) -> Answer:
        """Return P(the chain is absorbed at ``token``)."""
        self._check(token)
        return self._answer(lambda chain: chain.mean(lambda x: chain.fates[x][1 + token], self._first(chain)))

    def expected_time(self) -> Answer:
        """Return E T = 1 + E t(first counts), t = Q t + 1 on the counts of two types and more."""
        if len(left(self.probabilities)) == 1:
            return S.Zero
        return self._answer(lambda chain: chain.mean(lambda x: chain.fates[x][0], self._first(chain)) + 1)

    def variance_time(self) -> Answer:
        """Return Var T, from E t^2 = Q E t^2 + 2 E t - 1."""
        if len(left(self.probabilities)) == 1:
            return S.Zero

        def variance(chain: Written) -> Any:
            first = self._first(chain)
            return chain.mean(chain.squares, first) - chain.mean(lambda x: chain.fates[x][0], first) ** 2

        return self._answer(variance)

    def survival(self, n: int) -> Answer:
        """Return P(more than one type is left at generation n)."""
        return self._mean(lambda counts: int(len(left(counts)) > 1), n)

    def lost(self, token: int, n: int) -> Answer:
        """Return P(p_token = 0 at generation n)."""
        self._check(token)
        return self._mean(lambda counts: int(counts[token] == 0), n)

    def support(self, n: int) -> Answer:
        """Return E[number of types left at generation n]."""
        return self._mean(lambda counts: len(left(counts)), n)

    def counts(self, n: int) -> dict[Counts, Answer]:
        """Return the law of the counts at generation n >= 1."""
        fits = generation_number(n, 1)
        return {x: self._answer(lambda chain, x=x: chain.after(self._source, fits).get(x, 0)) for x in self.laws}

    @cached_property
    def laws(self) -> Mapping[Counts, Chances]:
        """For every vector of counts, the law that the next tokens are drawn from."""
        if self._written:
            return next(iter(self._written.values())).laws
        states = compositions(self.samples, self._types)
        return {x: distorted(tuple(Rational(k, self.samples) for k in x), self.sampling) for x in states}

    @property
    def absorbing(self) -> tuple[Counts, ...]:
        """The counts that no fit changes, delta functions.

        No other set of counts is closed: where a law keeps two types and more, M draws may all be of one of them.
        """
        return tuple(x for x, law in self.laws.items() if len(left(law)) == 1 and left(x) == left(law))

    @property
    def _types(self) -> int:
        return len(self.probabilities)

    @cached_property
    def _source(self) -> Chances:
        return distorted(self.probabilities, self.sampling)

    def _first(self, chain: Written) -> Law:
        return chain.after(self._source, 1)

    def _check(self, token: int) -> None:
        if token not in range(self._types):
            raise ValueError(f"token {token} does not exist: there are {self._types}. Count from 0.")

    def _mean(self, value: Callable[[Any], int], n: int) -> Answer:
        fits = generation_number(n)
        if not fits:
            return S(value(self.probabilities))
        return self._answer(lambda chain: chain.mean(value, chain.after(self._source, fits)))

    def _answer(self, question: Callable[[Written], Any]) -> Answer:
        """Return an exact answer where chances are rational, else an enclosure, at as many bits as it takes."""
        if self._rational:
            return self._asked(question, 0, Fractions())
        for bits in (128 * 2**k for k in count()):
            with balls(bits) as arithmetic:
                found = self._asked(question, bits, Intervals(arithmetic))
            if found.radius == 0:
                return found.value
            if found.radius <= RELATIVE * abs(found.value):
                return found
        raise AssertionError

    def _asked(self, question: Callable[[Written], Any], bits: int, numbers: Numbers) -> Any:
        chain = self._written.setdefault(bits, Written(numbers, self.samples, self.laws))
        return numbers.answer(question(chain) + numbers.number(S.Zero))

    @cached_property
    def _rational(self) -> bool:
        return all(chance.is_Rational for law in (self._source, *self.laws.values()) for chance in law)
