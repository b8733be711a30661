"""Fresh real data in every generation: Wright-Fisher with immigration, where nothing is lost for ever.

Of the M tokens of a fit some are drawn from the source and the others from the last model. A line of descent ends where
it meets a real token, so the chain forgets its start. Every answer is read from the lineages of one type against the
rest, for any vocabulary, and over the symbols of the real share and of the probabilities where they are left.
"""

from collections import Counter
from functools import cached_property
from math import lcm

from attrs import frozen
from sympy import Expr, Integer, S, ff, oo

from theory.discrete.alone import Alone
from theory.discrete.beta_binomial import BetaBinomial, beta_binomial
from theory.discrete.lineages import Lineages, bernoulli_lineages, fixed_lineages
from theory.discrete.vocabulary import Curve, Vocabulary
from theory.exact import generation_number
from theory.latex import latex


@frozen
class Fresh(Vocabulary):
    """Answers about M tokens per generation, a share of them real and drawn anew; generation n counts fits.

    Args:
        samples: M >= 1, a number.
        probabilities: the source, numbers or expressions.
        share: alpha in (0, 1]; a number, or an expression where ``independent``: answers are rational functions then.
        independent: whether each token is real with probability alpha, or exactly alpha*M are.

    >>> from theory.symbols import alpha
    >>> Fresh(3, (S.Half, S.Half), alpha).expected_time()
    (alpha**2 - 2*alpha + 13)/(alpha**2 - 2*alpha + 4)
    >>> Fresh(3, (S.Half, S.Half), alpha).lost(token=0, n=oo).subs(alpha, 1)
    1/8
    """

    words = "chain with fresh real data"

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

    @property
    def rule(self) -> str:
        """Tokens of the source and of the last model, together or each by a toss."""
        alpha, rest = latex(self.share), latex(1 - self.share)
        if self.independent:
            return self.drawn(rf"{alpha} \, p_0 + {rest} \, p_{{n-1}}")
        return rf"{alpha} \, \hat{{p}}_0 + {rest} \, \hat{{p}}_{{n-1}}"

    def probability(self, token: int) -> Expr:
        """P(``token`` is the one left at the first generation with one type left); real data brings others back."""
        chance = self._chance(token)
        return chance if chance in (0, 1) else self._expr(self._alone.probability(self._lineages(chance)))

    def expected_time(self) -> Expr:
        """E[T], T = the first generation with one type left; 0 for a source of one type."""
        return S.Zero if self._single else self._expr(self._alone.expected_time)

    def survival(self, n: Expr | int) -> Expr:
        """P(T > n), T = the first generation with one type left, for a number n."""
        if self._single or n == oo:
            return S.Zero
        if generation_number(n) == 0:
            return S.One
        return self._expr(self._field.one - self._alone.reached(int(n)))

    def lost_from(self, token: int, count: int, n: Expr | int) -> Expr:
        """P(p_token = 0) n generations after a fit that held the token ``count`` times."""
        if not 0 <= count <= self.samples:
            raise ValueError(f"count = {count} of {self.samples} tokens. Give 0 <= count <= {self.samples}.")
        if n == oo:
            return self.lost(token, oo)
        others = self._lineages(1 - self._chance(token))
        return self._expr(others.after(others.counted(self.samples - count), generation_number(n))[-1])

    def counts(self, token: int, n: Expr | int = oo) -> dict[int, Expr]:
        """P(``token`` is drawn x times at generation n >= 1), x = 0..M; n = oo is the stationary law.

        >>> Fresh(2, (S.Half, S.Half), S.Half).counts(0)
        {0: 2/7, 1: 3/7, 2: 2/7}
        """
        when = n if n == oo else generation_number(n, least=1)
        return {x: self._expr(weight) for x, weight in enumerate(self._lineages(self._chance(token)).law(when))}

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
        return beta_binomial(chance, 2 * self.samples * self.share, list(self.counts(token).values()))

    def eigenvalue(self, k: int) -> Expr:
        """lambda_k = (1 - alpha)^k M(M-1)...(M-k+1)/M^k; L(L-1)...(L-k+1)/M^k for exactly L = (1 - alpha)M copies."""
        M, copied = Integer(self.samples), 1 - self.share
        return (copied**k * ff(M, k) if self.independent else ff(copied * M, k)) / M**k

    def parameters(self) -> tuple[Expr, ...]:
        """Return the share."""
        return (self.share,)

    def absent(self, chance: Expr, n: Expr | int) -> Curve:
        """Return P(all M tokens are of other types)."""
        others = self._lineages(1 - chance)
        return {S.One: others.all_at(n)} if S(n).is_number else self._powers(others.spectral, n)

    def _lineages(self, chance: Expr) -> Lineages:
        """Return the lineages of a type of this probability."""
        M, below = self.samples, _denominator(chance)
        if self.independent:
            scale = lcm(M * _denominator(self.share), _denominator(self.share * chance))
            return bernoulli_lineages(self._field, M, self._field(self.share), self._field(chance), scale)
        return fixed_lineages(self._field, M, int(self.share * M), self._field(chance), below)

    @cached_property
    def _alone(self) -> Alone:
        types = Counter(p for p in self.probabilities if p != 0)
        return Alone(self._field, tuple((alike, self._lineages(p)) for p, alike in types.items()))


def _denominator(value: Expr) -> int:
    """Return the denominator of a number, or of the number that an expression is a multiple of."""
    return int(value.as_coeff_Mul()[0].q)
