"""The unbiased refit keeps the mean of the variance.

E V_n = V0 for every generation n: averaged over chains, nothing collapses, although every single chain
does.

Idea: the unbiased sample variance has conditional mean V_{n-1}, so (V_n) is a martingale.

Source: the loop of Shumailov et al., Nature 631 (2024) 755-759, Theorem 3.1; the identity is the
unbiasedness of the sample variance.
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import GAUSSIAN_LOOP, SAMPLE_VARIANCE

THEOREM = Theorem(
    name="unbiased_mean_variance",
    title="The unbiased refit keeps the mean of the variance",
    statement="A Gaussian refitted with the unbiased variance has E V_n = V0 in every generation n.",
    latex=r"\mathbb{E}\,V_n = V_0",
    domain="M >= 2 samples per generation, V0 > 0",
    observable="V",
    claim="V0",
    unknown="V",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["V0"],
        "domain": ["V0 > 0"],
        "witness": {"V0": "1"},
        "sequences": {},
        "unknowns": {"V": {"start": "V0", "next": "V"}},
        "claim": {"V": "V0"},
    },
    assumes=(GAUSSIAN_LOOP, SAMPLE_VARIANCE),
    source="Shumailov et al., Nature 631 (2024) 755-759, Theorem 3.1 (the loop)",
)
