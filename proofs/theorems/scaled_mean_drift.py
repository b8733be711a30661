"""The fitted mean under any multiple c of the unbiased variance.

Var mu_n = V0/M (1 - c^n)/(1 - c) for c != 1, with E V_n = c^n V0.

Idea: the increments of the martingale (mu_n) have variance c^(n-1) V0/M: a geometric series, bounded when c
< 1.

Source: Cochran's theorem for the step; c = (M-1)/M is maximum likelihood, c = (M-1)/(M+1) the least mean
square error.
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import GAUSSIAN_LOOP, SAMPLE_MEAN, SAMPLE_VARIANCE

THEOREM = Theorem(
    name="scaled_mean_drift",
    title="The mean under any multiple of the unbiased variance",
    statement="A Gaussian refitted with c times the unbiased variance, c != 1, has E V_n = c^n V0 and "
    "Var mu_n = V0/M (1 - c^n)/(1 - c).",
    latex=r"\operatorname{Var}\mu_n = \frac{V_0}{M}\,\frac{1 - c^n}{1 - c}",
    domain="M >= 2 samples per generation, V0 > 0, c > 0, c != 1",
    observable="(mu - mu0)**2",
    claim="V0/M*(1 - c**n)/(1 - c)",
    unknown="drift",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0", "mu0", "c"],
        "domain": ["M - 1 > 0", "V0 > 0", "c > 0", "c - 1 != 0"],
        "witness": {"M": "2", "V0": "1", "mu0": "0", "c": "1/2"},
        "sequences": {"b": {"start": "1", "next": "c*b"}},
        "unknowns": {
            "mu": {"start": "mu0", "next": "mu"},
            "V": {"start": "V0", "next": "c*V"},
            "drift": {"start": "0", "next": "drift + V/M"},
        },
        "claim": {"mu": "mu0", "V": "V0*b", "drift": "V0/M*(1 - b)/(1 - c)"},
    },
    assumes=(GAUSSIAN_LOOP, SAMPLE_MEAN, SAMPLE_VARIANCE),
    source="Cochran's theorem; Shumailov et al., Nature 631 (2024) 755-759 (the loop)",
)
