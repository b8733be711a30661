"""What the chains of counts read in a loop: the probabilities of its source, one for each type."""

from sympy import Expr

from theory.families.bernoulli import Bernoulli
from theory.families.categorical import Categorical
from theory.loop import Loop


def probabilities(loop: Loop) -> tuple[Expr, ...]:
    """Return the source's probabilities; of a Bernoulli loop (p0, 1 - p0), so that type 0 is the success.

    Raises:
        ValueError: a categorical source without probabilities.
    """
    if isinstance(loop.law, Bernoulli):
        return loop.law.p0, 1 - loop.law.p0
    assert isinstance(loop.law, Categorical)
    return tuple(loop.law.source().values())


def require_numbers(loop: Loop) -> None:
    """Raise ValueError where M or a probability of the loop is no rational number."""
    if loop.free_symbols or not loop.samples.is_Integer:
        left = ", ".join(sorted(map(str, loop.free_symbols))) or f"samples = {loop.samples}"
        raise ValueError(f"absorption needs numbers, and the loop leaves {left}. Put them in with loop.at(...).")
    if not all(p.is_Rational for p in probabilities(loop)):
        raise ValueError(f"absorption needs rational probabilities, not {probabilities(loop)}. Give Rational(a, b).")
