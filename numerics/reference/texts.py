"""Texts of n-gram models in words: a walk over the places of the last text, place by place."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from numerics.reference.families import Model, Words
from theory.loop import Loop
from theory.sampling import Faithful

LONGEST = 200
"""Tokens of a text beyond which the walks take too long here."""


def words(loop: Loop) -> Words:
    """Return what is known of n-gram loops from transitions, texts of which end where they end."""
    family: Any = loop.family
    real: Any = loop.source or family
    if family.ring or real.transitions is None:
        raise ValueError(f"{loop} is not known here. Choose transitions and end='restart'.")
    rows = np.array([[float(x) for x in row] for row in real.transitions])

    def draw(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
        if behind is not None or not isinstance(sampling, Faithful | None) or size > LONGEST:
            raise ValueError(f"texts of {size} tokens under {sampling} are not written here. Choose fewer, faithful.")
        if "tokens" in model:
            return _walked(model["tokens"], family.order, size, rng)
        return _written(rows, real.order, (len(model["entropy"]), size), rng)

    def source(loop: Loop, start: Mapping[str, Any]) -> Model:
        del loop, start
        entropy = float(family.project(real).differential_entropy())
        return {"entropy": np.array(entropy), "vocabulary": np.array(float(len(real.letters)))}

    return Words(source, draw, lambda _, texts: _read(texts, family.order))


def _written(rows: ndarray, order: int, shape: tuple[int, int], rng: Generator) -> ndarray:
    """Return texts of a source: what a long walk over its contexts has written when it is watched at last."""
    letters, warm = rows.shape[1], 400
    context, text = rng.integers(len(rows), size=shape[0]), []
    for _ in range(warm + shape[1]):
        token = (rng.random(shape[0])[:, None] > rows[context].cumsum(1)[:, :-1]).sum(1)
        context = (context * letters + token) % letters**order
        text.append(token)
    return np.array(text[warm:]).T


def _contexts(texts: ndarray, order: int) -> ndarray:
    """Return the last tokens at every place as one number; a token before the text is one more letter."""
    base = int(texts.max()) + 2
    padded = np.pad(texts + 1, ((0, 0), (order - 1, 0)))
    places = range(texts.shape[1])
    return np.stack([padded[:, p : p + order] @ base ** np.arange(order)[::-1] for p in places], axis=1)


def _walked(texts: ndarray, order: int, size: int, rng: Generator) -> ndarray:
    """Return new texts: from a place to the one after any place of the same context, or anywhere if there is none."""
    chains, places = texts.shape
    contexts, chain = _contexts(texts, order), np.arange(chains)
    place, written = rng.integers(places, size=chains), []
    for _ in range(size):
        written.append(texts[chain, place])
        alike = (contexts[:, :-1] == contexts[chain, place][:, None]) * rng.random((chains, places - 1))
        place = np.where(alike.any(1), alike.argmax(1) + 1, rng.integers(places, size=chains))
    return np.array(written).T


def _read(texts: ndarray, order: int) -> Model:
    """Return the text, how many tokens it has, and the entropy of a token after a whole context."""
    contexts, after = _contexts(texts, order)[:, order - 1 : -1], texts[:, order:]
    alike = contexts[:, :, None] == contexts[:, None, :]
    again = alike & (after[:, :, None] == after[:, None, :])
    entropy = np.log(alike.sum(2) / again.sum(2)).mean(1)
    return {
        "tokens": texts,
        "entropy": entropy,
        "vocabulary": np.array([float(len(np.unique(text))) for text in texts]),
    }
