"""The neutral chain of a categorical loop in floating point, every answer with a proved bound on its error.

The same questions as `theory.absorption` answers in fractions, for M up to millions, any vocabulary and any generation,
by the same duality: A_1 = M, A_(n+1) is the number of occupied bins when A_n balls fall into M bins, and a type of
frequency p is lost by generation n with probability E (1 - p)^A_n.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from math import fsum
from typing import Any

import numpy as np
from attrs import evolve, field, frozen

from numerics.absorption.ancestry import Ancestors, Ancestry
from numerics.absorption.bounded import Bounded
from numerics.absorption.many_types import Curve, Types
from numerics.absorption.occupancy import Occupancy, U
from numerics.absorption.times import Unknown, time_moments

LARGEST = 2_000_000
"""Above this M the bounds on rounding are not proved; `BranchingLimit` answers there."""
TINY = 1e-300
"""Added to every bound: numbers this small may round to 0."""


def _samples(_: Any, __: Any, value: int) -> None:
    if not 1 <= value <= LARGEST:
        raise ValueError(
            f"M = {value} is outside 1..{LARGEST}, where the error is proved. Ask BranchingLimit about larger M."
        )


@frozen(eq=False)
class LargeChain:
    """Answers about M = ``samples`` tokens per generation from a source of the given frequencies; n counts fits.

    ``n`` is a generation >= 0 or a list of them, 0 the source; a list gives arrays whose first axis is the generation.

    Args:
        samples: 1 <= M <= 2,000,000.
        frequencies: a law, as fractions or as an array of floats, which is divided by its sum.

    >>> chain = LargeChain(2, np.array([0.5, 0.5]))
    >>> chain.expected_time().value, chain.survival(3).value, chain.lost(0, 1).value
    (2.0, 0.125, 0.25)
    """

    samples: int = field(validator=_samples)
    frequencies: Any = field(repr=False)

    @cached_property
    def types(self) -> Types:
        """The distinct frequencies."""
        return Types.law(self.frequencies)

    @cached_property
    def ancestry(self) -> Ancestry:
        """The laws of A_n."""
        return Ancestry(Occupancy(self.samples))

    def probability(self, token: int) -> Bounded:
        """P(the chain is absorbed at ``token``) = p_token, since its frequency is a bounded martingale."""
        p, _ = self._share(token)
        return Bounded(p, 4 * U * p)

    # How long until one type is left

    def expected_time(self) -> Bounded:
        """E T = 1 + sum_(m >= 2) N_m (1 - sum_i p_i^m), N_m the mean number of generations n >= 1 with A_n = m."""
        if self._settled:
            return Bounded(0.0, 0.0)
        t = self._moments(1)[0]
        return Bounded(1 + t.value[-1], t.error[-1] + 2 * U * (1 + t.value[-1]))

    def variance_time(self) -> Bounded:
        """Var T = 2 s + t - t^2, t = sum_(n >= 1) P(T > n), s = sum_(n >= 1) (n - 1) P(T > n)."""
        if self._settled:
            return Bounded(0.0, 0.0)
        t, s = ((one.value[-1], one.error[-1]) for one in self._moments(2))
        rounding = 4 * U * (2 * s[0] + t[0] + t[0] ** 2)
        return Bounded(2 * s[0] + t[0] - t[0] ** 2, 2 * s[1] + (1 + 2 * t[0] + t[1]) * t[1] + rounding)

    def survival(self, n: int | Iterable[int]) -> Bounded:
        """P(T > n) = 1 - sum_i E p_i^A_n = E f(A_n): more than one type is left at generation n."""
        f, doubt = self._unlike

        def mean(law: Ancestors) -> Curve:
            states = law.states
            value = law.weights @ f[states]
            return value, value * (law.slack + law.missing + doubt + (len(states) + 4) * U)

        return self._answer(n, mean, float(not self._settled))

    def cdf(self, n: int | Iterable[int]) -> Bounded:
        """P(T <= n) = 1 - P(T > n)."""
        rest = self.survival(n)
        return Bounded(1 - rest.value, rest.error + U)

    # Which types are left

    def lost(
        self, token: int | None = None, n: int | Iterable[int] = 1, *, frequency: Any = None, count: Any = None
    ) -> Bounded:
        """P(a type is lost at generation n) = E (1 - p)^A_n: a token, a frequency p, or a count c with p = c/M.

        ``frequency`` and ``count`` may be arrays, whose axis comes last; floats are taken as exact.
        """
        many, scalar = self._asked(token, frequency, count)
        found = self._answer(n, many.lost, (many.p == 0) * 1.0)
        return found[..., 0] if scalar else found

    def support(self, n: int | Iterable[int]) -> Bounded:
        """E[number of types left] = sum_i E(1 - (1 - p_i)^A_n)."""

        def mean(law: Ancestors) -> Curve:
            return self.types.summed(lambda part: part.present(law), lambda part: part.counts)

        return self._answer(n, mean, float(self.types.counts[self.types.p > 0].sum()))

    def missing_mass(self, n: int | Iterable[int]) -> Bounded:
        """E[source probability of the types lost] = sum_i p_i E (1 - p_i)^A_n."""

        def mean(law: Ancestors) -> Curve:
            return self.types.summed(lambda part: part.lost(law), lambda part: part.counts * part.p)

        return self._answer(n, mean, 0.0)

    def collision(self, n: int | Iterable[int]) -> Bounded:
        """E sum_i p_i^2 at generation n = 1 - (1 - 1/M)^n (1 - sum_i p_i^2 of the source)."""
        times = np.asarray(n if isinstance(n, int | np.integer) else list(n), dtype=float)
        f, doubt = self.types.unlike(2)
        left = f[2] * np.exp(times * np.log1p(-1 / self.samples)) if self.samples > 1 else f[2] * (times == 0)
        return Bounded(1 - left, left * (doubt + (4 + 4 * times / self.samples) * U) + U)

    def ancestors(self, n: int) -> Bounded:
        """P(A_n = a) for a = 0..M and one n >= 1; 0 where it is below its error."""
        law = self.ancestry.law(n)
        found = np.zeros(self.samples + 1)
        found[law.states] = law.weights
        return Bounded(found, found * law.slack + law.missing + TINY)

    def spectrum(self, most: int) -> Bounded:
        """Return the eigenvalues M(M - 1)...(M - j + 1)/M^j, j = 1..most, which decide how fast answers settle."""
        c = self.ancestry.chain.exits[1 : most + 1]
        return Bounded(1 - c, (5 * np.arange(1, len(c) + 1) * c + 1) * U)

    # How it is answered

    @property
    def _settled(self) -> bool:
        return bool((self.types.p == 1).any())

    @cached_property
    def _unlike(self) -> tuple[np.ndarray, float]:
        return self.types.unlike(self.samples)

    def _moments(self, orders: int) -> list[Unknown]:
        return time_moments(self.ancestry.chain, *self._unlike, orders)

    def _asked(self, token: int | None, frequency: Any, count: Any) -> tuple[Types, bool]:
        """Return the types asked about, and whether it is a single one."""
        if sum(one is not None for one in (token, frequency, count)) != 1:
            raise ValueError("lost asks about one of token, frequency and count. Give exactly one of them.")
        if token is not None:
            p, q = self._share(token)
            return Types.one_by_one(np.array([p]), np.array([q])), True
        if count is not None:
            c = np.atleast_1d(np.asarray(count, dtype=float))
            return Types.one_by_one(c / self.samples, (self.samples - c) / self.samples), np.ndim(count) == 0
        p = np.atleast_1d(np.asarray(frequency, dtype=float))
        return Types.one_by_one(p, 1 - p), np.ndim(frequency) == 0

    def _share(self, token: int) -> tuple[float, float]:
        """Return p and 1 - p of a token, a float divided by the sum of all."""
        if not 0 <= token < len(self.frequencies):
            raise ValueError(f"token {token} does not exist: there are {len(self.frequencies)}. Count from 0.")
        p = self.frequencies[token]
        if isinstance(self.frequencies, np.ndarray):
            p = Fraction(float(p)) / Fraction(self._total)
        return float(p), float(1 - p)

    @cached_property
    def _total(self) -> float:
        return fsum(self.frequencies)

    def _answer(self, n: int | Iterable[int], mean: Callable[[Ancestors], Curve], source: Any) -> Bounded:
        """Return mean(law of A_n) for each generation, ``source`` at 0; a long range in batches."""
        times = np.array([n] if isinstance(n, int | np.integer) else list(n))
        if times.dtype.kind != "i" or not len(times) or times.min() < 0:
            raise ValueError(f"n = {n} is no generation, or no list of them. Give whole numbers >= 0.")
        if isinstance(n, int | np.integer):
            (t,) = times.tolist()
            value, error = mean(self.ancestry.law(t)) if t else (np.asarray(source), np.zeros(np.shape(source)))
            return Bounded(value, error + TINY * (t > 0))
        values, errors = (np.zeros((len(times), *np.shape(source))) for _ in range(2))
        values[times == 0] = source
        for first, laws in self._laws(times):
            here = (times >= first) & (times < first + len(laws.weights))
            found, bound = mean(laws)
            values[here], errors[here] = found[times[here] - first], bound[times[here] - first] + TINY
        return Bounded(values, errors)

    def _laws(self, times: np.ndarray) -> Iterable[tuple[int, Ancestors]]:
        """Yield (n, laws from A_n on) that hold all the times: the whole course if they are close, else one by one."""
        if times.max() <= 8 * len(times) + 64:
            return self.ancestry.laws(int(times.max()))
        singles = ((t, self.ancestry.law(t)) for t in set(times[times > 0].tolist()))
        return ((t, evolve(law, weights=law.weights[None])) for t, law in singles)
