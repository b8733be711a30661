"""What the data path knows of linear regression: rows (x, y) of a random design, fitted by least squares."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import jax.numpy as jnp
from jax import Array
from sympy import Symbol

from numerics.chains import Given
from numerics.kits.distortions import Distortion, factor
from numerics.kits.kit import Kit, Model
from numerics.kits.points import Data
from numerics.printer import to_jax
from numerics.samplers import normal, slot_key
from numerics.samplers.cipher import Key
from theory.estimators import Estimator
from theory.families import LinearRegression
from theory.filters import SpectralFilter


def least_squares(family: LinearRegression, estimator: Estimator) -> Kit:
    """Return the kit of regression with a number for the dimension; a spectral filter is part of the fit."""
    d = int(family.dimension)

    def truth(given: Given) -> Model:
        weights = jnp.zeros(d).at[0].set(given["w0"])
        return {"weights": weights, "noise": given["noise"]} | _design(given)

    def real(key: Key, size: int, given: Given, how: Distortion) -> Array:
        return _rows(key, size, truth(given), how)

    def fit(data: Data, divisor: Any, last: Model) -> Model:
        del divisor
        return {"weights": _fitted(data, d, estimator, last["weights"])}

    def weighted(sets: Sequence[Data], shares: Sequence[float], last: Model) -> Model:
        """Return the least squares weights of rows multiplied by the root of what each weighs."""
        weighed = zip(sets, shares, strict=True)
        scaled = [Data(jnp.sqrt(w / data.size) * data.points, data.size) for data, w in weighed]
        return fit(reduce(Data.followed_by, scaled), None, last)

    return Kit(
        True, lambda given: {"weights": truth(given)["weights"]}, real, _rows, fit, _view, weighted, designed=True
    )


def _design(values: Any) -> dict[str, Any]:
    """Return the key of the design where there is one for all fits."""
    return {"design": values["design"]} if "design" in values else {}


def _rows(key: Key, size: int, model: Model, how: Distortion) -> Array:
    """Return rows (x, y): x ~ N(0, I), y = x'w + sqrt(tau noise) z."""
    w = model["weights"]
    x = normal(model.get("design", slot_key(key, 0)), (size, len(w)))
    # Column after column: the order of a product would change with the chunk.
    means = sum((x[:, j] * w[j] for j in range(len(w))), jnp.zeros(()))
    y = means + jnp.sqrt(factor(how) * model["noise"]) * normal(slot_key(key, 1), (size,))
    return jnp.concatenate([x, y[:, None]], axis=1)


def _fitted(data: Data, d: int, estimator: Estimator, last: Array) -> Array:
    """Return Q (c + a(S) (t - c)), Q S Q' = X'X, t = Q'X'y/S and c the start, a(S) the share of a filter, else 1.

    Directions that no row has stay where the fit starts: at 0, so that the norm is least, or at the last model.
    """
    rows = data.total(lambda row: jnp.outer(row, row))
    values, vectors = jnp.linalg.eigh(rows[:d, :d])
    seen = (jnp.arange(d) >= d - jnp.minimum(data.size, d)) & (values > 1e-14 * values[-1])
    safe = jnp.where(seen, values, 1.0)
    target = jnp.where(seen, _times(vectors.T, rows[:d, d]) / safe, 0.0)
    if not isinstance(estimator, SpectralFilter):
        return _times(vectors, target)
    start = _times(vectors.T, last) if estimator.warm else jnp.zeros(d)
    S = Symbol("S", positive=True)
    share = jnp.where(seen, to_jax(estimator.share(S), [S])(safe), 0.0)
    return _times(vectors, start + share * (target - start))


def _times(matrix: Array, vector: Array) -> Array:
    """Return the product, column after column."""
    return sum((matrix[:, j] * vector[j] for j in range(len(vector))), jnp.zeros(()))


def _view(model: Model) -> dict[str, Array]:
    """Return the component along the true weights, and the sum of squares."""
    w = model["weights"]
    return {"w": w[0], "squares": sum((x**2 for x in w), jnp.zeros(()))}
