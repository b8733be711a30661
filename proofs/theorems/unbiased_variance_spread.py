"""The spread of the variance between chains explodes under the unbiased refit.

E V_n^2 = V0^2 ((M+1)/(M-1))^n, hence Var V_n = V0^2 (((M+1)/(M-1))^n - 1).

Idea: V_n is V_{n-1} times an independent chi-square over its degrees of freedom, of second moment
(M+1)/(M-1) > 1. So the constant mean is carried by ever rarer chains.

Source: Cochran's theorem for the step; the loop of Shumailov et al., Nature 631 (2024) 755-759.
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import CHI_SQUARE, GAUSSIAN_LOOP, SAMPLE_VARIANCE

THEOREM = Theorem(
    name="unbiased_variance_spread",
    title="The spread of the variance between chains explodes",
    statement="A Gaussian refitted with the unbiased variance has E V_n^2 = V0^2 ((M+1)/(M-1))^n, "
    "so Var V_n = V0^2 (((M+1)/(M-1))^n - 1).",
    latex=r"\mathbb{E}\,V_n^2 = V_0^2 \left(\frac{M+1}{M-1}\right)^n",
    domain="M >= 2 samples per generation, V0 > 0",
    observable="V**2",
    claim="V0**2*((M + 1)/(M - 1))**n",
    unknown="square",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0"],
        "domain": ["M - 1 > 0", "V0 > 0"],
        "witness": {"M": "2", "V0": "1"},
        "sequences": {"b": {"start": "1", "next": "(M + 1)/(M - 1)*b"}},
        "unknowns": {
            "V": {"start": "V0", "next": "V"},
            "square": {"start": "V0**2", "next": "(M + 1)/(M - 1)*square"},
            "spread": {"start": "0", "next": "(M + 1)/(M - 1)*square - V**2"},
        },
        "claim": {"V": "V0", "square": "V0**2*b", "spread": "V0**2*(b - 1)"},
    },
    assumes=(GAUSSIAN_LOOP, SAMPLE_VARIANCE, CHI_SQUARE),
    source="Cochran's theorem; Shumailov et al., Nature 631 (2024) 755-759 (the loop)",
)
