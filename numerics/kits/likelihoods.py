"""Negative log-likelihoods in free coordinates, read from statistics: what gradient descent and samplers climb down.

A fit by maximum likelihood tells all that a likelihood of these families reads of its points, so that a step costs the
same for any number of them once they are summed up, and sums run in the one order of `Data.total`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from attrs import frozen
from jax import Array, lax

from numerics.kits.kit import Kit, Model
from numerics.kits.points import Data
from theory.families import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Exponential,
    Gaussian,
    LinearRegression,
    Poisson,
)
from theory.loop import Loop

Free = Mapping[str, Array]
"""Free coordinates of a model, by name: any real number is allowed."""


@frozen
class Likelihood:
    """The likelihood of a family.

    Args:
        free: model -> its free coordinates.
        model: free coordinates -> the model.
        loss: (free coordinates, statistics of some points) -> mean of -log f over the points, up to a constant.
        prior: free coordinates -> log density of Jeffreys' prior in them, up to a constant; None where they name a law
            more than once.
        information: model -> the Fisher information of a point about each free coordinate; None where it is no
            diagonal matrix.
        statistics: (kit, points, a model near them) -> their statistics; here the fit by maximum likelihood.
    """

    free: Callable[[Model], Free]
    model: Callable[[Free], Model]
    loss: Callable[[Free, Model], Array]
    prior: Callable[[Free], Any] | None
    information: Callable[[Model], Mapping[str, Any]] | None
    statistics: Callable[[Kit, Data, Model], Model] = lambda kit, data, last: kit.fit(data, data.size, last)


def likelihood(loop: Loop) -> Likelihood | None:
    """Return the likelihood of the loop's family, None where it has none here."""
    if isinstance(loop.family, LinearRegression):
        return _REGRESSION
    return _LIKELIHOODS.get(type(loop.family))


# Gaussians: mu and log V, coordinate by coordinate --------------------------------------------------------------------


def _normal_loss(free: Free, fit: Model) -> Array:
    """Return (log V + (V_hat + (xbar - mu)^2)/V)/2."""
    squares = fit["V"] + (fit["mu"] - free["mu"]) ** 2
    return _total(free["log_V"] + squares * jnp.exp(-free["log_V"])) / 2


_NORMAL = Likelihood(
    free=lambda model: {"mu": model["mu"], "log_V": jnp.log(model["V"])},
    model=lambda free: {"mu": free["mu"], "V": jnp.exp(free["log_V"])},
    loss=_normal_loss,
    prior=lambda _free: 0.0,  # the prior 1/V is flat in log V
    information=lambda model: {"mu": 1 / model["V"], "log_V": 0.5},
)


# Discrete laws: logits ------------------------------------------------------------------------------------------------


def _coin_loss(free: Free, fit: Model) -> Array:
    """Return -(x log p + (1 - x) log(1 - p)) = softplus(l) - x l at the logit l."""
    return jax.nn.softplus(free["logit"]) - fit["p"] * free["logit"]


_COIN = Likelihood(
    free=lambda model: {"logit": _logit(model["p"])},
    model=lambda free: {"p": jax.nn.sigmoid(free["logit"])},
    loss=_coin_loss,
    prior=lambda free: -(jax.nn.softplus(free["logit"]) + jax.nn.softplus(-free["logit"])) / 2,
    information=lambda model: {"logit": model["p"] * (1 - model["p"])},
)


def _types_loss(free: Free, fit: Model) -> Array:
    """Return log sum_i exp(l_i) - sum_i x_i l_i at the logits l."""
    top = lax.stop_gradient(jnp.max(free["logits"]))
    return top + jnp.log(_total(jnp.exp(free["logits"] - top))) - _total(fit["p"] * free["logits"])


def _shares(logits: Array) -> Array:
    weights = jnp.exp(logits - jnp.max(logits))
    return weights / _total(weights)


_TYPES = Likelihood(
    free=lambda model: {"logits": jnp.log(jnp.maximum(model["p"], _LEAST))},
    model=lambda free: {"p": _shares(free["logits"])},
    loss=_types_loss,
    prior=None,  # logits that differ by a constant are one law
    information=None,
)
_LEAST = 1e-12
"""The smallest probability whose logarithm is a start of descent: a type that is gone is not quite gone."""


def _logit(p: Array) -> Array:
    inside = jnp.clip(p, _LEAST, 1 - _LEAST)
    return jnp.log(inside) - jnp.log1p(-inside)


# Rates and means: their logarithms ------------------------------------------------------------------------------------

_POISSON = Likelihood(
    free=lambda model: {"log_rate": jnp.log(jnp.maximum(model["rate"], _LEAST))},
    model=lambda free: {"rate": jnp.exp(free["log_rate"])},
    loss=lambda free, fit: jnp.exp(free["log_rate"]) - fit["rate"] * free["log_rate"],
    prior=lambda free: free["log_rate"] / 2,
    information=lambda model: {"log_rate": model["rate"]},
)
_EXPONENTIAL = Likelihood(
    free=lambda model: {"log_mean": jnp.log(model["mean"])},
    model=lambda free: {"mean": jnp.exp(free["log_mean"])},
    loss=lambda free, fit: free["log_mean"] + fit["mean"] * jnp.exp(-free["log_mean"]),
    prior=lambda _free: 0.0,
    information=lambda _model: {"log_mean": 1.0},
)


# Regression: the weights ----------------------------------------------------------------------------------------------


def _rows(kit: Kit, data: Data, last: Model) -> Model:
    """Return the mean of rows' products, (x, y)'(x, y)."""
    del kit, last
    return {"products": data.total(lambda row: jnp.outer(row, row)) / data.size}


def _regression_loss(free: Free, fit: Model) -> Array:
    """Return the mean of (y - x'w)^2/2, a quadratic form of (-w, 1)."""
    signed = jnp.append(-free["weights"], 1.0)
    return _total(jnp.stack([_total(row * signed) for row in fit["products"]]) * signed) / 2


_REGRESSION = Likelihood(
    free=lambda model: {"weights": model["weights"]},
    model=lambda free: {"weights": free["weights"]},
    loss=_regression_loss,
    prior=lambda _free: 0.0,
    information=None,
    statistics=_rows,
)

_LIKELIHOODS: Mapping[type, Likelihood] = {
    Gaussian: _NORMAL,
    DiagonalGaussian: _NORMAL,
    Bernoulli: _COIN,
    Categorical: _TYPES,
    Poisson: _POISSON,
    Exponential: _EXPONENTIAL,
}


def _total(values: Array) -> Array:
    """Return the sum of an array, by halves: an order that no compiler changes."""
    flat = jnp.ravel(values)
    while len(flat) > 1:
        even = jnp.pad(flat, (0, len(flat) % 2))
        flat = even[: len(even) // 2] + even[len(even) // 2 :]
    return flat[0]
