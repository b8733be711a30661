"""The loop from its sufficient statistics: the one step of `theory.step`, compiled.

No data are drawn, only what a fit reads of them, so a generation costs the same for any number of samples.
Positive parameters are carried as logarithms, since a collapsing variance leaves the floating-point numbers.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from attrs import evolve
from jax import Array
from sympy import Expr, Integer, Piecewise, S, exp, floor, log, sqrt

from numerics import scalars
from numerics.chains import Given, Program, State
from numerics.cipher import Key
from numerics.lifting import generalised, letters, lifted
from numerics.printer import to_jax
from numerics.samplers import draw, has_sampler, parameters, slot_key
from numerics.variables import letters_of_source
from theory import symbols
from theory.axes import substituted
from theory.errors import NotClosed
from theory.families import Bernoulli, Categorical, DiagonalGaussian, Gaussian, OneParameter, Recursion
from theory.families.base import Derivable, Stepped
from theory.innovations import Normal
from theory.loop import Loop
from theory.regimes import LISTED, Moran, Schedule
from theory.step import Step, step

TYPES = 16
"""Up to this many types the counts are drawn, one binomial after the other; beyond, data are faster."""

Letters = tuple[Expr, ...]

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
    if type(loop.family) not in _PLAIN and not isinstance(loop.family, OneParameter | Recursion):
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
    unknown = [type(law).__name__ for refit in steps for law in refit.laws if not has_sampler(law)]
    return f"the law {unknown[0]} of what a fit reads has no cheap sampler" if unknown else None


def prepared(loop: Loop, generations: int) -> tuple[Loop, dict[str, Any]]:
    """Return the loop that is compiled, with symbols in place of numbers, and the numbers."""
    if isinstance(loop.regime, Schedule):
        loop.regime.size(S(generations))
    bare, numbers = generalised(evolve(loop, family=scalars.bare(loop.family), source=None))
    compiled, others = lifted(bare, ("samples", "estimator", "regime", "sampling"))
    return compiled, numbers | others


def program(loop: Loop, shape: tuple[int, ...], generations: int) -> Program:
    """Return the chain whose generation k is `step` k of a `prepared` loop; arguments as in `why_not`."""
    del generations
    plain, state = _plain(loop), _state(loop, shape)
    first, later = _steps(loop, shape)
    given = (*letters_of_source(plain), *letters(loop))
    inner = shape if isinstance(plain, Gaussian) else ()
    model0 = dict.fromkeys(later.state, S.Zero) | dict(plain.start(state))
    start = to_jax([log(model0[x]) if x.is_positive else model0[x] for x in later.state], given)
    alike = first.laws == later.laws
    fit = _transition(later, first if alike else later, given, inner)
    return Program(
        start=lambda values: start(*(values[str(x)] for x in given)),
        first=fit if alike else _transition(first, first, given, inner),
        later=fit,
        view=lambda values: _view(plain, state, values[: len(state)]),
    )


def size(loop: Loop, shape: tuple[int, ...], generations: int) -> int:
    """Return how many numbers a chain carries."""
    del loop, generations
    return 2 * math.prod(shape)


def _plain(loop: Loop) -> Stepped:
    family = loop.family
    if isinstance(family, Recursion):
        return family
    return scalars.bare(family) if isinstance(family, OneParameter) else _PLAIN[type(family)]


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


def _transition(
    refit: Step, first: Step, given: Letters, shape: tuple[int, ...]
) -> Callable[[Key, Any, Given, State], State]:
    """Return state' = update(state, innovations), every innovation drawn from its law given the state.

    Fit 1, of the same laws, may update otherwise; to choose is cheaper than to compile the draws twice.
    """
    known = (*map(_carried, refit.state), symbols.n, *given)
    innovations = tuple(x for law in refit.laws for x in law.symbols)
    needs = [_needs(refit, slot, known) for slot in range(len(refit.laws))]
    update, update1 = (to_jax(_updates(s), (*known, *innovations)) for s in (refit, first))

    def transition(key: Key, k: Any, values: Given, state: State) -> State:
        here = (*state, k, *(values[str(x)] for x in given))
        drawn: list[Any] = []
        for slot, (law, need) in enumerate(zip(refit.laws, needs, strict=True)):
            drawn += draw(law, slot_key(key, slot), need(*here, *drawn), shape)
        if first == refit:
            return update(*here, *drawn)
        pairs = zip(update1(*here, *drawn), update(*here, *drawn), strict=True)
        return tuple(jnp.where(k == 1, one, other) for one, other in pairs)

    return transition


def _needs(refit: Step, slot: int, known: Letters) -> Callable[..., Any]:
    """Return what a draw needs as a function of the known letters and of the innovations drawn before it."""
    before = tuple(x for law in refit.laws[:slot] for x in law.symbols)
    needed = [_in_logs(expr.xreplace(_standard(refit)), refit.state) for expr in parameters(refit.laws[slot])]
    return to_jax(needed, (*known, *before))


def _standard(refit: Step) -> dict[Expr, Expr]:
    """Return every normal innovation as its standard deviation times the standardised one that is drawn."""
    return {law.symbol: sqrt(law.variance) * law.symbol for law in refit.laws if isinstance(law, Normal)}


def _updates(refit: Step) -> list[Expr]:
    """Return the next value of every carried letter, in carried letters and standardised innovations.

    log x' = log x + log(x'/x) where the ratio is free of the state, as for a variance that feeds on itself
    alone: it is then evaluated at x = 1 and nothing underflows. Elsewhere log x' = log(x').
    """
    standard = _standard(refit)
    unit = {x: Integer(bool(x.is_positive)) for x in refit.state}
    updates = []
    for x, value in refit.update.items():
        value = value.xreplace(standard)
        if not x.is_positive:
            updates.append(_in_logs(value, refit.state))
        elif (value / x).cancel().free_symbols.isdisjoint(refit.state):
            updates.append(_carried(x) + log(value.xreplace(unit)))
        else:
            updates.append(log(_in_logs(value, refit.state)))
    return updates


def _carried(x: Expr) -> Expr:
    return scalars.log_letter(x) if x.is_positive else x


def _in_logs(expr: Expr, state: Letters) -> Expr:
    return expr.xreplace({x: exp(_carried(x)) for x in state if x.is_positive})


def _view(plain: Stepped, letters: Letters, state: State) -> dict[str, Array]:
    """Return every state symbol, and beside a positive one the logarithm that is carried; types as one array."""
    if isinstance(plain, Categorical):
        return {"p": jnp.stack(state)}
    values: dict[str, Array] = {}
    for x, carried in zip(letters, state, strict=True):
        values |= {str(x): jnp.exp(carried), str(_carried(x)): carried} if x.is_positive else {str(x): carried}
    return values
