"""The accumulating loop as a batch Polya urn: every fit sees all tokens so far and adds M drawn from their frequencies.

A type that is in the urn stays in it for ever, so what the first batch of real tokens misses is lost, and nothing else
ever is. Frequencies settle at a random limit, whose moments follow from those of one batch.
"""

from typing import Any

from attrs import evolve, frozen
from sympy import Add, Dummy, Expr, Integer, Poly, Rational, S, cancel, oo

from theory import symbols
from theory.balls import Enclosure
from theory.discrete.enumeration import Counts, draws, frequencies
from theory.discrete.settling import Settling
from theory.discrete.shown import Shown
from theory.discrete.solving import Fractions
from theory.discrete.source import probabilities, require_numbers
from theory.errors import NoClosedForm
from theory.exact import generation_number
from theory.expect import expect
from theory.families.bernoulli import Bernoulli
from theory.laws.dirichlet import Dirichlet
from theory.loop import Loop
from theory.regimes import Accumulate

TINY = Rational(1, 10**20)
"""How near the limit of a moment is enclosed."""


def urn(loop: Loop) -> "Urn":
    """Return the urn of an accumulating loop with numbers for M and the source."""
    require_numbers(loop)
    return Urn(int(loop.samples), probabilities(loop))


@frozen
class Urn(Shown):
    """An urn of n M tokens at generation n, the first M of the source; n = 0 is the source.

    A chain that starts from counts is `given` them: these are generation 0, and n counts the batches after them.

    >>> urn = Urn(2, (Rational(1, 3), Rational(2, 3)))
    >>> urn.lost(0, 1), urn.lost(0, 10), urn.survival(10), urn.expected_time()
    (4/9, 4/9, 4/9, oo)
    """

    words = "urn"

    samples: int
    probabilities: tuple[Expr, ...]
    start: Counts | None = None
    """The counts of all tokens of generation 0, None where it is the source."""

    @property
    def rule(self) -> str:
        """The pool and a batch drawn from it."""
        return rf"\left((n - 1) \, p_{{n-1}} + {self.drawn('p_{n-1}')}\right) / n"

    def given(self, *counts: int) -> "Urn":
        """Return the urn from counts x_i of m M tokens at generation 0, for some m >= 1.

        >>> Urn(1, (Rational(1, 3), Rational(2, 3))).given(1, 2).counts(0, 2)
        {0: 0, 1: 1/2, 2: 1/3, 3: 1/6, 4: 0, 5: 0}
        """
        total = sum(counts)
        if total < 1 or total % self.samples:
            raise ValueError(
                f"counts {counts} are not batches of M = {self.samples} tokens. Give a positive multiple of M in all."
            )
        frequencies(counts, len(self.probabilities), total)
        return evolve(self, start=counts)

    def probability(self, token: int) -> Expr:
        """Return P(the chain is absorbed at ``token``) = p^M: all of the first batch is of that type."""
        return self._alone(self._share(token))

    def expected_time(self) -> Expr:
        """Return E T, T the first generation with one type left: oo where the first tokens may be of two types."""
        shares = [self._share(token) for token in range(len(self.probabilities))]
        if 1 in shares:
            return S.Zero
        return S.One if self.samples == 1 and self.start is None else oo

    def survival(self, n: int) -> Expr:
        """Return P(more than one type is left at generation n) = 1 - sum_i p_i^M for all n >= 1."""
        return 1 - Add(*(self._mass(self._share(i), n) for i in range(len(self.probabilities))))

    def lost(self, token: int, n: int) -> Expr:
        """Return P(p_token = 0 at generation n) = (1 - p)^M for all n >= 1."""
        return self._mass(1 - self._share(token), n)

    def support(self, n: int) -> Expr:
        """Return E[number of types left at generation n] = sum_i (1 - (1 - p_i)^M) for all n >= 1."""
        return Add(*(1 - self.lost(i, n) for i in range(len(self.probabilities))))

    def counts(self, token: int, n: int) -> dict[int, Expr]:
        """Return P(x tokens of a type at generation n) by x, from x' = x + Binomial(M, x/N), N tokens so far.

        Of M = 1 from given counts this is the beta-binomial law of Polya's urn.
        """
        numbers, share = Fractions(), self._share(token)
        batches = generation_number(n, int(self.start is None))
        law = [numbers.number(S.One)] if self.start is None else self._sure(self.start[token], sum(self.start))
        for _ in range(batches):
            total = len(law) - 1
            after: list[Any] = [numbers.number(S.Zero)] * (total + self.samples + 1)
            for x, weight in enumerate(law):
                if weight:
                    for added, chance in enumerate(self._batch(Rational(x, total) if total else share)):
                        after[x + added] = after[x + added] + weight * chance
            law = after
        return {x: S(numbers.answer(weight)) for x, weight in enumerate(law)}

    def moment(self, token: int, order: int, n: int) -> Expr:
        """Return E p_token^order at generation n, by the recurrence of the moments, or by the law of given counts."""
        if self.start is not None:
            law = self.counts(token, n)
            return Add(*(weight * Rational(x, len(law) - 1) ** order for x, weight in law.items()))
        return expect(self._loop(token), Bernoulli.p**order).at(n=n)

    def limit(self, token: int, order: int) -> Expr:
        """Return the limit of E p_token^order as n grows; E[p(1-p)] tends to p(1-p) sin(pi/sqrt(M))/(pi/sqrt(M)).

        Raises:
            NoClosedForm: no closed form of the limit is known, as for most orders above 2, and for given counts; see
                `enclosed_limit`.
        """
        if self.start is not None:
            raise NoClosedForm("regime: the limit from given counts is no product. Ask enclosed_limit(token, order).")
        return expect(self._loop(token), Bernoulli.p**order).limit()

    def enclosed_limit(self, token: int, order: int, radius: Expr = TINY) -> Enclosure:
        """Return the limit of E p_token^order as n grows, to within a radius, for any order and any start.

        >>> print(Urn(7, (Rational(1, 3), Rational(2, 3))).enclosed_limit(0, 5, Rational(1, 10**6)))
        0.03849802776 +- 2.1e-10
        """
        rows = expect(self._loop(token), Bernoulli.p**order).recurrence
        polynomials = [Poly(rows[Bernoulli.p**k], Bernoulli.p) for k in range(1, order + 1)]
        settling = Settling([[_in_inverse(row, k) for k in range(1, order + 1)] for row in polynomials])
        first = 0 if self.start is None else sum(self.start) // self.samples
        begun = [Fractions().number(self._share(token) ** k) for k in range(1, order + 1)]
        return settling.limit(order - 1, begun, first, radius)

    def frequencies(self) -> Dirichlet:
        """Return the law of the limit of all frequencies after given counts x_i, for M = 1: Dirichlet(x).

        E[(x_n)^(k)/(N_n)^(k)] stays what it is, rising factorials of one count and of all, since one more token makes
        (x^(k) (N - x) + (x+1)^(k) x)/N = x^(k) (N + k)/N of the first; so the limit has the Dirichlet's moments.

        Raises:
            NoClosedForm: M > 1.
            ValueError: no given counts, without which one token of the source decides.

        >>> Urn(1, (Rational(1, 3), Rational(2, 3))).given(1, 2).frequencies().means()
        (1/3, 2/3)
        """
        if self.samples != 1:
            raise NoClosedForm(
                f"samples: the limit of batches of {self.samples} has moments, and no density in closed form. "
                "Ask for limit(token, order), or samples = 1."
            )
        if self.start is None:
            raise ValueError("the first token of the source decides alone. Start the urn from counts by given(...).")
        names = tuple(symbols.p[i] for i in range(len(self.start)))
        return Dirichlet(names, tuple(map(Integer, self.start)), S(sum(self.start)))

    def _loop(self, token: int) -> Loop:
        return Loop(Bernoulli(self._share(token)), regime=Accumulate(), samples=self.samples)

    def _share(self, token: int) -> Expr:
        """Return the frequency of a type at generation 0."""
        if token not in range(len(self.probabilities)):
            raise ValueError(f"token {token} does not exist: there are {len(self.probabilities)}. Count from 0.")
        return self.probabilities[token] if self.start is None else Rational(self.start[token], sum(self.start))

    def _alone(self, mass: Expr) -> Expr:
        """Return P(the first tokens are all of types of this mass), which is for ever."""
        return mass**self.samples if self.start is None else Integer(mass == 1)

    def _mass(self, mass: Expr, n: int) -> Expr:
        return self._alone(mass) if generation_number(n) else Integer(mass == 1)

    def _batch(self, share: Expr) -> list[Any]:
        """Return P(x of M new tokens are of a type), x = 0..M."""
        numbers = Fractions()
        law = [numbers.number(S.Zero)] * (self.samples + 1)
        for (x, _), chance in draws([numbers.number(p) if p else 0 for p in (share, 1 - share)], self.samples):
            law[x] = law[x] + chance
        return law

    @staticmethod
    def _sure(count: int, total: int) -> list[Any]:
        numbers = Fractions()
        return [numbers.number(Integer(x == count)) for x in range(total + 1)]


def _in_inverse(row: Poly, power: int) -> list[Any]:
    """Return the coefficient of p^power, a polynomial in 1/n, by its own coefficients."""
    u = Dummy("u")
    weights = Poly(cancel(row.coeff_monomial(Bernoulli.p**power).subs(symbols.n, 1 / u)), u).all_coeffs()
    return [Fractions().number(weight) for weight in reversed(weights)]
