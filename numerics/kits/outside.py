"""Points of sources that no fitted model draws: laws outside the family, lists of numbers, and mixtures.

The first fit sees them, and so does every fit that real data reach. Their numbers are arguments of the compiled
program, once for real points and once for points that are drawn from the source as a distorted sampling would.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from attrs import fields
from jax import Array
from sympy import Rational

from numerics import scalars
from numerics.chains import Given
from numerics.kits.distortions import FAITHFUL, Distortion
from numerics.samplers import chi_square, normal, slot_key, uniform
from numerics.samplers.cipher import Key
from theory.families import (
    DiagonalGaussian,
    Empirical,
    Fitted,
    Gaussian,
    HistogramDensity,
    KernelDensity,
    Laplace,
    Mixture,
    MultivariateGaussian,
    OneParameter,
    StudentT,
    UniformOn,
)
from theory.families.base import Family
from theory.sampling import Sampling

Drawn = Callable[[Key, int, Mapping[str, Array]], Array]
"""(key, size, the source's numbers by name) -> points."""


def drawing(source: Family) -> Callable[[Key, int, Given, Distortion], Array]:
    """Return (key, size, given, distortion) -> points of the source."""
    draw = _drawn(source)

    def points(key: Key, size: int, given: Given, how: Distortion) -> Array:
        prefix = "real_" if how is FAITHFUL else "drawn_"
        numbers = {name.removeprefix(prefix): x for name, x in given.items() if name.startswith(prefix)}
        return draw(key, size, numbers)

    return points


def points_of(source: Family) -> Drawn:
    """Return (key, size, numbers of the law by name) -> points."""
    return _drawn(source)


def known(source: Family) -> bool:
    """Return whether points of the source can be drawn here."""
    return type(source) in _DRAWN or isinstance(source, OneParameter)


def arrays(source: Family, sampling: Sampling, floats: Callable[[Any], np.ndarray]) -> dict[str, np.ndarray]:
    """Return the source's numbers, for real points and for those that ``sampling`` draws from it.

    Args:
        source: the law.
        sampling: the distortion of the loop.
        floats: expressions, or nested lists of them, as float64.

    Raises:
        NotClosed: a sampling that does not know what it makes of the source.
    """
    sets = {"real_": source, "drawn_": source.drawn_as(sampling)}
    return {prefix + name: value for prefix, law in sets.items() for name, value in _numbers(law, floats).items()}


def moments(source: Family, floats: Callable[[Any], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean, shape (d,), and covariance, shape (d, d), of a point of the source."""
    if isinstance(source, Empirical):
        values = np.array([float(x) for x in source.values])
        return values.mean(keepdims=True), values.var().reshape(1, 1)
    if isinstance(source, Mixture):
        mean, covariance = source.moments()
        return floats(mean), floats(covariance.tolist())
    if isinstance(source, MultivariateGaussian):
        return floats(source.mean), floats(source.covariance.tolist())  # type: ignore[union-attr]
    if isinstance(source, DiagonalGaussian):
        return floats(source.mean), np.diag(floats(source.variances))
    mean, points = source.centred()
    return floats([mean]), floats([[points.moment(2)]])


def bare(source: Family) -> Family:
    """Return the source without its numbers, of which the compiled program knows only the names."""
    if isinstance(source, Mixture):
        k, mean = source.components, (0,) * source.dimension
        same: Any = {"weights": [Rational(1, k)] * k, "means": [mean] * k, "variances": [1] * k}
        return Mixture(k, source.dimension, covariance=source.covariance, **same)
    if isinstance(source, MultivariateGaussian):
        d = len(source.mean or ())
        return MultivariateGaussian([0] * d, [[int(i == j) for j in range(d)] for i in range(d)])
    if isinstance(source, DiagonalGaussian):
        return DiagonalGaussian([0] * source.dimension, [1] * source.dimension)
    if isinstance(source, OneParameter):
        return scalars.bare(source)
    return _BARE[type(source)]


def bare_family(family: Family) -> Family:
    """Return a family without its source and its numbers."""
    if isinstance(family, KernelDensity):
        return KernelDensity(0)
    return HistogramDensity(1, family.bins) if isinstance(family, HistogramDensity) else bare(family)


def family_numbers(family: Fitted) -> dict[str, np.ndarray]:
    """Return what the compiled program is told of a family."""
    if isinstance(family, HistogramDensity):
        return {"width": np.array(float(family.width))}
    if not isinstance(family, KernelDensity):
        return {}
    fixed, rule = (0, family.rule) if family.rule is not None else (family.bandwidth, 1)
    multiple = 0 if family.rule is None else family.multiple
    return {name: np.array(float(x)) for name, x in (("fixed", fixed), ("rule", rule), ("multiple", multiple))}


_BARE: Mapping[type, Family] = {
    Gaussian: Gaussian(0, 1),
    Laplace: Laplace(),
    StudentT: StudentT(3),
    UniformOn: UniformOn(),
    Empirical: Empirical([0, 1]),
}


# Numbers and points, law by law ---------------------------------------------------------------------------------------


def _numbers(law: Family, floats: Callable[[Any], np.ndarray]) -> dict[str, np.ndarray]:
    if isinstance(law, Mixture):
        C = np.array([floats(C.tolist()) for C in law.covariances()])
        return {"w": floats(law.weights), "m": floats(law.centres()), "C": C, "L": np.linalg.cholesky(C)}
    if isinstance(law, Gaussian | MultivariateGaussian | DiagonalGaussian):
        mean, covariance = moments(law, floats)
        return {"mean": mean, "root": np.linalg.cholesky(covariance)}
    if isinstance(law, OneParameter):
        return {"value": floats(law.initial)}
    return {f.name: floats(getattr(law, f.name)) for f in fields(type(law))}


def _normal(key: Key, size: int, law: Mapping[str, Array]) -> Array:
    """Return x = mean + L z, a number where there is one coordinate."""
    root = law["root"]
    z = [normal(slot_key(key, i), (size,)) for i in range(len(root))]
    columns = [law["mean"][i] + sum(root[i, j] * z[j] for j in range(i + 1)) for i in range(len(root))]
    return jnp.stack(columns, axis=1) if len(columns) > 1 else columns[0]


def _laplace(key: Key, size: int, law: Mapping[str, Array]) -> Array:
    """Return location +- scale times an exponential variable."""
    v = 2 * uniform(key, (size,)) - 1
    return law["location"] - jnp.sign(v) * law["scale"] * jnp.log1p(-jnp.minimum(jnp.abs(v), 1 - 2.0**-53))


def _student(key: Key, size: int, law: Mapping[str, Array]) -> Array:
    """Return location + scale z/sqrt(chi/df)."""
    z, chi = normal(slot_key(key, 0), (size,)), chi_square(slot_key(key, 1), law["df"], (size,))
    return law["location"] + law["scale"] * z * jnp.sqrt(law["df"] / chi)


def _uniform(key: Key, size: int, law: Mapping[str, Array]) -> Array:
    return law["lower"] + (law["upper"] - law["lower"]) * uniform(key, (size,))


def _empirical(key: Key, size: int, law: Mapping[str, Array]) -> Array:
    """Return values of the list, each as likely as any other, with replacement."""
    return picked(uniform(key, (size,)), law["values"], len(law["values"]))


def _mixture(key: Key, size: int, law: Mapping[str, Array]) -> Array:
    d = law["m"].shape[1]
    lower = {(i, j): law["L"][:, i, j] for i in range(d) for j in range(i + 1)}
    points = mixed(key, size, law["w"], law["m"], lower)
    return points if d > 1 else points[:, 0]


def picked(u: Array, values: Array, size: Any) -> Array:
    """Return values[floor(u size)], of the first ``size`` values."""
    return values[jnp.minimum(jnp.floor(u * size), size - 1).astype(jnp.int32)]


def mixed(key: Key, size: int, weights: Array, means: Array, lower: Mapping[tuple[int, int], Array]) -> Array:
    """Return points x = m_j + L_j z of a mixture, shape (size, d), where j has the probability w_j.

    Args:
        key: where words are read.
        size: number of points.
        weights: shape (k,).
        means: shape (k, d).
        lower: the entries of the lower triangles L_j, each of shape (k,).
    """
    d = range(means.shape[1])
    read = _component(uniform(slot_key(key, 0), (size,)), weights)
    z = [normal(slot_key(key, 1 + i), (size,)) for i in d]
    columns = (read(means[:, i]) + sum(read(lower[i, j]) * z[j] for j in d if (i, j) in lower) for i in d)
    return jnp.stack([*columns], axis=1)


def _component(u: Array, weights: Array) -> Callable[[Array], Array]:
    """Return the function that reads the entry of every point's component, found by the running sum of weights.

    Components are few, so that passing them all is cheaper than looking one up.
    """
    sums = [weights[0]]
    for k in range(1, len(weights)):
        sums.append(sums[-1] + weights[k])
    beyond = [u * sums[-1] >= x for x in sums[:-1]]

    def read(entries: Array) -> Array:
        value = jnp.broadcast_to(entries[0], u.shape)
        for k, past in enumerate(beyond, start=1):
            value = jnp.where(past, entries[k], value)
        return value

    return read


def _drawn(source: Family) -> Drawn:
    if isinstance(source, OneParameter):
        return lambda key, size, law: scalars.points(source, key, size, law["value"], 1.0)
    return _DRAWN[type(source)]


_DRAWN: Mapping[type, Drawn] = {
    Gaussian: _normal,
    DiagonalGaussian: _normal,
    MultivariateGaussian: _normal,
    Laplace: _laplace,
    StudentT: _student,
    UniformOn: _uniform,
    Empirical: _empirical,
    Mixture: _mixture,
}
