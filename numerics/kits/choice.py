"""What the data path knows of each family: Gaussians and families of one parameter here, and which kit a loop takes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
from attrs import evolve
from jax import Array
from jax.scipy.linalg import solve_triangular

from numerics import scalars
from numerics.chains import Given
from numerics.kits import densities, joint, located, mixtures, projections
from numerics.kits.distortions import Distortion, deviates, factor, temperature
from numerics.kits.frequencies import BERNOULLI, proportions, tokens, types
from numerics.kits.kit import Kit, Model
from numerics.kits.least_squares import least_squares
from numerics.kits.outside import drawing
from numerics.kits.points import Data
from numerics.samplers import chi_square, log_chi_square, normal, slot_key
from numerics.samplers.cipher import Key
from numerics.texts import ngrams as texts
from theory.families import (
    Bernoulli,
    Binomial,
    Categorical,
    DiagonalGaussian,
    Gaussian,
    HistogramDensity,
    KernelDensity,
    Laplace,
    LinearRegression,
    Mixture,
    MultivariateGaussian,
    NegativeBinomial,
    NGram,
    OneParameter,
    ProductCategorical,
    ProjectedGaussian,
    StudentT,
    Uniform,
    UniformOn,
)
from theory.loop import Loop
from theory.procedures import Procedure
from theory.symbols import n


def kit(loop: Loop, shape: tuple[int, ...]) -> Kit:
    """Return the kit of the loop's family; ``shape`` is that of a parameter, (), (d,) or (K,)."""
    if isinstance(loop.family, Categorical):
        weighed = any(part.weight is not None for part in loop.regime.parts(loop.samples, n))
        return types(shape[0]) if weighed or isinstance(loop.estimator, Procedure) else tokens(shape[0])
    if isinstance(loop.family, LinearRegression):
        return least_squares(loop.family, loop.estimator)
    if isinstance(loop.family, NGram):
        return texts.kit(loop)
    if isinstance(loop.family, DiagonalGaussian) and loop.source is not None:
        return _CORRELATED
    if isinstance(loop.family, ProjectedGaussian):
        return projections.gaussian(loop.family, shape[0])
    if type(loop.family) in _OF_LOOPS:
        return _OF_LOOPS[type(loop.family)](loop)
    if isinstance(loop.family, Gaussian) and (source := loop.law.outside(loop.source)) is not None:
        return evolve(_NORMAL, alike=False, real=drawing(source))
    return _scalar(loop.family) if isinstance(loop.family, OneParameter) else _KITS[type(loop.family)]


def _normal_source(given: Given) -> Model:
    return {"mu": given["mu0"], "V": given["V0"]}


def _normal_draw(key: Key, size: int, model: Model, how: Distortion) -> Array:
    """Return x = mu + sqrt(tau V) z, coordinate by coordinate."""
    shape = (size, *jnp.shape(model["mu"]))
    if "behind" in model:
        return model["mu"] + _predictive(key, shape, model, how)
    return model["mu"] + jnp.sqrt(factor(how) * model["V"]) * deviates(key, shape, how)


def _predictive(key: Key, shape: tuple[int, ...], model: Model, how: Distortion) -> Array:
    """Return sqrt(V (1 + 1/m) (m - 1)/chi) z, chi ~ chi-square(m - 1): sqrt(V (1 + 1/m)) t, t of Student's law.

    Of the density (1 + t^2/(m - 1))^(-m/2) to the power 1/tau nothing changes but that chi ~ chi-square(m/tau - 1).
    """
    m, tau = model["behind"], temperature(how)
    chi = chi_square(slot_key(key, 0), m / tau - 1, shape)
    V = factor(how) / tau * model["V"] * (1 + 1 / m) * (m - 1) / chi
    return jnp.sqrt(V) * deviates(slot_key(key, 1), shape, how)


def _normal_real(key: Key, size: int, given: Given, how: Distortion) -> Array:
    return _normal_draw(key, size, _normal_source(given), how)


def _normal_fit(data: Data, divisor: Any, last: Model) -> Model:
    """Return mu = sum x/m and V = sum (x - mu)^2/d(m)."""
    del last
    mu = data.mean()
    return {"mu": mu, "V": data.total(lambda x: (x - mu) ** 2) / divisor}


def _normal_view(model: Model) -> dict[str, Array]:
    return {"mu": model["mu"], "V": model["V"], "log_V": jnp.log(model["V"])}


