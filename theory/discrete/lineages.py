"""Lineages: the tokens of one fit traced back to where they were drawn, exactly and for any share of real data.

For one type against the rest, X_n its count of M: u_k(n) = P(k of the M tokens of fit n, chosen at random, are all of
the type) = E (X_n)_k/(M)_k. Each of the k was drawn from real data, where its line ends, or copied from a token of the
fit before, where lines merge; so u(n + 1) = G u(n) with G lower triangular. One triangular system in place of the
chain's transition matrix: it closes for every vocabulary, and over the symbols of the loop as well as over QQ.
"""

from collections.abc import Sequence
from functools import cached_property
from math import comb

from attrs import frozen
from sympy import Expr, oo

from theory.field import Element, Field


@frozen(eq=False)
class Lineages:
    """The system u(n + 1) = G u(n), u(1) = ``first``, u_0 = 1 always.

    ``rows[k][m]`` is G_km ``scales[k]`` for m <= k: scaled so that fractions of the loop's numbers are whole.
    """

    field: Field
    scales: tuple[Element, ...]
    rows: tuple[list[Element], ...]
    first: list[Element]

    @property
    def samples(self) -> int:
        """M."""
        return len(self.rows) - 1

    def after(self, values: Sequence[Element], generations: int) -> list[Element]:
        """Return G^generations values."""
        found = list(values)
        for _ in range(generations):
            found = [
                sum((g * u for g, u in zip(row, found, strict=False)), self.field.zero) / scale
                for row, scale in zip(self.rows, self.scales, strict=True)
            ]
        return found

    def all_at(self, n: Expr | int) -> Element:
        """P(every token is of the type) at fit n >= 1, a number or oo: u_M(n)."""
        return self._limit_of_all if n == oo else self.after(self.first, int(n) - 1)[-1]

    @property
    def spectral(self) -> list[Element]:
        """The weights c_k of u_M(n) = sum_k c_k lambda_k^(n - 1), k = 0..M, n >= 1, with lambda_k = G_kk.

        Each u_k(n) is such a sum over i <= k: c_ki (lambda_i - lambda_k) = sum_(i <= m < k) G_km c_mi, and the weights
        of one k sum to u_k(1). Where lambda_i = lambda_k, both are 0, neither comes in: no line copies so many tokens.
        """
        weights: list[list[Element]] = []
        values = [row[-1] / scale for row, scale in zip(self.rows, self.scales, strict=True)]
        for k, (row, scale) in enumerate(zip(self.rows, self.scales, strict=True)):
            own = [
                sum((row[m] * weights[m][i] for m in range(i, k)), self.field.zero) / (scale * (values[i] - values[k]))
                if values[i] != values[k]
                else self.field.zero
                for i in range(k)
            ]
            weights.append([*own, self.first[k] - sum(own, self.field.zero)])
        return weights[-1]

    @property
    def _limit_of_all(self) -> Element:
        """P(every token is of the type) as n grows: the last entry of u = G u, u_0 = 1.

        Needs real data, without which G has the eigenvalue 1 twice.
        """
        tops, bottoms = self.numerators([row[0] for row in self.rows])
        return tops[-1] / bottoms[-1]

    @property
    def _limit_law(self) -> list[Element]:
        """The law of the count as n grows, from u = G u; divided by the common denominator at the end alone."""
        tops, bottoms = self.numerators([row[0] for row in self.rows])
        over, common = self.field.one, []
        for top, gap in zip(reversed(tops[1:]), reversed(self._gaps[1:]), strict=True):
            common.append(top * over)
            over *= gap
        return [value / bottoms[-1] for value in self._law([bottoms[-1], *reversed(common)])]

    def law(self, n: Expr | int) -> list[Element]:
        """Return the law of the count at fit n, or as n grows, n = oo: P(X = x) for x = 0..M."""
        return self._limit_law if n == oo else self._law(self.after(self.first, int(n) - 1))

    @property
    def all_of_it(self) -> list[Element]:
        """u where all M tokens are of the type."""
        return [self.field.one] * (self.samples + 1)

    @property
    def none_of_it(self) -> list[Element]:
        """u where no token is of the type."""
        return [self.field.one] + [self.field.zero] * self.samples

    def counted(self, count: int) -> list[Element]:
        """u where ``count`` tokens are of the type: (count)_k/(M)_k."""
        return [self.field.one * comb(count, k) / comb(self.samples, k) for k in range(self.samples + 1)]

    def numerators(self, right: Sequence[Element]) -> tuple[list[Element], list[Element]]:
        """Solve y_k = right_k/scales_k + sum_{1 <= m <= k} G_km y_m for k >= 1, as y_k = top_k/bottom_k.

        bottom_k = prod_{i <= k} scales_i (1 - G_ii): nothing is divided, since lowest terms cost more than they save.
        """
        tops, bottoms = [self.field.zero], [self.field.one]
        for k in range(1, self.samples + 1):
            total = self.field.zero
            for m in range(1, k):
                total = total * self._gaps[m] + self.rows[k][m] * tops[m]
            tops.append(total + right[k] * bottoms[-1])
            bottoms.append(bottoms[-1] * self._gaps[k])
        return tops, bottoms

    def _law(self, values: Sequence[Element]) -> list[Element]:
        """Return the law that has u: inclusion and exclusion over subsets of tokens."""
        M = self.samples
        subsets = [u * comb(M, k) for k, u in enumerate(values)]
        return [
            sum((subsets[k] * ((-1) ** (k - x) * comb(k, x)) for k in range(x, M + 1)), self.field.zero)
            for x in range(M + 1)
        ]

    @cached_property
    def _gaps(self) -> list[Element]:
        return [scale - row[-1] for scale, row in zip(self.scales, self.rows, strict=True)]


