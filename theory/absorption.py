"""`absorption`: a loop on counts as the Markov chain that it is, exactly.

Refitting on M tokens is a neutral Wright-Fisher chain; real data, a pool, single replacements and distorted sampling
make other chains of it. This file says which loop is which chain; each chain is a file of `theory.discrete`.
"""

from collections.abc import Callable
from typing import Any

from theory.discrete.distorted import distortion
from theory.discrete.mixed import mixed
from theory.discrete.moran import moran
from theory.discrete.neutral import neutral
from theory.discrete.urn import urn
from theory.discrete.words import words
from theory.errors import NotClosed
from theory.families.bernoulli import Bernoulli
from theory.families.categorical import Categorical
from theory.families.markov import NGram
from theory.loop import Loop
from theory.procedures import Procedure
from theory.regimes import Accumulate, Mixed, Moran, Regime, Replace
from theory.sampling import Faithful, MinP, Sampling, Tempered, TopK, TopP

CHAINS: tuple[tuple[type[Regime], type[Sampling], Callable[[Loop], Any]], ...] = (
    # (regime, sampling, the chain of such a loop)
    (Replace, Faithful, neutral),
    (Mixed, Faithful, mixed),
    (Accumulate, Faithful, urn),
    (Moran, Faithful, moran),
    *((Replace, sampling, distortion) for sampling in (Tempered, TopK, TopP, MinP)),
)


def absorption(loop: Loop) -> Any:
    """Return the exact absorbing chain of a categorical or Bernoulli loop, such as a `theory.discrete.neutral.Neutral`;
    of n-gram models the `theory.discrete.words.Words`.

    Raises:
        NotClosed: another family, estimator, regime or sampling.
        ValueError: values that make no chain.

    >>> from sympy import Rational
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
    asked = (type(loop.regime), type(loop.sampling))
    for regime, sampling, chain in CHAINS:
        if (regime, sampling) == asked and not isinstance(loop.estimator, Procedure):
            return chain(loop)
    raise NotClosed(
        f"{loop.estimator} under {loop.regime} with {loop.sampling} is no chain that is known here. Ask for the "
        "maximum likelihood fit of faithful samples (replace, mixed, accumulate, Moran) or distorted ones (replace), "
        "or simulate(loop)."
    )
