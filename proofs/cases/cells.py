"""Three loops with all three error sources, and their eight variants: each source on or off."""

from collections.abc import Iterator

from sympy import Rational

from proofs.cases.case import Case
from theory import (
    Categorical,
    DiagonalGaussian,
    Floor,
    Gaussian,
    Loop,
    Mixture,
    MultivariateGaussian,
    ProductCategorical,
    Tempered,
    Unbiased,
)
from theory.sources import CELLS, name, variant

HALF = Rational(1, 2)
TIED = MultivariateGaussian([0, 0], [[1, Rational(3, 5)], [Rational(3, 5), 1]])
JOINT = Categorical([Rational(k, 10) for k in (4, 1, 2, 3)])
TWO = Mixture(2, weights=["1/4", "3/4"], means=[-2, 2], variances=[1, 1])
PLANE = Loop(DiagonalGaussian(), source=TIED, estimator=Unbiased(), sampling=Tempered(Rational(3, 4)))
TABLE = Loop(ProductCategorical((2, 2)), source=JOINT, sampling=Tempered(HALF), samples=8)
LINE = Loop(Gaussian(), source=TWO, estimator=Floor(HALF), samples=200)


def cases() -> list[Case]:
    """Return the rows."""
    return [
        *_cells("a plane fitted by its axes", PLANE, "kl_source_model"),
        *_cells("a table fitted by its margins", TABLE, "entropy"),
        # Where the family is the source's own, a mixture, EM climbs in every chain.
        *_cells("two parts fitted by one Gaussian", LINE, "nll", effort=1 / 20),
    ]


def _cells(title: str, loop: Loop, metric: str, effort: float = 1.0) -> Iterator[Case]:
    """Yield the variants; ``effort`` is that of those without expressivity error."""
    for cell in CELLS:
        yield Case(
            f"{title}: {name(cell)}",
            "all",
            lambda cell=cell: variant(loop, cell),
            metric,
            {"M": 40},
            generations=2,
            note=f"errors at work: {', '.join(sorted(cell)) or 'none'}",
            effort=1.0 if "expressivity" in cell else effort,
        )
