"""One set of real data, drawn once and read by every fit: what it holds is never lost, and what it lacks always is.

Given how many of the R kept tokens are of a type, its count is a chain of its own; the answers here average over the
set, which is the first sample of the source, unless they are asked for a given one.
"""

from math import comb
from operator import mul

from attrs import frozen
from sympy import Expr, Integer, Rational, S, ff, oo

from theory import symbols
from theory.discrete.lineages import Lineages, kept_lineages
from theory.discrete.vocabulary import Curve, Vocabulary
from theory.exact import generation_number
from theory.field import Element
from theory.latex import latex


@frozen
class Kept(Vocabulary):
    """Answers about M tokens per generation, ``real`` of them the same real ones always; generation n counts fits.

    Args:
        samples: M >= 1, a number.
        probabilities: the source, numbers or expressions.
        real: R = alpha*M, 1 <= R <= M.

    >>> from sympy import Rational
    >>> chain = Kept(4, (Rational(1, 2), Rational(1, 2)), 1)
    >>> chain.lost(token=0, n=oo), chain.lost(token=0, n=1), chain.expected_time()
    (1/2, 1/16, oo)
    """

    words = "chain with kept real data"

    real: int

    def __attrs_post_init__(self) -> None:
        """Refuse a set that is empty or larger than the sample."""
        if not 1 <= self.real <= self.samples:
            raise ValueError(f"real = {self.real} of {self.samples} tokens. Give 1 <= real <= {self.samples}.")

    @property
    def rule(self) -> str:
        """The kept tokens and those drawn from the last model."""
        alpha = Rational(self.real, self.samples)
        return rf"{latex(alpha)} \, \hat{{p}}_0 + {latex(1 - alpha)} \, \hat{{p}}_{{n-1}}"

    def probability(self, token: int) -> Expr:
        """P(``token`` is alone in the end) = p_token^R: no other is kept. These sum to P(T < oo)."""
        return self._expr(self._field(self._chance(token)) ** self.real)

    def expected_time(self) -> Expr:
        """E[T], T = the first generation with one type left: oo, since two types that are kept both stay."""
        return S.Zero if self._single else oo

    def survival(self, n: Expr | int = symbols.n) -> Expr:
        """P(T > n) = 1 - sum_i p_i^R P(all M tokens are of type i at generation n | the kept ones are)."""
        if self._single or n == 0:
            return S(int(not self._single))
        if S(n).is_number and n != oo:
            generation_number(n)
        return 1 - self._sum(self._only, dict.fromkeys(self.probabilities, self._field.one), n)

    def counts(self, token: int, n: Expr | int = oo, *, kept: int | None = None) -> dict[int, Expr]:
        """P(``token`` is read x times at generation n >= 1), x = 0..M, given that it is ``kept`` of the R kept tokens.

        Without ``kept`` it is the average over kept ~ Binomial(R, p_token); n = oo is the long run.
        """
        chance, when = self._chance(token), n if n == oo else generation_number(n, least=1)
        sets = range(self.real + 1) if kept is None else (kept,)
        laws = [self._lineages(chance, of_type).law(when) for of_type in sets]
        weights = [self._drawn(chance, of_type) if kept is None else self._field.one for of_type in sets]
        columns = enumerate(zip(*laws, strict=True))
        return {x: self._expr(sum(map(mul, weights, column), self._field.zero)) for x, column in columns}

    def eigenvalue(self, k: int) -> Expr:
        """lambda_k = L(L-1)...(L-k+1)/M^k, L = M - R, of the chain given the set, whatever the set holds."""
        return ff(self.samples - self.real, k) / Integer(self.samples) ** k

    def parameters(self) -> tuple[Expr, ...]:
        """Return nothing: the size of the set is a number."""
        return ()

    def absent(self, chance: Expr, n: Expr | int) -> Curve:
        """Return P(all M tokens are of other types)."""
        return self._only(1 - chance, n)

    def _only(self, chance: Expr, n: Expr | int) -> Curve:
        """P(all tokens are of a type): all that are kept, and the copies too, which in the long run is certain then."""
        kept = self._drawn(chance, self.real)
        if n == oo or self.real == self.samples:
            return {S.One: kept}
        lineages = self._lineages(chance, self.real)
        copies = {S.One: lineages.all_at(n)} if S(n).is_number else self._powers(lineages.spectral, n)
        return {term: kept * weight for term, weight in copies.items()}

    def _drawn(self, chance: Expr, of_type: int) -> Element:
        """P(``of_type`` of the R kept tokens are of the type)."""
        p, rest = self._field(chance), self.real - of_type
        return p**of_type * (self._field.one - p) ** rest * comb(self.real, of_type)

    def _lineages(self, chance: Expr, of_type: int) -> Lineages:
        if not 0 <= of_type <= self.real:
            raise ValueError(f"kept = {of_type} of {self.real} tokens. Give 0 <= kept <= {self.real}.")
        return kept_lineages(self._field, self.samples, self.real, of_type, self._field(chance))
