"""The Moran chain: one token at a time gives way to a copy of another, or to a fresh token of the source.

Two devices answer for every vocabulary. Backwards, k tokens descend from k tokens before an event unless the new token
is among them, which is a copy of one of the others, or real. Forwards, an event takes away a token of type i and adds
one of type j with chances x_i and f_j(x_j), so that detailed balance gives the stationary law.
"""

from functools import cached_property
from itertools import pairwise
from math import comb

from attrs import evolve, frozen
from sympy import Add, Expr, Integer, Mul, Rational, S, ff, oo

from theory.discrete.enumeration import Counts, frequencies
from theory.discrete.shown import Shown
from theory.discrete.solving import Fractions
from theory.discrete.source import probabilities, require_numbers
from theory.errors import NotClosed
from theory.exact import generation_number
from theory.latex import latex
from theory.loop import Loop
from theory.regimes import Moran


def moran(loop: Loop) -> "Replacements":
    """Return the chain of a Moran loop with numbers for M, the source and the share of real tokens."""
    require_numbers(loop)
    assert isinstance(loop.regime, Moran)
    return Replacements(int(loop.samples), probabilities(loop), loop.regime.real)


@frozen
class Replacements(Shown):
    """Answers about M tokens, of which one is replaced in every fit after the first.

    Generation 1 has M tokens of the source, and generation n has seen n - 1 replacements. A new token is real with
    probability u = ``real``, else a copy of any of the M before, the one that gives way included. A chain that starts
    from counts is `given` them: these are generation 0, and every generation is a replacement.

    Source: P. A. P. Moran, Random processes in genetics (1958).

    >>> chain = Replacements(2, (Rational(1, 2), Rational(1, 2)))
    >>> chain.expected_time(), chain.survival(3), chain.lost(0, 1)
    (2, 1/8, 1/4)
    """

    words = "chain of single replacements"

    samples: int
    probabilities: tuple[Expr, ...]
    real: Expr = S.Zero
    start: Counts | None = None
    """The counts of generation 0, None where it is the source."""

    @property
    def rule(self) -> str:
        """One token gives way, one comes."""
        new = "p_{n-1}" if self.real == 0 else rf"{latex(self.real)} \, p_0 + {latex(1 - self.real)} \, p_{{n-1}}"
        return rf"p_{{n-1}} + \left(e_{{i \sim {new}}} - e_{{j \sim p_{{n-1}}}}\right) / {self.samples}"

    def given(self, *counts: int) -> "Replacements":
        """Return the chain from counts x_i at generation 0, M together.

        >>> Replacements(2, (Rational(1, 3), Rational(2, 3))).given(1, 1).expected_time()
        2
        """
        frequencies(counts, self._types, self.samples)
        return evolve(self, start=counts)

    def probability(self, token: int) -> Expr:
        """Return P(the chain is absorbed at ``token``), its frequency at the start, since that is a martingale."""
        self._require_absorption()
        return self._shares[self._known(token)]

    def expected_time(self) -> Expr:
        """Return E T = 1 + sum_(k=2..M) M^2/(k(k-1)) (1 - sum_i p_i^k), T the first generation with one type left.

        M^2/(k(k-1)) is how many events on average pass while the M tokens descend from k of the first fit. From counts
        x, T counts events alone, and p_i^k is the chance (x_i)_k/(M)_k that k different tokens are of type i.
        """
        return Add(*(self._time_at(token) for token in range(self._types)))

    def conditional_time(self, token: int) -> Expr:
        """Return E[T | ``token`` is the type left] = E[T; token]/P(token), for a type that is there."""
        chance = self.probability(token)
        if chance == 0:
            raise ValueError(f"token {token} is not there and never left over. Ask for another.")
        return self._time_at(token) / chance

    def survival(self, n: int) -> Expr:
        """Return P(more than one type is left at generation n)."""
        return 1 - Add(*(self._all_in([token], n) for token in range(self._types)))

    def lost(self, token: int, n: int) -> Expr:
        """Return P(p_token = 0 at generation n): every line back ends in another type."""
        self._known(token)
        return self._all_in([other for other in range(self._types) if other != token], n)

    def support(self, n: int) -> Expr:
        """Return E[number of types left at generation n]."""
        return Add(*(1 - self.lost(token, n) for token in range(self._types)))

    def ancestors(self, n: int) -> list[Expr]:
        """Return P(k lines of the M tokens of generation n reach back to the first tokens), k = 0..M."""
        numbers, drawn = Fractions(), int(self.start is None)
        ends = [numbers.number(self._end(k)) for k in range(self.samples + 1)]
        law = [numbers.number(Integer(k == self.samples)) for k in range(self.samples + 1)]
        for _ in range(generation_number(n, drawn) - drawn):
            ended = [*(end * weight for end, weight in zip(ends[1:], law[1:], strict=True)), 0]
            law = [(1 - end) * weight + below for end, weight, below in zip(ends, law, ended, strict=True)]
        return [S(numbers.answer(weight)) for weight in law]

    def spectrum(self) -> dict[Expr, int]:
        """Return the eigenvalues 1 - k u/M - k(k-1)(1-u)/M^2, k = 0..M, with multiplicity binomial(k + K - 2, k)."""
        values: dict[Expr, int] = {S.One: 0}
        for k in range(self.samples + 1):
            value = 1 - self._end(k)
            values[value] = values.get(value, 0) + (comb(k + self._types - 2, k) if self._types > 1 else int(k == 0))
        return {value: times for value, times in values.items() if times}

    def stationary(self) -> "Balanced":
        """Return the law of the counts as n grows, where some tokens are real."""
        if self.real == 0:
            raise NotClosed(
                "regime: Moran() without real tokens ends with one type, and its last law depends on the source. "
                "Ask for probability(token), or for Moran(real=u) with u > 0."
            )
        counts = range(self.samples + 1)
        return Balanced(self.samples, tuple(tuple(self._birth(p, x) for x in counts) for p in self.probabilities))

    @property
    def _types(self) -> int:
        return len(self.probabilities)

    def _birth(self, p: Expr, x: int) -> Expr:
        """Return P(the new token is of a type with probability p in the source, of which there are x)."""
        return self.real * p + (1 - self.real) * Rational(x, self.samples)

    def _merge(self, k: int) -> Expr:
        """Return P(an event joins two of k lines): the new token is one of them, a copy of another."""
        return (1 - self.real) * Rational(k * (k - 1), self.samples**2)

    def _end(self, k: int) -> Expr:
        """Return P(an event leaves k - 1 of k lines): two are joined, or one is that of a real token."""
        return self._merge(k) + self.real * Rational(k, self.samples)

    def _time_at(self, token: int) -> Expr:
        """Return E[T; token is left] = sum_n (P(token in the end) - P(token alone at generation n))."""
        share = self.probability(token)
        if share in (0, 1):
            return S.Zero
        waits = (self._start([token], k) for k in range(2, self.samples + 1))
        first = share if self.start is None else S.Zero
        return first + Add(*((share - alone) / self._merge(k) for k, alone in enumerate(waits, 2)))

    def _start(self, types: list[int], k: int) -> Expr:
        """Return P(k different tokens of the start are all of these types); the first fit draws them."""
        if self.start is None:
            return Add(*(self.probabilities[i] for i in types)) ** k
        return ff(sum(self.start[i] for i in types), k) / ff(self.samples, k)

    def _all_in(self, types: list[int], n: int) -> Expr:
        """Return P(all tokens are of these types at generation n), by the lines of k = 0..M of them.

        u_k(n) = (1 - end_k) u_k(n-1) + (merge_k + real k/M p) u_(k-1)(n-1), p the probability of these types.
        """
        steps, numbers = generation_number(n) - int(self.start is None), Fractions()
        mass = Add(*(self.probabilities[i] for i in types))
        if steps < 0:
            return Integer(mass == 1)
        size = range(self.samples + 1)
        stay = [numbers.number(1 - self._end(k)) for k in size]
        fall = [numbers.number(self._merge(k) + self.real * mass * Rational(k, self.samples)) for k in size]
        lines = [numbers.number(self._start(types, k)) for k in size]
        for _ in range(steps):
            before = [0, *lines[:-1]]
            lines = [a * x + b * y for a, x, b, y in zip(stay, lines, fall, before, strict=True)]
        return S(numbers.answer(lines[-1]))

    @property
    def _shares(self) -> tuple[Expr, ...]:
        """The frequencies that the chain starts from."""
        return self.probabilities if self.start is None else tuple(Rational(x, self.samples) for x in self.start)

    def _known(self, token: int) -> int:
        if token not in range(self._types):
            raise ValueError(f"token {token} does not exist: there are {self._types}. Count from 0.")
        return token

    def _require_absorption(self) -> None:
        if self.real != 0:
            raise NotClosed(
                f"regime: under Moran(real={self.real}) every type comes back from the source, so that none is left "
                "for good. Ask for stationary()."
            )


