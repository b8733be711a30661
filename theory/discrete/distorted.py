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

from attrs import field, frozen
from sympy import Expr, Rational, S

from theory.balls import Enclosure, balls
from theory.discrete.enumeration import Chances, Counts, Written, compositions, left
from theory.discrete.solving import Fractions, Intervals
from theory.discrete.source import probabilities, require_numbers
from theory.errors import NotClosed
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
class Distorted:
    """Answers about M tokens a generation, drawn by ``sampling`` from the last frequencies, for the first the source's.

    Every question takes ``given``, the counts of the tokens that the last fit saw, in place of the source; n then
    counts the fits after it. Of equally probable types top-k and top-p keep those named first.

    Raises:
        NotClosed: more than `MOST_STATES` vectors of counts.

    >>> from theory.sampling import Tempered
    >>> chain = Distorted(2, (Rational(1, 3), Rational(2, 3)), Tempered(Rational(1, 2)))
    >>> chain.expected_time(), chain.probability(0), chain.survival(1)
    (41/25, 1/5, 8/25)
    """

    samples: int
    probabilities: Chances
    sampling: Sampling
    _enclosed: dict[int, Written] = field(factory=dict, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Refuse what is too large to be written out."""
        states = comb(self.samples + self._types - 1, self.samples)
        if states > MOST_STATES:
            raise NotClosed(
                f"sampling: {self.samples} tokens of {self._types} types have {states} vectors of counts, and the "
                f"chain of {self.sampling} is written out up to {MOST_STATES}. Ask simulate(loop), or merge types."
            )

    def probability(self, token: int, given: Counts | None = None) -> Answer:
        """Return P(the chain is absorbed at ``token``)."""
        self._check(token, given)
        return self._answer(lambda chain: chain.mean(lambda x: chain.fates[x][1 + token], chain.start(given)))

    def expected_time(self, given: Counts | None = None) -> Answer:
        """Return E T, T the first generation with one type left: t = Q t + 1 on the counts of two types and more."""
        if self._settled(given):
            return S.Zero
        first = int(given is None)
        return self._answer(lambda chain: chain.mean(lambda x: chain.fates[x][0], chain.start(given)) + first)

    def variance_time(self, given: Counts | None = None) -> Answer:
        """Return Var T, from E T^2 = Q E T^2 + 2 E T - 1."""
        if self._settled(given):
            return S.Zero

        def variance(chain: Written) -> Any:
            start = chain.start(given)
            return chain.mean(chain.squares, start) - chain.mean(lambda x: chain.fates[x][0], start) ** 2

        return self._answer(variance)

    def survival(self, n: int, given: Counts | None = None) -> Answer:
        """Return P(more than one type is left at generation n)."""
        return self._mean(lambda counts: int(len(left(counts)) > 1), n, given)

    def lost(self, token: int, n: int, given: Counts | None = None) -> Answer:
        """Return P(p_token = 0 at generation n)."""
        self._check(token, given)
        return self._mean(lambda counts: int(counts[token] == 0), n, given)

    def support(self, n: int, given: Counts | None = None) -> Answer:
        """Return E[number of types left at generation n]."""
        return self._mean(lambda counts: len(left(counts)), n, given)

    def counts(self, n: int, given: Counts | None = None) -> dict[Counts, Answer]:
        """Return the law of the counts at generation n, n >= 1 where it starts from the source."""
        steps = self._steps(n, given)
        if steps < 0:
            raise ValueError("n = 0: the source is no sample and has no counts. Give n >= 1.")
        return {x: self._answer(lambda chain, x=x: chain.after(steps, given).get(x, 0)) for x in self.laws}

    @cached_property
    def laws(self) -> Mapping[Counts, Chances]:
        """For every vector of counts, the law that the next tokens are drawn from."""
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

    def _settled(self, given: Counts | None) -> bool:
        self._check(0, given)
        return len(left(given or self.probabilities)) == 1

    def _check(self, token: int, given: Counts | None) -> None:
        if token not in range(self._types):
            raise ValueError(f"token {token} does not exist: there are {self._types}. Count from 0.")
        if given is not None and given not in self.laws:
            raise ValueError(
                f"given = {given} is no start. Give {self._types} counts >= 0 that sum to {self.samples}, as a tuple."
            )

    def _steps(self, n: int, given: Counts | None) -> int:
        """Return how many fits lie between the start of the chain and generation n, -1 for the source itself."""
        self._check(0, given)
        if not S(n).is_Integer or n < 0:
            raise ValueError(f"n = {n} is not a generation. Give a whole number >= 0.")
        return int(n) - int(given is None)

    def _mean(self, value: Callable[[Any], int], n: int, given: Counts | None) -> Answer:
        steps = self._steps(n, given)
        if steps < 0:
            return S(value(self.probabilities))
        return self._answer(lambda chain: chain.mean(value, chain.after(steps, given)))

    def _answer(self, question: Callable[[Written], Any]) -> Answer:
        """Return an exact answer where chances are rational, else an enclosure, at as many bits as it takes."""
        if self._exact:
            return self._exact.numbers.answer(question(self._exact) + self._exact.numbers.number(S.Zero))
        for bits in (128 * 2**k for k in count()):
            with balls(bits) as arithmetic:
                numbers = Intervals(arithmetic)
                chain = self._enclosed.setdefault(bits, Written(numbers, self.samples, self.laws, self._source))
                found = arithmetic.bounds(question(chain) + numbers.number(S.Zero))
            if found.radius == 0:
                return found.value
            if found.radius <= RELATIVE * abs(found.value):
                return found
        raise AssertionError

    @cached_property
    def _exact(self) -> Written | None:
        """The chain in fractions, None where a chance is irrational."""
        rational = all(chance.is_Rational for law in (self._source, *self.laws.values()) for chance in law)
        return Written(Fractions(), self.samples, self.laws, self._source) if rational else None

    @cached_property
    def _source(self) -> Chances:
        return distorted(self.probabilities, self.sampling)
