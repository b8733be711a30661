"""Any fixed share of real data keeps the fitted mean near the source.

E (mu_n - mu0)^2 = V0 (1 - r^n)/(M alpha (2 - alpha) + 1 - alpha) with r = (1 - alpha) (1 - alpha - 1/M),
and E V_n = V0 - E (mu_n - mu0)^2: the loop forgets at rate r and settles at a distance of order V0/(M
alpha).

Idea: maximum likelihood keeps E V_n + E (mu_n - mu0)^2 = V0, which leaves one linear recurrence with
contraction r.

Source: derived; the loop is that of Bertrand et al., ICLR 2024 (arXiv:2310.00429), for a Gaussian with
fresh real data.
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import GROUP_MEANS, LEAST_SQUARES, MIXED_LOOP

NEXT_DRIFT = "alpha*V0/M + (1 - alpha)**2*drift + (1 - alpha)*V/M"

THEOREM = Theorem(
    name="mixed_mean_drift",
    title="Any fixed share of real data keeps the mean near the source",
    statement="A Gaussian refitted by maximum likelihood to alpha M fresh real and (1 - alpha) M synthetic "
    "points has E (mu_n - mu0)^2 = V0 (1 - r^n)/(M alpha (2 - alpha) + 1 - alpha), "
    "r = (1 - alpha) (1 - alpha - 1/M).",
    latex=r"\mathbb{E}(\mu_n - \mu_0)^2 = V_0\, \frac{1 - r^n}{M \alpha (2 - \alpha) + 1 - \alpha}, \quad "
    r"r = (1 - \alpha)\left(1 - \alpha - \frac{1}{M}\right)",
    domain="M >= 1 samples per generation, 0 < alpha <= 1, alpha M whole, V0 > 0",
    observable="(mu - mu0)**2",
    claim="V0*(1 - ((1 - alpha)*(1 - alpha - 1/M))**n)/(M*alpha*(2 - alpha) + 1 - alpha)",
    unknown="drift",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0", "alpha"],
        "domain": ["M - 1 >= 0", "V0 > 0", "alpha > 0", "1 - alpha >= 0"],
        "witness": {"M": "2", "V0": "1", "alpha": "1/2"},
        "sequences": {"power": {"start": "1", "next": "(1 - alpha)*(1 - alpha - 1/M)*power"}},
        "unknowns": {
            "V": {"start": "V0", "next": f"alpha*V0 + (1 - alpha)*(V + drift) - ({NEXT_DRIFT})"},
            "drift": {"start": "0", "next": NEXT_DRIFT},
        },
        "claim": {
            "V": "V0 - V0*(1 - power)/(M*alpha*(2 - alpha) + 1 - alpha)",
            "drift": "V0*(1 - power)/(M*alpha*(2 - alpha) + 1 - alpha)",
        },
    },
    assumes=(MIXED_LOOP, GROUP_MEANS, LEAST_SQUARES),
    source="Derived here; Bertrand et al., ICLR 2024, arXiv:2310.00429 (the loop)",
)
