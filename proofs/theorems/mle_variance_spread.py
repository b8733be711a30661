"""The spread of the variance between chains rises and then dies under the maximum-likelihood refit.

E V_n^2 = V0^2 (1 - 1/M^2)^n, hence Var V_n = V0^2 ((1 - 1/M^2)^n - (1 - 1/M)^(2n)).

Idea: the unbiased factor (M+1)/(M-1) times the square of (M-1)/M is 1 - 1/M^2 < 1.

Source: Cochran's theorem for the step; the loop of Shumailov et al., Nature 631 (2024) 755-759.
"""

from proofs.theorem import Theorem
from proofs.theorems._trust import CHI_SQUARE, GAUSSIAN_LOOP, SAMPLE_VARIANCE

THEOREM = Theorem(
    name="mle_variance_spread",
    title="Under maximum likelihood the spread of the variance dies out",
    statement="A Gaussian refitted by maximum likelihood has E V_n^2 = V0^2 (1 - 1/M^2)^n, "
    "so Var V_n = V0^2 ((1 - 1/M^2)^n - (1 - 1/M)^(2n)).",
    latex=r"\mathbb{E}\,V_n^2 = V_0^2 \left(1 - \frac{1}{M^2}\right)^n",
    domain="M >= 2 samples per generation, V0 > 0",
    observable="V**2",
    claim="V0**2*(1 - 1/M**2)**n",
    unknown="square",
    certificate={
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0"],
        "domain": ["M - 1 > 0", "V0 > 0"],
        "witness": {"M": "2", "V0": "1"},
        "sequences": {
            "a": {"start": "1", "next": "(1 - 1/M**2)*a"},
            "b": {"start": "1", "next": "(1 - 1/M)*b"},
        },
        "unknowns": {
            "V": {"start": "V0", "next": "(M - 1)/M*V"},
            "square": {"start": "V0**2", "next": "((M - 1)/M)**2*(M + 1)/(M - 1)*square"},
            "spread": {"start": "0", "next": "((M - 1)/M)**2*((M + 1)/(M - 1)*square - V**2)"},
        },
        "claim": {"V": "V0*b", "square": "V0**2*a", "spread": "V0**2*(a - b**2)"},
    },
    assumes=(GAUSSIAN_LOOP, SAMPLE_VARIANCE, CHI_SQUARE),
    source="Cochran's theorem; Shumailov et al., Nature 631 (2024) 755-759 (the loop)",
)
