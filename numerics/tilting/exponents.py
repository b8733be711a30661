"""By how much each innovation of each fit is tilted: the sensitivity of log h(model N) to its logarithm.

The deterministic chain, every innovation at its mean under the tilt, is run through all fits and differentiated
backwards. Where h(model N) is a product of powers of the innovations these are the powers themselves, and the weighted
observable does not vary at all; elsewhere they are its tangent, and weights say what is left. No choice biases.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from attrs import frozen
from jax import lax
from sympy import Expr, S, log

from numerics.paths.refits import Refit, carried
from numerics.printer import to_jax
from numerics.tilting.tilted_step import TiltedStep
from theory.errors import NotClosed
from theory.innovations import ChiSquare, Normal
from theory.symbols import n

ROUNDS = 8
"""Times that the chain is run with the means that the exponents of the round before make."""

Function = Callable[..., Any]


@frozen
class Mean:
    """The deterministic chain of a first step and of later ones.

    Args:
        first: the refit of fit 1.
        later: that of all others; the same object where it makes fit 1 too.
        tilted: the tilts of both.
        start: the state that is carried, of model 0.
        log_observable: log h as a function of the state.
        generations: number of fits.
    """

    first: Refit
    later: Refit
    tilted: tuple[TiltedStep, TiltedStep]
    start: Sequence[Any]
    log_observable: Function
    generations: int

    def exponents(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the exponents of the laws of the first step, shape (1, laws), and of the later one, (fits, laws).

        A row for each fit; that of fit 1 is not used in the latter, unless the two are `alike`.

        Raises:
            NotClosed: the observable feels a law that has no tilt, or its moment is infinite.
        """
        slope = jax.jit(jax.grad(self._end, argnums=(0, 1)))
        sizes = (1, len(self.first.letters)), (self.generations, len(self.later.letters))
        felt = tuple(map(np.zeros, sizes))
        for _ in range(ROUNDS):
            values = tuple(self.values(*self._by_law(felt)))
            before, felt = felt, tuple(np.asarray(x) for x in slope(*map(np.zeros, sizes), *values))
            if not all(np.isfinite(each).all() for each in felt):
                raise NotClosed(
                    "observable: its logarithm has no slope along the mean chain, where it is 0 or negative. "
                    "Ask for one that is positive there, or simulate(loop)."
                )
            if all(np.array_equal(one, other) for one, other in zip(before, felt, strict=True)):
                break
        self._check(felt)
        return self._by_law(felt)

    @property
    def alike(self) -> bool:
        """Whether fit 1 is made by the later step."""
        return self.first is self.later

    def values(self, first: np.ndarray, later: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Return the values of the letters of both tilts, by fit."""
        fits = np.ones(1), np.maximum(np.arange(self.generations) + 1.0, 1 if self.alike else 2)
        return [
            {
                name: x
                for slot, tilt in enumerate(tilted.tilts)
                if tilt and tilt.numbers
                for name, x in tilt.values(exponents[:, slot], where).items()
            }
            for tilted, exponents, where in zip(self.tilted, (first, later), fits, strict=True)
        ]

    def _by_law(self, felt: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the exponents of laws from the sensitivities to letters: those of the innovation that is steered."""
        one, other = (
            np.stack([_steered(tilted, refit, slot, each) for slot in range(len(refit.step.laws))], axis=-1)
            for refit, tilted, each in zip((self.first, self.later), self.tilted, felt, strict=True)
        )
        return one, np.concatenate([one, other[1:]]) if self.alike else other

    def _check(self, felt: tuple[np.ndarray, ...]) -> None:
        for refit, tilted, each in zip((self.first, self.later), self.tilted, felt, strict=True):
            place = 0
            for law, tilt in zip(refit.step.laws, tilted.tilts, strict=True):
                own, place = each[:, place : place + len(law.symbols)], place + len(law.symbols)
                if tilt is None and np.any(own != 0):
                    raise NotClosed(
                        f"observable: it depends on {law.symbols[0]}, whose law {type(law).__name__} has no tilt here. "
                        "Ask simulate(loop), or for an observable that is 0 without that count."
                    )

    def _end(self, first: Any, later: Any, values1: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
        """Return log h of the last model when every letter is moved from its mean."""
        begin, onward = _moved(self.first), _moved(self.later)
        state = begin(tuple(map(jnp.asarray, self.start)), 1.0, {name: x[0] for name, x in values1.items()}, first[0])

        def fit(before: Any, here: Any) -> Any:
            return onward(before, *here), None

        rest = jax.tree.map(lambda x: x[1:], (jnp.arange(1.0, self.generations + 1), dict(values), later))
        return self.log_observable(*lax.scan(fit, state, rest)[0])


def _steered(tilted: TiltedStep, refit: Refit, slot: int, felt: np.ndarray) -> np.ndarray:
    tilt, laws = tilted.tilts[slot], refit.step.laws
    if tilt is None or tilt.steered is None:
        return np.zeros(len(felt))
    place = sum(len(law.symbols) for law in laws[:slot]) + laws[slot].symbols.index(tilt.steered)
    return felt[:, place]


def _moved(refit: Refit) -> Function:
    """Return (state, k, values, moves) -> next state, each letter of an innovation moved from its mean.

    A logarithm or a normal deviate is moved by the number, anything else by its exponential as a factor.
    """
    known = (*map(carried, refit.step.state), n, *refit.given)
    means, before = [], ()
    for law in refit.step.laws:
        means.append(to_jax([refit.in_letters(mean) for mean in _means(refit, law)], (*known, *before)))
        before = refit.letters[: len(before) + len(law.symbols)]
    update = to_jax(refit.updates(refit.step), (*known, *refit.letters))

    def onward(state: Any, k: Any, values: Mapping[str, Any], moves: Any) -> Any:
        here = (*state, k, *(values[str(x)] for x in refit.given))
        drawn: list[Any] = []
        for law, mean in zip(refit.step.laws, means, strict=True):
            for centre in mean(*here, *drawn):
                move = moves[len(drawn)]
                drawn.append(centre + move if isinstance(law, Normal | ChiSquare) else centre * jnp.exp(move))
        return update(*here, *drawn)

    return onward


def _means(refit: Refit, law: Any) -> Sequence[Expr]:
    """Return the means of the letters of a law."""
    if isinstance(law, Normal):
        return (S.Zero,)
    if isinstance(law, ChiSquare):
        return (S.Zero if refit.tabled(law) else log(law.df),)
    return law.means()
