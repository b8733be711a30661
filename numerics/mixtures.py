"""What the data path knows of Gaussian mixtures: how they are drawn, where a climb starts, and what is recorded."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from attrs import frozen
from jax import Array, lax

from numerics.chains import Given
from numerics.distortions import Distortion
from numerics.em import Climb, Parts, triangle
from numerics.kit import Kit, Model
from numerics.outside import Outside, outside
from numerics.points import Data
from numerics.samplers import normal, slot_key, uniform
from theory.estimators import Estimator
from theory.families import Mixture
from theory.learners import EM


def kit(family: Mixture, estimator: Estimator, source: Any) -> Kit:
    """Return the kit of mixtures fitted by EM, by its defaults where the estimator is maximum likelihood."""
    how = estimator if isinstance(estimator, EM) else EM()
    mixtures = Mixtures(family.components, family.dimension, family.covariance, how, outside(source))
    return Kit(
        alike=how.start == "k-means++" and source is None,
        source=mixtures.source,
        real=mixtures.real,
        draw=mixtures.draw,
        fit=lambda data, divisor, last: last,
        view=mixtures.view,
        learn=mixtures.learn,
    )


@frozen
class Mixtures:
    """Mixtures of k components in d dimensions, fitted to points of a source."""

    components: int
    dimension: int
    covariance: str
    how: EM
    outside: Outside

    def source(self, given: Given) -> Model:
        """Return model 0: the source's components where it has as many, else its mean and covariance."""
        if "source_w" in given and len(given["source_w"]) == self.components:
            w, m, C = (given[f"source_{name}"] for name in ("w", "m", "C"))
            return {"w": w, "m": m, "C": jnp.stack([C[:, i, j] for i, j in self._climb().pairs], axis=1)}
        moments = {"mu": given["mu0"], "Sigma": given["Sigma0"]}
        k = self.components
        C = jnp.stack([jnp.full(k, given["Sigma0"][i, j]) for i, j in self._climb().pairs], axis=1)
        return {"w": jnp.full(k, 1 / k), "m": jnp.tile(given["mu0"].reshape(1, -1), (k, 1)), "C": C, **moments}

    def real(self, key: Array, size: int, given: Given, how: Distortion) -> Array:
        """Return points of the true source."""
        return self.outside.draw(key, size, given, how).reshape(size, self.dimension)

    def draw(self, key: Array, size: int, model: Model, how: Distortion) -> Array:
        """Return x = m_j + L_j z with L_j L_j' = C_j, where j has the probability w_j."""
        del how
        lower = triangle(dict(zip(self._climb().pairs, model["C"].T, strict=True)), self.dimension)
        return mixed(key, size, model["w"], model["m"], lower)

    def learn(self, key: Array, given: Given, data: Data, last: Model) -> Model:
        """Return the mixture that the climb ends in."""
        seeded = self.how.start == "k-means++" or "mu" in last
        start = self._seeds(key, data) if seeded else (last["w"], last["m"], last["C"])
        values = (number(getattr(self.how, name), given) for name in ("tolerance", "floor"))
        fitted = self._climb(seeded).fit(data.points, data.size, start, *values)
        return dict(zip(("w", "m", "C"), fitted, strict=True))

    def _climb(self, seeded: bool = False) -> Climb:
        tolerant = self.how.tolerance != 0
        return Climb(self.components, self.dimension, self.covariance, self.how.steps, tolerant, seeded)

    def _seeds(self, key: Array, data: Data) -> Parts:
        """Return centres among the points, each with a chance proportional to its squared distance from those before.

        The least of exponential times divided by the chances falls to a point with its chance.
        """
        rows, d = data.points.shape
        away = jnp.where(jnp.arange(rows) < data.size, 1.0, 0.0)
        centres = []
        for k in range(self.components):
            times = -jnp.log1p(-uniform(slot_key(key, k), (rows,))) / away
            centres.append(data.points[jnp.argmin(jnp.where(away > 0, times, jnp.inf))])
            apart = sum((data.points[:, i] - centres[-1][i]) ** 2 for i in range(d))
            away = jnp.minimum(away, apart) if k else jnp.where(away > 0, apart, 0.0)
        nothing = jnp.zeros((self.components, len(self._climb().pairs)))
        return jnp.full(self.components, 1 / self.components), jnp.stack(centres), nothing

    def view(self, model: Model) -> dict[str, Array]:
        """Return mean and covariance of a point, and the components."""
        w, m, d = model["w"], model["m"], range(self.dimension)
        C = _matrices(dict(zip(self._climb().pairs, model["C"].T, strict=True)), self.dimension)
        mean = [_total(w * m[:, i]) for i in d]
        apart = [m[:, i] - mean[i] for i in d]
        square = [[_total(w * (C[:, i, j] + apart[i] * apart[j])) for j in d] for i in d]
        mu, Sigma = jnp.stack(mean), jnp.stack([jnp.stack(row) for row in square])
        if "mu" in model:
            mu, Sigma = model["mu"].reshape(-1), model["Sigma"]
        if self.dimension > 1:
            return {"mu": mu, "Sigma": Sigma, "w": w, "m": m, "C": C}
        V = Sigma[0, 0]
        return {"mu": mu[0], "V": V, "log_V": jnp.log(V), "w": w, "m": m[:, 0], "v": C[:, 0, 0]}


