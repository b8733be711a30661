"""`absorption`: a loop on counts as the Markov chain that it is, exactly.

Refitting on M tokens is a neutral Wright-Fisher chain; real data, a pool, single replacements and distorted sampling
make other chains of it. This file reads the loop and says which chain it is; each chain is a file of `theory.discrete`.
"""

from fractions import Fraction
from typing import Any

from sympy import Rational

from theory.discrete.neutral import Neutral
from theory.discrete.words import words
from theory.errors import NotClosed
from theory.families.bernoulli import Bernoulli
from theory.families.categorical import Categorical
from theory.families.markov import NGram
from theory.loop import Loop
from theory.procedures import Procedure
from theory.regimes import Replace
from theory.sampling import Faithful


def absorption(loop: Loop) -> Any:
    """Return the exact absorbing chain of a loop on counts with numbers for M and the source, such as a `Neutral`; of
    n-gram models the `Words`.

    Raises:
        NotClosed: another family, estimator, regime or sampling.
        ValueError: symbols left in the loop.

    >>> chain = absorption(Loop(Categorical([Rational(1, 2)] * 2), samples=2))
    >>> chain.expected_time(), chain.survival(n=3)
    (2, 1/8)
    """
    if isinstance(loop.family, NGram):
        return words(loop)
    if not isinstance(loop.family, Categorical | Bernoulli):
        raise NotClosed(
            f"family: {type(loop.family).__name__} has no finite state space. Ask absorption of a categorical loop."
        )
    plain = isinstance(loop.regime, Replace) and isinstance(loop.sampling, Faithful)
    if not plain or isinstance(loop.estimator, Procedure):
        raise NotClosed(
            f"{loop.estimator} under {loop.regime} with {loop.sampling} is not the neutral chain. "
            "Ask absorption of a faithful replace loop."
        )
    if loop.free_symbols or not loop.samples.is_Integer:
        left = ", ".join(sorted(map(str, loop.free_symbols))) or f"samples = {loop.samples}"
        raise ValueError(f"absorption needs numbers, and the loop leaves {left}. Put them in with loop.at(...).")
    probabilities = tuple(Fraction(int(p.p), int(p.q)) for p in _source(loop.family))
    return Neutral(int(loop.samples), probabilities)


def _source(family: Categorical | Bernoulli) -> tuple[Rational, ...]:
    values = (family.p0, 1 - family.p0) if isinstance(family, Bernoulli) else tuple(family.source().values())
    if not all(value.is_Rational for value in values):
        raise ValueError(f"absorption needs rational probabilities, not {values}. Give Rational(a, b).")
    return values