@frozen(eq=False)
class Balanced:
    """The law in detailed balance with moves i -> j of chance x_i f_j(x_j): prop. to prod_j prod_(m<x_j) f_j(m)/(m+1).

    Where f_j(m) is a line in m of the same slope s for all types, this is the Dirichlet-multinomial law with
    ``parameters`` f_j(0)/s, and with ``theta`` for their sum.

    >>> law = Replacements(6, (Rational(1, 3), Rational(2, 3)), Rational(1, 5)).stationary()
    >>> law.theta, law.marginal(0)[0]
    (3/2, 1024/3003)
    """

    samples: int
    births: tuple[tuple[Expr, ...], ...]
    """f_j(m), m = 0..M, for every type j."""

    def probability(self, counts: Counts) -> Expr:
        """Return P(counts)."""
        if len(counts) != len(self.births) or sum(counts) != self.samples or min(counts) < 0:
            raise ValueError(f"counts = {counts}. Give {len(self.births)} counts >= 0 that sum to {self.samples}.")
        return Mul(*(row[x] for row, x in zip(self._weights, counts, strict=True))) / self._total

    def marginal(self, token: int) -> list[Expr]:
        """Return P(x_token = x), x = 0..M."""
        rest = _convolved([row for j, row in enumerate(self._weights) if j != token], self.samples)
        return [own * other / self._total for own, other in zip(self._weights[token], reversed(rest), strict=True)]

    @property
    def parameters(self) -> tuple[Expr, ...]:
        """The parameters of the Dirichlet-multinomial law, infinite where all tokens are real."""
        slopes = {after - before for row in self.births for before, after in pairwise(row)}
        (slope,) = slopes
        return tuple(row[0] / slope if slope else oo if row[0] else S.Zero for row in self.births)

    @property
    def theta(self) -> Expr:
        """The sum of the parameters."""
        return Add(*self.parameters)

    @cached_property
    def _weights(self) -> list[list[Expr]]:
        weights: list[list[Expr]] = []
        for row in self.births:
            products = [S.One]
            for m in range(self.samples):
                products.append(products[-1] * row[m] / (m + 1))
            weights.append(products)
        return weights

    @cached_property
    def _total(self) -> Expr:
        return _convolved(self._weights, self.samples)[-1]


def _convolved(rows: list[list[Expr]], upto: int) -> list[Expr]:
    """Return the sums over x_1 + x_2 + ... = 0..upto of the products of entries x_j of row j."""
    found: list[Expr] = [S.One] + [S.Zero] * upto
    for row in rows:
        found = [Add(*(found[total - x] * row[x] for x in range(total + 1))) for total in range(upto + 1)]
    return found
