"""A token's chance of taking over is its share, and ten draws settle the matter within a known mean time.

P(count reaches M | count i) = i/M, and the mean time to absorption t solves t_i = 1 + sum_j P_ij t_j
exactly, for M = 10.

Idea: the share is a martingale that is absorbed at 0 or 1. A positive solution t of t = 1 + Q t is by
itself the proof that absorption is certain, whence the equations h = P h with h_0 = 0, h_M = 1 have one
solution.

Source: Wright 1931; Kimura 1955; Ewens, Mathematical Population Genetics, 2004.
"""

from fractions import Fraction
from math import comb
from typing import Any

from proofs.theorem import Theorem
from proofs.theorems._trust import WRIGHT_FISHER

Matrix = list[list[Fraction]]


def certificate(samples: int) -> dict[str, Any]:
    """h_i = i/M and t = (1 - Q)^{-1} 1 of the Wright-Fisher chain with M = `samples`, as text."""
    inside = range(1, samples)
    system = [[Fraction(i == j) - _transition(samples, i, j) for j in inside] for i in inside]
    time = _solve(system, [Fraction(1) for _ in inside])
    return {
        "rule": "absorbing_chain",
        "law": "wright_fisher",
        "samples": samples,
        "hit": [str(Fraction(i, samples)) for i in range(samples + 1)],
        "time": ["0", *map(str, time), "0"],
    }


def _transition(samples: int, i: int, j: int) -> Fraction:
    """P(Binomial(M, i/M) = j)."""
    share = Fraction(i, samples)
    return comb(samples, j) * share**j * (1 - share) ** (samples - j)


def _solve(matrix: Matrix, right: list[Fraction]) -> list[Fraction]:
    """A^{-1} b by elimination; the pivots of 1 - Q are positive, so no rows are exchanged."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for k, pivot in enumerate(rows):
        rows[k] = pivot = [value / pivot[k] for value in pivot]
        for m in range(len(rows)):
            if m != k:
                rows[m] = [value - rows[m][k] * over for value, over in zip(rows[m], pivot, strict=True)]
    return [row[-1] for row in rows]


THEOREM = Theorem(
    name="fixation",
    title="A token takes over with probability equal to its share",
    statement="Two types refitted to M = 10 of their own draws: from count i of one type, one of the two is "
    "lost with probability 1, and it is the other with probability i/M, in a mean time that is rational.",
    latex=r"\mathbb{P}(\text{absorbed at } M \mid i) = \frac{i}{M}",
    domain="M = 10, counts i = 0, ..., M",
    observable="absorbed at M, from count i",
    claim="i/M",
    unknown="hit",
    certificate=lambda: certificate(10),
    assumes=(WRIGHT_FISHER,),
    source="Wright 1931; Ewens, Mathematical Population Genetics, 2004",
)
