"""The chain of ancestors by its eigenvectors: answers at every generation at once, sum_k c_k lambda_k^n.

Left eigenvectors alternate in sign and right ones grow, so forward steps are the better way to one generation; these
are for a symbolic n, for a symbolic M, and for what is left after a long time.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import comb, prod
from typing import Any

from sympy import QQ, ZZ, Expr

from theory.discrete.dual import Weights, ascend, descend, falling


def left(M: Any, k: int) -> Weights:
    """Return l_k with l_k P = lambda_k l_k and l_k(k) = 1, entries a = 0..k.

    With z_a = l_k(a)/M^a: z_a (M^(k-a) - (M-a)_(k-a)) = -M^(k-a) sum_(j > a) S2(j, a) z_j.
    """
    pivots = [M ** (k - a) - falling(M - a, k - a) for a in range(1, k)]
    scale = prod(pivots, start=M**0)

    def rule(a: int, above: Any) -> Any:
        return scale if a == k else -(M ** (k - a)) * above // pivots[a - 1]

    z = descend(k, 1, rule)
    return Weights(tuple(M**a * x for a, x in enumerate(z)), M**k * scale)


def right(M: Any, k: int, top: int) -> Weights:
    """Return r_k with P r_k = lambda_k r_k and r_k(k) = 1, entries j = 0..top.

    With t_j = (M)_j r_k(j): t_j (M^(j-k) - (M-k)_(j-k)) = (M-k)_(j-k) sum_(a < j) S2(j, a) t_a.
    """
    ways = list(accumulate(range(top - k), lambda x, i: x * (M - k - i), initial=M**0))
    pivots = [M**q - way for q, way in enumerate(ways)]
    scale = prod(pivots[1:], start=falling(M, k))

    def rule(j: int, below: Any) -> Any:
        return scale if j == k else ways[j - k] * below // pivots[j - k]

    t = ascend(top, k, rule)
    rises = accumulate(range(top - 1, -1, -1), lambda x, j: x * (M - j), initial=M**0)
    return Weights(tuple(x * rise for x, rise in zip(t, reversed(list(rises)), strict=True)), scale * ways[-1])


def modes(M: Any, top: int) -> Iterator[tuple[int, Weights]]:
    """Yield k and r_k(top) l_k, k = 1..top: the law of ancestors of ``top`` tokens, j generations back, is sum_k
    lambda_k^j times these.
    """
    for k in range(1, top + 1):
        vector, height = left(M, k), right(M, k, top)
        reach = height.numerators[top]
        yield k, Weights(tuple(reach * x for x in vector.numerators), vector.denominator * height.denominator)


def quasi_stationary(samples: int) -> Weights:
    """Return the law on counts x = 1..M-1 (entries 0 and M are 0) that two types keep while both are left.

    Its factorial moments E (X)_k/(M)_k = (1 - r_2(k)/r_2(M))/2 follow from duality, symmetry and P(X = M) = 0.
    """
    height = right(ZZ(samples), 2, samples).numerators
    law = list(mixed_binomial([height[samples] - x for x in height]))
    inner = (ZZ(0), *law[1:samples], ZZ(0))
    return Weights(inner, sum(inner))


def tail_constant(samples: int) -> Expr:
    """Return C = 2 r_2(M)/lambda_2, so that P(T > n) ~ C p (1 - p) lambda_2^n for two types."""
    height = right(ZZ(samples), 2, samples)
    return QQ.to_sympy(QQ(2 * samples * height.numerators[samples], (samples - 1) * height.denominator))


def mixed_binomial(moments: Sequence[Any]) -> Iterator[Any]:
    """Yield P(X = x) = binomial(M, x) E p^x (1-p)^(M-x), x = 0..M, by differences of the moments E p^k, k = 0..M."""
    M, column = len(moments) - 1, list(moments)
    ends = [column[-1]]
    for _ in range(M):
        column = [low - high for low, high in pairwise(column)]
        ends.append(column[-1])
    return (comb(M, x) * ends[M - x] for x in range(M + 1))
