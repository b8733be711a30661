"""What the data path knows of Gaussian mixtures: how they are drawn, where a climb starts, and what is recorded."""

from typing import Any

import jax.numpy as jnp
from attrs import frozen
from jax import Array, lax
from sympy import Expr, S

from numerics.chains import Given
from numerics.kits import joint
from numerics.kits.distortions import Distortion
from numerics.kits.em import Climb, Parts, triangle
from numerics.kits.kit import Kit, Model
from numerics.kits.outside import drawing, mixed
from numerics.kits.points import Data
from numerics.lifting import number
from numerics.samplers import slot_key, uniform
from numerics.samplers.cipher import Key
from theory.families import Mixture
from theory.families.base import Family
from theory.learners import EM
from theory.loop import Loop
from theory.procedures import Floor


def kit(loop: Loop) -> Kit:
    """Return the kit of mixtures fitted by EM, by its defaults where the estimator is maximum likelihood."""
    family: Any = loop.family
    estimator: Any = loop.estimator
    added, inside = (estimator.eta, estimator.of) if isinstance(estimator, Floor) else (S.Zero, estimator)
    how = inside if isinstance(inside, EM) else EM()
    mixtures = Mixtures(family, how, loop.source or family, added)
    return Kit(
        alike=False,
        source=mixtures.source,
        real=mixtures.real,
        draw=mixtures.draw,
        fit=lambda _data, _divisor, last: last,
        view=mixtures.view,
        learn=mixtures.learn,
    )


@frozen
class Mixtures:
    """Mixtures of k components in d dimensions, fitted to points of a source.

    A model is the weights "w" (k,), means "m" (k, d) and entries of the covariances "C" (k, pairs), with the mean "mu"
    and the covariance "Sigma" of a point.
    """

    family: Mixture
    how: EM
    outside: Family
    added: Expr = S.Zero
    """What is added to every variance in every round beside the climb's own floor."""

    def source(self, given: Given) -> Model:
        """Return model 0: the source's components where it has as many, else k times its mean and covariance."""
        k, pairs = self.family.components, self._climb.pairs
        moments = {"mu": given["mu0"].reshape(-1), "Sigma": given["Sigma0"]}
        if self._own:
            C = jnp.stack([given["real_C"][:, i, j] for i, j in pairs], axis=1)
            return {"w": given["real_w"], "m": given["real_m"], "C": C, **moments}
        C = jnp.stack([jnp.full(k, given["Sigma0"][i, j]) for i, j in pairs], axis=1)
        return {"w": jnp.full(k, 1 / k), "m": jnp.tile(moments["mu"], (k, 1)), "C": C, **moments}

    @property
    def _own(self) -> bool:
        """Whether the source is a mixture of as many components, from which a climb can start."""
        return isinstance(self.outside, Mixture) and self.outside.components == self.family.components

    def real(self, key: Key, size: int, given: Given, how: Distortion) -> Array:
        """Return points of the true source."""
        return drawing(self.outside)(key, size, given, how).reshape(size, self.family.dimension)

    def draw(self, key: Key, size: int, model: Model, how: Distortion) -> Array:
        """Return x = m_j + L_j z with L_j L_j' = C_j, where j has the probability w_j."""
        del how
        lower = triangle(self._entries(model["C"]), self.family.dimension)
        return mixed(key, size, model["w"], model["m"], lower)

    def learn(self, key: Key, given: Given, data: Data, last: Model, first: Any) -> Model:
        """Return the mixture that the climb ends in."""
        floor, added, tolerance = (number(x, given) for x in (self.how.floor, self.added, self.how.tolerance))
        floor = floor + added
        warm = last["w"], last["m"], last["C"]
        if self.how.start == "k-means++":
            warm = self._seeded(key, data, floor)
        elif not self._own:
            warm = lax.cond(first, lambda: self._seeded(key, data, floor), lambda: warm)
        w, m, C = self._climb.fit(data.points, data.size, warm, tolerance, floor)
        return {"w": w, "m": m, "C": C} | self._moments(w, m, C)

    @property
    def _climb(self) -> Climb:
        family, tolerant = self.family, self.how.tolerance != 0
        return Climb(family.components, family.dimension, family.covariance, self.how.steps, tolerant)

    def _seeded(self, key: Key, data: Data, floor: Any) -> Parts:
        return self._climb.assigned(data.points, data.size, self._centres(key, data), floor)

    def _centres(self, key: Key, data: Data) -> Array:
        """Return centres among the points, each with a chance proportional to its squared distance from those before.

        The least of exponential times divided by the chances falls to a point with its chance.
        """
        k, (rows, d) = self.family.components, data.points.shape
        chance = jnp.where(jnp.arange(rows) < data.size, 1.0, 0.0)
        apart, centres = jnp.full(rows, jnp.inf), []
        for j in range(k):
            times = -jnp.log1p(-uniform(slot_key(key, j), (rows,))) / chance
            centres.append(data.points[jnp.argmin(jnp.where(chance > 0, times, jnp.inf))])
            apart = jnp.minimum(apart, sum((data.points[:, i] - centres[-1][i]) ** 2 for i in range(d)))
            chance = jnp.where(jnp.arange(rows) < data.size, apart, 0.0)
        return jnp.stack(centres)

    def view(self, model: Model) -> dict[str, Array]:
        """Return mean and covariance of a point, and the components."""
        C = self._matrices(model["C"])
        if self.family.dimension > 1:
            return {**joint.view(model), "w": model["w"], "m": model["m"], "C": C}
        V = model["Sigma"][0, 0]
        components = {"w": model["w"], "m": model["m"][:, 0], "v": C[:, 0, 0]}
        return {"mu": model["mu"][0], "V": V, "log_V": jnp.log(V), **components}

    def _moments(self, w: Array, m: Array, C: Array) -> dict[str, Any]:
        """Return sum w_j m_j = mu and sum w_j (C_j + (m_j - mu)(m_j - mu)'), component after component."""
        C = self._matrices(C)
        mu = sum(w[j] * m[j] for j in range(len(w)))
        apart = m - mu
        return {"mu": mu, "Sigma": sum(w[j] * (C[j] + apart[j][:, None] * apart[j]) for j in range(len(w)))}

    def _entries(self, C: Array) -> dict[tuple[int, int], Array]:
        return dict(zip(self._climb.pairs, C.T, strict=True))

    def _matrices(self, C: Array) -> Array:
        """Return the covariances as matrices, shape (k, d, d)."""
        entries, d = self._entries(C), range(self.family.dimension)
        zero = jnp.zeros_like(entries[0, 0])
        rows = [[entries.get((max(i, j), min(i, j)), zero) for j in d] for i in d]
        return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)
