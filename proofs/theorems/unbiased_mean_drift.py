"""The fitted mean of the unbiased refit is a random walk whose variance grows linearly.

E mu_n = mu0 and Var mu_n = n V0/M.

Idea: (mu_n) is a martingale whose n-th increment has conditional variance V_{n-1}/M, of constant mean V0/M.

Source: Shumailov et al., Nature 631 (2024) 755-759, where it is the second term of Var(X_n) = V0 (1 + n/M).
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import GAUSSIAN_LOOP, SAMPLE_MEAN, SAMPLE_VARIANCE

THEOREM = Theorem(
    name="unbiased_mean_drift",
    title="The mean of the unbiased refit wanders linearly",
    statement="A Gaussian refitted with the unbiased variance has E mu_n = mu0 and Var mu_n = n V0/M.",
    latex=r"\operatorname{Var}\mu_n = \frac{n V_0}{M}",
    domain="M >= 2 samples per generation, V0 > 0",
    observable="(mu - mu0)**2",
    claim="n*V0/M",
    unknown="drift",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0", "mu0"],
        "domain": ["M - 1 > 0", "V0 > 0"],
        "witness": {"M": "2", "V0": "1", "mu0": "0"},
        "sequences": {},
        "unknowns": {
            "mu": {"start": "mu0", "next": "mu"},
            "V": {"start": "V0", "next": "V"},
            "drift": {"start": "0", "next": "drift + V/M"},
        },
        "claim": {"mu": "mu0", "V": "V0", "drift": "n*V0/M"},
    },
    assumes=(GAUSSIAN_LOOP, SAMPLE_MEAN, SAMPLE_VARIANCE),
    source="Shumailov et al., Nature 631 (2024) 755-759, supplement 3.1.1",
)
