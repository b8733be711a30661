"""A step tilted towards an observable: the same update, the laws of its innovations tilted, and a weight beside.

Which laws are tilted follows from the update. A count is kept alive where the next observable is 0 without it; any
other innovation is tilted by an exponent if the observable feels it at all (`numerics.tilting.exponents`).
"""

from collections.abc import Sequence
from functools import reduce
from operator import mul

from attrs import frozen
from sympy import Add, Expr, S, Symbol, cancel

from numerics.samplers import has_sampler
from numerics.tilting.tilts import Tilt, kept_alive, steered
from theory.axes import substituted
from theory.errors import NotClosed
from theory.innovations import ChiSquare, Law, Multinomial
from theory.laws.natural_sum import NaturalSum
from theory.step import Step
from theory.wishart import Sample

LOG_WEIGHT = Symbol("log_weight", real=True)
"""log dP/dQ of all innovations so far."""
Counts = Multinomial | NaturalSum


@frozen
class TiltedStep:
    """A step under tilts.

    Args:
        step: what is run: its state has the weight besides, its laws are tilted.
        tilts: the tilt of each law, None where a law stays as it is.
    """

    step: Step
    tilts: tuple[Tilt | None, ...]

    @property
    def letters(self) -> tuple[Symbol, ...]:
        """The letters of all tilts, whose values at every fit are known before the run."""
        return tuple(x for tilt in self.tilts if tilt for x in tilt.numbers)


def tilted_step(step: Step, observable: Expr, label: str, which: Sequence[bool] | None = None) -> TiltedStep:
    """Return a step with its laws tilted towards an observable of the next model.

    Args:
        step: a step whose laws can be drawn.
        observable: an expression in its state, not negative.
        label: what keeps the letters of its tilts apart from those of another step.
        which: the laws that are tilted by an exponent, all of those that can be where it is not known yet.
    """
    following = observable.xreplace(dict(step.update))
    drawn: dict[Expr, Expr] = {}
    laws, tilts = [], []
    for slot, law in enumerate(step.laws):
        here = substituted(law, drawn)
        tilt = _tilt(here, following, f"{label}_tilt_{slot}", which is None or which[slot])
        laws.append(tilt.law if tilt else here)
        tilts.append(tilt)
        drawn |= tilt.drawn if tilt else {}
    weight = LOG_WEIGHT + Add(*(tilt.log_weight for tilt in tilts if tilt))
    update = {x: value.xreplace(drawn) for x, value in step.update.items()}
    return TiltedStep(Step({**update, LOG_WEIGHT: weight}, tuple(laws)), tuple(tilts))


def drawable(step: Step) -> Step:
    """Return a step with its determinants of samples written as products of chi-square variables.

    det W = det Sigma * prod_j chi_j, chi_j ~ chi-square(df - j) independent, for W ~ Wishart(df, Sigma).

    Raises:
        NotClosed: a law without a sampler.
    """
    laws, drawn = [], {}
    for law in step.laws:
        own = _diagonal(law) if isinstance(law, Sample) else (law,)
        if own is None or not all(map(has_sampler, own)):
            raise NotClosed(
                f"regime: {type(law).__name__}, the law of what a fit reads, has no sampler and so no tilt. "
                "Ask simulate(loop)."
            )
        if isinstance(law, Sample):
            drawn[law.symbols[0]] = reduce(mul, (x for each in own for x in each.symbols), S.One)
        laws += own
    return Step({x: value.xreplace(drawn) for x, value in step.update.items()}, tuple(laws))


def _tilt(law: Law, following: Expr, label: str, steer: bool) -> Tilt | None:
    if isinstance(law, Counts):
        alive = _needed(law, following)
        return kept_alive(law, alive) if alive else None
    return steered(law, label) if steer else None


def _needed(law: Counts, following: Expr) -> list[Symbol | None]:
    """Return the counts without which the next observable is 0."""
    needed: list[Symbol | None] = [x for x in law.symbols if cancel(following.subs(x, 0)) == 0]
    if isinstance(law, Multinomial):
        last, *others = law.symbols
        if cancel(following.subs(last, law.trials - sum(others, S.Zero))) == 0:
            needed.append(None)
    return needed


def _diagonal(law: Sample) -> tuple[ChiSquare, ...] | None:
    """Return the chi-square laws whose product a sample's determinant is, None where there is more to it."""
    if len(law.symbols) != 1 or len(law.draws) != 1 or law.values[0] == law.symbols[0] or not law.dimension.is_Integer:
        return None
    df = law.draw.df
    return tuple(ChiSquare(Symbol(f"chi_{j}", positive=True), df - j) for j in range(int(law.dimension)))
