"""The accumulating loop as a batch Polya urn: every fit sees all tokens so far and adds M drawn from their frequencies.

A type that is in the urn stays in it for ever, so what the first batch of real tokens misses is lost, and nothing else
ever is. Frequencies settle at a random limit, whose moments follow from those of one batch.
"""

from typing import Any

from attrs import frozen
from sympy import Add, Expr, Integer, Rational, S, oo

from theory import symbols
from theory.discrete.enumeration import Counts, draws
from theory.discrete.solving import Fractions
from theory.discrete.source import probabilities, require_numbers
from theory.errors import NoClosedForm, NotClosed
from theory.expect import expect
from theory.families.bernoulli import Bernoulli
from theory.laws.dirichlet import Dirichlet
from theory.loop import Loop
from theory.regimes import Accumulate


def urn(loop: Loop) -> "Urn":
    """Return the urn of an accumulating loop with numbers for M and the source."""
    if loop.regime.subsampled:
        raise NotClosed(
            f"regime: {loop.regime} keeps a random part of its pool, and a state is the pool and the part. "
            "Ask simulate(loop), expect(loop, of), or Accumulate()."
        )
    require_numbers(loop)
    return Urn(int(loop.samples), probabilities(loop))


@frozen
class Urn:
    """Answers about an urn with n M tokens at generation n, the first M of the source; n = 0 is the source.

    ``given`` are the counts of all tokens at some generation m, m M of them, to start from in place of the source.

    >>> urn = Urn(2, (Rational(1, 3), Rational(2, 3)))
    >>> urn.lost(0, 1), urn.lost(0, 10), urn.survival(10), urn.expected_time()
    (4/9, 4/9, 4/9, oo)
    """

    samples: int
    probabilities: tuple[Expr, ...]

    def probability(self, token: int) -> Expr:
        """Return P(the chain is absorbed at ``token``) = p^M: all of the first batch is of that type."""
        return self._share(token) ** self.samples

    def expected_time(self) -> Expr:
        """Return E T, T the first generation with one type left: oo where the first batch may hold two types."""
        if 1 in self.probabilities:
            return S.Zero
        return S.One if self.samples == 1 else oo

    def survival(self, n: int) -> Expr:
        """Return P(more than one type is left at generation n) = 1 - sum_i p_i^M for all n >= 1."""
        alone = (self.probability(i) for i in range(len(self.probabilities)))
        return 1 - (Add(*alone) if _generation(n) else Integer(1 in self.probabilities))

    def lost(self, token: int, n: int) -> Expr:
        """Return P(p_token = 0 at generation n) = (1 - p)^M for all n >= 1."""
        return (1 - self._share(token)) ** self.samples if _generation(n) else Integer(self._share(token) == 0)

    def support(self, n: int) -> Expr:
        """Return E[number of types left at generation n] = sum_i (1 - (1 - p_i)^M) for all n >= 1."""
        return Add(*(1 - self.lost(i, n) for i in range(len(self.probabilities))))

    def counts(self, token: int, n: int, given: Counts | None = None) -> list[Expr]:
        """Return P(x tokens of a type at generation n), x = 0..n M, n >= 1, by x' = x + Binomial(M, x/(m M)).

        Of M = 1 this is the beta-binomial law of Polya's urn.
        """
        numbers, share = Fractions(), self._share(token)
        if _generation(n) < 1:
            raise ValueError("n = 0: the source is no sample and has no counts. Give n >= 1.")
        begun, law = (1, self._batch(share)) if given is None else self._from(token, given)
        if n < begun:
            raise ValueError(f"n = {n} lies before generation {begun}, which given = {given} is of. Give a later n.")
        for m in range(begun, n):
            after: list[Any] = [numbers.number(S.Zero)] * ((m + 1) * self.samples + 1)
            for x, weight in enumerate(law):
                if weight:
                    for added, chance in enumerate(self._batch(Rational(x, m * self.samples))):
                        after[x + added] = after[x + added] + weight * chance
            law = after
        return [S(numbers.answer(weight)) for weight in law]

    def moment(self, token: int, order: int, n: int) -> Expr:
        """Return E p_token^order at generation n, exactly, by the recurrence of the moments."""
        return expect(self._loop(token), Bernoulli.p**order).at(n=n)

    def limit(self, token: int, order: int) -> Expr:
        """Return the limit of E p_token^order as n grows; E[p(1-p)] tends to p(1-p) sin(pi/sqrt(M))/(pi/sqrt(M)).

        Raises:
            NoClosedForm: no closed form of the limit is known, as for most orders above 3.
        """
        return expect(self._loop(token), Bernoulli.p**order).limit()

    def frequencies(self, given: Counts) -> Dirichlet:
        """Return the law of the limit of all frequencies after the counts ``given``, for M = 1.

        E[(x_n)^(k)/(N_n)^(k)] stays what it is, rising factorials of one count and of all, since one more token has
        (x^(k) (N - x) + (x+1)^(k) x)/N = x^(k) (N + k)/N. Their limit are the moments of Dirichlet(given).

        Raises:
            NoClosedForm: M > 1.
        """
        if self.samples != 1:
            raise NoClosedForm(
                f"samples: the limit of batches of {self.samples} has moments, and no density in closed form. "
                "Ask for limit(token, order), or samples = 1."
            )
        self._from(0, given)
        return Dirichlet(tuple(symbols.p[i] for i in range(len(given))), tuple(map(Integer, given)), S(sum(given)))

    def _loop(self, token: int) -> Loop:
        return Loop(Bernoulli(self._share(token)), regime=Accumulate(), samples=self.samples)

    def _share(self, token: int) -> Expr:
        if token not in range(len(self.probabilities)):
            raise ValueError(f"token {token} does not exist: there are {len(self.probabilities)}. Count from 0.")
        return self.probabilities[token]

    def _batch(self, share: Expr) -> list[Any]:
        """Return P(x of M new tokens are of a type), x = 0..M."""
        numbers = Fractions()
        chances = [numbers.number(p) if p else 0 for p in (share, 1 - share)]
        law = [numbers.number(S.Zero)] * (self.samples + 1)
        for (x, _), chance in draws(chances, self.samples):
            law[x] = law[x] + chance
        return law

    def _from(self, token: int, given: Counts) -> tuple[int, list[Any]]:
        """Return the generation that counts are of, and the law of one of them, which is certain."""
        total = sum(given)
        if len(given) != len(self.probabilities) or min(given) < 0 or total < 1 or total % self.samples:
            raise ValueError(
                f"given = {given} is no urn. Give {len(self.probabilities)} counts >= 0 of a multiple of "
                f"{self.samples} tokens, as a tuple."
            )
        numbers = Fractions()
        return total // self.samples, [numbers.number(Integer(x == given[token])) for x in range(total + 1)]


def _generation(n: Any) -> int:
    if not S(n).is_Integer or n < 0:
        raise ValueError(f"n = {n} is not a generation. Give a whole number >= 0.")
    return int(n)
