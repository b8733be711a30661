"""One type of the neutral chain: its moments E p_n^k in symbols, and the law of its count at one generation.

E p_n^k = sum_m P(m | k) E p_(n-1)^m, P the chain of ancestors, since k tokens are alike if their
ancestors are.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sympy import QQ, ZZ, Add, Expr, Mul, S, ff
from sympy.functions.combinatorial.numbers import stirling
from sympy.polys.rings import PolyRing

from theory.discrete.dual import moments
from theory.discrete.spectral import mixed_binomial, modes
from theory.field import letters


def eigenvalue(M: Expr, k: int) -> Expr:
    """Return lambda_k = (1 - 1/M) (1 - 2/M) ... (1 - (k-1)/M)."""
    return Mul(*((M - i) / M for i in range(1, k)))


def moment(M: Expr, k: int, n: Expr, power: Callable[[int], Expr]) -> Expr:
    """Return E p_n^k with power(a) for p_0^a: sum_j lambda_j^n times a combination of powers up to j <= k.

    Where k > M some lambda_j are 0; the first step back leaves M ancestors at most.
    """
    if M.is_Integer and k > M:
        steps = ((S(stirling(k, m)) * ff(M, m) / M**k, m) for m in range(1, int(M) + 1))
        return Add(*(chance * moment(M, m, n - 1, power) for chance, m in steps))
    combined = ((j, Add(*(w * power(a) for a, w in weights))) for j, weights in _combinations(M, k))
    total = Add(*(eigenvalue(M, j) ** n * weight.factor() for j, weight in combined))
    return total if n.free_symbols else total.cancel()


def _combinations(M: Expr, k: int) -> Iterator[tuple[int, list[tuple[int, Expr]]]]:
    """Yield j and r_j(k) l_j, the latter as pairs (a, weight of p_0^a)."""
    ring = PolyRing(tuple(sorted(letters(M), key=str)), ZZ) if not M.is_Integer else None
    for j, mode in modes(ZZ(int(M)) if ring is None else ring.from_expr(M), k):
        yield j, [(a, _quotient(w, mode.denominator, ring)) for a, w in enumerate(mode.numerators) if w]


def _quotient(numerator: Any, denominator: Any, ring: PolyRing | None) -> Expr:
    if ring is None:
        return QQ.to_sympy(QQ(numerator, denominator))
    top, bottom = (x.factor_list() for x in numerator.cancel(denominator))
    content = QQ.to_sympy(QQ(top[0], bottom[0]))
    return Mul(content, *(f.as_expr() ** e for f, e in top[1]), *(f.as_expr() ** -e for f, e in bottom[1]))


def count_law(powers: Sequence[Any], n: int) -> Iterator[Any]:
    """Yield M^(M (n-1)) P(M p_n = x), x = 0..M, n >= 1, from p_0^k, k = 0..M."""
    return mixed_binomial(moments(ZZ(len(powers) - 1), powers, n - 1))