def _joint_posterior(key: Key, fitted: Model, size: Any) -> Model:
    """Return Sigma = B B' with B = C A^-T, C C' = SS and A Bartlett's triangle of m - 1 degrees, and mu + B z/sqrt(m).

    Sigma^-1 is then Wishart with m - 1 degrees and the mean (m - 1) SS^-1, the posterior of det(Sigma)^(-(d + 1)/2).
    """
    d = len(fitted["mu"])
    squares = jnp.exp(log_chi_square(slot_key(key, 0), size - 1 - jnp.arange(d), (d,)) / 2)
    triangle = jnp.tril(normal(slot_key(key, 1), (d, d)), -1) + jnp.diag(squares)
    root = solve_triangular(triangle, jnp.linalg.cholesky(size * fitted["Sigma"]).T, lower=True).T
    mean = fitted["mu"] + joint.rows_times(normal(slot_key(key, 2), (1, d)), root)[0] / jnp.sqrt(size)
    return {"mu": mean, "Sigma": joint.rows_times(root, root).T}


def _scalar(family: OneParameter) -> Kit:
    """Return the kit of a family of one parameter."""
    name, known = scalars.named(family), scalars.constants(family)

    def draw(key: Key, size: int, model: Model, how: Distortion) -> Array:
        return scalars.points(family, key, size, model[name], temperature(how))

    def real(key: Key, size: int, given: Given, how: Distortion) -> Array:
        return scalars.points(family, key, size, given[f"{name}0"], temperature(how))

    def fit(data: Data, divisor: Any, last: Model) -> Model:
        del divisor, last
        return {name: scalars.SCALARS[type(family)].fit(data, known)}

    return Kit(
        True,
        lambda given: {name: given[f"{name}0"]},
        real,
        draw,
        fit,
        lambda model: scalars.view(family, model),
        weighted=_largest if isinstance(family, Uniform) else None,
        posterior=_posterior(family),
    )


def _largest(sets: Sequence[Data], shares: Sequence[float], last: Model) -> Model:
    """Return the largest point of positive weight, the weighted fit of a uniform law."""
    del last
    tops = [data.largest() for data, share in zip(sets, shares, strict=True) if share > 0]
    return {str(Uniform.theta): jnp.max(jnp.stack(tops))}


def _posterior(family: OneParameter) -> Any:
    """Return the draw from the posterior of a proportion, for a family that fits one."""
    name, known = scalars.named(family), scalars.constants(family)

    def binomial(key: Key, fitted: Model, size: Any) -> Model:
        """Return p ~ Beta(x + 1/2, m N - x + 1/2)."""
        trials, p = size * known[0], fitted[name]
        return {name: proportions(key, trials * jnp.stack([p, 1 - p]))[0]}

    def negative_binomial(key: Key, fitted: Model, size: Any) -> Model:
        """Return r (1 - q)/q with q ~ Beta(m r, x + 1/2), the chance of a failure r of which end a point."""
        failures, others = (log_chi_square(slot_key(key, k), df) for k, df in enumerate(_degrees(fitted, size)))
        return {name: known[0] * jnp.exp(others - failures)}

    def _degrees(fitted: Model, size: Any) -> tuple[Any, Any]:
        return 2 * size * known[0], 2 * size * fitted[name] + 1

    return {Binomial: binomial, NegativeBinomial: negative_binomial}.get(type(family))


_NORMAL = Kit(True, _normal_source, _normal_real, _normal_draw, _normal_fit, _normal_view)
_CORRELATED = Kit(False, _normal_source, joint.real, _normal_draw, _normal_fit, _normal_view)
_OF_LOOPS: Mapping[type, Callable[[Loop], Kit]] = {
    Mixture: mixtures.kit,
    KernelDensity: densities.kernel_density,
    HistogramDensity: densities.histogram,
    **dict.fromkeys((Laplace, StudentT, UniformOn), located.located),
    ProductCategorical: lambda loop: projections.columns(loop.family),  # type: ignore[arg-type]
}
_KITS: Mapping[type, Kit] = {
    Gaussian: _NORMAL,
    DiagonalGaussian: _NORMAL,
    MultivariateGaussian: Kit(
        True, joint.source, joint.real, joint.draw, joint.fit, joint.view, posterior=_joint_posterior
    ),
    Bernoulli: BERNOULLI,
}
