"""Keeping all earlier data stops the loss of variance.

E V_n = V0 prod_{k=1}^n (1 - 1/(M k^2)), for maximum likelihood on all n M points drawn so far.

Idea: fit n pools (n-1) M old points, summed up by model n-1, with M new ones; the new sample mean misses
mu_{n-1} by variance V_{n-1}/M and has weight 1/n, so the fitted variance loses the fraction 1/(M n^2). The
product converges.

Source: the regime is that of Gerstgrasser et al., COLM 2024 (arXiv:2404.01413); for the Gaussian see Kazdan
et al. 2024 (arXiv:2410.16713).
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import ACCUMULATE_LOOP, POOLING, SAMPLE_MEAN, SAMPLE_VARIANCE

THEOREM = Theorem(
    name="accumulate_variance",
    title="Accumulating data stops the loss of variance",
    statement="A Gaussian refitted by maximum likelihood on all data so far, M new points a generation, has "
    "E V_n = V0 prod_{k=1}^n (1 - 1/(M k^2)).",
    latex=r"\mathbb{E}\,V_n = V_0 \prod_{k=1}^{n} \left(1 - \frac{1}{M k^2}\right)",
    domain="M >= 1 new samples per generation, V0 > 0",
    observable="V",
    claim="V0*Product(1 - 1/(M*k**2), (k, 1, n))",
    unknown="V",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0"],
        "domain": ["M - 1 >= 0", "V0 > 0"],
        "witness": {"M": "2", "V0": "1"},
        "sequences": {"product": {"start": "1", "next": "(1 - 1/(M*(n + 1)**2))*product"}},
        "unknowns": {"V": {"start": "V0", "next": "(1 - 1/(M*(n + 1)**2))*V"}},
        "claim": {"V": "V0*product"},
    },
    assumes=(ACCUMULATE_LOOP, POOLING, SAMPLE_MEAN, SAMPLE_VARIANCE),
    source="Kazdan et al. 2024, arXiv:2410.16713; Gerstgrasser et al., COLM 2024, arXiv:2404.01413",
)
