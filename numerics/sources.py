"""The source of a loop as numbers: what is declared, completed by what the user gives as ``start``."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy import Expr, Float, Symbol

from numerics.chains import Given
from numerics.kits import outside
from numerics.scalars import SCALARS
from numerics.texts import ngrams as texts
from theory.families import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Fitted,
    Gaussian,
    LinearRegression,
    LocationScale,
    MultivariateGaussian,
    NGram,
    OneParameter,
    ProductCategorical,
    ProjectedGaussian,
    Recursion,
)
from theory.families.base import Family
from theory.loop import Loop

Start = Mapping[str, Any]


def source_arrays(loop: Loop, start: Start | None = None) -> dict[str, np.ndarray]:
    """Return the source's arrays by name, float64.

    Gaussian: mu0, V0. Diagonal: mu0, V0 of shape (d,), and root0 with root0 root0' the covariance where the
    true source is correlated. Multivariate: mu0, Sigma0, root0. Bernoulli: p0. Categorical: p0 of shape (K,). A family
    of one parameter: its source value, as rate0. Regression: w0, noise. A recursion: every symbol in its start.

    Args:
        loop: a loop without free symbols other than its source's.
        start: values by the name of a symbol of the source, or of the parameter whose source value it is.

    Raises:
        ValueError: a symbol without a value, a name that is none of the source's, or a value out of range.
    """
    kinds = OneParameter | Recursion | NGram | Fitted | LocationScale | ProjectedGaussian
    if not isinstance(loop.law, kinds) and type(loop.law) not in _ARRAYS:
        known = ", ".join(kind.__name__ for kind in (*_ARRAYS, *SCALARS))
        raise ValueError(f"{type(loop.law).__name__} cannot be simulated yet. Choose one of {known}.")
    declared = loop.source or loop.family
    if isinstance(loop.law, NGram):
        _require_numbers(loop, set())
        real: Any = declared if isinstance(declared, NGram) and declared.text is None else loop.law
        return texts.source_arrays(loop.law, loop.samples, real)
    if isinstance(declared, Categorical) and declared.probabilities is None:
        _require_numbers(loop, set())
        return {"p0": _probabilities(dict(start or {}))}
    _require_numbers(loop, _symbols(declared))
    values = _values(declared, dict(start or {}))
    law = loop.law
    if isinstance(law, LocationScale):
        numbers = zip(("centre0", "width0"), law.initial(), strict=True)
        arrays = outside.arrays(declared, loop.sampling, lambda entries: _floats(entries, values))
        return arrays | {name: _floats(x, values) for name, x in numbers}
    if isinstance(law, Fitted):
        return _fitted(loop, law, declared, values)
    if isinstance(law, ProjectedGaussian | ProductCategorical):
        return _restricted(law, declared, values)
    if isinstance(law, Recursion):
        return {symbol.name: _floats(symbol, values) for symbol in _symbols(law)}
    arrays = _scalar(law, values) if isinstance(law, OneParameter) else _ARRAYS[type(law)](law, values)
    if law.outside(declared) is not None:
        arrays |= outside.arrays(declared, loop.sampling, lambda entries: _floats(entries, values))
    if isinstance(declared, MultivariateGaussian) and declared.covariance is not None:
        arrays["root0"] = _root(_floats(declared.covariance.tolist(), values))
    return arrays


def shape(given: Given) -> tuple[int, ...]:
    """Return the shape of a parameter: (), (d,) or (K,)."""
    return next((np.shape(given[name]) for name in ("p0", "mu0") if name in given), ())


def _symbols(declared: Family) -> set[Symbol]:
    return set().union(*(value.free_symbols for value in declared.source().values()))


def _require_numbers(loop: Loop, source: set[Symbol]) -> None:
    missing = sorted(loop.free_symbols - source, key=str)
    if missing:
        names = ", ".join(f"{x}=..." for x in missing)
        raise ValueError(f"the loop has no value for {', '.join(map(str, missing))}. Write loop.at({names}).")


def _values(declared: Family, start: dict[str, Any]) -> dict[Symbol, Float]:
    """Return the value of every symbol of the source."""
    values: dict[Symbol, Float] = {}
    symbols = _symbols(declared)
    if not start and not symbols:  # thousands of entries are not named for nobody
        return values
    places = {str(x): value for x, value in declared.source().items()}
    places |= {x.name: x for x in symbols}
    for name, given in start.items():
        if name not in places:
            named = ", ".join([*places][:8]) + (", ..." if len(places) > 8 else "")
            raise ValueError(f"start names {name!r}, which is not of the source. It has {named or 'no symbol'}.")
        number, place = _number(name, given), places[name]
        if isinstance(place, Symbol):
            values[place] = number
        elif place.free_symbols or float(place) != float(number):
            raise ValueError(f"start gives {name} = {given}, and the source says {place}. Say it once.")
    lacking = sorted(symbols - set(values), key=str)
    if lacking:
        names, listed = ", ".join(f"'{x}': ..." for x in lacking), ", ".join(map(str, lacking))
        raise ValueError(f"the source has no value for {listed}. Give start={{{names}}}, or use loop.at(...).")
    return values


def _number(name: str, given: Any) -> Float:
    try:
        number = float(given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"start: {name} = {given!r} is no number. Give one number for each symbol.") from error
    if not np.isfinite(number):
        raise ValueError(f"start: {name} = {given} is not finite. Give a number.")
    return Float(number)


def _floats(entries: Any, values: Mapping[Symbol, Float]) -> np.ndarray:
    """Return an expression, or nested lists of them, as float64."""
    number = isinstance(entries, Expr)
    floats = float(entries.xreplace(dict(values))) if number else [_floats(entry, values) for entry in entries]
    return np.array(floats, dtype=np.float64)


def _fitted(loop: Loop, law: Fitted, declared: Family, values: Mapping[Symbol, Float]) -> dict[str, np.ndarray]:
    """Return the numbers of the source and of the family, and mean and variance of a point."""
    if loop.source is None and not law.stands_alone:
        name = type(law).__name__
        raise ValueError(f"the loop has no source. Name one, as in Loop({name}(...), source=Gaussian(0, 1)).")
    if not outside.known(declared):
        raise ValueError(f"the points of {declared} are not drawn for a {type(law).__name__}. Give a law of numbers.")

    def floats(entries: Any) -> np.ndarray:
        return _floats(entries, values)

    mean, covariance = outside.moments(declared, floats)
    where = {"mu0": mean if law.dimension > 1 else mean[0], "Sigma0": covariance, "V0": covariance[0, 0]}
    return where | outside.arrays(declared, loop.sampling, floats) | outside.family_numbers(law)


def _gaussian(law: Gaussian, values: Mapping[Symbol, Float]) -> dict[str, np.ndarray]:
    return {"mu0": _floats(law.mu0, values), "V0": _positive(_floats(law.V0, values))}


def _diagonal(law: DiagonalGaussian, values: Mapping[Symbol, Float]) -> dict[str, np.ndarray]:
    if not law.dimension or len(law.variances) != law.dimension:
        problem = f"the source has {law.dimension} means and {len(law.variances)} variances."
        raise ValueError(f"{problem} Give as many of both, as in DiagonalGaussian([0, 0], [1, 2]), or a source.")
    return {"mu0": _floats(law.mean, values), "V0": _positive(_floats(law.variances, values))}


def _multivariate(law: MultivariateGaussian, values: Mapping[Symbol, Float]) -> dict[str, np.ndarray]:
    if law.mean is None or law.covariance is None:
        raise ValueError(
            f"the source of {law} is left in symbols. Give its mean and its covariance, as in "
            "MultivariateGaussian([0, 0], [[1, 0], [0, 1]])."
        )
    return {"mu0": _floats(law.mean, values), "Sigma0": _floats(law.covariance.tolist(), values)}


def _restricted(law: Any, declared: Any, values: Mapping[Symbol, Float]) -> dict[str, np.ndarray]:
    """Return the projection of the source and a root of its own covariance, or the joint law of several columns."""
    if isinstance(law, ProductCategorical):
        joint = law.joint() if declared is law else declared.probabilities
        return {"p0": _floats(joint, values)}
    root = _root(_floats(declared.covariance.tolist(), values))
    return {"mu0": _floats(law.mean, values), "Sigma0": _floats(law.covariance.tolist(), values), "root0": root}


def _bernoulli(law: Bernoulli, values: Mapping[Symbol, Float]) -> dict[str, np.ndarray]:
    chance = _floats(law.p0, values)
    if not 0 <= chance <= 1:
        raise ValueError(f"the source has p = {chance}, which is no probability. Give 0 <= p <= 1.")
    return {"p0": chance}


def _scalar(law: OneParameter, values: Mapping[Symbol, Float]) -> dict[str, np.ndarray]:
    value, scalar = _floats(law.initial, values), SCALARS[type(law)]
    if not scalar.inside(float(value)):
        raise ValueError(f"the source has {law.parameter} = {value}. Give {law.parameter} {scalar.allowed}.")
    return {f"{law.parameter}0": value}


def _regression(law: LinearRegression, values: Mapping[Symbol, Float]) -> dict[str, np.ndarray]:
    if not law.dimension.is_Integer:
        raise ValueError(
            f"the source has {law.dimension} weights. Write LinearRegression(dimension=...) with a number."
        )
    return {"w0": _floats(law.w0, values), "noise": _floats(law.noise, values)}


def _categorical(law: Categorical, values: Mapping[Symbol, Float]) -> dict[str, np.ndarray]:
    return {"p0": _law(_floats(law.probabilities, values))}


def _probabilities(start: dict[str, Any]) -> np.ndarray:
    if set(start) not in ({"p"}, {"p0"}):
        raise ValueError("the source has no probabilities. Give start={'p': [...]}, or Categorical([...]).")
    (given,) = start.values()
    return _law(np.asarray(given, dtype=np.float64))


def _law(chances: np.ndarray) -> np.ndarray:
    if chances.ndim != 1 or not len(chances) or not np.isfinite(chances).all() or chances.min() < 0:
        raise ValueError(f"the source's probabilities are {chances}. Give a list of numbers >= 0 that sum to 1.")
    if abs(chances.sum() - 1) > 1e-9:
        problem = f"the source's {len(chances)} probabilities sum to {chances.sum()}, not 1."
        raise ValueError(f"{problem} Divide each by their sum.")
    return chances


def _positive(variances: np.ndarray) -> np.ndarray:
    if not np.all(variances > 0):
        raise ValueError(f"the source has the variance {np.min(variances)}. Give V > 0.")
    return variances


def _root(covariance: np.ndarray) -> np.ndarray:
    """Return the lower triangle L with L L' the covariance."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError as error:
        problem = f"the source's covariance {covariance.tolist()} is not positive definite."
        raise ValueError(f"{problem} Give correlations inside (-1, 1).") from error


_ARRAYS: Mapping[type, Any] = {
    Gaussian: _gaussian,
    DiagonalGaussian: _diagonal,
    MultivariateGaussian: _multivariate,
    Bernoulli: _bernoulli,
    Categorical: _categorical,
    LinearRegression: _regression,
    ProductCategorical: None,
}
