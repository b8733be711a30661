"""The maximum-likelihood refit loses variance geometrically.

E V_n = V0 (1 - 1/M)^n.

Idea: the divisor M instead of M-1 multiplies the conditional mean of the variance by 1 - 1/M in each
generation.

Source: the loop of Shumailov et al., Nature 631 (2024) 755-759; the factor is the bias of the
maximum-likelihood variance.
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import GAUSSIAN_LOOP, SAMPLE_VARIANCE

THEOREM = Theorem(
    name="mle_variance_decay",
    title="The maximum-likelihood refit loses variance geometrically",
    statement="A Gaussian refitted by maximum likelihood has E V_n = V0 (1 - 1/M)^n.",
    latex=r"\mathbb{E}\,V_n = V_0 \left(1 - \frac{1}{M}\right)^n",
    domain="M >= 1 samples per generation, V0 > 0",
    observable="V",
    claim="V0*(1 - 1/M)**n",
    unknown="V",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0"],
        "domain": ["M - 1 >= 0", "V0 > 0"],
        "witness": {"M": "2", "V0": "1"},
        "sequences": {"b": {"start": "1", "next": "(1 - 1/M)*b"}},
        "unknowns": {"V": {"start": "V0", "next": "(M - 1)/M*V"}},
        "claim": {"V": "V0*b"},
    },
    assumes=(GAUSSIAN_LOOP, SAMPLE_VARIANCE),
    source="Shumailov et al., Nature 631 (2024) 755-759 (the loop)",
)
