"""`Autoencoder`: a variational autoencoder of rows of numbers, linear or with a hidden layer, trained by Adam."""

import jax.numpy as jnp
from attrs import field, frozen
from jax import Array

from numerics.kits.points import Data
from numerics.samplers.cipher import Key
from numerics.trained.drawing import SINGLE, affine, deviates, layers, place
from numerics.trained.factors import moments
from numerics.trained.learner import Learner, Numbers, Params
from numerics.trained.training import Training

LOOKS = 2048
"""Codes by which the spread of a decoder with a hidden layer is measured."""


@frozen
class Autoencoder(Learner):
    """x = f(z) + sqrt(noise) e, z ~ N(0, I) in q dimensions, trained on the evidence lower bound

        E log p(x | z) - KL(q(z | x) || N(0, I)),  q(z | x) = N(m(x), diag s(x)^2).

    Without a hidden layer f and m are affine and s is one for all x: the bound is tight there, and its maximum is the
    fit of `Factors`. Recorded: ``V``, the total variance of a point, and ``loss``, minus the bound of a real row.

    Args:
        dimension: d, the numbers in a row.
        factors: q, the numbers in a code.
        hidden: units of the one hidden layer (tanh) of encoder and of decoder; 0 for none.
        training: how it is trained.
        warm: whether a fit starts from the last model.
        noisy: whether samples are drawn with the noise, or are means f(z), as pictures are often shown.

    J. Lucas, G. Tucker, R. Grosse, M. Norouzi, Don't blame the ELBO! A linear VAE perspective on posterior collapse,
    NeurIPS (2019).
    """

    dimension: int
    factors: int
    hidden: int = 0
    training: Training = field(factory=Training)
    warm: bool = False
    noisy: bool = True

    def init(self, key: Key) -> Params:
        """Return layers of weights N(0, 1/inputs), a noise of exp(-2)."""
        d, q, h = self.dimension, self.factors, self.hidden
        shapes = {"code": (h or d, q), "decode": (h or q, d)}
        single = {"log_noise": jnp.full((), -2.0, SINGLE)}
        if h:
            shapes |= {"encode": (d, h), "open": (q, h), "width": (h, q)}
        else:
            single |= {"log_width": jnp.full(q, -1.0, SINGLE)}
        return layers(key, shapes) | single

    def fit(self, key: Key, data: Data, start: Params) -> Params:
        """Return the trained model."""
        return self.training.run(key, self._loss, Data(data.points.astype(SINGLE), data.size), start)

    def sample(self, key: Key, params: Params, size: int) -> Array:
        """Return rows."""
        mean = self._decoded(params, deviates(place(key, 0), (size, self.factors)))
        if not self.noisy:
            return mean
        return mean + jnp.exp(params["log_noise"] / 2) * deviates(place(key, 1), mean.shape)

    def score(self, key: Key, params: Params, real: Array) -> Numbers:
        """Return the total variance of what is sampled, and the loss."""
        loss = self._loss(place(key, 0), params, real.astype(SINGLE))
        noise = self.dimension * jnp.exp(params["log_noise"]) if self.noisy else 0.0
        if not self.hidden:
            return {"V": (params["decode"]["w"] ** 2).sum() + noise, "loss": loss}
        means = self._decoded(params, deviates(place(key, 1), (LOOKS, self.factors)))
        return {"V": means.var(0, ddof=1).sum() + noise, "loss": loss}

    def read(self, data: Data) -> Numbers:
        """Return the total variance of the rows, divided by their number."""
        return {"V": jnp.trace(moments(data)[1])}

    def _loss(self, key: Key, params: Params, rows: Array) -> Array:
        """Return minus the bound, a mean over rows, with one code drawn for each."""
        mean, log_width = self._encoded(params, rows)
        z = mean + jnp.exp(log_width) * deviates(key, mean.shape)
        squares = ((rows - self._decoded(params, z)) ** 2).sum(1)
        log_noise = params["log_noise"]
        missed = (squares * jnp.exp(-log_noise) + self.dimension * (log_noise + jnp.log(2 * jnp.pi))) / 2
        divergence = (mean**2 + jnp.exp(2 * log_width) - 1).sum(1) / 2 - log_width.sum(-1)
        return (missed + divergence).mean()

    def _encoded(self, params: Params, rows: Array) -> tuple[Array, Array]:
        if not self.hidden:
            return affine(params["code"], rows), params["log_width"]
        inside = jnp.tanh(affine(params["encode"], rows))
        return affine(params["code"], inside), affine(params["width"], inside)

    def _decoded(self, params: Params, codes: Array) -> Array:
        inside = jnp.tanh(affine(params["open"], codes)) if self.hidden else codes
        return affine(params["decode"], inside)
