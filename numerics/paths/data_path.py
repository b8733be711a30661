"""The loop from its data: draw the points that the regime names, put them together, refit.

Slower than the statistics where these suffice, and right for every family that can be sampled and fitted. The points
of a Gaussian are numbers mu + s z, so its variance cannot fall below the rounding error of mu, squared.
"""

import math
from typing import Any

import numpy as np
from attrs import evolve
from sympy import S

from numerics import scalars
from numerics.chains import Program
from numerics.kits import distortions, learning, outside
from numerics.kits.choice import kit
from numerics.kits.drawing import Drawing
from numerics.kits.learning import around, exact_fit, innermost, learner
from numerics.kits.rooms import layout, roomy
from numerics.lifting import generalised, lifted
from numerics.texts import ngrams as texts
from theory.errors import NotClosed
from theory.estimators import MLE, Estimator
from theory.families import (
    DiagonalGaussian,
    Fitted,
    FixedDesignRegression,
    Gaussian,
    KernelDensity,
    LinearRegression,
    LocationScale,
    MultivariateGaussian,
    NGram,
    ProductCategorical,
    ProjectedGaussian,
    Recursion,
)
from theory.filters import SpectralFilter
from theory.loop import Loop
from theory.procedures import PosteriorDraw, PosteriorPredictive, Procedure
from theory.sampling import Tempered, Truncated


def why_not(loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return why this path cannot run the loop, or None where it can."""
    if isinstance(loop.family, Recursion):
        return "a Recursion draws no data"
    if isinstance(loop.family, FixedDesignRegression):
        return "family: FixedDesignRegression is told by the directions of its design, not by rows"
    if reason := _strange(loop):
        return reason
    if loop.samples.is_infinite:
        return "samples = oo leaves no data to draw"
    if isinstance(loop.family, NGram) and (reason := texts.why_not(loop)):
        return reason
    reason = distortions.why_not(loop) or layout(loop).why_not(loop)
    return reason or learning.why_not(loop, kit(loop, shape)) or _too_few(loop)


def _strange(loop: Loop) -> str | None:
    """Return why points of a source outside the family cannot be drawn."""
    fitted = isinstance(loop.family, Fitted | LocationScale)
    source = loop.source or loop.family if fitted else loop.law.outside(loop.source)
    if source is None or isinstance(loop.family, NGram):  # its texts are written by their own transitions
        return None
    if not outside.known(source) or not (fitted or isinstance(loop.family, Gaussian)):
        return f"source: the points of {source} are not drawn here"
    try:
        source.drawn_as(loop.sampling)
    except NotClosed as refusal:
        return str(refusal).split(". ")[0]
    return None


def _too_few(loop: Loop) -> str | None:
    """Return which fit has too few points."""
    exact, inside = exact_fit(loop.estimator), innermost(loop.estimator)
    if isinstance(loop.family, KernelDensity) and loop.family.rule is not None and min(layout(loop).least()) < 2:
        return "samples: a bandwidth by rule reads the spread of at least 2 points"
    for size in layout(loop).least() if loop.family.has_variance else ():
        if exact.divisor(S(size)).is_positive is False:
            return f"samples: {exact} finds no variance in {size} points"
    if isinstance(loop.family, MultivariateGaussian) and isinstance(inside, PosteriorDraw):
        d, m = loop.family.dimension, min(layout(loop).least())
        return f"samples: {m} points have no posterior of a covariance in {d} dimensions" if m <= d else None
    if isinstance(inside, PosteriorPredictive) and isinstance(loop.sampling, Truncated):
        return f"sampling: {loop.sampling} of a posterior predictive law has no one standard deviation to cut at"
    predictive = isinstance(inside, PosteriorPredictive) and loop.family.has_variance
    if not predictive or not isinstance(loop.sampling, Tempered) or loop.sampling.tau < min(layout(loop).least()):
        return None
    return f"sampling: {loop.sampling} of a posterior predictive law needs more points than its temperature"


def prepared(loop: Loop, generations: int) -> tuple[Loop, dict[str, Any]]:
    """Return the loop that is compiled, and its numbers: sizes and divisors of every fit, and what is lifted."""
    counts = layout(loop).counts(generations)
    numbers: dict[str, Any] = counts.given()
    numbers["divisors"] = np.stack([_divisors(loop, sizes) for sizes in counts.fitted], axis=1)
    bare, others = generalised(evolve(_without_source(loop), estimator=_without_exact(loop.estimator)))
    axes = ("sampling", "estimator") if isinstance(loop.estimator, Procedure) else ("sampling",)
    compiled, more = lifted(bare, axes)
    return roomy(compiled, generations), numbers | others | more


def _divisors(loop: Loop, sizes: np.ndarray) -> np.ndarray:
    """Return d(m) of every fit."""
    if not loop.family.has_variance:
        return np.ones(len(sizes))
    exact = exact_fit(loop.estimator)
    known = {size: float(exact.divisor(S(int(size)))) for size in set(sizes.tolist())}
    if bad := [int(size) for size, divisor in known.items() if not divisor > 0]:
        raise ValueError(f"{exact} finds no variance in {min(bad)} points. Give larger sizes.")
    return np.array([known[size] for size in sizes.tolist()])


def _without_exact(estimator: Estimator) -> Estimator:
    """Return the estimator with maximum likelihood for the exact fit inside, whose divisors are numbers of a run."""
    inside = innermost(estimator)
    return estimator if isinstance(inside, Procedure | SpectralFilter) else around(estimator, MLE())


def _without_source(loop: Loop) -> Loop:
    """Return the loop without the numbers of its source, where its family can do without."""
    if isinstance(loop.family, MultivariateGaussian | ProjectedGaussian | ProductCategorical):
        return loop
    if isinstance(loop.family, NGram):
        return evolve(loop, family=scalars.bare(loop.family), source=loop.source and scalars.bare(loop.source))
    if isinstance(loop.family, Fitted | LocationScale) or loop.law.outside(loop.source) is not None:
        source = outside.bare(loop.source or loop.family)
        return evolve(loop, family=outside.bare_family(loop.family), source=source)
    tied = loop.source if isinstance(loop.family, DiagonalGaussian) else None
    return evolve(loop, family=scalars.bare(loop.family), source=None if tied is None else outside.bare(tied))


def program(loop: Loop, shape: tuple[int, ...], generations: int) -> Program:
    """Return the chain that draws points and refits them, for a `prepared` loop that `why_not` allows."""
    here = kit(loop, shape)
    refit = Drawing(here, learner(loop, here), layout(loop), loop, generations)
    first = refit.later if refit.alike or refit.merged else refit.first
    return Program(refit.start, first, refit.later, view=lambda state: here.view(state["model"]))


def size(loop: Loop, shape: tuple[int, ...], generations: int) -> int:
    """Return how many numbers a chain carries: its points and its parameters."""
    wide = loop.family.has_variance or isinstance(loop.family, Fitted | LocationScale)
    width = shape[0] if wide and shape else 1
    if isinstance(loop.family, LinearRegression):
        width = int(loop.family.dimension) + 1
    return layout(loop).rows(generations) * width + 2 * math.prod(shape)
