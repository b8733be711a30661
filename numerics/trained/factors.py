"""`Factors`: the exact fit of x = mean + W z + noise, which a linear variational autoencoder is trained towards."""

import jax.numpy as jnp
from attrs import frozen
from jax import Array

from numerics.kits.points import Data
from numerics.samplers.cipher import Key
from numerics.trained.drawing import deviates, place
from numerics.trained.learner import Learner, Numbers, Params


@frozen
class Factors(Learner):
    """x = mean + W z + sqrt(noise) e, z in q dimensions, fitted by maximum likelihood:

        W W' + noise I = the sample covariance with its d - q smallest eigenvalues put in place by their mean,

    so that the trace, the total variance V of a point, is that of the data. Recorded: ``V``, and ``loss``, minus the
    mean log-likelihood of a real row.

    Args:
        dimension: d, the numbers in a row.
        factors: q, 1 <= q < d.

    M. E. Tipping, C. M. Bishop, Probabilistic principal component analysis, J. R. Statist. Soc. B 61 (1999) 611-622.
    """

    dimension: int
    factors: int

    def __attrs_post_init__(self) -> None:
        """Refuse factors that leave no room for noise."""
        if not 1 <= self.factors < self.dimension:
            raise ValueError(f"factors = {self.factors} of {self.dimension} numbers. Give 1 <= factors < dimension.")

    def init(self, key: Key) -> Params:
        """Return zeros: the fit starts nowhere."""
        del key
        d, q = self.dimension, self.factors
        return {"mean": jnp.zeros(d), "W": jnp.zeros((d, q)), "noise": jnp.ones(())}

    def fit(self, key: Key, data: Data, start: Params) -> Params:
        """Return the maximum of the likelihood."""
        del key, start
        mean, covariance = moments(data)
        values, vectors = jnp.linalg.eigh(covariance)
        noise = jnp.maximum(values[: -self.factors].mean(), 0)
        lengths = jnp.sqrt(jnp.maximum(values[-self.factors :] - noise, 0))
        return {"mean": mean, "W": vectors[:, -self.factors :] * lengths, "noise": noise}

    def sample(self, key: Key, params: Params, size: int) -> Array:
        """Return rows."""
        z = deviates(place(key, 0), (size, self.factors))
        e = deviates(place(key, 1), (size, self.dimension))
        return params["mean"] + z @ params["W"].T + jnp.sqrt(params["noise"]) * e

    def score(self, key: Key, params: Params, real: Array) -> Numbers:
        """Return the trace of the covariance, and the loss."""
        del key
        d, W, noise = self.dimension, params["W"], params["noise"]
        within = W.T @ W + noise * jnp.eye(self.factors)
        apart = real - params["mean"]
        along = apart @ W
        squares = (apart**2).sum(1) - (along * jnp.linalg.solve(within, along.T).T).sum(1)
        height = jnp.linalg.slogdet(within)[1] + (d - self.factors) * jnp.log(noise)
        loss = (squares.mean() / noise + height + d * jnp.log(2 * jnp.pi)) / 2
        return {"V": (W**2).sum() + d * noise, "loss": loss}

    def read(self, data: Data) -> Numbers:
        """Return the total variance of the rows, divided by their number."""
        return {"V": jnp.trace(moments(data)[1])}


def moments(data: Data) -> tuple[Array, Array]:
    """Return mean and covariance of the rows that count, divided by their number."""
    weights = (jnp.arange(len(data.points)) < data.size) / data.size
    mean = weights @ data.points
    apart = data.points - mean
    return mean, (apart * weights[:, None]).T @ apart
