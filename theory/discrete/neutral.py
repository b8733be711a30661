"""The neutral chain: M tokens drawn from the last model, nothing else, so that every type is one of many alike.

Looking back, the M tokens of fit n descend from A_n tokens of the first fit, each drawn from the source on its own:
A_1 = M, and A_(n+1) is the number of occupied bins when A_n balls fall into M bins. So means over this one chain of M
states answer for every type of every vocabulary; `theory.discrete.dual` solves that chain by substitution.
"""

from functools import cached_property
from typing import Any

from attrs import evolve, frozen
from sympy import QQ, Add, Expr, Gt, Rational, S, binomial, log

from theory import symbols
from theory.discrete import dual, marginal, spectral
from theory.discrete.ancestry import Ancestry, generation
from theory.discrete.occupancy import beyond
from theory.discrete.shown import Shown
from theory.discrete.source import Source, probabilities
from theory.exact import exact
from theory.loop import Loop


def neutral(loop: Loop) -> "Neutral":
    """Return the chain of a faithful replace loop, of which M and the source may be symbolic.

    Raises:
        ValueError: no finite number of samples, or a categorical source without probabilities.
    """
    if loop.samples.is_infinite:
        raise ValueError("samples = oo is a population, which never changes. Put in a whole number with samples=M.")
    return Neutral(loop.samples, probabilities(loop))


