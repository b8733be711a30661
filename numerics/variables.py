"""What the chains of each family record, and how an observable is read from it.

Both paths of the simulator, the labelled results and the observables agree on these names.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve, frozen
from sympy import Determinant, Indexed, IndexedBase, MatrixSymbol, S, Symbol, exp
from sympy.matrices.expressions.matexpr import MatrixElement

from numerics.scalars import SCALARS, log_letter, symbol_of_source
from theory import symbols
from theory.families import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Fitted,
    Gaussian,
    HistogramDensity,
    KernelDensity,
    LinearRegression,
    LocationScale,
    Mixture,
    MultivariateGaussian,
    NGram,
    OneParameter,
    ProductCategorical,
    ProjectedGaussian,
    Recursion,
)
from theory.families.base import Family

LOG_DET = Symbol("log_det", real=True)
"""log det Sigma, which stays a number when the determinant does not."""


@frozen
class Variables:
    """The variables of one family.

    Args:
        dims: variable -> its dimensions beside chain and generation.
        letters: letter of an observable -> the variable that is its value.
        rewrite: letters that an observable may hold and that are read off others.
    """

    dims: Mapping[str, tuple[str, ...]]
    letters: Mapping[Any, str]
    rewrite: Mapping[Any, Any]


def _columns(parameters: Iterable[Any]) -> Variables:
    """Return every parameter, and its logarithm where it is positive: that is the letter that an observable is read
    from.
    """
    dims: dict[str, tuple[str, ...]] = {}
    letters, rewrite = {}, {}
    for x in parameters:
        dims[str(x)], letter = (), x
        if x.is_positive:
            letter = log_letter(x)
            dims[str(letter)], rewrite[x] = (), exp(letter)
        letters[letter] = str(letter)
    return Variables(dims, letters, rewrite)


_TABLE = {
    Gaussian: _columns([Gaussian.mu, Gaussian.V]),
    DiagonalGaussian: Variables(
        {"mu": ("coordinate",), "V": ("coordinate",), "log_V": ("coordinate",)},
        {DiagonalGaussian.mu: "mu", DiagonalGaussian.V: "V"},
        {},
    ),
    MultivariateGaussian: Variables(
        {"mu": ("coordinate",), "Sigma": ("coordinate", "column"), "log_det": ()},
        {
            IndexedBase("mu"): "mu",
            MultivariateGaussian.mu: "mu",
            MultivariateGaussian.Sigma: "Sigma",
            LOG_DET: "log_det",
        },
        {Determinant(MultivariateGaussian.Sigma): exp(LOG_DET)},
    ),
    Bernoulli: _columns([Bernoulli.p]),
    Categorical: Variables({"p": ("type",)}, {Categorical.p: "p"}, {}),
    KernelDensity: _columns([Fitted.mu, Fitted.V, KernelDensity.h]),
    HistogramDensity: _columns([Fitted.mu, Fitted.V, HistogramDensity.occupied]),
    NGram: Variables({str(x): () for x in NGram.recorded}, {x: str(x) for x in NGram.recorded}, {}),
    LinearRegression: evolve(
        _columns([LinearRegression.w, LinearRegression.squares]),
        rewrite={
            LinearRegression.error: LinearRegression.squares - 2 * symbols.w0 * LinearRegression.w + symbols.w0**2
        },
    ),
}

_DENSITY = [Fitted.mu, Fitted.V]
_COMPONENTS = {"w": ("component",), "m": ("component",), "v": ("component",)}
_ON_A_LINE = _columns(_DENSITY)


def _mixture(family: Mixture) -> Variables:
    """Return mean and variance of a point, and weights, means and variances of the components."""
    if family.dimension == 1:
        letters = {**_ON_A_LINE.letters, **{x: str(x) for x in (Mixture.w, Mixture.m, Mixture.v)}}
        return Variables({**_ON_A_LINE.dims, **_COMPONENTS}, letters, _ON_A_LINE.rewrite)
    space = _TABLE[MultivariateGaussian]
    dims = {"w": ("component",), "m": ("component", "coordinate"), "C": ("component", "coordinate", "column")}
    return Variables({**space.dims, **dims}, {**space.letters, Mixture.w: "w", Mixture.m: "m"}, {})


_SOURCE: Mapping[type, tuple[Any, ...]] = {
    Gaussian: (symbols.mu0, symbols.V0),
    Bernoulli: (symbols.q0,),
    Categorical: (symbols.p0,),
    MultivariateGaussian: (MultivariateGaussian.mu0, MultivariateGaussian.Sigma0),
    LinearRegression: (symbols.w0, symbols.noise),
}


def letters_of_source(family: Family) -> tuple[Any, ...]:
    """Return the letters of the source that an observable may hold."""
    if isinstance(family, Recursion):
        return tuple(sorted(set().union(*(value.free_symbols for value in family.source().values())), key=str))
    return (symbol_of_source(family),) if isinstance(family, OneParameter) else _SOURCE.get(type(family), ())


def in_letters(expr: Any, family: Family) -> Any:
    """Return an observable with the matrices that a family knows by name, however their entries were written."""
    letters = (*variables(family).letters, *letters_of_source(family))
    return in_matrices(expr, [x for x in letters if isinstance(x, MatrixSymbol)])


def in_matrices(expr: Any, matrices: Iterable[MatrixSymbol]) -> Any:
    """Return an expression with these matrices for those of their names, and for indexed bases with numbers for
    indices.
    """
    named = {x.name: x for x in matrices}
    names: dict[Any, Any] = {x: named[x.name] for x in expr.atoms(MatrixSymbol) if x.name in named}
    for x in expr.atoms(Indexed):
        if x.base.name in named and all(index.is_Integer for index in x.indices):
            names[x] = MatrixElement(named[x.base.name], *x.indices, *(S.Zero for _ in range(2 - x.rank)))
    return expr.xreplace(names)


def variables(family: Family) -> Variables:
    """Return the variables of a family, or raise ValueError for one that cannot be simulated."""
    if isinstance(family, OneParameter):
        return _columns([family.parameter])
    if isinstance(family, LocationScale):
        return _columns([family.centre, family.width])
    if isinstance(family, Recursion):
        return _columns(family.source())
    if isinstance(family, ProjectedGaussian):
        return _TABLE[MultivariateGaussian]
    if isinstance(family, ProductCategorical):
        return _TABLE[Categorical]
    if isinstance(family, Mixture):
        return _mixture(family)
    if type(family) not in _TABLE:
        known = ", ".join(kind.__name__ for kind in (*_TABLE, *SCALARS))
        raise ValueError(f"{type(family).__name__} cannot be simulated yet. Choose one of {known}.")
    return _TABLE[type(family)]
