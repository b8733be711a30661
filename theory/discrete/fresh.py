"""Fresh real data in every generation: Wright-Fisher with immigration, where nothing is lost for ever.

Of the M tokens of a fit some are drawn from the source and the others from the last model. A line of descent ends where
it meets a real token, so the chain forgets its start. Every answer is read from the lineages of one type against the
rest, for any vocabulary, and over the symbols of the real share and of the probabilities where they are left.
"""

from collections import Counter
from functools import cached_property
from math import lcm

from attrs import frozen
from sympy import Expr, Integer, Rational, S, ff, oo

from theory.discrete.alone import Alone
from theory.discrete.beta_binomial import BetaBinomial, beta_binomial
from theory.discrete.lineages import Lineages, bernoulli_lineages, fixed_lineages
from theory.discrete.vocabulary import Vocabulary, require_generation, spectrum
from theory.field import Element


@frozen
class Fresh(Vocabulary):
    """Answers about M tokens per generation, a share of them real and drawn anew; generation n counts fits.

    Args:
        samples: M >= 1, a number.
        probabilities: the source, numbers or expressions.
        share: alpha in (0, 1]; a number, or an expression where ``independent``: answers are rational functions then.
        independent: whether each token is real with probability alpha, or exactly alpha*M are.

    >>> from theory.symbols import alpha
    >>> Fresh(3, (Rational(1, 2), Rational(1, 2)), alpha).expected_time()
    (alpha**2 - 2*alpha + 13)/(alpha**2 - 2*alpha + 4)
    >>> Fresh(3, (Rational(1, 2), Rational(1, 2)), S(1)).lost(token=0)
    1/8
    """

    share: Expr
    independent: bool = True

    def __attrs_post_init__(self) -> None:
        """Refuse a chain without real data, and a share that has no fixed count."""
        if self.share == 0:
            raise ValueError("share = 0 leaves no real data. Ask the chain of a replace loop.")
        if not self.independent and not (self.share * self.samples).is_Integer:
            raise ValueError(
                f"share = {self.share}: alpha*M of the {self.samples} tokens are real, and that is no whole number. "
                "Give such a share, or count='bernoulli'; expect and stationary leave alpha symbolic."
            )

    def probability(self, token: int) -> Expr:
        """P(``token`` is the one left at the first generation with one type left); real data brings others back."""
        chance = self._chance(token)
        return chance if chance in (0, 1) else self._expr(self._alone.probability(self._lineages(chance)))

    def expected_time(self) -> Expr:
        """E[T], T = the first generation with one type left; 0 for a source of one type."""
        return S.Zero if self._single else self._expr(self._alone.expected_time)

    def survival(self, n: Expr | int) -> Expr:
        """P(T > n), T = the first generation with one type left."""
        if require_generation(n) == 0 or self._single:
            return S(int(not self._single))
        return self._expr(self._field.one - self._alone.reached(int(n)))

    def lost_from(self, token: int, count: int, n: Expr | int) -> Expr:
        """P(p_token = 0) n generations after a fit that held the token ``count`` times."""
        if not 0 <= count <= self.samples:
            raise ValueError(f"count = {count} of {self.samples} tokens. Give 0 <= count <= {self.samples}.")
        if n == oo:
            return self.lost(token)
        others = self._lineages(1 - self._chance(token))
        return self._expr(others.after(others.counted(self.samples - count), require_generation(n))[-1])

    def law(self, token: int, n: Expr | int = oo) -> list[Expr]:
        """P(``token`` is drawn x times at generation n >= 1), x = 0..M; n = oo is the stationary law."""
        when = n if n == oo else require_generation(n, least=1)
        return [self._expr(x) for x in self._lineages(self._chance(token)).law(when)]

    def beta_binomial(self, token: int) -> BetaBinomial:
        """The diffusion's answer for the stationary law of a token's count: only an approximation, and how far off.

        Raises:
            ValueError: symbols in the chain, or a token of probability 0 or 1.
        """
        chance = self._chance(token)
        if self._field.generators or chance in (0, 1):
            raise ValueError(
                f"p = {chance}, alpha = {self.share}: the beta-binomial law is compared with numbers, 0 < p < 1. "
                "Put numbers in."
            )
        return beta_binomial(chance, 2 * self.samples * self.share, self.law(token))

    def spectrum(self) -> dict[Expr, int]:
        """1 once, and lambda_j with multiplicity binomial(j + K - 2, K - 2), j = 1..M, equal ones added up.

        lambda_j = (1 - alpha)^j M(M-1)...(M-j+1)/M^j, and L(L-1)...(L-j+1)/M^j for exactly L = (1 - alpha)M copies.
        """
        M, copied = Integer(self.samples), 1 - self.share
        if self.independent:
            return spectrum(lambda j: copied**j * ff(M, j) / M**j, self.samples, len(self.probabilities))
        return spectrum(lambda j: ff(copied * M, j) / M**j, self.samples, len(self.probabilities))

    def parameters(self) -> tuple[Expr, ...]:
        """Return the share."""
        return (self.share,)

    def absent(self, chance: Expr, n: Expr | int) -> Element:
        """Return P(all M tokens are of other types)."""
        others = self._lineages(1 - chance)
        return others.limit_of_all if n == oo else others.after(others.first, int(n) - 1)[-1]

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


def _denominator(value: Expr) -> int:
    return int(value.q) if isinstance(value, Rational) else 1
