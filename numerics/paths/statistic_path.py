"""The loop from its sufficient statistics: the one step of `theory.step`, compiled.

No data are drawn, only what a fit reads of them, so a generation costs the same for any number of samples.
Positive parameters are carried as logarithms, since a collapsing variance leaves the floating-point numbers.
"""

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from attrs import evolve
from jax import Array
from sympy import Expr, Piecewise, S, floor, log

from numerics import scalars
from numerics.chains import Program, State
from numerics.lifting import generalised, letters, lifted
from numerics.paths.refits import Letters, Refit, carried
from numerics.precision import Precision
from numerics.printer import to_jax
from numerics.samplers import has_sampler
from numerics.variables import letters_of_source
from theory import symbols
from theory.axes import substituted
from theory.errors import NotClosed
from theory.families import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Gaussian,
    LinearRegression,
    OneParameter,
    Recursion,
)
from theory.families.base import Derivable, Stepped
from theory.innovations import ChiSquare, Law, Normal
from theory.loop import Loop
from theory.regimes import LISTED, Moran, Schedule
from theory.sphere import Parts
from theory.step import Step, step

TYPES = 16
"""Up to this many types the counts are drawn, one binomial after the other; beyond, data are faster."""

PLAIN = Precision()

_PLAIN: Mapping[type, Derivable] = {
    Gaussian: Gaussian(),
    DiagonalGaussian: Gaussian(),
    Bernoulli: Bernoulli(),
    Categorical: Categorical(),
}
"""The family whose step each takes, its source left in symbols; a diagonal one is a row of Gaussians, one of a single
parameter is its own."""


