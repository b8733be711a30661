"""Fresh real data in every generation: Wright-Fisher with immigration, where nothing is lost for ever.

Of the M tokens of a fit some are drawn from the source and the others from the last model. A line of descent ends where
it meets a real token, so the chain forgets its start. Every answer is read from the lineages of one type against the
rest, for any vocabulary, and over the symbols of the real share and of the probabilities where they are left.
"""

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from math import lcm

from attrs import frozen
from sympy import Expr, Integer, Rational, S, binomial, ff, oo

from theory.discrete.alone import Alone
from theory.discrete.beta_binomial import BetaBinomial, beta_binomial
from theory.discrete.lineages import Lineages, bernoulli_lineages, fixed_lineages
from theory.field import Element, Field, letters


@frozen
class Fresh:
    """Answers about M tokens per generation, a share of them real and drawn anew; generation n counts fits from 1.

    Args:
        samples: M >= 1, a number.
        probabilities: the source, numbers or expressions.
        share: alpha in (0, 1]; a number, or an expression where ``independent``: answers are rational functions then.
        independent: whether each token is real with probability alpha, or exactly alpha*M are.

    >>> from theory.symbols import alpha
    >>> chain = Fresh(3, (Rational(1, 2), Rational(1, 2)), alpha)
    >>> chain.expected_time()
    (alpha**2 - 2*alpha + 13)/(alpha**2 - 2*alpha + 4)
    >>> Fresh(3, (Rational(1, 2), Rational(1, 2)), S(1)).lost(token=0)
    1/8
    """

    samples: int
    probabilities: tuple[Expr, ...]
    share: Expr
    independent: bool = True

    def __attrs_post_init__(self) -> None:
        """Refuse a chain without real data, and a share that has no fixed count."""
        if self.share == 0:
            raise ValueError("share = 0 leaves no real data. Ask the chain of a replace loop.")
        if not self.independent and not (self.share * self.samples).is_Integer:
            raise ValueError(
                f"share = {self.share}: exactly alpha*M of {self.samples} tokens are real, which must be a whole number. "
                "Give such a number, or count='bernoulli'; `expect` and `stationary` leave alpha symbolic."
            )

    def probability(self, token: int) -> Expr:
        """P(``token`` is the one left at the first generation with one type left); real data brings others back."""
        chance = self._chance(token)
        if chance in (0, 1):
            return chance
        return self._expr(self._alone.probability(self._lineages(chance)))

    def expected_time(self) -> Expr:
        """E[T], T = the first generation with one type left; 0 for a source of one type."""
        return S.Zero if self._single else self._expr(self._alone.expected_time)

    def survival(self, n: int) -> Expr:
        """P(T > n), T = the first generation with one type left."""
        _require_generation(n)
        if n == 0 or self._single:
            return S(int(not self._single))
        return self._expr(self._field.one - self._alone.reached(int(n)))

    def lost(self, token: int, n: Expr | int = oo) -> Expr:
        """P(p_token = 0 at generation n); n = oo is the long run."""
        return self._expr(self._absent(self._chance(token), n))

    def lost_from(self, token: int, count: int, n: Expr | int) -> Expr:
        """P(p_token = 0) n generations after a fit that held the token ``count`` times."""
        if not 0 <= count <= self.samples:
            raise ValueError(f"count = {count} of {self.samples} tokens. Give 0 <= count <= {self.samples}.")
        if n == oo:
            return self.lost(token)
        _require_generation(n)
        others = self._lineages(1 - self._chance(token))
        return self._expr(others.after(others.counted(self.samples - count), int(n))[-1])

    def support(self, n: Expr | int = oo) -> Expr:
        """E[number of types with p_i > 0 at generation n] = sum_i (1 - P(i is lost)); n = oo is the long run."""
        return self._sum(lambda chance: self._field.one - self._absent(chance, n))

    def missing(self, n: Expr | int = oo) -> Expr:
        """E[sum of p0_i over the types lost at generation n], the share of real text that the model cannot write."""
        return self._sum(lambda chance: self._field(chance) * self._absent(chance, n))

    def law(self, token: int, n: Expr | int = oo) -> list[Expr]:
        """P(``token`` is drawn x times at generation n >= 1), x = 0..M; n = oo is the stationary law."""
        lineages = self._lineages(self._chance(token))
        if n == oo:
            return [self._expr(x) for x in lineages.limit_law]
        _require_generation(n, least=1)
        return [self._expr(x) for x in lineages.law(lineages.after(lineages.first, int(n) - 1))]

    def beta_binomial(self, token: int) -> BetaBinomial:
        """The diffusion's answer for the stationary law of a token's count: only an approximation, and how far off.

        Raises:
            ValueError: symbols in the chain, or a token of probability 0 or 1.
        """
        chance = self._chance(token)
        if self._field.generators or chance in (0, 1):
            raise ValueError(f"beta_binomial compares numbers, for 0 < p < 1, not p = {chance}, alpha = {self.share}.")
        return beta_binomial(chance, 2 * self.samples * self.share, self.law(token))

    def spectrum(self) -> dict[Expr, int]:
        """1 once, and lambda_j with multiplicity binomial(j + K - 2, K - 2), j = 1..M, equal ones added up.

        lambda_j = (1 - alpha)^j M(M-1)...(M-j+1)/M^j, and L(L-1)...(L-j+1)/M^j for exactly L = (1 - alpha)M copies.
        """
        K = len(self.probabilities)
        values: Counter[Expr] = Counter({Integer(1): 1})
        for j in range(1, self.samples + 1) if K > 1 else ():
            values[self._eigenvalue(j)] += int(binomial(j + K - 2, K - 2))
        return dict(values)

    def _eigenvalue(self, j: int) -> Expr:
        M, copied = Integer(self.samples), 1 - self.share
        return (copied**j * ff(M, j) if self.independent else ff(copied * M, j)) / M**j

    def _absent(self, chance: Expr, n: Expr | int) -> Element:
        """P(a type of this probability is absent): all M tokens are others."""
        others = self._lineages(1 - chance)
        if n == oo:
            return others.limit_of_all
        _require_generation(n)
        return others.after(others.first, int(n) - 1)[-1] if n > 0 else self._field(S(int(chance == 0)))

    def _sum(self, term: Callable[[Expr], Element]) -> Expr:
        terms = (term(chance) * alike for chance, alike in Counter(self.probabilities).items())
        return self._expr(sum(terms, self._field.zero))

    def _lineages(self, chance: Expr) -> Lineages:
        """Return the lineages of a type of this probability."""
        M, below = self.samples, _denominator(chance)
        if self.independent:
            scale = M * lcm(below, _denominator(self.share))
            return bernoulli_lineages(self._field, M, self._field(self.share), self._field(chance), scale)
        return fixed_lineages(self._field, M, int(self.share * M), self._field(chance), below)

    @cached_property
    def _alone(self) -> Alone:
        types = Counter(p for p in self.probabilities if p != 0)
        return Alone(self._field, tuple((alike, self._lineages(p)) for p, alike in types.items()))

    @cached_property
    def _field(self) -> Field:
        found = set().union(*map(letters, (self.share, *self.probabilities)))
        return Field(tuple(sorted(found, key=str)))

    def _expr(self, element: Element) -> Expr:
        return self._field.expr(element)

    @property
    def _single(self) -> bool:
        return 1 in self.probabilities

    def _chance(self, token: int) -> Expr:
        if token not in range(len(self.probabilities)):
            raise ValueError(f"token {token} does not exist: there are {len(self.probabilities)}. Count from 0.")
        return self.probabilities[token]


def _denominator(value: Expr) -> int:
    return int(value.q) if isinstance(value, Rational) else 1


def _require_generation(n: Expr | int, least: int = 0) -> None:
    if not S(n).is_Integer or n < least:
        raise ValueError(f"n = {n} is not a generation. Give a whole number >= {least}.")
