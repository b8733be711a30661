"""`large_absorption`: the chain of a categorical loop in floating point, for sizes at which fractions are out of reach.

This file reads the loop, as `theory.absorption` does; the chain itself is in `numerics.absorption.large_chain`.
"""

from typing import Any

from numerics.absorption.large_chain import LargeChain
from theory.discrete.source import probabilities
from theory.errors import NotClosed
from theory.families import Bernoulli, Categorical
from theory.loop import Loop
from theory.procedures import Procedure
from theory.regimes import Replace
from theory.sampling import Faithful


def large_absorption(loop: Loop, frequencies: Any = None) -> LargeChain:
    """Return the absorbing chain of a categorical or Bernoulli loop, whose answers carry proved bounds on their error.

    Args:
        loop: with a number for M, faithful and replacing.
        frequencies: the source, where the loop leaves it open: fractions, or an array of floats.

    Raises:
        NotClosed: another family, estimator, regime or sampling.
        ValueError: symbols left in the loop, or M outside 1..2,000,000.

    >>> from sympy import Rational
    >>> chain = large_absorption(Loop(Categorical([Rational(1, 2)] * 2), samples=1000))
    >>> print(chain.expected_time())
    1383.50... +- 7...e-11
    """
    if not isinstance(loop.family, Categorical | Bernoulli):
        raise NotClosed(
            f"family: {type(loop.family).__name__} has no finite state space. "
            "Ask large_absorption of a categorical loop."
        )
    plain = isinstance(loop.regime, Replace) and isinstance(loop.sampling, Faithful)
    if not plain or isinstance(loop.estimator, Procedure):
        raise NotClosed(
            f"{loop.estimator} under {loop.regime} with {loop.sampling} is not the neutral chain. "
            "Ask large_absorption of a faithful replace loop."
        )
    open_ = loop.free_symbols - (loop.family.free_symbols if frequencies is not None else set())
    if open_ or not loop.samples.is_Integer:
        left = ", ".join(sorted(map(str, open_))) or f"samples = {loop.samples}"
        raise ValueError(f"large_absorption needs numbers, and the loop leaves {left}. Put them in with loop.at(...).")
    return LargeChain(int(loop.samples), probabilities(loop) if frequencies is None else frequencies)
