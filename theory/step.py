"""From a Loop to the one step that every engine reads: model k from model k - 1 and named innovations.

A `Step` says model k = update(model k - 1, innovations), with the innovations' conditional laws. Theory takes
expectations of it, the sufficient-statistic simulator draws from it; it is the only place where a regime's parts become
an update.
"""

from collections.abc import Mapping
from functools import reduce

from attrs import frozen
from sympy import Expr, limit, oo

from theory import symbols
from theory.families.base import Batch, Derivable, Parameters
from theory.innovations import Law
from theory.loop import Loop
from theory.regimes import Part


@frozen
class Step:
    """One refit: ``update`` of every state symbol, in the state before, the innovations and the number k of the fit."""

    update: Mapping[Expr, Expr]
    laws: tuple[Law, ...]

    @property
    def state(self) -> tuple[Expr, ...]:
        """The state symbols."""
        return tuple(self.update)

    @property
    def depends_on_k(self) -> bool:
        """Whether the update changes from fit to fit."""
        return any(symbols.n in expr.free_symbols for expr in self.update.values())


def step(loop: Loop, family: Derivable, state: tuple[Expr, ...], k: Expr = symbols.n) -> Step:
    """Return fit k of the loop; ``k`` is the number of the fit, 1 for the first, the symbol n for all later ones.

    >>> from theory import Gaussian, Loop
    >>> loop = Loop(Gaussian())
    >>> step(loop, loop.family, loop.family.state(None)).update[Gaussian.mu]
    eps_model + mu
    """
    family.check(loop)
    samples = symbols.M if loop.samples.is_infinite else loop.samples
    parts = [part for part in loop.regime.parts(samples, k) if part.size != 0]
    batches = [_batch(loop, family, part, state) for part in parts]
    pooled = reduce(family.pool, batches)
    refit = Step(family.fit(pooled, loop.estimator, state), pooled.laws)
    return _population(refit) if loop.samples.is_infinite else refit


def _batch(loop: Loop, family: Derivable, part: Part, state: tuple[Expr, ...]) -> Batch:
    model: Parameters = {symbol: symbol for symbol in state}
    if part.origin == "past":
        return family.unfit(model, part.size, loop.estimator)
    if part.origin == "real":
        return family.batch(family.start(state), part.size, "real")
    return family.batch(family.distorted(model, loop.sampling), part.size, "model")


def _population(refit: Step) -> Step:
    """Return the step with every innovation at its mean, as M grows: what is left when the statistical error is off."""
    means = {symbol: mean for law in refit.laws for symbol, mean in zip(law.symbols, law.means(), strict=True)}
    updates = {symbol: limit(expr.xreplace(means).together(), symbols.M, oo) for symbol, expr in refit.update.items()}
    return Step(updates, ())
