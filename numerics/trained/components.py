"""`Components`: a mixture of two normal laws in any number of dimensions, fitted by expectation maximisation."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from attrs import field, frozen
from jax import Array
from jax.scipy.special import ndtr

from numerics.kits.distortions import FAITHFUL
from numerics.kits.mixtures import Mixtures
from numerics.kits.points import Data
from numerics.samplers import chain_key
from numerics.samplers.cipher import Key
from numerics.trained.drawing import chances, deviates, place
from numerics.trained.factors import moments
from numerics.trained.learner import Learner, Numbers, Params
from theory.families import Empirical, Mixture
from theory.learners import EM


def clusters(rows: int, apart: float, dimension: int = 2, seed: int = 0) -> np.ndarray:
    """Return rows of two unit normal laws, as likely as each other, at -apart/2 and apart/2 on the first axis.

    >>> clusters(4, 10).shape
    (4, 2)
    """
    key = chain_key(seed, 0)
    side = np.where(np.asarray(chances(place(key, 0), (rows,))) < 0.5, -apart / 2, apart / 2)
    return np.asarray(deviates(place(key, 1), (rows, dimension)), dtype=float) + np.eye(dimension)[0] * side[:, None]


@frozen
class Components(Learner):
    """f(x) = sum_j w_j N(x; m_j, C_j), j = 0, 1. A round of EM matches mean and covariance of the data exactly.

    Recorded: ``V``, the trace of the covariance of a point; and ``balance``, p (1 - p), p the probability of a first
    coordinate below 0: it is near 0 once the law on one side is lost.

    Args:
        dimension: d, the numbers in a row.
        how: rounds, tolerance, floor and start of the climb.
    """

    dimension: int
    how: EM = field(factory=lambda: EM(50, floor=0, start="k-means++"))

    @property
    def _mixtures(self) -> Mixtures:
        return Mixtures(Mixture(2, self.dimension), self.how, Empirical([0, 1]))

    def init(self, key: Key) -> Params:
        """Return nothing but its shapes: the climb finds where to start among the points."""
        del key
        d = self.dimension
        m, C = jnp.zeros((2, d)), jnp.zeros((2, d * (d + 1) // 2))
        return {"w": jnp.zeros(2), "m": m, "C": C, "mu": jnp.zeros(d), "Sigma": jnp.zeros((d, d))}

    def fit(self, key: Key, data: Data, start: Params) -> Params:
        """Return where the climb from its own start ends."""
        return self.refit(key, data, start, True)

    def refit(self, key: Key, data: Data, last: Params, first: Any) -> Params:
        """Return where the climb ends, from the last model where ``how`` says so."""
        return self._mixtures.learn(key, {}, data, last, jnp.asarray(first))

    def sample(self, key: Key, params: Params, size: int) -> Array:
        """Return points."""
        return self._mixtures.draw(key, size, params, FAITHFUL)

    def score(self, key: Key, params: Params, real: Array) -> Numbers:
        """Return total variance and balance."""
        del key, real
        wide = jnp.sqrt(self._mixtures.view(params)["C"][:, 0, 0])
        below = params["w"] @ ndtr(-params["m"][:, 0] / jnp.maximum(wide, jnp.finfo(wide.dtype).tiny))
        return {"V": jnp.trace(params["Sigma"]), "balance": below * (1 - below)}

    def read(self, data: Data) -> Numbers:
        """Return the same of points."""
        here = jnp.arange(len(data.points)) < data.size
        below = (here & (data.points[:, 0] < 0)).sum() / data.size
        return {"V": jnp.trace(moments(data)[1]), "balance": below * (1 - below)}
