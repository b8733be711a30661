"""The fitted mean of the maximum-likelihood refit wanders no further than the source is wide.

E mu_n = mu0 and Var mu_n = V0 (1 - (1 - 1/M)^n), which stays below V0.

Idea: the increments of the martingale (mu_n) have variance E V_{n-1}/M, a geometric series that sums to V0.

Source: the loop of Shumailov et al., Nature 631 (2024) 755-759; the linear growth stated there is that of
the unbiased refit.
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import GAUSSIAN_LOOP, SAMPLE_MEAN, SAMPLE_VARIANCE

THEOREM = Theorem(
    name="mle_mean_drift",
    title="The mean of the maximum-likelihood refit stays within the width of the source",
    statement="A Gaussian refitted by maximum likelihood has E mu_n = mu0 and Var mu_n = V0 (1 - (1 - 1/M)^n).",
    latex=r"\operatorname{Var}\mu_n = V_0 \left(1 - \left(1 - \frac{1}{M}\right)^n\right)",
    domain="M >= 1 samples per generation, V0 > 0",
    observable="(mu - mu0)**2",
    claim="V0*(1 - (1 - 1/M)**n)",
    unknown="drift",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0", "mu0"],
        "domain": ["M - 1 >= 0", "V0 > 0"],
        "witness": {"M": "2", "V0": "1", "mu0": "0"},
        "sequences": {"b": {"start": "1", "next": "(1 - 1/M)*b"}},
        "unknowns": {
            "mu": {"start": "mu0", "next": "mu"},
            "V": {"start": "V0", "next": "(M - 1)/M*V"},
            "drift": {"start": "0", "next": "drift + V/M"},
        },
        "claim": {"mu": "mu0", "V": "V0*b", "drift": "V0*(1 - b)"},
    },
    assumes=(GAUSSIAN_LOOP, SAMPLE_MEAN, SAMPLE_VARIANCE),
    source="Shumailov et al., Nature 631 (2024) 755-759 (the loop)",
)
