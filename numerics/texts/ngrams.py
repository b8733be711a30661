"""Texts of n-gram models as arrays: a text is written by walking over the places of the last one.

At a place the walk draws one of the places where the same context was followed by something, and goes one on. So a
draw is one look-up for any number of tokens, and a fit is one sort; no table of contexts is ever made.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from attrs import frozen
from jax import Array, lax
from sympy import Expr

from numerics.chains import Given
from numerics.kits.distortions import Distortion
from numerics.kits.kit import Kit, Model
from numerics.kits.points import Data
from numerics.samplers import uniform
from numerics.samplers.cipher import Key
from theory.families import NGram
from theory.loop import Loop
from theory.procedures import Procedure
from theory.sampling import Faithful
from theory.symbols import n

LONGEST = 2**62
"""Largest number that an n-gram may be written as."""


def kit(loop: Loop) -> Kit:
    """Return the kit of n-gram models."""
    family: Any = loop.family
    texts = Texts(family.order, family.ring, getattr(loop.source, "order", None))
    return Kit(False, texts.source, texts.real, texts.draw, texts.fit, texts.view)


def why_not(loop: Loop) -> str | None:
    """Return why the texts of an n-gram loop cannot be written or read, None where they can."""
    if loop.sampling != Faithful():
        return f"sampling: {loop.sampling} writes no texts"
    if isinstance(loop.estimator, Procedure):
        return f"estimator: {loop.estimator} is no count of n-grams"
    whole = ("real", "model", "past")
    apart = any(p.origin not in whole or p.weight is not None for p in loop.regime.parts(loop.samples, n))
    return f"regime: {loop.regime} takes texts apart" if apart or loop.regime.subsampled else None


@frozen
class Texts:
    """How texts of an order and an end are read and written."""

    order: int
    ring: bool
    memory: int | None = None
    """The order of a source of transitions, None where it is that of the family."""

    def source(self, given: Given) -> Model:
        """Return model 0: the source's text as a fit, or what is recorded of its transitions."""
        if "text" not in given:
            return given
        return self.fit(Data(given["text"], jnp.asarray(float(len(given["text"])))), None, {})

    def real(self, key: Key, size: int, given: Given, how: Distortion) -> Array:
        """Return a text of the source: a walk over its text, or over its contexts from the stationary law on."""
        if "text" in given:
            return self.draw(key, size, self.source(given), how)
        u, K, k = uniform(key, (size,)), given["rows"].shape[-1], self.memory or self.order

        def step(context: Array, chance: Array) -> tuple[Array, Array]:
            token = _passed(given["rows"][context], chance)
            return (context * K + token) % K**k, token

        start = _passed(given["start"], u[0])
        _, later = lax.scan(step, start, u[k:])
        return jnp.concatenate([start // K ** jnp.arange(k)[::-1] % K, later])

    def draw(self, key: Key, size: int, model: Model, how: Distortion) -> Array:
        """Return a text of ``size`` tokens, begun at a place drawn at random, and so again where no step leads on."""
        del how
        u = uniform(key, (size,))
        places, left, found = model["size"], model["left"], model["right"] - model["left"]

        def step(place: Array, chance: Array) -> tuple[Array, Array]:
            known = model["order"][left[place] + jnp.floor(chance * found[place]).astype(int)] + 1
            onward = jnp.where(known == places, 0, known)
            after = jnp.where(found[place] > 0, onward, jnp.floor(chance * places).astype(int))
            return after, after

        start = jnp.floor(u[0] * places).astype(int)
        _, later = lax.scan(step, start, u[1:])
        return model["tokens"][jnp.concatenate([start[None], later])]

    def fit(self, data: Data, divisor: Any, last: Model) -> Model:
        """Return the text with its places sorted by the context there, and among these by what follows.

        The places ``order[left[p]:right[p]]`` share the context of p; ``again`` counts those with its successor, too.
        """
        del divisor, last
        tokens, size = data.points, data.size.astype(int)
        contexts, base = self._contexts(tokens, size), _base(tokens, size)
        followed = self._followed(len(tokens), size)
        steps = jnp.where(followed, contexts * base + self._after(tokens, size), LONGEST)
        order = jnp.argsort(steps)
        left, right = _found(jnp.where(followed, contexts, LONGEST)[order], contexts)
        least, most = _found(steps[order], steps)
        return {"tokens": tokens, "order": order, "left": left, "right": right, "again": most - least, "size": size}

    def view(self, model: Model) -> dict[str, Array]:
        """Return what is recorded of a model."""
        if "tokens" not in model:
            return {str(x): model[str(x)] for x in NGram.recorded}
        tokens, place = model["tokens"], jnp.arange(len(model["tokens"]))
        whole = self._followed(len(tokens), model["size"]) & (self.ring | (place >= self.order - 1))
        # Every one of k alike counts 1/k: sums of them are whole numbers.
        number, again = model["right"] - model["left"], model["again"]
        contexts, ngrams = (jnp.rint(jnp.where(whole, 1 / jnp.maximum(x, 1), 0).sum()) for x in (number, again))
        entropy = jnp.where(whole, jnp.log(number / again), 0.0).sum() / whole.sum()
        ordered = jnp.sort(jnp.where(place < model["size"], tokens, -1))
        vocabulary = (ordered[1:] > jnp.maximum(ordered[:-1], -1)).sum() + (ordered[0] >= 0)
        cycle = self._cycle(model, contexts, ngrams)
        values = (vocabulary.astype(float), contexts, ngrams, entropy, cycle)
        return dict(zip(map(str, NGram.recorded), values, strict=True))

    def _cycle(self, model: Model, contexts: Array, ngrams: Array) -> Array:
        """Return the number of contexts where each has one successor and the text repeats itself after that many."""
        tokens, size = model["tokens"], model["size"]
        place = jnp.arange(len(tokens))
        ahead = place + contexts.astype(int)
        same = tokens[jnp.where(ahead < size, ahead, ahead - size if self.ring else place)] == tokens
        led_on = model["right"][size - 1] > model["left"][size - 1]
        return jnp.where((ngrams == contexts) & led_on & jnp.all(same | (place >= size)), contexts, 0.0)

    def _after(self, tokens: Array, size: Array) -> Array:
        """Return the token after every place, in a ring the first after the last."""
        return jnp.where(jnp.arange(len(tokens)) == size - 1, tokens[0], jnp.roll(tokens, -1))

    def _contexts(self, tokens: Array, size: Array) -> Array:
        """Return every place's last tokens as one number, in base K + 1; the place before the text is a token too."""
        place, base, total = jnp.arange(len(tokens)), _base(tokens, size), jnp.zeros(len(tokens), int)
        for back in range(self.order):
            at = place - back
            here = jnp.where(at >= 0, tokens[at], base - 1)
            total = total * base + (tokens[at % size] if self.ring else here)
        return total

    def _followed(self, rows: int, size: Array) -> Array:
        return jnp.arange(rows) < (size if self.ring else size - 1)


def _base(tokens: Array, size: Array) -> Array:
    """Return K + 1, K one more than the largest token."""
    return tokens.max(where=jnp.arange(len(tokens)) < size, initial=0) + 2


def source_arrays(law: NGram, samples: Expr, real: NGram) -> dict[str, np.ndarray]:
    """Return the source's text, or its laws as running sums, and what is recorded of generation 0.

    Args:
        law: the source as the family sees it, which generation 0 is.
        samples: M.
        real: the source, which may remember more.

    Raises:
        ValueError: no source, too few tokens, or contexts too many to be numbered.
    """
    if samples.is_Integer and samples <= max(law.order, real.order):
        longest = max(law.order, real.order)
        raise ValueError(f"samples = {samples} hold no context of {longest} and its successor. Give more.")
    if not law.letters:
        raise ValueError("the source has no texts. Give NGram(order, [[...], ...]) or NGram(order, text=...).")
    if (len(law.letters) + 1) ** (law.order + 1) >= LONGEST:
        raise ValueError(f"{len(law.letters)} tokens have too many contexts of {law.order}. Give a lower order.")
    if law.text is not None:
        return {"text": np.array(law.codes)}
    (start, rows), (weights, seen) = _transitions(real), _transitions(law)
    return {"rows": rows.cumsum(1), "start": start.cumsum()} | _of_transitions(weights, seen)


def _transitions(law: NGram) -> tuple[np.ndarray, np.ndarray]:
    """Return the stationary law of contexts, and the laws of tokens after them."""
    rows = np.array([[float(x) for x in row] for row in law.transitions or ()])
    return np.array([float(weight.numerator) / float(weight.denominator) for weight in law.stationary().values()]), rows


def _of_transitions(start: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is recorded of a source of transitions."""
    possible = start[:, None] * rows
    pairs, contexts, tokens = ((possible > 0).sum(), (start > 0).sum(), (possible > 0).any(0).sum())
    numbers = {"vocabulary": tokens, "contexts": contexts, "ngrams": pairs}
    entropy = -(possible * np.log(np.where(rows > 0, rows, 1))).sum()
    numbers |= {"entropy": entropy, "cycle": contexts * (pairs == contexts)}
    return {name: np.array(float(x)) for name, x in numbers.items()}


def _passed(sums: Array, u: Array) -> Array:
    """Return the index at which a running sum passes u times its last value."""
    return jnp.minimum(jnp.searchsorted(sums, u * sums[-1], side="right"), len(sums) - 1)


def _found(ordered: Array, values: Array) -> tuple[Array, Array]:
    """Return where each value begins and ends among ordered ones."""
    begin, end = (jnp.searchsorted(ordered, values, side=side).astype(int) for side in ("left", "right"))
    return begin, end