def mixed(key: Array, size: int, weights: Array, means: Array, lower: Mapping[tuple[int, int], Array]) -> Array:
    """Return points of a mixture from the entries of its lower triangles, each of shape (k,)."""
    d = means.shape[1]
    which = _chosen(uniform(slot_key(key, 0), (size,)), weights)
    z = [normal(slot_key(key, 1 + i), (size,)) for i in range(d)]
    columns = []
    for i in range(d):
        terms = (which(lower[i, j]) * z[j] for j in range(i + 1) if (i, j) in lower)
        columns.append(which(means[:, i]) + sum(terms))
    return jnp.stack(columns, axis=1)


def _chosen(u: Array, weights: Array) -> Any:
    """Return the function that reads the entry of every point's component, drawn by its running sum of weights.

    Components are few, so that reading them all is cheaper than looking one up.
    """
    sums = [weights[0]]
    for k in range(1, len(weights)):
        sums.append(sums[-1] + weights[k])
    beyond = [u * sums[-1] >= x for x in sums[:-1]]

    def read(entries: Array) -> Array:
        value = entries[0]
        for k, past in enumerate(beyond):
            value = jnp.where(past, entries[k + 1], value)
        return jnp.broadcast_to(value, u.shape)

    return read


def number(value: Any, given: Given) -> Any:
    """Return a number of the loop, looked up where it is a symbol."""
    return given[str(value)] if value.free_symbols else float(value)


def _total(values: Array) -> Array:
    """Return the sum over components, one after the other."""
    return sum((values[k] for k in range(1, len(values))), values[0])


def _matrices(entries: Mapping[tuple[int, int], Array], d: int) -> Array:
    """Return symmetric matrices, shape (k, d, d), from the entries of their lower triangles."""
    zero = jnp.zeros_like(entries[0, 0])
    rows = [[entries.get((max(i, j), min(i, j)), zero) for j in range(d)] for i in range(d)]
    return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)


def why_not(estimator: Estimator) -> str | None:
    """Return why an estimator fits no mixture, None where it does."""
    from theory.estimators import MLE

    return None if isinstance(estimator, EM | MLE) else f"estimator: {estimator} fits no mixture"


def arrays(source: Mixture) -> dict[str, np.ndarray]:
    """Return weights, means and covariances of a source, and the roots that it is drawn with."""
    C = np.array([np.array(C.tolist(), dtype=float) for C in source.covariances()])
    weights = np.array([float(x) for x in source.weights or ()])
    means = np.array([[float(x) for x in mean] for mean in source.centres()])
    return {"source_w": weights, "source_m": means, "source_C": C, "source_L": np.linalg.cholesky(C)}


__all__ = ["Mixtures", "arrays", "kit", "lax", "mixed", "number", "why_not"]