def bernoulli_lineages(field: Field, samples: int, share: Element, chance: Element, scale: int) -> Lineages:
    """Each token is real with probability ``share``, and a real one of the type with probability ``chance``.

    Row k + 1 is row k with one more token: real and of the type, or copied, to an old ancestor or to a new one.
    ``scale`` is a multiple of M, best such that it makes both kinds of draw whole.
    """
    M, one = samples, field.one
    real, copied = share * chance * scale, (one - share) * (scale // M)
    rows = [[one]]
    for k in range(M):
        row = [*rows[-1], field.zero]
        rows.append([(real + copied * m) * row[m] + copied * (M - m + 1) * row[m - 1] for m in range(1, k + 2)])
        rows[-1].insert(0, real * row[0])
    scales = tuple(one * scale**k for k in range(M + 1))
    return Lineages(field, scales, tuple(rows), _powers(field, chance, M))


def fixed_lineages(field: Field, samples: int, real: int, chance: Element, denominator: int) -> Lineages:
    """``real`` of the M tokens are real, drawn anew for every fit, each of the type with probability ``chance``.

    ``denominator`` is that of the chance.
    """
    ways = [comb(real, i) * power for i, power in enumerate(_powers(field, chance * denominator, real))]
    return _counted(field, samples, real, ways, denominator, _powers(field, chance, samples))


def kept_lineages(field: Field, samples: int, real: int, of_type: int, chance: Element) -> Lineages:
    """``real`` of the M tokens are kept for all fits, ``of_type`` of them of the type; ``chance`` is the source's."""
    M, one = samples, field.one
    powers = _powers(field, chance, M)
    first = []
    for k in range(M + 1):
        ways = (powers[j] * (comb(M - real, j) * comb(of_type, k - j)) for j in range(k + 1))
        first.append(sum(ways, field.zero) / comb(M, k))
    # C(real, i) times the chance (of_type)_i/(real)_i that i kept tokens are of the type is C(of_type, i).
    return _counted(field, samples, real, [one * comb(of_type, i) for i in range(real + 1)], 1, first)


def _counted(
    field: Field, samples: int, real: int, ways: Sequence[Element], denominator: int, first: list[Element]
) -> Lineages:
    """G_km = sum_j C(M - real, j) ways_(k-j) / C(M, k) * P(j copies descend from m tokens)."""
    M, copies = samples, samples - real
    occupied = _occupancies(M, copies)
    scales, rows = [], []
    for k in range(M + 1):
        row = [field.zero] * (k + 1)
        for j in range(max(0, k - real), min(k, copies) + 1):
            weight = ways[k - j] * (comb(copies, j) * M ** (k - j) * denominator**j)
            for m in range(j + 1):
                row[m] += weight * occupied[j][m]
        rows.append(row)
        scales.append(field.one * (comb(M, k) * (M * denominator) ** k))
    return Lineages(field, tuple(scales), tuple(rows), first)


def _occupancies(samples: int, copies: int) -> list[list[int]]:
    """Return M^j P(j copies of M tokens descend from m of them) as whole numbers, row j up to ``copies``."""
    rows = [[1]]
    for j in range(copies):
        row = [*rows[-1], 0]
        rows.append([row[m] * m + (row[m - 1] * (samples - m + 1) if m else 0) for m in range(j + 2)])
    return rows


def _powers(field: Field, base: Element, highest: int) -> list[Element]:
    powers = [field.one]
    for _ in range(highest):
        powers.append(powers[-1] * base)
    return powers
