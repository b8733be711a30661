"""What the data path knows of kernel densities and histograms: a model is the points that it was fitted to.

To draw from either is to draw one of these points and to move it: by a normal deviate, or to a place in its bin.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.chains import Given
from numerics.kits.distortions import Distortion
from numerics.kits.kit import Kit, Model
from numerics.kits.outside import drawing, picked
from numerics.kits.points import Data
from numerics.samplers import normal, slot_key, uniform
from numerics.samplers.cipher import Key
from theory.families import HistogramDensity, KernelDensity
from theory.loop import Loop

Learn = Callable[[Key, Given, Data, Model, Any], Model]
Draw = Callable[[Key, int, Model, Distortion], Array]


def kernel_density(loop: Loop) -> Kit:
    """Return the kit of kernel densities."""

    def learn(key: Key, given: Given, data: Data, last: Model, first: Any) -> Model:
        """Return the points with h = fixed + multiple s (a m)^(-1/5), s^2 = SS/(m - 1), where one of the two is 0."""
        del key, last, first
        mu, V = _moments(data)
        s = jnp.sqrt(V * data.size / jnp.maximum(data.size - 1, 1))
        h = given["fixed"] + given["multiple"] * s * (given["rule"] * data.size) ** -0.2
        return {"points": data.points, "size": data.size, "h": h, "mu": mu, "V": V + h**2}

    def draw(key: Key, size: int, model: Model, how: Distortion) -> Array:
        """Return x = x_i + h z, i uniform."""
        del how
        centres = picked(uniform(slot_key(key, 0), (size,)), model["points"], model["size"])
        return centres + model["h"] * normal(slot_key(key, 1), (size,))

    return _kit(loop, learn, draw, KernelDensity.h)


def histogram(loop: Loop) -> Kit:
    """Return the kit of histograms."""
    family: Any = loop.family

    def learn(key: Key, given: Given, data: Data, last: Model, first: Any) -> Model:
        """Return the middle of every point's bin, floor((x - a)/w) w + a + w/2."""
        del last, first
        w = given["width"]
        a = w * uniform(key) if family.bins == "random" else 0.0
        middles = Data(jnp.floor((data.points - a) / w) * w + a + w / 2, data.size)
        mu, V = _moments(middles)
        kept = {"points": middles.points, "size": data.size, "w": w, "occupied": _different(middles, w)}
        return kept | {"mu": mu, "V": V + w**2 / 12}

    def draw(key: Key, size: int, model: Model, how: Distortion) -> Array:
        """Return the middle of a point's bin + w (u - 1/2)."""
        del how
        middles = picked(uniform(slot_key(key, 0), (size,)), model["points"], model["size"])
        return middles + model["w"] * (uniform(slot_key(key, 1), (size,)) - 0.5)

    return _kit(loop, learn, draw, HistogramDensity.occupied)


def _kit(loop: Loop, learn: Learn, draw: Draw, more: Any) -> Kit:
    """Return a kit whose models also record one number more, 0 for the source."""

    def source(given: Given) -> Model:
        return {"mu": given["mu0"], "V": given["V0"], str(more): jnp.zeros(())}

    def view(model: Model) -> dict[str, Array]:
        return {"mu": model["mu"], "V": model["V"], "log_V": jnp.log(model["V"]), str(more): model[str(more)]}

    return Kit(
        alike=False,
        source=source,
        real=drawing(loop.source or loop.family),
        draw=draw,
        fit=lambda _data, _divisor, last: last,
        view=view,
        learn=learn,
    )


def _moments(data: Data) -> tuple[Array, Array]:
    """Return mu = sum x/m and V = sum (x - mu)^2/m."""
    mu = data.mean()
    return mu, data.total(lambda x: (x - mu) ** 2) / data.size


def _different(middles: Data, width: Any) -> Array:
    """Return how many bins hold a point."""
    there = jnp.arange(len(middles.points)) < middles.size
    ordered = jnp.sort(jnp.where(there, middles.points, jnp.inf))
    return 1.0 + jnp.sum((ordered[1:] - ordered[:-1] > width / 2) & there[1:])
