"""The chain of ancestors: how many distinct tokens of one generation k tokens of the next descend from.

P(m | k) = S2(k, m) (M)_m / M^k, S2 the Stirling numbers of the second kind and (M)_m = M (M-1) ... (M-m+1): triangular,
with eigenvalues (M)_k / M^k. Everything here is solved by substitution, in O(M^2) products of a long number with a
number at most M, because S2(k, m) need never be formed: multiplying by it is repeated synthetic division.

Numbers are of a ring in which ``//`` divides exactly what is divisible: whole numbers for a given M (SymPy's ZZ,
python-flint's where it is installed), polynomials in M for a symbolic one.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any

from attrs import frozen
from sympy import ZZ
from sympy.external.gmpy import gcd

Rule = Callable[[int, Any], Any]
"""(s, what the others contribute to equation s) -> the unknown of index s."""


def descend(top: int, bottom: int, rule: Rule) -> list[Any]:
    """Solve z_s = rule(s, sum_(k > s) S2(k, s) z_k) for s = top, ..., bottom; entry s of the list is z_s, else 0.

    >>> descend(3, 1, lambda s, above: above + 1)  # S2(3, 2) = 3, S2(3, 1) = S2(2, 1) = 1
    [0, 6, 4, 1]
    """
    z, row = [0] * (top + 1), [0] * top
    for s in range(top, bottom - 1, -1):
        # row[j - 1] = sum_(k > s) z_k h_(k-s-1)(1, ..., j), h complete homogeneous; S2(k, s) = h_(k-s)(1, ..., s).
        row = list(accumulate(map(mul, row, range(1, s + 1))))
        z[s] = own = rule(s, row[-1])
        row = [x + own for x in row]
    return z


def ascend(top: int, bottom: int, rule: Rule) -> list[Any]:
    """Solve t_s = rule(s, sum_(a < s) S2(s, a) t_a) for s = bottom, ..., top; entry s of the list is t_s, else 0.

    >>> ascend(3, 1, lambda s, below: below + 1)
    [0, 1, 2, 8]
    """
    t: list[Any] = [0] * (top + 1)
    t[bottom] = rule(bottom, 0)
    row = [t[bottom]] * (bottom + 1)
    for s in range(bottom + 1, top + 1):
        # row, from its end: sum_(a < s) t_a h_(s-1-a)(j, ..., a), j = s-1, ..., 0.
        row = list(accumulate(map(mul, row, range(s - 1, -1, -1))))
        t[s] = own = rule(s, row[-1])
        row = [own, *(x + own for x in row)]
    return t


def falling(x: Any, k: int) -> Any:
    """Return (x)_k = x (x - 1) ... (x - k + 1)."""
    return prod((x - i for i in range(k)), start=x**0)


@frozen
class Weights:
    """A vector over numbers of ancestors a = 0..M, as numerators over one denominator: those of a law, or of visits."""

    numerators: tuple[Any, ...]
    denominator: Any

    def dot(self, values: Sequence[Any]) -> Any:
        """Return the numerator of sum_a weight_a values_a."""
        return sum(w * value for w, value in zip(self.numerators, values, strict=True) if w and value)


def law(samples: int, n: int, integer: Callable[[int], Any] = ZZ) -> Weights:
    """Return P(A_n = a), a = 0..M, n >= 1: A_1 = M, and A_(n+1) is the number of ancestors of A_n tokens."""
    M = integer(samples)
    now: list[Any] = [M * 0] * samples + [M**0]
    for _ in range(n - 1):
        now = _pushed(M, samples, now)
    return Weights(tuple(now), M ** (samples * (n - 1)))


def _pushed(M: Any, samples: int, now: Sequence[Any]) -> list[Any]:
    """Return M^M times the law after, (M)_a sum_k S2(k, a) M^(M-k) P(k)."""
    scaled = [weight * M ** (samples - k) for k, weight in enumerate(now)]
    after: list[Any] = [M * 0] * (samples + 1)

    def rule(a: int, above: Any) -> Any:
        after[a] = falling(M, a) * (above + scaled[a])
        return scaled[a]

    descend(samples, 1, rule)
    return after


@lru_cache(maxsize=16)
def visits(samples: int, order: int = 1, integer: Callable[[int], Any] = ZZ) -> Weights:
    """Return g_a = sum_(n >= 1) binomial(n + order - 2, order - 1) P(A_n = a) for a >= 2: mean visits, for order 1.

    g = r + g P on a = 2..M, r the answer of the order before and at first certainty of a = M. With z_a = g_a / M^(a-1)

        z_a (M^(a-1) - (M-1)_(a-1)) = r_a + (M-1)_(a-1) sum_(k > a) S2(k, a) z_k,

    all of it non-negative, and whole once multiplied by the product of the factors on the left.
    """
    M = integer(samples)
    ways, pivots, common = _equations(M, samples)
    scale = prod(pivots, start=M**0)
    if order == 1:
        forced, over = [M * 0] * samples + [scale], common[samples] * scale
    else:
        before = visits(samples, order - 1, integer)
        forced = [x // g * scale for x, g in zip(before.numerators, common, strict=True)]
        over = before.denominator * scale
    z = descend(samples, 2, lambda a, above: (forced[a] + ways[a] * above) // pivots[a])
    return Weights(tuple(M ** max(a - 1, 0) * x for a, x in enumerate(z)), over)


def _equations(M: Any, samples: int) -> tuple[list[Any], list[Any], list[Any]]:
    """Return (M-1)_(a-1)/d_a, (M^(a-1) - (M-1)_(a-1))/d_a and d_a, a = 0..M, d_a their common divisor.

    Without it, answers would have a quarter more digits to carry. Entries 0 and 1 are for no equation.
    """
    rises = [M ** max(a - 1, 0) for a in range(samples + 1)]
    ways = [M**0, *accumulate(range(1, samples), lambda x, i: x * (M - i), initial=M**0)]
    common = list(map(gcd, rises, ways))
    pivots = [(rise - way) // d if rise != way else M**0 for rise, way, d in zip(rises, ways, common, strict=True)]
    return [way // d for way, d in zip(ways, common, strict=True)], pivots, common


def moments(M: Any, start: Sequence[Any], n: int) -> list[Any]:
    """Return M^(n top) E p_n^k, k = 0..top, from p_0^k: E p_n^k = sum_m P(m | k) E p_(n-1)^m."""
    now = list(start)
    for _ in range(n):
        now = _pulled(M, now)
    return now


def _pulled(M: Any, now: Sequence[Any]) -> list[Any]:
    """Return M^top times the moments after, M^(top-k) sum_m S2(k, m) (M)_m E p^m."""
    top = len(now) - 1
    after = [M**top * now[0]] + [M * 0] * top

    def rule(k: int, below: Any) -> Any:
        one = falling(M, k) * now[k]
        after[k] = M ** (top - k) * (below + one)
        return one

    ascend(top, 1, rule)
    return after
