"""What would be left of a text's n-grams if contexts never starved, for comparison with what is.

Two chains of ancestors give a prediction each. *Independent contexts*: every context is a vocabulary of its own,
refitted on as many tokens as it is expected to see. *Free n-grams*: n-grams are drawn one by one, as if a text were a
bag of them. In a text a context sees a random number of tokens, many at one fit and none at the next, and what it never
sees it never says again: the first prediction does not know that contexts die, and the second knows of nothing else.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from numerics.absorption.large_chain import LargeChain
from numerics.texts.retrained import CLASSES, Source
from theory.loop import Loop


def predicted(loop: Loop, generations: int, classes: Sequence[float] = CLASSES) -> xr.Dataset:
    """Return the share of the source's n-grams left under each assumption, by generation and class of contexts.

    For a context c expected M_c = M pi_c times and a successor of probability q, ``independent`` is the mean of
    1 - E (1 - q)^A_n, A_n the ancestors of M_c tokens rounded to a whole number >= 1; ``free`` is the mean of
    1 - exp(-M_c q g_n), g_1 = 1 and g_(n+1) = 1 - exp(-g_n), the limit of 1 - E (1 - pi_c q)^A_n for many tokens. What
    is left in all, of every class, is ``independent_ngrams`` and ``free_ngrams``.

    Args:
        loop: as for `retrained`.
        generations: number of refits, >= 1.
        classes: as for `retrained`.

    Raises:
        ValueError: as for `retrained`.
    """
    source = Source.of(loop, classes=classes)
    lost = np.empty((generations + 1, len(source.pairs)))
    sizes = np.maximum(1, np.rint(source.expected)).astype(int)
    for size in np.unique(sizes):
        at = np.flatnonzero(sizes == size)
        q, where = np.unique(source.counts[at] / source.totals[at], return_inverse=True)
        context = LargeChain(int(size), np.ones(1))
        lost[:, at] = context.lost(n=range(generations + 1), frequency=q).value[:, where]
    free = np.exp(-np.outer(growth(generations), source.expected * source.counts / source.totals))
    return _dataset(source, {"independent": 1 - lost, "free": 1 - free})


def growth(generations: int) -> np.ndarray:
    """Return g_n for n = 0, 1, ...: the share of a large first sample that n fits later still has descendants.

    g_0 is infinite, since the source has lost nothing.

    >>> growth(3).round(4).tolist()
    [inf, 1.0, 0.6321, 0.4685]
    """
    g = [np.inf, 1.0]
    while len(g) <= generations:
        g.append(-np.expm1(-g[-1]))
    return np.array(g[: generations + 1])


def _dataset(source: Source, kept: dict[str, np.ndarray]) -> xr.Dataset:
    ones = np.ones(len(source.pairs))
    columns = {name: np.array([source.share(row, ones) for row in rows]) for name, rows in kept.items()}
    data = xr.Dataset({name: (("generation", "class"), values) for name, values in columns.items()})
    data = data.assign({f"{name}_ngrams": ("generation", rows.sum(1)) for name, rows in kept.items()})
    return data.assign_coords({"generation": np.arange(len(kept["free"])), "class": source.classes})
