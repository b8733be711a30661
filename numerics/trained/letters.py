"""Models of letters: `Counted`, the exact fit of transitions, and `Network`, a small network trained to predict them.

Data are windows of a text, each begun without a past. What is asked of a model is asked of its transitions, context by
context, with the weights that contexts have in the source, so that no context counts for less because it died out.
"""

from abc import abstractmethod
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from attrs import field, frozen
from jax import Array, lax

from numerics.kits.points import Data
from numerics.samplers.cipher import Key
from numerics.trained.drawing import SINGLE, affine, chances, layers
from numerics.trained.learner import Learner, Numbers, Params
from numerics.trained.training import Training

ALPHABET = " abcdefghijklmnopqrstuvwxyz"


def windows(text: str, width: int) -> np.ndarray:
    """Return a text as rows of ``width`` letters, a space and a-z as 0..26, all else left out; the rest is dropped.

    >>> windows("A cat, 2 dogs", 4).tolist()
    [[1, 0, 3, 1], [20, 0, 4, 15]]
    """
    kept = "".join(x if x in ALPHABET else " " for x in text.lower()).split()
    codes = np.array([ALPHABET.index(x) for x in " ".join(kept)], dtype=np.int32)
    if len(codes) < width or width < 1:
        raise ValueError(f"width = {width} for a text of {len(codes)} letters. Give 1 <= width <= letters.")
    return codes[: len(codes) // width * width].reshape(-1, width)


@frozen(eq=False)
class Letters(Learner):
    """Models that know the letter before: what they share is everything but the fit.

    Recorded, with w(c) the share of context c in the source, q its transitions and P the model's: ``diversity``,
    sum_c w(c) (1 - sum_y P(y | c)^2); ``entropy``, -sum_c w(c) sum_y P log P; and ``loss``, -sum_c w(c) sum_y q log P,
    in nats a letter.

    Args:
        joint: shares of (context, letter) in the source, shape (K + 1, K), the beginning last; they sum to 1.
        width: letters of a window.
    """

    joint: np.ndarray = field(repr=False)
    width: int

    @classmethod
    def of(cls, rows: np.ndarray, **how: Any) -> Self:
        """Return the learner whose source are the windows of a text."""
        joint = np.zeros((len(ALPHABET) + 1, len(ALPHABET)))
        np.add.at(joint, (before(np.asarray(rows)), rows), 1 / rows.size)
        return cls(joint, rows.shape[1], **how)

    @property
    def letters(self) -> int:
        """K."""
        return self.joint.shape[1]

    @abstractmethod
    def table(self, params: Params) -> Array:
        """Return P(y | c), shape (K + 1, K)."""

    def sample(self, key: Key, params: Params, size: int) -> Array:
        """Return windows, letter by letter."""
        sums = jnp.cumsum(self.table(params), 1)

        def step(last: Array, chance: Array) -> tuple[Array, Array]:
            here = sums[last]
            after = (here <= (chance * here[:, -1])[:, None]).sum(1)
            return after, after

        _, text = lax.scan(step, jnp.full(size, self.letters), chances(key, (self.width, size)))
        return text.T

    def score(self, key: Key, params: Params, real: Array) -> Numbers:
        """Return diversity, entropy and loss."""
        del key, real
        return self._of(self.table(params))

    def read(self, data: Data) -> Numbers:
        """Return the same of the exact transitions of the data."""
        return self._of(shares(self.counts(data)))

    def counts(self, data: Data) -> Array:
        """Return how often each letter follows each context."""
        weights = jnp.where(jnp.arange(len(data.points)) < data.size, 1.0, 0.0)
        number = before(data.points) * self.letters + data.points
        flat = jnp.zeros(self.joint.size, weights.dtype).at[number].add(weights[:, None])
        return flat.reshape(self.joint.shape)

    def _of(self, table: Array) -> Numbers:
        weights, logs = self.joint.sum(1), jnp.log(jnp.where(table > 0, table, 1.0))
        missed = jnp.where((self.joint > 0) & (table == 0), jnp.inf, -self.joint * logs)
        return {
            "diversity": weights @ (1 - (table**2).sum(1)),
            "entropy": -(weights @ (table * logs).sum(1)),
            "loss": missed.sum(),
        }


@frozen(eq=False)
class Counted(Letters):
    """P(y | c) = N(c, y)/N(c), the exact fit; the frequencies of letters where N(c) = 0."""

    def init(self, key: Key) -> Params:
        """Return the uniform law: the fit starts nowhere."""
        del key
        return jnp.full(self.joint.shape, 1 / self.letters)

    def fit(self, key: Key, data: Data, start: Params) -> Params:
        """Return the counts, as shares of their context."""
        del key, start
        return shares(self.counts(data))

    def table(self, params: Params) -> Array:
        """Return P(y | c)."""
        return params


@frozen(eq=False)
class Network(Letters):
    """P(y | c) = softmax(B tanh(A e(c))), trained on the likelihood of batches of windows.

    Args:
        embedded: numbers that stand for a letter, e(c).
        hidden: units of the hidden layer; from K on, every table of transitions is within reach.
        training: how it is trained.
        warm: whether a fit starts from the last model.
    """

    embedded: int = 16
    hidden: int = 32
    training: Training = field(factory=lambda: Training(batch=16))
    warm: bool = False

    def init(self, key: Key) -> Params:
        """Return three affine layers."""
        K, e, h = self.letters, self.embedded, self.hidden
        return layers(key, {"embed": (K + 1, e), "inside": (e, h), "out": (h, K)})

    def fit(self, key: Key, data: Data, start: Params) -> Params:
        """Return the trained model."""
        return self.training.run(key, self._loss, data, start)

    def table(self, params: Params) -> Array:
        """Return P(y | c)."""
        return jnp.exp(self._logs(params)).astype(float)

    def _logs(self, params: Params) -> Array:
        embedded = params["embed"]["w"] * (self.letters + 1) ** 0.5
        inside = jnp.tanh(affine(params["inside"], embedded))
        return jax.nn.log_softmax(affine(params["out"], inside))

    def _loss(self, key: Key, params: Params, rows: Array) -> Array:
        del key
        counts = self.counts(Data(rows, jnp.asarray(float(len(rows)))))
        return -(counts.astype(SINGLE) * self._logs(params)).sum() / rows.size


def before(rows: Any) -> Any:
    """Return the context of every letter: the letter before it, or the number after the last letter's."""
    return jnp.pad(jnp.asarray(rows)[:, :-1], ((0, 0), (1, 0)), constant_values=len(ALPHABET))


def shares(counts: Array) -> Array:
    """Return the counts as shares of their row, those of all counts where a row has none."""
    totals = counts.sum(1, keepdims=True)
    return jnp.where(totals > 0, counts / jnp.maximum(totals, 1), counts.sum(0) / counts.sum())