@frozen
class Neutral(Shown):
    """p_n given p_(n-1) is Multinomial(M, p_(n-1))/M, absorbed where one type is left; T is the first such generation.

    Generation n counts fits, generation 0 is the source, and the first fit draws M tokens from the source's p; a chain
    that starts from counts is `given` them. All answers are over an ensemble of chains and exact: rationals,
    polynomials in symbolic probabilities (which are taken to be > 0), and sums of c_k lambda_k^n for a symbolic n >= 1.
    What has no closed form in a symbolic M asks for a number.
    """

    words = "neutral chain"

    samples: Expr
    probabilities: tuple[Expr, ...]

    def given(self, *counts: int) -> "Neutral":
        """Return the chain from counts x_i at generation 0, M together: it is that of the source p_i = x_i/M.

        >>> Neutral(S(4), (S.One,)).given(1, 3).expected_time()
        107/29
        """
        values = tuple(exact(count, "count") for count in counts)
        if Add(*values) != self.samples or not all(x.is_Integer and x >= 0 for x in values):
            raise ValueError(f"counts {counts} are not M = {self.samples} tokens. Give whole numbers that sum to M.")
        return evolve(self, probabilities=tuple(x / self.samples for x in values))

    def probability(self, token: int) -> Expr:
        """P(the chain is absorbed at ``token``) = p_token, since its frequency is a bounded martingale."""
        return self.probabilities[self._index(token)]

    # Times.

    def expected_time(self, types: int = 1) -> Expr:
        """E[first generation with at most ``types`` types] = 1 + sum_a g_a P(a tokens of the source have more types).

        g_a is the mean number of n >= 1 with A_n = a: one triangular solve for all sources. For one type the chance is
        1 - sum_i p_i^a; the first loss is ``types`` = K - 1.

        >>> from sympy import Symbol
        >>> p = Symbol("p", positive=True)
        >>> Neutral(S(2), (p, 1 - p)).expected_time()
        -4*p**2 + 4*p + 1
        """
        if self._has_at_most(types):
            return S.Zero
        return 1 + self._ancestry.total_time(lambda M: beyond(self.source, types, M))

    def variance_time(self, types: int = 1) -> Expr:
        """Var[first generation with at most ``types`` types], by E T^2 = sum_(n >= 0) (2n + 1) P(T > n).

        >>> Neutral(S(2), (S.Half, S.Half)).variance_time()  # geometric with P = 1/2
        2
        """
        if self._has_at_most(types):
            return S.Zero
        times = (self._ancestry.total_time(lambda M: beyond(self.source, types, M), order) for order in (1, 2))
        first, second = times
        return (2 * second - first - first**2).expand()

    def conditional_time(self, token: int) -> Expr:
        """E[T | ``token`` takes all] = 1 + sum_a g_a (1 - p^(a-1)), p > 0 its probability.

        >>> Neutral(S(2), (S.Half, S.Half)).conditional_time(0)
        2
        """
        x, q = self.source.numerators[self._index(token)], self.source.over
        if not x:
            raise ValueError(f"token {token} has probability 0 and never takes all. Ask a token that the source has.")
        if x == q:
            return S.Zero
        return 1 + self._ancestry.total_time(lambda M: [q**M - y for y in (0, *self.source.powers(x, M)[:M])])

    @cached_property
    def times_to_fix(self) -> tuple[Expr, ...]:
        """E[T; this type takes all | count k], k = 0..M: k/M times the conditional time."""
        M = self._ancestry.size
        inner = (Rational(k, M) * self.given(k, M - k).conditional_time(0) for k in range(1, M))
        return (S.Zero, *inner, S.Zero)

    # Curves in n.

    def survival(self, n: Expr | int = symbols.n, types: int = 1) -> Expr:
        """P(more than ``types`` types are left at generation n) = E P(A_n tokens of the source have more types).

        >>> Neutral(S(2), (S.Half, S.Half)).survival()
        (1/2)**n
        """
        self._has_at_most(types)
        at_source = S(int(self.source.types > types))
        return self._ancestry.curve(n, lambda M: beyond(self.source, types, M), at_source)

    def cdf(self, n: Expr | int = symbols.n, types: int = 1) -> Expr:
        """P(at most ``types`` types are left at generation n) = 1 - survival: for one type, P(T <= n)."""
        return 1 - self.survival(n, types)

    def lost(
        self,
        token: int | None = None,
        n: Expr | int = symbols.n,
        *,
        frequency: Expr | None = None,
        count: int | None = None,
    ) -> Expr:
        """P(a type has gone by generation n) = E (1 - p)^A_n, for a ``token``, a ``frequency`` or a ``count`` at n = 0.

        Exactly one of the three is given. A count c of M tokens is the frequency c/M.

        >>> Neutral(S(3), (S.Half, S.Half)).lost(frequency=Rational(1, 3), n=1)
        8/27
        """
        ancestry, x = self._type(token, frequency, count)
        source = ancestry.source
        return ancestry.curve(n, lambda M: source.powers(source.over - x, M), S(int(not x)))

    def support(self, n: Expr | int = symbols.n) -> Expr:
        """E[number of types left at generation n] = sum_i (1 - E (1 - p_i)^A_n)."""
        q = self.source.over

        def values(M: int) -> list[Any]:
            return self.source.total(lambda x: [q**M - y for y in self.source.powers(q - x, M)])

        return self._ancestry.curve(n, values, S(self.source.types))

    def missing_mass(self, n: Expr | int = symbols.n) -> Expr:
        """E[probability under the source of all types gone by generation n] = sum_i p_i E (1 - p_i)^A_n."""
        q = self.source.over

        def values(M: int) -> list[Any]:
            return self.source.total(lambda x: [x * y for y in self.source.powers(q - x, M)])

        return self._ancestry.curve(n, values, S.Zero, over=q)

    def counts(self, token: int, n: int) -> dict[int, Expr]:
        """P(``token`` has x of the M tokens of fit n), x = 0..M, n >= 1 a number.

        >>> Neutral(S(2), (S.Half, S.Half)).counts(0, n=2)
        {0: 3/8, 1: 1/4, 2: 3/8}
        """
        law = self._ancestry.counts(self.source.numerators[self._index(token)], n)
        return {x: self.source.expr(weight, self._ancestry.counts_over(n)) for x, weight in enumerate(law)}

    def entropy(self, n: int) -> Expr:
        """E[-sum_i p_i log p_i] at generation n, a number: log M - sum_x (x/M) log x sum_i P(type i has count x).

        >>> Neutral(S(2), (S.Half, S.Half)).entropy(n=1)
        log(2)/2
        """
        if n == 0:
            return Add(*(-p * log(p) for p in self.probabilities if p != 0))
        totals = self.source.total(lambda x: self._ancestry.counts(x, n))
        M, over = self._ancestry.size, self._ancestry.counts_over(n)
        return log(M) - Add(*(self.source.expr(x * w, over * M) * log(x) for x, w in enumerate(totals) if x))

    def moment(self, k: int, n: Expr | int = symbols.n, token: int = 0) -> Expr:
        """E p_n^k of ``token`` = sum_(j <= k) lambda_j^n times a combination of p^a, a <= j; n and M may be symbolic.

        >>> from theory.symbols import M, q0
        >>> Neutral(M, (q0, 1 - q0)).moment(2)
        p0*((M - 1)/M)**n*(p0 - 1) + p0
        """
        p = self.probabilities[self._index(token)]
        return marginal.moment(self.samples, _order(k), generation(n), lambda a: p**a)

    def collision(self, n: Expr | int = symbols.n) -> Expr:
        """E sum_i p_i^2 = 1 - (1 - 1/M)^n (1 - F0), F0 that of the source: the chance that two tokens are alike."""
        squares = Add(*(p**2 for p in self.probabilities))
        return marginal.moment(self.samples, 2, generation(n), lambda a: squares if a == 2 else S.One)

    # Spectrum.

    @property
    def collision_rate(self) -> Expr:
        """1 - 1/M, by which 1 - E sum_i p_i^2 falls per generation, and P(T > n) in the end."""
        return self.eigenvalue(2)

    def eigenvalue(self, k: int) -> Expr:
        """lambda_k = M (M-1) ... (M-k+1)/M^k, k = 1, 2, ..., of `multiplicity` k; 0 for k > M."""
        return marginal.eigenvalue(self.samples, _order(k))

    def multiplicity(self, k: int) -> Expr:
        """binomial(k + K - 2, K - 2) for k >= 2; K, the number of absorbing states, for the eigenvalue 1 (k = 1)."""
        K = len(self.probabilities)
        return S(K) if _order(k) == 1 else binomial(k + K - 2, K - 2) if K > 1 else S.Zero

    def spectrum(self) -> dict[Expr, int]:
        """All eigenvalues lambda_1 = 1, ..., lambda_M with their multiplicities."""
        return {self.eigenvalue(k): int(self.multiplicity(k)) for k in range(1, self._ancestry.size + 1)}

    def quasi_stationary(self) -> dict[int, Expr]:
        """The law on counts x = 1..M-1 of either type, given that two types are left after a long time.

        It is the left eigenvector of 1 - 1/M of the chain of two types. Of more, two are left in the end, i and j with
        chance 2 p_i p_j/(1 - sum p^2), and their counts have this law.

        >>> Neutral(S(3), (S.Half, S.Half)).quasi_stationary()
        {1: 1/2, 2: 1/2}
        """
        law = spectral.quasi_stationary(self._at_least_two)
        return {x: QQ.to_sympy(QQ(law.numerators[x], law.denominator)) for x in range(1, self._ancestry.size)}

    def tail_constant(self) -> Expr:
        """C in P(T > n) ~ C (1 - sum_i p_i^2)/2 (1 - 1/M)^n, which for two types is C p (1 - p) (1 - 1/M)^n.

        C = 1/E[x (1 - x)] for a frequency x of the quasi-stationary law; C -> 6 as M grows.

        >>> Neutral(S(5), (S.Half, S.Half)).tail_constant()
        375/76
        """
        return spectral.tail_constant(self._at_least_two)

    def ancestors(self, n: int) -> list[Expr]:
        """Return the law of A_n as P(A_n = a), a = 0..M, for n >= 1."""
        if not S(n).is_Integer or n < 1:
            raise ValueError(f"n = {n}: ancestors are counted from the first fit on. Give a whole number >= 1.")
        law = dual.law(self._ancestry.size, int(n))
        return [QQ.to_sympy(QQ(weight, law.denominator)) for weight in law.numerators]

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What is taken to hold: every symbolic probability is positive."""
        return tuple(Gt(p, 0) for p in self.probabilities if not p.is_number and not p.is_positive)

    @cached_property
    def source(self) -> Source:
        """The probabilities as numerators over one denominator."""
        return Source(self.probabilities)

    @cached_property
    def _ancestry(self) -> Ancestry:
        return Ancestry(self.samples, Source(self.probabilities))

    @property
    def _at_least_two(self) -> int:
        if self.samples == 1:
            raise ValueError("samples = 1: the first fit leaves one type, and nothing lasts. Give M >= 2.")
        return self._ancestry.size

    def _index(self, token: int) -> int:
        if token not in range(len(self.probabilities)):
            raise ValueError(f"token {token} does not exist: there are {len(self.probabilities)}. Count from 0.")
        return token

    def _has_at_most(self, types: int) -> bool:
        if not S(types).is_Integer or types < 1:
            raise ValueError(f"types = {types}: a chain always has a type left. Give a whole number >= 1.")
        return self.source.types <= types

    def _type(self, token: int | None, frequency: Expr | None, count: int | None) -> tuple[Ancestry, Any]:
        """Return the ancestry to ask and the numerator of the one type that is named."""
        if (token, frequency, count).count(None) != 2:
            raise ValueError("lost needs one type. Give exactly one of token, frequency and count.")
        if token is not None:
            return self._ancestry, self.source.numerators[self._index(token)]
        p = exact(frequency, "frequency") if count is None else exact(count, "count") / self._ancestry.size
        if p.is_number and not 0 <= p <= 1:
            raise ValueError(f"lost: {p} is no frequency. Give a frequency from 0 to 1, or a count from 0 to M.")
        here = Source((p, 1 - p))
        return Ancestry(self.samples, here), here.numerators[0]


def _order(k: int) -> int:
    if not S(k).is_Integer or k < 1:
        raise ValueError(f"k = {k} is no order. Give a whole number >= 1.")
    return int(k)