def why_not(loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return why this path is not exact for the loop, or None where it is.

    Args:
        loop: a loop with numbers for all but its source.
        shape: shape of a parameter: () or (d,) or (K,).
    """
    if type(loop.family) not in _PLAIN and not isinstance(loop.family, OneParameter | Recursion | LinearRegression):
        return f"{type(loop.family).__name__} has no step in sufficient statistics"
    if (outside := loop.law.outside(loop.source)) is not None:
        return f"the points of {outside} are not drawn here"
    if isinstance(loop.family, DiagonalGaussian) and loop.source is not None and loop.samples.is_finite:
        return "a correlated source ties the coordinates together in the first fit"
    if isinstance(loop.family, Categorical) and shape[0] > TYPES:
        return f"{shape[0]} types are more than {TYPES}"
    try:
        steps = _steps(loop, shape)
    except NotClosed as refusal:
        return str(refusal).split(". ")[0]
    if isinstance(loop.family, LinearRegression) and any(_no_degrees(law) for refit in steps for law in refit.laws):
        return "a part of the weights or of the rows has no degrees of freedom"
    unknown = [type(law).__name__ for refit in steps for law in refit.laws if not has_sampler(law)]
    return f"the law {unknown[0]} of what a fit reads has no cheap sampler" if unknown else None


def _no_degrees(law: Law) -> bool:
    return isinstance(law, ChiSquare) and not law.df.is_positive


def prepared(loop: Loop, generations: int) -> tuple[Loop, dict[str, Any]]:
    """Return the loop that is compiled, with symbols in place of numbers, and the numbers."""
    if isinstance(loop.regime, Schedule):
        loop.regime.size(S(generations))
    family = scalars.bare(loop.family)
    if isinstance(loop.family, LinearRegression):  # a symbol in place of M would not say which case it is
        family = evolve(family, overparametrised=bool(loop.family.dimension > loop.samples))
    bare, numbers = generalised(evolve(loop, family=family, source=None))
    compiled, others = lifted(bare, ("samples", "estimator", "regime", "sampling"))
    return compiled, numbers | others


def program(loop: Loop, shape: tuple[int, ...], generations: int, precision: Precision = PLAIN) -> Program:
    """Return the chain whose generation k is `step` k of a `prepared` loop; arguments as in `why_not`."""
    del generations
    plain, state, given = _plain(loop), _state(loop, shape), _given(loop)
    first, later = _refits(loop, shape, precision)
    model0 = dict.fromkeys(later.step.state, S.Zero) | dict(plain.start(state))
    start = to_jax([log(model0[x]) if x.is_positive else model0[x] for x in later.step.state], given)
    fit = later.transition()
    return Program(
        start=lambda values: start(*(values[str(x)] for x in given)),
        first=fit if first is later else first.transition(),
        later=fit,
        view=lambda values: _view(plain, state, values[: len(state)], precision),
    )


def tables(
    loop: Loop, shape: tuple[int, ...], generations: int, precision: Precision, numbers: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the laws of a `prepared` loop are drawn by, beside its numbers."""
    with jax.enable_x64(True):
        first, later = (refit.tables(numbers, generations) for refit in _refits(loop, shape, precision))
    return first | later


def _refits(loop: Loop, shape: tuple[int, ...], precision: Precision) -> tuple[Refit, Refit]:
    """Return the first refit and the later ones, the same where their laws are."""
    plain, given, numbers = _plain(loop), _given(loop), letters(loop)
    first, later = _steps(loop, shape)
    inner = shape if isinstance(plain, Gaussian) else ()
    alike = first.laws == later.laws
    every = Refit(later, first if alike else later, given, numbers, inner, "later", precision)
    return every if alike else Refit(first, first, given, numbers, inner, "first", precision), every


def _given(loop: Loop) -> Letters:
    return (*letters_of_source(_plain(loop)), *letters(loop))


def why_not_single(loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return why a `prepared` loop is not drawn in float32, None where it is."""
    laws = {type(law) for refit in _steps(loop, shape) for law in refit.laws}
    others = sorted(law.__name__ for law in laws - {Normal, ChiSquare, Parts})
    return f"the law {others[0]} is drawn in float64" if others else None


def size(loop: Loop, shape: tuple[int, ...], generations: int) -> int:
    """Return how many numbers a chain carries."""
    del loop, generations
    return 2 * math.prod(shape)


def _plain(loop: Loop) -> Stepped:
    family = loop.family
    if isinstance(family, Recursion):
        return family
    return scalars.bare(family) if isinstance(family, OneParameter | LinearRegression) else _PLAIN[type(family)]


def _state(loop: Loop, shape: tuple[int, ...]) -> Letters:
    if isinstance(loop.family, Categorical):
        return tuple(symbols.p[k] for k in range(shape[0]))
    return tuple(_plain(loop).source())


def _steps(loop: Loop, shape: tuple[int, ...]) -> tuple[Step, Step]:
    """Return the first fit, whose pool of earlier data is empty, and the k-th."""
    plain = _plain(loop)
    declared = evolve(loop, family=plain, source=None)
    first, later = (step(declared, plain, _state(loop, shape), k) for k in (S.One, symbols.n))
    if isinstance(loop.regime, Moran):
        first, later = (_counted(one, loop.samples) for one in (first, later))
    return first, with_sizes(later, loop.regime)


def _counted(refit: Step, samples: Expr) -> Step:
    """Return the step with frequencies rounded to whole multiples of 1/M: a token that dies leaves 0, not about 0."""
    return Step({x: floor(value * samples + S.Half) / samples for x, value in refit.update.items()}, refit.laws)


def with_sizes(refit: Step, regime: Any) -> Step:
    """Return the step with the sizes that a schedule lists, chosen by the number of the fit."""
    sizes = getattr(regime, "sizes", None)
    if not isinstance(sizes, tuple):
        return refit
    here = Piecewise(*((size, symbols.n <= k) for k, size in enumerate(sizes[:-1], 1)), (sizes[-1], True))
    names = {LISTED[symbols.n]: here}
    laws = tuple(substituted(law, names) for law in refit.laws)
    return Step({x: value.subs(names) for x, value in refit.update.items()}, laws)


def _view(plain: Stepped, letters: Letters, state: State, precision: Precision) -> dict[str, Array]:
    """Return every state symbol, and beside a positive one the logarithm that is carried; types as one array."""
    if isinstance(plain, Categorical):
        return {"p": jnp.stack(state)}
    values: dict[str, Array] = {}
    for x, value in zip(letters, state, strict=True):
        values |= {str(x): precision.exp(value), str(carried(x)): value} if x.is_positive else {str(x): value}
    return values
