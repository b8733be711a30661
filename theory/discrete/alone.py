"""When one type is left, in a chain that real data drives on: a first passage, answered by renewal.

Type i is alone at generation n because some type was alone for the first time at T <= n and i was again n - T later.
From type i's own two-type chain come the chances of the three starts: the source, all tokens of i, none of i. So K
two-type chains answer for K types, whose own chain has binomial(M + K - 1, M) states.
"""

from functools import cached_property

from attrs import frozen

from theory.discrete.lineages import Lineages
from theory.field import Element, Field


@frozen
class Passage:
    """Sums over n of P(type alone at n), times one factor that is common to the three.

    Args:
        gained: from all tokens of the type, less from none of it.
        start: from the source, less from none of it.
        forever: what every generation adds in the long run.
    """

    gained: Element
    start: Element
    forever: Element


@frozen(eq=False)
class Alone:
    """T = the first generation with one type left, T >= 1, for ``groups`` of alike types and their lineages."""

    field: Field
    groups: tuple[tuple[int, Lineages], ...]

    @cached_property
    def expected_time(self) -> Element:
        """E T = 1 + (1 - sum start/gained) / (sum forever/gained), sums over types.

        D_i(x), the sum over n of P(i alone at n from x) - P(i alone in the long run), obeys the renewal equations
        D_i(source) = D_i(none) + F_i gained_i - forever_i (E T - 1), and sum_i F_i = 1.
        """
        passages = [(alike, self.passage(lineages)) for alike, lineages in self.groups]
        reached = sum((alike * (one.start / one.gained) for alike, one in passages), self.field.zero)
        per_wait = sum((alike * (one.forever / one.gained) for alike, one in passages), self.field.zero)
        return self.field.one + (self.field.one - reached) / per_wait

    def probability(self, lineages: Lineages) -> Element:
        """F_i = P(type i is the one left at T)."""
        one = self.passage(lineages)
        return (one.start + one.forever * (self.expected_time - self.field.one)) / one.gained

    @staticmethod
    def passage(lineages: Lineages) -> Passage:
        """Solve (I - G) y = 1, u(1) and G_0 for the last entry: all M tokens."""
        rights = (
            lineages.scales,
            [u * scale for u, scale in zip(lineages.first, lineages.scales, strict=True)],
            [row[0] for row in lineages.rows],
        )
        return Passage(*(lineages.numerators(right)[0][-1] for right in rights))

    def reached(self, generations: int) -> Element:
        """P(T <= generations) = sum of f(n), f_i(n) = P(i alone at n) - sum_{m < n} of the returns after T = m."""
        curves = [(alike, *_curves(lineages, generations)) for alike, lineages in self.groups]
        own: list[list[Element]] = [[] for _ in curves]
        total: list[Element] = []
        for n in range(generations):
            for found, (_, start, gained, none) in zip(own, curves, strict=True):
                again = (found[m] * gained[n - m] + total[m] * none[n - m] for m in range(n))
                found.append(start[n] - sum(again, self.field.zero))
            total.append(sum((alike * f[n] for f, (alike, *_) in zip(own, curves, strict=True)), self.field.zero))
        return sum(total, self.field.zero)


def _curves(lineages: Lineages, generations: int) -> tuple[list[Element], list[Element], list[Element]]:
    """P(alone n generations on) from the first fit, from all of the type less from none of it, and from none of it."""
    first, full, none = lineages.first, lineages.all_of_it, lineages.none_of_it
    found: tuple[list[Element], list[Element], list[Element]] = ([], [], [])
    for _ in range(generations):
        for curve, value in zip(found, (first[-1], full[-1] - none[-1], none[-1]), strict=True):
            curve.append(value)
        first, full, none = (lineages.after(u, 1) for u in (first, full, none))
    return found
