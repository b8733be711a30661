"""Over all chains together, the maximum-likelihood refit never changes the variance of the data.

E V_n + Var mu_n = V0: what each chain loses in width, the chains gain in distance from each other.

Idea: the maximum-likelihood fit reproduces the mean of (x - mu0)^2 over its sample, which is a martingale.

Source: law of total variance; it corrects Var(X_n) = V0 (1 + n/M) of Shumailov et al., Nature 631 (2024)
755-759, which holds for the unbiased refit.
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import GAUSSIAN_LOOP, SAMPLE_MEAN, SAMPLE_VARIANCE

THEOREM = Theorem(
    name="mle_total_variance",
    title="Over all chains together, maximum likelihood keeps the variance of the data",
    statement="A Gaussian refitted by maximum likelihood has E V_n + Var mu_n = V0 in every generation n.",
    latex=r"\mathbb{E}\,V_n + \operatorname{Var}\mu_n = V_0",
    domain="M >= 1 samples per generation, V0 > 0",
    observable="V + (mu - mu0)**2",
    claim="V0",
    unknown="total",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0"],
        "domain": ["M - 1 >= 0", "V0 > 0"],
        "witness": {"M": "2", "V0": "1"},
        "sequences": {"b": {"start": "1", "next": "(1 - 1/M)*b"}},
        "unknowns": {
            "V": {"start": "V0", "next": "(M - 1)/M*V"},
            "drift": {"start": "0", "next": "drift + V/M"},
            "total": {"start": "V0", "next": "(M - 1)/M*V + drift + V/M"},
        },
        "claim": {"V": "V0*b", "drift": "V0*(1 - b)", "total": "V0"},
    },
    assumes=(GAUSSIAN_LOOP, SAMPLE_MEAN, SAMPLE_VARIANCE),
    source="Law of total variance; Shumailov et al., Nature 631 (2024) 755-759 (the loop)",
)
