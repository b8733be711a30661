"""Refitted frequencies lose their diversity geometrically.

1 - E sum_i p_i(n)^2 = (1 - 1/M)^n (1 - F0) with F0 = sum_i p_i(0)^2, for any number of types.

Idea: two draws of a fit are the same draw with probability 1/M, and otherwise collide as often as two draws
of the last model. This is heterozygosity in the neutral Wright-Fisher model.

Source: Wright 1931; Ewens, Mathematical Population Genetics, 2004; for language models Seddik et al., COLM
2024 (arXiv:2404.05090).
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import WRIGHT_FISHER

THEOREM = Theorem(
    name="collision_decay",
    title="Refitted frequencies lose their diversity geometrically",
    statement="A categorical law refitted to M of its own draws has "
    "1 - E sum_i p_i^2 = (1 - 1/M)^n (1 - F0), where F0 is sum_i p_i^2 of the source.",
    latex=r"1 - \mathbb{E} \sum_i p_i^2 = \left(1 - \frac{1}{M}\right)^n (1 - F_0)",
    domain="M >= 1 samples per generation, 0 <= F0 <= 1",
    observable="1 - sum(p[i]**2)",
    claim="(1 - 1/M)**n*(1 - F0)",
    unknown="diversity",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "F0"],
        "domain": ["M - 1 >= 0", "F0 >= 0", "1 - F0 >= 0"],
        "witness": {"M": "2", "F0": "1/2"},
        "sequences": {"b": {"start": "1", "next": "(1 - 1/M)*b"}},
        "unknowns": {
            "collision": {"start": "F0", "next": "1/M + (1 - 1/M)*collision"},
            "diversity": {"start": "1 - F0", "next": "1 - (1/M + (1 - 1/M)*collision)"},
        },
        "claim": {"collision": "1 - (1 - F0)*b", "diversity": "(1 - F0)*b"},
    },
    assumes=(WRIGHT_FISHER,),
    source="Wright 1931; Seddik et al., COLM 2024, arXiv:2404.05090",
)
