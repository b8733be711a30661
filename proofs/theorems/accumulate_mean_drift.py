"""Under accumulation the mean wanders only as far as the variance has shrunk.

E (mu_n - mu0)^2 = V0 - E V_n = V0 (1 - prod_{k=1}^n (1 - 1/(M k^2))), for maximum likelihood on all n M
points.

Idea: the new sample mean enters with weight 1/n, so the martingale (mu_n) moves by variance E V_{n-1}/(M
n^2), which is exactly what E V_n loses.

Source: the regime is that of Gerstgrasser et al., COLM 2024 (arXiv:2404.01413); for the Gaussian see Kazdan
et al. 2024 (arXiv:2410.16713).
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import ACCUMULATE_LOOP, POOLING, SAMPLE_MEAN, SAMPLE_VARIANCE

THEOREM = Theorem(
    name="accumulate_mean_drift",
    title="Under accumulation the mean wanders as far as the variance has shrunk",
    statement="A Gaussian refitted by maximum likelihood on all data so far, M new points a generation, has "
    "E (mu_n - mu0)^2 = V0 - E V_n = V0 (1 - prod_{k=1}^n (1 - 1/(M k^2))).",
    latex=r"\mathbb{E}(\mu_n - \mu_0)^2 = "
    r"V_0 \left(1 - \prod_{k=1}^{n} \left(1 - \frac{1}{M k^2}\right)\right)",
    domain="M >= 1 new samples per generation, V0 > 0",
    observable="(mu - mu0)**2",
    claim="V0*(1 - Product(1 - 1/(M*k**2), (k, 1, n)))",
    unknown="drift",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0"],
        "domain": ["M - 1 >= 0", "V0 > 0"],
        "witness": {"M": "2", "V0": "1"},
        "sequences": {"product": {"start": "1", "next": "(1 - 1/(M*(n + 1)**2))*product"}},
        "unknowns": {
            "V": {"start": "V0", "next": "(1 - 1/(M*(n + 1)**2))*V"},
            "drift": {"start": "0", "next": "drift + V/(M*(n + 1)**2)"},
        },
        "claim": {"V": "V0*product", "drift": "V0*(1 - product)"},
    },
    assumes=(ACCUMULATE_LOOP, POOLING, SAMPLE_MEAN, SAMPLE_VARIANCE),
    source="Kazdan et al. 2024, arXiv:2410.16713; Gerstgrasser et al., COLM 2024, arXiv:2404.01413",
)
