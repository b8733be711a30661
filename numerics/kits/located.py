"""What the data path knows of Laplace, Student and uniform laws as families: maximum likelihood of centre and width.

Points of a model are those of a source with other numbers; what a fit needs is the points in order, or for Student's
law an iteration to the one solution of its likelihood equations.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from numerics.chains import Given
from numerics.kits.distortions import Distortion, temperature
from numerics.kits.kit import Kit, Model
from numerics.kits.outside import drawing, points_of
from numerics.kits.points import Data
from numerics.samplers.cipher import Key
from theory.families import Laplace, StudentT, UniformOn
from theory.loop import Loop

PRECISION, STEPS = 1e-13, 1000
"""Relative change of the width, and of the centre in widths, at which an iteration ends, and its most steps."""


def located(loop: Loop) -> Kit:
    """Return the kit of a law with centre and width, its df known where it has one."""
    family = type(loop.family)
    draw, numbers, fit = points_of(loop.family), _NUMBERS[family], _FITS[family]

    def source(given: Given) -> Model:
        known = {"df": given["real_df"]} if family is StudentT else {}
        return {"centre": given["centre0"], "width": given["width0"], **known}

    def drawn(key: Key, size: int, model: Model, how: Distortion) -> Array:
        return draw(key, size, numbers(_tempered(family, model, how)))

    def learn(key: Key, given: Given, data: Data, last: Model, first: Any) -> Model:
        del key, first
        centre, width = fit(data, given)
        return {**last, "centre": centre, "width": width}

    return Kit(
        alike=False,
        source=source,
        real=drawing(loop.source or loop.family),
        draw=drawn,
        fit=lambda _data, _divisor, last: last,
        view=_view,
        learn=learn,
    )


def _view(model: Model) -> dict[str, Array]:
    return {"centre": model["centre"], "width": model["width"], "log_width": jnp.log(model["width"])}


def _tempered(family: type, model: Model, how: Distortion) -> Model:
    """Return the model whose density is that of the model to the power 1/tau."""
    return model if family is not Laplace else {**model, "width": temperature(how) * model["width"]}


def _ordered(data: Data) -> Array:
    """Return the points in order, those beyond the size last."""
    there = jnp.arange(len(data.points)) < data.size
    return jnp.sort(jnp.where(there, data.points, jnp.inf))


def _median(data: Data) -> tuple[Array, Array]:
    """Return the median, of an even number of points the mean of the two in the middle, and the mean |x - median|."""
    ordered, size = _ordered(data), jnp.asarray(data.size, int)
    median = (ordered[(size - 1) // 2] + ordered[size // 2]) / 2
    return median, data.total(lambda x: jnp.abs(x - median)) / data.size


def _extremes(data: Data) -> tuple[Array, Array]:
    """Return middle and distance of the smallest and the largest point."""
    high, low = data.largest(), -Data(-data.points, data.size).largest()
    return (low + high) / 2, high - low


def _student(data: Data, df: Array) -> tuple[Array, Array]:
    """Return the fixed point of centre = sum w x/sum w and width^2 = sum w (x - centre)^2/sum w with the weights
    w = (df + 1)/(df + z^2), z = (x - centre)/width: at it the sum of weights is m, so that it solves the likelihood
    equations, and it is reached faster than by the steps of EM (Kent, Tyler and Vardi 1994).
    """

    def better(state: tuple[Array, Array]) -> tuple[Array, Array]:
        centre, width = state

        def weight(x: Array) -> Array:
            return (df + 1) / (df + ((x - centre) / width) ** 2)

        total = data.total(weight)
        mean = data.total(lambda x: weight(x) * x) / total
        return mean, jnp.sqrt(data.total(lambda x: weight(x) * (x - mean) ** 2) / total)

    def goes_on(state: Any) -> Array:
        (centre, width), (centre1, width1), steps = state
        moved = jnp.abs(centre1 - centre) + jnp.abs(width1 - width)
        return (moved > PRECISION * width1) & (steps < STEPS)

    start = _median(data)
    state = start, better(start), jnp.zeros((), int)
    return lax.while_loop(goes_on, lambda s: (s[1], better(s[1]), s[2] + 1), state)[1]


Numbers = Mapping[str, Any]
_NUMBERS: Mapping[type, Callable[[Model], Numbers]] = {
    Laplace: lambda model: {"location": model["centre"], "scale": model["width"]},
    StudentT: lambda model: {"location": model["centre"], "scale": model["width"], "df": model["df"]},
    UniformOn: lambda model: {
        "lower": model["centre"] - model["width"] / 2,
        "upper": model["centre"] + model["width"] / 2,
    },
}
_FITS: Mapping[type, Callable[[Data, Given], tuple[Array, Array]]] = {
    Laplace: lambda data, _given: _median(data),
    StudentT: lambda data, given: _student(data, given["real_df"]),
    UniformOn: lambda data, _given: _extremes(data),
}
