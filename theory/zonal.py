"""Zonal polynomials: the coordinates in which a refit of a covariance matrix is diagonal.

They are the eigenvectors of the Wishart expectation on products of traces, and are found as that.
"""

from collections.abc import Iterator, Sequence
from functools import cache

from sympy import QQ, Expr, Mul, S, Trace
from sympy.matrices.expressions.matexpr import MatrixExpr
from sympy.polys.matrices import DomainMatrix
from sympy.utilities.iterables import partitions

from theory.invariants import MODEL, SIGMA
from theory.networks import X, components, network, trace, wishart

Partition = tuple[int, ...]


def zonal(partition: Sequence[int], matrix: MatrixExpr = SIGMA) -> Expr:
    """Return C_kappa(A) in traces of powers of A, normalised so that sum_kappa C_kappa(A) = tr(A)^k.

    E C_kappa(W) = `eigenvalue` * C_kappa(Sigma) for W ~ Wishart(df, Sigma), in every dimension (Muirhead 1982, Theorem
    7.2.7); with more parts than dimensions C_kappa is 0.

    Args:
        partition: kappa, whole numbers >= 1 that do not increase.
        matrix: A, the fitted covariance unless given.

    Raises:
        ValueError: no partition.

    >>> zonal((2,))
    2*Trace(Sigma**2)/3 + Trace(Sigma)**2/3
    """
    kappa = _checked(partition)
    weights = _zonals(sum(kappa))[kappa]
    return sum((w * Mul(*(Trace(matrix**part) for part in parts)) for parts, w in weights.items()), S.Zero)


def eigenvalue(partition: Sequence[int], df: Expr) -> Expr:
    """Return 2^k (df/2)_kappa = prod over rows i and columns j of kappa of (df + 2 j - i), both counted from 0.

    >>> from theory.symbols import M
    >>> eigenvalue((2, 1), M - 1)
    (M - 2)*(M - 1)*(M + 1)
    """
    return Mul(*(df + 2 * j - i for i, part in enumerate(_checked(partition)) for j in range(part)))


def _checked(partition: Sequence[int]) -> Partition:
    kappa = tuple(partition)
    whole = all(isinstance(part, int) and part >= 1 for part in kappa)
    if not kappa or not whole or list(kappa) != sorted(kappa, reverse=True):
        raise ValueError(f"{partition!r} is no partition. Give whole numbers >= 1 in falling order, such as (2, 1).")
    return kappa


def _partitions(k: int) -> Iterator[Partition]:
    for multiplicity in partitions(k):
        yield tuple(part for part in sorted(multiplicity, reverse=True) for _ in range(multiplicity[part]))


@cache
def _zonals(k: int) -> dict[Partition, dict[Partition, Expr]]:
    """Return the weights of all zonal polynomials of degree k on products of traces."""
    basis = list(_partitions(k))
    operator = _operator(basis)
    size, field = len(basis), operator.domain
    unit = DomainMatrix.eye(size, field)
    rows = [(operator - unit * field.from_sympy(eigenvalue(kappa, X))).transpose().nullspace() for kappa in basis]
    vectors = DomainMatrix([row.to_list()[0] for row in rows], (size, size), field)
    # The weights that make tr(A)^k of all eigenvectors together.
    one = DomainMatrix([[field.one if parts == (1,) * k else field.zero for parts in basis]], (1, size), field)
    scales = (one * vectors.inv()).to_list()[0]
    table = [[field.to_sympy(scale * w) for w in row] for scale, row in zip(scales, vectors.to_list(), strict=True)]
    return {
        kappa: {parts: w for parts, w in zip(basis, row, strict=True) if w != 0}
        for kappa, row in zip(basis, table, strict=True)
    }


def _operator(basis: list[Partition]) -> DomainMatrix:
    """Return the matrix of E prod_i tr(W^parts_i) = sum over products of traces of Sigma, over QQ(x)."""
    field = QQ.frac_field(X)
    rows = []
    for parts in basis:
        row = dict.fromkeys(basis, field.zero)
        for power, target in _moments(parts):
            row[target] += field.from_sympy(power)
        rows.append(list(row.values()))
    return DomainMatrix(rows, (len(basis), len(basis)), field)


def _moments(parts: Partition) -> Iterator[tuple[Expr, Partition]]:
    edges, _ = network(trace((MODEL,) * part) for part in parts)
    nodes = [node for _, *pair in edges for node in pair]
    for power, pairing in wishart(sum(parts)):
        found = components([(MODEL, nodes[a], nodes[b]) for a, b in pairing], [])
        yield power, tuple(sorted((len(c.word) for c in found), reverse=True))
