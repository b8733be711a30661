"""`tilted`: E h(model n) at depths where a plain mean over chains is blind, by sampling under a tilt."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, reduce
from operator import or_
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from attrs import evolve, frozen
from sympy import Expr, S, expand_log, log

from numerics.chains import PATHS, Group, Program, trajectories
from numerics.engine import VECTORS
from numerics.observe import exact_start
from numerics.paths.refits import Refit, carried, in_logs
from numerics.paths.statistic_path import PLAIN, with_sizes
from numerics.planning import RECORD_BYTES
from numerics.precision import Precision
from numerics.printer import to_jax
from numerics.running.devices import found, spread
from numerics.samplers.cipher import halves
from numerics.sources import Start
from numerics.tilting.estimate import Tilted
from numerics.tilting.exponents import Mean
from numerics.tilting.tilted_step import LOG_WEIGHT, TiltedStep, drawable, tilted_step
from numerics.tilting.weights import Weighed, weighed
from theory.errors import NotClosed
from theory.exact import exact as exactly
from theory.families.base import Marginal
from theory.loop import Loop
from theory.recurrence import start_of
from theory.regimes import Schedule
from theory.step import Step, step
from theory.symbols import n

LABELS = ("first", "later")
LANES = 2**12
"""Chains that advance together, at most; sums are merged in their order."""


def tilted(
    loop: Loop,
    of: Expr,
    start: Start | None = None,
    *,
    generations: int,
    chains: int,
    seed: int = 0,
    device: str = "auto",
    exact: bool = False,
) -> Tilted:
    """Return estimates of log E[of(model n)], n = 0, 1, .., generations, with their standard errors.

        E h(model n) = E_Q h(model n) prod_j dP/dQ(innovations of fit j),

    with every innovation drawn from a law Q of its own kind that is tilted towards large h: x^a dP for chi-square
    variables and maxima, a shift for normal ones, and counts without which h is 0 kept from 0. In a collapsing loop the
    mean of V^k lives in chains far too rare to be met; under the tilt they are the typical ones. Where V is a product
    of its innovations the weighted V^k is the same number in every chain, and only rounding is left: less than
    1e-14 for every fit and unit of k log V. Elsewhere (real data, accumulated pools, gradient steps, schedules,
    absorption) the exponents are the sensitivities of log h(model N) along the mean chain, N = ``generations``, and the
    estimate is unbiased with the error that is stated.

    Args:
        loop: a loop with numbers for all its symbols but those of the source, whose laws can be drawn.
        of: an observable that is never negative, such as ``Gaussian.V**2`` or ``Bernoulli.p * (1 - Bernoulli.p)``.
        start: values for the source's symbols by name, as in `simulate`.
        generations: number of refits, >= 1.
        chains: number of independent runs; of a pure product one is enough.
        seed: 0 <= seed < 2^63.
        device: "auto", "cpu", "gpu" or "tpu".
        exact: whether laws are drawn by rejection, as in `simulate`.

    Raises:
        NotClosed: a law that matters has no tilt, nothing can be tilted, or the moment is infinite.
        ValueError: an argument out of range, or an observable that is negative somewhere.

    >>> from theory import Gaussian, expect
    >>> loop = Loop(Gaussian(0, 1), samples=10)
    >>> run = tilted(loop, Gaussian.V**2, generations=300, chains=2)
    >>> bool(abs(run.log_mean[-1] - 300 * np.log(9 * 11 / 10**2)) < 1e-9)
    True
    """
    _require(generations, chains)
    there = exact_start(loop, dict(start or {}))
    here = loop.substitute(there)
    if isinstance(here.regime, Schedule):
        here.regime.size(S(generations))
    marginal = _marginal(here, of.subs(there))
    with jax.enable_x64(True):
        run = _Run(here, marginal, generations, evolve(PLAIN, exact=exact))
        sums = run.sums(seed, chains, device)
    return Tilted(loop, of, dict(start or {}), seed, sums, run.named)


@frozen(eq=False)
class _Run:
    """The tilted chains of one observable."""

    loop: Loop
    marginal: Marginal
    generations: int
    precision: Precision

    @cached_property
    def plain(self) -> tuple[Step, Step]:
        """The first fit and the later ones."""
        family, state = self.marginal.family, self.marginal.family.state(self.marginal.observable)
        first, later = (drawable(step(self.loop, family, state, k)) for k in (S.One, n))
        return first, with_sizes(later, self.loop.regime)

    @cached_property
    def chosen(self) -> tuple[tuple[TiltedStep, TiltedStep], tuple[np.ndarray, np.ndarray]]:
        """The tilted steps, and the exponents of their laws; a law that is not felt anywhere is left as it is."""
        mean = self._mean(self._steps((None, None)))
        exponents = mean.exponents()
        which = [np.any(each != 0, axis=0).tolist() for each in exponents]
        tilted = self._steps(which)
        if not any(tilt for each in tilted for tilt in each.tilts):
            raise NotClosed(
                f"observable: no innovation of {self.loop} moves {self.marginal.observable} to first order, and there "
                "is nothing to tilt. Ask simulate(loop)."
            )
        return tilted, exponents

    @property
    def named(self) -> dict[str, np.ndarray]:
        """The exponents by the names of the innovations that are tilted by one."""
        (first, later), (one, other) = self.chosen
        found = {}
        for slot, tilt in enumerate(later.tilts):
            if tilt and tilt.steered:
                found[str(tilt.steered)] = np.concatenate([np.full(1, np.nan), other[1:, slot]])
        for slot, tilt in enumerate(first.tilts):
            if tilt and tilt.steered:
                found.setdefault(str(tilt.steered), np.zeros(self.generations))[0] = one[0, slot]
        return found

    def sums(self, seed: int, chains: int, device: str) -> Weighed:
        """Return the sums of weighted observables over all chains, in their order."""
        return reduce(Weighed.with_more, map(weighed, self._logs(seed, chains, device)))

    def _logs(self, seed: int, chains: int, device: str) -> Iterator[np.ndarray]:
        """Yield log h + log dP/dQ of every chain and generation, lanes at a time."""
        lanes = min(LANES, chains, max(1, RECORD_BYTES // (8 * self.generations)))
        chosen = found(device)
        options = {"compiler_options": VECTORS} if chosen[0].platform == "cpu" else {}
        run, given = spread(self._trajectories, chosen, **options), self._given
        for first in range(0, chains, lanes):
            count = min(lanes, chains - first)
            several = (first + np.arange(lanes)).astype(np.uint32)[None]
            with jax.default_device(chosen[0]):
                logs = np.asarray(run(halves(seed), given, several, np.array([count]))[0]["log"])[:count]
            if np.isnan(logs).any():
                raise ValueError(
                    f"{self.marginal.observable} is negative somewhere, and a mean of both signs has no logarithm. "
                    "Ask for an observable that is never negative."
                )
            yield logs

    def _trajectories(self, seed: Any, given: Mapping[str, Any], chains: Any, count: Any) -> Any:
        return trajectories(Group(self._program, given, self.generations), PATHS, seed, chains, len(chains), count)

    @cached_property
    def _refits(self) -> tuple[Refit, Refit]:
        return self._made(self.chosen[0])

    @cached_property
    def _program(self) -> Program:
        first, fit = self._refits
        later, read = _at_fit(fit), self._log_observable
        return Program(
            start=lambda _: tuple(map(jnp.asarray, self._start)),
            first=later if first is fit else _at_fit(first),
            later=later,
            view=lambda state: {"log": read(*state) + state[-1]},
        )

    @cached_property
    def _given(self) -> dict[str, Any]:
        """The letters of both tilts by fit, one number where it is the same at all, and the tables of laws."""
        tilted, exponents = self.chosen
        values = self._mean(tilted).values(*exponents)
        same = [{name: x[0] if (x == x[0]).all() else x for name, x in each.items()} for each in values]
        tables = (refit.tables(own, self.generations) for refit, own in zip(self._refits, same, strict=True))
        return reduce(or_, (*same, *tables))

    @cached_property
    def _start(self) -> list[float]:
        """The state that is carried, of model 0."""
        state = self.plain[1].state
        values = zip(state, start_of(self.marginal.family, state), strict=True)
        carry = [log(value) if x.is_positive else value for x, value in values]
        return [*map(float, carry), 0.0]

    @cached_property
    def _log_observable(self) -> Any:
        """The function state -> log h."""
        state = (*self.plain[1].state, LOG_WEIGHT)
        return to_jax(in_logs(expand_log(log(self.marginal.observable)), state), tuple(map(carried, state)))

    def _steps(self, which: Any) -> tuple[TiltedStep, TiltedStep]:
        state, (one, other) = self.plain[1].state, self.plain
        if one == other:
            wanted = None if which[0] is None else [a or b for a, b in zip(*which, strict=True)]
            both = tilted_step(one, self.marginal.observable, LABELS[1], wanted)
            return both, both
        first, later = (
            tilted_step(_whole(one, state), self.marginal.observable, label, chosen)
            for one, label, chosen in zip(self.plain, LABELS, which, strict=True)
        )
        return first, later

    def _made(self, tilted: tuple[TiltedStep, TiltedStep]) -> tuple[Refit, Refit]:
        """Return the refits of both steps, one for both where they are the same."""
        first, later = (
            Refit(each.step, each.step, each.letters, (), (), label, self.precision)
            for each, label in zip(tilted, LABELS, strict=True)
        )
        return later if tilted[0] is tilted[1] else first, later

    def _mean(self, tilted: tuple[TiltedStep, TiltedStep]) -> Mean:
        first, later = self._made(tilted)
        return Mean(first, later, tilted, self._start, self._log_observable, self.generations)


def _at_fit(refit: Refit) -> Callable[..., Any]:
    """Return a refit's transition that reads the values of its letters at the number of the fit."""
    fit = refit.transition()

    def at_fit(key: Any, k: Any, values: Mapping[str, Any], state: Any) -> Any:
        own = {str(x): jnp.asarray(values[str(x)]) for x in refit.given}
        here = {name: x if x.ndim == 0 else x[k.astype(int) - 1] for name, x in own.items()}
        return fit(key, k, {**values, **here}, state)

    return at_fit


def _whole(one: Step, state: tuple[Expr, ...]) -> Step:
    """Return a step that says every symbol of the state, in its order; the first fit may know less than is kept."""
    return Step({x: one.update.get(x, x) for x in state}, one.laws)


def _marginal(loop: Loop, of: Expr) -> Marginal:
    """Return the chain in which an observable lives.

    Raises:
        NotClosed: it lives in none, or is a sum over several.
    """
    pieces = loop.law.marginals(exactly(of, "of"))
    if len(pieces) != 1:
        raise NotClosed(f"observable: {of} is a sum over {len(pieces)} chains. Ask for each of its terms.")
    return pieces[0]


def _require(generations: int, chains: int) -> None:
    for name, value in {"generations": generations, "chains": chains}.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} = {value!r} is no number of them. Give an int >= 1.")
