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
LOOPS = {
    "a plane fitted by its axes": (
        Loop(DiagonalGaussian(), source=TIED, estimator=Unbiased(), sampling=Tempered(Rational(9, 10)), samples=40),
        "kl_source_model",
        2,
    ),
    "a table fitted by its margins": (
        Loop(ProductCategorical((2, 2)), source=JOINT, sampling=Tempered(HALF), samples=8),
        "entropy",
        2,
    ),
    "two parts fitted by one Gaussian": (
        Loop(Gaussian(), source=TWO, estimator=Floor(HALF), samples=200),
        "nll",
        2,
    ),
}


def cases() -> list[Case]:
    """Return the rows."""
    return list(_cells())


def _cells() -> Iterator[Case]:
    for title, (loop, metric, generations) in LOOPS.items():
        for cell in CELLS:
            yield Case(
                f"{title}: {name(cell)}",
                "all",
                lambda loop=loop, cell=cell: variant(loop, cell),
                metric,
                generations=generations,
                note=f"errors at work: {', '.join(sorted(cell)) or 'none'}",
            )
