"""n-gram models in words: a model is the text that it was fitted to, and a walk over its places writes the next one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from numerics.reference.families import Model, Words, unknown
from theory.loop import Loop
from theory.sampling import Faithful

STEPS = 1000
"""Steps after which a chain of contexts has forgotten where it began."""


def words(loop: Loop) -> Words:
    """Return what is known of n-gram models whose texts are not read in a ring."""
    family: Any = loop.family
    source: Any = loop.source or family
    if family.ring or source.transitions is None:
        raise ValueError(f"{family} is not known here. Give transitions, and texts that end.")
    rows = np.array([[float(x) for x in row] for row in source.transitions])

    def first(_: Loop, start: Mapping[str, Any]) -> Model:
        del start
        weights = _stationary(rows, source.order)
        logs = np.log(np.where(rows > 0, rows, 1))
        entropy = -(weights[:, None] * rows * logs).sum()
        return {"entropy": entropy, "vocabulary": np.array(len(rows[0]))}

    def draw(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
        if behind is not None or not isinstance(sampling, Faithful | None):
            unknown()
        if "text" in model:
            return _walked(model["text"], family.order, size, rng)
        return _written(rows, source.order, (len(model["entropy"]), size), rng)

    return Words(first, draw, lambda _, texts: _counted(texts, family.order, len(rows[0])))


def _stationary(rows: ndarray, order: int) -> ndarray:
    """Return the law of contexts far from the beginning."""
    contexts, letters = rows.shape
    onward = np.zeros((contexts, contexts))
    for c in range(contexts):
        for y in range(letters):
            onward[c, (c * letters + y) % letters**order] += rows[c, y]
    return np.linalg.matrix_power((onward + np.eye(contexts)) / 2, STEPS)[0]


def _written(rows: ndarray, order: int, shape: tuple[int, int], rng: Generator) -> ndarray:
    """Return texts of the source, from a context of the stationary law on."""
    letters = rows.shape[1]
    context = rng.choice(len(rows), shape[0], p=_stationary(rows, order))
    tokens = [context // letters ** (order - 1 - j) % letters for j in range(order)]
    while len(tokens) < shape[1]:
        token = (rng.random((shape[0], 1)) >= np.cumsum(rows[context], axis=1)[:, :-1]).sum(axis=1)
        context = (context * letters + token) % letters**order
        tokens.append(token)
    return np.stack(tokens, axis=1)


def _contexts(texts: ndarray, order: int) -> ndarray:
    """Return the last tokens at every place as one number; before a text there is a token of its own."""
    padded = np.pad(texts + 1, [(0, 0), (order - 1, 0)])
    base = texts.max() + 2
    return np.add.reduce([padded[:, j : j + texts.shape[1]] * base ** (order - 1 - j) for j in range(order)])


def _walked(texts: ndarray, order: int, size: int, rng: Generator) -> ndarray:
    """Return texts of the models: from a random place on, each time to what followed one of the same contexts."""
    contexts, everyone = _contexts(texts, order), np.arange(len(texts))
    place = rng.integers(texts.shape[1], size=len(texts))
    tokens = [texts[everyone, place]]
    for _ in range(size - 1):
        alike = (contexts == contexts[everyone, place][:, None])[:, :-1]
        ranks = np.cumsum(alike, axis=1)
        found = ranks[:, -1]
        chosen = (ranks <= np.floor(rng.random(len(texts)) * found)[:, None]).sum(axis=1)
        place = np.where(found > 0, chosen + 1, rng.integers(texts.shape[1], size=len(texts)))
        tokens.append(texts[everyone, place])
    return np.stack(tokens, axis=1)


def _counted(texts: ndarray, order: int, letters: int) -> Model:
    """Return the text with its entropy -sum N(c, y)/N log N(c, y)/N(c), over whole contexts, and its letters."""
    chains, size = texts.shape
    tokens = [texts[:, j : size - order + j] * letters ** (order - j) for j in range(order + 1)]
    places = np.add.reduce(tokens) + np.arange(chains)[:, None] * letters ** (order + 1)
    counts = np.bincount(places.ravel(), minlength=chains * letters ** (order + 1)).reshape(chains, -1, letters)
    shares = counts / np.maximum(counts.sum(axis=2, keepdims=True), 1)
    logs = np.log(np.where(shares > 0, shares, 1))
    distinct = (np.sort(texts, axis=1)[:, 1:] != np.sort(texts, axis=1)[:, :-1]).sum(axis=1) + 1
    return {"text": texts, "entropy": -(counts * logs).sum(axis=(1, 2)) / (size - order), "vocabulary": distinct}
